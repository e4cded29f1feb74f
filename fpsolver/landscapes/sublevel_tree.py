"""The merge tree of sublevel sets on a grid: minima, the saddles where their basins join, barriers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import LandscapeError
from fpsolver.grids import Grid
from fpsolver.landscapes.critical_cells import CriticalCell, CriticalCells
from fpsolver.landscapes.descent import descend, lowest_passes, ranks
from fpsolver.landscapes.values_on_grid import cell_values

if TYPE_CHECKING:
    from fpsolver.landscapes.landscape import Landscape
    from fpsolver.landscapes.tree_refinement import RefinedTree


@dataclass(frozen=True, eq=False)
class MergeTree:
    """Minima of a landscape on a grid and how the components of its sublevel sets merge.

    The set {L ≤ c} grows with c. A component is born at a minimum; where two meet at a saddle, the younger one (whose
    minimum is higher) ends and is counted with the elder. Row k of every array belongs to minimum k, lowest first.

    Attributes
    ----------
    grid : Grid
        The grid.
    minima : CriticalCells
        The n minima, in ascending order of value.
    merges : CriticalCells
        The saddle at which the component of each minimum ends; that of minimum 0 never does.
    parents : ndarray of int (n,)
        The deeper minimum with which it is counted from then on; −1 for minimum 0.
    touching : ndarray of int (n, 2)
        The two minima whose basins touch at the saddle (not always k and its parent); −1 for minimum 0.
    """

    grid: Grid
    minima: CriticalCells
    merges: CriticalCells
    parents: np.ndarray
    touching: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.parents, self.touching):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.parents)

    def __repr__(self) -> str:
        return f"MergeTree({len(self)} minima on {self.grid!r})"

    @property
    def persistence(self) -> np.ndarray:
        """Height (n,) from each minimum to its merge, its barrier; infinite for the lowest minimum."""
        return self.merges.values - self.minima.values

    def barrier_heights(self, threshold: float = 0.0) -> np.ndarray:
        """Return the finite barrier heights that are not below a threshold, ascending."""
        heights = np.sort(self.persistence[1:])
        return heights[heights >= threshold]

    def saddle_between(self, i: int, j: int) -> CriticalCell:
        """Return the minimax pass: the highest cell of the path from minimum i to j whose highest cell is lowest.

        Raises
        ------
        LandscapeError
            If there is no such minimum, or i and j are the same.
        """
        i, j = self._number(i), self._number(j)
        if i == j:
            raise LandscapeError(f"a pass joins two different minima, not {i} with itself")
        last = i
        # The component that ends first is replaced by the one that swallows it, until both are one; a minimum that
        # swallows has the smaller number, which decides between merges at equal height.
        while i != j:
            last = min(i, j, key=lambda k: (self.merges.values[k], -k))
            i, j = (int(self.parents[k]) if k == last else k for k in (i, j))
        return self.merges[last]

    def barrier(self, i: int, j: int) -> float:
        """Return how far one has to climb from minimum i to reach minimum j."""
        return self.saddle_between(i, j).value - float(self.minima.values[self._number(i)])

    def simplified(self, threshold: float) -> MergeTree:
        """Return the tree without the minima whose barrier is below a threshold h.

        In one dimension, these and the merges between them are the h-extrema of Neveu and Pitman (1989).

        Raises
        ------
        LandscapeError
            If the threshold is negative or NaN.
        """
        return self.pruned(self.persistence >= checked_threshold(threshold))[0]

    def pruned(self, keep: np.ndarray) -> tuple[MergeTree, np.ndarray]:
        """Return the tree of some of the minima, and for every old minimum the new one whose basin takes it in.

        Parameters
        ----------
        keep : ndarray of bool (n,)
            True above some persistence and False below: whoever swallows a minimum persists at least as long, so
            that parents are kept with their children.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        # Spilling over the saddles of the minima that go, every basin reaches exactly one minimum that stays.
        a, b = self.touching[~keep].T
        joined = coo_array((np.ones(len(a)), (a, b)), shape=(len(self), len(self)))
        piece = connected_components(joined, directed=False)[1]
        number = np.empty(np.count_nonzero(keep), dtype=np.int64)
        number[piece[keep]] = np.arange(len(number))
        taken = number[piece]
        parents, touching = taken[self.parents[keep]], taken[self.touching[keep]]
        parents[0], touching[0] = -1, -1
        tree = MergeTree(self.grid, self.minima.take(keep), self.merges.take(keep), parents, touching)
        return tree, taken

    def refined(self, landscape: Landscape, *, within: float = 2.0) -> RefinedTree:
        """Return the tree with minima and saddles moved to the critical points of the landscape beside them.

        Parameters
        ----------
        landscape : Landscape
            The landscape of which the tree is a picture on the grid.
        within : float
            How far a critical point may lie from its cell, in cell widths along each axis.
        """
        from fpsolver.landscapes.tree_refinement import refined

        return refined(self, landscape, within)

    def _number(self, k: int) -> int:
        if not 0 <= k < len(self):
            raise LandscapeError(f"there is no minimum {k!r}: the tree has {len(self)}, counted from 0, lowest first")
        return int(k)


