"""The random energy model: the density of minima against the rank argument, and the limit of many spins."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import random_energy


@pytest.mark.parametrize(("spins", "expected"), [(10, 93.0909090909091), (20, 49932.19047619047)])
def test_all_minima(spins, expected):
    """∫ 2^N p [1 − F]^N dE = 2^N/(N + 1) for any law, states alone 2^N."""
    assert float(random_energy.number_of_minima(spins=spins)) == pytest.approx(expected, rel=1e-13)
    e = np.linspace(-12.0, 12.0, 2401) * math.sqrt(spins)
    minima = sum(float(random_energy.minimum_density(x, spins=spins)) for x in e) * (e[1] - e[0])
    states = sum(float(random_energy.state_density(x, spins=spins)) for x in e) * (e[1] - e[0])
    assert minima == pytest.approx(expected, rel=1e-12)
    assert states == pytest.approx(2.0**spins, rel=1e-12)


def test_complexity_is_the_limit_below_zero():
    """(1/N) ln ρ(Ne) − Σ(e) is −ln(2πN)/2N and what the neighbours take, which is exponentially small; and rounding."""
    for energy in (-1.0, -0.6):
        for spins in (200, 400):
            density = float(random_energy.minimum_density(spins * energy, spins=spins))
            expected = float(random_energy.complexity(energy)) - 0.5 * math.log(2 * math.pi * spins) / spins
            assert math.log(density) / spins == pytest.approx(expected, abs=math.exp(-spins * energy**2 / 2) + 1e-14)
    assert float(random_energy.complexity(0.1)) == -math.inf
    ratio = float(random_energy.minimum_density(20.0, spins=200)) / float(random_energy.state_density(20.0, spins=200))
    assert ratio < 1e-150


def test_ground_state():
    e = float(random_energy.ground_state_energy())
    assert e == pytest.approx(-1.1774100225154747, rel=1e-15)
    assert float(random_energy.complexity(e)) == pytest.approx(0.0, abs=1e-15)
    # The slope of the entropy at the lowest energy is the inverse temperature of freezing.
    slope = float(random_energy.complexity(e + 1e-6)) / 1e-6
    assert slope == pytest.approx(float(random_energy.critical_inverse_temperature()), rel=1e-6)


@pytest.mark.parametrize("spins", [0, -3, 2.0, 1001, True])
def test_what_is_refused(spins):
    with pytest.raises(TheoryError, match="spins"):
        random_energy.number_of_minima(spins=spins)
