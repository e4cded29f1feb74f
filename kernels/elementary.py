"""Elementary functions of one double that compilers can inline and vectorise.

A call of the C library inside a loop over trajectories stops vectorisation. The formulas here have no branches and no
calls: both sides of a choice are computed and one is selected. They are right for all doubles (overflow to infinity,
underflow to zero, NaN in, NaN out) with errors of 1 to 3 units in the last place; only `sin`, `cos` and `tan` need
|x| ≤ `MAX_ANGLE`, beyond which their caller must take the C library's.

Single precision arguments are taken and a double is returned. The polynomials are Chebyshev interpolants of the
remainders that the comments name; the decompositions are those of the C libraries.

References
----------
J.-M. Muller, Elementary Functions: Algorithms and Implementation, 3rd ed., Birkhäuser 2016, chapters 3 and 11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from fpsolver.kernels.options import FORMULA

MAX_ANGLE = 1048576.0
"""Largest |x| of `sin`, `cos` and `tan`: up to here multiples of the leading bits of π/2 are exact."""

# Added to |v| < 2^51 this leaves round(v) in the low bits of the sum.
_ROUND = 6755399441055744.0  # 1.5·2^52
_SIGN = np.uint64(0x8000000000000000)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_BIAS = np.uint64(1023)
_52 = np.uint64(52)
_62 = np.uint64(62)
_1 = np.uint64(1)
_2 = np.uint64(2)
_SQRT_HALF = np.uint64(0x3FE6A09E667F3BCD)
_ONE = np.uint64(0x3FF0000000000000)
_TWO_52 = np.uint64(0x4330000000000000)

_LN2_HIGH = 0.6931471803691238  # 32 bits, so that multiples below 2^21 are exact
_LN2_LOW = 1.9082149292705877e-10
_HALF_PI_1 = 1.5707963267341256  # 33 bits
_HALF_PI_2 = 6.077100506303966e-11  # 33 more
_HALF_PI_3 = 2.0222662487959506e-21


@njit(**FORMULA)
def bits_of(x: Any) -> Any:
    """Return the 64 bits of a double."""
    return np.float64(x).view(np.uint64)


@njit(**FORMULA)
def double_of(bits: Any) -> Any:
    """Return the double of 64 bits."""
    return np.uint64(bits).view(np.float64)


@njit(**FORMULA)
def two_to(k: Any) -> Any:
    """Return 2^k for k + 1.5·2^52, with k from −1022 to 1023 (1024 gives infinity)."""
    return double_of((bits_of(k) + _BIAS) << _52)


@njit(**FORMULA)
def reduced_exponential(x: Any) -> Any:
    """Return (k, p) with exp(x) = 2^k (1 + p) and |p| < 0.42, for |x| < 10⁶."""
    k = (x * 1.4426950408889634 + _ROUND) - _ROUND
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    q = 2.7620201591031547e-07 + r * 2.5100472505694996e-08  # (exp(r) − 1 − r)/r²
    q = 2.7557268276905696e-06 + r * q
    q = 2.4801521057868204e-05 + r * q
    q = 0.00019841269863171557 + r * q
    q = 0.0013888888917367081 + r * q
    q = 0.008333333333330039 + r * q
    q = 0.041666666666623824 + r * q
    q = 0.16666666666666669 + r * q
    q = 0.5000000000000001 + r * q
    return k, r + r * r * q


@njit(**FORMULA)
def scaled(x: Any, k: Any) -> Any:
    """Return x 2^k for whole k with |k| ≤ 2000, rounded once."""
    half = k * 0.5 + _ROUND  # in two factors, since 2^k may lie outside the range of doubles where the result does not
    return x * two_to(half) * two_to((k - (half - _ROUND)) + _ROUND)


@njit(**FORMULA)
def exp(x: Any) -> Any:
    """Return e^x."""
    y: Any = np.float64(x)
    y = 710.0 if y > 710.0 else y
    y = -746.0 if y < -746.0 else y
    k, p = reduced_exponential(y)
    return scaled(1.0 + p, k)


@njit(**FORMULA)
def expm1(x: Any) -> Any:
    """Return e^x − 1, for x ≤ 700."""
    y: Any = np.float64(x)
    y = -50.0 if y < -50.0 else y
    k, p = reduced_exponential(y)
    scale = two_to(k + _ROUND)
    return scale * p + (scale - 1.0)


@njit(**FORMULA)
def log_of_product(f: Any, e: Any) -> Any:
    """Return log((1 + f) 2^e) for √½ ≤ 1 + f ≤ √2."""
    s = f / (2.0 + f)
    z = s * s
    r = 0.1533150161114533 + z * 0.1461916613488797  # (log((1 + s)/(1 − s)) − 2s)/s³
    r = 0.18182895750119193 + z * r
    r = 0.22222211043776857 + z * r
    r = 0.2857142862653362 + z * r
    r = 0.3999999999989827 + z * r
    r = 0.666666666666667 + z * r
    square = 0.5 * f * f
    return e * _LN2_HIGH - ((square - (s * (square + z * r) + e * _LN2_LOW)) - f)


@njit(**FORMULA)
def log(x: Any) -> Any:
    """Return the natural logarithm: −∞ at zero, NaN below."""
    y = np.float64(x)
    small = y < 2.2250738585072014e-308
    scaled = y * 18014398509481984.0 if small else y
    shifted = bits_of(scaled) + (_ONE - _SQRT_HALF)
    biased = double_of((shifted >> _52) | _TWO_52) - 4503599627370496.0
    e = biased - (1077.0 if small else 1023.0)
    m = double_of((shifted & _MANTISSA) + _SQRT_HALF)
    result = log_of_product(m - 1.0, e)
    result = y if y == np.inf else result
    result = -np.inf if y == 0.0 else result
    return result if y >= 0.0 else np.nan


@njit(**FORMULA)
def log1p_of_fraction(t: Any) -> Any:
    """Return log(1 + t) for 0 ≤ t ≤ 1."""
    large = t > 0.41421356
    return log_of_product(0.5 * (t - 1.0) if large else t, 1.0 if large else 0.0)


@njit(**FORMULA)
def _sine_and_cosine(x: Any) -> Any:
    """Return sine and cosine of x − kπ/2, and k's low bits in a word."""
    y = np.float64(x)
    shifted = y * 0.6366197723675814 + _ROUND
    k = shifted - _ROUND
    r = y - k * _HALF_PI_1
    a = r - k * _HALF_PI_2
    r = a - (k * _HALF_PI_3 - ((r - a) - k * _HALF_PI_2))
    z = r * r
    s = -2.5051127944014188e-08 + z * 1.5917848524808262e-10  # (sin(r) − r)/r³
    s = 2.755731608381636e-06 + z * s
    s = -0.00019841269836722418 + z * s
    s = 0.008333333333330925 + z * s
    s = -0.16666666666666666 + z * s
    c = 2.0876143827993133e-09 + z * -1.1382456778061306e-11  # (cos(r) − 1 + r²/2)/r⁴
    c = -2.7557317260008837e-07 + z * c
    c = 2.480158729874307e-05 + z * c
    c = -0.0013888888888887382 + z * c
    c = 0.041666666666666664 + z * c
    half = 0.5 * z
    w = 1.0 - half
    return r + r * z * s, w + (((1.0 - w) - half) + z * z * c), bits_of(shifted)


