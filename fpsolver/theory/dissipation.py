"""Mean rates of heat and entropy, and the current they come from: as they circulate and as they are.

Each correct form stands beside the written one, with the same arguments. Averages such as ⟨|∇L|²⟩ are the user's, from
a grid, an ensemble or a closed form. Heat is positive into the bath, D = μT, and entropies are in nats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate

SEIFERT = "U. Seifert, Rep. Prog. Phys. 75, 126001 (2012), section 2"
SEKIMOTO = "K. Sekimoto, Stochastic Energetics (2010), section 4.1"


def entropy_flow_rate(
    squared_gradient: float, laplacian: float, *, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return the mean entropy flow into the bath, (μ/T)⟨|∇L|²⟩ − μ⟨∇²L⟩; it vanishes in equilibrium.

    Parameters
    ----------
    squared_gradient, laplacian : float
        ⟨|∇L|²⟩ and ⟨∇²L⟩.
    temperature, mobility : float
        T and μ.

    Returns
    -------
    Estimate
        In nats per unit time; T times it is the heat, −d⟨L⟩/dt at fixed L.

    Examples
    --------
    >>> round(float(entropy_flow_rate(4.1, 1.0, temperature=0.5)), 12)  # N(2, 0.1) in x²/2; heat is 3.6
    7.2
    """
    t, mu = positive("temperature", temperature), positive("mobility", mobility)
    return Estimate(mu * (squared_gradient / t - laplacian), ("no force but −∇L", "D = μT"), 0.0, SEIFERT)


def entropy_flow_rate_as_written(
    squared_gradient: float, laplacian: float, *, temperature: float, mobility: float = 1.0
) -> Estimate:
    """Return μ⟨|∇L|²⟩/T, which forgets that noise takes heat back: too large by μ⟨∇²L⟩, in equilibrium by all of it.

    Parameters
    ----------
    squared_gradient, laplacian, temperature, mobility
        As for `entropy_flow_rate`. The relative error T⟨∇²L⟩/⟨|∇L|²⟩ vanishes as T → 0 away from minima.

    Examples
    --------
    >>> round(float(entropy_flow_rate_as_written(4.1, 1.0, temperature=0.5)), 12)
    8.2
    """
    t, mu = positive("temperature", temperature), positive("mobility", mobility)
    scale = abs(t * laplacian / squared_gradient) if squared_gradient else float("inf")
    return Estimate(mu * squared_gradient / t, ("T → 0", "away from minima"), scale, "as it circulates")


def underdamped_heat_rate(
    squared_velocity: float, *, temperature: float, friction: float, mass: float = 1.0
) -> Estimate:
    """Return the mean heat into the bath of one velocity, mγ(⟨v²⟩ − T/m); it vanishes in equilibrium.

    Parameters
    ----------
    squared_velocity : float
        ⟨v²⟩.
    temperature, friction, mass : float
        T, the friction *rate* γ and m; mγ is the friction coefficient.

    Examples
    --------
    >>> float(underdamped_heat_rate(0.5, temperature=0.5, friction=2.0))
    0.0
    """
    t, gamma = positive("temperature", temperature), not_negative("friction", friction)
    m = positive("mass", mass)
    return Estimate(m * gamma * (squared_velocity - t / m), ("one degree of freedom",), 0.0, SEKIMOTO)


def underdamped_heat_rate_as_written(
    squared_velocity: float, *, temperature: float, friction: float, mass: float = 1.0
) -> Estimate:
    """Return ζ⟨v²⟩ + 2ζT with the coefficient ζ = mγ: sign, factor and dimension of the second term are wrong.

    Parameters
    ----------
    squared_velocity, temperature, friction, mass
        As for `underdamped_heat_rate`.
    """
    t, gamma = positive("temperature", temperature), not_negative("friction", friction)
    value = positive("mass", mass) * gamma * (squared_velocity + 2.0 * t)
    return Estimate(value, (), 0.0, "as it circulates")


def energy_change(work: float, heat: float) -> Estimate:
    """Return ΔE = W − Q: the first law, with W done on the weights and Q given to the bath.

    Examples
    --------
    >>> float(energy_change(1.5, 1.0))
    0.5
    """
    return Estimate(work - heat, ("W = ∫∂_λL dλ + ∫F∘dθ", "Q = ∫(F − ∇L)∘dθ"), 0.0, SEKIMOTO)


