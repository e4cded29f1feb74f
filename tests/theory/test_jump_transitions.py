"""Transition probabilities of jumps: matrix exponentials, urns, sums of jumps, and arguments of the master equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from fpsolver.errors import TheoryError
from fpsolver.theory import jump_transitions as jumps


@pytest.mark.parametrize("balls", [1, 5, 20])
@pytest.mark.parametrize("duration", [0.0, 0.3, 7.0])
def test_the_urn_is_solved(balls, duration):
    exact = expm(jumps.urn_rates(balls) * duration)
    assert jumps.urn_transitions(balls, duration=duration) == pytest.approx(exact, abs=1e-12)


def test_spectrum_of_the_urn():
    values = np.sort(np.linalg.eigvals(jumps.urn_rates(20)).real)[::-1]
    assert values == pytest.approx(jumps.urn_spectrum(20), abs=1e-9)


def test_short_times_are_of_second_order_and_need_the_stay():
    rates, times = jumps.urn_rates(6), np.array([0.02, 0.01, 0.005])
    errors = [np.abs(jumps.short_time(rates, duration=t) - expm(rates * t)).max() for t in times]
    assert np.polyfit(np.log(times), np.log(errors), 1)[0] == pytest.approx(2.0, abs=0.02)
    for t in times:
        assert jumps.short_time(rates, duration=t).sum(axis=0) == pytest.approx(np.ones(7), rel=1e-14)
        written = jumps.short_time_as_written(rates, duration=t)
        assert written.sum(axis=0) == pytest.approx(-np.diag(rates) * t, rel=1e-14)


def test_displacements_have_the_moments_of_their_flow():
    """d⟨x⟩/dt = ∫Δρ and d Var/dt = ∫Δ²ρ on a linear loss; characteristic function e^{rt(χ − 1)} at one wave number."""
    numbers = {"gradient": 1.0, "temperature": 0.5, "scale": 0.3}
    x = np.linspace(-9, 9, 6001)
    p = jumps.compound_poisson_density(x, duration=3.0, attempt_rate=2.0, **numbers) * (x[1] - x[0])
    mean = 3.0 * 2.0 * -0.09414250739178452
    assert p @ x == pytest.approx(mean, rel=1e-9)
    assert p @ x**2 - mean**2 == pytest.approx(3.0 * 2.0 * 0.10261533305704514, rel=1e-9)
    rate, wave = 1.046027859908717 * 2.0 * 3.0, 2.5
    one = np.exp(-1j * wave * 0.09 - 0.5 * (0.3 * wave) ** 2)
    found = p @ np.exp(1j * wave * x) + math.exp(-rate)
    assert found == pytest.approx(np.exp(rate * (one - 1.0)), abs=1e-10)


@pytest.mark.parametrize("form", [jumps.arguments, jumps.arguments_as_written])
def test_stationary_states_of_either_reading(form):
    x = np.linspace(-6, 6, 301)
    start, end = np.meshgrid(x, x)  # columns start
    place, update = form(start, end)
    s, t = 1.5, 0.5
    rates = np.exp(-0.5 * (update / s) ** 2 - ((place + update) ** 2 - place**2) / (4.0 * t))
    rates -= np.diag(rates.sum(axis=0))
    p = np.linalg.svd(rates)[2][-1]
    p = p / p.sum()
    expected = t if form is jumps.arguments else jumps.arguments_as_written_variance(1.0, temperature=t, scale=s)
    assert p @ x**2 == pytest.approx(expected, rel=1e-8)


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match="square"):
        jumps.short_time([[1.0, 2.0]], duration=0.1)
    with pytest.raises(TheoryError, match="from column to row"):
        jumps.short_time([[-1.0, 1.0], [2.0, -2.0]], duration=0.1)
    with pytest.raises(TheoryError, match="balls"):
        jumps.urn_rates(0)
