"""Block functions that take one trajectory after the other, for landscapes whose code cannot be vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc, from_dtype, types

from fpsolver.landscapes.block_source import Precision, imports, number_type, signature

_OPTIONS: Any = {"error_model": "numpy", "fastmath": {"contract"}}


def value_block(function: Any, d: int, n_parameters: int, precision: Precision) -> Any:
    """Return the block function of ``function(theta, p)``, which is called in double precision.

    Parameters
    ----------
    function : Numba function
    d, n_parameters : int
        Lengths of theta and p.
    precision : {"double", "single"}
        Type of the block.
    """
    array = types.Array(from_dtype(np.dtype(number_type(precision))), 1, "C")

    @cfunc(types.void(array, array, array), **_OPTIONS)
    def block(x, p, out):
        theta, q = np.empty(d), np.empty(n_parameters)
        for k in range(n_parameters):
            q[k] = p[k]
        for i in range(256):
            for k in range(d):
                theta[k] = x[256 * k + i]
            out[i] = function(theta, q)

    return block


def gradient_block(function: Any, d: int, n_parameters: int, precision: Precision) -> Any:
    """Return the block function of ``function(theta, p, out)``, which is called in double precision.

    Parameters
    ----------
    function, d, n_parameters, precision
        As for `value_block`.
    """
    array = types.Array(from_dtype(np.dtype(number_type(precision))), 1, "C")

    @cfunc(types.void(array, array, array), **_OPTIONS)
    def block(x, p, out):
        theta, q, row = np.empty(d), np.empty(n_parameters), np.empty(d)
        for k in range(n_parameters):
            q[k] = p[k]
        for i in range(256):
            for k in range(d):
                theta[k] = x[256 * k + i]
            function(theta, q, row)
            for k in range(d):
                out[256 * k + i] = row[k]

    return block


def spline_source(d: int, precision: Precision) -> str:
    """Return the source of a module with the block functions ``value`` and ``gradient`` of splines in d variables."""
    gather = [
        "for i in range(256):",
        f"    for k in range({d}):",
        "        theta[k] = x[256 * k + i]",
    ]
    value = [f"theta = np.empty({d})", *gather, "    out[i] = spline_formulas.value(theta, p)"]
    gradient = [
        f"theta, row = np.empty({d}), np.empty({d})",
        *gather,
        "    spline_formulas.gradient(theta, p, row)",
        f"    for k in range({d}):",
        "        out[256 * k + i] = row[k]",
    ]
    text = imports(precision) + "from fpsolver.landscapes import spline_formulas\n"
    for name, body in (("value", value), ("gradient", gradient)):
        text += signature(name) + "".join(f"    {line}\n" for line in body)
    return text
