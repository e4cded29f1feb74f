"""Weights of the two jumps along an edge, as functions of the drop of the drift potential along it.

For a potential step z = (U_j − U_i)/T the jump i → j has weight f(z) and its reverse f(−z), with f(−z) = e^z f(z), so
that detailed balance with e^{−U/T} is exact whatever the step.
"""

from __future__ import annotations

import numpy as np


def bernoulli_pair(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return B(z) and B(−z) with the Bernoulli function B(z) = z/(e^z − 1).

    The Scharfetter–Gummel (Chang–Cooper) weights: exact for a constant drift along the edge. Both are found from |z|,
    so that neither is the difference of two large numbers.

    References
    ----------
    D. L. Scharfetter and H. K. Gummel, IEEE Trans. Electron Devices 16, 64 (1969), eq. (A-11).

    Examples
    --------
    >>> bernoulli_pair(np.array([0.0]))
    (array([1.]), array([1.]))
    """
    size = np.abs(z)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        against = size / np.expm1(size)
    against = np.where(size < 1e-300, 1.0, against)
    along = against + size
    return np.where(z > 0, against, along), np.where(z > 0, along, against)


def square_root_pair(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return e^{−z/2} and e^{z/2}, the weights of the square-root approximation (SQRA).

    References
    ----------
    H. C. Lie, K. Fackeldey and M. Weber, SIAM J. Matrix Anal. Appl. 34, 738 (2013), eq. (3.9).

    Examples
    --------
    >>> square_root_pair(np.array([0.0]))
    (array([1.]), array([1.]))
    """
    with np.errstate(over="ignore"):
        return np.exp(-0.5 * z), np.exp(0.5 * z)
