"""Period doubling and chaos of gradient descent, against the exactly known map of the quartic double well.

With y = √η θ gradient descent on x⁴/4 − x²/2 is y' = ay − y³, a = 1 + η: minima double at a = 2, their orbits of
period two at a = √5, and a = 3 is a Chebyshev map with exponent ln 3.
"""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import ConvergenceError, InputError
from fpsolver.learning import bifurcation_diagram, critical_learning_rate, doubling_learning_rate, sharpness_history

WELL = fp.landscapes.double_well()


def test_periods_states_and_exponents_of_the_double_well():
    diagram = bifurcation_diagram(WELL, [0.8, 1.1, 1.26, 1.4, 2.1], [0.3], transient=600)
    assert diagram.periods.tolist() == [1, 2, 4, 0, -1]
    np.testing.assert_allclose(np.abs(diagram.states[0]), 1.0, rtol=1e-12)
    assert diagram.exponents[0] == pytest.approx(np.log(abs(1 - 2 * 0.8)), rel=1e-9)
    # The orbit of period two has multiplier 9 − 2a², and products of its two states are 1/η.
    assert diagram.exponents[1] == pytest.approx(np.log(abs(9 - 2 * 2.1**2)) / 2, rel=1e-7)
    np.testing.assert_allclose(diagram.states[1, 0] * diagram.states[1, 1], 1 / 1.1, rtol=1e-10)
    assert diagram.exponents[3] > 0.0
    assert np.isnan(diagram.states[4]).all()


def test_lyapunov_exponent_of_the_chebyshev_map():
    orbit = bifurcation_diagram(WELL, [2.0 - 1e-9], [0.3], transient=50, kept=1000)
    # ln|f'| has the variance ∫ ln²|f'|ρ − ln²3 = 1.2 under ρ = 1/(π√(2 − x²)); correlations vanish after one step.
    assert orbit.exponents[0] == pytest.approx(np.log(3.0), abs=4.5 * np.sqrt(1.3 / 1000))


def test_doubling_of_a_minimum_is_its_critical_learning_rate():
    landscape = fp.Landscape("x**2 + y**2/4 + x*y/4 + (x**4 + y**4)/8")
    exact = critical_learning_rate(landscape.hessian([0.0, 0.0]))
    found = doubling_learning_rate(landscape, 1, (0.9 * exact.value, 1.1 * exact.value), [0.1, 0.1], transient=200)
    assert abs(found.value - exact.value) <= found.error + exact.error


def test_doublings_of_the_double_well():
    rates = [
        doubling_learning_rate(WELL, period, bracket, [0.9], transient=300, tolerance=1e-9).value
        for period, bracket in ((1, (0.9, 1.1)), (2, (1.1, 1.28)), (4, (1.26, 1.29)))
    ]
    assert rates[0] == pytest.approx(1.0, rel=2e-9)
    assert rates[1] == pytest.approx(np.sqrt(5.0) - 1.0, rel=2e-9)
    # First of the ratios that tend to Feigenbaum's 4.669.
    assert 4.4 < (rates[1] - rates[0]) / (rates[2] - rates[1]) < 4.8


def test_momentum_moves_the_edge_to_two_times_one_plus_momentum():
    edge = 2.0 * 1.5 / 2.0
    diagram = bifurcation_diagram(WELL, [0.97 * edge, 1.03 * edge], [0.9], transient=300, momentum=0.5)
    assert diagram.periods[0] == 1
    assert diagram.periods[1] != 1


def test_exponent_at_a_minimum_is_the_logarithm_of_the_spectral_radius():
    from fpsolver.learning import spectral_radius, update_map

    # Two real eigenvalues: a rotating deviation would give its exponent only on the average.
    diagram = bifurcation_diagram(WELL, [0.1], [1.1], transient=300, kept=128, momentum=0.1)
    assert diagram.exponents[0] == pytest.approx(np.log(spectral_radius(update_map(2.0, 0.1, momentum=0.1))), rel=1e-9)


def test_too_sharp_a_start_is_left_for_the_edge():
    factorisation = fp.Landscape("(1 - u*v)**2/2")
    for start in ([1.6, 0.7], [0.75, 1.55]):
        history = sharpness_history(factorisation, 0.9, start, steps=300)
        assert history.sharpness[0] > 2.0 / 0.9 > history.sharpness[-1] > 2.0
        assert history.losses[-1] < 1e-20
        assert history.sharpness[-1] == pytest.approx((history.states[-1] ** 2).sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bifurcation_diagram(WELL, [0.1], [0.1, 0.2]), InputError, "1 finite coordinates"),
        (lambda: bifurcation_diagram(WELL, [-0.1], [0.1]), InputError, "positive"),
        (lambda: bifurcation_diagram(WELL, [0.1], [0.1], kept=10), InputError, "exceed"),
        (lambda: doubling_learning_rate(WELL, 1, (0.5, 0.8), [0.3]), ConvergenceError, "does not double"),
        (lambda: doubling_learning_rate(WELL, 1, (0.9, 0.9), [0.3]), InputError, "the lower first"),
        (lambda: doubling_learning_rate(WELL, 0, (0.9, 1.1), [0.3]), InputError, "period = 0"),
        (lambda: sharpness_history(WELL, 0.3, [0.5], -1), InputError, "steps = -1"),
        (lambda: sharpness_history(WELL, 3.0, [2.0], 50), ConvergenceError, "smaller"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
