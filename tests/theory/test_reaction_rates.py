"""Rate densities on a linear loss: closed forms against quadrature of ρ, for every proposal and law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from fpsolver.errors import TheoryError
from fpsolver.theory import reaction_rates

PROFILES = {
    "gaussian": (lambda u: math.exp(-0.5 * u * u) / math.sqrt(2 * math.pi), 40.0),
    "uniform": (lambda u: 0.5, 1.0),
    "laplace": (lambda u: 0.5 * math.exp(-abs(u)), 200.0),
}
SHARES = {"half": 0.5, "linearised": 0.5, "arrhenius": 1.0}
REFERENCE = {"temperature": 0.5, "scale": 0.3}


def by_quadrature(power, gradient, temperature, scale, proposal, law):
    """∫Δᵖρ in one dimension, each side of the kink of the profile on its own."""
    profile, end = PROFILES[proposal]

    def integrand(u):
        return (scale * u) ** power * profile(u) * math.exp(-SHARES[law] * gradient * scale * u / temperature)

    pieces = [quad(integrand, *ends, epsabs=1e-14, epsrel=1e-12, limit=200)[0] for ends in ((-end, 0.0), (0.0, end))]
    return sum(pieces)


def test_reference_values():
    """A = g = 1, s = 0.3, T = 0.5, half law, Gaussian proposal: independently derived."""
    assert float(reaction_rates.total_rate(1.0, **REFERENCE)) == pytest.approx(1.046027859908717, rel=1e-14)
    assert reaction_rates.flow(1.0, **REFERENCE)[0] == pytest.approx(-0.09414250739178452, rel=1e-14)
    assert reaction_rates.second_moment(1.0, **REFERENCE)[0, 0] == pytest.approx(0.10261533305704514, rel=1e-14)


@pytest.mark.parametrize("law", SHARES)
@pytest.mark.parametrize("proposal", PROFILES)
@pytest.mark.parametrize("gradient", [-1.5, 1e-3, 0.0, 0.7])
def test_moments_are_integrals_of_the_rate_density(proposal, law, gradient):
    numbers = {"temperature": 0.5, "scale": 0.25, "proposal": proposal, "law": law}
    exact = [by_quadrature(power, gradient, *numbers.values()) for power in range(3)]
    assert float(reaction_rates.total_rate(gradient, **numbers)) == pytest.approx(exact[0], rel=1e-10)
    assert reaction_rates.flow(gradient, **numbers)[0] == pytest.approx(exact[1], rel=1e-10, abs=1e-13)
    assert reaction_rates.second_moment(gradient, **numbers)[0, 0] == pytest.approx(exact[2], rel=1e-10)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=4),
    st.sampled_from(sorted(PROFILES)),
    st.sampled_from(sorted(SHARES)),
)
def test_coordinates_multiply_and_moments_are_derivatives(gradient, proposal, law):
    """r is a product over coordinates; flow and second moment are −T/c ∂r/∂g and (T/c)²∂²r/∂g∂g."""
    numbers = {"temperature": 0.8, "scale": 0.4, "proposal": proposal, "law": law}
    g, step = np.array(gradient), 1e-4

    def rate(at):
        return float(reaction_rates.total_rate(at, **numbers))

    assert rate(g) == pytest.approx(math.prod(rate(one) for one in g), rel=1e-12)
    unit = 0.8 / SHARES[law]
    basis = step * np.eye(len(g))
    slopes = [-unit * (rate(g + one) - rate(g - one)) / (2 * step) for one in basis]
    # Central differences err by step²/6 of the third derivative, and by rounding/step.
    assert reaction_rates.flow(g, **numbers) == pytest.approx(slopes, abs=1e-7)
    mixed = rate(g + basis[0] + basis[1]) - rate(g + basis[0] - basis[1])
    mixed += rate(g - basis[0] - basis[1]) - rate(g - basis[0] + basis[1])
    second = unit**2 * mixed / (4 * step**2)
    assert reaction_rates.second_moment(g, **numbers)[0, 1] == pytest.approx(second, abs=1e-6)


def test_the_full_exponent_is_the_half_law_at_half_the_temperature():
    full = reaction_rates.flow([1.0, -2.0], temperature=0.5, scale=0.3, law="arrhenius")
    assert full == pytest.approx(reaction_rates.flow([1.0, -2.0], temperature=0.25, scale=0.3), rel=1e-14)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_activation_energy_is_the_scalar_product(dimension, seed):
    rng = np.random.default_rng(seed)
    gradient, update = rng.normal(size=(2, dimension))
    scale = np.linalg.norm(gradient) * np.linalg.norm(update)
    assert reaction_rates.activation_energy(gradient, update) == pytest.approx(gradient @ update, abs=1e-14 * scale)
    assert reaction_rates.activation_energy(gradient, -gradient) == pytest.approx(-(gradient @ gradient), rel=1e-14)


def test_without_a_proposal_the_integral_grows_without_end():
    cut = float(reaction_rates.total_rate_without_proposal([1.0, 0.0], temperature=0.5, largest_update=2.0))
    exact = quad(lambda x: math.exp(-2.0 * x), -2.0, 2.0)[0] * 4.0
    assert cut == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "weight"),
    [
        ("half", lambda change, _: math.exp(-0.5 * change)),
        ("linearised", lambda _, linear: math.exp(-0.5 * linear)),
        ("arrhenius", lambda change, _: math.exp(-change)),
        ("metropolis", lambda change, _: min(1.0, math.exp(-change))),
        ("glauber", lambda change, _: 1.0 / (1.0 + math.exp(change))),
    ],
)
def test_stationary_temperatures_balance_a_jump_and_its_opposite(law, weight):
    """The weights' ratio is e^{−ΔL/T_b}, here between two points of a quadratic loss."""
    t, h, start, end = 0.7, 1.3, 0.4, 1.1
    change, update = h * (end**2 - start**2) / 2, end - start
    forth, back = weight(change / t, h * start * update / t), weight(-change / t, -h * end * update / t)
    found = float(reaction_rates.stationary_temperature(t, law=law))
    assert -change / math.log(forth / back) == pytest.approx(found, rel=1e-14)  # rounding


def test_the_stationary_temperature_as_written_forgets_the_law():
    assert float(reaction_rates.stationary_temperature_as_written(0.7, law="arrhenius")) == 0.7


def test_rates_that_diverge_are_refused():
    for proposal in reaction_rates.HEAVY_TAILED:
        with pytest.raises(TheoryError, match="power-law tails"):
            reaction_rates.total_rate(1.0, proposal=proposal, **REFERENCE)
    with pytest.raises(TheoryError, match=r"\|a\| = 1\.2 ≥ 1"):
        reaction_rates.flow(4.0, proposal="laplace", **REFERENCE)
    with pytest.raises(TheoryError, match='did you mean "gaussian"'):
        reaction_rates.total_rate(1.0, proposal="gausian", **REFERENCE)
    with pytest.raises(TheoryError, match='did you mean "half"'):
        reaction_rates.total_rate(1.0, law="halve", **REFERENCE)
    with pytest.raises(TheoryError, match='did you mean "glauber"'):
        reaction_rates.stationary_temperature(1.0, law="glaubr")
    with pytest.raises(TheoryError, match="scale"):
        reaction_rates.total_rate(1.0, temperature=1.0, scale=0.0)
    with pytest.raises(TheoryError, match="vector"):
        reaction_rates.total_rate([[1.0]], **REFERENCE)
    with pytest.raises(TheoryError, match="no angle"):
        reaction_rates.activation_energy([0.0], [1.0])
