"""Functionals given as expressions, against sums over stored trajectories; names and messages."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral, sorted_functionals
from fpsolver.errors import InputError

PLANE = fp.Landscape("x**4/4 + a*x*y + y**2", variables=("x", "y"), parameters={"a": 0.5})
DRIVEN = fp.Langevin(PLANE, temperature=0.4, protocol={"a": fp.Protocol("t/4")})


@pytest.mark.parametrize("scheme", ["euler-maruyama", "heun"])
def test_integrals_are_sums_over_the_steps(scheme):
    dt, steps = 0.125, 40
    found = fp.simulate(
        DRIVEN,
        300,
        [0.5, 0.0],
        dt,
        steps * dt,
        seed=2,
        scheme=scheme,
        functionals=[
            TimeIntegral("a*x**2 + t*y", name="g"),
            TimeIntegral("1"),
            PathIntegral(["t*y", "a - x"], name="f"),
            PathIntegral(["1", "0"]),
        ],
        observe=fp.Trajectories([0, 7, 299], "x", "y", "g", "f", "time_integral_1", "path_integral_1_0"),
        times=[dt * k for k in range(steps + 1)],
    )
    x, y, g, f, elapsed, moved = np.moveaxis(found.observables["trajectories"].values, 2, 0)
    t = found.times[:, None]
    rate = t / 4 * x**2 + t * y
    expected = np.concatenate([np.zeros((1, 3)), np.cumsum(0.5 * dt * (rate[1:] + rate[:-1]), axis=0)])
    np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(elapsed, np.broadcast_to(t, elapsed.shape), rtol=1e-13)
    np.testing.assert_allclose(moved, x - 0.5, rtol=0, atol=1e-13)
    middle = 0.5 * (t[1:] + t[:-1])  # parameters and time are frozen at the middle of a step
    along = middle * 0.5 * (y[1:] + y[:-1]) * np.diff(x, axis=0)
    across = (middle / 4 - 0.5 * (x[1:] + x[:-1])) * np.diff(y, axis=0)
    expected = np.concatenate([np.zeros((1, 3)), np.cumsum(along + across, axis=0)])
    np.testing.assert_allclose(f, expected, rtol=1e-12, atol=1e-13)


def test_names_are_words_that_expressions_can_use():
    assert TimeIntegral("x**2 + y").name == "time_integral_x_2_y"
    assert PathIntegral(("-y", "x")).name == "path_integral_y_x"
    assert PathIntegral("x").expressions == ("x",)
    carried = (TimeIntegral("x**2"), PathIntegral(["y", "0"]), "heat")
    found = fp.simulate(
        DRIVEN, 10, [0.5, 0.0], 0.1, 0.2, seed=2, functionals=carried, observe=fp.Mean("time_integral_x_2 - heat/2")
    )
    assert found.names == ("x", "y", "heat", "time_integral_x_2", "path_integral_y_0")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["heat", "heat"], 'two functionals are called "heat"'),
        (
            [TimeIntegral("x"), TimeIntegral("x")],
            'two functionals are called "time_integral_x"; give one of them another',
        ),
        ([TimeIntegral("x", name="y")], 'a functional is called "y", which means something else'),
        ([TimeIntegral("x", name="v_x")], '"v_x", which means something else'),
        ([TimeIntegral("x", name="a")], '"a", which means something else'),
        ([TimeIntegral("x", name="loss")], '"loss", which means something else'),
        ([PathIntegral(["x"])], r"1 components; with 2 variable\(s\) it needs 2"),
        (["entropy_flw"], 'did you mean "entropy_flow"'),
        ([None], "functionals holds None; it may hold work, heat"),
    ],
)
def test_functionals_that_do_not_fit_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        sorted_functionals(given, DRIVEN)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TimeIntegral("x", name="second moment"), "must be a word of letters, digits and _"),
        (lambda: TimeIntegral(3), "the integrand 3 of a time integral must be an expression"),
        (lambda: PathIntegral(["x", 1]), "the integrand 1 of a path integral must be an expression"),
    ],
)
def test_integrals_are_checked_when_they_are_made(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("functional", [TimeIntegral("b*x"), PathIntegral(["x", "q"])])
def test_unknown_names_in_integrands_are_named(functional):
    with pytest.raises(InputError, match="unknown name"):
        fp.simulate(DRIVEN, 10, [0.5, 0.0], 0.1, 0.2, seed=2, functionals=functional)


def test_one_functional_needs_no_list():
    for one in ("heat", TimeIntegral("x"), PathIntegral(["x", "y"])):
        assert len(sorted_functionals(one, DRIVEN).names) == 1
    assert not sorted_functionals((), DRIVEN)
