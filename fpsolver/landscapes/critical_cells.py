"""Cells of a grid at which the topology of sublevel sets changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fpsolver.grids import Grid


class CriticalCell(NamedTuple):
    """One cell: its index in arrays of the grid's shape, its centre (d,) and the value there."""

    cell: tuple[int, ...]
    position: np.ndarray
    value: float


@dataclass(frozen=True, eq=False)
class CriticalCells:
    """A sequence of cells; ``cells[k]`` is the k-th as a `CriticalCell`.

    Attributes
    ----------
    indices : ndarray of int (n, d)
        Index of each cell along every axis; −1 where an event never happens.
    positions : ndarray (n, d)
        Cell centres, in the order of the grid's axes; NaN where an event never happens.
    values : ndarray (n,)
        Values of the landscape; infinite where an event never happens.
    """

    indices: np.ndarray
    positions: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.indices, self.positions, self.values):
            array.flags.writeable = False

    @classmethod
    def of(cls, grid: Grid, values: np.ndarray, cells: np.ndarray) -> CriticalCells:
        """Return the cells with given numbers (C order), where −1 stands for an event that never happens."""
        never = cells < 0
        indices = np.stack(np.unravel_index(np.where(never, 0, cells), grid.shape), axis=-1)
        indices[never] = -1
        positions = np.stack([axis.centres[indices[:, k]] for k, axis in enumerate(grid.axes)], axis=-1)
        positions[never] = np.nan
        return cls(indices, positions, np.where(never, np.inf, values.ravel()[cells]))

    def take(self, rows: np.ndarray) -> CriticalCells:
        """Return the cells with the given numbers, or under a mask."""
        return CriticalCells(self.indices[rows], self.positions[rows], self.values[rows])

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, k: int) -> CriticalCell:
        return CriticalCell(tuple(self.indices[k].tolist()), self.positions[k], float(self.values[k]))

    def __iter__(self) -> Iterator[CriticalCell]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"CriticalCells({len(self)} cells)"
