"""Products of random minibatch matrices on trajectories: almost-sure growth, its threshold, and the tails it leaves.

Every minibatch of a linear regression multiplies the deviation by another matrix. Almost all trajectories shrink where
the Lyapunov exponent of the product is negative, even where the mean square grows; then E|w|^κ is finite only up to
Kesten's index κ, and stationary weights have the tail P(|w| > t) ~ t^(−κ). All is measured on trajectories.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, InputError, MethodError
from fpsolver.learning.regression_inputs import DataInputs, GaussianInputs, regression_inputs
from fpsolver.learning.stability import Optimiser, Update

_LARGEST_INDEX = 64.0
_POPULATIONS = 16
_ROOT = 1e-5
"""Relative accuracy of roots, far below their statistical errors."""


@dataclass(frozen=True)
class Measured:
    """A number measured on trajectories.

    Attributes
    ----------
    value : float
        Its estimate.
    error : float
        Standard error.
    """

    value: float
    error: float


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


class _Products:
    """Trajectories of z = (δ, v) under random minibatches, many at once."""

    def __init__(self, inputs: Any, batch_size: int, replacement: bool, optimiser: dict[str, Any]):
        self.law = Optimiser(**optimiser)
        if np.any(np.asarray(self.law.preconditioner) != 1.0):
            raise InputError("preconditioners are not for minibatches; divide the inputs by the root of the diagonal")
        if isinstance(batch_size, bool) or batch_size < 1 or int(batch_size) != batch_size:
            raise InputError(f"batch_size = {batch_size!r} must be a whole number of examples, at least 1")
        self.inputs: GaussianInputs | DataInputs = regression_inputs(inputs, self.law.weight_decay).moving()
        self.inputs.noise(int(batch_size), replacement)
        self.batch_size, self.replacement = int(batch_size), replacement
        self.dimension = len(self.inputs.penalty)
        self.penalty = self.inputs.penalty if self.inputs.penalty.any() else None
        self.steepest = float(np.linalg.norm(self.inputs.curvature, 2)) + self.inputs.largest / self.batch_size

    @property
    def state_dimension(self) -> int:
        return self.dimension * (2 if self.law.momentum > 0.0 else 1)

    def beginning(self, generator: np.random.Generator, chains: int) -> np.ndarray:
        """Return random unit vectors z (k, d, chains)."""
        z = generator.standard_normal((self.state_dimension // self.dimension, self.dimension, chains))
        return z / _norm(z)

    def step(self, z: np.ndarray, update: Update, generator: np.random.Generator, *, labels: bool = False) -> np.ndarray:
        """Return z after a minibatch each; with `labels` the residuals push it, without them it is only multiplied."""
        x, residuals = self.inputs.draw(generator, z.shape[2], self.batch_size, self.replacement)
        y = np.einsum("k,kdc->dc", update.reading, z)
        error = np.einsum("dsc,dc->sc", x, y)
        if labels:
            error -= residuals
        gradient = np.einsum("dsc,sc->dc", x, error) / self.batch_size
        if self.penalty is not None:
            gradient += self.penalty @ y
            if labels:
                gradient += self.inputs.pull[:, np.newaxis]
        return np.einsum("kl,ldc->kdc", update.free, z) - update.gain[:, np.newaxis, np.newaxis] * gradient


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
    inputs : GaussianInputs, EmpiricalRisk, or array_like (N, d)
        As for `fpsolver.learning.regression_recursion`.
    learning_rate : float
        η > 0.
    batch_size : int
        Examples S in a batch.
    replacement : bool
        Whether one batch may hold an example twice.
    chains, steps : int
        Number of trajectories and of steps each.
    seed : int
        Seed; the same for several learning rates lets them see the same minibatches.
    **optimiser
        ``momentum``, ``nesterov``, ``weight_decay``, ``averaging`` as for `fpsolver.learning.Optimiser`.

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
    _check_counts(chains=chains, steps=steps)
    return _exponent(_Products(inputs, batch_size, replacement, optimiser), learning_rate, chains, steps, seed)


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
    >>> round(threshold.value, 6)
    2.0
    """
    _check_counts(chains=chains, steps=steps)
    products = _Products(inputs, batch_size, replacement, optimiser)

    def exponent(rate: float, offset: int = 0) -> Measured:
        return _exponent(products, rate, chains, steps, seed + offset)

    lower = 0.5 * (1.0 - products.law.momentum) / products.steepest
    if not exponent(lower).value < 0.0:
        raise ConvergenceError(f"trajectories do not shrink at the learning rate {lower:.3g}; give more chains or steps")
    upper = 1.5 * lower
    while not exponent(upper).value > 0.0:
        lower, upper = upper, 1.5 * upper
    value = _root(exponent, lower, upper)
    above, below = exponent(1.05 * value), exponent(0.95 * value)
    slope = (above.value - below.value) / (0.1 * value)
    error = exponent(value).error / slope + _ROOT * value if slope > 0.0 else np.inf
    if not np.isfinite(error):
        raise ConvergenceError("the Lyapunov exponent is too noisy to have a slope; give more chains or steps")
    ends = [_significant(exponent, value, sign, error, significance) for sign in (-1.0, 1.0)]
    return AlmostSureThreshold(value, float(error), *ends)


