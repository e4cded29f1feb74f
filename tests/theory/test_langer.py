"""Langer's rate: published numbers, separable problems, coordinate changes, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape, coupled_double_well, minima, mueller_brown, saddles
from fpsolver.theory import kramers, langer


@pytest.mark.parametrize(("temperature", "expected"), [(0.025, 4.087429751755173e-5), (0.1, 7.39024635728297e-2)])
def test_coupled_double_well(temperature, expected):
    """2k = (√8/π) e^{−1/4T}: det H = 2·4 at the minima, −1 at the saddle."""
    landscape = coupled_double_well(3.0)
    k = langer.rate(landscape, [-1, 0], [0, 0], temperature=temperature)
    assert 2 * float(k) == pytest.approx(expected, rel=1e-12)
    assert k.error_scale == pytest.approx(4 * temperature)
    assert float(langer.activation_entropy(landscape, [1, 0], [0, 0])) == pytest.approx(math.log(2), rel=1e-12)


def test_without_entropy_the_width_of_the_valley_does_not_count():
    """In one dimension nothing is missing; a valley twice as wide at the saddle is worth a factor of two."""
    wide, even = coupled_double_well(3.0), coupled_double_well(0.0)
    ends = {"minimum": [-1, 0], "saddle": [0, 0], "temperature": 0.05}
    whole, narrow = (float(langer.rate(landscape, **ends)) for landscape in (wide, even))
    for landscape in (wide, even):
        assert float(langer.rate_without_entropy(landscape, **ends)) == pytest.approx(narrow, rel=1e-12)
    assert whole == pytest.approx(2 * narrow, rel=1e-12)


def test_one_dimension_is_kramers(quartic, well):
    for mobility in (1.0, 2.5):
        k = langer.rate(quartic, [-1.0], [0.0], temperature=0.05, mobility=mobility)
        assert float(k) == pytest.approx(float(kramers.overdamped_rate(well, temperature=0.05, mobility=mobility)))
    for friction in (0.5, 20.0):
        k = langer.underdamped_rate(quartic, [-1.0], [0.0], temperature=0.05, friction=friction, mass=2.0)
        expected = kramers.intermediate_rate(well, temperature=0.05, friction=friction, mass=2.0)
        assert float(k) == pytest.approx(float(expected), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(-1, 1), st.floats(0.2, 3), st.floats(0.2, 3), st.floats(-0.9, 0.9))
def test_a_change_of_coordinates_with_its_mobility_changes_nothing(shear, stretch, stiffness, correlation):
    """θ = Aφ turns M into A⁻¹MA⁻ᵀ; the rate of the same motion stays."""
    text = "(a*x + b*y)**4/4 - (a*x + b*y)**2/2 + k*(c*x + d*y)**2/2 + (a*x + b*y)*(c*x + d*y)/5"
    matrix = np.array([[1.0, shear], [0.0, stretch]])
    mobility = np.array([[1.0, correlation], [correlation, 1.0]])
    rates = []
    for a, m in ((np.eye(2), mobility), (matrix, np.linalg.inv(matrix) @ mobility @ np.linalg.inv(matrix).T)):
        names = dict(zip("abcd", a.ravel().tolist(), strict=True), k=stiffness + 0.2)
        landscape = Landscape(text, parameters=names, variables=("x", "y"))
        # u³ − u + v/5 = 0 and kv + u/5 = 0.
        u = math.sqrt(1 + 0.04 / names["k"])
        minimum = np.linalg.solve(a, [u, -u / (5 * names["k"])])
        m = (m + m.T) / 2
        rates.append(float(langer.rate(landscape, minimum, [0, 0], temperature=0.02, mobility=m)))
    assert rates[0] == pytest.approx(rates[1], rel=1e-9)


def test_strong_friction_is_the_overdamped_rate():
    landscape = coupled_double_well(3.0)
    tensor = np.array([[500.0, 100.0], [100.0, 300.0]])
    overdamped = langer.rate(landscape, [-1, 0], [0, 0], temperature=0.03, mobility=np.linalg.inv(tensor))
    k = langer.underdamped_rate(landscape, [-1, 0], [0, 0], temperature=0.03, friction=tensor)
    assert float(k) == pytest.approx(float(overdamped), rel=1e-4)
    heavy = langer.underdamped_rate(landscape, [-1, 0], [0, 0], temperature=0.03, friction=tensor / 2, mass=2.0)
    assert float(heavy) == pytest.approx(float(overdamped), rel=1e-4)


def test_mueller_brown_keeps_detailed_balance():
    landscape = mueller_brown()
    box = [(-1.5, 1.2), (-0.3, 2.1)]
    low, right, middle = minima(landscape, box)
    first, second = saddles(landscape, box)
    for a, b, s in ((low, middle, second), (right, middle, first)):
        there, back = (langer.rate(landscape, m, s, temperature=5.0) for m in (a, b))
        weights = [math.exp(-(m.value - low.value) / 5.0) / math.sqrt(np.prod(m.eigenvalues)) for m in (a, b)]
        assert float(there) * weights[0] == pytest.approx(float(back) * weights[1], rel=1e-10)


@pytest.mark.parametrize(
    ("minimum", "saddle", "message"),
    [
        ([0, 0], [-1, 0], "one is negative"),
        ([-1, 0], [1, 0], "negative curvatures"),
        ([-1, 0], [0.1, 0], "not stationary"),
        ([-1], [0, 0], "2 finite coordinates"),
        ([-1, float("nan")], [0, 0], "2 finite coordinates"),
    ],
)
def test_points_that_make_no_passage_are_refused(minimum, saddle, message):
    with pytest.raises(TheoryError, match=message):
        langer.rate(coupled_double_well(3.0), minimum, saddle, temperature=0.05)


def test_a_saddle_below_and_a_flat_valley_and_bad_mobilities_are_refused():
    # cos x − x/2 falls from well to well: the top after the next is below the first minimum.
    with pytest.raises(TheoryError, match="has to be above"):
        langer.rate(Landscape("cos(x) - x/2"), [7 * math.pi / 6], [4 * math.pi - math.pi / 6], temperature=0.1)
    with pytest.raises(TheoryError, match="degenerate"):
        langer.rate(Landscape("(x**2 - 1)**2 + 0*y", variables=("x", "y")), [1, 0], [0, 0], temperature=0.1)
    for bad in (-1.0, [[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]], [1.0, 2.0, 3.0]):
        with pytest.raises(TheoryError, match="mobility"):
            langer.rate(coupled_double_well(), [-1, 0], [0, 0], temperature=0.05, mobility=bad)
