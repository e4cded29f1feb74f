"""Small matrices applied to blocks: row k of a block of vectors occupies ``[256 k, 256 (k + 1))``."""

from __future__ import annotations

from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import OPTIONS


@njit(**OPTIONS)
def apply_diagonal(matrix, x, out, d):
    """Write the diagonal of a matrix times x to `out`."""
    for k in range(d):
        weight = x.dtype.type(matrix[k, k])
        source = x[k * LANES : (k + 1) * LANES]
        target = out[k * LANES : (k + 1) * LANES]
        for i in range(LANES):
            target[i] = weight * source[i]


@njit(**OPTIONS)
def _add_columns(matrix, x, target, k, j):
    """Add four columns of row k: four products for each load and store of the target."""
    number = x.dtype.type
    a, b, c, e = number(matrix[k, j]), number(matrix[k, j + 1]), number(matrix[k, j + 2]), number(matrix[k, j + 3])
    first = x[j * LANES : (j + 1) * LANES]
    second = x[(j + 1) * LANES : (j + 2) * LANES]
    third = x[(j + 2) * LANES : (j + 3) * LANES]
    fourth = x[(j + 3) * LANES : (j + 4) * LANES]
    for i in range(LANES):
        target[i] += a * first[i] + b * second[i] + c * third[i] + e * fourth[i]


@njit(**OPTIONS)
def apply_matrix(matrix, x, out, d):
    """Write a matrix (d, d) times x to `out`, which must be another array."""
    for k in range(d):
        target = out[k * LANES : (k + 1) * LANES]
        for i in range(LANES):
            target[i] = 0
        for j in range(0, d - 3, 4):
            _add_columns(matrix, x, target, k, j)
        for j in range(d - d % 4, d):
            weight = x.dtype.type(matrix[k, j])
            source = x[j * LANES : (j + 1) * LANES]
            for i in range(LANES):
                target[i] += weight * source[i]


@njit(**OPTIONS)
def apply(matrix, x, out, d, diagonal):
    """Write a matrix times x to `out`, which must be another array; only its diagonal where that is all there is."""
    if diagonal:
        apply_diagonal(matrix, x, out, d)
    else:
        apply_matrix(matrix, x, out, d)


@njit(**OPTIONS)
def add(x, change, d):
    """Add one block of vectors to another."""
    for i in range(d * LANES):
        x[i] += change[i]