def moment_growth(
    inputs: Any,
    learning_rate: float,
    batch_size: int,
    order: float,
    *,
    replacement: bool = True,
    clones: int = 20_000,
    steps: int = 200,
    seed: int = 0,
    **optimiser: Any,
) -> Measured:
    """Return Λ(κ) = lim (1/n) ln E|z_n|^κ, the growth of a moment of minibatch SGD, by cloning.

    Trajectories are copied in proportion to |z|^κ after every step, and Λ is the logarithm of their mean weight; the
    standard error is that of independent populations. The weights of high orders are carried by few trajectories: a
    standard error beyond a few percent is itself too small.

    Parameters
    ----------
    inputs, learning_rate, batch_size, replacement, seed, **optimiser
        As for `lyapunov_exponent`.
    order : float
        κ.
    clones, steps : int
        Trajectories in all, in 16 populations, and steps; the first tenth is discarded.

    References
    ----------
    C. Giardinà, J. Kurchan, L. Peliti, Phys. Rev. Lett. 96, 120603 (2006).

    Examples
    --------
    >>> round(moment_growth([[1.0]], 0.5, batch_size=1, order=2.0, clones=32, steps=10).value, 12)
    -1.38629436112
    """
    _check_counts(clones=clones, steps=steps)
    return _growth(_Products(inputs, batch_size, replacement, optimiser), learning_rate, order, clones, steps, seed)


def tail_index(
    inputs: Any,
    learning_rate: float,
    batch_size: int,
    *,
    replacement: bool = True,
    clones: int = 20_000,
    steps: int = 200,
    seed: int = 0,
    **optimiser: Any,
) -> Measured:
    """Return Kesten's index κ of the stationary weights: the positive root of Λ(κ) = `moment_growth`.

    Moments of the stationary weights are finite below κ, and P(|w| > t) ~ t^(−κ).

    Parameters
    ----------
    inputs, learning_rate, batch_size, replacement, clones, steps, seed, **optimiser
        As for `moment_growth`.

    Raises
    ------
    MethodError
        If almost all trajectories grow, so that there is no stationary state, or all moments up to the 64th shrink,
        so that there is no such tail.

    References
    ----------
    H. Kesten, Acta Math. 131, 207 (1973), Theorem 6.
    """
    _check_counts(clones=clones, steps=steps)
    products = _Products(inputs, batch_size, replacement, optimiser)

    def growth(order: float) -> Measured:
        return _growth(products, learning_rate, order, clones, steps, seed)

    index = _root(growth, *_bracket(growth, learning_rate))
    slope = (growth(1.05 * index).value - growth(0.95 * index).value) / (0.1 * index)
    return Measured(index, float(growth(index).error / slope + _ROOT * index))


def stationary_weights(
    inputs: Any,
    learning_rate: float,
    batch_size: int,
    *,
    replacement: bool = True,
    chains: int = 100_000,
    steps: int = 200,
    seed: int = 0,
    **optimiser: Any,
) -> np.ndarray:
    """Return independent weights of minibatch SGD after many steps from the minimum, as deviations from it.

    Parameters
    ----------
    inputs, learning_rate, batch_size, replacement, seed, **optimiser
        As for `lyapunov_exponent`; labels must be noisy, or the weights stay at the minimum.
    chains : int
        Number of weights.
    steps : int
        Steps; several times the inverse of the Lyapunov exponent.

    Returns
    -------
    ndarray (chains, d)

    Raises
    ------
    MethodError
        If every example is fitted exactly.
    """
    _check_counts(chains=chains, steps=steps)
    products = _Products(inputs, batch_size, replacement, optimiser)
    if not products.inputs.noise(products.batch_size, replacement).constant.any():
        raise MethodError(
            "minibatches agree at the minimum, so that the weights stay there; give label_variance, or targets that "
            "are not fitted exactly"
        )
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    z = np.zeros((len(update.free), products.dimension, chains))
    for _ in range(steps):
        z = products.step(z, update, generator, labels=True)
    return z[0].T


