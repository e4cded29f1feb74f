"""Crooks' line and crossing: slope one and ΔF for Gaussian work, errors against theory and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import InputError, MethodError
from fpsolver.theory import dragged_trap, gaussian_work
from fpsolver.thermodynamics import bootstrap, crooks_line, gaussian_crossing, log_ratio


def pair(dissipated, n, seed, difference=0.4, temperature=1.0):
    rng, deviation = np.random.default_rng(seed), np.sqrt(2 * temperature * dissipated)
    return rng.normal(dissipated + difference, deviation, n), rng.normal(dissipated - difference, deviation, n)


def test_line_of_many_repetitions():
    """Slope and crossing are right on average, and scatter as their error bars say (both to 1/√600)."""
    found = [crooks_line(*pair(1.0, 500, seed, temperature=0.5), 0.5) for seed in range(300)]
    for truth, value, error in ((1.0, "slope", "slope_error"), (0.4, "value", "standard_error")):
        values, errors = (np.array([getattr(one, name) for one in found]) for name in (value, error))
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(300) + 1.0 / 500
        assert abs(errors.mean() / values.std(ddof=1) - 1) < 4 / np.sqrt(600)


def test_line_of_a_density_that_breaks_the_theorem():
    """Work of a trap dragged in its steady state: Gaussian with a slope that is not one, and known."""
    slope = float(dragged_trap.steady_slope(stiffness=1.0, duration=2.0, temperature=1.0))
    mean = 2.0  # v² t; the variance follows from the slope of a Gaussian, 2 mean/variance
    rng = np.random.default_rng(1)
    there, back = rng.normal(mean, np.sqrt(2 * mean / slope), (2, 20_000))
    line = crooks_line(there, back, 1.0)
    assert abs(line.slope - slope) < 4 * line.slope_error
    assert abs(line.value) < 4 * line.standard_error


def test_line_agrees_with_its_points():
    """The unbinned fit lies within the errors of the binned logarithms: χ² of 10 or so points below its 4σ quantile."""
    there, back = pair(1.0, 50_000, 2)
    line, points = crooks_line(there, back, 1.0), log_ratio(there, back, np.linspace(-2.0, 3.0, 51))
    chi = (points.values - line.slope * (points.work - line.value)) / points.standard_errors
    assert np.sum(chi**2) < len(chi) + 4 * np.sqrt(2 * len(chi))


def test_crossing_scatters_as_theory_says():
    """Over 300 repetitions; the bootstrap's error bar is that of theory within its own 1/√(2 resamples)."""
    found = [gaussian_crossing(*pair(1.0, 800, seed), resamples=2) for seed in range(300)]
    theory = gaussian_work.gaussian_crossing_deviation(1.0, 800, temperature=1.0)
    values = np.array([one.value for one in found])
    assert abs(values.mean() - 0.4) < 4 * float(theory) / np.sqrt(300)
    assert abs(values.std(ddof=1) / float(theory) - 1) < 4 / np.sqrt(600) + theory.error_scale
    error = gaussian_crossing(*pair(1.0, 800, 7), resamples=400).standard_error
    assert abs(error / float(theory) - 1) < 4 / np.sqrt(800) + 4 / np.sqrt(1600)


def test_crossing_is_antisymmetric_and_moves_with_the_work():
    there, back = pair(1.5, 300, 3)
    plain = gaussian_crossing(there, back, resamples=2).value
    assert gaussian_crossing(back, there, resamples=2).value == pytest.approx(-plain, rel=1e-10)
    assert gaussian_crossing(there + 5, back - 5, resamples=2).value == pytest.approx(plain + 5, rel=1e-10)


def test_crossing_of_the_same_density_is_its_mean():
    there = np.array([1.0, 2.0, 4.0])
    assert gaussian_crossing(there, -there, resamples=2).value == pytest.approx(7 / 3)


def test_no_overlap_is_refused():
    with pytest.raises(MethodError, match="do not overlap"):
        crooks_line([10.0, 11.0], [10.0, 11.0], 1.0)
    with pytest.raises(MethodError, match="no bin"):
        log_ratio([10.0, 11.0], [10.0, 11.0], [-12.0, 0.0, 12.0])
    with pytest.raises(InputError, match="ascend"):
        log_ratio([1.0, 2.0], [1.0, 2.0], [1.0, 0.0])


def test_bootstrap_of_the_line_agrees_with_its_error():
    """The bootstrap knows the error to 1/√(2 resamples); four of those."""
    there, back = pair(1.0, 2000, 4)
    found = bootstrap(lambda a, b: crooks_line(a, b, 1.0).slope, there, back, resamples=100, seed=1)
    assert abs(found.standard_error / crooks_line(there, back, 1.0).slope_error - 1) < 4 / np.sqrt(200)
