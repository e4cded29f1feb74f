"""The result of a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.observable import Arrays, NamedResults, Result
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.ensembles.space import JUMPS
from fpsolver.kernels.blocks import LANES


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Many trajectories at the end of a simulation, and what was observed of them on the way.

    Parameters
    ----------
    names : tuple of str
        Variables, velocities ``v_…`` and path functionals, in the order of the rows of `states`.
    dimension : int
        Number of variables.
    states : ndarray, shape (blocks, rows, 256)
        State of every trajectory in blocks of 256; the lanes behind the n-th are not trajectories.
    n : int
        Number of trajectories.
    step : int
        Steps taken since time zero.
    dt : float
        Time step.
    times : ndarray, shape (n_times,)
        Output times so far.
    observables : mapping of str to Result
        What was observed at these times, by name; a name that is not there is an `InputError`.
    totals : tuple
        The accumulators behind `observables`, for each time.
    observed : tuple of str
        What these accumulate.
    identity : str
        Hash of all that determines the trajectories; an ensemble is continued only by the same problem.
    snapshot : callable
        Makes the snapshot in which quantities are evaluated.
    stats : mapping
        "scheme", "noise", "seed", "experiment", "precision", "device", "threads", "wall_time" in seconds,
        "particle_steps", "particle_steps_per_second" (of this call); for processes that jump "jumps" and
        "jumps_per_second", by thinning "attempts_per_jump"; for SGD, which counts time in steps, "unit_of_time"
        ("step") and "learning_time", the sum of the learning rates up to now.
    """

    names: tuple[str, ...]
    dimension: int
    states: np.ndarray
    n: int
    step: int
    dt: float
    times: np.ndarray
    observables: Mapping[str, Result] = field(default_factory=NamedResults)
    totals: tuple[tuple[Arrays, ...], ...] = ()
    observed: tuple[str, ...] = ()
    identity: str = ""
    snapshot: Callable[[np.ndarray, np.ndarray, int, int], Snapshot] | None = field(default=None, repr=False)
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def t(self) -> float:
        """Time reached."""
        return self.step * self.dt

    def recording(self, observed: tuple[str, ...]) -> Ensemble:
        """Return the ensemble with its record, where that is of the given observables, or else without."""
        if observed == self.observed:
            return self
        return replace(self, times=np.zeros(0), observables=NamedResults(), totals=(), observed=observed)

    def values(self, name: str) -> np.ndarray:
        """Return one quantity of every trajectory at the last time, shape (n,).

        Parameters
        ----------
        name : str
            A variable, a velocity, a path functional, "loss", an entropy, or an expression in these.

        Raises
        ------
        InputError
            If a name is not known.
        """
        assert self.snapshot is not None
        snapshot = self.snapshot(self.states, lane_counts(self.n), 0, self.step)
        snapshot.quantities.require(name, "values")
        return np.array(snapshot.quantity(name)).reshape(-1)[: self.n]

    @property
    def final(self) -> np.ndarray:
        """Positions at the last time, shape (n, d)."""
        return self._columns(0, self.dimension)

    @property
    def final_velocities(self) -> np.ndarray:
        """Velocities at the last time, shape (n, d); of underdamped dynamics and SGD with momentum only."""
        first = self.dimension
        if not (len(self.names) > first and self.names[first] == f"v_{self.names[0]}"):
            raise AttributeError("this ensemble has no velocities: its dynamics has no inertia")
        return self._columns(first, 2 * first)

    @property
    def jumps(self) -> float | None:
        """Jumps of all trajectories so far; None for dynamics that move in time steps."""
        carried = self.names[self.dimension :]
        if JUMPS not in carried:
            return None
        row = self.dimension + carried.index(JUMPS)
        return float(self._columns(row, row + 1).sum())

    @property
    def pace(self) -> str:
        """How fast the last call was, in words: jumps, or steps of all trajectories, per second."""
        if "jumps_per_second" in self.stats:
            return f"{self.stats['jumps_per_second']:.3g} jumps/s"
        return f"{self.stats.get('particle_steps_per_second', 0.0):.3g} particle-steps/s"

    def _columns(self, first: int, last: int) -> np.ndarray:
        return self.states[:, first:last].transpose(0, 2, 1).reshape(-1, last - first)[: self.n]

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        variables = ", ".join(self.names[: self.dimension])
        reached = f"t = {self.t:g}, {self.stats.get('scheme')}, dt = {self.dt:g}"
        if self.stats.get("unit_of_time") == "step":
            reached = f"step {self.step}, learning time {self.stats['learning_time']:g}"
        return f"Ensemble({self.n} trajectories of {variables} to {reached}, {self.pace})"


def to_blocks(columns: np.ndarray, rows: int, dtype: Any) -> np.ndarray:
    """Return states (n, columns) as blocks (blocks, rows, 256); further rows are zero, spare lanes repeat the last."""
    n, width = columns.shape
    blocks = -(-n // LANES)
    padded = np.concatenate([columns, np.broadcast_to(columns[-1], (blocks * LANES - n, width))])
    states = np.zeros((blocks, rows, LANES), dtype)
    states[:, :width] = padded.reshape(blocks, LANES, width).transpose(0, 2, 1)
    return states


def lane_counts(n: int) -> np.ndarray:
    """Return the number of trajectories in each block."""
    counts = np.full(-(-n // LANES), LANES, dtype=np.int64)
    counts[-1] = n - LANES * (len(counts) - 1)
    return counts
