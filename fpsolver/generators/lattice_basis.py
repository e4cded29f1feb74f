"""Lattice-basis reduction: a symmetric positive definite tensor as a positive sum over integer directions.

A jump process on a lattice can only have non-negative rates, so a full diffusion tensor D has to be written as
D = Σ_e λ_e e eᵀ with integer offsets e and weights λ_e ≥ 0. Selling's formula gives such a decomposition in two and
three dimensions from an *obtuse superbase*: integer vectors b_0 + … + b_d = 0 that span the lattice and whose mutual
products ⟨b_i, D b_j⟩ are all ≤ 0. It is reached by finitely many elementary steps (Selling 1874). The weights are
continuous, piecewise linear functions of D, and the offsets are of order the square root of the anisotropy at most.

References
----------
E. Selling, J. reine angew. Math. 77, 143 (1874); J. H. Conway and N. J. A. Sloane, Proc. R. Soc. Lond. A 436, 55
(1992); J. Fehrenbach and J.-M. Mirebeau, J. Math. Imaging Vis. 49, 123 (2014).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from fpsolver.errors import DynamicsError, NumericalError

MAX_STEPS = 10_000
BLOCK = 16_384
"""Tensors that are reduced together; their temporaries fit into a core's cache."""
# A product ⟨b_i, D b_j⟩ smaller than this, relative to the sizes of its terms, is rounding and counts as zero.
ROUNDING = 8 * np.finfo(float).eps


def obtuse_superbase(tensors: Any) -> np.ndarray:
    """Return integer vectors b_0 … b_d with zero sum, a basis of the lattice among them, and ⟨b_i, D b_j⟩ ≤ 0.

    Selling's algorithm, all tensors at once: while some product of a pair is positive, b_i is turned round and added
    to the vectors outside the pair (in two dimensions twice, to the only one), which lowers Σ ⟨b, D b⟩.

    Parameters
    ----------
    tensors : array_like, shape (..., d, d)
        Symmetric positive definite matrices, d = 1, 2 or 3.

    Returns
    -------
    ndarray of int64, shape (..., d + 1, d)

    Raises
    ------
    DynamicsError
        If the tensors are not square matrices of dimension 1 to 3.
    NumericalError
        If a tensor is so near singular that the algorithm does not end.

    Examples
    --------
    >>> obtuse_superbase([[1.0, 0.0], [0.0, 1.0]]).tolist()
    [[-1, -1], [1, 0], [0, 1]]
    """
    given = _checked_shape(tensors)
    dimension = given.shape[-1]
    flat = given.reshape(-1, dimension, dimension)
    start = np.vstack([-np.ones((1, dimension), dtype=np.int64), np.eye(dimension, dtype=np.int64)])
    bases = np.broadcast_to(start, (len(flat), dimension + 1, dimension)).copy()
    if dimension > 1:
        for block in range(0, len(flat), BLOCK):
            _reduce(flat[block : block + BLOCK], bases[block : block + BLOCK])
    return bases.reshape(*given.shape[:-2], dimension + 1, dimension)