@njit(**FORMULA)
def sin(x: Any) -> Any:
    """Return sin x, for |x| ≤ `MAX_ANGLE`."""
    s, c, k = _sine_and_cosine(x)
    value = s if (k & _1) == np.uint64(0) else c
    return double_of(bits_of(value) ^ ((k & _2) << _62))


@njit(**FORMULA)
def cos(x: Any) -> Any:
    """Return cos x, for |x| ≤ `MAX_ANGLE`."""
    s, c, k = _sine_and_cosine(x)
    value = c if (k & _1) == np.uint64(0) else s
    return double_of(bits_of(value) ^ (((k + _1) & _2) << _62))


@njit(**FORMULA)
def tan(x: Any) -> Any:
    """Return tan x, for |x| ≤ `MAX_ANGLE`."""
    s, c, k = _sine_and_cosine(x)
    even = (k & _1) == np.uint64(0)
    return (s if even else -c) / (c if even else s)


@njit(**FORMULA)
def sinh(x: Any) -> Any:
    """Return sinh x."""
    y = np.float64(x)
    size: Any = abs(y)
    size = 711.0 if size > 711.0 else size
    k, p = reduced_exponential(size)
    near = k if k < 30.0 else 30.0
    scale = two_to(near + _ROUND)
    rest = scale * p + (scale - 1.0)  # exp|x| − 1
    value = 0.5 * (rest + rest / (rest + 1.0))
    value = (1.0 + p) * two_to(k - 2.0 + _ROUND) * 2.0 if size > 20.0 else value
    return double_of(bits_of(value) | (bits_of(y) & _SIGN))


@njit(**FORMULA)
def cosh(x: Any) -> Any:
    """Return cosh x."""
    size: Any = abs(np.float64(x))
    size = 711.0 if size > 711.0 else size
    k, p = reduced_exponential(size)
    quarter = (1.0 + p) * two_to(k - 2.0 + _ROUND)
    return quarter * 2.0 + 0.125 / quarter


@njit(**FORMULA)
def tanh(x: Any) -> Any:
    """Return tanh x."""
    y = np.float64(x)
    rest = expm1(-2.0 * abs(y))
    value = -rest / (2.0 + rest)
    return double_of(bits_of(value) | (bits_of(y) & _SIGN))


@njit(**FORMULA)
def logistic(x: Any) -> Any:
    """Return 1/(1 + e^(−x)), with full relative accuracy in both tails."""
    y = np.float64(x)
    t = exp(-abs(y))
    return (t if y < 0.0 else 1.0) / (1.0 + t)


@njit(**FORMULA)
def softplus(x: Any) -> Any:
    """Return log(1 + e^x) without overflow."""
    y = np.float64(x)
    return (y if y > 0.0 else 0.0) + log1p_of_fraction(exp(-abs(y)))


@njit(**FORMULA)
def sign(x: Any) -> Any:
    """Return −1, 0 or 1, NaN for NaN."""
    value = (1.0 if x > 0.0 else 0.0) - (1.0 if x < 0.0 else 0.0)
    return value if x == x else np.nan


@njit(**FORMULA)
def maximum(a: Any, b: Any) -> Any:
    """Return the larger number, NaN where either is."""
    larger = a if a >= b else b
    return a if a != a else larger


@njit(**FORMULA)
def minimum(a: Any, b: Any) -> Any:
    """Return the smaller number, NaN where either is."""
    smaller = a if a <= b else b
    return a if a != a else smaller
