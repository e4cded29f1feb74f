"""Call generated component-first functions on arrays of points (..., d), block by block."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import LandscapeError

# Temporaries of a block of points stay in the second-level cache; whole arrays would stream through memory.
BLOCK = 8192

Floats = NDArray[np.float64]


def as_points(theta: ArrayLike, dimension: int) -> Floats:
    """Return `theta` as a float array whose last axis has length `dimension`.

    Raises
    ------
    LandscapeError
        If it has another shape.
    """
    points = np.asarray(theta, dtype=float)
    if points.ndim == 0 or points.shape[-1] != dimension:
        hint = "; add an axis with theta[..., np.newaxis]" if dimension == 1 else ""
        raise LandscapeError(
            f"points have shape (..., {dimension}), one last axis for the {dimension} variables, "
            f"but an array of shape {points.shape} was given{hint}"
        )
    return points


def evaluate_blocks(
    function: Callable[[Floats, Floats], None], points: Floats, components: tuple[int, ...], block: int = BLOCK
) -> Floats:
    """Evaluate ``function(x, out)`` on points (..., d), where x is (d, n) and out (components, n).

    The result has shape (..., components). It is laid out component by component, so that each component is a
    contiguous array.
    """
    shape = points.shape[:-1]
    n = math.prod(shape)
    columns = points.reshape(n, points.shape[-1]).T
    out = np.zeros((*components, n))
    with np.errstate(all="ignore"):
        for start in range(0, n, block):
            part = slice(start, start + block)
            function(np.ascontiguousarray(columns[:, part]), out[..., part])
    k = len(components)
    return np.moveaxis(out.reshape(components + shape), range(k), range(-k, 0)) if k else out.reshape(shape)
