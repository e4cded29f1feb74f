"""Chains in the solvers: whole steps, powers of one step, moments and distribution of numbers of steps."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import MethodError
from fpsolver.solvers.exponential import steps

WELLS = fp.Landscape("x**4/4 - x**2/2")


@pytest.fixture(scope="module")
def W():
    return fp.generator(fp.SGD(WELLS, 0.2, noise=fp.GaussianNoise(1.0)), fp.Grid(x=(-2.5, 2.5, 150)))


@pytest.fixture(scope="module")
def start(W):
    return fp.gaussian(W.grid, [-1.0], [[0.02]])


def test_powers_and_single_steps_agree(W, start, monkeypatch):
    by_powers = fp.evolve(W, start, times=[0, 3000, 6000, 6001])
    assert "powers of one step" in by_powers.stats["method"]
    monkeypatch.setattr(steps, "MOST_CELLS", 0)
    by_steps = fp.evolve(W, start, times=[0, 3000, 6000, 6001])
    assert by_steps.stats["method"] == "steps" and by_steps.stats["applications"] == 6001
    # Errors of the two add up; so do those of rounding in either.
    bound = by_powers.stats["estimated_error"] + by_steps.stats["estimated_error"]
    assert (np.abs(by_powers.densities - by_steps.densities) * W.grid.volumes).sum(axis=-1).max() < bound


def test_any_number_of_steps_leads_to_the_stationary_density(W, start):
    final = fp.evolve(W, start, times=[10**15])
    np.testing.assert_allclose(final.final, fp.stationary(W).values, rtol=1e-8, atol=1e-12)
    assert final.stats["positive"]


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        ([0.5], {}, "whole number"),
        ([1e30], {}, "can be counted"),
        ([1, 2], {"start": 0.25}, "whole number"),
        ([1], {"method": "krylov"}, "moves in steps"),
    ],
)
def test_what_steps_refuse(W, start, times, options, message):
    with pytest.raises(MethodError, match=message):
        fp.evolve(W, start, times=times, **options)


def test_distribution_and_moments_of_the_number_of_steps():
    target = fp.where(x=(0.0, None))
    W = fp.generator(fp.SGD(WELLS, 0.2, noise=fp.GaussianNoise(3.0)), fp.Grid(x=(-3.0, 3.0, 150)))
    cell = 45
    start = np.zeros(150)
    start[cell] = 1 / W.grid.spacings[0]
    n = np.arange(1000)
    survival = np.asarray(fp.survival(W, start, n, target))
    arriving = np.asarray(fp.first_passage_density(W, start, n, target))
    assert arriving[0] == 0.0
    np.testing.assert_allclose(arriving[1:], -np.diff(survival), atol=1e-14)
    assert survival[-1] < 1e-15
    moments = fp.first_passage_moments(W, target, order=3)
    for power, moment in enumerate(moments, start=1):
        # Rounding of survival over the range of times.
        assert arriving @ n**power == pytest.approx(moment.values[cell], rel=1e-9)


def test_decay_rate_is_the_probability_lost_in_a_step(W):
    target = fp.where(x=(0.0, None))
    decaying = fp.quasi_stationary(W, target)
    after = np.asarray(fp.survival(W, decaying.values, [0, 1, 50], target))
    np.testing.assert_allclose(after / after[0], (1 - decaying.rate) ** np.array([0, 1, 50]), rtol=1e-9)


def test_period_doubling_shows_as_a_multiplier_near_minus_one():
    # Beyond η = 2/L″(0) = 1 the minimum gives way to a cycle of two, x = ±√(2 − 2/η); noise only makes it slip.
    cycle = fp.SGD(fp.Landscape("x**2 - x**4/4"), 1.1, noise=fp.GaussianNoise(1e-3))
    W = fp.generator(cycle, fp.Grid(x=(-1.1, 1.1, 200)))
    s = fp.spectrum(W, k=2)
    assert s.multipliers[0] == pytest.approx(1.0, abs=1e-12)
    assert -1.0 < s.multipliers[1].real < -0.99
    p = fp.stationary(W)
    x = W.grid.axes[0].centres
    # Within the width of the noise about the cycle.
    assert abs(x[np.argmax(p.values)]) == pytest.approx(np.sqrt(2 - 2 / 1.1), abs=0.04)
