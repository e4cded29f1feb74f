"""Factors of noise matrices C = BBᵀ that differ from lane to lane, in blocks of 256 lanes.

A symmetric matrix is packed by its lower triangle: entry (i, j), j ≤ i, is row i(i + 1)/2 + j of the block. A matrix
that has a negative eigenvalue gives NaN, which the loops over time find; one that has lost rank has a triangular factor
with columns of zeros, but neither an inverse nor derivatives of its root.
"""

from __future__ import annotations

import math

from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import copy, row
from fpsolver.kernels.options import INLINE, OPTIONS

SCALAR, DIAGONAL, TENSOR = 0, 1, 2
"""Kinds of coefficients: one row for all components, one row each, the packed lower triangle."""

SINGULAR = 1e-14, 1e-6
"""Share of a diagonal entry below which what is left of it counts as zero, in double and in single precision."""

NEGATIVE = 1e-12, 1e-4
"""Share up to which that may be negative and is still rounding, which earlier pivots that are small make larger."""


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
def work_rows(d):
    """Return the rows of work space that the functions here need."""
    return 3 * d + 3


@njit(**INLINE)
def root(value):
    """Return the square root; once compiled, NaN of negative numbers. Devices have none of NumPy's."""
    return math.sqrt(value)


@njit(**OPTIONS)
def square_roots(c, rows):
    """Replace every entry by its square root."""
    for i in range(rows * LANES):
        c[i] = root(c[i])


@njit(**OPTIONS)
def _fill(out, value):
    for i in range(LANES):
        out[i] = value


@njit(**OPTIONS)
def _pivot(entry, diagonal, tolerance, negative):
    """Replace what is left of a diagonal entry by its square root: zero where it is rounding, NaN where negative."""
    for i in range(LANES):
        left, size = entry[i], abs(diagonal[i])
        entry[i] = root(left * 0 if left <= tolerance * size and left >= -negative * size else left)


@njit(**OPTIONS)
def _subtract_product(out, a, b):
    for i in range(LANES):
        out[i] -= a[i] * b[i]


@njit(**OPTIONS)
def _divide(out, by):
    for i in range(LANES):
        out[i] /= by[i]


@njit(**OPTIONS)
def _divide_by_pivot(out, pivot, first, second, tolerance):
    """Divide by a pivot. Below one that is zero the rest is rounding, or else the matrix has a negative eigenvalue."""
    for i in range(LANES):
        rest, none = out[i], pivot[i] == 0
        allowed = rest * rest <= tolerance * abs(first[i] * second[i])
        out[i] = root(rest * 0 if allowed else rest * 0 - 1) if none else rest / pivot[i]


@njit(**OPTIONS)
def _add_product(out, weight, a, b):
    for i in range(LANES):
        out[i] += weight * a[i] * b[i]


@njit(**OPTIONS)
def _add_multiple(out, weight, a):
    for i in range(LANES):
        out[i] += weight * a[i]


@njit(**OPTIONS)
def cholesky(c, work, d):
    """Replace packed matrices by their lower triangular factors L, C = LLᵀ; NaN where C has a negative eigenvalue."""
    tolerance = c.dtype.type(SINGULAR[0] if c.itemsize == 8 else SINGULAR[1])
    negative = c.dtype.type(NEGATIVE[0] if c.itemsize == 8 else NEGATIVE[1])
    for j in range(d):
        pivot = row(c, packed(j, j))
        copy(row(work, 0), pivot)
        for k in range(j):
            _subtract_product(pivot, row(c, packed(j, k)), row(c, packed(j, k)))
        _pivot(pivot, row(work, 0), tolerance, negative)
        for i in range(j + 1, d):
            for k in range(j):
                _subtract_product(row(c, packed(i, j)), row(c, packed(i, k)), row(c, packed(j, k)))
            _divide_by_pivot(row(c, packed(i, j)), pivot, row(work, 0), row(c, packed(i, i)), tolerance)


@njit(**OPTIONS)
def add_symmetric(kind, c, x, weight, out, d):
    """Add ``weight C x`` to `out`, which must be another array, for a coefficient of any kind."""
    w = x.dtype.type(weight)
    for i in range(d):
        if kind != TENSOR:
            _add_product(row(out, i), w, row(c, i * kind), row(x, i))
            continue
        for j in range(d):
            _add_product(row(out, i), w, row(c, packed(i, j)), row(x, j))


@njit(**OPTIONS)
def add_lower(kind, c, x, weight, out, d):
    """Add ``weight L x`` to `out`, which must be another array, for a lower triangular factor L."""
    w = x.dtype.type(weight)
    for i in range(d):
        if kind != TENSOR:
            _add_product(row(out, i), w, row(c, i * kind), row(x, i))
            continue
        for j in range(i + 1):
            _add_product(row(out, i), w, row(c, packed(i, j)), row(x, j))


