"""Integral fluctuation theorems of learning, as they circulate and as they hold: what to average the exponential of.

Every reading is a function of the same quantities of a trajectory, numbers or arrays of one shape, and returns the
exponent X of a claim ⟨e^X⟩ = 1:

- loss_change ΔL = L(θ_t) − L(θ_0), at the parameters that hold at each end;
- entropy_change Δs = −ln p(θ_t, t) + ln p(θ_0, 0), of the density of θ whatever the data;
- information_change ΔI = i(θ_t; data) − i(θ_0; data), with i = ln p(θ|data)/p(θ);
- work W, done on the parameters; ∫∂_λL dλ, zero in training on a fixed loss;
- temperature T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.theory.conditions import positive


def as_written(
    *,
    loss_change: ArrayLike,
    entropy_change: ArrayLike,
    information_change: ArrayLike = 0.0,
    work: ArrayLike = 0.0,
    temperature: float,
) -> np.ndarray:
    """Return −ΔL/T + ΔI, which is said to average to ⟨e^X⟩ = 1; the sign of ΔL is wrong, and Δs is missing."""
    return _exponent(-np.asarray(loss_change, dtype=float), 0.0, information_change, temperature)


def exact(
    *,
    loss_change: ArrayLike,
    entropy_change: ArrayLike,
    information_change: ArrayLike = 0.0,
    work: ArrayLike = 0.0,
    temperature: float,
) -> np.ndarray:
    """Return (ΔL − W)/T − Δs + ΔI, for which ⟨e^X⟩ = 1: the integral theorem for fixed data, averaged over them.

    Jensen's inequality makes ⟨ΔI⟩ ≤ ⟨Δs⟩ + ⟨Q⟩/T of it (S. Goldt, U. Seifert, Phys. Rev. Lett. 118, 010601 (2017)).

    Examples
    --------
    >>> float(exact(loss_change=1.0, entropy_change=0.25, information_change=0.5, temperature=2.0))
    0.75
    """
    return _exponent(np.subtract(loss_change, work), entropy_change, information_change, temperature)


def marginal(
    *,
    loss_change: ArrayLike,
    entropy_change: ArrayLike,
    information_change: ArrayLike = 0.0,
    work: ArrayLike = 0.0,
    temperature: float,
) -> np.ndarray:
    """Return (ΔL − W)/T − Δs, for which ⟨e^X⟩ = 1 as well where θ_0 is independent of the data, but not otherwise.

    Without work it is also the reading in which ΔL is the loss reduction L(θ_0) − L(θ_t) and ΔI the gain
    ln p(θ_t, t) − ln p(θ_0, 0) = −Δs in −ΔL/T + ΔI.
    """
    return _exponent(np.subtract(loss_change, work), entropy_change, 0.0, temperature)


def opposite_information(
    *,
    loss_change: ArrayLike,
    entropy_change: ArrayLike,
    information_change: ArrayLike = 0.0,
    work: ArrayLike = 0.0,
    temperature: float,
) -> np.ndarray:
    """Return (ΔL − W)/T − Δs − ΔI: ⟨e^X⟩ = 1 where ΔI is first minus last, not where it is last minus first."""
    return _exponent(
        np.subtract(loss_change, work), entropy_change, -np.asarray(information_change, dtype=float), temperature
    )


def feedback(
    *, work: ArrayLike, free_energy_change: ArrayLike = 0.0, information: ArrayLike, temperature: float
) -> np.ndarray:
    """Return −(W − ΔF)/T − i, for which ⟨e^X⟩ = 1 where a measurement with the pointwise information i steers the work.

    T. Sagawa, M. Ueda, Phys. Rev. Lett. 104, 090602 (2010), eq. (8).
    """
    return _exponent(np.subtract(free_energy_change, work), 0.0, -np.asarray(information, dtype=float), temperature)


def cost(*, cost: ArrayLike, work: ArrayLike, free_energy_change: ArrayLike = 0.0, temperature: float) -> np.ndarray:
    """Return −C/T_eff of a cost C ≥ 0, which is said to average to ⟨e^X⟩ = 1; it cannot unless C = 0 throughout."""
    return _exponent(-np.asarray(cost, dtype=float), 0.0, 0.0, temperature)


def dissipated_work(
    *, cost: ArrayLike, work: ArrayLike, free_energy_change: ArrayLike = 0.0, temperature: float
) -> np.ndarray:
    """Return −(W − ΔF)/T, for which ⟨e^X⟩ = 1 from an equilibrium start (C. Jarzynski, Phys. Rev. Lett. 78, 2690)."""
    return _exponent(np.subtract(free_energy_change, work), 0.0, 0.0, temperature)


def medium_entropy_of_protocol(*, work: ArrayLike, loss_change: ArrayLike, temperature: float) -> np.ndarray:
    """Return W/T, which is taken for the entropy of the medium: zero in training on a fixed loss.

    It is right where W = ∫F∘dθ is the work of the whole force F, not that of a protocol.
    """
    return np.asarray(work, dtype=float) / positive("temperature", temperature)


def medium_entropy(*, work: ArrayLike, loss_change: ArrayLike, temperature: float) -> np.ndarray:
    """Return (W − ΔL)/T, the heat that went to the bath over its temperature; W is the work of the protocol."""
    return np.subtract(work, loss_change) / positive("temperature", temperature)


def _exponent(energy: ArrayLike, entropy: ArrayLike, information: ArrayLike, temperature: float) -> np.ndarray:
    """Return energy/T − entropy + information."""
    x, s, i = (np.asarray(one, dtype=float) for one in (energy, entropy, information))
    return x / positive("temperature", temperature) - s + i
