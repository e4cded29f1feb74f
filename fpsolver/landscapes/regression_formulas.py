"""Scalar formulas of linear and logistic regression, compiled by Numba.

The array ``p`` holds ridge, N, d, the d penalty switches, N targets and N·d features, in this order.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

_options: Any = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}, "nogil": True}


@njit(**_options)
def _prediction(theta, p, i):
    n, d = int(p[1]), int(p[2])
    start = 3 + d + n + i * d
    z = 0.0
    for k in range(d):
        z += theta[k] * p[start + k]
    return z


@njit(**_options)
def _penalty(theta, p):
    total = 0.0
    for k in range(int(p[2])):
        total += p[3 + k] * theta[k] * theta[k]
    return 0.5 * p[0] * total


@njit(**_options)
def _logistic(z):
    return 1.0 / (1.0 + math.exp(-z))


@njit(**_options)
def squared_value(theta, p):
    """Return the squared loss."""
    n, d = int(p[1]), int(p[2])
    total = 0.0
    for i in range(n):
        r = _prediction(theta, p, i) - p[3 + d + i]
        total += 0.5 * r * r
    return total / n + _penalty(theta, p)


@njit(**_options)
def logistic_value(theta, p):
    """Return the logistic loss."""
    n, d = int(p[1]), int(p[2])
    total = 0.0
    for i in range(n):
        z = _prediction(theta, p, i)
        u = -z if p[3 + d + i] > 0.5 else z
        total += max(u, 0.0) + math.log1p(math.exp(-abs(u)))
    return total / n + _penalty(theta, p)


@njit(**_options)
def _add_example(theta, p, i, residual, out, scale):
    n, d = int(p[1]), int(p[2])
    start = 3 + d + n + i * d
    for k in range(d):
        out[k] += scale * (residual * p[start + k] + p[0] * p[3 + k] * theta[k])


@njit(**_options)
def squared_gradient(theta, p, out):
    """Fill `out` with the gradient of the squared loss."""
    n, d = int(p[1]), int(p[2])
    out[:] = 0.0
    for i in range(n):
        _add_example(theta, p, i, _prediction(theta, p, i) - p[3 + d + i], out, 1.0 / n)


@njit(**_options)
def logistic_gradient(theta, p, out):
    """Fill `out` with the gradient of the logistic loss."""
    n, d = int(p[1]), int(p[2])
    out[:] = 0.0
    for i in range(n):
        _add_example(theta, p, i, _logistic(_prediction(theta, p, i)) - p[3 + d + i], out, 1.0 / n)


@njit(**_options)
def squared_example(theta, p, i, out):
    """Fill `out` with the gradient of the squared loss of example i."""
    out[:] = 0.0
    _add_example(theta, p, i, _prediction(theta, p, i) - p[3 + int(p[2]) + i], out, 1.0)


@njit(**_options)
def logistic_example(theta, p, i, out):
    """Fill `out` with the gradient of the logistic loss of example i."""
    out[:] = 0.0
    _add_example(theta, p, i, _logistic(_prediction(theta, p, i)) - p[3 + int(p[2]) + i], out, 1.0)


@njit(**_options)
def _add_curvature(p, i, weight, out):
    n, d = int(p[1]), int(p[2])
    start = 3 + d + n + i * d
    for j in range(d):
        for k in range(d):
            out[j, k] += weight * p[start + j] * p[start + k] / n


@njit(**_options)
def _start_hessian(p, out):
    out[:, :] = 0.0
    for k in range(int(p[2])):
        out[k, k] = p[0] * p[3 + k]


@njit(**_options)
def squared_hessian(theta, p, out):
    """Fill `out` with the Hessian of the squared loss."""
    _start_hessian(p, out)
    for i in range(int(p[1])):
        _add_curvature(p, i, 1.0, out)


@njit(**_options)
def logistic_hessian(theta, p, out):
    """Fill `out` with the Hessian of the logistic loss."""
    _start_hessian(p, out)
    for i in range(int(p[1])):
        z = _prediction(theta, p, i)
        _add_curvature(p, i, _logistic(z) * _logistic(-z), out)
