from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_generator

from fpsolver.solvers.multigrid import Multigrid
from fpsolver.solvers.reduction import reduce_network

EPS = np.finfo(float).eps


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), periodic=st.booleans(), shape=st.sampled_from([(6, 5), (4, 3, 4), (17,)]))
def test_the_reduced_network_is_the_schur_complement(seed, periodic, shape):
    W = random_generator(seed, shape=shape, boundary="periodic" if periodic else "reflecting", killing=1.0)
    reduction = reduce_network(W.matrix, W.killing.ravel())
    if reduction is None:
        # Odd rings leave more cells; their seams are the only ones that do not pay.
        assert periodic and any(n % 2 for n in shape)
        return
    dense, left = W.matrix.toarray(), reduction.left
    among = dense[np.ix_(~left, ~left)]
    assert np.count_nonzero(among - np.diag(np.diag(among))) == 0
    schur = dense[np.ix_(left, left)] - dense[np.ix_(left, ~left)] @ np.linalg.solve(among, dense[np.ix_(~left, left)])
    assert np.abs(reduction.reduced.toarray() - schur).max() < 50 * EPS * np.abs(dense).max()


@pytest.mark.parametrize("adjoint", [True, False])
def test_solving_the_reduced_network_solves_the_whole(adjoint):
    W = random_generator(3, shape=(8, 9), killing=1.0)
    reduction = reduce_network(W.matrix, W.killing.ravel())
    rhs = np.random.default_rng(3).standard_normal(W.n_state)
    reduced, dense = reduction.reduced.toarray(), W.matrix.toarray()
    if adjoint:
        reduced, dense = reduced.T, dense.T
    small = np.linalg.solve(reduced, reduction.source(rhs, adjoint))
    solution = reduction.extended(small, rhs, adjoint)
    # Backward stability of the dense solver: the residual is rounding of the products.
    assert np.abs(dense @ solution - rhs).max() < 100 * EPS * (np.abs(dense) @ np.abs(solution)).max()


def test_multigrid_reads_rare_losses_from_the_killing_not_from_column_sums():
    # A ring of 4000 sites which one of them leaves at 1e-9 of the rate of its jumps: from everywhere the mean time is
    # that of the uniform density, 4000 / 1e-9, up to the time of mixing, 4000² / 8.
    size, rare = 4000, 1e-9
    sites, killing = np.arange(size), np.zeros(size)
    killing[7] = rare
    neighbours = np.concatenate([np.roll(sites, 1), np.roll(sites, -1)])
    ring = sparse.coo_array((np.ones(2 * size), (np.tile(sites, 2), neighbours)), shape=(size, size))
    matrix = sparse.csr_array(ring - sparse.diags_array(2.0 + killing))
    times, _ = Multigrid(matrix, True, killing)(-np.ones(size), 1e-8)
    # A residual of 1e-8 may change the mean time by that share of it, 4e4, less than the time of mixing.
    assert np.abs(times - size / rare).max() < 1.1 * size**2 / 8


def test_networks_in_which_nothing_is_spared_are_left_alone():
    full = np.ones((6, 6)) - 7.0 * np.eye(6)
    assert reduce_network(sparse.csr_array(full), np.ones(6)) is None
