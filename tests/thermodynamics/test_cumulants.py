"""Cumulant expansions: unbiased cumulants against SciPy, error bars, and the expansion of a gamma density."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstat

from fpsolver.errors import InputError
from fpsolver.theory import gaussian_work
from fpsolver.thermodynamics import cumulant_expansion


def test_cumulants_are_the_k_statistics_of_scipy():
    work = np.random.default_rng(1).gamma(2.0, size=200) + 1e3
    found = cumulant_expansion(work, 1.0).cumulants
    # Powers of the offset cancel in SciPy, not here: compared without it.
    assert found[1:] == pytest.approx([kstat(work - 1e3, order) for order in (2, 3, 4)], rel=1e-9)
    assert found[0] == pytest.approx(work.mean(), rel=1e-14)


def test_expansion_of_gamma_work():
    """Work of a gamma density has cumulants a(j − 1)!: each partial sum within four of its error bars."""
    shape, temperature = 3.0, 4.0
    work = np.random.default_rng(2).gamma(shape, size=100_000)
    found = cumulant_expansion(work, temperature)
    partial = np.cumsum([shape * (-1 / temperature) ** (j - 1) / j for j in range(1, 5)])
    assert np.all(np.abs(found.values - partial) < 4 * found.standard_errors)
    # The whole series is aT ln(1 + 1/T): what the fourth order leaves is below the fifth term.
    assert abs(partial[-1] - shape * temperature * np.log1p(1 / temperature)) < shape / (5 * temperature**4)


def test_error_bar_of_the_second_order():
    """Over 300 repetitions scatter, error bar and theory agree to 1/√600."""
    rng = np.random.default_rng(3)
    found = [cumulant_expansion(rng.normal(1.0, np.sqrt(2.0), 500), 1.0, order=2) for _ in range(300)]
    values, errors = (np.array([getattr(one, name) for one in found]) for name in ("value", "standard_error"))
    theory = float(gaussian_work.second_cumulant_deviation(1.0, 500, temperature=1.0))
    assert abs(values.mean()) < 4 * theory / np.sqrt(300)
    assert abs(values.std(ddof=1) / theory - 1) < 4 / np.sqrt(600)
    assert abs(errors.mean() / theory - 1) < 4 / np.sqrt(600)


def test_error_bars_of_every_order_for_gaussian_work():
    """k-statistics of a Gaussian do not correlate and have variances j! σ^{2j}/n; known to a per cent or two here."""
    n, variance = 200_000, 2.0
    found = cumulant_expansion(np.random.default_rng(5).normal(1.0, np.sqrt(variance), n), 1.0)
    parts = [variance, variance**2 / 2, variance**3 / 6, variance**4 / 24]
    # An error bar is known to ½√(κ/n), with a kurtosis κ of the polynomials of W behind it that is below 100.
    assert found.standard_errors == pytest.approx(np.sqrt(np.cumsum(parts) / n), rel=2 * np.sqrt(100 / n))


def test_shift_scale_and_blocks():
    work = np.random.default_rng(4).gamma(2.0, size=600)
    plain = cumulant_expansion(work, 2.0)
    assert cumulant_expansion(work + 7.0, 2.0).values == pytest.approx(plain.values + 7.0, rel=1e-12)
    assert cumulant_expansion(3.0 * work, 6.0).values == pytest.approx(3.0 * plain.values, rel=1e-12)
    copies = cumulant_expansion(np.repeat(work, 10), 2.0, block=10, order=1)
    assert copies.standard_errors == pytest.approx(plain.standard_errors[:1], rel=1e-9)


def test_refusals():
    with pytest.raises(InputError, match="order = 5"):
        cumulant_expansion(np.arange(10.0), 1.0, order=5)
    with pytest.raises(InputError, match="at least 6"):
        cumulant_expansion([1.0, 2.0, 3.0], 1.0)
