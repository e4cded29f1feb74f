"""Functions of blocks of 256 trajectories: the same numbers as NumPy, vectorised, and compiled once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import cfunc, njit

import fpsolver
import fpsolver as fp
from fpsolver.errors import ExpressionError, InputError
from fpsolver.landscapes import compile_expressions
from fpsolver.landscapes.block_functions import expression_blocks, nothing

ROOT = Path(fpsolver.__path__[0]).parent
library = fp.landscapes


@njit
def call(function, x, p, out):
    function(x, p, out)


def evaluate(function, x, p, rows):
    """Return the rows (rows, 256) of a block function at points x (d, 256)."""
    out = np.full((rows, 256), np.nan, x.dtype)
    call(function, np.ascontiguousarray(x).ravel(), np.asarray(p, dtype=x.dtype), out.ravel())
    return out


def points(d, scale=1.0, dtype=float):
    return (scale * np.random.default_rng(3).normal(size=(d, 256))).astype(dtype)


def regression(loss, n, d):
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, d)), np.arange(n) % 2
    make = library.logistic_regression if loss == "logistic" else library.linear_regression
    return make(X, y, 0.3, penalise_intercept=False)


def spline():
    x, y = np.linspace(-6, 6, 12), np.linspace(-7, 7, 9)
    return fp.Landscape.from_grid({"x": x, "y": y}, np.sin(x)[:, None] * np.cos(y))


def functions():
    return fp.Landscape.from_functions(
        lambda theta, p: p[0] * theta[0] ** 4 + theta[0] * theta[1] ** 2,
        lambda theta, p: np.array([4 * p[0] * theta[0] ** 3 + theta[1] ** 2, 2 * theta[0] * theta[1]]),
        variables=("x", "y"),
        parameters={"a": 0.5},
    )


LANDSCAPES = {
    "quadratic": lambda: library.quadratic([[2.0, 0.5], [0.5, 1.0]]),
    "double_well": lambda: library.double_well(0.3, 1.7),
    "tilted_double_well": library.tilted_double_well,
    "tilted_washboard": library.tilted_washboard,
    "mueller_brown": library.mueller_brown,
    "coupled_double_well": library.coupled_double_well,
    "matrix_factorisation": lambda: library.matrix_factorisation(0.7, 0.1),
    "two_layer_linear": lambda: library.two_layer_linear([[1.0, 2.0], [3.0, 4.0]]),
    "rastrigin": lambda: library.rastrigin(3),
    "piecewise_quadratic": lambda: library.piecewise_quadratic(1.0, 2.0, 0.5),
    "logistic regression": lambda: regression("logistic", 7, 2),
    "linear regression": lambda: regression("squared", 9, 5),
    "spline": spline,
    "functions": functions,
}


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_blocks_agree_with_arrays(name, precision):
    landscape = LANDSCAPES[name]()
    blocks = landscape.blocks(precision)
    kind = blocks.parameters.dtype
    x = points(landscape.dimension, dtype=kind)
    p = np.append(blocks.parameters, [7.0, 8.0])  # what a driver appends must not matter
    np.testing.assert_allclose(blocks.parameters[: len(landscape.parameters)], [*landscape.parameters.values()])
    value, gradient = landscape.value(x.T.astype(float)), landscape.gradient(x.T.astype(float)).T
    # Rounding of an argument u of exp, or of a phase, is multiplied by u: up to some hundred here (2π·10 derivatives of
    # the corrugation, exponents of −30 and curvatures of 10³ in Müller–Brown). The scale is that of the summands.
    tolerance = 300 * np.finfo(kind).eps
    for rows, reference in (
        (evaluate(blocks.value, x, p, 1)[0], value),
        (evaluate(blocks.gradient, x, p, len(x)), gradient),
    ):
        assert rows.dtype == kind
        np.testing.assert_allclose(rows, reference, rtol=tolerance, atol=tolerance * np.abs(reference).mean())


LEAVES = st.sampled_from(["x", "y", "a", "t", "0.5", "3", "1.7"])
ONE = (
    "exp(-({})**2)", "sin({})", "cos({})", "tanh({})", "abs({})", "erf({})", "sqrt(1 + ({})**2)", "log(1 + exp({}))",
    "log(2 + sin({}))", "({})**3", "-({})", "1/(2 + cos({}))", "(1 + abs({}))**a", "sinh(tanh({}))", "sign({})",
)  # fmt: skip
TWO = ("({} + {})", "({} - {})", "({})*({})", "Min({}, {})", "Max({}, {})", "Piecewise(({}, x < 0.25), ({}, True))")
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(str.format, st.sampled_from(ONE), inner), st.builds(str.format, st.sampled_from(TWO), inner, inner)
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(EXPRESSIONS, min_size=1, max_size=3))
@example(texts=["sin(0.5)", "exp(-(sin(0.5))**2)"])  # a number that two expressions share
def test_any_expressions_agree_with_arrays(texts):
    x = points(2)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("FPSOLVER_CACHE_DIR", folder)
        block = expression_blocks(texts, ("x", "y"), {"t": 2, "a": 0})
        arrays = compile_expressions(texts, ("x", "y"), ("a",))
    reference = arrays(x.T, {"a": 1.3}, t=0.7)
    # Both routes round each operation; cubes and differences of large numbers are the worst amplifiers.
    scale = max(1.0, float(np.max(np.abs(reference))))
    np.testing.assert_allclose(
        evaluate(block, x, [1.3, np.nan, 0.7], len(texts)), reference, atol=1e-12 * scale, rtol=1e-11
    )


def test_jacobian_rows_are_ordered_by_expression():
    block = expression_blocks(["x**2*y", "a*x", "3"], ("x", "y"), {"a": 1}, jacobian=True)
    x = points(2)
    rows = evaluate(block, x, [0.0, 2.5], 6)
    zero = np.zeros(256)
    np.testing.assert_allclose(rows, [2 * x[0] * x[1], x[0] ** 2, zero + 2.5, zero, zero, zero], rtol=1e-15)


def test_angles_beyond_the_polynomials_are_taken_by_the_library():
    x = points(1)
    x[0, :5] = 1e9, -1e22, 2e6, np.inf, np.nan
    for text, reference in (("sin(x)", np.sin), ("cos(x)", np.cos), ("tan(x)", np.tan)):
        with np.errstate(invalid="ignore"):
            expected = reference(x)
        np.testing.assert_allclose(evaluate(expression_blocks([text], ("x",), {}), x, [0.0], 1), expected, rtol=1e-15)


def test_nan_stays_in_its_lane():
    for landscape in (library.mueller_brown(), regression("logistic", 5, 1), functions()):
        x = points(2)
        x[0, 17] = np.nan
        gradient = evaluate(landscape.blocks().gradient, x, landscape.blocks().parameters, 2)
        assert np.flatnonzero(np.isnan(gradient).any(axis=0)).tolist() == [17]


def test_a_spline_is_nan_outside_its_domain():
    landscape = spline()
    x = points(2)
    x[1, 3] = 7.1
    blocks = landscape.blocks()
    assert np.flatnonzero(np.isnan(evaluate(blocks.value, x, blocks.parameters, 1)[0])).tolist() == [3]


def test_logistic_loss_survives_separated_lanes():
    landscape = regression("logistic", 5, 2)
    x = points(3, scale=1e4)
    blocks = landscape.blocks()
    np.testing.assert_allclose(evaluate(blocks.value, x, blocks.parameters, 1)[0], landscape.value(x.T), rtol=1e-14)


def test_nothing_writes_nothing():
    for precision, kind in (("double", np.float64), ("single", np.float32)):
        x = points(1, dtype=kind)
        assert np.isnan(evaluate(nothing(precision), x, [0.0], 1)).all()


def test_what_cannot_be_compiled_is_refused():
    with pytest.raises(ExpressionError, match='unknown name "b"'):
        expression_blocks(["a*x + b"], ("x",), {"a": 0})
    with pytest.raises(InputError, match="half"):
        fp.Landscape("x**2").blocks("half")


def assembly(function):
    """Return the assembly of a block function, compiled anew: what comes from the cache cannot be inspected."""
    fresh = cfunc(function._sig, error_model="numpy", fastmath={"contract"})(function._pyfunc)
    return fresh._library.get_asm_str()


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize(
    "text",
    ["x**4/4 - x**2/2", "x*exp(-x**2)", "log(1 + x**2)", "tanh(x)", "sinh(x)*cosh(x)", "erf(x)", "abs(x)**0.3",
     "log(1 + exp(x))", "Piecewise((x**2, x < 0), (exp(-x), x < 1), (sqrt(x), True))", "Min(x, 0.1)*Max(x, 0.3)"],
)  # fmt: skip
def test_loops_are_vectorised(text, precision, packed_instructions):
    for jacobian in (False, True):
        code = assembly(expression_blocks([text], ("x",), {}, precision=precision, jacobian=jacobian))
        assert re.search(r"%[yz]mm", code)
        assert not re.search(r"\b(exp|log|pow|erf|tanh|sinh|cosh|log1p|expm1)f?\b", code)  # calls of the C library


@pytest.mark.parametrize("name", ["mueller_brown", "rastrigin", "logistic regression"])
def test_landscapes_are_vectorised(name, packed_instructions):
    code = assembly(LANDSCAPES[name]().blocks().gradient)
    packed, scalar = (len(re.findall(rf"vfn?m\w+{kind}\b", code)) for kind in ("pd", "sd"))
    assert packed >= scalar  # loops of scalars are left over for the case that arrays overlap
    assert not re.search(r"\b(exp|log)\b", code)


@pytest.fixture
def packed_instructions():
    import llvmlite.binding

    if not llvmlite.binding.get_host_cpu_features().get("avx2"):
        pytest.skip("needs AVX2")


SCRIPT = """
import sys
import numpy as np
import fpsolver as fp
from fpsolver.landscapes.block_functions import expression_blocks, nothing
landscapes = [
    fp.Landscape("a*x**4 + cos(x*y)", {"a": 2.0}),
    fp.landscapes.logistic_regression([[0.0], [1.0]], [0, 1]),
    fp.Landscape.from_grid([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0]),
]
functions = [f for L in landscapes for b in (L.blocks(), L.blocks("single")) for f in (b.value, b.gradient)]
functions += [nothing(), expression_blocks(["x*t"], ("x",), {"t": 1})]
functions.append(expression_blocks(["x"], ("x",), {}, jacobian=True))
print(sum(f.cache_hits for f in functions), len(functions), "sympy" in sys.modules)
"""


def test_a_second_process_compiles_nothing(tmp_path):
    dropped = ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")
    environment = {k: v for k, v in os.environ.items() if k not in dropped}
    environment |= {"FPSOLVER_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def run():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    first, second = run(), run()
    assert first == ["0", first[1], "True"]
    assert second == [first[1], first[1], "False"]
