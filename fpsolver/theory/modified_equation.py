"""What modified equations say about the stationary variance of SGD on a quadratic loss, beside what it is.

All forms are for θ′ = (1 − ηh)θ + ηξ with Var ξ = C, in one dimension, or along one eigenvector of the Hessian.
"""

from __future__ import annotations

from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.heavy_ball import stationary_variance

LI = "Q. Li, C. Tai, W. E, ICML 2017 (arXiv 1511.06251), theorem 1"

_ASSUMPTIONS = ("quadratic loss", "noise that does not depend on θ", "stationary", "ηh ≪ 1")


def exact_variance(noise: float, *, curvature: float, learning_rate: float) -> Estimate:
    """Return (ηC/2h)/(1 − ηh/2), that of the chain.

    Parameters
    ----------
    noise, curvature, learning_rate : float
        C, h and η, with ηh < 2.

    Examples
    --------
    >>> round(float(exact_variance(1.0, curvature=1.0, learning_rate=0.5)), 9)
    0.333333333
    """
    return stationary_variance(noise, curvature=curvature, learning_rate=learning_rate)


def first_order_variance(noise: float, *, curvature: float, learning_rate: float) -> Estimate:
    """Return ηC/2h, that of dθ = −L' dt + √(ηC) dW: too small by the share ηh/2.

    Parameters
    ----------
    noise, curvature, learning_rate
        As for `exact_variance`.

    Examples
    --------
    >>> float(first_order_variance(1.0, curvature=1.0, learning_rate=0.5))
    0.25
    """
    eta, h = positive("learning_rate", learning_rate), positive("curvature", curvature)
    return Estimate(eta * not_negative("noise", noise) / (2.0 * h), _ASSUMPTIONS, eta * h / 2.0, LI)


def second_order_variance(noise: float, *, curvature: float, learning_rate: float) -> Estimate:
    """Return (ηC/2h)/(1 + ηh/2), that of dθ = −(L + ηL'²/4)' dt + √(ηC) dW: too small by the share ηh, twice as far.

    Parameters
    ----------
    noise, curvature, learning_rate
        As for `exact_variance`.

    Notes
    -----
    The equation has weak order two: its averages err by O(η²). The stationary variance is itself O(η), so that this
    leaves a relative error O(η), as the first-order equation has: the drift is mended and the noise is not, and for the
    variance the two corrections have opposite signs. `noise_corrected_variance` mends both.

    Examples
    --------
    >>> float(second_order_variance(1.0, curvature=1.0, learning_rate=0.5))
    0.2
    """
    first = first_order_variance(noise, curvature=curvature, learning_rate=learning_rate)
    value = first.value / (1.0 + learning_rate * curvature / 2.0)
    return Estimate(value, _ASSUMPTIONS, learning_rate * curvature, LI)


def noise_corrected_variance(noise: float, *, curvature: float, learning_rate: float) -> Estimate:
    """Return (ηC/2h)(1 + ηh)/(1 + ηh/2), with the noise ηC(1 + ηh) that goes with the second-order drift.

    Parameters
    ----------
    noise, curvature, learning_rate
        As for `exact_variance`, of which it falls short by the share (ηh)²/2.

    Examples
    --------
    >>> round(float(noise_corrected_variance(1.0, curvature=1.0, learning_rate=0.5)), 9)
    0.3
    """
    second = second_order_variance(noise, curvature=curvature, learning_rate=learning_rate)
    product = learning_rate * curvature
    return Estimate(second.value * (1.0 + product), _ASSUMPTIONS, product**2 / 2.0, "own derivation")
