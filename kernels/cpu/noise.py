"""Random variables for a block of trajectories, on the processor.

Draw number q = step·m + k is component k of the m variables of a step. Four draws (or 128 signs) come from one counter,
the draw block, so that variables are made for several steps at once and kept: the periods are counted from step 0, and
a run that is entered in the middle of one finds the same bits. Row k of a flat array is at ``[LANES * k + lane]``;
`ids` (uint64, one a lane) says which trajectory a lane holds; (k0, k1) is the key, below 2³².
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.extending import overload

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.normal_variables import normal_pair, normal_pair_single
from fpsolver.kernels.options import ALLOCATING, OPTIONS
from fpsolver.kernels.philox import BRANCHING as BRANCHING
from fpsolver.kernels.philox import BRIDGE as BRIDGE
from fpsolver.kernels.philox import DYNAMICS, draw
from fpsolver.kernels.philox import INITIAL as INITIAL
from fpsolver.kernels.weak_variables import sign, sign_single, three_point, uniform, uniform_single

GAUSSIAN, THREE_POINT, RADEMACHER = 0, 1, 2
"""Kinds of noise."""

FOUR = 4 * LANES
WORD_BITS = 32
BLOCK_BITS = 128


@njit(**OPTIONS)
def fill_words(words, ids, block, purpose, k0, k1):
    """Fill four rows of `words` (uint32) with the random words of draw block `block`: 128 signs for each lane."""
    counter, use, key0, key1 = np.uint64(block), np.uint64(purpose), np.uint64(k0), np.uint64(k1)
    for i in range(LANES):
        a, b, c, d = draw(ids[i], counter, use, key0, key1)
        words[i] = a
        words[LANES + i] = b
        words[2 * LANES + i] = c
        words[3 * LANES + i] = d


@njit(**OPTIONS)
def _normals_double(z, ids, block, purpose, k0, k1):
    for i in range(LANES):
        a, b, c, d = draw(ids[i], block, purpose, k0, k1)
        x0, x1 = normal_pair(a, b)
        x2, x3 = normal_pair(c, d)
        z[i] = x0
        z[LANES + i] = x1
        z[2 * LANES + i] = x2
        z[3 * LANES + i] = x3


@njit(**OPTIONS)
def _normals_single(z, ids, block, purpose, k0, k1):
    """Words first, where the normals will stand: next to 64-bit products, 32-bit formulas get half the lanes."""
    words = z.view(np.uint32)
    fill_words(words, ids, block, purpose, k0, k1)
    for i in range(LANES):
        x0, x1 = normal_pair_single(words[i], words[LANES + i])
        z[i] = x0
        z[LANES + i] = x1
    for i in range(2 * LANES, 3 * LANES):
        x0, x1 = normal_pair_single(words[i], words[LANES + i])
        z[i] = x0
        z[LANES + i] = x1


def _normals(z, ids, block, purpose, k0, k1):
    """Choose the loop by the precision of `z`, when it is compiled."""


@overload(_normals)
def _choose_normals(z, ids, block, purpose, k0, k1):
    chosen = _normals_single if z.dtype.bitwidth == 32 else _normals_double

    def fill(z, ids, block, purpose, k0, k1):
        chosen(z, ids, block, purpose, k0, k1)

    return fill


@njit(**OPTIONS)
def fill_normals(z, ids, block, purpose, k0, k1):
    """Fill four rows of `z` (float64 or float32) with the standard normals of draw block `block`."""
    _normals(z, ids, np.uint64(block), np.uint64(purpose), np.uint64(k0), np.uint64(k1))


@njit(**OPTIONS)
def fill_three_point(z, ids, block, purpose, k0, k1):
    """Fill four rows of `z` with three-point variables, 0 and ±√3, of draw block `block`."""
    counter, use, key0, key1 = np.uint64(block), np.uint64(purpose), np.uint64(k0), np.uint64(k1)
    for i in range(LANES):
        a, b, c, d = draw(ids[i], counter, use, key0, key1)
        z[i] = three_point(a)
        z[LANES + i] = three_point(b)
        z[2 * LANES + i] = three_point(c)
        z[3 * LANES + i] = three_point(d)


def _uniform(word, like):
    """Choose the formula by the precision of `like`, when it is compiled."""


@overload(_uniform, inline="always")
def _choose_uniform(word, like):
    chosen = uniform_single if like.dtype.bitwidth == 32 else uniform

    def value(word, like):
        return chosen(word)

    return value


@njit(**OPTIONS)
def fill_uniforms(z, ids, block, purpose, k0, k1):
    """Fill four rows of `z` with uniform variables in the open interval (0, 1), a word each, of draw block `block`."""
    counter, use, key0, key1 = np.uint64(block), np.uint64(purpose), np.uint64(k0), np.uint64(k1)
    for i in range(LANES):
        a, b, c, d = draw(ids[i], counter, use, key0, key1)
        z[i] = _uniform(a, z)
        z[LANES + i] = _uniform(b, z)
        z[2 * LANES + i] = _uniform(c, z)
        z[3 * LANES + i] = _uniform(d, z)


def _expand(row, words, bit):
    """Choose the formula by the precision of `row`, when it is compiled."""


@overload(_expand)
def _choose_expand(row, words, bit):
    if row.dtype.bitwidth == 32:

        def expand(row, words, bit):
            place = np.uint32(bit)
            for i in range(LANES):
                row[i] = sign_single(words[i], place)
    else:

        def expand(row, words, bit):
            place = np.uint64(bit)
            for i in range(LANES):
                row[i] = sign(np.uint64(words[i]), place)

    return expand


@njit(**OPTIONS)
def expand_signs(row, words, slot):
    """Fill one row with the signs ±1.0 of slot `slot`, counted from the first word of `words` (rows of uint32)."""
    here = slot // WORD_BITS * LANES
    _expand(row, words[here : here + LANES], slot % WORD_BITS)


def sign_of(word, bit, like):
    """Return −1 or 1 as a bit of a word of signs is set or not, in the precision of an array; for compiled code."""


@overload(sign_of, inline="always")
def _choose_sign(word, bit, like):
    if like.dtype.bitwidth == 32:
        return lambda word, bit, like: sign_single(word, np.uint32(bit))
    return lambda word, bit, like: sign(np.uint64(word), np.uint64(bit))


@njit(**OPTIONS)
def prepare_words(words, m, step, fresh, ids, k0, k1):
    """Return the slot in `words` of the first of the m signs of step `step`, after making the words where needed."""
    period = BLOCK_BITS // common_power(m, BLOCK_BITS)
    blocks = m // common_power(m, BLOCK_BITS)
    place = step & (period - 1)
    if fresh or place == 0:
        for j in range(blocks):
            fill_words(words[j * FOUR : (j + 1) * FOUR], ids, step // period * blocks + j, DYNAMICS, k0, k1)
    return place * m


@njit(**OPTIONS)
def common_power(m, limit):
    """Return gcd(m, limit) for a limit that is a power of two; limit divided by it, a period, is one as well."""
    return min(m & -m, limit)


@njit(**OPTIONS)
def buffer_rows(kind, m):
    """Return the rows that `prepare` needs in its buffer for m variables a step."""
    return m if kind == RADEMACHER else m * (4 // common_power(m, 4))


@njit(**OPTIONS)
def word_rows(kind, m):
    """Return the rows of 32-bit words that `prepare` needs for m variables a step: none but for signs."""
    return 4 * (m // common_power(m, BLOCK_BITS)) if kind == RADEMACHER else 0


@njit(**OPTIONS)
def prepare(kind, buffer, words, m, step, fresh, ids, k0, k1):
    """Return the offset in `buffer` where the m variables of step `step` lie, after making them where needed.

    Parameters
    ----------
    kind : int
        GAUSSIAN, THREE_POINT or RADEMACHER.
    buffer : ndarray, shape (buffer_rows(kind, m) * LANES,), float64 or float32
        Kept by the caller between steps; row k of the step is ``buffer[offset + LANES * k:]``.
    words : ndarray, shape (word_rows(kind, m) * LANES,), uint32
        Kept by the caller between steps.
    m : int
        Variables of a step for each trajectory.
    step : int
        Number of the step, counted from the beginning of the trajectory.
    fresh : bool
        True where buffer and words do not hold what the step before left, for the same lanes.
    ids : ndarray, shape (LANES,), uint64
        Trajectory of each lane.
    k0, k1 : int
        Key.
    """
    if kind == RADEMACHER:
        slot = prepare_words(words, m, step, fresh, ids, k0, k1)
        for k in range(m):
            expand_signs(buffer[k * LANES : (k + 1) * LANES], words, slot + k)
        return 0
    period = 4 // common_power(m, 4)
    blocks = m // common_power(m, 4)
    place = step & (period - 1)
    if fresh or place == 0:
        for j in range(blocks):
            here = slice(j * FOUR, (j + 1) * FOUR)
            if kind == GAUSSIAN:
                fill_normals(buffer[here], ids, step // period * blocks + j, DYNAMICS, k0, k1)
            else:
                fill_three_point(buffer[here], ids, step // period * blocks + j, DYNAMICS, k0, k1)
    return place * m * LANES


@njit(**ALLOCATING)
def _gather(out, flat, first, purpose, k0, k1):
    """Fill `out`, shape (n, m), with the first m normals (`flat`: uniforms) of trajectories from `first` on."""
    n, m = out.shape
    ids = np.empty(LANES, np.uint64)
    z = np.empty(FOUR)
    for start in range(0, n, LANES):
        count = min(LANES, n - start)
        for i in range(LANES):
            ids[i] = np.uint64(first + start + i)
        for block in range((m + 3) // 4):
            if flat:
                fill_uniforms(z, ids, block, purpose, k0, k1)
            else:
                fill_normals(z, ids, block, purpose, k0, k1)
            for k in range(4 * block, min(4 * block + 4, m)):
                for i in range(count):
                    out[start + i, k] = z[(k - 4 * block) * LANES + i]


def normals(first: int, n: int, m: int, purpose: int, k0: int, k1: int) -> np.ndarray:
    """Return m standard normals for each of the trajectories first, …, first + n − 1, shape (n, m).

    They are draws 0 to m − 1 of the purpose, whatever n and first: trajectory 7 has the same in every call.

    Examples
    --------
    >>> bool((normals(0, 10, 3, INITIAL, 1, 2)[7] == normals(7, 1, 3, INITIAL, 1, 2)[0]).all())
    True
    """
    out = np.empty((n, m))
    _gather(out, False, first, purpose, k0, k1)
    return out


def uniforms(first: int, n: int, m: int, purpose: int, k0: int, k1: int) -> np.ndarray:
    """Return m uniform variables in (0, 1) for each of the trajectories first, …, first + n − 1, shape (n, m).

    They are made of the same random words as the normals of the same purpose: take one kind or the other.

    Examples
    --------
    >>> uniforms(0, 5, 2, INITIAL, 1, 2).shape
    (5, 2)
    """
    out = np.empty((n, m))
    _gather(out, True, first, purpose, k0, k1)
    return out
