"""Wasserstein distances and the bounds that come from them: symmetries, special cases, known roots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from fpsolver.errors import TheoryError
from fpsolver.theory import optimal_transport as transport

seeds = st.integers(0, 10_000)


def random_gaussian(rng, dimension):
    factor = rng.normal(size=(dimension, dimension))
    return rng.normal(size=dimension), factor @ factor.T + 0.1 * np.eye(dimension)


@given(seeds, st.integers(1, 4))
def test_distance_of_gaussians_is_a_metric_and_that_of_the_formula(seed, dimension):
    rng = np.random.default_rng(seed)
    a, b, c = (random_gaussian(rng, dimension) for _ in range(3))
    ab, bc, ac = (float(transport.gaussian_distance(*p, *q)) for p, q in ((a, b), (b, c), (a, c)))
    assert float(transport.gaussian_distance(*b, *a)) == pytest.approx(ab, rel=1e-10)
    assert ac <= ab + bc + 1e-9
    root = sqrtm(a[1]).real
    squared = np.sum((a[0] - b[0]) ** 2) + np.trace(a[1] + b[1] - 2 * sqrtm(root @ b[1] @ root).real)
    assert ab**2 == pytest.approx(squared, rel=1e-8)


def test_distance_of_singular_gaussians():
    assert float(transport.gaussian_distance([0, 0], np.zeros((2, 2)), [3, 4], np.zeros((2, 2)))) == 5.0


@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.floats(0.1, 3.0))
def test_erasure_time_is_the_root_of_the_power_balance(distance, power, mobility):
    units = {"temperature": 0.7, "mobility": mobility, "bits": 3}
    time = float(transport.erasure_time(distance, power, **units))
    assert power * time == pytest.approx(float(transport.erasure_heat(distance, time, **units)))


@given(st.floats(0.01, 5.0), st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.floats(0.1, 3.0))
def test_relaxation_obeys_the_bound_which_is_tight_for_short_times(duration, stiffness, temperature, mobility):
    units = {"stiffness": stiffness, "temperature": temperature, "mobility": mobility}
    produced = float(transport.relaxation_entropy_production(2.0, duration, **units))
    tau = mobility * stiffness * duration
    distance = 2.0 * -np.expm1(-tau)
    bound = float(transport.minimum_entropy_production(distance, duration, diffusion=mobility * temperature))
    assert bound <= produced * (1 + 1e-12)
    # the next term of the series is tau⁴/120
    assert 1.0 - bound / produced == pytest.approx(tau**2 / 12.0, abs=1e-12 + tau**4 / 60.0)


def test_wrong_gaussians_are_refused():
    with pytest.raises(TheoryError, match="negative eigenvalue"):
        transport.gaussian_distance([0, 0], [[1, 2], [2, 1]], [0, 0], np.eye(2))
    with pytest.raises(TheoryError, match="dimensions"):
        transport.gaussian_distance([0, 0], np.eye(2), 0.0, 1.0)
