"""Batch schedules keep what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fpsolver.errors import InputError
from fpsolver.learning import constant_temperature, linear_scaling, matching_batch_sizes, whole_batches
from fpsolver.learning.batch_size_control import schedule
from fpsolver.theory import minibatch_sampling, sgd_temperatures


def test_variance_stays_through_any_learning_rates() -> None:
    """However wildly η changes, the variance of the chain does not, to rounding; by linear scaling it does."""
    rng, h = np.random.default_rng(0), 2.0
    rates = rng.uniform(0.02, 0.9, 200)
    rates[0] = 0.02
    for form, kept in ((constant_temperature, True), (linear_scaling, False)):
        sizes = form(rates, batch_size=4.0, curvature=h)
        start = variance = rates[0] / 4.0 / (h * (2.0 - rates[0] * h))
        for eta, size in zip(rates, sizes, strict=True):
            variance = (1.0 - eta * h) ** 2 * variance + eta**2 / size
        assert math.isclose(variance, start, rel_tol=1e-12) is kept


def test_temperature_and_finite_sets() -> None:
    """The closed forms of temperature and of minibatch noise are constant along the schedule."""
    rates = np.array([0.1, 0.3, 0.7])
    sizes = constant_temperature(rates, batch_size=5.0, curvature=1.5)
    found = [
        float(sgd_temperatures.stationary_temperature(1.0 / size, learning_rate=eta, curvature=1.5))
        for eta, size in zip(rates, sizes, strict=True)
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)
    sizes = constant_temperature(rates, batch_size=5, examples=60)
    scale = float(minibatch_sampling.noise_scale(learning_rate=0.1, examples=60, batch_size=5))
    exact = [minibatch_sampling.batch_size_of_noise_scale(scale, learning_rate=eta, examples=60) for eta in rates]
    assert sizes == pytest.approx([float(one) for one in exact], rel=1e-12)


def test_matching_any_statistic() -> None:
    """An escape rate that depends on a barrier that changes."""

    def rate(barrier: float, batch: float) -> float:
        return math.exp(-2.0 * batch * barrier / 0.3)

    sizes = matching_batch_sizes(rate, [0.5, 1.0, 2.0], 1e-8)
    assert sizes * [0.5, 1.0, 2.0] == pytest.approx([-0.15 * math.log(1e-8)] * 3, rel=1e-7)
    with pytest.raises(InputError, match="never"):
        matching_batch_sizes(rate, [0.5], 0.9)


def test_whole_batches() -> None:
    """The mean of 1/B is kept, within four standard errors; whole numbers stay."""
    drawn = 1.0 / whole_batches(np.full(100_000, 3.4), seed=5)
    assert abs(drawn.mean() - 1.0 / 3.4) < 4.0 * drawn.std() / math.sqrt(100_000)
    assert whole_batches([1.0, 7.0, 32.0]).tolist() == [1, 7, 32]
    assert schedule([2.0, 4.0], every=5)([0, 5, 9]).tolist() == [2.0, 4.0, 4.0]


def test_refusals() -> None:
    """Less than one example, an unstable chain, a full batch."""
    with pytest.raises(InputError, match="less than one example"):
        constant_temperature([0.4, 0.1], batch_size=2)
    with pytest.raises(InputError, match="stable"):
        constant_temperature([0.1, 2.1], batch_size=2, curvature=1.0)
    with pytest.raises(InputError, match="no noise"):
        constant_temperature([0.1, 0.2], batch_size=10, examples=10)
