"""Persistent homology by gudhi against the merge tree and against known surfaces."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import LandscapeError
from fpsolver.landscapes import merge_tree, persistence_pairs


def grid_of(shape, periodic):
    """Return a grid of unit cells whose first axes are periodic."""
    walls = ["periodic"] * periodic + [None] * 3
    return fp.Grid(
        **{name: fp.Axis(0, n, n, boundary=wall) for name, n, wall in zip("xyz", shape, walls, strict=False)}
    )


@pytest.mark.parametrize("periodic", range(4))
@pytest.mark.parametrize("shape", [(200,), (2, 9), (20, 31), (9, 8, 10)])
def test_components_are_those_of_the_merge_tree(shape, periodic):
    """Cell by cell: each minimum ends at the same saddle."""
    grid, values = grid_of(shape, periodic), np.random.default_rng(1).normal(size=shape)
    tree, pairs = merge_tree(values, grid), persistence_pairs(values, grid)
    assert np.array_equal(tree.minima.indices, pairs.births.indices)
    assert np.array_equal(tree.merges.indices, pairs.deaths.indices)


def test_equal_values_give_equal_pairs():
    grid, values = grid_of((15, 16), 1), np.random.default_rng(2).integers(0, 5, size=(15, 16)).astype(float)
    tree, pairs = merge_tree(values, grid), persistence_pairs(values, grid)
    bars = [
        sorted(zip(p.tolist(), q.tolist(), strict=True))
        for p, q in ((tree.minima.values, tree.merges.values), (pairs.births.values, pairs.deaths.values))
    ]
    assert bars[0] == bars[1]


@pytest.mark.parametrize("shape", [(30, 20), (8, 9, 7)])
def test_euler_characteristic_of_sublevel_sets(shape):
    """Σ (−1)^k β_k of {L ≤ c} is the alternating count of its corners, edges, faces and cells."""
    grid, values = grid_of(shape, 0), np.random.default_rng(3).normal(size=shape)
    pairs = [persistence_pairs(values, grid, dimension=k) for k in range(len(shape))]
    for level in (-1.0, 0.0, 0.7):
        betti = [np.sum((p.births.values <= level) & (p.deaths.values > level)) for p in pairs]
        inside = np.pad(values <= level, 1)
        euler = 0
        for face in np.ndindex(*(2,) * len(shape)):
            # A face that is thin along some axes is there if a cell on either side of it is.
            part = inside
            for axis, thin in enumerate(face):
                both = np.stack([np.take(part, range(1, part.shape[axis]), axis), np.delete(part, -1, axis)])
                part = both.any(axis=0) if thin else np.take(part, range(1, part.shape[axis] - 1), axis)
            euler += (-1) ** (len(shape) - sum(face)) * np.count_nonzero(part)
        assert sum((-1) ** k * b for k, b in enumerate(betti)) == euler


def test_a_torus_has_two_loops_and_a_hollow():
    grid = grid_of((12, 14), 2)
    values = np.random.default_rng(4).normal(size=grid.shape)
    lasting = [np.isinf(persistence_pairs(values, grid, dimension=k).persistence).sum() for k in range(3)]
    assert lasting == [1, 2, 1]


def test_a_hill_closes_a_loop():
    """The ring around a single hill is born where its lowest crest closes and filled at the top."""
    values = np.array([[5.0, 1, 1, 1, 5], [1, 1, 2, 1, 5], [1, 2, 7, 1, 5], [1, 1, 3, 1, 5]])
    loops = persistence_pairs(values, grid_of(values.shape, 0), dimension=1)
    assert loops.births.values.tolist() == [3.0] and loops.deaths.values.tolist() == [7.0]
    assert loops.deaths[0].cell == (2, 2) and loops.persistence.tolist() == [4.0]


def test_bad_input_and_a_missing_package(monkeypatch):
    grid = grid_of((4,), 0)
    with pytest.raises(LandscapeError, match="dimension = 2"):
        persistence_pairs(np.zeros(4), grid, dimension=2)
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(LandscapeError, match=r'pip install "fpsolver\[topology\]"'):
        persistence_pairs(np.zeros(4), grid)
