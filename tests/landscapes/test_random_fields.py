"""Random fields: FFT, direct sums and expressions agree; covariance and moments of many samples."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import LandscapeError
from fpsolver.landscapes import Landscape, gaussian_spectrum, random_field


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_grid_and_points_agree(dimension):
    """FFT derivatives on a grid against sums at the same points."""
    field = gaussian_spectrum(dimension, period=5.0, length=1.2, deviation=2.0).sample(3)
    nodes = 11
    axis = 5.0 / nodes * np.arange(nodes)
    points = np.stack(np.meshgrid(*(axis,) * dimension, indexing="ij"), axis=-1)
    value, gradient, hessian = field.derivatives(points)
    np.testing.assert_allclose(field.on_grid(nodes), value, atol=1e-12)
    for i in range(dimension):
        np.testing.assert_allclose(field.on_grid(nodes, (i,)), gradient[..., i], atol=1e-12)
        for j in range(dimension):
            np.testing.assert_allclose(field.on_grid(nodes, (i, j)), hessian[..., i, j], atol=1e-11)


def test_the_landscape_is_the_field():
    field = gaussian_spectrum(1, period=6.0).sample(1)
    landscape = field.landscape(confinement=0.7)
    x = np.linspace(-2.0, 2.0, 9)[:, None]
    value, gradient, hessian = field.derivatives(x)
    np.testing.assert_allclose(landscape.value(x), value + 0.35 * x[:, 0] ** 2, atol=1e-12)
    np.testing.assert_allclose(landscape.gradient(x), gradient + 0.7 * x, atol=1e-12)
    np.testing.assert_allclose(landscape.hessian(x), hessian + 0.7, atol=1e-12)


def test_many_samples_are_those_of_one_law():
    """Variances of f, f' and f'' at a point, and the covariance at a distance, within four standard errors."""
    spectrum = gaussian_spectrum(1, period=12.0, deviation=1.5)
    n = 20_000
    field = spectrum.sample(11, n)
    nodes = 48
    for order, axes in ((0, ()), (2, (0,)), (4, (0, 0))):
        sampled = field.on_grid(nodes, axes)[:, 5]
        variance = spectrum.moment(order)
        assert abs(np.mean(sampled**2) - variance) < 4.0 * np.sqrt(2.0 / n) * variance
    values = field.on_grid(nodes)
    products = values[:, 0] * values[:, 4]  # one length apart
    assert abs(products.mean() - 2.25 * np.exp(-0.5)) < 4.0 * products.std() / np.sqrt(n)


def test_moments_are_those_of_the_infinite_plane():
    """The lattice sum differs by e^{−P²/2ℓ²} and by the waves left out, below 1e-6."""
    spectrum = gaussian_spectrum(2, period=10.0, length=0.9, deviation=1.3)
    expected = [1.69, 1.69 / 0.81, 3 * 1.69 / 0.81**2]
    np.testing.assert_allclose([spectrum.moment(k) for k in (0, 2, 4)], expected, rtol=1e-6)
    k = 2 * np.pi / 10.0 * spectrum.indices
    assert spectrum.variances @ (k[:, 0] * k[:, 1]) ** 2 == pytest.approx(expected[2] / 3, rel=1e-5)


def test_plane_waves_have_the_covariance():
    """Over seeds at two points: variance 1, covariance e^{−1/2} at one length; the expression is built only once."""
    rng = np.random.default_rng(0)
    landscape = random_field(1, modes=8, length=2.0, amplitude=3.0, confinement=0.5, seed=4)
    assert isinstance(landscape, Landscape)
    assert dict(landscape.parameters) == {"amplitude": 3.0, "confinement": 0.5}
    bare = landscape.with_parameters(confinement=0.0, amplitude=1.0)
    waves = np.random.default_rng(4)
    k, phases = waves.standard_normal(8) / 2.0, waves.uniform(0, 2 * np.pi, 8)
    x = np.linspace(-3, 3, 7)[:, None]
    np.testing.assert_allclose(bare.value(x), np.sqrt(2 / 8) * np.cos(x * k + phases).sum(axis=1), atol=1e-13)
    k, phases = rng.standard_normal((20_000, 8)) / 2.0, rng.uniform(0, 2 * np.pi, (20_000, 8))
    at = [np.sqrt(2 / 8) * np.cos(k * y + phases).sum(axis=1) for y in (0.0, 2.0)]
    product = at[0] * at[1]
    assert abs(product.mean() - np.exp(-0.5)) < 4 * product.std() / np.sqrt(20_000)


def test_seeds_reproduce_and_differ():
    spectrum = gaussian_spectrum(1, period=8.0)
    same = [spectrum.sample(s).coefficients for s in (5, 5, 6)]
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_spectrum(4, period=8.0), "dimension"),
        (lambda: gaussian_spectrum(1, period=3.0), "meets itself"),
        (lambda: gaussian_spectrum(1, period=8.0, length=-1.0), "length"),
        (lambda: gaussian_spectrum(1, period=8.0).sample(0).on_grid(10), "too few"),
        (lambda: random_field(0), "dimension"),
        (lambda: random_field(2, modes=0), "modes"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(LandscapeError, match=message):
        call()
