"""Polynomial Krylov (Arnoldi) steps with a bound of the error from the residual."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.solvers.exponential.system import EPSILON, Outcome, System

VECTORS = 30
NODES = 24
"""Quadrature nodes for the integral of the residual; its integrand is smooth on the scale of a step."""


def krylov(system: System, state: np.ndarray, durations: np.ndarray, tolerance: float) -> Outcome:
    """Evolve any generator by Arnoldi steps of 30 vectors.

    With u(s) = β V e^{sH} e₁ the residual is h v β (e^{sH})_{m1}; as e^{sW} contracts in L1 (for Markov generators),
    the error of a step is at most h β ‖v‖₁ ∫ |(e^{sH})_{m1}| ds. Steps are as long as the tolerance allows.

    Parameters
    ----------
    system : System
        Any.
    state : ndarray
        State of total mass one.
    durations : ndarray, shape (n_times,)
        Positive, ascending.
    tolerance : float
        Allowed error in L1.

    Raises
    ------
    ConvergenceError
        If steps would have to be absurdly short.

    References
    ----------
    Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
    """
    end, now, error, applications = float(durations[-1]), 0.0, 0.0, 0
    rows = []
    guess = end
    for duration in durations:
        while now < float(duration):
            basis, small = _arnoldi(system, state)
            applications += len(basis)
            most = min(guess, float(duration) - now)
            h, coefficients, slip = _longest(basis, small, state, most, 0.5 * tolerance / end)
            if h < 1e-12 * end:
                raise ConvergenceError(f"Krylov steps shrank to {h:.1e}; choose method='implicit' or 'uniformisation'")
            state = coefficients @ basis[: len(coefficients)]
            now = float(duration) if h >= float(duration) - now else now + h
            error += slip + EPSILON * 4
            guess = 2 * h
        rows.append(state)
    return Outcome(np.array(rows), applications, error, "krylov")


def _arnoldi(system: System, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthonormal basis (m + 1 or fewer rows) and the projected matrix, shape (rows, m)."""
    matrix = system.generator.matrix
    most = min(VECTORS, len(state))
    basis = np.zeros((most + 1, len(state)))
    small = np.zeros((most + 1, most))
    basis[0] = state / np.linalg.norm(state)
    for m in range(1, most + 1):
        following = matrix @ basis[m - 1]
        scale = np.linalg.norm(following)
        for _ in range(2):
            overlaps = basis[:m] @ following
            following -= overlaps @ basis[:m]
            small[:m, m - 1] += overlaps
        remainder = np.linalg.norm(following)
        if remainder <= 1e-14 * scale or m == len(state):
            return basis[:m], small[:m, :m]
        small[m, m - 1] = remainder
        basis[m] = following / remainder
    return basis, small


def _longest(
    basis: np.ndarray, small: np.ndarray, state: np.ndarray, h: float, rate: float
) -> tuple[float, np.ndarray, float]:
    """Return the longest step whose error stays below `rate` times it, its coefficients and its error."""
    from scipy.linalg import expm

    m = small.shape[1]
    beta = float(np.linalg.norm(state))
    square = small[:m]
    if len(small) == m:
        return h, beta * expm(h * square)[:, 0], 0.0
    leak = small[m, m - 1] * beta * float(np.abs(basis[m]).sum())
    while True:
        stage = expm(h / NODES * square)
        column = np.zeros(m)
        column[0] = 1.0
        values = [0.0]
        for _ in range(NODES):
            column = stage @ column
            values.append(abs(column[-1]))
        error = leak * h / NODES * float(np.sum(values))
        if error <= rate * h or h == 0:
            return h, beta * column, error
        h *= 0.7
