"""Readings of the integral theorem: how they differ, and which agree where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import batch_temperature, learning_readings

some = st.floats(-10, 10)
TRAJECTORY = {"loss_change": some, "entropy_change": some, "information_change": some, "work": some}


@given(**TRAJECTORY, temperature=st.floats(0.1, 10))
def test_how_the_readings_differ(temperature, **given):
    exact = learning_readings.exact(**given, temperature=temperature)
    marginal = learning_readings.marginal(**given, temperature=temperature)
    opposite = learning_readings.opposite_information(**given, temperature=temperature)
    assert exact - marginal == pytest.approx(given["information_change"], abs=1e-9)
    assert marginal - opposite == pytest.approx(given["information_change"], abs=1e-9)
    medium = learning_readings.medium_entropy(
        work=given["work"], loss_change=given["loss_change"], temperature=temperature
    )
    assert marginal == pytest.approx(-(medium + given["entropy_change"]), abs=1e-9)


@given(loss=some, entropy=some)
def test_loss_reduction_and_gain_make_the_written_form_right(loss, entropy):
    """With −ΔL and −Δs in place of ΔL and ΔI it is the theorem without driving."""
    written = learning_readings.as_written(
        loss_change=-loss, entropy_change=0.0, information_change=-entropy, temperature=2.0
    )
    assert written == learning_readings.marginal(loss_change=loss, entropy_change=entropy, temperature=2.0)


def test_readings_take_arrays():
    exponent = learning_readings.feedback(work=np.array([1.0, 2.0]), information=np.array([0.5, 0.0]), temperature=2.0)
    assert exponent == pytest.approx([-1.0, -1.0])


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(TheoryError, match="temperature"):
        learning_readings.exact(loss_change=1.0, entropy_change=0.0, temperature=0.0)


@given(size=st.floats(1, 1000))
def test_the_temperatures_of_batches_are_reciprocal(size):
    common = {"reference_batch": 8.0, "reference_temperature": 0.3}
    right = float(batch_temperature.temperature(size, **common))
    written = float(batch_temperature.temperature_as_written(size, **common))
    assert right * written == pytest.approx(0.09)
