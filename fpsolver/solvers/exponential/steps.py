"""Chains that move in steps: the Markov operator K of one step, applied a whole number of times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.driven import DrivenGenerator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.exponential.squaring import normalise_columns
from fpsolver.solvers.exponential.system import EPSILON, Outcome

MOST_CELLS = 2000
"""Cells up to which a dense power of K may be kept."""
# Whole numbers up to here are known apart from their neighbours.
_COUNTABLE = 2.0**53
# Multiplications in a second of a product with a sparse matrix, and of one of dense matrices.
_SPARSE, _DENSE = 1e9, 1e10


def step_propagation(
    generator: Generator | DrivenGenerator, state: np.ndarray, start: float, times: np.ndarray
) -> Iterator[Outcome]:
    """Return an iterator over the states of a chain at each time.

    Nothing is subtracted on the way, so that probabilities keep their relative accuracy; the error is that of rounding.

    Parameters
    ----------
    generator : ChainGenerator, or DrivenGenerator of one
        The chain. Under a protocol a step takes the values at its beginning.
    state : ndarray
        Cell probabilities at `start`.
    start : float
        Number of the first step.
    times : ndarray, shape (n_times,)
        Numbers of steps, ascending, after `start`.

    Raises
    ------
    MethodError
        If a time is not a whole number, or beyond those that floating point tells apart.
    """
    for t in (start, *times):
        if t != np.round(t):
            raise MethodError(
                f"t = {t:g} is not a whole number: the unit of time of a chain is one step (learning time is "
                "learning_rate times steps)"
            )
        if abs(t) > _COUNTABLE:
            raise MethodError(f"t = {t:g} is more than the {_COUNTABLE:g} steps that can be counted; use stationary")
    steps = (times - start).astype(np.int64)
    if isinstance(generator, ChainGenerator):
        return _autonomous(generator, state, steps)
    assert isinstance(generator, DrivenGenerator)
    return _driven(generator, state, start, steps)


def _autonomous(generator: ChainGenerator, state: np.ndarray, steps: np.ndarray) -> Iterator[Outcome]:
    done, known = 0, 0
    power = np.empty((0, 0))
    cells = generator.n_state
    for count in steps:
        gap, done = int(count) - done, int(count)
        products = 2 * gap.bit_length()
        if cells <= MOST_CELLS and gap * generator.rates.nnz / _SPARSE > products * cells**3 / _DENSE:
            made = 0 if gap == known else products
            if made:
                power, known = _power(generator, gap), gap
            state = (power @ np.append(state, 0.0))[:cells]
            yield Outcome(state[None, :], made, EPSILON * cells * (products + 1), "powers of one step")
        else:
            for _ in range(gap):
                state = generator.rates @ state + generator.staying * state
            yield Outcome(state[None, :], gap, EPSILON * done, "steps")


def _driven(generator: DrivenGenerator, state: np.ndarray, start: float, steps: np.ndarray) -> Iterator[Outcome]:
    """Apply the operator of each step; that of the step before serves again where no protocol has changed."""
    done = 0
    known: tuple[float, ...] | None = None
    chain: ChainGenerator | None = None
    for count in steps:
        for n in range(done, int(count)):
            values = tuple(float(protocol(start + n)) for protocol in generator.dynamics.protocol.values())
            if values != known:
                frozen, known = generator.at(start + n), values
                assert isinstance(frozen, ChainGenerator)
                chain = frozen
            assert chain is not None
            state = chain.rates @ state + chain.staying * state
        yield Outcome(state[None, :], int(count) - done, EPSILON * int(count), "steps")
        done = int(count)


def _power(generator: ChainGenerator, steps: int) -> np.ndarray:
    """Return K^steps by repeated squaring, with what is absorbed in one more state, so that columns sum to one."""
    n = generator.n_state
    square = np.zeros((n + 1, n + 1))
    square[:n, :n] = generator.step.toarray()
    square[n, :n] = generator.killing.ravel()
    square[n, n] = 1.0
    result = None
    while True:
        normalise_columns(square)
        if steps & 1:
            result = square if result is None else square @ result
            if result is not square:
                normalise_columns(result)
        steps >>= 1
        if not steps:
            assert result is not None
            return result
        square = square @ square
