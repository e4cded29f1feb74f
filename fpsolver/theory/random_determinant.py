"""Mean absolute determinant of a shifted random symmetric matrix, from the density of eigenvalues one size up."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fpsolver.errors import TheoryError

Floats = NDArray[np.float64]

# Hermite functions underflow beyond x = 38, which is 54 in the eigenvalues' scale.
_LARGEST = 53.0
# Beyond the edge 2√d of the spectrum, or the shift, the integrand falls off as a Gaussian of unit width at least.
_MARGIN = 14.0
_NODES_PER_UNIT = 40


def log_mean_absolute_determinant(dimension: int, shift: float, spread: float) -> float:
    """Return ln E|det(M + (m + sξ)·1)|, with M in the Gaussian orthogonal ensemble and ξ standard normal.

    Parameters
    ----------
    dimension : int
        d, the size of M, whose diagonal has variance 2 and the rest variance 1.
    shift, spread : float
        m, and s with 0 < s² ≤ 2.

    Raises
    ------
    TheoryError
        If d or the shift is so large that doubles underflow (d above about 350 for a small shift).

    Notes
    -----
    The joint density of d + 1 eigenvalues is that of d times ∏|x − λᵢ| e^{−x²/4}, so that E|det(x − M)| is
    ρ_{d+1}(x) e^{x²/4} times a ratio of Selberg integrals: Y. V. Fyodorov, Phys. Rev. Lett. 92, 240601 (2004).

    Examples
    --------
    A number of variance 4 has the mean absolute value 2√(2/π):

    >>> bool(abs(math.exp(log_mean_absolute_determinant(1, 0.0, math.sqrt(2.0))) - math.sqrt(8 / math.pi)) < 1e-12)
    True
    """
    reach = max(2.0 * math.sqrt(dimension), abs(shift) + math.sqrt(dimension)) + _MARGIN
    if reach > _LARGEST:
        raise TheoryError(
            f"dimension = {dimension} with a shift of {shift:.3g} is too large for the finite formula: the density of "
            "eigenvalues underflows; use the complexity, its limit for many dimensions"
        )
    x, step = np.linspace(-reach, reach, 2 * int(_NODES_PER_UNIT * reach) + 1, retstep=True)
    # The integrand is analytic and vanishes at both ends, so that the trapezoidal rule is good to rounding.
    weight = x**2 / 4.0 - (x - shift) ** 2 / (2.0 * spread**2)
    largest = float(weight.max())
    integral = step * float(eigenvalue_density(dimension + 1, x) @ np.exp(weight - largest))
    n = dimension + 1
    ratio = 0.5 * n * math.log(2.0) + math.lgamma(1.0 + n / 2.0) - math.lgamma(1.5) - math.log(n * spread)
    return ratio + largest + math.log(integral)


def eigenvalue_density(size: int, x: Floats) -> Floats:
    """Return the density of eigenvalues of a Gaussian orthogonal matrix, off-diagonal variance 1; its integral is n.

    Parameters
    ----------
    size : int
        n.
    x : ndarray
        Where.

    Notes
    -----
    M. L. Mehta, Random Matrices, 3rd ed., eqs. (7.2.29)–(7.2.32), in Hermite functions of x/√2.

    Examples
    --------
    >>> x = np.linspace(-12.0, 12.0, 2401)
    >>> round(float(eigenvalue_density(5, x).sum() * 0.01), 10)
    5.0
    """
    y = np.asarray(x, dtype=float) / math.sqrt(2.0)
    functions, tails, totals = _hermite(size, y)
    density = np.sum(functions[:-1] ** 2, axis=0)
    density += math.sqrt(size / 2.0) * functions[size - 1] * (totals[size] / 2.0 - tails[size])
    if size % 2:
        density += functions[size - 1] / totals[size - 1]
    return np.asarray(density / math.sqrt(2.0))


def _hermite(degree: int, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return φ_j(y), ∫_y^∞ φ_j and ∫ φ_j over the line for j = 0 … degree.

    The integrals follow from φ_j' = √(j/2) φ_{j−1} − √((j+1)/2) φ_{j+1}.
    """
    from scipy.special import erfc

    functions, tails = np.empty((degree + 1, y.size)), np.empty((degree + 1, y.size))
    totals = np.zeros(degree + 1)
    functions[0] = math.pi**-0.25 * np.exp(-(y**2) / 2.0)
    tails[0] = math.pi**0.25 * erfc(y / math.sqrt(2.0)) / math.sqrt(2.0)
    totals[0] = math.sqrt(2.0) * math.pi**0.25
    for j in range(degree):
        last = math.sqrt(j / (j + 1.0))
        functions[j + 1] = math.sqrt(2.0 / (j + 1.0)) * y * functions[j]
        tails[j + 1] = math.sqrt(2.0 / (j + 1.0)) * functions[j]
        if j:
            functions[j + 1] -= last * functions[j - 1]
            tails[j + 1] += last * tails[j - 1]
            totals[j + 1] = last * totals[j - 1]
    return functions, tails, totals
