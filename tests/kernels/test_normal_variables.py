"""Box–Muller formulas against mpmath, at the ends of their intervals and between, in both precisions."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy.stats import norm

from fpsolver.kernels.normal_variables import (
    LARGEST_RADIUS,
    cosine_sine,
    cosine_sine_single,
    log_positive,
    log_single,
    normal_pair,
    normal_pair_single,
)

ROUNDING, ROUNDING_SINGLE = 2.0**-53, 2.0**-24
# Radius integers n with u = (n + ½)/2⁴¹: both ends, around √½ (where the reduced interval changes), ½, ¼, at random.
RANDOM = np.random.default_rng(5)
CORNERS = [int(2**41 * c) + k for c in (2**-0.5, 0.5, 0.25, 2**-1.5) for k in (-2, -1, 0, 1)]
RADII = [0, 1, 2, 3, 1000, 2**41 - 1, 2**41 - 2, 2**41 - 1000, 2**40, *CORNERS]
RADII += [2**k for k in range(2, 41)] + [2**41 - 2**k for k in range(2, 41)]
RADII += RANDOM.integers(0, 2**41, 1000).tolist()
ANGLES = [quarter * 2**21 + k for quarter in range(4) for k in (0, 1, 2**20 - 1, 2**20, 2**20 + 1, 2**21 - 1)]
ANGLES += RANDOM.integers(0, 2**23, 1000).tolist()


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def unit(n: int) -> mpmath.mpf:
    return (mpmath.mpf(n) + 0.5) / 2**41


def turn(a: int) -> mpmath.mpf:
    return 2 * mpmath.pi * (mpmath.mpf(a) + 0.5 - 2**20) / 2**23


def words_of(n: int, a: int) -> tuple[int, int]:
    """Words w0 and w1 of a pair: w1·2³² + w0 = n·2²³ + a."""
    bits = n << 23 | a
    return bits & 0xFFFFFFFF, bits >> 32


def test_logarithm_to_eight_roundings():
    # m + 1, the quotient, its square, p, the bracket, the product, e ln 2 (which may be twice the result), the sum.
    for n in RADII:
        u = float(unit(n))
        exact = mpmath.log(u)
        assert abs(log_positive(u) - exact) <= 8 * ROUNDING * abs(exact), n


def test_logarithm_outside_the_unit_interval():
    for u in [2.0**-1022, 1e-300, 1.0, 1.5, math.sqrt(2), 1e10, 1e300]:
        exact = mpmath.log(u)
        assert abs(log_positive(u) - exact) <= 8 * ROUNDING * abs(exact), u


def test_single_logarithm_to_eight_roundings():
    # The two arguments themselves are rounded (relative error: one rounding each, of 1 − u where that is small).
    for n in RADII:
        u, complement = np.float32(float(unit(n))), np.float32(float(1 - unit(n)))
        exact = mpmath.log(unit(n))
        # A rounding of u moves ln u by as much; below u = √½, |ln u| > 0.34, so that this is three roundings at most.
        assert abs(float(log_single(u, complement)) - exact) <= (8 + 3) * ROUNDING_SINGLE * abs(exact), n


@pytest.mark.parametrize(
    ("function", "word", "rounding"),
    [(cosine_sine, np.uint64, ROUNDING), (cosine_sine_single, np.uint32, ROUNDING_SINGLE)],
    ids=["double", "single"],
)
def test_cosine_and_sine_to_four_roundings(function, word, rounding):
    for a in ANGLES:
        cosine, sine = (float(value) for value in function(word(a)))
        # f, its square times the polynomial, the product with f, the sum: relative to the function, which may be small.
        assert abs(cosine - mpmath.cos(turn(a))) <= 4 * rounding * abs(mpmath.cos(turn(a))), a
        assert abs(sine - mpmath.sin(turn(a))) <= 4 * rounding * abs(mpmath.sin(turn(a))), a


@pytest.mark.parametrize(
    ("function", "word", "rounding"),
    [
        (normal_pair, np.uint64, ROUNDING),
        (normal_pair.py_func, np.uint64, ROUNDING),
        (normal_pair_single, np.uint32, ROUNDING_SINGLE),
        (normal_pair_single.py_func, np.uint32, ROUNDING_SINGLE),
    ],
    ids=["double", "double-plain", "single", "single-plain"],
)
def test_pair_is_box_muller(function, word, rounding):
    for n, a in zip(RADII, ANGLES * 2, strict=False):
        r = mpmath.sqrt(-2 * mpmath.log(unit(n)))
        pair = function(*map(word, words_of(n, a)))
        for value, exact in zip(pair, (r * mpmath.cos(turn(a)), r * mpmath.sin(turn(a))), strict=True):
            # Half of the logarithm's error, root, angle, product.
            assert abs(float(value) - exact) <= (11 / 2 + 1 + 4 + 1) * rounding * abs(exact), (n, a)


def test_largest_radius_and_the_steps_of_the_tail():
    top = math.hypot(*(float(x) for x in normal_pair(np.uint64(0), np.uint64(0))))
    assert top == pytest.approx(LARGEST_RADIUS, rel=1e-15)
    assert LARGEST_RADIUS > 7.6
    # The share of radii beyond ρ is e^{−ρ²/2} rounded to a multiple of 2⁻⁴¹.
    for n in range(20):
        here, there = (float(mpmath.sqrt(-2 * mpmath.log(unit(k)))) for k in (n, n + 1))
        for rho in np.linspace(there, here, 7)[1:-1]:
            assert abs((n + 1) - 2**41 * math.exp(-(rho**2) / 2)) <= 0.5 + 1e-9


def test_tail_probability_of_one_member():
    # P(|x| > c) of the pair's grid of radii and angles against the normal's: r > c, and |cos φ| > c/r.
    for c in (5.0, 6.0, 6.5, 7.0):
        count = int(2**41 * math.exp(-(c**2) / 2) + 0.5)
        n = np.unique(np.geomspace(1, count, 4000).astype(np.int64)) - 1 if count > 4000 else np.arange(count)
        share = np.arccos(np.minimum(c / np.sqrt(-2 * np.log((n + 0.5) / 2**41)), 1)) * 2 / np.pi
        width = np.diff(np.append(n, count))
        total = np.sum(width * share) / 2**41 if count <= 4000 else np.trapezoid(share, n) / 2**41
        # The sum over whole n is the midpoint rule for the integral over u; its error falls as the number of terms.
        assert total == pytest.approx(2 * norm.sf(c), rel=max(3 / count, 1e-3))


@pytest.mark.parametrize("a", [0, 2**20, 2**21 + 5, 3 * 2**21 + 17])
def test_single_precision_keeps_small_radii_apart(a):
    values = [normal_pair_single(*map(np.uint32, words_of(2**41 - 1 - k, a)))[0] for k in range(50)]
    assert len({abs(float(value)) for value in values}) == 50
    assert min(abs(float(value)) for value in values) > 0
