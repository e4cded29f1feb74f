"""Philox4x32-10: the published vectors, the counter's layout, and what flipping one bit of counter or key does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from philox_inverse import backward, forward, place_of
from scipy.stats import binom, chi2

from fpsolver.kernels.philox import draw, philox

# Counter, key and words, from the file kat_vectors of the Random123 distribution.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
WORD = st.integers(0, 2**32 - 1)


def parse(text: str) -> list[np.uint64]:
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
@pytest.mark.parametrize("function", [philox, philox.py_func], ids=["compiled", "plain"])
def test_known_answers(function, counter, key, words):
    assert [int(word) for word in function(*parse(counter), *parse(key))] == [int(word) for word in parse(words)]


@settings(max_examples=200, deadline=None)
@given(st.tuples(WORD, WORD, WORD, WORD), st.tuples(WORD, WORD))
def test_compiled_rounds_are_the_papers_and_can_be_inverted(counter, key):
    words = [int(word) for word in philox(*map(np.uint64, counter), *map(np.uint64, key))]
    assert words == forward(list(counter), list(key))
    assert backward(words, list(key)) == list(counter)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**48 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**16 - 1), st.tuples(WORD, WORD))
def test_a_draw_has_a_counter_of_its_own(trajectory, block, purpose, key):
    words = [int(word) for word in draw(*map(np.uint64, (trajectory, block, purpose, *key)))]
    counter = [trajectory % 2**32, (trajectory >> 32) + (purpose << 16), block % 2**32, block >> 32]
    assert words == forward(counter, list(key))
    assert place_of(words, list(key)) == (trajectory, block, purpose)


@njit
def flip_counts(which, bit, samples, key, counts):
    """Count, for each of the 128 output bits, how often it changes when bit `bit` of one argument changes."""
    arguments = np.empty(5, np.uint64)
    one = np.uint64(1)
    for n in range(samples):
        arguments[0], arguments[1], arguments[2] = np.uint64(n), np.uint64(n // 7), np.uint64(n & 3)
        arguments[3], arguments[4] = np.uint64(key), np.uint64(n % 11)
        before = draw(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
        arguments[which] ^= one << np.uint64(bit)
        after = draw(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
        for word in range(4):
            change = before[word] ^ after[word]
            for place in range(32):
                counts[32 * word + place] += (change >> np.uint64(place)) & one


ARGUMENTS = {"trajectory": (0, 48), "block": (1, 64), "purpose": (2, 16), "first key": (3, 32), "second key": (4, 32)}


def avalanche(which: int, bits: int, samples: int, key: int) -> np.ndarray:
    counts = np.zeros((bits, 128), np.int64)
    for bit in range(bits):
        flip_counts(which, bit, samples, key, counts[bit])
    return counts


@pytest.mark.parametrize("name", ARGUMENTS)
def test_one_bit_of_the_counter_or_the_key_changes_every_word_by_half(name):
    which, bits = ARGUMENTS[name]
    samples = 2000
    counts = avalanche(which, bits, samples, key=20)
    # Each count is binomial. Odds of 10⁻⁵ for the worst cell (Bonferroni), and for the sum of squares of them all.
    worst = np.max(np.abs(counts - samples / 2))
    assert 2 * binom.sf(samples / 2 + worst - 1, samples, 0.5) * counts.size > 1e-5
    squares = np.sum((counts - samples / 2) ** 2) / (samples / 4)
    assert 1e-5 < chi2.sf(squares, counts.size) < 1 - 1e-5
