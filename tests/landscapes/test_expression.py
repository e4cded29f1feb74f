"""The expression language: what is let in, what is refused, and that derivatives are right."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import ExpressionError
from fpsolver.landscapes import Landscape, compile_expressions, parse
from fpsolver.landscapes.expression import check_syntax, natural_order


@pytest.fixture(autouse=True, scope="module")
def throwaway_cache(tmp_path_factory):
    """Random expressions are not worth keeping in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FPSOLVER_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


HOSTILE = {
    "__import__('os').system('true')": "attribute access",
    "x.__class__": "attribute access",
    "(x).real": "attribute access",
    "x[0]": "indexing",
    "lambda: x": "lambda",
    "f'{x}'": "a string",
    "'x'": "real numbers",
    "1j*x": "real numbers",
    "True": "real numbers",
    "eval(x)": '"eval" is not a function',
    "Sin(x)": 'did you mean "sin"',
    "sin(x, y)": "one argument",
    "exp(*x)": "positional",
    "exp(u=x)": "positional",
    "Min()": "needs arguments",
    "exp*x": "in parentheses",
    "_x": "begin with a letter",
    "x^2": "**",
    "x // 2": "operators",
    "x @ y": "operators",
    "x < 1": "Piecewise",
    "x and y": "Piecewise",
    "x if y else z": "Piecewise",
    "Piecewise((x, x > 0))": "last condition must be True",
    "Piecewise((x, x == 0), (1, True))": "compare with",
    "Piecewise(x, True)": "write Piecewise",
    "x**100000": "exponent is too large",
    "x**(10**5)": "exponent is too large",
    "x**(2*100)": "exponent is too large",
    "(x**50)**50": "exponent is too large",
    "x*9**9**9**9": "exponent is too large",
    "x*(((9**99)**99)**99)**99": "too large",
    "x*exp(exp(exp(10)))": "too large",
    "x*1e400": "too large",
    "x + 1/0": "not a finite real number",
    "x/0": "not a finite real number",
    "x*sqrt(-1)": "not a finite real number",
    "x + log(-1)": "not a finite real number",
    "x*(-8)**(1/3)": "integer exponents",
    "(-2)**x": "integer exponents",
    "t*x": "reserved for time",
    "": "empty",
    "x ** ** 2": "is not an expression",
    "x; y": "is not an expression",
    "x\0": "null bytes",
    "(" * 500 + "x" + ")" * 500: "too many nested",
    "-" * 9000 + "x": "deeply nested",
    "exp(" * 150 + "x" + ")" * 150: "nested too deeply",
    "+".join(["x"] * 20_000): "too",
    "x" * 200_000: "characters",
    "*".join(f"(x + {i})" for i in range(200)): "second derivatives",
    "*".join(f"({'*'.join(f'(x+{i + 9 * j})' for i in range(40))} + 1)" for j in range(20)): "second derivatives",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:24].replace("\0", "NUL"))
def test_hostile_expressions_are_refused_with_one_line(text):
    with pytest.raises(ExpressionError, match=r"(?s).+") as caught:
        Landscape(text)
    message = str(caught.value)
    assert HOSTILE[text] in message
    assert "\n" not in message and len(message) < 400


def test_the_offending_piece_is_shown():
    with pytest.raises(ExpressionError, match=r"`y\.real` in `x\*\*2 \+ y\.real`"):
        Landscape("x**2 + y.real")


def test_unknown_names_come_with_the_nearest_spelling():
    with pytest.raises(ExpressionError, match=r'unknown name "hieght".*did you mean "height"'):
        Landscape("hieght*x**2", {}, ("x", "height"))
    with pytest.raises(ExpressionError, match='unknown name "b"'):
        parse("a*b", allowed={"a"})


def test_names_are_sorted_naturally():
    assert natural_order(["w10", "w2", "b", "w1", "w2a"]) == ("b", "w1", "w2", "w2a", "w10")


def test_compound_conditions_and_chained_comparisons():
    branches = "(1, 0 < x <= 1), (2, x > 2 and x < 3 or not x > -1), (3, (x > 5) | (x < -8) & (x < 0)), (4, 1 < 2)"
    f = compile_expressions(
        [f"Piecewise({branches}, (5, True))"],
        ("x",),
    )
    points = np.array([[0.0], [0.5], [1.0], [2.5], [-2.0], [6.0], [4.0]])
    np.testing.assert_array_equal(f(points)[0], [4, 1, 1, 2, 2, 3, 4])


def test_short_decimals_are_exact_and_long_ones_are_kept():
    assert str(parse("x**0.5")) == "sqrt(x)"
    assert float(parse("0.1")) == 0.1
    assert Landscape("x*123456789012345678901").value([1.0]) == 123456789012345678901.0


# Smooth functions of bounded size: intermediate values stay below about 1e4, so that rounding stays below 1e-10.
_LEAVES = st.sampled_from(["x", "y", "0.5", "2", "pi", "a"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}/(1 + ({p[1]})**2))"),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "erf"]), inner).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda u: f"exp(-({u})**2)"),
        inner.map(lambda u: f"log(1 + exp({u}))"),
        inner.map(lambda u: f"sqrt(1 + ({u})**2)"),
        inner.map(lambda u: f"({u})**3"),
        inner.map(lambda u: f"(1 + ({u})**2)**(-1.5)"),
    )


EXPRESSIONS = st.recursive(_LEAVES, _grow, max_leaves=5)
COORDINATES = st.floats(-1.5, 1.5).map(lambda u: round(u, 3))


