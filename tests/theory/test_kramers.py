"""Kramers' rates against published numbers, each other, and the exact quadrature."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError, ValidityWarning
from fpsolver.landscapes import Landscape
from fpsolver.theory import Barrier, anharmonic, kramers

# Ratio of the exact mean time −1 → 1 to √2 π e^{1/4T}, by Gauss–Kronrod quadrature at 30 digits.
EXACT_OVER_KRAMERS = {0.025: 1.0434019271818153, 0.05: 1.106597341754707}


@pytest.mark.parametrize(
    "form", [kramers.overdamped_rate, kramers.overdamped_time, kramers.arrhenius_time, anharmonic.corrected_time_to_top]
)
def test_a_barrier_beyond_floating_point_is_refused(well, form):
    assert math.isfinite(float(form(well, temperature=0.25 / 699)))
    with pytest.raises(TheoryError, match="1000, which has to be a number up to 700"):
        form(well, temperature=0.25 / 1000)


def quartic_mean_time(temperature):
    """τ(−1 → 1) = (Z/T)∫₀¹ e^{V/T}dy by symmetry, with Z from Bessel functions of order ±1/4; in mpmath."""
    with mpmath.workdps(25):
        t = mpmath.mpf(temperature)
        z = (
            mpmath.pi
            / 2
            * mpmath.exp(1 / (8 * t))
            * sum(mpmath.besseli(s / mpmath.mpf(4), 1 / (8 * t)) for s in (-1, 1))
        )
        top = mpmath.quad(lambda y: mpmath.exp((y**4 / 4 - y**2 / 2) / t), mpmath.linspace(0, 1, 9))
        return float(z / t * top)


@pytest.mark.parametrize("temperature", EXACT_OVER_KRAMERS)
def test_exact_over_kramers(well, temperature):
    exact = kramers.exact_time(well, 1.0, temperature=temperature)
    assert exact.exact and float(exact) == pytest.approx(quartic_mean_time(temperature), rel=1e-12)
    ratio = float(exact) / float(kramers.overdamped_time(well, temperature=temperature))
    assert ratio == pytest.approx(EXACT_OVER_KRAMERS[temperature], rel=1e-10)


def test_the_ratio_approaches_one_with_slope_three_halves(well):
    temperatures = np.array([0.01, 0.005, 0.0025, 0.00125])
    ratios = [
        float(kramers.exact_time(well, 1.0, temperature=t)) * float(kramers.overdamped_rate(well, temperature=t))
        for t in temperatures
    ]
    slopes = (np.array(ratios) - 1) / temperatures
    # Polynomial extrapolation to T = 0: an asymptotic series in T, here to fourth order.
    assert np.polynomial.Polynomial.fit(temperatures, slopes, 3)(0.0) == pytest.approx(1.5, abs=2e-3)
    assert anharmonic.coefficient(well) == pytest.approx(1.5, rel=1e-8)
    corrected = [float(anharmonic.corrected_overdamped_rate(well, temperature=t)) for t in temperatures]
    left = np.abs(
        [
            float(kramers.exact_time(well, 1.0, temperature=t)) * k - 1
            for t, k in zip(temperatures, corrected, strict=True)
        ]
    )
    order = np.polyfit(np.log(temperatures), np.log(left), 1)[0]
    assert order == pytest.approx(2.0, abs=0.1)


def test_an_attempt_time_of_the_well_alone_misses_by_the_root_of_the_curvatures(well):
    """At every temperature by √(|L''_b|/L''_a), here √(1/2); not at all where top and bottom are alike, as in cos x."""
    for temperature in (0.1, 0.01):
        written = float(kramers.arrhenius_time(well, temperature=temperature, mobility=3.0))
        right = float(kramers.overdamped_time(well, temperature=temperature, mobility=3.0))
        assert written / right == pytest.approx(math.sqrt(0.5), rel=1e-12)
    cosine = Barrier.between(Landscape("cos(x)"), math.pi, 0.0)
    times = [float(f(cosine, temperature=0.2)) for f in (kramers.arrhenius_time, kramers.overdamped_time)]
    assert times[0] == pytest.approx(times[1], rel=1e-12)
    with pytest.warns(ValidityWarning, match="T ≪ ΔL"):
        kramers.arrhenius_time(well, temperature=0.3)


def test_the_top_of_an_asymmetric_barrier_is_reached_earlier_or_later_by_order_root_of_temperature():
    landscape = Landscape("x**2/2 - x**3/3 + x**4/40")
    top = float(min(np.roots([0.1, -1.0, 1.0])))
    barrier = Barrier.between(landscape, 0.0, top)
    errors = []
    for t in (0.002, 0.001, 0.0005):
        exact = float(kramers.exact_time(barrier, top, temperature=t))
        plain = float(kramers.overdamped_time(barrier, temperature=t, to="top"))
        better = float(anharmonic.corrected_time_to_top(barrier, temperature=t))
        errors.append((abs(exact / plain - 1), abs(exact / better - 1)))
    plain, better = np.log(errors).T
    steps = np.log([0.002, 0.001, 0.0005])
    assert np.polyfit(steps, plain, 1)[0] == pytest.approx(0.5, abs=0.1)
    assert np.polyfit(steps, better, 1)[0] == pytest.approx(1.5, abs=0.2)


def test_the_textbook_form_is_the_limit_of_strong_friction_only(well):
    """As written, (ω₀/2π)(ω_b/γ)e^{−ΔL/T}; it is above the interpolation by (ω_b/γ)² and diverges for γ → 0."""
    errors = []
    for friction in (10.0, 20.0, 40.0):
        written = kramers.strong_friction_rate(well, temperature=0.05, friction=friction)
        right = kramers.intermediate_rate(well, temperature=0.05, friction=friction)
        errors.append(float(written) / float(right) - 1)
        assert float(written) == pytest.approx(
            float(kramers.overdamped_rate(well, temperature=0.05, mobility=1 / friction)), rel=1e-14
        )
    np.testing.assert_allclose(errors, [1 / 10**2, 1 / 20**2, 1 / 40**2], rtol=0.02)
    with pytest.warns(ValidityWarning):
        written = kramers.strong_friction_rate(well, temperature=0.05, friction=0.2)
    assert float(written) > 4 * float(kramers.transition_state_rate(well, temperature=0.05))


def test_interpolation_against_published_numbers(well):
    """2k of Kramers' interpolation for x⁴/4 − x²/2, by hand: ω₀ = √2, ω_b = 1."""
    for temperature, friction, expected in ((0.05, 0.5, 2.368205562791645e-3), (0.1, 2.0, 1.530570135232484e-2)):
        k = kramers.rate(well, temperature=temperature, friction=friction)
        assert 2 * float(k) == pytest.approx(expected, rel=1e-12)


