"""Compile user functions to standard arguments, and make gradients and Hessians of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

# The complex step has no subtraction, so that the step can be as small as one likes.
_COMPLEX_STEP = 1e-40
# Fourth-order central differences: the error is least where h⁴ balances ε/h.
_STEP = float(np.finfo(float).eps ** 0.2)
# Differences along with a complex step, second order: h² against ε/h; second differences, fourth order: h⁴, ε/h².
_MIXED_STEP = float(np.finfo(float).eps ** 0.2)
_SECOND_STEP = float(np.finfo(float).eps ** (1 / 6))

# No contraction: a point's value must not depend on whether its loop was inlined.
_options: dict[str, Any] = {"error_model": "numpy", "nogil": True}


def standard_arguments(
    function: Callable[..., Any], *, returns_value: bool, has_parameters: bool, complex_argument: bool = False
) -> Any:
    """Return a Numba function ``(theta, p)`` or ``(theta, p, out)`` that calls the user's."""
    compiled: Any = function
    if complex_argument:
        from fpsolver.landscapes.analytic_compilation import AnalyticCompiler

        plain = getattr(function, "py_func", function)
        compiled = njit(pipeline_class=AnalyticCompiler, **_options)(plain)
    elif not hasattr(function, "py_func"):
        compiled = njit(**_options)(function)
    count = len(inspect.signature(compiled.py_func).parameters)
    if returns_value:
        return compiled if has_parameters else njit(**_options)(lambda theta, p: compiled(theta))
    fills = count > 1 + has_parameters
    if fills:
        return compiled if has_parameters else njit(**_options)(lambda theta, p, out: compiled(theta, out))
    if has_parameters:

        def assign(theta, p, out):
            out[...] = compiled(theta, p)
    else:

        def assign(theta, p, out):
            out[...] = compiled(theta)

    return njit(**_options)(assign)


def compile_for(function: Any, name: str, *, complex_argument: bool) -> None:
    """Compile a function for real or complex coordinates."""
    number = types.complex128 if complex_argument else types.float64
    arguments = [types.Array(number, 1, "C"), types.Array(types.float64, 1, "C")]
    if name != "value":
        arguments.append(types.Array(number, 1 if name == "gradient" else 2, "C"))
    function.compile(tuple(arguments))


def complex_step_gradient(value: Any) -> Any:
    """Return the gradient Im f(θ + i h e)/h."""

    @njit(**_options)
    def gradient(theta, p, out):
        z = theta.astype(np.complex128)
        for i in range(theta.size):
            z[i] += 1j * _COMPLEX_STEP
            out[i] = value(z, p).imag / _COMPLEX_STEP
            z[i] = theta[i]

    return gradient


def complex_step_jacobian(gradient: Any) -> Any:
    """Return the Hessian Im g(θ + i h e)/h of a gradient, symmetrised."""

    @njit(**_options)
    def hessian(theta, p, out):
        d = theta.size
        z = theta.astype(np.complex128)
        column = np.empty(d, np.complex128)
        for i in range(d):
            z[i] += 1j * _COMPLEX_STEP
            gradient(z, p, column)
            for j in range(d):
                out[i, j] = column[j].imag / _COMPLEX_STEP
            z[i] = theta[i]
        _symmetrise(out)

    return hessian


def mixed_hessian(value: Any) -> Any:
    """Return the Hessian by a complex step along one coordinate and fourth-order differences along the other."""

    @njit(**_options)
    def hessian(theta, p, out):
        d = theta.size
        z = theta.astype(np.complex128)
        for i in range(d):
            for j in range(d):
                h = _MIXED_STEP * max(1.0, abs(theta[j]))
                total = 0.0
                for step, weight in ((1.0, 8.0), (2.0, -1.0)):
                    for side in (1.0, -1.0):
                        z[j] = theta[j] + side * step * h
                        z[i] += 1j * _COMPLEX_STEP
                        total += side * weight * (value(z, p).imag / _COMPLEX_STEP)
                        z[i] = theta[i]
                        z[j] = theta[j]
                out[i, j] = total / (12.0 * h)
        _symmetrise(out)

    return hessian


def difference_gradient(value: Any) -> Any:
    """Return the gradient by fourth-order central differences."""

    @njit(**_options)
    def gradient(theta, p, out):
        x = theta.copy()
        for i in range(theta.size):
            h = _STEP * max(1.0, abs(theta[i]))
            total = 0.0
            for step, weight in ((1.0, 8.0), (2.0, -1.0)):
                for side in (1.0, -1.0):
                    x[i] = theta[i] + side * step * h
                    total += side * weight * value(x, p)
            out[i] = total / (12.0 * h)
            x[i] = theta[i]

    return gradient


def difference_jacobian(gradient: Any) -> Any:
    """Return the Hessian by fourth-order central differences of a gradient, symmetrised."""

    @njit(**_options)
    def hessian(theta, p, out):
        d = theta.size
        x = theta.copy()
        column = np.empty(d)
        out[:, :] = 0.0
        for i in range(d):
            h = _STEP * max(1.0, abs(theta[i]))
            for step, weight in ((1.0, 8.0), (2.0, -1.0)):
                for side in (1.0, -1.0):
                    x[i] = theta[i] + side * step * h
                    gradient(x, p, column)
                    for j in range(d):
                        out[i, j] += side * weight * column[j] / (12.0 * h)
            x[i] = theta[i]
        _symmetrise(out)

    return hessian


def difference_hessian(value: Any) -> Any:
    """Return the Hessian by fourth-order differences of the value, the tensor product of two first differences."""

    @njit(**_options)
    def hessian(theta, p, out):
        d = theta.size
        x = theta.copy()
        for i in range(d):
            hi = _SECOND_STEP * max(1.0, abs(theta[i]))
            for j in range(i + 1):
                hj = _SECOND_STEP * max(1.0, abs(theta[j]))
                total = 0.0
                for a, wa in ((-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)):
                    for b, wb in ((-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)):
                        x[i] += a * hi
                        x[j] += b * hj
                        total += wa * wb * value(x, p)
                        x[i] = theta[i]
                        x[j] = theta[j]
                out[i, j] = total / (144.0 * hi * hj)
                out[j, i] = out[i, j]

    return hessian


@njit(**_options)
def _symmetrise(matrix):
    for i in range(matrix.shape[0]):
        for j in range(i):
            mean = 0.5 * (matrix[i, j] + matrix[j, i])
            matrix[i, j] = mean
            matrix[j, i] = mean


@njit(**_options)
def value_loop(function, points, p, out):
    """Evaluate ``function(theta, p)`` at points (n, d)."""
    for i in range(points.shape[0]):
        out[i] = function(points[i], p)


@njit(**_options)
def array_loop(function, points, p, out):
    """Evaluate ``function(theta, p, out)`` at points (n, d)."""
    for i in range(points.shape[0]):
        function(points[i], p, out[i])
