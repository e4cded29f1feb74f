"""Bootstrap: the error of any estimate, from resampled samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import InputError
from fpsolver.thermodynamics.samples import block_starts, checked_samples


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """An estimate with errors by resampling.

    Parameters
    ----------
    value : float
        Of the samples as they are.
    standard_error : float
        Standard deviation of the replicas.
    bias : float
        Mean of the replicas minus value.
    interval : tuple of float
        Percentiles of the replicas, at the level asked for.
    replicas : ndarray (resamples,)
        The estimate of each set of resampled samples.
    """

    value: float
    standard_error: float
    bias: float
    interval: tuple[float, float]
    replicas: np.ndarray = field(repr=False)

    def __float__(self) -> float:
        return self.value


def bootstrap(
    estimator: Callable[..., Any], *samples: Any, resamples: int = 200, seed: int, block: int = 1, level: float = 0.95
) -> Bootstrap:
    """Return an estimate with its standard error by the bootstrap.

    Parameters
    ----------
    estimator : callable
        Takes as many vectors as there are in `samples` and returns a number, or what `float` takes.
    *samples : array_like
        Independent sets of samples, each resampled by itself.
    resamples : int
        How many times; the standard error is itself uncertain by 1/√(2 resamples).
    seed : int
        Of the resampling.
    block : int
        Consecutive samples that are drawn together, where they correlate.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        If samples, blocks or level are malformed, or there are fewer than two resamples.

    References
    ----------
    B. Efron, Ann. Statist. 7, 1 (1979); H. R. Künsch, Ann. Statist. 17, 1217 (1989) on blocks.

    Examples
    --------
    >>> found = bootstrap(np.mean, np.arange(100.0), resamples=400, seed=1)
    >>> found.value, bool(abs(found.standard_error / (np.std(np.arange(100.0)) / 10) - 1) < 0.15)
    (49.5, True)
    """
    sets = [checked_samples(f"samples[{k}]", given) for k, given in enumerate(samples)]
    if not sets or resamples < 2 or not 0.0 < level < 1.0:
        raise InputError(
            f"bootstrap needs samples, at least two resamples and a level between 0 and 1, not {len(sets)} set(s), "
            f"resamples = {resamples!r}, level = {level!r}"
        )
    starts = [np.append(block_starts(len(one), block), len(one)) for one in sets]
    rng = np.random.default_rng(seed)
    replicas = np.array(
        [
            float(estimator(*(_drawn(one, at, rng) for one, at in zip(sets, starts, strict=True))))
            for _ in range(resamples)
        ]
    )
    value = float(estimator(*sets))
    low, high = (float(q) for q in np.quantile(replicas, [(1.0 - level) / 2.0, (1.0 + level) / 2.0]))
    return Bootstrap(value, float(replicas.std(ddof=1)), float(replicas.mean()) - value, (low, high), replicas)


def _drawn(values: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return as many blocks as there are, drawn with replacement."""
    count = len(starts) - 1
    chosen = rng.integers(count, size=count)
    if count == len(values):
        return values[chosen]
    return np.concatenate([values[starts[k] : starts[k + 1]] for k in chosen])
