"""Mean and covariance of quantities over an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fpsolver.ensembles.observables.means import MeanResult
from fpsolver.ensembles.observables.observable import Arrays, Column, Observable, as_name, as_texts, common
from fpsolver.ensembles.observables.quantities import Quantities
from fpsolver.ensembles.observables.snapshot import Snapshot
from fpsolver.kernels.cpu.statistics import block_moments, fold_moments
from fpsolver.units import product


@dataclass(frozen=True, init=False)
class Moments(Observable):
    """Mean and covariance matrix of quantities.

    Sums are taken about the mean of each block of 256 trajectories and combined pairwise, so that a narrow ensemble far
    from zero keeps its digits.

    Parameters
    ----------
    *quantities : str
        Names or expressions; all positions where left out.
    name : str, optional
        Name of the result.

    References
    ----------
    T. F. Chan, G. H. Golub and R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances, Stanford STAN-CS-79-773 (1979).

    Examples
    --------
    >>> Moments("x", "work").name
    'moments_x_work'
    """

    quantities: tuple[str, ...]
    name: str

    def __init__(self, *quantities: str, name: str | None = None) -> None:
        object.__setattr__(self, "quantities", as_texts(quantities, "Moments"))
        object.__setattr__(self, "name", as_name(name, "moments", self.quantities))

    def check(self, quantities: Quantities) -> Moments:
        """Return the observable with the positions filled in where no quantity was named."""
        for text in self.quantities:
            quantities.require(text, "Moments")
        return Moments(*(self.quantities or quantities.positions), name=self.name)

    def empty(self) -> Arrays:
        """Return number, mean (k,), and central sums Σ d_k d_l, Σ d_k² d_l, Σ d_k² d_l² (k, k) of nothing."""
        k = len(self.quantities)
        return np.zeros(1, dtype=np.int64), np.zeros(k), np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))

    def measure(self, snapshot: Snapshot) -> Arrays:
        """Return counts, means and central sums of each block."""
        values, rows = snapshot.rows(self.quantities)
        n, k = len(snapshot.counts), len(rows)
        means, sums = np.empty((n, k)), tuple(np.empty((n, k, k)) for _ in range(3))
        block_moments(values, rows, snapshot.counts, means, *sums)
        return snapshot.counts, means, *sums

    def fold(self, total: Arrays, partial: Arrays) -> Arrays:
        """Return the total with blocks added, one after the other."""
        fold_moments(*total, *partial)
        return total

    def report(self, times: np.ndarray, totals: Sequence[Arrays]) -> MomentsResult:
        """Return means and covariances with standard errors."""
        number, mean, second, _, fourth = (np.stack(parts) for parts in zip(*totals, strict=True))
        n = number[:, :, None].astype(float)
        with np.errstate(all="ignore"):
            covariance = second / (n - 1)
            error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2) / number)
            # Var(s_kl) = (μ_kkll − σ_kl²)/n to leading order, for any distribution.
            spread = np.sqrt(np.maximum(fourth / n - (second / n) ** 2, 0.0) / n)
            spread[number[:, 0] == 1] = np.nan
        return MomentsResult(times, self.quantities, number[:, 0], mean, error, covariance, spread)


@dataclass(frozen=True, eq=False, repr=False)
class MomentsResult(MeanResult):
    """Means and covariances at the output times.

    Parameters
    ----------
    times : ndarray, shape (n_times,)
        Output times.
    quantities : tuple of str
        The k quantities.
    trajectories : ndarray, shape (n_times,)
        Number of trajectories.
    mean : ndarray, shape (n_times, k)
        Sample means.
    standard_error : ndarray, shape (n_times, k)
        Standard errors of the means, √(variance/n).
    covariance : ndarray, shape (n_times, k, k)
        Unbiased sample covariances (divided by n − 1).
    covariance_standard_error : ndarray, shape (n_times, k, k)
        Standard errors of the covariances, from fourth moments: no normal distribution is assumed.
    """

    covariance: np.ndarray
    covariance_standard_error: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Variances, shape (n_times, k)."""
        return np.diagonal(self.covariance, axis1=1, axis2=2)

    def coordinates(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return the numbers of the quantities."""
        numbers = np.arange(len(self.quantities))
        return super().coordinates(units) | {"other_quantity": (("other_quantity",), numbers, "1")}

    def variables(self, units: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Return means, covariances and their standard errors."""
        own = [(units or {}).get(text, "1") for text in self.quantities]
        square = common([product(unit, unit) for unit in own])
        dims = ("time", "quantity", "other_quantity")
        return super().variables(units) | {
            "covariance": (dims, self.covariance, square),
            "covariance_standard_error": (dims, self.covariance_standard_error, square),
        }
