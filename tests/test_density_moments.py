from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DensityError, GridError

COVARIANCE = np.array([[0.5, 0.2], [0.2, 0.8]])


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def plane(cells):
    return fp.Grid(x=(-6, 6, cells), y=(-7, 7, cells))


def normal(grid, covariance, mean=(0.0, 0.0)):
    shifted = grid.points - np.asarray(mean)
    exponent = np.einsum("...i,ij,...j", shifted, np.linalg.inv(covariance), shifted)
    return np.exp(-0.5 * exponent) / np.sqrt(np.linalg.det(2 * np.pi * np.asarray(covariance)))


def test_moments_of_gaussians():
    mean = np.array([0.3, -0.4])
    grid = plane(40)
    # Sampled at centres, sums are exact beyond all orders.
    sampled = fp.moments(normal(grid, COVARIANCE, mean), grid)
    assert abs(sampled.mass - 1) < 1e-12 and np.allclose(sampled.mean, mean, atol=1e-12)
    assert np.allclose(sampled.covariance, COVARIANCE, atol=1e-11)
    # Averaged over cells, the covariance is too large by h²/12 on the diagonal, which Sheppard's correction removes.
    averaged = fp.gaussian(grid, mean, np.diag([0.5, 0.8]))
    plain, corrected = fp.moments(averaged, grid), fp.moments(averaged, grid, cell_averaged=True)
    steps = np.diag([(axis.upper - axis.lower) ** 2 / axis.cells**2 / 12 for axis in grid.axes])
    assert np.allclose(plain.covariance - np.diag([0.5, 0.8]), steps, atol=1e-11)
    assert np.allclose(corrected.covariance, np.diag([0.5, 0.8]), atol=1e-11)
    assert np.allclose(corrected.mean, mean, atol=1e-12)


def test_moments_far_from_zero_keep_their_digits():
    grid = fp.Grid(x=(1e6 - 1, 1e6 + 1, 400))
    p = np.exp(-((grid.points[..., 0] - 1e6) ** 2) / (2 * 0.01))
    assert abs(fp.moments(p / np.sum(p * grid.volumes), grid).covariance[0, 0] / 0.01 - 1) < 1e-7


def test_corrected_moments_on_a_stretched_axis_converge():
    """On a stretched axis the centre sum is of second order, the corrected one of fourth for averages."""
    errors = []
    for cells in (40, 80):
        grid = fp.Grid(x=fp.Axis(-6, 7, cells, spacing="geometric", stretch=4.0))
        p = fp.gaussian(grid, [0.2], [[0.7]])
        results = [fp.moments(p, grid, cell_averaged=flag) for flag in (False, True)]
        errors.append([abs(r.covariance[0, 0] - 0.7) + abs(r.mean[0] - 0.2) for r in results])
    order = orders(np.array(errors))[0]
    assert abs(order[0] - 2) < 0.2 and order[1] > 2.8


def test_marginals():
    grid = fp.Grid(x=(-6, 6, 30), y=fp.Axis(-7, 7, 40, spacing="tanh", stretch=1.0), z=(-1, 1, 4))
    p = fp.density(grid, lambda x, y, z: np.exp(-(x**2) - y**2 - x * y) * (2 + z))
    xy = fp.marginal(p, grid, "y", "x")
    assert xy.grid.names == ("x", "y") and xy.grid.axes == grid.axes[:2]
    assert abs(np.sum(xy.values * xy.grid.volumes) - 1) < 1e-12
    assert np.allclose(fp.marginal(xy, None, "x").values, fp.marginal(p, grid, "x").values, rtol=1e-12)
    with pytest.raises(GridError, match="no axis 'w'"):
        fp.marginal(p, grid, "w")
    with pytest.raises(DensityError, match="name some of"):
        fp.marginal(p, grid)
    with pytest.raises(DensityError, match="nan in cell"):
        fp.moments([1.0, np.nan], fp.Grid(x=(0, 1, 2)))
    with pytest.raises(DensityError, match="mass 0"):
        fp.moments(np.zeros(2), fp.Grid(x=(0, 1, 2)))
