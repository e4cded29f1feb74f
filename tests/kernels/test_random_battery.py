"""A small battery of classic tests of random words, on streams that are read across the counter in several ways.

Each test gives p-values; a stream fails where a perfect generator would once in 10⁵ batteries (Bonferroni, both ends).

References
----------
D. E. Knuth, The Art of Computer Programming 2, section 3.3.2 (serial, gap, poker, runs, birthday spacings);
G. Marsaglia, The Diehard battery, 1995 (ranks of binary matrices).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit
from scipy.special import ndtr
from scipy.stats import chi2, poisson

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise

pytestmark = pytest.mark.slow
ODDS = 1e-5
KEY = 99, 5
LANE = np.arange(LANES, dtype=np.uint64)


def gathered(ids, blocks, purposes, keys) -> np.ndarray:
    """Words of these lists of lanes, draw blocks, purposes and keys, shape (calls, 4, LANES)."""
    words = np.empty((len(ids), 4 * LANES), np.uint32)
    for row, lanes, block, purpose, key in zip(words, ids, blocks, purposes, keys, strict=True):
        noise.fill_words(row, lanes, block, purpose, *key)
    return words.reshape(-1, 4, LANES)


def stream(name: str, count: int, key=KEY) -> np.ndarray:
    """Read `count` words in the order that the name says."""
    calls = count // (4 * LANES)
    if name == "trajectories":  # the first word of one trajectory after the other: only the first counter word changes
        calls *= 4
        ids = [np.uint64(LANES * j) + LANE for j in range(calls)]
        return gathered(ids, [0] * calls, [0] * calls, [key] * calls)[:, 0].ravel()
    if name == "steps":  # each trajectory's words step after step
        per_lane = 256
        ids = [np.uint64(LANES * (j // per_lane)) + LANE for j in range(calls)]
        words = gathered(ids, [j % per_lane for j in range(calls)], [0] * calls, [key] * calls)
        return words.reshape(-1, per_lane, 4, LANES).transpose(0, 3, 1, 2).ravel()
    if name == "interleaved":  # all lanes of a step, as a simulation uses them
        return gathered([LANE] * calls, range(calls), [0] * calls, [key] * calls).ravel()
    if name == "seeds":  # one draw block of one key after the other
        keys = [(key[0] + j // 2, key[1] + j % 2) for j in range(calls)]
        return gathered([LANE] * calls, [0] * calls, [0] * calls, keys).transpose(2, 0, 1).ravel()
    # "purposes": the four purposes in turn
    blocks, purposes = [j // 4 for j in range(calls)], [j % 4 for j in range(calls)]
    return gathered([LANE] * calls, blocks, purposes, [key] * calls).ravel()


STREAMS = ["trajectories", "steps", "interleaved", "seeds", "purposes"]


def chi_square(observed: np.ndarray, expected: np.ndarray) -> float:
    """p-value of counts that add up to the number of trials."""
    expected = np.broadcast_to(expected, observed.shape)
    return float(chi2.sf(np.sum((observed - expected) ** 2 / expected), observed.size - 1))


def two_sided(score: np.ndarray) -> list[float]:
    """p-values of standard scores: the lower tail, so that both ends are looked at."""
    return [float(p) for p in np.atleast_1d(ndtr(score))]


def bit_frequencies(words: np.ndarray) -> list[float]:
    ones = np.array([np.count_nonzero(words >> np.uint32(bit) & np.uint32(1)) for bit in range(32)])
    return two_sided((ones - len(words) / 2) / math.sqrt(len(words) / 4))


def serial_bytes(words: np.ndarray) -> list[float]:
    """Pairs of neighbouring bytes, within a word and from word to word, lowest and highest bytes."""
    low, high = words & np.uint32(0xFF), words >> np.uint32(24)
    pairs = [
        words & np.uint32(0xFFFF),
        words >> np.uint32(16),
        low[:-1:2] << 8 | low[1::2],
        high[:-1:2] << 8 | high[1::2],
    ]
    return [chi_square(np.bincount(p, minlength=2**16), len(p) / 2**16) for p in pairs]


def runs(words: np.ndarray) -> list[float]:
    """Changes from word to word of each bit, and of the bits in their order: half of the neighbours differ."""
    change = words[1:] ^ words[:-1]
    changes = [np.count_nonzero(change >> np.uint32(bit) & np.uint32(1)) for bit in range(32)]
    within = int(np.bitwise_count((words ^ words >> np.uint32(1)) & np.uint32(2**31 - 1)).sum())
    scores = [(c - len(change) / 2) / math.sqrt(len(change) / 4) for c in changes]
    return two_sided(np.array([*scores, (within - 31 * len(words) / 2) / math.sqrt(31 * len(words) / 4)]))


def gaps(words: np.ndarray) -> list[float]:
    """Distances between visits to an interval of probability 1/8, at both ends and in the middle of the range."""
    p_values = []
    for low in (0, 7 * 2**29, 3 * 2**29 + 12345):
        visits = np.flatnonzero((words >= low) & (words < low + 2**29))
        gap = np.minimum(np.diff(visits) - 1, 60)
        share = np.append((1 / 8) * (7 / 8) ** np.arange(60), (7 / 8) ** 60)
        p_values.append(chi_square(np.bincount(gap, minlength=61), share * len(gap)))
    return p_values


def poker(words: np.ndarray) -> list[float]:
    """Different values among five hexadecimal digits of a word, from its lower and upper end."""
    stirling = np.array([1, 15, 25, 10, 1])
    share = stirling * np.array([math.perm(16, r) for r in range(1, 6)]) / 16**5
    p_values = []
    for shift in (0, 12):
        digits = np.sort([words >> np.uint32(shift + 4 * j) & np.uint32(15) for j in range(5)], axis=0)
        different = 1 + np.count_nonzero(np.diff(digits, axis=0), axis=0)
        p_values.append(chi_square(np.bincount(different, minlength=6)[1:], share * len(words)))
    return p_values


def birthday_spacings(words: np.ndarray) -> list[float]:
    """Equal spacings among 2¹² birthdays in a year of 2³² days: Poisson with mean m³/(4n) = 4 to a relative 2⁻¹²."""
    days = np.sort(words[: len(words) // 4096 * 4096].reshape(-1, 4096).astype(np.int64), axis=1)
    spacings = np.sort(np.diff(days, axis=1), axis=1)
    repeats = np.minimum(np.count_nonzero(np.diff(spacings, axis=1) == 0, axis=1), 12)
    share = np.append(poisson.pmf(np.arange(12), 4.0), poisson.sf(11, 4.0))
    return [chi_square(np.bincount(repeats, minlength=13), share * len(repeats))]


@njit
def ranks(words, counts):
    """Count ranks 32, 31, 30 and less of 32 × 32 binary matrices, one word a row."""
    rows = np.empty(32, np.uint32)
    for m in range(len(words) // 32):
        rows[:] = words[32 * m : 32 * m + 32]
        rank = 0
        for column in range(32):
            bit = np.uint32(1 << column)
            pivot = rank
            while pivot < 32 and rows[pivot] & bit == 0:
                pivot += 1
            if pivot == 32:
                continue
            rows[rank], rows[pivot] = rows[pivot], rows[rank]
            for other in range(rank + 1, 32):
                if rows[other] & bit:
                    rows[other] ^= rows[rank]
            rank += 1
        counts[min(32 - rank, 3)] += 1


def matrix_ranks(words: np.ndarray) -> list[float]:
    counts = np.zeros(4)
    ranks(words, counts)

    def share(r: int) -> float:
        product = math.prod((1 - 2.0 ** (i - 32)) ** 2 / (1 - 2.0 ** (i - r)) for i in range(r))
        return 2.0 ** (r * (64 - r) - 1024) * product

    shares = [share(r) for r in (32, 31, 30)]
    return [chi_square(counts, np.array([*shares, 1 - sum(shares)]) * counts.sum())]


def weights(words: np.ndarray) -> list[float]:
    """Numbers of ones in neighbouring words, and in words four and a block of lanes apart: uncorrelated."""
    ones = (np.bitwise_count(words).astype(float) - 16) / math.sqrt(8)
    scores = [ones[lag:] @ ones[:-lag] / math.sqrt(len(ones) - lag) for lag in (1, 2, 3, 4, 256, 1024)]
    return two_sided(np.array(scores))


TESTS = [bit_frequencies, serial_bytes, runs, gaps, poker, birthday_spacings, matrix_ranks, weights]


def battery(words: np.ndarray) -> dict[str, list[float]]:
    return {test.__name__: test(words) for test in TESTS}


def verdict(found: dict[str, list[float]]) -> dict[str, float]:
    """Tests whose worst p-value, at either end, is too small for their number."""
    number = sum(len(p) for p in found.values())
    worst = {name: min(min(p), 1 - max(p)) for name, p in found.items()}
    return {name: p for name, p in worst.items() if p * 2 * number < ODDS}


@pytest.mark.parametrize("name", STREAMS)
def test_battery(name):
    assert verdict(battery(stream(name, 2**24))) == {}


def test_the_battery_finds_poor_generators():
    count = 2**22
    state = np.arange(count, dtype=np.uint64)
    weyl = (state * np.uint64(2654435769)).astype(np.uint32)
    assert set(verdict(battery(weyl))) >= {"runs", "gaps", "birthday_spacings", "matrix_ranks"}
    good = stream("interleaved", count)
    assert verdict(battery(good)) == {}
    copied = np.repeat(good[::2], 2)  # each word twice
    assert set(verdict(battery(copied))) >= {"serial_bytes", "runs", "birthday_spacings", "matrix_ranks", "weights"}
    # A bit set once in a hundred words: half of those change, 20 standard errors of the count.
    heavy = np.where(np.arange(count) % 100 == 0, good | np.uint32(1 << 7), good)
    assert set(verdict(battery(heavy))) >= {"bit_frequencies"}
