"""Entropy production from face fluxes: exact properties on the grid, order of convergence, and the closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError, MethodError
from fpsolver.theory import linear_diffusion
from fpsolver.thermodynamics import entropy_production

PLANE = fp.Landscape("x**4/4 - x**2/2 + y**2 + x*y/2")
SYSTEMS = {
    "gradient": fp.Langevin(PLANE, temperature=0.6),
    "force": fp.Langevin(PLANE, temperature=0.6, force=("y", "-x")),
    "tensor mobility": fp.Langevin(PLANE, temperature=0.6, mobility=[[1.0, 0.4], [0.4, 0.7]], force=("y", "0")),
    "independent diffusion": fp.Langevin(PLANE, diffusion=[[0.5, 0.2], [0.2, 0.4]]),
    "mobility of x": fp.Langevin(PLANE, temperature=0.6, mobility="1 + x**2/4"),
    "Ito": fp.Langevin(PLANE, diffusion="0.5 + x**2/8", convention="ito"),
}


def plane(name=""):
    """A grid whose cells are of different sizes, where there is no tensor to forbid it."""
    faces = 3 * np.sinh(np.linspace(-1, 1, 25)) if "tensor" not in name and "diffusion" not in name else None
    x = fp.Axis(faces=faces, boundary="reflecting") if faces is not None else fp.Axis(-3, 3, 24, boundary="reflecting")
    return fp.Grid(x=x, y=fp.Axis(-3, 3, 19, boundary="reflecting"))


def bumpy(grid, seed=0):
    noise = np.random.default_rng(seed).uniform(0.2, 1.0, grid.shape)
    return fp.density(grid, noise * np.exp(-np.sum(grid.points**2, axis=-1) / 3))


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("seed", range(2))
def test_system_and_medium_add_up_and_nothing_is_negative(name, seed):
    """Sums of some 500 cells, so rounding is a few hundred units in the last place of the largest part."""
    W = fp.generator(SYSTEMS[name], plane(name))
    p = bumpy(W.grid, seed)
    rates = entropy_production(W, p)
    largest = max(abs(rates.total), abs(rates.system), abs(rates.medium))
    assert rates.total == pytest.approx(rates.system + rates.medium, abs=500 * 2.2e-16 * largest)
    assert rates.local.min() >= 0
    assert np.sum(rates.local * W.grid.volumes) == pytest.approx(rates.total, rel=1e-13)


@pytest.mark.parametrize("name", ["gradient", "mobility of x"])
def test_free_energy_falls_as_entropy_is_produced(name):
    """dF/dt = −TΣ̇ to rounding where detailed balance holds; dF/dt is taken from dP/dt on the cells, not from fluxes."""
    W = fp.generator(SYSTEMS[name], plane())
    p = bumpy(W.grid)
    change = W.apply(p) * W.grid.volumes
    rate = np.sum(change * (PLANE.value(W.grid.points) + 0.6 * np.log(p)))
    assert rate == pytest.approx(-0.6 * entropy_production(W, p).total, rel=1e-11)


def test_equilibrium_produces_nothing_and_a_steady_state_only_in_the_medium():
    """With rates of 1e3 in cells of 1e−3 the fluxes cancel to 1e−16 each; their squares are what is left."""
    W = fp.generator(SYSTEMS["gradient"], plane())
    assert entropy_production(W, fp.boltzmann(PLANE, W.grid, 0.6)).total < 1e-25
    W = fp.generator(SYSTEMS["force"], plane())
    steady = entropy_production(W, fp.stationary(W))
    assert steady.total > 0.01
    assert abs(steady.system) < 1e-10
    assert steady.medium == pytest.approx(steady.total, rel=1e-9)


def test_entropy_production_of_a_gaussian_converges_at_second_order():
    """TΣ̇ = 5.6 of N(2, 0.1) in x²/2 at T = 0.5; dS/dt = 4 and heat 3.6 with it."""
    exact = np.array([5.6, 4.0, 3.6])
    assert exact[0] == pytest.approx(
        float(linear_diffusion.dissipation_of_a_gaussian(2.0, 0.1, stiffness=1.0, temperature=0.5))
    )
    errors = []
    for cells in (100, 200, 400):
        grid = fp.Grid(x=(-5, 6, cells))
        W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), grid)
        rates = entropy_production(W, fp.gaussian(grid, [2.0], [[0.1]]))
        errors.append(np.array([0.5 * rates.total, rates.system, 0.5 * rates.medium]) - exact)
    orders = np.log2(np.abs(errors[:-1]) / np.abs(errors[1:]))
    assert np.abs(orders - 2).max() < 0.1


def test_medium_is_the_current_times_the_force_over_temperature():
    """∫ J·(F − ∇L)/T from vectors at centres, a rule of second order, against the sum over edges."""
    errors = []
    for cells in (30, 60, 120):
        grid = fp.Grid(x=(-3.5, 3.5, cells), y=(-3.5, 3.5, cells))
        W = fp.generator(SYSTEMS["force"], grid)
        p = fp.gaussian(grid, [0.5, 0.2], [[0.2, 0.0], [0.0, 0.2]])
        x, y = np.moveaxis(grid.points, -1, 0)
        force = np.stack([y, -x], axis=-1) - PLANE.gradient(grid.points)
        integral = np.sum(fp.current(W, p).vectors * force * grid.volumes[..., None]) / 0.6
        errors.append(entropy_production(W, p).medium - integral)
    assert np.abs(np.log2(np.abs(errors[:-1]) / np.abs(errors[1:])) - 2).max() < 0.15


def test_gyrator_and_linear_noise_against_the_lyapunov_equation():
    """σ = tr(AᵀD⁻¹AS) − tr A, to second order: the error falls by four."""
    for drift, diffusion in (
        ([[1.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 2.0]]),
        ([[1.0, 0.0], [0.0, 3.0]], [[0.5, 0.25], [0.25, 0.5]]),
    ):
        exact = float(linear_diffusion.entropy_production_rate(drift, diffusion))
        a = np.array(drift)
        loss = fp.Landscape(f"{a[0, 0]}*x**2/2 + {a[1, 1]}*y**2/2 + {a[0, 1]}*x*y")
        errors = []
        for cells in (32, 64):
            side = 7 * np.sqrt(np.diag(linear_diffusion.stationary_covariance(drift, diffusion)))
            axes = [fp.Axis(-s, s, cells, boundary="reflecting") for s in side]
            W = fp.generator(fp.Langevin(loss, diffusion=diffusion), fp.Grid(x=axes[0], y=axes[1]))
            errors.append(entropy_production(W, fp.stationary(W)).total - exact)
        assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


def test_a_washboard_produces_force_times_velocity():
    """In a steady state with a constant force TΣ̇ = Fv, to rounding: the loss itself takes nothing over a period."""
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 64, boundary="periodic"))
    for dynamics in (
        fp.Langevin(fp.Landscape("-cos(x)"), temperature=0.5, force=(0.9,)),
        fp.Langevin(fp.Landscape("-cos(x) - 0.9*x"), temperature=0.5),
    ):
        W = fp.generator(dynamics, ring)
        p = fp.stationary(W)
        velocity = fp.current(W, p).mean_velocity()[0]
        assert 0.5 * entropy_production(W, p).total == pytest.approx(0.9 * velocity, rel=1e-11)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-6, 1.0), min_size=12, max_size=12), st.floats(-2.0, 2.0))
def test_no_density_on_a_ring_destroys_entropy(values, force):
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 12, boundary="periodic"))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=0.7, force=(force,)), ring)
    p = fp.density(ring, np.array(values))
    rates = entropy_production(W, p)
    assert rates.local.min() >= 0
    assert rates.total == pytest.approx(rates.system + rates.medium, rel=1e-10, abs=1e-12)


def test_empty_cells():
    """A flux into an empty cell produces infinite entropy; tails that underflow to zero do not count."""
    grid = fp.Grid(x=(-5, 5, 50))
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), grid)
    point = np.zeros(50)
    point[20] = 5.0
    assert entropy_production(W, point).total == np.inf
    assert entropy_production(W, point).system == np.inf
    narrow = fp.gaussian(grid, [0.0], [[0.01]])
    assert (narrow == 0).any()
    assert np.isfinite(entropy_production(W, narrow).total)


def test_what_has_no_entropy_production_is_refused():
    x = fp.Landscape("x**2/2")
    wall = fp.generator(fp.Langevin(x, temperature=1.0), fp.Grid(x=fp.Axis(-3, 3, 20, boundary="absorbing")))
    with pytest.raises(MethodError, match="absorbs"):
        entropy_production(wall, np.full(20, 1 / 6))
    driven = fp.Langevin(
        fp.Landscape("a*x**2/2", variables=("x",), parameters={"a": 1.0}), temperature=1.0, protocol={"a": "1 + t"}
    )
    with pytest.raises(MethodError, match=r"W\.at"):
        entropy_production(fp.generator(driven, fp.Grid(x=(-5, 5, 20))), np.full(20, 0.1))
    with pytest.raises(MethodError, match="ndarray is no generator"):
        entropy_production(np.eye(20), np.full(20, 0.1))
    W = fp.generator(fp.Langevin(x, temperature=1.0), fp.Grid(x=(-6, 6, 20)))
    with pytest.raises(DensityError, match="negative"):
        entropy_production(W, -fp.gaussian(W.grid, [0.0], [[1.0]]))
