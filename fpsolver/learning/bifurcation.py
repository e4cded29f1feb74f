"""Beyond the edge of stability: period doubling and chaos of gradient descent at large learning rates.

Without noise gradient descent is a map θ′ = θ − η∇L(θ). A minimum that the learning rate makes unstable gives way to an
orbit of period two, then four, and to chaos, as the learning rate grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, InputError
from fpsolver.landscapes import Landscape
from fpsolver.learning.stability import Optimiser
from fpsolver.learning.thresholds import FINEST, Threshold

APERIODIC, DIVERGED = 0, -1
"""Periods of orbits that do not close, and of those that left."""

# Beyond this many times the size of the initial point an orbit counts as gone.
_FAR = 1e8
# Orbits are followed through a bracket of learning rates in this many steps.
_CONTINUATION = 32


@dataclass(frozen=True, eq=False)
class BifurcationDiagram:
    """Where gradient descent ends up, by learning rate.

    Attributes
    ----------
    learning_rates : ndarray (n,)
        η.
    states : ndarray (n, kept, d)
        The last states of the orbit in their order; NaN where it left.
    periods : ndarray of int (n,)
        1 at a minimum, 2, 4, … on an orbit that closes; 0 where none does, −1 where it left.
    exponents : ndarray (n,)
        Lyapunov exponent a step of nearby orbits: negative on stable orbits, positive in chaos.
    """

    learning_rates: np.ndarray
    states: np.ndarray
    periods: np.ndarray
    exponents: np.ndarray


@dataclass(frozen=True, eq=False)
class SharpnessHistory:
    """The sharpness along a run of gradient descent.

    Attributes
    ----------
    states : ndarray (steps + 1, d)
        θ.
    losses : ndarray (steps + 1,)
        L(θ).
    sharpness : ndarray (steps + 1,)
        Largest eigenvalue of the Hessian at θ.
    """

    states: np.ndarray
    losses: np.ndarray
    sharpness: np.ndarray


def bifurcation_diagram(
    landscape: Landscape,
    learning_rates: ArrayLike,
    initial: ArrayLike,
    *,
    transient: int = 4000,
    kept: int = 256,
    longest_period: int = 64,
    tolerance: float = 1e-7,
    **optimiser: Any,
) -> BifurcationDiagram:
    """Return the long-run states of noiseless gradient descent, their periods and Lyapunov exponents.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    learning_rates : array_like (n,)
        η > 0.
    initial : array_like (d,)
        Where every orbit begins. Where there are several attractors it decides.
    transient : int
        Steps before states are kept. Close to a bifurcation orbits settle slowly: more are needed there.
    kept : int
        States kept.
    longest_period : int
        Longest period that is looked for.
    tolerance : float
        Distance, relative to the largest coordinate of the orbit and of its beginning, at which it counts as closed.
    **optimiser
        ``momentum``, ``nesterov``, ``weight_decay``, ``averaging`` as for `fpsolver.learning.Optimiser`.

    Raises
    ------
    InputError
        If the point does not fit the landscape, or the numbers of steps are too small.

    Examples
    --------
    >>> import fpsolver as fp
    >>> diagram = bifurcation_diagram(fp.landscapes.double_well(), [0.9, 1.1, 1.26, 1.4], [0.3], transient=500)
    >>> diagram.periods
    array([1, 2, 4, 0])
    """
    if not 1 <= longest_period < kept or transient < 0:
        raise InputError(f"kept = {kept} states must exceed longest_period = {longest_period}; transient ≥ 0")
    orbits = _Orbits(landscape, learning_rates, initial, optimiser)
    orbits.run(transient)
    orbits.growth[:] = 0.0
    states = np.array([orbits.run(1) for _ in range(kept)]).swapaxes(0, 1)
    states[orbits.gone] = np.nan
    exponents = np.where(orbits.gone, np.inf, orbits.growth / kept)
    smallest = tolerance * np.abs(orbits.initial).max()
    periods = np.array([_period(orbit, longest_period, tolerance, smallest) for orbit in states])
    return BifurcationDiagram(orbits.learning_rates, states, periods, exponents)


def doubling_learning_rate(
    landscape: Landscape,
    period: int,
    bracket: tuple[float, float],
    initial: ArrayLike,
    *,
    transient: int = 1000,
    tolerance: float = 1e-12,
) -> Threshold:
    """Return the learning rate at which a stable orbit of gradient descent gives way to one of twice its period.

    The orbit is followed by Newton's method, so that it is found where it is unstable too; it doubles where an
    eigenvalue of its Jacobian passes −1.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    period : int
        Period p of the orbit, 1 at a minimum.
    bracket : (float, float)
        Learning rates below and above the doubling; the orbit is stable at the first and exists at both.
    initial : array_like (d,)
        A point whose orbit settles on it at the first learning rate.
    transient : int
        Steps to settle.
    tolerance : float
        Relative width at which the bisection ends.

    Raises
    ------
    InputError
        If the bracket is no interval, or the period no positive whole number.
    ConvergenceError
        If the orbit is lost, or is no less stable at the second learning rate than at the first.

    Examples
    --------
    The minima of the double well have curvature 2, so that they double at η = 1; the orbits of period two do at √5 − 1.

    >>> import fpsolver as fp
    >>> round(doubling_learning_rate(fp.landscapes.double_well(), 1, (0.9, 1.1), [0.3]).value, 9)
    1.0
    >>> round(doubling_learning_rate(fp.landscapes.double_well(), 2, (1.1, 1.3), [0.3]).value, 9)
    1.236067977
    """
    lower, upper = map(float, bracket)
    if not 0.0 < lower < upper < np.inf:
        raise InputError(f"bracket = {bracket!r} must be two learning rates, the lower first")
    if isinstance(period, bool) or not isinstance(period, int | np.integer) or period < 1:
        raise InputError(f"period = {period!r} must be a whole number of steps, at least 1")
    stride = (upper - lower) / _CONTINUATION
    orbits = _Orbits(landscape, [lower], initial, {})
    state = orbits.run(transient)[0]
    flipped, state = _flipped(landscape, (lower, lower), period, state, stride)
    evaluations = 2
    if flipped or not _flipped(landscape, (lower, upper), period, state, stride)[0]:
        raise ConvergenceError(
            f"the orbit of period {period} does not double between learning rates {lower:g} and {upper:g}: see "
            "bifurcation_diagram for a bracket"
        )
    while upper - lower > max(tolerance, FINEST) * upper:
        middle = 0.5 * (lower + upper)
        flipped, moved = _flipped(landscape, (lower, middle), period, state, stride)
        evaluations += 1
        if flipped:
            upper = middle
        else:
            lower, state = middle, moved
    return Threshold(0.5 * (lower + upper), 0.5 * (upper - lower), evaluations)


def sharpness_history(
    landscape: Landscape, learning_rate: float, initial: ArrayLike, steps: int, **optimiser: Any
) -> SharpnessHistory:
    """Return states, losses and the sharpness along a run of gradient descent.

    A run that starts too sharp for its learning rate leaves the sharp region, oscillating, and settles where the
    sharpness is below 2/η. On (1 − uv)²/2 it does not stay at 2/η: where it exceeded that by a small fraction it ends
    about as far below, and much lower where it began far above.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    learning_rate : float
        η > 0.
    initial : array_like (d,)
        First state.
    steps : int
        Number of steps.
    **optimiser
        As for `bifurcation_diagram`.

    Raises
    ------
    InputError
        If the number of steps is no whole number, or negative.
    ConvergenceError
        If the run leaves.

    References
    ----------
    J. Cohen et al., ICLR 2021 (arXiv:2103.00065).

    Examples
    --------
    >>> import fpsolver as fp
    >>> history = sharpness_history(fp.Landscape("(1 - u*v)**2/2"), 0.5, [2.2, 0.6], steps=400)
    >>> bool(history.sharpness[0] > 4.0), bool(history.sharpness[-1] < 4.0)
    (True, True)
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise InputError(f"steps = {steps!r} must be a whole number, not negative")
    orbits = _Orbits(landscape, [learning_rate], initial, optimiser)
    states = np.array([orbits.run(1)[0] if n else orbits.initial for n in range(steps + 1)])
    if orbits.gone[0]:
        raise ConvergenceError(f"the run leaves at learning_rate = {learning_rate:g}; give a smaller one")
    sharpness = np.linalg.eigvalsh(landscape.hessian(states))[:, -1]
    return SharpnessHistory(states, np.asarray(landscape.value(states)), sharpness)


