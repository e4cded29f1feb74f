"""Rates at any friction: limits, published numbers, spectra, and the energy loss of the normal mode."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import Barrier, energy_diffusion, kramers, turnover

# 2k of Mel'nikov and Meshkov for x⁴/4 − x²/2, with δ = 4γ/3T, computed apart from this package.
PUBLISHED = {
    (0.05, 0.02): 5.611818631956628e-4,
    (0.05, 0.1): 1.695775561090947e-3,
    (0.05, 0.5): 2.322120569858799e-3,
    (0.05, 10.0): 3.0034022671772816e-4,
    (0.1, 0.1): 1.3264631604182982e-2,
    (0.1, 2.0): 1.5297722130546133e-2,
}
# Spectral gaps of the Klein–Kramers operator (Hermite functions in v), digits as converged.
GAPS = {(0.05, 0.02): 4.47173e-4, (0.05, 0.1): 1.4919454e-3, (0.05, 0.5): 2.21681414e-3, (0.05, 2.0): 1.17895548e-3}


@pytest.mark.parametrize("case", PUBLISHED)
def test_melnikov_meshkov_against_published_numbers(well, case):
    temperature, friction = case
    k = turnover.melnikov_meshkov_rate(well, temperature=temperature, friction=friction, beyond=well)
    assert 2 * float(k) == pytest.approx(PUBLISHED[case], rel=1e-12)


@pytest.mark.parametrize("case", GAPS)
def test_both_theories_are_as_near_the_spectrum_as_their_parameter_says(well, case):
    temperature, friction = case
    distances = []
    for theory in (turnover.melnikov_meshkov_rate, turnover.pollak_grabert_haenggi_rate):
        k = theory(well, temperature=temperature, friction=friction, beyond=well)
        distances.append(abs(2 * float(k) / GAPS[case] - 1))
        assert distances[-1] < k.error_scale
    # The normal mode is the better coordinate at every one of these frictions.
    assert distances[1] < distances[0]


def sech_trajectory_loss(friction):
    """ΔE for x⁴/4 − x²/2, where the trajectory is a hyperbolic secant, from the Fourier transform of its cube."""
    slow = 1 / (math.sqrt(friction**2 / 4 + 1) + friction / 2)
    fast = slow + friction
    amplitude = (slow * math.sqrt((slow + fast) / slow)) ** 3

    def integrand(omega):
        transform = mpmath.pi * (omega**2 / slow**2 + 1) / (2 * slow) / mpmath.cosh(mpmath.pi * omega / (2 * slow))
        bath = omega**2 * friction / ((fast**2 + omega**2) * (slow**2 + omega**2))
        return (amplitude * transform) ** 2 * bath

    return float(mpmath.quad(integrand, [0, slow, 5 * slow, 20 * slow, 60 * slow]) / mpmath.pi)


@pytest.mark.parametrize("friction", [1e-3, 0.1, 2.0, 10.0, 1000.0])
def test_energy_loss_of_the_normal_mode_against_the_exact_trajectory(well, friction):
    loss = turnover.normal_mode_energy_loss(well, friction=friction)
    assert loss == pytest.approx(sech_trajectory_loss(friction), rel=2e-11)
    if friction == 1e-3:
        assert loss == pytest.approx(friction * 4 / 3, rel=2 * friction)


def test_limits_of_weak_and_strong_friction(well):
    weak, strong = 1e-7, 1e3
    for theory in (turnover.melnikov_meshkov_rate, turnover.pollak_grabert_haenggi_rate):
        for beyond in (None, well):
            k = theory(well, temperature=0.02, friction=weak, beyond=beyond)
            limit = energy_diffusion.weak_friction_rate(well, temperature=0.02, friction=weak, beyond=beyond)
            assert float(k) == pytest.approx(float(limit), rel=2 * math.sqrt(weak * 4 / 3 / 0.02))
    k = turnover.melnikov_meshkov_rate(well, temperature=0.02, friction=strong, beyond=well)
    overdamped = kramers.overdamped_rate(well, temperature=0.02, mobility=1 / strong)
    assert float(k) == pytest.approx(float(overdamped), rel=2 / strong**2)


def test_the_rate_turns_over_and_stays_below_every_limit(well):
    frictions = np.geomspace(1e-3, 1e2, 26)
    for theory in (turnover.melnikov_meshkov_rate, turnover.pollak_grabert_haenggi_rate):
        k = np.array([float(theory(well, temperature=0.03, friction=g, beyond=well)) for g in frictions])
        rising = np.diff(k) > 0
        assert rising[0] and not rising[-1] and np.sum(np.diff(rising.astype(int)) != 0) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            above = [float(kramers.intermediate_rate(well, temperature=0.03, friction=g)) for g in frictions]
        assert np.all(k <= above)


def test_unequal_wells_keep_detailed_balance():
    """k₁₂/k₂₁ = (ω₁/ω₂) e^{−(ΔL₁ − ΔL₂)/T}, whatever the friction."""
    landscape = Landscape("x**4/4 - x**2/2 + x**3/20")
    left, right = (Barrier.between(landscape, (-0.15 + s * math.sqrt(4.0225)) / 2, 0.0) for s in (-1, 1))
    for theory in (turnover.melnikov_meshkov_rate, turnover.pollak_grabert_haenggi_rate):
        there = theory(left, temperature=0.03, friction=0.05, beyond=right)
        back = theory(right, temperature=0.03, friction=0.05, beyond=left)
        balance = left.minimum_frequency() / right.minimum_frequency() * math.exp((right.height - left.height) / 0.03)
        assert float(there) / float(back) == pytest.approx(balance, rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.01, 10))
def test_rates_scale_with_the_units_of_energy_length_and_mass(energy, length, mass, friction):
    landscape = Landscape("s*((x/w)**4/4 - (x/w)**2/2)", parameters={"s": energy, "w": length}, variables=("x",))
    base = Barrier.between(landscape.with_parameters(s=1.0, w=1.0), -1.0, 0.0)
    scaled = Barrier.between(landscape, -length, 0.0)
    unit = math.sqrt(mass / energy) * length
    for theory in (turnover.melnikov_meshkov_rate, turnover.pollak_grabert_haenggi_rate):
        k = theory(base, temperature=0.05, friction=friction, beyond=base)
        other = theory(scaled, temperature=0.05 * energy, friction=friction / unit, mass=mass, beyond=scaled)
        assert float(other) * unit == pytest.approx(float(k), rel=1e-8)


def test_what_the_theories_need_is_said(well):
    numbers = Barrier(0.25, 2.0, -1.0, action=4 / 3)
    with pytest.raises(TheoryError, match=r"Barrier\.between"):
        turnover.pollak_grabert_haenggi_rate(numbers, temperature=0.05, friction=0.1)
    with pytest.raises(TheoryError, match="γ is a rate"):
        turnover.pollak_grabert_haenggi_rate(well, temperature=0.05, friction=0.0)
    with pytest.raises(TheoryError, match="positive"):
        turnover.melnikov_meshkov_rate(numbers, temperature=0.05, friction=0.1, mass=-1.0)
