"""Lyapunov exponents of random products against other closed forms, plain sampling and the references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special

from fpsolver.errors import TheoryError
from fpsolver.theory import almost_sure_threshold as threshold
from fpsolver.theory import mean_square_threshold, step_factor


@pytest.mark.parametrize("eta", [0.05, 0.5, 2.0, 2.4, 7.0])
def test_one_dimension_by_dawsons_function(eta):
    """E ln|r − z| = −(γ + ln 2)/2 + √2 ∫₀ʳ D(s/√2) ds, since the Hilbert transform of φ is Dawson's function."""
    r = 1 / math.sqrt(eta)
    integral, error = integrate.quad(lambda s: special.dawsn(s / math.sqrt(2)), 0.0, r, epsabs=1e-13)
    expected = 2 * (-0.5 * (np.euler_gamma + math.log(2)) + math.sqrt(2) * integral - math.log(r))
    assert step_factor.mean_logarithm(eta) == pytest.approx(expected, abs=1e-12 + 4 * error)


@pytest.mark.parametrize("eta", [0.3, 2.7])
def test_pairs_by_the_exponential_integral(eta):
    """For S = 2, G/2 is exponential: by parts E ln|1 − G/2t| = PV∫ e^−x/(x − t) dx = −e^−t Ei(t), t = 1/η."""
    t = 1 / eta
    expected = -math.exp(-t) * special.expi(t)
    assert step_factor.mean_logarithm(eta, batch_size=2) == pytest.approx(expected, abs=1e-12)


def test_three_dimensions_by_the_exponential_integral():
    """Across, E ln(a + K) = ln a + e^x E₁(x), x = a/2, for two degrees of freedom; then a quadrature over z."""
    eta = 0.5

    def integrand(z: float) -> float:
        along, scale = (1 - eta * z * z) ** 2, (eta * z) ** 2
        x = along / scale / 2
        scaled = special.exp1(x) * math.exp(x) if x < 500 else 1 / x - 1 / x**2
        return (math.log(along) + scaled) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    pole = 1 / math.sqrt(eta)
    pieces = [integrate.quad(integrand, *ends, epsabs=1e-12, limit=300) for ends in ((1e-9, pole), (pole, 12.0))]
    assert step_factor.mean_logarithm(eta, dimension=3) == pytest.approx(
        sum(value for value, _ in pieces), abs=1e-8 + sum(error for _, error in pieces)
    )


@pytest.mark.parametrize(
    ("dimension", "size", "expected"),
    [(1, 1, 2.421249521), (1, 2, 2.684510), (1, 32, 2.151049), (5, 1, 0.351), (10, 1, 0.180)],
)
def test_known_thresholds(dimension, size, expected):
    digits = len(str(expected).split(".")[1])
    assert float(threshold.learning_rate(dimension=dimension, batch_size=size)) == pytest.approx(
        expected, abs=0.51 * 10.0**-digits
    )


def test_two_dimensions_by_sampling():
    """Mean of ln R over 4·10⁵ factors, straight from the step, at the threshold: zero within 4 standard errors."""
    rng = np.random.default_rng(1)
    eta = float(threshold.learning_rate(2.0, dimension=2, batch_size=3))
    x = math.sqrt(2.0) * rng.normal(size=(400_000, 3, 2))
    after = np.array([1.0, 0.0]) - eta * np.einsum("nsd,ns->nd", x, x[..., 0]) / 3
    logarithms = np.log(np.linalg.norm(after, axis=1))
    assert abs(logarithms.mean()) < 4 * logarithms.std() / math.sqrt(len(x))


def test_order_of_the_thresholds():
    """The mean square goes first (Jensen); in one dimension the product outlives gradient descent."""
    for dimension, size in ((1, 1), (1, 8), (3, 2), (20, 1)):
        eta = float(threshold.learning_rate(dimension=dimension, batch_size=size))
        assert eta > float(mean_square_threshold.gaussian_inputs([1.0] * dimension, batch_size=size))
        assert float(threshold.lyapunov_exponent(eta, dimension=dimension, batch_size=size)) == pytest.approx(
            0.0, abs=1e-12
        )
        assert (eta > float(threshold.learning_rate_as_written(dimension=dimension, batch_size=size))) == (
            dimension == 1
        )


def test_curvature_scales_out():
    assert float(threshold.learning_rate(4.0, batch_size=3)) == pytest.approx(
        float(threshold.learning_rate(batch_size=3)) / 4.0, rel=1e-12
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"dimension": 1.5}, "dimension"), ({"batch_size": 0}, "batch_size"), ({"curvature": -1}, "curvature")],
)
def test_what_is_refused(arguments, message):
    for form in (threshold.learning_rate, threshold.learning_rate_as_written):
        with pytest.raises(TheoryError, match=message):
            form(**arguments)
    with pytest.raises(TheoryError, match="learning_rate"):
        threshold.lyapunov_exponent(0.0)


@pytest.mark.parametrize(("dimension", "size"), [(1, 1), (1, 40), (2, 1), (6, 3)])
def test_the_exponent_changes_sign_once(dimension, size):
    rates = np.geomspace(1e-3, 1e3, 40)
    signs = np.sign([step_factor.mean_logarithm(eta, dimension=dimension, batch_size=size) for eta in rates])
    assert np.count_nonzero(np.diff(signs)) == 1
