"""Splits of entropy production: each part is at least zero, they add up, and what is known of them in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError
from fpsolver.thermodynamics import energy_rates, entropy_production, geometric_split, hatano_sasa_split

SPLITS = (hatano_sasa_split, geometric_split)


def stirred(cells=20, turn=0.5):
    dynamics = fp.Langevin(fp.Landscape("x**2/2 + y**2"), temperature=0.8, force=(f"{turn}*y", f"-{turn}*x"))
    return fp.generator(dynamics, fp.Grid(x=(-5, 5, cells), y=(-4, 4, cells)))


def ring(cells=32, force=0.6):
    axis = fp.Axis(0, 2 * np.pi, cells, boundary="periodic")
    return fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=0.7, force=(force,)), fp.Grid(x=axis))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("make", [stirred, ring])
def test_parts_are_not_negative_and_add_up(split, make):
    """Rounding, and for the first split the accuracy of the stationary solver, 1e−12 of the largest rates."""
    W = make()
    for seed in range(3):
        p = fp.density(W.grid, np.random.default_rng(seed).uniform(0.2, 1.0, W.grid.shape))
        parts = split(W, p)
        assert parts.housekeeping >= 0
        assert parts.excess >= 0
        assert parts.housekeeping + parts.excess == pytest.approx(parts.total, rel=1e-9)
        assert parts.total == entropy_production(W, p).total


@pytest.mark.parametrize("split", SPLITS)
def test_a_steady_state_is_all_housekeeping(split):
    W = ring()
    steady = fp.stationary(W)
    parts = split(W, steady)
    assert abs(parts.excess) < 1e-12
    assert parts.housekeeping == pytest.approx(0.6 * fp.current(W, steady).mean_velocity()[0] / 0.7, rel=1e-10)


@pytest.mark.parametrize("split", SPLITS)
def test_with_conservative_forces_all_is_excess(split):
    W = stirred(turn=0.0)
    parts = split(W, fp.density(W.grid, lambda x, y: np.exp(-((x - 1) ** 2) - y**2)))
    assert parts.total > 0.1
    assert abs(parts.housekeeping) < 1e-9 * parts.total


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=8, max_size=8), st.floats(-3.0, 3.0))
def test_parts_of_any_density_on_a_small_ring(values, force):
    W = ring(8, force)
    p = fp.density(W.grid, np.array(values))
    for split in SPLITS:
        parts = split(W, p)
        assert min(parts.housekeeping, parts.excess) >= -1e-11 * (1 + parts.total)


def test_geometric_excess_is_the_least_dissipation_of_all_fluxes_on_a_ring():
    """On a ring the other fluxes are J + const: Σ(J + c)²/Λ is minimised by hand, a second route without a matrix."""
    W = ring()
    p = fp.density(W.grid, lambda x: 1 + 0.5 * np.sin(x))
    mass = p * W.grid.volumes
    [edge] = W.edges
    a, b = edge.forward * mass, edge.backward * np.roll(mass, -1)
    resistance = np.log(a / b) / (a - b)
    flux = a - b
    shift = -np.sum(flux * resistance) / np.sum(resistance)
    assert geometric_split(W, p).excess == pytest.approx(np.sum((flux + shift) ** 2 * resistance), rel=1e-11)


def test_linear_stirring_in_closed_form():
    """N(m, S) shifted from the steady state N(0, S) of equal springs: housekeeping of Hatano and Sasa is ω²⟨r²⟩/T.

    For L = r²/2 and force ω(y, −x) the steady state is Boltzmann's, and its local velocity ω(y, −x): the part of second
    order in the cell width is what is left, which two grids show.
    """
    turn, temperature, shift = 0.7, 0.8, 0.5
    exact = turn**2 * (2 * temperature + shift**2) / temperature
    errors = []
    for cells in (24, 48):
        side = fp.Axis(-6, 6, cells, boundary="reflecting")
        dynamics = fp.Langevin(
            fp.Landscape("x**2/2 + y**2/2"), temperature=temperature, force=(f"{turn}*y", f"-{turn}*x")
        )
        W = fp.generator(dynamics, fp.Grid(x=side, y=side))
        p = fp.gaussian(W.grid, [shift, 0.0], temperature * np.eye(2))
        parts = hatano_sasa_split(W, p)
        errors.append(parts.housekeeping - exact)
        rates = energy_rates(W, p)
        assert parts.total == pytest.approx(rates.heat / temperature + entropy_production(W, p).system, rel=1e-10)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.25)


def test_a_density_with_empty_cells_is_refused_by_the_geometric_split():
    W = ring()
    p = np.zeros(32)
    p[3] = 1.0 / W.grid.volumes[3]
    with pytest.raises(DensityError, match="positive everywhere"):
        geometric_split(W, p)
