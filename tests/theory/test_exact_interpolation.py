"""Ornstein–Uhlenbeck processes through the points of SGD, and the exponent of exit under the noise of SGD."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from fpsolver.errors import TheoryError
from fpsolver.theory import exact_interpolation, linear_diffusion, noncommuting_exit
from fpsolver.theory.stationary_sgd import chain_covariance


def gathered(drift: np.ndarray, diffusion: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Return e^{−Kt} and ∫e^{−Ks}2De^{−Kᵀs}ds by Van Loan's block exponential."""
    d = len(drift)
    block = expm(time * np.block([[drift, 2.0 * diffusion], [np.zeros((d, d)), -drift.T]]))
    return expm(-drift * time), expm(-drift * time) @ block[:d, d:]


@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_process_passes_through_the_chain(seed: int, share: float) -> None:
    """Its propagator over a step is the chain's: e^{−Kη} = 1 − ηH and noise η²C, in one to three dimensions."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 4))
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    values = rng.uniform(0.5, 1.5, d)
    hessian, root = turn @ np.diag(values) @ turn.T, rng.normal(size=(d, d))
    noise, eta = root @ root.T + 2.0 * np.eye(d), share / values.max()
    try:
        drift, diffusion = exact_interpolation.interpolation(hessian, noise, learning_rate=eta)
    except TheoryError:  # too correlated for a step of this length
        assert d > 1
        return
    step, spread = gathered(drift, diffusion, eta)
    assert step == pytest.approx(np.eye(d) - eta * hessian, abs=1e-12)
    assert spread == pytest.approx(eta**2 * noise, abs=1e-11 * eta**2 * np.abs(noise).max() / (1.0 - share))
    assert linear_diffusion.stationary_covariance(drift, diffusion) == pytest.approx(
        chain_covariance(hessian, noise, learning_rate=eta), rel=1e-9, abs=1e-12
    )


def test_one_dimension() -> None:
    """The scalar forms are the matrix ones, and approach h and ηC/2."""
    for eta in (0.01, 0.3):
        rate = float(exact_interpolation.relaxation_rate(curvature=2.0, learning_rate=eta))
        spread = float(exact_interpolation.diffusion(3.0, curvature=2.0, learning_rate=eta))
        drift, diffusion = exact_interpolation.interpolation([[2.0]], [[3.0]], learning_rate=eta)
        assert (drift[0, 0], diffusion[0, 0]) == pytest.approx((rate, spread), rel=1e-13)
    rate = float(exact_interpolation.relaxation_rate(curvature=2.0, learning_rate=1e-6))
    assert rate == pytest.approx(2.0, rel=2e-6)  # ηh/2 and what follows


def test_there_is_none_beyond_one() -> None:
    """ηh ≥ 1 has no real logarithm in one dimension."""
    for call in (
        lambda: exact_interpolation.relaxation_rate(curvature=1.0, learning_rate=1.0),
        lambda: exact_interpolation.diffusion(1.0, curvature=1.0, learning_rate=1.5),
        lambda: exact_interpolation.interpolation(np.diag([0.5, 1.0]), np.eye(2), learning_rate=1.5),
    ):
        with pytest.raises(TheoryError, match="below 1"):
            call()


@pytest.mark.parametrize(("curvatures", "eta"), [((1.0, 3.0), 0.3), ((0.1, 2.0), 0.2), ((1.0, 1.0), 0.5)])
def test_correlated_noise_has_none(curvatures: tuple[float, float], eta: float) -> None:
    """Just below the largest correlation a process exists, just above it the diffusion loses its sign."""
    limit = float(exact_interpolation.largest_correlation(curvatures, learning_rate=eta))
    scales = np.diag([1.0, 2.0])

    def noise(correlation: float) -> np.ndarray:
        return scales @ np.array([[1.0, correlation], [correlation, 1.0]]) @ scales

    exact_interpolation.interpolation(np.diag(curvatures), noise(limit * (1.0 - 1e-9)), learning_rate=eta)
    if curvatures[0] == curvatures[1]:
        assert limit == pytest.approx(1.0, abs=1e-14)
        return
    with pytest.raises(TheoryError, match="too correlated"):
        exact_interpolation.interpolation(np.diag(curvatures), noise(limit * (1.0 + 1e-9)), learning_rate=eta)


def test_largest_correlation_for_small_steps() -> None:
    """1 − (κ₁ − κ₂)²η²/24; the next order is smaller by ηκ."""
    eta, curvatures = 1e-3, (1.0, 3.0)
    limit = float(exact_interpolation.largest_correlation(curvatures, learning_rate=eta))
    assert (1.0 - limit) / eta**2 == pytest.approx(4.0 / 24.0, rel=5e-3)


def test_turning_process_where_the_multiplicity_is_even() -> None:
    """Two equal curvatures with ηh > 1: a process that turns by π in a step is the chain again."""
    eta, h = 1.0, 1.4
    left = 1.0 - eta * h
    drift = -math.log(-left) / eta * np.eye(2) + math.pi / eta * np.array([[0.0, 1.0], [-1.0, 0.0]])
    covariance = chain_covariance(h * np.eye(2), np.eye(2), learning_rate=eta)
    diffusion = 0.5 * (drift @ covariance + covariance @ drift.T)
    assert np.linalg.eigvalsh(diffusion)[0] > 0.0
    step, spread = gathered(drift, diffusion, eta)
    assert step == pytest.approx(left * np.eye(2), abs=1e-12)
    assert spread == pytest.approx(np.eye(2), abs=1e-11)


HESSIAN = np.diag([1.0, 3.0])
NOISE = np.array([[1.0, 0.7], [0.7, 1.0]])


def test_exponents_of_planes_and_levels() -> None:
    """Closed forms against the minimum over many points of the boundary, to the square of their distance."""
    turn = np.linspace(0.0, 2.0 * math.pi, 200_001)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    level = circle * np.sqrt(2.0 * 0.8) @ np.diag(1.0 / np.sqrt([1.0, 3.0]))
    found = noncommuting_exit.exponent(HESSIAN, NOISE, learning_rate=0.3, boundary=level)
    exact = noncommuting_exit.loss_level_exponent(HESSIAN, NOISE, learning_rate=0.3, height=0.8)
    assert float(found) == pytest.approx(float(exact), rel=1e-8)
    normal = np.array([1.0, -2.0])
    along = np.linspace(-5.0, 5.0, 200_001)[:, None]
    plane = 1.3 * normal / (normal @ normal) + along * np.array([2.0, 1.0])
    found = noncommuting_exit.exponent(HESSIAN, NOISE, learning_rate=0.3, boundary=plane)
    exact = noncommuting_exit.plane_exponent(HESSIAN, NOISE, learning_rate=0.3, normal=normal, distance=1.3)
    assert float(found) == pytest.approx(float(exact), rel=1e-8)
    point = noncommuting_exit.exit_point(HESSIAN, NOISE, learning_rate=0.3, normal=normal, distance=1.3)
    assert normal @ point == pytest.approx(1.3, rel=1e-13)
    here = noncommuting_exit.exponent(HESSIAN, NOISE, learning_rate=0.3, boundary=[point])
    assert float(here) == pytest.approx(float(exact), rel=1e-13)


def test_isotropic_noise_is_arrhenius() -> None:
    """Then both exponents agree as η → 0, to relative order ηh."""
    turn = np.linspace(0.0, 2.0 * math.pi, 721)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    pair = [
        float(form(HESSIAN, np.eye(2), learning_rate=1e-6, boundary=circle))
        for form in (noncommuting_exit.exponent, noncommuting_exit.exponent_as_written)
    ]
    assert pair[0] == pytest.approx(pair[1], rel=2e-6)
    pair = [
        float(form(HESSIAN, NOISE, learning_rate=1e-6, boundary=circle))
        for form in (noncommuting_exit.exponent, noncommuting_exit.exponent_as_written)
    ]
    assert abs(pair[0] / pair[1] - 1.0) > 0.05


def test_exit_time_in_one_dimension() -> None:
    """Against the exact quadrature of the mean first-passage time of the Ornstein–Uhlenbeck process."""
    from scipy.integrate import quad

    small = 1e-9
    for distance in (4.0, 5.0):
        form = noncommuting_exit.plane_exit_time(
            [[1.0]], [[2.0 / small]], learning_rate=small, normal=[1.0], distance=distance
        )
        inner = quad(lambda y: math.exp(y**2 / 2.0) * (1.0 + math.erf(y / math.sqrt(2.0))), 0.0, distance)[0]
        exact = math.sqrt(math.pi / 2.0) * inner
        assert abs(float(form) / exact - 1.0) < 2.0 * form.error_scale


def test_refusals() -> None:
    """A boundary through the minimum, and a normal of another dimension."""
    with pytest.raises(TheoryError, match="none at the origin"):
        noncommuting_exit.exponent(HESSIAN, NOISE, learning_rate=0.1, boundary=[[0.0, 0.0]])
    with pytest.raises(TheoryError, match="vector of 2 numbers"):
        noncommuting_exit.plane_exponent(HESSIAN, NOISE, learning_rate=0.1, normal=[1.0], distance=1.0)
