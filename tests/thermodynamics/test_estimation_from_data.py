"""Drift, diffusion and entropy production from pairs of positions, against processes that are sampled exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fpsolver.errors import InputError
from fpsolver.theory import kramers_moyal as theory
from fpsolver.theory import trap_and_curl
from fpsolver.thermodynamics.drift_fit import finite_lag_moments, fit_drift_and_diffusion
from fpsolver.thermodynamics.entropy_estimation import (
    entropy_production_from_currents,
    entropy_production_of_linear_dynamics,
    linear_fields,
)
from fpsolver.thermodynamics.lagged_moments import kramers_moyal

SYSTEM = {"stiffness": 2.0, "temperature": 0.5, "lag": 0.25}


def trap_pairs(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample the steady state of a trap, and positions a lag later by the exact kernel."""
    spread, decay = math.sqrt(0.5 / 2.0), math.exp(-2.0 * 0.25)
    x, noise = np.random.default_rng(seed).normal(size=(2, samples))
    return spread * x, spread * (decay * x + math.sqrt(1.0 - decay**2) * noise)


def curl_pairs(curl: float, lag: float, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample the trap with a curl at k = T = 1 by its exact kernel."""
    x, noise = np.random.default_rng(seed).normal(size=(2, samples, 2))
    c, s = math.cos(curl * lag), math.sin(curl * lag)
    turned = math.exp(-lag) * x @ np.array([[c, -s], [s, c]])
    return x, turned + math.sqrt(-math.expm1(-2.0 * lag)) * noise


def test_moments_of_linear_drift_within_four_standard_errors() -> None:
    """Every bin; the width of a bin adds (1 − e^{−kτ})²/2τ times the spread within to the diffusion."""
    found = kramers_moyal(*trap_pairs(200_000, 1), SYSTEM["lag"], bins=30)
    for n in range(len(found)):
        drift, diffusion = (float(theory.linear_drift(found.x[n], order=k, **SYSTEM)) for k in (1, 2))
        assert abs(found.drift[n] - drift) < 4.0 * found.drift_error[n]
        bias = math.expm1(-0.5) ** 2 / 0.5 * found.spread[n]
        assert abs(found.diffusion[n] - bias - diffusion) < 4.0 * found.diffusion_error[n]


def test_fit_removes_the_lag() -> None:
    """Coefficients within four standard errors, χ² within four of its own; without correction far off."""
    measured = kramers_moyal(*trap_pairs(200_000, 2), SYSTEM["lag"], bins=30)
    found = fit_drift_and_diffusion(measured, drift_degree=1, diffusion_degree=1, terms=12)
    assert (np.abs(found.drift - [0.0, -2.0]) < 4.0 * found.drift_error).all()
    assert (np.abs(found.diffusion - [0.5, 0.0]) < 4.0 * found.diffusion_error).all()
    assert abs(found.chi_squared - found.freedom) < 4.0 * math.sqrt(2.0 * found.freedom)
    assert found.truncation < 1e-3
    raw = fit_drift_and_diffusion(measured, drift_degree=1, terms=1)
    assert abs(raw.drift[1] + 2.0) > 20.0 * raw.drift_error[1]


def test_series_in_the_lag_converges_to_the_closed_form() -> None:
    """For linear drift the remainder after n terms is below (2kτ)ⁿ/n! times the value."""
    x = np.array([-1.0, 0.3, 2.0])
    exact = np.array([[float(theory.linear_drift(y, order=n, **SYSTEM)) for y in x] for n in (1, 2)])
    for terms in (4, 8, 16):
        found = finite_lag_moments(x, [0.0, -2.0], [0.5], SYSTEM["lag"], terms)
        bound = 10.0 / math.factorial(terms) + 1e-14
        np.testing.assert_allclose(found, exact, atol=bound)


def test_first_order_formula_is_the_second_term_of_the_series() -> None:
    """For polynomials of any degree, noise that varies included."""
    drift, diffusion, lag = [0.1, 1.0, -0.3, -1.0], [0.5, 0.2, 0.1], 0.05
    series = finite_lag_moments([0.7], drift, diffusion, lag, terms=2).ravel()
    formula = [float(theory.first_order(0.7, order=n, lag=lag, drift=drift, diffusion=diffusion)) for n in (1, 2)]
    np.testing.assert_allclose(series, formula, rtol=1e-14)


@pytest.mark.parametrize("lag", [0.05, 0.5])
def test_entropy_production_of_a_trap_with_a_curl(lag: float) -> None:
    """Fitted dynamics give 2ε²/k at any lag; currents give the closed form for the lag. Four standard errors."""
    before, after = curl_pairs(1.0, lag, 50_000, 3)
    system = {"stiffness": 1.0, "curl": 1.0}
    fitted = entropy_production_of_linear_dynamics(before, after, lag)
    assert abs(fitted.value - float(trap_and_curl.entropy_production(**system))) < 4.0 * fitted.standard_error
    inferred = entropy_production_from_currents(before, after, lag)
    exact = float(trap_and_curl.uncertainty_estimate(**system, lag=lag))
    assert abs(inferred.value - exact) < 4.0 * inferred.standard_error


def test_no_entropy_production_in_equilibrium() -> None:
    """Both estimates are zero within their errors, which the noise floor sets."""
    before, after = curl_pairs(0.0, 0.1, 20_000, 4)
    for function in (entropy_production_from_currents, entropy_production_of_linear_dynamics):
        found = function(before, after, 0.1)
        assert abs(found.value) < 4.0 * found.standard_error


@pytest.mark.validate
@pytest.mark.parametrize("curl", [0.0, 1.0])
def test_standard_errors_of_entropy_production(curl: float) -> None:
    """Spread of a hundred estimates over their standard error: one, within four times 1/√200."""
    pulls = []
    for seed in range(100):
        before, after = curl_pairs(curl, 0.2, 5_000, seed)
        found = entropy_production_of_linear_dynamics(before, after, 0.2)
        pulls.append((found.value - 2.0 * curl**2) / found.standard_error)
    # Far from equilibrium; at equilibrium the distribution is χ² and the error an upper estimate.
    assert np.std(pulls) < 1.0 + 4.0 / math.sqrt(200.0)
    assert abs(np.mean(pulls)) < 0.4


def test_linear_fields_are_the_linear_fields() -> None:
    x = np.array([[2.0, 3.0]])
    fields = linear_fields(x)[:, 0]
    assert fields.tolist() == [[1, 0], [2, 0], [3, 0], [0, 1], [0, 2], [0, 3]]


def test_bad_data_say_what_is_wrong() -> None:
    x = np.zeros((5, 2))
    with pytest.raises(InputError, match="give pairs"):
        kramers_moyal([0.0, 1.0], [0.0, 1.0, 2.0], 0.1)
    with pytest.raises(InputError, match="no bin holds"):
        kramers_moyal([0.0, 1.0], [0.0, 1.0], 0.1)
    with pytest.raises(InputError, match="lag"):
        entropy_production_from_currents(x, x, 0.0)
    with pytest.raises(InputError, match="not independent"):
        entropy_production_from_currents(x, x + 1.0, 0.1)
    with pytest.raises(InputError, match=r"\(n, d\)"):
        entropy_production_of_linear_dynamics(x[:, 0], x[:, 0], 0.1)
    random = np.random.default_rng(0).normal(size=(1000, 2))
    with pytest.raises(InputError, match="no stable linear dynamics"):
        entropy_production_of_linear_dynamics(random, -random, 0.1)