def klein_kramers_gap(landscape, temperature, friction, ends, points=110, functions=26):
    """The slowest rate of a double well, by sinc functions of x and Hermite functions of v (Risken, section 10.1)."""
    from scipy.sparse import bmat, identity
    from scipy.sparse.linalg import eigs

    x, h = np.linspace(*ends, points, retstep=True)
    i = np.arange(points)
    apart = i[:, None] - i
    derivative = np.where(apart == 0, 0.0, (-1.0) ** apart / np.where(apart == 0, 1, apart) / h)
    root = np.sqrt(temperature)
    force = np.diag(landscape.gradient(x[:, None])[:, 0] / (2 * root))
    down, up = root * derivative + force, root * derivative - force
    blocks = [[None] * functions for _ in range(functions)]
    for n in range(functions):
        blocks[n][n] = n * friction * identity(points)
        if n + 1 < functions:
            blocks[n][n + 1], blocks[n + 1][n] = np.sqrt(n + 1) * up, np.sqrt(n + 1) * down
    rates = eigs(bmat(blocks, format="csc"), k=2, sigma=-1e-7, return_eigenvectors=False)
    return float(max(rates.real))


@pytest.mark.parametrize("friction", [1.0, 5.0])
@pytest.mark.parametrize(
    ("cubic", "ends"), [pytest.param(0.0, (-1.75, 1.75), id="even"), pytest.param(0.12, (-1.9, 1.6), id="skew")]
)
def test_correction_at_moderate_friction_against_the_spectrum_of_klein_and_kramers(cubic, ends, friction):
    """(k₁ + k₂)/gap = 1 + cT + O(T²); the quadratic fit leaves a fourth-order term of about 1 %."""
    landscape = Landscape("x**4/4 - x**2/2 + c*x**3", parameters={"c": cubic}, variables=("x",))
    wells = [(-3 * cubic + sign * math.sqrt(9 * cubic**2 + 4)) / 2 for sign in (-1, 1)]
    barriers = [Barrier.between(landscape, x, 0.0) for x in wells]
    temperatures, slopes = np.array([0.01, 0.0125, 0.015, 0.0175]), []
    for t in temperatures:
        rates = [float(kramers.intermediate_rate(b, temperature=t, friction=friction)) for b in barriers]
        slopes.append((sum(rates) / klein_kramers_gap(landscape, t, friction, ends) - 1) / t)
    # The rate out of the shallower well is the larger by e^{−0.25/T}, or the wells are equal.
    c = anharmonic.coefficient(min(barriers, key=lambda b: b.height), friction)
    assert np.polynomial.Polynomial.fit(temperatures, slopes, 2)(0.0) == pytest.approx(c, rel=0.015)


