"""Generators that are sparse matrices as operators, with the polynomials that lattices have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from fpsolver.kernels.recurrences import three_terms


@dataclass(frozen=True, eq=False)
class SparseOperator:
    """A sparse matrix of rates between any two cells.

    Parameters
    ----------
    matrix : sparse.csr_array, shape (n, n)
        The matrix, its diagonal included.
    """

    matrix: sparse.csr_array

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.matrix.shape[0])

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal elements, shape (n,)."""
        return self.matrix.diagonal()

    def lowest(self) -> float:
        """Return a lower bound of the real parts of the eigenvalues, by Gershgorin's circles on the rows."""
        rows = np.asarray(abs(self.matrix).sum(axis=1)).ravel()
        return -float((rows - np.abs(self.diagonal) - self.diagonal).max())

    def dense(self) -> np.ndarray:
        """Return the matrix with all its zeros."""
        return self.matrix.toarray()

    def polynomial(
        self,
        x: np.ndarray,
        *,
        scale: float,
        shift: float,
        gains: np.ndarray,
        pulls: np.ndarray,
        weights: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return sums and the last term of the recurrence that `Lattice.polynomial` states, with the same arguments."""
        matrix = scale * self.matrix
        sums, last = three_terms(lambda values: matrix @ values + shift * values, x, gains, pulls, weights)
        return np.array(sums).reshape(len(weights), len(x)), last


def symmetrised(matrix: sparse.csr_array) -> sparse.csr_array:
    """Return Π^{−1/2} W Π^{1/2} of a W with detailed balance, whose elements are √(W_ij W_ji)."""
    diagonal = matrix.diagonal()
    root = sparse.csr_array(matrix - sparse.diags_array(diagonal))
    root.data = np.sqrt(np.maximum(root.data, 0.0))
    return sparse.csr_array(root.multiply(root.T.tocsr()) + sparse.diags_array(diagonal))
