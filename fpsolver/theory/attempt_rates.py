"""Attempt rates from a local entropy S(θ): as they circulate, and Langer's; and the stationary states that they make.

Jumps that are in detailed balance with e^{−L/T} at a constant attempt rate have the stationary density e^{−L/T}/A(θ)
with a local one: where more is attempted, less time is spent. S is −½ ln det of the stiffness of directions left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import exponential, finite, positive
from fpsolver.theory.estimate import Estimate

LANGER = "J. S. Langer, Ann. Phys. 54, 258 (1969)"


def langer(entropy: float, *, saddle_entropy: float = 0.0, attempt_time: float = 1.0) -> Estimate:
    """Return A = e^{S_saddle − S}/τ₀: the wider the place that is left against the saddle, the rarer the attempts.

    Parameters
    ----------
    entropy : float
        S at the place that is left, in nats.
    saddle_entropy : float
        S at the saddle.
    attempt_time : float
        τ₀.

    Examples
    --------
    >>> round(float(langer(-np.log(2.0))), 12)
    2.0
    """
    difference = float(finite("saddle_entropy", saddle_entropy)) - float(finite("entropy", entropy))
    value = exponential(difference, "S_saddle − S") / positive("attempt_time", attempt_time)
    return Estimate(value, ("harmonic directions across the path",), 0.0, LANGER)


def as_circulated(entropy: float, *, saddle_entropy: float = 0.0, attempt_time: float = 1.0) -> Estimate:
    """Return A = e^{S}/τ₀: the entropy of the place that is left has the wrong sign.

    Parameters
    ----------
    entropy, saddle_entropy, attempt_time
        As for `langer`; the entropy at the saddle is not used.
    """
    finite("saddle_entropy", saddle_entropy)
    value = exponential(float(finite("entropy", entropy)), "S") / positive("attempt_time", attempt_time)
    return Estimate(value, (), 0.0, "as it circulates")


def stationary_log_density(loss: ArrayLike, attempt_rate: ArrayLike, *, temperature: float) -> np.ndarray:
    """Return −L/T − ln A, the logarithm of the stationary density without its norm.

    Parameters
    ----------
    loss, attempt_rate : array_like
        L and A at the same places.
    temperature : float
        That of detailed balance at constant A: T for the half law, T/2 for the full exponent.

    Raises
    ------
    TheoryError
        If a loss is not finite, or an attempt rate not positive.

    Examples
    --------
    >>> float(stationary_log_density(1.0, 1.0, temperature=0.5))
    -2.0
    """
    rates = finite("attempt_rate", attempt_rate)
    if not (rates > 0.0).all():
        raise TheoryError(f"attempt_rate = {rates.min():g} must be positive everywhere")
    return np.asarray(-finite("loss", loss) / positive("temperature", temperature) - np.log(rates))


def langer_variance(stiffness: float, *, entropy_curvature: float, temperature: float) -> Estimate:
    """Return the variance 1/(k/T − S'') of e^{S − L/T} for harmonic L = kθ²/2 and S = S''θ²/2: Langer's attempt rate.

    It is the variance of θ with all directions resolved, whose marginal density is e^{S − L/T}.

    Parameters
    ----------
    stiffness : float
        k.
    entropy_curvature : float
        S'', negative where the valley narrows away from the minimum.
    temperature : float
        T.

    Raises
    ------
    TheoryError
        If the density cannot be normalised.

    Examples
    --------
    >>> round(float(langer_variance(1.0, entropy_curvature=-0.8, temperature=0.5)), 4)
    0.3571
    """
    return Estimate(
        _variance(stiffness, -finite("entropy_curvature", entropy_curvature), temperature),
        ("harmonic L and S",),
        0.0,
        LANGER,
    )


def variance_as_circulated(stiffness: float, *, entropy_curvature: float, temperature: float) -> Estimate:
    """Return the variance 1/(k/T + S'') of e^{−L/T − S}: attempts at the rate e^{S} drive θ to where S is low.

    Parameters
    ----------
    stiffness, entropy_curvature, temperature
        As for `langer_variance`.

    Raises
    ------
    TheoryError
        If the density cannot be normalised.

    Examples
    --------
    >>> round(float(variance_as_circulated(1.0, entropy_curvature=-0.8, temperature=0.5)), 4)
    0.8333
    """
    return Estimate(
        _variance(stiffness, finite("entropy_curvature", entropy_curvature), temperature),
        ("harmonic L and S",),
        0.0,
        "own derivation",
    )


def _variance(stiffness: float, extra: np.ndarray, temperature: float) -> float:
    precision = positive("stiffness", stiffness) / positive("temperature", temperature) + float(extra)
    if precision <= 0.0:
        raise TheoryError(
            f"k/T = {stiffness / temperature:.4g} and the entropy's {extra:.4g} leave no normalisable stationary state"
        )
    return 1.0 / precision
