"""Entropy of trajectories that relax in a harmonic trap, dx = −μkx dt + √(2μT) dW: Gaussian and box-shaped starts."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate

_SEIFERT = "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005)"
_MURASHITA = "Y. Murashita, K. Funo, M. Ueda, Phys. Rev. E 90, 042110 (2014), eq. (12)"
_NODES = 400


def system_entropy(variance: float) -> Estimate:
    """Return ⟨−ln p⟩ = ½ ln(2πe v) of a Gaussian density of one variable, in nats, relative to its unit of length.

    Examples
    --------
    >>> round(float(system_entropy(1.0)), 9)
    1.418938533
    """
    return Estimate(0.5 * math.log(2.0 * math.pi * math.e * positive("variance", variance)), (), 0.0, _SEIFERT)


def moments(
    mean: float, variance: float, *, stiffness: float, temperature: float, duration: float, mobility: float = 1.0
) -> tuple[float, float]:
    """Return mean and variance after a time, from those at the start: m e^{−μkt}, T/k + (v − T/k) e^{−2μkt}."""
    kept, rest = _kept(stiffness, duration, mobility), positive("temperature", temperature) / stiffness
    return mean * kept, rest + (not_negative("variance", variance) - rest) * kept**2


def entropy_production(
    mean: float, variance: float, *, stiffness: float, temperature: float, duration: float, mobility: float = 1.0
) -> Estimate:
    """Return ⟨Δs_tot⟩ = ½ ln(v_t/v_0) + (k/2T)(m_0² + v_0 − m_t² − v_t), of a Gaussian start.

    It is KL(p_0|eq) − KL(p_t|eq), never negative.

    Examples
    --------
    >>> round(float(entropy_production(2.0, 1.0, stiffness=1.0, temperature=1.0, duration=1.0)), 10)
    1.7293294335
    """
    positive("variance", variance)
    last, width = moments(
        mean, variance, stiffness=stiffness, temperature=temperature, duration=duration, mobility=mobility
    )
    heat = 0.5 * stiffness * (mean**2 + variance - last**2 - width)
    return Estimate(0.5 * math.log(width / variance) + heat / temperature, ("Gaussian start",), 0.0, _SEIFERT)


def medium_rate(
    mean: float, variance: float, *, stiffness: float, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return ⟨F∘ẋ⟩/T = (μ/T)⟨F²⟩ + μ⟨F'⟩ = (μ/T)k²(m² + v) − μk, zero in equilibrium.

    Examples
    --------
    >>> round(0.5 * float(medium_rate(2.0, 0.1, stiffness=1.0, temperature=0.5)), 12)
    3.6
    """
    drive = medium_rate_without_divergence(
        mean, variance, stiffness=stiffness, temperature=temperature, mobility=mobility
    )
    return Estimate(drive.value - mobility * stiffness, (), 0.0, f"{_SEIFERT}, eq. (8); Stratonovich")


