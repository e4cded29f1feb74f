"""Escape of SGD from a minimum, for three laws of its noise: additive, proportional to curvature, or to the loss.

Times and rates are those of **learning time** t = η·steps; `in_steps` converts. The diffusion coefficient is D = ηC/2
with the covariance C of the minibatch gradient, C = C₁/B for B examples with replacement.
"""

from __future__ import annotations

import math

from fpsolver.dynamics.langevin import CONVENTIONS
from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import barrier_parameter, exponent_parameter, exponential, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.kramers import overdamped_rate
from fpsolver.theory.loss_noise_escape import (
    corrected_loss_noise_time,
    loss_noise_time,
    loss_noise_time_if_exponential,
    power_law_exponent,
)
from fpsolver.theory.sgd_noise import rates

__all__ = [
    "additive_noise_exponent",
    "additive_noise_rate",
    "additive_noise_rate_per_step",
    "additive_noise_rate_per_step_as_written",
    "additive_noise_temperature",
    "arrhenius_weight",
    "corrected_loss_noise_time",
    "curvature_noise_exponent",
    "curvature_noise_time",
    "curvature_noise_time_as_published",
    "in_steps",
    "loss_noise_time",
    "loss_noise_time_if_exponential",
    "matching_fraction",
    "power_law_exponent",
]

XIE = "Z. Xie, I. Sato, M. Sugiyama, ICLR 2021 (arXiv 2002.03495), theorem 3.2"

KRAMERS_OF_SGD = "H. A. Kramers, Physica 7, 284 (1940), with T = ησ²/(2B)"


def in_steps(time: Estimate, learning_rate: float) -> Estimate:
    """Return a learning time in steps, t/η."""
    value = time.value / positive("learning_rate", learning_rate)
    return Estimate(value, time.assumptions, time.error_scale, time.reference)


def additive_noise_temperature(*, learning_rate: float, batch_size: float, variance: float) -> Estimate:
    """Return T = ησ²/(2B), the temperature of isotropic gradient noise that does not depend on θ.

    Parameters
    ----------
    learning_rate : float
        η.
    batch_size : float
        B.
    variance : float
        σ² of one example's gradient, per direction.

    Returns
    -------
    Estimate
        T in units of loss, to first order in η.
    """
    eta, batch = rates(learning_rate, batch_size)
    value = eta * positive("variance", variance) / (2.0 * batch)
    return Estimate(value, ("η L'' ≪ 1", "additive isotropic noise"), 0.0, "D = ηC/2, C = σ²/B")


def additive_noise_exponent(barrier: Barrier, *, learning_rate: float, batch_size: float, variance: float) -> Estimate:
    """Return ΔL/T = 2BΔL/(ησ²), the exponent of escape under additive noise: c/η with c = 2BΔL/σ².

    Parameters
    ----------
    barrier : Barrier
        The barrier.
    learning_rate, batch_size, variance
        As for `additive_noise_temperature`.

    Returns
    -------
    Estimate
        A number; `error_scale` is its inverse.
    """
    t = additive_noise_temperature(learning_rate=learning_rate, batch_size=batch_size, variance=variance)
    scale = barrier_parameter(barrier.height, t.value)
    return Estimate(1.0 / scale, ("additive isotropic noise", "η → 0 at fixed B"), scale, KRAMERS_OF_SGD)


def arrhenius_weight(constant: float, *, learning_rate: float) -> Estimate:
    """Return e^{−c/η}, to which escape is often said to be proportional.

    Parameters
    ----------
    constant : float
        c; 2BΔL/σ² for additive noise.
    learning_rate : float
        η.

    Returns
    -------
    Estimate
        The exponential only. `additive_noise_rate` has the prefactor, which per **step** carries one more factor η.
    """
    value = exponential(-positive("constant", constant) / positive("learning_rate", learning_rate))
    return Estimate(value, ("additive noise", "η → 0", "up to a prefactor"), learning_rate / constant, KRAMERS_OF_SGD)


def additive_noise_rate(barrier: Barrier, *, learning_rate: float, batch_size: float, variance: float) -> Estimate:
    """Return k = √(L''_a |L''_b|)/(2π) e^{−2BΔL/(ησ²)} per learning time; ηk per step.

    Parameters
    ----------
    barrier : Barrier
        The well and its barrier.
    learning_rate, batch_size, variance
        As for `additive_noise_temperature`.
    """
    t = additive_noise_temperature(learning_rate=learning_rate, batch_size=batch_size, variance=variance)
    k = overdamped_rate(barrier, temperature=t.value)
    return Estimate(k.value, (*k.assumptions, *t.assumptions), k.error_scale, KRAMERS_OF_SGD)


def additive_noise_rate_per_step(
    barrier: Barrier, *, learning_rate: float, batch_size: float, variance: float
) -> Estimate:
    """Return ρ = η √(L''_a |L''_b|)/(2π) e^{−2BΔL/(ησ²)} per step.

    Parameters
    ----------
    barrier, learning_rate, batch_size, variance
        As for `additive_noise_rate`.

    Returns
    -------
    Estimate
        Escapes per step of the chain θ' = θ − ηg. `error_scale` is the larger of T/ΔL and η times the largest
        curvature, both of which go with η at fixed B.
    """
    k = additive_noise_rate(barrier, learning_rate=learning_rate, batch_size=batch_size, variance=variance)
    scale = max(k.error_scale, learning_rate * max(barrier.minimum_curvature, -barrier.saddle_curvature))
    return Estimate(learning_rate * k.value, k.assumptions, scale, k.reference)


