"""Exact elimination of every other cell of a large network, which halves what an iterative method has to solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

# Share of the cells that may be left for a reduction to pay: half of them on a grid with links along axes, but three
# quarters and many more links where cells are also linked along diagonals.
_WORTHWHILE = 0.6


@dataclass(frozen=True, eq=False)
class Reduction:
    """The network that is seen when it is watched on some of its cells only, and the way back to all of them.

    Cells taken out are linked to none of each other. What enters one leaves it at once for its neighbours, in
    proportion to the rates: the censored chain, whose times and masses on the cells that are left are exact.

    Parameters
    ----------
    matrix : sparse matrix, shape (n, n)
        The generator W before.
    exits : ndarray, shape (n,)
        Total rate out of each cell, minus the diagonal of W.
    left : ndarray of bool, shape (n,)
        The cells that are left.
    reduced : csr_matrix or None
        W among the cells that are left; None once it is not needed any more.
    """

    matrix: Any
    exits: np.ndarray
    left: np.ndarray
    reduced: Any

    def source(self, rhs: np.ndarray, adjoint: bool) -> np.ndarray:
        """Return the right-hand side of the reduced system, to W x = rhs or Wᵀ x = rhs."""
        passed = np.where(self.left, 0.0, rhs / self.exits)
        return (rhs + self._image(passed, adjoint))[self.left]

    def extended(self, solution: np.ndarray, rhs: np.ndarray, adjoint: bool) -> np.ndarray:
        """Return the solution on all cells, from that on the cells that are left."""
        full = np.zeros(rhs.shape)
        full[self.left] = solution
        others = (self._image(full, adjoint) - rhs) / self.exits
        return np.where(self.left, full, others)

    def _image(self, vector: np.ndarray, adjoint: bool) -> np.ndarray:
        return self.matrix.T @ vector if adjoint else self.matrix @ vector


def reduce_network(matrix: Any, killing: np.ndarray) -> Reduction | None:
    """Take an independent set of cells out of a network, or return None where that does not pay.

    Parameters
    ----------
    matrix : csr_array, shape (n, n)
        W, acting on cell probabilities: element (i, j) is the rate j → i.
    killing : ndarray, shape (n,)
        Rate at which each cell loses probability.

    Examples
    --------
    Of a chain of five sites every other one is left; rates are halved, since a jump over a site may also fail.

    >>> chain = sparse.diags_array([[1.0] * 4, [-1.0, -2.0, -2.0, -2.0, -2.0], [1.0] * 4], offsets=[-1, 0, 1])
    >>> reduce_network(sparse.csr_array(chain), np.array([0.0, 0, 0, 0, 1])).reduced.toarray().tolist()
    [[-0.5, 0.5], [0.5, -1.0]]
    """
    from fpsolver.kernels.cpu.reduction import count_censored, fill_censored, independent_cells

    size = matrix.shape[0]
    exits = -matrix.diagonal()
    if not (exits > 0.0).all():
        return None
    taken = np.zeros(size, dtype=bool)
    count = independent_cells(matrix.indptr, matrix.indices, taken)
    if not 0 < count <= _WORTHWHILE * size:
        return None
    left = ~taken
    number = np.where(left, np.cumsum(left, dtype=matrix.indices.dtype) - 1, -1).astype(matrix.indices.dtype)
    starts = np.empty(count + 1, dtype=matrix.indptr.dtype)
    count_censored(matrix.indptr, matrix.indices, number, starts)
    columns, rates = np.empty(starts[-1], dtype=matrix.indices.dtype), np.empty(starts[-1])
    losses = np.array(killing, dtype=float).ravel()
    fill_censored(matrix.indptr, matrix.indices, matrix.data, exits, number, losses, starts, columns, rates)
    reduced = sparse.csr_matrix((rates, columns, starts), shape=(count, count))
    return Reduction(matrix, exits, left, reduced)
