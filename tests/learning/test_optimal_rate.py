"""The search for optimal rates, on objectives whose optimum is known or found by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

import fpsolver as fp
from fpsolver.errors import InputError
from fpsolver.learning import escape_time, loss_after, minimise, optimise, stationary_loss


def test_random_walk_metropolis() -> None:
    """The best scale 2.3812 and its acceptance 0.2338, from the sign that makes gain large and loss small."""
    best = minimise(lambda scale: -(scale**2) * 2.0 * norm.cdf(-scale / 2.0), (0.1, 30.0))
    assert best.argument == pytest.approx(2.3812024966855407, rel=1e-5)
    assert 2.0 * norm.cdf(-best.argument / 2.0) == pytest.approx(0.23381016133183666, rel=1e-5)
    assert not best.at_edge


def test_edges_and_holes() -> None:
    """An optimum at an end says so; rates with nothing to evaluate are left out; nowhere finite is refused."""
    assert minimise(lambda x: x, (0.5, 2.0)).at_edge
    best = minimise(lambda x: (x - 1.5) ** 2 if x < 2.0 else math.nan, (0.1, 10.0), points=31)
    assert best.argument == pytest.approx(1.5, rel=1e-5)
    with pytest.raises(InputError, match="finite at none"):
        minimise(lambda x: math.nan, (0.1, 1.0))
    with pytest.raises(InputError, match="must be positive"):
        minimise(lambda x: x, (0.0, 1.0))


def test_error_of_the_argument() -> None:
    """Noise of the objective blurs its bottom: the true optimum lies within the error that is stated."""
    rng = np.random.default_rng(4)
    best = minimise(lambda x: math.log(x) ** 2 + 1e-3 * rng.uniform(-1, 1), (0.1, 7.0), objective_error=2e-3)
    assert abs(best.argument - 1.0) < best.argument_error < 0.1


WELL = fp.Landscape("x**4/4 - x**2/2")


def langevin(temperature: float) -> fp.Langevin:
    """Return the double well at a temperature."""
    return fp.Langevin(WELL, temperature=temperature)


def test_objectives_of_a_generator() -> None:
    """Each is what the solvers give by hand."""
    grid = fp.Grid(x=(-2.2, 2.2, 110))
    W = fp.generator(langevin(0.1), grid)
    target = fp.where(x=(0.0, None))
    assert escape_time([-1.0], target)(W) == pytest.approx(
        float(fp.mean_first_passage_time(W, target=target).at([[-1]])[0])
    )
    boltzmann = fp.boltzmann(WELL, grid, 0.1)
    mean = np.sum(boltzmann * WELL.value(grid.points) * grid.volumes)
    assert stationary_loss(W) == pytest.approx(mean, rel=1e-10)
    assert loss_after(200.0, [0.5])(W) == pytest.approx(mean, rel=1e-3)  # the well's slowest rate is 0.05
    start = fp.gaussian(grid, [1.0], [[0.01]])
    assert loss_after(0.0, start)(W) == pytest.approx(np.sum(start * WELL.value(grid.points) * grid.volumes))


def test_best_temperature_for_a_time() -> None:
    """Escape from the upper well takes heat, settling in the lower cold: the best lies between, as brute force says."""
    tilted = fp.Landscape("x**4/4 - x**2/2 + 0.15*x")
    grid = fp.Grid(x=(-2.6, 2.6, 104))

    def family(temperature: float) -> fp.Langevin:
        return fp.Langevin(tilted, temperature=temperature)

    objective = loss_after(40.0, [0.95])
    best = optimise(family, grid, objective, (0.01, 0.6), points=9, tolerance=1e-4)
    brute = [objective(fp.generator(family(t), grid)) for t in np.geomspace(0.8, 1.25, 31) * best.argument]
    assert not best.at_edge and int(np.argmin(brute)) == 15