def additive_noise_rate_per_step_as_written(
    barrier: Barrier, *, learning_rate: float, batch_size: float, variance: float
) -> Estimate:
    """Return √(L''_a |L''_b|)/(2π) e^{−2BΔL/(ησ²)}: e^{−c/η} with a prefactor that does not know of η.

    Parameters
    ----------
    barrier, learning_rate, batch_size, variance
        As for `additive_noise_rate`.

    Returns
    -------
    Estimate
        The same number as `additive_noise_rate`, but taken as a rate per step: a step lasts η, which is missing.
    """
    return additive_noise_rate(barrier, learning_rate=learning_rate, batch_size=batch_size, variance=variance)


def matching_fraction(minimum_curvature: float, saddle_curvature: float) -> float:
    """Return s = |H_b|/(H_a + |H_b|), the share of ΔL in the inner parabola where two meet with one tangent."""
    h_a, h_b = positive("minimum_curvature", minimum_curvature), positive("|saddle_curvature|", -saddle_curvature)
    return h_b / (h_a + h_b)


def curvature_noise_exponent(
    barrier: Barrier, *, learning_rate: float, batch_size: float, fraction: float | None = None
) -> Estimate:
    """Return (2BΔL/η)[s/H_a + (1 − s)/|H_b|], the exponent for D = (η/2B)|L''| that is constant in two pieces.

    Parameters
    ----------
    barrier : Barrier
        Curvatures H_a and H_b along the escape direction, and ΔL.
    learning_rate, batch_size
        η and B.
    fraction : float, optional
        s, the share of ΔL that is climbed with the curvature of the minimum; by default that of two parabolas that
        meet smoothly, |H_b|/(H_a + |H_b|), for which the formula is exact.

    Returns
    -------
    Estimate
        A number; `error_scale` is its inverse.

    Examples
    --------
    >>> flat = Barrier(height=1.0, minimum_curvature=4.0, saddle_curvature=-1.0)
    >>> float(curvature_noise_exponent(flat, learning_rate=0.1, batch_size=1))
    17.0
    """
    eta, batch = rates(learning_rate, batch_size)
    h_a, h_b = barrier.minimum_curvature, -barrier.saddle_curvature
    s = matching_fraction(h_a, -h_b) if fraction is None else float(fraction)
    if not 0.0 <= s <= 1.0:
        raise TheoryError(f"fraction = {fraction!r} must lie between 0 and 1")
    value = 2.0 * batch * barrier.height / eta * (s / h_a + (1.0 - s) / h_b)
    scale = exponent_parameter(value)
    return Estimate(value, ("noise ∝ curvature", "curvature constant in two pieces", "η/B → 0"), scale, XIE)


def curvature_noise_time_as_published(
    barrier: Barrier, *, learning_rate: float, batch_size: float, fraction: float | None = None
) -> Estimate:
    """Return τ = (2π/|H_b|) e^{exponent}, as published: the prefactor is that of the klimontovich convention.

    Parameters
    ----------
    barrier, learning_rate, batch_size, fraction
        As for `curvature_noise_exponent`.

    Returns
    -------
    Estimate
        Mean learning time across the barrier. SGD is an Itô process; see `curvature_noise_time`.
    """
    return curvature_noise_time(
        barrier, learning_rate=learning_rate, batch_size=batch_size, convention="klimontovich", fraction=fraction
    )


def curvature_noise_time(
    barrier: Barrier,
    *,
    learning_rate: float,
    batch_size: float,
    convention: str = "ito",
    fraction: float | None = None,
) -> Estimate:
    """Return τ = 2π H_a^{α−1} |H_b|^{−α} e^{exponent}, with α = 0 (ito), 1/2 (stratonovich) or 1 (klimontovich).

    Parameters
    ----------
    barrier, learning_rate, batch_size, fraction
        As for `curvature_noise_exponent`.
    convention : {"ito", "stratonovich", "klimontovich"}
        Of the noise; SGD's is "ito".

    Returns
    -------
    Estimate
        Mean learning time across the barrier.

    Notes
    -----
    Laplace's method on τ = ∫dy/ψ ∫ψ/D dz with ψ = D^α e^{−Φ}, where Φ'' = ±2B/η at both ends whatever the curvature.
    """
    if convention not in CONVENTIONS:
        raise TheoryError(
            f"convention = {convention!r} is not one of {', '.join(CONVENTIONS)}{suggest(str(convention), CONVENTIONS)}"
        )
    exponent = curvature_noise_exponent(barrier, learning_rate=learning_rate, batch_size=batch_size, fraction=fraction)
    alpha = CONVENTIONS.index(convention) / 2.0
    prefactor = 2.0 * math.pi * barrier.minimum_curvature ** (alpha - 1.0) * (-barrier.saddle_curvature) ** -alpha
    value = prefactor * exponential(exponent.value)
    return Estimate(value, (*exponent.assumptions, convention), exponent.error_scale, XIE)
