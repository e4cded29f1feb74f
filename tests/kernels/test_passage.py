"""Touching of a wall by a Brownian bridge: its law, against another formula and against finely simulated bridges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fpsolver.kernels.cpu.passage import touching_fraction


def fractions(a, b, variance, n=40_000, seed=1):
    random = np.random.default_rng(seed)
    pairs = zip(random.normal(size=n), random.uniform(size=n), strict=True)
    return np.array([touching_fraction(a, b, variance, z, u) for z, u in pairs])


def touched_by(s, a, b):
    """P(first touch before the fraction s) of a unit bridge that ends b beyond the wall, by reflection at time s.

    Given that the bridge ends beyond the wall it touches for certain. At time s it stands at a Gaussian place; it has
    touched before if it stands beyond the wall, or before it with probability exp(−2 a c/s) for a distance c.
    """
    mean, spread = a - s * (a + b), np.sqrt(s * (1 - s))  # of the distance c before the wall
    shifted = mean - 2 * a * spread**2 / s
    image = np.exp(-2 * a * mean / s + 2 * a * a * spread**2 / s**2)
    return stats.norm.cdf(-mean / spread) + image * stats.norm.cdf(shifted / spread)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.7), (2.0, 0.05), (0.01, 1.0), (1.0, 3.0)])
def test_law_of_the_first_touch(a, b):
    # Kolmogorov–Smirnov at a level that one seed in a thousand misses; lengths scale with the standard deviation.
    found = fractions(3.0 * a, 3.0 * b, 9.0)
    assert stats.kstest(found, lambda s: touched_by(s, a, b)).pvalue > 1e-3


def test_finely_simulated_bridges():
    # Second method: bridges of 4000 pieces that end before the wall and are seen to touch it. Looking at pieces alone
    # misses touches and sees them late, by about half the standard deviation of a piece, 0.6/√4000 = 0.009 in place.
    a, b, pieces = 0.4, 0.3, 4000
    random = np.random.default_rng(2)
    s = np.arange(1, pieces + 1) / pieces
    times = []
    n = 4_000
    for _ in range(n):
        walk = np.cumsum(random.normal(scale=1 / np.sqrt(pieces), size=pieces))
        bridge = walk - s * (walk[-1] - (a - b))
        beyond = np.flatnonzero(bridge > a)
        if len(beyond):
            times.append(s[beyond[0]])
    probability = np.exp(-2 * a * b)
    assert abs(len(times) / n - probability) < 4 * np.sqrt(probability / n) + 2 * (a + b) * 0.01 * probability
    drawn = fractions(a, b, 1.0)
    error = np.hypot(np.std(times) / np.sqrt(len(times)), drawn.std() / np.sqrt(len(drawn)))
    assert abs(np.mean(times) - drawn.mean()) < 4 * error + 0.01


def test_edges_of_the_law():
    assert touching_fraction(0.0, 1.0, 1.0, 0.3, 0.5) == 0.0
    assert touching_fraction(1.0, 3.0, 0.0, 0.3, 0.5) == pytest.approx(0.25)  # without noise, a straight line
    end_on_the_wall = [touching_fraction(1.0, 0.0, 1.0, z, 0.5) for z in (-2.0, 1e-200, 0.0)]
    assert end_on_the_wall[0] == pytest.approx(1 / 5) and end_on_the_wall[1:] == [1.0, 1.0]
    assert 0.0 < touching_fraction(1e-9, 5.0, 1e-4, 1.0, 0.999) <= 1.0
