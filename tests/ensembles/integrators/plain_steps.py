"""Steps of overdamped dynamics in plain NumPy, written from the papers, for points (..., d).

The law is dθ = a dt + √(2D) dW in Itô's sense. Derivatives of D are taken by differences, so that nothing
here shares code with what it tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]

STEP = 1e-4


@dataclass(frozen=True)
class Law:
    """Drift M(F − ∇L) without noise terms, diffusion matrix, and convention."""

    force: Field
    diffusion: Field
    convention: str

    def derivatives(self, field: Field, x: np.ndarray) -> np.ndarray:
        """Return ∂_k of a matrix field, index k last, by central differences of sixth order."""
        parts = []
        for k in range(x.shape[-1]):
            e = STEP**0.5 * np.eye(x.shape[-1])[k]
            parts.append(
                (
                    45 * (field(x + e) - field(x - e))
                    - 9 * (field(x + 2 * e) - field(x - 2 * e))
                    + field(x + 3 * e)
                    - field(x - 3 * e)
                )
                / (60 * STEP**0.5)
            )
        return np.stack(parts, axis=-1)

    def divergence(self, x: np.ndarray) -> np.ndarray:
        """Return ∇·D."""
        return np.einsum("...ikk->...i", self.derivatives(self.diffusion, x))

    def root(self, x: np.ndarray) -> np.ndarray:
        """Return the symmetric root of D."""
        values, vectors = np.linalg.eigh(self.diffusion(x))
        return np.einsum("...ia,...a,...ja->...ij", vectors, np.sqrt(values), vectors)

    def root_drift(self, x: np.ndarray) -> np.ndarray:
        """Return Σ S_kj ∂_k S_ij."""
        return np.einsum("...kj,...ijk->...i", self.root(x), self.derivatives(self.root, x))

    def drift(self, x: np.ndarray) -> np.ndarray:
        """Return the Itô drift."""
        if self.convention == "ito":
            return self.force(x)
        extra = self.root_drift(x) if self.convention == "stratonovich" else self.divergence(x)
        return self.force(x) + extra

    def factor(self, x: np.ndarray) -> np.ndarray:
        """Return the lower triangular b with b bᵀ = 2D."""
        return np.linalg.cholesky(2 * self.diffusion(x))


def apply(matrix: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return matrix times vector."""
    return np.einsum("...ij,...j->...i", matrix, z)


def euler_maruyama(law: Law, x: np.ndarray, z: np.ndarray, dt: float) -> np.ndarray:
    """Kloeden and Platen (14.1.1)."""
    return x + law.drift(x) * dt + apply(law.factor(x), z) * np.sqrt(dt)


def heun(law: Law, x: np.ndarray, z: np.ndarray, dt: float) -> np.ndarray:
    """Heun's scheme for the Stratonovich equation with the symmetric root."""
    h = np.sqrt(2 * dt)
    drift = [law.drift(x) - law.root_drift(x)]
    guess = x + drift[0] * dt + apply(law.root(x), z) * h
    drift.append(law.drift(guess) - law.root_drift(guess))
    return x + sum(drift) * dt / 2 + apply(law.root(x) + law.root(guess), z) * h / 2


def weak_2(law: Law, x: np.ndarray, z: np.ndarray, dt: float) -> np.ndarray:
    """Kloeden and Platen (15.1.3), term by term; z holds d increments, then V_{rj}/Δ for j = 1, …, r = 0, …, j − 1."""
    d, h = x.shape[-1], np.sqrt(dt)
    w = z[..., :d] * h
    a, b = law.drift(x), law.factor(x)
    v = np.zeros((*x.shape, d))
    pair = d
    for j in range(1, d):
        for r in range(j):
            if pair < z.shape[-1]:
                v[..., r, j] = dt * z[..., pair]
                v[..., j, r] = -v[..., r, j]
            pair += 1
    new = x + (law.drift(x + a * dt + apply(b, w)) + a) * dt / 2
    for j in range(d):
        plus = law.factor(x + a * dt + b[..., j] * h)[..., j]
        minus = law.factor(x + a * dt - b[..., j] * h)[..., j]
        wj = w[..., j, None]
        new = new + (plus + minus + 2 * b[..., j]) * wj / 4 + (plus - minus) * (wj**2 - dt) / h / 4
        for r in range(d):
            if r != j:
                up, down = law.factor(x + b[..., r] * h)[..., j], law.factor(x - b[..., r] * h)[..., j]
                mixed = w[..., j, None] * w[..., r, None] + v[..., r, j, None]
                new = new + (up + down - 2 * b[..., j]) * wj / 4 + (up - down) * mixed / h / 4
    return new


STEPS = {"euler-maruyama": euler_maruyama, "heun": heun, "weak-2": weak_2}
