"""Steps with normal noise, θ′ = m(θ) + z with z of covariance Σ(θ), as probabilities between cells.

Where a step is broad against the cells, its density is sampled at their centres: sums over a lattice integrate smooth
functions with an error of exp(−2π²σ²/h²), 1e-13 at σ = 1.25 h, so that a state of the chain is its density at the
centres (Nyström's method with the midpoint rule). Where it is narrow, it is spread over points that are shared between
the neighbouring cells: the mean is exact, and the variance h²/6 which that adds is taken from Σ first, as far as there
is one.

Source: L. N. Trefethen, J. A. C. Weideman, SIAM Rev. 56, 385 (2014), for sums over lattices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gamma, pi

import numpy as np

from fpsolver.generators.arrivals import Arrivals, blocks, check_elements, split
from fpsolver.generators.continued_axis import ContinuedAxis
from fpsolver.grids import Axis

BROAD = 1.25
"""Smallest standard deviation in any direction, in cells, of which the density is sampled."""
REACH = 8.5
"""Standard deviations at which steps are cut: what lies beyond is below the rounding of what is kept."""
SPREAD = 1.0 / 6.0
"""Mean variance, in squared cell widths, that sharing between neighbours adds along each axis."""
FINE, COARSE = 0.1, 0.7
"""Distance of the points of a narrow step, in cells, along one axis and in more dimensions.

Also 0.7 standard deviations at most: the moments of the points are then exact to 1e-15. What sharing adds to variances
is sampled to a quarter of the square of this distance, far less on the average.
"""
# Deviations below which a direction has no points of its own, and how many points about share a cell.
_TINY, _MERGED = 1e-6, 10.0


def gaussian_arrivals(axes: Sequence[Axis], means: np.ndarray, covariances: np.ndarray) -> Iterator[Arrivals]:
    """Yield the probabilities of normal steps, block by block.

    Parameters
    ----------
    axes : sequence of Axis
        The axes along which the steps lead.
    means : ndarray, shape (n, len(axes))
        Where the step from each cell leads in the mean.
    covariances : ndarray, shape (n, len(axes), len(axes))
        Its covariance; of any rank.
    """
    widths, scaled = in_cells(axes, means, covariances)
    variances, directions = np.linalg.eigh(scaled)
    broad = np.flatnonzero(variances[:, 0] >= BROAD**2)
    narrow = np.flatnonzero(variances[:, 0] < BROAD**2)
    if len(broad):
        factors = np.linalg.cholesky(covariances[broad])
        ball = pi ** (len(axes) / 2) / gamma(len(axes) / 2 + 1)
        reached = ball * REACH ** len(axes) * np.prod(np.sqrt(variances[broad]), axis=1)
        check_elements(reached.sum())
        lines = [ContinuedAxis(axis) for axis in axes]
        for block in blocks(reached):
            yield _sampled(lines, broad[block], means[broad[block]], factors[block])
    if len(narrow):
        deviations = np.sqrt(np.maximum(variances[narrow] - SPREAD, 0.0))
        distance = FINE if len(axes) == 1 else COARSE
        spacings = np.minimum(COARSE, distance / np.maximum(deviations, _TINY))
        lengths = (deviations * spacings)[:, None, :] * directions[narrow] * widths[narrow][:, :, None]
        counts = np.where(deviations > _TINY, np.ceil(REACH / spacings), 0.0).astype(np.int64)
        sizes = 2 ** len(axes) * np.prod(2 * counts + 1, axis=1)
        check_elements(sizes.sum() / _MERGED)
        for block in blocks(sizes):
            columns, points, weights = _cloud(means[narrow[block]], lengths[block], spacings[block], counts[block])
            yield split(axes, narrow[block], columns, points, weights)


def in_cells(axes: Sequence[Axis], means: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the widths of the cells where steps lead (n, d), and the covariances in their units (n, d, d)."""
    lines = [ContinuedAxis(axis) for axis in axes]
    widths = np.stack([line.widths(line.below(means[:, k])) for k, line in enumerate(lines)], axis=-1)
    return widths, covariances / (widths[:, :, None] * widths[:, None, :])


def _sampled(lines: list[ContinuedAxis], cells: np.ndarray, means: np.ndarray, factors: np.ndarray) -> Arrivals:
    """Sample normal densities axis by axis, each time given the coordinates before: x_k = m_k + Σ L_kl z_l."""
    columns = np.arange(len(cells))
    sites: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    square = np.zeros(len(cells))
    for k, line in enumerate(lines):
        centre = means[columns, k] + sum((factors[columns, k, i] * z for i, z in enumerate(normals)), start=0.0)
        deviation = factors[columns, k, k]
        half = deviation * np.sqrt(np.maximum(REACH**2 - square, 0.0))
        first = line.below(centre - half) + 1
        repeat, site = _ranges(first, line.below(centre + half) + 1)
        z = (line.centres(site) - centre[repeat]) / deviation[repeat]
        columns, sites = columns[repeat], [*(earlier[repeat] for earlier in sites), site]
        normals = [*(earlier[repeat] for earlier in normals), z]
        square = square[repeat] + z**2
    weights = np.exp(-square / 2.0)
    for line, site in zip(lines, sites, strict=True):
        if not line.axis.uniform:
            weights *= line.widths(site)
    weights /= np.bincount(columns, weights, minlength=len(cells))[columns]
    return Arrivals(cells, columns, tuple(sites), weights)


def _cloud(
    means: np.ndarray, lengths: np.ndarray, spacings: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points along the principal directions of normal steps, with the cells they come from and their weights."""
    columns, points, square = np.arange(len(means)), means, np.zeros(len(means))
    for k in range(means.shape[1]):
        count = counts[columns, k]
        repeat, number = _ranges(-count, count + 1)
        columns = columns[repeat]
        points = points[repeat] + number[:, None] * lengths[columns, :, k]
        square = square[repeat] + (number * spacings[columns, k]) ** 2
    weights = np.exp(-square / 2.0)
    return columns, points, weights / np.bincount(columns, weights)[columns]


def _ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the whole numbers of several ranges in a row, and to which range each belongs."""
    counts = np.maximum(stops - starts, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    return owner, np.arange(len(owner)) + np.repeat(starts - np.cumsum(counts) + counts, counts)
