"""Entropy of relaxation in a trap: limits, monotony, and the box by a second quadrature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from fpsolver.errors import TheoryError
from fpsolver.theory import learning_readings, relaxing_trap, two_level

TRAP = {"stiffness": 1.3, "temperature": 0.7, "mobility": 0.9}
numbers = {"mean": st.floats(-3, 3), "variance": st.floats(0.05, 5), "duration": st.floats(0.05, 5)}


@given(**numbers)
def test_entropy_production_is_heat_and_system_entropy_and_never_negative(mean, variance, duration):
    m, v = relaxing_trap.moments(mean, variance, duration=duration, **TRAP)
    entropies = [float(relaxing_trap.system_entropy(one)) for one in (variance, v)]
    heat = TRAP["stiffness"] / 2 * (mean**2 + variance - m**2 - v)
    produced = float(relaxing_trap.entropy_production(mean, variance, duration=duration, **TRAP))
    assert produced == pytest.approx(entropies[1] - entropies[0] + heat / TRAP["temperature"], abs=1e-12)
    assert produced > -1e-12


@given(**numbers)
def test_the_rate_of_heat_is_the_derivative_of_the_energy(mean, variance, duration):
    def energy(time):
        m, v = relaxing_trap.moments(mean, variance, duration=time, **TRAP)
        return TRAP["stiffness"] / 2 * (m**2 + v)

    step = 1e-4
    slope = (energy(duration + step) - energy(duration - step)) / (2 * step)
    rate = relaxing_trap.medium_rate(*relaxing_trap.moments(mean, variance, duration=duration, **TRAP), **TRAP)
    # Central differences: step² × third derivative, which is below 8 (μk)³ times the energy.
    assert TRAP["temperature"] * float(rate) == pytest.approx(-slope, abs=1e-6)


def test_no_heat_in_equilibrium_but_by_the_other_product():
    rest = (0.0, TRAP["temperature"] / TRAP["stiffness"])
    assert float(relaxing_trap.medium_rate(*rest, **TRAP)) == pytest.approx(0.0, abs=1e-14)
    without = relaxing_trap.medium_rate_without_divergence(*rest, **TRAP)
    assert float(without) == pytest.approx(TRAP["mobility"] * TRAP["stiffness"])


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("duration", [0.05, 0.4])
def test_exponential_loss_by_quadrature(duration, dimension):
    """⟨e^{−ΔL/T}⟩ over N(0, 1) first and N(ρx, 1 − ρ²) last."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(150)
    weights = weights / weights.sum()
    kept = np.exp(-duration)
    last = kept * nodes[:, None] + np.sqrt(1 - kept**2) * nodes
    exponent = learning_readings.as_written(
        loss_change=(last**2 - nodes[:, None] ** 2) / 2,
        entropy_change=(last**2 - nodes[:, None] ** 2) / 2,
        temperature=1.0,
    )
    average = float(weights @ np.exp(exponent) @ weights) ** dimension
    form = relaxing_trap.exponential_loss(stiffness=1.0, duration=duration, dimension=dimension)
    assert average == pytest.approx(float(form), rel=1e-6)


def test_the_variance_of_the_written_form_ends_where_it_is_said_to():
    assert float(relaxing_trap.longest_sampled(stiffness=1.0)) == pytest.approx(0.1438410362)


@pytest.mark.parametrize("duration", [0.001, 0.1, 1.0, 6.0, 40.0])
def test_the_return_to_a_box_by_another_quadrature(duration):
    """P(in the box at 2t | uniform in it), since the trap is its own reverse."""
    lower, upper, kept = -0.5, 1.2, np.exp(-2 * duration * 1.3 * 0.9)
    spread = np.sqrt(0.7 / 1.3 * (1 - kept**2))
    inside, _ = quad(
        lambda x: norm.cdf((upper - kept * x) / spread) - norm.cdf((lower - kept * x) / spread),
        lower,
        upper,
        epsabs=1e-13,
        epsrel=1e-11,
    )
    form = relaxing_trap.box_return(lower, upper, duration=duration, **TRAP)
    assert float(form) == pytest.approx(inside / (upper - lower), rel=1e-9)


@pytest.mark.parametrize("duration", [0.01, 0.5, 2.0, 30.0])
def test_the_density_from_a_box_is_normalised(duration):
    x = np.linspace(-8, 8, 200_001)
    density = relaxing_trap.box_density(x, -0.5, 1.2, duration=duration, **TRAP)
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-8)


def test_an_empty_box_is_refused():
    with pytest.raises(TheoryError, match="empty"):
        relaxing_trap.box_return(1.0, 1.0, duration=1.0, **TRAP)


@given(gap=st.floats(0.01, 20), relaxed=st.floats(0, 1))
def test_two_levels_by_summation(gap, relaxed):
    p = np.exp([0.0, -gap]) / (1 + np.exp(-gap))
    joint = (1 - relaxed) * np.diag(p) + relaxed * np.outer(p, p)
    entropy = np.log(p) - np.log(p)[:, None]
    assert float(two_level.without_heat(gap=gap, temperature=1.0, relaxed=relaxed)) == pytest.approx(
        float((joint * np.exp(-entropy)).sum()), rel=1e-12
    )
    assert float(two_level.with_heat(gap=gap, temperature=1.0, relaxed=relaxed)) == 1.0


def test_no_probability_is_refused():
    with pytest.raises(TheoryError, match="probability"):
        two_level.without_heat(gap=1.0, temperature=1.0, relaxed=1.5)
