"""Histograms of trajectories against the densities that the generators evolve, in each convention."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.ensembles.initial import Gaussian
from fpsolver.ensembles.observables import Histogram
from fpsolver.ensembles.simulate import simulate

CONVENTIONS = ("ito", "stratonovich", "klimontovich")
WELL = fp.Landscape("x**2/2 + 0.2*x**3/3 + x**4/8")
BOWL = fp.Landscape("x**2/2 + y**2/2 + x*y/4")


def one_dimensional(convention):
    return fp.Langevin(WELL, diffusion="0.25*(1 + 0.8*sin(2*x))", convention=convention)


def diagonal(convention):
    return fp.Langevin(BOWL, diffusion=["0.4 + 0.3*sin(y + x)", "0.3 + 0.2*cos(x)*sin(y)"], convention=convention)


def tensor(convention):
    entries = [["0.4 + 0.2*sin(y)", "0.15*cos(x)"], ["0.15*cos(x)", "0.3 + 0.15*sin(x + y)"]]
    return fp.Langevin(BOWL, diffusion=entries, convention=convention)


def p_value(simulated, evolved, seed=1, dt=0.01, times=(0.2, 1.0)):
    """Return the smallest p-value of χ² tests of 2·10⁵ trajectories in some 40 (1-D) or 200 (2-D) cells.

    The weak-2 scheme and the grid, both of second order, shift cell probabilities by 1e-3 of themselves or less; the
    statistical error of the fullest cells is 1e-2.
    """
    d, box, start = simulated.landscape.dimension, 3.5, 0.4
    cells, bins = (800, 40) if d == 1 else (120, 15)
    names = simulated.landscape.variables
    grid = fp.Grid(**{name: (-box, box, cells) for name in names})
    density = fp.gaussian(grid, mean=[start] * d, covariance=0.04 * np.eye(d))
    evolution = fp.evolve(fp.generator(evolved, grid), density, times=list(times))
    histogram = Histogram(**{name: (-box, box, bins) for name in names})
    run = simulate(simulated, n=200_000, initial=Gaussian([start] * d, 0.04), dt=dt, t_final=times[-1], times=times,
                   seed=seed, scheme="weak-2", observe=[histogram])  # fmt: skip
    found = []
    for k, values in enumerate(evolution.densities):
        expected = values * grid.volumes
        for axis in range(d):
            expected = np.add.reduceat(expected, np.arange(0, cells, cells // bins), axis=axis)
        found.append(run.observables[histogram.name].chi_squared(expected, k).p_value)
    return min(found)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_in_one_dimension(convention):
    assert p_value(one_dimensional(convention), one_dimensional(convention)) > 1e-4


@pytest.mark.parametrize("family", [one_dimensional, diagonal, tensor])
def test_a_wrong_convention_is_found(family):
    times = (0.2, 1.0) if family is one_dimensional else (0.5,)
    for k in range(3):
        assert p_value(family(CONVENTIONS[k]), family(CONVENTIONS[k - 1]), dt=0.02, times=times) < 1e-12


def test_thermal_noise():
    dynamics = fp.Langevin(WELL, temperature=0.3, mobility="1/(1 + x**2)")
    assert p_value(dynamics, dynamics) > 1e-4


def test_a_protocol():
    protocol = {"a": fp.Protocol("1 + 2*t"), "temperature": fp.Protocol("0.3 + 0.2*sin(5*t)")}
    landscape = fp.Landscape("a*x**2/2 + x**4/8", parameters={"a": 1.0}, variables=("x",))
    dynamics = fp.Langevin(landscape, temperature=0.3, mobility="1/(1 + a*x**2)", protocol=protocol)
    assert p_value(dynamics, dynamics) > 1e-4


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("family", [diagonal, tensor])
def test_conventions_in_two_dimensions(family, convention):
    assert p_value(family(convention), family(convention), dt=0.02, times=(0.5,)) > 1e-4


@pytest.mark.validate
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("family", [one_dimensional, diagonal, tensor])
def test_conventions_with_other_seeds(family, seed):
    for convention in CONVENTIONS:
        dynamics = family(convention)
        assert p_value(dynamics, dynamics, seed=seed, times=(0.2, 0.5, 1.0)) > 1e-5
