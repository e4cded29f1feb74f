"""Products of random minibatch matrices on trajectories: almost-sure growth, and the learning rate at which it begins.

Every minibatch of a linear regression multiplies the deviation by another matrix. Almost all trajectories shrink where
the Lyapunov exponent of the product is negative, even where the mean square grows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import ConvergenceError
from fpsolver.learning.minibatch_products import (
    ROOT_ACCURACY,
    Measured,
    MinibatchProducts,
    check_counts,
    lengths,
    measured_root,
)


@dataclass(frozen=True)
class AlmostSureThreshold:
    """The learning rate at which almost all trajectories begin to leave a minimum.

    Attributes
    ----------
    value : float
        Root of the measured Lyapunov exponent.
    error : float
        Standard error: that of the exponent over its slope.
    lower, upper : float
        Learning rates at which fresh trajectories have a significantly negative and positive exponent.
    """

    value: float
    error: float
    lower: float
    upper: float


def lyapunov_exponent(
    inputs: Any,
    learning_rate: float,
    batch_size: int,
    *,
    replacement: bool = True,
    chains: int = 400,
    steps: int = 2000,
    seed: int = 0,
    **optimiser: Any,
) -> Measured:
    """Return the rate lim (1/n) ln|z_n| at which almost every trajectory of minibatch SGD grows or shrinks in a step.

    The mean over independent trajectories of ln|z_n|/n after a tenth of the steps, in which they turn to the growing
    direction; the standard error is theirs. Directions without curvature are left out.

    Parameters
    ----------
    inputs, learning_rate, batch_size, replacement, **optimiser
        As for `fpsolver.learning.regression_recursion`.
    chains, steps : int
        Number of trajectories and of steps each.
    seed : int
        Seed; the same for several learning rates lets them see the same minibatches.

    Returns
    -------
    Measured
        −∞ where a trajectory ends at the minimum exactly, as for orthogonal examples that one step fits.

    References
    ----------
    H. Furstenberg, H. Kesten, Ann. Math. Statist. 31, 457 (1960).

    Examples
    --------
    >>> exponent = lyapunov_exponent([[1.0]], 0.5, batch_size=1, chains=2, steps=10)
    >>> round(exponent.value, 12), exponent.error
    (-0.69314718056, 0.0)
    """
    check_counts(chains=chains, steps=steps)
    return _exponent(MinibatchProducts(inputs, batch_size, replacement, optimiser), learning_rate, chains, steps, seed)


def almost_sure_learning_rate(
    inputs: Any,
    batch_size: int,
    *,
    replacement: bool = True,
    chains: int = 400,
    steps: int = 2000,
    significance: float = 4.0,
    seed: int = 0,
    **optimiser: Any,
) -> AlmostSureThreshold:
    """Return the learning rate above which almost all trajectories of minibatch SGD leave the minimum.

    Bisection of the Lyapunov exponent with the same minibatches for every learning rate; fresh ones then confirm that
    both ends of a bracket have significant signs.

    Parameters
    ----------
    inputs, batch_size, replacement, chains, steps, seed, **optimiser
        As for `lyapunov_exponent`.
    significance : float
        Standard errors by which the exponents at the ends of the bracket differ from zero.

    Raises
    ------
    ConvergenceError
        If no learning rate with a significant sign is found; give more chains or steps.

    Examples
    --------
    >>> threshold = almost_sure_learning_rate([[1.0]], batch_size=1, chains=2, steps=10)
    >>> round(threshold.value, 3)
    2.0
    """
    check_counts(chains=chains, steps=steps)
    products = MinibatchProducts(inputs, batch_size, replacement, optimiser)

    def exponent(rate: float, offset: int = 0) -> Measured:
        return _exponent(products, rate, chains, steps, seed + offset)

    lower = 0.5 * (1.0 - products.law.momentum) / products.steepest
    if not exponent(lower).value < 0.0:
        raise ConvergenceError(f"trajectories do not shrink at the learning rate {lower:.3g}: more chains or steps")
    upper = 1.5 * lower
    while not exponent(upper).value > 0.0:
        lower, upper = upper, 1.5 * upper
    value = measured_root(exponent, lower, upper)
    above, below = exponent(1.05 * value), exponent(0.95 * value)
    slope = (above.value - below.value) / (0.1 * value)
    error = exponent(value).error / slope + ROOT_ACCURACY * value if slope > 0.0 else np.inf
    if not np.isfinite(error):
        raise ConvergenceError("the Lyapunov exponent is too noisy to have a slope; give more chains or steps")
    ends = [_significant(exponent, value, sign, error, significance) for sign in (-1.0, 1.0)]
    return AlmostSureThreshold(value, float(error), *ends)


def _exponent(products: MinibatchProducts, learning_rate: float, chains: int, steps: int, seed: int) -> Measured:
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    z = products.beginning(generator, chains)
    discarded = 0 if products.state_dimension == 1 else steps // 10
    total = np.zeros(chains)
    for n in range(steps):
        z = products.step(z, update, generator)
        norm = lengths(z)
        if not norm.all():
            return Measured(-np.inf, 0.0)
        z /= norm
        if n >= discarded:
            total += np.log(norm)
    rates = total / (steps - discarded)
    return Measured(float(rates.mean()), float(rates.std(ddof=1) / np.sqrt(chains)))


def _significant(
    exponent: Callable[..., Measured], value: float, sign: float, error: float, significance: float
) -> float:
    """Return the nearest learning rate at which fresh trajectories have an exponent of this sign, significantly."""
    for attempt in range(12):
        rate = value + sign * (significance + 1.0) * 1.5**attempt * error
        if not 0.0 < rate < 4.0 * value:
            break
        measured = exponent(rate, offset=1)
        if sign * measured.value > significance * measured.error:
            return float(rate)
    raise ConvergenceError("the sign of the Lyapunov exponent is not significant anywhere; give more chains or steps")
