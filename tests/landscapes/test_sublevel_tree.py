"""Merge trees: small ones by hand, invariances, a second route through gudhi, order of convergence."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import minimum_filter

import fpsolver as fp
from fpsolver.errors import GridError, LandscapeError
from fpsolver.landscapes import merge_tree


def cells(shape, *, periodic=False):
    """Return a grid of unit cells."""
    boundary = "periodic" if periodic else None
    return fp.Grid(**{name: fp.Axis(0, n, n, boundary=boundary) for name, n in zip("xyz", shape, strict=False)})


def rows(tree):
    """Return minima, merges and parents as lists of values."""
    return tree.minima.values.tolist(), tree.merges.values.tolist(), tree.parents.tolist()


fields = array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=6).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-5, 5).map(float))
)


def test_a_line_by_hand():
    """Pits 0, 1 and −1 between heaps of 3 and 2."""
    tree = merge_tree([0.0, 3.0, 1.0, 2.0, -1.0], cells((5,)))
    assert rows(tree) == ([-1.0, 0.0, 1.0], [np.inf, 3.0, 2.0], [-1, 0, 0])
    assert tree.minima.indices.ravel().tolist() == [4, 0, 2]
    assert tree.merges.indices.ravel().tolist() == [-1, 1, 3]
    assert tree.minima.positions.ravel().tolist() == [4.5, 0.5, 2.5]
    assert tree.barrier_heights().tolist() == [1.0, 3.0]
    assert tree.barrier_heights(2.0).tolist() == [3.0]


def test_a_ring_by_hand():
    """The same pits on a ring: 0 and −1 are neighbours, so that 0 is no minimum."""
    tree = merge_tree([0.0, 3.0, 1.0, 2.0, -1.0], cells((5,), periodic=True))
    assert rows(tree) == ([-1.0, 1.0], [np.inf, 2.0], [-1, 0])


def test_a_square_by_hand():
    """Diagonal neighbours are neighbours: the pits 0 and 1 are joined at 4, past the centre of 9, and 2 at 6."""
    values = np.array([[0.0, 7.0, 2.0], [4.0, 9.0, 6.0], [8.0, 1.0, 8.5]])
    tree = merge_tree(values, cells((3, 3)))
    assert rows(tree) == ([0.0, 1.0, 2.0], [np.inf, 4.0, 6.0], [-1, 0, 0])
    assert tree.touching.tolist() == [[-1, -1], [0, 1], [1, 2]]
    assert tree.saddle_between(0, 2).cell == (1, 2)
    assert tree.barrier(2, 0) == 4.0 and tree.barrier(0, 2) == 6.0 and tree.barrier(1, 2) == 5.0


def test_a_path_across_a_corner():
    assert len(merge_tree([[0.0, 5.0], [5.0, 1.0]], cells((2, 2)))) == 1


@pytest.mark.parametrize("pits", list(permutations([0.0, 1.0, 2.0])))
def test_three_components_that_meet_in_one_cell_end_in_the_eldest(pits):
    values = np.array([[pits[0], 9.0, pits[1]], [9.0, 5.0, 9.0], [9.0, pits[2], 9.0]])
    assert rows(merge_tree(values, cells((3, 3)))) == ([0.0, 1.0, 2.0], [np.inf, 5.0, 5.0], [-1, 0, 0])


def test_plateaus_are_single_minima():
    assert rows(merge_tree([1.0, 1.0, 1.0, 0.0], cells((4,)))) == ([0.0], [np.inf], [-1])
    assert rows(merge_tree(np.zeros((3, 4)), cells((3, 4)))) == ([0.0], [np.inf], [-1])
    assert rows(merge_tree([0.0, 0.0, 2.0, 2.0, 0.0], cells((5,))))[:2] == ([0.0, 0.0], [np.inf, 2.0])


def brute_force(values):
    """Return the sorted pairs of birth and death by flooding cell after cell."""
    order = [tuple(cell) for cell in np.argwhere(np.ones(values.shape))]
    order.sort(key=lambda cell: values[cell])
    component, pairs = {}, []
    for cell in order:
        near = {component[other] for other in component if np.abs(np.subtract(cell, other)).max() <= 1}
        oldest = min(near, key=order.index, default=cell)
        pairs += [(values[root], values[cell]) for root in near - {oldest}]
        component = {other: oldest if root in near else root for other, root in component.items()} | {cell: oldest}
    return sorted((birth, death) for birth, death in pairs if death > birth)


@settings(max_examples=40, deadline=None)
@given(fields.filter(lambda values: values.size <= 80))
def test_flooding_gives_the_same_pairs(values):
    """An independent route: cells are added in ascending order, components kept as sets."""
    tree = merge_tree(values, cells(values.shape))
    pairs = zip(tree.minima.values[1:].tolist(), tree.merges.values[1:].tolist(), strict=True)
    assert sorted(pairs) == brute_force(values)


@settings(max_examples=60, deadline=None)
@given(fields, st.booleans())
def test_the_elder_rule(values, periodic):
    """The deepest minimum never ends; every other ends in a deeper one, which goes on for at least as long."""
    tree = merge_tree(values, cells(values.shape, periodic=periodic))
    assert tree.minima.values[0] == values.min() and tree.persistence[0] == np.inf
    later, parents = np.arange(1, len(tree)), tree.parents[1:]
    assert (tree.persistence > 0).all() and (parents < later).all()
    assert (tree.merges.values[parents] >= tree.merges.values[later]).all()
    assert (tree.minima.values[parents] <= tree.minima.values[later]).all()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(60)), st.sampled_from([(60,), (6, 10), (3, 4, 5)]), st.booleans())
def test_axes_may_be_permuted_and_reflected(order, shape, periodic):
    """Pairs, parents and places follow the axes, where no two values are equal."""
    values = np.array(order, dtype=float).reshape(shape)
    tree = merge_tree(values, cells(shape, periodic=periodic))
    for axes in permutations(range(len(shape))):
        turned = values.transpose(axes)[::-1]
        other = merge_tree(turned, cells(turned.shape, periodic=periodic))
        assert rows(other) == rows(tree)
        assert [turned[m.cell] for m in other.minima] == tree.minima.values.tolist()
        assert [turned[m.cell] for m in list(other.merges)[1:]] == tree.merges.values[1:].tolist()


def test_increasing_functions_of_the_landscape_leave_the_tree():
    values = np.random.default_rng(3).normal(size=(20, 25))
    tree, other = (merge_tree(v, cells(values.shape)) for v in (values, np.exp(values) + values**3))
    assert np.array_equal(tree.minima.indices, other.minima.indices)
    assert np.array_equal(tree.merges.indices, other.merges.indices)
    assert np.array_equal(tree.parents, other.parents)


@pytest.mark.parametrize("shape", [(500,), (30, 40), (12, 11, 10)])
def test_minima_are_the_cells_below_their_neighbours(shape):
    values = np.random.default_rng(5).normal(size=shape)
    below = np.argwhere(values == minimum_filter(values, size=3, mode="nearest"))
    assert sorted(map(tuple, below.tolist())) == sorted(m.cell for m in merge_tree(values, cells(shape)).minima)


def test_minima_less_maxima_on_a_line():
    """Euler's characteristic: one more minimum than inner maxima, and as many on a ring."""
    values = np.random.default_rng(6).normal(size=300)
    maxima = np.count_nonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:]))
    assert len(merge_tree(values, cells((300,)))) == maxima + 1
    around = np.count_nonzero((values > np.roll(values, 1)) & (values > np.roll(values, -1)))
    assert len(merge_tree(values, cells((300,), periodic=True))) == around


