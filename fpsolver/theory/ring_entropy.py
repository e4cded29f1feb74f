"""Entropy production of the steady state on a tilted ring along single trajectories: a function of where they are.

With U = L − Fx and h(x) = ∫ e^{U(y)/T} dy from x to x + P, the steady density is e^{−U(x)/T} h(x) and all force beyond
its own is spent on Σ = ln[h(x_0)/h(x_t)], x being counted on along the line. e^{−Σ} is a martingale.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.discrete_chain import OVERSHOOT
from fpsolver.theory.estimate import Estimate

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape

_NERI = "I. Neri, É. Roldán, F. Jülicher, Phys. Rev. X 7, 011019 (2017), eqs. (4) and (6)"
_SIEGMUND = "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979)"
_NODES = 128


def entropy_coordinate(
    landscape: Landscape, points: ArrayLike, *, force: float, temperature: float, period: float
) -> np.ndarray:
    """Return −ln h(x): Σ of a trajectory is its change, and rises along the force.

    Parameters
    ----------
    landscape : Landscape
        A loss of one variable with the period P.
    points : array_like
        x, on the line.
    force, temperature, period : float
        F, T and P.

    Raises
    ------
    TheoryError
        If the landscape has more than one variable, or a parameter is not positive.

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = {"force": 0.5, "temperature": 0.5, "period": 2 * np.pi}
    >>> ends = entropy_coordinate(fp.Landscape("-cos(x)"), [0.0, 2 * np.pi], **ring)
    >>> bool(abs(ends[1] - ends[0] - 2 * np.pi) < 1e-12)  # F P/T for a turn
    True
    """
    if landscape.dimension != 1:
        raise TheoryError(f"the landscape has {landscape.dimension} variables; a ring has one")
    t, turn = positive("temperature", temperature), positive("period", period)
    positive("force", force)
    x = np.asarray(points, dtype=float)
    # On a full period the trapezoidal rule is spectral for the loss, but not for the tilt: Gauss–Legendre serves both.
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    y = turn * (nodes + 1.0) / 2.0
    exponent = (landscape.value((x[..., None] + y)[..., None]) - force * y) / t
    highest = exponent.max(axis=-1)
    integral = np.exp(exponent - highest[..., None]) @ weights * turn / 2.0
    return force * x / t - highest - np.log(integral)


def place(
    landscape: Landscape, start: float, entropy: float, *, force: float, temperature: float, period: float
) -> float:
    """Return where a trajectory from `start` has produced so much entropy, positive or negative."""
    from scipy.optimize import brentq

    ring = {"force": force, "temperature": temperature, "period": period}

    def excess(x: float) -> float:
        ends = entropy_coordinate(landscape, [start, x], **ring)
        return float(ends[1] - ends[0]) - entropy

    turn = force * period / temperature
    low, high = (start + period * count for count in (math.floor(entropy / turn) - 1, math.ceil(entropy / turn) + 1))
    return float(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))


def fall_probability(depth: float, *, ceiling: float = math.inf) -> Estimate:
    """Return P(Σ falls to −s before it rises to S) = (1 − e^{−S})/(e^s − e^{−S}); P(inf Σ < −s) = e^{−s} for S = ∞.

    The stopping-time theorem ⟨e^{−Σ_τ}⟩ = 1 where Σ_τ is −s or S. It needs continuous paths.

    Parameters
    ----------
    depth : float
        s.
    ceiling : float
        S.

    Examples
    --------
    >>> float(fall_probability(np.log(2.0))), round(float(fall_probability(1.0, ceiling=1.0)), 6)
    (0.5, 0.268941)
    """
    s = positive("depth", depth)
    if not ceiling > 0.0:
        raise TheoryError(f"ceiling = {ceiling!r} must be positive")
    value = math.exp(-s) * -math.expm1(-ceiling) / -math.expm1(-s - ceiling)
    return Estimate(value, ("continuous paths", "steady state"), 0.0, _NERI)


def fall_probability_of_chain(depth: float, *, entropy_per_step: float) -> Estimate:
    """Return e^{−s − 0.5826 √(2m)}, P(inf Σ < −s) of a chain with Gaussian steps that produce the mean entropy m each.

    A chain jumps past −s; where the steps are those of a trajectory seen at intervals dt, m is proportional to dt.

    Parameters
    ----------
    depth : float
        s.
    entropy_per_step : float
        m; zero in the continuous limit. What is neglected is of the order m.
    """
    m = not_negative("entropy_per_step", entropy_per_step)
    value = math.exp(-positive("depth", depth) - OVERSHOOT * math.sqrt(2.0 * m))
    return Estimate(value, ("Gaussian steps", "no landscape"), m, _SIEGMUND)
