import numpy as np
import pytest
from ensemble_examples import observed, total
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fpsolver.ensembles.observables import Quantiles
from fpsolver.errors import InputError

finite = st.floats(-1e300, 1e300, allow_subnormal=False)


def column(x):
    return np.repeat(np.asarray(x, dtype=float)[:, None], 3, axis=1)


@settings(max_examples=150, deadline=None)
@given(
    x=st.lists(finite | st.floats(-2, 2, allow_subnormal=False) | st.just(0.0), min_size=1, max_size=600),
    probabilities=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    accuracy=st.sampled_from([0.5, 0.1, 0.01, 0.001]),
)
def test_relative_accuracy_is_guaranteed(x, probabilities, accuracy):
    result = observed(Quantiles("x", probabilities, accuracy=accuracy), column(x))
    assert result.relative_accuracy <= accuracy
    # The guarantee is against the number of rank ⌊p(n − 1)⌋; probability 1 has the greatest, exactly.
    sample = np.sort(x)[np.floor(np.array(probabilities) * (len(x) - 1)).astype(int)]
    assert (np.abs(result.values[0] - sample) <= result.relative_accuracy * np.abs(sample) * (1 + 1e-12)).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(600, 2500))
def test_batches_merge_in_any_order(seed, n):
    rng = np.random.default_rng(seed)
    data = column(rng.normal(size=n) * 10.0 ** rng.integers(-5, 5, n))
    observable, whole = total(Quantiles("x"), data)
    parts = [total(Quantiles("x"), data[first : first + 256])[1] for first in range(0, n, 256)]
    rng.shuffle(parts)
    merged = observable.empty()
    for part in parts:
        merged = observable.fold(merged, part)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(whole, merged, strict=True))


def test_interpolation_within_bins_is_nearer_than_the_guarantee():
    n, p = 1_000_000, np.linspace(0.01, 0.99, 50)
    x = np.random.default_rng(1).normal(size=n)
    result = observed(Quantiles("x", p), column(x))
    exact = np.quantile(x, p)
    width = 2.0 ** np.floor(np.log2(np.abs(exact))) / 128
    inside = n * norm.pdf(exact) * width
    # Ranks within a bin of c samples stray from a straight line by a Brownian bridge, half √c at most in the mean
    # square; a density with slope −x f is met by the straight line to width²·|x|/8.
    tolerance = 5 * 0.5 * width / np.sqrt(inside) + width**2 * np.abs(exact) / 8
    assert (np.abs(result.values[0] - exact) < tolerance).all()
    assert (tolerance < 0.5 * result.relative_accuracy * np.abs(exact)).all()


def test_standard_errors_against_the_closed_form():
    n, p = 200_000, np.array([0.1, 0.5, 0.75, 0.99])
    result = observed(Quantiles("x", p, accuracy=1e-3), column(np.random.default_rng(4).normal(size=n)))
    exact = np.sqrt(p * (1 - p) / n) / norm.pdf(norm.ppf(p))
    # The spacing of two order statistics 2√(np(1 − p)) ranks apart fluctuates by (4np(1 − p))^(−1/4) of itself: at most
    # 11% at p = 0.99.
    np.testing.assert_allclose(result.standard_error[0], exact, rtol=5 * (4 * n * 0.99 * 0.01) ** -0.25 / 2)
    assert (np.abs(result.values[0] - norm.ppf(p)) < 5 * exact + 1e-3 * np.abs(norm.ppf(p))).all()


def test_coverage_of_the_standard_error():
    # One draw in three lies outside one standard error: 400 draws tell that share to 0.023.
    inside = []
    for seed in range(400):
        x = np.random.default_rng(seed).exponential(size=2000)
        result = observed(Quantiles("x", [0.5]), column(x))
        inside.append(abs(result.values[0, 0] - np.log(2)) < result.standard_error[0, 0])
    assert abs(np.mean(inside) - 0.683) < 5 * 0.023


def test_point_masses_and_extremes_are_exact():
    result = observed(Quantiles("x", [0.0, 0.5, 1.0]), column(np.full(1000, -1.005)))
    np.testing.assert_array_equal(result.values[0], -1.005)
    np.testing.assert_array_equal(result.standard_error[0], 0.0)
    x = np.random.default_rng(0).normal(size=1000)
    result = observed(Quantiles("x", [0.0, 1.0]), column(x))
    assert result.values[0].tolist() == [x.min(), x.max()]
    zeros = observed(Quantiles("x", [0.1, 0.9]), column(np.zeros(300)))
    np.testing.assert_array_equal(zeros.values[0], 0.0)


@pytest.mark.parametrize("probabilities", [[], [1.5], [np.nan], "half", [[0.1]]])
def test_probabilities_are_checked(probabilities):
    with pytest.raises(InputError, match="numbers from 0 to 1"):
        Quantiles("x", probabilities)


def test_accuracy_is_checked():
    with pytest.raises(InputError, match="accuracy = 0 must be from"):
        Quantiles("x", accuracy=0)
    assert Quantiles("x", accuracy=1e-4).steps == 16384
