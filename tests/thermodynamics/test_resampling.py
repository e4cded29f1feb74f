"""Bootstrap and block averages: error bars of means, of correlated and of weighted samples."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import InputError
from fpsolver.thermodynamics import block_average, bootstrap, statistical_inefficiency


def autoregressive(kept, n, rng):
    """A stationary sequence x' = ρx + √(1 − ρ²) ξ, of statistical inefficiency (1 + ρ)/(1 − ρ)."""
    from scipy.signal import lfilter

    noise = rng.normal(size=n) * np.sqrt(1 - kept**2)
    return lfilter([1.0], [1.0, -kept], noise, zi=[kept * rng.normal()])[0]


def test_bootstrap_of_a_mean():
    """The bootstrap variance of a mean is known, (n − 1)/n² of the sample variance; the error to 1/√(2 resamples)."""
    x = np.random.default_rng(1).gamma(2.0, size=400)
    found = bootstrap(np.mean, x, resamples=1000, seed=2)
    assert found.value == x.mean() and len(found.replicas) == 1000
    assert abs(found.standard_error / (x.std() / 20) - 1) < 4 / np.sqrt(2000)
    assert abs(found.bias) < 4 * found.standard_error / np.sqrt(1000)
    low, high = found.interval
    assert (high - low) / found.standard_error == pytest.approx(2 * 1.96, rel=0.1)


def test_bootstrap_repeats_itself():
    x = np.arange(50.0)
    first, second = (bootstrap(np.median, x, seed=3) for _ in "ab")
    assert np.array_equal(first.replicas, second.replicas)


def test_statistical_inefficiency_of_an_autoregressive_sequence():
    """(1 + ρ)/(1 − ρ) = 9 at ρ = 0.8; its own error is g√(2(2w + 1)/n) with a window w of 5g/2 (Madras–Sokal)."""
    n, rng = 200_000, np.random.default_rng(4)
    found, g = statistical_inefficiency(autoregressive(0.8, n, rng)), 9.0
    assert abs(found - g) < 4 * g * np.sqrt(2 * (5 * g + 1) / n) + 0.01 * g  # the sum ends at e^{−5}
    assert statistical_inefficiency(np.ones(10)) == 1.0


def test_block_average_of_correlated_samples():
    """Over 200 sequences the error bars are those of the scatter, where plain ones are three times too small."""
    rng = np.random.default_rng(5)
    found = [block_average(autoregressive(0.8, 4000, rng)) for _ in range(200)]
    scatter = np.std([one.value for one in found], ddof=1)
    # Blocks of ten inefficiencies leave a tenth of the correlation at their ends: half a tenth in the error.
    assert abs(np.mean([one.standard_error for one in found]) / scatter - 1) < 4 / np.sqrt(400) + 0.06
    assert scatter > 2 * block_average(autoregressive(0.8, 4000, rng), block=1).standard_error


def test_weighted_mean_has_the_right_error():
    """Over 300 repetitions, with random weights."""
    rng = np.random.default_rng(6)
    found = [block_average(rng.normal(size=300), weights=rng.exponential(size=300), block=1) for _ in range(300)]
    scatter = np.std([one.value for one in found], ddof=1)
    assert abs(np.mean([one.standard_error for one in found]) / scatter - 1) < 4 / np.sqrt(600) + 2 / 300


def test_independent_samples_need_no_blocks():
    assert block_average(np.random.default_rng(7).normal(size=10_000)).block == 1


def test_refusals():
    with pytest.raises(InputError, match="bootstrap needs samples"):
        bootstrap(np.mean, seed=1)
    with pytest.raises(InputError, match="level = 1"):
        bootstrap(np.mean, [1.0, 2.0], seed=1, level=1.0)
