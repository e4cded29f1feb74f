from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import RegionError
from fpsolver.regions import region_mask

GRID = fp.Grid(x=(-2, 2, 8), y=(0, 1, 2))


def test_all_ways_to_name_a_region_agree():
    box = region_mask(fp.where(x=(1.0, None)), GRID)
    predicate = region_mask(lambda x, y: x >= 1.0, GRID)
    mask = region_mask(GRID.points[..., 0] >= 1.0, GRID)
    assert np.array_equal(box, predicate) and np.array_equal(box, mask)
    assert np.argwhere(region_mask((3, 1), GRID)).tolist() == [[3, 1]]
    assert np.argwhere(region_mask(5, fp.Grid(x=(-2, 2, 8)))).tolist() == [[5]]


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (fp.where(x=(7.0, None)), "contains no cell"),
        (fp.where(x=(-7.0, None)), "contains every cell"),
        (lambda x, y: x, "must return booleans"),
        (np.zeros((3, 3), dtype=bool), "mask has shape"),
        ((9, 0), "not a cell index"),
        ("x > 1", "neither a box"),
        (lambda x: x > 1, "one coordinate array per axis"),
    ],
)
def test_bad_regions_are_refused(region, message):
    with pytest.raises(RegionError, match=message):
        region_mask(region, GRID)


@pytest.mark.parametrize(
    "bounds", [{}, {"x": (1.0,)}, {"x": (None, None)}, {"x": (2.0, 1.0)}, {"x": ("1", None)}, {"x": (np.nan, 1.0)}]
)
def test_bad_bounds_are_refused(bounds):
    with pytest.raises(RegionError):
        fp.where(**bounds)


def test_a_wall_on_a_centre_takes_the_cell_in_whatever_the_rounding():
    centre = GRID.axes[0].centres[5]
    masks = [region_mask(fp.where(x=(centre + shift, None)), GRID) for shift in (-1e-12, 0.0, 1e-15, 1e-12)]
    assert all(np.array_equal(mask, masks[0]) for mask in masks) and masks[0][5].all()
