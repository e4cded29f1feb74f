"""Densities are told apart by content."""

import subprocess
import sys

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.ensembles.density_identity import density_hash
from fpsolver.fields import Field
from fpsolver.solvers.evolve import Evolution

GRID, OTHER_GRID = fp.Grid(x=(-1, 1, 8)), fp.Grid(x=(-1, 1.5, 8))


def flat(points, t):
    return 0.5 + 0 * points[..., 0]


def steep(points, t):
    return 0.7 + 0 * points[..., 0]


def of_width(width):
    return lambda points, t: np.exp(-(points[..., 0] ** 2) / width)


def field(value, grid=GRID):
    return Field(grid, np.full(grid.shape, value))


def evolution(value, time):
    return Evolution(GRID, np.array([0.0, time]), np.full((2, 8), value))


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (fp.Gaussian([0.0], 1.0), fp.Gaussian([0.0], [[1.0]]), fp.Gaussian([0.0], 1.0 + 1e-15)),
        (fp.Gaussian([0.0], 1.0), fp.Gaussian([0.0], 1.0), fp.Gaussian([1e-9], 1.0)),
        (field(0.5), field(0.5), field(0.25)),
        (field(0.5), field(0.5), field(0.5, OTHER_GRID)),
        (evolution(0.5, 1.0), evolution(0.5, 1.0), evolution(0.5, 2.0)),
        (evolution(0.5, 1.0), evolution(0.5, 1.0), evolution(0.25, 1.0)),
        (flat, flat, steep),
        (of_width(1.0), of_width(1.0), of_width(2.0)),
        (of_width(np.arange(3)), of_width(np.arange(3)), of_width(np.arange(1, 4))),
    ],
)
def test_densities_are_told_apart_by_content(one, same, other):
    assert density_hash(one) == density_hash(same) != density_hash(other)


def test_functions_hash_alike_in_another_process():
    code = "import test_density_identity as t; print(t.density_hash(t.of_width(1.0)), t.density_hash(t.flat))"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.split() == [density_hash(of_width(1.0)), density_hash(flat)]
