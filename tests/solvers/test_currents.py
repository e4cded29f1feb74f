from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError, MethodError


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


@pytest.mark.parametrize("temperature, force, velocity", [(1.0, 0.5, 0.338454722018), (0.1, 0.9, 0.210109800500)])
@pytest.mark.parametrize("as_force", [False, True])
def test_washboard_velocity_converges_at_second_order(temperature, force, velocity, as_force):
    """v = L·J in the tilted washboard cos x − F x (Stratonovich's double integral)."""
    errors = []
    for cells in (64, 128, 256):
        ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))
        if as_force:
            dynamics = fp.Langevin(fp.Landscape("cos(x)"), temperature=temperature, force=(force,))
        else:
            dynamics = fp.Langevin(fp.Landscape(f"cos(x) - {force}*x"), temperature=temperature)
        W = fp.generator(dynamics, ring)
        J = fp.current(W, fp.stationary(W))
        # In one dimension the stationary current is the same through every face.
        assert np.ptp(J.faces("x")) < 1e-8 * velocity
        assert np.allclose(J.vectors[:, 0] * 2 * np.pi, J.mean_velocity()[0], rtol=1e-7)
        errors.append(J.mean_velocity()[0] / velocity - 1)
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.1


def rotational(cells, temperature=0.5, omega=1.0):
    """Drift −x + ω(−y, x) at isotropic temperature: p is Gaussian of variance T, J = ω(−y, x) p."""
    L = fp.Landscape("(x**2 + y**2)/2")
    dynamics = fp.Langevin(L, temperature=temperature, force=(f"-{omega}*y", f"{omega}*x"))
    grid = fp.Grid(x=(-4.5, 4.5, cells), y=(-4.5, 4.5, cells))
    return fp.generator(dynamics, grid)


def test_rotational_current_converges_at_second_order():
    temperature, omega, errors = 0.5, 1.0, []
    for cells in (30, 60, 120):
        W = rotational(cells, temperature, omega)
        J = fp.current(W, fp.stationary(W))
        x, y = np.moveaxis(W.grid.points, -1, 0)
        p = np.exp(-(x**2 + y**2) / (2 * temperature)) / (2 * np.pi * temperature)
        exact = np.stack([-omega * y * p, omega * x * p], axis=-1)
        errors.append(np.abs(J.vectors - exact).max() / np.abs(exact).max())
        # Stationary: no divergence, up to the stationary solver's tolerance on the scale of the rates.
        assert np.abs(J.divergence()).max() < 1e-6
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.3


def test_two_temperature_current_converges_at_second_order():
    """Coupled springs k, each with its own bath: J = −D Σ⁻¹… from the Lyapunov equation A S + S Aᵀ = 2D."""
    from scipy.linalg import solve_continuous_lyapunov

    drift = np.array([[1.5, -0.5], [-0.5, 1.5]])
    diffusion = np.diag([0.3, 0.9])
    covariance = solve_continuous_lyapunov(drift, 2 * diffusion)
    precision = np.linalg.inv(covariance)
    L = fp.Landscape("(x**2 + y**2)/2 + (x - y)**2/4")
    errors = []
    for cells in (40, 80, 160):
        grid = fp.Grid(x=(-4.2, 4.2, cells), y=(-5.6, 5.6, cells))
        W = fp.generator(fp.Langevin(L, diffusion=(0.3, 0.9), convention="ito"), grid)
        J = fp.current(W, fp.stationary(W))
        z = grid.points
        p = np.exp(-0.5 * np.einsum("...i,ij,...j", z, precision, z)) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
        exact = (z @ (-drift + diffusion @ precision).T) * p[..., None]
        errors.append(np.abs(J.vectors - exact).max() / np.abs(exact).max())
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.3


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), temperature=st.floats(0.05, 3.0))
def test_divergence_of_the_current_is_the_change_of_the_density(seed, temperature):
    """∇·J = −W p to rounding, with forces, reflecting, absorbing and periodic walls, for any density."""
    random = np.random.default_rng(seed)
    L = fp.Landscape("cos(x) + y**2/2")
    dynamics = fp.Langevin(L, temperature=temperature, force=("0.3", "-0.4*y"))
    grid = fp.Grid(
        x=fp.Axis(0, 2 * np.pi, 9, boundary="periodic"), y=fp.Axis(-2, 2, 11, boundary=("absorbing", "reflecting"))
    )
    W = fp.generator(dynamics, grid)
    p = random.random(grid.shape)
    J = fp.current(W, p)
    change = W.apply(p)
    scale = np.abs(W.diagonal).max()
    assert np.abs(J.divergence() + change).max() < 1e-14 * scale
    # The same from faces: differences of normal fluxes over widths.
    faces = np.diff(J.faces("x"), axis=0) / grid.along(0, grid.axes[0].widths)
    faces = faces + np.diff(J.faces("y"), axis=1) / grid.along(1, grid.axes[1].widths)
    assert np.abs(faces + change).max() < 1e-13 * scale


