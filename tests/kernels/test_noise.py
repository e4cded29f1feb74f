"""Variables of a block of lanes: which draw lies where, whoever asks for it and in whatever order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from philox_inverse import place_of

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import additive, noise
from fpsolver.kernels.normal_variables import normal_pair, normal_pair_single
from fpsolver.kernels.philox import draw
from fpsolver.kernels.weak_variables import SIXTH, three_point, uniform, uniform_single

KEY = 0x12345678, 0x9ABCDEF0
PRECISIONS = [np.float64, np.float32]
FILLS = {"normals": noise.fill_normals, "three-point": noise.fill_three_point, "uniforms": noise.fill_uniforms}
KINDS = {"gaussian": noise.GAUSSIAN, "three-point": noise.THREE_POINT, "rademacher": noise.RADEMACHER}


def identities(first: int = 0) -> np.ndarray:
    return np.uint64(first) + np.arange(LANES, dtype=np.uint64)


def filled(
    fill, ids: np.ndarray, block: int, purpose: int = noise.DYNAMICS, precision=np.float64, key=KEY
) -> np.ndarray:
    z = np.empty(4 * LANES, precision)
    fill(z, ids, block, purpose, *key)
    return z.reshape(4, LANES)


def words_of(trajectory: int, block: int, purpose: int = noise.DYNAMICS, key=KEY) -> list[int]:
    return [int(word) for word in draw(*map(np.uint64, (trajectory, block, purpose, *key)))]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("first", "block", "purpose"), [(0, 0, 0), (2**32 - 100, 2**32 + 5, 1), (2**48 - 256, 2**40, 3)]
)
def test_rows_are_the_formulas_of_the_drawn_words(precision, first, block, purpose):
    ids = identities(first)
    rows = {name: filled(fill, ids, block, purpose, precision) for name, fill in FILLS.items()}
    words = np.empty(4 * LANES, np.uint32)
    noise.fill_words(words, ids, block, purpose, *KEY)
    pair, word, one = (
        (normal_pair, np.uint64, uniform)
        if precision is np.float64
        else (normal_pair_single, np.uint32, uniform_single)
    )
    for lane in (0, 1, 7, 100, 255):
        drawn = words_of(int(ids[lane]), block, purpose)
        assert words.reshape(4, LANES)[:, lane].tolist() == drawn
        expected = [*pair(word(drawn[0]), word(drawn[1])), *pair(word(drawn[2]), word(drawn[3]))]
        # Alone or in a loop, the compiler may fuse other products with sums: a few roundings.
        assert rows["normals"][:, lane] == pytest.approx(expected, rel=8 * float(np.finfo(precision).eps))
        assert rows["three-point"][:, lane] == pytest.approx([three_point(np.uint64(w)) for w in drawn], rel=1e-7)
        assert rows["uniforms"][:, lane].tolist() == [one(np.uint64(w)) for w in drawn]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", FILLS)
def test_lanes_are_independent_of_their_place_and_their_company(name, precision):
    ids = identities(1000)
    rows = filled(FILLS[name], ids, 3, precision=precision)
    rng = np.random.default_rng(1)
    order = rng.permutation(LANES)
    assert np.array_equal(filled(FILLS[name], ids[order], 3, precision=precision), rows[:, order])
    survivors = np.sort(rng.choice(LANES, 100, replace=False))
    compacted = np.concatenate([ids[survivors], identities(10**9)[: LANES - 100]])
    assert np.array_equal(filled(FILLS[name], compacted, 3, precision=precision)[:, :100], rows[:, survivors])


def run(kind: int, m: int, start: int, stop: int, ids: np.ndarray, precision=np.float64) -> np.ndarray:
    """Variables of steps start … stop − 1, shape (steps, m, LANES), made one step after the other."""
    buffer = np.full(noise.buffer_rows(kind, m) * LANES, np.nan, precision)
    words = np.zeros(noise.word_rows(kind, m) * LANES, np.uint32)
    steps = []
    for step in range(start, stop):
        at = noise.prepare(kind, buffer, words, m, step, step == start, ids, *KEY)
        steps.append(buffer[at : at + m * LANES].reshape(m, LANES).copy())
    return np.array(steps)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(KINDS.values())), st.integers(1, 12), st.integers(0, 300), st.sampled_from(PRECISIONS))
def test_a_run_entered_anywhere_finds_the_same_bits(kind, m, start, precision):
    ids = identities(77)
    origin = max(0, start - 130)
    assert np.array_equal(
        run(kind, m, start, start + 9, ids, precision),
        run(kind, m, origin, start + 9, ids, precision)[start - origin :],
    )


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6, 8, 50, 100, 128, 130])
@pytest.mark.parametrize("name", KINDS)
def test_variables_of_a_step_are_consecutive_draws(name, m):
    ids = identities(5)
    start = 2**33 + 3
    steps = run(KINDS[name], m, start, start + 5, ids)
    for j in range(5):
        for k in {0, m // 2, m - 1}:
            q = (start + j) * m + k
            if name == "rademacher":
                word = words_of(int(ids[9]), q // 128)[q % 128 // 32]
                assert steps[j, k, 9] == (-1 if word >> q % 32 & 1 else 1)
            else:
                fill = FILLS["normals" if name == "gaussian" else name]
                assert np.array_equal(steps[j, k], filled(fill, ids, q // 4)[q % 4])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("m", [1, 3])
def test_signs_can_be_added_without_being_written_down(precision, m):
    ids = identities()
    signs = run(noise.RADEMACHER, m, 0, 140, ids, precision)
    assert set(np.unique(signs)) == {-1, 1}
    words = np.zeros(noise.word_rows(noise.RADEMACHER, m) * LANES, np.uint32)
    for step in range(140):
        x = np.zeros(m * LANES, precision)
        slot = noise.prepare_words(words, m, step, step == 0, ids, *KEY)
        additive._descend_with_signs(x, np.zeros_like(x), words, slot, np.zeros((m, m)), 0.25 * np.eye(m), m)
        assert np.array_equal(x.reshape(m, LANES), 0.25 * signs[step])


def at_words(fill, words: list[int], precision) -> np.ndarray:
    """The four variables drawn from given words: Philox is inverted to find the trajectory, block and purpose."""
    trajectory, block, purpose = place_of(words, list(KEY))
    return filled(fill, np.full(LANES, trajectory, np.uint64), np.uint64(block), purpose, precision)[:, 0]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tails_to_seven_and_a_half_in_every_direction(precision):
    # The smallest radius integer, with the angle beside each of the four half axes (a = 2²⁰ + quarter·2²¹).
    for quarter, axis in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        extreme = [2**20 + quarter * 2**21, 0]
        for member, usual in ((0, [0x80000000, 0x12345678]), (2, [0x40000001, 0x9ABCDEF0])):
            words = [*extreme, *usual] if member == 0 else [*usual, *extreme]
            pair = at_words(noise.fill_normals, words, precision)[member : member + 2]
            assert np.dot(pair, axis) > 7.5
            assert np.dot(pair, axis) == pytest.approx(math.sqrt(84 * math.log(2)), rel=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_uniforms_never_reach_zero_or_one(precision):
    values = at_words(noise.fill_uniforms, [0, 2**32 - 1, 1, 2**32 - 2], precision)
    assert np.all((values > 0) & (values < 1))
    # Words near zero stay apart in both precisions, those near one as far as the precision goes.
    assert values[0] == 2.0**-33
    assert values[2] == 3 * 2.0**-33
    assert 1 - values[1] == (2.0**-33 if precision is np.float64 else 2.0**-24)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_three_points_at_their_thresholds(precision):
    root = precision(math.sqrt(3))
    values = at_words(noise.fill_three_point, [SIXTH - 1, SIXTH, 2**32 - SIXTH - 1, 2**32 - SIXTH], precision)
    assert values.tolist() == [-root, 0, 0, root]


def test_three_points_have_the_moments_of_a_normal_up_to_the_fifth():
    # Exactly 2·SIXTH of 2³² words are not zero, half of them on each side; SIXTH is an integer.
    share = 2 * SIXTH / 2**32
    assert share * 3 == pytest.approx(1, rel=0.5 / SIXTH)
    assert share * 9 == pytest.approx(3, rel=0.5 / SIXTH)


def test_sizes_follow_the_common_period():
    for m in range(1, 300):
        rows = noise.buffer_rows(noise.GAUSSIAN, m)
        assert rows == math.lcm(m, 4) == noise.buffer_rows(noise.THREE_POINT, m)
        assert noise.word_rows(noise.RADEMACHER, m) * 32 == math.lcm(m, 128)
        assert (noise.buffer_rows(noise.RADEMACHER, m), noise.word_rows(noise.GAUSSIAN, m)) == (m, 0)


@pytest.mark.parametrize(
    ("function", "fill"), [(noise.normals, noise.fill_normals), (noise.uniforms, noise.fill_uniforms)]
)
def test_variables_of_chosen_trajectories(function, fill):
    whole = function(0, 700, 6, noise.INITIAL, *KEY)
    assert whole.shape == (700, 6)
    for first, n, m in [(0, 1, 6), (255, 3, 1), (511, 189, 5), (699, 1, 4)]:
        assert np.array_equal(function(first, n, m, noise.INITIAL, *KEY), whole[first : first + n, :m])
    rows = np.concatenate([filled(fill, identities(256), block, noise.INITIAL) for block in (0, 1)])
    assert np.array_equal(whole[256:512].T, rows[:6])
    assert function(2**47, 0, 3, noise.INITIAL, *KEY).shape == (0, 3)
