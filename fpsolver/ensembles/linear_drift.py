"""Dynamics whose drift is linear: the matrices of the Ornstein–Uhlenbeck process and of its exact step."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.landscapes import Landscape


def matrix_of(coefficient: Any, dimension: int) -> np.ndarray:
    """Return a constant scalar, vector or tensor as a matrix (d, d)."""
    constant = np.asarray(coefficient.constant, dtype=float)
    return constant if constant.ndim == 2 else np.diag(np.broadcast_to(constant, (dimension,)))


def linear_force(dynamics: Langevin) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (J, F₀) of a force F = Jθ + F₀; None where it is not linear."""
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    landscape = dynamics.landscape
    d = landscape.dimension
    if dynamics.force is None:
        return np.zeros((d, d)), np.zeros(d)
    if dynamics.force.texts is None:
        return None
    jacobian, constant = np.zeros((d, d)), np.zeros(d)
    for k, text in enumerate(dynamics.force.texts):
        # A component is linear where, taken for a landscape, it is a quadratic form without curvature.
        names = dynamics.force.function.compiled.names if dynamics.force.constant is None else frozenset()
        used = {name: value for name, value in landscape.parameters.items() if _appears(name, text, names)}
        form = quadratic_form(Landscape(text, used, landscape.variables))
        if form is None or np.any(form[0]):
            return None
        jacobian[k], constant[k] = form[1], form[2]
    return jacobian, constant


def _appears(name: str, text: str, known: frozenset[str]) -> bool:
    from fpsolver.landscapes.expression import check_syntax

    return name in known and name in check_syntax(text).names


def linear_drift(dynamics: Langevin) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return (A, a, D) of undriven dynamics dθ = (Aθ + a) dt + √(2D) dW; None where it has no such form."""
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    if dynamics.mobility.constant is None or dynamics.noise.constant is None:
        return None
    form, force = quadratic_form(dynamics.landscape), linear_force(dynamics)
    if form is None or force is None:
        return None
    d = dynamics.landscape.dimension
    mobility = matrix_of(dynamics.mobility, d)
    return mobility @ (force[0] - form[0]), mobility @ (force[1] - form[1]), diffusion_matrix(dynamics)


def diffusion_matrix(dynamics: Langevin) -> np.ndarray:
    """Return the constant diffusion matrix D of undriven dynamics."""
    matrix = matrix_of(dynamics.noise, dynamics.landscape.dimension)
    return matrix if dynamics.diffusion is not None else dynamics.temperature * matrix


def exact_step(
    matrix: np.ndarray, offset: np.ndarray, diffusion: np.ndarray, dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (e^{A dt}, ∫e^{As}a ds, ∫e^{As} 2D e^{Aᵀs} ds) of dθ = (Aθ + a) dt + √(2D) dW over a step.

    The integrals are summed in series over a time so short that a few terms do, and doubled up from there: every
    term of the covariance is positive semi-definite, so that nothing cancels, whatever the eigenvalues of A.
    """
    d = len(matrix)
    doublings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max() * dt, 1e-300)))) + 3)
    h = dt / 2.0**doublings
    transition, shift, covariance = np.eye(d), h * offset, 2.0 * h * diffusion
    power, drift, spread = np.eye(d), h * offset, 2.0 * h * diffusion
    for k in range(1, 19):
        power = power @ matrix * (h / k)
        drift = matrix @ drift * (h / (k + 1))
        spread = (matrix @ spread + spread @ matrix.T) * (h / (k + 1))
        transition, shift, covariance = transition + power, shift + drift, covariance + spread
    for _ in range(doublings):
        covariance = covariance + transition @ covariance @ transition.T
        shift = shift + transition @ shift
        transition = transition @ transition
    return transition, shift, 0.5 * (covariance + covariance.T)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """Return B with BBᵀ = covariance: lower triangular where that is definite, symmetric otherwise."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
