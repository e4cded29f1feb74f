"""Waiting times and updates from random words, against SciPy's distributions."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from fpsolver.kernels.jump_variables import exponential, fraction, laplace, stable, student
from fpsolver.kernels.philox import draw

N = 20_000
SEED = np.uint64(5)


@njit
def _draws(kind, shape, n, key):
    out = np.empty(n)
    for i in range(n):
        a, b, c, d = draw(np.uint64(i), np.uint64(3), np.uint64(0), key, np.uint64(1))
        if kind == 0:
            out[i] = fraction(a, b)
        elif kind == 1:
            out[i] = exponential(a, b)
        elif kind == 2:
            out[i] = laplace(a, b)
        elif kind == 3:
            out[i] = student(a, b, shape)
        else:
            out[i] = stable(a, b, c, d, shape)
    return out


@pytest.mark.parametrize(
    ("kind", "shape", "law"),
    [
        (0, 0.0, stats.uniform()),
        (1, 0.0, stats.expon()),
        (2, 0.0, stats.laplace()),
        (3, 0.5, stats.t(0.5)),
        (3, 3.0, stats.t(3.0)),
        (3, 30.0, stats.t(30.0)),
        (4, 1.0, stats.cauchy()),
    ],
)
def test_variables_have_their_distribution(kind, shape, law):
    # one in a thousand seeds fails: this one is fixed
    assert stats.kstest(_draws(kind, shape, N, SEED), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("index", [0.5, 1.5, 1.9])
def test_stable_variables_have_their_characteristic_function(index):
    x = _draws(4, index, N, SEED)
    for k in (0.3, 1.0, 2.0):
        expected = np.exp(-(k**index))
        error = np.sqrt((0.5 * (1 + np.exp(-((2 * k) ** index))) - expected**2) / N)  # of a mean of cosines
        assert abs(np.cos(k * x).mean() - expected) < 4 * error


def test_a_fraction_is_never_zero_or_one_and_has_52_bits():
    low, high = fraction(np.uint64(0), np.uint64(0)), fraction(np.uint64(2**32 - 1), np.uint64(2**32 - 1))
    assert (low, 1 - high) == (2.0**-53, 2.0**-53)
    assert fraction(np.uint64(4096), np.uint64(0)) - low == 2.0**-52
