"""Updates on the lattice of representable values qℤ: rounding to nearest and at random, bias, variance, stalling.

A step that would lead to a normal variable of mean m and standard deviation s is rounded. With E_k = e^{−2π²k²s²/q²}:

- to nearest: mean m + (q/π)Σ(−1)ᵏ k⁻¹ sin(2πkm/q)E_k, where Σ runs over k ≥ 1; variance s² + q²/12 but for terms E_k;
- at random, up with the probability of the fraction f of the quantum: no bias, and s² + q²⟨f(1 − f)⟩, about s² + q²/6.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.conditions import finite, not_negative, positive
from fpsolver.theory.estimate import Estimate

ROUNDINGS = ("nearest", "stochastic")

NORMAL = ("normal update",)
SHEPPARD = (
    "W. F. Sheppard, Proc. London Math. Soc. 29, 353 (1898); own derivation: Fourier series of the rounding error"
)


def mean(update: float, *, scale: float, quantum: float, rounding: str = "nearest") -> Estimate:
    """Return the mean of a rounded normal variable.

    Parameters
    ----------
    update : float
        m, its mean before rounding.
    scale : float
        s > 0, its standard deviation.
    quantum : float
        q, the distance between representable values.
    rounding : {"nearest", "stochastic"}
        How it is rounded.

    Examples
    --------
    >>> round(float(mean(0.25, scale=0.1, quantum=1.0)), 4)
    0.0062
    >>> float(mean(0.25, scale=0.1, quantum=1.0, rounding="stochastic"))
    0.25
    """
    update = float(finite("update", update))
    if _known(rounding) == "stochastic":
        _sizes(scale, quantum)
        return Estimate(update, NORMAL, 0.0, "unbiased for any law")
    k, weights = _terms(scale, quantum)
    bias = quantum / math.pi * float(np.sum(weights / k * np.sin(2.0 * math.pi * k * update / quantum)))
    return Estimate(update + bias, NORMAL, 0.0, SHEPPARD)


def mean_as_written(update: float, *, scale: float, quantum: float, rounding: str = "nearest") -> Estimate:
    """Return m: the precision is taken to have no influence on the mean, which holds for stochastic rounding alone.

    Parameters
    ----------
    update, scale, quantum, rounding
        As for `mean`.
    """
    _known(rounding)
    _sizes(scale, quantum)
    return Estimate(float(finite("update", update)), (), 0.0, "as it circulates")


def variance(update: float = 0.0, *, scale: float, quantum: float, rounding: str = "nearest") -> Estimate:
    """Return the variance of a rounded normal variable.

    To nearest it is s² + q²/12 + Σ(−1)ᵏ cos(2πkm/q)(4s² + q²/π²k²)E_k − bias²; at random
    s² + q²[1/6 − π⁻²Σ k⁻² cos(2πkm/q)E_k].

    Parameters
    ----------
    update, scale, quantum, rounding
        As for `mean`.

    Examples
    --------
    >>> round(float(variance(scale=0.3, quantum=1.0)), 10)
    0.0955824245
    """
    update, (k, weights) = float(finite("update", update)), _terms(scale, quantum)
    waves = np.cos(2.0 * math.pi * k * update / quantum)
    if _known(rounding) == "stochastic":
        lost = float(np.sum(np.abs(weights) / k**2 * waves)) / math.pi**2
        return Estimate(scale**2 + quantum**2 * (1.0 / 6.0 - lost), NORMAL, 0.0, SHEPPARD)
    bias = float(mean(update, scale=scale, quantum=quantum)) - update
    ripple = float(np.sum(weights * waves * (4.0 * scale**2 + (quantum / (math.pi * k)) ** 2)))
    return Estimate(scale**2 + quantum**2 / 12.0 + ripple - bias**2, NORMAL, 0.0, SHEPPARD)


def lattice_probabilities(
    indices: ArrayLike, *, update: float, scale: float, quantum: float, rounding: str = "nearest"
) -> np.ndarray:
    """Return the probability P_k of the value kq: the density integrated over a cell, or against a tent.

    Parameters
    ----------
    indices : array_like of int, shape (n,)
        k.
    update, scale, quantum, rounding
        As for `mean`.

    Examples
    --------
    >>> lattice_probabilities([-1, 0, 1], update=0.0, scale=0.5, quantum=1.0).round(4).tolist()
    [0.1573, 0.6827, 0.1573]
    """
    from scipy.special import ndtr

    s, q = _sizes(scale, quantum)
    k, update = finite("indices", indices), float(finite("update", update))
    if _known(rounding) == "nearest":
        low, high = ((k - 0.5) * q - update) / s, ((k + 0.5) * q - update) / s
        right = low > 0.0  # far in a tail, differences are taken there
        return np.where(right, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    # The second difference of ∫∫φ, which is zΦ(z) + φ(z).
    ends = [((k + shift) * q - update) / s for shift in (-1.0, 0.0, 1.0)]
    left = ends[1] <= 0.0
    twice = [np.where(left, _twice_integrated(z), _twice_integrated(-z)) for z in ends]
    return np.asarray((twice[0] - 2.0 * twice[1] + twice[2]) * s / q)


def lattice_probabilities_as_written(
    indices: ArrayLike, *, update: float, scale: float, quantum: float, rounding: str = "nearest"
) -> np.ndarray:
    """Return ρ(kq)·Q with Q = 1 at representable values: a density at points, which adds up to about 1/q.

    Parameters
    ----------
    indices, update, scale, quantum, rounding
        As for `lattice_probabilities`; the rounding is not used.
    """
    _known(rounding)
    s, q = _sizes(scale, quantum)
    z = (finite("indices", indices) * q - float(finite("update", update))) / s
    return np.asarray(np.exp(-0.5 * z * z) / (s * math.sqrt(2.0 * math.pi)))


def stalls(gradient: float, *, learning_rate: float, quantum: float) -> bool:
    """Return whether descent without noise that rounds to nearest stands still: η|g| < q/2.

    Parameters
    ----------
    gradient, learning_rate, quantum : float
        g, η and q.

    Examples
    --------
    >>> stalls(0.04, learning_rate=0.1, quantum=0.01), stalls(0.06, learning_rate=0.1, quantum=0.01)
    (True, False)
    """
    step = positive("learning_rate", learning_rate) * abs(float(finite("gradient", gradient)))
    return step < 0.5 * positive("quantum", quantum)


def stall_radius(stiffness: float, *, learning_rate: float, quantum: float) -> Estimate:
    """Return q/(2ηh), within which descent that rounds to nearest never comes closer to a minimum of curvature h.

    Parameters
    ----------
    stiffness, learning_rate, quantum : float
        h, η and q.

    Examples
    --------
    >>> float(stall_radius(1.0, learning_rate=0.125, quantum=0.25))
    1.0
    """
    step = positive("learning_rate", learning_rate) * positive("stiffness", stiffness)
    return Estimate(positive("quantum", quantum) / (2.0 * step), ("no noise",), 0.0, "own derivation")


def stationary_variance(
    stiffness: float, *, learning_rate: float, noise_variance: float, quantum: float, rounding: str = "stochastic"
) -> Estimate:
    """Return the stationary variance of SGD on hθ²/2 that rounds every step: (η²C + q²/12 or /6)/[ηh(2 − ηh)].

    The sawtooth of the rounding error is averaged over its period: q²/6 at random, q²/12 to nearest.

    Parameters
    ----------
    stiffness, learning_rate : float
        h and η, ηh < 2.
    noise_variance : float
        C, the variance of the minibatch gradient.
    quantum, rounding
        As for `mean`; the quantum may be zero.

    Returns
    -------
    Estimate
        With the error scale that the first wave of the sawtooth can add to the variance s² + … of a step, s² = η²C:
        (q²/π²)e^{−2π²s²/q²} at random, (4s² + q²/π² + 2σq/π)e^{−2π²s²/q²} to nearest with the result σ².

    Examples
    --------
    >>> round(float(stationary_variance(1.0, learning_rate=0.1, noise_variance=1.0, quantum=0.0)), 12)
    0.052631578947
    """
    h, eta = positive("stiffness", stiffness), positive("learning_rate", learning_rate)
    if eta * h >= 2.0:
        raise TheoryError(f"ηh = {eta * h:.4g} must be below 2: the chain has no stationary state")
    q, step = not_negative("quantum", quantum), eta**2 * not_negative("noise_variance", noise_variance)
    injected = step + q**2 / (12.0 if _known(rounding) == "nearest" else 6.0)
    value = injected / (eta * h * (2.0 - eta * h))
    if q == 0.0:
        return Estimate(value, NORMAL, 0.0, SHEPPARD)
    wave = (q / math.pi) ** 2 * math.exp(-2.0 * math.pi**2 * step / q**2)
    if rounding == "nearest":  # whose bias is correlated with the weight
        wave *= 1.0 + 4.0 * step * (math.pi / q) ** 2 + 2.0 * math.pi * math.sqrt(value) / q
    return Estimate(value, (*NORMAL, "s ≳ q/2"), wave / injected, SHEPPARD)


def stationary_variance_as_written(
    stiffness: float, *, learning_rate: float, noise_variance: float, quantum: float, rounding: str = "stochastic"
) -> Estimate:
    """Return η²C/[ηh(2 − ηh)], as if weights were stored without rounding.

    Parameters
    ----------
    stiffness, learning_rate, noise_variance, quantum, rounding
        As for `stationary_variance`; quantum and rounding are not used.
    """
    not_negative("quantum", quantum)
    _known(rounding)
    return stationary_variance(
        stiffness, learning_rate=learning_rate, noise_variance=noise_variance, quantum=0.0, rounding=rounding
    )


def _terms(scale: float, quantum: float) -> tuple[np.ndarray, np.ndarray]:
    """Return k = 1 … and (−1)ᵏE_k, as far as those count."""
    s, q = _sizes(scale, quantum)
    if s < 1e-5 * q:
        raise TheoryError(f"scale = {s:g} is below 1e-5 quanta: the sum converges too slowly; round without noise")
    k = np.arange(1, math.ceil(1.5 * q / s) + 2)
    return k, np.where(k % 2 == 0, 1.0, -1.0) * np.exp(-2.0 * (math.pi * k * s / q) ** 2)


def _twice_integrated(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(z * ndtr(z) + np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))


def _sizes(scale: float, quantum: float) -> tuple[float, float]:
    return positive("scale", scale), positive("quantum", quantum)


def _known(rounding: str) -> str:
    if rounding not in ROUNDINGS:
        raise TheoryError(
            f"rounding = {rounding!r} is not one of {', '.join(ROUNDINGS)}{suggest(str(rounding), ROUNDINGS)}"
        )
    return rounding
