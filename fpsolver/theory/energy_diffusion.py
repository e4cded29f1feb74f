"""Escape at weak friction: energy diffuses, and the rate is proportional to the friction.

Friction γ is a rate, dv = −L'/m dt − γv dt + √(2γT/m) dW. Per round trip at energy E a particle loses γS(E) on average,
with the action S(E) = ∮ p dx.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.landscapes.landscape import Landscape
from fpsolver.theory.barrier import Barrier, position
from fpsolver.theory.conditions import barrier_parameter, exponential, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.kramers import KRAMERS, transition_state
from fpsolver.theory.panels import Floats, Panels

_ZWANZIG = (
    "R. Zwanzig, Phys. Fluids 2, 12 (1959); Hänggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990), section IV"
)


def energy_loss(barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0) -> float:
    """Return δ = γS/T: the energy lost in a round trip at the height of the barrier, over the temperature.

    Parameters
    ----------
    barrier : Barrier
        With its action S for unit mass; S grows as √m.
    temperature : float
        T in units of loss.
    friction : float
        Rate γ = ζ/m.
    mass : float
        Mass m.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> round(energy_loss(Barrier.between(double_well(), -1.0, 0.0), temperature=0.1, friction=0.1), 12)
    1.333333333333
    """
    action = barrier.needed("action", "the energy loss")
    temperature, friction = positive("temperature", temperature), positive("friction", friction, "γ is a rate")
    return float(friction * math.sqrt(positive("mass", mass)) * action / temperature)


def weak_friction_rate(
    barrier: Barrier,
    *,
    temperature: float,
    friction: float,
    mass: float = 1.0,
    beyond: Barrier | None = None,
) -> Estimate:
    """Return k = δ (ω₀/2π) e^{−ΔL/T}, for a well that loses far less than T per round trip.

    Parameters
    ----------
    barrier : Barrier
        The well, with its action.
    temperature, friction, mass
        As for `energy_loss`.
    beyond : Barrier, optional
        The well behind the barrier (``beyond=barrier`` in a symmetric double well), into which and out of which a
        particle moves many times before it settles: then k = δ₁δ₂/(δ₁ + δ₂) (ω₀/2π) e^{−ΔL/T}. By default what
        crosses the barrier is gone.

    Returns
    -------
    Estimate
        Escapes per unit time; `error_scale` is the larger of √δ and (T/ΔL) ln(ΔL/T).

    Notes
    -----
    Kramers 1940, eq. (28).
    """
    delta = energy_loss(barrier, temperature=temperature, friction=friction, mass=mass)
    scale = max(weak_scale(barrier_parameter(barrier.height, temperature)), math.sqrt(delta))
    factor = delta
    if beyond is not None:
        other = energy_loss(beyond, temperature=temperature, friction=friction, mass=mass)
        factor = delta * other / (delta + other)
    value = factor * transition_state(barrier, temperature, mass)
    return Estimate(value, ("T ≪ ΔL", "energy loss per round trip γS ≪ T"), scale, f"{KRAMERS}, eq. (28)")


def mean_time(barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0) -> Estimate:
    """Return the mean time of energy diffusion from the bottom of a well to the height of its barrier, by quadrature.

    τ = (1/γT) ∫₀^ΔL dE e^{E/T}/S(E) ∫₀^E dE' S'(E') e^{−E'/T}, exact for γ → 0 at any barrier height. In a symmetric
    double well the slowest rate is 1/τ up to e^{−ΔL/T} (modes that are odd vanish at the separatrix).

    Parameters
    ----------
    barrier : Barrier
        Made by `Barrier.between`.
    temperature, friction, mass
        As for `energy_loss`.

    Returns
    -------
    Estimate
        Time; `error_scale` is √δ, because the last round trip counts.

    Notes
    -----
    The inner integral is taken by parts, so that S alone is needed: its derivative, the period, diverges at the top.
    """
    temperature, friction = positive("temperature", temperature), positive("friction", friction, "γ is a rate")
    delta = energy_loss(barrier, temperature=temperature, friction=friction, mass=mass)
    panels, area = _energies(barrier, temperature)
    # e^{E/T} is taken relative to the top, so that nothing overflows before the end.
    weight = area * np.exp(-panels.nodes / temperature)
    integrand = 1.0 + panels.from_left(weight)[0] / (temperature * weight)
    value = float(panels.over_panels(integrand).sum()) / (friction * temperature)
    return Estimate(value, ("γ → 0 at fixed T",), math.sqrt(delta), _ZWANZIG)


def relaxation_rate(barrier: Barrier, *, temperature: float, friction: float, mass: float = 1.0) -> Estimate:
    """Return the slowest rate of energy diffusion in a symmetric double well, at any barrier height.

    The lowest λ of −γ d/dE [S(E) e^{−E/T} T df/dE] = λ S'(E) e^{−E/T} f with f(ΔL) = 0: modes that are odd vanish at
    the separatrix, because a particle at that energy is in both wells equally often.

    Parameters
    ----------
    barrier : Barrier
        Either of the wells, made by `Barrier.between`.
    temperature, friction, mass
        As for `energy_loss`.

    Returns
    -------
    Estimate
        λ₁ for γ → 0, proportional to γ; `error_scale` is √δ. It is 1/`mean_time` for T ≪ ΔL.

    Notes
    -----
    By inverse iteration: each step is the quadrature of `mean_time` with the last mode as its source.

    Examples
    --------
    >>> from fpsolver.landscapes import double_well
    >>> well = Barrier.between(double_well(), -1.0, 0.0)
    >>> round(float(relaxation_rate(well, temperature=0.1, friction=1e-3)) / 1e-3, 8)
    0.21948942
    """
    temperature, friction = positive("temperature", temperature), positive("friction", friction, "γ is a rate")
    delta = energy_loss(barrier, temperature=temperature, friction=friction, mass=mass)
    panels, area = _energies(barrier, temperature)
    weight = area * np.exp(-panels.nodes / temperature)

    def product(f: Floats, df: Floats, g: Floats, dg: Floats) -> Floats:
        """Return the integrand of ∫ S' e^{−E/T} f g dE by parts, without the term S e^{−E/T} f g at the end."""
        return weight * (f * g / temperature - df * g - f * dg)

    mode, slope = np.ones_like(weight), np.zeros_like(weight)
    rate, last = 0.0, math.inf
    while abs(rate - last) > 1e-13 * rate:
        one, zero = np.ones_like(weight), np.zeros_like(weight)
        source = weight * mode + panels.from_left(product(mode, slope, one, zero))[0]
        next_slope = -source / (temperature * weight)
        next_mode = -panels.from_right(next_slope)[0]
        overlap = panels.over_panels(product(mode, slope, next_mode, next_slope)).sum()
        norm = panels.over_panels(product(next_mode, next_slope, next_mode, next_slope)).sum()
        rate, last = float(overlap / norm), rate
        mode, slope = rate * next_mode, rate * next_slope
    return Estimate(friction * rate, ("γ → 0 at fixed T",), math.sqrt(delta), _ZWANZIG)


