from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import GridError

RING = fp.Grid(x=fp.Axis(0, 2 * np.pi, 40, boundary="periodic"))
L = fp.Landscape("cos(x)")


@pytest.mark.parametrize(
    "coefficients",
    [
        {"temperature": 1.0, "mobility": "1 + 0.1*x"},
        {"temperature": 1.0, "force": ("x",)},
        {"diffusion": "2 + cos(x/2)", "convention": "ito"},
        {"temperature": 1.0, "mobility": (("1 + x/10",),)},
    ],
)
def test_coefficients_that_jump_at_the_seam_are_refused(coefficients):
    with pytest.raises(GridError, match="periodic"):
        fp.generator(fp.Langevin(L, **coefficients), RING)


@pytest.mark.parametrize(
    "coefficients",
    [
        {"temperature": 1.0, "mobility": "1 + 0.1*sin(x)", "force": ("sin(x)",)},
        {"diffusion": lambda theta: 2 + np.cos(theta[..., 0]), "convention": "ito", "force": (0.5,)},
    ],
)
def test_coefficients_of_the_right_period_are_accepted(coefficients):
    W = fp.generator(fp.Langevin(L, **coefficients), RING)
    assert np.abs(W.matrix.sum(axis=0)).max() < 1e-13 * np.abs(W.diagonal).max()


def test_a_force_may_grow_along_the_other_axis():
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 12, boundary="periodic"), y=fp.Axis(-1, 1, 10, boundary="reflecting"))
    dynamics = fp.Langevin(fp.Landscape("cos(x) + y**2"), temperature=1.0, force=("y", "sin(x)"))
    assert not fp.generator(dynamics, grid).reversible


def test_something_else_than_a_grid_is_refused():
    with pytest.raises(GridError, match="is no grid"):
        fp.generator(fp.Langevin(L, temperature=1.0), (0, 1, 10))
