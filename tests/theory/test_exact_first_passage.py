"""Exact first-passage moments against Bessel functions, solvable problems, and mpmath, in every convention."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import TheoryError
from fpsolver.theory import first_passage
from fpsolver.theory.first_passage import driven_by, mean_time, moments, of, splitting_probability, thermal


def half_time(temperature):
    """τ(−1 → 0) of x⁴/4 − x²/2 by nested quadrature in mpmath."""
    with mpmath.workdps(15):
        t = mpmath.mpf(temperature)

        def inner(y):
            return mpmath.quad(lambda z: mpmath.exp(-(z**4 / 4 - z**2 / 2) / t), [-3, -1, y] if y > -1 else [-3, y])

        return float(mpmath.quad(lambda y: mpmath.exp((y**4 / 4 - y**2 / 2) / t) * inner(y), [-1, -0.5, 0]) / t)


def test_the_double_well_against_mpmath(quartic):
    temperature = 0.2
    process = thermal(quartic, temperature=temperature)
    time = mean_time(process, -1.0, 0.0)
    assert time.exact and float(time) == pytest.approx(half_time(temperature), rel=1e-12)
    # The same integral at T = 0.05 and 0.025, to ten digits.
    for t, expected in ((0.05, 361.90375950092), (0.025, 51050.7025086)):
        assert float(mean_time(thermal(quartic, temperature=t), -1.0, 0.0)) == pytest.approx(expected, rel=1e-10)
    assert float(mean_time(process, 1.0, 0.0)) == pytest.approx(float(time), rel=1e-12)
    # Noise given on its own, integrated numerically, is the same process.
    for convention in ("ito", "stratonovich", "klimontovich"):
        same = driven_by(quartic, diffusion=lambda x: np.full_like(x, temperature), convention=convention)
        assert float(mean_time(same, -1.0, 0.0)) == pytest.approx(float(time), rel=1e-12)


def test_high_barriers_keep_their_digits(quartic):
    """ΔL/T = 250: against Laplace's method with its correction, 1 + 3T/2 + O(T²)."""
    time = mean_time(thermal(quartic, temperature=1e-3), -1.0, 1.0)
    assert float(time) == pytest.approx(math.sqrt(2) * math.pi * math.exp(250) * 1.0015, rel=2e-5)
    for exponent in (800, 2500):  # the time is beyond floating point, and so is the weight
        with pytest.raises(TheoryError, match="beyond floating point"):
            mean_time(thermal(quartic, temperature=0.25 / exponent), -1.0, 1.0)


@settings(max_examples=12, deadline=None)
@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(0.1, 5), st.floats(0.05, 0.95))
def test_drifted_brownian_motion(drift, diffusion, length, share):
    """Between two ends, and from a reflecting wall, closed forms for constant drift."""
    start = share * length
    process = driven_by(lambda x: np.full_like(x, drift), diffusion=diffusion, convention="ito")
    p = drift / diffusion
    with mpmath.workdps(60):
        q = mpmath.mpf(p) if abs(p) > 1e-12 else mpmath.mpf("1e-12")
        x, a = mpmath.mpf(start), mpmath.mpf(length)
        reach = (1 - mpmath.exp(-q * x)) / (1 - mpmath.exp(-q * a))
        between = (a * reach - x) / (q * diffusion)
        reflected = ((a - x) / q + (mpmath.exp(-q * a) - mpmath.exp(-q * x)) / q**2) / diffusion
    assert float(splitting_probability(process, start, (0.0, length))) == pytest.approx(float(reach), rel=1e-10)
    assert float(splitting_probability(process, start, (length, 0.0))) == pytest.approx(1 - float(reach), abs=1e-12)
    assert float(mean_time(process, start, (0.0, length))) == pytest.approx(float(between), rel=1e-9)
    assert float(mean_time(process, start, length, reflecting=0.0)) == pytest.approx(float(reflected), rel=1e-9)


def test_moments_of_brownian_motion():
    """From a reflecting wall at 0 to 1 with D = 1 the transform is 1/cosh√s: ⟨τ⟩ = 1/2, 5/12, 61/120, 277/336."""
    process = driven_by(lambda x: 0.0 * x, diffusion=1.0, convention="ito")
    found = moments(process, 0.0, 1.0, order=4, reflecting=0.0)
    expected = [1 / 2, 5 / 12, 61 / 120, 277 / 336]
    np.testing.assert_allclose([float(m) for m in found], expected, rtol=1e-13)
    # Both ends absorbing, from the middle of an interval twice as long: the same by symmetry.
    twice = moments(process, 1.0, (0.0, 2.0), order=4)
    np.testing.assert_allclose([float(m) for m in twice], expected, rtol=1e-13)


def test_escape_times_become_exponential(quartic):
    """⟨τ²⟩/⟨τ⟩² → 2 as the barrier grows, with a difference of order e^{−ΔL/T}."""
    excess = []
    for t in (0.05, 0.025):
        first, second = moments(thermal(quartic, temperature=t), -1.0, 0.0)
        excess.append(2 - float(second) / float(first) ** 2)
    # The square of the slow rate over the relaxation rate falls by e^{−5} between these temperatures.
    assert 0 < excess[1] < 0.02 * excess[0] < 0.02 * 0.1


@pytest.mark.parametrize(("convention", "alpha"), [("ito", 0.0), ("stratonovich", 0.5), ("klimontovich", 1.0)])
def test_geometric_motion_in_each_convention(convention, alpha):
    """With D = x² the motion of ln x has drift 2α − 1: from 1 to e, with a reflecting wall at 1."""
    process = driven_by(lambda x: 0.0 * x, diffusion=lambda x: x**2, convention=convention)
    q = 2 * alpha - 1
    expected = 0.5 if q == 0 else 1 / q + (math.exp(-q) - 1) / q**2
    assert float(mean_time(process, 1.0, math.e, reflecting=1.0)) == pytest.approx(expected, rel=1e-12)


