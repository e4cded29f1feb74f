"""Barrier heights: normalisation, limits, and walks solved by an integral equation and by Spitzer's formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from fpsolver.errors import TheoryError
from fpsolver.theory import barrier_statistics


def mean_height_of_a_walk(step: float, drift: float, nodes: int = 60) -> float:
    """Return the mean rise for h = 1 of a walk with steps N(drift·step², step²), by Nyström's method.

    A rise is h, its overshoot, and what the maximum grows until the walk is h below it. Both follow from how far the
    walk is from its last extreme, y: that ends beyond h, begins anew at 0 when a new extreme is set.
    """
    x, weights = np.polynomial.legendre.leggauss(nodes)
    y, weights = (x + 1.0) / 2.0, weights / 2.0
    at = np.append(y, 0.0)

    def from_extreme(mean: float, gains: bool) -> float:
        kernel = norm.pdf((y - at[:, None] - mean) / step) / step * weights
        back = norm.cdf((-at - mean) / step)
        system = np.eye(nodes + 1)
        system[:, :nodes] -= kernel
        system[:, nodes] -= back
        edge = 0.0 if gains else 1.0
        z = (at + mean - edge) / step * (-1.0 if gains else 1.0)
        source = step * (norm.pdf(z) + z * norm.cdf(z))
        return float(np.linalg.solve(system, source)[-1])

    overshoot = from_extreme(drift * step**2, gains=False)
    growth = from_extreme(-drift * step**2, gains=True)
    return 1.0 + overshoot + growth


@pytest.mark.parametrize("step", [0.1, 0.2, 0.3, 0.4])
def test_walks_without_drift(step):
    """2h + 1.1652 s: what is left falls off as e^{−√(2π) h/s}, by the zeros of 1 − e^{−k²/2} at k² = ±4πi."""
    mean = barrier_statistics.mean_height(1.0, step=step)
    predicted = float(mean)
    assert mean.error_scale == pytest.approx(math.exp(-math.sqrt(2 * math.pi) / step), rel=1e-12)
    assert abs(mean_height_of_a_walk(step, 0.0) - predicted) < mean.error_scale
    assert predicted == pytest.approx(1.0 + float(barrier_statistics.barrier_scale(1.0, step=step)), rel=1e-14)


@pytest.mark.parametrize("drift", [-0.7, 0.4])
def test_walks_with_drift_to_first_order(drift):
    """The error shrinks with the square of the step."""
    steps = np.array([0.05, 0.1, 0.2])
    errors = [
        mean_height_of_a_walk(s, drift) / float(barrier_statistics.mean_height(1.0, drift=drift, step=s)) - 1.0
        for s in steps
    ]
    orders = np.diff(np.log(np.abs(errors))) / math.log(2.0)
    np.testing.assert_allclose(orders, 2.0, atol=0.25)


@pytest.mark.parametrize("drift", [-0.5, -1.0])
def test_greatest_rise_of_a_walk_by_spitzer(drift):
    """⟨max⟩ = Σ ⟨Sₙ⁺⟩/n; the formula for a walk is good to the third order of the step."""
    deviations = []
    for step in (0.1, 0.2, 0.4):
        n = np.arange(1, int(200.0 / (drift * step) ** 2))
        mean, deviation = drift * step**2 * n, step * np.sqrt(n)
        z = mean / deviation
        spitzer = float(np.sum((deviation * norm.pdf(z) + mean * norm.cdf(z)) / n))
        predicted = barrier_statistics.greatest_rise_mean(drift, step=step)
        deviations.append(abs(spitzer - float(predicted)))
        assert deviations[-1] < predicted.error_scale
    # The continuous path is only the limit: the first order is there.
    assert deviations[0] < 1e-4 < abs(float(barrier_statistics.greatest_rise_mean(drift, step=0.1)) - 0.5 / abs(drift))


@given(st.floats(0.1, 5.0))
def test_densities_of_heights(threshold):
    """Both forms are normalised; the means are 2h and h."""
    x, weights = np.polynomial.laguerre.laggauss(30)
    for form, shift in (
        (barrier_statistics.barrier_density, threshold),
        (barrier_statistics.barrier_density_if_exponential, 0.0),
    ):
        values = np.array([float(form(shift + threshold * t, threshold=threshold)) for t in x]) * np.exp(x) * threshold
        assert weights @ values == pytest.approx(1.0, rel=1e-9)
        assert weights @ (values * (shift + threshold * x)) == pytest.approx(shift + threshold, rel=1e-9)
    assert float(barrier_statistics.barrier_density(0.99 * threshold, threshold=threshold)) == 0.0
    assert float(barrier_statistics.mean_height(threshold)) == pytest.approx(2 * threshold)


def test_drift_has_its_limits():
    """Without drift 2h; a steep fall leaves the greatest rise of a falling path."""
    small = [float(barrier_statistics.mean_height(1.0, drift=sign * 1e-6)) for sign in (1, -1)]
    assert small == pytest.approx([2.0, 2.0], abs=2e-6)
    falling = float(barrier_statistics.mean_height(30.0, drift=-1.0, diffusion=0.5)) - 30.0
    assert falling == pytest.approx(float(barrier_statistics.greatest_rise_mean(-1.0, diffusion=0.5)), rel=1e-12)


@given(st.floats(0.1, 5.0), st.floats(0.2, 3.0), st.floats(1.01, 50.0))
def test_trapping_times_are_heights_in_the_exponent(threshold, temperature, factor):
    """P(τ) dτ = P(E) dE with τ = e^{E/T}."""
    height = threshold * factor
    time = math.exp(min(height / temperature, 600.0))
    height = temperature * math.log(time)
    density = barrier_statistics.trapping_time_density(time, temperature=temperature, threshold=threshold)
    expected = float(barrier_statistics.barrier_density(height, threshold=threshold)) * temperature / time
    assert float(density) == pytest.approx(expected, rel=1e-9)


def test_what_is_refused():
    with pytest.raises(TheoryError, match="threshold"):
        barrier_statistics.barrier_density(1.0, threshold=0.0)
    with pytest.raises(TheoryError, match="drift"):
        barrier_statistics.greatest_rise_mean(0.5)
