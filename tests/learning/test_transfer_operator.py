"""Invariant densities by Ulam's method and with noise, against the Chebyshev map, orbits and trajectories."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import GridError, InputError, MethodError
from fpsolver.learning import bifurcation_diagram, density_diagram, ulam_generator

WELL = fp.landscapes.double_well()


def line(lower, upper, cells, boundary="reflecting"):
    return fp.Grid(x=fp.Axis(lower, upper, cells, boundary=boundary))


def test_probability_is_kept_and_stays_positive():
    W = ulam_generator(WELL, 1.4, line(-1.5, 1.5, 77))
    columns = W.step.sum(axis=0)
    np.testing.assert_allclose(columns, 1.0, rtol=1e-14)
    assert W.step.data.min() >= 0.0


def test_invariant_density_of_the_chebyshev_map():
    errors = []
    for cells in (100, 900):
        p = fp.stationary(ulam_generator(WELL, 2.0, line(-np.sqrt(2), np.sqrt(2), cells)))
        exact = np.diff(np.arcsin(np.clip(p.grid.axes[0].faces / np.sqrt(2), -1, 1)) / np.pi)
        errors.append(np.abs(p.values * p.grid.volumes - exact).sum())
    # Both ends carry an inverse square root, of which the outermost cells hold √h: the order is one half.
    assert errors[0] / errors[1] == pytest.approx(3.0, rel=0.3)


def test_an_orbit_of_period_two_holds_half_the_probability_at_each_state():
    eta = 1.1
    orbit = bifurcation_diagram(WELL, [eta], [0.9], transient=500).states[0, :2, 0]
    p = fp.stationary(ulam_generator(WELL, eta, line(0.6, 1.15, 500)))
    mass, x = p.values * p.grid.volumes, p.grid.axes[0].centres
    for state in orbit:
        # The multiplier is −0.82²: what discretisation spreads by half a cell a step stays within a few cells.
        assert mass[np.abs(x - state) < 10 * p.grid.axes[0].widths[0]].sum() == pytest.approx(0.5, abs=1e-3)


def test_probability_that_leaves_through_an_absorbing_wall():
    W = ulam_generator(WELL, 2.2, line(-1.6, 1.6, 200, boundary="absorbing"))
    np.testing.assert_allclose(np.asarray(W.step.sum(axis=0)) + W.killing, 1.0, rtol=1e-13)
    assert W.killing.max() > 0.9
    with pytest.raises(GridError, match=r"leaves the grid at -1\.6 and 1\.6"):
        ulam_generator(WELL, 2.2, line(-1.6, 1.6, 200))


def test_noise_splits_beyond_the_edge_of_stability():
    grid = line(0.5, 1.4, 300)
    diagram = density_diagram(WELL, [0.5, 1.1], grid, fp.GaussianNoise(1e-4))
    x, middle = grid.axes[0].centres, np.abs(grid.axes[0].centres - 0.97) < 0.02
    below, above = diagram.densities
    np.testing.assert_allclose(diagram.densities @ grid.volumes, 1.0, rtol=1e-12)
    # One peak below; beyond, two peaks at the states of the orbit of period two with a gap between them.
    assert abs(x[below.argmax()] - 1.0) < 0.02
    orbit = np.sort(bifurcation_diagram(WELL, [1.1], [0.9], transient=500).states[0, :2, 0])
    peaks = [x[side][above[side].argmax()] for side in (x < 0.97, x > 0.97)]
    # Steps of standard deviation 0.011 smear the states over about twice that, and shift them less than that.
    np.testing.assert_allclose(peaks, orbit, atol=0.011)
    assert above[middle].max() < 0.3 * above.max()


def test_without_noise_the_diagram_holds_the_invariant_densities():
    grid = line(0.4, 1.2, 150)
    diagram = density_diagram(WELL, [1.3, 1.35], grid)
    expected = fp.stationary(ulam_generator(WELL, 1.35, grid)).values
    np.testing.assert_array_equal(diagram.densities[1], expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ulam_generator(WELL, 0.5, fp.Grid(y=(-1, 1, 10))), GridError, "one axis"),
        (lambda: ulam_generator(WELL, 0.5, line(0.0, 1.0, 10, "periodic")), GridError, "not periodic"),
        (lambda: density_diagram(WELL, [], line(-1, 1, 10)), InputError, "vector"),
        (lambda: density_diagram(WELL, [0.5], line(-1, 1, 10), momentum=0.5), InputError, "noise"),
        (lambda: density_diagram(WELL, [0.5], line(-1.5, 1.5, 100)), MethodError, "unique"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
