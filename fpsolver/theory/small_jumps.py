"""The limit of small jumps: drift and diffusion of the Fokker–Planck equation that a jump process tends to.

With the rates A q(Δ) w and A⟨Δ²⟩_q held fixed as jumps become small, it is the Kramers–Moyal expansion cut off after
its second term, with drift ∫Δρ and diffusion ½∫Δ²ρ. What jumps of a finite size add is known as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.reaction_rates import EXPONENTS

_SLOPES = {"half": 0.5, "linearised": 0.5, "arrhenius": 1.0, "metropolis": 0.5, "glauber": 0.25}
"""−dw/d(ΔL/T) at zero, for Metropolis the mean of both sides."""

_ABSOLUTE_MOMENTS = {
    "gaussian": (1.0, 2.0 * math.sqrt(2.0 / math.pi), 3.0),
    "uniform": (1.0 / 3.0, 0.25, 0.2),
    "laplace": (2.0, 6.0, 24.0),
}
"""⟨u²⟩, ⟨|u|³⟩ and ⟨u⁴⟩ of the profiles."""

KAMPEN = "N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), ch. X"


def drift(
    gradient: ArrayLike, *, temperature: float, variance: float, law: str = "half", attempt_rate: float = 1.0
) -> np.ndarray:
    """Return the drift −μ∇L of the limit, shape (d,): μ = A⟨Δ²⟩/2T, twice that for "arrhenius", half for "glauber".

    Parameters
    ----------
    gradient : array_like, shape () or (d,)
        ∇L.
    temperature : float
        T in the rates.
    variance : float
        ⟨Δ²⟩ of the proposal along one coordinate: s² for a Gaussian, s²/3 for a uniform, 2s² for a Laplace one.
    law : {"half", "arrhenius", "linearised", "metropolis", "glauber"}
        How the change of the loss decides.
    attempt_rate : float
        A.

    Examples
    --------
    >>> drift(1.0, temperature=0.5, variance=0.01, attempt_rate=100.0)
    array([-1.])
    >>> drift(1.0, temperature=0.5, variance=0.01, attempt_rate=100.0, law="arrhenius")
    array([-2.])
    """
    return _drift(gradient, temperature, variance, _SLOPES[_known(law, _SLOPES)], attempt_rate)


def drift_as_written(
    gradient: ArrayLike, *, temperature: float, variance: float, law: str = "half", attempt_rate: float = 1.0
) -> np.ndarray:
    """Return −μ∇L with D = μT = A⟨Δ²⟩/2 whatever the law, shape (d,); wrong by two for the full exponent.

    Parameters
    ----------
    gradient, temperature, variance, law, attempt_rate
        As for `drift`.
    """
    _known(law, _SLOPES)
    return _drift(gradient, temperature, variance, 0.5, attempt_rate)


def diffusion(*, variance: float, law: str = "half", attempt_rate: float = 1.0) -> Estimate:
    """Return the diffusion of the limit: A⟨Δ²⟩/2, half of that for "glauber", which accepts every other move.

    Parameters
    ----------
    variance, law, attempt_rate
        As for `drift`.

    Examples
    --------
    >>> float(diffusion(variance=0.01, attempt_rate=100.0)), float(diffusion(variance=0.01, law="glauber"))
    (0.5, 0.0025)
    """
    accepted = 0.5 if _known(law, _SLOPES) == "glauber" else 1.0
    value = 0.5 * accepted * positive("attempt_rate", attempt_rate) * positive("variance", variance)
    return Estimate(value, ("small jumps",), 0.0, KAMPEN)


def corrected_drift(
    derivatives: tuple[float, float, float],
    *,
    temperature: float,
    scale: float,
    proposal: str = "gaussian",
    law: str = "half",
    attempt_rate: float = 1.0,
) -> Estimate:
    """Return the drift ∫Δρ in one dimension with the first correction for jumps of a finite size.

    It is A{−⟨Δ²⟩κL' + ⟨Δ⁴⟩[−κL'''/6 + κ²L'L''/2 − κ³L'³/6]} with κ = c/T for exponential laws, of relative order s².
    For Metropolis it is −A{⟨Δ²⟩L'/2T + sign(L')⟨|Δ|³⟩[L''/4T − L'²/4T²]}, of relative order s: its rates have a kink.

    Parameters
    ----------
    derivatives : (float, float, float)
        L', L'' and L''' at the point.
    temperature, scale : float
        T and s.
    proposal : {"gaussian", "uniform", "laplace"}
        Profile of the proposal.
    law, attempt_rate
        As for `drift`.

    Examples
    --------
    >>> round(float(corrected_drift((1.0, 0.0, 0.0), temperature=0.5, scale=0.01)) / 1e-4, 8)
    -1.00005
    """
    first, second, third = map(float, finite("derivatives", derivatives))
    t, (m2, m3, m4) = positive("temperature", temperature), _moments(proposal, scale)
    if _known(law, _SLOPES) == "metropolis":
        extra = math.copysign(1.0, first) * m3 * (second / (4.0 * t) - (first / t) ** 2 / 4.0) if first else 0.0
        change = -extra
    elif law == "glauber":
        change = m4 * (-third / (24.0 * t) + (first / t) ** 3 / 48.0)
    else:
        k = EXPONENTS[law] / t
        bend = k**2 * first * second / 2.0 - k * third / 6.0 if law != "linearised" else 0.0
        change = m4 * (bend - (k * first) ** 3 / 6.0)
    leading = -m2 * _SLOPES[law] * first / t
    size = (change / leading) ** 2 if leading else abs(change)
    return Estimate(positive("attempt_rate", attempt_rate) * (leading + change), ("small jumps",), size, KAMPEN)


def _drift(gradient: ArrayLike, temperature: float, variance: float, share: float, attempt_rate: float) -> np.ndarray:
    factor = positive("attempt_rate", attempt_rate) * positive("variance", variance)
    slope = np.atleast_1d(finite("gradient", gradient))
    return np.asarray(-factor * share / positive("temperature", temperature) * slope)


def _moments(proposal: str, scale: float) -> tuple[float, float, float]:
    known = _ABSOLUTE_MOMENTS[_known(proposal, _ABSOLUTE_MOMENTS, "proposal")]
    s = positive("scale", scale)
    return known[0] * s**2, known[1] * s**3, known[2] * s**4


def _known(name: str, known: dict[str, Any], what: str = "law") -> str:
    if name not in known:
        raise TheoryError(f"{what} = {name!r} is not one of {', '.join(known)}{suggest(str(name), known)}")
    return name
