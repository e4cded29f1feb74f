"""Python functions called from compiled loops, as block functions: slow, one call for 256 lanes, holding the lock."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from numba import cfunc, njit, objmode, types

_numbers = types.float64[::1]
_functions: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_next = count()


def keep(function: Callable[[np.ndarray, np.ndarray], Any]) -> np.ndarray:
    """Return the p with which `block` calls ``function(x, out)``, for as long as the function lives.

    The function must not raise: what calls it has no way to pass an exception on.
    """
    number = next(_next)
    _functions[number] = function
    return np.array([float(number)])


def _call(x: np.ndarray, number: int, out: np.ndarray) -> None:
    _functions[number](x, out)


@njit(types.void(_numbers, _numbers, _numbers))
def _enter(x, p, out):
    with objmode():
        _call(x, int(p[0]), out)


@cfunc(types.void(_numbers, _numbers, _numbers))
def block(x, p, out):
    """Call the Python function that p stands for."""
    _enter(x, p, out)
