"""Barriers and escape rates of all minima, against passes found by root finding and passage times by quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import fpsolver as fp
from fpsolver.errors import MethodError

TILTED = fp.Landscape("x**4/4 - x**2/2 + 0.05*x")


def _critical() -> np.ndarray:
    return np.sort(np.roots([1.0, 0.0, -1.0, 0.05]).real)


def _exit_time(start: float, top: float, wall: float, temperature: float) -> float:
    """Mean time from a minimum to the top of its barrier, by the double integral of Pontryagin, Andronov and Vitt."""

    def inner(y: float) -> float:
        return quad(lambda z: np.exp((TILTED.value([y]) - TILTED.value([z])) / temperature), wall, y, limit=200)[0]

    return quad(lambda y: inner(y) / temperature * np.sign(top - start), start, top, limit=200)[0]


def test_barriers_and_rates_of_a_tilted_double_well() -> None:
    temperature, (left, top, right) = 0.04, _critical()
    W = fp.generator(fp.Langevin(TILTED, temperature=temperature), fp.Grid(x=(-2.2, 2.2, 1100)))
    found = fp.learning.escape_rates(W)
    heights = [float(TILTED.value([top]) - TILTED.value([x])) for x in (left, right)]
    # Cell centres miss a minimum by up to h/2, and its value by up to L''h²/8.
    np.testing.assert_allclose(found.barriers, heights, atol=2.0 * 0.004**2)
    # The basin ends at a face, up to a cell h from the top, where the time grows by √(2/πT) of itself per unit length
    # (L'' = −1); settling takes e^{−ΔL/T} of it.
    allowed = np.sqrt(2.0 / np.pi / temperature) * 0.004 + 3.0 * np.exp(-heights[0] / temperature)
    assert found.rates[0] == pytest.approx(1.0 / _exit_time(left, top, -2.2, temperature), rel=allowed)


def test_escape_of_jumps_and_steps_is_counted_too() -> None:
    grid = fp.Grid(x=(-2.2, 2.2, 220))
    jumps = fp.JumpProcess(TILTED, temperature=0.1, proposal=fp.GaussianProposal(0.2))
    steps = fp.SGD(TILTED, learning_rate=0.1, noise=fp.GaussianNoise(2.0))  # T = 0.1
    for dynamics in (jumps, steps):
        W = fp.generator(dynamics, grid)
        found = fp.learning.escape_rates(W)
        edge = float(_critical()[1])
        tau = fp.mean_first_passage_time(W, lambda x, edge=edge: x > edge)
        settled = fp.quasi_stationary(W, lambda x, edge=edge: x > edge)
        weights = settled.values * grid.volumes
        assert found.rates[0] == pytest.approx(1.0 / float((weights * tau.values).sum()), rel=0.05)  # one cell of edge


def test_rates_on_a_rough_landscape_fall_as_the_barriers_grow() -> None:
    rough = fp.Landscape("x**2/8 + 0.2*cos(6*x) + 0.15*sin(9*x)")
    W = fp.generator(fp.Langevin(rough, temperature=0.05), fp.Grid(x=(-4, 4, 1200)))
    found = fp.learning.escape_rates(W, threshold=0.1)
    assert len(found) > 4
    slope, error = found.arrhenius_fit()
    assert abs(slope - 20.0) < 4.0 * error
    density, edges = found.barrier_density(4)
    assert float(density @ np.diff(edges)) == pytest.approx(1.0)
    density, edges = found.rate_density(4)
    assert float(density @ np.diff(edges)) == pytest.approx(1.0)


def test_what_has_no_escape_is_refused() -> None:
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), fp.Grid(x=(-5, 5, 50)))
    with pytest.raises(MethodError, match="no escape"):
        fp.learning.escape_rates(W)
    with pytest.raises(MethodError, match="no landscape"):
        fp.learning.escape_rates(fp.generator(fp.markov_network([[0.0, 1.0], [1.0, 0.0]])))
