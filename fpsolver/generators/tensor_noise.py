"""Noise tensors on a grid, and the drift that goes with them.

Components are in the order of the grid's axes. Fields that do not depend on θ have one cell along every axis and
broadcast against the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fpsolver.dynamics.coefficient import Coefficient, check_semidefinite
from fpsolver.dynamics.langevin import Langevin
from fpsolver.errors import DynamicsError
from fpsolver.grids import Grid

RANK_TOLERANCE = 1e-12
"""An eigenvalue below this share of the largest is zero to the rounding of a user's matrix."""


@dataclass(frozen=True, eq=False)
class TensorNoise:
    """The diffusion tensor of overdamped dynamics, and the drift field that an independent one needs.

    Parameters
    ----------
    dynamics : Langevin
        Undriven dynamics.
    grid : Grid
        One axis per variable.
    floor : float, optional
        Smallest eigenvalue that D may have; smaller ones are raised to it. Units of D.
    """

    dynamics: Langevin
    grid: Grid
    floor: float | None = None

    def diffusion(self, points: np.ndarray) -> np.ndarray:
        """Return D at points of shape (..., d), as (..., d, d), floored and checked to be positive definite.

        Raises
        ------
        DynamicsError
            Where D is indefinite or, without a floor, rank-deficient; names the eigenvalue and the point.
        """
        scale = self.dynamics.temperature if self.dynamics.diffusion_is_thermal else 1.0
        assert scale is not None
        tensors = scale * self._tensor(self.dynamics.noise, points)
        lowest, highest = extreme_eigenvalues(tensors)
        floor = self.floor
        if floor is not None:
            low = lowest < floor
            if low.any():
                tensors = tensors.copy()
                tensors[low] = _spectral(tensors[low], lambda eigenvalues: np.maximum(eigenvalues, floor))
            return tensors
        bad = lowest <= RANK_TOLERANCE * highest
        if bad.any():
            noise = self.dynamics.noise
            raise DynamicsError(
                f"{noise.name} = {noise.given!r} is rank-deficient: D has the eigenvalues "
                f"{', '.join(f'{value:.3g}' for value in np.linalg.eigvalsh(tensors[bad][0]))} at "
                f"{self._where(points[bad][0])}; "
                "give tensor_generator a floor= for the smallest eigenvalue, or noise in every direction"
            )
        return tensors

    def floored(self) -> int:
        """Return in how many cells the floor acts."""
        if self.floor is None:
            return 0
        scale = self.dynamics.temperature if self.dynamics.diffusion_is_thermal else 1.0
        assert scale is not None
        points = self.cells(self.dynamics.noise)
        low = extreme_eigenvalues(scale * self._tensor(self.dynamics.noise, points))[0] < self.floor
        return int(np.count_nonzero(low)) if low.size > 1 else int(low.all()) * self.grid.size

    def cells(self, *coefficients: Coefficient) -> np.ndarray:
        """Return the cell centres, or the first of them where none of the coefficients depends on θ."""
        if all(coefficient.constant is not None for coefficient in coefficients):
            return self.grid.points[(slice(0, 1),) * self.grid.dimension]
        return self.grid.points

    def force(self) -> np.ndarray | None:
        """Return the non-conservative force at the cell centres, (..., d), or None where there is none."""
        given = self.dynamics.force
        if given is None or (given.constant is not None and not np.any(given.constant)):
            return None
        theta = self._theta(self.cells(given))
        return given.evaluate(theta, self.dynamics.landscape.parameters)[..., self._components]

    def drift_field(self, tensors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return κ and a field r such that D⁻¹ b_eff = −κ ∇L + r, for independent noise.

        b_eff = M(F − ∇L) − s is the drift in the flux b_eff p − D∇p. The spurious drift s is ∇·D for Itô, S ∇·S
        with the symmetric root S² = D for Stratonovich and zero for Klimontovich. κ = tr(D⁻¹M)/d takes out the part
        for which the exact difference of L can be used: all of it where D is a multiple of M.

        Parameters
        ----------
        tensors : ndarray
            D at the cell centres.

        References
        ----------
        H. Risken, The Fokker–Planck Equation (1996), eqs. (3.118) and (4.94b): with noise √2 S∘dW the flux is
        b p − S ∇·(S p) = (b − S ∇·S) p − D ∇p.
        """
        dynamics, grid = self.dynamics, self.grid
        mobility = self._tensor(dynamics.mobility, self.cells(dynamics.mobility))
        ratio = np.linalg.solve(*np.broadcast_arrays(tensors, mobility))
        kappa = np.einsum("...kk->...", ratio) / grid.dimension
        rest = ratio - kappa[..., None, None] * np.eye(grid.dimension)
        field = np.zeros((*(1,) * grid.dimension, grid.dimension))
        if np.abs(rest).max() > RANK_TOLERANCE * np.abs(ratio).max():
            gradient = dynamics.landscape.gradient(self._theta(grid.points))[..., self._components]
            field = field - np.einsum("...ij,...j->...i", rest, gradient)
        force = self.force()
        if force is not None:
            field = field + np.einsum("...ij,...j->...i", ratio, force)
        if dynamics.noise.constant is None and dynamics.convention in ("ito", "stratonovich"):
            field = field - np.linalg.solve(tensors, self._spurious_drift(tensors)[..., None])[..., 0]
        return kappa, field

    def _spurious_drift(self, tensors: np.ndarray) -> np.ndarray:
        if self.dynamics.convention == "ito":
            return self._divergence(lambda points: self.diffusion(points))
        divergence = self._divergence(lambda points: symmetric_root(self.diffusion(points)))
        return np.einsum("...ij,...j->...i", symmetric_root(tensors), divergence)

    def _divergence(self, field: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return Σ_k ∂_k A_ik at the cell centres, from differences of A between opposite faces."""
        total = np.zeros((*self.grid.shape, self.grid.dimension))
        for k, axis in enumerate(self.grid.axes):
            coordinates = [axis.faces if n == k else other.centres for n, other in enumerate(self.grid.axes)]
            faces = np.stack(np.meshgrid(*coordinates, indexing="ij"), axis=-1)
            step = np.diff(field(faces)[..., k], axis=k)
            total += step / self.grid.along(k, axis.widths)[..., None]
        return total

    def _tensor(self, coefficient: Coefficient, points: np.ndarray) -> np.ndarray:
        """Return a coefficient of any kind as matrices at points, checked to be positive semi-definite."""
        theta, parameters = self._theta(points), self.dynamics.landscape.parameters
        values = coefficient.evaluate(theta, parameters)
        d = self.grid.dimension
        if coefficient.kind == "tensor":
            symmetric = 0.5 * (values + np.swapaxes(values, -1, -2))
            lowest, highest = extreme_eigenvalues(symmetric)
            if (lowest < 0).any() or np.abs(values - symmetric).max() > RANK_TOLERANCE * highest.min():
                check_semidefinite(coefficient, values, theta)
            return symmetric[..., np.array(self._components)[:, None], self._components]
        check_semidefinite(coefficient, values, theta)
        diagonal = np.broadcast_to(values[..., None], theta.shape) if coefficient.kind == "scalar" else values
        return diagonal[..., self._components][..., None] * np.eye(d)

    @property
    def _components(self) -> list[int]:
        """Which variable each axis of the grid carries."""
        return [self.dynamics.landscape.variables.index(name) for name in self.grid.names]

    def _theta(self, points: np.ndarray) -> np.ndarray:
        return points[..., self.grid.order(self.dynamics.landscape.variables)]

    def _where(self, point: np.ndarray) -> str:
        if self.dynamics.noise.constant is not None:
            return "every cell"
        return ", ".join(f"{name} = {x:g}" for name, x in zip(self.grid.names, point, strict=True))


def symmetric_root(tensors: np.ndarray) -> np.ndarray:
    """Return the symmetric positive root S of D = S², shape (..., d, d).

    In two dimensions S = (D + √det D)/√(tr D + 2√det D), by Cayley and Hamilton.
    """
    if tensors.shape[-1] != 2:
        return _spectral(tensors, lambda eigenvalues: np.sqrt(np.maximum(eigenvalues, 0.0)))
    determinant = np.maximum(tensors[..., 0, 0] * tensors[..., 1, 1] - tensors[..., 0, 1] ** 2, 0.0)
    root = np.sqrt(determinant)[..., None, None] * np.eye(2) + tensors
    return root / np.sqrt(tensors[..., 0, 0] + tensors[..., 1, 1] + 2 * np.sqrt(determinant))[..., None, None]


def extreme_eigenvalues(tensors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest eigenvalue of symmetric matrices."""
    if tensors.shape[-1] != 2:
        eigenvalues = np.linalg.eigvalsh(tensors)
        return eigenvalues[..., 0], eigenvalues[..., -1]
    mean = 0.5 * (tensors[..., 0, 0] + tensors[..., 1, 1])
    half = np.hypot(0.5 * (tensors[..., 0, 0] - tensors[..., 1, 1]), tensors[..., 0, 1])
    return mean - half, mean + half


def _spectral(tensors: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return a function of symmetric matrices, applied to their eigenvalues."""
    eigenvalues, vectors = np.linalg.eigh(tensors)
    return np.einsum("...ik,...k,...jk->...ij", vectors, function(eigenvalues), vectors)
