"""From the cells of a merge tree to the critical points beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fpsolver.errors import GridError
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_cells import CriticalCells
from fpsolver.landscapes.critical_points import SearchBox, StationaryPoint, follow, polish
from fpsolver.landscapes.landscape import Landscape
from fpsolver.landscapes.sublevel_tree import MergeTree

# In cell widths.
_SAME_POINT = 1e-6


@dataclass(frozen=True, eq=False)
class RefinedTree:
    """A merge tree whose minima and saddles are critical points of the landscape, as far as these were found.

    Attributes
    ----------
    tree : MergeTree
        Same cells, order, parents and touching basins as on the grid, with refined positions and values.
    minima, saddles : tuple of StationaryPoint or None
        The critical point of each minimum and of each merge; None where the value on the grid was kept. Positions are
        in the order of the landscape's variables.
    kept : mapping of (str, int) to str
        Why the value on the grid was kept, by ("minimum" or "saddle", number); the merge of minimum 0, which never
        happens, is not among them.
    """

    tree: MergeTree
    minima: tuple[StationaryPoint | None, ...]
    saddles: tuple[StationaryPoint | None, ...]
    kept: Mapping[tuple[str, int], str]


def refined(tree: MergeTree, landscape: Landscape, within: float) -> RefinedTree:
    """Return a merge tree at the critical points of a landscape; see `MergeTree.refined`.

    Raises
    ------
    GridError
        If the grid's axes are not the landscape's variables, or `within` is not positive.
    """
    if not within > 0:
        raise GridError(f"within = {within!r} must be a positive number of cells")
    minima, lost_minima = _critical_points(tree.grid, tree.minima, landscape, 0, within)
    # The merge of minimum 0 has no place.
    saddles, lost_saddles = _critical_points(tree.grid, tree.merges.take(np.arange(1, len(tree))), landscape, 1, within)
    saddles = [None, *saddles]
    kept = {("minimum", k): why for k, why in lost_minima.items()}
    kept |= {("saddle", k + 1): why for k, why in lost_saddles.items()}
    order = tree.grid.order(landscape.variables)
    better = replace(tree, minima=_moved(tree.minima, minima, order), merges=_moved(tree.merges, saddles, order))
    return RefinedTree(better, tuple(minima), tuple(saddles), kept)


def _critical_points(
    grid: Grid, cells: CriticalCells, landscape: Landscape, index: int, within: float
) -> tuple[list[StationaryPoint | None], dict[int, str]]:
    """Return the critical point of given index beside each cell, or None and the reason by number."""
    order = grid.order(landscape.variables)
    box, widths = _box(grid, landscape, order), np.array(grid.spacings)[order]
    starts = box.clip(cells.positions[:, order])
    # Steps of one cell at most keep the search beside the cell where it started.
    ends = follow(landscape, starts, index, box, radius=float((widths / box.widths).min()))
    points: list[StationaryPoint | None] = []
    reasons: dict[int, str] = {}
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        found = polish(landscape, end[None], box)
        reason = _objection(found, start, widths, index, within)
        if reason is None:
            reason = _repeats(found[0], points, widths)
        points.append(None if reason else found[0])
        if reason:
            reasons[k] = reason
    return points, reasons


def _objection(
    found: list[StationaryPoint], start: np.ndarray, widths: np.ndarray, index: int, within: float
) -> str | None:
    if not found:
        return "Newton's method does not converge there, as at the edge of the grid or where the gradient jumps"
    distance = float((np.abs(found[0].position - start) / widths).max())
    if distance > within:
        return f"the critical point found is {distance:.3g} cells away, more than {within:g}; refine the grid"
    if found[0].index != index:
        return f"the critical point found has {found[0].index} descending directions instead of {index}"
    return None


def _repeats(found: StationaryPoint, points: list[StationaryPoint | None], widths: np.ndarray) -> str | None:
    for point in points:
        if point is not None and np.abs((found.position - point.position) / widths).max() < _SAME_POINT:
            return f"the critical point found, at {found.position.tolist()}, is another's already; refine the grid"
    return None


def _box(grid: Grid, landscape: Landscape, order: list[int]) -> SearchBox:
    """Return the grid's extent, with some cells more where it is periodic and the landscape known."""
    margin = [5.0 * spacing if axis.periodic else 0.0 for axis, spacing in zip(grid.axes, grid.spacings, strict=True)]
    bounds = np.array([[a.lower - m, a.upper + m] for a, m in zip(grid.axes, margin, strict=True)])[order]
    known = np.array(landscape.domain)
    return SearchBox(np.maximum(bounds[:, 0], known[:, 0]), np.minimum(bounds[:, 1], known[:, 1]))


def _moved(cells: CriticalCells, points: list[StationaryPoint | None], order: list[int]) -> CriticalCells:
    positions, values = cells.positions.copy(), cells.values.copy()
    for k, point in enumerate(points):
        if point is not None:
            positions[k, order], values[k] = point.position, point.value
    return CriticalCells(cells.indices, positions, values)
