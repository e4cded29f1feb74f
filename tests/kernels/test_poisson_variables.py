"""Poisson variables against SciPy's probabilities, on both sides of the change of method."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from fpsolver.kernels.poisson_variables import LARGE, TRIES, inverted, poisson, tried

N = 200_000
"""Enough for a mean of ten to be known to a tenth of a per cent."""


@njit
def _draws(mean, n, key):
    out = np.empty(n)
    for i in range(n):
        out[i] = poisson(mean, np.uint64(i), np.uint64(7), key, np.uint64(1))
    return out


@pytest.mark.parametrize("mean", [1e-3, 0.7, 9.99, 10.0, 33.3, 1e3, 1e6])
def test_frequencies_are_those_of_the_distribution(mean):
    counts = _draws(mean, N, np.uint64(2))
    assert (counts == np.rint(counts)).all()
    law = stats.poisson(mean)
    assert abs(counts.mean() - mean) < 4.5 * np.sqrt(mean / N)  # standard errors, as one in 10⁵ seeds exceeds
    edges = np.unique(law.ppf(np.linspace(0, 1, 42)[1:-1]))
    expected = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]])) * N
    observed = np.histogram(counts, np.concatenate([[-1.0], edges, [np.inf]]) + 0.5)[0]
    enough = expected > 5
    chi_squared = ((observed - expected)[enough] ** 2 / expected[enough]).sum()
    assert stats.chi2.sf(chi_squared, max(enough.sum() - 1, 1)) > 1e-3


def test_inversion_is_the_inverse_of_the_cumulative_distribution():
    u = np.linspace(1e-6, 1 - 1e-6, 2001)
    for mean in (0.3, 4.0, 9.9):
        assert [inverted(mean, one) for one in u] == stats.poisson(mean).ppf(u).tolist()


def test_rejection_uses_few_words():
    rng = np.random.default_rng(1)
    for mean in (LARGE, 30.0, 1e4):
        failed = np.mean([not tried(mean, *rng.random(2))[0] for _ in range(3000)])
        assert failed**TRIES < 1e-13  # at worst a quarter is rejected
