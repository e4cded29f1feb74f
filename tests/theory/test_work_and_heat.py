"""Work along paths: the inequality, its saturation, and the reading of heat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import work_and_heat as laws

VALLEY = Landscape("(x**2 + 4*y**2)/2 + sin(x*y)")


@given(st.integers(0, 10_000))
def test_path_length_work_bounds_the_work(seed):
    path = np.random.default_rng(seed).normal(size=(4, 2))
    assert float(laws.path_length_work(VALLEY, path)) >= abs(float(laws.path_work(VALLEY, path)))


def test_back_and_forth_in_one_variable():
    parabola = Landscape("x**2/2")
    assert float(laws.path_length_work(parabola, [[1], [2], [0]])) == pytest.approx(3.5, rel=1e-12)
    assert float(laws.path_work(parabola, [[1], [2], [0]])) == -0.5


def test_the_two_readings_of_heat_differ_by_the_entropy():
    numbers = {"energy_change": 0.3, "entropy_change": -0.4, "temperature": 2.0}
    difference = float(laws.heat(1.0, **numbers)) - float(laws.heat_from_free_energy(1.0, **numbers))
    assert difference == pytest.approx(0.8)


def test_a_path_needs_two_corners():
    with pytest.raises(TheoryError, match="two corners"):
        laws.path_work(VALLEY, [[0.0, 0.0]])
