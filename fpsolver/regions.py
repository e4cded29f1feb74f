"""Regions of parameter space: targets and sources of first-passage problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from fpsolver.errors import RegionError
from fpsolver.grids import Grid

ON_THE_WALL = 1e-9
"""Distance from a wall, in cell widths, at which a centre counts as on it: rounding must not leave a cell a sliver."""


@dataclass(frozen=True)
class Box:
    """A region bounded by planes across the axes, kept as given, so that a wall need not lie on a face.

    Parameters
    ----------
    bounds : mapping of str to (float or None, float or None)
        Lower and upper bound by axis name; None leaves that side open, an axis that is absent is unbounded.
    """

    bounds: Mapping[str, tuple[float | None, float | None]]

    def mask(self, grid: Grid) -> np.ndarray:
        """Return which cells have their centre inside the box, or on a bound to within `ON_THE_WALL` cell widths."""
        inside = np.ones(grid.shape, dtype=bool)
        for name, (lower, upper) in self.bounds.items():
            axis = grid.index(name)
            centres = grid.along(axis, grid.axes[axis].centres)
            slack = ON_THE_WALL * grid.along(axis, grid.axes[axis].widths)
            if lower is not None:
                inside = inside & (centres >= lower - slack)
            if upper is not None:
                inside = inside & (centres <= upper + slack)
        return inside


Region = Box | Callable[..., Any] | np.ndarray | int | tuple[int, ...]
"""A box, a predicate of one coordinate array per axis, a Boolean mask, or the index of one cell."""


def where(**bounds: tuple[float | None, float | None]) -> Box:
    """Return the box with the given bounds, None for an open side.

    Raises
    ------
    RegionError
        If a bound is not a pair in ascending order, or nothing is bounded.

    Examples
    --------
    >>> where(x=(1.0, None)).mask(Grid(x=(-2, 2, 4))).tolist()
    [False, False, False, True]
    """
    if not bounds:
        raise RegionError("where() bounds nothing; give for example where(x=(1.0, None))")
    for name, pair in bounds.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise RegionError(f"where({name}={pair!r}): a bound is a pair (lower, upper), None for an open side")
        lower, upper = pair
        for bound in (lower, upper):
            if bound is not None and not (isinstance(bound, int | float | np.number) and np.isfinite(bound)):
                raise RegionError(f"where({name}={pair!r}): {bound!r} is not a finite number; None leaves a side open")
        if lower is None and upper is None:
            raise RegionError(f"where({name}=(None, None)) bounds nothing; leave the axis out")
        if lower is not None and upper is not None and not lower < upper:
            raise RegionError(f"where({name}=({lower}, {upper})): the lower bound is not below the upper one")
    return Box({name: (pair[0], pair[1]) for name, pair in bounds.items()})


def region_mask(region: Region, grid: Grid, name: str = "target") -> np.ndarray:
    """Return the cells of a region as a Boolean array of the grid's shape.

    Parameters
    ----------
    region : Box, callable, ndarray or index
        A callable gets one coordinate array per axis, in axis order, and returns a Boolean array.
    grid : Grid
        The grid.
    name : str
        What the region is called in messages.

    Raises
    ------
    RegionError
        If the region has no cell, covers every cell, or does not fit the grid.
    """
    mask = _mask(region, grid, name)
    if not mask.any():
        raise RegionError(f"the {name} contains no cell centre of {grid!r}; widen it or refine the grid")
    if mask.all():
        raise RegionError(f"the {name} contains every cell of {grid!r}; narrow it or extend the grid")
    return mask


def _mask(region: Region, grid: Grid, name: str) -> np.ndarray:
    if isinstance(region, Box):
        return region.mask(grid)
    if callable(region):
        coordinates = np.moveaxis(grid.points, -1, 0)
        try:
            signature(region).bind(*coordinates)
        except TypeError as error:
            raise RegionError(
                f"the {name} predicate cannot take one coordinate array per axis ({', '.join(grid.names)}): {error}"
            ) from None
        answer = np.asarray(region(*coordinates))
        if answer.shape != grid.shape or answer.dtype != bool:
            raise RegionError(
                f"the {name} predicate returned {answer.dtype} of shape {answer.shape}; it gets one coordinate array "
                f"per axis ({', '.join(grid.names)}) and must return booleans of shape {grid.shape}"
            )
        return answer
    given = np.asarray(region)
    if given.dtype == bool:
        if given.shape != grid.shape:
            raise RegionError(f"the {name} mask has shape {given.shape}, the grid {grid.shape}")
        return given
    if given.dtype.kind not in "iu":
        raise RegionError(f"{name} = {region!r} is neither a box, a predicate, a mask nor a cell index")
    index = tuple(np.atleast_1d(given).tolist())
    if len(index) != grid.dimension or any(not 0 <= i < n for i, n in zip(index, grid.shape, strict=True)):
        raise RegionError(f"{name} = {region!r} is not a cell index of a grid of shape {grid.shape}")
    mask = np.zeros(grid.shape, dtype=bool)
    mask[index] = True
    return mask
