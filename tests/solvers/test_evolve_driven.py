"""Driven evolution: short features of a protocol are found wherever they lie, and singular ones are named."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import fpsolver as fp
from fpsolver.errors import ConvergenceError, NumericalError
from fpsolver.solvers.evolve import evolve
from fpsolver.solvers.exponential.protocols import resolved_knots

pytestmark = pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")


def trap(**protocol):
    landscape = fp.Landscape("a*x**2/2", parameters={"a": 1.0})
    grid = fp.Grid(x=(-4, 4, 20))
    generator = fp.generator(fp.Langevin(landscape, temperature=0.5, protocol=protocol), grid)
    return generator, fp.boltzmann(fp.Landscape("x**2/2"), grid, 0.5)


def radau(generator, density, marks):
    """Radau on the dense matrix; steps of a twentieth of each part, so that no feature is stepped over."""
    state = generator.at(marks[0]).encode(density)
    for begin, end in pairwise(marks):
        solution = solve_ivp(
            lambda t, y: generator.at(t).matrix @ y,
            (begin, end),
            state,
            method="Radau",
            rtol=1e-9,
            atol=1e-13,
            jac=lambda t, y: generator.at(t).matrix.toarray(),
            max_step=(end - begin) / 20,
        )
        state = solution.y[:, -1]
    return generator.at(marks[0]).decode(state)


def distance(generator, first, second):
    return float((np.abs(first - second) * generator.grid.volumes).sum())


@pytest.mark.parametrize(("centre", "width"), [(7.3, 0.02), (1.234, 0.003), (0.05, 0.01)])
def test_narrow_pulses_are_seen(centre, width):
    generator, density = trap(a=f"1 + 3*exp(-((t - {centre})/{width})**2)")
    end = centre + 2 * width
    found = evolve(generator, density, [end])
    marks = [0.0, max(centre - 5 * width, end / 10), end]
    # Radau is good to 2e-8 here; the pulse itself moves the density by more than 1e-3
    assert distance(generator, found.final, radau(generator, density, marks)) < 3e-8
    assert distance(generator, found.final, density) > 1e-3
    assert found.stats["estimated_error"] < 1e-8


@pytest.mark.parametrize("phase", [0.0, 1.9])
def test_sinusoids_of_any_phase(phase):
    generator, density = trap(a=fp.Protocol.sinusoid(1.5, 1.0, period=0.25, phase=phase))
    found = evolve(generator, density, [0.6])
    assert distance(generator, found.final, radau(generator, density, [0.0, 0.3, 0.6])) < 3e-8


@pytest.mark.parametrize("pole", [0.5, 0.4321])
def test_singular_protocols_end_with_their_time(pole):
    generator, density = trap(temperature=f"1/(t - {pole})**2")
    with pytest.raises(NumericalError, match=rf"'temperature' .* at t = {pole}"):
        evolve(generator, density, [1.0])


def test_too_fast_oscillations_end_with_a_remedy(monkeypatch):
    from fpsolver.solvers.exponential import protocols

    monkeypatch.setattr(protocols, "MOST_INTERVALS", 500)
    with pytest.raises(ConvergenceError, match="varies too fast"):
        resolved_knots({"a": lambda t: np.sin(1e7 * t)}, [0.0, 3.0], 1e-8)


def test_an_oscillation_in_step_with_even_samples_is_not_taken_for_a_constant():
    from fpsolver.solvers.exponential.protocols import SAMPLES

    assert resolved_knots({"a": lambda t: np.sin(2 * np.pi * SAMPLES / 64 * t)}, [0.0, 1.0], 1e-3)


def test_smooth_protocols_cost_nothing():
    """A cubic is a polynomial; a sine within one radian is one of degree 8 to (1/2)^9/(2^8 9!) = 2e-11."""
    assert resolved_knots({"a": lambda t: t**3 - t, "b": np.sin}, [0.0, 1.0], 1e-8) == []


def test_knots_do_not_see_the_far_side_of_a_breakpoint():
    assert resolved_knots({"a": lambda t: np.where(t < 0.4, 0.0, 1.0)}, [0.0, 0.4, 1.0], 1e-8) == []
