"""Heat and entropy production of underdamped densities against Gaussian closed forms and the decay of free energy."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import MethodError
from fpsolver.thermodynamics import entropy_production, kinetic_entropy_production, kinetic_heat

DYNAMICS = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.5, friction=2.0, mass=1.5)


def kinetic(cells, velocities, scheme="hermite"):
    grid = fp.Grid(x=(-5, 5, cells), velocity={"x": (-6, 6, velocities)})
    return fp.generator(DYNAMICS, grid, scheme=scheme)


def test_heat_and_entropy_of_a_moving_gaussian():
    """⟨v²⟩ = 0.45: heat γ(m⟨v²⟩ − T); Σ̇ = γ(T/m)[1/s − 2m/T + (m/T)²⟨v²⟩], of second order in the velocity width."""
    exact = 2 * (0.5 / 1.5) * (1 / 0.2 - 2 * 3.0 + 9.0 * 0.45)
    errors = []
    for velocities in (60, 120):
        W = kinetic(20, velocities)
        p = fp.gaussian(W.grid, [1.0, 0.5], [[0.3, 0.0], [0.0, 0.2]])
        assert kinetic_heat(W, p) == pytest.approx(2 * (1.5 * 0.45 - 0.5), rel=1e-9)
        rates = entropy_production(W, p)
        assert rates.medium == pytest.approx(kinetic_heat(W, p) / 0.5, rel=1e-12)
        assert rates.total == pytest.approx(rates.system + rates.medium)
        assert rates.local.min() >= 0
        assert np.sum(rates.local * W.grid.volumes) == pytest.approx(rates.total, rel=1e-12)
        errors.append(rates.total - exact)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


def test_free_energy_falls_by_it():
    """−dF/dt = TΣ̇, with dF/dt = Σ dP/dt (E + T ln p) of the Hermite generator: second order in the cell width."""
    errors = []
    for cells in (40, 80):
        W = kinetic(cells, 2 * cells)
        p = fp.gaussian(W.grid, [0.5, 0.3], [[0.4, 0.0], [0.0, 0.25]])
        x, v = np.moveaxis(W.grid.points, -1, 0)
        energy = 0.5 * x**2 + 0.75 * v**2
        rate = np.sum(W.apply(p) * W.grid.volumes * (energy + 0.5 * np.log(p)))
        errors.append(-rate / 0.5 - kinetic_entropy_production(W, p).total)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)


def test_the_gibbs_state_of_the_upwind_scheme_produces_nothing():
    W = kinetic(20, 40, "upwind")
    x, v = np.moveaxis(W.grid.points, -1, 0)
    p = fp.density(W.grid, np.exp(-(0.5 * x**2 + 0.75 * v**2) / 0.5))
    assert entropy_production(W, p).total < 1e-25


def test_overdamped_dynamics_is_refused():
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), fp.Grid(x=(-5, 5, 20)))
    with pytest.raises(MethodError, match="underdamped"):
        kinetic_heat(W, np.full(20, 0.1))


def test_axes_may_come_in_another_order_than_the_variables():
    dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2 + y**2"), temperature=0.5, friction=2.0, mass=(1.0, 4.0))
    grid = fp.Grid(y=(-5, 5, 6), x=(-5, 5, 6), velocity={"y": (-3, 3, 16), "x": (-5, 5, 16)})
    W = fp.generator(dynamics, grid)
    hot = fp.gaussian(grid, [0, 0, 0, 0], np.diag([0.5, 0.5, 0.5 / 4.0, 0.5]))  # both velocities in equilibrium
    assert abs(kinetic_heat(W, hot)) < 1e-6
