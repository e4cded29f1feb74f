"""Reaction-rate densities of updates on a linear loss: total rate, flow and second moment, in any dimension.

The rate density of an update Δ is ρ(Δ) = A q(Δ) w, with a symmetric proposal q(Δ) = ∏φ(Δ_k/s_k)/s_k, and on the
loss g·Δ the weight is w = e^{−c g·Δ/T}: c = ½ for the laws "half" and "linearised", c = 1 for "arrhenius". Integrals
are then derivatives of the exponential moment m(a) = ∫φ(u)e^{au}du of the profile at a_k = −c s_k g_k/T.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.conditions import finite, positive
from fpsolver.theory.estimate import Estimate

EXPONENTS = {"half": 0.5, "linearised": 0.5, "arrhenius": 1.0}
"""Share of ΔL/T in the exponent, for laws whose rate is an exponential."""

HEAVY_TAILED = ("student", "stable")
"""Proposals without exponential moments."""

LIGHT_TAILED = ("gaussian", "uniform", "laplace")
"""Proposals with exponential moments: standard deviation s, half-width s, decay length s."""

EXPONENTIAL_MOMENTS = "own derivation: exponential moments of the proposal"


class _Moments(NamedTuple):
    """m(a) of one coordinate, and m'/m and m''/m."""

    total: np.ndarray
    first: np.ndarray
    second: np.ndarray


def total_rate(
    gradient: ArrayLike,
    *,
    temperature: float,
    scale: ArrayLike,
    proposal: str = "gaussian",
    law: str = "half",
    attempt_rate: float = 1.0,
) -> Estimate:
    """Return the total rate r = ∫ρ dΔ = A∏m(a_k) of updates on a linear loss.

    For a Gaussian proposal and the half law it is A e^{s²|g|²/8T²}.

    Parameters
    ----------
    gradient : array_like, shape () or (d,)
        g.
    temperature : float
        T.
    scale : array_like, shape () or (d,)
        s, the length of the proposal: standard deviation (Gaussian), half-width (uniform), decay length (Laplace).
    proposal : {"gaussian", "uniform", "laplace"}
        Profile φ of the proposal.
    law : {"half", "arrhenius", "linearised"}
        Exponent.
    attempt_rate : float
        A, in inverse time.

    Raises
    ------
    TheoryError
        If the rate diverges: Student and stable proposals, and Laplace ones where c s|g| ≥ T.

    Examples
    --------
    >>> round(float(total_rate(1.0, temperature=0.5, scale=0.3)), 10)
    1.0460278599
    """
    value = _rate(_coordinates(gradient, temperature, scale, proposal, law)[0], attempt_rate)
    return Estimate(value, ("linear loss",), 0.0, EXPONENTIAL_MOMENTS)


def total_rate_without_proposal(
    gradient: ArrayLike, *, temperature: float, largest_update: float, attempt_rate: float = 1.0
) -> Estimate:
    """Return ∫A e^{−g·Δ/T} dΔ over updates of at most R along each coordinate: the form as written, cut off.

    It is A∏ 2T sinh(g_k R/T)/g_k, which grows like e^{R Σ|g_k|/T}: without a proposal the rate density as written has
    no finite integral, and its value is a rate per volume of updates.

    Parameters
    ----------
    gradient, temperature, attempt_rate
        As for `total_rate`.
    largest_update : float
        R.

    Examples
    --------
    >>> rates = [float(total_rate_without_proposal(1.0, temperature=0.5, largest_update=r)) for r in (1, 10, 100)]
    >>> [f"{rate:.2g}" for rate in rates]
    ['3.6', '2.4e+08', '3.6e+86']
    """
    x = positive("largest_update", largest_update) * np.atleast_1d(finite("gradient", gradient))
    x = x / positive("temperature", temperature)
    sides = 2.0 * largest_update * np.where(x == 0.0, 1.0, np.sinh(x) / np.where(x == 0.0, 1.0, x))
    value = _within_floating_point(positive("attempt_rate", attempt_rate) * float(np.prod(sides)))
    return Estimate(value, ("updates cut off at R",), 0.0, "own derivation")


