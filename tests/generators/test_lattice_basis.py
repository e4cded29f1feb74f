"""Selling's decomposition: positive, exact, with short integer offsets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import DynamicsError
from fpsolver.generators.lattice_basis import ROUNDING, obtuse_superbase, selling_decomposition


def random_tensors(seed: int, dimension: int, anisotropy: float, count: int = 40) -> np.ndarray:
    """Return positive definite tensors in random directions, eigenvalues between 1 and the anisotropy."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(count, dimension, dimension)))
    eigenvalues = anisotropy ** rng.uniform(0, 1, size=(count, dimension))
    eigenvalues[:, 0], eigenvalues[:, -1] = anisotropy, 1.0
    tensors = np.einsum("nik,nk,njk->nij", axes, eigenvalues, axes)
    return 0.5 * (tensors + np.swapaxes(tensors, -1, -2))


def reconstruction_bound(tensors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return what rounding may change: the error bound of each ⟨b_i, D b_j⟩ times the size of its e eᵀ."""
    bases = np.abs(obtuse_superbase(tensors))
    bound = 0.0
    for n, (i, j) in enumerate(combinations(range(bases.shape[-2]), 2)):
        product = np.einsum("nk,nkl,nl->n", bases[:, i], np.abs(tensors), bases[:, j])
        bound = bound + 2 * ROUNDING * product * np.abs(offsets[:, n]).max(axis=-1) ** 2
    return bound


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), dimension=st.sampled_from([2, 3]), anisotropy=st.floats(1, 1e4))
def test_reconstructs_any_tensor(seed, dimension, anisotropy):
    tensors = random_tensors(seed, dimension, anisotropy)
    weights, offsets = selling_decomposition(tensors)
    assert weights.shape[-1] == dimension * (dimension + 1) // 2
    assert offsets.dtype == np.int64
    assert (weights >= 0).all()
    rebuilt = np.einsum("nk,nki,nkj->nij", weights, offsets, offsets)
    error = np.abs(rebuilt - tensors).max(axis=(-1, -2))
    assert (error <= reconstruction_bound(tensors, offsets)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), dimension=st.sampled_from([2, 3]), anisotropy=st.floats(1, 1e4))
def test_superbase_is_obtuse_and_spans_the_lattice(seed, dimension, anisotropy):
    tensors = random_tensors(seed, dimension, anisotropy)
    bases = obtuse_superbase(tensors)
    assert (bases.sum(axis=1) == 0).all()
    assert np.array_equal(np.abs(np.rint(np.linalg.det(bases[:, 1:].astype(float)))), np.ones(len(bases)))
    for i, j in combinations(range(dimension + 1), 2):
        product = np.einsum("nk,nkl,nl->n", bases[:, i], tensors, bases[:, j])
        size = np.einsum("nk,nkl,nl->n", np.abs(bases[:, i]), np.abs(tensors), np.abs(bases[:, j]))
        assert (product <= 2 * ROUNDING * size).all()


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_diagonal_tensors_keep_the_axes(dimension):
    tensor = np.diag(np.arange(1.0, dimension + 1))
    weights, offsets = selling_decomposition(tensor)
    used = {tuple(offset): weight for offset, weight in zip(offsets.tolist(), weights, strict=True) if weight > 0}
    assert used == {tuple(row): k + 1.0 for k, row in enumerate(np.eye(dimension, dtype=int).tolist())}


def test_face_centred_lattice():
    # A_3: all six weights are 1 in Σ e eᵀ over the axes and their pairwise differences.
    tensor = np.array([[3.0, -1.0, -1.0], [-1.0, 3.0, -1.0], [-1.0, -1.0, 3.0]])
    weights, offsets = selling_decomposition(tensor)
    assert np.allclose(weights, 1.0, rtol=0, atol=4 * ROUNDING * 9)
    expected = {(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, -1, 0), (1, 0, -1), (0, 1, -1)}
    assert {tuple(offset) for offset in offsets.tolist()} == expected


def test_weights_are_continuous_in_the_tensor():
    angles = np.linspace(0, np.pi, 4001)
    cosine, sine = np.cos(angles), np.sin(angles)
    axes = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    tensors = np.einsum("nik,k,njk->nij", axes, [30.0, 1.0], axes)
    weights, offsets = selling_decomposition(tensors)
    step = np.pi / 4000
    # |dD/dφ| ≤ 29; a weight is λ = −⟨b, D b'⟩, so it changes by at most |b||b'| times that, with |b|² ≤ 30.
    for offset in {tuple(e) for e in offsets.reshape(-1, 2).tolist()}:
        there = (offsets == np.array(offset)).all(axis=-1)
        weight = np.where(there, weights, 0.0).sum(axis=1)
        assert np.abs(np.diff(weight)).max() <= 30 * 29 * step


def test_shapes_are_kept_and_offsets_canonical():
    tensors = random_tensors(1, 3, 50.0, count=6).reshape(2, 3, 3, 3)
    weights, offsets = selling_decomposition(tensors)
    assert weights.shape == (2, 3, 6)
    assert offsets.shape == (2, 3, 6, 3)
    flat = offsets.reshape(-1, 3)
    first = flat[np.arange(len(flat)), (flat != 0).argmax(axis=1)]
    assert (first > 0).all()


def test_asymmetry_of_rounding_does_not_make_it_cycle():
    tensor = np.array(
        [
            [0.9999999999999996, -4.163336342344337e-17, 8.326672684688674e-17],
            [-9.71445146547012e-17, 0.9999999999999998, -5.551115123125783e-17],
            [8.326672684688674e-17, -5.551115123125783e-17, 1.0],
        ]
    )
    weights, offsets = selling_decomposition(tensor)
    assert np.abs(np.einsum("k,ki,kj->ij", weights, offsets, offsets) - tensor).max() <= 8 * ROUNDING


@pytest.mark.parametrize("shape", [(2,), (2, 3), (4, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(DynamicsError, match="dimension 1 to 3"):
        selling_decomposition(np.ones(shape))
