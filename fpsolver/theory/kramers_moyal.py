"""Kramers–Moyal coefficients at a finite lag: D⁽ⁿ⁾(x; τ) = ⟨(x_{t+τ} − x)ⁿ | x_t = x⟩/(n! τ)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

RAGWITZ_KANTZ = (
    "M. Ragwitz, H. Kantz, Phys. Rev. Lett. 87, 254501 (2001); J. Gottschall, J. Peinke, New J. Phys. 10, 083034 (2008)"
)


def linear_drift(x: float, *, order: int, stiffness: float, temperature: float, lag: float) -> Estimate:
    """Return D⁽¹⁾ or D⁽²⁾ at a finite lag for linear drift −kx and noise √(2T).

    D⁽¹⁾ = −(1 − e^{−kτ})x/τ and D⁽²⁾ = [(T/k)(1 − e^{−2kτ}) + (1 − e^{−kτ})²x²]/2τ.

    Parameters
    ----------
    x : float
        Position.
    order : {1, 2}
        Which coefficient.
    stiffness, temperature : float
        k and T, with unit mobility.
    lag : float
        τ.

    Examples
    --------
    >>> round(float(linear_drift(2.0, order=1, stiffness=1.0, temperature=1.0, lag=0.1)), 12)
    -1.903251639281
    >>> round(float(linear_drift(2.0, order=2, stiffness=1.0, temperature=1.0, lag=0.1)), 12)
    1.087464574731
    """
    _check(order, stiffness, temperature, lag)
    lost = -math.expm1(-stiffness * lag)
    if order == 1:
        value = -lost * x / lag
    else:
        spread = -temperature / stiffness * math.expm1(-2.0 * stiffness * lag)
        value = (spread + (lost * x) ** 2) / (2.0 * lag)
    return Estimate(value, ("linear drift", "constant noise"), 0.0, RAGWITZ_KANTZ)


def without_lag(x: float, *, order: int, stiffness: float, temperature: float, lag: float) -> Estimate:
    """Return −kx or T: the coefficients of the dynamics, as which those at a finite lag are often read.

    Parameters
    ----------
    x, order, stiffness, temperature, lag
        As for `linear_drift`; the lag is not used.

    Examples
    --------
    >>> float(without_lag(2.0, order=2, stiffness=1.0, temperature=1.0, lag=0.1))
    1.0
    """
    _check(order, stiffness, temperature, lag)
    value = -stiffness * x if order == 1 else temperature
    return Estimate(value, ("τ → 0",), stiffness * lag, "H. Risken, The Fokker–Planck Equation (1996), eq. (4.7)")


def first_order(x: float, *, order: int, lag: float, drift: ArrayLike, diffusion: ArrayLike) -> Estimate:
    """Return D⁽¹⁾ + (τ/2)(D⁽¹⁾D⁽¹⁾' + D⁽²⁾D⁽¹⁾'') or D⁽²⁾ + (τ/2)(D⁽¹⁾² + D⁽¹⁾D⁽²⁾' + 2D⁽²⁾D⁽¹⁾' + D⁽²⁾D⁽²⁾'').

    Parameters
    ----------
    x : float
        Position.
    order : {1, 2}
        Which coefficient.
    lag : float
        τ; the next order is τ².
    drift, diffusion : array_like
        Coefficients of the polynomials D⁽¹⁾(x) and D⁽²⁾(x), constant first.

    Examples
    --------
    >>> round(float(first_order(2.0, order=1, lag=0.1, drift=[0, -1], diffusion=[1])), 12)
    -1.9
    """
    if order not in (1, 2):
        raise TheoryError(f"order = {order!r} must be 1 (drift) or 2 (diffusion)")
    polynomial = np.polynomial.Polynomial
    one, two = (polynomial(np.asarray(values, dtype=float)) for values in (drift, diffusion))
    if order == 1:
        plain, change = one, one * one.deriv() + two * one.deriv(2)
    else:
        plain = two
        change = one**2 + one * two.deriv() + 2.0 * two * one.deriv() + two * two.deriv(2)
    value, correction = float(plain(x)), 0.5 * lag * float(change(x))
    scale = (correction / value) ** 2 if value else abs(correction)
    return Estimate(value + correction, ("τ below the relaxation time",), scale, RAGWITZ_KANTZ)


def _check(order: int, stiffness: float, temperature: float, lag: float) -> None:
    if order not in (1, 2):
        raise TheoryError(f"order = {order!r} must be 1 (drift) or 2 (diffusion)")
    if not min(stiffness, temperature, lag) > 0.0:
        raise TheoryError(
            f"stiffness = {stiffness!r}, temperature = {temperature!r} and lag = {lag!r} must be positive"
        )
