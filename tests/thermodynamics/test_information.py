"""Information and its flows on grids and in linear dynamics; feedback and learning in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

import fpsolver as fp
from fpsolver.errors import GridError, MethodError, TheoryError
from fpsolver.theory import coupling_cycle, feedback, learning_efficiency, linear_information
from fpsolver.thermodynamics.information import information_flow, mutual_information


def test_mutual_information_of_a_gaussian_is_of_second_order_in_the_cells() -> None:
    """Halving the cells takes the error to a quarter."""
    covariance = [[1.0, 0.6], [0.6, 1.0]]
    exact = float(linear_information.mutual_information(covariance, 1))
    errors = []
    for cells in (30, 60):
        grid = fp.Grid(x=(-6.0, 6.0, cells), y=(-6.0, 6.0, cells))
        errors.append(abs(mutual_information(fp.gaussian(grid, [0.0, 0.0], covariance), "x", grid) - exact))
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=0.5)


def test_flows_on_a_grid_balance() -> None:
    """dI/dt is the sum of the flows, against a difference in time; each part has a second law of its own."""
    grid = fp.Grid(x=(-6.0, 6.0, 30), y=(-6.0, 6.0, 30))
    dynamics = fp.Langevin(fp.Landscape("x**2/2 + y**2"), temperature=1.0, force=("0", "2*x"))
    W = fp.generator(dynamics, grid)
    p = fp.gaussian(grid, [0.5, -0.3], [[0.8, 0.2], [0.2, 0.5]])
    found = information_flow(W, p, "x")
    step = 1e-4
    change = [mutual_information(p + sign * step * W.apply(p), "x", grid) for sign in (-1.0, 1.0)]
    # Central differences err by the square of step times the rates.
    assert sum(found.flows) == pytest.approx((change[1] - change[0]) / (2.0 * step), rel=1e-4)
    assert min(found.entropy_production) >= 0.0
    whole = fp.thermodynamics.entropy_production(W, p)
    assert sum(found.entropy_production) == pytest.approx(whole.total, rel=1e-11)
    assert sum(found.entropy_flows) == pytest.approx(whole.medium, rel=1e-11)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 3))
def test_second_laws_of_linear_dynamics(seed: int, first: int, second: int) -> None:
    """l_x + l_y = 0, and each part's entropy flow is at least its information flow."""
    random = np.random.default_rng(seed)
    d = first + second
    drift = random.normal(size=(d, d)) + 3.0 * np.eye(d)
    if np.linalg.eigvals(drift).real.min() < 0.1:
        return
    found = linear_information.steady_state(drift=drift, diffusion=np.diag(np.exp(random.normal(size=d))), first=first)
    # Rounding of the Lyapunov equation, over the slowest rate.
    assert abs(sum(float(v) for v in found.flows)) < 1e-11
    for entropy, learnt in zip(found.entropy_flows, found.flows, strict=True):
        assert float(entropy) >= float(learnt) - 1e-11
    assert float(found.mutual_information) >= 0.0


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 10.0), st.floats(0.1, 10.0), st.floats(0.01, 100.0))
def test_feedback_keeps_to_its_bounds(stiffness: float, temperature: float, noise: float) -> None:
    """Jensen: ⟨W⟩ ≥ −T I from the balance with information, and ⟨W⟩ ≥ −T ln⟨e^{−W/T}⟩."""
    system = {"stiffness": stiffness, "temperature": temperature, "noise": noise}
    work = float(feedback.mean_work(**system)) / temperature
    assert -work <= float(feedback.information(**system)) * (1.0 + 1e-12)
    assert -work <= math.log(float(feedback.exponential_average(**system))) * (1.0 + 1e-12)


def test_exponential_average_of_feedback_by_quadrature() -> None:
    """⟨e^{−W/T}⟩ over position and measurement against the closed form."""
    k, temperature, noise = 1.5, 0.8, 0.9
    spread = temperature / k
    gain = spread / (spread + noise)

    def integrand(y: float, x: float) -> float:
        work = 0.5 * k * ((x - gain * y) ** 2 - x**2)
        weight = math.exp(-(x**2) / (2 * spread) - (y - x) ** 2 / (2 * noise))
        return math.exp(-work / temperature) * weight / (2 * math.pi * math.sqrt(spread * noise))

    value, _ = dblquad(integrand, -12.0, 12.0, -20.0, 20.0, epsabs=1e-9)
    exact = feedback.exponential_average(stiffness=k, temperature=temperature, noise=noise)
    assert value == pytest.approx(float(exact), abs=1e-7)


def test_learning_in_its_limits() -> None:
    """A small shift teaches k m²/2T nats less O(m⁴), with η → ½; a large one teaches the whole bit, at a price."""
    small = learning_efficiency.efficiency(shift=1e-2, stiffness=1.0, temperature=1.0)
    assert float(small) == pytest.approx(0.5, abs=1e-4)
    large = learning_efficiency.information(shift=8.0, stiffness=1.0, temperature=1.0)
    assert float(large) == pytest.approx(math.log(2.0), abs=1e-12)
    times = [
        float(learning_efficiency.information(shift=1.0, stiffness=1.0, temperature=1.0, duration=t))
        for t in (0.1, 1.0, 30.0)
    ]
    assert times == sorted(times)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 4.0), st.floats(0.05, 50.0))
def test_cycle_costs_at_least_what_it_learns(shift: float, duration: float) -> None:
    """W ≥ I at k = T = 1, with the information that a ramp of this duration leaves in the weight."""
    reached = shift * (1.0 + math.expm1(-duration) / duration)
    learnt = float(learning_efficiency.information(shift=reached, stiffness=1.0, temperature=1.0))
    assert float(coupling_cycle.work_of_cycle(shift=shift, stiffness=1.0, duration=duration)) >= learnt - 1e-10


def test_what_cannot_be_asked() -> None:
    axis = fp.Axis(-3.0, 3.0, 8, boundary="reflecting")
    grid = fp.Grid(x=axis, y=axis)
    p = fp.gaussian(grid, [0.0, 0.0], [[0.3, 0.0], [0.0, 0.3]])
    with pytest.raises(GridError, match="to the other part"):
        mutual_information(p, ["x", "y"], grid)
    oblique = fp.Langevin(fp.Landscape("x**2 + y**2"), temperature=1.0, mobility=[[1.0, 0.5], [0.5, 1.0]])
    with pytest.raises(MethodError, match="both parts at once"):
        information_flow(fp.generator(oblique, grid), p, "x")
    with pytest.raises(TheoryError, match="correlates the noises"):
        linear_information.steady_state(drift=np.eye(2), diffusion=[[1.0, 0.2], [0.2, 1.0]])
    with pytest.raises(TheoryError, match="no steady state"):
        linear_information.steady_state(drift=-np.eye(2), diffusion=np.eye(2))
    with pytest.raises(TheoryError, match="must be positive"):
        feedback.mean_work(stiffness=1.0, temperature=1.0, noise=0.0)
