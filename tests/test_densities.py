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


@pytest.mark.parametrize("width", [0.9, 0.2, 0.012])
def test_narrow_correlated_gaussians_are_averaged_as_well_as_broad_ones(width):
    """Against an independent route: the marginal of y given cells in x, integrated by quadrature over x."""
    grid = fp.Grid(x=(-1, 1, 20), y=(-1, 1, 20))
    mean, r = np.array([0.03, -0.02]), 0.6
    p = fp.gaussian(grid, mean, width**2 * np.array([[1.0, r], [r, 1.0]]))
    faces = grid.axes[1].faces
    exact = np.zeros(grid.shape)
    for i, (a, b) in enumerate(zip(grid.axes[0].faces[:-1], grid.axes[0].faces[1:], strict=True)):
        x = np.linspace(a, b, 4001)
        conditional = (faces[:, None] - mean[1] - r * (x - mean[0])) / (width * np.sqrt(1 - r**2))
        across = np.diff(norm.cdf(conditional), axis=0) * norm.pdf(x, mean[0], width)
        exact[i] = np.trapezoid(across, x, axis=1)
    exact /= exact.sum()
    # The trapezoid rule of the reference errs by (Δx/width)²/12 ≈ 4e-7 at the narrowest.
    assert np.abs(p * grid.volumes - exact).max() < 2e-6 * exact.max()


def test_a_gaussian_that_the_cells_cannot_resolve_is_refused():
    grid = fp.Grid(x=(-1, 1, 20), y=(-1, 1, 20))
    with pytest.raises(DensityError, match="refine the grid"):
        fp.gaussian(grid, [0, 0], [[1e-6, 5e-7], [5e-7, 1e-6]])
    with pytest.raises(DensityError, match="must be arrays of numbers"):
        fp.gaussian(grid, ["a", 0], [[1.0, 0.0], [0.0, 1.0]])
