"""Free-energy estimators for Gaussian work: how far off they are, and how many samples they take.

Work is Gaussian of mean ΔF + D and variance 2TD, forward and in reverse, as for every trap that is moved from
equilibrium or whatever is driven slowly; D is the dissipated work. Errors do not depend on ΔF.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate

GAUSSIAN = "work is Gaussian, of variance 2TD"
INDEPENDENT = "samples are independent"
EXACT = "own derivation: ln ∑ exp(−w) minus a Gumbel variable has survival function ⟨exp(−z exp(−w))⟩ⁿ"


def exponential_average_bias(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return the mean of −T ln[(1/n)∑ exp(−W/T)] minus ΔF, for any number of samples.

    Parameters
    ----------
    dissipated : float
        D = ⟨W⟩ − ΔF.
    samples : float
        n.
    temperature : float
        T.

    Returns
    -------
    Estimate
        The bias, positive.

    Raises
    ------
    TheoryError
        If an argument is not positive.

    Examples
    --------
    >>> round(float(exponential_average_bias(2.0, 1, temperature=1.0)), 10)
    2.0
    """
    mean, _ = _moments(dissipated, samples, temperature)
    return Estimate(temperature * mean, (GAUSSIAN, INDEPENDENT), 0.0, EXACT)


def exponential_average_bias_to_first_order(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return T(e^{2D/T} − 1)/(2n), the bias of the exponential average where n ≫ e^{2D/T}."""
    variance = _relative_variance(dissipated, samples, temperature)
    return Estimate(
        temperature * variance / 2.0, (GAUSSIAN, INDEPENDENT, "n ≫ e^{2D/T}"), variance,
        "D. M. Zuckerman, T. B. Woolf, Phys. Rev. Lett. 89, 180602 (2002)",
    )  # fmt: skip


def exponential_average_deviation(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return the standard deviation of −T ln[(1/n)∑ exp(−W/T)], for any number of samples."""
    _, variance = _moments(dissipated, samples, temperature)
    return Estimate(temperature * math.sqrt(max(variance, 0.0)), (GAUSSIAN, INDEPENDENT), 0.0, EXACT)


def exponential_average_error(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return the root mean square error of −T ln[(1/n)∑ exp(−W/T)], bias included, for any number of samples."""
    mean, variance = _moments(dissipated, samples, temperature)
    return Estimate(temperature * math.hypot(mean, math.sqrt(max(variance, 0.0))), (GAUSSIAN, INDEPENDENT), 0.0, EXACT)


def exponential_average_samples(dissipated: float, accuracy: float, *, temperature: float) -> Estimate:
    """Return how many samples bring the root mean square error of the exponential average down to an accuracy.

    Examples
    --------
    >>> n = float(exponential_average_samples(1.0, 0.01, temperature=1.0))
    >>> bool(abs(n / ((np.exp(2) - 1) / 0.01**2) - 1) < 0.01)  # n ≈ T²(e^{2D/T} − 1)/accuracy² where that is large
    True
    """
    from scipy.optimize import brentq

    wanted = positive("accuracy", accuracy)
    if float(exponential_average_error(dissipated, 1, temperature=temperature)) <= wanted:
        return Estimate(1.0, (GAUSSIAN, INDEPENDENT), 0.0, EXACT)

    def excess(log_samples: float) -> float:
        return math.log(
            float(exponential_average_error(dissipated, math.exp(log_samples), temperature=temperature)) / wanted
        )

    most = math.log1p(_relative_variance(dissipated, 1, temperature) * (temperature / wanted) ** 2) + 5.0
    return Estimate(math.exp(brentq(excess, 0.0, most, xtol=1e-9)), (GAUSSIAN, INDEPENDENT), 0.0, EXACT)


def overlap(dissipated: float, *, temperature: float) -> Estimate:
    """Return ∫ 2 P_F P_R/(P_F + P_R) dW of the work forward, P_F(W), and in reverse, P_R(−W): from 0 to 1.

    Raises
    ------
    TheoryError
        If an argument is not positive.
    """
    return Estimate(
        2.0 * _shared(dissipated, 1.0, 1.0, temperature),
        (GAUSSIAN,),
        0.0,
        "C. H. Bennett, J. Comput. Phys. 22, 245 (1976)",
    )


def bennett_deviation(dissipated: float, forward: float, reverse: float, *, temperature: float) -> Estimate:
    """Return the standard deviation of Bennett's estimate, T √(1/m − 1/n_F − 1/n_R).

    m = ∫ n_F P_F n_R P_R/(n_F P_F + n_R P_R) dW is how many samples forward and reverse share.

    Parameters
    ----------
    dissipated : float
        D, the same in both directions.
    forward, reverse : float
        Numbers of samples n_F and n_R.
    temperature : float
        T.

    Examples
    --------
    >>> float(bennett_deviation(1.0, 1000, 1000, temperature=1.0)) < 0.05
    True
    """
    n, m = positive("forward", forward), positive("reverse", reverse)
    shared = _shared(dissipated, n, m, temperature)
    variance = 1.0 / shared - 1.0 / n - 1.0 / m
    return Estimate(
        temperature * math.sqrt(max(variance, 0.0)), (GAUSSIAN, INDEPENDENT, "many samples are shared"), 1.0 / shared,
        "C. H. Bennett, J. Comput. Phys. 22, 245 (1976)",
    )  # fmt: skip


def gaussian_crossing_deviation(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return √((T² + D²/4)/n), how far the crossing of two fitted Gaussians scatters with n samples each way."""
    d, n, t = _checked(dissipated, samples, temperature)
    return Estimate(
        math.sqrt((t**2 + d**2 / 4.0) / n), (GAUSSIAN, INDEPENDENT, "n ≫ 1 + T²/D²"), (1.0 + (t / d) ** 2) / n,
        "own derivation (delta method)",
    )  # fmt: skip


def second_cumulant_deviation(dissipated: float, samples: float, *, temperature: float) -> Estimate:
    """Return √(2D(T + D)/n), how far ⟨W⟩ − var W/(2T) scatters with n samples."""
    d, n, t = _checked(dissipated, samples, temperature)
    return Estimate(
        math.sqrt(2.0 * d * (t + d) / n), (GAUSSIAN, INDEPENDENT), 1.0 / n, "own derivation: var k₂ = 2κ₂²/(n − 1)"
    )


def _checked(dissipated: float, samples: float, temperature: float) -> tuple[float, float, float]:
    """Return D, n and T, which must be positive."""
    return positive("dissipated", dissipated), positive("samples", samples), positive("temperature", temperature)


def _relative_variance(dissipated: float, samples: float, temperature: float) -> float:
    """Return the relative variance of the mean of n numbers exp(−W/T)."""
    d, n, t = _checked(dissipated, samples, temperature)
    return math.expm1(2.0 * d / t) / n


def _work(reduced: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights for averages over w = (W − ΔF)/T, which reach where exp(−2w) has its mean."""
    deviation = math.sqrt(2.0 * reduced)
    # Integrands are analytic in a strip of width π/2 about the real axis: sums over nodes are good to exp(−π²/step).
    step = min(deviation / 3.0, 0.2)
    w = np.arange(reduced - (13.0 + 2.0 * deviation) * deviation, reduced + 13.0 * deviation, step)
    return w, np.exp(-((w - reduced) ** 2) / (4.0 * reduced)) * step / math.sqrt(4.0 * math.pi * reduced)


def _shared(dissipated: float, forward: float, reverse: float, temperature: float) -> float:
    """Return ∫ n_F P_F n_R P_R/(n_F P_F + n_R P_R) dW, with P_R = P_F exp(−w)."""
    from scipy.special import expit

    w, weights = _work(positive("dissipated", dissipated) / positive("temperature", temperature))
    return forward * float(weights @ expit(-w - math.log(forward / reverse)))


def _moments(dissipated: float, samples: float, temperature: float) -> tuple[float, float]:
    """Return mean and variance of −ln[(1/n)∑ exp(−w)].

    With E exponential and S the mean of exp(−w), P(ln E − ln S > x) = ⟨exp(−eˣ e^{−w}/n)⟩ⁿ at ln E − ln S < x + ln n:
    moments of ln S follow from integrals of this against exp(−eˣ), the survival function of ln E alone.
    """
    d, n, t = _checked(dissipated, samples, temperature)
    if n < 1.0:
        raise TheoryError(f"samples = {samples!r} must be at least one")
    w, weights = _work(d / t)
    step = 0.2
    x = np.arange(-40.0, 12.0 + max(w[-1], 0.0), step)
    missing = -np.expm1(-np.exp(np.minimum(x[:, None] - math.log(n) - w, 700.0))) @ weights
    survival = np.exp(n * np.log1p(-np.minimum(missing, 1.0 - 1e-16)))
    excess = survival - np.exp(-np.exp(x))
    mean, second = step * float(excess.sum()), 2.0 * step * float((x * excess).sum())
    return mean, second + 2.0 * np.euler_gamma * mean - mean**2
