"""Barriers of a Brownian landscape: how high they are when only those above a threshold h are counted.

A path X with dX = m dx + σ dB has infinitely many small barriers; an observer who ignores what is below h sees maxima
and minima that alternate, each at least h from the next (h-extrema). Their differences are independent. Where the path
is a walk of normal steps, `step` is their standard deviation s = σ√dx, and formulas hold to first order in s.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.discrete_chain import OVERSHOOT
from fpsolver.theory.estimate import Estimate

NEVEU = "J. Neveu, J. W. Pitman, Séminaire de Probabilités XXIII, 239 (1989)"
TAYLOR = "H. M. Taylor, Ann. Probab. 3, 234 (1975)"
SIEGMUND = "D. Siegmund, Adv. Appl. Probab. 11, 701 (1979)"
DOUSSAL = "P. Le Doussal, C. Monthus, D. S. Fisher, Phys. Rev. E 59, 4795 (1999)"
BOUCHAUD = "J.-P. Bouchaud, J. Phys. I 2, 1705 (1992)"
CHANG = "J. T. Chang, Y. Peres, Ann. Probab. 25, 787 (1997)"

_BROWNIAN = ("Brownian landscape without drift", "barriers below h are not counted")
_DRIFTING = ("Brownian landscape with constant drift", "barriers below h are not counted")


def barrier_density(height: float, *, threshold: float, step: float = 0.0) -> Estimate:
    """Return (1/E₀) e^{−(E − h)/E₀} for E > h, and 0 below, with E₀ = `barrier_scale`: the density of barrier heights.

    Parameters
    ----------
    height : float
        E.
    threshold : float
        h. On the continuous path E₀ = h: the observer's choice, no constant of the landscape.
    step : float
        s; 0 for the continuous path.

    Returns
    -------
    Estimate
        Exact for the continuous path, mean 2h and standard deviation h.
    """
    scale = barrier_scale(threshold, step=step)
    value = math.exp(-(height - threshold) / scale.value) / scale.value if height > threshold else 0.0
    return Estimate(value, scale.assumptions, scale.error_scale, f"{NEVEU}; {DOUSSAL}")


def barrier_density_if_exponential(height: float, *, threshold: float, step: float = 0.0) -> Estimate:
    """Return (1/E₀) e^{−E/E₀}, the exponential law from zero that barriers are often said to have.

    Parameters
    ----------
    height : float
        E.
    threshold, step : float
        h and s, which give the E₀ that the tail of the true law has; see `barrier_density`.
    """
    scale = barrier_scale(threshold, step=step)
    value = math.exp(-height / scale.value) / scale.value if height > 0.0 else 0.0
    return Estimate(value, scale.assumptions, scale.error_scale, "as often written; compare barrier_density")


def barrier_scale(threshold: float, *, step: float = 0.0) -> Estimate:
    """Return E₀ = h + 1.1652 s, the scale of the exponential tail of barrier heights.

    Parameters
    ----------
    threshold : float
        h.
    step : float
        s; 0 for the continuous path.

    Returns
    -------
    Estimate
        With `error_scale` (s/h)².

    Notes
    -----
    A walk passes a distant level by ρ = 0.5826 s on average. By optional stopping a maximum lies h + ρ above the point
    where the walk has risen by h, or by h + ρ with the overshoot; and what it rises beyond any given level is the
    overshoot there and once more h + ρ.
    """
    h, s = positive("threshold", threshold), not_negative("step", step)
    return Estimate(h + 2.0 * OVERSHOOT * s, (*_BROWNIAN, "s ≪ h"), (s / h) ** 2, SIEGMUND)


def mean_height(threshold: float, *, drift: float = 0.0, diffusion: float = 1.0, step: float = 0.0) -> Estimate:
    """Return h + (e^{κh} − 1)/κ, κ = 2m/σ²: the mean of rises; falls have that of the opposite drift. 2h without drift.

    Parameters
    ----------
    threshold : float
        h.
    drift : float
        m, the mean slope of the path.
    diffusion : float
        σ², the growth of its variance per unit length.
    step : float
        s. With ρ = 0.5826 s the mean is h + ρ + (1 + κρ)(e^{κ(h + ρ)} − 1)/κ, without drift 2(h + ρ).

    Returns
    -------
    Estimate
        Exact for the continuous path, whose excess E − h is exponential. `error_scale` is (s/h)², and e^{−√(2π) h/s}
        without drift.

    Notes
    -----
    Once the path has risen by h, its maximum grows until it has fallen by h from it. By the scale function
    1 − e^{−κx}, a fall of h happens κ/(e^{κh} − 1) times per unit of that growth. Taylor 1975; for a walk the
    martingale e^{−κX} is stopped at h + ρ below or at the next ladder point above. Overshoots of a distant level differ
    from ρ by e^{−√(2π) h/s}: the zeros of 1 − e^{−k²/2} next to 0 are at k² = ±4πi.
    """
    h, s = positive("threshold", threshold), not_negative("step", step)
    kappa = 2.0 * float(drift) / positive("diffusion", diffusion)
    rho = OVERSHOOT * s
    excess = math.expm1(kappa * (h + rho)) / kappa if kappa != 0.0 else h + rho
    scale = (s / h) ** 2 if kappa != 0.0 or s == 0.0 else math.exp(-math.sqrt(2.0 * math.pi) * h / s)
    return Estimate(h + rho + (1.0 + kappa * rho) * excess, _DRIFTING, scale, f"{TAYLOR}; {NEVEU}; {SIEGMUND}")


def greatest_rise_mean(drift: float, *, diffusion: float = 1.0, step: float = 0.0) -> Estimate:
    """Return σ²/(2|m|), the mean of max X − X(0) for a path of drift m < 0; the maximum is exponential.

    Parameters
    ----------
    drift : float
        m < 0.
    diffusion : float
        σ².
    step : float
        s. A walk has the mean σ²/(2|m|) − 0.5826 s + |m|s²/(4σ²), up to the third order.

    Raises
    ------
    TheoryError
        If the drift is not negative: the path then rises without bound.
    """
    if not drift < 0.0:
        raise TheoryError(f"drift = {drift!r} must be negative: otherwise the path rises without bound")
    s, slope = not_negative("step", step), abs(drift) / positive("diffusion", diffusion)
    value = 0.5 / slope - OVERSHOOT * s + slope * s**2 / 4.0
    return Estimate(value, _DRIFTING[:1], (slope * s) ** 3, f"{TAYLOR}; {CHANG}")


def trapping_time_exponent(*, temperature: float, threshold: float, step: float = 0.0) -> Estimate:
    """Return α = 1 + T/E₀ in P(τ) ∝ τ^{−α} for τ = τ₀ e^{E/T}, with E₀ = `barrier_scale`, h on the continuous path.

    Parameters
    ----------
    temperature : float
        T. For T < E₀ the mean time diverges.
    threshold, step : float
        h and s.
    """
    scale = barrier_scale(threshold, step=step)
    value = 1.0 + positive("temperature", temperature) / scale.value
    return Estimate(value, (*scale.assumptions, "τ = τ₀ e^{E/T}"), scale.error_scale, BOUCHAUD)


def trapping_time_density(time: float, *, temperature: float, threshold: float, attempt_time: float = 1.0) -> Estimate:
    """Return (T/h) τ_h^{T/h} τ^{−1−T/h} for τ > τ_h = τ₀ e^{h/T}, and 0 below.

    Parameters
    ----------
    time : float
        τ.
    temperature, threshold : float
        T and h.
    attempt_time : float
        τ₀.
    """
    alpha = trapping_time_exponent(temperature=temperature, threshold=threshold)
    ratio, least = alpha.value - 1.0, positive("attempt_time", attempt_time) * math.exp(threshold / temperature)
    value = ratio / time * (least / time) ** ratio if time > least else 0.0
    return Estimate(value, alpha.assumptions, 0.0, alpha.reference)
