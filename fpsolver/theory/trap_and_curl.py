"""A trap with a curl, dx = (−kx + εJx) dt + √(2T) dW in the plane: the benchmark for entropy production from data.

J = [[0, 1], [−1, 0]] turns the force against the position; mobility one.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

_LINEAR = ("linear force", "steady state")


def entropy_production(*, stiffness: float, curl: float) -> Estimate:
    """Return σ = 2ε²/k in nats per unit time; the temperature drops out.

    Parameters
    ----------
    stiffness, curl : float
        k and ε.

    Examples
    --------
    >>> float(entropy_production(stiffness=1.0, curl=0.5))
    0.5
    """
    _check(stiffness)
    return Estimate(2.0 * curl**2 / stiffness, _LINEAR, 0.0, "own derivation: ⟨|εJx|²⟩/T with ⟨|x|²⟩ = 2T/k")


def uncertainty_estimate(*, stiffness: float, curl: float, lag: float) -> Estimate:
    """Return 2⟨J⟩²/(τ Var J) of the area that x sweeps in a lag τ, which is below σ and goes to it as τ → 0.

    With c = e^{−kτ} sin ετ it is 2c²/τ[½(1 − e^{−2kτ}) + c²].

    Parameters
    ----------
    stiffness, curl : float
        k and ε.
    lag : float
        τ.

    Examples
    --------
    >>> round(float(uncertainty_estimate(stiffness=1.0, curl=0.5, lag=1e-6)), 5)
    0.5
    """
    _check(stiffness)
    if not lag > 0.0:
        raise TheoryError(f"lag = {lag!r} must be positive")
    turned = (math.exp(-stiffness * lag) * math.sin(curl * lag)) ** 2
    value = 2.0 * turned / (lag * (-0.5 * math.expm1(-2.0 * stiffness * lag) + turned))
    source = (
        "own derivation, by Gaussian moments; S. Otsubo, S. Ito, A. Dechant, T. Sagawa, Phys. Rev. E 101, 062106 (2020)"
    )
    return Estimate(value, _LINEAR, 0.0, source)


def _check(stiffness: float) -> None:
    if not stiffness > 0.0:
        raise TheoryError(f"stiffness = {stiffness!r} must be positive for a steady state")
