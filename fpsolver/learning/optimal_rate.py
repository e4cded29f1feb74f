"""Optimal learning rates, proposal scales and temperatures: the best argument of any objective that a solver evaluates.

What is gained is minus the change of the loss: with a reaction-rate density ρ the best rate makes −∫ρ ΔL dΔθ largest.
Objectives here are to be made **small**: losses and times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import InputError

Objective = Callable[[Any], float]
"""A number from a generator."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where an objective is least; made by `minimise`.

    Parameters
    ----------
    argument, argument_error : float
        The best argument, and how far off it may be: the tolerance of the search, and where the objective is known to
        `objective_error` only, the distance at which it has risen by as much.
    value : float
        The objective there.
    at_edge : bool
        Whether the best argument is an end of the interval, so that the optimum may lie beyond.
    evaluations : int
        How often the objective was computed.
    arguments, values : ndarray
        The coarse scan, for plots.
    """

    argument: float
    argument_error: float
    value: float
    at_edge: bool
    evaluations: int
    arguments: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)

    def __float__(self) -> float:
        return self.argument


def minimise(
    objective: Callable[[float], float],
    bounds: tuple[float, float],
    *,
    points: int = 13,
    tolerance: float = 1e-6,
    objective_error: float = 0.0,
) -> Optimum:
    """Return the argument between two bounds at which an objective is least.

    Parameters
    ----------
    objective : callable
        Of a positive number; infinite or nan where there is nothing to evaluate (a chain that is unstable).
    bounds : (float, float)
        Ends of the interval, both positive.
    points : int
        A scan of so many points, evenly spaced in the logarithm, finds the valley; Brent's method its bottom.
    tolerance : float
        Relative, of the argument. An objective with rounding error ε cannot tell arguments closer than about √ε.
    objective_error : float
        Absolute error of the objective, of a grid or of sampling.

    Raises
    ------
    InputError
        If the bounds are not positive and ascending, or the objective is finite nowhere.

    Examples
    --------
    >>> best = minimise(lambda x: x - math.log(x), (0.1, 20.0))
    >>> round(best.argument, 4), round(best.value, 6), best.at_edge
    (1.0, 1.0, False)
    """
    from scipy.optimize import minimize_scalar

    def at(logarithm: float) -> float:
        value = float(objective(math.exp(logarithm)))
        return value if math.isfinite(value) else math.inf

    low, high = map(float, bounds)
    if not (0.0 < low < high < math.inf) or points < 3:
        raise InputError(f"bounds = {bounds!r} must be positive and ascend, and points = {points} at least 3")
    logarithms = np.linspace(math.log(low), math.log(high), points)
    values = np.array([at(x) for x in logarithms])
    best = int(values.argmin())
    if not math.isfinite(values[best]):
        raise InputError(f"the objective is finite at none of {points} points between {low:g} and {high:g}")
    if best in (0, points - 1):
        step = math.exp(logarithms[best])
        return Optimum(step, 0.0, float(values[best]), True, points, np.exp(logarithms), values)
    bracket = (logarithms[best - 1], logarithms[best + 1])
    found = minimize_scalar(at, bounds=bracket, method="bounded", options={"xatol": tolerance})
    x, value = (found.x, found.fun) if found.fun <= values[best] else (logarithms[best], values[best])
    error = tolerance + _flatness(logarithms[best - 1 : best + 2], values[best - 1 : best + 2], objective_error)
    argument = math.exp(x)
    return Optimum(
        argument, argument * error, float(value), False, points + int(found.nfev), np.exp(logarithms), values
    )


def optimise(
    family: Callable[[float], Any],
    grid: Any,
    objective: Objective,
    bounds: tuple[float, float],
    **search: Any,
) -> Optimum:
    """Return the learning rate, proposal scale or temperature that makes an objective on a grid least.

    Parameters
    ----------
    family : callable
        Dynamics as a function of the rate, as ``lambda eta: fp.SGD(landscape, eta, noise)``.
    grid : Grid
        Where the generator is built.
    objective : callable
        A number from the generator: `loss_after`, `stationary_loss` or `escape_time`, or one's own.
    bounds : (float, float)
        Between which to look.
    **search
        As for `minimise`.

    Examples
    --------
    >>> import fpsolver as fp
    >>> well = fp.Landscape("x**4/4 - x**2/2")
    >>> grid = fp.Grid(x=(-2.2, 2.2, 88))
    >>> best = optimise(
    ...     lambda scale: fp.JumpProcess(well, temperature=0.1, proposal=fp.GaussianProposal(scale), law="metropolis"),
    ...     grid, escape_time([-1.0], fp.where(x=(0.0, None))), (0.1, 10.0), points=7, tolerance=1e-2)
    >>> 0.8 < best.argument < 2.5
    True
    """
    from fpsolver.generators import generator

    return minimise(lambda rate: objective(generator(family(rate), grid)), bounds, **search)


def loss_after(time: float, start: Any) -> Objective:
    """Return the objective ⟨L⟩ after a time (steps, for SGD), from a density or a point.

    Parameters
    ----------
    time : float
        When.
    start : array_like
        A density of the grid's shape, or a point (d,), of which the cell that holds it is taken.
    """

    def mean_loss(W: Any) -> float:
        from fpsolver.solvers.evolve import evolve

        density = start if np.shape(start) == W.grid.shape else _at_point(W.grid, start)
        return _mean_loss(W, evolve(W, density, times=[0.0, time]).final)

    return mean_loss


def stationary_loss(W: Any) -> float:
    """Return ⟨L⟩ in the stationary state of a generator."""
    from fpsolver.solvers.stationary import stationary

    return _mean_loss(W, np.asarray(stationary(W)))


def escape_time(start: Any, target: Any, *, learning_time: bool = False) -> Objective:
    """Return the objective of a mean first-passage time, in the generator's time (steps, for SGD).

    Parameters
    ----------
    start : array_like (d,)
        Where from.
    target : region
        Where to, as for `fpsolver.mean_first_passage_time`.
    learning_time : bool
        Whether steps are multiplied by the learning rate.
    """

    def time(W: Any) -> float:
        from fpsolver.solvers.first_passage import mean_first_passage_time

        found = float(mean_first_passage_time(W, target=target).at([start])[0])
        return found * W.dynamics.learning_rate if learning_time else found

    return time


def _mean_loss(W: Any, density: np.ndarray) -> float:
    probabilities = density * W.grid.volumes
    return float(np.sum(W.dynamics.landscape.value(W.grid.points) * probabilities) / probabilities.sum())


def _at_point(grid: Any, point: Any) -> np.ndarray:
    """Return the density that fills the cell of a point."""
    distance = np.sum((grid.points - np.asarray(point, dtype=float)) ** 2, axis=-1)
    density = np.zeros(grid.shape)
    cell = np.unravel_index(int(distance.argmin()), grid.shape)
    density[cell] = 1.0 / np.broadcast_to(grid.volumes, grid.shape)[cell]
    return density


def _flatness(x: np.ndarray, y: np.ndarray, error: float) -> float:
    """Return how far an argument may move before the parabola through three points rises by `error`."""
    if error == 0.0 or not np.isfinite(y).all():
        return 0.0
    curvature = 2.0 * np.polyfit(x, y, 2)[0]
    return math.sqrt(2.0 * error / curvature) if curvature > 0.0 else float(x[2] - x[0])
