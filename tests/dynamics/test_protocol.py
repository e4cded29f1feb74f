from __future__ import annotations

import pickle

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DynamicsError, ExpressionError


def test_kinds_of_protocol():
    t = np.linspace(-1, 5, 601)
    assert np.allclose(fp.Protocol("1 + t**2")(t), 1 + t**2, rtol=1e-15)
    assert np.allclose(fp.Protocol("2")(t), 2)
    assert np.allclose(fp.Protocol.ramp(1, 3, duration=2, begin=1)(t), np.clip(t, 1, 3))
    step = fp.Protocol.step(1.0, -1.0, time=2.0)
    assert np.array_equal(step(t), np.where(t < 2, 1.0, -1.0)) and step.breakpoints == (2.0,)
    wave = fp.Protocol.sinusoid(1.0, 0.5, period=3.0, phase=0.2)
    assert np.allclose(wave(t), 1 + 0.5 * np.sin(2 * np.pi * t / 3 + 0.2), rtol=0, atol=1e-14)
    table = fp.Protocol.tabulated([0, 1, 3], [1, 2, 0])
    assert np.allclose(table(t), np.interp(t, [0, 1, 3], [1, 2, 0])) and table.breakpoints == (0.0, 1.0, 3.0)


@pytest.mark.parametrize("protocol", [fp.Protocol("1 + t"), fp.Protocol.tabulated([0, 1], [2, 3])])
def test_protocols_survive_pickling(protocol):
    again = pickle.loads(pickle.dumps(protocol))
    assert again(0.3) == protocol(0.3) and again.breakpoints == protocol.breakpoints


def test_bad_protocols_are_refused():
    with pytest.raises(ExpressionError, match="x"):
        fp.Protocol("1 + x")
    for make in (
        lambda: fp.Protocol.ramp(0, 1, duration=0),
        lambda: fp.Protocol.sinusoid(0, 1, period=-1),
        lambda: fp.Protocol.tabulated([0, 0], [1, 2]),
        lambda: fp.Protocol.tabulated([0, 1], [1]),
        lambda: fp.Protocol.tabulated([0, 1], [1, float("nan")]),
        lambda: fp.Protocol("t", breakpoints=(2.0, 1.0)),
    ):
        with pytest.raises(DynamicsError):
            make()


@pytest.mark.parametrize(
    ("formula", "times"),
    [
        ("Piecewise((1, t < 0.7031), (3, True))", (0.7031,)),
        ("Piecewise((1, 2*t < 1), (2, t <= 3), (0, True))", (0.5, 3.0)),
        ("2 + sign(0.25 - t)", (0.25,)),
        ("sign(1 + 0*t) + sin(t)", ()),
        ("1 + abs(t - 1) + t**2", ()),
    ],
)
def test_jumps_are_read_off_the_formula(formula, times):
    assert fp.Protocol(formula).breakpoints == pytest.approx(times, rel=1e-15)


def test_jumps_that_cannot_be_read_off_must_be_declared():
    with pytest.raises(DynamicsError, match=r"sin\(t\).*breakpoints="):
        fp.Protocol("sign(sin(t))")
    assert fp.Protocol("sign(sin(t))", breakpoints=(np.pi, 2 * np.pi)).breakpoints == (np.pi, 2 * np.pi)


def test_a_jump_that_was_not_declared_keeps_the_tolerance():
    landscape = fp.Landscape("a*x**2/2", variables=("x",), parameters={"a": 1.0})
    grid = fp.Grid(x=fp.Axis(-3, 3, 40, boundary="reflecting"))
    start = fp.gaussian(grid, mean=[0.7], covariance=[[0.1]])

    def final(protocol):
        W = fp.generator(fp.Langevin(landscape, temperature=0.5, protocol={"a": protocol}), grid)
        return fp.evolve(W, start, [1.0], progress=False).final

    # two autonomous evolutions, one after the other
    halfway = fp.evolve(fp.generator(fp.Langevin(landscape, temperature=0.5), grid), start, [0.3333], progress=False)
    stiff = fp.generator(fp.Langevin(landscape.with_parameters(a=3.0), temperature=0.5), grid)
    exact = fp.evolve(stiff, halfway.final, [1.0 - 0.3333], progress=False).final
    for protocol in ("2 + sign(t - 0.3333)", "Piecewise((1, t < 0.3333), (3, True))"):
        error = (np.abs(final(protocol) - exact) * grid.volumes).sum()
        assert error < 3e-8  # the default tolerance, once for each evolution


def test_protocols_come_in_a_mapping():
    with pytest.raises(DynamicsError, match="not a mapping"):
        fp.Langevin(fp.Landscape("x**2"), temperature=1.0, protocol=["temperature"])


def test_masses_are_numbers():
    with pytest.raises(DynamicsError, match="mass = 'm'"):
        fp.UnderdampedLangevin(fp.Landscape("x**2"), temperature=1.0, friction=1.0, mass="m")
