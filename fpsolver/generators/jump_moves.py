"""Moves of a proposal between the cells of a grid, axis by axis: which sites there are, and how likely each move is.

Sites are the cells and, behind walls, what continues them. A move along one axis is a sparse matrix from cells to
sites; a proposal is a sum of products of such matrices: one product for independent coordinates, d for a lattice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import scipy.sparse as sparse

from fpsolver.dynamics.proposals import LatticeProposal, Update
from fpsolver.errors import GridError
from fpsolver.generators.jump_weights import AxisKernel, axis_kernel
from fpsolver.grids import Axis, Grid


@dataclass(frozen=True, eq=False)
class Sites:
    """Sites along one axis.

    Parameters
    ----------
    axis : Axis
        The axis.
    numbers : ndarray of int, shape (m,)
        Consecutive numbers; 0, …, n − 1 are the cells, others lie behind walls or some turns away.
    """

    axis: Axis
    numbers: np.ndarray

    @cached_property
    def centres(self) -> np.ndarray:
        """Positions, shape (m,)."""
        return self.axis.centres[self.numbers % self.axis.cells] + self.turns * (self.axis.upper - self.axis.lower)

    @cached_property
    def turns(self) -> np.ndarray:
        """Lengths of the axis between each site and its image on the axis, shape (m,)."""
        return self.numbers // self.axis.cells

    @cached_property
    def home(self) -> np.ndarray:
        """Cell of each site, −1 behind a wall."""
        if self.axis.periodic:
            return self.numbers % self.axis.cells
        inside = (self.numbers >= 0) & (self.numbers < self.axis.cells)
        return np.where(inside, self.numbers, -1)


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves from the cells of a grid to sites; made by `moves`.

    Parameters
    ----------
    sites : tuple of Sites
        Along each axis.
    terms : tuple of tuple of sparse.csr_array
        For each product, one matrix an axis, sites × cells, of probabilities.
    """

    sites: tuple[Sites, ...]
    terms: tuple[tuple[sparse.csr_array, ...], ...]

    @property
    def entries(self) -> float:
        """Number of moves."""
        return sum(float(np.prod([float(factor.nnz) for factor in term])) for term in self.terms)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of sites along each axis."""
        return tuple(len(sites.numbers) for sites in self.sites)

    @cached_property
    def home(self) -> np.ndarray:
        """Cell of every site, both numbered in C order, −1 behind walls."""
        homes = np.meshgrid(*(sites.home for sites in self.sites), indexing="ij")
        inside = np.all([home >= 0 for home in homes], axis=0)
        cells = np.ravel_multi_index(
            [np.maximum(home, 0) for home in homes], [sites.axis.cells for sites in self.sites]
        )
        return np.where(inside, cells, -1).ravel()

    @cached_property
    def points(self) -> np.ndarray:
        """Positions of all sites, shape (*shape, d)."""
        return np.stack(np.meshgrid(*(sites.centres for sites in self.sites), indexing="ij"), axis=-1)

    def table(self) -> sparse.coo_array:
        """Return all moves as one matrix, sites × cells, both in C order."""
        products = [reduce(lambda a, b: sparse.kron(a, b, format="coo"), term).tocoo() for term in self.terms]
        data, row, col = (
            np.concatenate([getattr(product, name) for product in products]) for name in ("data", "row", "col")
        )
        return sparse.coo_array((data, (row, col)), shape=products[0].shape)

    def displaced(self, k: int) -> Moves:
        """Return the moves with probabilities times their length, with its sign, along an axis."""
        sites, terms = self.sites[k], []
        for term in self.terms:
            factor = term[k].tocoo()
            lengths = sites.centres[factor.row] - sites.axis.centres[factor.col]
            scaled = sparse.coo_array((factor.data * lengths, (factor.row, factor.col)), shape=factor.shape).tocsr()
            terms.append((*term[:k], scaled, *term[k + 1 :]))
        return Moves(self.sites, tuple(terms))

    def gathered(self, values: np.ndarray) -> np.ndarray:
        """Return, for each cell, the sum over all sites of probability times value.

        Parameters
        ----------
        values : ndarray
            One a site.
        """
        total = np.zeros(tuple(sites.axis.cells for sites in self.sites))
        for term in self.terms:
            image = values
            for k, factor in enumerate(term):
                rest = np.moveaxis(image, k, 0)
                moved = (factor.T @ rest.reshape(len(rest), -1)).reshape(-1, *rest.shape[1:])
                image = np.moveaxis(moved, 0, k)
            total += image
        return total


def moves(proposal: Update, grid: Grid, components: list[int], *, unfolded: bool = False, beyond: int = 0) -> Moves:
    """Return the moves of a proposal on a grid; moves behind a reflecting wall are left out.

    Parameters
    ----------
    proposal : Proposal or LatticeProposal
        Law of the updates.
    grid : Grid
        Its axes must be uniform.
    components : list of int
        Number of the variable on each axis.
    unfolded : bool
        Keep turns round periodic axes apart, for rates that depend on them; else they are summed.
    beyond : int
        Sites behind absorbing walls, at most; as many as the proposal reaches. The outermost one stands for all that
        lies beyond it.

    Raises
    ------
    GridError
        If an axis is not uniform or does not resolve the proposal, or turns have to be kept apart that do not end.
    """
    sites, matrices, stays = [], [], []
    for k, (axis, component) in enumerate(zip(grid.axes, components, strict=True)):
        kernel = axis_kernel(proposal, grid, k, component)
        if axis.periodic and not unfolded:
            sites.append(Sites(axis, np.arange(axis.cells)))
            matrices.append(_circulant(kernel.wrapped(axis.cells)))
        else:
            weights = _weights(kernel, axis, grid.names[k], beyond)
            sites.append(_sites(axis, len(weights) - 1, beyond))
            matrices.append(_open(kernel, weights, sites[-1]))
        stays.append(_stay(sites[-1]))
    if not isinstance(proposal, LatticeProposal):
        return Moves(tuple(sites), (tuple(matrices),))
    d = grid.dimension
    terms = [tuple(matrices[j] / d if j == k else stays[j] for j in range(d)) for k in range(d)]
    return Moves(tuple(sites), tuple(terms))


def _weights(kernel: AxisKernel, axis: Axis, name: str, beyond: int) -> np.ndarray:
    if not axis.periodic:
        return kernel.weights(axis.cells - 1 + (beyond if "absorbing" in axis.boundary else 0))
    weights = kernel.all_weights()
    if weights is None:
        raise GridError(
            f"the rates of jumps round the axis {name!r} depend on the number of turns, and the proposal's tails are "
            "too heavy to sum over them; take a proposal with lighter tails"
        )
    return weights


def _sites(axis: Axis, reach: int, beyond: int) -> Sites:
    below, above = (
        reach if axis.periodic else min(reach, beyond) if side == "absorbing" else 0 for side in axis.boundary
    )
    return Sites(axis, np.arange(-below, axis.cells + above))


def _circulant(q: np.ndarray) -> sparse.csr_array:
    """Return the matrix of moves round a periodic axis, q[k] for k cells up."""
    n = len(q)
    steps, cells = np.flatnonzero(q > 0.0), np.arange(n)
    row, column = (cells + steps[:, None]) % n, np.broadcast_to(cells, (len(steps), n))
    return sparse.coo_array((np.repeat(q[steps], n), (row.ravel(), column.ravel())), shape=(n, n)).tocsr()


def _open(kernel: AxisKernel, weights: np.ndarray, sites: Sites) -> sparse.csr_array:
    """Return the matrix of moves that do not run round, with what lies beyond the outermost sites put there."""
    n, m, first = sites.axis.cells, len(sites.numbers), int(sites.numbers[0])
    shifts = np.flatnonzero(weights > 0.0)
    shifts = np.unique(np.concatenate([-shifts, shifts]))
    diagonals = np.repeat(weights[np.abs(shifts)][:, None], n, axis=1)
    table = sparse.dia_array((diagonals, first - shifts), shape=(m, n)).tocsr()
    if sites.axis.periodic:
        return table
    cells = np.arange(n)
    for site in {0, m - 1} - set(np.flatnonzero(sites.home >= 0)):
        tails = kernel.tail(np.abs(int(sites.numbers[site]) - cells))
        table = table + sparse.coo_array((tails, (np.full(n, site), cells)), shape=(m, n)).tocsr()
    table.eliminate_zeros()
    return table


def _stay(sites: Sites) -> sparse.csr_array:
    """Return the matrix of no move."""
    n = sites.axis.cells
    cells = np.arange(n)
    return sparse.coo_array((np.ones(n), (cells - int(sites.numbers[0]), cells)), shape=(len(sites.numbers), n)).tocsr()
