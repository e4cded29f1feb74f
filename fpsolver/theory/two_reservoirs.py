"""Two states that several reservoirs connect: where they settle, and where they would produce least entropy.

Reservoir ν takes the system from the second state to the first at the rate a_ν and back at the rate b_ν.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

KLEIN_MEIJER = "M. J. Klein, P. H. E. Meijer, Phys. Rev. 96, 250 (1954)"
JIULI = "Luo Jiu-li, C. Van den Broeck, G. Nicolis, Z. Phys. B 56, 165 (1984)"

Rates = Sequence[tuple[float, float]]


def stationary(rates: Rates) -> Estimate:
    """Return p_ss = Σa/(Σa + Σb), the stationary probability of the first state.

    Parameters
    ----------
    rates : sequence of (float, float)
        (a_ν, b_ν) of each reservoir.

    Examples
    --------
    >>> round(float(stationary([(1, 2), (3, 0.5)])), 10)
    0.6153846154
    """
    _check(rates)
    up, down = (math.fsum(column) for column in zip(*rates, strict=True))
    return Estimate(up / (up + down), ("Markov",), 0.0, KLEIN_MEIJER)


def entropy_production(p: float, rates: Rates) -> Estimate:
    """Return Σ̇(p) = Σ_ν [a_ν(1 − p) − b_ν p] ln[a_ν(1 − p)/b_ν p] in nats per unit time.

    Parameters
    ----------
    p : float
        Probability of the first state.
    rates : sequence of (float, float)
        (a_ν, b_ν) of each reservoir.

    Examples
    --------
    >>> round(float(entropy_production(float(stationary([(1, 2), (3, 0.5)])), [(1, 2), (3, 0.5)])), 10)
    2.1026133191
    """
    _check(rates)
    if not 0.0 < p < 1.0:
        raise TheoryError(f"p = {p!r} must be between 0 and 1")
    value = math.fsum((a * (1.0 - p) - b * p) * math.log(a * (1.0 - p) / (b * p)) for a, b in rates)
    return Estimate(value, ("Markov",), 0.0, KLEIN_MEIJER)


def least_production(rates: Rates) -> Estimate:
    """Return the p at which Σ̇(p) is least: the root of its derivative, which grows with p.

    Parameters
    ----------
    rates : sequence of (float, float)
        (a_ν, b_ν) of each reservoir.

    Examples
    --------
    >>> round(float(least_production([(1, 2), (3, 0.5)])), 10)
    0.6357466157
    """
    from scipy.optimize import brentq

    _check(rates)

    def slope(p: float) -> float:
        parts = []
        for a, b in rates:
            flux = a * (1.0 - p) - b * p
            # Neither term alone is small close to equilibrium, the difference of logarithms is.
            parts.append(-(a + b) * math.log1p(flux / (b * p)) - flux / (p * (1.0 - p)))
        return math.fsum(parts)

    # Σ̇' is negative where all reservoirs push p up, and positive where all push it down.
    ends = [a / (a + b) for a, b in rates]
    low, high = min(ends), max(ends)
    value = low if low == high else brentq(slope, low, high, xtol=1e-16, rtol=1e-15)
    return Estimate(value, ("Markov", "fixed rates"), 0.0, JIULI)


def _check(rates: Rates) -> None:
    if not rates or any(len(pair) != 2 or not min(pair) > 0.0 for pair in rates):
        raise TheoryError(f"rates = {rates!r} must be pairs of positive numbers, one a reservoir")
