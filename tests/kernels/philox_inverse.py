"""Philox4x32-10 in Python's integers, forwards and backwards."""

from __future__ import annotations

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85


def forward(counter: list[int], key: list[int]) -> list[int]:
    """Philox in Python's integers, from the paper's section 3.3."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = MULTIPLIERS[0] * c[0], MULTIPLIERS[1] * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b % 2**32, (a >> 32) ^ c[3] ^ k[1], a % 2**32]
        k = [(k[j] + WEYL[j]) % 2**32 for j in (0, 1)]
    return c


def backward(words: list[int], key: list[int]) -> list[int]:
    """The counter that leads to these words under this key: every round is a bijection."""
    c = list(words)
    for r in reversed(range(10)):
        k = [(key[j] + r * WEYL[j]) % 2**32 for j in (0, 1)]
        c0 = c[3] * pow(MULTIPLIERS[0], -1, 2**32) % 2**32
        c2 = c[1] * pow(MULTIPLIERS[1], -1, 2**32) % 2**32
        c = [c0, c[0] ^ (MULTIPLIERS[1] * c2 >> 32) ^ k[0], c2, c[2] ^ (MULTIPLIERS[0] * c0 >> 32) ^ k[1]]
    return c


def place_of(words: list[int], key: list[int]) -> tuple[int, int, int]:
    """Trajectory, draw block and purpose that draw these words."""
    c = backward(words, key)
    return c[0] | (c[1] & 0xFFFF) << 32, c[2] | c[3] << 32, c[1] >> 16
