from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import fpsolver as fp
from fpsolver.errors import MethodError, RegionError

A, B = fp.where(x=(None, -0.813)), fp.where(x=(0.957, None))


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def potential(x):
    return x**4 / 4 - x**2 / 2


def resistance(start, stop, temperature):
    return quad(lambda x: np.exp(potential(x) / temperature), start, stop, epsabs=0, epsrel=1e-11)[0]


def double_well(quartic, cells, temperature=0.25, **options):
    return fp.generator(fp.Langevin(quartic, temperature=temperature, **options), fp.Grid(x=(-2.5, 2.5, cells)))


def test_committor_in_one_dimension_converges_at_second_order(quartic):
    """q = ∫_a^x e^{V/T}/∫_a^b e^{V/T}; the walls keep their place between centres as the grid is refined by three."""
    errors = []
    points = np.linspace(-0.8, 0.95, 71)
    exact = np.array([resistance(-0.813, x, 0.25) for x in points]) / resistance(-0.813, 0.957, 0.25)
    sizes = (50, 150, 450)
    for cells in sizes:
        q = fp.committor(double_well(quartic, cells), A, B)
        errors.append(np.abs(q.at(points[:, None]) - exact).max())
    # The distance from wall to centre changes with each grid and with it the constant, within a factor of four.
    slope = np.log(errors[0] / errors[-1]) / np.log(sizes[-1] / sizes[0])
    assert slope > 2 - np.log(4) / np.log(9) and errors[-1] * sizes[-1] ** 2 < 4 * errors[0] * sizes[0] ** 2


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_rate_in_one_dimension_converges_at_second_order(quartic, fraction):
    """flux = T/(Z ∫_a^b e^{V/T}); rate = flux/∫π(1 − q); both walls at the same fraction of a cell on each grid."""
    temperature, errors = 0.1, []
    for cells in (100, 200, 400):
        W = double_well(quartic, cells, temperature)
        x = W.grid.axes[0].centres
        step = x[1] - x[0]
        b = x[np.searchsorted(x, 0.9) - 1] + fraction * step
        a = -b
        paths = fp.reactive_flux(W, fp.where(x=(None, a)), fp.where(x=(b, None)))
        z = quad(lambda x: np.exp(-potential(x) / temperature), -2.5, 2.5, points=[-1, 1], epsabs=0)[0]
        flux = temperature / (z * resistance(a, b, temperature))
        # By symmetry half of the mass is assigned to each side.
        errors.append([paths.flux / flux - 1, paths.rate / (2 * flux) - 1])
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.15


def test_every_dividing_surface_carries_the_same_flux(quartic):
    W = double_well(quartic, 201, temperature=0.0125)
    paths = fp.reactive_flux(W, A, B)
    x = W.grid.axes[0].centres
    through = [paths.through(x < s) for s in np.linspace(-0.9, 1.0, 40)]
    # At a barrier of 20 T both committors keep their digits, so does each current.
    assert np.allclose(through, paths.flux, rtol=1e-10)
    assert paths.stats["imbalance"] < 1e-10


def test_rate_is_the_inverse_of_the_mean_time_between_the_sets(quartic):
    """Renewal: cycles a → b → a have mean length 1/flux, of which the share assigned to a is τ(a → b)."""
    errors = []
    for cells in (100, 200, 400):
        W = double_well(quartic, cells)
        a, b = fp.where(x=(None, -0.8)), fp.where(x=(1.0, None))
        paths = fp.reactive_flux(W, a, b)
        forth = fp.mean_first_passage_time(W, b).at([[-0.8]])[0]
        back = fp.mean_first_passage_time(W, a).at([[1.0]])[0]
        errors.append([paths.rate * forth - 1, paths.flux * (forth + back) - 1])
    assert np.abs(errors[-1]).max() < 2e-4
    assert np.abs(orders(np.array(errors)) - 2).max() < 0.2


def test_surfaces_through_a_plane_carry_the_same_flux_also_with_boxes():
    L = fp.Landscape("x**4/4 - x**2/2 + (1 + x**2)*y**2/2")
    W = fp.generator(fp.Langevin(L, temperature=0.2), fp.Grid(x=(-2.5, 2.5, 50), y=(-2.5, 2.5, 30)))
    a = fp.where(x=(-1.31, -0.77), y=(-0.4, 0.5))
    b = fp.where(x=(0.66, 1.3), y=(-0.3, 0.33))
    paths = fp.reactive_flux(W, a, b)
    x, y = np.moveaxis(W.grid.points, -1, 0)
    for surface in (x < -0.5, x + y < 0.1, x < 0.6, np.hypot(x + 1, y) < 0.9):
        assert abs(paths.through(surface) / paths.flux - 1) < 1e-9
    assert np.allclose(paths.forward.values + paths.backward.values, 1, atol=1e-9)
    assert (paths.forward.values >= 0).all() and (paths.forward.values <= 1).all()
    # The current is a vector field that points from a to b between them.
    middle = paths.current()[25, 15]
    assert middle[0] > 0 and abs(middle[1]) < 0.1 * middle[0]