def energy_change_as_written(work: float, heat: float) -> Estimate:
    """Return W + C with the heat to the bath for the cost C, the only reading of dI = dC + dW in units of loss."""
    return Estimate(work + heat, (), 0.0, "as it circulates, with terms that are not defined")


def least_entropy_change(heat: float, *, learning_rate: float, noise_trace: float, dimension: int) -> Estimate:
    """Return −Q/T with T = (η/2) tr C/d, the least by which the entropy of weights changes when they give off heat Q.

    Parameters
    ----------
    heat : float
        Q given to the bath; the heat absorbed is −Q.
    learning_rate, noise_trace : float
        η and the trace of the covariance C of the minibatch gradient, isotropic and constant.
    dimension : int
        d, the number of weights.

    Examples
    --------
    >>> float(least_entropy_change(0.5, learning_rate=0.5, noise_trace=4.0, dimension=2))
    -1.0
    """
    t = 0.5 * positive("learning_rate", learning_rate) * positive("noise_trace", noise_trace)
    return Estimate(-heat / (t / positive("dimension", dimension)), ("isotropic constant noise",), 0.0, SEIFERT)


def least_entropy_change_as_written(
    heat: float, *, learning_rate: float, noise_trace: float, dimension: int
) -> Estimate:
    """Return −Q/T_eff with T_eff = (η/2) tr C, which is d temperatures: in slow cooling the entropy falls below it.

    Parameters
    ----------
    heat, learning_rate, noise_trace, dimension
        As for `least_entropy_change`.
    """
    positive("dimension", dimension)
    t = 0.5 * positive("learning_rate", learning_rate) * positive("noise_trace", noise_trace)
    return Estimate(-heat / t, (), 0.0, "as it circulates")


def probability_current(density: Any, slope: Any, *, velocity: Any, diffusion: Any) -> np.ndarray:
    """Return j = pv − D∂p, the current along a coordinate, with constant D.

    Parameters
    ----------
    density, slope : array_like
        p and its derivative.
    velocity, diffusion : array_like
        v, the drift, and D.
    """
    return np.asarray(velocity) * np.asarray(density) - np.asarray(diffusion) * np.asarray(slope)


def probability_current_as_written(density: Any, slope: Any, *, velocity: Any, diffusion: Any) -> np.ndarray:
    """Return −pv − D∂p: against the drift, unless v means the gradient of a potential.

    Parameters
    ----------
    density, slope, velocity, diffusion
        As for `probability_current`.
    """
    return -np.asarray(velocity) * np.asarray(density) - np.asarray(diffusion) * np.asarray(slope)


def second_moment_rate(second_moment: float, *, stiffness: float, diffusion: float, growth: float = 0.0) -> Estimate:
    """Return d⟨x²⟩/dt = 2(D₀ + D₁⟨x²⟩) − 2k⟨x²⟩ for drift −kx and D = D₀ + D₁x² (Itô): ∂_t p = ∂²(Dp) − ∂(vp).

    Parameters
    ----------
    second_moment : float
        ⟨x²⟩.
    stiffness : float
        k.
    diffusion, growth : float
        D₀ and D₁ ≥ 0.

    Examples
    --------
    >>> float(second_moment_rate(4 / 3, stiffness=1.0, diffusion=1.0, growth=0.25))  # the stationary ⟨x²⟩ is 4/3
    0.0
    """
    k, d0, d1 = positive("stiffness", stiffness), positive("diffusion", diffusion), not_negative("growth", growth)
    value = 2.0 * (d0 + d1 * second_moment) - 2.0 * k * second_moment
    return Estimate(value, ("Itô",), 0.0, "C. W. Gardiner, Handbook of Stochastic Methods (2004), section 5.2")


def second_moment_rate_as_written(
    second_moment: float, *, stiffness: float, diffusion: float, growth: float = 0.0
) -> Estimate:
    """Return d⟨x²⟩/dt of ∂_t p = D∂²p − ∂(vp), 2D₀ + 12D₁⟨x²⟩ − 2k⟨x²⟩; this law also makes mass, at the rate 2D₁.

    Parameters
    ----------
    second_moment, stiffness, diffusion, growth
        As for `second_moment_rate`; without growth, D₁ = 0, both agree.
    """
    k, d0, d1 = positive("stiffness", stiffness), positive("diffusion", diffusion), not_negative("growth", growth)
    return Estimate(2.0 * d0 + (12.0 * d1 - 2.0 * k) * second_moment, ("constant D",), 0.0, "as it circulates")
