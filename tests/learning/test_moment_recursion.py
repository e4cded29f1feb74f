"""Exact moments of SGD against closed forms, sums over all minibatches, and the chain on a grid."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import brentq

import fpsolver as fp
from fpsolver.errors import DensityError, DynamicsError, InputError, MethodError
from fpsolver.learning import (
    GaussianInputs,
    mean_square_learning_rate,
    mean_square_radius,
    moments,
    regression_recursion,
    stationary_moments,
)

RNG = np.random.default_rng(8)
X = RNG.standard_normal((4, 2))
Y = X @ np.array([1.0, -2.0]) + RNG.standard_normal(4)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_stationary_variance_of_the_heavy_ball(momentum):
    h, c, eta = 1.7, 0.6, 0.1
    sgd = fp.SGD(fp.landscapes.quadratic(h), eta, fp.GaussianNoise(c, batch_size=3), momentum=momentum)
    expected = eta * c / 3 * (1 + momentum) / (h * (1 - momentum) * (2 * (1 + momentum) - eta * h))
    assert stationary_moments(sgd).covariance[0, 0] == pytest.approx(expected, rel=1e-12)


def test_stationary_covariance_solves_its_equation_where_noise_and_hessian_do_not_commute():
    h, c, eta = np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.0, -0.4], [-0.4, 0.7]]), 0.4
    s = stationary_moments(fp.SGD(fp.landscapes.quadratic(h), eta, fp.GaussianNoise(c))).covariance
    np.testing.assert_allclose(h @ s + s @ h - eta * h @ s @ h, eta * c, rtol=1e-13)


@pytest.mark.parametrize("nesterov", [False, True])
def test_yaida_relation_of_the_stationary_state(nesterov):
    # The second moment of the position is stationary: 0 = E|θ + v'|² − E|θ|² = 2 E θ·v' + E|v'|².
    sgd = fp.SGD(
        fp.landscapes.quadratic([2.0, 0.5]), 0.3, fp.GaussianNoise([1.0, 2.0]), momentum=0.6, nesterov=nesterov
    )
    state = stationary_moments(sgd).state_covariance
    position, cross, velocity = state[:2, :2], state[:2, 2:], state[2:, 2:]
    # cross holds E θ' v' = E (θ + v')v'.
    np.testing.assert_allclose(2.0 * np.trace(cross), np.trace(velocity), rtol=1e-12)
    assert np.all(np.linalg.eigvalsh(position) > 0.0)


def test_variance_after_some_steps_of_a_shifted_quadratic_with_weight_decay():
    eta, decay, c = 0.2, 0.5, 0.3
    sgd = fp.SGD(fp.Landscape("(x - 1)**2"), eta, fp.GaussianNoise(c), weight_decay=decay)
    after = moments(sgd, [0, 1, 7], mean=[3.0], covariance=[[0.2]])
    factor, centre = 1.0 - eta * (2.0 + decay), 2.0 / (2.0 + decay)
    steps = np.array([0, 1, 7])
    np.testing.assert_allclose(after.mean[:, 0], centre + factor**steps * (3.0 - centre), rtol=1e-13)
    grown = factor ** (2 * steps)
    np.testing.assert_allclose(
        after.covariance[:, 0, 0], grown * 0.2 + eta**2 * c * (1 - grown) / (1 - factor**2), rtol=1e-13
    )


def test_a_driven_learning_rate():
    sgd = fp.SGD(
        fp.Landscape("x**2/2"), 0.1, fp.GaussianNoise(1.0), protocol={"learning_rate": fp.Protocol("1/(2 + t)")}
    )
    variance = 0.3
    for n in range(5):
        eta = 1.0 / (2.0 + n)
        variance = (1 - eta) ** 2 * variance + eta**2
    assert moments(sgd, 5, mean=[0.0], covariance=[[0.3]]).covariance[0, 0] == pytest.approx(variance, rel=1e-13)


def all_batches(size, replacement):
    return list(product(range(4), repeat=size)) if replacement else list(combinations(range(4), size))


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("keywords", [{}, {"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}])
def test_two_steps_of_minibatches_are_the_sum_over_all_of_them(replacement, keywords):
    eta, theta0, ridge = 0.15, np.array([0.4, 1.0]), 0.2
    risk = fp.landscapes.linear_regression(X, Y, ridge=ridge, intercept=False)
    batches, finals = all_batches(2, replacement), []
    beta, c = keywords.get("momentum", 0.0), keywords.get("momentum", 0.0) * keywords.get("nesterov", False)
    for pair in product(batches, repeat=2):
        theta, velocity = theta0, np.zeros(2)
        for batch in map(list, pair):
            at = theta + c * velocity
            gradient = X[batch].T @ (X[batch] @ at - Y[batch]) / 2 + (ridge + 0.1) * at
            velocity = beta * velocity - eta * gradient
            theta = theta + velocity
        finals.append(theta)
    finals = np.array(finals)
    sgd = fp.SGD(risk, eta, fp.MinibatchNoise(2, replacement), weight_decay=0.1, **keywords)
    result = moments(sgd, 2, mean=theta0)
    np.testing.assert_allclose(result.mean, finals.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(result.covariance, np.cov(finals.T, bias=True), rtol=1e-10, atol=1e-14)


def test_stationary_moments_of_minibatches_are_where_the_recursion_ends():
    risk = fp.landscapes.linear_regression(X, Y, intercept=False)
    sgd = fp.SGD(risk, 0.1, fp.MinibatchNoise(1), momentum=0.3)
    late = moments(sgd, 2000, mean=[0.0, 0.0])
    stationary = stationary_moments(sgd)
    np.testing.assert_allclose(late.covariance, stationary.covariance, rtol=1e-10)
    np.testing.assert_allclose(stationary.mean, np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-12)


def test_the_whole_data_set_without_replacement_has_no_noise():
    risk = fp.landscapes.linear_regression(X, Y, intercept=False)
    covariance = moments(fp.SGD(risk, 0.1, fp.MinibatchNoise(4, False)), 5, mean=[1.0, 1.0]).covariance
    assert np.abs(covariance).max() < 1e-15


def test_grid_and_recursion_agree_on_the_variance():
    sgd = fp.SGD(fp.Landscape("x**2/2"), 0.4, fp.GaussianNoise(0.5, batch_size=2))
    p = fp.stationary(fp.generator(sgd, fp.Grid(x=(-2, 2, 80))))
    variance = float(p.values * p.grid.volumes @ p.grid.axes[0].centres ** 2)
    # Sums over cell centres of a density as smooth as this one are integrals but for rounding and the cut tails.
    assert stationary_moments(sgd).covariance[0, 0] == pytest.approx(variance, rel=1e-8)


@pytest.mark.parametrize(("a", "batch"), [([1.0], 1), ([1.0], 32), (np.ones(10), 1), (1 / np.arange(1, 5), 4)])
def test_mean_square_threshold_with_normal_inputs(a, batch):
    a = np.asarray(a)

    def condition(eta):
        return eta / batch * np.sum(a / (2.0 - eta * a * (1.0 + 1.0 / batch))) - 1.0

    expected = brentq(condition, 1e-6, 2.0 / (a.max() * (1.0 + 1.0 / batch)) * (1.0 - 1e-9), xtol=1e-14)
    threshold = mean_square_learning_rate(GaussianInputs(a), batch)
    assert abs(threshold.value - expected) <= 2.0 * threshold.error + 1e-13


@pytest.mark.parametrize("batch", [1, 5])
def test_mean_square_threshold_of_the_heavy_ball_on_a_line(batch):
    # Jury's conditions of the 3 × 3 map of ⟨δ²⟩, ⟨δv⟩, ⟨v²⟩ with curvature of variance 2/S.
    momentum = 0.7
    expected = 2 * (1 - momentum**2) / (2 / batch * (1 + momentum) + 1 - momentum)
    threshold = mean_square_learning_rate(GaussianInputs(1.0), batch, momentum=momentum)
    assert threshold.value == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("n", [2, 5])
def test_orthogonal_examples(n):
    features = np.sqrt(n) * np.eye(n)
    assert mean_square_learning_rate(features, 1).value == pytest.approx(2.0 / n, rel=1e-11)
    assert mean_square_learning_rate(features, n, replacement=False).value == pytest.approx(2.0, rel=1e-11)


def test_a_large_batch_is_gradient_descent_and_smaller_ones_are_less_stable():
    thresholds = [mean_square_learning_rate(X, size, replacement=False).value for size in (1, 2, 3, 4)]
    assert np.all(np.diff(thresholds) > 0.0)
    assert thresholds[-1] == pytest.approx(2.0 / np.linalg.eigvalsh(X.T @ X / 4)[-1], rel=1e-11)


def test_radius_from_the_matrix_and_from_iteration_agree():
    recursion = regression_recursion(GaussianInputs(1 / np.arange(1, 13), 0.5), 0.2, 2, momentum=0.2)
    assert recursion.radius == pytest.approx(recursion._leading_eigenvalue(), rel=1e-10)
    covariance = recursion.stationary()
    _, after = recursion.advance(np.zeros(24), covariance)
    np.testing.assert_allclose(after, covariance, rtol=1e-10, atol=1e-13)


def test_label_noise_on_a_line():
    recursion = regression_recursion(GaussianInputs(1.0, label_variance=1.0), 0.2, 4)
    assert recursion.stationary()[0, 0] == pytest.approx(0.2 / 4 / (2 - 0.2 * (1 + 2 / 4)), rel=1e-13)


def test_flat_directions_do_not_count():
    assert mean_square_radius(GaussianInputs([1.0, 0.0]), 0.5, 1) == pytest.approx(0.75, rel=1e-12)
    assert mean_square_learning_rate([[1.0, 1.0]], 1).value == pytest.approx(1.0, rel=1e-11)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: moments(fp.SGD(fp.Landscape("x**4"), 0.1), 3, mean=[1.0]), MethodError, "not quadratic"),
        (
            lambda: stationary_moments(fp.SGD(fp.Landscape("x**2"), 0.1, fp.GaussianNoise("x**2"))),
            MethodError,
            "depends on θ",
        ),
        (lambda: stationary_moments(fp.SGD(fp.Landscape("x**2"), 1.1, fp.GaussianNoise(1.0))), MethodError, "grow"),
        (lambda: moments(fp.SGD(fp.Landscape("x"), 0.1), 3, mean=[1.0]), MethodError, "flat direction"),
        (lambda: moments(fp.SGD(fp.Landscape("x**2"), 0.1), 3, mean=[1.0, 2.0]), DensityError, "mean"),
        (lambda: moments(fp.SGD(fp.Landscape("x**2"), 0.1), [3, 1], mean=[1.0]), DynamicsError, "ascend"),
        (lambda: moments(fp.Langevin(fp.Landscape("x**2"), 1.0), 3, mean=[1.0]), MethodError, "fp.SGD"),
        (lambda: mean_square_learning_rate(GaussianInputs(1.0), 0), DynamicsError, "batch_size"),
        (lambda: mean_square_learning_rate(GaussianInputs(1.0), "2"), DynamicsError, "batch_size"),
        (lambda: mean_square_learning_rate(GaussianInputs(1.0), 1, replacement=False), DynamicsError, "endless"),
        (lambda: mean_square_learning_rate(X, 5, replacement=False), DynamicsError, "exceeds"),
        (lambda: GaussianInputs([[1.0, 2.0], [2.0, 1.0]]), InputError, "negative eigenvalue"),
        (lambda: mean_square_learning_rate(np.zeros((2, 2)), 1), MethodError, "vanishes"),
    ],
)
def test_what_has_no_closed_moments_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_is_no_regression_is_shown():
    with pytest.raises(InputError, match="inputs are features"):
        fp.learning.mean_square_learning_rate(fp.Landscape("x**2/2"), batch_size=1)