def ring(cells, temperature=0.5, force=0.8):
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))
    return fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=temperature, force=(force,)), grid)


def test_time_reversal_without_detailed_balance():
    """On a driven ring: flux through any surface is the same, and the reversed route agrees with the reversible one."""
    W = ring(90)
    a, b = fp.where(x=(1.03, 1.4)), fp.where(x=(3.9, 4.61))
    paths = fp.reactive_flux(W, a, b)
    assert paths.stats["imbalance"] < 1e-9
    x = W.grid.axes[0].centres
    for left, right in ((0.5, 2.0), (0.9, 3.5), (6.0, 1.7)):
        surface = (x > left) & (x < right) if left < right else (x > left) | (x < right)
        assert abs(paths.through(surface) / paths.flux - 1) < 1e-9
    # With the current, the way to b is not the way back.
    assert np.abs(paths.forward.values + paths.backward.values - 1).max() > 0.05


def test_rotating_flow_carries_the_same_flux_through_every_surface():
    """Without detailed balance in two dimensions, between boxes whose walls cut cells; both routes' balances close."""
    L = fp.Landscape("x**4/4 - x**2/2 + y**2/2")
    dynamics = fp.Langevin(L, temperature=0.25, force=("-0.5*y", "0.5*x"))
    W = fp.generator(dynamics, fp.Grid(x=(-2.8, 2.8, 40), y=(-3.0, 3.0, 40)))
    paths = fp.reactive_flux(W, fp.where(x=(-1.3, -0.8), y=(-0.4, 0.43)), fp.where(x=(0.77, 1.32), y=(-0.36, 0.5)))
    x, y = np.moveaxis(W.grid.points, -1, 0)
    through = [paths.through(s) for s in (x < -0.5, x + y < 0.1, x < 0.6, np.hypot(x + 1, y) < 0.9)]
    # Limited by the stationary solver, whose tolerance is 1e-8.
    assert np.allclose(through, paths.flux, rtol=1e-6) and paths.stats["imbalance"] < 1e-6


@pytest.mark.parametrize("force", [0.8, -8.0])
def test_backward_committor_is_the_committor_of_the_reversed_force(force):
    """A uniform force on a ring keeps the uniform density, and time reversal turns it round, on the grid as well.

    The gross flux in through a wall, flux out less net current, is then the reversed scheme's own rate, because
    f(−z) − f(z) = z for the Scharfetter–Gummel weights.
    """
    a, b = fp.where(x=(1.0, 1.5)), fp.where(x=(3.7, 4.4))
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 80, boundary="periodic"))
    flat = fp.Landscape("0*x", variables=("x",))
    forth = fp.generator(fp.Langevin(flat, temperature=0.5, force=(force,)), grid)
    back = fp.generator(fp.Langevin(flat, temperature=0.5, force=(-force,)), grid)
    paths = fp.reactive_flux(forth, a, b)
    assert np.allclose(paths.backward.values, fp.committor(back, b, a).values, rtol=0, atol=1e-12)


def test_reversible_and_general_routes_agree(quartic):
    """Giving the equilibrium density as `stationary` takes the route through the time-reversed generator."""
    W = double_well(quartic, 120)
    quick = fp.reactive_flux(W, A, B)
    general = fp.reactive_flux(W, A, B, stationary=fp.boltzmann(quartic, W.grid, 0.25))
    assert abs(general.rate / quick.rate - 1) < 1e-10
    assert np.allclose(general.backward.values, quick.backward.values, atol=1e-10)


def test_committor_with_losses_at_walls():
    """Brownian motion from an absorbing wall at 0: q = 0 there, 1 at b, linear between: no a is reached."""
    grid = fp.Grid(x=fp.Axis(0, 1, 50, boundary=("absorbing", "reflecting")))
    W = fp.generator(fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=1.0), grid)
    q = fp.committor(W, fp.where(x=(0.7, 0.8)), fp.where(x=(0.9, None)))
    assert not q.values[:35].any() and abs(q.at([[0.85]])[0] - 0.5) < 1e-12
    with pytest.raises(MethodError, match="walls of the grid absorb"):
        fp.reactive_flux(W, fp.where(x=(0.3, 0.4)), fp.where(x=(0.9, None)))


def test_overlapping_sets_are_refused(quartic):
    W = double_well(quartic, 50)
    with pytest.raises(RegionError, match="the b shares"):
        fp.committor(W, fp.where(x=(None, 0.0)), fp.where(x=(-0.5, None)))
    with pytest.raises(RegionError, match="dividing surface"):
        fp.reactive_flux(W, A, B).through(np.arange(50))
