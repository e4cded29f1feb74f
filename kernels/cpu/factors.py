"""Factors of noise matrices C = BBᵀ that differ from lane to lane, in blocks of 256 lanes.

A symmetric matrix is packed by its lower triangle: entry (i, j), j ≤ i, is row i(i + 1)/2 + j of the block. A matrix that
is not positive definite gives NaN, which the loops over time find. The loops take arrays and the index of the first lane
of a row, since slices of arrays would cost more than they do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES

OPTIONS: Any = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

SCALAR, DIAGONAL, TENSOR = 0, 1, 2
"""Kinds of coefficients: one row for all components, one row each, the packed lower triangle."""

SINGULAR = 1e-12, 1e-6
"""Share of a diagonal entry below which what is left of it counts as zero, in double and in single precision."""


@njit(**OPTIONS)
def packed(i, j):
    """Return the row of entry (i, j) of a symmetric matrix."""
    return i * (i + 1) // 2 + j if j <= i else j * (j + 1) // 2 + i


@njit(**OPTIONS)
def rows_of(kind, d):
    """Return the number of rows of a coefficient."""
    if kind == SCALAR:
        return 1
    return d if kind == DIAGONAL else d * (d + 1) // 2


@njit(**OPTIONS)
def place(i, j):
    """Return the index of the first lane of entry (i, j) of a packed matrix."""
    return LANES * packed(i, j)


@njit(**OPTIONS)
def work_rows(d):
    """Return the rows of work space that the functions here need."""
    return 3 * d + 3


@njit(**OPTIONS)
def square_roots(c, rows):
    """Replace every entry by its square root."""
    for i in range(rows * LANES):
        c[i] = np.sqrt(c[i])


@njit(**OPTIONS)
def _copy(c, at, out, to):
    for i in range(LANES):
        out[to + i] = c[at + i]


@njit(**OPTIONS)
def _fill(out, to, value):
    for i in range(LANES):
        out[to + i] = value


@njit(**OPTIONS)
def _pivot(c, at, diagonal, tolerance):
    """Replace what is left of a diagonal entry by its square root, NaN where it is not positive beyond rounding."""
    for i in range(LANES):
        left = c[at + i]
        c[at + i] = np.sqrt(left if left > tolerance * abs(diagonal[i]) else left * 0 - 1)


@njit(**OPTIONS)
def _subtract_product(out, to, a, p, b, q):
    for i in range(LANES):
        out[to + i] -= a[p + i] * b[q + i]


@njit(**OPTIONS)
def _divide(out, to, by, at):
    for i in range(LANES):
        out[to + i] /= by[at + i]


@njit(**OPTIONS)
def _add_product(out, to, weight, a, p, b, q):
    for i in range(LANES):
        out[to + i] += weight * a[p + i] * b[q + i]


@njit(**OPTIONS)
def _add_multiple(out, to, weight, a, at):
    for i in range(LANES):
        out[to + i] += weight * a[at + i]


@njit(**OPTIONS)
def cholesky(c, work, d):
    """Replace packed matrices by their lower triangular factors L, C = LLᵀ; NaN where C is not positive definite."""
    tolerance = c.dtype.type(SINGULAR[0] if c.itemsize == 8 else SINGULAR[1])
    for j in range(d):
        pivot = place(j, j)
        _copy(c, pivot, work, 0)
        for k in range(j):
            _subtract_product(c, pivot, c, place(j, k), c, place(j, k))
        _pivot(c, pivot, work, tolerance)
        for i in range(j + 1, d):
            for k in range(j):
                _subtract_product(c, place(i, j), c, place(i, k), c, place(j, k))
            _divide(c, place(i, j), c, pivot)


@njit(**OPTIONS)
def add_symmetric(kind, c, x, weight, out, d):
    """Add ``weight C x`` to `out`, which must be another array, for a coefficient of any kind."""
    w = x.dtype.type(weight)
    for i in range(d):
        if kind != TENSOR:
            _add_product(out, LANES * i, w, c, LANES * i * kind, x, LANES * i)
            continue
        for j in range(d):
            _add_product(out, LANES * i, w, c, place(i, j), x, LANES * j)


@njit(**OPTIONS)
def add_lower(kind, c, x, weight, out, d):
    """Add ``weight L x`` to `out`, which must be another array, for a lower triangular factor L."""
    w = x.dtype.type(weight)
    for i in range(d):
        if kind != TENSOR:
            _add_product(out, LANES * i, w, c, LANES * i * kind, x, LANES * i)
            continue
        for j in range(i + 1):
            _add_product(out, LANES * i, w, c, place(i, j), x, LANES * j)


@njit(**OPTIONS)
def add_column(kind, c, j, weight, out, d):
    """Add ``weight`` times column j of a lower triangular factor to `out`."""
    w = out.dtype.type(weight)
    if kind != TENSOR:
        _add_multiple(out, LANES * j, w, c, LANES * j * kind)
        return
    for i in range(j, d):
        _add_multiple(out, LANES * i, w, c, place(i, j))


@njit(**OPTIONS)
def solve(kind, c, x, d):
    """Replace x by C⁻¹x, with the lower triangular factor of C."""
    if kind != TENSOR:
        for i in range(d):
            _divide(x, LANES * i, c, LANES * i * kind)
            _divide(x, LANES * i, c, LANES * i * kind)
        return
    for i in range(d):
        for k in range(i):
            _subtract_product(x, LANES * i, c, place(i, k), x, LANES * k)
        _divide(x, LANES * i, c, place(i, i))
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            _subtract_product(x, LANES * i, c, place(k, i), x, LANES * k)
        _divide(x, LANES * i, c, place(i, i))


@njit(**OPTIONS)
def _rotation(c, p, q, off, turn):
    """Give cosine and sine of the rotation that makes [[c_p, c_off], [c_off, c_q]] diagonal, and make it so."""
    for i in range(LANES):
        gap, twice = c[q + i] - c[p + i], c[off + i] + c[off + i]
        size = abs(gap) + np.sqrt(gap * gap + twice * twice)
        # Where the matrix is a multiple of unity there is nothing to turn.
        tangent = (twice if gap >= 0 else -twice) / (size if size > 0 else size * 0 + 1)
        cosine = 1 / np.sqrt(1 + tangent * tangent)
        turn[i], turn[LANES + i] = cosine, tangent * cosine
        c[p + i] -= tangent * c[off + i]
        c[q + i] += tangent * c[off + i]
        c[off + i] = 0


@njit(**OPTIONS)
def _rotate(a, p, q, turn):
    for i in range(LANES):
        first, second = a[p + i], a[q + i]
        a[p + i] = turn[i] * first - turn[LANES + i] * second
        a[q + i] = turn[LANES + i] * first + turn[i] * second


@njit(**OPTIONS)
def eigen(c, vectors, turn, d):
    """Make packed matrices diagonal by Jacobi rotations; entry (i, a) of the eigenvectors is row d i + a of `vectors`.

    The number of sweeps is fixed, so that what happens in one lane depends on no other: one in two dimensions, ten in more.
    """
    vectors[:] = 0
    for k in range(d):
        _fill(vectors, LANES * (k * d + k), 1)
    for _ in range(1 if d == 2 else 10):
        for p in range(d):
            for q in range(p + 1, d):
                _rotation(c, place(p, p), place(q, q), place(p, q), turn)
                for k in range(d):
                    if k != p and k != q:
                        _rotate(c, place(k, p), place(k, q), turn)
                    _rotate(vectors, LANES * (k * d + p), LANES * (k * d + q), turn)


@njit(**OPTIONS)
def _eigen_roots(c, vectors, work, d):
    """Fill the first d rows of `work` with the square roots of the eigenvalues of C."""
    eigen(c, vectors, work, d)
    for a in range(d):
        _copy(c, place(a, a), work, LANES * a)
    square_roots(work, d)


@njit(**OPTIONS)
def symmetric_root(c, vectors, work, d):
    """Replace packed matrices by their symmetric roots S, C = S²; NaN where an eigenvalue is negative."""
    _eigen_roots(c, vectors, work, d)
    c[:] = 0
    one, product = c.dtype.type(1.0), LANES * d
    for a in range(d):
        for i in range(d):
            _fill(work, product, 0)
            _add_product(work, product, one, vectors, LANES * (i * d + a), work, LANES * a)
            for j in range(i + 1):
                _add_product(c, place(i, j), one, work, product, vectors, LANES * (j * d + a))


@njit(**OPTIONS)
def _add_root_derivative(work, to, projected, first, second, vectors, at):
    for i in range(LANES):
        other = work[second + i]
        work[to + i] += work[projected + i] / (work[first + i] + other) * other * vectors[at + i]


@njit(**OPTIONS)
def add_root_drift(c, jacobian, vectors, work, weight, out, d):
    """Add ``weight r``, rᵢ = Σ Sₖⱼ ∂ₖSᵢⱼ, to `out`: the drift of Stratonovich noise with the symmetric root S of C.

    In the eigenbasis of C, where ∂C = S ∂S + ∂S S is solved entry by entry, r = V w with
    w_a = Σ_k Σ_b (Vᵀ ∂ₖC V)_ab √λ_b V_kb/(√λ_a + √λ_b).

    Parameters
    ----------
    c : ndarray, shape (d(d + 1)/2 * 256,)
        Packed matrices; overwritten.
    jacobian : ndarray, shape (d(d + 1)/2 * d * 256,)
        Their derivatives: ∂ₖ of packed entry n is row n d + k.
    vectors : ndarray, shape (d² * 256,)
        Overwritten.
    work : ndarray, shape (work_rows(d) * 256,)
        Overwritten.
    weight : float
        Factor.
    out : ndarray, shape (d * 256,)
        What is added to.
    d : int
        Number of components.
    """
    _eigen_roots(c, vectors, work, d)
    one = c.dtype.type(1.0)
    w, half, projected = LANES * d, LANES * 2 * d, LANES * 3 * d
    for a in range(d):
        _fill(work, w + LANES * a, 0)
    for k in range(d):
        for b in range(d):
            for i in range(d):
                _fill(work, half + LANES * i, 0)
                for j in range(d):
                    entry = LANES * (packed(i, j) * d + k)
                    _add_product(work, half + LANES * i, one, jacobian, entry, vectors, LANES * (j * d + b))
            for a in range(d):
                _fill(work, projected, 0)
                for i in range(d):
                    _add_product(work, projected, one, vectors, LANES * (i * d + a), work, half + LANES * i)
                here = LANES * (k * d + b)
                _add_root_derivative(work, w + LANES * a, projected, LANES * a, LANES * b, vectors, here)
    for i in range(d):
        for a in range(d):
            weighted = out.dtype.type(weight)
            _add_product(out, LANES * i, weighted, vectors, LANES * (i * d + a), work, w + LANES * a)
