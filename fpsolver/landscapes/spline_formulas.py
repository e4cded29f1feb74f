"""Scalar formulas of tensor-product cubic splines in 1 to 4 variables, compiled by Numba.

The array ``p`` holds d, the d numbers of coefficients nᵢ, the knots of each axis (nᵢ + 4), and the coefficients in
C order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_options: Any = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}, "nogil": True}


@njit(**_options)
def _interval(x, p, start, n):
    """Return k with knot k <= x < knot k + 1, from 3 to n − 1, or −1 where x is outside the domain."""
    low, high = 3, n
    if not (p[start + low] <= x <= p[start + high]):
        return -1
    while high - low > 1:
        middle = (low + high) // 2
        if x >= p[start + middle]:
            low = middle
        else:
            high = middle
    return low


@njit(**_options)
def _basis(x, p, start, k, order, out):
    """Fill `out` (4) with the cubic B-splines that live on interval k, or their derivatives (Cox–de Boor)."""
    out[:] = 0.0
    out[3] = 1.0
    degree = 3 - order
    for r in range(1, degree + 1):
        for i in range(k - r, k + 1):
            slot = i - k + 3
            left = out[slot] if i > k - r else 0.0
            right = out[slot + 1] if i < k else 0.0
            total = 0.0
            if left != 0.0:
                total += left * (x - p[start + i]) / (p[start + i + r] - p[start + i])
            if right != 0.0:
                total += right * (p[start + i + r + 1] - x) / (p[start + i + r + 1] - p[start + i + 1])
            out[slot] = total
    for r in range(degree + 1, 4):
        for i in range(k - r, k + 1):
            slot = i - k + 3
            left = out[slot] if i > k - r else 0.0
            right = out[slot + 1] if i < k else 0.0
            total = 0.0
            if left != 0.0:
                total += r * left / (p[start + i + r] - p[start + i])
            if right != 0.0:
                total -= r * right / (p[start + i + r + 1] - p[start + i + 1])
            out[slot] = total


@njit(**_options)
def _evaluate(theta, p, first, second):
    """Return the spline, differentiated once along `first` and once along `second` (−1: not at all)."""
    d = int(p[0])
    weights = np.empty((4, 4))
    corner = np.empty(4, np.int64)
    start = 1 + d
    for a in range(d):
        n = int(p[1 + a])
        k = _interval(theta[a], p, start, n)
        if k < 0:
            return np.nan
        order = (1 if a == first else 0) + (1 if a == second else 0)
        _basis(theta[a], p, start, k, order, weights[a])
        corner[a] = k - 3
        start += n + 4
    total = 0.0
    for term in range(4**d):
        index, product, rest = 0, 1.0, term
        for a in range(d):
            i = rest % 4
            rest //= 4
            product *= weights[a, i]
            index = index * int(p[1 + a]) + corner[a] + i
        total += product * p[start + index]
    return total


@njit(**_options)
def value(theta, p):
    """Return the spline at one point."""
    return _evaluate(theta, p, -1, -1)


@njit(**_options)
def gradient(theta, p, out):
    """Fill `out` with the gradient at one point."""
    for a in range(int(p[0])):
        out[a] = _evaluate(theta, p, a, -1)


@njit(**_options)
def hessian(theta, p, out):
    """Fill `out` with the Hessian at one point."""
    for a in range(int(p[0])):
        for b in range(a + 1):
            out[a, b] = _evaluate(theta, p, a, b)
            out[b, a] = out[a, b]
