"""A two-level system that relaxes from equilibrium: where readings of the fluctuation theorem are off by known numbers.

Levels 0 and ε; after a time t the state is drawn anew from equilibrium with probability r = 1 − e^{−kt}.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

_START = "the start is in equilibrium"
_OWN = "own derivation"


def without_heat(*, gap: float, temperature: float, relaxed: float = 1.0) -> Estimate:
    """Return ⟨e^{−Δs}⟩ = 1 + r tanh²(ε/2T), in which the heat is left out: W = 0 was taken for it.

    As ΔL/T = Δs in equilibrium, this is ⟨e^{−ΔL/T}⟩ too.

    Parameters
    ----------
    gap : float
        ε.
    temperature : float
        T.
    relaxed : float
        r, between 0 and 1.

    Raises
    ------
    TheoryError
        If gap or temperature is not positive, or r is no probability.

    Examples
    --------
    >>> round(float(without_heat(gap=1.0, temperature=1.0)), 6)
    1.213552
    """
    ratio = positive("gap", gap) / positive("temperature", temperature)
    return Estimate(1.0 + _share(relaxed) * math.tanh(ratio / 2.0) ** 2, (_START,), 0.0, _OWN)


def with_heat(*, gap: float, temperature: float, relaxed: float = 1.0) -> Estimate:
    """Return ⟨e^{−Δs − Q/T}⟩ = 1, with the heat Q = −ΔL."""
    positive("gap", gap), positive("temperature", temperature), _share(relaxed)
    return Estimate(1.0, (), 0.0, "U. Seifert, Phys. Rev. Lett. 95, 040602 (2005), eq. (15)")


def _share(relaxed: float) -> float:
    if not 0.0 <= relaxed <= 1.0:
        raise TheoryError(f"relaxed = {relaxed!r} is a probability, between 0 and 1")
    return float(relaxed)
