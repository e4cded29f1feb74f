"""Drift and diffusion freed of the finite lag: polynomials whose own moments at that lag fit the measured ones.

The moments at lag τ follow from drift and diffusion by the backward generator 𝓛 = D⁽¹⁾∂ + D⁽²⁾∂²,
⟨(x_{t+τ} − x)ⁿ⟩ = Σ_m τᵐ/m! [𝓛ᵐ(y − x)ⁿ] at y = x, which maps polynomials to polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from fpsolver.errors import ConvergenceError, InputError
from fpsolver.thermodynamics.lagged_moments import FiniteLagCoefficients


@dataclass(frozen=True, eq=False)
class DriftAndDiffusion:
    """Polynomials for drift and diffusion.

    Parameters
    ----------
    drift, diffusion : ndarray
        Coefficients of D⁽¹⁾(x) and D⁽²⁾(x), constant first.
    drift_error, diffusion_error : ndarray
        Their standard errors.
    covariance : ndarray
        Of all coefficients, those of the drift first.
    chi_squared : float
        Sum of squared deviations in standard errors.
    freedom : int
        Number of moments less that of coefficients, what `chi_squared` should be about.
    truncation : float
        Largest change that the last term of the series in τ makes to a moment, in standard errors of that moment.
    """

    drift: np.ndarray
    diffusion: np.ndarray
    drift_error: np.ndarray
    diffusion_error: np.ndarray
    covariance: np.ndarray
    chi_squared: float
    freedom: int
    truncation: float

    def __repr__(self) -> str:
        drift, diffusion = (np.array2string(values, precision=4) for values in (self.drift, self.diffusion))
        return f"DriftAndDiffusion(drift={drift}, diffusion={diffusion}, χ² = {self.chi_squared:.1f}/{self.freedom})"


def fit_drift_and_diffusion(
    measured: FiniteLagCoefficients, *, drift_degree: int, diffusion_degree: int = 0, terms: int = 4
) -> DriftAndDiffusion:
    """Fit polynomials for drift and diffusion to coefficients at a finite lag, corrected for that lag.

    Parameters
    ----------
    measured : FiniteLagCoefficients
        From `kramers_moyal`.
    drift_degree, diffusion_degree : int
        Degrees of the polynomials.
    terms : int
        Powers of τ in the moments: 1 leaves the lag uncorrected, 2 corrects to first order in τ. For linear drift the
        series converges; for others it is asymptotic, and `truncation` says what the last term was worth.

    Raises
    ------
    InputError
        If there are fewer moments than coefficients.
    ConvergenceError
        If the fit fails.

    References
    ----------
    C. Honisch, R. Friedrich, Phys. Rev. E 83, 066701 (2011); S. J. Lade, Phys. Lett. A 373, 3705 (2009).

    Examples
    --------
    Pairs of an Ornstein–Uhlenbeck process with k = T = 1, half a relaxation time apart:

    >>> from fpsolver.thermodynamics.lagged_moments import kramers_moyal
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 200_000))
    >>> moments = kramers_moyal(x, np.exp(-0.5) * x + np.sqrt(1 - np.exp(-1.0)) * noise, 0.5, bins=40)
    >>> found = fit_drift_and_diffusion(moments, drift_degree=1, terms=10)
    >>> bool((abs(found.drift - [0, -1]) < 4 * found.drift_error).all())
    True
    >>> bool(abs(found.diffusion[0] - 1) < 4 * found.diffusion_error[0])
    True
    """
    from scipy.optimize import least_squares

    sizes = drift_degree + 1, diffusion_degree + 1
    if min(sizes) < 1 or terms < 1:
        raise InputError(
            f"degrees {drift_degree}, {diffusion_degree} must not be negative, and terms = {terms} positive"
        )
    if 2 * len(measured) < sum(sizes):
        raise InputError(f"{2 * len(measured)} moments do not fix {sum(sizes)} coefficients; give more bins")
    whiten = _whitening(measured)
    data = np.stack([measured.drift, measured.diffusion])

    def deviations(coefficients: np.ndarray, upto: int = terms) -> np.ndarray:
        drift, diffusion = np.split(coefficients, sizes[:1])
        return np.einsum("bij,jb->bi", whiten, _binned(measured, drift, diffusion, upto) - data).ravel()

    # Without correction the problem is linear; from there the fit is a small step.
    begin = np.linalg.lstsq(*_linear_problem(lambda c: deviations(c, 1), sum(sizes)), rcond=None)[0]
    found = least_squares(deviations, begin, method="lm", xtol=1e-12, ftol=1e-12)
    if not found.success:
        raise ConvergenceError(f"the fit of drift and diffusion failed: {found.message}")
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    errors = np.sqrt(np.diag(covariance))
    last = float(np.abs(deviations(found.x) - deviations(found.x, terms - 1)).max()) if terms > 1 else np.inf
    split = sizes[0]
    return DriftAndDiffusion(
        found.x[:split], found.x[split:], errors[:split], errors[split:], covariance,
        2.0 * float(found.cost), 2 * len(measured) - sum(sizes), last,
    )  # fmt: skip


def finite_lag_moments(x: Any, drift: Any, diffusion: Any, lag: float, terms: int = 4) -> np.ndarray:
    """Return ⟨Δx⟩/τ and ⟨Δx²⟩/2τ of polynomial drift and diffusion, by a series in the lag, shape (2, n).

    Parameters
    ----------
    x : array_like (n,)
        Positions at the begin.
    drift, diffusion : array_like
        Coefficients of D⁽¹⁾ and D⁽²⁾, constant first.
    lag : float
        τ.
    terms : int
        Powers of τ in ⟨Δxⁿ⟩; the first gives D⁽¹⁾ and D⁽²⁾ themselves.

    Examples
    --------
    >>> finite_lag_moments([2.0], [0.0, -1.0], [1.0], 0.1, terms=20).ravel().round(9).tolist()
    [-1.903251639, 1.087464575]
    """
    start = np.atleast_1d(np.asarray(x, dtype=float))
    one, two = _about(start, drift), _about(start, diffusion)
    result = np.zeros((2, len(start)))
    for n in (1, 2):
        polynomial = np.zeros((n + 1, len(start)))
        polynomial[n] = 1.0  # (y − x)ⁿ, as rows of coefficients in powers of y − x
        factor = 1.0 / n
        for m in range(1, terms + 1):
            slope = _derivative(polynomial)
            polynomial = _sum(_product(one, slope), _product(two, _derivative(slope)))
            result[n - 1] += factor * polynomial[0]
            factor *= lag / (m + 1)
    return result


def _binned(measured: FiniteLagCoefficients, drift: np.ndarray, diffusion: np.ndarray, terms: int) -> np.ndarray:
    """Return the moments averaged over each bin: at two points one standard deviation from the mean position."""
    half = np.sqrt(np.maximum(measured.spread, 0.0))
    sides = (finite_lag_moments(measured.x + s * half, drift, diffusion, measured.lag, terms) for s in (-1.0, 1.0))
    return 0.5 * sum(sides, start=np.zeros((2, len(measured))))


def _whitening(measured: FiniteLagCoefficients) -> np.ndarray:
    """Return matrices (b, 2, 2) that turn errors of drift and diffusion in a bin into two independent unit ones."""
    blocks = np.empty((len(measured), 2, 2))
    blocks[:, 0, 0], blocks[:, 1, 1] = measured.drift_error**2, measured.diffusion_error**2
    blocks[:, 0, 1] = blocks[:, 1, 0] = measured.covariance
    return np.linalg.inv(np.linalg.cholesky(blocks))


def _linear_problem(deviations: Any, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix and right-hand side of deviations that are linear in the coefficients."""
    origin = deviations(np.zeros(size))
    return np.stack([deviations(unit) - origin for unit in np.eye(size)], axis=1), -origin


def _about(x: np.ndarray, coefficients: Any) -> np.ndarray:
    """Return the coefficients (degree + 1, n) of a polynomial in powers of y − x."""
    c = np.atleast_1d(np.asarray(coefficients, dtype=float))
    return np.stack([Polynomial([comb(j, k) * c[j] for j in range(k, len(c))])(x) for k in range(len(c))])


def _derivative(rows: np.ndarray) -> np.ndarray:
    return rows[1:] * np.arange(1, len(rows))[:, None] if len(rows) > 1 else np.zeros_like(rows[:1])


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    result = np.zeros((len(one) + len(other) - 1, one.shape[1]))
    for k, row in enumerate(one):
        result[k : k + len(other)] += row * other
    return result


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    result = longer.copy()
    result[: len(shorter)] += shorter
    return result
