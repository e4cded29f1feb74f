"""Gradient descent on a parabola: a linear chain, and its stationary state at any learning rate."""

from __future__ import annotations

import numpy as np

from fpsolver.dynamics import SGD
from fpsolver.errors import MethodError


def linear_chain(dynamics: SGD) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return (A, Q, z*) of undriven SGD as z′ − z* = A(z − z*) + noise of covariance Q; None where it has no such form.

    z is θ, or (θ, v) with momentum: v′ = βv − ηH(θ + sβv − θ*) − ηξ and θ′ = θ + v′, with s = 1 for Nesterov's method
    and 0 for the heavy ball, and H the curvature with weight decay.

    Parameters
    ----------
    dynamics : SGD
        With normal noise of constant covariance, or none.
    """
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    form, covariance = quadratic_form(dynamics.landscape), dynamics.covariance
    if form is None or (covariance is None and dynamics.noise is not None) or (covariance and covariance.varies):
        return None
    d, rate, beta = dynamics.landscape.dimension, dynamics.learning_rate, dynamics.momentum
    curvature = form.hessian + dynamics.weight_decay * np.eye(d)
    pull = rate * curvature
    minimum = -np.linalg.lstsq(curvature, form.slope, rcond=None)[0]
    spread = rate**2 * dynamics.noise_covariance(np.zeros(d))
    if not dynamics.inertial:
        return np.eye(d) - pull, spread, minimum
    keep = beta * (np.eye(d) - pull if dynamics.nesterov else np.eye(d))
    return np.block([[np.eye(d) - pull, keep], [-pull, keep]]), np.tile(spread, (2, 2)), np.append(minimum, np.zeros(d))


def stationary_moments(dynamics: SGD) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the stationary state, velocities included where there is momentum.

    Raises
    ------
    MethodError
        If the state is not known in closed form, or there is none.
    """
    from scipy.linalg import solve_discrete_lyapunov

    chain = linear_chain(dynamics)
    if chain is None:
        raise MethodError(
            'initial = "stationary" needs SGD with normal noise of constant covariance on a quadratic landscape; give '
            "a density: fp.Field(grid, fp.stationary(generator))"
        )
    matrix, spread, centre = chain
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    if radius >= 1.0:
        raise MethodError(
            f'initial = "stationary": this chain has no stationary state, its steps grow by {radius:g}; make '
            "learning_rate smaller"
        )
    covariance = solve_discrete_lyapunov(matrix, spread)
    return centre, 0.5 * (covariance + covariance.T)
