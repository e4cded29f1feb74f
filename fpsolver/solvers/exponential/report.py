"""Book-keeping of a run: states become densities, mass is kept, progress is shown, callbacks are called."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning, NumericalError
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.system import Outcome


class Recorder:
    """Collects outcomes, in the order of time, into densities and statistics.

    Parameters
    ----------
    generator : Generator
        For encoding and decoding; of the initial time if driven.
    density : ndarray
        Initial density.
    times : ndarray
        Output times.
    tolerance : float
        Error in L1 that is allowed, relative to the mass.
    callback : callable or None
        Called with each output time and density.
    progress : bool
        Whether to show a progress bar on a terminal.
    """

    def __init__(
        self,
        generator: Generator,
        density: np.ndarray,
        times: np.ndarray,
        tolerance: float,
        *,
        callback: Callable[[float, np.ndarray], None] | None = None,
        progress: bool = True,
    ) -> None:
        self.generator = generator
        self.times = times
        self.tolerance = tolerance
        self.callback = callback
        self.given = density
        self._weights = generator.mass_weights
        self.initial = generator.encode(density)
        self.mass = self._mass(self.initial)
        self.densities = np.empty((len(times), *density.shape))
        self.done = 0
        self.applications = 0
        self.error = 0.0
        self.drift = 0.0
        self.final_mass = 1.0
        self.methods: list[str] = []
        self.positive = False
        self._bar = self._progress_bar() if progress and sys.stderr.isatty() else None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def unit(self) -> np.ndarray:
        """Initial state, scaled to a mass of one."""
        return self.initial / self.mass

    def record_start(self, count: int) -> None:
        """Record the initial density, as it was given, for the output times that are the start itself."""
        for _ in range(count):
            self._store(self.given, 1.0)

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Record what a propagation yields; warn if it says that it missed the tolerance.

        Raises
        ------
        NumericalError
            If a density is not finite.
        """
        for outcome in outcomes:
            self._take(outcome)
        if self.error > self.tolerance:
            warnings.warn(
                f"the estimated error {self.error:.1e} is above the tolerance {self.tolerance:g} "
                f"({', '.join(self.methods)}); another method or a looser tolerance may do better",
                AccuracyWarning,
                stacklevel=3,
            )

    def stats(self) -> dict[str, Any]:
        """Return the statistics of the run."""
        return {
            "method": ", ".join(self.methods) or "none needed",
            "applications": self.applications,
            "estimated_error": float(self.error),
            "mass_lost": 1.0 - self.final_mass,
            "mass_drift": self.drift,
            "positive": self.positive,
        }

    def _take(self, outcome: Outcome) -> None:
        self.applications += outcome.applications
        self.error = max(self.error, outcome.error)
        if outcome.method not in self.methods:
            self.methods.append(outcome.method)
        for state in outcome.states:
            self._record(self._mended(state))

    def _mended(self, state: np.ndarray) -> np.ndarray:
        """Return the state without negative rounding and with the mass it must have."""
        mass = self._mass(state)
        if not np.isfinite(mass):
            bad = int(np.count_nonzero(~np.isfinite(state)))
            raise NumericalError(
                f"{bad} of {len(state)} values are not finite at t = {self.times[self.done]:g}; "
                "refine the grid, or shrink it to where the rates are moderate"
            )
        target = mass
        if not self.generator.absorbing:
            self.drift = max(self.drift, abs(mass - 1.0))
            target = 1.0
        if self.generator.markov and state.min() < 0:
            state = np.maximum(state, 0.0)
            mass = self._mass(state)
        return state if mass == target or mass <= 0 else state * (target / mass)

    def _mass(self, state: np.ndarray) -> float:
        # a product and a sum: BLAS would wake its threads for this, which costs more than the whole run on small grids
        return float((self._weights * state).sum())

    def _record(self, unit: np.ndarray) -> None:
        self._store(self.generator.decode(unit) * self.mass, self._mass(unit))

    def _store(self, density: np.ndarray, mass: float) -> None:
        self.densities[self.done] = density
        self.final_mass = mass
        if self.callback is not None:
            self.callback(float(self.times[self.done]), self.densities[self.done].copy())
        self.done += 1
        if self._bar is not None:
            self._bar.update(1)

    def _progress_bar(self) -> Any:
        from tqdm import tqdm

        return tqdm(total=len(self.times), desc="evolve", unit="time", leave=False)
