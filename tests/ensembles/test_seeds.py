"""Keys of random numbers: no two pairs of seed and experiment share one."""

from itertools import combinations

import pytest

from fpsolver.ensembles.seeds import key_of


def test_small_seeds_have_the_keys_that_they_always_had():
    assert [int(word) for word in key_of(7, 1)] == [369571992, 1544939151]


@pytest.mark.parametrize("exponent", [32, 64, 96, 200])
def test_large_seeds_and_experiments_are_no_others(exponent):
    """NumPy writes the words of several entropies one after the other: (2³² + 5, 0) would be (5, 1)."""
    high = 1 << exponent
    pairs = [(5, 0), (5, 1), (high + 5, 0), (high + 5, 1), (5, high), (5, high + 1), (high, 5), (2 * high + 5, 0)]
    for one, other in combinations(pairs, 2):
        assert key_of(*one) != key_of(*other), (one, other)
