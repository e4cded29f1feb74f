"""Weak friction: actions against elliptic integrals, mean times against their asymptotics and another quadrature."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape, quadratic
from fpsolver.theory import Barrier, energy_diffusion


def exact_action(energy):
    """S(E) of the left well of x⁴/4 − x²/2, by quadrature in mpmath between its turning points."""
    with mpmath.workdps(25):
        # x² = 1 ± 2√E where E is measured from the bottom; 2(E − L) = (a² − x²)(x² − b²)/2.
        a, b = mpmath.sqrt(1 + 2 * mpmath.sqrt(energy)), mpmath.sqrt(1 - 2 * mpmath.sqrt(energy))
        value = mpmath.quad(lambda x: mpmath.sqrt((a**2 - x**2) * (x**2 - b**2) / 2), [b, (a + b) / 2, a])
        return float(2 * value)


def test_actions(well):
    energies = np.array([1e-6, 0.01, 0.1, 0.2, 0.2499, 0.25])
    found = energy_diffusion.actions(well, energies)
    expected = [exact_action(e) for e in energies[:-1]] + [4 / 3]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # For E → 0 the well is harmonic: S = 2πE/ω₀.
    assert found[0] == pytest.approx(2 * math.pi * 1e-6 / math.sqrt(2), rel=1e-4)
    with pytest.raises(TheoryError, match="between 0 and the barrier"):
        energy_diffusion.actions(well, np.array([0.3]))


def test_a_harmonic_well_cut_off_by_its_energy(quartic):
    """With S = 2πE/ω the mean time is (1/γ)[Ei(b) − ln b − c], b = ΔL/T, c Euler's constant (Kramers 1940)."""
    from scipy.special import expi

    # A very stiff, narrow barrier: the landscape is x²/2 almost up to the top.
    landscape = Landscape("x**2/2 + 0.0*x")
    barrier = Barrier(0.5, 1.0, -1.0, action=math.pi, landscape=landscape, minimum=0.0, saddle=1.0)
    for t in (0.1, 0.05):
        b = 0.5 / t
        expected = (expi(b) - math.log(b) - np.euler_gamma) / 0.01
        found = energy_diffusion.mean_time(barrier, temperature=t, friction=0.01)
        assert float(found) == pytest.approx(expected, rel=1e-8)
    assert quadratic(1.0).dimension == 1 and quartic.dimension == 1


def test_the_mean_time_approaches_kramers_rate_as_the_temperature_falls(well):
    """1/τ → δ(ω₀/2π)e^{−ΔL/T}: relative difference of the order (T/ΔL)ln(ΔL/T), which error_scale states."""
    differences, scales = [], []
    for t in (0.02, 0.01, 0.005, 0.0025):
        tau = energy_diffusion.mean_time(well, temperature=t, friction=1e-6)
        k = energy_diffusion.weak_friction_rate(well, temperature=t, friction=1e-6)
        differences.append(float(tau) * float(k) - 1)
        scales.append(energy_diffusion.weak_scale(t / well.height))
    assert np.all(np.array(differences) < scales)
    assert np.polyfit(np.log([0.02, 0.01, 0.005, 0.0025]), np.log(differences), 1)[0] == pytest.approx(1.0, abs=0.1)


def test_time_is_inverse_to_friction_and_mass_enters_by_the_time_unit(well):
    one = float(energy_diffusion.mean_time(well, temperature=0.05, friction=1e-4))
    assert float(energy_diffusion.mean_time(well, temperature=0.05, friction=2e-4)) == pytest.approx(one / 2, rel=1e-12)
    # S and its derivative both grow as √m: only the rate γ sets the time.
    heavy = energy_diffusion.mean_time(well, temperature=0.05, friction=1e-4, mass=9.0)
    assert float(heavy) == pytest.approx(one, rel=1e-12)


def test_two_wells_share_what_is_at_the_top(well):
    alone = energy_diffusion.weak_friction_rate(well, temperature=0.01, friction=1e-5)
    shared = energy_diffusion.weak_friction_rate(well, temperature=0.01, friction=1e-5, beyond=well)
    assert float(shared) == pytest.approx(float(alone) / 2, rel=1e-14)
    with pytest.raises(TheoryError, match="700"):
        energy_diffusion.mean_time(well, temperature=1e-4, friction=0.1)
