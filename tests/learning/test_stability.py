"""Critical learning rates by bisection, against thresholds derived by hand and against runs of the optimisers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import DynamicsError, InputError, MethodError
from fpsolver.learning import critical_learning_rate, critical_momentum, spectral_radius, update_map

THRESHOLDS = {
    "gradient descent": ({}, 2.0),
    "heavy ball": ({"momentum": 0.9}, 3.8),
    "Nesterov": ({"momentum": 0.9, "nesterov": True}, 3.8 / 2.8),
    "Adam": ({"momentum": 0.9, "averaging": True}, 38.0),
    "weight decay": ({"weight_decay": 0.25}, 1.6),
}


@pytest.mark.parametrize("optimiser", THRESHOLDS)
def test_thresholds_on_unit_curvature(optimiser):
    keywords, expected = THRESHOLDS[optimiser]
    threshold = critical_learning_rate(1.0, **keywords)
    assert abs(threshold.value - expected) <= 2.0 * threshold.error
    assert threshold.error < 1e-10 * expected


def test_preconditioner_decides_which_direction_is_the_sharpest():
    hessian, diagonal = np.diag([4.0, 1.0]), np.array([8.0, 0.5])
    threshold = critical_learning_rate(hessian, preconditioner=diagonal, momentum=0.9, averaging=True)
    assert threshold.value == pytest.approx(38.0 / 2.0, rel=1e-11)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 5), st.floats(0.0, 0.95), st.booleans(), st.integers(0, 10**6))
def test_only_the_sharpest_direction_counts(d, momentum, nesterov, seed):
    factor = np.random.default_rng(seed).standard_normal((d, d + 1))
    hessian = factor @ factor.T
    keywords = {"momentum": momentum, "nesterov": nesterov}
    whole = critical_learning_rate(hessian, **keywords)
    sharpest = critical_learning_rate(np.linalg.eigvalsh(hessian)[-1], **keywords)
    assert whole.value == pytest.approx(sharpest.value, rel=1e-10)


@pytest.mark.parametrize(("keywords", "c"), [({"momentum": 0.8}, 0.0), ({"momentum": 0.8, "nesterov": True}, 0.8)])
def test_map_is_the_optimiser_step_by_step(keywords, c):
    hessian, eta = np.array([[2.0, 0.5], [0.5, 1.0]]), 0.3
    theta = previous = np.array([1.0, -0.7])
    state = np.concatenate([theta, np.zeros(2)])
    step = update_map(hessian, eta, **keywords)
    for _ in range(5):
        ahead = theta + c * (theta - previous)
        theta, previous = theta + 0.8 * (theta - previous) - eta * hessian @ ahead, theta
        state = step @ state
    np.testing.assert_allclose(state, np.concatenate([theta, theta - previous]), rtol=1e-13)


def test_flat_directions_are_left_out():
    assert critical_learning_rate([3.0, 0.0, 0.0], momentum=0.5).value == pytest.approx(1.0, rel=1e-11)


def test_stiff_minima():
    # The slow direction contracts by 1e-9 a step, far above the rounding that the bisection allows for.
    assert critical_learning_rate([1.0, 1e-9], momentum=0.99).value == pytest.approx(3.98, rel=1e-10)


def test_critical_damping_of_one_direction_and_the_best_compromise_of_two():
    best = critical_momentum(1.0, 0.04)
    assert abs(best.value - 0.64) <= best.error + 1e-12
    assert best.radius == pytest.approx(0.8, rel=1e-7)
    # The slowest direction decides while the others are underdamped.
    two = critical_momentum([1.0, 0.1], 0.4)
    assert two.value == pytest.approx((1.0 - np.sqrt(0.04)) ** 2, abs=1e-10)


def test_radius_on_either_side_of_critical_damping():
    best = critical_momentum(1.0, 0.04).value
    radii = [spectral_radius(update_map(1.0, 0.04, momentum=best + shift)) for shift in (-0.01, 0.0, 0.01)]
    assert radii[0] > radii[1] < radii[2]
    assert radii[2] == pytest.approx(np.sqrt(best + 0.01), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: critical_learning_rate([1.0, -0.1]), MethodError, "saddle"),
        (lambda: critical_learning_rate([0.0]), MethodError, "flat"),
        (lambda: critical_learning_rate(1.0, momentum=1.0), DynamicsError, "below 1"),
        (lambda: critical_learning_rate([[1.0, 1.0], [0.0, 1.0]]), InputError, "symmetric"),
        (lambda: update_map(1.0, -0.1), DynamicsError, "learning_rate"),
        (lambda: update_map([1.0, 2.0], 0.1, preconditioner=[1.0, 1.0, 1.0]), InputError, "preconditioner"),
        (lambda: critical_momentum(1.0, 4.5), MethodError, "whatever the momentum"),
    ],
)
def test_inadmissible_values_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_searches_end_at_the_rounding_of_numbers():
    assert critical_learning_rate(1.0, tolerance=0.0).value == pytest.approx(2.0, rel=1e-12)
    assert critical_momentum(1.0, 0.04, tolerance=0.0).value == pytest.approx(0.64, abs=1e-7)


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="momentm"):
        critical_learning_rate(1.0, momentm=0.9)


@pytest.mark.parametrize("given", ["a", None, [[1.0], [1.0, 2.0]]])
def test_what_is_no_hessian_is_shown(given):
    with pytest.raises(InputError, match="a symmetric matrix, its diagonal or a number is needed"):
        critical_learning_rate(given)
