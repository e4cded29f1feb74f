"""Elementary functions: errors against 200-bit arithmetic, special values, and whole ranges."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numba import njit

from fpsolver.kernels import elementary
from fpsolver.kernels.error_function import erf
from fpsolver.kernels.power import power

RANDOM = np.random.default_rng(11)
HUGE, TINY = np.finfo(float).max, 5e-324


def spread(*scales):
    return np.concatenate([RANDOM.normal(size=300) * scale for scale in scales])


def uniform(low, high):
    return RANDOM.uniform(low, high, 300)


ANGLES = np.concatenate([
    spread(1e-9, 1.0, 30.0), uniform(-elementary.MAX_ANGLE, elementary.MAX_ANGLE),
    RANDOM.integers(-600_000, 600_000, 300) * (np.pi / 2), np.arange(-8, 9) * (np.pi / 4),
])  # fmt: skip

# Function, arguments, exact function, largest error in units in the last place. The bounds are what rounding of the
# last operations allows: half a unit each for the last sum, the polynomial and the reduction of the argument, another
# for a quotient and for each function that enters.
CASES = {
    "exp": (elementary.exp, np.concatenate([uniform(-745.2, 709.78), spread(1.0, 1e-9)]), mpmath.exp, 1.5),
    "expm1": (elementary.expm1, np.concatenate([uniform(-60, 700), spread(1.0, 1e-9)]), mpmath.expm1, 2.5),
    "log": (
        elementary.log,
        np.concatenate([np.exp(uniform(-708, 709)), 1 + spread(1e-9, 0.1), uniform(1, 1e6) * TINY]),
        mpmath.log, 1.5,
    ),
    "sin": (elementary.sin, ANGLES, mpmath.sin, 2.0),
    "cos": (elementary.cos, ANGLES, mpmath.cos, 2.0),
    "tan": (elementary.tan, ANGLES, mpmath.tan, 3.5),
    "sinh": (elementary.sinh, np.concatenate([uniform(-710.4, 710.4), uniform(15, 25), spread(1e-9, 1, 5)]),
             mpmath.sinh, 3.0),
    "cosh": (elementary.cosh, np.concatenate([uniform(-710.4, 710.4), spread(1, 5)]), mpmath.cosh, 2.0),
    "tanh": (elementary.tanh, spread(1e-9, 0.3, 1, 10), mpmath.tanh, 3.5),
    "erf": (erf, np.concatenate([spread(1e-9, 0.5, 2), uniform(0.9, 1.1), uniform(5, 7)]), mpmath.erf, 2.0),
    "logistic": (
        elementary.logistic, np.concatenate([uniform(-745, 40), spread(1e-9, 3)]), lambda x: 1 / (1 + mpmath.exp(-x)),
        2.5,
    ),
    "softplus": (
        elementary.softplus, np.concatenate([uniform(-745, 40), spread(1e-9, 3)]),
        lambda x: mpmath.log1p(mpmath.exp(x)), 2.5,
    ),
}  # fmt: skip


@njit
def apply(function, x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = function(x[i])
    return out


@njit
def apply_power(a, b):
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = power(a[i], b[i])
    return out


def worst_error(values, arguments, exact):
    """Return the largest error in units in the last place (of subnormal results: in the smallest double)."""
    worst = 0.0
    with mpmath.workprec(1300):  # 1 + exp(−745) needs that many bits
        for value, argument in zip(values.tolist(), arguments, strict=True):
            reference = exact(*map(mpmath.mpf, argument))
            assert math.isfinite(value)
            unit = np.spacing(max(abs(float(reference)), 2.3e-308))
            worst = max(worst, float(abs(mpmath.mpf(value) - reference) / mpmath.mpf(float(unit))))
    return worst


@pytest.mark.parametrize("name", CASES)
def test_errors_are_a_few_units_in_the_last_place(name):
    function, x, exact, bound = CASES[name]
    assert worst_error(apply(function, x), x[:, np.newaxis].tolist(), exact) <= bound


def test_powers_are_as_good_where_the_exponent_magnifies_the_logarithm():
    logarithms = np.concatenate([spread(1.0, 100.0), spread(1e-6)])
    y = np.concatenate([spread(3.0, 3.0), spread(1e8)])
    x = np.exp(logarithms)
    inside = np.abs(logarithms * y) < 700
    x, y = x[inside], y[inside]
    assert worst_error(apply_power(x, y), np.column_stack([x, y]).tolist(), mpmath.power) <= 1.5


def test_special_values_are_those_of_the_library():
    special = np.array([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, HUGE, -HUGE, TINY, np.inf, -np.inf, np.nan])
    references = {
        "exp": np.exp, "log": np.log, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "sign": np.sign,
        "softplus": lambda x: np.logaddexp(0, x), "logistic": lambda x: 1 / (1 + np.exp(-x)),
    }  # fmt: skip
    with np.errstate(all="ignore"):
        for name, reference in references.items():
            np.testing.assert_allclose(apply(getattr(elementary, name), special), reference(special), rtol=1e-15)
        a, b = (axis.ravel() for axis in np.meshgrid(special, special))
        np.testing.assert_allclose(apply_power(a, b), np.power(a, b), rtol=1e-15)
        for function in (elementary.sin, elementary.cos, elementary.tan):
            assert np.isnan(apply(function, np.array([np.nan])))


def test_maximum_and_minimum_keep_nan():
    for a, b in ((1.0, 2.0), (2.0, 1.0), (np.nan, 1.0), (1.0, np.nan), (-np.inf, np.inf)):
        np.testing.assert_array_equal(elementary.maximum(a, b), np.maximum(a, b))
        np.testing.assert_array_equal(elementary.minimum(a, b), np.minimum(a, b))


def test_odd_functions_keep_the_sign_of_zero():
    for function in (elementary.sinh, elementary.tanh, erf):
        assert np.signbit(apply(function, np.array([-0.0])))[0]


def test_exponentials_overflow_and_underflow_where_they_should():
    limits = np.array([709.7827128933840, 709.7827128933841, -745.1332191019411, -745.1332191019412, -1e300, 1e300])
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(apply(elementary.exp, limits) == 0, np.exp(limits) == 0)
        np.testing.assert_array_equal(np.isinf(apply(elementary.exp, limits)), np.isinf(np.exp(limits)))
