"""Slowest rates of double wells: energy diffusion at any barrier height, and the sum of the rates both ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import eigh

from fpsolver.errors import TheoryError, ValidityWarning
from fpsolver.landscapes import double_well, tilted_double_well
from fpsolver.theory import Barrier, energy_diffusion, kramers, turnover

WELL = Barrier.between(double_well(), -1.0, 0.0)
TILTED = tilted_double_well(tilt=0.05)
LEFT, TOP, RIGHT = sorted(np.roots([1.0, 0.0, -1.0, -0.05]).real)
WELLS = tuple(Barrier.between(TILTED, x, TOP) for x in (LEFT, RIGHT))


def polynomial_rate(temperature: float, degree: int) -> float:
    """λ = min γT∫S e^{−E/T} f'² dE / ∫S' e^{−E/T} f² dE over polynomials that vanish at the top, for γ = 1."""
    s, weights = np.polynomial.legendre.leggauss(200)
    # E = ΔL(1 − u³) crowds nodes near the top, where S is singular.
    u = (s + 1) / 2
    energy, weights = WELL.height * (1 - u**3), weights / 2 * 3 * u**2 * WELL.height
    weight = weights * energy_diffusion.actions(WELL, energy) * np.exp(-energy / temperature)
    z = 2 * energy / WELL.height - 1
    basis = [(1 - np.polynomial.Polynomial([0, 1])) * np.polynomial.Legendre.basis(k).convert(
        kind=np.polynomial.Polynomial) for k in range(degree)]  # fmt: skip
    f = np.array([p(z) for p in basis])
    slope = np.array([p.deriv()(z) for p in basis]) * 2 / WELL.height
    stiffness = temperature * (slope * weight) @ slope.T
    cross = (slope * weight) @ f.T
    # S' e^{−E/T} is integrated by parts.
    mass = (f * weight) @ f.T / temperature - cross - cross.T
    return float(eigh(stiffness, mass, eigvals_only=True)[0])


@pytest.mark.parametrize("temperature", [0.2, 0.1, 0.05])
def test_energy_diffusion_agrees_with_a_variational_bound_from_polynomials(temperature):
    """Ritz values come from above; the logarithm in S at the top leaves them 1e-8 away."""
    rate = float(energy_diffusion.relaxation_rate(WELL, temperature=temperature, friction=1.0))
    bounds = [polynomial_rate(temperature, degree) for degree in (6, 12)]
    assert bounds[0] > bounds[1] > rate * (1 - 1e-10)
    assert rate == pytest.approx(bounds[1], rel=1e-6)


def test_energy_diffusion_has_one_over_the_mean_time_as_its_rate_where_the_barrier_is_high():
    """1/λ is below the mean time from the bottom, the longest, and nears it as e^{−ΔL/T} up to powers of ΔL/T."""
    excess = []
    for temperature in (0.05, 0.025, 0.0125):
        where = {"temperature": temperature, "friction": 0.3}
        product = float(energy_diffusion.relaxation_rate(WELL, **where)) * float(
            energy_diffusion.mean_time(WELL, **where)
        )
        excess.append((product - 1) * math.exp(WELL.height / temperature))
    assert min(excess) > 0
    # Halving T changes powers of ΔL/T to 4 times at most, if they are no higher than the second.
    assert excess[1] < 4 * excess[0]
    assert excess[2] < 4 * excess[1]


def test_energy_diffusion_is_proportional_to_friction_and_knows_no_mass():
    one = energy_diffusion.relaxation_rate(WELL, temperature=0.1, friction=1e-3)
    assert float(energy_diffusion.relaxation_rate(WELL, temperature=0.1, friction=2e-3)) == pytest.approx(2 * one.value)
    heavy = energy_diffusion.relaxation_rate(WELL, temperature=0.1, friction=1e-3, mass=4.0)
    assert heavy.value == pytest.approx(one.value, rel=1e-12)
    assert heavy.error_scale == pytest.approx(math.sqrt(2) * one.error_scale)


def test_relaxation_is_twice_the_escape_from_one_of_two_equal_wells():
    where = {"temperature": 0.05, "friction": 0.1}
    once = turnover.melnikov_meshkov_rate(WELL, beyond=WELL, **where)
    assert float(turnover.relaxation_rate(WELL, WELL, **where)) == pytest.approx(2 * once.value, rel=1e-14)


def test_relaxation_between_different_wells_is_the_sum_in_either_order():
    where = {"temperature": 0.05, "friction": 0.1}
    there, back = (float(turnover.melnikov_meshkov_rate(a, beyond=b, **where)) for a, b in (WELLS, WELLS[::-1]))
    assert there / back == pytest.approx(
        math.sqrt(WELLS[0].minimum_curvature / WELLS[1].minimum_curvature)
        * math.exp((WELLS[1].height - WELLS[0].height) / 0.05)
    )
    for wells in (WELLS, WELLS[::-1]):
        assert float(turnover.relaxation_rate(*wells, **where)) == pytest.approx(there + back, rel=1e-14)


def test_above_the_turnover_both_forms_agree_and_below_it_kramers_warns():
    strong = {"temperature": 0.02, "friction": 2.0}
    both = turnover.relaxation_rate_above_turnover(*WELLS, **strong)
    assert float(turnover.relaxation_rate(*WELLS, **strong)) == pytest.approx(both.value, rel=1e-9)
    assert both.value == pytest.approx(sum(float(kramers.intermediate_rate(well, **strong)) for well in WELLS))
    with pytest.warns(ValidityWarning, match="δ"):
        turnover.relaxation_rate_above_turnover(*WELLS, temperature=0.05, friction=0.01)


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match="friction"):
        energy_diffusion.relaxation_rate(WELL, temperature=0.1, friction=-1.0)
    with pytest.raises(TheoryError, match="beyond floating point"):
        energy_diffusion.relaxation_rate(WELL, temperature=1e-4, friction=1.0)
    with pytest.raises(TheoryError, match="action"):
        bare = Barrier(height=0.25, minimum_curvature=2.0, saddle_curvature=-1.0)
        turnover.relaxation_rate(bare, bare, temperature=0.05, friction=0.1)
