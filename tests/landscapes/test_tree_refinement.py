"""Minima and saddles of a merge tree moved to the critical points beside them."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import GridError
from fpsolver.landscapes import merge_tree, minima, saddles

EXACT = 1e-9
"""Newton's method converges to 1e-9 of the box, at which values differ by rounding only."""


@pytest.mark.parametrize("n", [25, 60])
def test_mueller_brown(n):
    """Minima and saddles are those that the search from many starts finds."""
    landscape, bounds = fp.landscapes.mueller_brown(), [(-1.6, 1.2), (-0.4, 2.0)]
    better = merge_tree(landscape, fp.Grid(x=(*bounds[0], n), y=(*bounds[1], n))).refined(landscape, within=3)
    known, passes = minima(landscape, bounds), saddles(landscape, bounds)
    assert not better.kept and better.saddles[0] is None
    np.testing.assert_allclose([m.position for m in better.minima], [m.position for m in known], atol=1e-8)
    np.testing.assert_allclose(better.tree.minima.values, [m.value for m in known], rtol=1e-12)
    # The valley of the second minimum is reached over the higher saddle, the third merges over the lower one.
    np.testing.assert_allclose(better.tree.merges.values[1:], [passes[1].value, passes[0].value], rtol=1e-12)
    np.testing.assert_allclose(better.tree.merges.positions[1], passes[1].position, atol=1e-8)
    assert better.tree.barrier(1, 0) == pytest.approx(passes[1].value - known[1].value, rel=1e-12)


@pytest.mark.parametrize(
    "expression",
    ["x**4/4 - x**2/2 + x/10", "(x**2 - 1)**2 + x/10 + (y - x/2)**2", "x**4 - x**2 + x/10 + (y - x)**2 + (z + x*y)**2"],
)
def test_one_to_three_dimensions(expression):
    landscape = fp.Landscape(expression)
    bounds = [(-2.0, 2.0)] * landscape.dimension
    # The order of the axes is that of the grid.
    grid = fp.Grid(**{name: (-2, 2, 31) for name in reversed(landscape.variables)})
    better = merge_tree(landscape, grid).refined(landscape)
    (deep, high), (top,) = minima(landscape, bounds), saddles(landscape, bounds)
    assert not better.kept
    np.testing.assert_allclose(better.tree.persistence[1], top.value - high.value, rtol=EXACT)
    np.testing.assert_allclose(better.tree.minima.positions[0, ::-1], deep.position, atol=1e-8)


def test_periodic_axes():
    """The minimum of the first cell may lie across the seam."""
    landscape = fp.Landscape("cos(x) + cos(2*x + 0.02)")
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 40, boundary="periodic"))
    shifted = fp.Grid(x=fp.Axis(-3, 2 * np.pi - 3, 40, boundary="periodic"))
    heights = [merge_tree(landscape, g).refined(landscape).tree.barrier_heights() for g in (grid, shifted)]
    np.testing.assert_allclose(*heights, rtol=EXACT)


def test_values_on_the_grid_are_kept_with_a_reason():
    """At a wall and at a kink there is no critical point."""
    landscape = fp.Landscape("abs(x) - x**2/4")
    tree = merge_tree(landscape, fp.Grid(x=(-4, 4.5, 60)))
    better = tree.refined(landscape)
    assert len(tree) == 3
    assert set(better.kept) >= {("minimum", 0), ("minimum", 1), ("minimum", 2)}
    assert all("Newton" in why or "cells away" in why or "descending" in why for why in better.kept.values())
    kept = [k for kind, k in better.kept if kind == "minimum"]
    assert np.array_equal(better.tree.minima.values[kept], tree.minima.values[kept])
    assert better.tree.persistence[0] == np.inf


def test_a_grid_too_coarse_for_two_minima():
    """Minima that noise puts on the grid are not refined to the same point twice."""
    landscape = fp.Landscape("x**2")
    tree = merge_tree([1.0, 0.0, 0.3, 0.2, 1.0], fp.Grid(x=(-0.45, 0.55, 5)))
    better = tree.refined(landscape)
    assert better.minima[0] is not None and better.minima[1] is None
    assert "another's already" in better.kept["minimum", 1]
    assert "cells away" in tree.refined(landscape, within=1).kept["minimum", 1]


def test_bad_input(quartic):
    tree = merge_tree(quartic, fp.Grid(x=(-2, 2, 20)))
    with pytest.raises(GridError, match="within = 0"):
        tree.refined(quartic, within=0)
    with pytest.raises(GridError, match="do not match"):
        tree.refined(fp.Landscape("y**2"))
