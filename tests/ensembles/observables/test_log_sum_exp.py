import warnings

import numpy as np
import pytest
from ensemble_examples import observed

from fpsolver.ensembles.observables import LogSumExp
from fpsolver.errors import AccuracyWarning, InputError


def work(n, mean, deviation, seed):
    data = np.zeros((n, 3))
    data[:, 2] = np.random.default_rng(seed).normal(mean, deviation, n)
    return data


def test_agrees_with_a_sum_over_the_whole_array():
    data = work(3000, 2.0, 1.0, 0)
    result = observed(LogSumExp("work", factor=-1.0), data, cuts=(1, 5))
    e = np.exp(-data[:, 2])
    np.testing.assert_allclose(result.value[0], np.log(e.mean()), rtol=1e-13)
    np.testing.assert_allclose(result.standard_error[0], e.std(ddof=1) / np.sqrt(len(e)) / e.mean(), rtol=1e-11)
    np.testing.assert_allclose(result.effective_samples[0], e.sum() ** 2 / (e**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(result.largest_share[0], e.max() / e.sum(), rtol=1e-12)


def test_gaussian_work_gives_the_closed_form_in_standard_errors():
    # log⟨e^{−w/T}⟩ = −μ/T + σ²/2T²; with σ/T = 0.8 and n = 20000 the bias of the logarithm, half the squared standard
    # error, is below a hundredth of the standard error. 200 draws: mean of z within 5/√200, its spread within 5/√400.
    mean, deviation, temperature = 1.0, 0.4, 0.5
    exact = -mean / temperature + deviation**2 / (2 * temperature**2)
    z = []
    for seed in range(200):
        result = observed(LogSumExp("work", factor=-1 / temperature), work(20_000, mean, deviation, seed))
        z.append((result.value[0] - exact) / result.standard_error[0])
    assert abs(np.mean(z)) < 5 / np.sqrt(200)
    assert abs(np.std(z) - 1) < 5 / np.sqrt(400)


def test_exponents_beyond_double_precision():
    data = work(1000, 0.0, 1.0, 1)
    with pytest.warns(AccuracyWarning):
        result = observed(LogSumExp("work", factor=-1e5), data)
    np.testing.assert_allclose(result.value[0], -1e5 * data[:, 2].min() - np.log(1000), rtol=1e-12)
    assert result.largest_share[0] > 0.999


def test_domination_by_few_is_warned_of():
    with pytest.warns(AccuracyWarning, match=r"carried by few trajectories at 1 of 1 times; at t = 0.5 the 5000 .*%"):
        observed(LogSumExp("work", factor=-10.0), work(5000, 0.0, 1.0, 2))


def test_no_warning_where_all_count_alike():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert observed(LogSumExp("work", factor=-1.0), work(5000, 3.0, 0.5, 2)).effective_samples[0] > 3000
        # Few trajectories that are all alike are not dominated by any of them.
        few = observed(LogSumExp("work", factor=-1.0), work(10, 3.0, 0.0, 2))
        assert few.effective_samples[0] == pytest.approx(10, rel=1e-12)
        assert few.standard_error[0] < 1e-7


def test_the_factor_is_a_number():
    with pytest.raises(InputError, match="factor = inf must be a finite number"):
        LogSumExp("work", factor=np.inf)
    with pytest.raises(InputError, match="factor = 'a'"):
        LogSumExp("work", factor="a")
