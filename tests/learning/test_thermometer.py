"""The thermometer reads what the chain's exact moments say, and notices where there is no temperature."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import InputError
from fpsolver.learning import measure_temperature, read_temperature
from fpsolver.theory import heavy_ball, sgd_temperatures

RUNS, BURN, STEPS = 64, 300, 1500


def chain(hessian, noise, eta: float, momentum: float = 0.0, *, seed: int, start: float = 0.0):
    """Return θ, ∇L, minibatch gradients and the steps v that follow, each (STEPS, RUNS, d)."""
    rng = np.random.default_rng(seed)
    h, root = np.asarray(hessian), np.linalg.cholesky(noise)
    theta, v = np.full((RUNS, len(h)), start), np.zeros((RUNS, len(h)))
    rows = []
    for _ in range(STEPS):
        slope = theta @ h
        g = slope + rng.standard_normal(theta.shape) @ root.T
        v = momentum * v - eta * g
        rows.append((theta, slope, g, v))
        theta = theta + v
    return (np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_reads_the_exact_temperatures(momentum: float) -> None:
    """Two curvatures, isotropic noise at a rate where both have nearly one temperature."""
    h, noise, eta = np.diag([1.0, 2.0]), 0.5 * np.eye(2), 0.02
    theta, slope, g, v = (one[BURN:] for one in chain(h, noise, eta, momentum, seed=3))
    extra = {"velocities": v, "momentum": momentum} if momentum else {"minibatch_gradients": g}
    reading = read_temperature(theta, slope, learning_rate=eta, **extra)
    exact = np.diag(heavy_ball.stationary_covariance(h, noise, learning_rate=eta, momentum=momentum) @ h)
    assert (np.abs(reading.temperatures - exact) < 4.0 * reading.standard_errors).all()
    assert abs(reading.total - exact.sum()) < 4.0 * reading.total_standard_error
    assert abs(reading.imbalance) < 4.0 * reading.imbalance_standard_error
    assert reading.stationary and reading.single
    assert reading.dissipation == pytest.approx(exact, rel=0.1)
    assert "±" in reading.summary() and float(reading) == reading.temperature


def test_notices_unequal_temperatures() -> None:
    """Noise proportional to the Hessian: the steep direction is four times as hot."""
    h = np.diag([1.0, 4.0])
    theta, slope, g, _ = (one[BURN:] for one in chain(h, h, 0.1, seed=4))
    reading = read_temperature(theta, slope, learning_rate=0.1, minibatch_gradients=g)
    exact = sgd_temperatures.eigenvector_temperatures(h, h, learning_rate=0.1)
    assert (np.abs(reading.temperatures - exact) < 4.0 * reading.standard_errors).all()
    assert reading.stationary and not reading.single
    assert "no single temperature" in reading.summary()


def test_notices_noise_that_does_not_commute() -> None:
    """Equal temperatures on the diagonal, but cross terms: a current circulates."""
    h, eta = np.diag([1.0, 3.0]), 0.05
    noise = np.array([[1.0 - eta / 2.0, 0.6], [0.6, 1.0 - 1.5 * eta]])
    theta, slope, g, _ = (one[BURN:] for one in chain(h, noise, eta, seed=5))
    reading = read_temperature(theta, slope, learning_rate=eta, minibatch_gradients=g)
    exact = sgd_temperatures.temperature_matrix(h, noise, learning_rate=eta)
    assert exact[0, 0] == pytest.approx(exact[1, 1], rel=1e-12)
    assert not reading.single
    assert reading.cross == pytest.approx(exact, abs=0.1 * exact[0, 0])  # ten standard errors
    assert read_temperature(theta, slope, learning_rate=eta, minibatch_gradients=g, pairs=False).single


def test_notices_a_run_that_has_not_settled() -> None:
    """A run that still falls down the valley."""
    h = np.diag([1.0, 0.003])
    theta, slope, g, _ = chain(h, np.eye(2), 0.05, seed=6, start=3.0)
    reading = read_temperature(theta, slope, learning_rate=0.05, minibatch_gradients=g)
    assert not reading.stationary
    assert "leave out more" in reading.summary()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_measures_simulated_runs(momentum: float) -> None:
    """Trajectories of the package, with and without momentum, and weight decay, which adds to the Hessian."""
    sgd = fp.SGD(
        fp.Landscape("x**2/2 + y**2"), learning_rate=0.05, noise=fp.GaussianNoise(2.0), momentum=momentum,
        weight_decay=0.5,
    )  # fmt: skip
    reading = measure_temperature(sgd, 300, 300, initial=[0.0, 0.0], discard=200, seed=2)
    h = np.diag([1.5, 2.5])
    exact = np.diag(heavy_ball.stationary_covariance(h, 2.0 * np.eye(2), learning_rate=0.05, momentum=momentum) @ h)
    assert reading.stationary
    assert (np.abs(reading.temperatures - exact) < 4.0 * reading.standard_errors).all()
    with pytest.raises(InputError, match="Nesterov"):
        measure_temperature(
            fp.SGD(sgd.landscape, 0.05, momentum=0.5, nesterov=True), 10, 30, initial=[0.0, 0.0], discard=0, seed=1
        )


@pytest.mark.validate
@pytest.mark.parametrize("runs", [8, 24])
def test_false_alarms_are_as_rare_as_promised(runs: int) -> None:
    """400 stationary runs at one temperature, tested at 5 %: below that, within four standard errors."""
    alarms = np.zeros(2)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        theta, path = rng.normal(size=(runs, 2)) * np.sqrt(0.1), []
        for _ in range(1000):
            path.append(theta)
            theta = theta - 0.2 * theta + 0.2 * rng.normal(size=theta.shape) * np.sqrt(0.9)
        path = np.array(path)
        g = (path[:-1] - path[1:]) / 0.2
        reading = read_temperature(path[:-1], path[:-1], learning_rate=0.2, minibatch_gradients=g, significance=0.05)
        alarms += [not reading.stationary, not reading.single]
    assert (alarms / 400 < 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / 400)).all()


def test_refusals() -> None:
    """Shapes that differ, and a right-hand side that is missing."""
    theta = np.zeros((30, 2))
    with pytest.raises(InputError, match="do not go with"):
        read_temperature(theta, np.zeros((30, 3)), learning_rate=0.1, minibatch_gradients=theta)
    with pytest.raises(InputError, match="velocities="):
        read_temperature(theta, theta, learning_rate=0.1, minibatch_gradients=theta, momentum=0.9)
    with pytest.raises(InputError, match="at least 20 steps"):
        read_temperature(theta[:5], theta[:5], learning_rate=0.1, minibatch_gradients=theta[:5])
    with pytest.raises(InputError, match="must be positive"):
        read_temperature(theta, theta, learning_rate=-0.1, minibatch_gradients=theta)