def medium_rate_without_divergence(
    mean: float, variance: float, *, stiffness: float, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return (μ/T)⟨F²⟩, which the product Fẋ gives where it is read as Itô's: positive even in equilibrium."""
    positive("stiffness", stiffness), positive("mobility", mobility), not_negative("variance", variance)
    value = mobility * stiffness**2 * (mean**2 + variance) / positive("temperature", temperature)
    return Estimate(value, ("Itô's product",), 0.0, "as it may be read")


def exponential_loss(*, stiffness: float, duration: float, mobility: float = 1.0, dimension: int = 1) -> Estimate:
    """Return ⟨e^{−ΔL/T}⟩ = e^{dμkt} in equilibrium, one in which nothing happens; it is said to be one.

    With ρ = e^{−μkt} the Gaussian integral over (x_0, x_t) is √[(1 − ρ²)/(1 − ρ²)ρ²] = 1/ρ in each dimension.

    Examples
    --------
    >>> round(float(exponential_loss(stiffness=1.0, duration=0.5)), 6)
    1.648721
    """
    return Estimate(
        _kept(stiffness, duration, mobility) ** -dimension, ("the start is in equilibrium",), 0.0, "own derivation"
    )


def longest_sampled(*, stiffness: float, mobility: float = 1.0) -> Estimate:
    """Return t = ln(4/3)/(2μk), up to which e^{−ΔL/T} has a variance in equilibrium: ⟨e^{−2ΔL/T}⟩ is finite.

    ⟨e^{−2ΔL/T}⟩ = √[(1 − ρ²)/(4ρ² − 3)], ρ² > ¾.
    """
    return Estimate(
        math.log(4.0 / 3.0) / 2.0 / (positive("stiffness", stiffness) * mobility), (), 0.0, "own derivation"
    )


def box_density(
    points: np.ndarray, lower: float, upper: float, *, stiffness: float, temperature: float, duration: float,
    mobility: float = 1.0,
) -> np.ndarray:  # fmt: skip
    """Return p(x, t) from a start that is uniform between two bounds: [Φ((b − y)/s) − Φ((a − y)/s)]/(ρ(b − a)).

    Here ρ = e^{−μkt}, y = x/ρ and s the deviation √((1 − ρ²)T/k)/ρ.
    """
    kept, spread = _kernel(lower, upper, stiffness, temperature, duration, mobility)
    points = np.asarray(points, dtype=float)
    if kept * (upper - lower) > 0.1 * spread:
        inside = ndtr((upper * kept - points) / spread) - ndtr((lower * kept - points) / spread)
        return inside / (kept * (upper - lower))
    # The difference would cancel; the mean over where it started is a short integral here.
    nodes, weights = np.polynomial.legendre.leggauss(5)
    centres = kept * (lower + upper + (upper - lower) * nodes) / 2.0
    return (
        np.exp(-0.5 * ((points[..., None] - centres) / spread) ** 2) @ weights / (2.0 * math.sqrt(2 * math.pi) * spread)
    )


def box_return(
    lower: float, upper: float, *, stiffness: float, temperature: float, duration: float, mobility: float = 1.0
) -> Estimate:
    """Return ⟨e^{−Δs_tot}⟩ = ∫ p(x, t) P(in the box at t | x at 0) dx < 1 of a start that is uniform in a box.

    Reverse paths that end outside of the box have no forward partner: absolute irreversibility.

    Parameters
    ----------
    lower, upper : float
        Bounds of the box.
    stiffness, temperature, duration, mobility : float
        k, T, t and μ.

    Examples
    --------
    >>> round(float(box_return(-1.0, 1.0, stiffness=1.0, temperature=1.0, duration=50.0)), 6)
    0.682689
    """
    kept, spread = _kernel(lower, upper, stiffness, temperature, duration, mobility)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    first, last = lower * kept - 9.0 * spread, upper * kept + 9.0 * spread
    # Panels at the edges keep the quadrature to rounding for short times, where the density is nearly a box.
    edges = np.unique(np.clip([first, lower * kept, upper * kept, lower, upper, last], first, last))
    middle, half = (edges[1:] + edges[:-1]) / 2.0, (edges[1:] - edges[:-1]) / 2.0
    x = middle[:, None] + half[:, None] * nodes
    density = box_density(
        x, lower, upper, stiffness=stiffness, temperature=temperature, duration=duration, mobility=mobility
    )
    back = ndtr((upper - kept * x) / spread) - ndtr((lower - kept * x) / spread)
    return Estimate(float(half @ (density * back) @ weights), ("uniform start",), 0.0, _MURASHITA)


def box_unity(
    lower: float, upper: float, *, stiffness: float, temperature: float, duration: float, mobility: float = 1.0
) -> Estimate:
    """Return 1, what ⟨e^{−Δs_tot}⟩ is said to be for arbitrary initial conditions."""
    _kernel(lower, upper, stiffness, temperature, duration, mobility)
    return Estimate(1.0, (), 0.0, "as it circulates")


def _kernel(
    lower: float, upper: float, stiffness: float, temperature: float, duration: float, mobility: float
) -> tuple[float, float]:
    """Return e^{−μkt} and the standard deviation that a point acquires."""
    if not lower < upper:
        raise TheoryError(f"the box from lower = {lower!r} to upper = {upper!r} is empty")
    kept = _kept(stiffness, duration, mobility)
    return kept, math.sqrt(positive("temperature", temperature) / stiffness * (1.0 - kept**2))


def _kept(stiffness: float, duration: float, mobility: float) -> float:
    return math.exp(-positive("stiffness", stiffness) * positive("mobility", mobility) * positive("duration", duration))
