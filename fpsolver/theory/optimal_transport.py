"""Optimal transport of densities: Wasserstein distances, least entropy production, erasure in finite time.

Overdamped motion with diffusion D = μT takes p₀ to p₁ within t_f at no less entropy production than W₂²/(D t_f), and
at no more where the landscape may be chosen freely at every moment.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate

_AURELL = "E. Aurell, C. Mejía-Monasterio, P. Muratore-Ginanneschi, Phys. Rev. Lett. 106, 250601 (2011)"
_LANDAUER = "E. Aurell et al., J. Stat. Phys. 147, 487 (2012)"


def gaussian_distance(mean: Any, covariance: Any, other_mean: Any, other_covariance: Any) -> Estimate:
    """Return the Wasserstein-2 distance of two Gaussians in any dimension.

    W₂² = |m₁ − m₀|² + tr[S₀ + S₁ − 2(S₀^½ S₁ S₀^½)^½]; numbers are taken for one dimension.

    Parameters
    ----------
    mean, other_mean : array_like (d,)
        m₀ and m₁.
    covariance, other_covariance : array_like (d, d)
        S₀ and S₁, positive semidefinite.

    Raises
    ------
    TheoryError
        If shapes do not fit or a covariance is not symmetric positive semidefinite.

    Examples
    --------
    >>> round(float(gaussian_distance(0.0, 1.0, 2.0, 0.25)) ** 2, 12)
    4.25
    """
    first, second = (
        _gaussian("covariance", mean, covariance),
        _gaussian("other_covariance", other_mean, other_covariance),
    )
    if first[0].shape != second[0].shape:
        raise TheoryError(f"Gaussians of dimensions {len(first[0])} and {len(second[0])} have no distance")
    root, other = _root(first[1]), _root(second[1])
    # tr (S₀^½ S₁ S₀^½)^½ is the sum of the singular values of S₁^½ S₀^½, which loses no digits to the square.
    shared = np.linalg.svd(other @ root, compute_uv=False).sum()
    squared = np.sum((second[0] - first[0]) ** 2) + np.trace(first[1]) + np.trace(second[1]) - 2.0 * shared
    return Estimate(
        math.sqrt(max(float(squared), 0.0)), ("Gaussian densities",), 0.0,
        "D. C. Dowson, B. V. Landau, J. Multivariate Anal. 12, 450 (1982)",
    )  # fmt: skip


def uniform_distance(interval: tuple[float, float], other: tuple[float, float]) -> Estimate:
    """Return the Wasserstein-2 distance of two uniform densities: W₂² = (Δ centre)² + (Δ width)²/12.

    Parameters
    ----------
    interval, other : (float, float)
        Where they live.

    Examples
    --------
    >>> round(float(uniform_distance((-1.0, 1.0), (0.0, 1.0))) ** 2, 12)
    0.333333333333
    """
    (a, b), (c, d) = interval, other
    widths = positive("upper − lower", b - a), positive("upper − lower of the other", d - c)
    value = math.hypot(0.5 * (c + d - a - b), (widths[1] - widths[0]) / math.sqrt(12.0))
    return Estimate(value, ("uniform densities",), 0.0, "quantile functions")


def minimum_entropy_production(distance: float | Estimate, duration: float, *, diffusion: float = 1.0) -> Estimate:
    """Return the least entropy production Σ = W₂²/(D t_f), in nats, of a transformation within a time.

    Parameters
    ----------
    distance : float or Estimate
        W₂ between the densities at start and end.
    duration : float
        t_f.
    diffusion : float
        D = μT.

    Examples
    --------
    >>> round(float(minimum_entropy_production(gaussian_distance(0, 1, 2, 0.25), 1.0)), 12)
    4.25
    """
    length = not_negative("distance", float(distance))
    value = length**2 / (positive("diffusion", diffusion) * positive("duration", duration))
    return Estimate(value, ("overdamped", "any landscape at any time, end points free to jump"), 0.0, _AURELL)


def erasure_heat(
    distance: float | Estimate, duration: float, *, temperature: float = 1.0, mobility: float = 1.0, bits: float = 1.0
) -> Estimate:
    """Return the least mean heat of erasing bits of symmetric memories in finite time, Q = nT ln 2 + W₂²/(μ t_f).

    Parameters
    ----------
    distance : float or Estimate
        W₂ between the densities before and after, over all memories together.
    duration : float
        t_f.
    temperature, mobility : float
        T and μ.
    bits : float
        n, by how many bits the entropy falls.

    Examples
    --------
    >>> round(float(erasure_heat(uniform_distance((-1, 1), (0, 1)), 1.0)), 10)
    1.0264805139
    """
    heat = positive("temperature", temperature) * math.log(2.0) * not_negative("bits", bits)
    least = float(minimum_entropy_production(distance, duration, diffusion=mobility * temperature))
    return Estimate(heat + temperature * least, ("overdamped", "entropy falls by n ln 2"), 0.0, _LANDAUER)


def erasure_time(
    distance: float | Estimate, power: float, *, temperature: float = 1.0, mobility: float = 1.0, bits: float = 1.0
) -> Estimate:
    """Return the least time of erasing bits at constant power P: the root of Pt = nT ln 2 + W₂²/(μt).

    Parameters
    ----------
    distance : float or Estimate
        As for `erasure_heat`.
    power : float
        P, in units of loss per time.
    temperature, mobility, bits : float
        As for `erasure_heat`.

    Examples
    --------
    >>> round(float(erasure_time(uniform_distance((-1, 1), (0, 1)), 1.0)), 10)
    1.0199580175
    """
    rate = positive("power", power)
    heat = positive("temperature", temperature) * math.log(2.0) * not_negative("bits", bits)
    drag = not_negative("distance", float(distance)) ** 2 / positive("mobility", mobility)
    value = (heat + math.sqrt(heat**2 + 4.0 * rate * drag)) / (2.0 * rate)
    return Estimate(value, ("overdamped", "equal loss before and after", "power P throughout"), 0.0, _LANDAUER)


def relaxation_entropy_production(
    start: float, duration: float, *, stiffness: float = 1.0, temperature: float = 1.0, mobility: float = 1.0
) -> Estimate:
    """Return Σ = (k/2T)(m₀² − m₁²) of a Gaussian of width √(T/k) that relaxes from mean m₀, m₁ = m₀e^{−μkt}.

    The bound W₂²/(D t) = (m₀ − m₁)²/(μTt) stays below it, by (μkt)²/12 of it when t is short.

    Parameters
    ----------
    start : float
        m₀.
    duration : float
        t.
    stiffness, temperature, mobility : float
        k, T and μ.

    Examples
    --------
    >>> round(float(relaxation_entropy_production(2.0, 1.0)), 10)
    1.7293294335
    """
    rate = positive("mobility", mobility) * positive("stiffness", stiffness)
    lost = -math.expm1(-2.0 * rate * positive("duration", duration))
    value = 0.5 * stiffness / positive("temperature", temperature) * start**2 * lost
    return Estimate(value, ("overdamped", "harmonic, of equilibrium width"), 0.0, _AURELL)


def _gaussian(name: str, mean: Any, covariance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance as arrays, checked."""
    centre = np.atleast_1d(np.asarray(mean, dtype=float))
    spread = np.atleast_2d(np.asarray(covariance, dtype=float))
    if centre.ndim != 1 or spread.shape != (len(centre),) * 2:
        raise TheoryError(f"a mean of shape {centre.shape} and {name} of shape {spread.shape} do not fit")
    if not (np.isfinite(centre).all() and np.isfinite(spread).all() and np.allclose(spread, spread.T)):
        raise TheoryError(f"{name} = {spread.tolist()} must be finite and symmetric")
    if np.linalg.eigvalsh(spread)[0] < -1e-12 * np.abs(spread).max():
        raise TheoryError(f"{name} = {spread.tolist()} has a negative eigenvalue")
    return centre, spread


def _root(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
