"""Convolutions along all axes of a grid, on the processor: as sums of products, and by Fourier transforms.

Sums of products take blocks of an axis with their surroundings times one block of the Toeplitz matrix, which BLAS does
at its full speed. Where nothing is negative every sum is good to rounding relative to itself. Fourier transforms cost
less where the range is long, and are good to rounding of the largest value.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fpsolver.kernels.recurrences import three_terms

LEAST_BLOCK, MOST_BLOCK = 32, 512
"""Cells of an axis that one product yields."""
LONGEST = 4096
"""Cells of an axis up to which it may be one block, where its surroundings would be no smaller."""
THREADS = 2
"""Threads of a Fourier transform."""


class Line(NamedTuple):
    """Weights of moves along one axis.

    Attributes
    ----------
    toeplitz : ndarray, shape (block, block + 2 reach)
        Weights from the surroundings of a block to its cells; moves by nothing are left out.
    staying : float
        Weight of a move by nothing.
    periodic : bool
        Whether the axis closes on itself.
    """

    toeplitz: np.ndarray
    staying: float
    periodic: bool


def line(weights: np.ndarray, periodic: bool, cells: int) -> Line:
    """Return the weights of one axis as sums of products need them.

    Parameters
    ----------
    weights : ndarray, shape (reach + 1,)
        Weights of moves by 0, 1, … cells, up and down.
    periodic : bool
        Whether the axis closes on itself.
    cells : int
        Length of the axis.
    """
    reach = len(weights) - 1
    block = min(max(LEAST_BLOCK, reach), MOST_BLOCK, cells)
    if block + 2 * reach >= cells and cells <= LONGEST:
        return Line(_whole(weights, periodic, cells), float(weights[0]), periodic)
    both = np.concatenate([weights[:0:-1], [0.0], weights[1:]])
    toeplitz = np.zeros((block, block + 2 * reach))
    for k in range(block):
        toeplitz[k, k : k + len(both)] = both
    return Line(toeplitz, float(weights[0]), periodic)


def _whole(weights: np.ndarray, periodic: bool, cells: int) -> np.ndarray:
    """Return the Toeplitz matrix of a whole axis, a block without surroundings."""
    matrix = np.zeros((cells, cells))
    start = np.arange(cells)
    for step, weight in enumerate(weights[1:], start=1):
        for end in (start + step, start - step):
            kept = start if periodic else start[(end >= 0) & (end < cells)]
            np.add.at(matrix, (kept, end[kept] % cells), weight)
    return matrix


def along(values: np.ndarray, axis: int, law: Line) -> np.ndarray:
    """Return the convolution along one axis, moves by nothing left out."""
    block, window = law.toeplitz.shape
    reach = (window - block) // 2
    n = values.shape[axis]
    shape = (int(np.prod(values.shape[:axis])), n, -1)
    cells = values.reshape(shape)
    blocks = -(-n // block)
    spare = blocks * block - n
    padding = ((0, 0), (reach, reach + spare), (0, 0))
    if law.periodic:
        padded = np.pad(np.take(cells, np.arange(-reach, n + reach) % n, axis=1), ((0, 0), (0, spare), (0, 0)))
    else:
        padded = np.pad(cells, padding)
    result = np.empty((len(cells), blocks * block, cells.shape[2]))
    for start in range(0, blocks * block, block):
        part = padded[:, start : start + window]
        if cells.shape[2] == 1:
            np.matmul(part[:, :, 0], law.toeplitz.T, out=result[:, start : start + block, 0])
        else:
            np.matmul(law.toeplitz, part, out=result[:, start : start + block])
    return result[:, :n].reshape(values.shape)


def products(values: np.ndarray, lines: tuple[Line, ...]) -> np.ndarray:
    """Return Σ over all moves but the one by nothing of weight times value, from sums of products.

    Parameters
    ----------
    values : ndarray, of the grid's shape
        Values at the cells.
    lines : tuple of Line
        One an axis; the weight of a move is their product.
    """
    moved, staying = None, 1.0
    for axis in range(values.ndim - 1, -1, -1):
        # `moved` holds all moves along later axes; with none along those, some along this one; with or without, both.
        law = lines[axis]
        source = values * staying if moved is None else moved + staying * values
        image = along(source, axis, law)
        moved = image if moved is None else image + law.staying * moved
        staying *= law.staying
    assert moved is not None
    return moved


def fourier(values: np.ndarray, spectrum: np.ndarray, padded: tuple[int, ...]) -> np.ndarray:
    """Return the convolution of values with a kernel of a given transform, on a larger periodic grid.

    Parameters
    ----------
    values : ndarray
        Values at the cells.
    spectrum : ndarray
        The kernel's transform by ``rfftn``, real.
    padded : tuple of int
        Cells of the larger grid along each axis.
    """
    from scipy import fft

    transform = fft.rfftn(values, padded, workers=THREADS)
    transform *= spectrum
    whole = fft.irfftn(transform, padded, workers=THREADS, overwrite_x=True)
    return whole[tuple(slice(n) for n in values.shape)]


def polynomial(
    operator: tuple[np.ndarray, np.ndarray, np.ndarray, Any, tuple[int, ...]],
    x: np.ndarray,
    scale: float,
    shift: float,
    gains: np.ndarray,
    pulls: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and the last term of a three-term recurrence of scale·W + shift, see `three_terms`.

    Parameters
    ----------
    operator : tuple
        Of W = diagonal + arrival · q * (departure · x): the three arrays, of the grid's shape, and q: a tuple of `Line`
        and an empty tuple, or a spectrum and the padded shape.
    x : ndarray, of the grid's shape
        Start.
    scale, shift : float
        Affine map.
    gains, pulls, weights : ndarray
        Coefficients.
    """
    diagonal, departure, arrival, kernel, padded = operator
    here, into = scale * diagonal + shift, scale * arrival

    def apply(values: np.ndarray) -> np.ndarray:
        image = fourier(values * departure, kernel, padded) if padded else products(values * departure, kernel)
        image = image * into
        image += here * values
        return image

    sums, last = three_terms(apply, x, gains, pulls, weights)
    return np.array(sums).reshape(len(weights), *x.shape), last