def test_passes_are_minimax():
    """Against the highest cell between any two minima of a line."""
    values = np.random.default_rng(8).normal(size=60)
    tree = merge_tree(values, cells((60,)))
    for i, j in permutations(range(len(tree)), 2):
        ends = sorted((tree.minima[i].cell[0], tree.minima[j].cell[0]))
        between = values[ends[0] : ends[1] + 1]
        assert tree.saddle_between(i, j).value == between.max()
        assert tree.barrier(i, j) == between.max() - values[tree.minima[i].cell]


def test_simplification_keeps_what_persists():
    values = np.random.default_rng(9).normal(size=(30, 30))
    tree = merge_tree(values, cells((30, 30)))
    simple = tree.simplified(1.5)
    kept = tree.persistence >= 1.5
    assert 1 < len(simple) < len(tree)
    assert np.array_equal(simple.persistence, tree.persistence[kept])
    new = np.cumsum(kept) - 1
    assert simple.parents[1:].tolist() == new[tree.parents[kept][1:]].tolist()
    # The saddles of what is left are passes between basins that touch there.
    for k in range(1, len(simple)):
        assert simple.saddle_between(*simple.touching[k]).cell == simple.merges[k].cell


def extrema_along(path, h):
    """Return the h-extrema of a path in order of time: a record is one as soon as the path has come back by h."""
    found, rising, low, high = [], None, 0, 0
    for n, x in enumerate(path):
        low, high = (n if x < path[low] else low), (n if x > path[high] else high)
        if rising is not False and x <= path[high] - h:
            found.append(high)
            rising, low = False, n
        elif rising is not True and x >= path[low] + h:
            found.append(low)
            rising, high = True, n
    return found


def walk_extrema(path, h):
    """Return the h-minima and the merges between them, in order of time, from the tree."""
    tree = merge_tree(path, cells((len(path),))).simplified(h)
    return np.sort(np.concatenate([tree.minima.indices[:, 0], tree.merges.indices[1:, 0]]))


