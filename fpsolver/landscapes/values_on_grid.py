"""The loss at the cell centres of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import GridError, LandscapeError
from fpsolver.grids import Grid


def loss_on_grid(landscape: Any, grid: Grid, points: np.ndarray | None = None) -> np.ndarray:
    """Return the loss at cell centres, of the grid's shape, or at other points given in the order of the axes.

    Raises
    ------
    GridError
        If the grid's axes are not the landscape's variables.
    LandscapeError
        If the loss is not finite somewhere.
    """
    where = grid.points if points is None else points
    theta = where[..., grid.order(landscape.variables)]
    with np.errstate(all="ignore"):
        loss = np.asarray(landscape.value(theta), dtype=float)
    bad = ~np.isfinite(loss)
    if bad.any():
        first = ", ".join(f"{name} = {x:g}" for name, x in zip(grid.names, where[bad][0], strict=False))
        raise LandscapeError(f"the loss is {loss[bad][0]} at {first}; shrink the grid to where it is finite")
    return loss


def cell_values(landscape: Any, grid: Grid) -> np.ndarray:
    """Return one finite value per cell, from a landscape or from an array or field that holds them already.

    Raises
    ------
    GridError
        If an array does not have the grid's shape, or axes and variables differ.
    LandscapeError
        If a value is not finite.
    """
    if hasattr(landscape, "variables"):
        return loss_on_grid(landscape, grid)
    values = np.asarray(landscape, dtype=float)
    if values.shape != grid.shape:
        raise GridError(f"values of shape {values.shape} do not fit {grid!r}; give one value per cell, or a landscape")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        first = tuple(bad[0].tolist())
        raise LandscapeError(f"the value of cell {first} is {values[first]}; all values must be finite")
    return values
