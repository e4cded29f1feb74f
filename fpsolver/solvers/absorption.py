"""Targets as absorbing cells whose walls stand where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import MethodError, RegionError
from fpsolver.fields import Field
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Grid
from fpsolver.regions import Box, Region, region_mask
from fpsolver.solvers.linear import solve_generator
from fpsolver.solvers.walls import Crossing, crossings, diffusive


@dataclass(frozen=True, eq=False)
class Absorption:
    """A generator whose targets absorb: what remains outside them, and the rates into each.

    Parameters
    ----------
    generator : Generator
        The generator without targets.
    names : tuple of str
        Names of the targets.
    regions : tuple of region
        The targets as given.
    labels : ndarray of int
        0 outside, k inside the k-th target, of the grid's shape.
    crossings : tuple of Crossing
        The edges that enter targets.
    stretch : tuple of ndarray
        Per axis, the width of each cell's control volume relative to the cell: it ends at a target's wall.
    edges : tuple of Edge
        Rates between cells outside the targets; zero at every edge that touches a target.
    rates : mapping of str to ndarray
        Rate into each target, by name, of the grid's shape.
    """

    generator: Generator
    names: tuple[str, ...]
    regions: tuple[Region, ...]
    labels: np.ndarray
    crossings: tuple[Crossing, ...]
    stretch: tuple[np.ndarray, ...]
    edges: tuple[Edge, ...]
    rates: Mapping[str, np.ndarray]

    @property
    def grid(self) -> Grid:
        """The grid."""
        return self.generator.grid

    @property
    def snapped(self) -> tuple[str, ...]:
        """Names of the targets whose walls lie on faces because no exact wall was given."""
        return tuple(n for n, region in zip(self.names, self.regions, strict=True) if not isinstance(region, Box))

    @cached_property
    def outside(self) -> np.ndarray:
        """Boolean array of the cells outside all targets, of the grid's shape."""
        return self.labels == 0

    @cached_property
    def volume_factor(self) -> np.ndarray:
        """Volume of each control volume relative to its cell, of the grid's shape."""
        return np.prod(self.stretch, axis=0)

    def thickness(self, cells: np.ndarray, axis: int | None) -> np.ndarray:
        """Return the control volume's width along the axis, relative to the cell (1 for oblique edges)."""
        return np.ones(len(cells)) if axis is None else self.stretch[axis].ravel()[cells]

    @cached_property
    def killing(self) -> np.ndarray:
        """Rate to the grid's own absorbing walls outside the targets, of the grid's shape."""
        killing = np.where(self.outside, self.generator.killing, 0.0)
        thickness = np.zeros(self.grid.shape)
        walls = np.zeros(self.grid.shape)
        for k, axis in enumerate(self.grid.axes):
            for side, end in ((0, 0), (1, axis.cells - 1)):
                if axis.boundary[side] == "absorbing":
                    at = tuple(end if m == k else slice(None) for m in range(self.grid.dimension))
                    thickness[at] += self.stretch[k][at]
                    walls[at] += 1
        # In a corner between two absorbing walls of the grid the mean of the two widths is good enough.
        return killing * np.where(walls > 0, walls / np.where(walls > 0, thickness, 1.0), 1.0)

    @cached_property
    def leaving(self) -> np.ndarray:
        """Total rate of absorption, by targets and by the grid's walls, of the grid's shape."""
        return self.killing + sum(self.rates.values(), start=np.zeros(self.grid.shape))

    def absorbing_generator(self) -> Generator:
        """Return the generator outside the targets, with the rates into them as killing.

        A cell's state is the probability in its control volume, which ends at the target's wall; cells of the target
        are cut off.
        """
        W = self.generator
        equilibrium = None if W.log_equilibrium is None else W.log_equilibrium + np.log(self.volume_factor)
        return Generator(W.grid, W.dynamics, W.scheme, self.edges, self.leaving, equilibrium, W.notes)

    def solve_backward(self, source: np.ndarray, tolerance: float) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the function f outside the targets with Σ_j k_ij (f_j − f_i) − κ_i f_i = −source_i, and solver stats.

        Parameters
        ----------
        source : ndarray
            Non-negative, of the grid's shape.
        tolerance : float
            Relative error asked for.

        Returns
        -------
        values : ndarray
            f, of the grid's shape, 0 in the targets.
        stats : dict
            What the linear solver says.

        Raises
        ------
        MethodError
            If the tolerance cannot be used, or some cells can never be absorbed.
        """
        if not 0 < tolerance < 1:
            raise MethodError(f"tolerance = {tolerance!r} must lie between 0 and 1")
        matrix, killing = self._outside_system
        values = np.zeros(self.grid.shape)
        solution, stats = solve_generator(matrix, -source[self.outside], tolerance, adjoint=True, killing=killing)
        values[self.outside] = solution
        return values, dict(stats)

    def field(self, values: np.ndarray, stats: Mapping[str, Any], wall_values: Mapping[str, float]) -> Field:
        """Return values outside the targets as a field that knows what they are at the walls."""
        from fpsolver.solvers.walled_field import WalledField

        return WalledField(self.grid, values, stats, self, wall_values)

    @cached_property
    def _outside_system(self) -> tuple[sparse.csr_array, np.ndarray]:
        """The generator on the cells outside, and the rates at which they are left for good."""
        matrix = self.absorbing_generator().matrix
        if self.names:
            chosen = np.flatnonzero(self.outside)
            matrix = matrix[chosen][:, chosen].tocsr()
        killing = self.leaving[self.outside]
        self._check_reach(matrix, killing)
        return matrix, killing

    def _check_reach(self, matrix: sparse.csr_array, killing: np.ndarray) -> None:
        """Raise where some cells can never be absorbed."""
        goal = " or ".join(f"the {name}" for name in self.names) or "an absorbing wall"
        if not killing.any():
            raise MethodError(
                f"nothing ever reaches {goal}: give a target=, or make a wall absorbing, "
                'Axis(…, boundary=("reflecting", "absorbing"))'
            )
        reached = _can_be_killed(matrix, killing)
        if not reached.all():
            lost = np.flatnonzero(~reached)
            points = self.grid.points[self.outside]
            at = ", ".join(f"{name} = {x:g}" for name, x in zip(self.grid.names, points[lost[0]], strict=True))
            raise MethodError(
                f"{goal} is never reached from {len(lost)} cells, for example at {at}, so times there are infinite; "
                "restrict the grid to where it can be reached, or add those cells to the target"
            )


def absorb(W: Any, regions: Mapping[str, Region]) -> Absorption:
    """Turn regions of parameter space into absorbing targets.

    Cells whose centre lies in a region are absorbed. The wall of a `Box` is kept where it is: an outer cell's
    control volume ends at the wall at distance d from its centre, the rate to the wall is K Φ(ΔU_wall)/(d w_eff) with
    w_eff = h/2 + d along that axis, and its other rates along the axis scale with w/w_eff, which keeps detailed
    balance with respect to the new volumes. Predicates, masks and indices are bounded by cell faces. With oblique
    edges (tensor diffusion) volumes stay whole and only the rates to the walls are adapted.

    Parameters
    ----------
    W : Generator
        A Markov generator at a stated time.
    regions : mapping of str to region
        Disjoint targets by name; may be empty where the grid's walls absorb.

    Raises
    ------
    MethodError
        If W is driven or is not a Markov generator on cells.
    RegionError
        If a region is empty, covers everything, overlaps another or does not fit the grid.
    """
    _require_markov_edges(W)
    labels = np.zeros(W.grid.shape, dtype=np.int8)
    for number, (name, region) in enumerate(regions.items(), start=1):
        mask = region_mask(region, W.grid, name)
        if (overlap := mask & (labels > 0)).any():
            raise RegionError(f"the {name} shares {int(overlap.sum())} cells with another region; make them disjoint")
        labels[mask] = number
    if regions and (labels > 0).all():
        raise RegionError(f"{' and '.join(regions)} cover every cell of {W.grid!r}; leave something between them")
    given = tuple(regions.values())
    if not W.lattice:
        from fpsolver.solvers.cell_absorption import cell_absorption

        return cell_absorption(W, tuple(regions), given, labels)
    entering = crossings(W, labels, given)
    stretch = _stretch(W, entering)
    edges = _cut_edges(W, labels == 0, stretch)
    rates = _target_rates(W, tuple(regions), entering, stretch)
    return Absorption(W, tuple(regions), given, labels, entering, stretch, edges, rates)


def _cut_edges(W: Generator, outside: np.ndarray, stretch: tuple[np.ndarray, ...]) -> tuple[Edge, ...]:
    """Return the rates between outer cells whose control volumes end at walls.

    A face between two cut volumes has the smaller of their widths, one between a cut and a whole cell (at the corner
    of a box) that of the cell: the same on both sides, which keeps detailed balance, and whole cells as they were.
    """
    axes = tuple(range(W.grid.dimension))
    cut = [k for k, widths in enumerate(stretch) if (widths != 1).any()]
    result = []
    for edge in W.edges:
        back = tuple(-step for step in edge.offset)
        keep = outside & np.roll(outside, back, axis=axes)
        forward, backward = edge.forward * keep, edge.backward * keep
        for k in cut:
            there = np.roll(stretch[k], back, axis=axes)
            width = np.ones(()) if edge.offset[k] else np.minimum(stretch[k], there)
            width = np.where((stretch[k] != 1) & (there != 1), width, 1.0)
            forward *= width / stretch[k]
            backward *= width / there
        result.append(Edge(edge.offset, forward, backward))
    return tuple(result)


def _target_rates(
    W: Generator, names: tuple[str, ...], entering: tuple[Crossing, ...], stretch: tuple[np.ndarray, ...]
) -> dict[str, np.ndarray]:
    """Return the rate into each target."""
    totals = np.zeros((len(names), W.grid.size))
    for crossing in entering:
        k = crossing.axis
        thickness = 1.0 if k is None else stretch[k].ravel()[crossing.cells]
        np.add.at(totals, (crossing.labels - 1, crossing.cells), crossing.rate / thickness)
    return {name: total.reshape(W.grid.shape) for name, total in zip(names, totals, strict=True)}


def _require_markov_edges(W: Any) -> None:
    if not hasattr(W, "killing"):
        raise MethodError(
            f"{type(W).__name__} depends on time, so first passage from it is not one linear problem; "
            "freeze it with W.at(t), or evolve a density and watch its survival"
        )
    if not W.markov:
        raise MethodError(
            f"the {W.scheme} scheme is not a Markov process on cells, so no cell can absorb; "
            'use scheme="upwind" for first passage with velocities'
        )


def _stretch(W: Generator, entering: tuple[Crossing, ...]) -> tuple[np.ndarray, ...]:
    """Return each control volume's width along each axis relative to its cell's."""
    grid = W.grid
    stretch = [np.ones(grid.shape) for _ in grid.axes]
    if not diffusive(W) or any(sum(map(bool, edge.offset)) > 1 for edge in W.edges):
        return tuple(stretch)
    for crossing in entering:
        k = crossing.axis
        assert k is not None
        axis = grid.axes[k]
        outer = np.unravel_index(crossing.cells, grid.shape)[k]
        inner = np.unravel_index(crossing.inside, grid.shape)[k]
        length = axis.distances[outer if crossing.side > 0 else inner]
        reach = crossing.fraction * length
        # The half cell towards the wall is replaced by the distance to it, on either side.
        stretch[k].ravel()[crossing.cells] += reach / axis.widths[outer] - 0.5
        stretch[k].ravel()[crossing.inside] += (length - reach) / axis.widths[inner] - 0.5
    # A target whose walls both stand on its only centre has no volume; a positive one keeps logarithms finite.
    return tuple(np.maximum(widths, 1e-12) for widths in stretch)


def _can_be_killed(matrix: sparse.csr_array, killing: np.ndarray) -> np.ndarray:
    """Return from which cells some path of positive rates leads to killing, by a search back from there."""
    from scipy.sparse.csgraph import breadth_first_order

    if (matrix.data == 0).any():  # rates that underflowed are no path, but would be stored entries
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    # Row i of W lists the cells that jump to i, which is the direction of the search; one more row starts it.
    n = matrix.shape[0]
    goals = np.flatnonzero(killing > 0).astype(matrix.indices.dtype)
    data = np.concatenate([matrix.data, np.ones(len(goals))])
    indices = np.concatenate([matrix.indices, goals])
    pointers = np.append(matrix.indptr, len(data))
    graph = sparse.csr_array((data, indices, pointers), shape=(n + 1, n + 1))
    found = breadth_first_order(graph, n, directed=True, return_predecessors=False)
    reached = np.zeros(n + 1, dtype=bool)
    reached[found] = True
    return reached[:n]
