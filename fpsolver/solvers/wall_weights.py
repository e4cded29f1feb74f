"""Weights of cells next to the wall of a target, so that sums over cells up to it are integrals to high order.

Where the density of jumps is sampled at cell centres, sums over all cells integrate it accurately, but sums that end at
a wall are of second order only, and only with the wall on a face. Changing the weights of the centres next to the wall
makes them exact for polynomials below degree q: with the wall at s cells before the first centre, the changes δ_k obey
Σ_k δ_k (k + s)^m = B_{m+1}(s)/(m + 1) for m < q, with Bernoulli's polynomials B. Of all changes that do, the least in
the square are taken, over as many centres as leave all weights positive; the error is of order q + 1.

Source: V. Rokhlin, Comput. Math. Appl. 20, 51 (1990); P. J. Davis, P. Rabinowitz, Methods of Numerical Integration
(1984), section 2.9, for the expansion.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

from fpsolver.grids import Axis, Grid
from fpsolver.regions import Box, Region

DEGREE = 6
"""Polynomials below this degree are integrated up to a wall without error."""
LEAST_WEIGHT = 0.1
_MOST = 4 * DEGREE


def wall_weights(grid: Grid, labels: np.ndarray, regions: tuple[Region, ...]) -> tuple[np.ndarray, ...]:
    """Return the weight of each cell along each axis, one where no wall is near.

    Parameters
    ----------
    grid : Grid
        The grid.
    labels : ndarray of int
        0 outside, k inside the k-th region, of the grid's shape.
    regions : tuple of Box, callable, ndarray or index
        The regions. The wall of a `Box` stands where it is, others on faces. Weights stay one unless all walls stand
        across one uniform axis.
    """
    weights = [np.ones(grid.shape) for _ in grid.axes]
    crossed = [k for k in range(grid.dimension) if (np.diff(labels, axis=k) != 0).any()]
    if len(crossed) == 1 and grid.axes[crossed[0]].uniform:
        k = crossed[0]
        line = np.moveaxis(labels, k, 0).reshape(grid.shape[k], -1)[:, 0]
        weights[k] = np.broadcast_to(grid.along(k, _along(grid.axes[k], grid.names[k], line, regions)), grid.shape)
    return tuple(weights)


def _along(axis: Axis, name: str, labels: np.ndarray, regions: tuple[Region, ...]) -> np.ndarray:
    """Return the weights along an axis whose cells are labelled."""
    weights = np.ones(axis.cells)
    ends = [int(last) + 1 for last in np.flatnonzero(np.diff(labels))]
    if axis.periodic and labels[0] != labels[-1]:
        ends.append(axis.cells)
    if axis.periodic:
        before = (np.array(ends) - np.roll(ends, 1)) % axis.cells
        after = np.roll(before, -1)
    else:
        before, after = np.diff([0, *ends]), np.diff([*ends, axis.cells])
    for number, last in enumerate(ends):
        gap = _distance(axis, name, last, labels, regions) / float(axis.widths.mean())
        for distance, cells, first, step in ((gap, before[number], last - 1, -1), (1.0 - gap, after[number], last, 1)):
            # Two walls share the cells between them; at the end of the grid nothing is to be corrected.
            own = int(cells) // 2 if len(ends) > 1 else int(cells)
            changes = end_weights(round(distance, 12), min(own, _MOST)) - 1.0
            weights[(first + step * np.arange(len(changes))) % axis.cells] += changes
    return weights


def _distance(axis: Axis, name: str, last: int, labels: np.ndarray, regions: tuple[Region, ...]) -> float:
    """Return how far the wall stands from the centre of the cell before it; half a cell unless a box says more."""
    h = float(axis.widths.mean())
    before, after = labels[last - 1], labels[last % axis.cells]
    for label, rising in ((after, True), (before, False)):
        region = regions[label - 1] if label else None
        if isinstance(region, Box) and name in region.bounds:
            bound = region.bounds[name][0 if rising else 1]
            distance = np.inf if bound is None else bound - float(axis.centres[last - 1])
            if 0.0 <= distance <= h * (1 + 1e-9):
                return min(distance, h)
    return 0.5 * h


@lru_cache(maxsize=256)
def end_weights(distance: float, most: int) -> np.ndarray:
    """Return the weights of the centres next to a wall, nearest first, as few as leave all of them positive.

    Parameters
    ----------
    distance : float
        From the wall to the first centre, in cells, 0 to 1.
    most : int
        Centres whose weights may change; with few of them the degree of exactness is lower.

    Examples
    --------
    >>> end_weights(0.5, 2).round(6).tolist(), end_weights(0.0, 2).round(6).tolist()
    ([1.041667, 0.958333], [0.416667, 1.083333])
    >>> len(end_weights(1.0, 20))
    11
    """
    from scipy.special import bernoulli

    numbers = bernoulli(DEGREE)
    numbers[1] = -0.5
    for degree in range(min(DEGREE, most), 0, -1):
        powers = np.arange(degree)
        moments = [sum(comb(n, j) * numbers[j] * distance ** (n - j) for j in range(n + 1)) / n for n in powers + 1]
        for count in range(degree, most + 1):
            # Places and moments in units of the whole length, for the sake of conditioning.
            places = (np.arange(count) + distance) / count
            changes = np.linalg.lstsq(places ** powers[:, None], moments / count ** powers.astype(float), rcond=None)[0]
            if changes.min() >= LEAST_WEIGHT - 1.0:
                weights = 1.0 + changes
                weights.setflags(write=False)
                return weights
    return np.ones(0)
