from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DomainError, GridError


def test_fields_act_as_their_values():
    grid = fp.Grid(x=(0, 1, 4))
    field = fp.Field(grid, np.arange(4.0))
    assert np.asarray(field) is field.values
    assert (field + field).tolist() == [0, 2, 4, 6]
    assert (1 - field).tolist() == [1, 0, -1, -2]
    assert np.exp(field).shape == (4,) and field[2] == 2.0 and len(field) == 4


def test_interpolation_is_exact_for_multilinear_functions_up_to_the_walls():
    grid = fp.Grid(x=fp.Axis(faces=[0, 0.5, 2, 3]), y=(-1, 1, 4))
    x, y = np.moveaxis(grid.points, -1, 0)
    field = fp.Field(grid, 1 + 2 * x - y + 3 * x * y)
    points = np.array([[0.0, -1.0], [1.3, 0.2], [3.0, 1.0]])
    expected = 1 + 2 * points[:, 0] - points[:, 1] + 3 * points[:, 0] * points[:, 1]
    assert np.allclose(field.at(points), expected, rtol=1e-13)


def test_interpolation_on_a_ring_is_second_order():
    errors = []
    for cells in (20, 40, 80):
        grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))
        field = fp.Field(grid, np.sin(grid.points[..., 0]))
        where = np.linspace(0, 2 * np.pi, 173)
        errors.append(abs(field.at(where[:, None]) - np.sin(where)).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (abs(orders - 2) < 0.1).all()


def test_bad_points_are_refused():
    field = fp.Field(fp.Grid(x=(0, 1, 4)), np.zeros(4))
    with pytest.raises(DomainError, match="x = 2 lies outside"):
        field.at([[0.5], [2.0]])
    with pytest.raises(DomainError, match="nan"):
        field.at([[np.nan]])
    with pytest.raises(GridError, match="a single point is"):
        field.at([0.5, 0.5])
    with pytest.raises(GridError, match="do not fit"):
        fp.Field(fp.Grid(x=(0, 1, 4)), np.zeros(5))
