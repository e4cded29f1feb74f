"""Temperatures of SGD, with and without momentum, against its moments computed by another route."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov

from fpsolver.errors import TheoryError
from fpsolver.theory import heavy_ball, modified_equation, sgd_temperatures, stationary_sgd

ROUNDING = 1e-10  # moments are solutions of small linear systems, whose condition is below 1e5 here

H = np.array([[2.0, 0.3], [0.3, 0.5]])
C = np.array([[1.0, -0.4], [-0.4, 0.7]])


def lyapunov(hessian: np.ndarray, noise: np.ndarray, eta: float, mu: float) -> np.ndarray:
    """Return the covariance of (θ, θ_previous), by SciPy's solver: another state and another algorithm."""
    d = len(hessian)
    one, nothing = np.eye(d), np.zeros((d, d))
    step = np.block([[(1.0 + mu) * one - eta * hessian, -mu * one], [one, nothing]])
    return solve_discrete_lyapunov(step, np.block([[eta**2 * noise, nothing], [nothing, nothing]]))


def test_reference_values() -> None:
    """Independently computed variances and covariances."""
    for mu, value in ((0.0, 0.0526315789474), (0.5, 0.103448275862), (0.9, 0.513513513514)):
        found = heavy_ball.stationary_variance(1.0, curvature=1.0, learning_rate=0.1, momentum=mu)
        assert float(found) == pytest.approx(value, rel=1e-11)
    expected = [[0.17884385428311, -0.12764163167602], [-0.12764163167602, 0.38634040217631]]
    assert stationary_sgd.chain_covariance(H, C, learning_rate=0.4) == pytest.approx(np.array(expected), rel=1e-12)
    assert heavy_ball.stationary_covariance(H, C, learning_rate=0.4) == pytest.approx(np.array(expected), rel=1e-12)


