"""A trap that is moved at once to where a noisy measurement says the particle is: feedback in closed form.

x is in equilibrium in k x²/2, the measurement is y = x + noise of variance s², and the trap jumps to the mean of x
given y.
"""

from __future__ import annotations

import math

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

SAGAWA_UEDA = "T. Sagawa, M. Ueda, Phys. Rev. Lett. 104, 090602 (2010), eqs. (5), (8)"
ABREU_SEIFERT = "D. Abreu, U. Seifert, EPL 94, 10001 (2011)"

_ASSUMPTIONS = ("equilibrium before the measurement", "Gaussian measurement error", "instantaneous move of the trap")


def information(*, stiffness: float, temperature: float, noise: float) -> Estimate:
    """Return I = ½ ln(1 + T/ks²), the mutual information of position and measurement in nats.

    Parameters
    ----------
    stiffness, temperature : float
        k and T.
    noise : float
        Variance s² of the measurement error.

    Examples
    --------
    >>> round(float(information(stiffness=1.0, temperature=1.0, noise=2.0)), 13)
    0.2027325540541
    """
    ratio = _ratio(stiffness, temperature, noise)
    return Estimate(0.5 * math.log1p(1.0 / ratio), _ASSUMPTIONS[:2], 0.0, ABREU_SEIFERT)


def mean_work(*, stiffness: float, temperature: float, noise: float) -> Estimate:
    """Return ⟨W⟩ = −(T/2)/(1 + ks²/T), the work on the particle; at least −T I.

    Parameters
    ----------
    stiffness, temperature, noise : float
        k, T and s².

    Examples
    --------
    >>> round(float(mean_work(stiffness=1.0, temperature=1.0, noise=2.0)), 12)
    -0.166666666667
    """
    ratio = _ratio(stiffness, temperature, noise)
    return Estimate(-0.5 * temperature / (1.0 + ratio), _ASSUMPTIONS, 0.0, ABREU_SEIFERT)


def exponential_average(*, stiffness: float, temperature: float, noise: float) -> Estimate:
    """Return ⟨e^{−W/T}⟩ = 1 + T/ks²: more than one, by what was learnt.

    It is the total probability that the reversed protocols, each in its own share, return to what was measured.

    Parameters
    ----------
    stiffness, temperature, noise : float
        k, T and s².

    Examples
    --------
    >>> float(exponential_average(stiffness=1.0, temperature=1.0, noise=2.0))
    1.5
    """
    ratio = _ratio(stiffness, temperature, noise)
    # Given the posterior mean m and variance v, ⟨e^{−W/T}⟩ is exp[(k/2T)(1 + kv/T) m²]; then m is averaged over.
    value = 1.0 + 1.0 / ratio
    return Estimate(value, _ASSUMPTIONS, 0.0, SAGAWA_UEDA)


def exponential_average_as_written(*, stiffness: float, temperature: float, noise: float) -> Estimate:
    """Return 1, as Jarzynski's equality would have it if the protocol did not depend on what was measured.

    Parameters
    ----------
    stiffness, temperature, noise : float
        k, T and s², which do not matter.

    Examples
    --------
    >>> float(exponential_average_as_written(stiffness=1.0, temperature=1.0, noise=2.0))
    1.0
    """
    _ratio(stiffness, temperature, noise)
    return Estimate(1.0, ("no feedback",), 0.0, "C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997), eq. (2)")


def _ratio(stiffness: float, temperature: float, noise: float) -> float:
    """Return r = ks²/T, the variance of the measurement error over that of the position."""
    if not min(stiffness, temperature, noise) > 0.0:
        raise TheoryError(
            f"stiffness = {stiffness!r}, temperature = {temperature!r}, noise = {noise!r} must be positive"
        )
    return stiffness * noise / temperature
