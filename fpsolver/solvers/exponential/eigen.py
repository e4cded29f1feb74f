"""Diagonalisation of small reversible generators; tridiagonal in one dimension."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.solvers.exponential.lattice import Lattice
from fpsolver.solvers.exponential.relaxation import dirichlet_rate
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System

MOST_CELLS = 4000
RESOLVED = 100.0
"""Gap of the two slowest rates, over the rounding of S, from which their eigenvectors are told apart."""


def eigen(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve a small reversible system by the eigenvectors of its symmetrised generator.

    Slow rates are taken from a subtraction-free Rayleigh quotient, for they decide about long times. Rates below the
    rounding of S itself, as behind a high barrier, are lost with their eigenvectors; the estimated error says so.

    Parameters
    ----------
    system : System
        Reversible, of at most 4000 cells.
    state : ndarray
        Cell probabilities, of total one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Not used: the result is as good as rounding allows.

    Raises
    ------
    MethodError
        If there are too many cells.
    """
    n = system.generator.n_state
    if n > MOST_CELLS:
        raise MethodError(f"method='eigen' stores {n}² numbers for {n} cells; above {MOST_CELLS} choose 'auto'")
    values, vectors = _decomposition(system)
    values = np.minimum(values, 0.0)
    size = system.amplification(state)
    # the solver moves S by this much, and mixes vectors whose rates lie no further apart
    noise = -2 * EPSILON * float(values[0])
    gap = float(values[-1] - values[-2]) if n > 1 else np.inf
    resolved = gap > RESOLVED * noise
    closed = not system.generator.absorbing
    if closed and resolved:
        values[-1] = 0.0
        vectors[:, -1] = system.root
    slow = np.flatnonzero(values > 1e-3 * values[0])
    for k in slow[:-1] if closed and resolved else slow:
        values[k] = -dirichlet_rate(system, vectors[:, k])
    y = system.symmetrise(state)
    overlaps = vectors.T @ y
    rows = (np.exp(np.outer(durations, values)) * overlaps) @ vectors.T
    # Duhamel: a change of S by the noise moves e^{tS} by noise·t, and by no more than noise/gap where there is a gap
    mixed = noise / gap if resolved else noise * float(durations[-1])
    if resolved and not closed:
        mixed += noise**2 / gap * min(float(durations[-1]), 1 / max(-float(values[-1]), 1e-300))
    # orthogonality of computed eigenvectors holds to a small multiple of rounding
    error = (20 * EPSILON * np.sqrt(n) + mixed) * size
    return Outcome(rows * system.root, n, float(error), "eigen")


def _decomposition(system: System) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import eigh, eigh_tridiagonal

    operator = system.symmetric
    if isinstance(operator, Lattice) and list(operator.shifts) == [1] and not operator.circular:
        return eigh_tridiagonal(operator.diagonal, operator.into[0][:-1])
    return eigh(operator.dense())
