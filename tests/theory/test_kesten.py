"""Kesten's tail index: Kummer's functions, exact moments, and both ends of its range."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from fpsolver.errors import TheoryError
from fpsolver.theory import almost_sure_threshold, kesten, mean_square_threshold, step_factor


@pytest.mark.parametrize(("eta", "expected"), [(0.3, 5.305901075), (0.5, 2.903966229), (1.0, 1.090826473)])
def test_known_indices(eta, expected):
    assert float(kesten.tail_index(eta)) == pytest.approx(expected, abs=6e-10)
    assert float(kesten.tail_index(eta / 5, curvature=5.0)) == pytest.approx(expected, abs=6e-10)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("power", [0.3, 1.0, 2.7])
def test_moments_by_kummers_functions(size, power):
    """E|1 − cG|^κ = t^k/Γ(k)·[B(k, κ + 1) M(k, k + κ + 1, −t) + Γ(κ + 1) e^−t U(κ + 1, κ + k + 1, t)], t = 1/2c."""
    eta, half = 0.8, size / 2
    t = size / (2 * eta)
    below = special.beta(half, power + 1) * special.hyp1f1(half, half + power + 1, -t)
    above = special.gamma(power + 1) * math.exp(-t) * special.hyperu(power + 1, power + half + 1, t)
    expected = math.log(t**half / special.gamma(half) * (below + above))
    assert float(kesten.moment(power, learning_rate=eta, batch_size=size)) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("dimension", [1, 2, 30])
@pytest.mark.parametrize("size", [1, 3, 200])
def test_index_two_is_the_mean_square_threshold(dimension, size):
    eta = float(mean_square_threshold.gaussian_inputs([1.0] * dimension, batch_size=size))
    numbers = {"batch_size": size, "dimension": dimension}
    moments = [float(kesten.moment(power, learning_rate=eta, **numbers)) for power in (2.0, 2.01)]
    assert moments[0] == pytest.approx(0.0, abs=1e-12)
    # The index has the error of the moment, over its slope.
    error = 1e-12 / (moments[1] / 0.01)
    assert float(kesten.tail_index(eta, **numbers)) == pytest.approx(2.0, abs=1e-11 + error)


@pytest.mark.parametrize("dimension", [1, 4])
def test_fourth_moment_is_a_polynomial(dimension):
    """E R⁴ for S = 1 from the moments of χ²: E[(1 − 2ηg + η²g(g + k))²], exact."""
    eta = 0.2
    g = {n: math.prod(1 + 2 * i for i in range(n)) for n in range(5)}  # E gⁿ, g ~ χ²₁
    k = {n: math.prod(dimension - 1 + 2 * i for i in range(n)) for n in range(3)}
    # R² = Σ over (coefficient, power of g, power of k); squared term by term.
    terms = [(1.0, 0, 0), (-2 * eta, 1, 0), (eta**2, 2, 0), (eta**2, 1, 1)]
    expected = sum(a * b * g[i + m] * k[j + n] for a, i, j in terms for b, m, n in terms)
    assert math.exp(step_factor.log_moment(4.0, eta, dimension=dimension)) == pytest.approx(expected, rel=1e-12)


def test_index_falls_to_zero_at_the_almost_sure_threshold():
    edge = float(almost_sure_threshold.learning_rate())
    indices = np.array([float(kesten.tail_index(edge * (1 - gap))) for gap in (0.02, 0.01, 0.005)])
    assert np.all(np.diff(indices) < 0) and indices[1] / indices[2] == pytest.approx(2.0, rel=0.02)
    with pytest.raises(TheoryError, match="almost-sure threshold"):
        kesten.tail_index(1.001 * edge)
