"""Kac–Rice counts: published numbers, the finite formula against closed forms, quadrature, scaling, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import kac_rice
from fpsolver.theory.random_determinant import log_mean_absolute_determinant

CONFINEMENTS = [0.1, 0.5, 2.0, 5.0]


@pytest.mark.parametrize(
    ("confinement", "expected"), [(0.1, 13.842792526243748), (0.5, 2.878324772641902), (2.0, 1.106552142738454)]
)
def test_parabola_on_the_line(confinement, expected):
    """Independently computed for the covariance e^{−r²/2}."""
    assert float(kac_rice.parabola_critical_points(confinement)) == pytest.approx(expected, rel=1e-13)
    assert float(kac_rice.parabola_minima(confinement)) == pytest.approx((expected + 1) / 2, rel=1e-13)


def test_longuet_higgins_densities():
    slope, curvature = kac_rice.squared_exponential_moments(length=0.5, deviation=3.0)
    moments = {"slope_variance": slope, "curvature_variance": curvature}
    assert float(kac_rice.critical_point_density(**moments)) == pytest.approx(math.sqrt(3) / (math.pi * 0.5))
    plane = kac_rice.critical_point_density(**moments, dimension=2)
    assert float(plane) == pytest.approx(2 / (math.sqrt(3) * math.pi * 0.25), rel=1e-14)
    minima = kac_rice.minimum_density(**moments, dimension=2)
    assert float(minima) == pytest.approx(0.09188814923696534 / 0.25, rel=1e-14)
    assert plane.exact


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_closed_forms_are_the_finite_formula(dimension, confinement):
    """The density of eigenvalues of matrices one size up, against elementary integrals; λ₄ = 3."""
    log_count = log_mean_absolute_determinant(dimension, confinement, 1.0) - dimension * math.log(confinement)
    closed = kac_rice.parabola_critical_points(confinement, dimension=dimension)
    assert math.exp(log_count) == pytest.approx(float(closed), rel=1e-12)


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_minima_in_the_plane_by_quadrature(confinement):
    """⟨(y² − X)⁺; y > 0⟩/μ² with y ~ N(μ, 2) and an exponential X of mean 2, integrated over both."""
    y, wy = np.polynomial.legendre.leggauss(200)
    y, wy = 15.0 * (y + 1.0), 15.0 * wy
    t, wt = np.polynomial.legendre.leggauss(60)
    x = y[:, None] ** 2 * (t + 1.0) / 2.0
    inner = np.sum((y[:, None] ** 2 - x) * np.exp(-x / 2.0) / 2.0 * wt * y[:, None] ** 2 / 2.0, axis=1)
    # For large y the exponential is not resolved on (0, y²): there (y² − X)⁺ has the mean y² − 2 to rounding.
    inner = np.where(y > 9.0, y**2 - 2.0, inner)
    normal = np.exp(-((y - confinement) ** 2) / 4.0) / math.sqrt(4.0 * math.pi)
    expected = float(np.sum(wy * normal * inner)) / confinement**2
    assert float(kac_rice.parabola_minima(confinement, dimension=2)) == pytest.approx(expected, rel=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 5.0), st.floats(0.1, 10.0), st.sampled_from([1, 2, 3, 5]))
def test_a_common_factor_changes_nothing(confinement, factor, dimension):
    one = kac_rice.parabola_critical_points(confinement, dimension=dimension)
    other = kac_rice.parabola_critical_points(
        factor * confinement, curvature_variance=3.0 * factor**2, dimension=dimension
    )
    assert float(one) == pytest.approx(float(other), rel=1e-11)
    assert float(one) >= 1.0


@pytest.mark.parametrize("dimension", [1, 2, 3, 6])
def test_a_weak_parabola_counts_the_density(dimension):
    """Points lie where |∇f| = μ|x|: a volume (2πλ₂)^{d/2}/μ^d, with corrections of the order μ²."""
    density = float(kac_rice.critical_point_density(slope_variance=2.0, curvature_variance=3.0, dimension=dimension))
    volume = (4.0 * math.pi) ** (dimension / 2.0)
    ratios = [
        float(kac_rice.parabola_critical_points(mu, dimension=dimension)) * mu**dimension / (density * volume)
        for mu in (0.02, 0.01)
    ]
    assert ratios[1] == pytest.approx(1.0, abs=2e-4)
    assert (ratios[0] - 1.0) / (ratios[1] - 1.0) == pytest.approx(4.0, rel=0.05)


def test_complexity_is_the_limit():
    """What the prefactor 4√(d(1 − r²)/π) leaves shrinks as 1/d."""
    assert float(kac_rice.parabola_complexity(0.5)) == pytest.approx(0.3181471805599453, rel=1e-14)
    assert float(kac_rice.parabola_complexity(1.5)) == 0.0
    deviations = []
    for d in (40, 80, 160):
        exact = kac_rice.parabola_critical_points(0.5 * kac_rice.critical_confinement(d), dimension=d)
        limit = kac_rice.parabola_critical_points_in_many_dimensions(0.5, dimension=d)
        deviations.append(float(exact) / float(limit) - 1.0)
    orders = np.log2(np.array(deviations[:-1]) / deviations[1:])
    np.testing.assert_allclose(orders, 1.0, atol=0.02)


def test_trivialisation_sharpens_with_the_dimension():
    above = [
        float(kac_rice.parabola_critical_points(1.5 * kac_rice.critical_confinement(d), dimension=d)) - 1.0
        for d in (5, 20, 80)
    ]
    assert above[0] > above[1] > above[2] > 0.0
    assert above[2] < 0.01


def test_energies_of_minima():
    """A density; of many independent waves (ε → 1) that of the field itself, of a narrow band Rayleigh's."""
    u = np.linspace(-9.0, 9.0, 3601)

    def law(slope: float) -> np.ndarray:
        return np.array(
            [
                float(kac_rice.minimum_value_density(v, variance=1.0, slope_variance=slope, curvature_variance=3.0))
                for v in u
            ]
        )

    assert law(1.0).sum() * 0.005 == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(law(1e-8), np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi), atol=1e-7)
    narrow = np.where(u < 0.0, -u * np.exp(-(u**2) / 2), 0.0)
    away = np.abs(u) > 0.1
    np.testing.assert_allclose(law(math.sqrt(3.0 * (1 - 1e-6)))[away], narrow[away], atol=1e-5)


def test_what_is_refused():
    with pytest.raises(TheoryError, match="confinement"):
        kac_rice.parabola_critical_points(0.0)
    with pytest.raises(TheoryError, match="dimension"):
        kac_rice.parabola_critical_points(1.0, dimension=0)
    with pytest.raises(TheoryError, match="up to 2 dimensions"):
        kac_rice.parabola_minima(1.0, dimension=3)
    with pytest.raises(TheoryError, match="slope_variance"):
        kac_rice.minimum_value_density(0.0, variance=1.0, slope_variance=2.0, curvature_variance=3.0)
