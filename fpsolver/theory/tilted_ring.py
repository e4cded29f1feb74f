"""Drift and diffusion of a particle on a tilted periodic landscape, by quadrature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

if TYPE_CHECKING:
    from fpsolver.landscapes import Landscape

STRATONOVICH = "R. L. Stratonovich, Radiotekh. Elektron. 3, 497 (1958)"
REIMANN = "P. Reimann et al., Phys. Rev. Lett. 87, 010602 (2001), eq. (6)"

_ASSUMPTIONS = ("overdamped", "loss of the stated period, constant force", "long times")
# Nodes to a period, for the outer mean (trapezoidal, spectral on a period) and the inner integral (Gauss–Legendre).
_OUTER, _INNER = 512, 256


def velocity(
    landscape: Landscape, *, force: float, temperature: float, period: float, mobility: float = 1.0
) -> Estimate:
    """Return the mean velocity ⟨v⟩ = P μT (1 − e^{−PF/T})/∫∫e^{[U(x) − U(x − y)]/T} dy dx, with U = L − Fx.

    Parameters
    ----------
    landscape : Landscape
        A loss of one variable with the period P.
    force, temperature, period, mobility : float
        F, T, P and μ.

    Examples
    --------
    >>> import fpsolver as fp
    >>> found = velocity(fp.Landscape("-cos(x)"), force=0.5, temperature=0.5, period=2 * np.pi)
    >>> round(float(found), 10)
    0.175593406
    """
    plus, _ = _integrals(landscape, force, temperature, period, mobility)
    value = -np.expm1(-period * force / temperature) / plus.mean()
    return Estimate(float(value), _ASSUMPTIONS, 0.0, STRATONOVICH)


def diffusion(
    landscape: Landscape, *, force: float, temperature: float, period: float, mobility: float = 1.0
) -> Estimate:
    """Return the effective diffusion coefficient μT ⟨I₊²I₋⟩/⟨I₊⟩³.

    I±(x) = ∫e^{±[U(x) − U(x ∓ y)]/T} dy over a period, with U = L − Fx and means ⟨·⟩ over a period.

    Parameters
    ----------
    landscape, force, temperature, period, mobility
        As for `velocity`.

    Examples
    --------
    >>> import fpsolver as fp
    >>> found = diffusion(fp.Landscape("-cos(x)"), force=0.5, temperature=0.5, period=2 * np.pi)
    >>> round(float(found), 10)
    0.4235887974
    """
    plus, minus = _integrals(landscape, force, temperature, period, mobility)
    value = mobility * temperature * np.mean(plus**2 * minus) / np.mean(plus) ** 3
    return Estimate(float(value), _ASSUMPTIONS, 0.0, REIMANN)


def _integrals(
    landscape: Landscape, force: float, temperature: float, period: float, mobility: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return ∫e^{±[U(x) − U(x ∓ y)]/T} dy/(μT) at points x of a period."""
    if landscape.dimension != 1:
        raise TheoryError(f"the landscape has {landscape.dimension} variables; a ring has one")
    if not (temperature > 0 and period > 0 and mobility > 0):
        raise TheoryError(
            f"temperature = {temperature!r}, period = {period!r}, mobility = {mobility!r} must be positive"
        )

    def loss(x: np.ndarray) -> np.ndarray:
        return np.asarray(landscape.value(x[..., None]))

    x = period * np.arange(_OUTER) / _OUTER
    here = loss(x)
    if np.abs(loss(x + period) - here).max() > 1e-9 * max(1.0, float(np.ptp(here))):
        raise TheoryError(f"the loss does not have the period {period:g}; put its tilt into force=")
    nodes, weights = np.polynomial.legendre.leggauss(_INNER)
    y, weights = 0.5 * period * (nodes + 1.0), 0.5 * period * weights
    results = []
    for sign in (1.0, -1.0):
        # ±[U(x) − U(x ∓ y)] with U = L − Fx: the tilt gives −F y for either sign.
        exponent = (sign * (here[:, None] - loss(x[:, None] - sign * y)) - force * y) / temperature
        results.append(np.exp(exponent) @ weights / (mobility * temperature))
    return results[0], results[1]
