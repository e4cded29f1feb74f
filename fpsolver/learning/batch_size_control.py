"""Batch sizes that keep the statistics of transitions while the learning rate or the landscape changes.

The noise of a step has the covariance η²C₁/B. To keep the temperature (η/2)C₁/B one scales the batch with the learning
rate; on a quadratic loss the temperature of the chain has the factor 1/(1 − ηh/2) as well, and an escape rate depends
on the landscape too: `matching_batch_sizes` keeps any statistic that a closed form or a solver gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.dynamics.protocol import Protocol
from fpsolver.errors import InputError

_LEAST = 1e-300


def constant_temperature(
    learning_rates: ArrayLike, *, batch_size: float, curvature: float = 0.0, examples: int | None = None
) -> np.ndarray:
    """Return the batches that keep the temperature of the first step, B ∝ η/(1 − ηh/2); not rounded.

    Parameters
    ----------
    learning_rates : array_like, shape (n,)
        η of each step, or of a few.
    batch_size : float
        B of the first.
    curvature : float
        h, with ηh < 2. On a quadratic loss the variance of a stationary chain then does not change at all, however
        fast η does.
    examples : int, optional
        N, for batches without replacement: (N − B)/(B(N − 1)) takes the place of 1/B.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        If a rate is not positive, a chain is unstable, or the noise asked for exceeds that of single examples.

    Examples
    --------
    >>> constant_temperature([0.1, 0.2, 0.4], batch_size=8).tolist()
    [8.0, 16.0, 32.0]
    >>> constant_temperature([0.1, 0.2, 0.4], batch_size=8, curvature=1.0).round(3).tolist()
    [8.0, 16.889, 38.0]
    >>> constant_temperature([0.1, 0.2], batch_size=8, examples=100).round(3).tolist()
    [8.0, 14.815]
    """
    eta = np.atleast_1d(np.asarray(learning_rates, dtype=float))
    if eta.ndim != 1 or not (eta > 0.0).all() or curvature * eta.max() >= 2.0 or not batch_size > 0.0:
        raise InputError(
            f"learning_rates between {eta.min():g} and {eta.max():g} must be positive and stable, ηh < 2, and "
            f"batch_size = {batch_size!r} positive"
        )
    heat = eta / (1.0 - eta * curvature / 2.0)
    if examples is None:
        sizes = batch_size * heat / heat[0]
    else:
        if not 1 <= batch_size < examples:
            raise InputError(
                f"batch_size = {batch_size!r} must be less than the {examples} examples, or it has no noise"
            )
        factors = (examples - batch_size) / (batch_size * (examples - 1.0)) * heat[0] / heat
        sizes = examples / (1.0 + factors * (examples - 1.0))
    return _at_least_one(sizes)


def linear_scaling(
    learning_rates: ArrayLike, *, batch_size: float, curvature: float = 0.0, examples: int | None = None
) -> np.ndarray:
    """Return B ∝ η, the rule in use: it keeps η/B, and the temperature up to the factor 1/(1 − ηh/2).

    Parameters
    ----------
    learning_rates, batch_size, curvature, examples
        As for `constant_temperature`; curvature and the number of examples do not enter.

    References
    ----------
    S. L. Smith, P.-J. Kindermans, C. Ying, Q. V. Le, ICLR 2018 (arXiv 1711.00489).
    """
    return constant_temperature(learning_rates, batch_size=batch_size)


def matching_batch_sizes(
    statistic: Callable[[Any, float], float],
    conditions: Iterable[Any],
    target: float,
    *,
    bounds: tuple[float, float] = (1.0, 1e6),
    tolerance: float = 1e-8,
) -> np.ndarray:
    """Return the batches at which a statistic keeps a value while conditions change; not rounded.

    Parameters
    ----------
    statistic : callable
        A positive number from a condition and a batch size, monotone in the latter: an escape rate, for instance, from
        `fpsolver.theory.sgd_escape` or a solver on a grid.
    conditions : iterable
        Learning rates, landscapes, or whatever the statistic takes.
    target : float
        The value to keep.
    bounds : (float, float)
        Batches to look between.
    tolerance : float
        Relative, of the batch size.

    Raises
    ------
    InputError
        If no batch size within the bounds gives the value.

    Examples
    --------
    >>> matching_batch_sizes(lambda eta, batch: eta / batch, [0.1, 0.2], 0.01).round(6).tolist()
    [10.0, 20.0]
    """
    from scipy.optimize import brentq

    sizes = []
    for condition in conditions:

        def excess(logarithm: float, condition: Any = condition) -> float:
            # A rate that underflows is as low as it takes.
            return math.log(max(statistic(condition, math.exp(logarithm)), _LEAST) / target)

        ends = [excess(math.log(bound)) for bound in bounds]
        if ends[0] * ends[1] > 0.0:
            raise InputError(
                f"at {condition!r} the statistic runs from {target * math.exp(ends[0]):.4g} to "
                f"{target * math.exp(ends[1]):.4g} over batches of {bounds[0]:g} to {bounds[1]:g}: never {target:.4g}"
            )
        sizes.append(math.exp(brentq(excess, *map(math.log, bounds), xtol=tolerance)))
    return np.array(sizes)


def whole_batches(sizes: ArrayLike, *, seed: int = 0) -> np.ndarray:
    """Return whole batch sizes, rounded up or down at random so that the mean of 1/B, and with it the noise, is kept.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        Real sizes, at least one.
    seed : int
        Of the rounding.

    Examples
    --------
    >>> drawn = whole_batches(np.full(100_000, 1.5), seed=1)
    >>> sorted(set(drawn.tolist())), round(float((1.0 / drawn).mean()), 2)
    ([1, 2], 0.67)
    """
    real = _at_least_one(np.asarray(sizes, dtype=float))
    below = np.floor(real)
    # 1/B = p/⌊B⌋ + (1 − p)/(⌊B⌋ + 1)
    share = below * (below + 1.0) / real - below
    return np.where(np.random.default_rng(seed).random(real.shape) < share, below, below + 1.0).astype(int)


def schedule(values: ArrayLike, *, every: int = 1) -> Protocol:
    """Return values of a schedule as a protocol in the number of the step, linear between them.

    Parameters
    ----------
    values : array_like, shape (n,)
        Learning rates or batch sizes, for ``fp.SGD(…, protocol={"batch_size": …})``.
    every : int
        Steps from one value to the next.

    Examples
    --------
    >>> float(schedule([8.0, 16.0, 32.0], every=10)(15))
    24.0
    """
    levels = [float(value) for value in np.asarray(values, dtype=float)]
    return Protocol.tabulated([every * step for step in range(len(levels))], levels)


def _at_least_one(sizes: np.ndarray) -> np.ndarray:
    if sizes.size and not sizes.min() >= 1.0 - 1e-12:
        raise InputError(
            f"a batch of {sizes.min():.4g} is asked for, less than one example: raise the learning rate, or begin with "
            "a larger batch"
        )
    return np.maximum(sizes, 1.0)
