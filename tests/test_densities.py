from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import fpsolver as fp
from fpsolver.errors import DensityError, GridError, LandscapeError


def test_gaussian_averages_are_exact_in_one_dimension_far_into_the_tails():
    grid = fp.Grid(x=(-6, 38, 88))
    p = fp.gaussian(grid, mean=[0.0], covariance=[[1.0]])
    faces = grid.axes[0].faces
    masses = np.where(
        faces[:-1] >= 0, norm.sf(faces[:-1]) - norm.sf(faces[1:]), norm.cdf(faces[1:]) - norm.cdf(faces[:-1])
    )
    expected = masses / grid.volumes
    assert np.allclose(p, expected / (expected * grid.volumes).sum(), rtol=1e-12, atol=0)


def test_correlated_gaussian_is_a_cell_average():
    grid = fp.Grid(x=(-4, 4, 40), y=(-4, 4, 50))
    mean, covariance = [0.3, -0.2], [[0.5, 0.3], [0.3, 0.4]]
    p = fp.gaussian(grid, mean, covariance)
    cell = (22, 24)
    edges = [(axis.faces[i], axis.faces[i + 1]) for axis, i in zip(grid.axes, cell, strict=True)]
    exact = multivariate_normal(mean, covariance).cdf(
        [edges[0][1], edges[1][1]], lower_limit=[edges[0][0], edges[1][0]]
    )
    # The 4-point rule errs by (w/σ)^8/8! or so per axis: far below 1e-9 here; the reference itself gives 1e-8.
    assert p[cell] * grid.volumes[cell] == pytest.approx(exact, rel=1e-7)
    assert (p * grid.volumes).sum() == pytest.approx(1, rel=1e-14)


def test_boltzmann_density_does_not_overflow():
    grid = fp.Grid(x=(-1, 1, 10))
    p = fp.boltzmann(fp.Landscape("1e5 + x**2"), grid, 1e-3)
    assert np.isfinite(p).all() and (p * grid.volumes).sum() == pytest.approx(1)


def test_bad_densities_are_refused():
    grid = fp.Grid(x=(0, 1, 4))
    with pytest.raises(DensityError, match="no mass"):
        fp.density(grid, np.zeros(4))
    with pytest.raises(DensityError, match="no mass"):
        fp.gaussian(grid, [1e6], [[1e-6]])
    with pytest.raises(DensityError, match="lowest value is -1"):
        fp.density(grid, [1, -1, 1, 1])
    with pytest.raises(DensityError, match="must be finite"):
        fp.density(grid, [1, np.nan, 1, 1])
    with pytest.raises(DensityError, match="does not fit"):
        fp.density(grid, np.ones(5))
    with pytest.raises(DensityError, match="do not fit"):
        fp.gaussian(grid, [0, 0], [[1.0]])
    with pytest.raises(DensityError, match="positive definite"):
        fp.gaussian(grid, [0], [[-1.0]])
    with pytest.raises(DensityError, match="must be positive"):
        fp.boltzmann(fp.Landscape("x"), grid, 0.0)
    with pytest.raises(GridError, match="do not match"):
        fp.boltzmann(fp.Landscape("y"), grid, 1.0)


def test_a_loss_that_is_not_finite_is_located():
    with pytest.raises(LandscapeError, match=r"the loss is nan at x = -0\.5"):
        fp.boltzmann(fp.Landscape("sqrt(x)"), fp.Grid(x=(-1, 1, 2)), 1.0)
    with pytest.raises(LandscapeError, match="inf"):
        fp.boltzmann(fp.Landscape("exp(x**2)"), fp.Grid(x=(-100, 100, 10)), 1.0)
