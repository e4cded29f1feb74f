"""Stationary SGD out of equilibrium: covariance and entropy production of the chain by independent routes."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import linear_diffusion, stationary_sgd


def test_covariance_is_that_of_the_fixed_point():
    """S = ASAᵀ + η²C, and the reference numbers of Liu, Ziyin and Ueda's equation."""
    hessian, noise, eta = np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.0, -0.4], [-0.4, 0.7]]), 0.4
    s = stationary_sgd.chain_covariance(hessian, noise, learning_rate=eta)
    a = np.eye(2) - eta * hessian
    assert a @ s @ a + eta**2 * noise == pytest.approx(s, rel=1e-13)
    assert s == pytest.approx(np.array([[0.17884385428, -0.12764163168], [-0.12764163168, 0.38634040218]]), abs=1e-10)


@pytest.mark.parametrize(("eta", "expected"), [(0.1, 0.360), (0.5, 0.533)])
def test_entropy_production_by_three_routes(eta, expected):
    """The closed form, the general trace, and sampled ln P(θ→θ′)/P(θ′→θ) with its standard error."""
    hessian, noise = np.diag([1.0, 3.0]), np.array([[1.0, 0.5], [0.5, 1.0]])
    closed = float(stationary_sgd.entropy_production((1.0, 3.0), 0.5, learning_rate=eta))
    general = float(stationary_sgd.chain_entropy_production(hessian, noise, learning_rate=eta))
    assert closed == pytest.approx(expected, abs=5e-4)
    assert general == pytest.approx(closed, rel=1e-11)
    generator = np.random.default_rng(0)
    s = stationary_sgd.chain_covariance(hessian, noise, learning_rate=eta)
    here = generator.multivariate_normal([0, 0], s, 200_000)
    a = np.eye(2) - eta * hessian
    there = here @ a + eta * generator.multivariate_normal([0, 0], noise, 200_000)
    precision = np.linalg.inv(eta**2 * noise)
    forward, backward = there - here @ a, here - there @ a
    ratio = 0.5 * np.einsum("ni,ij,nj->n", backward, precision, backward)
    ratio -= 0.5 * np.einsum("ni,ij,nj->n", forward, precision, forward)
    assert ratio.mean() / eta == pytest.approx(closed, abs=4 * ratio.std() / np.sqrt(200_000) / eta)


def test_the_limit_is_that_of_linear_diffusion():
    limit = float(stationary_sgd.entropy_production_of_limit((1.0, 3.0), 0.5, learning_rate=0.1))
    diffusion = 0.5 * 0.1 * np.array([[1.0, 0.5], [0.5, 1.0]])
    general = float(linear_diffusion.entropy_production_rate(np.diag([1.0, 3.0]), diffusion))
    assert limit == pytest.approx(1 / 3, rel=1e-14)
    assert general == pytest.approx(limit, rel=1e-12)


def test_noise_that_commutes_keeps_equilibrium():
    hessian = np.array([[2.0, 0.3], [0.3, 0.5]])
    for noise in (np.eye(2), hessian, hessian @ hessian):
        assert abs(float(stationary_sgd.chain_entropy_production(hessian, noise, learning_rate=0.3))) < 1e-11


def test_unstable_chains_and_singular_noise_are_refused():
    with pytest.raises(TheoryError, match="no stationary state"):
        stationary_sgd.chain_covariance([[3.0]], [[1.0]], learning_rate=0.7)
    with pytest.raises(TheoryError, match="no stationary state"):
        stationary_sgd.entropy_production((1.0, 3.0), 0.5, learning_rate=0.7)
    with pytest.raises(TheoryError, match="correlation"):
        stationary_sgd.entropy_production((1.0, 3.0), 1.0, learning_rate=0.1)
    for noise, fault in (([[1.0]], "alike"), (np.ones((2, 2)), "positive definite")):
        with pytest.raises(TheoryError, match=fault):
            stationary_sgd.chain_entropy_production(np.diag([1.0, 3.0]), noise, learning_rate=0.1)
