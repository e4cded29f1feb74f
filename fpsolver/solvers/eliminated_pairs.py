"""Slow eigenpairs of a process whose rates are so far apart that a diagonalisation would drown the slow ones.

Where jumps lead down from far up a wall their rates are e^{ΔL/2T} times those at the bottom, and the rounding of the
fastest rate exceeds the slowest. Elimination without subtraction keeps the digits of each rate apart, and the slow
eigenvalues are the large ones of its inverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.solvers.arnoldi import dominant_pairs
from fpsolver.solvers.eigenpairs import Eigenpairs
from fpsolver.solvers.elimination import bandwidth, eliminate_network

SPREAD = 1e4
"""Fastest rate over the mean rate from which a diagonalisation is not trusted."""
MOST_OPERATIONS = 1.5e10
"""Operations that elimination may cost: some ten seconds."""
MOST_OPERATIONS_FOR_CONVOLUTIONS = 2e9
"""The same where there is another way, which knows rates to rounding of the mean rate: a second or two."""
PASSES = 8
"""Shifts that are tried until one is of the size of the slowest rate."""


def needs_elimination(generator: Any) -> bool:
    """Return whether a process of jumps has detailed balance and rates too far apart, and is small enough for this."""
    if generator.lattice or not generator.reversible:
        return False
    leaving = -generator.diagonal.ravel()
    if leaving.max() <= SPREAD * (_weights(generator) @ leaving):
        return False
    n = float(generator.n_state)
    if isinstance(generator, ConvolutionGenerator):  # its matrix is full, and made for nothing else
        return n**3 <= MOST_OPERATIONS_FOR_CONVOLUTIONS
    return n * float(bandwidth(generator.matrix)) ** 2 <= MOST_OPERATIONS


def eliminated_pairs(generator: Any, k: int, tolerance: float) -> Eigenpairs:
    """Return the k slowest eigenpairs of a Markov generator with detailed balance, by Arnoldi on its inverse.

    Left vectors ψ solve (σ − Wᵀ)⁻¹ ψ = ψ/(σ + λ), right ones are πψ. A closed process gets a shift σ of the size of its
    slowest rate, and its known ground state, ψ = 1, is projected out.

    Parameters
    ----------
    generator : Generator
        With `log_equilibrium` and a `matrix`.
    k : int
        Number of eigenpairs.
    tolerance : float
        Relative accuracy asked of the iteration.

    Raises
    ------
    ConvergenceError
        If the iteration stops before.
    """
    weights, killing = _weights(generator), np.ravel(generator.killing).astype(float)
    closed = not generator.absorbing
    wanted = k - 1 if closed else k
    mean = float(weights @ -generator.diagonal.ravel())
    shift, rates, left = (1e-6 * mean if closed else 0.0), np.zeros(0), np.zeros((0, len(weights)))
    for _ in range(PASSES if wanted else 0):
        rates, left = _slowest(generator.matrix, killing + shift, weights, wanted, tolerance, closed=closed)
        rates = rates - shift
        if not closed or 1e-3 * shift < rates[0] < 1e3 * shift:
            break
        # The slowest rate is known to rounding of the shift; below that the next shift is a guess.
        shift = max(float(rates[0]), 1e-9 * shift)
    else:
        if wanted:
            raise ConvergenceError(f"the slowest rate is below {shift:.1e} of the mean rate and was not found")
    if closed:
        rates, left = np.concatenate([[0.0], rates]), np.concatenate([np.ones((1, len(weights))), left])
    stats = {
        "method": "Arnoldi with elimination",
        "accuracy": max(tolerance, 1e3 * np.finfo(float).eps),
        "accuracy_kind": "relative",
    }
    return Eigenpairs(rates, left * weights, left, stats)


def _weights(generator: Any) -> np.ndarray:
    logarithm = np.ravel(generator.log_equilibrium)
    weights = np.exp(logarithm - logarithm.max())
    return weights / weights.sum()


def _slowest(
    matrix: Any, killing: np.ndarray, weights: np.ndarray, wanted: int, tolerance: float, *, closed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slowest rates with killing added, and their functions ψ as rows with ⟨ψ²⟩ = 1."""
    network = eliminate_network(matrix, killing)
    # In units of √π vectors are orthogonal, and those cells do not count that are never visited.
    root = np.sqrt(weights)
    seen = root > 0.0

    def inverse(y: np.ndarray) -> np.ndarray:
        source = np.divide(y, root, out=np.zeros_like(y), where=seen)
        found = network.backward(np.maximum(source, 0.0)) - network.backward(np.maximum(-source, 0.0))
        if closed:
            found = found - weights @ found
        return found * root

    start = np.random.default_rng(0).uniform(-1.0, 1.0, len(weights)) * root
    if closed:
        start -= root * (root @ start)
    values, vectors = dominant_pairs(inverse, start, wanted, 0.1 * tolerance)
    kept = values.real[:wanted]
    left = np.stack([inverse(vector.real) for vector in vectors.T[:wanted]])
    left = np.divide(left, root, out=np.zeros_like(left), where=seen)
    left /= np.sqrt((weights * left**2).sum(axis=1))[:, None]
    return 1.0 / kept, left
