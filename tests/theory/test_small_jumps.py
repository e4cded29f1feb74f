"""Small jumps: drift and diffusion against quadrature of the rate density, with the order of what is left."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from fpsolver.errors import TheoryError
from fpsolver.theory import small_jumps

LAWS = {
    "half": lambda x, _: math.exp(-0.5 * x),
    "linearised": lambda _, x: math.exp(-0.5 * x),
    "arrhenius": lambda x, _: math.exp(-x),
    "metropolis": lambda x, _: math.exp(-max(x, 0.0)),
    "glauber": lambda x, _: 0.5 - 0.5 * math.tanh(0.5 * x),
}
PROFILES = {
    "gaussian": (lambda u: math.exp(-0.5 * u * u) / math.sqrt(2 * math.pi), 12.0, 1.0),
    "uniform": (lambda u: 0.5, 1.0, 1 / 3),
    "laplace": (lambda u: 0.5 * math.exp(-abs(u)), 40.0, 2.0),
}
TEMPERATURE, POINT = 0.5, 1.2
DERIVATIVES = (POINT**3 - POINT, 3 * POINT**2 - 1, 6 * POINT)


def moment(power, scale, law, proposal):
    """∫Δᵖq w dΔ on x⁴/4 − x²/2 at the point."""
    profile, end, _ = PROFILES[proposal]

    def integrand(u):
        d = scale * u
        first, second, third = DERIVATIVES
        change = first * d + second * d**2 / 2 + third * d**3 / 6 + 6 * d**4 / 24
        return u**power * profile(u) * LAWS[law](change / TEMPERATURE, first * d / TEMPERATURE)

    return scale**power * sum(
        quad(integrand, *ends, epsabs=0.0, epsrel=1e-12, limit=200)[0] for ends in ((-end, 0.0), (0.0, end))
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("proposal", PROFILES)
def test_drift_and_diffusion_are_the_limits(law, proposal):
    """The limit is left to first order in s² (Metropolis: in s), its correction to the next order or better."""
    scales = np.array([0.03, 0.015] if law != "metropolis" else [0.003, 0.0015]) / PROFILES[proposal][2]
    variances = PROFILES[proposal][2] * scales**2
    numbers = {"temperature": TEMPERATURE, "law": law}
    exact = np.array([moment(1, s, law, proposal) for s in scales]) / variances
    plain = [small_jumps.drift(DERIVATIVES[0], variance=v, **numbers)[0] / v for v in variances]
    better = [float(small_jumps.corrected_drift(DERIVATIVES, scale=s, proposal=proposal, **numbers)) for s in scales]
    powers = [np.polyfit(np.log(scales), np.log(np.abs(exact - form)), 1)[0] for form in (plain, better / variances)]
    # The next order changes the power by a share of s/T or (s/T)².
    order = 1.0 if law == "metropolis" else 2.0
    assert powers[0] == pytest.approx(order, abs=0.15)
    assert powers[1] == pytest.approx(2 * order, abs=0.3)
    second = moment(2, scales[-1], law, proposal) / 2
    found = float(small_jumps.diffusion(variance=variances[-1], law=law))
    leading = abs(DERIVATIVES[0]) * scales[-1] / TEMPERATURE
    assert second == pytest.approx(found, rel=4 * (leading if law == "metropolis" else 10 * leading**2 + 1e-2))


@pytest.mark.parametrize("law", LAWS)
def test_einstein_relation(law):
    """D/μ is the temperature of the stationary state: T, but T/2 for the full exponent."""
    v = small_jumps.drift(1.0, temperature=TEMPERATURE, variance=0.01, law=law)[0]
    ratio = float(small_jumps.diffusion(variance=0.01, law=law)) / -v
    assert ratio == pytest.approx(TEMPERATURE / 2 if law == "arrhenius" else TEMPERATURE, rel=1e-14)


def test_as_written_is_wrong_for_the_full_exponent_alone():
    numbers = {"temperature": 0.5, "variance": 0.01}
    for law, ratio in (("half", 1.0), ("metropolis", 1.0), ("arrhenius", 0.5)):
        written = small_jumps.drift_as_written([2.0, 1.0], law=law, **numbers)
        assert written == pytest.approx(ratio * small_jumps.drift([2.0, 1.0], law=law, **numbers), rel=1e-14)


def test_bad_names_are_refused():
    with pytest.raises(TheoryError, match='did you mean "metropolis"'):
        small_jumps.drift(1.0, temperature=1.0, variance=1.0, law="metropols")
    with pytest.raises(TheoryError, match="proposal"):
        small_jumps.corrected_drift((1.0, 0.0, 0.0), temperature=1.0, scale=0.1, proposal="student")
