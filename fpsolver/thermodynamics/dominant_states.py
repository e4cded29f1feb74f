"""The largest eigenvalue of a tilted generator, and the Markov process that makes the fluctuation typical.

With h = ln(left eigenvector), the rates k e^{s a + h(j) − h(i)} are those of a Markov process, which shows as its
typical behaviour what the tilt selects (generalised Doob transform). The eigenvalue equation reads
q_i = Σ_j k_ij (e^{s a_ij + h_j − h_i} − 1) + s f_i − κ_i = λ in every cell, and min q ≤ λ ≤ max q for any h (Collatz
and Wielandt). Near the solution Newton's method is quick (Howard's policy iteration; each step is a mean first-passage
problem of the transformed process); far from it inverse iteration from above (Noda) narrows the bounds from any start.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import ConvergenceError, MethodError, NumericalError
from fpsolver.generators.counting import Counting
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.generators.tilted import TiltedGenerator
from fpsolver.solvers.linear import inverse_generator, solve_generator
from fpsolver.solvers.stationary import stationary

_EPSILON = float(np.finfo(float).eps)
# Error of the linear solves relative to what they correct; the next Newton step corrects it.
_SOLVE = 1e-5
_MOST_STEPS = 60
# Inverse iterations to one factorisation, and by how much they are to narrow the bounds before Newton is tried again.
_REPEATS = 4
_CLOSER = 0.1


@dataclass(frozen=True, eq=False)
class DominantState:
    """The dominant eigenvalue of a tilted generator with its eigenvectors.

    Parameters
    ----------
    tilt : TiltedGenerator
        M_s.
    bounds : tuple of float
        Lower and upper bound of the eigenvalue, up to rounding.
    log_left : ndarray
        h, logarithm of the left eigenvector, of the grid's shape.
    process : Generator
        The Markov process with rates k e^{s a + h(j) − h(i)}, under which the fluctuation is typical.
    escape : ndarray
        q, of the grid's shape: λ to within `bounds`.
    steps : int
        Steps taken.
    """

    tilt: TiltedGenerator
    bounds: tuple[float, float]
    log_left: np.ndarray
    process: Generator
    escape: np.ndarray
    steps: int

    @cached_property
    def masses(self) -> np.ndarray:
        """Stationary cell probabilities of the process: left times right eigenvector, of the grid's shape."""
        density = np.asarray(stationary(self.process))
        return density * self.process.grid.volumes

    @cached_property
    def value(self) -> float:
        """The eigenvalue λ(s), with both eigenvectors so that their errors enter at second order."""
        return float(np.sum(self.masses * self.escape))

    @property
    def left(self) -> np.ndarray:
        """Left eigenvector, of sum one against the right one."""
        return np.exp(self.log_left)

    @property
    def right(self) -> np.ndarray:
        """Right eigenvector, on cell values."""
        return self.masses * np.exp(-self.log_left)

    @cached_property
    def mean(self) -> float:
        """λ'(s): the mean rate of the observable under the process."""
        return float(np.sum(self.masses * self._rates))

    @cached_property
    def response(self) -> np.ndarray:
        """∂h/∂s, which is also what the observable is still going to gain from each cell, up to a constant."""
        deviation = self._rates - self.mean
        return _poisson(self.process, deviation, int(np.argmax(self.masses)))

    @cached_property
    def variance(self) -> float:
        """λ''(s): the rate of the observable's variance under the process, Σ π k (a + g_j − g_i)² with g = ∂h/∂s."""
        total, gain = 0.0, self.response
        for edge, (forward, backward) in zip(self.process.edges, self.tilt.observable.jumps, strict=True):
            step = edge.at_end(gain) - gain
            total += float(np.sum(self.masses * edge.forward * (forward + step) ** 2))
            total += float(np.sum(edge.at_end(self.masses) * edge.backward * (backward - step) ** 2))
        return total

    @cached_property
    def _rates(self) -> np.ndarray:
        return mean_rates(self.process, self.tilt.observable)


