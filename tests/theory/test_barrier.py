"""Barriers: numbers read off a landscape, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import InputError, TheoryError, ValidityWarning
from fpsolver.landscapes import Landscape, coupled_double_well, minima, saddles, tilted_double_well
from fpsolver.theory import Barrier, anharmonic, kramers, turnover


def test_numbers_of_the_quartic_double_well(well):
    """V''' = 6x and V'''' = 6; S = 2∫₀^√2 x√(1 − x²/2) dx = 4/3."""
    assert (well.height, well.minimum_curvature, well.saddle_curvature) == (0.25, 2.0, -1.0)
    assert well.action == pytest.approx(4 / 3, rel=1e-13)
    np.testing.assert_allclose(well.minimum_derivatives, (-6, 6), rtol=1e-9)
    np.testing.assert_allclose(well.saddle_derivatives, (0, 6), rtol=1e-9, atol=1e-10)


def test_stationary_points_are_taken_as_they_are_found():
    landscape = tilted_double_well(tilt=0.1)
    left, right = sorted(minima(landscape, [(-2, 2)]), key=lambda p: p.position[0])
    (top,) = saddles(landscape, [(-2, 2)])
    over_left, over_right = (Barrier.between(landscape, m, top) for m in (left, right))
    assert over_left.height < over_right.height and over_left.action < over_right.action


def test_a_well_that_never_closes_has_no_action():
    landscape = Landscape("exp(-(x - 3)**2) - exp(-x**2)")
    (bottom,), (top,) = minima(landscape, [(-2, 2)]), saddles(landscape, [(2, 4)])
    open_well = Barrier.between(landscape, bottom, top)
    assert open_well.action is None
    with pytest.raises(TheoryError, match="needs action"):
        turnover.melnikov_meshkov_rate(open_well, temperature=0.1, friction=1.0)
    with pytest.raises(TheoryError, match="needs minimum_derivatives"):
        anharmonic.coefficient(Barrier(height=1.0, minimum_curvature=1.0, saddle_curvature=-1.0))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((-0.1, 1.0, -1.0), "saddle has to be above the minimum"),
        ((1.0, -1.0, -1.0), "L''_a > 0"),
        ((1.0, 1.0, 1.0), "L''_b < 0"),
        ((float("nan"), 1.0, -1.0), "must be positive"),
        ((1.0, 1.0, -1.0, -2.0), "area"),
    ],
)
def test_numbers_that_make_no_barrier_are_refused(numbers, message):
    with pytest.raises(TheoryError, match=message):
        Barrier(*numbers)


@pytest.mark.parametrize(
    ("ends", "message"),
    [((0.0, -1.0), "to be above"), ((-1.0, 0.1), "not stationary"), ((-1.0, -1.0), "same point"), ((1.0, "x"), "x")],
)
def test_points_that_make_no_barrier_are_refused(quartic, ends, message):
    with pytest.raises(ValueError, match=message):
        Barrier.between(quartic, *ends)


def test_a_barrier_behind_another_and_more_dimensions_are_refused():
    # x⁶ with three wells: from the far minimum the landscape rises above the near saddle.
    landscape = Landscape("x**6/6 - 5*x**4/4 + 2*x**2 + x/4")
    wells = sorted(minima(landscape, [(-3, 3)]), key=lambda p: p.position[0])
    tops = sorted(saddles(landscape, [(-3, 3)]), key=lambda p: p.position[0])
    with pytest.raises(TheoryError, match=r"rises above|not above"):
        Barrier.between(landscape, wells[2], tops[0])
    with pytest.raises(TheoryError, match="langer"):
        Barrier.between(coupled_double_well(), -1.0, 0.0)


def test_conditions_that_are_violated_are_named(well):
    with pytest.warns(ValidityWarning, match="T ≪ ΔL is violated"):
        kramers.overdamped_rate(well, temperature=0.3)
    with pytest.warns(ValidityWarning, match="γ ≫ ω_b"):
        kramers.strong_friction_rate(well, temperature=0.05, friction=0.1)
    with pytest.warns(ValidityWarning, match="δ ≫ 1"):
        kramers.intermediate_rate(well, temperature=0.05, friction=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kramers.intermediate_rate(well, temperature=0.05, friction=0.5)
    for bad in ({"temperature": 0.0}, {"temperature": -1.0}, {"temperature": 0.1, "mobility": 0.0}):
        with pytest.raises(InputError, match="must be positive"):
            kramers.rate(well, **bad)
    with pytest.raises(TheoryError, match="exclude each other"):
        kramers.rate(well, temperature=0.1, mobility=1.0, friction=1.0)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.2, 5))
def test_numbers_scale_with_the_units_of_loss_and_length(energy, length, stretch):
    """L → sL(x/ℓ) scales curvature by s/ℓ², action by ℓ√s, third and fourth derivative by s/ℓ³ and s/ℓ⁴."""
    text = "s*((x/w)**4/4 - (x/w)**2/2 + (x/w)**3*c)"
    landscape = Landscape(text, parameters={"s": 1.0, "w": 1.0, "c": 0.1 * min(stretch, 1.0)}, variables=("x",))
    c = landscape.parameters["c"]
    left = (-3 * c - np.sqrt(9 * c * c + 4)) / 2
    base = Barrier.between(landscape, left, 0.0)
    scaled = Barrier.between(landscape.with_parameters(s=energy, w=length), left * length, 0.0)
    assert scaled.height == pytest.approx(energy * base.height, rel=1e-10)
    assert scaled.action == pytest.approx(length * np.sqrt(energy) * base.action, rel=1e-9)
    for power, name in ((3, 0), (4, 1)):
        expected = energy / length**power * base.minimum_derivatives[name]
        assert scaled.minimum_derivatives[name] == pytest.approx(expected, rel=1e-7)
