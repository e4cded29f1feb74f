"""GMRES on jumps against elimination."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse

import fpsolver as fp
from fpsolver.solvers.linear import solve_generator


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(3)
    rates = rng.uniform(size=(150, 150)) * rng.uniform(0.1, 10.0, 150)
    np.fill_diagonal(rates, 0.0)
    killing = rng.uniform(0.1, 1.0, 150)
    return sparse.csr_array(rates - np.diag(rates.sum(axis=0) + killing)), killing


@pytest.mark.parametrize("adjoint", [True, False])
def test_agrees_with_elimination(problem, adjoint):
    matrix, killing = problem
    rhs = -np.random.default_rng(4).uniform(size=150)
    exact, _ = solve_generator(matrix, rhs, adjoint=adjoint, killing=killing, method="elimination")
    found, stats = solve_generator(matrix, rhs, 1e-10, adjoint=adjoint, killing=killing, method="jumps")
    norm = np.max if adjoint else np.sum
    assert norm(np.abs(found - exact)) <= stats["estimated_error"] * norm(np.abs(exact))
    assert stats["estimated_error"] <= 1e-10


def test_is_chosen_for_a_chain_in_two_dimensions():
    sgd = fp.SGD(fp.Landscape("x**2/2 + y**2"), 0.5, noise=fp.GaussianNoise([[1.0, 0.3], [0.3, 1.0]]))
    W = fp.generator(sgd, fp.Grid(x=(-3.5, 3.5, 30), y=(-3.5, 3.5, 30)))
    p = fp.stationary(W)
    assert p.method == "GMRES on jumps" and p.stats["estimated_error"] <= 1e-8
    variance = float((p.values * W.grid.volumes * W.grid.points[..., 0] ** 2).sum())
    # The tolerance in L1 times the square of the range.
    assert variance == pytest.approx(0.5 / 1.5, abs=1e-8 * 3.5**2)
