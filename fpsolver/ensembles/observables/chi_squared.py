"""Pearson's χ² test of counts against given cell probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fpsolver.errors import InputError

FEWEST = 10.0
"""Expected counts below which cells are pooled."""


@dataclass(frozen=True)
class ChiSquared:
    """Result of a χ² test.

    Parameters
    ----------
    statistic : float
        Σ (observed − expected)²/expected.
    degrees_of_freedom : int
        Number of pooled cells less one.
    p_value : float
        Probability of a statistic at least as large if the probabilities are right.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float


def chi_squared(counts: np.ndarray, probabilities: np.ndarray, outside: int = 0) -> ChiSquared:
    """Test counts of independent draws against cell probabilities that were not fitted to them.

    The cells and everything outside them make one multinomial distribution, so that with m cells after pooling the
    statistic has m − 1 degrees of freedom. Pooling looks at expected counts only: cells in order, those that expect
    fewer than ten gathered until they do, the rest joined to the last.

    Parameters
    ----------
    counts : ndarray of int
        Counts.
    probabilities : ndarray
        Probabilities, of the same shape; what is missing from one is expected outside.
    outside : int
        Count outside the cells.

    Raises
    ------
    InputError
        If probabilities are negative, not finite, or sum to more than one, or if fewer than two cells are left.

    References
    ----------
    W. G. Cochran, Some methods for strengthening the common χ² tests, Biometrics 10, 417 (1954).

    Examples
    --------
    >>> import numpy as np
    >>> chi_squared(np.array([50, 50]), np.array([0.4, 0.6])).degrees_of_freedom
    1
    """
    sum_of_all = float(probabilities.sum())
    if not (np.isfinite(sum_of_all) and probabilities.min() >= 0 and sum_of_all <= 1 + 1e-6):
        raise InputError(
            f"probabilities from {probabilities.min():g} with sum {sum_of_all:g}: they must be ≥ 0 and sum to at most "
            "one; a density is multiplied by its cell volumes"
        )
    observed = np.append(counts.ravel(), outside).astype(float)
    expected = np.append(probabilities.ravel(), max(0.0, 1.0 - sum_of_all)) * observed.sum()
    expected *= observed.sum() / expected.sum()
    group = _groups(expected)
    pooled, wanted = np.bincount(group, observed), np.bincount(group, expected)
    if len(wanted) < 2:
        raise InputError(
            f"{observed.sum():g} trajectories in {counts.size} cells leave fewer than two groups with {FEWEST:g} "
            "expected; take more trajectories or wider bins"
        )
    statistic = float(((pooled - wanted) ** 2 / wanted).sum())
    freedom = len(wanted) - 1
    from scipy.special import gammaincc

    return ChiSquared(statistic, freedom, float(gammaincc(freedom / 2, statistic / 2)))


def _groups(expected: np.ndarray) -> np.ndarray:
    """Return the group of each cell; every group expects at least `FEWEST`, if all cells together do."""
    group = np.empty(len(expected), dtype=np.int64)
    small = expected < FEWEST
    group[~small] = np.arange(np.count_nonzero(~small))
    current, gathered = np.count_nonzero(~small), 0.0
    for cell in np.flatnonzero(small):
        group[cell] = current
        gathered += expected[cell]
        if gathered >= FEWEST:
            current, gathered = current + 1, 0.0
    if gathered < FEWEST and current > 0:
        group[group == current] = current - 1
    return group