def hill_tail_index(samples: ArrayLike, largest: int | None = None) -> Measured:
    """Return Hill's estimate κ = 1/mean ln(X_(i)/X_(k+1)) of the index of the tail P(X > t) ~ t^(−κ).

    The standard error is κ/√k. Where the tail is not yet a power there is a bias besides, which shrinks with k/n.

    Parameters
    ----------
    samples : array_like (n,)
        Independent samples; their moduli are taken.
    largest : int, optional
        Number k of the largest ones that are used; by default n^(2/3)/4.

    Raises
    ------
    InputError
        If there are too few samples.

    References
    ----------
    B. M. Hill, Ann. Statist. 3, 1163 (1975).

    Examples
    --------
    >>> import numpy as np
    >>> estimate = hill_tail_index(np.random.default_rng(1).pareto(3.0, 100_000) + 1.0)
    >>> abs(estimate.value - 3.0) < 4.0 * estimate.error
    True
    """
    moduli = np.abs(np.asarray(samples, dtype=float).ravel())
    k = int(len(moduli) ** (2.0 / 3.0) / 4.0) if largest is None else int(largest)
    if not 2 <= k < len(moduli) or not np.isfinite(moduli).all():
        raise InputError(f"largest = {k} of {len(moduli)} finite samples: at least 2 and fewer than all are needed")
    top = np.sort(np.partition(moduli, len(moduli) - k - 1)[-k - 1 :])
    if not top[0] > 0.0:
        raise InputError(f"the {k + 1} largest of {len(moduli)} samples include zeros; use fewer")
    value = 1.0 / float(np.mean(np.log(top[1:] / top[0])))
    return Measured(value, value / np.sqrt(k))


def _exponent(products: _Products, learning_rate: float, chains: int, steps: int, seed: int) -> Measured:
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    z = products.beginning(generator, chains)
    discarded = 0 if products.state_dimension == 1 else steps // 10
    total = np.zeros(chains)
    for n in range(steps):
        z = products.step(z, update, generator)
        norm = _norm(z)
        if not norm.all():
            return Measured(-np.inf, 0.0)
        z /= norm
        if n >= discarded:
            total += np.log(norm)
    rates = total / (steps - discarded)
    return Measured(float(rates.mean()), float(rates.std(ddof=1) / np.sqrt(chains)))


def _growth(
    products: _Products, learning_rate: float, order: float, clones: int, steps: int, seed: int
) -> Measured:
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    size = -(-clones // _POPULATIONS)
    z = products.beginning(generator, _POPULATIONS * size)
    turning = products.state_dimension > 1
    discarded = steps // 10 if turning else 0
    total = np.zeros(_POPULATIONS)
    for n in range(steps):
        image = products.step(z, update, generator)
        norm = _norm(image)
        weights = (norm**order).reshape(_POPULATIONS, size)
        if n >= discarded:
            total += weights.mean(axis=1)
        # On a line all directions are one, and fresh minibatches need no copies.
        if turning:
            if not weights.any(axis=1).all():
                return Measured(-np.inf, 0.0)
            chosen = _resampled(weights, generator)
            z = image[:, :, chosen] / norm[chosen]
    mean = total.mean()
    if mean == 0.0:
        return Measured(-np.inf, 0.0)
    return Measured(
        float(np.log(mean / (steps - discarded))), float(total.std(ddof=1) / (np.sqrt(_POPULATIONS) * mean))
    )


def _resampled(weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the numbers of the trajectories that survive, by systematic resampling within each population."""
    populations, size = weights.shape
    cumulative = np.cumsum(weights, axis=1)
    cumulative *= 1.0 / cumulative[:, -1:]
    positions = (np.arange(size) + generator.random((populations, 1))) / size
    numbers = np.arange(populations)[:, np.newaxis]
    chosen = np.searchsorted((cumulative + numbers).ravel(), (positions + numbers).ravel())
    return np.minimum(chosen, np.repeat(np.arange(1, populations + 1) * size - 1, size))


def _bracket(growth: Callable[[float], Measured], learning_rate: float) -> tuple[float, float]:
    """Return orders between which Λ, convex and zero at the order 0, changes its sign."""
    order = 1.0
    if growth(order).value < 0.0:
        while order < _LARGEST_INDEX:
            order *= 2.0
            if growth(order).value > 0.0:
                return order / 2.0, order
        raise MethodError(
            f"moments up to order {_LARGEST_INDEX:g} shrink at learning_rate = {learning_rate:g}: no power-law tail is "
            "in sight"
        )
    while order > 2.0**-6:
        order /= 2.0
        if growth(order).value < 0.0:
            return order, 2.0 * order
    raise MethodError(f"almost all trajectories grow at learning_rate = {learning_rate:g}: there is no stationary state")


def _root(function: Callable[[float], Measured], lower: float, upper: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda x: max(function(x).value, -50.0), lower, upper, rtol=_ROOT, xtol=_ROOT * lower))


def _significant(exponent: Callable[..., Measured], value: float, sign: float, error: float, significance: float) -> float:
    """Return the nearest learning rate at which fresh trajectories have an exponent of this sign, significantly."""
    for attempt in range(12):
        rate = value + sign * (significance + 1.0) * 1.5**attempt * error
        if not 0.0 < rate < 4.0 * value:
            break
        measured = exponent(rate, offset=1)
        if sign * measured.value > significance * measured.error:
            return float(rate)
    raise ConvergenceError("the sign of the Lyapunov exponent is not significant anywhere; give more chains or steps")


def _norm(z: np.ndarray) -> np.ndarray:
    """Return the length of every trajectory's state (chains,)."""
    return np.sqrt(np.einsum("kdc,kdc->c", z, z))


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 2:
            raise InputError(f"{name} = {count!r} must be a whole number, at least 2")
