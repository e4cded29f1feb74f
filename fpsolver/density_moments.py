"""Moments and marginals of densities on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import DensityError
from fpsolver.fields import Field
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Moments:
    """Total mass, mean and covariance of a density.

    Parameters
    ----------
    names : tuple of str
        Axis names, in the order of the components.
    mass : float
        Integral of the density; below 1 where walls have absorbed.
    mean : ndarray, shape (d,)
        Mean of the normalised density.
    covariance : ndarray, shape (d, d)
        Covariance of the normalised density.
    """

    names: tuple[str, ...]
    mass: float
    mean: np.ndarray
    covariance: np.ndarray


def checked_density(p: Any, grid: Grid | None = None, name: str = "p") -> tuple[np.ndarray, Grid]:
    """Return the values and the grid of a density, after checking that they fit.

    Parameters
    ----------
    p : Field or array_like
        The density, probability per volume, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.
    name : str
        What the density is called in messages.

    Raises
    ------
    DensityError
        If the grid is missing, the shape does not fit, or a value is not finite.
    """
    if grid is None:
        if not isinstance(p, Field):
            raise DensityError(f"{name} is a bare array; give the grid it lives on as well, grid=…")
        grid = p.grid
    values = np.asarray(p, dtype=float)
    if values.shape != grid.shape:
        raise DensityError(f"{name} has shape {values.shape}, the grid {grid.shape}; give one value a cell")
    if not np.isfinite(values).all():
        cell = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise DensityError(f"{name} is {values[cell]} in cell {cell}; it must be finite everywhere")
    return values, grid


def moments(p: Any, grid: Grid | None = None, *, cell_averaged: bool = False) -> Moments:
    """Return mass, mean and covariance of a density.

    By default every cell's mass sits at its centre, ⟨x⟩ = Σ P_i x_i, which is what the master equation on the grid
    evolves and is exact beyond all orders for a smooth density that is sampled at the centres of a uniform grid, as
    the generators' equilibria are. A density of cell *averages*, such as a freshly projected Gaussian, has a variance
    that is too large by h²/12 in this sum; `cell_averaged` takes that off (Sheppard's correction), by adding the
    first and second moment within each cell from the slope between its neighbours.

    Parameters
    ----------
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.
    cell_averaged : bool
        Read `p` as cell averages of a smooth density.

    Raises
    ------
    DensityError
        If `p` does not fit the grid or has no mass.

    References
    ----------
    W. F. Sheppard, Proc. London Math. Soc. 29, 353 (1897).

    Examples
    --------
    >>> grid = Grid(x=(-1.0, 1.0, 2))
    >>> result = moments([0.5, 0.5], grid)
    >>> result.mean.tolist(), result.covariance.tolist()
    ([0.0], [[0.25]])
    """
    values, grid = checked_density(p, grid)
    weights = values * grid.volumes
    mass = float(weights.sum())
    if not mass > 0:
        raise DensityError(f"the density has mass {mass:g}; moments need a positive one")
    cells = weights.ravel() / mass
    origin = cells @ grid.points.reshape(-1, grid.dimension)
    # Taking positions from the mean before squaring keeps the digits of a narrow density far from zero.
    centred = grid.points.reshape(-1, grid.dimension) - origin
    first = np.zeros(grid.dimension)
    second = (cells[:, None] * centred).T @ centred
    if cell_averaged:
        shift = _within_cell(values, grid) / mass
        spread = [
            cells @ np.broadcast_to(grid.along(k, axis.widths**2 / 12), grid.shape).ravel()
            for k, axis in enumerate(grid.axes)
        ]
        first = shift.sum(axis=0)
        second = second + shift.T @ centred + centred.T @ shift + np.diag(spread)
    return Moments(grid.names, mass, origin + first, second - np.outer(first, first))


def _within_cell(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Return ∫ p (x − x_i) over each cell from central slopes, shape (size, d)."""
    columns = []
    for k, axis in enumerate(grid.axes):
        slope = np.gradient(values, axis.centres, axis=k)
        columns.append((slope * grid.along(k, axis.widths**2 / 12) * grid.volumes).ravel())
    return np.stack(columns, axis=-1)


def marginal(p: Any, grid: Grid | None = None, *names: str) -> Field:
    """Return the marginal density of some of the variables, as a field on the grid of their axes.

    Parameters
    ----------
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid or None
        The grid; None takes it from `p`.
    *names : str
        The axes to keep; they stay in the grid's order.

    Raises
    ------
    GridError
        If the grid has no such axis.
    DensityError
        If no axis is named or the density does not fit the grid.

    Examples
    --------
    >>> grid = Grid(x=(0.0, 1.0, 2), y=(0.0, 2.0, 4))
    >>> marginal(np.full((2, 4), 0.5), grid, "x").values.tolist()
    [1.0, 1.0]
    """
    values, grid = checked_density(p, grid)
    if not names:
        raise DensityError(f"marginal() keeps no axis; name some of {', '.join(grid.names)}")
    kept = sorted({grid.index(name) for name in names})
    rest = tuple(k for k in range(grid.dimension) if k not in kept)
    widths = np.ones((1,) * grid.dimension)
    for k in rest:
        widths = widths * grid.along(k, grid.axes[k].widths)
    # A marginal of a kinetic grid lives on plain axes: v_x alone is a variable like any other.
    axes: dict[str, Any] = {grid.names[k]: grid.axes[k] for k in kept}
    smaller = Grid(**axes)
    return Field(smaller, np.sum(values * widths, axis=rest))
