"""General powers of doubles, without branches or calls, so that loops around them are vectorised.

x^y = exp(y log x) needs ten bits of the logarithm more than a double has, since y log x is up to 745: it is held as the
sum of two doubles. The functions that split numbers exclude contraction, which would spoil their remainders.

References
----------
T. J. Dekker, Numer. Math. 18, 224 (1971).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from fpsolver.kernels.elementary import bits_of, double_of, reduced_exponential, scaled
from fpsolver.kernels.options import FORMULA

_EXACT: Any = {"cache": True, "forceinline": True, "error_model": "numpy"}

_UPPER = np.uint64(0xFFFFFFFFF8000000)  # 26 significant bits
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_SQRT_HALF = np.uint64(0x3FE6A09E667F3BCD)
_ONE = np.uint64(0x3FF0000000000000)
_TWO_52 = np.uint64(0x4330000000000000)
_52 = np.uint64(52)
_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10


@njit(**_EXACT)
def product(a: Any, b: Any) -> Any:
    """Return ab rounded, and what rounding left."""
    ah, bh = double_of(bits_of(a) & _UPPER), double_of(bits_of(b) & _UPPER)
    al, bl = a - ah, b - bh
    p = a * b
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@njit(**_EXACT)
def ordered_sum(a: Any, b: Any) -> Any:
    """Return a + b rounded, and what rounding left, for |a| ≥ |b| or a = 0."""
    total = a + b
    return total, (a - total) + b


@njit(**_EXACT)
def long_logarithm(m: Any, e: Any) -> Any:
    """Return log(m 2^e) as the sum of two doubles, for √½ ≤ m ≤ √2; their relative error is about 2^−63."""
    f = m - 1.0
    d, rest = ordered_sum(2.0, f)
    s = f / d
    p, low = product(s, d)
    s_low = ((f - p) - low - s * rest) / d
    z, z_low = product(s, s)
    z_low += 2.0 * s * s_low
    c, c_low = product(s, z)
    c_low += s * z_low + s_low * z
    t, t_low = product(c, 0.6666666666666666)  # log m = 2s + 2s³/3 + s⁵ q(s²)
    t_low += c * 3.700743415417188e-17 + c_low * 0.6666666666666666
    q = 0.11706004128016817 + z * 0.11725604536475413
    q = 0.13334813373687013 + z * q
    q = 0.15384594802772 + z * q
    q = 0.18181818336889324 + z * q
    q = 0.22222222221649277 + z * q
    q = 0.28571428571429375 + z * q
    q = 0.4 + z * q
    total, first = ordered_sum(e * _LN2_HIGH, 2.0 * s)
    total, second = ordered_sum(total, t)
    rest = first + (second + (2.0 * s_low + (t_low + (c * z * q + e * _LN2_LOW))))
    return ordered_sum(total, rest)


@njit(**FORMULA)
def _positive_power(a: Any, b: Any) -> Any:
    """Return a^b for positive finite a."""
    small = a < 2.2250738585072014e-308
    shifted = bits_of(a * 18014398509481984.0 if small else a) + (_ONE - _SQRT_HALF)
    e = double_of((shifted >> _52) | _TWO_52) - 4503599627370496.0 - (1077.0 if small else 1023.0)
    high, low = long_logarithm(double_of((shifted & _MANTISSA) + _SQRT_HALF), e)
    x, rest = product(b, high)
    rest += b * low
    outside = abs(x) > 800.0
    x = (800.0 if x > 0.0 else -800.0) if outside else x
    rest = 0.0 if outside else rest
    k, p = reduced_exponential(x)
    return scaled(1.0 + (p + (rest + p * rest)), k)


@njit(**FORMULA)
def power(a: Any, b: Any) -> Any:
    """Return a^b: real for negative a where b is an integer, NaN where it is not; zeros count as positive."""
    base, exponent = np.float64(a), np.float64(b)
    size = abs(base)
    regular = (size > 0.0) & (size < np.inf)
    value = _positive_power(size if regular else 1.0, exponent)
    grows = (size > 1.0) == (exponent > 0.0)
    value = value if regular else (np.inf if grows else 0.0)
    value = 1.0 if size == 1.0 else value
    half = 0.5 * exponent
    odd = (np.floor(exponent) == exponent) & (np.floor(half) != half)
    value = -value if (base < 0.0) & odd else value
    value = np.nan if (base < 0.0) & (size < np.inf) & (np.floor(exponent) != exponent) else value
    value = np.nan if (base != base) | (exponent != exponent) else value
    return 1.0 if (exponent == 0.0) | (base == 1.0) else value