def mean_rates(W: Generator, observable: Counting) -> np.ndarray:
    """Return what the observable gains per unit time in each cell on average, Σ_j k_ij a_ij + f_i.

    Parameters
    ----------
    W : Generator
        The generator.
    observable : Counting
        The observable.
    """
    rates = np.zeros(W.grid.shape) if observable.rate is None else observable.rate.astype(float)
    axes = tuple(range(W.grid.dimension))
    for edge, (forward, backward) in zip(W.edges, observable.jumps, strict=True):
        rates = rates + edge.forward * forward + np.roll(edge.backward * backward, edge.offset, axis=axes)
    return rates


def dominant_state(
    tilt: TiltedGenerator, *, guess: np.ndarray | None = None, pin: int | None = None, tolerance: float = 1e-9
) -> DominantState:
    """Return the dominant eigenvalue of a tilted generator, with certified bounds.

    Parameters
    ----------
    tilt : TiltedGenerator
        With real s.
    guess : ndarray, optional
        Logarithm of the left eigenvector, for instance of a neighbouring s.
    pin : int, optional
        A cell, by its number in C order, that the process visits often.
    tolerance : float
        Width of the bounds relative to the eigenvalue; rounding of the fastest rate sets the limit.

    Raises
    ------
    MethodError
        If s is complex.
    ConvergenceError
        If Newton's method ends without reaching the tolerance.

    References
    ----------
    R. Chetrite and H. Touchette, Ann. Henri Poincaré 16, 2005 (2015), for the process; R. A. Howard, Dynamic
    Programming and Markov Processes (1960), and H. Noda, Numer. Math. 17, 382 (1971), for the iteration.
    """
    if isinstance(tilt.s, complex):
        raise MethodError(f"s = {tilt.s}: the dominant eigenvalue of a positive operator asks for a real s")
    logarithm = np.zeros(tilt.grid.shape) if guess is None else np.array(guess, dtype=float)
    if pin is None:
        pin = _crowded_cell(tilt.generator)
    process, escape = _transformed(tilt, logarithm)
    near = np.inf
    for step in range(_MOST_STEPS):
        low, high = float(escape.min()), float(escape.max())
        width = high - low
        floor = 8.0 * _EPSILON * float(np.abs(process.diagonal).max()) * (1.0 + float(np.abs(logarithm).max()))
        if width <= max(tolerance * max(abs(low), abs(high)), floor):
            return DominantState(tilt, (low, high), logarithm, process, escape, step)
        if width <= near:
            trial = _after(tilt, logarithm, _newton_step(process, escape, pin))
            if trial is not None and float(np.ptp(trial[2])) <= 0.5 * width:
                logarithm, process, escape = trial
                continue
            if width <= 100.0 * floor:
                return DominantState(tilt, (low, high), logarithm, process, escape, step)
            near = _CLOSER * width
        trial = _after(tilt, logarithm, _inverse_steps(process, escape))
        if trial is None:
            break
        logarithm, process, escape = trial
    raise ConvergenceError(
        f"the eigenvalue at s = {tilt.s:g} is known only to lie between {low:.6g} and {high:.6g} after {step + 1} "
        "steps; take a smaller s, or a grid that goes less far out"
    )


def _crowded_cell(W: Generator) -> int:
    """Return a cell that holds much of the stationary mass, or where there is none, of the least killing."""
    if W.log_equilibrium is not None:
        return int(np.argmax(W.log_equilibrium))
    return int(np.argmin(W.killing)) if W.absorbing else int(np.argmax(stationary(W).values * W.grid.volumes))


