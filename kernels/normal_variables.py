"""Normal variables from random words: Box–Muller with polynomial logarithm, sine and cosine.

A pair of normals takes 64 random bits: 41 go to the radius √(−2 ln u), u = (n + ½)/2⁴¹, which so reaches 7.63, and 23
to the angle, (a + ½)/2²³ of a turn. The library's logarithm and sine would be called lane by lane; these formulas are
additions, multiplications, one division and one square root, without a branch, and become packed instructions. The
coefficients are minimax (Remez) fits in the relative error of the function, on the reduced intervals stated.

Two precisions: single precision works on 32-bit words throughout, so that twice as many lanes go into a register.

References
----------
G. E. P. Box and M. E. Muller, Ann. Math. Statist. 29, 610 (1958), eq. (1).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.options import FORMULA

RADIUS_BITS, ANGLE_BITS = 41, 23
"""How the 64 bits of a pair are shared."""
LARGEST_RADIUS = math.sqrt(2 * (RADIUS_BITS + 1) * math.log(2))
"""The largest distance of a pair from the origin, 7.63; one pair in 2⁴¹ has it."""

LN_2 = math.log(2.0)
QUARTER_TURN = math.pi / 2

# Bits of double precision. Integers are put into the mantissa of a number in [1, 2) or [2⁵², 2⁵³) and the leading one
# is subtracted: conversion of 64-bit integers is packed on AVX-512 only.
ONE = np.uint64(0x3FF0000000000000)
ROOT_HALF = np.uint64(0x3FE6A09E667F3BCD)
TO_ROOT_HALF = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
SHIFT_52 = np.uint64(52)
WHOLE = np.uint64(0x4330000000000000)
WHOLE_AND_BIAS = 2.0**52 + 1023.0
SHIFT_12, SHIFT_20 = np.uint64(12), np.uint64(20)
RADIUS_FIELD = np.uint64(0x000FFFFFFFFFF800)
RADIUS_CENTRE = np.uint64(0x3FF0000000000400)
EIGHTH_FIELD = np.uint64(2**21 - 1)
SHIFT_31 = np.uint64(31)
EIGHTH_CENTRE = np.uint64(0x3FF0000040000000)
SWAP_BIT, SINE_BIT = np.uint64(1 << 21), np.uint64(1 << 22)
BIT, TO_SIGN = np.uint64(1), np.uint64(41)
SIGN_BIT = np.uint64(1 << 63)
ZERO = np.uint64(0)

# The same in single precision.
ROOT_HALF_32 = np.uint32(0x3F3504F3)
TO_ROOT_HALF_32 = np.uint32(0x3F800000 - 0x3F3504F3)
MANTISSA_32 = np.uint32(0x007FFFFF)
SHIFT_23 = np.uint32(23)
BIAS = np.int32(127)
LOW_BITS = np.uint32(511)
EIGHTH_FIELD_32 = np.uint32(2**21 - 1)
SWAP_BIT_32, SINE_BIT_32 = np.uint32(1 << 21), np.uint32(1 << 22)
BIT_32, TO_SIGN_32 = np.uint32(1), np.uint32(9)
SIGN_BIT_32 = np.uint32(1 << 31)
ZERO_32 = np.uint32(0)
F = np.float32
HALF_S, ONE_S, TWO_S = F(0.5), F(1), F(2)
LN_2_S = F(math.log(2.0))
SCALE_32, SCALE_41 = F(2.0**-32), F(2.0**-41)
MIDDLE_S = F(2.0**20 - 0.5)
TURN_S = F(2.0**-23 * 2 * math.pi)
L1, L2, L3, L4 = F(0.6666666564588865), F(0.40000335112889596), F(0.2853731266449778), F(0.2358208419493743)
S1, S2, S3 = F(-0.1666665494947669), F(0.00833217841666642), F(-0.00019517328288622815)
C1, C2, C3 = F(0.04166664689093642), F(-0.001388736851715367), F(2.443855076963152e-05)


@njit(**FORMULA)
def log_positive(u):
    """Return ln u for a positive, normal, double-precision u.

    With u = 2ᵉ m, √½ ≤ m < √2 and s = (m − 1)/(m + 1): ln u = e ln 2 + s (2 + s² p(s²)), where p is a fit of
    (2 artanh s − 2s)/s³ with a relative error of 2⁻⁵⁹ in the logarithm.
    """
    shifted = np.float64(u).view(np.uint64) + TO_ROOT_HALF
    exponent = np.uint64((shifted >> SHIFT_52) | WHOLE).view(np.float64) - WHOLE_AND_BIAS
    m = np.uint64((shifted & MANTISSA) + ROOT_HALF).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.1479587054654675
    p = p * z + 0.1531405906228328
    p = p * z + 0.18183563964030133
    p = p * z + 0.22222198580897778
    p = p * z + 0.28571428742302246
    p = p * z + 0.3999999999941513
    p = p * z + 0.6666666666666734
    return exponent * LN_2 + s * (2.0 + z * p)


@njit(**FORMULA)
def cosine_sine(angle):
    """Return (cos φ, sin φ) for φ = 2π (a + ½ − 2²⁰)/2²³, where a is the lowest 23 bits of `angle`, in uint64.

    The two upper bits of a choose the quarter q of a turn and the others f, |f| < π/4, with φ = q π/2 + f. The fits of
    (sin f − f)/f³ and (cos f − 1 + f²/2)/f⁴ have relative errors of 2⁻⁵⁸ and 2⁻⁶⁴ in sine and cosine.
    """
    angle = np.uint64(angle)
    f = (np.uint64(((angle & EIGHTH_FIELD) << SHIFT_31) | EIGHTH_CENTRE).view(np.float64) - 1.5) * QUARTER_TURN
    z = f * f
    p = 1.5896847456329188e-10
    p = p * z + -2.505075902975958e-08
    p = p * z + 2.7557313697970685e-06
    p = p * z + -0.00019841269829826255
    p = p * z + 0.00833333333332244
    p = p * z + -0.16666666666666632
    sine = f + f * (z * p)
    p = -1.135976590470692e-11
    p = p * z + 2.087572570821997e-09
    p = p * z + -2.7557314371702275e-07
    p = p * z + 2.4801587289555937e-05
    p = p * z + -0.0013888888888874257
    p = p * z + 0.0416666666666666
    cosine = 1.0 + z * (z * p - 0.5)
    # Quarters 0 … 3 are (c, s), (−s, c), (−c, −s), (s, −c): x changes sign in 1 and 2, y in 2 and 3.
    swap = (angle & SWAP_BIT) != ZERO
    x = np.float64(sine if swap else cosine).view(np.uint64) ^ (((angle ^ (angle << BIT)) << TO_SIGN) & SIGN_BIT)
    y = np.float64(cosine if swap else sine).view(np.uint64) ^ ((angle << TO_SIGN) & SIGN_BIT)
    return np.uint64(x).view(np.float64), np.uint64(y).view(np.float64)


@njit(**FORMULA)
def normal_pair(w0, w1):
    """Return two independent normals from two random words, in uint64: r cos φ and r sin φ.

    With the 64 bits w1·2³² + w0, the upper 41 are n of the radius and the lower 23 are a of the angle.
    """
    w0, w1 = np.uint64(w0), np.uint64(w1)
    u = np.uint64((((w1 << SHIFT_20) | (w0 >> SHIFT_12)) & RADIUS_FIELD) | RADIUS_CENTRE).view(np.float64) - 1.0
    r = math.sqrt(-2.0 * log_positive(u))
    x, y = cosine_sine(w0)
    return r * x, r * y


@njit(**FORMULA)
def log_single(u, complement):
    """Return ln u in single precision for 0 < u ≤ 1, where `complement` is 1 − u, known better than u tells.

    As `log_positive`, with a fit of relative error 2⁻³⁷; m − 1 = u − 1 near one comes from the complement, so that the
    relative error of the logarithm stays small where u itself is rounded to one.
    """
    bits = np.float32(u).view(np.uint32)
    shifted = np.uint32(bits + TO_ROOT_HALF_32)
    exponent = np.float32(np.int32(np.int32(shifted >> SHIFT_23) - BIAS))
    m = np.uint32(np.uint32(shifted & MANTISSA_32) + ROOT_HALF_32).view(np.float32)
    s = (-np.float32(complement) if bits >= ROOT_HALF_32 else m - ONE_S) / (m + ONE_S)
    z = s * s
    p = L4
    p = p * z + L3
    p = p * z + L2
    p = p * z + L1
    return exponent * LN_2_S + s * (TWO_S + z * p)


@njit(**FORMULA)
def cosine_sine_single(angle):
    """Return (cos φ, sin φ) in single precision as `cosine_sine` does, from the same 23 bits, in uint32."""
    angle = np.uint32(angle)
    f = (np.float32(np.int32(np.uint32(angle & EIGHTH_FIELD_32))) - MIDDLE_S) * TURN_S
    z = f * f
    p = S3
    p = p * z + S2
    p = p * z + S1
    sine = f + f * (z * p)
    p = C3
    p = p * z + C2
    p = p * z + C1
    cosine = ONE_S + z * (z * p - HALF_S)
    swap = np.uint32(angle & SWAP_BIT_32) != ZERO_32
    turn = np.uint32(np.uint32(angle ^ np.uint32(angle << BIT_32)) << TO_SIGN_32)
    x = np.float32(sine if swap else cosine).view(np.uint32) ^ np.uint32(turn & SIGN_BIT_32)
    y = np.float32(cosine if swap else sine).view(np.uint32) ^ np.uint32(np.uint32(angle << TO_SIGN_32) & SIGN_BIT_32)
    return np.uint32(x).view(np.float32), np.uint32(y).view(np.float32)


@njit(**FORMULA)
def normal_pair_single(w0, w1):
    """Return two independent normals in single precision from two random words, in uint32.

    The same 41 and 23 bits as in `normal_pair`: u and 1 − u are both formed from all of them.
    """
    w0, w1 = np.uint32(w0), np.uint32(w1)
    low = np.uint32(w0 >> SHIFT_23)
    u = np.float32(w1) * SCALE_32 + (np.float32(np.int32(low)) + HALF_S) * SCALE_41
    rest = np.float32(np.int32(np.uint32(LOW_BITS - low)))
    complement = np.float32(np.uint32(~w1)) * SCALE_32 + (rest + HALF_S) * SCALE_41
    r = np.float32(math.sqrt(-TWO_S * np.float32(log_single(u, complement))))
    x, y = cosine_sine_single(w0)
    return r * x, r * y
