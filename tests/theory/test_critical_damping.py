"""Critical damping: double roots, and nothing on either side relaxes faster."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import critical_damping as damping


@pytest.mark.parametrize(("m", "k"), [(1.0, 1.0), (0.3, 7.0)])
def test_double_root_of_the_oscillator(m, k):
    gamma = float(damping.friction(m, k))
    first, second = np.roots([m, gamma, k])
    assert abs(first - second) < 1e-6 * abs(first)  # a double root splits by √rounding
    assert float(damping.friction_as_written(m, k)) == pytest.approx(gamma / 2)
    for coefficient in np.linspace(0.1, 5.0, 23) * gamma:
        slower = -np.roots([m, coefficient, k]).real.max()
        assert float(damping.relaxation_rate(coefficient, mass=m, stiffness=k)) == pytest.approx(slower, rel=1e-9)
        assert slower <= float(damping.relaxation_rate(gamma, mass=m, stiffness=k)) * (1 + 1e-12)


@pytest.mark.parametrize("product", [0.01, 0.5, 1.0, 2.5, 3.9])
def test_heavy_ball(product):
    def radius(mu: float) -> float:
        return float(np.abs(np.roots([1.0, -(1 + mu - product), mu])).max())

    mu = float(damping.momentum(product, learning_rate=1.0))
    best = float(damping.contraction(product, learning_rate=1.0))
    assert radius(mu) == pytest.approx(best, abs=1e-7)  # a double root splits by √rounding
    assert all(radius(other) > best - 1e-9 for other in np.linspace(0.0, 0.999, 200))


def test_best_for_a_range_of_curvatures():
    low, high = 0.5, 8.0
    eta = 4.0 / (np.sqrt(low) + np.sqrt(high)) ** 2
    rate = float(damping.best_contraction(low, high))
    for h in (low, high):
        assert float(damping.contraction(h, learning_rate=eta)) == pytest.approx(rate, rel=1e-12)
        assert float(damping.momentum(h, learning_rate=eta)) == pytest.approx(rate**2, rel=1e-12)
    worst = [np.abs(np.roots([1.0, -(1 + rate**2 - eta * h), rate**2])).max() for h in np.linspace(low, high, 40)]
    assert max(worst) == pytest.approx(rate, abs=1e-7)


def test_continuous_limit_of_the_heavy_ball():
    """(1 − μ*)/√η → 2√h, the friction per unit time t = √η·step; the error is √η·h."""
    gaps = [(1 - float(damping.momentum(3.0, learning_rate=eta))) / eta**0.5 - 2 * 3**0.5 for eta in (1e-2, 1e-4)]
    assert gaps[0] == pytest.approx(-0.3, rel=1e-9) and gaps[1] == pytest.approx(-0.03, rel=1e-9)


def test_what_is_refused():
    with pytest.raises(TheoryError, match="below 4"):
        damping.momentum(4.0, learning_rate=1.0)
    with pytest.raises(TheoryError, match="exceeds"):
        damping.best_contraction(2.0, 1.0)
    with pytest.raises(TheoryError, match="mass"):
        damping.friction(0.0, 1.0)