def merge_tree(landscape: Any, grid: Grid) -> MergeTree:
    """Return the merge tree of the sublevel sets of a landscape on a grid.

    Parameters
    ----------
    landscape : Landscape or array_like
        The landscape, taken at cell centres, or one value per cell.
    grid : Grid
        The grid; the ends of periodic axes are joined.

    Returns
    -------
    MergeTree

    Raises
    ------
    GridError
        If landscape and grid do not fit.
    LandscapeError
        If a value is not finite.

    Notes
    -----
    All 3^d − 1 cells around a cell are its neighbours, as in `persistence_pairs`, whose pairs of minimum and saddle in
    dimension 0 are those of the tree. (Across faces alone, an oblique valley ten times as steep as it is long breaks up
    into several minima, however fine the grid.) A plateau is one minimum; a minimum may lie at a wall.

    On the graph whose edges weigh max(L_i, L_j), sublevel sets merge as along its minimum spanning tree (Gower and Ross
    1969). It is found between basins instead of cells: no path downhill from a cell leaves its sublevel set. Values
    are second order in the cell width; `MergeTree.refined` makes them exact.

    Examples
    --------
    >>> import fpsolver as fp
    >>> tree = merge_tree([0.0, 3.0, 1.0, 2.0, -1.0], Grid(x=(0, 5, 5)))
    >>> tree.minima.values.tolist(), tree.merges.values.tolist(), tree.parents.tolist()
    ([-1.0, 0.0, 1.0], [inf, 3.0, 2.0], [-1, 0, 0])
    >>> tree = merge_tree(fp.landscapes.mueller_brown(), Grid(x=(-1.6, 1.2, 140), y=(-0.4, 2.0, 120)))
    >>> sharp = tree.refined(fp.landscapes.mueller_brown()).tree
    >>> round(sharp.barrier(0, 1), 4), round(sharp.barrier(1, 0), 4)
    (106.0347, 67.5019)
    """
    tree, _ = complete_tree(cell_values(landscape, grid), grid)
    return tree.pruned(tree.persistence > 0.0)[0]


def complete_tree(values: np.ndarray, grid: Grid) -> tuple[MergeTree, np.ndarray]:
    """Return the tree with all cells below their neighbours, plateaus' included, and the label of every cell."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    rank = ranks(values)
    ends = descend(values, rank, grid)
    minima = np.flatnonzero(ends == np.arange(grid.size))
    minima = minima[np.argsort(rank[minima])]
    number = np.empty(grid.size, dtype=np.int64)
    number[minima] = np.arange(len(minima))
    labels = number[ends]

    pairs, heights = lowest_passes(labels, rank, grid)
    # A weight of zero would be no edge at all.
    graph = coo_array((heights + 1.0, tuple(pairs.T)), shape=(len(minima), len(minima)))
    spanning = minimum_spanning_tree(graph.tocsr()).tocoo()
    upwards = np.argsort(spanning.data, kind="stable")
    edges = np.stack([spanning.row, spanning.col], axis=-1)[upwards]
    at = np.argsort(rank)[spanning.data[upwards].astype(np.int64) - 1]

    ended, into = _elder_rule(len(minima), edges)
    parents, saddles = np.full(len(minima), -1), np.full(len(minima), -1)
    touching = np.full((len(minima), 2), -1)
    parents[ended], saddles[ended], touching[ended] = into, at, edges
    # Where several components meet in one cell, all end in the eldest, in whatever order the edges come.
    while (together := (saddles >= 0) & (saddles[parents] == saddles)).any():
        parents[together] = parents[parents[together]]
    tree = MergeTree(
        grid, CriticalCells.of(grid, values, minima), CriticalCells.of(grid, values, saddles), parents, touching
    )
    return tree, labels.reshape(grid.shape)


def _elder_rule(n: int, edges: np.ndarray) -> tuple[list[int], list[int]]:
    """Join n components along edges (n − 1, 2); return, edge by edge, which one ends and which goes on.

    Components are numbered from the eldest, so that the smaller number goes on.
    """
    eldest = list(range(n))

    def find(k: int) -> int:
        while eldest[k] != k:
            eldest[k] = k = eldest[eldest[k]]
        return k

    ended, into = [], []
    for a, b in edges.tolist():
        elder, younger = sorted((find(a), find(b)))
        eldest[younger] = elder
        ended.append(younger)
        into.append(elder)
    return ended, into


def checked_threshold(threshold: float) -> float:
    """Return a barrier below which minima are left out.

    Raises
    ------
    LandscapeError
        If it is negative or NaN.
    """
    if not threshold >= 0.0:
        raise LandscapeError(f"threshold = {threshold!r} must not be negative; it is a height in units of loss")
    return float(threshold)
