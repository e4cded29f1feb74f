from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import GridError


@given(
    lower=st.floats(-10, 10),
    length=st.floats(0.1, 20),
    cells=st.integers(2, 60),
    spacing=st.sampled_from(["geometric", "tanh"]),
    stretch=st.floats(0.2, 5),
)
def test_stretched_axes_cover_their_interval(lower, length, cells, spacing, stretch):
    axis = fp.Axis(lower, lower + length, cells, spacing=spacing, stretch=stretch)
    assert axis.lower == lower and axis.upper == lower + length
    assert (axis.widths > 0).all()
    assert axis.widths.sum() == pytest.approx(length, rel=1e-13)
    if spacing == "geometric":
        assert axis.widths[-1] / axis.widths[0] == pytest.approx(stretch, rel=1e-9)
    else:
        assert np.allclose(axis.widths, axis.widths[::-1], rtol=1e-9)


def test_volumes_and_points_are_tensor_products():
    grid = fp.Grid(x=fp.Axis(faces=[0, 1, 3]), y=(-1, 1, 4))
    assert grid.volumes.tolist() == [[0.5] * 4, [1.0] * 4]
    assert grid.points[1, 0].tolist() == [2.0, -0.75]


def test_periodic_distances_reach_round():
    axis = fp.Axis(faces=[0, 1, 3, 6], boundary="periodic")
    assert axis.distances.tolist() == [1.5, 2.5, 2.0]


def test_velocity_axes_follow_the_positions():
    grid = fp.Grid(x=(-1, 1, 4), y=(-1, 1, 5), velocity={"y": (-3, 3, 6), "x": (-2, 2, 7)})
    assert grid.names == ("x", "y", "v_x", "v_y")
    assert grid.shape == (4, 5, 7, 6)
    assert grid.position_grid().names == ("x", "y")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, -1, 10), {}, "lower = 1 is not below upper = -1"),
        ((0, 1, 1), {}, "cells = 1"),
        ((0, 1, 2.5), {}, "cells = 2.5"),
        ((0, float("nan"), 10), {}, "upper = nan must be finite"),
        (("a", 1, 10), {}, "lower = 'a' is not a number"),
        ((0, 1, 10), {"boundary": "reflectng"}, 'did you mean "reflecting"'),
        ((0, 1, 10), {"boundary": ("periodic", "absorbing")}, "periodic on both sides"),
        ((0, 1, 10), {"spacing": "geometric"}, "needs a positive, finite stretch"),
        ((0, 1, 10), {"stretch": 2.0}, "no meaning for uniform"),
        ((), {"faces": [0, 2, 1]}, "2 is followed by 1"),
        ((), {"faces": [0, 1]}, "at least three faces"),
        ((0, 1, 4), {"faces": [0, 1, 2]}, "not both"),
        ((0, 1), {}, "needs lower, upper and cells"),
    ],
)
def test_bad_axes_are_refused_with_the_value(arguments, options, message):
    with pytest.raises(GridError, match=message.replace("(", r"\(")):
        fp.Axis(*arguments, **options)


def test_bad_grids_are_refused():
    with pytest.raises(GridError, match="at least one axis"):
        fp.Grid()
    with pytest.raises(GridError, match="at most 4"):
        fp.Grid(a=(0, 1, 2), b=(0, 1, 2), c=(0, 1, 2), d=(0, 1, 2), e=(0, 1, 2))
    with pytest.raises(GridError, match="symmetric about zero"):
        fp.Grid(x=(0, 1, 4), velocity={"x": (-1, 2, 4)})
    with pytest.raises(GridError, match="give one for each"):
        fp.Grid(x=(0, 1, 4), velocity={"y": (-1, 1, 4)})
    with pytest.raises(GridError, match="axis 'x': cells = 1"):
        fp.Grid(x=(0, 1, 1))
    with pytest.raises(GridError, match="its axes are x"):
        fp.Grid(x=(0, 1, 4)).index("z")


def test_axes_match_variables_by_name_in_any_order():
    landscape = fp.Landscape("x**2/2 + 3*y**4")
    x, y = (fp.Axis(-1, 1, cells, boundary="reflecting") for cells in (5, 4))
    straight = fp.Grid(x=x, y=y)
    swapped = fp.Grid(y=y, x=x)
    dynamics = fp.Langevin(landscape, temperature=0.3, mobility=[1.0, 2.0])
    p = fp.boltzmann(landscape, straight, 0.3)
    assert np.allclose(fp.boltzmann(landscape, swapped, 0.3).T, p, rtol=1e-13)
    one = fp.generator(dynamics, straight).apply(p * p).T
    other = fp.generator(dynamics, swapped).apply((p * p).T)
    assert np.allclose(one, other, rtol=0, atol=1e-12 * abs(one).max())
