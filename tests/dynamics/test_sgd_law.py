"""SGD as a law of motion: what its noise is, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DynamicsError

X = np.array([[1.0, 0.5], [-0.3, 2.0], [0.7, -1.0], [2.0, 0.1], [0.4, 0.4]])
RISK = fp.landscapes.linear_regression(X, [1.0, 2.0, -1.0, 0.5, 0.0], intercept=False)


def _covariance_by_enumeration(theta: list[float], size: int, replacement: bool) -> np.ndarray:
    from itertools import combinations, product

    gradients = RISK.per_example_gradients(theta)
    draws = product(range(5), repeat=size) if replacement else combinations(range(5), size)
    means = np.array([gradients[list(draw)].mean(axis=0) for draw in draws])
    return np.cov(means.T, bias=True)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_minibatch_covariance_is_that_of_all_batches(size: int, replacement: bool) -> None:
    sgd = fp.SGD(RISK, learning_rate=0.1, noise=fp.MinibatchNoise(size, replacement))
    theta = [0.3, -0.7]
    expected = _covariance_by_enumeration(theta, size, replacement)
    np.testing.assert_allclose(sgd.noise_covariance(theta), expected, rtol=1e-12, atol=1e-14)


def test_the_whole_data_set_without_replacement_has_no_noise() -> None:
    sgd = fp.SGD(RISK, learning_rate=0.1, noise=fp.MinibatchNoise(5, replacement=False))
    np.testing.assert_allclose(sgd.noise_covariance([1.0, 1.0]), 0.0, atol=1e-15)


def test_gaussian_noise_takes_scalars_vectors_matrices_and_expressions() -> None:
    landscape = fp.Landscape("x**2/2 + y**2")
    theta = np.array([[1.0, 2.0], [0.0, 1.0]])
    for given, expected in (
        (2.0, np.diag([2.0, 2.0])),
        ([1.0, 3.0], np.diag([1.0, 3.0])),
        ([[1.0, 0.5], [0.5, 1.0]], [[1.0, 0.5], [0.5, 1.0]]),
        (["x", "y"], np.diag([1.0, 2.0])),
    ):
        sgd = fp.SGD(landscape, learning_rate=0.1, noise=fp.GaussianNoise(given, batch_size=4))
        np.testing.assert_allclose(sgd.noise_covariance(theta)[0], np.asarray(expected) / 4.0)


def test_weight_decay_is_the_gradient_of_a_penalty() -> None:
    sgd = fp.SGD(fp.Landscape("x**4"), learning_rate=0.1, weight_decay=0.5)
    assert sgd.descent([2.0]).tolist() == [33.0]


def test_schedules_freeze_at_a_step() -> None:
    noise = fp.GaussianNoise(1.0, batch_size=8)
    schedule = {"learning_rate": fp.Protocol("0.1/(1 + t)"), "batch_size": fp.Protocol("8 + t")}
    frozen = fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, noise=noise, protocol=schedule).at(4.0)
    assert (frozen.learning_rate, frozen.batch_size) == (pytest.approx(0.02), 12.0)
    assert not frozen.driven


def test_a_learning_rate_may_fade_to_nothing() -> None:
    cosine = fp.Protocol("0.05*(1 + cos(pi*t/10))")
    sgd = fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, protocol={"learning_rate": cosine})
    assert sgd.at(10.0).learning_rate == pytest.approx(0.0, abs=1e-17)
    ensemble = fp.simulate(sgd, 3, [1.0], t_final=10, seed=1, observe=[fp.Moments("x", "loss")])
    steps = np.prod([1.0 - 0.1 * (1.0 + np.cos(np.pi * k / 10)) for k in range(10)])
    assert ensemble.final[0, 0] == pytest.approx(steps, rel=1e-12)


def test_a_momentum_that_passes_through_zero_freezes_there() -> None:
    fading = fp.Protocol.ramp(0.9, 0.0, duration=10.0)
    sgd = fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, nesterov=True, protocol={"momentum": fading})
    assert [sgd.at(step).momentum for step in (0.0, 10.0)] == [0.9, 0.0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=-0.1), "learning_rate = -0.1"),
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, momentum=1.0), "below 1"),
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, noise=fp.MinibatchNoise(2)), "need examples"),
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, noise=1.0), "is none"),
        (lambda: fp.SGD(RISK, learning_rate=0.1, noise=fp.MinibatchNoise(6, False)), "exceeds the 5 examples"),
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, nesterov="yes"), "nesterov"),
        (lambda: fp.MinibatchNoise(1.5), "whole number"),
        (lambda: fp.MinibatchNoise(np.inf), "whole number"),
        (lambda: fp.GaussianNoise(1.0, 0), "batch_size = 0"),
        (lambda: fp.SGD(fp.Landscape("x**2"), learning_rate=0.1, noise=fp.GaussianNoise(-1.0)), "must not be negative"),
    ],
)
def test_what_does_not_fit_is_refused(make, words: str) -> None:
    with pytest.raises(DynamicsError, match=words):
        make()
