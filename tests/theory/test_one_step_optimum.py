"""Best steps: closed forms against searches over the mean loss after a step, and over quadrature of ρΔL."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from fpsolver.errors import TheoryError
from fpsolver.theory import one_step_optimum as optimum
from fpsolver.theory.quadratic_reactions import loss_flow

SYSTEM = ([1.0, 2.0], np.diag([1.0, 3.0]), np.diag([4.0, 1.0]))


def test_reference_values():
    assert float(optimum.learning_rate(*SYSTEM, batch_size=2)) == pytest.approx(0.30303030303030304, rel=1e-14)
    assert float(optimum.learning_rate(*SYSTEM, batch_size=1e15)) == pytest.approx(0.38461538461538464, rel=1e-12)
    assert float(optimum.noise_scale(*SYSTEM)) == pytest.approx(0.5384615384615384, rel=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 50))
def test_the_best_learning_rate_minimises_the_loss(seed, batch):
    rng = np.random.default_rng(seed)
    g, a, b = rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    h, c = a @ a.T, b @ b.T
    best = optimum.learning_rate(g, h, c, batch_size=batch)
    scale = float(best)

    def change(eta):
        return float(optimum.loss_change(g, h, c, batch_size=batch, learning_rate=eta))

    for nearby in (0.9 * scale, 1.1 * scale):
        assert change(nearby) > change(scale)
    full = float(g @ g) ** 2 / (2.0 * float(g @ h @ g))
    share = 1.0 + float(optimum.noise_scale(g, h, c)) / batch
    assert change(scale) == pytest.approx(-full / share, rel=1e-10)
    assert scale == pytest.approx(float(g @ g) / float(g @ h @ g) / share, rel=1e-10)


def test_the_change_of_the_loss_is_the_mean_over_steps():
    """Two-dimensional Gauss–Hermite quadrature of L after a noisy step, exact for a quadratic."""
    g, h, c = np.array(SYSTEM[0]), SYSTEM[1], SYSTEM[2]
    u, w = np.polynomial.hermite_e.hermegauss(3)
    change = 0.0
    for i in range(3):
        for j in range(3):
            update = -0.2 * (g + np.sqrt(np.diag(c) / 2.0) * np.array([u[i], u[j]]))
            change += w[i] * w[j] / w.sum() ** 2 * float(g @ update + 0.5 * update @ h @ update)
    assert float(optimum.loss_change(*SYSTEM, batch_size=2, learning_rate=0.2)) == pytest.approx(change, rel=1e-13)


def test_with_the_written_sign_the_best_is_the_worst():
    assert float(optimum.learning_rate_as_written(*SYSTEM, batch_size=2, largest=1.0)) == 1.0
    assert float(optimum.learning_rate_as_written(*SYSTEM, batch_size=2, largest=0.1)) == 0.0
    assert float(optimum.learning_rate(*SYSTEM, batch_size=2, largest=0.1)) == 0.1
    for form in (optimum.learning_rate, optimum.learning_rate_as_written):
        with pytest.raises(TheoryError, match="give largest="):
            form([1.0], [[0.0]], [[1.0]], batch_size=1)


@pytest.mark.parametrize(("law", "share"), [("half", 0.5), ("arrhenius", 1.0)])
@pytest.mark.parametrize("gradient", [1.5, 3.0])
def test_the_best_scale_of_proposals(law, share, gradient):
    t, h = 0.5, 1.0

    def velocity(s):
        def integrand(u):
            change = gradient * s * u + 0.5 * h * (s * u) ** 2
            return change * math.exp(-0.5 * u * u - share * change / t) / math.sqrt(2 * math.pi)

        return quad(integrand, -12.0, 12.0, epsabs=0.0, epsrel=1e-12, limit=400)[0]

    best = float(optimum.proposal_scale(gradient, h, temperature=t, law=law))
    found = minimize_scalar(velocity, bounds=(0.3 * best, 3 * best), method="bounded", options={"xatol": 1e-9})
    assert best == pytest.approx(found.x, rel=1e-6)  # the square root of rounding and quadrature
    capped = optimum.proposal_scale(gradient, h, temperature=t, law=law, largest=0.5 * best)
    assert float(capped) == pytest.approx(0.5 * best, rel=1e-12)


def test_close_to_the_minimum_no_scale_lowers_the_loss():
    """To leading order ∫ρΔL = As²(h/2 − cg²/T), which changes sign at g² = hT/2c = 1/2."""
    edge = math.sqrt(0.5)
    assert float(optimum.proposal_scale(edge * 1.01, 1.0, temperature=0.5)) > 0.0
    with pytest.raises(TheoryError, match="no scale lowers"):
        optimum.proposal_scale(edge * 0.999, 1.0, temperature=0.5)


def test_a_stiff_direction_saturates():
    """In the plane short updates may raise the loss, c|g|²/T < tr H/2, and longer ones lower it."""
    gradient, hessian = np.array([0.0, 1.5]), np.diag([10.0, 0.1])
    numbers = {"temperature": 0.5}
    best = float(optimum.proposal_scale(gradient, hessian, **numbers))
    assert float(loss_flow(gradient, hessian, scale=0.01, **numbers)) > 0.0
    lowest = float(loss_flow(gradient, hessian, scale=best, **numbers))
    assert lowest < 0.0
    for factor in (0.9, 1.1):
        assert float(loss_flow(gradient, hessian, scale=factor * best, **numbers)) > lowest


def test_no_scale_is_the_best_on_a_linear_loss():
    with pytest.raises(TheoryError, match="ever faster"):
        optimum.proposal_scale(1.0, 0.0, temperature=0.5)
    with pytest.raises(TheoryError, match="matrices"):
        optimum.learning_rate([1.0, 2.0], [[1.0]], [[1.0]], batch_size=1)
