"""Learning rates at which full-batch optimisers lose a minimum, and what gradient descent does just beyond.

λ is the sharpness, the largest eigenvalue of the Hessian at the minimum. A linear method is stable while every root of
its characteristic polynomial stays inside the unit circle; here the first to leave does so at −1, by period doubling.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError, suggest
from fpsolver.theory.conditions import not_negative, positive
from fpsolver.theory.estimate import Estimate

COHEN = "J. M. Cohen et al., ICLR 2021, eq. (1) and section 3"
ADAPTIVE = "J. M. Cohen et al., arXiv:2207.14484 (2022), section 2"
POLYAK = "B. T. Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964)"
TWO_STEPS = "L. Chen, J. Bruna, ICML 2023; own derivation"
QUADRATIC = "quadratic about the minimum"

OPTIMISERS = {
    "gradient descent": COHEN,
    "heavy ball": POLYAK,
    "nesterov": COHEN,
    "adam": ADAPTIVE,
}
"""Optimisers with a critical learning rate in closed form, and where it stands."""


def learning_rate(
    curvature: float, *, optimiser: str = "gradient descent", momentum: float = 0.0, weight_decay: float = 0.0
) -> Estimate:
    """Return the critical learning rate η_c of an optimiser at a minimum of sharpness λ.

    Gradient descent 2/λ, heavy ball 2(1 + μ)/λ, Nesterov 2(1 + μ)/[λ(1 + 2μ)], Adam 2(1 + β₁)/[λ(1 − β₁)].

    Parameters
    ----------
    curvature : float
        λ; for Adam the largest eigenvalue of P⁻¹H, P the preconditioner diag(√v̂ + ε), held where it has settled.
    optimiser : {"gradient descent", "heavy ball", "nesterov", "adam"}
        Momentum as in v′ = μv − ηg, θ′ = θ + v′; Nesterov's takes g at θ + μv, Adam's is the moving average
        m′ = β₁m + (1 − β₁)g.
    momentum : float
        μ or β₁, from 0 to below 1; gradient descent has none.
    weight_decay : float
        w of the penalty w|θ|²/2, whose gradient the optimiser takes with that of the loss: λ becomes λ + w. (For Adam
        w, too, stands before the preconditioner: give the eigenvalue of P⁻¹(H + w) instead.)

    Raises
    ------
    TheoryError
        If the optimiser is none of these or an argument is out of range.

    References
    ----------
    B. T. Polyak (1964); J. M. Cohen et al., ICLR 2021 and arXiv:2207.14484.

    Examples
    --------
    >>> float(learning_rate(4.0)), round(float(learning_rate(1.0, optimiser="adam", momentum=0.9)), 12)
    (0.5, 38.0)
    """
    product = _critical_product(optimiser, momentum)
    if weight_decay and optimiser == "adam":
        raise TheoryError(f"weight_decay = {weight_decay!r}: use decoupled_adam, or the eigenvalue of P⁻¹(H + w)")
    sharpness = positive("curvature", curvature) + not_negative("weight_decay", weight_decay)
    return Estimate(product / sharpness, (QUADRATIC,), 0.0, OPTIMISERS[optimiser])


def learning_rate_as_written(
    curvature: float, *, optimiser: str = "gradient descent", momentum: float = 0.0, weight_decay: float = 0.0
) -> Estimate:
    """Return 2/λ whatever the optimiser; right for gradient descent alone.

    Parameters
    ----------
    curvature, optimiser, momentum, weight_decay
        As for `learning_rate`; all but the first change nothing.
    """
    _critical_product(optimiser, momentum)
    not_negative("weight_decay", weight_decay)
    return Estimate(2.0 / positive("curvature", curvature), (QUADRATIC, "gradient descent"), 0.0, "as it circulates")


def sharpness(learning_rate: float, *, optimiser: str = "gradient descent", momentum: float = 0.0) -> Estimate:
    """Return the largest sharpness that is stable at a learning rate, the edge of stability.

    Parameters
    ----------
    learning_rate : float
        η.
    optimiser, momentum
        As for `learning_rate`; Adam's sharpness is that of P⁻¹H.

    Examples
    --------
    >>> round(float(sharpness(0.1, optimiser="heavy ball", momentum=0.9)), 12)
    38.0
    """
    product = _critical_product(optimiser, momentum)
    return Estimate(product / positive("learning_rate", learning_rate), (QUADRATIC,), 0.0, OPTIMISERS[optimiser])


def decoupled_adam(curvature: float, *, momentum: float, weight_decay: float) -> Estimate:
    """Return η_c = 2(1 + β₁)/[(1 − β₁)λ + (1 + β₁)w], Adam's with decoupled weight decay.

    Parameters
    ----------
    curvature : float
        λ, of the preconditioned Hessian.
    momentum : float
        β₁.
    weight_decay : float
        w in θ′ = (1 − ηw)θ − ηP⁻¹m′ (I. Loshchilov, F. Hutter, ICLR 2019).

    Notes
    -----
    The root −1 of z² − [1 + β₁ − ηw − η(1 − β₁)λ]z + β₁(1 − ηw).

    Examples
    --------
    >>> round(float(decoupled_adam(1.0, momentum=0.9, weight_decay=0.1)), 12)
    13.103448275862
    """
    beta, w = momentum_parameter(momentum), not_negative("weight_decay", weight_decay)
    value = 2.0 * (1.0 + beta) / ((1.0 - beta) * positive("curvature", curvature) + (1.0 + beta) * w)
    return Estimate(value, (QUADRATIC, "settled preconditioner"), 0.0, f"own derivation, after {ADAPTIVE}")


def factorisation_sharpness(u: float, *, target: float = 1.0) -> Estimate:
    """Return u² + v², the sharpness of L = (y − uv)²/2 at its minimum (u, v = y/u); never below 2|y|.

    Parameters
    ----------
    u : float
        Not zero.
    target : float
        y, not zero.

    Notes
    -----
    Gradient descent is stable there iff u² + v² < 2/η, so none of the minima is for η > 1/|y|.

    Examples
    --------
    >>> float(factorisation_sharpness(1.0)), float(factorisation_sharpness(2.0))
    (2.0, 4.25)
    """
    if not (math.isfinite(u) and u != 0.0 and math.isfinite(target) and target != 0.0):
        raise TheoryError(f"u = {u!r} and target = {target!r} must be finite and not zero: minima are where uv = y")
    return Estimate(u**2 + (target / u) ** 2, ("at a minimum",), 0.0, f"two factors of one weight; {COHEN}")


def decayed_factorisation_sharpness(target: float, *, weight_decay: float) -> Estimate:
    """Return the sharpness of L = (y − uv)²/2 + w(u² + v²)/2 at its minimum.

    With w < |y| that is the pair |u| = |v| = √(|y| − w), with curvatures 2(|y| − w) and 2w; above it is the origin,
    with |y| + w. Weight decay, however weak, thus ends in the flattest of the minima of L.

    Parameters
    ----------
    target : float
        y, not zero.
    weight_decay : float
        w > 0.

    Examples
    --------
    >>> float(decayed_factorisation_sharpness(1.0, weight_decay=0.25))
    1.5
    """
    y, w = positive("|target|", abs(target)), positive("weight_decay", weight_decay)
    value = max(2.0 * (y - w), 2.0 * w) if w < y else y + w
    return Estimate(value, ("at the minimum",), 0.0, "own derivation")


def two_cycle(learning_rate: float, *, curvature: float, third: float, fourth: float) -> Estimate:
    """Return the amplitude of the period-2 orbit just beyond η = 2/L″: √[3L″²(ηL″ − 2)/(3L‴² − L″L⁗)].

    Parameters
    ----------
    learning_rate : float
        η.
    curvature, third, fourth : float
        Derivatives L″ > 0, L‴ and L⁗ at the minimum.

    Returns
    -------
    Estimate
        Half the distance of its two points. Where 3L‴² > L″L⁗ there is a stable orbit above 2/L″ and descent goes on
        at the edge of stability; where it is less, an unstable one below, that bounds what converges. `error_scale`
        is |ηL″ − 2|.

    Raises
    ------
    TheoryError
        If there is no such orbit on this side of 2/L″.

    Examples
    --------
    >>> round(float(two_cycle(1.01, curvature=2.0, third=6.0, fourth=6.0)), 9)  # double well; √(1 − 1/η)/2 is exact
    0.05
    """
    h, eta = positive("curvature", curvature), positive("learning_rate", learning_rate)
    excess, sense = eta * h - 2.0, 3.0 * third**2 - h * fourth
    if excess * sense <= 0.0:
        raise TheoryError(
            f"no period-2 orbit of small amplitude at ηL″ = {eta * h:.6g} with 3L‴² − L″L⁗ = {sense:.6g}: take η "
            f"{'above' if sense > 0.0 else 'below'} 2/L″ = {2.0 / h:.6g}"
        )
    return Estimate(h * math.sqrt(3.0 * excess / sense), ("η → 2/L″",), abs(excess), TWO_STEPS)


def momentum_parameter(value: float) -> float:
    """Return a momentum, from 0 to below 1; raises `TheoryError` otherwise."""
    number = not_negative("momentum", value)
    if number >= 1.0:
        raise TheoryError(f"momentum = {value!r} must be below 1, or velocities never forget")
    return number


def _critical_product(optimiser: str, momentum: float) -> float:
    """Return ηλ at the edge of stability."""
    mu = momentum_parameter(momentum)
    if optimiser == "gradient descent" and mu:
        raise TheoryError(f"momentum = {momentum!r}: gradient descent has none; name the optimiser 'heavy ball'")
    products = {
        "gradient descent": 2.0,
        "heavy ball": 2.0 * (1.0 + mu),
        "nesterov": 2.0 * (1.0 + mu) / (1.0 + 2.0 * mu),
        "adam": 2.0 * (1.0 + mu) / (1.0 - mu),
    }
    if optimiser not in products:
        raise TheoryError(
            f"optimiser = {optimiser!r} is not one of {', '.join(products)}{suggest(optimiser, products)}"
        )
    return products[optimiser]