def flow(
    gradient: ArrayLike,
    *,
    temperature: float,
    scale: ArrayLike,
    proposal: str = "gaussian",
    law: str = "half",
    attempt_rate: float = 1.0,
) -> np.ndarray:
    """Return the flow v = ∫Δ ρ dΔ on a linear loss, the velocity d⟨θ⟩/dt, shape (d,).

    For a Gaussian proposal and the half law it is −A (s²g/2T) e^{s²|g|²/8T²}.

    Parameters
    ----------
    gradient, temperature, scale, proposal, law, attempt_rate
        As for `total_rate`.

    Raises
    ------
    TheoryError
        As for `total_rate`.

    Examples
    --------
    >>> flow(1.0, temperature=0.5, scale=0.3).round(10)
    array([-0.09414251])
    """
    moments, lengths = _coordinates(gradient, temperature, scale, proposal, law)
    return np.asarray(_rate(moments, attempt_rate) * lengths * moments.first)


def second_moment(
    gradient: ArrayLike,
    *,
    temperature: float,
    scale: ArrayLike,
    proposal: str = "gaussian",
    law: str = "half",
    attempt_rate: float = 1.0,
) -> np.ndarray:
    """Return ∫ΔΔᵀ ρ dΔ on a linear loss, shape (d, d); half of it is the diffusion of the Kramers–Moyal expansion.

    For a Gaussian proposal and the half law it is A (s² + s⁴ggᵀ/4T²) e^{s²|g|²/8T²}.

    Parameters
    ----------
    gradient, temperature, scale, proposal, law, attempt_rate
        As for `total_rate`.

    Raises
    ------
    TheoryError
        As for `total_rate`.

    Examples
    --------
    >>> second_moment(1.0, temperature=0.5, scale=0.3).round(10)
    array([[0.10261533]])
    """
    moments, lengths = _coordinates(gradient, temperature, scale, proposal, law)
    means = lengths * moments.first
    matrix = np.outer(means, means)
    np.fill_diagonal(matrix, lengths**2 * moments.second)
    return np.asarray(_rate(moments, attempt_rate) * matrix)


def activation_energy(gradient: ArrayLike, update: ArrayLike) -> float:
    """Return |∇L||Δθ|cos α, which is ∇L·Δθ: the change of the loss to first order, negative downhill.

    Parameters
    ----------
    gradient, update : array_like, shape (d,)
        ∇L and Δθ, neither of them zero.

    Examples
    --------
    >>> round(activation_energy([3.0, 4.0], [-1.0, 0.0]), 12)
    -3.0
    """
    one, other = np.atleast_1d(finite("gradient", gradient)), np.atleast_1d(finite("update", update))
    lengths = math.hypot(*one) * math.hypot(*other)
    if lengths == 0.0:
        raise TheoryError(f"∇L = {one} and Δθ = {other} must not vanish: there is no angle between them")
    # The angle by its half, 2 atan2(|a − b|, |a + b|) for unit vectors, which is accurate for every angle.
    unit, its = one / math.hypot(*one), other / math.hypot(*other)
    angle = 2.0 * math.atan2(math.hypot(*(unit - its)), math.hypot(*(unit + its)))
    return lengths * math.cos(angle)


def stationary_temperature(temperature: float, *, law: str = "half") -> Estimate:
    """Return the temperature T_b for which jumps at a constant attempt rate are in detailed balance with e^{−L/T_b}.

    T for "half", "metropolis", "glauber", and "linearised" on a quadratic loss; T/2 for "arrhenius".

    Parameters
    ----------
    temperature : float
        T in the rates.
    law : {"half", "arrhenius", "linearised", "metropolis", "glauber"}
        How the change of the loss decides.

    Examples
    --------
    >>> float(stationary_temperature(0.5)), float(stationary_temperature(0.5, law="arrhenius"))
    (0.5, 0.25)
    """
    value = positive("temperature", temperature) * (0.5 if _known_law(law) == "arrhenius" else 1.0)
    further = ("quadratic loss", "s²h < 4T") if law == "linearised" else ()
    conditions = ("symmetric proposal", "constant attempt rate", *further)
    return Estimate(value, conditions, 0.0, "N. G. van Kampen, Stochastic Processes in Physics and Chemistry, ch. V")


