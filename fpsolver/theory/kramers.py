"""Kramers' escape rates over a barrier in one dimension, from strong to moderate friction.

Friction γ is a **rate**, dv = −L'/m dt − γv dt + √(2γT/m) dW; the friction **coefficient** is ζ = mγ, and the mobility
of the overdamped limit is μ = 1/ζ = 1/(mγ). A rate k counts escapes over one barrier per unit time; in a symmetric
double well the slowest relaxation rate is 2k.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.barrier import Barrier
from fpsolver.theory.conditions import barrier_parameter, energy_loss_parameter, exponential, positive, strong_friction
from fpsolver.theory.estimate import Estimate

KRAMERS = "H. A. Kramers, Physica 7, 284 (1940)"
REVIEW = "P. Hänggi, P. Talkner, M. Borkovec, Rev. Mod. Phys. 62, 251 (1990)"


def rate(
    barrier: Barrier,
    *,
    temperature: float,
    mobility: float | None = None,
    friction: float | None = None,
    mass: float = 1.0,
) -> Estimate:
    """Return Kramers' rate: `intermediate_rate` where a friction is given, `overdamped_rate` otherwise.

    Parameters
    ----------
    barrier : Barrier
        The well and its barrier.
    temperature : float
        T in units of loss.
    mobility : float, optional
        μ = 1/ζ of the overdamped motion; 1 where neither mobility nor friction is given. Excludes `friction`.
    friction : float, optional
        Rate γ of the underdamped motion.
    mass : float
        Mass m of the underdamped motion.

    Returns
    -------
    Estimate
        Escapes per unit time.

    Raises
    ------
    TheoryError
        If both mobility and friction are given, or a number is not positive.

    Examples
    --------
    >>> well = Barrier(height=0.25, minimum_curvature=2.0, saddle_curvature=-1.0)
    >>> f"{float(rate(well, temperature=0.05)):.6e}"
    '1.516571e-03'
    """
    if friction is None:
        return overdamped_rate(barrier, temperature=temperature, mobility=1.0 if mobility is None else mobility)
    if mobility is not None:
        raise TheoryError(f"mobility = {mobility!r} and friction = {friction!r} exclude each other: μ = 1/(mγ)")
    return intermediate_rate(barrier, temperature=temperature, friction=friction, mass=mass)


def overdamped_rate(barrier: Barrier, *, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return the Smoluchowski limit k = (μ/2π) √(L''_a |L''_b|) e^{−ΔL/T}, with μ = 1/ζ.

    Parameters
    ----------
    barrier : Barrier
        The well and its barrier.
    temperature : float
        T in units of loss.
    mobility : float
        μ = 1/ζ = 1/(mγ).

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is T/ΔL.

    Notes
    -----
    Kramers 1940, eq. (17); Hänggi, Talkner, Borkovec 1990, section IV.
    """
    temperature, mobility = positive("temperature", temperature), positive("mobility", mobility)
    scale = barrier_parameter(barrier.height, temperature)
    curvature = math.sqrt(-barrier.minimum_curvature * barrier.saddle_curvature)
    value = mobility * curvature / (2.0 * math.pi) * exponential(-barrier.height / temperature)
    return Estimate(value, ("T ≪ ΔL", "overdamped motion"), scale, f"{KRAMERS}, eq. (17)")


def overdamped_time(barrier: Barrier, *, temperature: float, mobility: float = 1.0, to: str = "beyond") -> Estimate:
    """Return the mean time τ = 2π/(μ√(L''_a |L''_b|)) e^{ΔL/T} to cross a barrier, or half of it to reach its top.

    Parameters
    ----------
    barrier, temperature, mobility
        As for `overdamped_rate`.
    to : {"beyond", "top"}
        Where the clock stops: well beyond the top, or on it, where half of the trajectories turn back.

    Returns
    -------
    Estimate
        Time. To the top `error_scale` is √(T/ΔL) where L'''_b is not zero, because only one side of the top counts.
    """
    if to not in ("beyond", "top"):
        raise TheoryError(f'to = {to!r} is neither "beyond" nor "top"')
    k = overdamped_rate(barrier, temperature=temperature, mobility=mobility)
    if to == "beyond":
        return Estimate(1.0 / k.value, k.assumptions, k.error_scale, k.reference)
    symmetric = barrier.saddle_derivatives is not None and abs(barrier.saddle_derivatives[0]) < 1e-8
    scale = k.error_scale if symmetric else math.sqrt(k.error_scale)
    return Estimate(0.5 / k.value, k.assumptions, scale, k.reference)


