"""Quadratic landscapes are recognised from their expression, with the coefficients that their derivatives have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.landscapes.quadratic_forms import quadratic_form


@pytest.mark.parametrize(
    "landscape",
    [
        fp.landscapes.quadratic([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]]),
        fp.Landscape("(x + 1)**4 - x**4 - 4*x**3"),
        fp.Landscape("a*(x - b)**2/2 + c*x**4", {"a": 2.0, "b": 0.3, "c": 0.0}),
        fp.Landscape("(x - 2*y)**2/sqrt(a) + x*y/y + exp(a)", {"a": 2.0}, ("x", "y")),
        fp.Landscape("a*x", {"a": 2.0}),
        fp.Landscape("Piecewise((x**2, a < 1), (2*x**2, True))".replace("x**2", "1") + "*x**2", {"a": 0.5}),
        fp.landscapes.linear_regression([[1.0, 2.0], [0.3, -1.0], [2.0, 2.5]], [1.0, 2.0, 0.5], 0.2),
    ],
)
def test_forms_reproduce_their_landscapes(landscape):
    form = quadratic_form(landscape)
    assert form is not None
    theta = np.random.default_rng(0).normal(size=(20, landscape.dimension))
    value = np.einsum("ni,ij,nj->n", theta, form.hessian, theta) / 2 + theta @ form.slope + form.constant
    # A handful of roundings of summands of order one to ten.
    np.testing.assert_allclose(value, landscape.value(theta), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(form.hessian @ theta[0] + form.slope, landscape.gradient(theta[0]), rtol=1e-13)
    np.testing.assert_array_equal(form.hessian, form.hessian.T)


@pytest.mark.parametrize(
    "landscape",
    [
        fp.landscapes.double_well(),
        fp.Landscape("x**2 + 1e-300*x**3"),
        fp.Landscape("x**2 + c*x**4", {"c": 5e-324}),
        fp.Landscape("x**2 + sin(x)"),
        fp.Landscape("abs(x)"),
        fp.Landscape("1/x"),
        fp.Landscape("x**2/a", {"a": 0.0}),  # no finite coefficient
        fp.Landscape("(x + y + z + 1)**60"),
        fp.landscapes.piecewise_quadratic(),
        fp.landscapes.logistic_regression([[1.0], [2.0]], [0, 1], 1.0),
        fp.Landscape.from_functions(lambda theta: theta[0] ** 2),
        fp.Landscape.from_grid(np.arange(5.0), np.arange(5.0) ** 2),
    ],
)
def test_what_is_not_known_to_be_quadratic_has_no_form(landscape):
    assert quadratic_form(landscape) is None


@settings(max_examples=20, deadline=None)
@given(
    entries=st.lists(st.floats(-3, 3).map(lambda v: round(v, 2)), min_size=6, max_size=6),
    shift=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
)
def test_shifted_forms_have_the_hessian_and_slope_of_the_landscape(entries, shift):
    a, b, c, u, v, w = entries
    x, y = f"(x - ({shift[0]}))", f"(y - ({shift[1]}))"
    landscape = fp.Landscape(f"({a})*{x}**2 + ({b})*{x}*{y} + ({c})*{y}**2 + ({u})*x + ({v})*y + ({w})",
                             variables=("x", "y"))  # fmt: skip
    form = quadratic_form(landscape)
    assert form is not None
    origin = np.zeros(2)
    np.testing.assert_allclose(form.hessian, landscape.hessian(origin), atol=1e-14)
    np.testing.assert_allclose(form.slope, landscape.gradient(origin), atol=1e-13)  # sums of at most 3·3·2 + 9 + 3
    np.testing.assert_allclose(form.constant, landscape.value(origin), atol=1e-13)