class _Orbits:
    """Orbits of an optimiser at several learning rates, and how fast small deviations from them grow."""

    def __init__(self, landscape: Landscape, learning_rates: ArrayLike, initial: ArrayLike, optimiser: dict[str, Any]):
        law = Optimiser(**optimiser)
        if np.any(np.asarray(law.preconditioner) != 1.0):
            raise InputError("preconditioners are not for orbits; scale the coordinates of the landscape instead")
        self.landscape, self.decay = landscape, law.weight_decay
        self.learning_rates = np.atleast_1d(np.asarray(learning_rates, dtype=float))
        if self.learning_rates.ndim != 1 or not (np.isfinite(self.learning_rates) & (self.learning_rates > 0.0)).all():
            raise InputError(f"learning_rates = {learning_rates!r} must be positive and finite")
        self.initial = np.atleast_1d(np.asarray(initial, dtype=float))
        if self.initial.shape != (landscape.dimension,) or not np.isfinite(self.initial).all():
            raise InputError(f"initial = {initial!r} must be a point with {landscape.dimension} finite coordinates")
        self.free, self.gain, self.reading = law.update(1.0)
        n, d = len(self.learning_rates), landscape.dimension
        self.z = np.zeros((len(self.free), n, d))
        self.z[0] = self.initial
        self.tangent = np.ones_like(self.z) / np.sqrt(len(self.free) * d)
        self.growth = np.zeros(n)
        self.gone = np.zeros(n, dtype=bool)

    def run(self, steps: int) -> np.ndarray:
        """Return the states (n, d) after some steps; orbits that leave are held at their beginning."""
        for _ in range(steps):
            y = np.einsum("k,knd->nd", self.reading, self.z)
            _, gradient, hessian = self.landscape.derivatives(y)
            along = np.einsum("k,knd->nd", self.reading, self.tangent)
            image = np.einsum("nij,nj->ni", hessian, along) + self.decay * along
            self.z = self._moved(self.z, gradient + self.decay * y)
            self.tangent = self._moved(self.tangent, image)
            norm = np.maximum(np.sqrt(np.einsum("knd,knd->n", self.tangent, self.tangent)), np.finfo(float).tiny)
            self.tangent /= norm[:, np.newaxis]
            self.growth += np.log(norm)
            far = ~(np.abs(self.z).max(axis=(0, 2)) < _FAR * (1.0 + np.abs(self.initial).max()))
            if far.any():
                self.gone |= far
                self.z[:, far], self.tangent[:, far] = 0.0, 1.0
                self.z[0, far] = self.initial
        return self.z[0].copy()

    def _moved(self, z: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        step = self.learning_rates[:, np.newaxis] * gradient
        return np.einsum("kl,lnd->knd", self.free, z) - self.gain[:, np.newaxis, np.newaxis] * step


def _period(orbit: np.ndarray, longest: int, tolerance: float, smallest: float) -> int:
    if np.isnan(orbit).any():
        return DIVERGED
    allowed = max(tolerance * float(np.abs(orbit).max()), smallest)
    for period in range(1, longest + 1):
        if np.abs(orbit[period:] - orbit[:-period]).max() <= allowed:
            return period
    return APERIODIC


def _flipped(
    landscape: Landscape, learning_rates: tuple[float, float], period: int, state: np.ndarray, stride: float
) -> tuple[bool, np.ndarray]:
    """Return whether the orbit has an eigenvalue below −1 at the second learning rate, and its state there.

    It is followed from the first one in steps of at most `stride`.
    """
    lower, upper = learning_rates
    for rate in np.linspace(lower, upper, int((upper - lower) / stride) + 2)[1:]:
        for _ in range(50):
            image, jacobian = _return_map(landscape, rate, period, state)
            # Least squares, as minima may form a valley, along which the matrix is singular.
            change = np.linalg.lstsq(jacobian - np.eye(len(state)), state - image, rcond=1e-9)[0]
            state = state + change
            if np.abs(change).max() <= 1e-11 * np.abs(state).max():
                break
        else:
            raise ConvergenceError(f"the orbit of period {period} is lost at the learning rate {rate:.6g}")
    if period > 1 and np.allclose(_return_map(landscape, rate, period // 2, state)[0], state, rtol=1e-9, atol=0.0):
        raise ConvergenceError(f"the orbit of period {period} has merged with a shorter one at {rate:.6g}")
    _, jacobian = _return_map(landscape, learning_rates[1], period, state)
    return bool(np.linalg.eigvals(jacobian).real.min() < -1.0), state


def _return_map(
    landscape: Landscape, learning_rate: float, period: int, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the state after a period of steps of gradient descent, and its derivative by the first one."""
    jacobian = np.eye(len(state))
    for _ in range(period):
        _, gradient, hessian = landscape.derivatives(state)
        jacobian -= learning_rate * hessian @ jacobian
        state = state - learning_rate * gradient
    return state, jacobian
