"""The biased walk: steps up at rate p and down at rate q; all its counting statistics in closed form.

Displacement counts +1 and −1; entropy flow counts ±ln(p/q).
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

LEBOWITZ_SPOHN = "J. L. Lebowitz, H. Spohn, J. Stat. Phys. 95, 333 (1999), sect. 3"

_ASSUMPTIONS = ("independent steps, up at rate p and down at rate q",)


def scgf(s: float, *, up: float, down: float) -> Estimate:
    """Return λ(s) = p(e^s − 1) + q(e^{−s} − 1), the scaled cumulant generating function of the displacement.

    Parameters
    ----------
    s : float
        Conjugate variable.
    up, down : float
        Rates p and q.

    Examples
    --------
    >>> round(float(scgf(0.3, up=2.0, down=1.0)), 12)
    0.440535835834
    """
    p, q = _rates(up, down)
    return Estimate(p * math.expm1(s) + q * math.expm1(-s), _ASSUMPTIONS, 0.0, LEBOWITZ_SPOHN)


def entropy_scgf(s: float, *, up: float, down: float) -> Estimate:
    """Return λ(s) of the entropy flow, p[(p/q)^s − 1] + q[(p/q)^{−s} − 1], symmetric about s = −1/2.

    Parameters
    ----------
    s : float
        Conjugate variable.
    up, down : float
        Rates p and q, both positive.

    Examples
    --------
    >>> abs(float(entropy_scgf(-1.0, up=2.0, down=1.0))) < 1e-15
    True
    """
    p, q = _rates(up, down)
    if not min(p, q) > 0:
        raise TheoryError(f"up = {up!r} and down = {down!r}: a step without reverse produces infinite entropy")
    return scgf(s * math.log(p / q), up=p, down=q)


def rate_function(velocity: float, *, up: float, down: float) -> Estimate:
    """Return I(v) = v ln[(v + √(v² + 4pq))/2p] − √(v² + 4pq) + p + q, the Legendre transform of `scgf`.

    Parameters
    ----------
    velocity : float
        Displacement per unit time.
    up, down : float
        Rates p and q, both positive.

    Examples
    --------
    >>> round(float(rate_function(1.0, up=2.0, down=1.0)), 12)
    0.0
    """
    p, q = _rates(up, down)
    if not min(p, q) > 0:
        raise TheoryError(f"up = {up!r} and down = {down!r} must be positive")
    root = math.hypot(velocity, 2.0 * math.sqrt(p * q))
    # Of the two forms of e^s the one that does not cancel.
    conjugate = math.log((velocity + root) / (2 * p)) if velocity >= 0 else math.log(2 * q / (root - velocity))
    return Estimate(velocity * conjugate - root + p + q, _ASSUMPTIONS, 0.0, LEBOWITZ_SPOHN)


def drifting_diffusion_scgf(s: float, *, force: float, temperature: float, mobility: float = 1.0) -> Estimate:
    """Return λ(s) = μ(T s² + F s) of the displacement under a constant force F, the limit of ever smaller steps.

    Parameters
    ----------
    s : float
        Conjugate to the displacement.
    force, temperature, mobility : float
        F, T and μ.

    Examples
    --------
    >>> float(drifting_diffusion_scgf(-0.5, force=1.0, temperature=2.0))
    0.0
    """
    if not (temperature > 0 and mobility > 0):
        raise TheoryError(f"temperature = {temperature!r} and mobility = {mobility!r} must be positive")
    value = mobility * (temperature * s**2 + force * s)
    return Estimate(value, ("constant force", "no landscape"), 0.0, LEBOWITZ_SPOHN)


def _rates(up: float, down: float) -> tuple[float, float]:
    if not (math.isfinite(up) and math.isfinite(down) and min(up, down) >= 0 and max(up, down) > 0):
        raise TheoryError(f"up = {up!r} and down = {down!r} must be rates: finite, not negative, not both zero")
    return float(up), float(down)
