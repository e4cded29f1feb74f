"""Heat of a harmonic trap that is dragged in its steady state: its density at any time, and how its symmetry fails.

Heat Q = W − ΔL differs from the Gaussian work W by an energy whose density has exponential tails e^{−L/T}. Beyond
three times the mean they are all that counts, and ln[P(Q)/P(−Q)] stops growing at 2⟨Q⟩/T.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

ZON = "R. van Zon, E. G. D. Cohen, Phys. Rev. Lett. 91, 110601 (2003); Phys. Rev. E 69, 056121 (2004)"
_STEADY = "the start is the steady state of the moving trap"


def conventional(ratio: float, *, relaxation_times: float) -> Estimate:
    """Return p, what ln[P(Q)/P(−Q)] at Q = p⟨Q⟩ would be in units of ⟨Q⟩/T if heat obeyed the detailed theorem.

    Parameters
    ----------
    ratio : float
        p.
    relaxation_times : float
        τ = μkt, the duration in units of the relaxation time.
    """
    positive("relaxation_times", relaxation_times)
    return Estimate(positive("ratio", ratio), (_STEADY,), 0.0, "as for total entropy")


def extended(ratio: float, *, relaxation_times: float) -> Estimate:
    """Return ln[P(Q)/P(−Q)] at Q = p⟨Q⟩ in units of ⟨Q⟩/T, for long times.

    p up to 1, p − (p − 1)²/4 up to 3, and 2 + √(8(p − 3)/τ) beyond.

    Parameters
    ----------
    ratio : float
        p.
    relaxation_times : float
        τ = μkt; what is neglected is of the order p/τ.

    Examples
    --------
    >>> [float(extended(p, relaxation_times=1e12)) for p in (0.5, 2.0, 3.0)]
    [0.5, 1.75, 2.0]
    """
    p, tau = positive("ratio", ratio), positive("relaxation_times", relaxation_times)
    inner = p - max(p - 1.0, 0.0) ** 2 / 4.0
    value = inner if p < 3.0 else 2.0 + math.sqrt(8.0 * (p - 3.0) / tau)
    return Estimate(value, (_STEADY, "μkt ≫ 1, p"), max(p, 1.0) / tau, ZON)


def log_generating_function(tilt: ArrayLike, *, drive: float, relaxation_times: float) -> np.ndarray:
    """Return ln⟨e^{λQ/T}⟩, a Gaussian integral over both ends; complex where λ is.

    Parameters
    ----------
    tilt : array_like
        λ, with a real part between ±1/√(1 − e^{−2τ}), where the average is finite.
    drive : float
        u = v/(μ√(kT)), the speed in units of thermal width over relaxation time; ⟨Q⟩/T = u²τ.
    relaxation_times : float
        τ = μkt.

    Raises
    ------
    TheoryError
        If drive or time is not positive, or λ beyond where the average is finite.
    """
    s = np.asarray(tilt)
    u, tau = positive("drive", drive), positive("relaxation_times", relaxation_times)
    kept, lag, memory = math.exp(-tau), math.tanh(tau / 2.0), -math.expm1(-2.0 * tau)
    if np.any(np.abs(s.real) >= 1.0 / math.sqrt(memory)):
        raise TheoryError(
            f"tilt = {s.ravel()[np.argmax(np.abs(s.real))]!r}: ⟨e^(λQ/T)⟩ is finite only for |λ| < {memory**-0.5:.6g}"
        )
    # With Q/T = u²τ − u∫z − (z_t² − z_0²)/2 + u(z_t − z_0), z an Ornstein–Uhlenbeck process of variance one, and
    # ∫z given both ends Gaussian around tanh(τ/2)(z_0 + z_t) with variance 2τ − 4 tanh(τ/2).
    first, last = -s * u * (1.0 + lag), s * u * (1.0 - lag)
    determinant = 1.0 - s**2 * memory
    ends = first**2 * (1.0 + s * memory) + last**2 * (1.0 - s * memory) + 2.0 * kept * first * last
    return s * u**2 * tau + s**2 * u**2 * (tau - 2.0 * lag) + ends / (2.0 * determinant) - 0.5 * np.log(determinant)


def log_density(heat: ArrayLike, *, drive: float, relaxation_times: float) -> np.ndarray:
    """Return ln P of the heat in units of T, by inverting the generating function through the saddle point.

    Parameters
    ----------
    heat : array_like
        Q/T.
    drive, relaxation_times : float
        u and τ, as for `log_generating_function`.

    Examples
    --------
    >>> q = np.linspace(-40.0, 60.0, 1001)
    >>> p = np.exp(log_density(q, drive=1.0, relaxation_times=2.0))
    >>> round(float(np.trapezoid(p, q)), 10), round(float(np.trapezoid(p * q, q)), 8)
    (1.0, 2.0)
    """
    points = np.asarray(heat, dtype=float)
    values = [_log_density(float(q), drive, relaxation_times) for q in points.ravel()]
    return np.reshape(values, points.shape)


def symmetry(ratio: ArrayLike, *, drive: float, relaxation_times: float) -> np.ndarray:
    """Return ln[P(Q)/P(−Q)] at Q = p⟨Q⟩ in units of ⟨Q⟩/T, exactly, at any time.

    Parameters
    ----------
    ratio : array_like
        p.
    drive, relaxation_times : float
        u and τ.
    """
    mean = drive**2 * relaxation_times
    heat = np.asarray(ratio, dtype=float) * mean
    forward, back = (log_density(q, drive=drive, relaxation_times=relaxation_times) for q in (heat, -heat))
    return (forward - back) / mean


def _log_density(q: float, drive: float, tau: float) -> float:
    from scipy.optimize import minimize_scalar

    edge = (1.0 - math.exp(-2.0 * tau)) ** -0.5

    def exponent(tilt: ArrayLike) -> np.ndarray:
        return log_generating_function(tilt, drive=drive, relaxation_times=tau) - np.asarray(tilt) * q

    # In arctanh(λ/edge) the saddle point is resolved also where it is close to the edge.
    found = minimize_scalar(lambda x: float(exponent(edge * math.tanh(x))), bracket=(-0.1, 0.1), tol=1e-6)
    saddle = edge * math.tanh(found.x)
    lowest = float(exponent(saddle))
    # Along the line through it the integrand falls off on the scale of the edge's distance or of the work's deviation.
    # The trapezoidal rule in arsinh resolves both to rounding, with enough nodes for the oscillation of the tails.
    scale, deviation = edge - abs(saddle), drive * math.sqrt(2.0 * max(tau - 2.0 * math.tanh(tau / 2.0), 1e-3))
    reach = math.asinh(12.0 / (scale * min(1.0, deviation)))
    x = np.linspace(0.0, reach, 4001 + int(12.0 * reach * abs(q - drive**2 * tau) / deviation))
    values = np.exp(exponent(saddle + 1j * scale * np.sinh(x)) - lowest).real * scale * np.cosh(x)
    return lowest + math.log((values.sum() - 0.5 * values[0]) * (x[1] - x[0]) / math.pi)