def _transformed(tilt: TiltedGenerator, logarithm: np.ndarray) -> tuple[Generator, np.ndarray]:
    """Return the process with rates k e^{s a + h_j − h_i}, and q of each cell."""
    W, axes, edges = tilt.generator, tuple(range(tilt.grid.dimension)), []
    escape = -W.killing if tilt.observable.rate is None else tilt.s * tilt.observable.rate - W.killing
    with np.errstate(over="ignore", invalid="ignore"):
        for edge, (forward, backward) in zip(W.edges, tilt.observable.jumps, strict=True):
            linked = (edge.forward > 0) | (edge.backward > 0)
            step = np.where(linked, edge.at_end(logarithm) - logarithm, 0.0)
            # The weight less one keeps its digits where the tilt is slight.
            gains = (
                edge.forward * np.expm1(tilt.s * forward + step),
                edge.backward * np.expm1(tilt.s * backward - step),
            )
            edges.append(Edge(edge.offset, edge.forward + gains[0], edge.backward + gains[1]))
            escape = escape + gains[0] + np.roll(gains[1], edge.offset, axis=axes)
    process = Generator(W.grid, W.dynamics, W.scheme, tuple(edges), np.zeros(W.grid.shape))
    if not np.isfinite(escape).all():
        raise NumericalError(f"rates tilted by s = {tilt.s:g} overflow; take a smaller s or a finer grid")
    return process, escape


def _after(
    tilt: TiltedGenerator, logarithm: np.ndarray, change: np.ndarray
) -> tuple[np.ndarray, Generator, np.ndarray] | None:
    """Return h, process and q after a step, or None where rates overflow."""
    if not np.isfinite(change).all():
        return None
    try:
        return logarithm + change, *_transformed(tilt, logarithm + change)
    except NumericalError:
        return None


def _inverse_steps(process: Generator, escape: np.ndarray) -> np.ndarray:
    """Return the change of h by a few steps of inverse iteration, shifted to the upper bound of λ.

    The transformed process is killed at the rate max q − q ≥ 0, so that nothing is subtracted and all stays positive.
    """
    killing = (escape.max() - escape).ravel()
    matrix = process.matrix - sparse.diags_array(killing, format="csr")
    inverse, _ = inverse_generator(matrix, killing, adjoint=True, tolerance=_SOLVE)
    weight = np.ones(killing.size)
    for _ in range(_REPEATS):
        weight = inverse(weight)
        weight /= weight.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(weight).reshape(escape.shape)


def _newton_step(process: Generator, escape: np.ndarray, pin: int) -> np.ndarray:
    """Return δ with Gᵀδ = λ − q and δ = 0 in the pinned cell.

    λ is the gain over a cycle from the pinned cell back to it, over the length of the cycle; q less its minimum is not
    negative, so that neither is subtracted from anything.
    """
    gains = escape - escape.min()
    times = _passage(process, np.stack([np.ones(process.n_state), gains.ravel()], axis=-1), pin)
    leaving = process.adjoint[[pin], :].toarray().ravel()
    leaving[pin] = 0.0
    cycle = np.array([1.0, gains.flat[pin]]) + leaving @ times
    return (times[:, 1] - cycle[1] / cycle[0] * times[:, 0]).reshape(escape.shape)


def _poisson(process: Generator, deviation: np.ndarray, pin: int) -> np.ndarray:
    """Return g with Gᵀg = −deviation and g = 0 in the pinned cell."""
    return _passage(process, deviation.reshape(-1, 1), pin, 1e-8)[:, 0].reshape(deviation.shape)


def _passage(process: Generator, gains: np.ndarray, pin: int, tolerance: float = _SOLVE) -> np.ndarray:
    """Return what is gained from each cell until the pinned one is reached, for gains (n, m) per unit time."""
    rest = np.delete(np.arange(process.n_state), pin)
    rows = process.matrix
    into = rows[[pin], :].toarray().ravel()[rest]
    result = np.zeros_like(gains)
    result[rest] = solve_generator(rows[rest][:, rest], -gains[rest], tolerance, adjoint=True, killing=into)[0]
    return result
