"""Path functionals of one step, against NumPy."""

import numpy as np
import pytest

from fpsolver.kernels.cpu.accounts import add_difference, add_log_ratio, add_path_integral, add_time_integral
from fpsolver.kernels.cpu.lanes import close_gap, first_failure, is_finite, lane_ids, set_parameters

LANES = 256
D = 3


@pytest.fixture
def rows():
    random = np.random.default_rng(2)
    return [random.normal(size=(D, LANES)) for _ in range(3)]


def test_sums_of_one_step(rows):
    f, g, dx = rows
    for sign in (1.0, -1.0):
        total = np.ones(LANES)
        add_path_integral(total, f.ravel(), g.ravel(), dx.ravel(), D, sign)
        np.testing.assert_allclose(total, 1 + sign * (0.5 * (f + g) * dx).sum(axis=0), rtol=1e-13)
    total = np.ones(LANES)
    add_time_integral(total, f[0], g[0], 0.3)
    np.testing.assert_allclose(total, 1 + 0.15 * (f[0] + g[0]), rtol=1e-13)
    total = np.ones(LANES)
    add_difference(total, f[0], g[0])
    np.testing.assert_allclose(total, 1 + f[0] - g[0], rtol=1e-13)
    total = np.ones(LANES)
    add_log_ratio(total, f.ravel(), g.ravel(), D)
    np.testing.assert_allclose(total, 1 + 0.5 * (g**2 - f**2).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200, -1e200])
def test_the_first_bad_lane_is_found_and_ghosts_are_not(value):
    block = np.zeros(2 * LANES)
    assert first_failure(block, LANES, 1e154) == -1
    block[LANES + 200] = value
    block[40] = -1e154
    assert first_failure(block, LANES, 1e154) == 200
    assert first_failure(block, 200, 1e154) == -1
    block[7] = value
    assert first_failure(block, LANES, 1e154) == 7


def test_lanes_and_parameters():
    ids = lane_ids(512, 3)
    assert ids.dtype == np.uint64 and ids[0] == 512 + 768 and ids[-1] == 512 + 1023
    p = np.zeros(4)
    set_parameters(p, np.array([2, 0]), np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    assert p.tolist() == [4.0, 0.0, 3.0, 0.0]


def test_living_lanes_fill_the_gaps():
    live = np.random.default_rng(3).random(2 * LANES) < 0.4
    ids = np.arange(2 * LANES)
    expected = set(ids[live])
    states = np.stack([ids, 1000 + ids]).reshape(2, 2, LANES).swapaxes(0, 1).reshape(2, 2 * LANES).astype(float)
    front, back = close_gap(states, live, 0, 2 * LANES - 1, 2)
    while front < back:
        front, back = close_gap(states, live, front, back, 2)
    assert front == len(expected) and live[:front].all() and not live[front:].any()
    first, second = states.reshape(2, 2, LANES).swapaxes(0, 1).reshape(2, -1)[:, :front]
    assert set(first) == expected
    np.testing.assert_array_equal(second, first + 1000)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e200])
def test_a_lane_is_finite_in_all_its_rows(value):
    x = np.zeros(2 * LANES)
    x[LANES + 9] = value
    assert is_finite(x, 1e154, 2, 8) and not is_finite(x, 1e154, 2, 9)
