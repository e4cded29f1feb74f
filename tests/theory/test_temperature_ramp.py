"""Closed forms of ramps of temperature and learning rate."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import temperature_ramp

RATES = st.floats(0.01, 1.9)


@given(RATES, RATES, RATES, st.floats(0.05, 1.0))
def test_ramps_follow_one_another(first: float, middle: float, last: float, curvature: float) -> None:
    """Partition functions divide out, whatever is in between."""
    for form in (temperature_ramp.learning_rate_ramp, temperature_ramp.learning_rate_ramp_as_written):
        parts = [float(form([[curvature]], *pair)) for pair in pairwise((first, middle, last))]
        # Rounding of (2 − ηh), which may be as small as 0.1.
        assert math.prod(parts) == pytest.approx(float(form([[curvature]], first, last)), rel=1e-13)


def test_one_jump_is_a_gaussian_integral() -> None:
    """At a jump of η from the stationary state, of variance η/(h(2 − ηh)), the average is 1/√(1 + hΔβ s²)."""
    for start, stop, h in ((0.5, 0.25, 1.0), (0.1, 0.02, 3.0), (1.2, 0.7, 0.4)):
        variance = start / (h * (2.0 - start * h))
        expected = 1.0 / math.sqrt(1.0 + h * (2.0 / stop - 2.0 / start) * variance)
        assert float(temperature_ramp.learning_rate_ramp([[h]], start, stop)) == pytest.approx(expected, rel=1e-13)


def test_small_learning_rates_are_temperatures() -> None:
    """The written form is off by (η_0 − η_f) tr H/4 to first order."""
    hessian = np.array([[2.0, 0.5], [0.5, 1.0]])
    for eta in (1e-2, 1e-3, 1e-4):
        exact = float(temperature_ramp.learning_rate_ramp(hessian, 2.0 * eta, eta))
        written = temperature_ramp.learning_rate_ramp_as_written(hessian, 2.0 * eta, eta)
        # Left is second order: (2η)² tr H²/16 and half the square of the first.
        assert abs(math.log(float(written) / exact) - eta * 3.0 / 4.0) < eta**2 * np.trace(hessian @ hessian)
        assert float(written) == pytest.approx(float(temperature_ramp.partition_ratio(2.0, 1.0, dimension=2)))


def test_refusals() -> None:
    with pytest.raises(TheoryError, match="no stationary state"):
        temperature_ramp.learning_rate_ramp([[1.0]], 2.5, 0.5)
    with pytest.raises(TheoryError, match="no stationary state"):
        temperature_ramp.learning_rate_ramp_as_written([[1.0]], 0.5, 2.5)
    with pytest.raises(TheoryError, match="square"):
        temperature_ramp.learning_rate_ramp([[1.0, 2.0]], 0.5, 0.2)
    with pytest.raises(TheoryError, match="start"):
        temperature_ramp.partition_ratio(0.0, 1.0)
