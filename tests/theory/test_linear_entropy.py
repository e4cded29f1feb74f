from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

from fpsolver.errors import TheoryError
from fpsolver.theory import linear_entropy


def system(seed, d=3):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(d, d))
    return {"drift": 3 * np.eye(d) + rng.normal(size=(d, d)) * 0.5, "diffusion": noise @ noise.T + 0.5 * np.eye(d)}


def scgf(s, given):
    return float(linear_entropy.scgf(s, **given))


@pytest.mark.parametrize("seed", range(5))
def test_symmetry_zeros_and_slope(seed):
    """λ(s) = λ(−1 − s), λ(0) = λ(−1) = 0, λ'(0) = tr(AᵀD⁻¹A S) − tr A with AS + SAᵀ = 2D."""
    given = system(seed)
    a, d = given["drift"], given["diffusion"]
    for s in (0.0, 0.05, -0.3):
        assert scgf(s, given) == pytest.approx(scgf(-1 - s, given), abs=1e-10)
    assert abs(scgf(0.0, given)) < 1e-12
    spread = solve_continuous_lyapunov(a, 2 * d)
    mean = np.trace(a.T @ np.linalg.solve(d, a) @ spread) - np.trace(a)
    h = 1e-3
    slope = (8 * (scgf(h, given) - scgf(-h, given)) - (scgf(2 * h, given) - scgf(-2 * h, given))) / (12 * h)
    # Differences of fourth order: h⁴ of a fifth cumulant, and rounding over h.
    assert slope == pytest.approx(mean, abs=1e-8)


def test_equilibrium_produces_none():
    for s in (-0.5, 0.4):
        assert abs(scgf(s, {"drift": [[2.0, 0.5], [0.5, 1.0]], "diffusion": np.eye(2)})) < 1e-12


def test_refusals():
    with pytest.raises(TheoryError, match="stable"):
        linear_entropy.scgf(0.1, drift=[[-1.0]], diffusion=[[1.0]])
    with pytest.raises(TheoryError, match="infinite"):
        linear_entropy.scgf(40.0, drift=[[1.0, 0.5], [0.5, 1.0]], diffusion=[[1.0, 0.0], [0.0, 2.0]])
