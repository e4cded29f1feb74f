"""Descent from cell to cell, and the lowest passes between the basins that it leaves."""

from __future__ import annotations

from itertools import chain, product

import numpy as np

from fpsolver.grids import Axis, Grid


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the place of every cell in ascending order of value, flat.

    Equal values are told apart by the number of the cell, so that every statement about order is strict.
    """
    rank = np.empty(values.size, dtype=np.int64)
    rank[np.argsort(values, axis=None, kind="stable")] = np.arange(values.size)
    return rank


def descend(values: np.ndarray, rank: np.ndarray, grid: Grid) -> np.ndarray:
    """Return, for every cell, the number of the cell where descent from it ends; flat.

    From each cell one step leads across a face to a lower neighbour, chosen with a probability proportional to slope
    per distance, so that the mean step is along the gradient. (Steps to the lowest neighbour would favour the axes: the
    basins' borders would be off by as much on any grid; Gyulassy, Bremer and Pascucci, IEEE Trans. Vis. Comput. Graph.
    18, 2014 (2012).) Where no face leads down, an edge or a corner may. All cells are followed at once: the steps are
    composed with themselves until none changes.
    """
    flat = values.ravel()
    goal = np.arange(flat.size)
    first = np.full(flat.size, -1.0)
    # The same numbers every time: a landscape has one set of basins.
    waiting = np.random.default_rng(0)
    for directions in _directions(grid.dimension):
        stuck = first < 0.0
        for direction in directions:
            low, high, distance = _neighbours(grid, direction)
            for start, end in ((low, high), (high, low)):
                falls = np.flatnonzero(stuck[start] & (rank[end] < rank[start]))
                here, there = start[falls], end[falls]
                # Of exponential waiting times at several rates, each is the shortest with a probability like its rate.
                rate = (flat[here] - flat[there]) / distance[falls] ** 2
                speed = rate / waiting.standard_exponential(len(rate))
                better = speed > first[here]
                first[here[better]] = speed[better]
                goal[here[better]] = there[better]
    while True:
        further = goal[goal]
        if np.array_equal(further, goal):
            return goal
        goal = further


def lowest_passes(labels: np.ndarray, rank: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (m, 2) of labels that touch, and the rank (m,) of the lowest pass between each.

    To step from one cell to another one has to reach the higher of the two.
    """
    count = int(labels.max()) + 1
    pairs, heights = [], []
    for direction in chain.from_iterable(_directions(grid.dimension)):
        low, high, _ = _neighbours(grid, direction)
        here, there = labels[low], labels[high]
        border = np.flatnonzero(here != there)
        here, there = here[border], there[border]
        pairs.append(np.minimum(here, there) * count + np.maximum(here, there))
        heights.append(np.maximum(rank[low[border]], rank[high[border]]))
    pair, height = np.concatenate(pairs), np.concatenate(heights)
    order = np.argsort(pair)
    pair, height = pair[order], height[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    lowest = np.minimum.reduceat(height, first) if len(first) else height
    return np.stack(np.divmod(pair[first], count), axis=-1), lowest


def _directions(dimension: int) -> list[list[tuple[int, ...]]]:
    """Return one of each two opposite directions to neighbours: across faces first, then edges, then corners."""
    everywhere = [step for step in product((0, 1, -1), repeat=dimension) if next(filter(None, step), -1) > 0]
    return [[step for step in everywhere if np.count_nonzero(step) == axes] for axes in range(1, dimension + 1)]


def _neighbours(grid: Grid, direction: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of all pairs of neighbours in one direction, flat, and the distances of their centres."""
    along = [_along(axis, step) for axis, step in zip(grid.axes, direction, strict=True)]
    starts, ends, distances = (np.ix_(*parts) for parts in zip(*along, strict=True))
    numbers = np.arange(grid.size).reshape(grid.shape)
    low, high = numbers[starts], numbers[ends]
    distance = np.sqrt(sum(part**2 for part in distances))
    return low.ravel(), high.ravel(), np.broadcast_to(distance, low.shape).ravel()


def _along(axis: Axis, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells of an axis that have a neighbour one step on, these neighbours, and their distances."""
    cells = np.arange(axis.cells)
    if step == 0:
        return cells, cells, np.zeros(axis.cells)
    inner = slice(None) if axis.periodic else slice(-1)
    here, there = (cells, np.roll(cells, -1))[::step]
    return here[inner], there[inner], axis.distances[inner]
