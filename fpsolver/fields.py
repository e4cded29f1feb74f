"""Fields: functions on the cells of a grid that can be asked for values anywhere inside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import DomainError, GridError
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Field(np.lib.mixins.NDArrayOperatorsMixin):
    """A function on the cells of a grid.

    A field behaves as its array of values in arithmetic and in NumPy functions.

    Parameters
    ----------
    grid : Grid
        The grid.
    values : ndarray
        One value per cell, of the grid's shape.
    stats : mapping
        How the values were found: method, residual, iterations.
    """

    grid: Grid
    values: np.ndarray
    stats: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values))
        if self.values.shape != self.grid.shape:
            raise GridError(f"values of shape {self.values.shape} do not fit {self.grid!r}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.values if dtype is None else self.values.astype(dtype)
        return values.copy() if copy and values is self.values else values

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        plain = [value.values if isinstance(value, Field) else value for value in inputs]
        return getattr(ufunc, method)(*plain, **keywords)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along each axis."""
        return self.values.shape

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __len__(self) -> int:
        return len(self.values)

    def at(self, points: Any) -> np.ndarray:
        """Return the values at points, by multilinear interpolation between cell centres.

        The interpolation error is of second order in the cell width, as the values themselves are. Within half a
        cell of a bound the nearest pair of centres is extrapolated.

        Parameters
        ----------
        points : array_like, shape (..., dimension)
            Where to evaluate.

        Raises
        ------
        DomainError
            If a point lies outside the grid.
        """
        where = np.asarray(points, dtype=float)
        if where.shape[-1:] != (self.grid.dimension,):
            raise GridError(
                f"points of shape {where.shape} do not end in the grid's dimension {self.grid.dimension}; "
                "a single point is [[x, y, …]]"
            )
        values = self.values
        result = np.zeros(where.shape[:-1], dtype=values.dtype)
        corners = [bracket(axis, where[..., k], self.grid.names[k]) for k, axis in enumerate(self.grid.axes)]
        for corner in np.ndindex(*(2,) * self.grid.dimension):
            weight = np.ones(where.shape[:-1])
            index = []
            for side, (left, right, fraction) in zip(corner, corners, strict=True):
                weight = weight * (fraction if side else 1 - fraction)
                index.append(right if side else left)
            result = result + weight * values[tuple(index)]
        return result


def bracket(axis: Any, coordinate: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two cells whose centres bracket each coordinate, and the weight of the second."""
    outside = ~((coordinate >= axis.lower) & (coordinate <= axis.upper))
    if outside.any():
        value = np.atleast_1d(coordinate)[np.atleast_1d(outside)][0]
        raise DomainError(f"{name} = {value:g} lies outside the grid [{axis.lower:g}, {axis.upper:g}]")
    centres = axis.centres
    if axis.periodic:
        left = np.searchsorted(centres, coordinate, side="right") - 1
        offset = coordinate - centres[left] + np.where(left < 0, axis.upper - axis.lower, 0.0)
        return left % axis.cells, (left + 1) % axis.cells, offset / axis.distances[left]
    left = np.clip(np.searchsorted(centres, coordinate, side="right") - 1, 0, axis.cells - 2)
    return left, left + 1, (coordinate - centres[left]) / (centres[left + 1] - centres[left])
