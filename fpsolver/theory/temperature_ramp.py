"""Ramps of the temperature, or of the learning rate, in a fixed loss: ⟨exp(−∫L dβ)⟩ in quadratic losses.

The loss does no work, W = 0; ∫L dβ with β = 1/T stands in the place of W/T, and a ratio of partition functions in that
of e^{−ΔF/T}. For SGD, θ′ = θ − η∇L + η√C ξ, the temperature is T = ηC/2, or ησ²/(2B) for gradients of variance σ² an
example. The chain at rest is a Gaussian of precision 2H/(ηC) − H²/C and not of 2H/(ηC): a change of η makes the same
change of both, so that ΣL Δβ is right as it stands and only the ratio is another.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.quadratic_chain import shadow_hessian, stable_hessian

SOURCES = (
    "R. M. Neal, Stat. Comput. 11, 125 (2001), eq. (8)",
    "C. Chatelain, J. Stat. Mech. P04011 (2007), eq. (4)",
)


def partition_ratio(start: float, stop: float, *, dimension: int = 1) -> Estimate:
    """Return ⟨exp(−∫L dβ)⟩ = Z(T_f)/Z(T_0) = (T_f/T_0)^{d/2} of a quadratic loss in d dimensions, at any speed.

    Parameters
    ----------
    start, stop : float
        Temperatures T_0 and T_f.
    dimension : int
        d, the number of directions in which the loss is curved.

    Examples
    --------
    β from 1 to 2:

    >>> round(float(partition_ratio(1.0, 0.5)), 5)
    0.70711
    """
    ratio = positive("stop", stop) / positive("start", start)
    return Estimate(ratio ** (dimension / 2.0), ("equilibrium start",), 0.0, SOURCES[0])


def quench_mean(start: float, stop: float, *, dimension: int = 1) -> Estimate:
    """Return the mean of ∫L dβ of a sudden change, (d/2)(T_0/T_f − 1); a slow one has that of ln Z(T_0)/Z(T_f).

    Parameters
    ----------
    start, stop, dimension
        As for `partition_ratio`.

    Examples
    --------
    >>> float(quench_mean(1.0, 0.5))
    0.5
    """
    ratio = positive("start", start) / positive("stop", stop)
    return Estimate(dimension / 2.0 * (ratio - 1.0), ("equilibrium start",), 0.0, "⟨L⟩ = dT/2")


def learning_rate_ramp(hessian: ArrayLike, start: float, stop: float) -> Estimate:
    """Return ⟨exp(−Σ L Δβ)⟩ over a ramp of the learning rate of SGD with isotropic noise, β = 2/(ηC).

    Exact for any schedule between the two learning rates:
    ∏_h √[η_f (2 − η_0 h)/(η_0 (2 − η_f h))] over the eigenvalues h of H.

    Parameters
    ----------
    hessian : array_like (d, d)
        H of a quadratic loss; the start is the stationary state of the chain.
    start, stop : float
        Learning rates η_0 and η_f.

    Raises
    ------
    TheoryError
        If the chain has no stationary state at either of them.

    Examples
    --------
    >>> round(float(learning_rate_ramp([[1.0]], 0.5, 0.25)), 6), round((0.375 / 0.875) ** 0.5, 6)
    (0.654654, 0.654654)
    """
    logarithms = [np.linalg.slogdet(shadow_hessian(hessian, learning_rate=eta) / eta)[1] for eta in (start, stop)]
    return Estimate(
        math.exp((logarithms[0] - logarithms[1]) / 2.0), ("stationary start", "isotropic noise"), 0.0,
        "own derivation: the chain is reversible, of precision (2/(ηC))H − H²/C",
    )  # fmt: skip


def learning_rate_ramp_as_written(hessian: ArrayLike, start: float, stop: float) -> Estimate:
    """Return ⟨exp(−Σ L Δβ)⟩ as if the chain were at the temperature T = ηC/2: (η_f/η_0)^{d/2}, right as η → 0.

    Parameters
    ----------
    hessian, start, stop
        As for `learning_rate_ramp`.

    Examples
    --------
    >>> round(float(learning_rate_ramp_as_written([[1.0]], 0.5, 0.25)), 6)
    0.707107
    """
    # Both rates must be such as the corrected form allows.
    matrix, _ = (stable_hessian(hessian, learning_rate=eta) for eta in (start, stop))
    size = max(start, stop) * float(np.linalg.eigvalsh(matrix)[-1])
    value = float(partition_ratio(start, stop, dimension=len(matrix)))
    return Estimate(value, ("stationary start", "ηh ≪ 1"), size, SOURCES[0])
