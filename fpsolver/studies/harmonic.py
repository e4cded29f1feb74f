"""What the Hessian at the deepest minimum predicts for the relaxation rates: sums of those of the linearised motion."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import Langevin, UnderdampedLangevin
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Harmonic:
    """The harmonic approximation at a minimum.

    Parameters
    ----------
    minimum : ndarray, shape (d,)
        The deepest minimum inside the grid, in the order of the landscape's variables.
    curvatures : ndarray, shape (d,)
        Eigenvalues of the Hessian there.
    rates : ndarray, shape (k,)
        The k slowest rates Σ nᵢ λᵢ, complex for underdamped motion, ascending in their real part.
    """

    minimum: np.ndarray
    curvatures: np.ndarray
    rates: np.ndarray


def harmonic_rates(dynamics: Any, grid: Grid, k: int) -> Harmonic | None:
    """Return the relaxation rates of the motion linearised at the deepest minimum.

    With λᵢ the eigenvalues of the linear drift (μH for overdamped motion) the spectrum of a linear Fokker–Planck
    operator is {Σ nᵢ λᵢ, nᵢ = 0, 1, 2, …}: Metafune, Pallara, Priola, J. Funct. Anal. 196, 40 (2002).

    Parameters
    ----------
    dynamics : Langevin or UnderdampedLangevin
        The law of motion.
    grid : Grid
        Where to look for the minimum.
    k : int
        How many rates.

    Returns
    -------
    Harmonic or None
        None where there is no such prediction: jumps or steps, a driving force or protocol, a mobility or a diffusion
        that depends on θ, an independent diffusion, or no minimum inside the grid.
    """
    if dynamics.driven or not isinstance(dynamics, Langevin | UnderdampedLangevin):
        return None
    if isinstance(dynamics, Langevin) and (
        dynamics.force is not None or dynamics.diffusion is not None or dynamics.mobility.constant is None
    ):
        return None
    minimum = deepest_minimum(dynamics.landscape, grid)
    if minimum is None:
        return None
    hessian = np.atleast_2d(dynamics.landscape.hessian(minimum))
    drift = _drift_matrix(dynamics, hessian)
    return Harmonic(minimum, np.linalg.eigvalsh(hessian), sums_of(np.linalg.eigvals(drift), k))


def deepest_minimum(landscape: Any, grid: Grid) -> np.ndarray | None:
    """Return the minimum that Newton's method finds from the lowest cell, or None if that is not inside the grid."""
    positions = grid.position_grid()
    points = positions.points[..., positions.order(landscape.variables)]
    loss = np.asarray(landscape.value(points))
    theta = points[np.unravel_index(int(np.argmin(loss)), loss.shape)]
    for _ in range(50):
        hessian = np.atleast_2d(landscape.hessian(theta))
        if np.linalg.eigvalsh(hessian)[0] <= 0:
            return None
        step = np.linalg.solve(hessian, landscape.gradient(theta))
        theta = theta - step
        if np.abs(step).max() <= 1e-12 * (1 + np.abs(theta).max()):
            break
    axes = [positions.axis(name) for name in landscape.variables]
    inside = all(axis.lower < value < axis.upper for value, axis in zip(theta, axes, strict=True))
    return theta if inside else None


def sums_of(eigenvalues: np.ndarray, k: int) -> np.ndarray:
    """Return the k smallest sums Σ nᵢ λᵢ with nᵢ ≥ 0, by real part, then by absolute imaginary part.

    Examples
    --------
    >>> sums_of(np.array([1.0, 2.5]), 5).real.tolist()
    [0.0, 1.0, 2.0, 2.5, 3.0]
    """
    origin = (0,) * len(eigenvalues)
    waiting = [(0.0, 0.0, origin)]
    seen = {origin}
    found: list[complex] = []
    # Adding a term never lowers the real part, so that the smallest sum that waits is the next one.
    while len(found) < k:
        counts = heapq.heappop(waiting)[2]
        found.append(complex(np.dot(counts, eigenvalues)))
        for i in range(len(eigenvalues)):
            more = tuple(n + (i == j) for j, n in enumerate(counts))
            if more not in seen:
                seen.add(more)
                value = complex(np.dot(more, eigenvalues))
                heapq.heappush(waiting, (round(value.real, 12), round(abs(value.imag), 12), more))
    return np.array(found)


def _drift_matrix(dynamics: Any, hessian: np.ndarray) -> np.ndarray:
    """Return the matrix A of the linear drift −A z: MH, or [[0, −1], [H/m, γ]] for position and velocity."""
    d = len(hessian)
    if isinstance(dynamics, Langevin):
        mobility = dynamics.mobility.constant
        if dynamics.mobility.kind == "vector":
            mobility = np.diag(mobility)
        return mobility @ hessian if dynamics.mobility.kind != "scalar" else float(mobility) * hessian
    accelerations = hessian / dynamics.masses[:, None]
    return np.block([[np.zeros((d, d)), -np.eye(d)], [accelerations, dynamics.friction * np.eye(d)]])
