"""A protocol cut into steps: jumps of the loss at fixed θ, between them relaxation under frozen generators.

Work is done at the jumps only, and each frozen generator keeps its own Boltzmann state, so that the work relations hold
on the grid for any number of steps. Parameters stay at their value in the middle of each step (a Strang splitting), so
that everything else is of second order in the step, with even powers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.errors import MethodError
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid
from fpsolver.solvers.exponential.uniformisation import poisson_weights

FEWEST = 8
"""Steps of a protocol to begin an extrapolation with."""

# Cells up to which e^{W dt} may be kept as a dense matrix.
_DENSE = 1500
# What the Poisson series leaves out; below rounding, since errors of all steps add up.
_SERIES = 1e-17


@dataclass(frozen=True, eq=False)
class Step:
    """Relaxation under a frozen generator.

    Parameters
    ----------
    generator : Generator
        W in the middle of the step.
    duration : float
        Its length in time.
    level : ndarray, shape (n,)
        Loss (or loss over temperature) in the middle of the step.
    stop : ndarray, shape (n,), or None
        The same at the end of the step where something is to be measured there.
    """

    generator: Generator
    duration: float
    level: np.ndarray
    stop: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ProtocolSteps:
    """A protocol cut into steps.

    Parameters
    ----------
    grid : Grid
        The grid.
    first : ndarray, shape (n,)
        Loss, or loss over temperature, at the start.
    steps : tuple of Step
        The steps; the last one stops.
    """

    grid: Grid
    first: np.ndarray
    steps: tuple[Step, ...]

    @property
    def last(self) -> np.ndarray:
        """Loss, or loss over temperature, at the end."""
        stop = self.steps[-1].stop
        assert stop is not None
        return stop

    def reversed(self) -> ProtocolSteps:
        """Return the protocol run backwards."""
        steps = [replace(step, stop=None) for step in reversed(self.steps)]
        steps[-1] = replace(steps[-1], stop=self.first)
        return ProtocolSteps(self.grid, self.last, tuple(steps))

    def march(self, block: np.ndarray, weigh: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
        """Yield a block of states at each stop.

        Parameters
        ----------
        block : ndarray, shape (n, m)
            Columns of cell values, real or complex.
        weigh : callable
            ``weigh(block, jump)`` gives the block after the loss in each cell has jumped by `jump`, shape (n,).
        """
        level = self.first
        for step in self.steps:
            block = relaxed(step.generator, weigh(block, step.level - level), step.duration)
            level = step.level
            if step.stop is not None:
                block, level = weigh(block, step.stop - level), step.stop
                yield block


def protocol_steps(
    W: Any, start: float, times: Sequence[float], number: int, *, reduced: bool = False
) -> ProtocolSteps:
    """Cut the protocol of a driven generator into steps.

    Parameters
    ----------
    W : DrivenGenerator
        Of overdamped dynamics.
    start : float
        Time at which it begins.
    times : sequence of float
        Times after it, ascending, at which to stop.
    number : int
        Steps in all, at least; no step crosses a stop or a breakpoint of the protocol.
    reduced : bool
        Whether to take the loss over the temperature.

    Raises
    ------
    MethodError
        If W does not depend on time, or has velocities.
    """
    require_protocol(W)
    grid, end = W.grid, times[-1]
    stops = {float(time) for time in times}
    knots = sorted({start, *stops, *(t for t in W.breakpoints if start < t < end)})
    # Twice the number gives twice the steps between any two knots, as extrapolation needs.
    power = 2 ** max(0, int(np.floor(np.log2(number / FEWEST))))
    steps = []
    for begin, finish in pairwise(knots):
        count = power * max(1, int(np.ceil(number / power * (finish - begin) / (end - start) - 1e-9)))
        duration = (finish - begin) / count
        for k in range(count):
            middle = begin + (k + 0.5) * duration
            frozen = W.at(middle)
            stop = level_at(W, finish, reduced) if k == count - 1 and finish in stops else None
            steps.append(Step(frozen, duration, level_at(W, middle, reduced), stop))
    return ProtocolSteps(grid, level_at(W, start, reduced), tuple(steps))


def require_protocol(W: Any) -> None:
    """Raise unless W is the generator of overdamped dynamics under a protocol, between walls that absorb nothing.

    Raises
    ------
    MethodError
        With the remedy.
    """
    if not hasattr(W, "breakpoints"):
        raise MethodError(f"{type(W).__name__} has no protocol, so that no work is done; give Langevin(…, protocol=…)")
    if W.grid.velocity:
        raise MethodError("work on grids is for overdamped dynamics; with velocities use simulate")
    if any("absorbing" in axis.boundary for axis in W.grid.axes):
        raise MethodError("a wall absorbs: what is lost there does no more work; use reflecting walls")


def level_at(W: Any, time: float, reduced: bool) -> np.ndarray:
    """Return the loss at a time, over the temperature if `reduced`, shape (n,)."""
    dynamics = W.dynamics.at(time)
    loss = loss_on_grid(dynamics.landscape, W.grid).ravel()
    if reduced and dynamics.temperature is None:
        raise MethodError("noise given as diffusion= has no temperature to divide the loss by; give temperature=")
    return loss / dynamics.temperature if reduced else loss


def relaxed(W: Generator, block: np.ndarray, duration: float) -> np.ndarray:
    """Return e^{W duration} times a block (n, m), real or complex, by sums of non-negative terms.

    The mass of a column, and the equilibrium state, are kept to rounding. The cost is that of (largest rate) × duration
    products, or of a dense power where that is less.

    Parameters
    ----------
    W : Generator
        A Markov generator.
    block : ndarray, shape (n, m)
        Columns of cell values.
    duration : float
        Time.
    """
    if np.iscomplexobj(block):
        parts = relaxed(W, np.concatenate([block.real, block.imag], axis=1), duration)
        half = block.shape[1]
        return parts[:, :half] + 1j * parts[:, half:]
    n, columns = block.shape
    hops = float(np.abs(W.diagonal).max()) * duration
    squarings = max(0, int(np.ceil(np.log2(max(hops, 1e-300) / 8.0))))
    dense_cost = (40.0 * W.matrix.nnz + squarings * n * n + n * columns) * n
    if n <= _DENSE and dense_cost < 3.0 * hops * W.matrix.nnz * columns:
        return _power(W, duration, squarings) @ block
    return _series(W, block, hops)


def _series(W: Generator, block: np.ndarray, hops: float) -> np.ndarray:
    """Return e^{W t} block as a Poisson average over the number of hops, at the largest rate."""
    rate = float(np.abs(W.diagonal).max())
    if hops == 0.0:
        return block
    first, weights = poisson_weights(hops, _SERIES)
    result, power = np.zeros_like(block), block
    matrix = W.matrix / rate
    for index in range(first + len(weights)):
        if index >= first:
            result += weights[index - first] * power
        power = power + matrix @ power
    return result


def _power(W: Generator, duration: float, squarings: int) -> np.ndarray:
    """Return e^{W duration} as a dense matrix, by repeated squaring."""
    result = _series(W, np.eye(W.n_state), float(np.abs(W.diagonal).max()) * duration / 2.0**squarings)
    for _ in range(squarings):
        result = result @ result
        # Rounding of the sums of columns would double with every squaring.
        if not W.absorbing:
            result /= result.sum(axis=0)
    return result
