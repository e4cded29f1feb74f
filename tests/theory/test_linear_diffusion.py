"""Linear diffusion against its moment equations, integrated, and against reference numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import linear_diffusion


def random_system(seed, d):
    generator = np.random.default_rng(seed)
    root, turn, noise = generator.normal(size=(3, d, d))
    return root @ root.T / d + 0.3 * np.eye(d) + turn - turn.T, noise @ noise.T / d + 0.2 * np.eye(d)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_covariance_solves_the_lyapunov_equation_and_entropy_is_produced(seed, d):
    drift, diffusion = random_system(seed, d)
    s = linear_diffusion.stationary_covariance(drift, diffusion)
    scale = np.abs(diffusion).max() * np.linalg.cond(diffusion)
    assert np.abs(drift @ s + s @ drift.T - 2 * diffusion).max() < 1e-11 * scale
    sigma = float(linear_diffusion.entropy_production_rate(drift, diffusion))
    # σ = tr(Ω S⁻¹ Ωᵀ D⁻¹) with the irreversible part Ω = AS − D: a sum of squares.
    omega = drift @ s - diffusion
    squares = np.trace(np.linalg.solve(diffusion, omega @ np.linalg.solve(s, omega.T)))
    assert sigma == pytest.approx(squares, rel=1e-8, abs=1e-9)
    assert squares >= 0


def test_a_drift_along_a_potential_with_its_own_mobility_is_in_equilibrium():
    """A = MH and D = TM: S = TH⁻¹ and σ = 0."""
    hessian, mobility = np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.0, -0.4], [-0.4, 0.7]])
    covariance = linear_diffusion.stationary_covariance(mobility @ hessian, 0.6 * mobility)
    assert covariance == pytest.approx(0.6 * np.linalg.inv(hessian), rel=1e-12)
    assert abs(float(linear_diffusion.entropy_production_rate(mobility @ hessian, 0.6 * mobility))) < 1e-13


@pytest.mark.parametrize(("coupling", "temperatures", "stiffness", "mobility"), [
    (0.5, (1.0, 2.0), 1.0, 1.0), (-0.8, (0.3, 2.5), 1.3, 0.6), (0.2, (1.0, 1.0), 2.0, 3.0),
])  # fmt: skip
def test_gyrator(coupling, temperatures, stiffness, mobility):
    drift = mobility * np.array([[stiffness, coupling], [coupling, stiffness]])
    general = linear_diffusion.entropy_production_rate(drift, mobility * np.diag(temperatures))
    closed = linear_diffusion.gyrator_entropy_production(coupling, temperatures, stiffness=stiffness, mobility=mobility)
    assert float(closed) == pytest.approx(float(general), rel=1e-11, abs=1e-13)


def test_moments_solve_their_equations():
    """dm/dt = −Am, dC/dt = −AC − CAᵀ + 2D, by central differences of step 1e−4: error of order 1e−8."""
    drift, diffusion = random_system(3, 3)
    start = (np.array([1.0, -2.0, 0.5]), 0.3 * np.eye(3))
    h = 1e-4
    (early, before), (mean, covariance), (late, after) = (
        linear_diffusion.moments(drift, diffusion, *start, t) for t in (0.4 - h, 0.4, 0.4 + h)
    )
    assert (late - early) / (2 * h) == pytest.approx(-drift @ mean, abs=1e-6)
    assert (after - before) / (2 * h) == pytest.approx(
        -drift @ covariance - covariance @ drift.T + 2 * diffusion, abs=1e-6
    )


@pytest.mark.parametrize("mobility", [1.0, 0.4])
def test_dissipation_is_the_rate_at_which_the_divergence_falls(mobility):
    """T d KL/dt by central differences, against μ[(km)² + (kv − T)²/v]."""
    k, temperature, h = 1.3, 0.5, 1e-4
    start = ([2.0], [[0.1]])

    def divergence(t):
        at = linear_diffusion.moments([[mobility * k]], [[mobility * temperature]], *start, t)
        return at, float(linear_diffusion.divergence_of_gaussians(*at, [0.0], [[temperature / k]]))

    ((mean, variance), _), (_, early), (_, late) = (divergence(t) for t in (0.3, 0.3 - h, 0.3 + h))
    exact = linear_diffusion.dissipation_of_a_gaussian(
        float(mean[0]), float(variance[0, 0]), stiffness=k, temperature=temperature, mobility=mobility
    )
    assert -temperature * (late - early) / (2 * h) == pytest.approx(float(exact), rel=1e-6)


def test_divergence_by_quadrature():
    x = np.linspace(-12, 12, 4001)
    p, q = (np.exp(-((x - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v) for m, v in ((0.7, 0.4), (-0.2, 1.1)))
    exact = np.sum(p * np.log(p / q)) * (x[1] - x[0])
    assert float(linear_diffusion.divergence_of_gaussians([0.7], [[0.4]], [-0.2], [[1.1]])) == pytest.approx(exact)


def test_what_has_no_steady_state_is_refused():
    with pytest.raises(TheoryError, match="no steady state"):
        linear_diffusion.stationary_covariance([[-1.0]], [[1.0]])
    with pytest.raises(TheoryError, match="positive definite"):
        linear_diffusion.entropy_production_rate(np.eye(2), [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(TheoryError, match="no minimum"):
        linear_diffusion.gyrator_entropy_production(1.5, (1.0, 2.0))
