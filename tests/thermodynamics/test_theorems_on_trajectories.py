"""Integral and detailed fluctuation theorems from samples: closed forms, exact invariants, failures that say why."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, InputError, MethodError
from fpsolver.thermodynamics.fluctuation_theorems import detailed_theorem, integral_theorem


def gaussian(mean, n=200_000, seed=1, ratio=2.0):
    """Entropies from a Gaussian, which obeys both theorems where its variance is twice its mean."""
    return np.random.default_rng(seed).normal(mean, np.sqrt(ratio * mean), n)


@pytest.mark.parametrize("seed", range(3))
def test_gaussian_entropies_obey_both_theorems(seed):
    sigma = gaussian(0.7, seed=seed)
    integral, detailed = integral_theorem(sigma), detailed_theorem(sigma)
    assert abs(integral.deviation) < 4.5
    assert abs(detailed.deviation) < 4.5
    assert integral.regime == "normal"
    assert integral.mean == pytest.approx(0.7, abs=5 * np.sqrt(1.4 / len(sigma)))
    # χ² per point of 24 points scatters by √(2/24); points of few counts are biased towards zero.
    assert detailed.curvature < 1 + 5 * np.sqrt(2 / 10)


@pytest.mark.parametrize("seed", range(3))
def test_the_standard_errors_are_those_of_repetitions(seed):
    """Mean square of deviations in standard errors is one, with the scatter √(2/m) of m repetitions."""
    rng = np.random.default_rng(seed)
    m = 200
    deviations = []
    for _ in range(m):
        sigma = rng.normal(0.3, np.sqrt(0.6), 2000)
        deviations.append([integral_theorem(sigma).deviation, detailed_theorem(sigma, fewest=1).deviation])
    assert np.mean(np.square(deviations), axis=0) == pytest.approx([1.0, 1.0], abs=5 * np.sqrt(2 / m))


def test_a_gaussian_with_another_variance_has_another_slope_and_average():
    """ln P(σ)/P(−σ) = (2m/v)σ and ⟨e^{−σ}⟩ = e^{v/2 − m}."""
    sigma = gaussian(0.5, ratio=1.0)
    integral, detailed = integral_theorem(sigma, expected=np.exp(-0.25)), detailed_theorem(sigma)
    assert abs(integral.deviation) < 4.5
    assert abs(detailed.slope - 2.0) < 4.5 * detailed.slope_error


def test_paths_without_reverse_count_as_nothing():
    sigma = gaussian(0.7)
    half = np.concatenate([sigma, np.full(len(sigma), np.inf)])
    whole, part = integral_theorem(sigma), integral_theorem(half, expected=0.5)
    assert part.average == pytest.approx(whole.average / 2, rel=1e-12)
    assert (part.irreversible, part.samples, part.mean) == (len(sigma), 2 * len(sigma), np.inf)
    assert abs(part.deviation) < 4.5


@given(shift=st.floats(-500, 500))
def test_a_shift_scales_average_and_error(shift):
    sigma = np.random.default_rng(3).normal(0.5, 1.0, 500)
    plain, moved = integral_theorem(sigma), integral_theorem(sigma + shift)
    assert moved.average * np.exp(shift) == pytest.approx(plain.average, rel=1e-10)
    assert moved.standard_error * np.exp(shift) == pytest.approx(plain.standard_error, rel=1e-10)


def test_blocks_of_copies_give_the_error_of_the_originals():
    sigma = gaussian(0.5, n=5000)
    plain, copied = integral_theorem(sigma), integral_theorem(np.repeat(sigma, 4), block=4)
    assert copied.average == pytest.approx(plain.average, rel=1e-12)
    assert copied.standard_error == pytest.approx(plain.standard_error, rel=1e-12)


def test_a_handful_of_samples_is_said_to_dominate():
    with pytest.warns(AccuracyWarning, match="handful"):
        assert integral_theorem(gaussian(20.0, n=2000)).regime == "dominated"


def test_reach_selects_entropies():
    """A density that has the slope one below 1, and two above."""
    sigma = np.abs(np.random.default_rng(5).exponential(1.0, 400_000))
    slopes = np.where(sigma < 1.0, 1.0, 2.0)
    signs = np.where(np.random.default_rng(6).random(len(sigma)) < 1 / (1 + np.exp(-slopes * sigma)), 1, -1)
    for reach, slope in (((0.0, 1.0), 1.0), ((1.0, 5.0), 2.0)):
        found = detailed_theorem(sigma * signs, reach=reach)
        assert abs(found.slope - slope) < 4.5 * found.slope_error
        assert reach[0] <= found.points.work.min() <= found.points.work.max() <= reach[1]


def test_an_ensemble_gives_its_entropy_production():
    start, end = fp.Gaussian([0.5], 0.5), fp.Gaussian([0.2], 0.8)
    trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
    ensemble = fp.simulate(
        trap, 2000, start, 0.25, 0.5, seed=1, functionals=("entropy_flow", "heat"), density=(start, end)
    )
    assert integral_theorem(ensemble) == integral_theorem(ensemble.values("entropy_production"))
    assert integral_theorem(ensemble, quantity="heat").mean == ensemble.values("heat").mean()
    assert detailed_theorem(ensemble).slope == detailed_theorem(ensemble.values("entropy_production")).slope


@pytest.mark.parametrize("wrong", [[0.0, np.nan, 1.0], [0.0, -np.inf, 1.0], [[0.0, 1.0]]])
def test_entropies_that_cannot_be(wrong):
    with pytest.raises(InputError, match="entropies"):
        integral_theorem(wrong)


def test_no_negative_entropy_is_refused():
    with pytest.raises(MethodError, match="none is negative"):
        detailed_theorem(np.linspace(0.1, 1.0, 50))
