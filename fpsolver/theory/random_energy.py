"""The random energy model: 2^N independent energies on the corners of a cube, and how many of them are minima.

A corner is a minimum when it is below its N neighbours. Energies are normal with variance N; per spin e = E/N.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

DERRIDA = "B. Derrida, Phys. Rev. B 24, 2613 (1981)"
RANK = "order statistics: one corner in N + 1 is the lowest of itself and its N neighbours"

_INDEPENDENT = ("independent normal energies of variance N", "minima against single flips")


def number_of_minima(*, spins: int) -> Estimate:
    """Return 2^N/(N + 1), the mean number of local minima, for any continuous law of the energies.

    Parameters
    ----------
    spins : int
        N.

    Examples
    --------
    >>> round(float(number_of_minima(spins=10)), 10)
    93.0909090909
    """
    n = _spins(spins)
    return Estimate(math.exp(n * math.log(2.0)) / (n + 1), ("independent energies",), 0.0, RANK)


def state_density(energy: float, *, spins: int) -> Estimate:
    """Return 2^N p(E), the mean number of **states** per unit energy: e^S with the total entropy S.

    Parameters
    ----------
    energy : float
        E.
    spins : int
        N.

    Notes
    -----
    This is what "the density of minima is e^{S(E)}" amounts to when S is the entropy of the landscape. It counts every
    corner; of these `minimum_density` keeps the minima.
    """
    return Estimate(math.exp(_log_states(energy, _spins(spins))), _INDEPENDENT[:1], 0.0, DERRIDA)


def minimum_density(energy: float, *, spins: int) -> Estimate:
    """Return 2^N p(E) [1 − F(E)]^N, the mean number of local minima per unit energy.

    Parameters
    ----------
    energy : float
        E.
    spins : int
        N.

    Returns
    -------
    Estimate
        Exact; e^S with S the complexity of minima.
    """
    n = _spins(spins)
    above = 0.5 * math.erfc(energy / math.sqrt(2.0 * n))
    value = math.exp(_log_states(energy, n)) * above**n
    return Estimate(value, _INDEPENDENT, 0.0, f"{DERRIDA}; {RANK}")


def complexity(energy: float) -> Estimate:
    """Return Σ(e) = ln 2 − e²/2 for e ≤ 0, the limit of ln(density of minima)/N; −∞ above.

    Parameters
    ----------
    energy : float
        e = E/N per spin. Below −√(2 ln 2) it is negative: there are none.

    Notes
    -----
    Above e = 0 a fixed fraction of the neighbours is lower, and the logarithm goes as −N².
    """
    e = float(energy)
    value = math.log(2.0) - e**2 / 2.0 if e <= 0.0 else -math.inf
    return Estimate(value, (*_INDEPENDENT, "N → ∞"), 0.0, DERRIDA)


def ground_state_energy() -> Estimate:
    """Return e₀ = −√(2 ln 2), the lowest energy per spin as N → ∞."""
    return Estimate(-math.sqrt(2.0 * math.log(2.0)), (*_INDEPENDENT[:1], "N → ∞"), 0.0, DERRIDA)


def critical_inverse_temperature() -> Estimate:
    """Return β_c = √(2 ln 2), beyond which the model is frozen in its lowest states."""
    return Estimate(math.sqrt(2.0 * math.log(2.0)), (*_INDEPENDENT[:1], "N → ∞"), 0.0, DERRIDA)


def _log_states(energy: float, spins: int) -> float:
    return spins * math.log(2.0) - energy**2 / (2.0 * spins) - 0.5 * math.log(2.0 * math.pi * spins)


def _spins(spins: int) -> int:
    if isinstance(spins, bool) or not isinstance(spins, int) or not 1 <= spins <= 1000:
        raise TheoryError(f"spins = {spins!r} must be an integer from 1 to 1000")
    return spins
