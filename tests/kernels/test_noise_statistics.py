"""Distribution of the variables, and independence of neighbouring seeds, trajectories, steps and purposes.

Every verdict is a p-value or a deviation in standard errors. A test fails where a perfect generator would fail once in
10⁵ times, shared out among the numbers it looks at (Bonferroni).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import chi2, kstwo, norm

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise

ODDS = 1e-5
KEY = 2024, 11
CELLS = 1000
# A thousand cells of equal probability, and cells of half a unit for the tails.
EDGES = ndtri(np.arange(1, CELLS) / CELLS)
TAIL_EDGES = np.arange(3.0, 5.6, 0.25)


def blocks_of_normals(count: int, key=KEY, precision=np.float64, fill=noise.fill_normals):
    """Give `count` variables in arrays of 2²⁰: 1024 draw blocks of one block of lanes after the other."""
    z = np.empty((1024, 4 * LANES), precision)
    for batch in range(count // z.size):
        ids = np.uint64(batch // 4 * LANES) + np.arange(LANES, dtype=np.uint64)
        for block in range(1024):
            fill(z[block], ids, batch % 4 * 1024 + block, noise.DYNAMICS, *key)
        yield z.reshape(-1)


def double_factorial(n: int) -> int:
    return math.prod(range(n, 0, -2))


def moment(order: int) -> int:
    return 0 if order % 2 else double_factorial(order - 1)


def check_normals(count: int, key, precision=np.float64) -> None:
    """Test the χ² of cells and of the two tails, the Kolmogorov–Smirnov distance and the moments of many normals."""
    cells, tails, powers, total = np.zeros(CELLS), np.zeros(2 * len(TAIL_EDGES)), np.zeros(8), 0
    distances = []
    for raw in blocks_of_normals(count, key, precision):
        z = raw.astype(np.float64)
        ordered = np.sort(z)
        total += len(z)
        cells += np.diff(np.searchsorted(ordered, EDGES), prepend=0, append=len(z))
        below, above = np.searchsorted(ordered, -TAIL_EDGES), len(z) - np.searchsorted(ordered, TAIL_EDGES)
        tails += np.concatenate([below, above])
        power = np.ones_like(z)
        for order in range(8):
            power *= z
            powers[order] += power.sum()
        uniform = ndtr(ordered)
        rank = np.arange(len(z)) / len(z)
        distances.append(max(np.max(uniform - rank), np.max(rank + 1 / len(z) - uniform)))
    expected = total / CELLS
    assert ODDS < chi2.sf(np.sum((cells - expected) ** 2) / expected, CELLS - 1) < 1 - ODDS
    # Cells of 0.25 between 3 and 5.5, the last one open; those with fewer than ten expected are left out.
    p = np.tile(np.diff(-norm.sf(TAIL_EDGES), append=0), 2)
    shells = np.concatenate([np.append(-np.diff(part), part[-1]) for part in np.split(tails, 2)])
    kept = p * total > 10
    assert chi2.sf(np.sum((shells - p * total)[kept] ** 2 / (p * total)[kept]), kept.sum()) > ODDS
    # Each distance has the Kolmogorov distribution; the smallest p-value of k is one in k.
    sf = kstwo.sf(np.array(distances), 2**20)
    assert sf.min() * len(sf) > ODDS
    for order in range(1, 9):
        error = math.sqrt((moment(2 * order) - moment(order) ** 2) / total)
        assert abs(powers[order - 1] / total - moment(order)) < norm.isf(ODDS / 16) * error, order


@pytest.mark.parametrize("precision", [np.float64, np.float32], ids=["double", "single"])
def test_distribution_of_four_million_normals(precision):
    check_normals(4 * 2**20, KEY, precision)


@pytest.mark.slow
@pytest.mark.parametrize("key", [(1, 0), (0xDEADBEEF, 77)])
def test_distribution_of_a_hundred_million_normals(key):
    check_normals(96 * 2**20, key)


def test_frequencies_of_uniform_and_weak_variables():
    count = 2**20
    uniforms = next(blocks_of_normals(count, fill=noise.fill_uniforms))
    cells = np.bincount((uniforms * CELLS).astype(int), minlength=CELLS)
    assert ODDS < chi2.sf(np.sum((cells - count / CELLS) ** 2) / (count / CELLS), CELLS - 1) < 1 - ODDS
    points = next(blocks_of_normals(count, fill=noise.fill_three_point))
    for value, share in ((-math.sqrt(3), 1 / 6), (0, 2 / 3), (math.sqrt(3), 1 / 6)):
        error = math.sqrt(count * share * (1 - share))
        assert abs(np.sum(points == value) - count * share) < norm.isf(ODDS / 6) * error


def normals_of(key, purpose: int, ids: np.ndarray, first_block: int, blocks: int) -> np.ndarray:
    """Normals of the lanes, shape (4 blocks, LANES)."""
    z = np.empty((blocks, 4 * LANES))
    for block in range(blocks):
        noise.fill_normals(z[block], ids, first_block + block, purpose, *key)
    return z.reshape(4 * blocks, LANES)


def neighbours(what: str, key=KEY, streams: int = 16, blocks: int = 64) -> np.ndarray:
    """Streams that differ by one step of one part of counter or key, shape (streams, samples)."""
    lanes = np.arange(LANES, dtype=np.uint64)
    if what == "trajectory":
        spread = [lanes * np.uint64(streams) + np.uint64(j) for j in range(streams)]
        return np.array([normals_of(key, 0, ids, 0, blocks).ravel() for ids in spread])
    if what == "step":
        everything = normals_of(key, 0, lanes, 0, blocks * streams // 4)
        return everything.reshape(-1, streams, LANES).transpose(1, 0, 2).reshape(streams, -1)
    if what == "purpose":
        return np.array([normals_of(key, j, lanes, 0, blocks).ravel() for j in range(streams)])
    keys = [(key[0] + j, key[1]) if what == "first key" else (key[0], key[1] + j) for j in range(streams)]
    return np.array([normals_of(k, 0, lanes, 0, blocks).ravel() for k in keys])


FUNCTIONS = {
    "value": lambda z: z,
    "square": lambda z: (z**2 - 1) / math.sqrt(2),
    "size": lambda z: (np.abs(z) - math.sqrt(2 / math.pi)) / math.sqrt(1 - 2 / math.pi),
    "sign": np.sign,
}


def check_correlations(x: np.ndarray) -> None:
    """Test the matrix of correlations between rows of unit variance: its largest entry and its sum of squares."""
    n, samples = x.shape
    pairs = np.triu_indices(n, 1)
    scores = (x @ x.T / math.sqrt(samples))[pairs]
    assert np.max(np.abs(scores)) < norm.isf(ODDS / 2 / len(scores))
    assert ODDS < chi2.sf(np.sum(scores**2), len(scores)) < 1 - ODDS


@pytest.mark.parametrize("what", ["trajectory", "step", "purpose", "first key", "second key"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_neighbouring_streams_are_uncorrelated(what, function):
    check_correlations(FUNCTIONS[function](neighbours(what)))


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 256])
def test_successive_draws_of_a_trajectory_are_uncorrelated(lag):
    lanes = np.arange(LANES, dtype=np.uint64)
    z = normals_of(KEY, 0, lanes, 0, 512)
    for function in FUNCTIONS.values():
        x = function(z)
        products = x[lag:] * x[:-lag]
        score = products.sum() / math.sqrt(products.size)
        assert abs(score) < norm.isf(ODDS / 2 / 24)


def test_the_members_of_a_draw_block_are_independent():
    lanes = np.arange(LANES, dtype=np.uint64)
    z = normals_of(KEY, 0, lanes, 0, 1024).reshape(-1, 4, LANES).transpose(1, 0, 2).reshape(4, -1)
    for function in FUNCTIONS.values():
        check_correlations(function(z))
    # Box–Muller would tie a member's sign to its partner's size if bits were shared: cells of the pair, 16 × 16.
    for i, j in ((0, 1), (2, 3), (0, 2), (1, 3)):
        cells = np.bincount((ndtr(z[i]) * 16).astype(int) * 16 + (ndtr(z[j]) * 16).astype(int), minlength=256)
        expected = z.shape[1] / 256
        assert ODDS < chi2.sf(np.sum((cells - expected) ** 2) / expected, 255) < 1 - ODDS
