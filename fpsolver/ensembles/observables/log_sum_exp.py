"""Exponential averages, as in the Jarzynski equality, with a warning when few trajectories carry them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.ensembles.observables.observable import Arrays, Column, Observable, Result, as_name, as_texts
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.errors import AccuracyWarning, InputError
from fpsolver.kernels.cpu.statistics import block_exponential_sums, fold_exponential_sums

FEWEST_EFFECTIVE = 100.0
LARGEST_SHARE = 0.1


@dataclass(frozen=True, init=False)
class LogSumExp(Observable):
    """The logarithm of an exponential average, log ⟨e^{factor·w}⟩.

    Parameters
    ----------
    quantity : str
        w, a name or an expression.
    factor : float
        The factor, −1/T for the Jarzynski equality.
    name : str, optional
        Name of the result.

    Raises
    ------
    InputError
        If the factor is not finite.

    References
    ----------
    C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997); on the number of effective samples L. Kish, Survey Sampling (1965),
    section 8.2.

    Examples
    --------
    >>> LogSumExp("work", factor=-1 / 0.1).name
    'log_sum_exp_work'
    """

    quantity: str
    factor: float
    name: str

    def __init__(self, quantity: str, *, factor: float = 1.0, name: str | None = None) -> None:
        (text,) = as_texts((quantity,), "LogSumExp")
        try:
            value = float(factor)
        except (TypeError, ValueError):
            value = np.nan
        if not np.isfinite(value):
            raise InputError(f"LogSumExp({quantity!r}): factor = {factor!r} must be a finite number, such as -1/T")
        object.__setattr__(self, "quantity", text)
        object.__setattr__(self, "factor", value)
        object.__setattr__(self, "name", as_name(name, "log_sum_exp", (text,)))

    def check(self, quantities: Quantities) -> LogSumExp:
        """Return the observable itself."""
        quantities.require(self.quantity, "LogSumExp")
        return self

    def empty(self) -> Arrays:
        """Return number, and (largest exponent, Σ e, Σ e²) relative to it, of nothing."""
        return np.zeros(1, dtype=np.int64), np.array([-np.inf, 0.0, 0.0])

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return counts and the three numbers of each block."""
        values, rows = snapshot.rows([self.quantity])
        largest, first, second = (np.empty(len(snapshot.counts)) for _ in range(3))
        block_exponential_sums(values, rows[0], snapshot.counts, self.factor, largest, first, second)
        return snapshot.counts, largest, first, second

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with blocks added, one after the other."""
        fold_exponential_sums(*total, *partial)
        return total

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> LogSumExpResult:
        """Return the logarithms with standard errors, and warn where few trajectories carry the average.

        Warns
        -----
        AccuracyWarning
            If fewer than 100 effective samples (or half of all, if that is less) are left at some time, or one
            trajectory carries more than a tenth of the sum.
        """
        n = np.array([total[0][0] for total in totals], dtype=float)
        largest, first, second = np.stack([total[1] for total in totals]).T
        with np.errstate(all="ignore"):
            value = largest + np.log(first / n)
            # Delta method: the relative variance of the average, (⟨e²⟩/⟨e⟩² − 1)/(n − 1).
            error = np.sqrt(np.maximum(n * second / first**2 - 1, 0.0) / (n - 1))
            effective, share = first**2 / second, 1 / first
        result = LogSumExpResult(times, self.quantity, self.factor, n.astype(int), value, error, effective, share)
        self._warn(result)
        return result

    def _warn(self, result: LogSumExpResult) -> None:
        n = result.trajectories
        dominated = (result.effective_samples < np.minimum(FEWEST_EFFECTIVE, n / 2)) | (
            result.largest_share > np.maximum(LARGEST_SHARE, 2 / n)
        )
        if not dominated.any():
            return
        worst = int(np.argmax(np.where(dominated, result.largest_share, 0.0)))
        warnings.warn(
            f"{self.name}: the average of exp({self.factor:g} {self.quantity}) is carried by few trajectories at "
            f"{np.count_nonzero(dominated)} of {len(n)} times; at t = {result.times[worst]:g} the {n[worst]} "
            f"trajectories count as {result.effective_samples[worst]:.1f}, and the largest term is "
            f"{100 * result.largest_share[worst]:.2g}% of the sum. The value is then biased towards the typical and "
            "its standard error too small: take more trajectories or drive more slowly",
            AccuracyWarning,
            stacklevel=6,
        )


@dataclass(frozen=True, eq=False, repr=False)
class LogSumExpResult(Result):
    """Logarithms of exponential averages at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    quantity : str
        w.
    factor : float
        Its factor.
    trajectories : ndarray, shape (n_times,)
        Number of trajectories.
    value : ndarray, shape (n_times,)
        log ⟨e^{factor·w}⟩; the logarithm of a mean lies low by about half the squared standard error.
    standard_error : ndarray, shape (n_times,)
        Standard errors, to first order (delta method).
    effective_samples : ndarray, shape (n_times,)
        (Σe)²/Σe²: as many equal terms would be as certain.
    largest_share : ndarray, shape (n_times,)
        Share of the largest term in the sum.
    """

    times: np.ndarray
    quantity: str
    factor: float
    trajectories: np.ndarray
    value: np.ndarray
    standard_error: np.ndarray
    effective_samples: np.ndarray
    largest_share: np.ndarray

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return nothing: time is the only dimension."""
        return {}

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the logarithms, their standard errors and how many samples carry them."""
        names = ("trajectories", "value", "standard_error", "effective_samples", "largest_share")
        return {name: (("time",), getattr(self, name), "1") for name in names}

    def attributes(self) -> dict[str, Any]:
        """Return quantity and factor."""
        return {"quantity": self.quantity, "factor": self.factor}
