"""Weights next to walls: exactness, and first passage of SGD's chain to the seventh order in the cell width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.grids import Axis, Grid
from fpsolver.solvers.wall_weights import DEGREE, LEAST_WEIGHT, end_weights, wall_weights

WELLS = fp.Landscape("x**4/4 - x**2/2")
TEMPERATURE = 0.1
# Reference values of the chain's mean number of steps from −1 until x > 0, at learning rates 0.2 and 0.1.
STEPS = {0.2: 178.886022621014, 0.1: 356.69180166571675}


@given(st.floats(0.0, 1.0), st.integers(1, 40))
def test_end_weights_are_positive_and_make_polynomials_exact(distance, most):
    weights = end_weights(distance, most)
    assert len(weights) <= most
    assert len(weights) == 0 or weights.min() >= LEAST_WEIGHT - 1e-12
    if most < 4 * DEGREE:
        return
    # From a wall at 0 to half a cell beyond centre n − 1, where the sum goes on with the weight one.
    n = len(weights) + 30
    x = np.arange(n) + distance
    whole = np.concatenate([weights, np.ones(30)])
    for power in range(DEGREE):
        # The other end is cut by the same rule, the wrong way round: one more wall, at a face.
        other = np.concatenate([np.ones(n - 6), end_weights(0.5, 6)[::-1]])
        end = n - 0.5 + distance
        exact = end ** (power + 1) / (power + 1)
        assert (whole + other - 1) @ x**power == pytest.approx(exact, rel=1e-10)


def test_a_wall_between_two_centres_is_found_from_either_side():
    grid = Grid(x=(0.0, 20.0, 20))
    labels = (grid.points[..., 0] > 7.2).astype(int)
    for region in (fp.where(x=(7.2, None)), fp.where(x=(7.2, 30.0))):
        (weights,) = wall_weights(grid, labels, (region,))
        # Seven cells and 0.2 of one remain outside.
        assert weights[labels == 0].sum() == pytest.approx(7.2, rel=1e-12)
        assert weights.sum() == pytest.approx(20.0, rel=1e-12)


def test_weights_stay_one_where_walls_are_not_planes_across_one_uniform_axis():
    grid = Grid(x=(-1, 1, 10), y=(-1, 1, 10))
    disc = (grid.points**2).sum(axis=-1) < 0.5
    assert all((w == 1).all() for w in wall_weights(grid, disc.astype(int), (disc,)))
    stretched = Grid(x=Axis(0, 1, 20, spacing="geometric", stretch=3.0))
    beyond = stretched.points[..., 0] > 0.5
    assert (wall_weights(stretched, beyond.astype(int), (beyond,))[0] == 1).all()
    half = grid.points[..., 1] > 0
    along_x, along_y = wall_weights(grid, half.astype(int), (half,))
    assert (along_x == 1).all() and (along_y != 1).any() and np.ptp(along_y, axis=0).max() == 0


def test_walls_on_a_circle():
    grid = Grid(x=Axis(0.0, 30.0, 30, boundary="periodic"))
    labels = ((grid.points[..., 0] > 27) | (grid.points[..., 0] < 3)).astype(int)
    (weights,) = wall_weights(grid, labels, (labels == 1,))
    assert weights[labels == 0].sum() == pytest.approx(24.0, rel=1e-12)
    np.testing.assert_allclose(weights, weights[::-1], atol=1e-12)


def error(learning_rate, cells_to_the_wall, target):
    """Return the relative error of the mean number of steps, on a grid with a centre at −1 and the wall at 0."""
    noise = fp.GaussianNoise(2 * TEMPERATURE / learning_rate)
    h = 1 / cells_to_the_wall
    lower = -1 - h * (int(1.6 / h) + 0.5)
    cells = int(4.4 / h)
    grid = fp.Grid(x=(lower, lower + cells * h, cells))
    W = fp.generator(fp.SGD(WELLS, learning_rate, noise=noise), grid)
    return fp.mean_first_passage_time(W, target).at([[-1.0]])[0] / STEPS[learning_rate] - 1


# The wall on a face, by a predicate; then in a cell, near to its centre and not.
WALLS = [(0.5, lambda x: x > 0), (0.1, fp.where(x=(0.0, None))), (0.8, fp.where(x=(0.0, 9.0)))]


@pytest.mark.parametrize(("offset", "target"), WALLS)
def test_mean_number_of_steps_converges_to_order_seven(offset, target):
    coarse, fine = (abs(error(0.2, cells + offset, target)) for cells in (40, 80))
    # Order DEGREE + 1 in the end; a wall far from the centre before it comes to that later.
    assert np.log2(coarse / fine) > DEGREE - 0.5
    assert fine < 1e-7


def test_mean_number_of_steps_to_eight_digits():
    # 13 cells a standard deviation of a step.
    assert abs(error(0.2, 64.5, lambda x: x > 0)) < 1e-8
    assert abs(error(0.1, 90.5, lambda x: x > 0)) < 1e-8
    for rate in STEPS:
        by_quadrature = fp.theory.chain_passage.mean_steps(
            WELLS, -1.0, 0.0, temperature=TEMPERATURE, learning_rate=rate
        )
        assert float(by_quadrature) == pytest.approx(STEPS[rate], rel=1e-9)


def test_committor_of_a_symmetric_chain_is_one_half_in_the_middle():
    grid = fp.Grid(x=(-2.5, 2.5, 251))
    W = fp.generator(fp.SGD(WELLS, 0.2, noise=fp.GaussianNoise(1.0)), grid)
    q = fp.committor(W, fp.where(x=(None, -0.503)), fp.where(x=(0.503, None)))
    assert q.at([[0.0]])[0] == pytest.approx(0.5, abs=1e-10)
