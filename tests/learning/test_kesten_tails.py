"""Tails of stationary SGD: growth of moments against exact ones, Kesten's index against quadrature, Hill's estimate.

Statistical comparisons are in standard errors, as in test_random_products.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import fpsolver as fp
from fpsolver.errors import InputError, MethodError
from fpsolver.learning import (
    GaussianInputs,
    hill_tail_index,
    mean_square_learning_rate,
    mean_square_radius,
    moment_growth,
    stationary_moments,
    stationary_weights,
    tail_index,
)

SIGMAS = 4.5
RESOLVED = 0.25
"""Share of a value that its whole margin may take: with wider bars anything would pass."""
X = np.random.default_rng(8).standard_normal((4, 2))


def kesten_on_a_line(eta):
    """Root of E|1 − ηz²|^κ = 1."""

    def excess(kappa):
        kink = 1.0 / np.sqrt(eta)
        return (
            sum(
                quad(lambda z: abs(1 - eta * z * z) ** kappa * np.exp(-z * z / 2), a, b, epsabs=1e-12)[0]
                for a, b in ((0.0, kink), (kink, 12.0))
            )
            / np.sqrt(np.pi / 2.0)
            - 1.0
        )

    return brentq(excess, 0.5, 8.0)


@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_index_on_a_line(eta):
    index = tail_index(GaussianInputs(1.0), eta, 1, clones=4000, steps=50, seed=1)
    assert abs(index.value - kesten_on_a_line(eta)) < SIGMAS * index.error < RESOLVED * index.value


@pytest.mark.parametrize(
    "keywords", [{}, {"momentum": 0.4}, {"momentum": 0.4, "nesterov": True}, {"weight_decay": 0.3}]
)
def test_second_moments_grow_as_the_exact_recursion_says(keywords):
    measured = moment_growth(X, 0.3, 1, 2.0, clones=1600, steps=60, seed=2, **keywords)
    assert abs(measured.value - np.log(mean_square_radius(X, 0.3, 1, **keywords))) < SIGMAS * measured.error


def test_index_is_two_at_the_mean_square_threshold():
    inputs = GaussianInputs([1.0, 0.4])
    rate = mean_square_learning_rate(inputs, 1, momentum=0.3).value
    index = tail_index(inputs, rate, 1, momentum=0.3, clones=1600, steps=60, seed=5)
    assert abs(index.value - 2.0) < SIGMAS * index.error < RESOLVED * index.value


def test_weights_of_a_data_set_have_the_exact_stationary_covariance():
    risk = fp.landscapes.linear_regression(X, [1.0, 0.0, -1.0, 2.0], ridge=0.3, intercept=False)
    sgd = fp.SGD(risk, 0.1, fp.MinibatchNoise(2, replacement=False), momentum=0.3)
    weights = stationary_weights(risk, 0.1, 2, replacement=False, momentum=0.3, chains=8000, steps=150, seed=1)
    second = np.einsum("ni,nj->nij", weights, weights)
    error = second.std(axis=0) / np.sqrt(len(weights))
    assert np.all(np.abs(second.mean(axis=0) - stationary_moments(sgd).covariance) < SIGMAS * error)


def test_weights_keep_their_coordinates_where_directions_are_flat():
    # The second input never varies; the first and third are one, so that they share what they learn.
    features = np.array([[1.0, 0.0, 1.0], [2.0, 0.0, 2.0], [-1.0, 0.0, -1.0]])
    risk = fp.landscapes.linear_regression(features, [1.0, 0.0, 2.0], intercept=False)
    weights = stationary_weights(risk, 0.05, 1, chains=10, steps=20)
    assert weights.shape == (10, 3) and np.abs(weights[:, 0]).min() > 0.0
    np.testing.assert_allclose(weights[:, 1], 0.0, atol=1e-15)
    np.testing.assert_allclose(weights[:, 2], weights[:, 0], rtol=1e-12)


def test_hill_sees_the_tail_of_the_weights():
    weights = stationary_weights(GaussianInputs(1.0, label_variance=1.0), 1.0, 1, chains=40_000, steps=60, seed=4)
    estimate = hill_tail_index(weights)
    # E|m|^κ at κ = 1.09: memory is lost at the rate of the Lyapunov exponent, −0.35 a step.
    assert abs(estimate.value - kesten_on_a_line(1.0)) < SIGMAS * estimate.error


def test_hill_on_an_exact_power_law():
    samples = np.random.default_rng(3).pareto(2.5, 20_000) + 1.0
    for largest in (100, 2000, 19_999):
        estimate = hill_tail_index(samples, largest)
        assert abs(estimate.value - 2.5) < SIGMAS * estimate.error
        assert estimate.error == pytest.approx(estimate.value / np.sqrt(largest), rel=1e-12)  # that of Hill's estimate


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tail_index([[1.0], [0.5]], 0.5, 1, clones=32, steps=5), MethodError, "no power-law tail"),
        (lambda: tail_index(GaussianInputs(1.0), 4.0, 1, clones=3200, steps=20), MethodError, "nothing is stationary"),
        (lambda: stationary_weights(X, 0.1, 1, chains=10, steps=3), MethodError, "agree at the minimum"),
        (lambda: hill_tail_index([1.0, 2.0], 5), InputError, "largest"),
        (lambda: hill_tail_index(np.zeros(10), 5), InputError, "zeros"),
    ],
)
def test_what_has_no_tail_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
