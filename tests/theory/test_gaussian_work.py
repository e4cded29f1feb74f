"""Errors of free-energy estimators for Gaussian work: against sampling by NumPy, limits, and integrals by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from fpsolver.errors import TheoryError
from fpsolver.theory import gaussian_work


@pytest.mark.parametrize("dissipated", [0.1, 1.0, 4.0])
def test_one_sample_is_the_work_itself(dissipated):
    """With n = 1 the estimate is W: its bias is D, and its variance 2TD. Sums over nodes are good to 1e-9."""
    keywords = {"temperature": 0.5}
    assert float(gaussian_work.exponential_average_bias(dissipated, 1, **keywords)) == pytest.approx(
        dissipated, rel=1e-9
    )
    deviation = gaussian_work.exponential_average_deviation(dissipated, 1, **keywords)
    assert float(deviation) == pytest.approx(np.sqrt(dissipated), rel=1e-9)


def test_bias_and_deviation_against_sampling():
    """Over 20 000 sets of 30 samples; four standard errors."""
    work = np.random.default_rng(1).normal(2.0, 2.0, (20_000, 30))
    found = -np.log(np.mean(np.exp(-work), axis=1))
    bias = float(gaussian_work.exponential_average_bias(2.0, 30, temperature=1.0))
    deviation = float(gaussian_work.exponential_average_deviation(2.0, 30, temperature=1.0))
    assert abs(found.mean() - bias) < 4 * deviation / np.sqrt(20_000)
    assert abs(found.std() / deviation - 1) < 4 / np.sqrt(40_000)
    error = float(gaussian_work.exponential_average_error(2.0, 30, temperature=1.0))
    assert error == pytest.approx(np.hypot(bias, deviation), rel=1e-12)


def test_bias_goes_over_to_the_first_order():
    """The next order is of the size of the relative variance, which the estimate gives as its error."""
    for samples in (1e3, 1e4, 1e5):
        first = gaussian_work.exponential_average_bias_to_first_order(1.0, samples, temperature=1.0)
        exact = float(gaussian_work.exponential_average_bias(1.0, samples, temperature=1.0))
        third = np.exp(6.0)  # ⟨e^{-3w}⟩, which the second order has beside the variance
        assert abs(exact / float(first) - 1) < third / samples


def test_samples_needed_for_an_accuracy():
    n = float(gaussian_work.exponential_average_samples(2.0, 0.1, temperature=0.5))
    assert float(gaussian_work.exponential_average_error(2.0, n, temperature=0.5)) == pytest.approx(0.1, rel=1e-6)
    assert float(gaussian_work.exponential_average_samples(0.01, 1.0, temperature=1.0)) == 1.0


def test_bennett_against_quadrature():
    """√(1/m − 1/n_F − 1/n_R) with m from SciPy's quadrature; overlap is one for reversible work, zero far from it."""
    forward, reverse = norm(1.5, np.sqrt(3.0)), norm(-1.5, np.sqrt(3.0))

    def shared(w):
        p, q = 300 * forward.pdf(w), 700 * reverse.pdf(w)
        return p * q / (p + q)

    m, _ = quad(shared, -12.0, 12.0, epsabs=1e-11)
    found = gaussian_work.bennett_deviation(1.5, 300, 700, temperature=1.0)
    assert float(found) == pytest.approx(np.sqrt(1 / m - 1 / 300 - 1 / 700), rel=1e-9)
    assert float(gaussian_work.overlap(1e-6, temperature=1.0)) == pytest.approx(1.0, abs=1e-5)
    assert float(gaussian_work.overlap(60.0, temperature=1.0)) < 1e-6


def test_units():
    """Errors scale with the temperature when the dissipated work does."""
    for error in (
        gaussian_work.exponential_average_error,
        gaussian_work.gaussian_crossing_deviation,
        gaussian_work.second_cumulant_deviation,
    ):
        assert float(error(3.0, 50, temperature=2.0)) == pytest.approx(2 * float(error(1.5, 50, temperature=1.0)))


def test_refusals():
    with pytest.raises(TheoryError, match="at least one"):
        gaussian_work.exponential_average_error(1.0, 0.5, temperature=1.0)
    with pytest.raises(TheoryError, match="dissipated"):
        gaussian_work.overlap(-1.0, temperature=1.0)
