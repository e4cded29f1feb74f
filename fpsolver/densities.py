"""Densities on a grid: probability per volume, one value per cell, integrating to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fpsolver.errors import DensityError
from fpsolver.grids import Grid
from fpsolver.landscapes.values_on_grid import loss_on_grid

MOST_COARSE = 16.0
"""Largest cell width, in standard deviations across a correlated Gaussian, that the quadrature rule still resolves."""


def density(grid: Grid, values: Callable[..., Any] | Any) -> np.ndarray:
    """Return a normalised density from a function of the coordinates or an array.

    Parameters
    ----------
    grid : Grid
        The grid.
    values : callable or array_like
        A function of one coordinate array per axis, evaluated at cell centres, or an array of the grid's shape.

    Raises
    ------
    DensityError
        If a value is negative or not finite, the shape does not fit, or there is no mass.

    Examples
    --------
    >>> grid = Grid(x=(0, 1, 4))
    >>> density(grid, lambda x: 1 + 0 * x).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if callable(values):
        values = values(*np.moveaxis(grid.points, -1, 0))
    array = np.asarray(values, dtype=float)
    if array.shape != grid.shape:
        raise DensityError(f"a density of shape {array.shape} does not fit a grid of shape {grid.shape}")
    return _normalised(array, grid)


def gaussian(grid: Grid, mean: Sequence[float], covariance: Any) -> np.ndarray:
    """Return a Gaussian density, averaged over cells.

    With a diagonal covariance the average over each cell is exact (differences of the error function); otherwise it is
    found by a Gauss–Legendre rule along each axis, with more points the narrower the Gaussian is against the cells.
    What lies outside the grid is cut off and the rest normalised.

    Parameters
    ----------
    grid : Grid
        The grid.
    mean : sequence of float, shape (d,)
        Mean.
    covariance : array_like, shape (d, d)
        Covariance, symmetric positive definite.

    Raises
    ------
    DensityError
        If shapes do not fit, the covariance is not positive definite, or the grid holds no mass.

    Examples
    --------
    >>> grid = Grid(x=(-5, 5, 100))
    >>> p = gaussian(grid, mean=[0.0], covariance=[[1.0]])
    >>> bool(abs((p * grid.volumes).sum() - 1) < 1e-14)
    True
    """
    try:
        centre, spread = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    except (TypeError, ValueError):
        raise DensityError(f"mean = {mean!r} and covariance = {covariance!r} must be arrays of numbers") from None
    d = grid.dimension
    if centre.shape != (d,) or spread.shape != (d, d):
        raise DensityError(
            f"mean of shape {centre.shape} and covariance of shape {spread.shape} do not fit a grid of dimension {d}; "
            f"they must have shapes ({d},) and ({d}, {d})"
        )
    if not (np.isfinite(centre).all() and np.isfinite(spread).all()):
        raise DensityError(f"mean = {centre.tolist()} and covariance = {spread.tolist()} must be finite")
    if not np.allclose(spread, spread.T) or np.linalg.eigvalsh(spread)[0] <= 0:
        raise DensityError(f"covariance = {spread.tolist()} must be symmetric positive definite")
    if np.count_nonzero(spread - np.diag(np.diag(spread))) == 0:
        masses = [
            _normal_mass(axis.faces, m, s)
            for axis, m, s in zip(grid.axes, centre, np.sqrt(np.diag(spread)), strict=True)
        ]
        return _normalised(grid.outer(masses) / grid.volumes, grid)
    return _normalised(_gauss_legendre_average(grid, centre, spread), grid)


def boltzmann(landscape: Any, grid: Grid, temperature: float) -> np.ndarray:
    """Return the Boltzmann density e^{−L/T}/Z, from the loss at cell centres.

    This is exactly the density that finite-volume generators keep stationary.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    grid : Grid
        The grid.
    temperature : float
        T > 0, in units of loss.

    Raises
    ------
    DensityError
        If the temperature is not positive.
    LandscapeError
        If the loss is not finite at a cell centre.

    Examples
    --------
    >>> import fpsolver as fp
    >>> p = boltzmann(fp.Landscape("x**2/2"), Grid(x=(-3, 3, 60)), 0.1)
    >>> bool(p.argmax() in (29, 30))
    True
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise DensityError(f"temperature = {temperature!r} must be positive for a Boltzmann density")
    loss = loss_on_grid(landscape, grid)
    return _normalised(np.exp(-(loss - loss.min()) / temperature), grid)


def _normalised(values: np.ndarray, grid: Grid) -> np.ndarray:
    if not np.isfinite(values).all():
        raise DensityError(f"a density must be finite, but {np.count_nonzero(~np.isfinite(values))} cells are not")
    if values.min() < 0:
        raise DensityError(f"a density must not be negative, but its lowest value is {values.min():g}")
    mass = float((values * grid.volumes).sum())
    if not mass > 0:
        raise DensityError(f"the density has no mass on {grid!r}; move it onto the grid")
    return values / mass


def _normal_mass(faces: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return the mass of a normal distribution between faces, with full relative accuracy in both tails."""
    from scipy.special import ndtr

    z = (faces - mean) / deviation
    below, above = ndtr(z), ndtr(-z)
    return np.where(z[1:] <= 0, np.diff(below), -np.diff(above))


def _gauss_legendre_average(grid: Grid, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    precision = np.linalg.inv(covariance)
    narrowest = np.sqrt(np.linalg.eigvalsh(covariance)[0])
    coarseness = max(grid.spacings) / narrowest
    if coarseness > MOST_COARSE:
        raise DensityError(
            f"the correlated Gaussian has a standard deviation of {narrowest:.3g} across, less than 1/{MOST_COARSE:g} "
            f"of the largest cell ({max(grid.spacings):.3g}); refine the grid"
        )
    nodes, weights = np.polynomial.legendre.leggauss(4 + int(np.ceil(2 * coarseness)))
    # Beyond 39 deviations along any axis the exponential underflows.
    near = tuple(
        np.abs(axis.centres - mean[k]) <= 0.5 * axis.widths + 39 * np.sqrt(covariance[k, k])
        for k, axis in enumerate(grid.axes)
    )
    block = np.ix_(*near)
    points, total = grid.points[block], np.zeros(grid.shape)
    sums = np.zeros(points.shape[:-1])
    widths = np.broadcast_arrays(*(grid.along(k, axis.widths) for k, axis in enumerate(grid.axes)))
    half = 0.5 * np.stack(widths, axis=-1)[block]
    for index in np.ndindex(*(len(nodes),) * grid.dimension):
        chosen = list(index)
        offset = points + nodes[chosen] * half - mean
        sums += np.prod(0.5 * weights[chosen]) * np.exp(-0.5 * np.einsum("...i,ij,...j", offset, precision, offset))
    total[block] = sums
    return total
