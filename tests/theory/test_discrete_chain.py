"""The chain θ' = θ − ηL' + √(2ηT)ξ: its integral equation, solved here, against the shifted barrier."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import chain_passage, discrete_chain
from fpsolver.theory.first_passage import mean_time, thermal


def chain_time(temperature, learning_rate, start=-1.0, target=0.0, lower=-2.6, nodes=300):
    """η times the mean number of steps until θ > target: (1 − K)n = 1 on Gauss–Legendre nodes."""
    z, w = np.polynomial.legendre.leggauss(nodes)
    half = (target - lower) / 2
    x, w = lower + half * (z + 1), w * half
    spread = math.sqrt(2 * learning_rate * temperature)

    def kernel(points):
        ahead = points - learning_rate * (points**3 - points)
        return np.exp(-(((x - ahead[:, None]) / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi)) * w

    steps = np.linalg.solve(np.eye(nodes) - kernel(x), np.ones(nodes))
    return learning_rate * float((1 + kernel(np.array([start])) @ steps)[0])


def test_overshoot_is_minus_zeta_one_half_over_root_two_pi():
    expected = -mpmath.zeta(mpmath.mpf("0.5")) / mpmath.sqrt(2 * mpmath.pi)
    assert float(expected) == pytest.approx(discrete_chain.OVERSHOOT, rel=1e-15)


def test_the_chain_takes_the_published_number_of_steps():
    """At T = 0.1, η = 0.1 from −1 to the far side of 0: the reference for the comparison below."""
    assert chain_time(0.1, 0.1) / 0.1 == pytest.approx(356.69180166571675, rel=1e-9)


def test_the_shifted_barrier_is_right_to_first_order_in_the_learning_rate(quartic):
    rates, left, unshifted = np.array([0.04, 0.02, 0.01]), [], []
    plain = float(mean_time(thermal(quartic, temperature=0.1), -1.0, 0.0))
    for eta in rates:
        exact = chain_time(0.1, eta)
        theory = discrete_chain.mean_time_of_chain(quartic, -1.0, 0.0, temperature=0.1, learning_rate=eta)
        left.append(abs(exact / float(theory) - 1))
        unshifted.append(abs(exact / plain - 1))
        assert left[-1] < theory.error_scale
    assert np.polyfit(np.log(rates), np.log(left), 1)[0] == pytest.approx(1.0, abs=0.1)
    # Without the shift the error is of order √η.
    assert np.polyfit(np.log(rates), np.log(unshifted), 1)[0] == pytest.approx(0.5, abs=0.1)


def test_slowing_at_a_barrier_top(quartic):
    """τ_chain/τ = 1 + erf(0.5826√(η|L''_b|)) + O(η) at low temperature: the residue falls with η, not with √η."""
    rates, left = np.array([0.16, 0.08, 0.04]), []
    for eta in rates:
        ratio = chain_time(0.025, eta, lower=-1.8) / float(mean_time(thermal(quartic, temperature=0.025), -1.0, 0.0))
        theory = discrete_chain.slowing_at_top(learning_rate=eta, saddle_curvature=-1.0)
        left.append(abs(ratio - float(theory)))
        assert left[-1] < theory.error_scale
    assert np.polyfit(np.log(rates), np.log(left), 1)[0] > 0.75


def test_the_slowing_is_that_of_the_shift_at_low_temperature(quartic):
    ratios = []
    for t in (0.02, 0.005):
        shifted = discrete_chain.mean_time_of_chain(quartic, -1.0, 0.0, temperature=t, learning_rate=0.1)
        ratios.append(float(shifted) / float(mean_time(thermal(quartic, temperature=t), -1.0, 0.0)))
    theory = float(discrete_chain.slowing_at_top(learning_rate=0.1, saddle_curvature=-1.0))
    differences = np.abs(np.array(ratios) - theory)
    assert differences[1] < 0.35 * differences[0] and differences[1] < 0.005


def test_the_limit_knows_nothing_of_the_chain(quartic):
    plain = discrete_chain.mean_time_of_limit(quartic, -1.0, 0.0, temperature=0.1, learning_rate=0.1)
    assert float(plain) == pytest.approx(30.82130247, rel=1e-9)
    assert abs(chain_time(0.1, 0.1) / float(plain) - 1) < plain.error_scale


def test_slowing_well_beyond_the_top_is_right_to_first_order(quartic, well):
    """Against the integral equation at T ∝ η, where both exponents are of order η: what is left falls as η²."""
    rates, left = np.array([0.1, 0.05, 0.025]), []
    for eta in rates:
        numbers = {"temperature": 0.2 * eta, "learning_rate": eta}
        steps = float(chain_passage.mean_steps(quartic, -1.0, 1.0, **numbers))
        exact = eta * steps / float(mean_time(thermal(quartic, temperature=0.2 * eta), -1.0, 1.0))
        theory = discrete_chain.slowing_beyond_top(well, **numbers)
        left.append(abs(exact / float(theory) - 1))
        assert left[-1] < theory.error_scale
    assert np.polyfit(np.log(rates), np.log(left), 1)[0] == pytest.approx(2.0, abs=0.15)


def test_the_exponent_of_the_chain_is_its_least_action(quartic, well):
    """S(y) = min_x {S(x) + [y − x + ηL'(x)]²/(4η)} from the minimum, iterated: ΔL − S(0) is the exponent times T."""
    eta, x = 0.2, np.linspace(-1.0, 0.0, 1501)
    cost = (x[None, :] - x[:, None] + eta * (x**3 - x)[:, None]) ** 2 / (4 * eta)
    action = np.where(x == -1.0, 0.0, np.inf)
    for _ in range(60):
        action = np.minimum(action, (action[:, None] + cost).min(axis=0))
    numbers = {"temperature": 1.0, "learning_rate": eta}
    exponent = eta * (1.0 - 2.0) / 4 - math.log(float(discrete_chain.slowing_beyond_top(well, **numbers)))
    # The next order is larger by about η L'', the spacing of the points matters at its square.
    assert 0.25 - action[-1] == pytest.approx(exponent, rel=0.2 * 2.0)
    assert exponent == pytest.approx(eta**2 / 48, rel=1e-12)


def test_an_unstable_chain_is_refused(quartic):
    with pytest.raises(TheoryError, match="unstable"):
        discrete_chain.mean_time_of_chain(quartic, -1.0, 0.0, temperature=0.1, learning_rate=1.1)
    with pytest.raises(TheoryError, match="negative at the top"):
        discrete_chain.slowing_at_top(learning_rate=0.1, saddle_curvature=1.0)
    with pytest.raises(TheoryError, match="learning_rate"):
        discrete_chain.barrier_shift(temperature=0.1, learning_rate=0.0)
