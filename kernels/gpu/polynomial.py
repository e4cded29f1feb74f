"""Polynomials of a lattice operator by a three-term recurrence, on an NVIDIA device: one launch a step."""

from __future__ import annotations

import numpy as np
from numba import cuda

THREADS = 256
"""Threads a block: one cell each."""


@cuda.jit
def _step(x, old, sums, diagonal, into, outof, shifts, circular, gains, pulls, weights, k):
    """Overwrite `old` with gains[k] A x − pulls[k] old, and add weights[:, k + 1] times it to the sums."""
    i = cuda.grid(1)
    n = len(x)
    if i >= n:
        return
    total = diagonal[i] * x[i]
    for c in range(len(shifts)):
        before = i - shifts[c]
        after = i + shifts[c]
        if before >= 0:
            total += into[c, before] * x[before]
        elif circular:
            total += into[c, before + n] * x[before + n]
        if after < n:
            total += outof[c, i] * x[after]
        elif circular:
            total += outof[c, i] * x[after - n]
    value = gains[k] * total - pulls[k] * old[i]
    old[i] = value
    for m in range(len(sums)):
        sums[m, i] += weights[m, k + 1] * value


def polynomial(
    operator: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool],
    x: np.ndarray,
    scale: float,
    shift: float,
    gains: np.ndarray,
    pulls: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums over k of weights[m, k] x(k), and x(n); see `fpsolver.kernels.cpu.polynomial.polynomial`."""
    diagonal, into, outof, shifts, circular = operator
    state, old = cuda.to_device(x), cuda.to_device(np.zeros_like(x))
    sums = cuda.to_device(weights[:, :1] * x)
    forth = cuda.to_device(scale * into)
    back = forth if outof is into else cuda.to_device(scale * outof)
    centre, steps = cuda.to_device(scale * diagonal + shift), cuda.to_device(shifts)
    coefficients = [cuda.to_device(np.ascontiguousarray(values)) for values in (gains, pulls, weights)]
    blocks = -(-len(x) // THREADS)
    for k in range(len(gains)):
        _step[blocks, THREADS](state, old, sums, centre, forth, back, steps, circular, *coefficients, k)
        state, old = old, state
    return sums.copy_to_host(), state.copy_to_host()
