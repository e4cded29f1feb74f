"""Landscapes from Python functions: how missing derivatives are obtained, and how well."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from numba import njit

from fpsolver.errors import LandscapeError
from fpsolver.landscapes import Landscape

EXACT = Landscape("exp(x*y) + x**4*y - a*y**2 + x/(3 + y)**3", {"a": 0.5}, ("x", "y"))
POINTS = np.random.default_rng(0).uniform(-1.0, 1.0, size=(3, 4, 2))


def analytic(t, p):
    return np.exp(t[0] * t[1]) + t[0] ** 4 * t[1] - p[0] * t[1] ** 2 + t[0] * (3 + t[1]) ** -3


def with_math(t, p):
    return math.exp(t[0] * t[1]) + t[0] ** 4 * t[1] - p[0] * t[1] ** 2 + t[0] / (3 + t[1]) ** 3


def gradient(t, p):
    e = np.exp(t[0] * t[1])
    first = t[1] * e + 4 * t[0] ** 3 * t[1] + (3 + t[1]) ** -3
    return np.array([first, t[0] * e + t[0] ** 4 - 2 * p[0] * t[1] - 3 * t[0] * (3 + t[1]) ** -4])


def gradient_in_place(t, p, out):
    e = math.exp(t[0] * t[1])
    out[0] = t[1] * e + 4 * t[0] ** 3 * t[1] + 1 / (3 + t[1]) ** 3
    out[1] = t[0] * e + t[0] ** 4 - 2 * p[0] * t[1] - 3 * t[0] / (3 + t[1]) ** 4


def hessian(t, p, out):
    out[:, :] = 7.0


def with_kink(t):
    return abs(t[0]) + t[1] ** 2


@njit
def helper(u):
    return max(u, 0.0)


def with_hidden_kink(t):
    return helper(t[0])


def with_branch(t):
    if t[0] > 0:
        return t[0] ** 2
    return 0.0


def not_compilable(t):
    return float(str(t[0]))


# Complex steps are exact to rounding; fourth-order differences err by ε/h ≈ 1e-12 and, twice, ε/h² ≈ 1e-10.
@pytest.mark.parametrize(
    ("functions", "sources", "tolerances"),
    [
        ((analytic,), ("complex-step", "complex-step"), (1e-14, 1e-11)),
        ((with_math,), ("finite-difference", "finite-difference"), (1e-11, 1e-8)),
        ((analytic, gradient), ("given", "complex-step"), (1e-14, 1e-13)),
        ((with_math, gradient_in_place), ("given", "finite-difference"), (1e-14, 1e-11)),
    ],
)
def test_derivatives_and_what_repr_says_of_them(functions, sources, tolerances):
    landscape = Landscape.from_functions(*functions, variables=("x", "y"), parameters={"a": 0.5})
    assert f"gradient: {sources[0]}, hessian: {sources[1]}" in repr(landscape)
    np.testing.assert_allclose(landscape.value(POINTS), EXACT.value(POINTS), rtol=1e-14)
    np.testing.assert_allclose(landscape.gradient(POINTS), EXACT.gradient(POINTS), atol=tolerances[0] * 10, rtol=0)
    np.testing.assert_allclose(landscape.hessian(POINTS), EXACT.hessian(POINTS), atol=tolerances[1] * 10, rtol=0)
    assert landscape.hessian(POINTS).shape == (3, 4, 2, 2)
    compiled, out = landscape.compiled, np.empty(2)
    compiled.gradient(POINTS[0, 0], compiled.parameters, out)
    np.testing.assert_array_equal(out, landscape.gradient(POINTS[0, 0]))


def test_parameters_change_and_given_hessians_are_used():
    landscape = Landscape.from_functions(
        analytic, gradient, hessian, variables=("x", "y"), parameters={"a": 0.5}
    ).with_parameters(a=2.0)
    np.testing.assert_allclose(landscape.value(POINTS), EXACT.with_parameters(a=2.0).value(POINTS), rtol=1e-13)
    assert (landscape.hessian(POINTS) == 7.0).all() and "hessian: given" in repr(landscape)


@pytest.mark.parametrize("function", [with_kink, with_hidden_kink, with_branch])
def test_complex_steps_are_refused_where_functions_are_not_analytic(function):
    with pytest.raises(LandscapeError, match="complex step cannot give the gradient"):
        Landscape.from_functions(function, variables=("x", "y"), derivatives="complex-step")
    landscape = Landscape.from_functions(function, variables=("x", "y"))
    assert "gradient: finite-difference" in repr(landscape)
    assert np.isfinite(landscape.gradient([0.5, 0.5])).all()


def test_kinked_gradient_is_right_away_from_the_kink():
    landscape = Landscape.from_functions(with_kink, variables=("x", "y"))
    np.testing.assert_allclose(landscape.gradient([[-1.0, 2.0], [1.0, 2.0]]), [[-1.0, 4.0], [1.0, 4.0]], atol=1e-11)


def test_many_points_go_through_a_compiled_loop():
    landscape = Landscape.from_functions(with_kink, variables=("x", "y"), derivatives="finite-difference")
    points = np.random.default_rng(1).uniform(size=(3000, 2))
    np.testing.assert_array_equal(landscape.value(points), points[:, 0] + points[:, 1] ** 2)
    np.testing.assert_array_equal(landscape.gradient(points)[:5], landscape.gradient(points[:5]))


def test_identity_and_pickling():
    options = {"variables": ("x", "y"), "parameters": {"a": 0.5}, "derivatives": "finite-difference"}
    one, same, other = (Landscape.from_functions(f, **options) for f in (analytic, analytic, with_math))
    assert one == same != other
    restored = pickle.loads(pickle.dumps(other))
    assert restored == other and restored.value([0.1, 0.2]) == other.value([0.1, 0.2])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((with_kink,), {}, "coordinates or parameters that do not exist"),
        ((analytic,), {"variables": ("x", "y")}, r"function of \(theta\)"),
        ((with_kink,), {"variables": ("x", "y"), "derivatives": "magic"}, "must be"),
        ((with_kink,), {"variables": ()}, "at least one"),
        ((with_kink, None, with_kink), {"variables": ("x", "y")}, "a Hessian without a gradient|shape"),
        ((lambda t: t,), {}, r"shape \(\)"),
        ((3,), {}, "a Python function is needed"),
    ],
)
def test_bad_functions(arguments, options, message):
    with pytest.raises(LandscapeError, match=message):
        Landscape.from_functions(*arguments, **options)


def test_what_numba_cannot_compile_is_said():
    with pytest.raises(LandscapeError, match="Numba cannot compile value"):
        Landscape.from_functions(not_compilable).value([0.5])
