"""Symmetric Lévy-stable laws, with the characteristic function e^{−|k|^α}, to full relative accuracy.

Fourier integrals are taken along the ray k = t e^{iω}, where nothing oscillates for long, by the trapezoidal rule in
ln t, which converges exponentially. Far out ∫e^{iku} dk, which carries nothing, is taken off first: what is left has
the size of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

DIGITS = 39.0
"""−ln of what may be left out."""
CHUNK = 400
"""Points treated at a time."""


def stable_density(index: float, u: Any) -> np.ndarray:
    """Return the density φ(u) = (1/π) ∫₀^∞ e^{−k^α} cos(ku) dk.

    Parameters
    ----------
    index : float
        α, 0 < α < 2.
    u : array_like
        Points.

    References
    ----------
    V. M. Zolotarev, One-dimensional Stable Distributions (1986), section 2.4 (rotation of the contour).

    Examples
    --------
    >>> bool(np.allclose(stable_density(1.0, [0.0, 3.0]), [1 / np.pi, 0.1 / np.pi], rtol=1e-14))
    True
    """
    angle, step = _ray(index)

    def near(x: np.ndarray) -> np.ndarray:
        t = np.exp(np.arange(-DIGITS, np.log(2.0 * DIGITS) / index, step))
        k = t * np.exp(1j * angle)
        weights = step * k * np.exp(-(t**index) * np.exp(1j * index * angle))
        return (np.exp(1j * np.multiply.outer(x, k)) @ weights).real / np.pi

    def far(x: np.ndarray) -> np.ndarray:
        t = np.exp(np.arange(-DIGITS, np.log(2.0 * DIGITS / np.sin(angle)), step))
        k = t * np.exp(1j * angle)
        weights = step * k * np.exp(1j * k)
        return (_less_one(index, angle, x, t) @ weights).real / (np.pi * x)

    return _evaluate(np.abs(u), near, far)


def stable_tail(index: float, u: Any) -> np.ndarray:
    """Return the probability ∫φ from u to ∞, for u ≥ 0.

    Parameters
    ----------
    index : float
        α, 0 < α < 2.
    u : array_like
        Points, not negative.

    Examples
    --------
    >>> bool(np.allclose(stable_tail(1.0, [0.0, 1.0, 1e8]), [0.5, 0.25, 1e-8 / np.pi], rtol=1e-14))
    True
    """
    angle, step = _ray(index)

    def everywhere(x: np.ndarray) -> np.ndarray:
        lowest = -DIGITS / index + min(0.0, np.log(x.min()))
        t = np.exp(np.arange(lowest, np.log(2.0 * DIGITS / np.sin(angle)), step))
        weights = step * np.exp(1j * t * np.exp(1j * angle))
        return -(_less_one(index, angle, x, t) @ weights).imag / np.pi

    points = np.asarray(u, dtype=float)
    positive = np.where(points > 1e-100, points, 1.0)
    return np.where(points > 1e-100, _evaluate(positive, everywhere, everywhere), 0.5)


def _ray(index: float) -> tuple[float, float]:
    """Return the angle of the ray, in the middle of those where all decays, and the step in ln t that they allow."""
    angle = min(0.25 * np.pi / index, 0.5 * np.pi)
    return angle, 2.0 * np.pi * min(angle, 0.5 * np.pi / index - angle) / DIGITS


def _less_one(index: float, angle: float, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return e^{−k^α} − 1 at k = t e^{iω}/x, shape (points, nodes)."""
    return np.expm1(-np.multiply.outer(x**-index, t**index * np.exp(1j * index * angle)))


def _evaluate(x: np.ndarray, near: Any, far: Any) -> np.ndarray:
    flat = np.atleast_1d(x).astype(float).ravel()
    result = np.empty_like(flat)
    for inside, rule in ((flat <= 1.0, near), (flat > 1.0, far)):
        points = flat[inside]
        parts = [rule(points[k : k + CHUNK]) for k in range(0, len(points), CHUNK)]
        result[inside] = np.concatenate(parts) if parts else np.empty(0)
    return result.reshape(np.shape(x))
