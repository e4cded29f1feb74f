"""Dynamics whose drift is linear: the matrices of the Ornstein–Uhlenbeck process and of its exact step."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fpsolver.dynamics import Langevin
from fpsolver.ensembles.coefficients_in_time import coefficients_in_time
from fpsolver.landscapes import Landscape
from fpsolver.landscapes.expression import check_syntax


def linear_force(dynamics: Langevin) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (J, F₀) of a force F = Jθ + F₀; None where it is not linear."""
    landscape = dynamics.landscape
    d = landscape.dimension
    if dynamics.force is None:
        return np.zeros((d, d)), np.zeros(d)
    if dynamics.force.texts is None:
        return None
    jacobian, constant = np.zeros((d, d)), np.zeros(d)
    names = dynamics.force.function.compiled.names if dynamics.force.constant is None else frozenset()
    for k, text in enumerate(dynamics.force.texts):
        used = check_syntax(text).names & names & set(landscape.parameters)
        given = tuple((name, landscape.parameters[name]) for name in landscape.parameters if name in used)
        component = _linear_component(text, landscape.variables, given)
        if component is None:
            return None
        jacobian[k], constant[k] = component
    return jacobian, constant


@lru_cache(maxsize=256)
def _linear_component(
    text: str, variables: tuple[str, ...], parameters: tuple[tuple[str, float], ...]
) -> tuple[np.ndarray, float] | None:
    """Return slope and constant of an expression: taken for a landscape, it is a quadratic form without curvature."""
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    form = quadratic_form(Landscape(text, dict(parameters), variables))
    return None if form is None or np.any(form.hessian) else (form.slope, form.constant)


def linear_drift(dynamics: Langevin) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return (A, a, D) of undriven dynamics dθ = (Aθ + a) dt + √(2D) dW; None where it has no such form."""
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    if dynamics.mobility.varies or dynamics.noise.varies:
        return None
    form, force = quadratic_form(dynamics.landscape), linear_force(dynamics)
    if form is None or force is None:
        return None
    (mobility,), (diffusion,) = coefficients_in_time(dynamics, np.zeros(1))
    return mobility @ (force[0] - form[0]), mobility @ (force[1] - form[1]), diffusion


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
    # ‖A‖h is at most 1/8, and in the covariance twice that counts: (1/4)¹³/14! is below the last digit.
    for k in range(1, 14):
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


def square_roots(covariances: np.ndarray) -> np.ndarray:
    """Return the square root of each of a stack of matrices (n, d, d)."""
    return np.stack([square_root(covariance) for covariance in covariances])
