"""Exponentials of tridiagonal matrices acting on a vector, by a rational function in partial fractions.

e^A b ≈ Σ_j c_j (A − z_j)⁻¹ b with the subdiagonal Padé approximant [3/4]: of order 7, stable for every eigenvalue with
negative real part and zero at infinity, and exact on the null vectors of A, so that a rate matrix conserves mass. Its
derivatives are those of resolvents, exact to rounding, which is what an adjoint method wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np

DEGREE = 4


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """A real tridiagonal matrix.

    Parameters
    ----------
    lower, diagonal, upper : ndarray
        Its elements (i + 1, i), (i, i) and (i, i + 1), of lengths n − 1, n and n − 1.
    """

    lower: np.ndarray
    diagonal: np.ndarray
    upper: np.ndarray

    @property
    def transpose(self) -> Tridiagonal:
        """The transposed matrix."""
        return Tridiagonal(self.upper, self.diagonal, self.lower)

    def resolvents(self, vector: np.ndarray) -> np.ndarray:
        """Return (A − z_j)⁻¹ b for the poles in the upper half plane, shape (DEGREE/2, n)."""
        from scipy.linalg.lapack import zgtsv

        poles, _ = partial_fractions()
        return np.array([zgtsv(self.lower, self.diagonal - z, self.upper, vector)[3].ravel() for z in poles])


def from_resolvents(resolvents: np.ndarray) -> np.ndarray:
    """Return e^A b from what `Tridiagonal.resolvents` gives."""
    _, weights = partial_fractions()
    return 2.0 * (weights @ resolvents).real


@cache
def partial_fractions() -> tuple[np.ndarray, np.ndarray]:
    """Return the poles z_j in the upper half plane and their residues c_j; the others are conjugate.

    Examples
    --------
    >>> poles, weights = partial_fractions()
    >>> bool(abs(2 * (weights / (1.0 - poles)).sum().real - np.e) < 1e-5)
    True
    """
    m, n = DEGREE - 1, DEGREE
    above = [factorial(m + n - j) * factorial(m) / (factorial(j) * factorial(m - j)) for j in range(m, -1, -1)]
    below = [
        (-1.0) ** j * factorial(m + n - j) * factorial(n) / (factorial(j) * factorial(n - j)) for j in range(n, -1, -1)
    ]
    # Both were multiplied by (m + n)!, which the quotient does not see.
    poles = np.roots(below)
    poles = poles[poles.imag > 0]
    return poles, np.polyval(above, poles) / np.polyval(np.polyder(below), poles)
