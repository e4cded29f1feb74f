"""First passage of a discrete chain against that of its continuous limit: the chain overshoots what it has to reach."""

from __future__ import annotations

import math

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.first_passage import mean_time, thermal

# −ζ(1/2)/√(2π): the mean overshoot of a Gaussian random walk over a distant wall, in standard deviations of a step.
OVERSHOOT = 0.5825971579390107

_SIEGMUND = "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979); M. Broadie, P. Glasserman, S. Kou, Math. Finance 7, 325"


def barrier_shift(*, temperature: float, learning_rate: float) -> Estimate:
    """Return 0.5826 √(2ηT): how far behind a wall the continuous motion has to go to take as long as the chain.

    Parameters
    ----------
    temperature : float
        T of the chain θ' = θ − ηL' + √(2ηT) ξ with standard normal ξ.
    learning_rate : float
        η.

    Returns
    -------
    Estimate
        A distance, −ζ(1/2)/√(2π) standard deviations of a step. What it neglects is of the order η L''.

    Examples
    --------
    >>> round(float(barrier_shift(temperature=0.1, learning_rate=0.1)), 9)
    0.08239168
    """
    temperature, learning_rate = positive("temperature", temperature), positive("learning_rate", learning_rate)
    value = OVERSHOOT * math.sqrt(2.0 * temperature * learning_rate)
    return Estimate(value, ("Gaussian steps", "drift per step ≪ its standard deviation"), learning_rate, _SIEGMUND)


def mean_time_of_chain(
    landscape: Landscape, start: float, target: float, *, temperature: float, learning_rate: float
) -> Estimate:
    """Return the mean time (η times the steps) of the chain to pass a target: that of the limit to a shifted target.

    Parameters
    ----------
    landscape : Landscape
        In one variable.
    start, target : float
        Where the chain begins, and what it has to pass.
    temperature, learning_rate
        As for `barrier_shift`.

    Returns
    -------
    Estimate
        Learning time; divide by η for steps. `error_scale` is η times the largest of the curvatures at start and target
        and of L'²/T at the target, where the drift of a step is to be small against its noise.

    Raises
    ------
    TheoryError
        If the chain is unstable, η L'' ≥ 2 at the start.
    """
    shift = float(barrier_shift(temperature=temperature, learning_rate=learning_rate))
    curvatures = landscape.hessian([[start], [target]])[:, 0, 0]
    if learning_rate * curvatures[0] >= 2.0:
        raise TheoryError(
            f"η L'' = {learning_rate * curvatures[0]:.3g} at the start: the chain is unstable there, where it needs "
            "η L'' < 2"
        )
    process = thermal(landscape, temperature=temperature)
    time = mean_time(process, start, target + math.copysign(shift, target - start))
    steepness = float(landscape.gradient([target])[0]) ** 2 / temperature
    scale = learning_rate * max(float(abs(curvatures).max()), steepness)
    return Estimate(time.value, ("η L'' ≪ 1", "η L'² ≪ T at the target", "Gaussian noise"), scale, _SIEGMUND)


def mean_time_of_limit(
    landscape: Landscape, start: float, target: float, *, temperature: float, learning_rate: float
) -> Estimate:
    """Return the mean time of the continuous limit to reach a target, which is often taken for that of the chain.

    Parameters
    ----------
    landscape, start, target, temperature, learning_rate
        As for `mean_time_of_chain`; the learning rate does not enter.

    Returns
    -------
    Estimate
        Learning time. For the chain it is too short by order √η: `error_scale` is √(η times the largest curvature).
    """
    positive("learning_rate", learning_rate)
    curvatures = landscape.hessian([[start], [target]])[:, 0, 0]
    time = mean_time(thermal(landscape, temperature=temperature), start, target)
    scale = math.sqrt(learning_rate * float(abs(curvatures).max()))
    return Estimate(time.value, ("η → 0",), scale, time.reference)


def slowing_at_top(*, learning_rate: float, saddle_curvature: float) -> Estimate:
    """Return τ_chain/τ = 1 + erf(0.5826 √(η|L''_b|)) for the target at a barrier top, as T → 0.

    Parameters
    ----------
    learning_rate : float
        η.
    saddle_curvature : float
        L''_b < 0.

    Returns
    -------
    Estimate
        A ratio of learning times that does not depend on T: from the shifted target the motion is less likely to turn
        back. `error_scale` is η|L''_b|.

    Notes
    -----
    τ to a point b behind the top is ½τ₀[1 + erf(b√(|L''_b|/2T))], with b = 0.5826 √(2ηT).

    Examples
    --------
    >>> round(float(slowing_at_top(learning_rate=0.1, saddle_curvature=-1.0)), 6)
    1.205557
    """
    learning_rate = positive("learning_rate", learning_rate)
    if not saddle_curvature < 0.0:
        raise TheoryError(f"saddle_curvature = {saddle_curvature!r} must be negative at the top of a barrier")
    product = -learning_rate * saddle_curvature
    value = 1.0 + math.erf(OVERSHOOT * math.sqrt(product))
    return Estimate(value, ("T ≪ ΔL", "η|L''_b| ≪ 1", "Gaussian noise"), product, _SIEGMUND)


def slowing_beyond_top(barrier: Barrier, *, temperature: float, learning_rate: float) -> Estimate:
    """Return τ_chain/τ = exp[η(|L''_b| − L''_a)/4 − η²/(6T) ∫L' L''² dx] for a target well beyond a barrier top.

    Parameters
    ----------
    barrier : Barrier
        Made by `Barrier.between`; the integral runs from the minimum to the top.
    temperature, learning_rate
        As for `barrier_shift`.

    Returns
    -------
    Estimate
        A ratio of learning times. `error_scale` is the largest of the terms that come next: (ηL'')², ηL''T/ΔL and ηL''
        times the second exponent.

    Notes
    -----
    Own derivation. The first term is Laplace's method on the modified equation of the Euler–Maruyama scheme, with drift
    −L' − η(L'L'' − TL''')/2 and diffusion T(1 + ηL''). The second is the difference between ΔL and what takes its place
    in the chain as T → 0 at fixed η: the solution S of the recursion S(y) = min_x {S(x) + [y − x + ηL'(x)]²/(4η)} is
    S = L − ηL'²/4 + (η²/12)∫L'²L''' dx + O(η³). It makes the chain escape exponentially faster than its limit.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> well = Barrier.between(double_well(), -1.0, 0.0)
    >>> round(float(slowing_beyond_top(well, temperature=0.025, learning_rate=0.1)), 6)
    0.967216
    """
    temperature, learning_rate = positive("temperature", temperature), positive("learning_rate", learning_rate)
    landscape = barrier.needed("landscape", "the exponent of the chain")
    a, b = barrier.needed("minimum", "the integral"), barrier.needed("saddle", "the integral")
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = (a + b) / 2.0 + (b - a) / 2.0 * nodes[:, None]
    slope, curvature = landscape.gradient(x)[:, 0], landscape.hessian(x)[:, 0, 0]
    loss = float(weights @ (slope * curvature**2)) * (b - a) / 12.0
    exponent = learning_rate**2 * loss / temperature
    first = learning_rate * (-barrier.saddle_curvature - barrier.minimum_curvature) / 4.0
    step = learning_rate * max(barrier.minimum_curvature, -barrier.saddle_curvature)
    scale = step * max(step, temperature / barrier.height, exponent)
    return Estimate(math.exp(first - exponent), ("T ≪ ΔL", "η L'' ≪ 1", "Gaussian noise"), scale, "own derivation")
