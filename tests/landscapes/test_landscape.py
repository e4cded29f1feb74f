"""The landscape object: shapes, parameters, identity, pickling, speed of evaluation."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest

from fpsolver.errors import ExpressionError, LandscapeError
from fpsolver.landscapes import Landscape, double_well, mueller_brown

TWO = Landscape("a*x**2/2 + b*y**2/2", variables=("x", "y"), parameters={"a": 1.0, "b": 4.0})


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (0,), (2, 0, 3)])
def test_shapes_also_where_derivatives_are_constant(shape):
    theta = np.zeros((*shape, 2))
    assert TWO.value(theta).shape == shape
    assert TWO.gradient(theta).shape == (*shape, 2)
    assert TWO.hessian(theta).shape == (*shape, 2, 2)
    np.testing.assert_array_equal(TWO.hessian(theta), np.broadcast_to(np.diag([1.0, 4.0]), (*shape, 2, 2)))


def test_a_variable_that_does_not_appear_has_zero_derivatives():
    landscape = Landscape("x**2", variables=("y", "x"))
    np.testing.assert_array_equal(landscape.gradient([[5.0, 3.0]]), [[0.0, 6.0]])
    assert Landscape("3", variables=("x",)).value(np.zeros((4, 1))).tolist() == [3.0] * 4


def test_blocks_join_without_seams():
    """More points than one block holds, with a remainder, strided."""
    theta = np.random.default_rng(1).normal(size=(2, 20_011))
    landscape = mueller_brown()
    whole = landscape.value(theta.T)
    np.testing.assert_array_equal(whole, [landscape.value(point) for point in theta.T])


def test_wrong_shapes_are_refused_with_the_remedy():
    with pytest.raises(LandscapeError, match=r"shape \(\.\.\., 2\)"):
        TWO.value(np.zeros(3))
    with pytest.raises(LandscapeError, match="newaxis"):
        double_well().value(np.linspace(-1, 1, 5))


def test_default_variables_are_in_natural_order():
    assert Landscape("w10 + w2*k + w1", {"k": 1.0}).variables == ("w1", "w2", "w10")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a*x", {"b": 1.0}), 'parameter "b" does not appear'),
        (("alpha*x", {"alhpa": 1.0}), 'did you mean "alpha"'),
        (("a*x", None, ("x",)), 'unknown name "a"'),
        (("x", {"x": 1.0}), "no variable"),
        (("a*x", {"a": 1.0}, ("x", "a")), "a variable and as a parameter"),
        (("x", None, ("x", "x")), "twice"),
        (("x", None, ()), "at least one"),
        (("x", None, ("x", "exp")), "cannot name a variable"),
        (("x", None, ("x", "t")), "reserved for time"),
        (("t*x", {"t": 1.0}), "reserved for time"),
        (("a*x", {"a": float("nan")}), "must be finite"),
        (("a*x", {"a": "one"}), "must be a number"),
        ((3,), "must be a string"),
    ],
)
def test_bad_definitions(arguments, message):
    with pytest.raises((ExpressionError, LandscapeError), match=message):
        Landscape(*arguments)


def test_parameters_change_without_touching_the_original():
    changed = TWO.with_parameters(b=9.0)
    assert TWO.parameters["b"] == 4.0 and changed.parameters == {"a": 1.0, "b": 9.0}
    assert changed.value([0.0, 2.0]) == 18.0
    assert changed._evaluator is TWO._evaluator
    with pytest.raises(LandscapeError, match='did you mean "half_width"'):
        double_well().with_parameters(halfwidth=2.0)


def test_landscapes_are_immutable():
    with pytest.raises(AttributeError, match="with_parameters"):
        TWO.dimension = 3
    with pytest.raises(AttributeError, match="immutable"):
        del TWO._p
    with pytest.raises(TypeError):
        TWO.parameters["a"] = 2.0


def test_identity_is_by_content_and_survives_pickling():
    again = Landscape("a*x**2/2  +  b*y**2/2", {"b": 4.0, "a": 1.0}, ("x", "y"))
    assert again == TWO and hash(again) == hash(TWO) and again.fingerprint == TWO.fingerprint
    assert TWO.with_parameters(a=2.0) != TWO
    assert Landscape("x*y") != Landscape("x*y", variables=("y", "x"))
    restored = pickle.loads(pickle.dumps(TWO))
    assert restored == TWO and restored.value([1.0, 1.0]) == TWO.value([1.0, 1.0])
    assert eval(repr(TWO), {"Landscape": Landscape}) == TWO


@pytest.mark.parametrize("landscape", [TWO, mueller_brown(2.0), Landscape("Max(x, y)**3 + erf(x) - x**2.5/(1 + y**2)")])
def test_compiled_functions_agree_with_arrays(landscape):
    theta = np.abs(np.random.default_rng(2).normal(size=(5, landscape.dimension)))
    compiled = landscape.compiled
    p, d = compiled.parameters, landscape.dimension
    for point in theta:
        gradient, hessian = np.full(d, np.nan), np.full((d, d), np.nan)
        compiled.gradient(point, p, gradient)
        compiled.hessian(point, p, hessian)
        # Contraction and another libm: a few units in the last place of the largest term.
        np.testing.assert_allclose(compiled.value(point, p), landscape.value(point), rtol=1e-12)
        np.testing.assert_allclose(gradient, landscape.gradient(point), rtol=1e-11, atol=1e-10)
        np.testing.assert_allclose(hessian, landscape.hessian(point), rtol=1e-11, atol=1e-9)


def test_undefined_values_are_nan_without_warnings(recwarn):
    values = Landscape("log(x) + 1/x + sqrt(x)").value([[-1.0], [0.0], [1.0]])
    assert np.isnan(values[0]) and values[2] == 2.0 and not np.isfinite(values[1])
    assert np.isinf(Landscape("exp(x**2)").value([1e3]))
    assert not recwarn.list


def test_tens_of_variables():
    n = 24
    terms = [f"(x{i + 1} - x{i})**2*(1 + x{i}**2)/2" for i in range(n - 1)]
    landscape = Landscape(" + ".join(terms) + " + exp(-x0**2)")
    theta = np.random.default_rng(3).normal(size=n)
    direction = np.random.default_rng(4).normal(size=n)

    def errors(h):
        ahead, behind = landscape.gradient(np.stack([theta + h * direction, theta - h * direction]))
        return np.abs((ahead - behind) / (2 * h) - landscape.hessian(theta) @ direction).max()

    # Central differences of the gradient converge to H·v with second order.
    assert np.log2(errors(1e-2) / errors(5e-3)) == pytest.approx(2.0, abs=0.05)


def test_a_million_points_take_no_python_loop_over_points():
    theta = np.random.default_rng(5).uniform(-1.0, 1.0, size=(1_000_000, 2))
    landscape = mueller_brown()
    landscape.value(theta[:10])
    began = time.perf_counter()
    landscape.value(theta)
    # About 0.08 s on an idle core; a loop over points would take several seconds.
    assert time.perf_counter() - began < 2.0
