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
