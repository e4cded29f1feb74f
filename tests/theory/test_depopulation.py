"""The depopulation factor against its integral, its series and its limits."""

from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import depopulation


def by_quadrature(loss):
    """Υ with λ = tan(θ)/2, which makes the range finite: ln Υ = (2/π)∫₀^{π/2} ln(1 − e^{−δ/4cos²θ}) dθ."""
    with mpmath.workdps(25):
        delta = mpmath.mpf(loss)

        def integrand(angle):
            return mpmath.log1p(-mpmath.exp(-delta / (4 * mpmath.cos(angle) ** 2)))

        edge = mpmath.atan(2 / mpmath.sqrt(delta))
        points = [0, edge / 2, edge, (edge + mpmath.pi / 2) / 2, mpmath.pi / 2]
        return float(mpmath.exp(2 / mpmath.pi * mpmath.quad(integrand, points)))


@pytest.mark.parametrize("loss", [1e-4, 0.01, 0.1, 1.0, 3.999, 4.001, 5.0, 10.0, 40.0])
def test_factor_against_its_integral(loss):
    """20 digits are carried; the code's series end below rounding, which the exponential passes on."""
    assert float(depopulation.depopulation_factor(loss)) == pytest.approx(by_quadrature(loss), rel=2e-14)


def test_published_values():
    """From the integral over λ at 30 digits."""
    for loss, expected in ((0.01, 0.009209201854993574), (0.1, 0.07708691955), (5.0, 0.8789101259527469)):
        assert float(depopulation.depopulation_factor(loss)) == pytest.approx(expected, rel=5e-11)


def test_both_series_meet():
    below, above = (depopulation.logarithm(4.0 + s) for s in (-1e-9, 1e-9))
    slope = (depopulation.logarithm(4.1) - depopulation.logarithm(3.9)) / 0.2
    assert above - below == pytest.approx(2e-9 * slope, rel=1e-3)


def test_limits():
    for loss in (1e-6, 1e-8):
        expected = loss * math.exp(depopulation.ZETA_HALF * math.sqrt(loss / math.pi))
        assert float(depopulation.depopulation_factor(loss)) == pytest.approx(expected, rel=loss)
        assert float(depopulation.double_well_factor(loss)) == pytest.approx(loss / 2, rel=2 * math.sqrt(loss))
        two = float(depopulation.double_well_factor(loss, 3 * loss))
        assert two == pytest.approx(3 * loss / 4, rel=3 * math.sqrt(loss))
    assert float(depopulation.depopulation_factor(400.0)) == 1.0
    assert float(mpmath.zeta(mpmath.mpf("0.5"))) == depopulation.ZETA_HALF


@settings(max_examples=80, deadline=None)
@given(st.floats(1e-6, 200), st.floats(1e-6, 200))
def test_factors_lie_between_zero_and_one_and_grow(first, second):
    low, high = sorted((first, second))
    assert 0 < float(depopulation.depopulation_factor(low)) <= float(depopulation.depopulation_factor(high)) <= 1
    pair = float(depopulation.double_well_factor(first, second))
    assert pair == pytest.approx(float(depopulation.double_well_factor(second, first)), rel=1e-13)
    assert 0 < pair <= float(depopulation.depopulation_factor(low)) * (1 + 1e-13)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf"), "x"])
def test_losses_that_are_none_are_refused(bad):
    with pytest.raises(TheoryError, match="energy_loss"):
        depopulation.depopulation_factor(bad)
