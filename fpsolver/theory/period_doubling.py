"""Gradient descent beyond 2/L″ on L = kx²/2 + ax⁴/4: its period-2 orbits and where they end.

The step is θ′ = (1 − ηk)θ − ηaθ³. For a softening well (k > 0 > a) a stable orbit θ′ = −θ is born at ηk = 2; for the
double well (k < 0 < a) one is born about each minimum at η|k| = 1, since L″ = 2|k| there.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

OWN = "own derivation; cf. L. Chen, J. Bruna, ICML 2023, and R. M. May, Nature 261, 459 (1976)"
_EXACT = ("exact for this loss",)


def antisymmetric_amplitude(learning_rate: float, *, curvature: float, quartic: float) -> Estimate:
    """Return x = √[(2/η − k)/a] of the orbit x → −x → x.

    Parameters
    ----------
    learning_rate : float
        η.
    curvature, quartic : float
        k and a of L = kx²/2 + ax⁴/4.

    Raises
    ------
    TheoryError
        If there is none: it needs (2/η − k)/a > 0.

    Examples
    --------
    >>> round(float(antisymmetric_amplitude(2.5, curvature=1.0, quartic=-1.0)), 9)
    0.447213595
    """
    eta = positive("learning_rate", learning_rate)
    if quartic == 0.0 or not (square := (2.0 / eta - curvature) / quartic) > 0.0:
        raise TheoryError(
            f"no orbit x → −x at η = {eta:g}, k = {curvature!r}, a = {quartic!r}: (2/η − k)/a must be positive"
        )
    return Estimate(math.sqrt(square), _EXACT, 0.0, OWN)


def antisymmetric_multiplier(learning_rate: float, *, curvature: float) -> Estimate:
    """Return (2ηk − 5)², by which the orbit x → −x multiplies small deviations in two steps.

    It attracts for 2 < ηk < 3, where this is below one; at ηk = 3 it splits into two that are not symmetric. With
    a > 0 it exists for ηk < 2 only, and repels: what begins beyond it diverges.

    Parameters
    ----------
    learning_rate, curvature
        As for `antisymmetric_amplitude`.

    Examples
    --------
    >>> [float(antisymmetric_multiplier(eta, curvature=1.0)) for eta in (2.0, 2.5, 3.0)]
    [1.0, 0.0, 1.0]
    """
    value = (2.0 * positive("learning_rate", learning_rate) * curvature - 5.0) ** 2
    return Estimate(value, _EXACT, 0.0, OWN)


def double_well_orbit(learning_rate: float, *, curvature: float = 1.0, quartic: float = 1.0) -> tuple[float, float]:
    """Return both points √(|k|/a)·[√(1 + 3/r) ± √(1 − 1/r)]/2, r = η|k|, of the period-2 orbit about one minimum.

    Parameters
    ----------
    learning_rate : float
        η > 1/|k|.
    curvature, quartic : float
        |k| and a of L = ax⁴/4 − |k|x²/2.

    Raises
    ------
    TheoryError
        If η|k| ≤ 1: the minima are still stable.

    Examples
    --------
    >>> low, high = double_well_orbit(1.2)
    >>> round(high - 1.2 * (high**3 - high) - low, 12) + 0.0  # one step leads from one to the other
    0.0
    """
    k, a = positive("curvature", curvature), positive("quartic", quartic)
    r = positive("learning_rate", learning_rate) * k
    if r <= 1.0:
        raise TheoryError(f"η|k| = {r:.6g} must be above 1: below, the minima themselves are stable")
    scale, total, difference = math.sqrt(k / a), math.sqrt(1.0 + 3.0 / r), math.sqrt(1.0 - 1.0 / r)
    return scale * (total - difference) / 2.0, scale * (total + difference) / 2.0


def double_well_multiplier(learning_rate: float, *, curvature: float = 1.0) -> Estimate:
    """Return 9 − 2(1 + η|k|)², by which the orbit about one minimum multiplies small deviations in two steps.

    Parameters
    ----------
    learning_rate, curvature
        As for `double_well_orbit`.

    Examples
    --------
    >>> float(double_well_multiplier(1.0))
    1.0
    """
    r = positive("learning_rate", learning_rate) * positive("curvature", curvature)
    return Estimate(9.0 - 2.0 * (1.0 + r) ** 2, _EXACT, 0.0, OWN)


DOUBLE_WELL_STAGES = {
    "period 2": 1.0,
    "period 4": math.sqrt(5.0) - 1.0,
    "hopping between wells": 1.5 * math.sqrt(3.0) - 1.0,
    "divergence": 2.0,
}
"""η|k| at which gradient descent on the double well begins each."""


def double_well_stage(stage: str, *, curvature: float = 1.0) -> Estimate:
    """Return the learning rate at which gradient descent on L = ax⁴/4 − |k|x²/2 reaches a stage.

    η|k| is 1 for "period 2", √5 − 1 for "period 4" (the multiplier is −1), 3√3/2 − 1 for "hopping between wells" (the
    step from the point where dθ′/dθ = 0 lands at the height from which the next leads to the top), and 2 for
    "divergence" (that step lands on the orbit x → −x, which repels).

    Parameters
    ----------
    stage : str
        One of `DOUBLE_WELL_STAGES`.
    curvature : float
        |k|.

    Examples
    --------
    >>> round(float(double_well_stage("hopping between wells")), 6)
    1.598076
    """
    if stage not in DOUBLE_WELL_STAGES:
        raise TheoryError(f"stage = {stage!r} is not one of {', '.join(DOUBLE_WELL_STAGES)}")
    return Estimate(DOUBLE_WELL_STAGES[stage] / positive("curvature", curvature), _EXACT, 0.0, OWN)
