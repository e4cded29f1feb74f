"""Book-keeping of a run: states become densities, mass is kept, progress is shown, callbacks are called."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fpsolver.errors import AccuracyWarning, NumericalError
from fpsolver.generators.generator import Generator
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

    def run(self, propagate: Callable[..., Iterator[Outcome]], generator: Any, times: np.ndarray, **options: Any) -> None:
        """Take what a propagation gives, after the initial density at times that are the start itself.

        Raises
        ------
        NumericalError
            If a density is not finite.
        """
        start, method, positive = options["start"], options["method"], options["positive"]
        unit = self.initial / self.mass
        self.positive = positive
        durations = times - start
        waiting = int(np.count_nonzero(durations == 0))
        for _ in range(waiting):
            self._store(self.given, 1.0)
        if waiting < len(times):
            limit = self.tolerance
            if hasattr(generator, "breakpoints"):
                outcomes = propagate(generator, unit, start, times[waiting:], limit, method=method, positive=positive)
            else:
                outcomes = propagate(generator, unit, durations[waiting:], limit, method=method, positive=positive)
            for outcome in outcomes:
                self._take(outcome)
        if not self.methods:
            self.methods.append("none needed")
        if self.error > self.tolerance:
            warnings.warn(
                f"the estimated error {self.error:.1e} is above the tolerance {self.tolerance:g} "
                f"({' then '.join(self.methods)}); method='auto' may do better",
                AccuracyWarning,
                stacklevel=4,
            )

    def stats(self) -> dict[str, Any]:
        """Return the statistics of the run."""
        return {
            "method": ", ".join(self.methods),
            "applications": self.applications,
            "estimated_error": self.error,
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
