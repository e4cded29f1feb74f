"""Slow rates among rates that are many orders faster, against arithmetic with 60 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fpsolver as fp
from fpsolver.generators.matrix import matrix_generator
from fpsolver.solvers.eigenpairs import reversible_pairs
from fpsolver.solvers.eliminated_pairs import eliminated_pairs, needs_elimination


def _balanced(levels: np.ndarray, killing: np.ndarray | None = None):
    """Return jumps between all pairs of levels with rates e^{−ΔL/2}, the half law at T = 1."""
    rates = np.exp(0.5 * (levels[None, :] - levels[:, None]))
    grid = fp.Grid(state=fp.Axis(-0.5, len(levels) - 0.5, len(levels), boundary="reflecting"))
    return matrix_generator(grid, None, "levels", rates, killing=killing, log_equilibrium=-levels)


def _exact_rates(W, count: int) -> list[float]:
    with mpmath.workdps(60):
        n = W.n_state
        matrix = mpmath.zeros(n)
        rates = W.rates.toarray()
        for i in range(n):
            for j in range(n):
                if i != j:
                    matrix[i, j] = -mpmath.mpf(rates[i, j])
        for j in range(n):
            matrix[j, j] = mpmath.mpf(W.killing.ravel()[j]) - mpmath.fsum(matrix[i, j] for i in range(n) if i != j)
        values = mpmath.eig(matrix, left=False, right=False)
        return [float(value) for value in sorted(mpmath.re(value) for value in values)[:count]]


@pytest.mark.parametrize("leaking", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_slow_rates_keep_their_digits(seed: int, leaking: bool) -> None:
    rng = np.random.default_rng(seed)
    levels = np.concatenate([rng.uniform(0.0, 2.0, 6), [40.0, 60.0, 75.0]])
    W = _balanced(levels, np.eye(1, len(levels), 2)[0] * 1e-5 if leaking else None)
    assert needs_elimination(W)
    found = fp.spectrum(W, 4)
    exact = _exact_rates(W, 4)
    assert found.stats["method"] == "Arnoldi with elimination"
    np.testing.assert_allclose(found.rates, exact, rtol=1e-8, atol=0.0 if leaking else 1e-25)
    np.testing.assert_allclose(found.left_modes @ found.modes.T, np.eye(4), atol=1e-7)


def test_a_rate_far_below_the_others_is_found() -> None:
    """Two wells behind a barrier of 30 T, and a wall of 60 T: λ₁ against the mean first-passage time."""
    process = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2"), temperature=0.0125, proposal=fp.GaussianProposal(0.1))
    W = fp.generator(process, fp.Grid(x=(-1.9, 1.9, 190)), "matrix")
    rates = fp.spectrum(W, 3).rates
    tau = fp.mean_first_passage_time(W, lambda x: x > 0.9)
    # λ₁ = 2k and 1/τ = k, up to the time to settle, e^{−ΔL/T} of τ
    assert rates[1] * float(tau.at([[-1.0]])[0]) == pytest.approx(2.0, rel=1e-6)
    assert rates[2] > 1e3 * rates[1]


def test_both_routes_agree_where_both_can_serve() -> None:
    process = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2"), temperature=0.2, proposal=fp.GaussianProposal(0.2))
    W = fp.generator(process, fp.Grid(x=fp.Axis(-1.6, 1.6, 80, boundary="reflecting")), "matrix")
    assert not needs_elimination(W)
    np.testing.assert_allclose(
        eliminated_pairs(W, 5, 1e-10).rates, reversible_pairs(W, 5, 1e-10).rates, rtol=1e-10, atol=1e-14
    )
