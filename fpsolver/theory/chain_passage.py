"""Mean number of steps that a chain with Gaussian noise takes to pass a target, from its integral equation."""

from __future__ import annotations

import math

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.panels import Floats

# Gauss–Legendre nodes per standard deviation of a step, and beside those: the error of the quadrature is then 1e-12.
_DENSITY, _LEAST = 2.0, 40
_MOST = 3000
# The range is cut where the loss is this many T above that of the start.
_NEGLIGIBLE = 60.0


def mean_steps(
    landscape: Landscape, start: float, target: float, *, temperature: float, learning_rate: float
) -> Estimate:
    """Return the mean number of steps of θ' = θ − ηL' + √(2ηT) ξ until θ is beyond a target: (1 − K) n = 1.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    start, target : float
        Where the chain begins, and what it has to pass.
    temperature : float
        T > 0.
    learning_rate : float
        η > 0.

    Returns
    -------
    Estimate
        Steps, exact; times η it is a learning time.

    Raises
    ------
    TheoryError
        If start and target coincide, nothing confines the chain on the other side of the start, or steps are too short
        for the distance to resolve them.

    Notes
    -----
    K is the density of a step, cut off at the target; the equation is solved by Nyström's method. Elimination without
    subtractions keeps the relative accuracy at any barrier: what passes the target in one step is known by itself.

    References
    ----------
    K. E. Atkinson, The Numerical Solution of Integral Equations of the Second Kind (1997), chapter 4. W. K. Grassmann,
    M. I. Taksar, D. P. Heyman, Oper. Res. 33, 1107 (1985), for the elimination.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> round(float(mean_steps(double_well(), -1.0, 0.0, temperature=0.1, learning_rate=0.1)), 7)
    356.6918017
    """
    from scipy.special import ndtr, roots_legendre

    temperature, learning_rate = positive("temperature", temperature), positive("learning_rate", learning_rate)
    if landscape.dimension != 1:
        raise TheoryError(f"the chain is one-dimensional; the landscape has {landscape.dimension} variables")
    start, target = float(start), float(target)
    if start == target:
        raise TheoryError(f"start and target are the same point {start!r}")
    spread = math.sqrt(2.0 * learning_rate * temperature)
    end = _end(landscape, start, math.copysign(1.0, start - target), spread, temperature)
    count = _LEAST + math.ceil(_DENSITY * abs(target - end) / spread)
    if count > _MOST:
        raise TheoryError(
            f"steps of {spread:.3g} over a distance of {abs(target - end):.3g} would need {count} nodes, more than "
            f"{_MOST}: raise temperature or learning_rate, or use discrete_chain.mean_time_of_chain"
        )
    z, weights = roots_legendre(count)
    nodes, weights = (end + target) / 2.0 + (target - end) / 2.0 * z, weights * abs(target - end) / 2.0

    def one_step(x: Floats) -> tuple[Floats, Floats]:
        """Return the probabilities to go to the nodes, and beyond the target."""
        ahead = (x - learning_rate * landscape.gradient(x[:, None])[:, 0])[:, None]
        density = np.exp(-(((nodes - ahead) / spread) ** 2) / 2.0) / (spread * math.sqrt(2.0 * math.pi))
        beyond = ndtr(math.copysign(1.0, target - start) * (ahead[:, 0] - target) / spread)
        return density * weights, beyond

    steps = _absorption_times(*one_step(nodes))
    first, _ = one_step(np.array([start]))
    return Estimate(1.0 + float(first[0] @ steps), ("Gaussian noise",), 0.0, "Nyström's method, in Atkinson, chapter 4")


def _absorption_times(moves: Floats, exits: Floats) -> Floats:
    """Return the mean numbers of steps until a Markov chain leaves, from its moves between states and its exits.

    The probability to stay is what the others leave: it never enters, so that there is no subtraction.
    """
    moves, exits, times = moves.copy(), exits.copy(), np.ones(len(exits))
    leaving = np.empty(len(exits))
    for k in range(len(exits) - 1, -1, -1):
        leaving[k] = moves[k, :k].sum() + exits[k]
        share = moves[:k, k] / leaving[k]
        moves[:k, :k] += share[:, None] * moves[k, :k]
        exits[:k] += share * exits[k]
        times[:k] += share * times[k]
    for k in range(len(exits)):
        times[k] = (times[k] + moves[k, :k] @ times[:k]) / leaving[k]
    return times


def _end(landscape: Landscape, start: float, away: float, spread: float, temperature: float) -> float:
    """Return where, away from the target, the loss has risen so far that the chain is never there."""
    lower, upper = landscape.domain[0]
    at_start = float(landscape.value([start]))
    distance = spread
    while distance < 1e6 * spread:
        end = min(max(start + away * distance, lower), upper)
        if float(landscape.value([end])) - at_start > _NEGLIGIBLE * temperature or end in (lower, upper):
            return end
        distance *= 1.05
    raise TheoryError(f"nothing confines the chain on the side of {end:.3g}: the mean number of steps is infinite")
