"""Heavy tails of stationary SGD: Kesten's index from the growth of moments, and Hill's from the weights themselves.

Where almost all trajectories of a linear regression shrink but some minibatches stretch, E|w|^κ is finite only up to an
index κ, and stationary weights have the tail P(|w| > t) ~ t^(−κ). All is measured on trajectories.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, InputError, MethodError
from fpsolver.learning.minibatch_products import (
    ROOT_ACCURACY,
    Measured,
    MinibatchProducts,
    check_counts,
    lengths,
    measured_root,
)

_LARGEST_INDEX = 64.0
_POPULATIONS = 16


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
        As for `fpsolver.learning.lyapunov_exponent`.
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
    check_counts(clones=clones, steps=steps)
    return _growth(
        MinibatchProducts(inputs, batch_size, replacement, optimiser), learning_rate, order, clones, steps, seed
    )


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
    ConvergenceError
        If the samples are too few to tell how the growth depends on κ.

    References
    ----------
    H. Kesten, Acta Math. 131, 207 (1973), Theorem 6.
    """
    check_counts(clones=clones, steps=steps)
    products = MinibatchProducts(inputs, batch_size, replacement, optimiser)

    def growth(order: float) -> Measured:
        return _growth(products, learning_rate, order, clones, steps, seed)

    index = measured_root(growth, *_bracket(growth, learning_rate))
    slope = (growth(1.05 * index).value - growth(0.95 * index).value) / (0.1 * index)
    if not slope > 0.0:
        raise ConvergenceError("the growth of moments is too noisy to have a slope; give more clones or steps")
    return Measured(index, float(growth(index).error / slope + ROOT_ACCURACY * index))


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
        As for `fpsolver.learning.lyapunov_exponent`; labels must be noisy, or the weights stay at the minimum.
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
    check_counts(chains=chains, steps=steps)
    products = MinibatchProducts(inputs, batch_size, replacement, optimiser)
    if not products.inputs.noise(products.batch_size, replacement).constant.any():
        raise MethodError(
            "minibatches agree at the minimum, so that the weights stay there; give label_variance, or targets that "
            "are not fitted exactly"
        )
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    z = np.zeros((len(update.free), products.dimension, chains))
    for _ in range(steps):
        z = products.step(z, update, generator, labels=True)
    return z[0].T @ products.directions.T


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
    >>> bool(abs(estimate.value - 3.0) < 4.0 * estimate.error)
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


def _growth(
    products: MinibatchProducts, learning_rate: float, order: float, clones: int, steps: int, seed: int
) -> Measured:
    generator, update = np.random.default_rng(seed), products.law.update(learning_rate)
    size = -(-clones // _POPULATIONS)
    z = products.beginning(generator, _POPULATIONS * size)
    turning = products.state_dimension > 1
    discarded = steps // 10 if turning else 0
    total = np.zeros(_POPULATIONS)
    for n in range(steps):
        image = products.step(z, update, generator)
        norm = lengths(image)
        weights = (norm**order).reshape(_POPULATIONS, size)
        if n >= discarded:
            total += weights.mean(axis=1)
        # On a line all directions are one, and fresh minibatches need no copies.
        if turning:
            if not weights.any(axis=1).all():
                return Measured(-np.inf, 0.0)
            chosen = _resampled(weights, generator)
            z = np.take(image, chosen, axis=2) / norm[chosen]
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
    # Of the combs u, u + 1, …, u + size − 1 of each population these many teeth fall up to each trajectory.
    teeth = np.ceil(cumulative * (size / cumulative[:, -1:]) - generator.random((populations, 1))).astype(np.intp)
    teeth[:, -1] = size
    return np.repeat(np.arange(weights.size), np.diff(teeth, axis=1, prepend=0).ravel())


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
    raise MethodError(f"almost all trajectories grow at learning_rate = {learning_rate:g}: nothing is stationary")
