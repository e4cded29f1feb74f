"""Subtraction-free solves of Markov networks: stationary states, escape times and absorption to full relative accuracy.

A factorisation of W works with its diagonal, in which the small rates of escape over a high barrier are rounded away:
past a barrier of some 25 T nothing is left of them. Elimination in the manner of Grassmann, Taksar and Heyman uses
rates between states only and never subtracts, so that each result is accurate relative to itself. It costs
n · bandwidth² operations: linear in one dimension (rings included, whose bandwidth is 2 once folded), affordable for
small networks and narrow grids.

Source: W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33, 1107 (1985); C. A. O'Cinneide, Numer. Math. 65, 109
(1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import MethodError


@dataclass(frozen=True, eq=False)
class Elimination:
    """A Markov network, eliminated once and ready to be solved for many right-hand sides.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        Original index of each state in the order of elimination (the last state is eliminated first).
    rates : ndarray, shape (n, 2 b + 1)
        Banded table of rates, as the kernel left it.
    exits : ndarray, shape (n,)
        Rate out of each state at the time of its elimination.
    """

    order: np.ndarray
    rates: np.ndarray
    exits: np.ndarray

    def backward(self, source: Any) -> np.ndarray:
        """Return x ≥ 0 with −Wᵀ x = source: mean times for a unit source, absorption for a rate into the target.

        Parameters
        ----------
        source : array_like, shape (n,) or (n, m)
            Right-hand side. Full relative accuracy holds for sources ≥ 0.
        """
        from fpsolver.kernels.cpu.elimination import solve_backward

        return self._solve(solve_backward, source)

    def forward(self, source: Any) -> np.ndarray:
        """Return x ≥ 0 with −W x = source: mean time spent in each state by what the source feeds in.

        Parameters
        ----------
        source : array_like, shape (n,) or (n, m)
            Right-hand side. Full relative accuracy holds for sources ≥ 0.
        """
        from fpsolver.kernels.cpu.elimination import solve_forward

        return self._solve(solve_forward, source)

    def stationary(self) -> np.ndarray:
        """Return the stationary probabilities of a network without killing, shape (n,)."""
        from fpsolver.kernels.cpu.elimination import stationary_mass

        mass = np.empty(len(self.exits))
        stationary_mass(self.rates, self.exits, mass)
        result = np.empty_like(mass)
        result[self.order] = mass
        return result

    def _solve(self, kernel: Any, source: Any) -> np.ndarray:
        given = np.asarray(source, dtype=float)
        if not self.exits[0] > 0.0:
            raise MethodError("the network is closed, so that no state is ever left for good; ask for stationary()")
        values = np.ascontiguousarray(given[self.order].reshape(len(given), -1))
        kernel(self.rates, self.exits, values)
        result = np.empty_like(values)
        result[self.order] = values
        return result.reshape(given.shape)


def eliminate_network(matrix: Any, killing: Any = None) -> Elimination:
    """Eliminate a Markov network without subtractions.

    Parameters
    ----------
    matrix : sparse matrix, shape (n, n)
        Element (i, j) is the rate j → i. Diagonal elements are ignored: they follow from the others.
    killing : array_like, shape (n,), optional
        Rate out of the network from each state; zero if left out.

    Raises
    ------
    MethodError
        If a rate is negative, or some states neither reach the others nor are killed.

    Examples
    --------
    A particle on three sites hops right and left at rates 1 and 3, and is killed at rate 1 from the right end.

    >>> rates = sparse.csr_array(np.array([[0, 3, 0], [1, 0, 3], [0, 1, 0.0]]))
    >>> eliminate_network(rates).stationary() * 13
    array([9., 3., 1.])
    >>> eliminate_network(rates, [0, 0, 1]).backward(np.ones(3))
    array([18., 17., 13.])
    """
    from fpsolver.kernels.cpu.elimination import eliminate

    entries = sparse.coo_array(matrix)
    away = entries.row != entries.col
    row, column, rate = entries.row[away], entries.col[away], entries.data[away]
    n = entries.shape[0]
    leak = np.zeros(n) if killing is None else np.array(killing, dtype=float).reshape(n)
    smallest = min(rate.min(initial=0.0), leak.min(initial=0.0))
    if smallest < 0.0:
        raise MethodError(
            f"elimination needs a Markov network, but a rate is {smallest:.3g}; use a sparse factorisation"
        )
    order = elimination_order(matrix)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    band = int(np.abs(place[row] - place[column]).max(initial=0))
    rates = np.zeros((n, 2 * band + 1))
    np.add.at(rates, (place[column], band + place[row] - place[column]), rate)
    exits = np.empty(n)
    stuck = eliminate(rates, leak[order], exits)
    if stuck >= 0:
        raise MethodError(
            f"state {order[stuck]} belongs to a set of states that is never left; "
            "restrict the problem to one connected class"
        )
    return Elimination(order, rates, exits)


def elimination_order(matrix: Any) -> np.ndarray:
    """Return an order of the states in which the matrix has a narrow band, shape (n,).

    The natural order is kept unless the reverse Cuthill–McKee order is narrower (it folds a ring into a band of 2).
    """
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    pattern = sparse.csr_array(matrix)
    natural = np.arange(pattern.shape[0])
    width = bandwidth(pattern)
    if width <= 1:
        return natural
    symmetric = sparse.csr_array(pattern + pattern.T)
    order = np.asarray(reverse_cuthill_mckee(sparse.csr_matrix(symmetric), symmetric_mode=True))
    return order if bandwidth(symmetric[order][:, order]) < width else natural


def bandwidth(matrix: Any) -> int:
    """Return the largest distance of an element from the diagonal."""
    entries = sparse.coo_array(matrix)
    return int(np.abs(entries.row.astype(np.int64) - entries.col).max(initial=0))
