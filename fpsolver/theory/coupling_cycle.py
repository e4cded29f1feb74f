"""The work to let a weight learn a label, and to take it away again: the bound by information needs the whole cycle.

The weight feels k w²/2 − c(t) k m s w with the label s = ±1; the coupling c rises linearly from 0 to 1 in a time t and
is then switched off at once. Mobility one.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

SAGAWA_UEDA = "T. Sagawa, M. Ueda, Phys. Rev. Lett. 102, 250602 (2009), eq. (6), for the bound on the cycle"

_ASSUMPTIONS = ("quadratic trap", "equilibrium at the begin", "the label does not move")


def work_to_couple(*, shift: float, stiffness: float, duration: float = math.inf) -> Estimate:
    """Return W = −km²/2 + (m²/t)[1 − (1 − e^{−kt})/kt], negative for slow coupling although the weight learns.

    Parameters
    ----------
    shift, stiffness : float
        m and k.
    duration : float
        t of the ramp.

    Examples
    --------
    >>> float(work_to_couple(shift=1.0, stiffness=1.0))
    -0.5
    >>> round(float(work_to_couple(shift=1.0, stiffness=1.0, duration=2.0)), 6)
    -0.216166
    """
    _check(stiffness, duration)
    value = -0.5 * stiffness * shift**2
    if math.isfinite(duration):
        value += shift**2 / duration * (1.0 + math.expm1(-stiffness * duration) / (stiffness * duration))
    return Estimate(value, _ASSUMPTIONS, 0.0, "own derivation: ⟨w⟩ = s m [c − (1 − e^{−kt})/kt] along the ramp")


def work_of_cycle(*, shift: float, stiffness: float, duration: float = math.inf) -> Estimate:
    """Return the work to couple and to decouple at once; at least T times the mutual information.

    Decoupling takes km² − (m²/t)(1 − e^{−kt}).

    Parameters
    ----------
    shift, stiffness, duration
        As for `work_to_couple`.

    Examples
    --------
    >>> float(work_of_cycle(shift=1.0, stiffness=1.0))
    0.5
    """
    decouple = stiffness * shift**2
    if math.isfinite(duration):
        decouple += shift**2 / duration * math.expm1(-stiffness * duration)
    coupled = work_to_couple(shift=shift, stiffness=stiffness, duration=duration)
    return Estimate(float(coupled) + decouple, _ASSUMPTIONS, 0.0, SAGAWA_UEDA)


def _check(stiffness: float, duration: float) -> None:
    if not (stiffness > 0.0 and duration > 0.0):
        raise TheoryError(f"stiffness = {stiffness!r} and duration = {duration!r} must be positive")
