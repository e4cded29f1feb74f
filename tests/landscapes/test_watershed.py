"""Basins of attraction: partitions, cores, weights, and how their borders converge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.integrate import quad
from scipy.ndimage import label

import fpsolver as fp
from fpsolver.errors import LandscapeError
from fpsolver.landscapes import basins, merge_tree

fields = array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=7).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-9, 9).map(float))
)


def cells(shape):
    """Return a grid of unit cells."""
    return fp.Grid(**{name: (0, n, n) for name, n in zip("xyz", shape, strict=False)})


def test_a_line_by_hand():
    found = basins([0.0, 1.0, 4.0, 2.0, 1.0, 3.0, 2.5], cells((7,)))
    assert np.delete(found.labels, [2, 5]).tolist() == [0, 0, 1, 1, 2]
    assert np.delete(basins(found.values, found.grid, threshold=1.0).labels, 2).tolist() == [0, 0, 1, 1, 1, 1]
    assert len(basins(found.values, found.grid, threshold=3.5)) == 1


@settings(max_examples=60, deadline=None)
@given(fields, st.floats(0.0, 8.0))
def test_every_basin_is_connected_and_holds_one_minimum(values, threshold):
    """The minima are those of the simplified tree, each the lowest of its basin."""
    found = basins(values, cells(values.shape), threshold=threshold)
    tree = merge_tree(values, found.grid)
    assert found.tree.minima.values.tolist() == tree.simplified(threshold).minima.values.tolist()
    for k, minimum in enumerate(found.tree.minima):
        mask = found.mask(k)
        assert mask[minimum.cell] and minimum.value == values[mask].min()
        assert label(mask, np.ones((3,) * values.ndim))[1] == 1
    assert sum(found.mask(k).sum() for k in range(len(found))) == values.size


def test_basins_join_across_their_saddle():
    """A shallow pit beside the second valley joins that one, not the deepest, though the deepest swallows it."""
    values = [0.0, 5.0, 1.0, 6.0, 5.5, 9.0]
    tree = merge_tree(values, cells((6,)))
    assert tree.parents.tolist() == [-1, 0, 0] and tree.touching[2].tolist() == [1, 2]
    assert basins(values, tree.grid, threshold=1.0).labels[4:].tolist() == [1, 1]


def test_lowest_passes_between_neighbours():
    """They hold the merges, and no pass is below the minimax."""
    values = np.random.default_rng(2).normal(size=(25, 25))
    found = basins(values, cells((25, 25)), threshold=0.5)
    passes = found.passes()
    between = {tuple(pair): saddle for pair, saddle in zip(passes.pairs.tolist(), passes.saddles, strict=True)}
    for k in range(1, len(found)):
        assert between[tuple(sorted(found.tree.touching[k].tolist()))].cell == found.tree.merges[k].cell
    for (i, j), saddle in between.items():
        assert saddle.value >= found.tree.saddle_between(i, j).value


def test_weights_are_masses_of_the_boltzmann_density():
    landscape, grid = fp.landscapes.mueller_brown(), fp.Grid(x=(-1.8, 1.4, 60), y=(-0.5, 2.2, 50))
    found = basins(landscape, grid)
    mass = fp.boltzmann(landscape, grid, 15.0) * grid.volumes
    weights = [mass[found.mask(k)].sum() for k in range(3)]
    np.testing.assert_allclose(found.weights(15.0), weights, rtol=1e-13)
    np.testing.assert_allclose(np.diff(found.free_energies(15.0)), -15.0 * np.diff(np.log(weights)), rtol=1e-12)


def test_weights_against_quadrature():
    """Fourth order with the border on a face: the term of second order is the slope at the border, a maximum.

    The order itself is off by the next term, which is of second order.
    """

    def factor(x):
        return np.exp(-(x**4 / 4 - x**2 / 2 + x**3 / 10) / 0.1)

    exact = quad(factor, -3, 0, epsabs=1e-13)[0] / quad(factor, -3, 3, epsabs=1e-13)[0]
    landscape = fp.Landscape("x**4/4 - x**2/2 + x**3/10")
    errors = [abs(basins(landscape, fp.Grid(x=(-3, 3, n))).weights(0.1)[0] - exact) for n in (50, 100, 200)]
    first, second = (np.log2(errors[k] / errors[k + 1]) for k in range(2))
    assert abs(second - 4) < abs(first - 4) / 3 and abs((4 * second - first) / 3 - 4) < abs(second - 4)


def test_weights_at_temperatures_where_exponentials_underflow():
    found = basins(fp.Landscape("x**4/4 - x**2/2 + x/10"), fp.Grid(x=(-2, 2, 400)))
    cold = found.weights(1e-4)
    assert cold[0] == 1.0 and cold[1] == 0.0
    # Laplace: the height is left.
    gap = found.free_energies(1e-4)[1] - found.free_energies(1e-4)[0]
    assert gap == pytest.approx(found.tree.minima.values[1] - found.tree.minima.values[0], abs=1e-4)


def test_cores_are_sets_for_committors(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 100))
    found = basins(quartic, grid)
    left, right = sorted((found.mask(k, height=0.1) for k in range(2)), key=np.argmax)
    q = fp.committor(fp.generator(fp.Langevin(quartic, temperature=0.2), grid), left, right)
    assert (q.values[left] == 0.0).all() and (q.values[right] == 1.0).all()
    np.testing.assert_allclose(q.values + q.values[::-1], 1.0, atol=1e-12)
    assert (found.values[left] <= -0.25 + 0.1 + 1e-2).all() and not (left & right).any()


def test_borders_converge_in_oblique_valleys():
    """Share of cells on the wrong side of the exact separatrix, a tilted straight line: order 1/2.

    A cell's path is a random walk about the gradient's line of flow, off by the square root of the cell width. The
    uncertainty of the order is that of the mean over random angles and places.
    """
    random, sizes, orders = np.random.default_rng(0), (25, 50, 100, 200), []
    for angle in random.uniform(0.1, 0.7, 16):
        errors = []
        for n in sizes:
            a, b = 0.1 * random.random(2)
            grid = fp.Grid(x=(-2 - a, 2 - a, n), y=(-2 - b, 2 - b, n))
            along, across = grid.points @ [np.cos(angle), np.sin(angle)], grid.points @ [-np.sin(angle), np.cos(angle)]
            found = basins(along**4 / 4 - along**2 / 2 + across**2 / 2, grid)
            assert len(found) == 2
            right = found.labels == found.labels.ravel()[np.argmax(along)]
            errors.append(np.mean(right != (along > 0)))
        orders.append(-np.polyfit(np.log(sizes), np.log(errors), 1)[0])
    assert abs(np.mean(orders) - 0.5) < 4.0 * np.std(orders, ddof=1) / np.sqrt(len(orders))


def test_bad_input():
    found = basins([0.0, 2.0, 1.0], cells((3,)))
    with pytest.raises(LandscapeError, match="no basin 2"):
        found.mask(2)
    with pytest.raises(LandscapeError, match="temperature = 0"):
        found.weights(0.0)
    with pytest.raises(LandscapeError, match="threshold = nan"):
        basins(found.values, found.grid, threshold=float("nan"))
