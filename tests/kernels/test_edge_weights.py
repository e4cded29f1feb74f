from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fpsolver.kernels.edge_weights import bernoulli_pair, square_root_pair


@pytest.mark.parametrize("z", [0.0, 1e-320, 1e-200, 1e-12, 1e-3, 0.5, 1.0, 30.0, 700.0])
def test_bernoulli_pair_has_full_relative_accuracy_on_both_sides(z):
    mpmath.mp.dps = 60
    exact = 1 if z == 0 else mpmath.mpf(z) / mpmath.expm1(mpmath.mpf(z))
    against, along = (float(value[0]) for value in bernoulli_pair(np.array([z])))
    # A few ulp from expm1, one division and one addition.
    assert against == pytest.approx(float(exact), rel=4e-16)
    assert along == pytest.approx(float(exact + mpmath.mpf(z)), rel=4e-16)
    swapped = bernoulli_pair(np.array([-z]))
    assert (swapped[0][0], swapped[1][0]) == (along, against)


def test_huge_steps_neither_overflow_nor_warn():
    against, along = bernoulli_pair(np.array([1e4]))
    assert against[0] == 0 and along[0] == 1e4


def test_square_root_pair_balances():
    z = np.linspace(-40, 40, 81)
    forward, backward = square_root_pair(z)
    assert np.allclose(backward, np.exp(z) * forward, rtol=1e-13)