def _energies(barrier: Barrier, temperature: float) -> tuple[Panels, Floats]:
    """Return panels of energy from the bottom to the top of a well, and the action for unit mass at their nodes."""
    exponential(barrier.height / temperature)  # the density at the top has to be a number
    panels = Panels(barrier.height * _graded())
    return panels, actions(barrier, panels.nodes)


def actions(barrier: Barrier, energy: Floats) -> Floats:
    """Return S(E) = 2∫√(2(E − L)) dx for unit mass, at energies above the minimum and up to the top.

    Parameters
    ----------
    barrier : Barrier
        Made by `Barrier.between`.
    energy : ndarray
        E − L_a, between 0 and the height.

    Returns
    -------
    ndarray
        Actions, of the same shape.
    """
    landscape: Landscape = barrier.needed("landscape", "the action at every energy")
    a, b = position(barrier.minimum), position(barrier.saddle)
    energy = np.asarray(energy, dtype=float)
    flat = energy.ravel()
    if np.any((flat < 0.0) | (flat > barrier.height * (1.0 + 1e-12))):
        raise TheoryError(f"energies must lie between 0 and the barrier ΔL = {barrier.height:g}")
    bottom = float(landscape.value([a]))
    far = a + _reach(landscape, a, a - b, barrier.height + bottom)
    u = Panels(np.concatenate([[0.0], 2.0 ** np.arange(-12.0, 1.0)]))
    nodes = u.nodes.ravel()
    total = np.zeros_like(flat)
    for end in (b, far):
        turn = _turning_points(landscape, a, end, flat + bottom)
        # x = turn + (a − turn)u² makes √(E − L) smooth at the turning point.
        x = turn[:, None] + (a - turn)[:, None] * nodes**2
        momentum = np.sqrt(2.0 * np.maximum(flat[:, None] + bottom - landscape.value(x[..., None]), 0.0))
        values = (momentum * 2.0 * nodes).reshape(len(flat), *u.nodes.shape)
        panel_sums = np.array([u.over_panels(row).sum() for row in values])
        total += np.abs(a - turn) * panel_sums
    return (2.0 * total).reshape(energy.shape)


def weak_scale(ratio: float) -> float:
    """Return (T/ΔL) ln(ΔL/T), the size of finite-barrier corrections where energy diffuses, from T/ΔL."""
    return ratio * max(1.0, -math.log(ratio))


def _graded() -> Floats:
    """Return edges from 0 to 1 that crowd geometrically at both ends."""
    half = np.concatenate([[0.0], 2.0 ** np.arange(-26.0, -1.0), np.linspace(0.25, 0.5, 5)[0:]])
    half = np.unique(half)
    return np.unique(np.concatenate([half, np.linspace(0.25, 0.75, 9), 1.0 - half]))


def _reach(landscape: Landscape, a: float, step: float, level: float) -> float:
    """Return how far from a, in the direction of `step`, the landscape is above a level."""
    lower, upper = landscape.domain[0]
    distance = step
    for _ in range(80):
        x = min(max(a + distance, lower), upper)
        if landscape.value([x]) >= level:
            return x - a
        if x in (lower, upper):
            break
        distance *= 1.3
    raise TheoryError(f"the well around {a!r} is not closed on the side away from the barrier")


def _turning_points(landscape: Landscape, a: float, end: float, level: Floats) -> Floats:
    """Return where the landscape crosses levels between a minimum and an end that is higher, by bisection."""
    low, high = np.full(level.shape, a), np.full(level.shape, end)
    for _ in range(60):
        middle = (low + high) / 2.0
        below = landscape.value(middle[:, None]) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0