def stationary_temperature_as_written(temperature: float, *, law: str = "half") -> Estimate:
    """Return T: the temperature in the rates is taken for that of the stationary state, whatever the law.

    Parameters
    ----------
    temperature, law
        As for `stationary_temperature`; wrong for "arrhenius", the exponent as written.
    """
    _known_law(law)
    return Estimate(positive("temperature", temperature), (), 0.0, "as it circulates")


def _rate(moments: _Moments, attempt_rate: float) -> float:
    return _within_floating_point(positive("attempt_rate", attempt_rate) * float(np.prod(moments.total)))


def _within_floating_point(rate: float) -> float:
    if not math.isfinite(rate):
        raise TheoryError("the rate is beyond floating point; make updates smaller or raise the temperature")
    return rate


def _coordinates(
    gradient: ArrayLike, temperature: float, scale: ArrayLike, proposal: str, law: str
) -> tuple[_Moments, np.ndarray]:
    """Return the moments of every coordinate under the weight, in units of its length, and the lengths."""
    slope = np.atleast_1d(finite("gradient", gradient))
    if slope.ndim != 1:
        raise TheoryError(f"gradient of shape {slope.shape} must be a number or a vector")
    if np.shape(scale) not in ((), slope.shape):
        raise TheoryError(f"scale of shape {np.shape(scale)} must be a number or as long as the gradient, {slope.size}")
    lengths = np.broadcast_to(finite("scale", scale), slope.shape)
    for length in lengths:
        positive("scale", length, "the length of the proposal")
    share = EXPONENTS[_known(law, EXPONENTS)]
    return _profile(proposal, -share * lengths * slope / positive("temperature", temperature)), lengths


def _profile(proposal: str, a: np.ndarray) -> _Moments:
    """Return m(a), m'/m and m''/m of a profile."""
    _known(proposal, LIGHT_TAILED + HEAVY_TAILED, "proposal")
    if proposal == "gaussian":
        return _Moments(np.exp(0.5 * a**2), a, 1.0 + a**2)
    if proposal == "uniform":
        from scipy.special import spherical_in

        size = np.where(np.abs(a) < 1e-100, 0.0, np.abs(a))  # squares of smaller numbers underflow
        total, first, third = (spherical_in(order, size) for order in (0, 1, 2))
        return _Moments(total, np.sign(a) * first / total, (total + 2.0 * third) / (3.0 * total))
    if proposal == "laplace":
        if (np.abs(a) >= 1.0).any():
            raise TheoryError(
                f"the rate diverges: weights grow like e^(|a|u) with |a| = {np.abs(a).max():.4g} ≥ 1, Laplace "
                "proposals fall like e^(−u); make s smaller or raise the temperature"
            )
        left = 1.0 - a**2
        return _Moments(1.0 / left, 2.0 * a / left, (2.0 + 6.0 * a**2) / left**2)
    raise TheoryError(
        f'the rate diverges: a "{proposal}" proposal has power-law tails and no exponential moments, and on a loss '
        "that falls without end no law with an exponential rate is finite; take Metropolis or Glauber rates"
    )


def _known_law(law: str) -> str:
    return _known(law, (*EXPONENTS, "metropolis", "glauber"))


def _known(name: str, known: Collection[str], what: str = "law") -> str:
    if name not in known:
        raise TheoryError(f"{what} = {name!r} is not one of {', '.join(known)}{suggest(str(name), known)}")
    return name
