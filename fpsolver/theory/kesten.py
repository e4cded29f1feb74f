"""Power-law tails of the stationary weights of SGD on isotropic Gaussian inputs with label noise.

w′ − w* = (1 − ηH)(w − w*) + ηξ with random H: a Kesten process. P(|w − w*| > t) ∝ t^−κ for large t, where κ > 0 solves
E R^κ = 1 with the factor R of `fpsolver.theory.step_factor`.
"""

from __future__ import annotations

from fpsolver.errors import TheoryError
from fpsolver.theory import step_factor
from fpsolver.theory.almost_sure_threshold import ISOTROPIC
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.mean_square_threshold import GAUSSIAN

KESTEN = "H. Kesten, Acta Math. 131, 207 (1973); M. Gürbüzbalaban, U. Şimşekli, L. Zhu, ICML 2021"


def moment(
    power: float, *, learning_rate: float, curvature: float = 1.0, batch_size: int = 1, dimension: int = 1
) -> Estimate:
    """Return ln E R^κ, by which the moment ⟨|w|^κ⟩ of the distance grows per step.

    Parameters
    ----------
    power : float
        κ > 0.
    learning_rate, curvature, batch_size, dimension
        As for `fpsolver.theory.almost_sure_threshold.lyapunov_exponent`.

    Examples
    --------
    >>> round(float(moment(2.0, learning_rate=2 / 3)), 9) + 0.0  # the mean-square threshold
    0.0
    """
    value = step_factor.log_moment(
        power, learning_rate, curvature=curvature, batch_size=batch_size, dimension=dimension
    )
    return Estimate(value, (GAUSSIAN, ISOTROPIC), 0.0, KESTEN)


def tail_index(learning_rate: float, *, curvature: float = 1.0, batch_size: int = 1, dimension: int = 1) -> Estimate:
    """Return κ > 0 with E[((1 − ηaG/S)² + (ηa/S)²GK)^{κ/2}] = 1, G ~ χ²_S, K ~ χ²_{d−1}.

    For S = 1 that is E[(1 − 2ηz² + η²z²|x|²)^{κ/2}] = 1, in one dimension E|1 − ηaz²|^κ = 1. It is 2 at the
    mean-square threshold, η = 2/(d + 2) for S = 1, and falls to zero at the almost-sure one.

    Parameters
    ----------
    learning_rate, curvature, batch_size, dimension
        As for `moment`.

    Raises
    ------
    TheoryError
        If η is not below the almost-sure threshold: there is no stationary state.

    References
    ----------
    H. Kesten (1973), theorem 5; M. Gürbüzbalaban, U. Şimşekli, L. Zhu (2021), theorem 2.

    Examples
    --------
    >>> [round(float(tail_index(eta)), 9) for eta in (0.3, 0.5, 1.0)]
    [5.305901075, 2.903966229, 1.090826473]
    """
    from scipy.optimize import brentq

    numbers = {"curvature": curvature, "batch_size": batch_size, "dimension": dimension}
    exponent = step_factor.mean_logarithm(learning_rate, **numbers)  # type: ignore[arg-type]
    if exponent >= 0.0:
        raise TheoryError(
            f"learning_rate = {learning_rate:g} is not below the almost-sure threshold (E ln R = {exponent:.3g} ≥ 0): "
            "the weights have no stationary state"
        )

    def slope(kappa: float) -> float:
        # ln E R^κ is convex and zero at κ = 0, so that over κ it grows from E ln R to its root and beyond.
        return step_factor.log_moment(kappa, learning_rate, **numbers) / kappa  # type: ignore[arg-type]

    low, high = 1.0, 1.0
    while slope(low) > 0.0:
        low /= 2.0
    while slope(high) < 0.0:
        high *= 2.0
    value = low if low == high else brentq(slope, low, high, xtol=1e-13, rtol=1e-13)
    return Estimate(value, (GAUSSIAN, ISOTROPIC, "label noise with lighter tails"), 0.0, KESTEN)
