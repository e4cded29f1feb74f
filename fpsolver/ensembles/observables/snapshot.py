"""Snapshots: the state of a batch of blocks of trajectories at one output time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.errors import NumericalError

LANES = 256


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A batch of blocks at one time, as observables see it.

    Parameters
    ----------
    states : ndarray, shape (n_blocks, rows, 256)
        Positions, velocities and path functionals, double or single precision, C-contiguous.
    counts : ndarray of int64, shape (n_blocks,)
        Number of trajectories in each block; the lanes behind them are ghosts and are never counted.
    first : int
        Number of the first trajectory, a multiple of 256.
    t : float
        Time.
    quantities : Quantities
        Names of the rows.
    parameters : mapping of str to float
        Values of the parameters at this time.
    derived : mapping of str to callable
        What is computed from the state, such as "loss": takes the snapshot and gives a value for every lane,
        (n_blocks, 256).
    """

    states: np.ndarray
    counts: np.ndarray
    first: int
    t: float
    quantities: Quantities
    parameters: Mapping[str, float] = field(default_factory=dict)
    derived: Mapping[str, Callable[[Snapshot], np.ndarray]] = field(default_factory=dict)
    _known: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @property
    def names(self) -> Mapping[str, int]:
        """Row of each name."""
        return self.quantities.names

    @property
    def trajectories(self) -> int:
        """Number of trajectories in the batch."""
        return int(self.counts.sum())

    @property
    def real(self) -> np.ndarray:
        """Which lanes are trajectories, shape (n_blocks, 256)."""
        return np.arange(LANES) < self.counts[:, None]

    def quantity(self, text: str) -> np.ndarray:
        """Return a quantity of every lane, shape (n_blocks, 256); a view where it is a row of the state.

        Parameters
        ----------
        text : str
            Name of a row, "loss", or an expression.

        Raises
        ------
        NumericalError
            If an expression or the loss is not finite for some trajectory.
        """
        if text in self.names:
            return self.states[:, self.names[text]]
        if text not in self._known:
            values = self._derived(text) if text in self.derived else self._expression(text)
            self._require_finite(text, values)
            self._known[text] = values
        return self._known[text]

    def rows(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return an array (n_blocks, rows, 256) and the row of each quantity in it, as kernels want them.

        Parameters
        ----------
        texts : sequence of str
            Quantities. The state itself is returned where all are rows of it.
        """
        if all(text in self.names for text in texts):
            return np.ascontiguousarray(self.states), np.array([self.names[text] for text in texts], dtype=np.int64)
        gathered = np.stack([self.quantity(text) for text in texts], axis=1, dtype=float)
        return np.ascontiguousarray(gathered), np.arange(len(texts))

    def _derived(self, name: str) -> np.ndarray:
        return np.asarray(self.derived[name](self), dtype=float)

    def _expression(self, text: str) -> np.ndarray:
        function = self.quantities.compiled(text)
        shape = (len(self.counts), LANES)
        if not function.variables:
            return np.full(shape, function(None, self.parameters, self.t)[0])
        columns = np.stack([np.asarray(self.quantity(name), float).ravel() for name in function.variables])
        return function(columns.T, self.parameters, self.t)[0].reshape(shape)

    def _require_finite(self, text: str, values: np.ndarray) -> None:
        wrong = self.real & ~np.isfinite(values)
        if not wrong.any():
            return
        block, lane = (int(i) for i in np.argwhere(wrong)[0])
        state = ", ".join(f"{name} = {self.states[block, row, lane]:g}" for name, row in self.names.items())
        raise NumericalError(
            f"{text!r} is {values[block, lane]} for trajectory {self.first + LANES * block + lane} "
            f"at t = {self.t:g}, where {state}"
        )
