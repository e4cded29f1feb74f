"""The learning rate at which SGD on isotropic Gaussian inputs stops converging almost surely.

The distance from the optimum is a product of independent factors R (`fpsolver.theory.step_factor`), so that it goes to
zero with probability one iff the Lyapunov exponent E ln R is negative. The mean square can diverge long before, on
paths that are ever rarer.
"""

from __future__ import annotations

from fpsolver.theory import step_factor
from fpsolver.theory.conditions import positive, whole_number
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.mean_square_threshold import GAUSSIAN

FURSTENBERG = "H. Furstenberg, H. Kesten, Ann. Math. Stat. 31, 457 (1960)"
ISOTROPIC = "isotropic inputs"


def lyapunov_exponent(
    learning_rate: float, *, curvature: float = 1.0, batch_size: int = 1, dimension: int = 1
) -> Estimate:
    """Return λ(η) = E ln R = ½E ln[(1 − ηaG/S)² + (ηa/S)²GK] per step, G ~ χ²_S, K ~ χ²_{d−1}.

    In one dimension E ln|1 − ηaχ²_S/S|.

    Parameters
    ----------
    learning_rate : float
        η.
    curvature : float
        a, the variance of each component of the inputs.
    batch_size, dimension : int
        S and d.

    References
    ----------
    H. Furstenberg, H. Kesten (1960).

    Examples
    --------
    >>> round(float(lyapunov_exponent(2.0)), 6)  # gradient descent has 0 there
    -0.116247
    """
    value = step_factor.mean_logarithm(learning_rate, curvature=curvature, batch_size=batch_size, dimension=dimension)
    return Estimate(value, (GAUSSIAN, ISOTROPIC), 0.0, FURSTENBERG)


def learning_rate(curvature: float = 1.0, *, batch_size: int = 1, dimension: int = 1) -> Estimate:
    """Return the root of λ(η) = 0: above gradient descent's 2/a in one dimension, below it for S = 1 in more.

    Parameters
    ----------
    curvature, batch_size, dimension
        As for `lyapunov_exponent`.

    Examples
    --------
    >>> [round(float(learning_rate(dimension=d)), 6) for d in (1, 2, 5)]
    [2.42125, 0.937087, 0.351222]
    """
    from scipy.optimize import brentq

    # At the mean-square threshold λ is negative, by Jensen's inequality; from there upwards it changes sign once.
    size, d = whole_number("batch_size", batch_size), whole_number("dimension", dimension)
    low = 2.0 * size / (positive("curvature", curvature) * (size + d + 1))

    def exponent(eta: float) -> float:
        return step_factor.mean_logarithm(eta, curvature=curvature, batch_size=size, dimension=d)

    high = 1.5 * low
    while exponent(high) < 0.0:
        high *= 1.5
    return Estimate(brentq(exponent, low, high, xtol=1e-13 * low), (GAUSSIAN, ISOTROPIC), 0.0, FURSTENBERG)


def learning_rate_as_written(curvature: float = 1.0, *, batch_size: int = 1, dimension: int = 1) -> Estimate:
    """Return 2/a, which is gradient descent's.

    Parameters
    ----------
    curvature, batch_size, dimension
        As for `lyapunov_exponent`; the last two change nothing.
    """
    whole_number("batch_size", batch_size), whole_number("dimension", dimension)
    return Estimate(2.0 / positive("curvature", curvature), ("S → ∞",), 0.0, "as it circulates")
