"""SGD as a chain on a grid: exact moments of one step, closed forms of its stationary state and spectrum."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov

import fpsolver as fp
from fpsolver.errors import DynamicsError, GridError, GridWarning, MethodError
from fpsolver.generators.gaussian_steps import BROAD, FINE, SPREAD

BOWL = fp.Landscape("x**2/2")
EPS = np.finfo(float).eps


def chain(learning_rate=0.1, covariance=1.0, cells=200, reach=3.0, landscape=BOWL, **options):
    sgd = fp.SGD(landscape, learning_rate, noise=fp.GaussianNoise(covariance), **options)
    return fp.generator(sgd, fp.Grid(x=(-reach, reach, cells)))


def moment(p, power, axis=0):
    values = np.asarray(p) * p.grid.volumes
    return float((values * p.grid.points[..., axis] ** power).sum())


@pytest.mark.parametrize("learning_rate", [0.1, 1.0, 1.9])
def test_stationary_variance_on_a_quadratic(learning_rate):
    variance = learning_rate / (2 - learning_rate)
    p = fp.stationary(chain(learning_rate, cells=120, reach=9 * np.sqrt(variance)))
    # 9σ leave 1e-18 outside; rounding is magnified by the relaxation time, 10 steps at most.
    assert moment(p, 2) == pytest.approx(variance, rel=1e-13)
    assert moment(p, 1) == pytest.approx(0.0, abs=1e-13 * np.sqrt(variance))


def test_weight_decay_adds_to_the_curvature():
    rate, h = 0.2, 1.5
    p = fp.stationary(chain(rate, cells=150, weight_decay=0.5))
    assert moment(p, 2) == pytest.approx(rate / (h * (2 - rate * h)), rel=1e-13)


@pytest.mark.parametrize(("learning_rate", "cells"), [(0.1, 150), (1.9, 150), (1.5, 700)])
def test_multipliers_on_a_quadratic_are_powers(learning_rate, cells):
    width = 9 * np.sqrt(learning_rate / (2 - learning_rate))
    s = fp.spectrum(chain(learning_rate, cells=cells, reach=width), k=4)
    exact = (1 - learning_rate) ** np.arange(4.0)
    # Rounding, times the condition of eigenvalues that `stats` tells.
    np.testing.assert_allclose(s.multipliers, exact, atol=max(10 * s.stats["accuracy"], 1e-13))
    np.testing.assert_allclose(s.times[1:], -1 / np.log(np.abs(exact[1:])), rtol=1e-10)
    assert s.times[0] == np.inf


def test_density_with_noise_that_does_not_commute_with_the_hessian():
    hessian, covariance, rate = np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.0, -0.4], [-0.4, 0.7]]), 0.4
    sgd = fp.SGD(fp.Landscape("x**2 + 0.3*x*y + 0.25*y**2"), rate, noise=fp.GaussianNoise(covariance))
    # The axes are given in the other order than the variables.
    grid = fp.Grid(y=(-4.4, 4.4, 40), x=(-3.0, 3.0, 40))
    p = fp.stationary(fp.generator(sgd, grid), tolerance=1e-11)
    points = grid.points[..., ::-1].reshape(-1, 2)
    found = np.einsum("n,ni,nj->ij", (p.values * grid.volumes).ravel(), points, points)
    exact = [[0.17884385428311234, -0.12764163167601827], [-0.12764163167601827, 0.38634040217631216]]
    # The lattice sums of steps of 2 cells; GMRES to 1e-11; 7σ leave 1e-11 outside, times 50σ².
    np.testing.assert_allclose(found, exact, atol=1e-9)
    step = np.eye(2) - rate * hessian
    np.testing.assert_allclose(exact, solve_discrete_lyapunov(step, rate**2 * covariance), rtol=1e-13)


def test_entropy_production_of_the_chain_that_does_not_commute():
    h1, h2, c, rate = 1.0, 3.0, 0.5, 0.3
    sgd = fp.SGD(fp.Landscape("x**2/2 + 3*y**2/2"), rate, noise=fp.GaussianNoise([[1.0, c], [c, 1.0]]))
    W = fp.generator(sgd, fp.Grid(x=(-2.8, 2.8, 30), y=(-1.8, 1.8, 30)))
    p = fp.stationary(W, tolerance=1e-11)
    exact = rate * c**2 / (1 - c**2) * (h1 - h2) ** 2 / (h1 + h2 - rate * h1 * h2)
    found = fp.thermodynamics.entropy_production(W, p)
    # Flows are cut at 8.5σ and at 1e-12 of all of them; 6.6σ leave 1e-10 outside.
    assert found.total == pytest.approx(exact, rel=1e-8)
    assert found.medium == pytest.approx(exact, rel=1e-8)


def test_entropy_balance_on_cells_of_different_widths():
    """The entropy of a density is that of p per volume, so that widths count in the flow too."""
    grid = fp.Grid(x=fp.Axis(-3.0, 3.0, 60, spacing="tanh", stretch=2.0))
    W = fp.generator(fp.SGD(BOWL, 0.5, noise=fp.GaussianNoise(4.0)), grid)
    found = fp.thermodynamics.entropy_production(W, fp.gaussian(grid, [0.5], [[0.3]]))
    assert abs(found.system) > 0.1
    assert found.total == pytest.approx(found.system + found.medium, rel=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 6.0), st.floats(0.02, 0.9), st.floats(-0.9, 0.9))
def test_mass_mean_and_sign_of_every_step(width, rate, slope):
    grid = fp.Grid(x=fp.Axis(-3.0, 3.0, 90, boundary="absorbing"))
    h = grid.spacings[0]
    landscape = fp.Landscape("x**4/8 - x**2/2 + s*x", variables=("x",), parameters={"s": slope})
    W = fp.generator(fp.SGD(landscape, rate, noise=fp.GaussianNoise((width * h / rate) ** 2)), grid)
    step = W.step
    assert step.min() >= 0.0
    np.testing.assert_allclose(step.sum(axis=0) + W.killing, 1.0, atol=20 * EPS)
    inside = W.killing == 0.0
    x = grid.axes[0].centres
    drift = x - rate * landscape.gradient(x[:, None])[:, 0]
    # Sharing keeps means to rounding, sampling to exp(−2π²1.25²) of a cell.
    np.testing.assert_allclose((x @ step)[inside], drift[inside], atol=1e-12)


@pytest.mark.parametrize("width", [0.45, 0.7, 1.0, 1.2499, 1.2501, 3.0])
def test_variance_of_a_step_of_any_width(width):
    grid = fp.Grid(x=(-4.0, 4.0, 80))
    W = fp.generator(fp.SGD(BOWL, 0.37, noise=fp.GaussianNoise((width * 0.1 / 0.37) ** 2)), grid)
    x = grid.axes[0].centres
    kept = W.folded == 0.0
    mean = (x @ W.step)[kept]
    variance = (x**2 @ W.step)[kept] - mean**2
    # Of what sharing adds, the average is made up for. What varies with the place is the aliased part of the spectrum,
    # in its leading term, and what the points miss of the kinks at centres.
    left = np.sqrt(max(width**2 - SPREAD, 0.0))
    alias = np.exp(-2 * np.pi**2 * left**2) / np.pi**2 + FINE**2 / 4 if width < BROAD else 1e-11
    np.testing.assert_allclose(variance, (width * 0.1) ** 2, atol=1.1 * alias * 0.1**2)
    assert bool(W.notes) == (width < BROAD)


def test_moments_under_noise_that_depends_on_the_place():
    rate = 0.3
    grid = fp.Grid(x=(-18.0, 18.0, 800))
    W = fp.generator(fp.SGD(BOWL, rate, noise=fp.GaussianNoise("1 + x**2")), grid)
    p0 = np.zeros(800)
    p0[420] = 1 / grid.spacings[0]
    solution = fp.evolve(W, p0, times=[0, 1, 2, 3])
    x = grid.axes[0].centres
    found = (solution.densities * grid.volumes) @ x**2
    exact = [x[420] ** 2]
    for _ in range(3):
        exact.append(((1 - rate) ** 2 + rate**2) * exact[-1] + rate**2)
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    assert solution.stats["method"] == "steps"


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_modes_of_free_steps_between_walls_are_cosines(boundary):
    length, deviation = 2.0, 0.15
    grid = fp.Grid(x=fp.Axis(-1.0, 1.0, 60, boundary=boundary))
    free = fp.Landscape("0*x", variables=("x",))
    s = fp.spectrum(fp.generator(fp.SGD(free, 1.0, noise=fp.GaussianNoise(deviation**2)), grid), k=5)
    turns = np.arange(5) / 2 if boundary == "reflecting" else np.array([0, 1, 1, 2, 2])
    exact = np.exp(-((2 * np.pi * turns / length * deviation) ** 2) / 2)
    np.testing.assert_allclose(s.multipliers, exact, atol=1e-13)
    np.testing.assert_allclose(s.modes[0].real, 1 / length, rtol=1e-12)


def test_a_driven_chain_takes_the_values_at_the_beginning_of_each_step():
    sgd = fp.SGD(BOWL, 0.1, noise=fp.GaussianNoise(1.0), protocol={"learning_rate": "0.2/(1 + t/4)"})
    grid = fp.Grid(x=(-3, 3, 200))
    solution = fp.evolve(fp.generator(sgd, grid), fp.gaussian(grid, [1.0], [[0.04]]), times=[2, 12], start=2)
    rates = 0.2 / (1 + np.arange(2, 12) / 4)
    variance = 0.04 + grid.spacings[0] ** 2 / 12
    for rate in rates:
        variance = (1 - rate) ** 2 * variance + rate**2
    x, final = grid.axes[0].centres, solution.final * grid.volumes
    assert final @ x == pytest.approx(np.prod(1 - rates), rel=1e-12)
    # The initial density is cut at 10σ.
    assert final @ x**2 - (final @ x) ** 2 == pytest.approx(variance, rel=1e-11)


def test_steps_without_noise_keep_the_mean():
    grid = fp.Grid(x=(-2.0, 2.0, 101))
    W = fp.generator(fp.SGD(BOWL, 0.3), grid)
    solution = fp.evolve(W, fp.gaussian(grid, [1.0], [[0.01]]), times=[0, 1, 5])
    means = (solution.densities * grid.volumes) @ grid.axes[0].centres
    np.testing.assert_allclose(means, 0.7 ** np.array([0, 1, 5]), rtol=1e-12)
    assert "shared" in W.notes[0]


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_on_positions_and_velocities(nesterov):
    rate, beta, h = 0.1, 0.5, 0.07
    sgd = fp.SGD(BOWL, rate, noise=fp.GaussianNoise(1.0), momentum=beta, nesterov=nesterov)
    grid = fp.Grid(x=(-35.5 * h, 35.5 * h, 71), velocity={"x": (-16.5 * h, 16.5 * h, 33)})
    p = fp.stationary(fp.generator(sgd, grid), tolerance=1e-10)
    look = 1 - rate if nesterov else 1.0
    step = np.array([[1 - rate, beta * look], [-rate, beta * look]])
    exact = solve_discrete_lyapunov(step, rate**2 * np.ones((2, 2)))
    # 7σ leave 1e-11 outside; steps of 1.43 cells.
    assert moment(p, 2) == pytest.approx(exact[0, 0], abs=1e-8)
    assert moment(p, 2, axis=1) == pytest.approx(exact[1, 1], abs=1e-8)
    if not nesterov:
        assert exact[0, 0] == pytest.approx(0.10344827586206898, rel=1e-13)


def test_reflected_positions_turn_their_velocities_round():
    grid = fp.Grid(x=fp.Axis(-1.0, 1.0, 20, boundary="reflecting"), velocity={"x": (-1.05, 1.05, 21)})
    free = fp.Landscape("0*x", variables=("x",))
    W = fp.generator(fp.SGD(free, 0.1, momentum=0.999999999999), grid)
    p0 = np.zeros(grid.shape)
    p0[17, 15] = 1 / grid.volumes[0, 0]  # at 0.75, with velocity 0.5
    final = fp.evolve(W, p0, times=[1]).final
    assert np.unravel_index(np.argmax(final), grid.shape) == (17, 5)


def test_grids_that_cut_through_the_chain_warn():
    with pytest.warns(GridWarning, match="leads? behind the walls|cuts through"):
        fp.stationary(chain(1.9, cells=60, reach=4.0))
    with pytest.warns(GridWarning, match="at an output time lead behind the walls"):
        W = chain(3.0, cells=60, reach=4.0)
        fp.evolve(W, fp.gaussian(W.grid, [0.0], [[0.1]]), times=[10])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sgd = fp.SGD(BOWL, 1.9, noise=fp.GaussianNoise(1.0))
        fp.stationary(fp.generator(sgd, fp.Grid(x=fp.Axis(-4, 4, 60, boundary="reflecting"))))


def test_what_a_chain_refuses():
    grid = fp.Grid(x=(-3, 3, 100))
    with pytest.raises(DynamicsError, match="velocity axes"):
        fp.generator(fp.SGD(BOWL, 0.1, momentum=0.9), grid)
    with pytest.raises(DynamicsError, match="leave it out"):
        fp.generator(fp.SGD(BOWL, 0.1), grid, floor=0.1)
    with pytest.raises(DynamicsError, match="only one"):
        fp.generator(fp.SGD(BOWL, 0.1), grid, scheme="upwind")
    with pytest.raises(GridError, match="leads to"):
        fp.generator(fp.SGD(fp.Landscape("exp(x**4)"), 0.1), fp.Grid(x=(-9, 9, 20)))
    with pytest.raises(GridError, match="coarsen"):
        sgd = fp.SGD(fp.Landscape("x**2 + y**2"), 0.1, noise=fp.GaussianNoise(1.0))
        fp.generator(sgd, fp.Grid(x=(-0.05, 0.05, 60), y=(-0.05, 0.05, 60)))
    circle = fp.Grid(x=fp.Axis(-np.pi, np.pi, 60, boundary="periodic"))
    fp.generator(fp.SGD(fp.Landscape("cos(x)"), 0.1, noise=fp.GaussianNoise("2 + sin(x)")), circle)
    for landscape, noise, decay in (
        ("x**2", None, 0.0),
        ("cos(x)", fp.GaussianNoise("9 + x"), 0.0),
        ("cos(x)", None, 0.1),
    ):
        with pytest.raises(GridError, match="period"):
            fp.generator(fp.SGD(fp.Landscape(landscape), 0.1, noise=noise, weight_decay=decay), circle)
    with pytest.raises(DynamicsError, match=r"negative eigenvalue at x = -2\.97"):
        fp.generator(fp.SGD(BOWL, 0.1, noise=fp.GaussianNoise("x")), grid)
    with pytest.raises(MethodError, match="freeze"):
        driven = fp.SGD(BOWL, 0.1, protocol={"learning_rate": "0.1 + 0*t"})
        fp.stationary(fp.generator(driven, grid))
