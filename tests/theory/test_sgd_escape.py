"""SGD noise of three kinds: asymptotic times against exact quadrature of the same diffusion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError, ValidityWarning
from fpsolver.landscapes import Landscape
from fpsolver.theory import Barrier, kramers, sgd_escape, sgd_noise
from fpsolver.theory.first_passage import driven_by, mean_time

# Two parabolas of curvature 4 and −1 that meet at x = 1 with slope 4: the top is at x = 5, ΔL = 2 + 8.
PARABOLAS = Landscape("Piecewise((2*x**2, x < 1), (2 + 4*(x - 1) - (x - 1)**2/2, True))", variables=("x",))
PIECES = Barrier(height=10.0, minimum_curvature=4.0, saddle_curvature=-1.0)


def test_additive_noise(well):
    numbers = {"learning_rate": 0.02, "batch_size": 4, "variance": 3.0}
    temperature = float(sgd_escape.additive_noise_temperature(**numbers))
    assert temperature == pytest.approx(0.02 * 3 / 8, rel=1e-15)
    exponent = sgd_escape.additive_noise_exponent(well, **numbers)
    assert float(exponent) == pytest.approx(2 * 4 * 0.25 / (0.02 * 3), rel=1e-14)
    constant = 2 * 4 * 0.25 / 3
    assert float(sgd_escape.arrhenius_weight(constant, learning_rate=0.02)) == pytest.approx(math.exp(-float(exponent)))
    k = sgd_escape.additive_noise_rate(well, **numbers)
    assert float(k) == pytest.approx(float(kramers.overdamped_rate(well, temperature=temperature)), rel=1e-14)


def test_rate_per_step_is_not_the_exponential_alone(well):
    """ln(rate per step) against 1/η: slope −c, and a factor η that the form as written lacks."""
    etas, numbers = np.array([0.02, 0.01, 0.005, 0.0025]), {"batch_size": 4, "variance": 3.0}
    per_step = [float(sgd_escape.additive_noise_rate_per_step(well, learning_rate=eta, **numbers)) for eta in etas]
    weights = [float(sgd_escape.arrhenius_weight(2 / 3, learning_rate=eta)) for eta in etas]
    written = [
        float(sgd_escape.additive_noise_rate_per_step_as_written(well, learning_rate=eta, **numbers)) for eta in etas
    ]
    for expected, rates in ((1.0, per_step), (0.0, written)):
        power = np.polyfit(np.log(etas), np.log(rates) - np.log(weights), 1)[0]
        assert power == pytest.approx(expected, abs=1e-10)
    time = sgd_escape.in_steps(kramers.overdamped_time(well, temperature=0.05), 0.1)
    assert float(time) == pytest.approx(10 * float(kramers.overdamped_time(well, temperature=0.05)))


def test_exponent_of_curvature_noise():
    """s = 1/5 by matching: s/4 + 4s/1 = 0.85; the integral of L'/D says the same."""
    assert sgd_noise.rates(1.0, 2) == (1.0, 2.0)
    assert sgd_escape.matching_fraction(4.0, -1.0) == pytest.approx(0.2, rel=1e-15)
    exponent = sgd_escape.curvature_noise_exponent(PIECES, learning_rate=1.0, batch_size=1)
    assert float(exponent) == pytest.approx(2 * 10 * 0.85, rel=1e-14)
    noise = sgd_noise.curvature_noise(PARABOLAS, learning_rate=1.0, batch_size=1)
    assert float(sgd_noise.noise_exponent(PARABOLAS, noise, 0.0, 5.0)) == pytest.approx(17.0, rel=1e-9)


@pytest.mark.parametrize("convention", ["ito", "stratonovich", "klimontovich"])
def test_time_of_curvature_noise_in_each_convention(convention):
    """Exact up to e^{−small parts of the exponent}, since both ends are parabolas with constant noise."""
    for eta in (2.0, 1.0):
        noise = sgd_noise.curvature_noise(PARABOLAS, learning_rate=eta, batch_size=1)
        process = driven_by(PARABOLAS, diffusion=noise, convention=convention)
        exact = float(mean_time(process, 0.0, 12.0))
        theory = sgd_escape.curvature_noise_time(PIECES, learning_rate=eta, batch_size=1, convention=convention)
        # At the inner parabola the exponent is s·2BΔL/(ηH_a) = 1/η, where Laplace's tail is cut.
        assert exact == pytest.approx(float(theory), rel=math.erfc(math.sqrt(1 / eta)))
    written = sgd_escape.curvature_noise_time_as_published(PIECES, learning_rate=1.0, batch_size=1)
    assert float(written) == pytest.approx(2 * math.pi * math.exp(17), rel=1e-13)


def test_the_published_prefactor_is_not_that_of_sgd():
    """In the Itô convention the exact time is a quarter (|H_b|/H_a) of the published one, up to 1/B."""
    ratios = []
    for batch in (2, 4, 8):
        noise = sgd_noise.curvature_noise(PARABOLAS, learning_rate=1.0, batch_size=batch)
        exact = float(mean_time(driven_by(PARABOLAS, diffusion=noise, convention="ito"), 0.0, 12.0))
        written = sgd_escape.curvature_noise_time_as_published(PIECES, learning_rate=1.0, batch_size=batch)
        ratios.append(exact / float(written))
    assert ratios[-1] == pytest.approx(0.25, rel=1e-3)