def test_thermal_mobility_does_not_change_the_boltzmann_weight(quartic):
    """μ(x) = 1 + x²/2 against the same motion written with noise of its own: klimontovich, drift −μL'."""

    def mobility(x):
        return 1 + x**2 / 2

    one = mean_time(thermal(quartic, temperature=0.1, mobility=mobility), -1.0, 1.0)
    process = driven_by(quartic, diffusion=lambda x: 0.1 * mobility(x), convention="klimontovich", mobility=mobility)
    assert float(mean_time(process, -1.0, 1.0)) == pytest.approx(float(one), rel=1e-12)
    # In the Itô convention that drift lacks Tμ', and the time differs.
    ito = driven_by(quartic, diffusion=lambda x: 0.1 * mobility(x), convention="ito", mobility=mobility)
    assert abs(float(mean_time(ito, -1.0, 1.0)) / float(one) - 1) > 0.05


def test_dynamics_as_the_solvers_take_them(quartic):
    plain = mean_time(thermal(quartic, temperature=0.1, mobility=2.0), -1.0, 1.0)
    assert float(mean_time(of(fp.Langevin(quartic, temperature=0.1, mobility=2.0)), -1.0, 1.0)) == pytest.approx(
        float(plain), rel=1e-12
    )
    forced = fp.Langevin(quartic, temperature=0.1, mobility=3.0, force=("0.1",))
    tilted = thermal(fp.Landscape("x**4/4 - x**2/2 - x/10"), temperature=0.1, mobility=3.0)
    assert float(mean_time(of(forced), -1.0, 1.0)) == pytest.approx(float(mean_time(tilted, -1.0, 1.0)), rel=1e-12)
    noisy = fp.Langevin(quartic, diffusion="0.1*(1 + x**2)", convention="stratonovich")
    apart = driven_by(quartic, diffusion=lambda x: 0.1 * (1 + x**2), convention="stratonovich")
    assert float(mean_time(of(noisy), -1.0, 1.0)) == pytest.approx(float(mean_time(apart, -1.0, 1.0)), rel=1e-12)
    driven = fp.Langevin(fp.landscapes.double_well(), temperature=0.1, protocol={"barrier": fp.Protocol("1 + t")})
    with pytest.raises(TheoryError, match="driven"):
        of(driven)


def test_kinks_and_jumps_are_found():
    """L = |x| from 0 to 1 with T = 1 and a wall at −1; and D that jumps."""
    process = thermal(fp.Landscape("abs(x)"), temperature=1.0)
    # ∫₀¹ e^y [(1 − e^{−1}) + (1 − e^{−y})] dy
    expected = (2 - math.exp(-1)) * (math.e - 1) - 1
    assert float(mean_time(process, 0.0, 1.0, reflecting=-1.0)) == pytest.approx(expected, rel=1e-11)
    steps = driven_by(lambda x: 0.0 * x, diffusion=lambda x: np.where(x < 0.3, 1.0, 4.0), convention="klimontovich")
    # ∫₀¹ y/D dy
    assert float(mean_time(steps, 0.0, 1.0, reflecting=0.0)) == pytest.approx(0.045 + 0.91 / 8, rel=1e-11)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 1.0), st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.2, 5))
def test_units_and_additivity(temperature, energy, length, mobility):
    landscape = fp.Landscape("s*((x/w)**4/4 - (x/w)**2/2)", parameters={"s": energy, "w": length}, variables=("x",))
    plain = thermal(landscape.with_parameters(s=1.0, w=1.0), temperature=temperature)
    scaled = thermal(landscape, temperature=temperature * energy, mobility=mobility)
    unit = length**2 / (mobility * energy)
    time = float(mean_time(plain, -1.0, 0.7))
    assert float(mean_time(scaled, -length, 0.7 * length)) == pytest.approx(time * unit, rel=1e-10)
    parts = float(mean_time(plain, -1.0, 0.2)) + float(mean_time(plain, 0.2, 0.7))
    assert parts == pytest.approx(time, rel=1e-11)


def test_what_has_no_answer_is_refused(quartic):
    process = thermal(quartic, temperature=0.1)
    for arguments, message in (
        ({"start": 0.0, "target": (1.0, 2.0)}, "between the ends"),
        ({"start": 0.0, "target": float("nan")}, "finite"),
        ({"start": 0.0, "target": 1.0, "reflecting": 0.5}, "between the ends"),
        ({"start": 0.0, "target": (-1.0, 1.0), "reflecting": -2.0}, "no room"),
    ):
        with pytest.raises(TheoryError, match=message):
            mean_time(process, **arguments)
    with pytest.raises(TheoryError, match="nothing confines"):
        mean_time(driven_by(lambda x: 0.0 * x, diffusion=1.0, convention="ito"), 0.0, 1.0)
    with pytest.raises(TheoryError, match="not positive at x"):
        mean_time(driven_by(quartic, diffusion=lambda x: x, convention="ito"), -1.0, 1.0)
    with pytest.raises(TheoryError, match='did you mean "ito"'):
        driven_by(quartic, diffusion=0.1, convention="itoo")
    with pytest.raises(TheoryError, match="one-dimensional"):
        thermal(fp.landscapes.coupled_double_well(), temperature=0.1)
    with pytest.raises(TheoryError, match="positive integer"):
        first_passage.moments(process, -1.0, 1.0, order=0)
