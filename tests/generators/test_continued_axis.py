"""Axes behind their walls: mirror images, copies, and where sites belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.generators.continued_axis import ContinuedAxis

SITES = np.arange(-40, 40)
AXES = {
    "uniform": fp.Axis(-1.0, 2.0, 6, boundary="reflecting"),
    "stretched": fp.Axis(-1.0, 2.0, 6, boundary="reflecting", spacing="geometric", stretch=5.0),
    "periodic": fp.Axis(-1.0, 2.0, 6, boundary="periodic", spacing="tanh", stretch=1.0),
}


def reflected(position, axis):
    """Fold a position back at the walls, one after the other."""
    while not axis.lower <= position <= axis.upper:
        position = 2 * axis.lower - position if position < axis.lower else 2 * axis.upper - position
    return position


@pytest.mark.parametrize("name", ["uniform", "stretched"])
def test_sites_behind_reflecting_walls_are_images_of_their_cells(name):
    axis = AXES[name]
    line = ContinuedAxis(axis)
    folded = [reflected(float(x), axis) for x in line.centres(SITES)]
    # Rounding of the folds.
    np.testing.assert_allclose(folded, axis.centres[line.home(SITES)], atol=1e-13)
    np.testing.assert_allclose(line.widths(SITES), axis.widths[line.home(SITES)], rtol=1e-14)


def test_sites_of_a_periodic_axis_are_copies():
    axis = AXES["periodic"]
    line = ContinuedAxis(axis)
    turns = (line.centres(SITES) - axis.centres[line.home(SITES)]) / (axis.upper - axis.lower)
    np.testing.assert_allclose(turns, np.floor_divide(SITES, axis.cells), atol=1e-13)
    assert not line.mirrored(SITES).any()


@given(st.floats(-30.0, 30.0), st.sampled_from(sorted(AXES)))
def test_a_position_lies_between_the_site_below_it_and_the_next(position, name):
    line = ContinuedAxis(AXES[name])
    below = line.below(np.array([position]))
    slack = 1e-13 * 30.0
    assert line.centres(below)[0] <= position + slack
    assert position <= line.centres(below + 1)[0] + slack


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        (("absorbing", "absorbing"), [-1, -1, 0, 1, 2, -1, -1]),
        (("reflecting", "absorbing"), [1, 0, 0, 1, 2, -1, -1]),
        (("absorbing", "reflecting"), [-1, -1, 0, 1, 2, 2, 1]),
        (("reflecting", "reflecting"), [1, 0, 0, 1, 2, 2, 1]),
        (("periodic", "periodic"), [1, 2, 0, 1, 2, 0, 1]),
    ],
)
def test_what_each_kind_of_wall_does(boundary, expected):
    line = ContinuedAxis(fp.Axis(0.0, 3.0, 3, boundary=boundary))
    assert line.home(np.arange(-2, 5)).tolist() == expected


def test_a_step_through_a_reflecting_wall_that_reaches_the_absorbing_one_is_lost():
    line = ContinuedAxis(fp.Axis(0.0, 3.0, 3, boundary=("reflecting", "absorbing")))
    assert line.home(np.array([-4, -3])).tolist() == [-1, 2]


def test_only_walls_that_truncate_an_open_space_are_open():
    assert ContinuedAxis(fp.Axis(0.0, 3.0, 3)).open(np.array([-1, 0, 3])).tolist() == [True, False, True]
    assert not ContinuedAxis(fp.Axis(0.0, 3.0, 3, boundary="reflecting")).open(np.array([-1, 3])).any()
