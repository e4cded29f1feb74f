from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DynamicsError


@pytest.fixture(scope="module")
def bowl():
    return fp.Landscape("a*x**2/2 + y**2/2", variables=("x", "y"), parameters={"a": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, "temperature = -0.1 must be finite and not negative"),
        ({"temperature": float("nan")}, "temperature = nan"),
        ({"temperature": "warm"}, "'warm' is not a number"),
        ({}, "neither of temperature and diffusion"),
        ({"temperature": 0.1, "diffusion": 1.0}, "both of temperature and diffusion"),
        ({"diffusion": "1 + x**2"}, "say which convention"),
        ({"diffusion": 1.0, "convention": "itoh"}, 'did you mean "ito"'),
        ({"temperature": 1.0, "convention": "ito"}, "leave convention out"),
        ({"temperature": 1.0, "mobility": -1.0}, "the value -1"),
        ({"temperature": 1.0, "mobility": [[1.0, 2.0], [2.0, 1.0]]}, "an eigenvalue -1"),
        ({"temperature": 1.0, "mobility": [[1.0, 0.5], [0.0, 1.0]]}, "not symmetric"),
        ({"temperature": 1.0, "mobility": [1.0, 2.0, 3.0]}, r"shape \(3,\)"),
        ({"temperature": 1.0, "mobility": float("inf")}, "must be finite"),
        ({"temperature": 1.0, "force": 1.0}, "must have 2 components"),
        ({"temperature": 1.0, "mobility": lambda points: points[:, :1]}, r"returned shape \(3, 1\)"),
        ({"temperature": 1.0, "mobility": object()}, "neither a number"),
        ({"temperature": 1.0, "protocol": {"b": "t"}}, "drives nothing"),
        ({"temperature": 1.0, "protocol": {"temprature": "t"}}, 'did you mean "temperature"'),
        ({"temperature": 1.0, "protocol": {"a": None}}, "neither a Protocol nor an expression"),
    ],
)
def test_bad_coefficients_are_refused_with_the_value(bowl, options, message):
    with pytest.raises(DynamicsError, match=message):
        fp.Langevin(bowl, **options)


def test_a_one_dimensional_force_must_be_a_sequence(quartic):
    with pytest.raises(DynamicsError, match="one component per variable"):
        fp.Langevin(quartic, temperature=1.0, force=1.0)


def test_expressions_functions_and_numbers_say_the_same(bowl):
    points = np.random.default_rng(1).normal(size=(7, 3, 2))
    text = fp.Langevin(bowl, temperature=1.0, mobility=["1 + x**2", 2]).mobility.evaluate(points, {"a": 1.0})
    function = fp.Langevin(
        bowl, temperature=1.0, mobility=lambda z: np.stack([1 + z[..., 0] ** 2, 2 + 0 * z[..., 0]], axis=-1)
    ).mobility.evaluate(points, {})
    assert np.allclose(text, function, rtol=1e-14)
    tensor = fp.Langevin(bowl, temperature=1.0, mobility=[["2", "x/9"], ["x/9", "a"]]).mobility
    values = tensor.evaluate(points, {"a": 3.0})
    assert values.shape == (7, 3, 2, 2)
    assert np.allclose(values[..., 0, 1], points[..., 0] / 9, rtol=1e-14) and (values[..., 1, 1] == 3).all()


def test_protocols_freeze_parameters_and_constants(bowl):
    dynamics = fp.Langevin(
        bowl, temperature=1.0, protocol={"a": "1 + t", "temperature": fp.Protocol.ramp(1.0, 2.0, duration=2.0)}
    )
    assert dynamics.driven and dynamics.breakpoints == (0.0, 2.0)
    frozen = dynamics.at(1.0)
    assert not frozen.driven and frozen.temperature == 1.5 and frozen.landscape.parameters["a"] == 2.0
    with pytest.raises(DynamicsError, match="temperature = -1"):
        fp.Langevin(bowl, temperature=1.0, protocol={"temperature": "1 - t"}).at(2.0)


def test_underdamped_constants_are_checked(bowl):
    assert fp.UnderdampedLangevin(bowl, temperature=0.1, friction=1.0, mass=[1.0, 2.0]).masses.tolist() == [1.0, 2.0]
    for options, message in (
        ({"friction": -1.0}, "friction = -1"),
        ({"friction": 1.0, "mass": 0.0}, "mass = 0"),
        ({"friction": 1.0, "mass": [1.0, 2.0, 3.0]}, "or 2 of them"),
    ):
        with pytest.raises(DynamicsError, match=message):
            fp.UnderdampedLangevin(bowl, temperature=0.1, **options)
