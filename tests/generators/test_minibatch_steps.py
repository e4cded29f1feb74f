"""Steps of minibatches: all batches of small data sets against exact recursions of moments."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DynamicsError, GridWarning
from fpsolver.generators.minibatch_steps import all_batches

X = np.array([0.5, -1.2, 0.8, 1.5, -0.3])
Y = np.array([0.6, -0.9, 1.1, 1.2, -0.6])


def line_fit():
    return fp.landscapes.linear_regression(X, Y, intercept=False)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_mean_and_covariance_over_all_batches(size, replacement):
    shares, probabilities = all_batches(5, fp.MinibatchNoise(size, replacement))
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-14)
    values = np.array([1.0, -2.0, 0.5, 3.0, 0.0])
    means = shares @ values
    finite = 1.0 if replacement else (5 - size) / 4
    assert probabilities @ means == pytest.approx(values.mean(), rel=1e-13)
    assert probabilities @ (means - values.mean()) ** 2 == pytest.approx(finite * values.var() / size, abs=1e-14)


@pytest.mark.parametrize("replacement", [True, False])
def test_moments_against_their_recursion(replacement):
    rate, size, steps = 0.3, 2, 6
    risk = line_fit()
    sgd = fp.SGD(risk, rate, noise=fp.MinibatchNoise(size, replacement), weight_decay=0.1)
    grid = fp.Grid(weight=(-1.0, 2.0, 600))
    W = fp.generator(sgd, grid)
    p0 = np.zeros(600)
    p0[150] = 1 / grid.spacings[0]
    solution = fp.evolve(W, p0, times=[steps])
    x, final = grid.axes[0].centres, solution.final * grid.volumes
    # A step is θ′ = a θ + b with a and b of the batch.
    shares, probabilities = all_batches(5, sgd.noise)
    a, b = 1 - rate * (shares @ X**2 + 0.1), rate * shares @ (X * Y)
    mean, square = x[150], x[150] ** 2
    for _ in range(steps):
        square = probabilities @ (a**2 * square + 2 * a * b * mean + b**2)
        mean = probabilities @ (a * mean + b)
    assert final @ x == pytest.approx(mean, rel=1e-12)
    # Sharing adds no more than h²/4 a step, and does not take away.
    assert 0.0 <= final @ x**2 - square <= steps * grid.spacings[0] ** 2 / 4


def test_two_parameters_and_momentum_lead_where_the_gradient_says():
    features = np.column_stack([X, X**2])
    risk = fp.landscapes.logistic_regression(features, Y > 0, ridge=0.2, intercept=False)
    noise = fp.MinibatchNoise(2)
    grid = fp.Grid(w1=fp.Axis(-2, 2, 24, boundary="absorbing"), w2=fp.Axis(-2, 2, 20, boundary="absorbing"))
    W = fp.generator(fp.SGD(risk, 0.2, noise=noise), grid)
    points = grid.points.reshape(-1, 2)
    arrived = (W.step.T @ points)[W.killing.ravel() == 0]
    expected = (points - 0.2 * risk.gradient(points))[W.killing.ravel() == 0]
    np.testing.assert_allclose(arrived, expected, atol=1e-13)

    kinetic = fp.Grid(weight=fp.Axis(-2, 2, 30, boundary="absorbing"), velocity={"weight": (-3, 3, 40)})
    points = kinetic.points.reshape(-1, 2)
    for nesterov in (False, True):
        W = fp.generator(fp.SGD(line_fit(), 0.2, noise=noise, momentum=0.5, nesterov=nesterov), kinetic)
        inside = (W.killing.ravel() == 0) & (np.abs(points[:, 1]) < 1.5)
        place = points[:, :1] + (0.5 * points[:, 1:] if nesterov else 0.0)
        velocity = 0.5 * points[:, 1] - 0.2 * line_fit().gradient(place)[:, 0]
        expected = np.stack([points[:, 0] + velocity, velocity], axis=-1)
        assert inside.sum() > 300
        np.testing.assert_allclose((W.step.T @ points)[inside], expected[inside], atol=1e-13)
        assert any("parts of cells" in note for note in W.notes)


def test_stationary_density_of_the_whole_data_set_is_the_minimum():
    risk = line_fit()
    W = fp.generator(fp.SGD(risk, 0.3, noise=fp.MinibatchNoise(5, replacement=False)), fp.Grid(weight=(-1, 3, 301)))
    final = fp.evolve(W, fp.gaussian(W.grid, [0.0], [[0.01]]), times=[200]).final
    least = (X @ Y) / (X @ X)
    assert (final * W.grid.volumes) @ W.grid.axes[0].centres == pytest.approx(least, abs=1e-12)


def test_too_many_batches_are_refused_with_a_remedy():
    risk = fp.landscapes.linear_regression(np.linspace(0, 1, 60), np.zeros(60), intercept=False)
    with pytest.raises(DynamicsError, match="GaussianNoise"):
        fp.generator(fp.SGD(risk, 0.1, noise=fp.MinibatchNoise(8)), fp.Grid(weight=(-1, 1, 50)))


def test_numbers_of_batches_beyond_all_bounds_are_refused_too():
    with pytest.raises(DynamicsError, match="more than 1e300 different batches"):
        fp.generator(
            fp.SGD(fp.landscapes.linear_regression(np.linspace(0, 1, 60), np.zeros(60)), 0.1, fp.MinibatchNoise(10**9)),
            fp.Grid(weight=(-1, 1, 10), bias=(-1, 1, 10)),
        )


def test_cells_that_drown_the_noise_are_warned_of_with_the_factor():
    """The noise alone makes the stationary variance of the moment recursion; cells make the factor that is told."""
    sgd = fp.SGD(line_fit(), 0.2, noise=fp.MinibatchNoise(2))
    exact = fp.learning.stationary_moments(sgd).covariance.item()
    with pytest.warns(GridWarning, match="'weight' are too wide") as caught:
        W = fp.generator(sgd, fp.Grid(weight=(-1, 3, 100)))
    factor = float(str(caught[0].message).split("about ")[1].split(";")[0])
    # The noise grows with the distance from the minimum, where the factor is taken.
    assert fp.moments(fp.stationary(W)).covariance.item() / exact == pytest.approx(factor, rel=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fp.generator(sgd, fp.Grid(weight=(-1, 3, 2000)))
