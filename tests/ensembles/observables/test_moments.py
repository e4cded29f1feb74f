import numpy as np
import pytest
from ensemble_examples import known, observed

from fpsolver.ensembles.observables import Mean, Moments
from fpsolver.errors import InputError

EPS = np.finfo(float).eps


@pytest.mark.parametrize("n", [2, 255, 256, 257, 5000])
def test_moments_agree_with_two_passes_over_the_whole_array(n):
    data = np.random.default_rng(n).normal(size=(n, 3)) @ [[1, 0.5, 0], [0, 1, 0], [0, 0, 1e-3]] + [3.0, 0.0, 1.0]
    result = observed(Moments("x", "y", "work"), data)
    d = data - data.mean(axis=0)
    # Each block rounds log₂ 256 times and one addition follows for each block; d is of size 1 about a mean of size 3.
    rounding = (8 + n // 256 + 1) * EPS * 4
    np.testing.assert_allclose(result.mean[0], data.mean(axis=0), atol=rounding)
    np.testing.assert_allclose(result.covariance[0], d.T @ d / (n - 1), rtol=100 * rounding, atol=10 * rounding)
    np.testing.assert_allclose(result.standard_error[0], d.std(axis=0, ddof=1) / np.sqrt(n), rtol=100 * rounding)
    fourth = (d**2).T @ d**2 / n - (d.T @ d / n) ** 2
    np.testing.assert_allclose(
        result.covariance_standard_error[0] ** 2, np.maximum(fourth, 0) / n, rtol=1e-9, atol=100 * rounding
    )
    assert result.trajectories[0] == n


def test_a_narrow_ensemble_far_from_zero_keeps_its_digits():
    z = np.random.default_rng(1).normal(size=3000)
    data = np.stack([1e6 + 1e-3 * z, z, z], axis=1)
    result = observed(Moments("x"), data)
    exact = np.var(data[:, 0] - 1e6, ddof=1)
    # Positions are rounded to 1e6·eps, but that is in the data; sums about the mean lose no more than that again.
    np.testing.assert_allclose(result.variance[0, 0], exact, rtol=10 * 1e6 * EPS / 1e-3)


@pytest.mark.parametrize("draw", ["exponential", "normal"])
def test_standard_errors_are_the_spread_among_ensembles(draw):
    rng = np.random.default_rng(5)
    runs, n = 400, 1000
    means, covariances, errors, spreads = [], [], [], []
    for _ in range(runs):
        x = getattr(rng, draw)(size=n)
        y = x**2 + rng.normal(size=n)
        result = observed(Moments("x", "y"), np.stack([x, y, y], axis=1))
        means.append(result.mean[0])
        covariances.append(result.covariance[0])
        errors.append(result.standard_error[0])
        spreads.append(result.covariance_standard_error[0])
    # A spread among `runs` numbers is known to 1/√(2·runs) of itself (3.5%) for normal ones; estimates of fourth
    # moments of x² under an exponential law are themselves rough, hence only the mean's errors are held to that.
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(means, axis=0), rtol=5 / np.sqrt(2 * runs))
    if draw == "normal":
        np.testing.assert_allclose(np.mean(spreads, axis=0), np.std(covariances, axis=0), rtol=5 / np.sqrt(2 * runs))


def test_all_positions_are_taken_where_none_is_named():
    assert Moments().check(known(np.zeros((5, 3)))).quantities == ("x", "y")
    assert Moments("work").check(known(np.zeros((5, 3)))).quantities == ("work",)


def test_mean_and_moments_agree():
    data = np.random.default_rng(2).normal(size=(1000, 3))
    mean, moments = observed(Mean("x", "x*y"), data), observed(Moments("x", "x*y"), data)
    np.testing.assert_array_equal(mean.mean, moments.mean)
    np.testing.assert_allclose(mean.standard_error, moments.standard_error, rtol=1e-14)
    np.testing.assert_array_equal(mean["x*y"], mean.mean[:, 1])


def test_loss_is_a_quantity():
    data = np.random.default_rng(2).normal(size=(1000, 3))
    np.testing.assert_allclose(observed(Mean("loss"), data).mean[0, 0], (data[:, 0] ** 2 / 2).mean(), rtol=1e-13)


def test_no_quantity_and_double_ones_are_refused():
    with pytest.raises(InputError, match="Mean\\(\\) has no quantity"):
        Mean()
    with pytest.raises(InputError, match="'x' is given twice"):
        Moments("x", "x")
    with pytest.raises(InputError, match="3 is not a quantity"):
        Moments(3)
