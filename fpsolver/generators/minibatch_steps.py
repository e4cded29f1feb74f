"""Steps of real minibatches on small data sets, as exact sums over all batches that can be drawn."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement
from math import comb

import numpy as np

from fpsolver.dynamics import MinibatchNoise
from fpsolver.errors import DynamicsError

MOST_BATCHES = 20_000
"""Different batches up to which all of them are summed over."""


def all_batches(examples: int, noise: MinibatchNoise) -> tuple[np.ndarray, np.ndarray]:
    """Return every batch that can be drawn, with its probability.

    With replacement a batch is a multiset, of the multinomial probability B!/(Π c_i! N^B); without, it is one of the
    (N over B) subsets.

    Parameters
    ----------
    examples : int
        Number of examples N.
    noise : MinibatchNoise
        Batch size B and way of drawing.

    Returns
    -------
    shares : ndarray, shape (m, N)
        Share c_i/B of each example in each batch.
    probabilities : ndarray, shape (m,)
        Their sum is 1.

    Raises
    ------
    DynamicsError
        If there are too many different batches.

    Examples
    --------
    >>> shares, probabilities = all_batches(2, MinibatchNoise(2))
    >>> shares.tolist(), probabilities.round(12).tolist()
    ([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], [0.25, 0.5, 0.25])
    """
    from scipy.special import gammaln

    size = noise.batch_size
    count = comb(examples + size - 1, size) if noise.replacement else comb(examples, size)
    if count > MOST_BATCHES:
        number = f"{count:.3g}" if count < 1e300 else "more than 1e300"
        raise DynamicsError(
            f"{size} of {examples} examples make {number} different batches, more than the {MOST_BATCHES} that a "
            "density sums over: take fewer examples or smaller batches, normal noise of the same covariance, "
            "fp.GaussianNoise(landscape.noise_covariance, batch_size), or trajectories, fp.simulate"
        )
    draw = combinations_with_replacement if noise.replacement else combinations
    members = np.array(list(draw(range(examples), size)), dtype=np.int64)
    copies = np.zeros((count, examples))
    np.add.at(copies, (np.arange(count)[:, None], members), 1.0)
    if not noise.replacement:
        return copies / size, np.full(count, 1.0 / count)
    logarithm = gammaln(size + 1) - gammaln(copies + 1).sum(axis=1) - size * np.log(examples)
    probabilities = np.exp(logarithm)
    return copies / size, probabilities / probabilities.sum()
