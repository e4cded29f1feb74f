"""The one-step learning rate against the exact optimum, and what controllers reach in many steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import InputError
from fpsolver.learning import (
    adaptive_rate,
    controlled_descent,
    expected_progress,
    greedy_schedule,
    minimise,
    one_step_rate,
)
from fpsolver.learning.moment_recursion import moments
from fpsolver.theory import one_step_optimum


def test_reference_value() -> None:
    """G = (1, 2), H = diag(1, 3), Σ₁ = diag(4, 1), B = 2, computed independently."""
    noise = np.diag([4.0, 1.0]) / 2.0
    assert float(one_step_rate([1.0, 2.0], np.diag([1.0, 3.0]), noise)) == pytest.approx(0.30303030303030304, rel=1e-14)


@given(st.integers(0, 1000))
def test_best_of_random_quadratics(seed: int) -> None:
    """The maximum of the expected progress, found by search, and from Hessian-vector products."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    root, spread = rng.normal(size=(d, d)), rng.normal(size=(d, d))
    hessian, noise, gradient = root @ root.T + 0.1 * np.eye(d), spread @ spread.T, rng.normal(size=d)
    eta = float(one_step_rate(gradient, hessian, noise))
    assert eta == pytest.approx(float(one_step_rate(gradient, lambda v: v @ hessian, noise)), rel=1e-12)
    assert eta == pytest.approx(
        float(one_step_optimum.learning_rate(gradient, hessian, noise, batch_size=1)), rel=1e-12
    )
    found = minimise(lambda rate: -float(expected_progress(gradient, hessian, noise, rate)), (eta / 30.0, eta * 30.0))
    # A parabola is flat to rounding within about √ε of its top.
    assert found.argument == pytest.approx(eta, rel=1e-5)


def test_progress_of_a_step() -> None:
    """Against ⟨L⟩ after one step of the exact recursion of moments."""
    hessian, noise, start, eta = np.diag([1.0, 3.0]), np.array([[1.0, 0.3], [0.3, 2.0]]), np.array([0.7, -1.1]), 0.2
    sgd = fp.SGD(fp.Landscape("x**2/2 + 3*y**2/2"), learning_rate=eta, noise=fp.GaussianNoise(noise))
    after = moments(sgd, 1, mean=start, covariance=np.zeros((2, 2)))
    loss = 0.5 * (after.mean @ hessian @ after.mean + np.trace(hessian @ after.covariance))
    gain = float(expected_progress(hessian @ start, hessian, noise, eta))
    assert 0.5 * start @ hessian @ start - loss == pytest.approx(gain, rel=1e-13)


def test_floor_and_ceiling() -> None:
    """Exploration keeps the temperature; a landscape that curves down takes the largest rate, or is refused."""
    noise, hessian = 2.0 * np.eye(2), np.eye(2)
    eta = one_step_rate([0.0, 0.0], hessian, noise, exploration_temperature=0.05)
    assert float(eta) / 2.0 * np.trace(noise) / 2.0 == pytest.approx(0.05)
    assert float(one_step_rate([1.0, 0.0], -hessian, noise, largest=0.5)) == 0.5
    with pytest.raises(InputError, match="give largest="):
        one_step_rate([1.0, 0.0], -hessian, noise)
    with pytest.raises(InputError, match="needs noise"):
        one_step_rate([1.0, 0.0], hessian, 0.0 * noise, exploration_temperature=0.1)
    with pytest.raises(InputError, match="does not go with"):
        one_step_rate([1.0, 0.0, 2.0], hessian, noise)


def test_greedy_schedule_is_the_best_in_one_dimension() -> None:
    """From stationary noise η → 1/n, and no schedule of five rates found by search is better."""
    from scipy.optimize import minimize

    schedule = greedy_schedule([[2.0]], [[0.7]], [[1.3]], 5)

    def last(rates: np.ndarray) -> float:
        moment = 1.3
        for eta in rates:
            moment = (1.0 - 2.0 * eta) ** 2 * moment + 0.7 * eta**2
        return moment

    found = minimize(last, np.full(5, 0.2), method="BFGS", options={"gtol": 1e-12})
    assert schedule.losses[-1] == pytest.approx(found.fun, rel=1e-10)
    assert schedule.learning_rates == pytest.approx(found.x, abs=1e-5)
    assert schedule.protocol([0, 4]) == pytest.approx(schedule.learning_rates[[0, 4]])
    long = greedy_schedule([[2.0]], [[0.7]], [[1.3]], 2000)
    assert long.learning_rates[-1] * 2.0 * 2000 == pytest.approx(1.0, rel=0.01)  # 1/n and logarithms


def test_controlled_runs() -> None:
    """Runs under the open-loop schedule have its mean loss; each run's own rate is better still."""
    sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=fp.GaussianNoise(1.0))
    start = np.random.default_rng(2).normal(size=(20_000, 1))
    own = controlled_descent(sgd, adaptive_rate(sgd, largest=1.0), start, 6, seed=3)
    schedule = greedy_schedule([[1.0]], [[1.0]], [[float((start**2).mean())]], 6)
    assert (own.losses[1:] + 4.0 * own.standard_errors[1:] < schedule.losses[1:]).all()
    constant = controlled_descent(sgd, 0.2, start, 6, seed=4)
    exact = moments(sgd, 6, mean=[0.0], covariance=[[float((start**2).mean())]])
    assert exact.covariance.shape == (1, 1)
    spread = float((start**2).mean())
    for _ in range(6):
        spread = 0.8**2 * spread + 0.04
    assert abs(constant.losses[-1] - spread / 2.0) < 4.0 * constant.standard_errors[-1]
    with pytest.raises(InputError, match="no memory"):
        controlled_descent(fp.SGD(sgd.landscape, 0.1, sgd.noise, momentum=0.5), 0.1, start, 1)
    with pytest.raises(InputError, match=r"points \(n, 1\)"):
        controlled_descent(sgd, 0.1, [1.0], 1)
    with pytest.raises(InputError, match="hessian of shape"):
        one_step_rate([1.0, 2.0], np.eye(3), np.eye(2))
    assert math.isclose(constant.learning_rates.mean(), 0.2)