@pytest.mark.parametrize("seed", range(3))
def test_h_extrema_of_a_random_walk(seed):
    """Neveu and Pitman: they alternate, differ by h at least, and are those found by going along the walk."""
    path, h = np.cumsum(np.random.default_rng(seed).normal(size=20_000)), 20.0
    extrema = walk_extrema(path, h)
    heights = np.diff(path[extrema])
    assert (np.abs(heights) >= h).all() and (heights[1:] * heights[:-1] < 0).all()
    # At the ends, where the walk does not come back, the tree may have one minimum more.
    along = extrema_along(path, h)[1:]
    assert len(along) > 20 and set(along) <= set(extrema.tolist()) and len(extrema) <= len(along) + 2


def test_heights_between_h_extrema_are_shifted_geometric():
    """A step of ±1 up from a record comes before a fall of h with probability h/(h + 1): mean 2h, variance h(h + 1)."""
    h, count = 5, 5000
    steps = np.random.default_rng(1).choice([-1.0, 1.0], size=3 * h**2 * count)
    path = np.concatenate([[0.0], np.cumsum(steps)])
    # The first ones depend on where the walk starts.
    heights = np.abs(np.diff(path[walk_extrema(path, h)]))[2 : count + 2]
    assert len(heights) == count
    assert abs(heights.mean() - 2 * h) < 4.0 * np.sqrt(h * (h + 1) / count)
    assert abs((heights == h).mean() - 1 / (h + 1)) < 4.0 * np.sqrt(h / (h + 1) ** 2 / count)


@pytest.mark.parametrize("n", [30, 47, 90])
def test_mueller_brown_has_three_minima_on_any_grid(n):
    """Its oblique valleys would fall apart if only faces joined cells."""
    tree = merge_tree(fp.landscapes.mueller_brown(), fp.Grid(x=(-1.6, 1.2, n), y=(-0.4, 2.0, n)))
    assert len(tree) == 3 and tree.parents.tolist() == [-1, 0, 1] and tree.touching[1].tolist() == [0, 2]


CASES = {
    "1-D": ("x**4/4 - x**2/2 + x/10", (25, 50, 100, 200, 400), 30),
    "2-D": ("x**4/4 - x**2/2 + x/10 + (y - x/2)**2", (25, 50, 100, 200), 16),
    "3-D": ("x**4/4 - x**2/2 + x/10 + (y - x/2)**2 + (z + x*y/3)**2", (10, 20, 40), 8),
}


@pytest.mark.parametrize("case", CASES)
def test_barriers_are_second_order(case):
    """Root mean square over random places and widths of the cells; n samples leave it uncertain by 1/√(2n)."""
    expression, sizes, samples = CASES[case]
    landscape, random = fp.Landscape(expression), np.random.default_rng(0)
    d = landscape.dimension
    bounds = [(-2.0, 2.0)] * d
    (_, upper), (saddle,) = fp.landscapes.minima(landscape, bounds), fp.landscapes.saddles(landscape, bounds)
    errors = []
    for n in sizes:
        found = []
        for _ in range(samples):
            width = 4.0 / n * random.uniform(0.9, 1.1, d)
            lower = -2.0 - width * random.random(d)
            count = np.ceil((2.0 - lower) / width).astype(int)
            axes = zip(lower, lower + count * width, count, strict=True)
            grid = fp.Grid(**dict(zip(landscape.variables, axes, strict=True)))
            found.append(merge_tree(landscape, grid).barrier(1, 0) - (saddle.value - upper.value))
        errors.append(np.sqrt(np.mean(np.square(found))))
    log_sizes = np.log(sizes)
    order = -np.polyfit(log_sizes, np.log(errors), 1)[0]
    assert abs(order - 2.0) < 4.0 / np.sqrt(2 * samples * np.sum((log_sizes - log_sizes.mean()) ** 2))


def test_axes_are_matched_by_name():
    landscape = fp.Landscape("x**4/4 - x**2/2 + x/10 + (y - 1)**2")
    tree = merge_tree(landscape, fp.Grid(y=(0, 2, 20), x=(-2, 2, 41)))
    assert len(tree) == 2 and tree.minima.positions[0, 1] < -1.0 and tree.minima.positions[1, 1] > 0.9


def test_what_does_not_fit_is_refused():
    grid = cells((3,))
    with pytest.raises(GridError, match="shape"):
        merge_tree(np.zeros(4), grid)
    with pytest.raises(LandscapeError, match=r"cell \(1,\) is nan"):
        merge_tree([0.0, np.nan, 1.0], grid)
    with pytest.raises(GridError, match="do not match"):
        merge_tree(fp.Landscape("q**2"), grid)
    tree = merge_tree([0.0, 2.0, 1.0], grid)
    with pytest.raises(LandscapeError, match="no minimum 2"):
        tree.barrier(0, 2)
    with pytest.raises(LandscapeError, match="different"):
        tree.saddle_between(1, 1)
    with pytest.raises(LandscapeError, match="threshold"):
        tree.simplified(-1.0)
