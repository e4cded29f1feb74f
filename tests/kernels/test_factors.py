import numpy as np
import pytest
from pytest import approx
from scipy.linalg import solve_sylvester

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import factors

PRECISIONS = {"double": (np.float64, 1e-12), "single": (np.float32, 1e-4)}
"""Type and tolerance: condition numbers of up to some hundred, times a few dozen operations."""


def sample(d, dtype):
    """Return matrices (256, d, d), derivatives (256, d, d, d), both packed, and work space."""
    rng = np.random.default_rng(d)
    a, slopes = rng.normal(size=(LANES, d, d)), rng.normal(size=(LANES, d, d, d))
    matrices, slopes = a @ a.transpose(0, 2, 1) + 0.5 * np.eye(d), slopes + slopes.transpose(0, 2, 1, 3)
    packed = np.concatenate([matrices[:, i, j] for i in range(d) for j in range(i + 1)]).astype(dtype)
    jacobian = np.concatenate([slopes[:, i, j, k] for i in range(d) for j in range(i + 1) for k in range(d)])
    vectors, work = np.zeros(d * d * LANES, dtype), np.zeros(factors.work_rows(d) * LANES, dtype)
    return matrices, slopes, packed, jacobian.astype(dtype), vectors, work


def unpacked(c, d, symmetric):
    full = np.zeros((LANES, d, d))
    for i in range(d):
        for j in range(i + 1):
            full[:, i, j] = c[factors.packed(i, j) * LANES :][:LANES]
            full[:, j, i] = full[:, i, j] if symmetric or i == j else 0
    return full


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_factors_give_back_the_matrix(d, precision):
    dtype, tolerance = PRECISIONS[precision]
    matrices, _, packed, _, vectors, work = sample(d, dtype)
    lower, root = packed.copy(), packed.copy()
    factors.cholesky(lower, work, d)
    factors.symmetric_root(root, vectors, work, d)
    below, square = unpacked(lower, d, False), unpacked(root, d, True)
    scale = np.abs(matrices).max()
    assert below @ below.transpose(0, 2, 1) == approx(matrices, abs=tolerance * scale)
    assert square @ square == approx(matrices, abs=tolerance * scale)
    assert (np.linalg.eigvalsh(square) > 0).all()
    x = np.random.default_rng(0).normal(size=(d, LANES)).astype(dtype)
    solved = x.ravel().copy()
    factors.solve(factors.TENSOR, lower, solved, d)
    found = solved.reshape(d, -1).T
    expected = np.linalg.solve(matrices, x.T[..., None])[..., 0]
    assert found == approx(expected, abs=10 * tolerance * np.abs(expected).max())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_drift_of_the_symmetric_root_solves_sylvester_equations(d, precision):
    dtype, tolerance = PRECISIONS[precision]
    matrices, slopes, packed, jacobian, vectors, work = sample(d, dtype)
    out = np.zeros(d * LANES, dtype)
    factors.add_root_drift(packed, jacobian, vectors, work, 2.0, out, d)
    values, basis = np.linalg.eigh(matrices)
    root = np.einsum("nia,na,nja->nij", basis, np.sqrt(values), basis)
    expected = np.zeros((LANES, d))
    for n in range(LANES):
        for k in range(d):
            expected[n] += 2.0 * solve_sylvester(root[n], root[n], slopes[n, :, :, k]) @ root[n, :, k]
    found = out.reshape(d, -1).T
    assert found == approx(expected, abs=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("entries", [(1, 2, 1), (0, 1, 1), (-1, 0, 1), (1, 0.5, 0.25 - 1e-6), (np.nan, 0, 1)])
def test_a_negative_eigenvalue_gives_nan(entries):
    packed = np.repeat(np.array(entries, dtype=float), LANES)
    factors.cholesky(packed, np.zeros(factors.work_rows(2) * LANES), 2)
    assert np.isnan(packed[2 * LANES :]).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_matrices_that_have_lost_rank_have_a_triangular_factor(rank, precision):
    """What is left of a pivot by rounding is about 1e-16 of it, and its column is dropped up to its square root."""
    dtype = PRECISIONS[precision][0]
    a = np.random.default_rng(rank).integers(-3, 4, size=(LANES, 4, rank)).astype(float)
    matrices = a @ a.transpose(0, 2, 1)
    packed = np.concatenate([matrices[:, i, j] for i in range(4) for j in range(i + 1)]).astype(dtype)
    factors.cholesky(packed, np.zeros(factors.work_rows(4) * LANES, dtype), 4)
    below = unpacked(packed, 4, False)
    tolerance = factors.SINGULAR[0 if dtype is np.float64 else 1] ** 0.5
    assert below @ below.transpose(0, 2, 1) == approx(matrices, abs=3 * tolerance * max(matrices.max(), 1))


def test_a_multiple_of_unity_has_eigenvectors():
    packed = np.repeat([4.0, 0.0, 4.0], LANES)
    factors.symmetric_root(packed, np.zeros(4 * LANES), np.zeros(factors.work_rows(2) * LANES), 2)
    assert packed[::LANES] == approx([2.0, 0.0, 2.0])
