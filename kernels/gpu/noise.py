"""Random variables for one trajectory: where `fpsolver.kernels.cpu.noise` chooses a loop by the precision of an array.

The bits are the same. Everything else is translated from there.
"""

from __future__ import annotations

import numpy as np

from fpsolver.kernels.normal_variables import normal_pair, normal_pair_single
from fpsolver.kernels.philox import draw
from fpsolver.kernels.weak_variables import sign, sign_single


def normals(z, ids, block, purpose, k0, k1):
    """Fill z with the four normals of a draw block."""
    a, b, c, d = draw(ids[0], block, purpose, k0, k1)
    z[0], z[1] = normal_pair(a, b)
    z[2], z[3] = normal_pair(c, d)


def normals_single(z, ids, block, purpose, k0, k1):
    """Fill z with the four normals of a draw block in single precision."""
    a, b, c, d = draw(ids[0], block, purpose, k0, k1)
    z[0], z[1] = normal_pair_single(a, b)
    z[2], z[3] = normal_pair_single(c, d)


def expand(row, words, bit):
    """Write the sign of a bit to the row."""
    row[0] = sign(words[0], bit)


def expand_single(row, words, bit):
    """Write the sign of a bit to the row in single precision."""
    row[0] = sign_single(words[0], bit)


def sign_of(word, bit, like):
    """Return −1 or 1 as a bit of a word of signs is set or not."""
    return sign(word, bit)


def sign_of_single(word, bit, like):
    """Return −1 or 1 in single precision as a bit of a word of signs is set or not."""
    return sign_single(word, bit)


CHOICES = {
    np.dtype(np.float64): {"_normals": normals, "_expand": expand, "sign_of": sign_of},
    np.dtype(np.float32): {"_normals": normals_single, "_expand": expand_single, "sign_of": sign_of_single},
}
"""What stands, for each type of number, for the functions that choose by it when they are compiled."""
