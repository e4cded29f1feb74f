"""First law on the grid, at each time to rounding and over a time to the solver's tolerance, and its closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import MethodError
from fpsolver.theory import dragged_trap, linear_diffusion, stiffening_trap
from fpsolver.thermodynamics import energy_balance, energy_rates

TRAP = fp.Landscape("k*(x - c)**2/2", variables=("x",), parameters={"k": 1.0, "c": 0.0})
PARABOLA = fp.Landscape("x**2/2")
PLANE = fp.Landscape("x**4/4 - x**2/2 + y**2 + x*y/2")


def line(cells):
    return fp.Grid(x=fp.Axis(-7, 8, cells, boundary="reflecting"))


@pytest.mark.parametrize("mobility", [1.0, [[1.0, 0.4], [0.4, 0.7]]])
def test_energy_changes_by_work_less_heat(mobility):
    """dE/dt on cells against heat and work on edges; work of the force also from the current. Rounding of 600 cells."""
    force = ("0.3 + y", "-x")
    dynamics = fp.Langevin(PLANE, temperature=0.6, mobility=mobility, force=force)
    W = fp.generator(dynamics, fp.Grid(x=(-3, 3, 24), y=(-3, 3, 25)))
    p = fp.density(W.grid, lambda x, y: np.exp(-((x - 0.3) ** 2) - y**2))
    rates = energy_rates(W, p)
    assert rates.energy == pytest.approx(rates.work - rates.heat, abs=1e-12 * abs(rates.heat))
    assert abs(rates.work) > 0.01
    if mobility == 1.0:
        x, y = W.grid.axes[0], W.grid.axes[1]
        flux_x, flux_y = (flux for _, flux in fp.current(W, p).edges)
        work = np.sum(flux_x * (0.3 + y.centres) * x.widths[0]) - np.sum(flux_y * x.centres[:, None] * y.widths[0])
        assert rates.work == pytest.approx(work, rel=1e-11)


def test_without_force_no_work_is_done():
    W = fp.generator(fp.Langevin(TRAP, temperature=0.5), line(60))
    rates = energy_rates(W, fp.gaussian(W.grid, [2.0], [[0.2]]))
    assert abs(rates.work) < 1e-12 * abs(rates.heat)


def test_a_tilted_loss_on_a_ring_does_the_work_of_the_force():
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 48, boundary="periodic"))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(x) - 0.7*x"), temperature=0.5), ring)
    steady = fp.stationary(W)
    rates = energy_rates(W, steady)
    assert rates.work == pytest.approx(0.7 * fp.current(W, steady).mean_velocity()[0], rel=1e-10)
    assert rates.heat == pytest.approx(rates.work, rel=1e-10)


def test_driven_work_converges_to_closed_forms_at_second_order():
    """Dragged trap 1.1353352832 by t = 2 is exact on any grid but for the cut; stiffening 0.4124657985 in t = 1."""
    stiff = fp.Langevin(TRAP, temperature=1.0, protocol={"k": fp.Protocol("1 + t")})
    exact = float(stiffening_trap.mean_work(1.0, 2.0, duration=1.0, temperature=1.0))
    errors = []
    for cells in (24, 48):
        W = fp.generator(stiff, line(cells))
        balance = energy_balance(W, fp.boltzmann(TRAP, W.grid, 1.0), 1.0, panels=1)
        assert abs(balance.residual) < 1e-8  # the tolerance of 1e-10 on probabilities, times energies up to 60
        errors.append(balance.work - exact)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    dragged = fp.Langevin(TRAP, temperature=1.0, protocol={"c": fp.Protocol("t")})
    exact = float(dragged_trap.mean_work(stiffness=1.0, speed=1.0, duration=1.0))
    errors = []
    for cells in (24, 48):
        W = fp.generator(dragged, line(cells))
        errors.append(energy_balance(W, fp.boltzmann(TRAP, W.grid, 1.0), 1.0, panels=1).work - exact)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


def test_a_jump_does_the_work_at_once_and_then_heat_flows():
    """k: 1 → 2 at t = 0.5 from equilibrium: W = ½⟨x²⟩ of the grid, Q = W − ΔE; a jump at the end counts."""
    W = fp.generator(fp.Langevin(TRAP, temperature=1.0, protocol={"k": fp.Protocol.step(1.0, 2.0, time=0.5)}), line(40))
    p = fp.boltzmann(TRAP, W.grid, 1.0)
    expected = 0.5 * np.sum(W.grid.points[:, 0] ** 2 * p * W.grid.volumes)
    at_the_end = energy_balance(W, p, 0.5, panels=1)
    assert at_the_end.work == pytest.approx(expected, rel=1e-9)
    assert abs(at_the_end.heat) < 1e-9
    later = energy_balance(W, p, 1.0, panels=2)
    assert later.work == pytest.approx(expected, rel=1e-9)
    assert abs(later.residual) < 1e-8
    assert later.heat > 0.3
    assert later.entropy_production > 0


def test_relaxation_produces_the_divergence_that_is_lost():
    """Σ = KL(0) − KL(t), with KL on the same grid, to the solver's tolerance; and both laws."""
    W = fp.generator(fp.Langevin(TRAP, temperature=0.5), line(80))
    p = fp.gaussian(W.grid, [2.0], [[0.1]])
    balance = energy_balance(W, p, 0.7)
    equilibrium = fp.boltzmann(TRAP, W.grid, 0.5)
    later = fp.evolve(W, p, [0.7], tolerance=1e-12, progress=False).final
    lost = fp.kl_divergence(p, equilibrium, W.grid) - fp.kl_divergence(later, equilibrium, W.grid)
    assert balance.entropy_production == pytest.approx(lost, abs=1e-8)
    assert balance.heat == pytest.approx(0.5 * balance.entropy_flow, rel=1e-12)
    assert abs(balance.work) < 1e-12
    exact = [
        float(linear_diffusion.divergence_of_gaussians(*at, [0.0], [[0.5]]))
        for at in (([2.0], [[0.1]]), linear_diffusion.moments([[1.0]], [[0.5]], [2.0], [[0.1]], 0.7))
    ]
    assert lost == pytest.approx(exact[0] - exact[1], abs=0.05)  # h²-error of the start, h²/v/24 and the like


