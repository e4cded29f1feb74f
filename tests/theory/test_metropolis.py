"""Metropolis and Glauber rates: closed forms against quadrature, and the optimal scale in many dimensions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from fpsolver.errors import TheoryError
from fpsolver.theory import metropolis


def integral(power, slope, factor):
    """∫uᵖ φ(u) w(αu) du, each side of the kink on its own."""

    def integrand(u):
        return u**power * factor(slope * u) * math.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)

    return sum(quad(integrand, *ends, epsabs=1e-15, epsrel=1e-12)[0] for ends in ((-40.0, 0.0), (0.0, 40.0)))


def test_reference_values():
    """g = 1, s = 0.3, T = 0.5, and the maximum of 2l²Φ(−l/2): independently derived."""
    assert float(metropolis.acceptance(1.0, temperature=0.5, scale=0.3)) == pytest.approx(0.8283405944606784, rel=1e-12)
    assert metropolis.drift(1.0, temperature=0.5, scale=0.3)[0] == pytest.approx(-0.05910130700292211, rel=1e-12)
    assert float(metropolis.optimal_scaling()) == pytest.approx(2.3812024966855407, rel=1e-12)
    assert float(metropolis.asymptotic_acceptance(2.3812024966855407)) == pytest.approx(0.23381016133183666, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 30.0))
def test_moments_are_integrals(slope):
    numbers = {"temperature": 0.5, "scale": 0.2}
    gradient = slope * 0.5 / 0.2

    def factor(x):
        return math.exp(-max(x, 0.0))

    exact = [integral(power, slope, factor) for power in range(3)]
    assert float(metropolis.acceptance(gradient, **numbers)) == pytest.approx(exact[0], rel=1e-10)
    assert metropolis.drift(gradient, **numbers)[0] == pytest.approx(0.2 * exact[1], rel=1e-9)
    assert metropolis.second_moment(gradient, **numbers)[0, 0] == pytest.approx(0.04 * exact[2], rel=1e-9)
    accepted, glauber = (integral(power, slope, lambda x: 0.5 - 0.5 * math.tanh(0.5 * x)) for power in (0, 1))
    assert float(metropolis.glauber_acceptance(gradient, **numbers)) == pytest.approx(accepted, rel=1e-12)
    assert metropolis.glauber_drift(gradient, **numbers)[0] == pytest.approx(0.2 * glauber, rel=1e-9)


def test_only_the_direction_of_the_gradient_matters():
    g, numbers = np.array([0.6, -0.8]), {"temperature": 0.5, "scale": 0.3}
    assert metropolis.drift(g, **numbers) == pytest.approx(metropolis.drift(1.0, **numbers)[0] * g, rel=1e-13)
    moments = metropolis.second_moment(g, **numbers)
    along, across = g, np.array([0.8, 0.6])
    assert along @ moments @ along == pytest.approx(metropolis.second_moment(1.0, **numbers)[0, 0], rel=1e-13)
    acceptance = float(metropolis.acceptance(g, **numbers))
    assert across @ moments @ across == pytest.approx(0.09 * acceptance, rel=1e-13)
    assert metropolis.glauber_drift([0.0, 0.0], **numbers).tolist() == [0.0, 0.0]


def test_the_optimal_scale_is_a_maximum():
    found = minimize_scalar(
        lambda x: -(x**2) * math.erfc(x / math.sqrt(8.0)), bounds=(1.0, 4.0), method="bounded", options={"xatol": 1e-10}
    )
    assert float(metropolis.optimal_scaling()) == pytest.approx(found.x, rel=1e-7)  # the square root of rounding
    assert float(metropolis.optimal_scaling(4.0)) == pytest.approx(found.x / 2.0, rel=1e-7)


@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_walks_on_a_normal_target(dimension):
    """Acceptance and jump against an integral over χ_d of the length of the step; d = 1 also in closed form."""
    scale = 2.4

    def chi(r):
        return r ** (dimension - 1) * math.exp(-0.5 * r * r) * 2.0 ** (1 - dimension / 2) / math.gamma(dimension / 2)

    def accepted(r):
        return math.erfc(scale / math.sqrt(dimension) * r / math.sqrt(8.0))

    total = quad(lambda r: chi(r) * accepted(r), 0.0, 40.0, epsabs=1e-14)[0]
    moved = quad(lambda r: chi(r) * accepted(r) * (scale * r) ** 2 / dimension, 0.0, 40.0, epsabs=1e-14)[0]
    assert float(metropolis.normal_acceptance(scale, dimension=dimension)) == pytest.approx(total, rel=1e-10)
    assert float(metropolis.normal_jump(scale, dimension=dimension)) == pytest.approx(moved, rel=1e-10)
    if dimension == 1:
        assert total == pytest.approx(2.0 / math.pi * math.atan(2.0 / scale), rel=1e-12)


def test_the_limit_of_many_dimensions_is_of_first_order():
    dimensions = np.array([50, 100, 200, 400])
    limit = float(metropolis.asymptotic_acceptance(2.38))
    gaps = [float(metropolis.normal_acceptance(2.38, dimension=int(d))) - limit for d in dimensions]
    assert np.polyfit(np.log(dimensions), np.log(gaps), 1)[0] == pytest.approx(-1.0, abs=0.02)


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match="temperature"):
        metropolis.acceptance(1.0, temperature=0.0, scale=1.0)
    with pytest.raises(TheoryError, match="dimension = 0"):
        metropolis.normal_acceptance(1.0, dimension=0)
    assert float(metropolis.acceptance_as_written(1.0, temperature=0.5, scale=0.3)) > 1.0
    assert float(metropolis.glauber_acceptance([5.0], temperature=0.5, scale=0.3)) == 0.5
