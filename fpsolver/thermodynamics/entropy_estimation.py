"""Entropy production from data: pairs of positions a lag apart, in a steady state whose forces are not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.correlated_samples import block_average

Basis = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class EstimatedEntropyProduction:
    """An entropy production rate with its standard error, in nats per unit time.

    Parameters
    ----------
    value, standard_error : float
        The estimate; noise may take it below zero close to equilibrium.
    bias : float
        What the noise of the data would have added, and was subtracted.
    """

    value: float
    standard_error: float
    bias: float

    def __float__(self) -> float:
        return self.value


def entropy_production_from_currents(
    before: Any, after: Any, lag: float, *, basis: Basis | None = None
) -> EstimatedEntropyProduction:
    """Return the entropy production that the uncertainty relation infers from short displacements.

    The largest 2⟨J⟩²/(τ Var J) among currents J = Σ c_k φ_k(x̄)·Δx with x̄ the midpoint. For diffusion, and where the
    basis spans the thermodynamic force, it goes to σ as τ → 0; at a finite lag it is a lower bound.

    Parameters
    ----------
    before, after : array_like (n, d)
        Positions at the begin and at the end of each pair; pairs of one trajectory in the order of time.
    lag : float
        τ.
    basis : callable, optional
        Vector fields: maps positions (n, d) to (K, n, d). By default 1 and all linear ones, enough for linear dynamics.

    Raises
    ------
    InputError
        If the pairs are malformed, or the fields of the basis are not independent on them.

    References
    ----------
    S. Otsubo, S. Ito, A. Dechant, T. Sagawa, Phys. Rev. E 101, 062106 (2020); S. K. Manikandan, D. Gupta,
    S. Krishnamurthy, Phys. Rev. Lett. 124, 120603 (2020).

    Examples
    --------
    Steps of 0.01 that drift by 0.02 with the variance 2·0.01: σ = v² = 4.

    >>> x, noise = np.random.default_rng(1).normal(size=(2, 200_000, 1))
    >>> found = entropy_production_from_currents(0 * x, 0.02 + np.sqrt(0.02) * noise, 0.01, basis=lambda x: x[None]**0)
    >>> bool(abs(found.value - 4.0) < 4 * found.standard_error)
    True
    """
    start, end = _pairs(before, after, lag)
    n = len(start)
    fields = np.asarray((linear_fields if basis is None else basis)(0.5 * (start + end)), dtype=float)
    if fields.ndim != 3 or fields.shape[1:] != start.shape:
        raise InputError(f"the basis gives an array of shape {fields.shape}; it should be (K, {n}, {start.shape[1]})")
    currents = np.einsum("kni,ni->kn", fields, end - start)
    mean = currents.mean(axis=1)
    spread = np.atleast_2d(np.cov(currents))
    try:
        np.linalg.cholesky(spread)
        best = np.linalg.solve(spread, mean)
    except np.linalg.LinAlgError:
        raise InputError("the fields of the basis are not independent on these data; leave some out") from None
    projected = best @ (currents - mean[:, None])
    # First-order change of m·V⁻¹m with one more pair; V changes as well as m.
    influence = (2.0 * projected - projected**2) * 2.0 / lag
    # The mean of m̂·V⁻¹m̂ is K/n larger than m·V⁻¹m, and with nothing but noise its variance is 2K/n².
    bias = 2.0 * len(mean) / (n * lag)
    floor = bias * np.sqrt(2.0 / len(mean))
    error = float(np.hypot(block_average(influence).standard_error, floor))
    return EstimatedEntropyProduction(2.0 / lag * float(mean @ best) - bias, error, bias)


def entropy_production_of_linear_dynamics(before: Any, after: Any, lag: float) -> EstimatedEntropyProduction:
    """Return the entropy production of linear dynamics fitted to pairs, without an error of finite lag.

    From ⟨x_{t+τ} xᵀ⟩ = e^{−Aτ}S follow the drift A and, with AS + SAᵀ = 2D, the diffusion; σ = tr AᵀD⁻¹AS − tr A.

    Parameters
    ----------
    before, after : array_like (n, d)
        Positions at the begin and at the end of each pair; pairs of one trajectory in the order of time.
    lag : float
        τ, up to the time in which correlations turn by half a circle: beyond, the logarithm of e^{−Aτ} is another one.

    Raises
    ------
    InputError
        If the pairs are malformed, or no stable linear dynamics has such correlations.

    References
    ----------
    C. W. Gardiner, Stochastic Methods (2009), section 4.4.6, for the stationary covariance.

    Examples
    --------
    >>> x, noise = np.random.default_rng(1).normal(size=(2, 100_000, 2))
    >>> turned = np.exp(-0.5) * (x @ [[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    >>> found = entropy_production_of_linear_dynamics(x, turned + np.sqrt(1 - np.exp(-1.0)) * noise, 0.5)
    >>> bool(abs(found.value - 2.0) < 4 * found.standard_error)
    True
    """
    start, end = _pairs(before, after, lag)
    n, d = start.shape
    start, end = start - start.mean(axis=0), end - end.mean(axis=0)
    # In the steady state both ends have one covariance.
    products = np.stack(
        [0.5 * (start[:, :, None] * start[:, None] + end[:, :, None] * end[:, None]), end[:, :, None] * start[:, None]]
    )
    means = products.mean(axis=1)
    value = _linear_production(means, lag)
    # The error by the derivatives of σ with respect to the 2d² moments, by central differences.
    influence = np.zeros(n)
    step = 1e-5 * float(np.trace(means[0])) / d
    for index in np.ndindex(2, d, d):
        change = np.zeros_like(means)
        change[index] = step
        slope = (_linear_production(means + change, lag) - _linear_production(means - change, lag)) / (2.0 * step)
        influence += slope * products[index[0], :, index[1], index[2]]
    # Noise alone makes the irreversible part of the drift, of d(d − 1)/2 components, differ from zero.
    bias = d * (d - 1) / (n * lag)
    floor = bias * np.sqrt(2.0 / max(d * (d - 1) / 2, 1))
    error = float(np.hypot(block_average(influence).standard_error, floor))
    return EstimatedEntropyProduction(value - bias, error, bias)


def linear_fields(x: np.ndarray) -> np.ndarray:
    """Return the constant and the linear vector fields at positions (n, d), shape (d + d², n, d)."""
    n, d = x.shape
    fields = np.zeros((d, d + 1, n, d))
    for k in range(d):
        fields[k, 0, :, k] = 1.0
        fields[k, 1:, :, k] = x.T
    return fields.reshape(-1, n, d)


def _linear_production(moments: np.ndarray, lag: float) -> float:
    """Return σ from S and ⟨x_{t+τ} xᵀ⟩."""
    from scipy.linalg import logm

    covariance, lagged = moments
    covariance = 0.5 * (covariance + covariance.T)
    decay = np.linalg.solve(covariance, lagged.T).T
    values = np.linalg.eigvals(decay)
    if np.abs(values).max() >= 1.0 or (np.isreal(values) & (values.real <= 0.0)).any():
        raise InputError(f"correlations decay by {np.round(values, 3).tolist()}: no stable linear dynamics does that")
    drift = -np.real(logm(decay)) / lag
    diffusion = 0.5 * (drift @ covariance + covariance @ drift.T)
    if not np.linalg.eigvalsh(diffusion).min() > 0.0:
        raise InputError("the fitted noise is not positive: the data are too few, or not of linear dynamics")
    return float(np.trace(drift.T @ np.linalg.solve(diffusion, drift @ covariance)) - np.trace(drift))


def _pairs(before: Any, after: Any, lag: float) -> tuple[np.ndarray, np.ndarray]:
    start, end = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if start.ndim != 2 or start.shape != end.shape or len(start) < 2:
        raise InputError(f"before {start.shape} and after {end.shape} must both be (n, d) with at least two pairs")
    if not (np.isfinite(start).all() and np.isfinite(end).all()):
        raise InputError("before and after must be finite")
    if not lag > 0.0:
        raise InputError(f"lag = {lag!r} must be positive")
    return start, end
