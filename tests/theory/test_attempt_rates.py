"""Attempt rates from a local entropy: balance with the stationary density, variances, and a widening valley."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from fpsolver.errors import TheoryError
from fpsolver.theory import attempt_rates

NUMBERS = {"entropy_curvature": -0.8, "temperature": 0.5}


def test_variances_of_harmonic_loss_and_entropy():
    """S = −0.4θ², k = 1, T = 0.5: 5/6 as circulated, 5/14 with all directions resolved."""
    assert float(attempt_rates.variance_as_circulated(1.0, **NUMBERS)) == pytest.approx(5 / 6, rel=1e-14)
    assert float(attempt_rates.langer_variance(1.0, **NUMBERS)) == pytest.approx(5 / 14, rel=1e-14)


@pytest.mark.parametrize("form", [attempt_rates.langer, attempt_rates.as_circulated])
def test_variances_are_those_of_the_stationary_density(form):
    def weight(x):
        rate = float(form(-0.4 * x * x))
        return math.exp(float(attempt_rates.stationary_log_density(0.5 * x * x, rate, temperature=0.5)))

    norm, second = (quad(lambda x, p=p: x**p * weight(x), -15.0, 15.0, epsabs=1e-14)[0] for p in (0, 2))
    closed = {"langer": attempt_rates.langer_variance, "as_circulated": attempt_rates.variance_as_circulated}
    assert second / norm == pytest.approx(float(closed[form.__name__](1.0, **NUMBERS)), rel=1e-10)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.3, 2), st.floats(-1, 1), st.floats(-1, 1))
def test_flows_balance_in_the_stationary_density(loss, entropy, temperature, its_loss, its_entropy):
    """A p e^{−ΔL/2T} is the same there and back."""
    ends = [(loss, entropy), (its_loss, its_entropy)]
    rates = [float(attempt_rates.langer(s, saddle_entropy=1.0, attempt_time=2.0)) for _, s in ends]
    weights = [
        float(attempt_rates.stationary_log_density(energy, rate, temperature=temperature))
        for (energy, _), rate in zip(ends, rates, strict=True)
    ]
    change = (its_loss - loss) / (2.0 * temperature)
    there, back = math.log(rates[0]) + weights[0] - change, math.log(rates[1]) + weights[1] + change
    assert there == pytest.approx(back, abs=1e-12)


def test_langers_rate_is_the_marginal_of_all_directions():
    """With stiffness e^{0.8x²} across, S = −0.4x² and the marginal variance of e^{−L/T} in the plane is Langer's."""
    x = np.linspace(-8, 8, 801)
    marginal = np.exp(-(x**2) / (2 * 0.5)) * np.sqrt(2 * np.pi * 0.5 / np.exp(0.8 * x**2))
    variance = np.sum(marginal * x**2) / np.sum(marginal)
    assert variance == pytest.approx(float(attempt_rates.langer_variance(1.0, **NUMBERS)), rel=1e-12)


def test_signs_of_the_entropy():
    """A place twice as narrow as the saddle, S = −ln 2, is left twice as fast; as circulated, half as fast."""
    assert float(attempt_rates.langer(-math.log(2))) == pytest.approx(2.0)
    assert float(attempt_rates.as_circulated(-math.log(2))) == pytest.approx(0.5)


def test_states_that_cannot_be_normalised_are_refused():
    with pytest.raises(TheoryError, match="normalisable"):
        attempt_rates.variance_as_circulated(1.0, entropy_curvature=-2.5, temperature=0.5)
    with pytest.raises(TheoryError, match="attempt_time"):
        attempt_rates.langer(0.0, attempt_time=0.0)