@pytest.mark.parametrize("friction", [1.0, 2.0])
def test_correction_at_a_skew_top_alone(friction):
    """With the exact weight of the shallow well in place of its parabola, c_b is left, most of it cubic.

    The temperatures are a compromise: rates below 1e-10 drown in rounding, and above T = ΔL/14 e^{−δ} shows. What the
    quadratic fit leaves is about half a per cent.
    """
    landscape = Landscape("x**4/4 - x**2/2 + x**3/2")
    barrier = Barrier.between(landscape, 0.5, 0.0)
    temperatures, slopes = np.array([0.0025, 0.00275, 0.003, 0.00325]), []
    x, w = np.polynomial.legendre.leggauss(200)
    x, w = 0.6 * (x + 1), 0.6 * w
    for t in temperatures:
        weight = np.exp(-(landscape.value(x[:, None]) - landscape.value([0.5])) / t) @ w
        parabola = math.sqrt(2 * math.pi * t / barrier.minimum_curvature)
        k = float(kramers.intermediate_rate(barrier, temperature=t, friction=friction)) * parabola / weight
        gap = klein_kramers_gap(landscape, t, friction, (-2.3, 0.95), points=160, functions=24)
        slopes.append((k / gap - 1) / t)
    c = anharmonic.saddle_coefficient(barrier, friction)
    assert np.polynomial.Polynomial.fit(temperatures, slopes, 2)(0.0) == pytest.approx(c, rel=0.02)


def test_limits_of_the_correction_at_the_top():
    barrier = Barrier(1.0, 1.0, -2.0, saddle_derivatives=(0.7, 0.3), minimum_derivatives=(0.0, 0.0))
    overdamped = 5 * 0.7**2 / (24 * 8) + 0.3 / (8 * 4)
    assert anharmonic.saddle_coefficient(barrier) == pytest.approx(overdamped, rel=1e-14)
    assert anharmonic.saddle_coefficient(barrier, friction=1e5) == pytest.approx(overdamped, rel=1e-8)
    assert anharmonic.saddle_coefficient(barrier, friction=1e-5) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.floats(0.05, 20),
    st.floats(0.02, 0.5),
    st.floats(0.01, 100),
    st.floats(0.1, 10),
)
def test_rates_scale_with_units_and_stay_below_transition_state_theory(bottom, top, height, ratio, friction, mass):
    barrier = Barrier(height, bottom, -top)
    temperature = ratio * height
    k = float(kramers.intermediate_rate(barrier, temperature=temperature, friction=friction, mass=mass))
    assert 0 < k <= float(kramers.transition_state_rate(barrier, temperature=temperature, mass=mass)) * (1 + 1e-14)
    # Energies × 3, lengths × 2, mass × 5: time scales with √(mass × length²/energy).
    unit = math.sqrt(5 * 4 / 3)
    other = Barrier(3 * height, bottom * 3 / 4, -top * 3 / 4)
    scaled = kramers.intermediate_rate(other, temperature=3 * temperature, friction=friction / unit, mass=5 * mass)
    assert float(scaled) * unit == pytest.approx(k, rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        strong = kramers.strong_friction_rate(barrier, temperature=temperature, friction=friction, mass=mass)
    assert float(strong) >= k * (1 - 1e-14)
