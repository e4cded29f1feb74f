"""The exponential average of work: against pymbar, its error and bias against theory, and what it says of itself."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, InputError
from fpsolver.theory import gaussian_work
from fpsolver.thermodynamics import exponential_average


def gaussian(dissipated, n, seed, difference=0.0, temperature=1.0):
    """Gaussian work, for which the Jarzynski equality is exact."""
    rng = np.random.default_rng(seed)
    return rng.normal(difference + dissipated, np.sqrt(2 * temperature * dissipated), n)


def test_agrees_with_pymbar():
    """The same value; its standard error is the delta method's, which differs from the jackknife's by order 1/n."""
    other_estimators = pytest.importorskip("pymbar.other_estimators")
    work = gaussian(1.0, 5000, 1, difference=0.7, temperature=0.5)
    ours, theirs = exponential_average(work, 0.5), other_estimators.exp(work / 0.5)
    assert ours.value == pytest.approx(0.5 * theirs["Delta_f"], rel=1e-12)
    assert ours.standard_error == pytest.approx(0.5 * theirs["dDelta_f"], rel=20.0 / np.sqrt(5000))


@given(
    st.lists(st.floats(-50.0, 50.0), min_size=3, max_size=30),
    st.floats(0.1, 10.0),
    st.floats(-100.0, 100.0),
    st.floats(0.1, 10.0),
)
def test_shift_scale_and_order(work, temperature, shift, scale):
    """W + c gives ΔF + c; aW at aT gives aΔF; the order does not matter; ΔF lies between least and mean work."""
    work = np.array(work)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        plain = exponential_average(work, temperature)
        shifted = exponential_average(work + shift, temperature)
        scaled = exponential_average(scale * work, scale * temperature)
        reordered = exponential_average(work[::-1], temperature)
    rounding = 1e-12 * (np.abs(work).max() + abs(shift) + temperature)
    assert shifted.value == pytest.approx(plain.value + shift, abs=rounding)
    assert scaled.value == pytest.approx(scale * plain.value, abs=scale * rounding)
    assert reordered.value == pytest.approx(plain.value, abs=rounding)
    assert work.min() - rounding <= plain.value <= work.mean() + rounding


def test_weights_repeat_samples():
    """A whole weight is the same as so many copies, for the value and for the effective number of what carries it."""
    work, weights = gaussian(0.5, 400, 2), np.random.default_rng(3).integers(0, 4, 400)
    repeated = exponential_average(np.repeat(work, weights), 1.0)
    weighted = exponential_average(work, 1.0, weights=weights)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-13)
    assert weighted.dissipated == pytest.approx(repeated.dissipated, rel=1e-12)
    # Copies are not independent samples: the weighted estimate knows it.
    assert weighted.standard_error > repeated.standard_error


def test_blocks_of_copies_count_as_one():
    """Samples that come ten times over have the error bar of one set, when blocks hold the ten."""
    work = gaussian(0.5, 1000, 4)
    once, copies = exponential_average(work, 1.0), exponential_average(np.repeat(work, 10), 1.0, block=10)
    assert copies.value == pytest.approx(once.value, rel=1e-12)
    assert copies.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    assert copies.effective_samples == pytest.approx(once.effective_samples, rel=1e-9)
    assert copies.bias == pytest.approx(once.bias, rel=1e-9)


def test_error_and_bias_of_many_repetitions():
    """Over 400 repetitions error bar and bias are those of theory; both are known to some per cent."""
    dissipated, n, repetitions = 0.5, 500, 400
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # a few of them are dominated, and belong to the mean
        found = [exponential_average(gaussian(dissipated, n, seed), 1.0) for seed in range(repetitions)]
    values = np.array([one.value for one in found])
    deviation = float(gaussian_work.exponential_average_deviation(dissipated, n, temperature=1.0))
    bias = float(gaussian_work.exponential_average_bias(dissipated, n, temperature=1.0))
    assert abs(values.mean() - bias) < 4 * deviation / np.sqrt(repetitions)
    assert abs(values.std(ddof=1) / deviation - 1) < 4 / np.sqrt(2 * repetitions)
    errors, biases = (np.array([getattr(one, name) for one in found]) for name in ("standard_error", "bias"))
    # The error bar itself is low by order 1/n times the fourth moment of e^{−W}, here by a few per cent.
    assert abs(errors.mean() / deviation - 1) < 0.06
    assert abs(biases.mean() - bias) < 4 * biases.std() / np.sqrt(repetitions) + 0.06 * bias
    assert abs(np.mean([one.reverse_dissipated for one in found]) - dissipated) < 0.05


def test_regimes_of_gaussian_work():
    """Quiet work is normal, loud work is dominated by a handful and says so."""
    assert exponential_average(gaussian(0.5, 10_000, 5), 1.0).regime == "normal"
    with pytest.warns(AccuracyWarning, match="dominated by a handful of samples"):
        loud = exponential_average(gaussian(20.0, 10_000, 5), 1.0)
    assert loud.regime == "dominated" and loud.effective_samples < 100 and loud.samples_needed > 100


def test_heavy_tails_lie_between():
    """Forty of 90 000 samples carry half of the sum: 160 effective samples, more than a handful but fewer than √n."""
    work = np.zeros(90_000)
    work[:40] = -np.log(len(work) / 40)
    found = exponential_average(work, 1.0)
    assert found.regime == "heavy-tailed" and found.effective_samples == pytest.approx(160, rel=0.01)


def test_one_sample_that_carries_everything_has_no_error_bar():
    with pytest.warns(AccuracyWarning):
        found = exponential_average([0.0, 1e5, 2e5], 1.0)
    assert found.standard_error == np.inf and found.bias == np.inf
    assert found.value == pytest.approx(np.log(3.0))


def test_agrees_with_log_sum_exp_of_an_ensemble():
    """The observable that accumulates along a run gives the same average, error bar and effective samples."""
    trap = fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0})
    dynamics = fp.Langevin(trap, temperature=0.5, protocol={"c": fp.Protocol("t")})
    run = fp.simulate(
        dynamics, n=2000, initial=fp.Gaussian([0.0], 0.5), dt=0.05, t_final=1.0, seed=6, scheme="ornstein-uhlenbeck",
        functionals="work", observe=fp.LogSumExp("work", factor=-2.0),
    )  # fmt: skip
    streamed, found = run.observables["log_sum_exp_work"], exponential_average(run.values("work"), 0.5)
    assert found.value == pytest.approx(-0.5 * streamed.value[-1], rel=1e-9)
    assert found.effective_samples == pytest.approx(streamed.effective_samples[-1], rel=1e-9)
    assert found.standard_error == pytest.approx(0.5 * streamed.standard_error[-1], rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, np.nan], 1.0), r"work\[1\] = nan"),
        (([[1.0, 2.0]], 1.0), "shape"),
        ((["a", "b"], 1.0), "vector of numbers"),
        (([1.0], 1.0), "at least 2"),
        (([1.0, 2.0], 0.0), "temperature = 0.0"),
        (([1.0, 2.0], "hot"), "temperature = 'hot'"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        exponential_average(*arguments)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"weights": [1.0, -1.0, 1.0]}, "none negative"),
        ({"weights": [1.0, 1.0]}, "2 of them"),
        ({"block": 2}, "at least two"),
        ({"block": 0.5}, "whole number"),
    ],
)
def test_refusals_of_weights_and_blocks(keywords, message):
    with pytest.raises(InputError, match=message):
        exponential_average([1.0, 2.0, 3.0], 1.0, **keywords)
