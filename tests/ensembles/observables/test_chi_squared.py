import numpy as np
import pytest
from scipy.stats import kstest

from fpsolver.ensembles.observables.chi_squared import FEWEST, _groups, chi_squared
from fpsolver.errors import InputError


def p_values(probabilities, n, runs, seed):
    """p-values of multinomial draws; the last entry of the probabilities lies outside."""
    draws = np.random.default_rng(seed).multinomial(n, probabilities, size=runs)
    return np.array([chi_squared(row[:-1], probabilities[:-1], row[-1]).p_value for row in draws])


def gaussian_cells(cells, outside):
    weights = np.exp(-(np.linspace(-3, 3, cells) ** 2) / 2)
    return np.append(weights / weights.sum() * (1 - outside), outside)


@pytest.mark.parametrize(
    ("cells", "outside", "n"),
    [(20, 0.0, 5000), (20, 0.1, 400), (300, 0.01, 2000), (1000, 1e-4, 3000), (4, 0.2, 100_000)],
)
def test_p_values_are_uniform(cells, outside, n):
    # With the degrees of freedom off by one the mean p-value moves by about 1/√(4π·freedom): 0.06 at 20 cells, where
    # 1500 runs tell it to 0.0075. A uniform sample fails at 1e-4 once in ten thousand seeds. Few cells need many draws,
    # or the p-values are too discrete to be compared with a continuous law.
    found = p_values(gaussian_cells(cells, outside), n, 1500, seed=3)
    assert kstest(found, "uniform").pvalue > 1e-4


def test_wrong_degrees_of_freedom_would_be_seen():
    from scipy.special import gammaincc

    probabilities = gaussian_cells(10, 0.0)
    draws = np.random.default_rng(3).multinomial(5000, probabilities, size=4000)
    tests = [chi_squared(row[:-1], probabilities[:-1], row[-1]) for row in draws]
    wrong = [gammaincc((one.degrees_of_freedom + 1) / 2, one.statistic / 2) for one in tests]
    assert kstest(wrong, "uniform").pvalue < 1e-6


def test_a_trajectory_where_none_is_expected_counts_against():
    probabilities = np.full(10, 0.1)
    fair = chi_squared(np.full(10, 100), probabilities, 0)
    stray = chi_squared(np.full(10, 100), probabilities, 400)
    assert fair.p_value > 0.99
    assert stray.p_value < 1e-6


def test_groups_expect_enough_and_depend_on_expected_counts_only():
    rng = np.random.default_rng(0)
    for _ in range(50):
        expected = rng.exponential(size=rng.integers(2, 200)) * 10 ** rng.uniform(-2, 2)
        if expected.sum() < FEWEST:
            continue
        group = _groups(expected)
        assert np.bincount(group, expected).min() >= FEWEST
        assert set(group) == set(range(group.max() + 1))


def test_bad_probabilities_are_refused():
    with pytest.raises(InputError, match="cell volumes"):
        chi_squared(np.array([50, 50]), np.array([2.0, 2.0]))
    with pytest.raises(InputError, match="≥ 0"):
        chi_squared(np.array([50, 50]), np.array([-0.1, 1.1]))
    with pytest.raises(InputError, match="fewer than two groups"):
        chi_squared(np.array([5, 5]), np.array([0.5, 0.5]))