def arrhenius_time(barrier: Barrier, *, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return τ = τ₀ e^{ΔL/T} with the attempt time τ₀ = 2π/(μL''_a) of the well, whatever the barrier top is like.

    Parameters
    ----------
    barrier, temperature, mobility
        As for `overdamped_rate`.

    Returns
    -------
    Estimate
        Time. It is wrong by √(|L''_b|/L''_a) at any temperature: `overdamped_time` has the right prefactor.

    Notes
    -----
    S. Arrhenius, Z. Phys. Chem. 4, 226 (1889), for the exponential. The attempt time is that of transition state theory
    in its overdamped reading: the flux out of a well closed by a top as curved as its bottom.

    Examples
    --------
    >>> well = Barrier(height=0.25, minimum_curvature=2.0, saddle_curvature=-1.0)
    >>> round(float(overdamped_time(well, temperature=0.05)) / float(arrhenius_time(well, temperature=0.05)), 12)
    1.414213562373
    """
    temperature, mobility = positive("temperature", temperature), positive("mobility", mobility)
    scale = barrier_parameter(barrier.height, temperature)
    value = 2.0 * math.pi / (mobility * barrier.minimum_curvature) * exponential(barrier.height / temperature)
    assumptions = ("T ≪ ΔL", "overdamped motion", "top as curved as the minimum")
    return Estimate(value, assumptions, scale, "S. Arrhenius, Z. Phys. Chem. 4, 226 (1889)")


def strong_friction_rate(barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0) -> Estimate:
    """Return k = (ω₀/2π)(ω_b/γ) e^{−ΔL/T}, which holds for friction far above the barrier frequency only.

    Parameters
    ----------
    barrier : Barrier
        The well and its barrier.
    temperature : float
        T in units of loss.
    friction : float
        Rate γ = ζ/m.
    mass : float
        Mass m; ω² = |L''|/m.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is the larger of T/ΔL and (ω_b/γ)².

    Warns
    -----
    ValidityWarning
        If γ ≤ ω_b. `intermediate_rate` holds there.

    Notes
    -----
    The usual textbook form; with 1/(mγ) = μ it is `overdamped_rate`.
    """
    temperature, friction, mass = _checked(temperature, friction, mass)
    omega_0, omega_b = barrier.minimum_frequency(mass), barrier.barrier_frequency(mass)
    scale = max(barrier_parameter(barrier.height, temperature), strong_friction(friction, omega_b))
    value = omega_0 / (2.0 * math.pi) * omega_b / friction * exponential(-barrier.height / temperature)
    return Estimate(value, ("T ≪ ΔL", "γ ≫ ω_b"), scale, f"{KRAMERS}, eq. (17)")


def intermediate_rate(barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0) -> Estimate:
    """Return k = (ω₀/2π) [√(γ²/4 + ω_b²) − γ/2]/ω_b e^{−ΔL/T}, for moderate to strong friction.

    Parameters
    ----------
    barrier, temperature, friction, mass
        As for `strong_friction_rate`.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is the larger of T/ΔL and, where the action of the well is known, e^{−δ}
        with δ = γS/T the energy lost per round trip.

    Warns
    -----
    ValidityWarning
        If the well loses less than T per round trip (where the action is known); `theory.turnover` holds there.

    Notes
    -----
    Kramers 1940, eq. (25); Hänggi, Talkner, Borkovec 1990, eq. (4.33).
    """
    temperature, friction, mass = _checked(temperature, friction, mass)
    scale = barrier_parameter(barrier.height, temperature)
    if barrier.action is not None:
        scale = max(scale, energy_loss_parameter(friction * math.sqrt(mass) * barrier.action / temperature))
    value = transmission(barrier, friction, mass) * transition_state(barrier, temperature, mass)
    return Estimate(value, ("T ≪ ΔL", "energy loss per round trip γS ≫ T"), scale, f"{KRAMERS}, eq. (25)")


def transition_state_rate(barrier: Barrier, *, temperature: float, mass: float = 1.0) -> Estimate:
    """Return k = (ω₀/2π) e^{−ΔL/T} of transition state theory, an upper bound for every friction as T → 0.

    Parameters
    ----------
    barrier, temperature, mass
        As for `strong_friction_rate`.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is T/ΔL, to which the neglect of friction adds.

    Notes
    -----
    Hänggi, Talkner, Borkovec 1990, section III.
    """
    temperature, mass = positive("temperature", temperature), positive("mass", mass)
    scale = barrier_parameter(barrier.height, temperature)
    value = transition_state(barrier, temperature, mass)
    assumptions = ("T ≪ ΔL", "no trajectory returns", "the well is thermalised")
    return Estimate(value, assumptions, scale, f"{REVIEW}, section III")


def exact_time(barrier: Barrier, target: float, *, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return the mean overdamped time from the minimum to a target, by exact quadrature at any barrier height.

    τ = (1/μT) ∫_a^target dy e^{L(y)/T} ∫_{−∞}^y dz e^{−L(z)/T}.

    Parameters
    ----------
    barrier : Barrier
        Made by `Barrier.between`.
    target : float
        Where the clock stops, for instance the minimum beyond.
    temperature, mobility
        As for `overdamped_rate`.

    Returns
    -------
    Estimate
        Time, exact.
    """
    from fpsolver.theory.first_passage import mean_time, thermal

    landscape = barrier.needed("landscape", "the exact quadrature")
    process = thermal(landscape, temperature=temperature, mobility=mobility)
    return mean_time(process, barrier.needed("minimum", "the exact quadrature"), target)


def transmission(barrier: Barrier, friction: float, mass: float = 1.0) -> float:
    """Return Kramers' factor λ_b/ω_b, with λ_b = √(γ²/4 + ω_b²) − γ/2 written so that it never cancels."""
    omega_b = barrier.barrier_frequency(mass)
    return unstable_rate(friction, omega_b) / omega_b


def unstable_rate(friction: float, barrier_frequency: float) -> float:
    """Return λ_b = ω_b²/(√(γ²/4 + ω_b²) + γ/2), at which a particle leaves the top of a parabolic barrier."""
    return barrier_frequency**2 / (math.hypot(friction / 2.0, barrier_frequency) + friction / 2.0)


def transition_state(barrier: Barrier, temperature: float, mass: float) -> float:
    """Return (ω₀/2π) e^{−ΔL/T}."""
    return barrier.minimum_frequency(mass) / (2.0 * math.pi) * exponential(-barrier.height / temperature)


def _checked(temperature: float, friction: float, mass: float) -> tuple[float, float, float]:
    return (
        positive("temperature", temperature),
        positive("friction", friction, "γ is a rate, ζ = mγ the coefficient"),
        positive("mass", mass),
    )
