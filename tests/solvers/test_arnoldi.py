from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import ConvergenceError
from fpsolver.solvers.arnoldi import dominant_pairs


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 6))
def test_random_matrices_agree_with_dense_algebra(seed, k):
    random = np.random.default_rng(seed)
    frame = np.linalg.qr(random.standard_normal((120, 120)))[0]
    # Separated moduli, one conjugate pair among them.
    block = np.diag(0.9 ** np.arange(120.0))
    block[2:4, 2:4] = [[0.6, 0.5], [-0.5, 0.6]]
    matrix = frame @ block @ frame.T
    values, vectors = dominant_pairs(matrix.__matmul__, random.standard_normal(120), k, 1e-10)
    dense = np.linalg.eigvals(matrix)
    dense = dense[np.argsort(-np.abs(dense))][: len(values)]
    # The matrix is normal, so that eigenvalues are as good as their residuals.
    assert np.abs(values[:, None] - dense).min(axis=1).max() < 1e-9
    assert np.abs(np.abs(values) - np.abs(dense)).max() < 1e-9
    assert np.linalg.norm(matrix @ vectors - vectors * values, axis=0).max() < 1e-9
    assert np.allclose(np.linalg.norm(vectors, axis=0), 1.0)


def test_an_invariant_subspace_ends_the_iteration():
    matrix = np.diag([3.0, 2.0, 1.0] + [0.5] * 37)
    values, _ = dominant_pairs(matrix.__matmul__, np.eye(40)[:3].sum(axis=0), 2, 1e-12)
    # Of norm 3, so that rounding is 3 eps times a few.
    assert np.abs(values - [3.0, 2.0]).max() < 1e-14


def test_it_says_when_it_does_not_converge():
    # All moduli are equal: nothing dominates.
    turn = np.roll(np.eye(60), 1, axis=0)
    with pytest.raises(ConvergenceError, match="Arnoldi"):
        dominant_pairs(turn.__matmul__, np.random.default_rng(0).standard_normal(60), 2, 1e-12, vectors=10, restarts=3)
