"""Heat of a dragged trap: normalisation, moments, symmetry of work inside, limits."""

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import heat_tails

CASES = [(1.0, 2.0), (2.0, 1.0), (1.0, 20.0)]


@pytest.mark.parametrize(("drive", "tau"), CASES)
def test_the_density_is_normalised_with_the_moments_of_the_generating_function(drive, tau):
    mean = drive**2 * tau
    q = np.linspace(-30.0 - mean / 2, 30.0 + 3 * mean, 801)
    p = np.exp(heat_tails.log_density(q, drive=drive, relaxation_times=tau))
    # The trapezoidal rule is spectral for a smooth density; e^{−30} is cut off.
    assert np.trapezoid(p, q) == pytest.approx(1.0, abs=1e-8)
    step = 1e-3
    near = heat_tails.log_generating_function([-step, step], drive=drive, relaxation_times=tau)
    assert np.trapezoid(p * q, q) == pytest.approx(mean, abs=1e-7)
    assert (near[1] - near[0]) / (2 * step) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(("drive", "tau"), CASES)
def test_the_generating_function_by_simulation_of_both_ends(drive, tau):
    """⟨e^{λQ}⟩ from exact samples of z_0, z_t and ∫z, at tilts where it has a variance."""
    rng, n = np.random.default_rng(1), 400_000
    kept = np.exp(-tau)
    first, noise, other = rng.normal(size=(3, n))
    last = kept * first + np.sqrt(1 - kept**2) * noise
    area = np.tanh(tau / 2) * (first + last) + np.sqrt(2 * tau - 4 * np.tanh(tau / 2)) * other
    heat = drive**2 * tau - drive * area - (last**2 - first**2) / 2 + drive * (last - first)
    for tilt in (-0.2, 0.1):
        terms = np.exp(tilt * heat)
        value = heat_tails.log_generating_function(tilt, drive=drive, relaxation_times=tau)
        assert abs(terms.mean() - np.exp(value)) < 4.5 * terms.std() / np.sqrt(n)


def test_the_limit_is_continuous_and_flat():
    ratios = np.array([1 - 1e-9, 1 + 1e-9, 3 - 1e-9, 3.0, 10.0])
    values = [float(heat_tails.extended(p, relaxation_times=1e14)) for p in ratios]
    assert values == pytest.approx([1.0, 1.0, 2.0, 2.0, 2.0], abs=1e-6)
    assert float(heat_tails.conventional(4.0, relaxation_times=1.0)) == 4.0


@pytest.mark.parametrize("ratio", [0.5, 4.0])
def test_the_exact_symmetry_tends_to_the_limit(ratio):
    """The remainder falls by ten where the time is tenfold; a next order 1/√τ changes that by less than a fifth."""
    left = [
        float(heat_tails.symmetry(ratio, drive=1.0, relaxation_times=tau))
        - float(heat_tails.extended(ratio, relaxation_times=tau))
        for tau in (300.0, 3000.0)
    ]
    assert left[0] / left[1] == pytest.approx(10.0, rel=0.2)


def test_beyond_the_branch_points_the_average_is_infinite():
    with pytest.raises(TheoryError, match="finite only"):
        heat_tails.log_generating_function(1.2, drive=1.0, relaxation_times=5.0)