def test_smooth_landscapes_block_noise_in_strict_proportion_to_curvature(quartic):
    noise = sgd_noise.curvature_noise(quartic, learning_rate=0.1, batch_size=1)
    with pytest.raises(TheoryError, match=r"vanishes near x = -0\.57"):
        sgd_noise.noise_exponent(quartic, noise, -1.0, 0.0)
    floored = sgd_noise.noise_exponent(quartic, lambda x: noise(x) + 0.01, -1.0, 0.0)
    assert float(floored) > 0


def shifted_well(lowest):
    return Landscape(f"x**4/4 - x**2/2 + 1/4 + {lowest!r}")


def test_noise_in_proportion_to_the_loss_gives_a_power_law(well):
    """Exact over asymptotic time tends to one like 1/φ; the exponential law is off by orders of magnitude."""
    lowest, scales, left, corrected = 0.05, [], [], []
    for eta in (0.05, 0.025, 0.0125):
        numbers = {"learning_rate": eta, "batch_size": 1}
        noise = sgd_noise.loss_noise(shifted_well(lowest), curvature=2.0, **numbers)
        exact = float(mean_time(driven_by(shifted_well(lowest), diffusion=noise, convention="ito"), -1.0, 1.0))
        theory = sgd_escape.loss_noise_time(well, loss_at_minimum=lowest, **numbers)
        better = sgd_escape.corrected_loss_noise_time(well, loss_at_minimum=lowest, **numbers)
        scales.append(theory.error_scale)
        left.append(abs(exact / float(theory) - 1))
        corrected.append(abs(exact / float(better) - 1))
        assert left[-1] < theory.error_scale and corrected[-1] < better.error_scale
        exponential = sgd_escape.loss_noise_time_if_exponential(well, loss_at_minimum=lowest, **numbers)
        assert float(exponential) > 1e5 * exact
    for order, errors in ((1.0, left), (2.0, corrected)):
        assert np.polyfit(np.log(scales), np.log(errors), 1)[0] == pytest.approx(order, abs=0.15)


def test_the_power_is_the_log_slope_of_the_exact_time(well):
    """d ln τ/d ln(L_s/L*) at fixed ΔL is B/(ηh) + 1/2, up to terms that the prefactor brings."""
    eta, slopes = 0.02, []
    power = sgd_escape.power_law_exponent(learning_rate=eta, batch_size=1, curvature=2.0)
    assert float(power) == pytest.approx(25.5, rel=1e-14)
    times, ratios = [], []
    for lowest in (0.1, 0.1001):
        landscape = shifted_well(lowest)
        noise = sgd_noise.loss_noise(landscape, learning_rate=eta, batch_size=1, curvature=2.0)
        times.append(float(mean_time(driven_by(landscape, diffusion=noise, convention="ito"), -1.0, 1.0)))
        ratios.append((0.25 + lowest) / lowest)
    slopes = math.log(times[1] / times[0]) / math.log(ratios[1] / ratios[0])
    assert slopes == pytest.approx(float(power), rel=2 / 25.5)
    assert float(sgd_escape.power_law_exponent(learning_rate=eta, batch_size=1, curvature=2.0, dimension=4)) == 24.0


def test_leading_order_and_limit_of_small_barriers(well):
    """For ΔL ≪ L* the power law becomes the exponential with the noise of the minimum."""
    numbers = {"learning_rate": 1e-5, "batch_size": 1}
    leading = sgd_escape.loss_noise_time(well, loss_at_minimum=1e3, **numbers)
    exponential = sgd_escape.loss_noise_time_if_exponential(well, loss_at_minimum=1e3, **numbers)
    assert float(leading) == pytest.approx(float(exponential), rel=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.001, 0.05), st.floats(1, 64), st.floats(0, 1))
def test_flat_minima_are_harder_to_leave_and_only_the_ratio_counts(bottom, top, rate, batch, fraction):
    """With curvature noise the exponent falls with H_a, and depends on η and B through η/B alone."""
    barrier, sharper = (Barrier(1.0, h, -top) for h in (bottom, 2 * bottom))
    arguments = {"learning_rate": rate, "batch_size": batch, "fraction": fraction}
    exponent = float(sgd_escape.curvature_noise_exponent(barrier, **arguments))
    assert float(sgd_escape.curvature_noise_exponent(sharper, **arguments)) <= exponent
    arguments.update(learning_rate=2 * rate, batch_size=2 * batch)
    assert float(sgd_escape.curvature_noise_exponent(barrier, **arguments)) == pytest.approx(exponent, rel=1e-12)


def test_bad_numbers_are_refused_and_poor_ones_warned_of(well):
    with pytest.raises(TheoryError, match="L\\* > 0"):
        sgd_escape.loss_noise_time(well, loss_at_minimum=0.0, learning_rate=0.1, batch_size=1)
    with pytest.raises(TheoryError, match="between 0 and 1"):
        sgd_escape.curvature_noise_exponent(well, learning_rate=0.01, batch_size=1, fraction=1.5)
    with pytest.raises(TheoryError, match='did you mean "ito"'):
        sgd_escape.curvature_noise_time(well, learning_rate=0.01, batch_size=1, convention="itto")
    with pytest.raises(TheoryError, match="dimension"):
        sgd_escape.power_law_exponent(learning_rate=0.1, batch_size=1, curvature=1.0, dimension=0)
    with pytest.raises(TheoryError, match="batch_size"):
        sgd_escape.additive_noise_rate(well, learning_rate=0.1, batch_size=0, variance=1.0)
    with pytest.warns(ValidityWarning, match="exponent"):
        sgd_escape.curvature_noise_exponent(well, learning_rate=10.0, batch_size=1)
