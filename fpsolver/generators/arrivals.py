"""Where the steps of a chain lead: probabilities sent from cells to sites, and the matrix that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import GridError
from fpsolver.generators.continued_axis import ContinuedAxis
from fpsolver.grids import Axis, Grid

MOST_ELEMENTS = 100_000_000
"""Elements a matrix of steps may hold, somewhat more than a gigabyte."""
BLOCK = 500_000
"""Probabilities that are worked out at a time."""
_ON_CENTRE = 1e-11


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Probabilities of steps from some cells to sites on the grid and behind its walls.

    Parameters
    ----------
    cells : ndarray of int, shape (m,)
        The cells, by their number in C order.
    columns : ndarray of int, shape (n,)
        From which of these each step starts, 0 to m − 1.
    sites : tuple of ndarray of int, each of shape (n,)
        Site along each axis at which it arrives.
    weights : ndarray, shape (n,)
        Its probability.
    """

    cells: np.ndarray
    columns: np.ndarray
    sites: tuple[np.ndarray, ...]
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class StepMatrix:
    """The probabilities of one step of a chain.

    Parameters
    ----------
    moving : sparse.csr_array, shape (n, n)
        Element (i, j) is the probability of a step from cell j to another cell i.
    staying : ndarray, shape (n,)
        Probability of a step from each cell to end where it began.
    lost : ndarray, shape (n,)
        Probability of a step from each cell to lead behind an absorbing wall.
    folded : ndarray, shape (n,)
        Probability of a step from each cell to be folded back at a wall that only truncates an open space.
    """

    moving: sparse.csr_array
    staying: np.ndarray
    lost: np.ndarray
    folded: np.ndarray


def step_matrix(grid: Grid, arrivals: Iterable[Arrivals]) -> StepMatrix:
    """Fold what leaves the grid back onto it and collect the probabilities of steps in a matrix.

    Parameters
    ----------
    grid : Grid
        The grid.
    arrivals : iterable of Arrivals
        All steps of a cell come in one piece, and those of each cell sum to one.

    Raises
    ------
    GridError
        If the matrix would hold too many elements.
    """
    lines = [ContinuedAxis(axis) for axis in grid.axes]
    staying, lost, folded = (np.zeros(grid.size) for _ in range(3))
    pieces: list[sparse.csr_array] = []
    origins: list[np.ndarray] = []
    count = 0
    for step in arrivals:
        homes = [line.home(sites) for line, sites in zip(lines, step.sites, strict=True)]
        _reverse_velocities(grid, lines, step.sites, homes)
        inside = np.all([home >= 0 for home in homes], axis=0)
        arrived = np.ravel_multi_index([np.maximum(home, 0) for home in homes], grid.shape)
        here = inside & (arrived == step.cells[step.columns])
        beyond = np.any([line.open(sites) for line, sites in zip(lines, step.sites, strict=True)], axis=0)
        m = len(step.cells)
        for total, chosen in ((staying, here), (folded, beyond), (lost, ~inside)):
            if chosen.any():
                total[step.cells] += np.bincount(step.columns[chosen], step.weights[chosen], minlength=m)
        away = inside & ~here
        entries = (step.weights[away], (step.columns[away], arrived[away].astype(np.int32)))
        pieces.append(sparse.coo_array(entries, shape=(m, grid.size)).tocsr())
        origins.append(step.cells)
        count += pieces[-1].nnz
        check_elements(count)
    # Rows are origins here, columns in the end.
    rows = sparse.vstack(pieces, format="csr")
    pieces.clear()
    order = np.concatenate(origins)
    if (np.diff(order) < 0).any():
        rows = rows[np.argsort(order)]
    return StepMatrix(sparse.csr_array(rows.T), staying, lost, folded)


def check_elements(count: float) -> None:
    """Raise if a matrix would hold too many elements.

    Raises
    ------
    GridError
        With the remedy.
    """
    if count > MOST_ELEMENTS:
        raise GridError(
            f"a step reaches so many cells that its matrix would hold {count:.1e} probabilities, more than "
            f"{MOST_ELEMENTS:.0e}; coarsen the grid to 2 or 3 cells a standard deviation of a step"
        )


def _reverse_velocities(
    grid: Grid, lines: list[ContinuedAxis], sites: tuple[np.ndarray, ...], cells: list[np.ndarray]
) -> None:
    """Turn velocities round where a wall has reflected the position."""
    d = grid.position_dimension
    for k in range(len(grid.velocity)):
        turned = lines[k].mirrored(sites[k]) & (cells[k] >= 0) & (cells[d + k] >= 0)
        cells[d + k] = np.where(turned, grid.axes[d + k].cells - 1 - cells[d + k], cells[d + k])


def split(
    axes: Sequence[Axis],
    cells: np.ndarray,
    columns: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    carried: tuple[np.ndarray, ...] = (),
) -> Arrivals:
    """Share probabilities at points between the neighbouring sites, so that the mean stays where it is.

    Along each axis a point at a fraction f of the way between two centres a distance h apart gives 1 − f to the one and
    f to the other, which adds f(1 − f)h² ≤ h²/4 to the variance.

    Parameters
    ----------
    axes : sequence of Axis
        The axes of the coordinates of the points.
    cells, columns
        As for `Arrivals`.
    points : ndarray, shape (n, len(axes))
        Where the steps lead.
    weights : ndarray, shape (n,)
        Their probabilities.
    carried : tuple of ndarray of int
        Sites along axes that follow, which are known already.
    """
    sites: list[np.ndarray] = []
    parts = weights[None, :]
    for k, axis in enumerate(axes):
        line = ContinuedAxis(axis)
        left = line.below(points[:, k])
        start = line.centres(left)
        share = (points[:, k] - start) / (line.centres(left + 1) - start)
        # A point on a centre but for rounding has one neighbour.
        share = np.where(share < _ON_CENTRE, 0.0, np.where(share > 1.0 - _ON_CENTRE, 1.0, share))
        sites = [np.concatenate([earlier, earlier]) for earlier in sites]
        sites.append(np.repeat(np.stack([left, left + 1]), len(parts), axis=0))
        parts = np.concatenate([parts * (1.0 - share), parts * share])
    number = np.broadcast_to(np.arange(len(weights)), parts.shape)
    kept = parts > 0.0
    number = number[kept]
    known = (*(site[kept] for site in sites), *(site[number] for site in carried))
    return Arrivals(cells, columns[number], known, parts[kept])


def blocks(sizes: np.ndarray) -> Iterator[slice]:
    """Yield slices of neighbours whose sizes, the numbers of probabilities of each, add up to about `BLOCK`."""
    if len(sizes):
        number = np.floor(np.cumsum(sizes) / BLOCK).astype(np.int64)
        starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(sizes)]
        for start, stop in pairwise(starts):
            yield slice(start, stop)
