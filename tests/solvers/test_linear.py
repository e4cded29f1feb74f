from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_generator

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, ConvergenceError, MethodError
from fpsolver.solvers.krylov import gmres
from fpsolver.solvers.linear import inverse_generator, solve_generator

ROUTES = ("elimination", "lu", "multigrid")


def rotating(cells=40, temperature=0.2):
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + y**2/2"), temperature=temperature, force=("-y", "x"))
    right = fp.Axis(-2, 2, cells, boundary=("reflecting", "absorbing"))
    return fp.generator(law, fp.Grid(x=right, y=(-2, 2, cells)))


@pytest.mark.parametrize("adjoint", [True, False])
def test_all_routes_agree_within_their_own_estimates(adjoint):
    W = rotating()
    rhs = -np.random.default_rng(1).uniform(0.5, 1.0, W.n_state)
    norm = np.max if adjoint else np.sum
    answers = {m: solve_generator(W.matrix, rhs, adjoint=adjoint, killing=W.killing, method=m) for m in ROUTES}
    reference = answers["elimination"][0]
    for route, (solution, stats) in answers.items():
        assert stats["estimated_error"] < 1e-8, route
        # Elimination, the reference, is itself good to 1e-13.
        assert norm(np.abs(solution - reference)) <= (stats["estimated_error"] + 1e-13) * norm(reference)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), adjoint=st.booleans(), route=st.sampled_from(("auto", *ROUTES)))
def test_random_generators_agree_with_dense_algebra(seed, adjoint, route):
    W = random_generator(seed, shape=(6, 5), boundary=("reflecting", "periodic")[seed % 2], killing=1.0)
    rhs = np.random.default_rng(seed).standard_normal((30, 2))
    solution, _ = solve_generator(W.matrix, rhs, adjoint=adjoint, killing=W.killing, method=route)
    dense = W.matrix.todense()
    exact = np.linalg.solve(dense.T if adjoint else dense, rhs)
    # Multigrid stops at the tolerance, 1e-8 of the solution; the others are limited by rounding.
    assert np.abs(solution - exact).max() < 1e-8 * np.abs(exact).sum()


def test_killing_is_found_from_the_columns():
    W = rotating(20)
    given_killing, _ = solve_generator(W.matrix, -np.ones(400), adjoint=True, killing=W.killing)
    found_killing, _ = solve_generator(W.matrix, -np.ones(400), adjoint=True)
    assert np.abs(found_killing / given_killing - 1).max() < 1e-10


def test_the_error_estimate_warns_of_a_lost_barrier(quartic):
    # At T = 0.008 the barrier is 31 T: the escape rate 2e-14 is below the rounding of rates of 1e2.
    law = fp.Langevin(quartic, temperature=0.008)
    W = fp.generator(law, fp.Grid(x=fp.Axis(-2, 0.0, 200, boundary=("reflecting", "absorbing"))))
    exact, stats = solve_generator(W.matrix, -np.ones(200), adjoint=True, killing=W.killing)
    assert stats["method"] == "elimination"
    with pytest.warns(AccuracyWarning, match="rounding"):
        lost, stats = solve_generator(W.matrix, -np.ones(200), adjoint=True, killing=W.killing, method="lu")
    assert np.abs(lost / exact - 1).max() <= stats["estimated_error"]


def test_an_inverse_can_be_applied_many_times():
    W = rotating(20)
    inverse, name = inverse_generator(W.matrix, W.killing.ravel())
    for seed in range(2):
        source = np.random.default_rng(seed).uniform(size=400)
        found = inverse(source)
        # Rounding of the products, each as large as the rate out of a cell times what it holds.
        rounding = 20 * np.finfo(float).eps * np.abs(W.matrix.diagonal() * found).max()
        assert np.abs(W.matrix @ found + source).max() < rounding and name == "elimination"


def test_a_closed_generator_is_singular(quartic):
    W = fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=(-2, 2, 30)))
    with pytest.raises(MethodError, match="closed"):
        solve_generator(W.matrix, -np.ones(30), adjoint=True, killing=W.killing)


def test_bad_input_is_refused():
    W = rotating(10)
    with pytest.raises(MethodError, match="shape"):
        solve_generator(W.matrix, np.ones(7))
    with pytest.raises(MethodError, match="'LU'"):
        solve_generator(W.matrix, np.ones(100), method="LU")


def test_matrices_that_are_not_markov_go_to_a_pivoting_factorisation():
    random = np.random.default_rng(0)
    matrix = sparse.csr_array(random.standard_normal((30, 30)))
    solution, stats = solve_generator(matrix, np.ones(30), 1e-6)
    assert stats["method"] == "sparse LU"
    assert np.abs(matrix @ solution - 1).max() < 1e-9


def test_gmres_says_when_it_fails():
    matrix = np.diag(np.geomspace(1, 1e12, 400))
    with pytest.raises(ConvergenceError, match="GMRES"):
        gmres(matrix.__matmul__, np.copy, np.ones(400), 1e-12, restart=3, cycles=2)
