"""Keys of the counter-based random numbers."""

from __future__ import annotations

import numpy as np

from fpsolver.errors import InputError


def key_of(seed: int, experiment: int = 0) -> tuple[np.uint64, np.uint64]:
    """Return the two key words (of 32 bits each) that a seed and the number of an experiment stand for.

    Both are hashed, so that neighbouring seeds have unrelated keys.

    Parameters
    ----------
    seed, experiment : int
        Not negative, of any size.

    Raises
    ------
    InputError
        If one is negative or not an integer.

    Examples
    --------
    >>> key_of(7) == key_of(7), key_of(7) == key_of(7, experiment=1)
    (True, False)
    """
    for name, value in (("seed", seed), ("experiment", experiment)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InputError(f"{name} = {value!r} must be an integer that is not negative")
    first, second = np.random.SeedSequence(_words(int(seed), int(experiment))).generate_state(2, np.uint32)
    return np.uint64(first), np.uint64(second)


def _words(seed: int, experiment: int) -> list[int]:
    """Return words that no other pair has; NumPy would join those of both, so that (2³² + 5, 0) would be (5, 1)."""
    low, high = zip(*((number & 0xFFFFFFFF, number >> 32) for number in (seed, experiment)), strict=True)
    if not any(high):
        return list(low)
    words = [(high[0] >> shift) & 0xFFFFFFFF for shift in range(0, high[0].bit_length(), 32)]
    return [*low, 1 + len(words), *words, high[1]]
