"""Cumulant expansions of the free-energy difference, ΔF = κ₁ − κ₂/(2T) + κ₃/(6T²) − … to fourth order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.samples import block_starts, checked_samples, checked_temperature

HIGHEST = 4


@dataclass(frozen=True, eq=False)
class CumulantExpansion:
    """Partial sums of the cumulant expansion, with standard errors by the jackknife.

    Parameters
    ----------
    values, standard_errors : ndarray (order,)
        The expansion up to the first, second, … cumulant.
    cumulants : ndarray (order,)
        Unbiased estimates of the cumulants of work.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    cumulants: np.ndarray

    def __float__(self) -> float:
        return float(self.values[-1])

    @property
    def value(self) -> float:
        """The expansion up to the highest cumulant."""
        return float(self.values[-1])

    @property
    def standard_error(self) -> float:
        """Its standard error, without what the expansion leaves out."""
        return float(self.standard_errors[-1])


def cumulant_expansion(work: Any, temperature: float, *, order: int = HIGHEST, block: int = 1) -> CumulantExpansion:
    """Estimate ΔF from the first cumulants of work, ∑ⱼ (−1)^{j−1} κ_j/(j! T^{j−1}).

    The second order is exact for Gaussian work, and the fluctuation–dissipation estimate for slow driving; elsewhere
    the expansion leaves a bias of the size of the next term.

    Parameters
    ----------
    work : array_like (n,)
        Work of trajectories that start in equilibrium.
    temperature : float
        T.
    order : int
        Highest cumulant, from 1 to 4.
    block : int
        Consecutive samples that count as one in the errors, where they correlate.

    Raises
    ------
    InputError
        If samples, temperature, blocks or order are malformed.

    References
    ----------
    C. Jarzynski, Phys. Rev. E 56, 5018 (1997); unbiased cumulants (k-statistics): R. A. Fisher (1929).

    Examples
    --------
    >>> work = np.random.default_rng(1).normal(1.0, np.sqrt(2.0), 10_000)  # Gaussian work with ΔF = 0 at T = 1
    >>> expansion = cumulant_expansion(work, 1.0)
    >>> bool(np.all(np.abs(expansion.values[1:]) < 4 * expansion.standard_errors[1:]))
    True
    """
    if order not in range(1, HIGHEST + 1):
        raise InputError(f"order = {order!r} must be a whole number from 1 to {HIGHEST}")
    t, values = checked_temperature(temperature), checked_samples("work", work, HIGHEST + 2)
    starts = block_starts(len(values), block)
    centre = values.mean()
    powers = np.stack([(values - centre) ** j for j in range(1, HIGHEST + 1)])
    sums = powers.sum(axis=1)
    in_blocks = np.add.reduceat(powers, starts, axis=1)
    sizes = np.diff(np.append(starts, len(values)))
    coefficients = np.array([(-1.0 / t) ** (j - 1) / math.factorial(j) for j in range(1, order + 1)])
    cumulants = _k_statistics(len(values), sums)[:order]
    without = _k_statistics(len(values) - sizes, sums[:, None] - in_blocks)[:order]
    partial = np.cumsum(coefficients[:, None] * without, axis=0)
    count = len(starts)
    errors = np.sqrt((count - 1) / count * np.sum((partial - partial.mean(axis=1, keepdims=True)) ** 2, axis=1))
    cumulants[0] += centre
    return CumulantExpansion(np.cumsum(coefficients * cumulants), errors, cumulants)


def _k_statistics(n: Any, sums: np.ndarray) -> np.ndarray:
    """Return unbiased cumulants up to the fourth from power sums of centred samples."""
    n = np.asarray(n, dtype=float)  # whose fourth power no integer holds
    one, two, three, four = sums
    return np.stack(
        [
            one / n + np.zeros_like(one),
            (n * two - one**2) / (n * (n - 1)),
            (2 * one**3 - 3 * n * one * two + n**2 * three) / (n * (n - 1) * (n - 2)),
            (
                -6 * one**4
                + 12 * n * one**2 * two
                - 3 * n * (n - 1) * two**2
                - 4 * n * (n + 1) * one * three
                + n**2 * (n + 1) * four
            )
            / (n * (n - 1) * (n - 2) * (n - 3)),
        ]
    )
