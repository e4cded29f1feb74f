"""Generators given by their rates between any two cells: jumps of any length, networks, chains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse as sparse

from fpsolver.dynamics.networks import MarkovNetwork
from fpsolver.errors import GridError
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Axis, Grid


@dataclass(frozen=True, eq=False, repr=False)
class MatrixGenerator(Generator):
    """A Markov generator whose rates are the elements of a sparse matrix; made by `matrix_generator`.

    It has no `edges`: cells are linked across any distance, so that probability does not flow through faces.

    Parameters
    ----------
    rates : sparse.csr_array, shape (n, n)
        Element (i, j) is the rate j → i; the diagonal is left out.
    """

    # A dataclass cannot add a required field behind optional ones; `matrix_generator` always gives it.
    rates: sparse.csr_array = None

    @property
    def smooth(self) -> bool:
        """Whether rates are samples of a smooth density, so that sums over cells are integrals beyond all orders."""
        return False

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal of W: minus the total rate out of each cell, of the grid's shape."""
        return -(np.asarray(self.rates.sum(axis=0)).reshape(self.grid.shape) + self.killing)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """W as a sparse matrix on cell probabilities in C order."""
        return sparse.csr_array(self.rates + sparse.diags_array(self.diagonal.ravel()))

    def mean(self, function: np.ndarray) -> np.ndarray:
        """Return Σ_i (rate j → i) f_i for every cell j, both of the grid's shape."""
        return np.asarray(function.ravel() @ self.rates).reshape(self.grid.shape)

    def restricted(self, outside: np.ndarray, weights: np.ndarray, killing: np.ndarray) -> Self:
        """Return the generator on a part of the grid.

        Parameters
        ----------
        outside : ndarray of bool
            The part, of the grid's shape.
        weights : ndarray
            Factors, not zero, of the rates into its cells, and of their equilibrium probabilities.
        killing : ndarray
            Rate at which each of its cells is left for good.
        """
        here = outside.ravel().astype(float)
        rates = sparse.csr_array(sparse.diags_array(here * weights.ravel()) @ self.rates @ sparse.diags_array(here))
        rates.eliminate_zeros()
        equilibrium = None if self.log_equilibrium is None else self.log_equilibrium + np.log(weights)
        return self.with_rates(rates, killing, equilibrium)

    def with_rates(self, rates: sparse.csr_array, killing: np.ndarray, log_equilibrium: np.ndarray | None) -> Self:
        """Return the generator with other rates on the same grid."""
        return replace(self, rates=rates, killing=killing, log_equilibrium=log_equilibrium)


def matrix_generator(
    grid: Grid,
    dynamics: Any,
    scheme: str,
    rates: Any,
    *,
    killing: np.ndarray | None = None,
    log_equilibrium: np.ndarray | None = None,
    notes: tuple[str, ...] = (),
) -> MatrixGenerator:
    """Return the generator of a matrix of rates between cells.

    Parameters
    ----------
    grid : Grid
        The grid; cells in C order.
    dynamics : object
        The law of motion.
    scheme : str
        Name of the discretisation.
    rates : sparse or dense matrix, shape (n, n)
        Element (i, j) is the rate j → i, not negative; diagonal elements are left aside.
    killing : ndarray, of the grid's shape, optional
        Rate out of each cell for good.
    log_equilibrium : ndarray, of the grid's shape, optional
        Logarithm of the equilibrium cell probabilities where detailed balance holds.
    notes : tuple of str
        What the discretisation had to do.

    Raises
    ------
    GridError
        If a rate is negative or not finite, or the shape does not fit.

    Examples
    --------
    >>> W = matrix_generator(Grid(state=(-0.5, 2.5, 3)), None, "example", [[0, 1, 0], [2, 0, 1], [0, 1, 0]])
    >>> W.matrix.toarray().tolist()
    [[-2.0, 1.0, 0.0], [2.0, -2.0, 1.0], [0.0, 1.0, -1.0]]
    """
    table = sparse.coo_array(rates, dtype=float)
    if table.shape != (grid.size, grid.size):
        raise GridError(f"rates of shape {table.shape} do not fit the {grid.size} cells of {grid!r}")
    away = (table.row != table.col) & (table.data != 0.0)
    worst = table.data[away].min(initial=0.0)
    if not (worst >= 0.0 and np.isfinite(table.data[away].max(initial=0.0))):
        raise GridError(f"a rate is {worst:g}: rates are finite and not negative")
    kept = sparse.coo_array((table.data[away], (table.row[away], table.col[away])), shape=table.shape).tocsr()
    lost = np.zeros(grid.shape) if killing is None else np.asarray(killing, dtype=float).reshape(grid.shape)
    return MatrixGenerator(grid, dynamics, scheme, (), lost, log_equilibrium, notes, kept)


def network_generator(network: MarkovNetwork) -> MatrixGenerator:
    """Return the generator of a network, on a grid with the axis ``state`` and one cell of unit volume a state.

    Examples
    --------
    >>> from fpsolver.dynamics import markov_network
    >>> W = network_generator(markov_network([[0, 1], [3, 0]]))
    >>> W.grid.names, W.grid.axes[0].centres.tolist()
    (('state',), [0.0, 1.0])
    """
    grid = Grid(state=Axis(-0.5, network.states - 0.5, network.states, boundary="reflecting"))
    return matrix_generator(grid, network, "network", network.matrix)
