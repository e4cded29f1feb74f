"""Moments of the factor by which one step of SGD on Gaussian inputs multiplies the distance from the optimum.

Inputs are x ~ N(0, a·1) in d dimensions, the loss is ⟨(w·x)²⟩/2, and a step uses S of them. Then |w′|/|w| = R with
R² = (1 − cG)² + c²GK, c = ηa/S, where G ~ χ² with S degrees of freedom and K ~ χ² with d − 1 are independent of each
other and, as inputs are isotropic, of w: the distance after n steps is a product of n such factors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fpsolver.theory.conditions import positive, whole_number

Floats = NDArray[np.float64]

_NEGLIGIBLE = 40.0  # e^−40 is below the rounding of a sum of order one


def mean_logarithm(learning_rate: float, *, curvature: float = 1.0, batch_size: int = 1, dimension: int = 1) -> float:
    """Return E ln R, the Lyapunov exponent per step.

    Parameters
    ----------
    learning_rate : float
        η.
    curvature : float
        a, the variance of each component of the inputs.
    batch_size, dimension : int
        S and d.

    Examples
    --------
    >>> round(mean_logarithm(1e-4) / 1e-4, 3)  # −ηa for small steps
    -1.0
    """
    logarithms, weights = _nodes(0.0, *_checked(learning_rate, curvature, batch_size, dimension))
    return float(np.sum(np.exp(weights) * logarithms))


def log_moment(
    power: float, learning_rate: float, *, curvature: float = 1.0, batch_size: int = 1, dimension: int = 1
) -> float:
    """Return ln E R^κ.

    Parameters
    ----------
    power : float
        κ > 0.
    learning_rate, curvature, batch_size, dimension
        As for `mean_logarithm`.

    Examples
    --------
    >>> round(math.exp(log_moment(2.0, 0.1)), 12)  # 1 − 2η + 3η²
    0.83
    """
    kappa = positive("power", power)
    logarithms, weights = _nodes(kappa, *_checked(learning_rate, curvature, batch_size, dimension))
    exponents = weights + kappa * logarithms
    largest = float(exponents.max())
    return largest + math.log(float(np.sum(np.exp(exponents - largest))))


def _checked(learning_rate: float, curvature: float, batch_size: int, dimension: int) -> tuple[float, int, int]:
    """Return c = ηa/S, S and d."""
    size = whole_number("batch_size", batch_size)
    scale = positive("learning_rate", learning_rate) * positive("curvature", curvature) / size
    return scale, size, whole_number("dimension", dimension)


def _nodes(power: float, scale: float, batch_size: int, dimension: int) -> tuple[Floats, Floats]:
    """Return ln R at nodes and the logarithms of their weights, for moments up to E R^κ.

    The trapezoidal rule in logarithms of distances from the points where ln R is singular, G = 1/c and K = 0: what is
    singular there is analytic in such a variable, and the rule converges exponentially.
    """
    log_g, log_deviation, weights = _along_inputs(power, scale, batch_size)
    if dimension == 1:
        return log_deviation, weights
    log_k, across = _across_inputs(power, dimension - 1)
    squares = np.logaddexp(
        2.0 * log_deviation[:, None], 2.0 * math.log(scale) + log_g[:, None] + log_k[None, :]
    )  # fmt: skip
    return 0.5 * squares, weights[:, None] + across[None, :]


def _along_inputs(power: float, scale: float, degrees: int) -> tuple[Floats, Floats, Floats]:
    """Return ln G, ln|1 − cG| and logarithms of weights: G = 1/c·1/(1 + e^−w) below 1/c, and 1/c + e^w above."""
    at = -math.log(scale)
    shape = 0.5 * degrees + power
    step = min(0.2, 0.5 / math.sqrt(shape))
    lowest = min(0.0, math.log(degrees) - at) - 2.0 * _NEGLIGIBLE / degrees - 3.0
    highest = math.log(2.0 * shape + 18.0 * math.sqrt(shape) + 2.0 * _NEGLIGIBLE)
    below = np.arange(lowest, 1.1 * _NEGLIGIBLE, step)
    above = np.arange(at - 1.1 * _NEGLIGIBLE, max(highest, at + 3.0), step)
    log_g = np.concatenate([at - np.logaddexp(0.0, -below), np.logaddexp(at, above)])
    log_deviation = np.concatenate([-np.logaddexp(0.0, below), above - at])
    log_slope = np.concatenate([at - np.logaddexp(0.0, -below) - np.logaddexp(0.0, below), above])
    return log_g, log_deviation, math.log(step) + log_slope + _log_chi_square(log_g, degrees)


def _across_inputs(power: float, degrees: int) -> tuple[Floats, Floats]:
    """Return ln K and logarithms of weights."""
    shape = 0.5 * (degrees + power)
    step = min(0.25, 0.5 / math.sqrt(shape))
    lowest = math.log(degrees) - 2.0 * _NEGLIGIBLE / degrees - 3.0
    highest = math.log(2.0 * shape + 18.0 * math.sqrt(shape) + 2.0 * _NEGLIGIBLE)
    log_k = np.arange(lowest, highest, step)
    return log_k, math.log(step) + log_k + _log_chi_square(log_k, degrees)


def _log_chi_square(log_value: Floats, degrees: int) -> Floats:
    """Return the logarithm of the density of χ² at e^log_value."""
    half = 0.5 * degrees
    return np.asarray((half - 1.0) * log_value - 0.5 * np.exp(log_value) - half * math.log(2.0) - math.lgamma(half))
