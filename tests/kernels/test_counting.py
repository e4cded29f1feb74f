import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.ensembles.observables.bins import Bins
from fpsolver.kernels.cpu.counting import histogram_cells, magnitude_keys


def slots(bins, x):
    """The slot of each number, by the kernel."""
    blocks = -(-len(x) // 256)
    values = np.full((blocks, 1, 256), np.nan)  # ghosts hold rubbish
    values.reshape(-1)[: len(x)] = x
    counts = np.clip(len(x) - 256 * np.arange(blocks), 0, 256)
    cells = np.full(len(x), -1, dtype=np.int32)
    rules = np.array([(bins.lower, bins.period, *bins.rule)])
    edges, guide = bins.closed, bins.guide
    starts = [np.array([0, len(part)]) for part in (edges, guide)]
    histogram_cells(values, np.array([0]), counts, edges, starts[0], guide, starts[1], rules, cells)
    return cells


def awkward(edges, seed=0):
    """Every edge, its neighbours among floating-point numbers, numbers inside and far outside."""
    rng = np.random.default_rng(seed)
    span = edges[-1] - edges[0]
    inside = rng.uniform(edges[0] - span, edges[-1] + span, 1000)
    far = np.array([-1e300, 1e300, -np.inf, np.inf, 0.0, -0.0, 5e-324])
    return np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), inside, far])


def searched(edges, x):
    found = np.searchsorted(edges, x, side="right")
    return np.where(x == edges[-1], len(edges) - 1, found)


@settings(max_examples=60, deadline=None)
@given(lower=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), bins=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
def test_equal_bins_are_those_of_a_search_to_the_last_bit(lower, span, bins, seed):
    own = Bins.of((lower, lower + span, bins), "x")
    assert len(own.guide) == 0  # the multiplication is what is tested
    x = awkward(own.array, seed)
    np.testing.assert_array_equal(slots(own, x), searched(own.array, x))


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=60),
    lower=st.floats(-1e3, 1e3),
    seed=st.integers(0, 2**32 - 1),
)
def test_unequal_bins_are_those_of_a_search(steps, lower, seed):
    edges = np.unique(lower + np.cumsum([0.0, *steps]))
    if len(edges) < 2:
        return
    own = Bins.of(edges, "x")
    x = awkward(edges, seed)
    np.testing.assert_array_equal(slots(own, x), searched(edges, x))


@pytest.mark.parametrize("ratio", [1.3, 10.0])
def test_bins_in_geometric_progression(ratio):
    edges = np.cumsum(ratio ** np.arange(25.0))
    own = Bins.of(edges, "x")
    assert len(own.guide) > 0
    x = awkward(edges)
    np.testing.assert_array_equal(slots(own, x), searched(edges, x))


def test_keys_order_numbers_by_magnitude_and_sign():
    x = np.sort(np.random.default_rng(1).normal(size=256) * 10.0 ** np.random.default_rng(2).integers(-300, 300, 256))
    x[128] = 0.0
    x = np.sort(x)
    keys = np.empty(256, dtype=np.int32)
    extremes = magnitude_keys(x.reshape(1, 1, 256), 0, np.array([256]), np.int64(45), keys)
    assert extremes == (x[0], x[-1])
    assert (np.diff(keys) >= 0).all()
    np.testing.assert_array_equal(np.sign(keys), np.sign(x))


def test_subnormal_numbers_count_as_zero():
    x = np.full((1, 1, 256), 1e-310)
    keys = np.empty(256, dtype=np.int32)
    magnitude_keys(x, 0, np.array([256]), np.int64(45), keys)
    assert not keys.any()