@settings(max_examples=30, deadline=None)
@given(text=EXPRESSIONS, x=COORDINATES, y=COORDINATES)
def test_value_gradient_and_hessian_against_mpmath(text, x, y):
    """The reference differentiates numerically with 60 digits, and shares nothing with the package."""
    text = f"{text} + a*x*y"
    names = {name: getattr(mpmath, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "pi")}
    landscape = Landscape(text, {"a": 0.7}, ("x", "y"))
    with mpmath.workdps(60):

        def f(u, v):
            return mpmath.mpf(eval(text, {"__builtins__": {}}, {**names, "x": u, "y": v, "a": mpmath.mpf(0.7)}))

        value = float(f(mpmath.mpf(x), mpmath.mpf(y)))
        slopes = [float(mpmath.diff(f, (x, y), n)) for n in ((1, 0), (0, 1))]
        curvatures = [float(mpmath.diff(f, (x, y), n)) for n in ((2, 0), (1, 1), (0, 2))]
    hessian = landscape.hessian([x, y])
    scale = 1.0 + max(map(abs, (value, *slopes, *curvatures)))
    tolerance = 1e-9 * scale  # see the size of intermediate values above
    assert abs(landscape.value([x, y]) - value) < tolerance
    np.testing.assert_allclose(landscape.gradient([x, y]), slopes, atol=tolerance, rtol=0)
    np.testing.assert_allclose(hessian[[0, 0, 1], [0, 1, 1]], curvatures, atol=tolerance, rtol=0)
    assert hessian[0, 1] == hessian[1, 0]
    for one, other in zip(
        landscape.derivatives([x, y]),
        (landscape.value([x, y]), landscape.gradient([x, y]), hessian),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-12 * scale, rtol=0)


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_accepted_or_refused_but_never_crashes(text):
    try:
        check_syntax(text)
    except ExpressionError as error:
        assert str(error)


@given(st.text(alphabet="xyt0123456789.+-*/()<> ,eE", max_size=25))
@settings(max_examples=60, deadline=None)
def test_any_arithmetic_is_accepted_or_refused_but_never_crashes(text):
    try:
        landscape = Landscape(text)
    except ExpressionError:
        return
    points = np.full((2, landscape.dimension), 0.5)
    assert landscape.value(points).shape == (2,)
    assert landscape.hessian(points).shape == (2, landscape.dimension, landscape.dimension)


@pytest.mark.parametrize(
    ("text", "at", "value", "slope", "curvature"),
    [
        ("abs(x)", -2.0, 2.0, -1.0, 0.0),
        ("abs(x)", 0.0, 0.0, 0.0, 0.0),
        ("x*abs(x)", -2.0, -4.0, 4.0, -2.0),
        ("sign(x)*x**2", -1.0, -1.0, 2.0, -2.0),
        ("Max(x, x**2)", 3.0, 9.0, 6.0, 2.0),
        ("Max(x, x**2, 1/2)", 0.1, 0.5, 0.0, 0.0),
        ("Min(x, x**2)", 0.5, 0.25, 1.0, 2.0),
        ("Piecewise((x**2, x < 1), (2*x - 1, True))", 0.5, 0.25, 1.0, 2.0),
        ("Piecewise((x**2, x < 1), (2*x - 1, True))", 1.5, 2.0, 2.0, 0.0),
        ("sqrt(x**2)", -2.0, 2.0, -1.0, 0.0),
    ],
)
def test_kinks_have_classical_derivatives(text, at, value, slope, curvature):
    landscape = Landscape(text)
    assert landscape.value([at]) == value
    assert landscape.gradient([at])[0] == slope
    assert landscape.hessian([at])[0, 0] == pytest.approx(curvature, abs=1e-15)
    compiled = landscape.compiled
    hessian = np.empty((1, 1))
    compiled.hessian(np.array([at]), compiled.parameters, hessian)
    assert hessian[0, 0] == pytest.approx(curvature, abs=1e-15)


def test_softplus_does_not_overflow():
    landscape = Landscape("log(1 + exp(-x))")
    np.testing.assert_array_equal(landscape.value([[-1000.0], [1000.0]]), [1000.0, 0.0])
    np.testing.assert_array_equal(landscape.gradient([[-1000.0], [1000.0]]), [[-1.0], [0.0]])
    assert landscape.hessian([[-50.0]])[0, 0, 0] == pytest.approx(np.exp(-50.0), rel=1e-14)


def test_expressions_in_time_and_parameters():
    f = compile_expressions(["a*t + x", "y", "3"], variables=("x", "y"), parameters=("a", "unused"))
    points = np.arange(12.0).reshape(3, 2, 2)
    result = f(points, {"a": 2.0, "unused": 9.0}, t=5.0)
    np.testing.assert_array_equal(result[0], 10.0 + points[..., 0])
    np.testing.assert_array_equal(result[1], points[..., 1])
    np.testing.assert_array_equal(result[2], np.full((3, 2), 3.0))
    jacobian = f.jacobian(points, {"a": 2.0}, t=5.0)
    assert jacobian.shape == (3, 3, 2, 2)
    np.testing.assert_array_equal(jacobian[0, 0, 0], [1.0, 0.0])
    assert f.depends_on_time and f.depends_on_variables and f.parameters == ("a",)
    times = compile_expressions(["1 + t**2"])
    np.testing.assert_array_equal(times(t=[0.0, 1.0, 2.0]), [[1.0, 2.0, 5.0]])
    assert times(t=1.0).shape == (1,)


def test_missing_time_points_or_parameters_are_said():
    with pytest.raises(ExpressionError, match="depend on t"):
        compile_expressions(["t"])()
    with pytest.raises(ExpressionError, match="give points"):
        compile_expressions(["x"], ("x",))()
    with pytest.raises(ExpressionError, match="no value for the parameter 'a'"):
        compile_expressions(["a"], parameters=("a",))()
