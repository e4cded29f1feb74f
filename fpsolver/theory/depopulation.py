"""The depopulation factor Υ(δ): how far a well that loses little energy per round trip is emptied near its barrier."""

from __future__ import annotations

import math

import numpy as np

from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

# ζ(1/2), which SciPy's zeta does not give below 1.
ZETA_HALF = -1.4603545088095868
_REFERENCE = "V. I. Mel'nikov, S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986)"
# The series converges for δ < 8π; below this its terms fall by 1/6 each, above it those of the sum by e^{−δ/4}.
_SPLIT = 4.0
_TERMS = 24


def depopulation_factor(energy_loss: float) -> Estimate:
    """Return Υ(δ) = exp[(1/2π) ∫ ln(1 − e^{−δ(λ² + 1/4)})/(λ² + 1/4) dλ], of a single metastable well.

    Parameters
    ----------
    energy_loss : float
        δ = ΔE/T, the energy lost in one round trip at the barrier over the temperature.

    Returns
    -------
    Estimate
        Between 0 and 1, to 14 digits: δ e^{ζ(1/2)√(δ/π)} for δ → 0, 1 for δ → ∞.

    Notes
    -----
    Expanding the logarithm gives ln Υ = −Σₙ erfc(√(nδ)/2)/n, which is used for large δ. For δ < 8π the power series
    Υ = δ exp{√(δ/π) Σᵣ ζ(1/2 − r)(−δ/4)^r/[r!(2r + 1)]} holds: Υ(δ) = P(M = 0)² for the maximum M of a Gaussian
    random walk with drift −√(δ/2), J. T. Chang, Y. Peres, Ann. Probab. 25, 787 (1997), theorem 1.1.

    Examples
    --------
    >>> f"{float(depopulation_factor(0.1)):.10f}"
    '0.0770869196'
    """
    loss = positive("energy_loss", energy_loss, "δ is the energy lost per round trip over the temperature")
    value = math.exp(logarithm(loss))
    return Estimate(value, ("T ≪ ΔL", "Gaussian energy loss per round trip"), 0.0, _REFERENCE)


def double_well_factor(energy_loss: float, energy_loss_beyond: float | None = None) -> Estimate:
    """Return Υ(δ₁)Υ(δ₂)/Υ(δ₁ + δ₂), the factor for each well of a double well.

    Parameters
    ----------
    energy_loss : float
        δ₁ of one well.
    energy_loss_beyond : float, optional
        δ₂ of the other; by default the same, which gives Υ(δ)²/Υ(2δ).

    Returns
    -------
    Estimate
        δ₁δ₂/(δ₁ + δ₂) for weak friction, because a particle at the top ends in either well; 1 for strong friction.

    Notes
    -----
    Mel'nikov and Meshkov 1986; Hänggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990), section VI.
    """
    first = positive("energy_loss", energy_loss)
    second = first if energy_loss_beyond is None else positive("energy_loss_beyond", energy_loss_beyond)
    value = math.exp(logarithm(first) + logarithm(second) - logarithm(first + second))
    return Estimate(value, ("T ≪ ΔL", "Gaussian energy loss per round trip"), 0.0, _REFERENCE)


def logarithm(loss: float) -> float:
    """Return ln Υ(δ) for δ > 0."""
    from scipy.special import erfc, gamma, zeta

    if loss >= _SPLIT:
        n = np.arange(1.0, 40.0)
        return float(-np.sum(erfc(np.sqrt(n * loss) / 2.0) / n))
    r = np.arange(1.0, _TERMS)
    # The reflection formula takes ζ(1/2 − r) to arguments where it converges.
    reflected = 2.0 ** (0.5 - r) * np.pi ** (-0.5 - r) * np.sin(np.pi * (0.5 - r) / 2.0)
    reflected *= gamma(0.5 + r) * zeta(0.5 + r, 1.0)
    factorials = np.cumprod(r)
    series = ZETA_HALF + float(np.sum(reflected * (-loss / 4.0) ** r / (factorials * (2.0 * r + 1.0))))
    return math.log(loss) + math.sqrt(loss / math.pi) * series