def test_no_current_in_equilibrium():
    L = fp.Landscape("x**4/4 - x**2/2 + (1 + x**2)*y**2/2")
    grid = fp.Grid(x=(-2.5, 2.5, 40), y=(-3, 3, 30))
    W = fp.generator(fp.Langevin(L, temperature=0.2), grid)
    p = fp.boltzmann(L, grid, 0.2)
    J = fp.current(W, p)
    # The net flux is the difference of two gross fluxes: rounding of their size is what may remain.
    gross = max((edge.forward * p * grid.volumes).max() for edge in W.edges)
    assert max(np.abs(flux).max() for _, flux in J.edges) < 4e-15 * gross


def test_current_into_an_absorbing_wall():
    """Between walls at 0 and 1 with a linear profile p = 2(1 − x): J = 2D everywhere, out through the right wall."""
    grid = fp.Grid(x=fp.Axis(0, 1, 20, boundary=("reflecting", "absorbing")))
    W = fp.generator(fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=0.3), grid)
    J = fp.current(W, 2 * (1 - grid.axes[0].centres))
    faces = J.faces("x")
    assert faces[0] == 0 and np.allclose(faces[1:], 0.6) and np.allclose(J.vectors[1:, 0], 0.6)


def test_tensor_diffusion_has_vectors_but_no_face_fluxes():
    """A correlated Gaussian under −D∇ ln-drift: in equilibrium no current; displaced, J = b p − D∇p at second order."""
    mobility = [[1.0, 0.6], [0.6, 1.0]]
    L = fp.Landscape("x**2/2 + y**2/2")
    errors = []
    for cells in (40, 80):
        grid = fp.Grid(x=(-5, 5, cells), y=(-5, 5, cells))
        W = fp.generator(fp.Langevin(L, temperature=0.5, mobility=mobility), grid)
        p = fp.density(grid, lambda x, y: np.exp(-((x - 0.5) ** 2) - y**2))
        J = fp.current(W, p)
        assert np.abs(J.divergence() + W.apply(p)).max() < 1e-12 * np.abs(W.diagonal).max()
        exact = -np.stack([0.5 * p, 0 * p], axis=-1) @ np.array(mobility)
        errors.append(np.abs(J.vectors - exact).max() / np.abs(exact).max())
        with pytest.raises(MethodError, match="oblique"):
            J.faces("x")
    assert orders(np.array(errors))[0] > 1.7


def test_bad_input_is_said(quartic):
    grid = fp.Grid(x=(-2.5, 2.5, 40))
    W = fp.generator(fp.Langevin(quartic, temperature=0.25), grid)
    with pytest.raises(DensityError, match=r"shape \(39,\)"):
        fp.current(W, np.ones(39))
    landscape = fp.Landscape("a*x**4/4 - x**2/2", parameters={"a": 1.0})
    driven = fp.Langevin(landscape, temperature=0.25, protocol={"a": fp.Protocol("1 + t")})
    with pytest.raises(MethodError, match=r"W.at\(t\)"):
        fp.current(fp.generator(driven, grid), np.ones(40))
