"""Gaussian updates on a quadratic loss: closed forms against quadrature, and the linearised law's chain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import quadratic_reactions as reactions
from fpsolver.theory import reaction_rates

SHARES = {"half": 0.5, "linearised": 0.5, "arrhenius": 1.0}


def plane(nodes=120):
    u, w = np.polynomial.hermite_e.hermegauss(nodes)
    return np.stack(np.meshgrid(u, u, indexing="ij"), axis=-1), np.outer(w, w) / w.sum() ** 2


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.floats(-1, 1)] * 2), st.tuples(st.floats(-0.2, 2), st.floats(-1, 1), st.floats(0.1, 2)),
    st.sampled_from(sorted(SHARES)),
)  # fmt: skip
def test_moments_are_integrals_of_the_rate_density(gradient, entries, law):
    g, h = np.array(gradient), np.array([[entries[0], entries[1]], [entries[1], entries[2]]])
    points, weights = plane()
    updates = 0.4 * points
    change = updates @ g + (0.5 * np.einsum("...i,ij,...j->...", updates, h, updates) if law != "linearised" else 0.0)
    density = weights * 1.5 * np.exp(-SHARES[law] * change / 0.8)
    found = reactions.moments(g, h, temperature=0.8, scale=0.4, law=law, attempt_rate=1.5)
    assert found.total_rate == pytest.approx(density.sum(), rel=1e-10)
    assert found.flow == pytest.approx(np.einsum("ij,ijk->k", density, updates), abs=1e-11)
    second = np.einsum("ij,ijk,ijl->kl", density, updates, updates)
    assert found.second_moment == pytest.approx(second, abs=1e-11)
    loss = float(np.sum(density * (updates @ g + 0.5 * np.einsum("...i,ij,...j->...", updates, h, updates))))
    velocity = reactions.loss_flow(g, h, temperature=0.8, scale=0.4, law=law, attempt_rate=1.5)
    assert float(velocity) == pytest.approx(loss, abs=1e-11)


@pytest.mark.parametrize("law", SHARES)
def test_without_curvature_it_is_the_linear_loss(law):
    numbers = {"temperature": 0.5, "scale": 0.3, "law": law}
    found = reactions.moments([1.0, -0.5], np.zeros((2, 2)), **numbers)
    assert found.total_rate == pytest.approx(float(reaction_rates.total_rate([1.0, -0.5], **numbers)), rel=1e-13)
    assert found.flow == pytest.approx(reaction_rates.flow([1.0, -0.5], **numbers), rel=1e-13)
    assert found.second_moment == pytest.approx(reaction_rates.second_moment([1.0, -0.5], **numbers), rel=1e-13)


def test_the_linearised_law_is_sgd_per_jump_and_boltzmann_per_time():
    """AR(1) variance with η = s²/2T; divided by the rate e^{s²h²θ²/8T²} it is T/h."""
    h, t, s = 1.3, 0.5, 0.7
    eta = float(reactions.embedded_learning_rate(temperature=t, scale=s))
    per_jump = float(reactions.embedded_variance(h, temperature=t, scale=s))
    assert per_jump == pytest.approx(s**2 / (1.0 - (1.0 - eta * h) ** 2), rel=1e-13)
    per_time = 1.0 / (1.0 / per_jump + (s * h / (2.0 * t)) ** 2)
    assert per_time == pytest.approx(t / h, rel=1e-13)
    found = reactions.moments(h * 0.4, h, temperature=t, scale=s, law="linearised")
    assert found.flow[0] / found.total_rate == pytest.approx(-eta * h * 0.4, rel=1e-13)


def test_jumps_per_time_in_the_stationary_state():
    x = np.linspace(-15, 15, 601)
    h, t, s = 1.3, 0.5, 0.9
    weights = np.exp(-h * x**2 / (2 * t))
    rates = np.array([reactions.moments(h * y, h, temperature=t, scale=s, law="linearised").total_rate for y in x])
    expected = float(reactions.mean_rate(h, temperature=t, scale=s))
    assert weights @ rates / weights.sum() == pytest.approx(expected, rel=1e-9)


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_largest_scale_is_that_of_the_largest_learning_rate(curvature, temperature):
    edge = float(reactions.largest_scale(curvature, temperature=temperature))
    rate = float(reactions.embedded_learning_rate(temperature=temperature, scale=edge))
    assert rate * curvature == pytest.approx(2.0, rel=1e-12)
    with pytest.raises(TheoryError, match="explodes"):
        reactions.embedded_variance(curvature, temperature=temperature, scale=edge * (1.0 + 1e-9))


def test_the_exact_half_law_gains_from_no_overshoot():
    """At s²h = 4T the linearised flow passes the minimum, the exact one stops short of it."""
    h, t = 1.0, 0.25
    for law, bound in (("linearised", 2.0), ("half", 1.0)):
        found = reactions.moments(h * 1.0, h, temperature=t, scale=1.0, law=law)
        assert -found.flow[0] / found.total_rate <= bound * (1 + 1e-12)
    assert -found.flow[0] / found.total_rate == pytest.approx(2.0 / 3.0, rel=1e-12)


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match="most concave"):
        reactions.moments(0.0, -4.0, temperature=0.5, scale=1.0)
    with pytest.raises(TheoryError, match="symmetric"):
        reactions.moments([1.0, 0.0], [[1.0, 2.0], [0.0, 1.0]], temperature=0.5, scale=1.0)
    with pytest.raises(TheoryError, match='did you mean "arrhenius"'):
        reactions.moments(1.0, 1.0, temperature=0.5, scale=1.0, law="arhenius")
    assert math.isfinite(reactions.moments(0.0, -4.0, temperature=0.5, scale=0.49).total_rate)
