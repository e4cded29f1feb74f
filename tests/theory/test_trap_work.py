"""Work on traps that are dragged and stiffened, and on chains of Gaussian steps: closed forms against one another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from fpsolver.errors import TheoryError
from fpsolver.theory import dragged_trap, quadratic_chain, stiffening_trap

TRAP = {"stiffness": 2.0, "duration": 1.5, "mobility": 0.7}


def test_mean_work_of_a_drag_is_the_integral_of_its_force():
    """⟨W⟩ = ∫ kv⟨λ − x⟩dt with d⟨λ − x⟩/dt = v − μk⟨λ − x⟩, by Simpson's rule on 2001 nodes."""
    from scipy.integrate import simpson

    rate, v, t = 1.4, 0.8, np.linspace(0.0, 1.5, 2001)
    expected = simpson(2.0 * v * v * -np.expm1(-rate * t) / rate, x=t)
    assert float(dragged_trap.mean_work(speed=v, **TRAP)) == pytest.approx(expected, rel=1e-12)


def test_slopes_approach_each_other_for_long_drags():
    """t/(t − 1/(μk)) from the steady state, 1 + 1/(μkt) to first order; 1 from equilibrium at any time."""
    for duration in (50.0, 500.0):
        steady = float(dragged_trap.steady_slope(stiffness=2.0, duration=duration, temperature=0.5))
        transient = float(dragged_trap.transient_slope(stiffness=2.0, duration=duration, temperature=0.5))
        assert transient == 2.0
        assert steady / transient - 1 == pytest.approx(1 / (2 * duration), rel=1 / duration)


def test_chain_becomes_the_drag_as_its_steps_shrink():
    """Errors of first order in the step for the mean work; the exact kernel's of second order."""
    exact = float(dragged_trap.mean_work(stiffness=1.0, speed=1.0, duration=2.0))
    for exact_kernel, order in ((False, 1), (True, 2)):
        errors = [
            abs(float(dragged_trap.chain_mean_work(
                stiffness=1.0, shift=2.0 / n, steps=n, learning_rate=2.0 / n, exact_kernel=exact_kernel)) - exact)
            for n in (200, 400)
        ]  # fmt: skip
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.02)


def test_variance_of_chain_work():
    """var W = 2T_st⟨W⟩ against the exact average of e^{−uW} at small u, whose logarithm is −u⟨W⟩ + u² var W/2."""
    keywords = {"stiffness": 1.0, "shift": 0.1, "steps": 20, "learning_rate": 0.1}
    mean = float(dragged_trap.chain_mean_work(**keywords))
    variance = float(dragged_trap.chain_work_variance(temperature=1.0, **keywords))
    start = float(dragged_trap.chain_temperature(stiffness=1.0, temperature=1.0, learning_rate=0.1))
    stages = [([0.1 * n], [[1.0]]) for n in range(21)]
    for u in (0.5, 1.0, 2.0):
        average = quadratic_chain.exponential_work(
            stages, learning_rate=0.1, temperature=1.0, start_covariance=[[start]], work_temperature=1 / u,
            energy=quadratic_chain.literal_hessian,
        )  # fmt: skip
        assert np.log(float(average)) == pytest.approx(-u * mean + u**2 * variance / 2, rel=1e-11)


@pytest.mark.parametrize("start_variance", [None, 0.3, 2.0])
def test_stiffening_trap_is_the_limit_of_a_chain(start_variance):
    """A chain of 2000 and 4000 steps, extrapolated: what is left is of second order in the step, 2.5e-7 times O(1)."""
    keywords = {"duration": 1.0, "temperature": 0.5, "start_variance": start_variance}
    exact = float(stiffening_trap.exponential_work(1.0, 2.0, **keywords))
    found = []
    for n in (2000, 4000):
        stages = [([0.0], [[1.0 + k / n]]) for k in range(n + 1)]
        average = quadratic_chain.exponential_work(
            stages, learning_rate=1.0 / n, temperature=0.5, energy=quadratic_chain.literal_hessian,
            start_covariance=[[0.5 if start_variance is None else start_variance]],
        )  # fmt: skip
        found.append(float(average))
    assert 2 * found[1] - found[0] == pytest.approx(exact, rel=1e-5)


def test_stiffening_moments():
    """The derivative of ⟨e^{−uW/T}⟩ at u = 0 is −⟨W⟩/T; e^{−W/T} has no mean where the weight diverges."""
    keywords = {"duration": 1.0, "temperature": 0.5}
    averages = [float(stiffening_trap.exponential_work(1.0, 2.0, power=u, **keywords)) for u in (-1e-3, 1e-3)]
    mean = float(stiffening_trap.mean_work(1.0, 2.0, **keywords))
    assert (averages[0] - averages[1]) / 2e-3 == pytest.approx(mean / 0.5, rel=1e-5)
    assert np.isinf(float(stiffening_trap.exponential_work(2.0, 0.1, duration=0.1, temperature=1.0, power=2.0)))


def test_shadow_loss_obeys_the_jarzynski_equality_in_any_dimension():
    """Random Hessians that do not commute, moved centres, learning rates up to 1.9 over the largest eigenvalue."""
    rng = np.random.default_rng(2)
    for _ in range(5):
        d = int(rng.integers(1, 4))
        stages = []
        for _ in range(8):
            skew = rng.normal(size=(d, d))
            turn = expm(skew - skew.T)
            stages.append((rng.normal(size=d), turn @ np.diag(rng.uniform(0.2, 2.0, d)) @ turn.T))
        eta, temperature = rng.uniform(0.1, 0.95), rng.uniform(0.2, 2.0)
        first, last = (quadratic_chain.shadow_hessian(stages[k][1], learning_rate=eta) for k in (0, -1))
        difference = float(quadratic_chain.free_energy_difference(first, last, temperature=temperature))
        keywords = {"learning_rate": eta, "temperature": temperature}
        average = float(
            quadratic_chain.exponential_work(stages, start_covariance=temperature * np.linalg.inv(first), **keywords)
        )
        assert average == pytest.approx(np.exp(-difference / temperature), rel=1e-9)


def test_refusals():
    with pytest.raises(TheoryError, match="below 2"):
        dragged_trap.chain_temperature(stiffness=1.0, temperature=1.0, learning_rate=2.0)
    with pytest.raises(TheoryError, match="below 2"):
        dragged_trap.chain_mean_work(stiffness=1.0, shift=0.1, steps=3, learning_rate=2.5)
    with pytest.raises(TheoryError, match="no stationary state"):
        quadratic_chain.shadow_hessian([[3.0]], learning_rate=1.0)
    with pytest.raises(TheoryError, match="start_variance"):
        stiffening_trap.mean_work(1.0, 2.0, duration=1.0, temperature=1.0, start_variance=-1.0)
