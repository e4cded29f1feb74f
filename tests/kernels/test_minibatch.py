"""Minibatches: indices and samples that are uniform, and the gradients of what was drawn."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import lane_ids
from fpsolver.kernels.cpu.minibatch import LONG, Examples, draw_batch, fill_batch_slope, index_below, make_batch

KEY = np.uint64(3), np.uint64(4)
WORDS = st.integers(0, 2**32 - 1)


def batches(size, total, steps, replacement, first=0):
    """Examples that 256 trajectories draw in some steps, shape (steps * 256, size)."""
    drawn, used = np.zeros((size + size % 2) * LANES, np.uint32), np.zeros(total, np.uint8)
    found = []
    for step in range(steps):
        draw_batch(drawn, used, lane_ids(first, 0), step, size, total, replacement, *KEY)
        assert not used.any()
        found.append(drawn.reshape(-1, LANES)[:size].T.copy())
    return np.concatenate(found)


def deviates(counts, expected):
    """Whether a χ² test refuses equal frequencies; it does so by chance once in a million times."""
    return np.sum((counts - expected) ** 2 / expected) > chi2.isf(1e-6, len(counts) - 1)


@settings(deadline=None)  # the first call may compile
@given(n=st.integers(1, 2**32 - 1), high=WORDS, low=WORDS)
def test_an_index_is_the_integer_part_of_a_product(n, high, low):
    fraction = (high << 32) | low
    assert int(index_below(np.uint64(n), np.uint64(high), np.uint64(low))) == (n * fraction) >> 64


def test_draws_with_replacement_are_uniform_and_independent():
    found = batches(3, 7, 100, replacement=True)
    pairs = np.bincount(7 * found[:, 0] + found[:, 2], minlength=49)
    assert not deviates(pairs, len(found) / 49)
    neighbours = np.bincount(7 * found[:-LANES, 1] + found[LANES:, 1], minlength=49)
    assert not deviates(neighbours, (len(found) - LANES) / 49)


@pytest.mark.parametrize(("size", "total"), [(1, 4), (3, 6), (4, 5)])
def test_every_sample_without_replacement_is_as_likely(size, total):
    found = np.sort(batches(size, total, 100, replacement=False), axis=1)
    subsets = list(combinations(range(total), size))
    counts = np.array([(found == subset).all(axis=1).sum() for subset in subsets])
    assert counts.sum() == len(found)
    assert not deviates(counts, len(found) / len(subsets))


def test_samples_depend_on_the_trajectory_alone():
    here, there = batches(5, 40, 2, False), batches(5, 40, 2, False, first=100)
    np.testing.assert_array_equal(here[100:LANES], there[: LANES - 100])


def test_a_batch_of_everything_is_in_order():
    assert (batches(9, 9, 1, replacement=False) == np.arange(9)).all()


@pytest.mark.parametrize("number", [np.float64, pytest.param(np.float32, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("logistic", "replacement", "d", "size"), [(False, True, 1, 1), (True, False, 7, 5), (True, True, LONG + 3, 3)]
)
def test_slopes_are_those_of_the_examples_drawn(logistic, replacement, d, size, number):
    generator = np.random.default_rng(1)
    features, targets = generator.normal(size=(30, d)), generator.integers(0, 2, 30).astype(float)
    penalised = np.append(np.ones(d - 1), 0.0)
    data = (part.astype(number).ravel() for part in (features, targets, penalised))
    examples = Examples(*data, logistic, replacement)
    theta = generator.normal(size=(d, LANES)).astype(number)
    out, work = np.zeros(d * LANES, number), make_batch(theta, examples, size)
    fill_batch_slope(theta.ravel(), out, lane_ids(0, 0), 7, size, 0.3, examples, work, *KEY, d)
    chosen = work.drawn.reshape(-1, LANES)[:size]
    prediction = np.einsum("bik,ki->bi", features[chosen], theta)
    residual = (1 / (1 + np.exp(-prediction)) if logistic else prediction) - targets[chosen]
    expected = np.einsum("bi,bik->ki", residual, features[chosen]) / size + 0.3 * penalised[:, None] * theta
    # Sums of d and of `size` numbers of order one.
    np.testing.assert_allclose(out.reshape(d, LANES), expected, rtol=0, atol=100 * np.finfo(number).eps)
