from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError, MethodError
from fpsolver.thermodynamics.entropy import mean_loss


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


COVARIANCE = np.array([[0.5, 0.2], [0.2, 0.8]])


def plane(cells):
    return fp.Grid(x=(-6, 6, cells), y=(-7, 7, cells))


def normal(grid, covariance, mean=(0.0, 0.0)):
    shifted = grid.points - np.asarray(mean)
    exponent = np.einsum("...i,ij,...j", shifted, np.linalg.inv(covariance), shifted)
    return np.exp(-0.5 * exponent) / np.sqrt(np.linalg.det(2 * np.pi * np.asarray(covariance)))


def test_entropy_of_a_gaussian_converges_at_second_order():
    """S = ½ ln det(2πe C); cell averages broaden the density by h²/12, hence the order."""
    exact = 0.5 * np.log(np.linalg.det(2 * np.pi * np.e * COVARIANCE))
    errors = []
    for cells in (20, 40, 80):
        grid = plane(cells)
        errors.append(fp.entropy(fp.gaussian(grid, [0.0, 0.0], COVARIANCE), grid) - exact)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.2


def test_fisher_information_of_a_gaussian_is_the_trace_of_its_precision():
    exact = np.trace(np.linalg.inv(COVARIANCE))
    errors = [fp.fisher_information(normal(plane(n), COVARIANCE), plane(n)) / exact - 1 for n in (40, 80, 160)]
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_fisher_information_on_a_stretched_axis():
    errors = []
    for cells in (60, 120, 240):
        grid = fp.Grid(x=fp.Axis(-8, 8, cells, spacing="tanh", stretch=1.5))
        x = grid.axes[0].centres
        errors.append(fp.fisher_information(np.exp(-(x**2)) / np.sqrt(np.pi), grid) / 2.0 - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_relative_entropy_and_relative_fisher_information_of_gaussians():
    """D = ½[tr(C₂⁻¹C₁) − d + μᵀC₂⁻¹μ + ln det C₂/C₁]; I = E|∇ln(p/q)|²."""
    mean, other = np.array([0.3, -0.2]), np.array([[1.0, -0.1], [-0.1, 0.6]])
    precision = np.linalg.inv(other)
    ratio = np.linalg.det(other) / np.linalg.det(COVARIANCE)
    divergence = 0.5 * (np.trace(precision @ COVARIANCE) - 2 + mean @ precision @ mean + np.log(ratio))
    slope = precision - np.linalg.inv(COVARIANCE)
    information = np.trace(slope @ COVARIANCE @ slope.T) + np.sum((precision @ mean) ** 2)
    errors = []
    for cells in (40, 80, 160):
        grid = plane(cells)
        p, q = normal(grid, COVARIANCE, mean), normal(grid, other)
        # Sums of smooth functions that vanish at the bounds are exact beyond all orders.
        assert abs(fp.kl_divergence(p, q, grid) / divergence - 1) < 1e-10
        errors.append(fp.fisher_information(p, grid, relative_to=q) / information - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_free_energy_of_equilibrium_is_minus_temperature_times_log_partition_sum(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 200))
    temperature = 0.2
    p = fp.boltzmann(quartic, grid, temperature)
    partition = np.sum(np.exp(-quartic.value(grid.points) / temperature) * grid.volumes)
    F = fp.free_energy((quartic, temperature), p, grid)
    assert abs(F + temperature * np.log(partition)) < 1e-14 * 200
    W = fp.generator(fp.Langevin(quartic, temperature=temperature), grid)
    assert fp.free_energy(W, p) == F
    assert abs(F - (mean_loss(quartic, p, grid) - temperature * fp.entropy(p, grid))) < 1e-15


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), temperature=st.floats(0.1, 2.0))
def test_free_energy_never_increases(quartic, seed, temperature):
    """dF/dt ≤ 0 for any density under the generator, and F − F_eq = T·D(p‖π) to rounding."""
    grid = fp.Grid(x=fp.Axis(-2.5, 2.5, 40, boundary="reflecting"))
    W = fp.generator(fp.Langevin(quartic, temperature=temperature), grid)
    p0 = fp.density(grid, np.random.default_rng(seed).random(40) ** 4)
    solution = fp.evolve(W, p0, [0.0, 0.01, 0.1, 0.5, 2.0, 10.0], tolerance=1e-11)
    values = [fp.free_energy(W, p) for p in solution.densities]
    # The tolerance of the evolution, times the largest |ln p/π| of what is left.
    assert (np.diff(values) < 1e-9).all()
    equilibrium = fp.boltzmann(quartic, grid, temperature)
    excess = temperature * fp.kl_divergence(p0, equilibrium, grid)
    assert abs(values[0] - fp.free_energy(W, equilibrium) - excess) < 1e-11


def test_decay_of_free_energy_is_the_relative_fisher_information(quartic):
    """De Bruijn: −dF/dt = T² I(p‖π) for unit mobility, at second order in the cell width."""
    temperature, errors = 0.5, []
    for cells in (100, 200, 400):
        grid = fp.Grid(x=(-3, 3, cells))
        W = fp.generator(fp.Langevin(quartic, temperature=temperature), grid)
        x = grid.axes[0].centres
        p = fp.density(grid, np.exp(-((x - 0.4) ** 2)))
        pi = fp.boltzmann(quartic, grid, temperature)
        # F is linear in energy and convex in p: its derivative along W p is Σ Ṗ (L + T ln p).
        rate = np.sum(W.apply(p) * grid.volumes * (quartic.value(grid.points) + temperature * np.log(p)))
        errors.append(-rate / (temperature**2 * fp.fisher_information(p, grid, relative_to=pi)) - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def test_kinetic_free_energy_counts_the_kinetic_energy():
    """Harmonic oscillator: F = −T ln(2πT/√(k/m)·…) with Z = 2πT/√(k m)·…, m v variables: Z = (2πT)/√(k m)."""
    temperature, mass = 0.3, 2.0
    grid = fp.Grid(x=(-5, 5, 100), velocity={"x": (-4, 4, 80)})
    dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=temperature, friction=1.0, mass=mass)
    W = fp.generator(dynamics, grid, "upwind")
    x, v = np.moveaxis(grid.points, -1, 0)
    p = fp.density(grid, np.exp(-(x**2 / 2 + mass * v**2 / 2) / temperature))
    partition = 2 * np.pi * temperature / np.sqrt(mass)
    assert abs(fp.free_energy(W, p) + temperature * np.log(partition)) < 1e-12


def test_bad_densities_are_refused(quartic):
    grid = fp.Grid(x=(0, 1, 4))
    with pytest.raises(DensityError, match="give the grid"):
        fp.entropy(np.ones(4))
    with pytest.raises(DensityError, match=r"shape \(3,\)"):
        fp.entropy(np.ones(3), grid)
    with pytest.raises(DensityError, match="negative"):
        fp.entropy([1.0, -0.5, 1.0, 1.0], grid)
    with pytest.raises(DensityError, match="nan in cell"):
        fp.entropy([1.0, np.nan, 1.0, 1.0], grid)
    assert fp.kl_divergence([2, 2, 0, 0], [0, 2, 2, 0], grid) == np.inf
    W = fp.generator(fp.Langevin(quartic, diffusion=0.5), fp.Grid(x=(-2.5, 2.5, 50)))
    with pytest.raises(MethodError, match="in place of a temperature"):
        fp.free_energy(W, np.ones(50))
