"""One noisy weight that learns a binary label: what it learns for the heat that it pays.

The weight rests in k w²/2 at temperature T; at t = 0 a field moves the trap to s·m, with the label s = ±1. At time t
the weight is Gaussian around s·m(1 − e^{−kt}), of variance T/k; mobility one.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

GOLDT_SEIFERT = "S. Goldt, U. Seifert, Phys. Rev. Lett. 118, 010601 (2017)"

_ASSUMPTIONS = ("quadratic trap", "equally likely labels", "sudden field")


def information(*, shift: float, stiffness: float, temperature: float, duration: float = math.inf) -> Estimate:
    """Return I = ln 2 − ⟨ln(1 + e^{−2y})⟩ with y ~ N(a², a²), a² = k m_t²/T, between label and weight in nats.

    Parameters
    ----------
    shift : float
        m, where the field holds the weight.
    stiffness, temperature : float
        k and T.
    duration : float
        Time since the field was switched on.

    Examples
    --------
    >>> round(float(information(shift=1.0, stiffness=1.0, temperature=1.0)), 8)
    0.33683082
    """
    from scipy.integrate import quad

    _check(shift, stiffness, temperature, duration)
    reached = -shift * math.expm1(-stiffness * duration)
    a = math.sqrt(stiffness / temperature) * abs(reached)

    def integrand(z: float) -> float:
        y = a * (a + z)
        # ln(1 + e^{−2y}) without overflow.
        lost = math.log1p(math.exp(-2.0 * abs(y))) + 2.0 * max(-y, 0.0)
        return lost * math.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)

    lost = sum(quad(integrand, *ends, epsabs=1e-13, epsrel=1e-12)[0] for ends in ((-9.0, -a), (-a, 9.0)) if a < 9.0)
    return Estimate(math.log(2.0) - lost, _ASSUMPTIONS, 0.0, GOLDT_SEIFERT)


def heat(*, shift: float, stiffness: float, temperature: float, duration: float = math.inf) -> Estimate:
    """Return Q = (k m²/2)(1 − e^{−2kt}), the mean heat to the bath.

    Parameters
    ----------
    shift, stiffness, temperature, duration
        As for `information`.

    Examples
    --------
    >>> float(heat(shift=1.0, stiffness=1.0, temperature=1.0))
    0.5
    """
    _check(shift, stiffness, temperature, duration)
    value = -0.5 * stiffness * shift**2 * math.expm1(-2.0 * stiffness * duration)
    return Estimate(value, _ASSUMPTIONS, 0.0, GOLDT_SEIFERT)


def efficiency(*, shift: float, stiffness: float, temperature: float, duration: float = math.inf) -> Estimate:
    """Return η = I/(ΔS + Q/T) ≤ 1; the weight's entropy grows by ΔS = I, as its spread at a known label stays.

    Parameters
    ----------
    shift, stiffness, temperature, duration
        As for `information`.

    Examples
    --------
    >>> round(float(efficiency(shift=1.0, stiffness=1.0, temperature=1.0)), 8)
    0.40250767
    """
    system = {"shift": shift, "stiffness": stiffness, "temperature": temperature, "duration": duration}
    learnt = float(information(**system))
    return Estimate(learnt / (learnt + float(heat(**system)) / temperature), _ASSUMPTIONS, 0.0, GOLDT_SEIFERT)


def _check(shift: float, stiffness: float, temperature: float, duration: float) -> None:
    if not (min(stiffness, temperature, duration) > 0.0 and shift != 0.0 and math.isfinite(shift)):
        raise TheoryError(
            f"stiffness = {stiffness!r}, temperature = {temperature!r} and duration = {duration!r} must be positive, "
            f"and shift = {shift!r} not zero"
        )
