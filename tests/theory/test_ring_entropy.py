"""Entropy on a ring as a function of the position: against its derivative, its turns, and the laws of stopping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import ring_entropy, tilted_ring

WASHBOARD = Landscape("-cos(x) + sin(2*x)/3")
RING = {"force": 0.6, "temperature": 0.4, "period": 2 * np.pi}


def test_the_slope_is_the_current_over_the_density():
    """dΣ/dx = J/(D p_ss), with p_ss = e^{−U/T} h and J of the mean velocity."""
    x = np.linspace(0.0, 2 * np.pi, 400, endpoint=False)
    height = ring_entropy.entropy_coordinate(WASHBOARD, x, **RING)
    density = np.exp(-(WASHBOARD.value(x[:, None]) - 0.6 * x) / 0.4 - height)
    density /= density.mean() * 2 * np.pi
    current = float(tilted_ring.velocity(WASHBOARD, **RING)) / (2 * np.pi)
    step = 1e-4
    ends = [ring_entropy.entropy_coordinate(WASHBOARD, x + s, **RING) for s in (-step, step)]
    # Central differences leave step² times a third derivative of order (1/T)³ over six.
    assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(current / (0.4 * density), rel=1e-5)


@given(x=st.floats(-20, 20))
def test_a_turn_produces_the_work_of_the_force(x):
    ends = ring_entropy.entropy_coordinate(WASHBOARD, [x, x + 2 * np.pi], **RING)
    assert ends[1] - ends[0] == pytest.approx(0.6 * 2 * np.pi / 0.4, rel=1e-11)


def test_without_a_landscape_entropy_is_the_force_times_the_way():
    x = np.linspace(-3, 9, 7)
    height = ring_entropy.entropy_coordinate(Landscape("0*x"), x, **RING)
    assert np.diff(height) == pytest.approx(0.6 / 0.4 * np.diff(x), rel=1e-11)


@given(entropy=st.floats(-30, 30), start=st.floats(-7, 7))
def test_the_place_of_an_entropy_has_it(entropy, start):
    x = ring_entropy.place(WASHBOARD, start, entropy, **RING)
    ends = ring_entropy.entropy_coordinate(WASHBOARD, [start, x], **RING)
    assert ends[1] - ends[0] == pytest.approx(entropy, abs=1e-9)


@given(depth=st.floats(0.01, 20), ceiling=st.floats(0.01, 50))
def test_the_stopping_theorem(depth, ceiling):
    fall = float(ring_entropy.fall_probability(depth, ceiling=ceiling))
    assert 0 <= fall < 1
    assert fall * np.exp(depth) + (1 - fall) * np.exp(-ceiling) == pytest.approx(1.0, rel=1e-9)
    assert fall <= float(ring_entropy.fall_probability(depth)) == pytest.approx(np.exp(-depth))
    assert float(ring_entropy.fall_probability_of_chain(depth, entropy_per_step=0.0)) == pytest.approx(np.exp(-depth))


def test_refusals():
    with pytest.raises(TheoryError, match="ceiling"):
        ring_entropy.fall_probability(1.0, ceiling=0.0)
    with pytest.raises(TheoryError, match="variables"):
        ring_entropy.entropy_coordinate(Landscape("x*y"), [0.0], **RING)
    with pytest.raises(TheoryError, match="force"):
        ring_entropy.entropy_coordinate(WASHBOARD, [0.0], force=0.0, temperature=1.0, period=2 * np.pi)
