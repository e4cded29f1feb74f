"""Period-2 orbits of gradient descent, iterated; the expansion about 2/L″ against those that are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import critical_learning_rates, period_doubling


def step(x, eta, k=1.0, a=-1.0):
    return x - eta * (k * x + a * x**3)


def multiplier(points, eta, k, a):
    return math.prod(1 - eta * (k + 3 * a * x**2) for x in points)


@pytest.mark.parametrize(("k", "a"), [(1.0, -1.0), (2.0, -0.5), (1.0, 3.0), (-1.0, 2.0)])
def test_antisymmetric_orbit(k, a):
    for eta in (1.5 / abs(k), 2.2 / abs(k), 2.9 / abs(k)):
        if (2 / eta - k) / a <= 0:
            with pytest.raises(TheoryError, match="must be positive"):
                period_doubling.antisymmetric_amplitude(eta, curvature=k, quartic=a)
            continue
        x = float(period_doubling.antisymmetric_amplitude(eta, curvature=k, quartic=a))
        assert step(x, eta, k, a) == pytest.approx(-x, rel=1e-13)
        expected = float(period_doubling.antisymmetric_multiplier(eta, curvature=k))
        assert multiplier((x, -x), eta, k, a) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("k", "a"), [(1.0, 1.0), (2.0, 0.5)])
def test_orbit_of_the_double_well(k, a):
    for r in (1.05, 1.2, 1.5, 1.9):
        low, high = period_doubling.double_well_orbit(r / k, curvature=k, quartic=a)
        assert step(low, r / k, -k, a) == pytest.approx(high, rel=1e-12)
        assert step(high, r / k, -k, a) == pytest.approx(low, rel=1e-11)
        expected = float(period_doubling.double_well_multiplier(r / k, curvature=k))
        assert multiplier((low, high), r / k, -k, a) == pytest.approx(expected, abs=1e-12)


def test_stages_are_where_their_conditions_hold():
    stage = {name: float(period_doubling.double_well_stage(name)) for name in period_doubling.DOUBLE_WELL_STAGES}
    assert float(period_doubling.double_well_multiplier(stage["period 2"])) == pytest.approx(1.0, abs=1e-14)
    assert float(period_doubling.double_well_multiplier(stage["period 4"])) == pytest.approx(-1.0, abs=1e-14)
    for name, arrival in (("hopping between wells", 0.0), ("divergence", -1.0)):
        eta = stage[name]
        highest = step(math.sqrt((1 + eta) / (3 * eta)), eta, -1.0, 1.0)
        assert step(highest, eta, -1.0, 1.0) == pytest.approx(arrival * highest, abs=1e-13)
    with pytest.raises(TheoryError, match="period 2"):
        period_doubling.double_well_stage("period 3")
    with pytest.raises(TheoryError, match="above 1"):
        period_doubling.double_well_orbit(1.0)


def test_error_of_the_expansion_is_of_first_order():
    """Amplitude² by the expansion against the exact one: the relative error halves with η − η_c."""
    excesses = 0.08 / 2.0 ** np.arange(5)
    for exact, numbers, start in (
        (lambda eta: math.sqrt(1 - 1 / eta) / 2, {"curvature": 2.0, "third": 6.0, "fourth": 6.0}, 1.0),
        (lambda eta: math.sqrt(1 - 2 / eta), {"curvature": 1.0, "third": 0.0, "fourth": -6.0}, 2.0),
    ):
        errors = [
            float(critical_learning_rates.two_cycle(start + e, **numbers)) / exact(start + e) - 1 for e in excesses
        ]
        ratios = np.divide(errors[:-1], errors[1:])
        assert abs(ratios[-1] - 2.0) < 0.02 and abs(errors[-1]) < excesses[-1]