def selling_decomposition(tensors: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return weights λ ≥ 0 and integer offsets e with D = Σ λ e eᵀ, at most d(d+1)/2 of them.

    Selling's formula: D = −Σ_{i<j} ⟨b_i, D b_j⟩ e_ij e_ijᵀ over the pairs of an obtuse superbase, where e_ij is
    orthogonal to the vectors outside the pair: b_k turned by 90° in two dimensions, b_k × b_l in three.

    Parameters
    ----------
    tensors : array_like, shape (..., d, d)
        Symmetric positive definite matrices, d = 1, 2 or 3.

    Returns
    -------
    weights : ndarray, shape (..., d (d + 1) / 2)
        λ, some of which may be zero.
    offsets : ndarray of int64, shape (..., d (d + 1) / 2, d)
        e; the first component that is not zero is positive.

    Raises
    ------
    DynamicsError
        If the tensors are not square matrices of dimension 1 to 3.
    NumericalError
        If a tensor is so near singular that the algorithm does not end.

    Examples
    --------
    >>> weights, offsets = selling_decomposition([[2.0, 1.0], [1.0, 2.0]])
    >>> weights.tolist(), offsets.tolist()
    ([1.0, 1.0, 1.0], [[1, 0], [0, 1], [1, 1]])
    """
    given = _checked_shape(tensors)
    bases = obtuse_superbase(given)
    dimension = given.shape[-1]
    pairs = list(combinations(range(dimension + 1), 2))
    weights = np.empty((*given.shape[:-2], len(pairs)))
    offsets = np.empty((*given.shape[:-2], len(pairs), dimension), dtype=np.int64)
    for n, (i, j) in enumerate(pairs):
        product, rounding = _product(given, bases[..., i, :], bases[..., j, :])
        weights[..., n] = np.where(-product > rounding, -product, 0.0)
        outside = [bases[..., k, :] for k in range(dimension + 1) if k not in (i, j)]
        offsets[..., n, :] = _canonical(_orthogonal(outside, dimension, bases))
    return weights, offsets


def _reduce(flat: np.ndarray, bases: np.ndarray) -> None:
    """Apply elementary steps to superbases, in place, until all are obtuse."""
    active = np.arange(len(flat))
    for _ in range(MAX_STEPS):
        active = active[_selling_step(flat, bases, active)]
        if not active.size:
            return
    raise NumericalError(
        f"no obtuse superbase within {MAX_STEPS} steps for the tensor {flat[active[0]].tolist()}; "
        "its eigenvalues are too far apart, use floor= or scale the axes"
    )


def _selling_step(flat: np.ndarray, bases: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Apply one elementary step to the active superbases, in place; say which of them changed."""
    dimension = flat.shape[-1]
    pairs = list(combinations(range(dimension + 1), 2))
    current = bases[active]
    excess = np.empty((len(active), len(pairs)))
    for n, (i, j) in enumerate(pairs):
        product, rounding = _product(flat[active], current[:, i], current[:, j])
        excess[:, n] = np.where(product > rounding, product, 0.0)
    worst = excess.argmax(axis=1)
    changed = excess.max(axis=1) > 0
    for n, (i, j) in enumerate(pairs):
        chosen = changed & (worst == n)
        if not chosen.any():
            continue
        turned = current[chosen]
        outside = [k for k in range(dimension + 1) if k not in (i, j)]
        # The sum stays zero: −b_i + b_j + Σ_outside(b + 2 b_i / (d − 1)) with d − 1 vectors outside the pair.
        for k in outside:
            turned[:, k] += (2 // len(outside)) * turned[:, i]
        turned[:, i] *= -1
        current[chosen] = turned
    bases[active] = current
    return changed


def _product(tensors: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ⟨left, D right⟩ and a bound on its rounding error."""
    dimension = tensors.shape[-1]
    product, size = np.zeros(tensors.shape[:-2]), np.zeros(tensors.shape[:-2])
    for k in range(dimension):
        for m in range(dimension):
            term = left[..., k] * right[..., m] * tensors[..., k, m]
            product += term
            size += np.abs(term)
    return product, ROUNDING * size


def _orthogonal(outside: list[np.ndarray], dimension: int, bases: np.ndarray) -> np.ndarray:
    if dimension == 1:
        return np.ones((*bases.shape[:-2], 1), dtype=np.int64)
    if dimension == 2:
        return np.stack([-outside[0][..., 1], outside[0][..., 0]], axis=-1)
    return np.cross(outside[0], outside[1])


def _canonical(offsets: np.ndarray) -> np.ndarray:
    """Turn offsets so that their first component that is not zero is positive."""
    sign = np.zeros(offsets.shape[:-1], dtype=np.int64)
    for k in range(offsets.shape[-1]):
        sign = np.where(sign == 0, np.sign(offsets[..., k]), sign)
    return offsets * sign[..., None]


def _checked_shape(tensors: Any) -> np.ndarray:
    given = np.asarray(tensors, dtype=float)
    if given.ndim < 2 or given.shape[-1] != given.shape[-2] or not 1 <= given.shape[-1] <= 3:
        raise DynamicsError(
            f"tensors of shape {given.shape}: lattice-basis reduction takes square matrices of dimension 1 to 3"
        )
    # An asymmetry, even of rounding, could make ⟨b_i, D b_j⟩ and ⟨b_j, D b_i⟩ of opposite signs, and the steps cycle.
    return 0.5 * (given + np.swapaxes(given, -1, -2))
