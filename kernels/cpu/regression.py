"""Value and gradient of linear and logistic regression for blocks of 256 trajectories.

The array ``p`` holds the ridge penalty, N (in two numbers), d, the d penalty switches, the targets and the features, as
`pack` lays them out. Four examples meet four coordinates at once, so that sixteen multiplications go with eight loads,
and a tile of lanes is small enough for coordinates and gradients to stay in the first-level cache while all examples
pass by.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from fpsolver.kernels import elementary
from fpsolver.kernels.options import ALLOCATING

_TILE = 32
# N is held as a quotient and a remainder, which single precision represents up to 2^36.
_SPLIT = 4096


def pack(features: np.ndarray, targets: np.ndarray, penalised: np.ndarray, ridge: float) -> np.ndarray:
    """Return the array ``p``.

    Features and targets are padded with zeros to multiples of four examples and four coordinates; features are
    ordered by pieces of 4 × 4, those of the first four examples first.

    Parameters
    ----------
    features : ndarray (N, d)
    targets : ndarray (N,)
    penalised : ndarray (d,)
        1 for coordinates under the penalty, 0 for those that are free.
    ridge : float
    """
    n, d = features.shape
    rows, columns = (n + 3) // 4, (d + 3) // 4
    padded = np.zeros((4 * rows, 4 * columns))
    padded[:n, :d] = features
    pieces = padded.reshape(rows, 4, columns, 4).transpose(0, 2, 1, 3)
    return np.concatenate([[ridge, *divmod(n, _SPLIT), d], penalised, targets, np.zeros(4 * rows - n), pieces.ravel()])


@njit(**ALLOCATING, forceinline=True)
def _predict(features, theta, z, coordinates):
    """Fill z (4 rows) with the predictions of four examples."""
    for i in range(4 * _TILE):
        z[i] = 0.0
    for k in range(coordinates):
        a = features[16 * k : 16 * k + 16]
        t = theta[4 * k * _TILE : 4 * (k + 1) * _TILE]
        a0, a1, a2, a3, a4, a5, a6, a7 = a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
        b0, b1, b2, b3, b4, b5, b6, b7 = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]
        for i in range(_TILE):
            t0, t1, t2, t3 = t[i], t[_TILE + i], t[2 * _TILE + i], t[3 * _TILE + i]
            z[i] = z[i] + a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
            z[_TILE + i] = z[_TILE + i] + a4 * t0 + a5 * t1 + a6 * t2 + a7 * t3
            z[2 * _TILE + i] = z[2 * _TILE + i] + b0 * t0 + b1 * t1 + b2 * t2 + b3 * t3
            z[3 * _TILE + i] = z[3 * _TILE + i] + b4 * t0 + b5 * t1 + b6 * t2 + b7 * t3


@njit(**ALLOCATING, forceinline=True)
def _add_gradients(features, r, g, coordinates):
    """Add the residuals r (4 rows) of four examples, times their features, to the gradients."""
    for k in range(coordinates):
        a = features[16 * k : 16 * k + 16]
        h = g[4 * k * _TILE : 4 * (k + 1) * _TILE]
        a0, a1, a2, a3, a4, a5, a6, a7 = a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
        b0, b1, b2, b3, b4, b5, b6, b7 = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]
        for i in range(_TILE):
            r0, r1, r2, r3 = r[i], r[_TILE + i], r[2 * _TILE + i], r[3 * _TILE + i]
            h[i] = h[i] + a0 * r0 + a4 * r1 + b0 * r2 + b4 * r3
            h[_TILE + i] = h[_TILE + i] + a1 * r0 + a5 * r1 + b1 * r2 + b5 * r3
            h[2 * _TILE + i] = h[2 * _TILE + i] + a2 * r0 + a6 * r1 + b2 * r2 + b6 * r3
            h[3 * _TILE + i] = h[3 * _TILE + i] + a3 * r0 + a7 * r1 + b3 * r2 + b7 * r3


@njit(**ALLOCATING, forceinline=True)
def _residuals(z, targets, logistic):
    """Replace predictions z by the derivatives of the loss with respect to them."""
    for row in range(4):
        y = targets[row]
        r = z[row * _TILE : (row + 1) * _TILE]
        if logistic:
            for i in range(_TILE):
                r[i] = elementary.logistic(r[i]) - y
        else:
            for i in range(_TILE):
                r[i] -= y


@njit(**ALLOCATING, forceinline=True)
def _add_losses(z, targets, rows, total, logistic):
    """Add the losses of predictions z."""
    for row in range(rows):
        y = targets[row]
        u = z[row * _TILE : (row + 1) * _TILE]
        if logistic:
            # log(1 + e^z) − yz = log(1 + e^(−z)) for y = 1, without overflow or cancellation.
            side = -1.0 if y > 0.5 else 1.0
            for i in range(_TILE):
                total[i] += elementary.softplus(side * u[i])
        else:
            for i in range(_TILE):
                r = u[i] - y
                total[i] += 0.5 * r * r


@njit(**ALLOCATING, forceinline=True)
def _gather(x, theta, start, d):
    """Copy one tile of coordinates."""
    for k in range(d):
        for i in range(_TILE):
            theta[k * _TILE + i] = x[256 * k + start + i]


@njit(**ALLOCATING)
def gradient(x, p, out, logistic):
    """Fill `out` (d rows) with the gradient of the mean loss plus penalty.

    Parameters
    ----------
    x, p, out : ndarray
        Coordinates (d rows), data, result.
    logistic : bool
        Logistic loss instead of the squared one.
    """
    n, d = int(p[1]) * _SPLIT + int(p[2]), int(p[3])
    examples, coordinates = (n + 3) // 4, (d + 3) // 4
    targets = p[4 + d : 4 + d + 4 * examples]
    features = p[4 + d + 4 * examples :]
    theta, g = np.zeros(4 * coordinates * _TILE, x.dtype), np.empty(4 * coordinates * _TILE, x.dtype)
    z = np.empty(4 * _TILE, x.dtype)
    for start in range(0, 256, _TILE):
        _gather(x, theta, start, d)
        g[:] = 0.0
        for e in range(examples):
            piece = features[16 * coordinates * e : 16 * coordinates * (e + 1)]
            _predict(piece, theta, z, coordinates)
            _residuals(z, targets[4 * e : 4 * e + 4], logistic)
            _add_gradients(piece, z, g, coordinates)
        for k in range(d):
            penalty = p[0] * p[4 + k]
            for i in range(_TILE):
                out[256 * k + start + i] = g[k * _TILE + i] / p.dtype.type(n) + penalty * theta[k * _TILE + i]


@njit(**ALLOCATING)
def value(x, p, out, logistic):
    """Fill `out` (one row) with the mean loss plus penalty; arguments as for `gradient`."""
    n, d = int(p[1]) * _SPLIT + int(p[2]), int(p[3])
    examples, coordinates = (n + 3) // 4, (d + 3) // 4
    targets = p[4 + d : 4 + d + 4 * examples]
    features = p[4 + d + 4 * examples :]
    theta, z = np.zeros(4 * coordinates * _TILE, x.dtype), np.empty(4 * _TILE, x.dtype)
    total, squares = np.empty(_TILE, x.dtype), np.empty(_TILE, x.dtype)
    for start in range(0, 256, _TILE):
        _gather(x, theta, start, d)
        total[:] = 0.0
        for e in range(examples):
            _predict(features[16 * coordinates * e : 16 * coordinates * (e + 1)], theta, z, coordinates)
            _add_losses(z, targets[4 * e : 4 * e + 4], min(4, n - 4 * e), total, logistic)
        squares[:] = 0.0
        for k in range(d):
            for i in range(_TILE):
                squares[i] += p[4 + k] * theta[k * _TILE + i] * theta[k * _TILE + i]
        for i in range(_TILE):
            out[start + i] = total[i] / p.dtype.type(n) + 0.5 * p[0] * squares[i]
