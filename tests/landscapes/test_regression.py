"""Empirical risks: against their definition written out example by example."""

from __future__ import annotations

import pickle

import mpmath
import numpy as np
import pytest

from fpsolver.landscapes import linear_regression, logistic_regression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(37, 2))
LABELS = (X[:, 0] + RNG.normal(size=37) > 0).astype(int)
RISKS = [
    logistic_regression(X, LABELS, ridge=0.1),
    logistic_regression(X, 2 * LABELS - 1, intercept=False),
    linear_regression(X, X[:, 1] + RNG.normal(size=37), ridge=0.2),
    linear_regression(X, RNG.normal(size=37), ridge=0.2, penalise_intercept=False),
]
KINDS = ["logistic", "logistic without intercept", "linear", "linear, bias free"]


def loss_of_one(risk, z, y):
    return (z - y) ** 2 / 2 if "squared" in repr(risk) else np.log(1 + np.exp(z)) - y * z


@pytest.mark.parametrize("risk", RISKS, ids=KINDS)
def test_value_is_the_mean_over_examples_plus_penalty(risk):
    theta = RNG.normal(size=risk.dimension)
    penalised = theta[:-1] if risk is RISKS[3] else theta
    losses = [loss_of_one(risk, x @ theta, y) for x, y in zip(risk.features, risk.targets, strict=True)]
    expected = np.mean(losses) + risk.parameters["ridge"] * np.sum(penalised**2) / 2
    assert risk.value(theta) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("risk", RISKS, ids=KINDS)
def test_derivatives_by_measured_order(risk):
    theta, direction = RNG.normal(size=(2, risk.dimension))

    def errors(h):
        ends = np.stack([theta + h * direction, theta - h * direction])
        slope = np.subtract(*risk.value(ends)) / (2 * h) - risk.gradient(theta) @ direction
        curvature = np.subtract(*risk.gradient(ends)) / (2 * h) - risk.hessian(theta) @ direction
        return abs(slope), np.abs(curvature).max()

    for coarse, fine in zip(errors(0.02), errors(0.01), strict=True):
        # Central differences are exact for the squared loss; rounding is ε/h.
        assert fine < 1e-13 or np.log2(coarse / fine) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("risk", RISKS, ids=KINDS)
def test_per_example_gradients_average_to_the_gradient_and_their_covariance_is_the_noise(risk):
    theta = RNG.normal(size=(3, 2, risk.dimension))
    gradients = risk.per_example_gradients(theta)
    assert gradients.shape == (3, 2, 37, risk.dimension)
    np.testing.assert_allclose(gradients.mean(axis=-2), risk.gradient(theta), atol=1e-14)
    brute = np.zeros((3, 2, risk.dimension, risk.dimension))
    for i in np.ndindex(3, 2):
        mean = sum(gradients[i]) / 37
        brute[i] = sum(np.outer(g - mean, g - mean) for g in gradients[i]) / 37
    np.testing.assert_allclose(risk.noise_covariance(theta), brute, atol=1e-14)


@pytest.mark.parametrize("risk", RISKS, ids=KINDS)
def test_minibatches_with_replacement_have_covariance_c1_over_b(risk):
    """All minibatches of two examples are enumerated."""
    theta = RNG.normal(size=risk.dimension)
    g = risk.per_example_gradients(theta)
    pairs = ((g[:, None] + g[None, :]) / 2).reshape(-1, risk.dimension)
    np.testing.assert_allclose(np.cov(pairs.T, bias=True), risk.noise_covariance(theta) / 2, atol=1e-14)


@pytest.mark.parametrize("risk", RISKS, ids=KINDS)
def test_compiled_functions_agree(risk):
    theta, compiled = RNG.normal(size=risk.dimension), risk.compiled
    p, gradient, hessian = compiled.parameters, np.empty(risk.dimension), np.empty((risk.dimension,) * 2)
    compiled.gradient(theta, p, gradient)
    compiled.hessian(theta, p, hessian)
    assert p[0] == risk.parameters["ridge"]
    assert compiled.value(theta, p) == pytest.approx(float(risk.value(theta)), rel=1e-13)
    np.testing.assert_allclose(gradient, risk.gradient(theta), atol=1e-14)
    np.testing.assert_allclose(hessian, risk.hessian(theta), atol=1e-14)
    compiled.example_gradient(theta, p, 5, gradient)
    np.testing.assert_allclose(gradient, risk.per_example_gradients(theta)[5], atol=1e-14)


def test_logistic_loss_keeps_its_digits_in_the_tails():
    risk = logistic_regression([[1.0], [-1.0]], [1, 0], intercept=False)
    for w in (-800.0, -40.0, 40.0, 700.0):
        with mpmath.workdps(400):
            exact = float(mpmath.log1p(mpmath.exp(-mpmath.mpf(w))))
        assert risk.value([w]) == pytest.approx(exact, rel=1e-14)
        assert risk.gradient([w])[0] == pytest.approx(-1 / (1 + np.exp(min(w, 709.0))), rel=1e-12, abs=1e-15)
        assert np.isfinite(risk.hessian([w])).all()


def test_ridge_is_a_parameter_and_identity_is_by_content():
    risk = RISKS[0]
    assert risk.variables == ("w1", "w2", "bias")
    assert logistic_regression(X[:, 0], LABELS).variables == ("weight", "bias")
    assert logistic_regression(X[:, :1], LABELS, variables=("slope", "offset")).variables == ("slope", "offset")
    stronger = risk.with_parameters(ridge=1.0)
    assert type(stronger) is type(risk) and stronger.n_examples == 37
    np.testing.assert_allclose(stronger.hessian(np.zeros(3)) - risk.hessian(np.zeros(3)), 0.9 * np.eye(3), atol=1e-15)
    restored = pickle.loads(pickle.dumps(risk))
    assert restored == risk != stronger and type(restored) is type(risk)
    with pytest.raises(ValueError, match="read-only"):
        risk.features[0] = 0.0
    with pytest.raises(TypeError, match="logistic_regression"):
        type(risk)()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: logistic_regression(X, np.arange(37)), "two classes"),
        (lambda: logistic_regression(X, np.ones(37)), "two classes"),
        (lambda: logistic_regression(X[:5], LABELS), "shapes"),
        (lambda: linear_regression(np.zeros((0, 2)), np.zeros(0)), "are needed"),
        (lambda: linear_regression(X, np.full(37, np.nan)), "finite"),
        (lambda: linear_regression(X, X[:, 0], ridge=-1.0), "ridge"),
        (lambda: linear_regression(X, X[:, 0], ridge="a"), "ridge"),
        (lambda: linear_regression([["a"]], [1.0]), "array of numbers"),
        (lambda: linear_regression([[1.0], [1.0, 2.0]], [1.0, 2.0]), "array of numbers"),
        (lambda: linear_regression(X, X[:, 0], variables=("a", "b")), "3 different variables"),
        (lambda: linear_regression(X, X[:, 0], variables=("a", "b", "t")), "reserved"),
    ],
)
def test_bad_data(make, message):
    with pytest.raises(ValueError, match=message):
        make()
