"""Noise of minibatches against the enumeration of all of them."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import minibatch_sampling


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6])
def test_all_minibatches(batch_size: int) -> None:
    """The covariance over every batch that can be drawn, with an example twice or not."""
    gradients = np.random.default_rng(1).normal(size=(6, 2))
    covariance = np.cov(gradients.T, bias=True)
    for replacement in (False, True):
        batches = product(range(6), repeat=batch_size) if replacement else combinations(range(6), batch_size)
        means = np.array([gradients[list(batch)].mean(axis=0) for batch in batches])
        found = minibatch_sampling.minibatch_covariance(
            covariance, examples=6, batch_size=batch_size, replacement=replacement
        )
        exact = np.cov(means.T, bias=True) if len(means) > 1 else np.zeros((2, 2))
        assert found == pytest.approx(exact, abs=1e-14)


def test_reference_value() -> None:
    """N = 100, B = 25."""
    factor = minibatch_sampling.variance_factor(examples=100, batch_size=25)
    assert float(factor) == pytest.approx(0.030303030303030304, rel=1e-15)


def test_noise_scales() -> None:
    """Both approximations err by what they say; the exact one is invertible."""
    for n, b in ((10, 3), (1000, 30), (50, 1)):
        exact = float(minibatch_sampling.noise_scale(learning_rate=0.2, examples=n, batch_size=b))
        written = minibatch_sampling.noise_scale_as_written(learning_rate=0.2, examples=n, batch_size=b)
        other = minibatch_sampling.noise_scale_of_smith_and_le(learning_rate=0.2, examples=n, batch_size=b)
        assert float(written) / exact - 1.0 == pytest.approx(written.error_scale, abs=1e-12)
        assert 1.0 - float(other) / exact == pytest.approx(other.error_scale, abs=1e-12)
        back = minibatch_sampling.batch_size_of_noise_scale(exact, learning_rate=0.2, examples=n)
        assert float(back) == pytest.approx(b, rel=1e-12)
    assert float(minibatch_sampling.noise_scale(learning_rate=0.2, examples=8, batch_size=8)) == 0.0


def test_refusals() -> None:
    """Batches larger than the set, parts of examples, more noise than there is."""
    with pytest.raises(TheoryError, match="draw with replacement"):
        minibatch_sampling.variance_factor(examples=4, batch_size=5)
    with pytest.raises(TheoryError, match="whole number"):
        minibatch_sampling.variance_factor(examples=4, batch_size=2.5)
    with pytest.raises(TheoryError, match="raise the learning rate"):
        minibatch_sampling.batch_size_of_noise_scale(2.0, learning_rate=0.1, examples=10)
