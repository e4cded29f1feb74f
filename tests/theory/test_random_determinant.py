"""The density of eigenvalues: its moments, and mean determinants against sampled matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory.random_determinant import eigenvalue_density, log_mean_absolute_determinant


@pytest.mark.parametrize("size", [1, 2, 3, 10, 51, 200])
def test_moments_of_the_density(size):
    """n eigenvalues, and ⟨tr M²⟩ = 2n + n(n − 1)."""
    x = np.linspace(-53.0, 53.0, 8001)
    density = eigenvalue_density(size, x)
    step = x[1] - x[0]
    assert density.sum() * step == pytest.approx(size, rel=1e-12)
    assert (density * x**2).sum() * step == pytest.approx(size * (size + 1), rel=1e-12)


@pytest.mark.parametrize(("dimension", "shift", "spread"), [(3, 1.0, 1.0), (4, 0.3, 1.2), (6, 2.0, 1.0)])
def test_sampled_matrices(dimension, shift, spread):
    rng = np.random.default_rng(5)
    n = 100_000
    entries = rng.standard_normal((n, dimension, dimension))
    matrices = (entries + entries.transpose(0, 2, 1)) / math.sqrt(2.0)
    matrices += (shift + spread * rng.standard_normal(n))[:, None, None] * np.eye(dimension)
    sizes = np.abs(np.linalg.det(matrices))
    expected = math.exp(log_mean_absolute_determinant(dimension, shift, spread))
    assert abs(sizes.mean() - expected) < 4.0 * sizes.std() / math.sqrt(n)


def test_too_large_a_matrix_is_refused():
    with pytest.raises(TheoryError, match="underflows"):
        log_mean_absolute_determinant(500, 0.0, 1.0)
