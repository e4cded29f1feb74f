"""Convolutions along all axes of a grid, on an NVIDIA device: by CuPy's Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.kernels.recurrences import three_terms


def polynomial(
    operator: tuple[np.ndarray, np.ndarray, np.ndarray, Any, tuple[int, ...]],
    x: np.ndarray,
    scale: float,
    shift: float,
    gains: np.ndarray,
    pulls: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and the last term of a recurrence; see `fpsolver.kernels.cpu.convolution.polynomial`.

    The kernel is given by its spectrum.
    """
    import cupy

    diagonal, departure, arrival, spectrum, padded = operator
    here, into = cupy.asarray(scale * diagonal + shift), cupy.asarray(scale * arrival)
    out_of, transform = cupy.asarray(departure), cupy.asarray(spectrum)
    cells = tuple(slice(n) for n in x.shape)

    def apply(values: Any) -> Any:
        image = cupy.fft.irfftn(cupy.fft.rfftn(values * out_of, padded) * transform, padded)[cells] * into
        image += here * values
        return image

    sums, last = three_terms(apply, cupy.asarray(x), gains, pulls, weights)
    return np.array([cupy.asnumpy(total) for total in sums]).reshape(len(weights), *x.shape), cupy.asnumpy(last)
