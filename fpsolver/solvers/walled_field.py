"""Fields that take a known value on the walls of targets and on absorbing walls of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.fields import Field
from fpsolver.grids import Grid
from fpsolver.regions import Box, Region
from fpsolver.solvers.absorption import Absorption


@dataclass(frozen=True, eq=False)
class WalledField(Field):
    """A field that is constant inside targets and continuous at their walls.

    Between a centre and a wall, `at` interpolates between the centre's value and the wall's, wherever the wall
    stands, and inside a target it returns the target's value exactly; elsewhere it is multilinear between centres.

    Parameters
    ----------
    grid, values, stats
        As for `Field`.
    absorption : Absorption
        The targets.
    wall_values : mapping of str to float
        Value on and inside each target, 0 where a name is missing; on the grid's absorbing walls it is 0.
    """

    absorption: Absorption | None = None
    wall_values: Mapping[str, float] = field(default_factory=dict)

    def at(self, points: Any) -> np.ndarray:
        """Return the values at points; see the class for what happens near walls.

        Parameters
        ----------
        points : array_like, shape (..., dimension)
            Where to evaluate.

        Raises
        ------
        DomainError
            If a point lies outside the grid.
        """
        plain = np.array(super().at(points), dtype=float)
        if self.absorption is None:
            return plain
        shape = plain.shape
        result = plain.reshape(-1)
        where = np.asarray(points, dtype=float).reshape(-1, self.grid.dimension)
        self._mend(result, where)
        for number, (name, region) in enumerate(
            zip(self.absorption.names, self.absorption.regions, strict=True), start=1
        ):
            within = _contains(self.grid, region, self.absorption.labels == number, where)
            result[within] = self.wall_values.get(name, 0.0)
        return result.reshape(shape)

    def _mend(self, result: np.ndarray, where: np.ndarray) -> None:
        """Interpolate anew at points with a wall between them and one of the centres around them."""
        assert self.absorption is not None
        grid, labels = self.grid, self.absorption.labels
        brackets = [_bracket(axis, where[:, k]) for k, axis in enumerate(grid.axes)]
        corners = list(np.ndindex(*(2,) * grid.dimension))
        index = {c: tuple(b[side] for b, side in zip(brackets, c, strict=True)) for c in corners}
        label = np.stack([_label(labels, grid, index[c]) for c in corners])
        affected = np.flatnonzero((label != 0).any(axis=0) & (label == 0).any(axis=0))
        if len(affected) == 0:
            return
        label = label[:, affected]
        cells = {c: tuple(i[affected] for i in index[c]) for c in corners}
        known = np.stack([self._value(cells[c]) for c in corners])
        known = self._with_ghosts(known, label, cells, corners)
        total = np.zeros(len(affected))
        for number, corner in enumerate(corners):
            weight = np.ones(len(affected))
            for side, (_, _, fraction) in zip(corner, brackets, strict=True):
                weight = weight * (fraction[affected] if side else 1 - fraction[affected])
            total += weight * known[number]
        result[affected] = total

    def _value(self, cells: tuple[np.ndarray, ...]) -> np.ndarray:
        """Return the values of cells, 0 for the mirror cells beyond the grid."""
        inside = np.ones(len(cells[0]), dtype=bool)
        for index, axis in zip(cells, self.grid.axes, strict=True):
            inside &= (index >= 0) & (index < axis.cells)
        clipped = tuple(np.clip(i, 0, axis.cells - 1) for i, axis in zip(cells, self.grid.axes, strict=True))
        return np.where(inside, self.values[clipped], 0.0)

    def _with_ghosts(
        self, known: np.ndarray, label: np.ndarray, cells: dict[Any, tuple[np.ndarray, ...]], corners: list[Any]
    ) -> np.ndarray:
        """Replace absorbed corners by the linear continuation, through the wall's value, of their neighbours."""
        assert self.absorption is not None
        inside = np.array([0.0, *(self.wall_values.get(name, 0.0) for name in self.absorption.names), 0.0])
        wall = inside[label]  # beyond the grid the label is −1, the last entry
        filled = np.where(label == 0, known, wall)
        for number, corner in enumerate(corners):
            total, count = np.zeros(known.shape[1]), np.zeros(known.shape[1])
            for axis, side in enumerate(corner):
                near = tuple(1 - s if k == axis else s for k, s in enumerate(corner))
                other = corners.index(near)
                use = (label[number] != 0) & (label[other] == 0)
                fraction = self._wall_fraction(axis, 1 if side else -1, tuple(i[use] for i in cells[near]))
                beyond = wall[number, use] - known[other, use]
                total[use] += wall[number, use] + beyond * (1 - fraction) / fraction
                count[use] += 1
            filled[number, count > 0] = total[count > 0] / count[count > 0]
        return filled

    def _wall_fraction(self, axis: int, side: int, cells: tuple[np.ndarray, ...]) -> np.ndarray:
        """Return where between a cell and its neighbour the wall stands; half way for faces."""
        assert self.absorption is not None
        flat = np.ravel_multi_index(cells, self.grid.shape)
        fraction = np.full(len(flat), 0.5)
        for crossing in self.absorption.crossings:
            if crossing.axis == axis and crossing.side == side and len(flat):
                order = np.argsort(crossing.cells)
                place = np.searchsorted(crossing.cells, flat, sorter=order)
                match = order[np.minimum(place, len(order) - 1)]
                found = crossing.cells[match] == flat
                fraction[found] = crossing.fraction[match[found]]
        return fraction


def _bracket(axis: Any, coordinate: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two cells around each coordinate and the weight of the second.

    Beyond the outermost centre of an absorbing side the second cell is −1 or n, a mirror image behind the wall.
    """
    centres, n = axis.centres, axis.cells
    left = np.searchsorted(centres, coordinate, side="right") - 1
    if axis.periodic:
        gap = coordinate - centres[left] + np.where(left < 0, axis.upper - axis.lower, 0.0)
        return left % n, (left + 1) % n, gap / axis.distances[left]
    lowest = -1 if axis.boundary[0] == "absorbing" else 0
    highest = n - 1 if axis.boundary[1] == "absorbing" else n - 2
    left = np.clip(left, lowest, highest)
    extended = np.concatenate([[2 * axis.lower - centres[0]], centres, [2 * axis.upper - centres[-1]]])
    start, stop = extended[left + 1], extended[left + 2]
    return left, left + 1, (coordinate - start) / (stop - start)


def _label(labels: np.ndarray, grid: Grid, cells: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the labels of cells, −1 beyond the grid."""
    clipped = tuple(np.clip(i, 0, axis.cells - 1) for i, axis in zip(cells, grid.axes, strict=True))
    label = labels[clipped].astype(int)
    for index, axis in zip(cells, grid.axes, strict=True):
        label[(index < 0) | (index >= axis.cells)] = -1
    return label


def _contains(grid: Grid, region: Region, mask: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return which points lie in a region: within the bounds of a box, within the cells of any other."""
    if isinstance(region, Box):
        inside = np.ones(len(where), dtype=bool)
        for name, (lower, upper) in region.bounds.items():
            x = where[:, grid.index(name)]
            if lower is not None:
                inside &= x >= lower
            if upper is not None:
                inside &= x <= upper
        return inside
    cells = tuple(
        np.clip(np.searchsorted(axis.faces, where[:, k], side="right") - 1, 0, axis.cells - 1)
        for k, axis in enumerate(grid.axes)
    )
    return mask[cells]
