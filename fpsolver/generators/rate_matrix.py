"""The rate matrix of a discretised dynamics, kept as edges between cells or as a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import DensityError, NumericalError
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Edge:
    """All jumps along one lattice offset, in both directions.

    Parameters
    ----------
    offset : tuple of int
        Lattice vector from a cell to its neighbour.
    forward, backward : ndarray
        Rates of the jumps cell → cell + offset and cell + offset → cell, stored at the cell the edge starts from;
        of the grid's shape, zero where there is no such neighbour. Indices wrap on periodic axes.
    """

    offset: tuple[int, ...]
    forward: np.ndarray
    backward: np.ndarray

    def at_end(self, values: np.ndarray) -> np.ndarray:
        """Return values of the cells at the end of the edge, stored at the cell it starts from."""
        return np.roll(values, tuple(-step for step in self.offset), axis=tuple(range(values.ndim)))

    def arrived(self, values: np.ndarray) -> np.ndarray:
        """Return what the edges carry, stored at the cell they end at."""
        return np.roll(values, self.offset, axis=tuple(range(values.ndim)))


@dataclass(frozen=True, eq=False)
class Generator:
    """The generator W of a Markov jump process on the cells of a grid: dP/dt = W P for cell probabilities P.

    Columns of W sum to minus the rate at which walls absorb (`killing`).

    Parameters
    ----------
    grid : Grid
        The grid.
    dynamics : object
        The law of motion that was discretised.
    scheme : str
        Name of the discretisation.
    edges : tuple of Edge
        Rates between cells.
    killing : ndarray
        Rate at which each cell loses probability to absorbing walls, of the grid's shape.
    log_equilibrium : ndarray or None
        Logarithm of the equilibrium cell probabilities, up to a constant, where detailed balance holds by
        construction; None elsewhere.
    notes : tuple of str
        What the discretisation had to do, for reports.
    """

    grid: Grid
    dynamics: Any
    scheme: str
    edges: tuple[Edge, ...]
    killing: np.ndarray
    log_equilibrium: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for edge in self.edges:
            for rates in (edge.forward, edge.backward):
                total = rates.sum()
                if not np.isfinite(total):
                    raise NumericalError(_bad_rate(self, rates))

    @property
    def markov(self) -> bool:
        """Whether off-diagonal rates are non-negative by construction."""
        return True

    @property
    def lattice(self) -> bool:
        """Whether rates are those of a few `edges`, the same offsets for all cells."""
        return bool(self.edges)

    @property
    def reversible(self) -> bool:
        """Whether detailed balance holds by construction."""
        return self.log_equilibrium is not None

    @property
    def absorbing(self) -> bool:
        """Whether any wall absorbs."""
        return bool(self.killing.any())

    @property
    def n_state(self) -> int:
        """Length of the state vector, the number of cells."""
        return self.grid.size

    @property
    def mass_weights(self) -> np.ndarray:
        """Vector whose product with a state is the total probability."""
        return np.ones(self.n_state)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal of W: minus the total rate out of each cell, of the grid's shape."""
        total = self.killing.copy()
        for edge in self.edges:
            total += edge.forward
            total += edge.arrived(edge.backward)
        return -total

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """W as a sparse matrix on cell probabilities in C order."""
        return edges_to_matrix(self.grid.shape, self.edges, self.diagonal)

    @cached_property
    def adjoint(self) -> sparse.csr_array:
        """The backward operator, the transpose of W, acting on functions of the parameters."""
        return self.matrix.T.tocsr()

    def encode(self, density: Any) -> np.ndarray:
        """Return the state vector, the cell probabilities, of a density of the grid's shape."""
        values = np.asarray(density, dtype=float)
        if values.shape != self.grid.shape:
            raise DensityError(f"a density of shape {values.shape} does not fit a grid of shape {self.grid.shape}")
        return (values * self.grid.volumes).ravel()

    def decode(self, state: np.ndarray) -> np.ndarray:
        """Return the density of a state vector (or of several, along leading axes)."""
        return state.reshape(state.shape[:-1] + self.grid.shape) / self.grid.volumes

    def product(self, state: np.ndarray) -> np.ndarray:
        """Return W P for a state vector."""
        return self.matrix @ state

    def apply(self, density: Any) -> np.ndarray:
        """Return dp/dt, of the grid's shape, for a density p."""
        return self.decode(self.product(self.encode(density)))

    def __repr__(self) -> str:
        balance = "detailed balance" if self.reversible else "no detailed balance assumed"
        walls = ", absorbing walls" if self.absorbing else ""
        return f"Generator({self.scheme}, {self.grid!r}, {balance}{walls})"


def edges_to_matrix(shape: tuple[int, ...], edges: tuple[Edge, ...], diagonal: np.ndarray) -> sparse.csr_array:
    """Assemble edges and a diagonal into a sparse matrix whose element (i, j) is the rate j → i.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid.
    edges : tuple of Edge
        Rates between cells.
    diagonal : ndarray
        Diagonal, of the grid's shape.
    """
    cells = np.arange(diagonal.size, dtype=np.int32).reshape(shape)
    rows, columns, rates = [cells.ravel()], [cells.ravel()], [diagonal.ravel()]
    for edge in edges:
        linked = (edge.forward != 0) | (edge.backward != 0)
        start = cells[linked]
        end = edge.at_end(cells)[linked]
        forward, backward = edge.forward.ravel()[start], edge.backward.ravel()[start]
        rows += [end, start]
        columns += [start, end]
        rates += [forward, backward]
    entries = (np.concatenate(rates), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_array(entries, shape=(cells.size, cells.size)).tocsr()


def _bad_rate(generator: Generator, rates: np.ndarray) -> str:
    cell = np.unravel_index(int(np.argmax(~np.isfinite(rates))), rates.shape)
    grid = generator.grid
    where = ", ".join(
        f"{name} = {axis.centres[i]:g}" for name, axis, i in zip(grid.names, grid.axes, cell, strict=True)
    )
    return f"the rate out of the cell at {where} is {rates[cell]}; refine the grid or shrink it"