@given(st.integers(0, 10_000), st.floats(-0.5, 0.95), st.floats(0.02, 0.95))
def test_covariance_of_the_heavy_ball(seed: int, mu: float, share: float) -> None:
    """Random Hessians and noise that do not commute, up to 95 % of the critical learning rate."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    values = rng.uniform(0.2, 3.0, d)
    hessian, root = turn @ np.diag(values) @ turn.T, rng.normal(size=(d, d))
    eta = share * 2.0 * (1.0 + mu) / values.max()
    other = lyapunov(hessian, root @ root.T, eta, mu)
    found = heavy_ball.phase_covariance(hessian, root @ root.T, learning_rate=eta, momentum=mu)
    scale = np.abs(other).max()
    assert found[:d, :d] == pytest.approx(other[:d, :d], abs=ROUNDING * scale)
    speed = 2.0 * other[:d, :d] - other[:d, d:] - other[d:, :d]  # v = θ − θ_previous
    assert found[d:, d:] == pytest.approx(speed, abs=ROUNDING * scale)
    # Yaida's relation holds for each parameter by itself.
    left = np.diag(found[:d, :d] @ hessian)
    for one, square in zip(left, np.diag(found[d:, d:]), strict=True):
        right = heavy_ball.fluctuation_dissipation(max(square, 0.0), learning_rate=eta, momentum=mu)
        assert float(right) == pytest.approx(one, abs=ROUNDING * scale * values.max())


def test_temperatures_of_parameters() -> None:
    """Those of slow SGD, their mean and their sum; batches divide; a quadratic gives the finite-rate factor."""
    noise, eta = np.diag([1.0, 2.0, 6.0]), 1e-4
    each = sgd_temperatures.parameter_temperatures(noise, learning_rate=eta, batch_size=4)
    slow = lyapunov(np.eye(3), noise / 4.0, eta, 0.0)[:3, :3]
    assert each == pytest.approx(np.diag(slow), rel=eta)  # the factor 1/(1 − ηh/2) is left out
    assert float(sgd_temperatures.temperature(noise, learning_rate=eta, batch_size=4)) == pytest.approx(each.mean())
    total = sgd_temperatures.temperature_as_written(noise, learning_rate=eta, batch_size=4)
    assert float(total) == pytest.approx(each.sum())
    exact = sgd_temperatures.eigenvector_temperatures(H, C, learning_rate=0.4)
    values, vectors = np.linalg.eigh(H)
    covariance = lyapunov(H, C, 0.4, 0.0)[:2, :2]
    assert exact == pytest.approx(values * np.diag(vectors.T @ covariance @ vectors), rel=1e-12)
    assert np.diag(sgd_temperatures.temperature_matrix(H, C, learning_rate=0.4)).sum() == pytest.approx(exact.sum())


def test_noise_along_the_hessian() -> None:
    """C ∝ H: temperatures go as the curvature, and C = (2T/η)(1 − ηH/2) is the only noise with one temperature."""
    eta, curvatures = 1e-7, np.array([1.0, 4.0])
    found = sgd_temperatures.eigenvector_temperatures(np.diag(curvatures), np.diag(curvatures), learning_rate=eta)
    assert found[1] / found[0] == pytest.approx(4.0, rel=1e-6)  # ηh
    noise = 2.0 * 0.3 / 0.4 * (np.eye(2) - 0.2 * H)
    assert sgd_temperatures.temperature_matrix(H, noise, learning_rate=0.4) == pytest.approx(0.3 * np.eye(2), abs=1e-14)


def test_temperature_of_one_direction() -> None:
    """Variance times curvature, with momentum and without."""
    for mu in (0.0, 0.7):
        t = heavy_ball.temperature(2.0, curvature=1.5, learning_rate=0.3, momentum=mu)
        assert float(t) == pytest.approx(1.5 * lyapunov(np.array([[1.5]]), np.array([[2.0]]), 0.3, mu)[0, 0])
    simple = sgd_temperatures.stationary_temperature(2.0, learning_rate=0.3, curvature=1.5)
    assert float(simple) == pytest.approx(float(heavy_ball.temperature(2.0, curvature=1.5, learning_rate=0.3)))


@pytest.mark.parametrize(
    ("form", "power", "coefficient"),
    [
        (modified_equation.first_order_variance, 1, -0.5),
        (modified_equation.second_order_variance, 1, -1.0),
        (modified_equation.noise_corrected_variance, 2, -0.5),
    ],
)
def test_orders_of_modified_equations(form, power: int, coefficient: float) -> None:
    """The second-order equation errs twice as much as the first; with its noise mended it gains an order."""
    for eta in (1e-2, 1e-3):
        exact = float(modified_equation.exact_variance(1.0, curvature=2.0, learning_rate=eta))
        found = form(1.0, curvature=2.0, learning_rate=eta)
        share = float(found) / exact - 1.0
        assert share / (2.0 * eta) ** power == pytest.approx(coefficient, rel=2.0 * eta)  # the next power of ηh
        assert abs(share) <= found.error_scale * (1.0 + 1e-12)  # rounding


def test_refusals() -> None:
    """Unstable chains and covariances that are none."""
    with pytest.raises(TheoryError, match="unstable"):
        heavy_ball.stationary_variance(1.0, curvature=1.0, learning_rate=3.9, momentum=0.9)
    with pytest.raises(TheoryError, match="between −1 and 1"):
        heavy_ball.stationary_variance(1.0, curvature=1.0, learning_rate=0.1, momentum=1.0)
    with pytest.raises(TheoryError, match="no stationary state"):
        sgd_temperatures.stationary_temperature(1.0, learning_rate=2.0, curvature=1.0)
    with pytest.raises(TheoryError, match="negative eigenvalue"):
        sgd_temperatures.temperature(np.diag([1.0, -1.0]), learning_rate=0.1)
    with pytest.raises(TheoryError, match="symmetric"):
        sgd_temperatures.temperature([1.0, 2.0], learning_rate=0.1)
    with pytest.raises(TheoryError, match="alike"):
        heavy_ball.phase_covariance(H, np.eye(3), learning_rate=0.1)
