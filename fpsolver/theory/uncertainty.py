"""Bounds and closed forms of the thermodynamic uncertainty product Q = Var J · Σ/⟨J⟩²."""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

BARATO_SEIFERT = "A. C. Barato, U. Seifert, Phys. Rev. Lett. 114, 158101 (2015)"
PROESMANS = "K. Proesmans, C. Van den Broeck, EPL 119, 20001 (2017), eq. (5)"


def bound(entropy_per_step: float = 0.0) -> Estimate:
    """Return 2σ/(e^σ − 1), the least Q of a chain that produces the entropy σ a step; 2 in continuous time (σ = 0).

    Parameters
    ----------
    entropy_per_step : float
        σ in nats; zero for jumps or diffusion in continuous time.

    Examples
    --------
    >>> float(bound()), round(float(bound(1.0)), 6)
    (2.0, 1.163953)
    """
    if not 0.0 <= entropy_per_step < math.inf:
        raise TheoryError(f"entropy_per_step = {entropy_per_step!r} must be finite and not negative")
    # With e^{−σ}, which does not overflow.
    shrunk = math.exp(-entropy_per_step)
    value = 2.0 * entropy_per_step * shrunk / -math.expm1(-entropy_per_step) if entropy_per_step else 2.0
    return Estimate(value, ("Markov", "steady state", "even variables", "long times"), 0.0, PROESMANS)


def bound_as_written(entropy_per_step: float = 0.0) -> Estimate:
    """Return 2, whatever the dynamics: the relation of continuous time, as it is often quoted for any.

    Examples
    --------
    >>> float(bound_as_written(1.0))
    2.0
    """
    return Estimate(2.0, ("continuous time", "even variables"), 0.0, BARATO_SEIFERT)


def biased_walk(affinity: float) -> Estimate:
    """Return Q = A coth(A/2) of a walk with rates p up and q down, A = ln(p/q); at least 2.

    Parameters
    ----------
    affinity : float
        A of one step.

    Examples
    --------
    >>> round(float(biased_walk(1.0)), 12)
    2.163953413739
    """
    value = affinity / math.tanh(affinity / 2.0) if affinity else 2.0
    return Estimate(value, ("independent steps in continuous time",), 0.0, BARATO_SEIFERT)


def discrete_walk(up: float, down: float) -> Estimate:
    """Return Q = [p + q − (p − q)²] ln(p/q)/(p − q) of a walk in discrete time; it goes to zero as p → 1 = p + q.

    Parameters
    ----------
    up, down : float
        Probabilities p ≠ q of a step up and down; with the rest the walk stays.

    Examples
    --------
    >>> round(float(discrete_walk(0.9, 0.1)), 6)
    0.988751
    """
    if not (min(up, down) > 0.0 and up != down and up + down <= 1.0 + 1e-15):
        raise TheoryError(
            f"up = {up!r} and down = {down!r} must be two different probabilities, with a sum of 1 or less"
        )
    drift = up - down
    value = (up + down - drift**2) * math.log(up / down) / drift
    return Estimate(value, ("independent steps in discrete time",), 0.0, PROESMANS)


def underdamped_drift(friction: float, duration: float) -> Estimate:
    """Return Q = 2[1 − (1 − e^{−γt})/γt] of the displacement of a free particle that a constant force drags.

    With inertia a displacement over a short time is as good as deterministic: Q ≈ γt → 0. At long times Q = 2.

    Parameters
    ----------
    friction : float
        γ, per unit time.
    duration : float
        t, from the steady state on.

    Examples
    --------
    >>> round(float(underdamped_drift(1.0, 1.0)), 6), round(float(underdamped_drift(1.0, 1e9)), 6)
    (0.735759, 2.0)
    """
    if not (friction > 0.0 and duration > 0.0):
        raise TheoryError(f"friction = {friction!r} and duration = {duration!r} must be positive")
    x = friction * duration
    # 1 + (e^{−x} − 1)/x cancels for small x.
    value = 2.0 * (1.0 + math.expm1(-x) / x) if x > 1e-4 else x * (1.0 - x / 3.0)
    source = "own derivation; cf. L. P. Fischer, P. Pietzonka, U. Seifert, Phys. Rev. E 97, 022143 (2018)"
    return Estimate(value, ("constant force", "steady state of the velocity"), 0.0, source)
