"""Maxima and minima above a threshold, against a scan along the path."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import LandscapeError
from fpsolver.grids import Grid
from fpsolver.landscapes import brownian_path, merge_tree, threshold_extrema


def scan(path: np.ndarray, threshold: float) -> list[int]:
    """Return the extrema that are confirmed on the way: the path has gone back from each by the threshold."""
    found: list[int] = []
    low = high = 0
    direction = 0
    for i, value in enumerate(path):
        if direction >= 0 and value > path[high]:
            high = i
        if direction <= 0 and value < path[low]:
            low = i
        if direction >= 0 and path[high] - value >= threshold:
            found.append(high)
            direction, low = -1, i
        elif direction <= 0 and value - path[low] >= threshold:
            found.append(low)
            direction, high = 1, i
    return found


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 4.0), st.integers(2, 400))
def test_a_scan_finds_the_same(seed, threshold, steps):
    """All but the ends, which the path may cut: those of the scan are confirmed after, not before."""
    path = brownian_path(steps, step=1.0, seed=seed)
    extrema = threshold_extrema(path, threshold).tolist()
    confirmed = scan(path, threshold)
    assert extrema[1:-1] == [i for i in confirmed if i in extrema[1:-1]]
    assert set(confirmed) <= set(extrema)
    assert len(confirmed) - len(extrema[1:-1]) in (0, 1) or len(extrema) < 3


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=30), st.integers(1, 4))
def test_extrema_alternate_and_differ_by_the_threshold(values, threshold):
    """Also with equal values; between neighbours nothing goes back by the threshold."""
    path = np.array(values, dtype=float)
    extrema = threshold_extrema(path, threshold)
    differences = np.diff(path[extrema])
    assert np.all(np.abs(differences) >= threshold)
    assert np.all(differences[1:] * differences[:-1] < 0.0)
    for a, b in pairwise(extrema):
        piece = path[a : b + 1] * np.sign(path[b] - path[a])
        assert np.all(np.maximum.accumulate(piece) - piece < threshold)


@pytest.mark.parametrize("seed", range(4))
def test_the_merge_tree_has_the_same_extrema(seed):
    """Simplified at h: its minima and merges, where both sides are inside the path."""
    path = brownian_path(1999, step=1.0, seed=seed)
    tree = merge_tree(path, Grid(x=(0.0, 2000.0, 2000))).simplified(5.0)
    cells = np.sort(np.concatenate([tree.minima.indices[:, 0], tree.merges.indices[1:, 0]]))
    inside = threshold_extrema(path, 5.0)[1:-1]
    assert set(inside) <= set(cells)
    assert len(cells) - len(inside) in (0, 1, 2)


def test_a_walk_has_its_mean_and_variance():
    steps = np.diff(brownian_path(100_000, step=0.3, drift=0.1, seed=8))
    assert abs(steps.mean() - 0.1) < 4 * 0.3 / np.sqrt(100_000)
    assert abs(steps.var() - 0.09) < 4 * 0.09 * np.sqrt(2 / 100_000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: brownian_path(0, step=1.0), "steps"),
        (lambda: brownian_path(10, step=0.0), "step"),
        (lambda: threshold_extrema([1.0], 1.0), "two"),
        (lambda: threshold_extrema([1.0, 2.0], 0.0), "threshold"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(LandscapeError, match=message):
        call()
