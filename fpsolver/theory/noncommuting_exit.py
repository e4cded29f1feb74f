"""Exit of SGD from a quadratic well under noise that does not commute with the Hessian: what replaces ΔL/T.

The stationary covariance S of the chain gives the quasi-potential ½θᵀS⁻¹θ, and its least value on the boundary of a
region the exponent of the mean exit time as the noise becomes small.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import exponential, finite, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.sgd_temperatures import temperature
from fpsolver.theory.stationary_sgd import chain_covariance

FREIDLIN = "M. I. Freidlin, A. D. Wentzell, Random Perturbations of Dynamical Systems, theorem 4.1 of chapter 4"

_ASSUMPTIONS = ("quadratic loss", "Gaussian noise that does not depend on θ", "small noise")


def exponent(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, boundary: ArrayLike) -> Estimate:
    """Return min ½θᵀS⁻¹θ over a boundary, the exponent of the mean exit time.

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H, with ηH < 2, and C > 0, the covariance of the minibatch gradient.
    learning_rate : float
        η.
    boundary : array_like, shape (n, d)
        Points of the boundary, counted from the minimum, dense enough to show its lowest one.

    Returns
    -------
    Estimate
        A number, exact as C → 0 at any fixed η < 2/h; `error_scale` is its inverse.

    Examples
    --------
    >>> turn = np.linspace(0.0, 2.0 * np.pi, 721)
    >>> circle = 2.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    >>> round(float(exponent(np.diag([1.0, 3.0]), np.eye(2), learning_rate=0.1, boundary=circle)), 9)
    38.0
    """
    covariance = chain_covariance(hessian, noise, learning_rate=learning_rate)
    points = _points(boundary, len(covariance))
    heights = 0.5 * np.einsum("ni,in->n", points, np.linalg.solve(covariance, points.T))
    value = float(heights.min())
    return Estimate(value, _ASSUMPTIONS, 1.0 / value, FREIDLIN)


def exponent_as_written(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, boundary: ArrayLike) -> Estimate:
    """Return ΔL/T, the least loss on the boundary over T = (η/2) tr C/d.

    Parameters
    ----------
    hessian, noise, learning_rate, boundary
        As for `exponent`, which it equals as η → 0 for C = σ²1.
    """
    t = float(temperature(noise, learning_rate=learning_rate))
    h = np.atleast_2d(finite("hessian", hessian))
    points = _points(boundary, len(h))
    value = float((0.5 * np.einsum("ni,ij,nj->n", points, h, points)).min()) / t
    return Estimate(
        value, ("isotropic noise", "ηH ≪ 1", "small noise"), 1.0 / value, "Arrhenius' law with one temperature"
    )


def exit_point(
    hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, normal: ArrayLike, distance: float
) -> np.ndarray:
    """Return Sn·a/(nᵀSn), shape (d,): where exits through the plane n·θ = a gather.

    Parameters
    ----------
    hessian, noise, learning_rate
        As for `exponent`.
    normal : array_like, shape (d,)
        n, of any length.
    distance : float
        a.

    Examples
    --------
    >>> exit_point(np.diag([1.0, 3.0]), np.eye(2), learning_rate=0.1, normal=[1.0, 0.0], distance=2.0)
    array([2., 0.])
    """
    covariance, n = _with_normal(hessian, noise, learning_rate, normal)
    along = covariance @ n
    return along * (positive("distance", distance) / float(n @ along))


def plane_exponent(
    hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, normal: ArrayLike, distance: float
) -> Estimate:
    """Return a²/(2 nᵀSn), the least quasi-potential on the plane n·θ = a.

    Parameters
    ----------
    hessian, noise, learning_rate, normal, distance
        As for `exit_point`.

    Examples
    --------
    >>> round(float(plane_exponent([[1.0]], [[1.0]], learning_rate=0.1, normal=[1.0], distance=1.0)), 9)
    9.5
    """
    covariance, n = _with_normal(hessian, noise, learning_rate, normal)
    value = positive("distance", distance) ** 2 / (2.0 * float(n @ covariance @ n))
    return Estimate(value, _ASSUMPTIONS, 1.0 / value, FREIDLIN)


def loss_level_exponent(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, height: float) -> Estimate:
    """Return ΔL/λ_max(H^{1/2}SH^{1/2}), the least quasi-potential on the level L = ΔL: that of the hottest direction.

    Parameters
    ----------
    hessian, noise, learning_rate
        As for `exponent`.
    height : float
        ΔL.

    Examples
    --------
    >>> round(float(loss_level_exponent(np.diag([1.0, 3.0]), np.eye(2), learning_rate=0.1, height=1.0)), 9)
    17.0
    """
    covariance = chain_covariance(hessian, noise, learning_rate=learning_rate)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.asarray(hessian, dtype=float)))
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    value = positive("height", height) / float(np.linalg.eigvalsh(root @ covariance @ root)[-1])
    return Estimate(value, _ASSUMPTIONS, 1.0 / value, FREIDLIN)


def plane_exit_time(
    hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float, normal: ArrayLike, distance: float
) -> Estimate:
    """Return τ = √(2πs) s/(a·nᵀDn)·e^{a²/2s} with s = nᵀSn and D = ηC/2: the mean learning time to pass a plane.

    Parameters
    ----------
    hessian, noise, learning_rate, normal, distance
        As for `exit_point`; a learning rate at which the chain is near its continuous limit.

    Returns
    -------
    Estimate
        A learning time, with the prefactor of the continuous motion. `error_scale` is the larger of s/a² and of the
        share 0.58 ηa√(nᵀCn)/s by which the overshoot of a step lengthens it.

    Notes
    -----
    1/τ is the stationary density on the plane times the speed nᵀD S⁻¹θ at which the likeliest path arrives; the
    circulating part of the drift is tangential at the exit point.

    Examples
    --------
    >>> time = plane_exit_time([[1.0]], [[2e9]], learning_rate=1e-9, normal=[1.0], distance=4.0)
    >>> round(float(time))
    1868
    """
    covariance, n = _with_normal(hessian, noise, learning_rate, normal)
    a, s = positive("distance", distance), float(n @ covariance @ n)
    across = learning_rate * float(n @ np.atleast_2d(np.asarray(noise, dtype=float)) @ n)
    value = math.sqrt(2.0 * math.pi * s) * s / (a * across / 2.0) * exponential(a**2 / (2.0 * s))
    overshoot = 0.5826 * a / s * math.sqrt(learning_rate * across)
    return Estimate(value, (*_ASSUMPTIONS, "ηH ≪ 1"), max(s / a**2, overshoot), FREIDLIN)


def _points(boundary: ArrayLike, dimension: int) -> np.ndarray:
    points = np.atleast_2d(finite("boundary", boundary))
    if points.ndim != 2 or points.shape[1] != dimension or not points.any(axis=1).all():
        raise TheoryError(
            f"boundary of shape {points.shape} must hold points of shape (n, {dimension}), none at the origin"
        )
    return points


def _with_normal(
    hessian: ArrayLike, noise: ArrayLike, learning_rate: float, normal: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return S and the normal."""
    covariance = chain_covariance(hessian, noise, learning_rate=learning_rate)
    n = finite("normal", normal)
    if n.shape != (len(covariance),) or not n.any():
        raise TheoryError(f"normal = {normal!r} must be a vector of {len(covariance)} numbers, not all zero")
    return covariance, n
