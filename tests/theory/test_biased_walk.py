from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import biased_walk

RATES = st.floats(0.1, 10.0)


@given(RATES, RATES, st.floats(-3.0, 3.0))
def test_displacement_is_a_difference_of_two_poisson_numbers(up, down, s):
    n = np.arange(200)
    weights = [np.exp(-rate + n * np.log(rate) - np.cumsum(np.log(np.maximum(n, 1)))) for rate in (up, down)]
    average = np.sum(weights[0] * np.exp(0.3 * s * n)) * np.sum(weights[1] * np.exp(-0.3 * s * n))
    assert np.log(average) == pytest.approx(float(biased_walk.scgf(0.3 * s, up=up, down=down)), abs=1e-10)


@given(RATES, RATES, st.floats(-2.0, 1.0))
def test_entropy_is_symmetric_about_minus_one_half(up, down, s):
    right, left = (float(biased_walk.entropy_scgf(x, up=up, down=down)) for x in (s, -1.0 - s))
    # The logarithm of p/q is rounded, and raised to s.
    assert right == pytest.approx(left, rel=1e-12, abs=1e-12 * (up + down))


@given(RATES, RATES, st.floats(-20.0, 20.0))
def test_rate_function_is_the_legendre_transform(up, down, velocity):
    """At the s where λ'(s) = v, found by asinh: p e^s − q e^{−s} = v."""
    s = np.arcsinh(velocity / (2 * np.sqrt(up * down))) - 0.5 * np.log(up / down)
    expected = s * velocity - float(biased_walk.scgf(s, up=up, down=down))
    assert float(biased_walk.rate_function(velocity, up=up, down=down)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_small_steps_become_a_drifting_diffusion():
    """Steps h at rates D/h² e^{±Fh/2T} with D = μT: errors of order h²."""
    exact = float(biased_walk.drifting_diffusion_scgf(0.4, force=0.5, temperature=2.0, mobility=0.5))
    errors = []
    for h in (0.2, 0.1, 0.05):
        up, down = (np.exp(sign * 0.5 * h / 4.0) / h**2 for sign in (1, -1))
        errors.append(float(biased_walk.scgf(0.4 * h, up=up, down=down)) - exact)
    assert np.abs(np.log2(np.array(errors[:-1]) / errors[1:]) - 2).max() < 0.05


def test_refusals():
    with pytest.raises(TheoryError, match="rates"):
        biased_walk.scgf(0.1, up=-1.0, down=1.0)
    with pytest.raises(TheoryError, match="infinite entropy"):
        biased_walk.entropy_scgf(0.1, up=1.0, down=0.0)
    with pytest.raises(TheoryError, match="positive"):
        biased_walk.rate_function(0.1, up=1.0, down=0.0)
    with pytest.raises(TheoryError, match="positive"):
        biased_walk.drifting_diffusion_scgf(0.1, force=1.0, temperature=0.0)
