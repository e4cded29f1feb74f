"""The slowest odd Klein–Kramers mode: closed forms, other discretisations, rates far below rounding."""

from __future__ import annotations

import math

import pytest

import fpsolver as fp
from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.landscapes import double_well, tilted_double_well
from fpsolver.validation import richardson
from fpsolver.validation.brinkman import OddKineticMode
from fpsolver.validation.kinetic_orders import reference_rate

HARMONIC = fp.Landscape("x**2/2")


@pytest.mark.parametrize(("friction", "mass"), [(3.0, 1.0), (20.0, 1.0), (1.6, 2.0)])
def test_the_mean_position_of_an_oscillator_decays_at_the_root_of_its_characteristic_equation(friction, mass):
    """x² − γx + 1/m = 0; the mode is x plus a multiple of v, two Hermite functions hold it to rounding."""
    mode = OddKineticMode(HARMONIC, temperature=0.3, friction=friction, functions=6, mass=mass)
    exact = friction / 2 - math.sqrt(friction**2 / 4 - 1 / mass)
    assert mode.rate == pytest.approx(exact, rel=1e-10)


def test_a_complex_pair_is_refused():
    with pytest.raises(ConvergenceError, match="complex pair"):
        _ = OddKineticMode(HARMONIC, temperature=0.3, friction=0.5, functions=6).rate


def test_the_whole_hierarchy_has_the_same_slowest_mode():
    """Without parity, by Arnoldi's method, and with other sinc functions."""
    mode = OddKineticMode(double_well(), temperature=0.25, friction=1.0, functions=24)
    assert mode.rate == pytest.approx(reference_rate(1.0, 24), rel=1e-9)


def test_sinc_functions_converge_exponentially():
    rates = [
        OddKineticMode(double_well(), temperature=0.1, friction=0.5, functions=24, points=n).rate
        for n in (8, 12, 16, 40)
    ]
    errors = [abs(rate / rates[-1] - 1) for rate in rates[:-1]]
    assert errors[1] < errors[0] ** 1.5
    assert errors[2] < errors[1] ** 1.25


def test_the_default_number_of_sinc_functions_is_enough():
    default = OddKineticMode(double_well(), temperature=0.05, friction=0.1, functions=80)
    finer = OddKineticMode(
        double_well(), temperature=0.05, friction=0.1, functions=80, points=round(1.4 * len(default.positions))
    )
    assert default.rate == pytest.approx(finer.rate, rel=1e-8)


def test_rates_far_below_rounding_keep_their_digits():
    """At γ = 1000, λγ is the overdamped rate up to 1/γ²: bisection without cancellation gives that one."""
    temperature, friction = 0.0075, 1000.0

    def overdamped(cells: int) -> float:
        grid = fp.Grid(x=(-1.5, 1.5, cells))
        return fp.spectrum(fp.generator(fp.Langevin(double_well(), temperature=temperature), grid), k=2).rates[1]

    limit, error = richardson(overdamped(800), overdamped(400))
    assert limit < 1e-14
    rate = OddKineticMode(double_well(), temperature=temperature, friction=friction, functions=8).rate
    assert rate * friction == pytest.approx(limit, abs=error, rel=10 / friction**2)


def test_asymmetric_landscapes_are_refused():
    with pytest.raises(MethodError, match="not symmetric"):
        OddKineticMode(tilted_double_well(), temperature=0.1, friction=1.0, functions=8)
    with pytest.raises(MethodError, match="at least 2"):
        OddKineticMode(double_well(), temperature=0.1, friction=1.0, functions=1)