def test_heat_over_a_changing_temperature():
    """A ramp of T: the entropy flow is ∫đQ/T, which no single temperature gives, and the second law holds."""
    W = fp.generator(fp.Langevin(TRAP, temperature=1.0, protocol={"temperature": fp.Protocol("1 + t")}), line(50))
    balance = energy_balance(W, fp.boltzmann(TRAP, W.grid, 1.0), 1.0, panels=2)
    assert abs(balance.residual) < 1e-8
    assert abs(balance.work) < 1e-13  # rounding of fluxes
    assert balance.heat / 2.0 > balance.entropy_flow > balance.heat  # heat is negative: the system warms
    assert balance.entropy_production > 0


def test_kinetic_energy_balances_as_the_grid_gets_finer():
    """dE/dt = −heat of underdamped densities: exact in velocity with Hermite functions, second order in position."""
    dynamics = fp.UnderdampedLangevin(PARABOLA, temperature=0.5, friction=2.0, mass=1.5)
    work = []
    for cells in (40, 80):
        W = fp.generator(dynamics, fp.Grid(x=(-5, 5, cells), velocity={"x": (-6, 6, 80)}))
        rates = energy_rates(W, fp.gaussian(W.grid, [1.0, 0.5], [[0.3, 0.0], [0.0, 0.2]]))
        assert rates.heat == pytest.approx(2.0 * (1.5 * 0.45 - 0.5), rel=1e-9)
        work.append(rates.work)
    assert work[0] / work[1] == pytest.approx(4.0, rel=0.2)


def test_what_has_no_heat_is_refused():
    W = fp.generator(fp.Langevin(TRAP, diffusion=0.5), line(30))
    p = fp.gaussian(W.grid, [0.0], [[1.0]])
    with pytest.raises(MethodError, match="diffusion="):
        energy_rates(W, p)
    driven = fp.generator(fp.Langevin(TRAP, temperature=1.0, protocol={"k": fp.Protocol("1 + t")}), line(30))
    with pytest.raises(MethodError, match=r"W\.at"):
        energy_rates(driven, p)
    with pytest.raises(MethodError, match="t_final"):
        energy_balance(driven, p, 0.0)