@njit(**OPTIONS)
def add_column(kind, c, j, weight, out, d):
    """Add ``weight`` times column j of a lower triangular factor to `out`."""
    w = out.dtype.type(weight)
    if kind != TENSOR:
        _add_multiple(row(out, j), w, row(c, j * kind))
        return
    for i in range(j, d):
        _add_multiple(row(out, i), w, row(c, packed(i, j)))


@njit(**OPTIONS)
def solve(kind, c, x, d):
    """Replace x by C⁻¹x, with the lower triangular factor of C."""
    if kind != TENSOR:
        for i in range(d):
            _divide(row(x, i), row(c, i * kind))
            _divide(row(x, i), row(c, i * kind))
        return
    for i in range(d):
        for k in range(i):
            _subtract_product(row(x, i), row(c, packed(i, k)), row(x, k))
        _divide(row(x, i), row(c, packed(i, i)))
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            _subtract_product(row(x, i), row(c, packed(k, i)), row(x, k))
        _divide(row(x, i), row(c, packed(i, i)))


@njit(**OPTIONS)
def _rotation(a, b, off, cosine, sine):
    """Give cosine and sine of the rotation that makes [[a, off], [off, b]] diagonal, and make it so."""
    for i in range(LANES):
        gap, twice = b[i] - a[i], off[i] + off[i]
        size = abs(gap) + math.sqrt(gap * gap + twice * twice)
        # Where the matrix is a multiple of unity there is nothing to turn.
        tangent = (twice if gap >= 0 else -twice) / (size if size > 0 else size * 0 + 1)
        shrink = 1 / math.sqrt(1 + tangent * tangent)
        cosine[i] = shrink
        sine[i] = tangent * shrink
        a[i] -= tangent * off[i]
        b[i] += tangent * off[i]
        off[i] = 0


@njit(**OPTIONS)
def _rotate(a, b, cosine, sine):
    for i in range(LANES):
        first, second = a[i], b[i]
        a[i] = cosine[i] * first - sine[i] * second
        b[i] = sine[i] * first + cosine[i] * second


@njit(**OPTIONS)
def eigen(c, vectors, work, d):
    """Make packed matrices diagonal by Jacobi rotations; entry (i, a) of the eigenvectors is row d i + a of `vectors`.

    The number of sweeps is fixed, so that what happens in one lane depends on no other: one in two dimensions, where it
    is exact, ten in more.
    """
    cosine, sine = row(work, 0), row(work, 1)
    for i in range(d):
        for k in range(d):
            _fill(row(vectors, i * d + k), 1 if i == k else 0)
    for _ in range(1 if d == 2 else 10):
        for p in range(d):
            for q in range(p + 1, d):
                _rotation(row(c, packed(p, p)), row(c, packed(q, q)), row(c, packed(p, q)), cosine, sine)
                for k in range(d):
                    if k != p and k != q:
                        _rotate(row(c, packed(k, p)), row(c, packed(k, q)), cosine, sine)
                    _rotate(row(vectors, k * d + p), row(vectors, k * d + q), cosine, sine)


@njit(**OPTIONS)
def _eigen_roots(c, vectors, work, d):
    """Fill the first d rows of `work` with the square roots of the eigenvalues of C."""
    eigen(c, vectors, work, d)
    for a in range(d):
        copy(row(work, a), row(c, packed(a, a)))
    square_roots(work, d)


@njit(**OPTIONS)
def symmetric_root(c, vectors, work, d):
    """Replace packed matrices by their symmetric roots S, C = S²; NaN where an eigenvalue is negative."""
    _eigen_roots(c, vectors, work, d)
    one, scaled = c.dtype.type(1.0), row(work, d)
    for a in range(d):
        for i in range(d):
            _fill(scaled, 0)
            _add_product(scaled, one, row(vectors, i * d + a), row(work, a))
            for j in range(i + 1):
                if a == 0:
                    _fill(row(c, packed(i, j)), 0)
                _add_product(row(c, packed(i, j)), one, scaled, row(vectors, j * d + a))


@njit(**OPTIONS)
def _add_root_derivative(w, projected, first, second, vector):
    for i in range(LANES):
        w[i] += projected[i] / (first[i] + second[i]) * second[i] * vector[i]


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
    one, factor, projected = c.dtype.type(1.0), out.dtype.type(weight), row(work, 3 * d)
    for a in range(d):
        _fill(row(work, d + a), 0)
    for k in range(d):
        for b in range(d):
            for i in range(d):
                half = row(work, 2 * d + i)
                _fill(half, 0)
                for j in range(d):
                    _add_product(half, one, row(jacobian, packed(i, j) * d + k), row(vectors, j * d + b))
            for a in range(d):
                _fill(projected, 0)
                for i in range(d):
                    _add_product(projected, one, row(vectors, i * d + a), row(work, 2 * d + i))
                _add_root_derivative(row(work, d + a), projected, row(work, a), row(work, b), row(vectors, k * d + b))
    for i in range(d):
        for a in range(d):
            _add_product(row(out, i), factor, row(vectors, i * d + a), row(work, d + a))
