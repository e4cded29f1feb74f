"""Rounded normal updates: Fourier series against sums over the lattice, and descent that stalls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolver.errors import TheoryError
from fpsolver.theory import quantised_updates as quantised


def lattice_moments(update, scale, quantum, rounding):
    centre = round(update / quantum)
    k = centre + np.arange(-int(40 * scale / quantum) - 3, int(40 * scale / quantum) + 4)
    p = quantised.lattice_probabilities(k, update=update, scale=scale, quantum=quantum, rounding=rounding)
    mean = p @ (k * quantum)
    return p.sum(), mean, p @ (k * quantum - mean) ** 2


@pytest.mark.parametrize(
    ("scale", "quantum", "expected"),
    [(1.0, 1.0, 1.0833333223611181), (0.3, 1.0, 0.09558242445506109), (0.5, 0.5, 0.27083333059027953)],
)
def test_reference_values(scale, quantum, expected):
    assert float(quantised.variance(scale=scale, quantum=quantum)) == pytest.approx(expected, rel=1e-13)


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0.02, 3), st.floats(0.1, 2), st.sampled_from(quantised.ROUNDINGS))
def test_series_are_sums_over_the_lattice(update, scale, quantum, rounding):
    total, mean, variance = lattice_moments(update, scale, quantum, rounding)
    assert total == pytest.approx(1.0, abs=1e-12)
    numbers = {"scale": scale, "quantum": quantum, "rounding": rounding}
    assert float(quantised.mean(update, **numbers)) == pytest.approx(mean, abs=1e-10)
    # The tent's second difference loses digits like (s/q)².
    assert float(quantised.variance(update, **numbers)) == pytest.approx(
        variance, abs=1e-10 * (1 + (scale / quantum) ** 2)
    )


@pytest.mark.parametrize("rounding", quantised.ROUNDINGS)
def test_moments_of_rounded_samples(rounding):
    """A second route: numbers that are rounded. Standard errors of 400 000 samples; four of them."""
    update, scale, quantum, n = 0.37, 0.25, 1.0, 400_000
    rng = np.random.default_rng(5)
    x = rng.normal(update, scale, n) / quantum
    rounded = np.rint(x) if rounding == "nearest" else np.floor(x) + (rng.random(n) < x - np.floor(x))
    values = quantum * rounded
    numbers = {"scale": scale, "quantum": quantum, "rounding": rounding}
    assert values.mean() == pytest.approx(float(quantised.mean(update, **numbers)), abs=4 * values.std() / np.sqrt(n))
    squares = (values - values.mean()) ** 2
    error = squares.std() / np.sqrt(n)
    assert squares.mean() == pytest.approx(float(quantised.variance(update, **numbers)), abs=4 * error)


def test_limits_of_wide_noise():
    assert float(quantised.variance(0.3, scale=2.0, quantum=1.0)) == pytest.approx(4 + 1 / 12, rel=1e-12)
    numbers = {"scale": 2.0, "quantum": 1.0, "rounding": "stochastic"}
    assert float(quantised.variance(0.3, **numbers)) == pytest.approx(4 + 1 / 6, rel=1e-12)
    for rounding in quantised.ROUNDINGS:
        assert float(quantised.mean_as_written(0.3, scale=0.1, quantum=1.0, rounding=rounding)) == 0.3


def test_the_written_probabilities_add_up_to_one_over_the_quantum():
    p = quantised.lattice_probabilities_as_written(np.arange(-200, 201), update=0.1, scale=1.0, quantum=0.1)
    assert p.sum() == pytest.approx(10.0, rel=1e-12)


def test_descent_stalls_where_it_should():
    q, eta, h = 0.01, 0.1, 2.0
    radius = float(quantised.stall_radius(h, learning_rate=eta, quantum=q))
    for start in (1.0, 0.9, -0.7):
        k = round(start / q)
        for _ in range(1000):
            k = round(k - eta * h * k)
        assert 0 < abs(k * q) <= radius
        assert quantised.stalls(h * k * q, learning_rate=eta, quantum=q)
    assert not quantised.stalls(1.01 * h * radius, learning_rate=eta, quantum=q)


@pytest.mark.parametrize("rounding", quantised.ROUNDINGS)
def test_stationary_variance_of_the_chain_on_the_lattice(rounding):
    """Rounding included, the stationary vector of the chain on −40 … 40 quanta."""
    eta, noise, q = 0.1, 9.0, 0.5
    k = np.arange(-40, 41)
    numbers = {"scale": eta * np.sqrt(noise), "quantum": q, "rounding": rounding}
    columns = [quantised.lattice_probabilities(k, update=(1 - eta) * i * q, **numbers) for i in k]
    kernel = np.stack(columns, axis=1)
    p = np.linalg.matrix_power(kernel / kernel.sum(axis=0), 4096)[:, 40]
    form = quantised.stationary_variance(1.0, learning_rate=eta, noise_variance=noise, quantum=q, rounding=rounding)
    assert p @ (k * q) ** 2 == pytest.approx(float(form), rel=form.error_scale)
    assert form.error_scale < 0.01
    written = quantised.stationary_variance_as_written(1.0, learning_rate=eta, noise_variance=noise, quantum=q)
    assert float(written) == pytest.approx(eta * noise / (2 - eta), rel=1e-14)
    assert float(form) > 1.1 * float(written)


def test_bad_input_is_refused():
    with pytest.raises(TheoryError, match='did you mean "nearest"'):
        quantised.mean(0.0, scale=1.0, quantum=1.0, rounding="nearst")
    with pytest.raises(TheoryError, match="too slowly"):
        quantised.variance(scale=1e-7, quantum=1.0)
    with pytest.raises(TheoryError, match="below 2"):
        quantised.stationary_variance(1.0, learning_rate=2.0, noise_variance=1.0, quantum=0.1)
