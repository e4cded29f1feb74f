"""Lyapunov exponents and almost-sure thresholds on trajectories, against quadrature and finite sums.

Statistical comparisons are in standard errors: four and a half, exceeded once in 150 000 by a sound estimate.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

from fpsolver.errors import InputError, MethodError
from fpsolver.learning import (
    GaussianInputs,
    almost_sure_learning_rate,
    lyapunov_exponent,
    mean_square_learning_rate,
    spectral_radius,
    update_map,
)

SIGMAS = 4.5
RESOLVED = 0.25
"""Share of a value that its whole margin may take: with wider bars anything would pass."""


def nodes(panels=40, order=24, upper=9.0):
    x, w = np.polynomial.legendre.leggauss(order)
    half = upper / panels / 2.0
    return (half * (2 * np.arange(panels)[:, None] + 1 + x)).ravel(), np.tile(half * w, panels)


def isotropic_exponent(eta, d):
    """½ E ln[1 − 2ηz² + η²z²(z² + r²)], r² a sum of d − 1 squares; the product of isotropic inputs of one example."""
    z, w = nodes()
    wz = 2.0 * w * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    wr = w * chi2.pdf(z**2, d - 1) * 2.0 * z
    z2, r2 = z[:, None] ** 2, z**2
    return 0.5 * float(wz @ np.log(1.0 - 2.0 * eta * z2 + eta**2 * z2 * (z2 + r2)) @ wr)


@pytest.mark.parametrize("replacement", [True, False])
def test_exponent_on_a_line_is_the_mean_logarithm_over_all_batches(replacement):
    x = np.array([0.5, 1.0, 1.7])
    batches = product(x, repeat=2) if replacement else combinations(x, 2)
    expected = np.mean([np.log(abs(1.0 - 0.9 * (a**2 + b**2) / 2.0)) for a, b in batches])
    measured = lyapunov_exponent(x, 0.9, 2, replacement=replacement, chains=50, steps=200, seed=4)
    assert abs(measured.value - expected) < SIGMAS * measured.error


@pytest.mark.parametrize("d", [2, 5])
def test_exponent_of_isotropic_inputs(d):
    measured = lyapunov_exponent(GaussianInputs(np.ones(d)), 0.4, 1, chains=100, steps=200, seed=1)
    assert abs(measured.value - isotropic_exponent(0.4, d)) < SIGMAS * measured.error


@pytest.mark.parametrize("keywords", [{"momentum": 0.2}, {"momentum": 0.2, "nesterov": True}, {"weight_decay": 0.3}])
def test_without_noise_the_exponent_is_that_of_the_update_map(keywords):
    features = np.array([[1.0, 0.2], [0.3, 0.7]])
    expected = np.log(spectral_radius(update_map(features.T @ features / 2, 0.2, **keywords)))
    measured = lyapunov_exponent(features, 0.2, 2, replacement=False, chains=4, steps=400, **keywords)
    # The other directions have died out before the states are counted.
    assert measured.value == pytest.approx(expected, rel=1e-6)


def test_standard_errors_shrink_with_the_square_root_of_the_work():
    few = lyapunov_exponent(GaussianInputs(1.0), 0.5, 1, chains=400, steps=25)
    many = lyapunov_exponent(GaussianInputs(1.0), 0.5, 1, chains=400, steps=400)
    # Both are estimated from 400 trajectories, to 1/√800 each.
    assert few.error / many.error == pytest.approx(4.0, rel=4.5 / np.sqrt(400))


def test_threshold_lies_beyond_the_mean_square_one():
    inputs = GaussianInputs(np.ones(5))
    expected = brentq(isotropic_exponent, 0.3, 0.4, args=(5,))
    threshold = almost_sure_learning_rate(inputs, 1, chains=100, steps=200, seed=2)
    assert abs(threshold.value - expected) < SIGMAS * threshold.error < RESOLVED * threshold.value
    assert threshold.lower < expected < threshold.upper
    assert threshold.lower > mean_square_learning_rate(inputs, 1).value


def test_threshold_on_a_line_lies_beyond_that_of_gradient_descent():
    threshold = almost_sure_learning_rate(GaussianInputs(2.0), 1, chains=200, steps=300, seed=3)
    # E ln|1 − ηaz²| = 0 at ηa = 2.421249521.
    assert abs(threshold.value - 2.421249521 / 2.0) < SIGMAS * threshold.error < RESOLVED * threshold.value
    assert threshold.lower > 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "expected"), [(2, 2.684510), (32, 2.151049)])
def test_thresholds_of_batches_on_a_line(batch, expected):
    threshold = almost_sure_learning_rate(GaussianInputs(1.0), batch, chains=200, steps=1000)
    assert abs(threshold.value - expected) < SIGMAS * threshold.error < RESOLVED * threshold.value


def test_orthogonal_examples_are_fitted_in_finitely_many_steps():
    assert lyapunov_exponent(2.0 * np.eye(4), 0.25, 1, chains=4, steps=100).value == -np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lyapunov_exponent([[1.0]], 0.5, 1, chains=1), InputError, "chains"),
        (lambda: lyapunov_exponent([[1.0]], 0.5, 1.5), InputError, "batch_size"),
        (lambda: lyapunov_exponent([[1.0]], 0.5, 1, preconditioner=2.0), InputError, "preconditioners"),
        (lambda: lyapunov_exponent(np.zeros((2, 2)), 0.5, 1), MethodError, "vanishes"),
        (lambda: lyapunov_exponent(np.zeros((2, 2, 2)), 0.5, 1), InputError, "features"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
