"""The integral equation of the chain against published numbers, independent steps, and a plain linear solve."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.landscapes import Landscape
from fpsolver.theory import chain_passage


@pytest.mark.parametrize(
    ("learning_rate", "steps"),
    [(0.2, 178.886022621014), (0.1, 356.69180166571675), (0.02, 1670.8425397281912), (0.01, 3270.465711235947)],
)
def test_published_numbers_of_steps(quartic, learning_rate, steps):
    """At T = 0.1 from −1 to the far side of 0, computed to eight digits; from 1 it is the same."""
    for start in (-1.0, 1.0):
        found = chain_passage.mean_steps(quartic, start, 0.0, temperature=0.1, learning_rate=learning_rate)
        assert float(found) == pytest.approx(steps, rel=1e-8) and found.exact


@pytest.mark.parametrize("distance", [1.0, 4.0, 8.0, 20.0])
def test_independent_steps(distance):
    """On x²/2 with η = 1 each step forgets where it was: 1/P(ξ > a) steps, which keep their digits up to 10⁸⁸."""
    temperature = 0.3
    target = distance * math.sqrt(2.0 * temperature)
    found = chain_passage.mean_steps(Landscape("x**2/2"), 0.0, target, temperature=temperature, learning_rate=1.0)
    exact = 2 / mpmath.erfc(mpmath.mpf(distance) / mpmath.sqrt(2))
    assert float(found) == pytest.approx(float(exact), rel=1e-11)


def test_a_plain_solve_agrees_where_it_has_digits():
    """Nyström's method by np.linalg.solve on other nodes, in an asymmetric well with a target up a slope."""
    well, temperature, rate, target = Landscape("x**4/4 - x**2/2 - x/10"), 0.2, 0.15, 0.5
    z, weights = np.polynomial.legendre.leggauss(333)
    nodes, weights = -1.25 + 1.75 * z, 1.75 * weights
    ahead = nodes - rate * well.gradient(nodes[:, None])[:, 0]
    spread = math.sqrt(2.0 * rate * temperature)
    kernel = np.exp(-(((nodes - ahead[:, None]) / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi)) * weights
    steps = np.linalg.solve(np.eye(len(nodes)) - kernel, np.ones(len(nodes)))
    k = int(np.abs(nodes + 1.0).argmin())
    found = chain_passage.mean_steps(well, nodes[k], target, temperature=temperature, learning_rate=rate)
    assert float(found) == pytest.approx(steps[k], rel=1e-10)


def test_bad_input_is_refused(quartic):
    numbers = {"temperature": 0.1, "learning_rate": 0.1}
    with pytest.raises(TheoryError, match="same point"):
        chain_passage.mean_steps(quartic, -1.0, -1.0, **numbers)
    with pytest.raises(TheoryError, match="nothing confines"):
        chain_passage.mean_steps(Landscape("x"), 0.0, 1.0, **numbers)
    with pytest.raises(TheoryError, match="one-dimensional"):
        chain_passage.mean_steps(Landscape("x**2 + y**2"), 0.0, 1.0, **numbers)
    with pytest.raises(TheoryError, match="more than"):
        chain_passage.mean_steps(quartic, -1.0, 0.0, temperature=0.1, learning_rate=1e-6)
    with pytest.raises(TheoryError, match="temperature"):
        chain_passage.mean_steps(quartic, -1.0, 0.0, temperature=0.0, learning_rate=0.1)
