"""Mean-square thresholds against the full second-moment operator, batch by batch, and against each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fpsolver.errors import TheoryError
from fpsolver.theory import mean_square_threshold as threshold


def growth(eta: float, rows: np.ndarray, size: int, replacement: bool, mu: float) -> float:
    """Return the spectral radius of ⟨T ⊗ T⟩ over every batch, T the step of (θ, θ_)."""
    d = rows.shape[1]
    one, numbers = np.eye(d), range(len(rows))
    batches = list(itertools.product(numbers, repeat=size) if replacement else itertools.combinations(numbers, size))
    total = np.zeros((4 * d * d, 4 * d * d))
    for batch in batches:
        h = rows[list(batch)].T @ rows[list(batch)] / size
        step = np.block([[(1 + mu) * one - eta * h, -mu * one], [one, 0 * one]])
        total += np.kron(step, step) / len(batches)
    return float(np.abs(np.linalg.eigvals(total)).max())


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(
    ("examples", "d", "size", "mu"), [(4, 2, 1, 0.0), (4, 2, 2, 0.0), (5, 3, 2, 0.5), (4, 1, 2, 0.9)]
)
def test_data_sets(examples, d, size, mu, replacement):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(examples, d)) * rng.uniform(0.3, 2.0, d)
    eta = float(threshold.data_set(rows, batch_size=size, replacement=replacement, momentum=mu))
    assert growth(eta, rows, size, replacement, mu) == pytest.approx(1.0, abs=1e-12)
    assert growth(0.99 * eta, rows, size, replacement, mu) < 1.0 < growth(1.01 * eta, rows, size, replacement, mu)
    if d == 1:
        noise = threshold.batch_curvature_noise(rows, batch_size=size, replacement=replacement)
        form = threshold.heavy_ball(float(np.mean(rows**2)), curvature_noise=float(noise), momentum=mu)
        assert float(form) == pytest.approx(eta, rel=1e-12)


def test_directions_without_inputs_do_not_count():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(5, 2))
    turned = np.hstack([rows, np.zeros((5, 2))]) @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert float(threshold.data_set(turned)) == pytest.approx(float(threshold.data_set(rows)), rel=1e-12)


def test_whole_batch_is_gradient_descent():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(6, 3))
    largest = np.linalg.eigvalsh(rows.T @ rows / 6)[-1]
    for mu in (0.0, 0.8):
        eta = threshold.data_set(rows, batch_size=6, replacement=False, momentum=mu)
        assert float(eta) == pytest.approx(2 * (1 + mu) / largest, rel=1e-12)


@pytest.mark.parametrize("replacement", [True, False])
def test_orthogonal_data(replacement):
    rng = np.random.default_rng(4)
    for count, size in ((2, 1), (5, 3), (8, 8)):
        rows = np.sqrt(count) * np.linalg.qr(rng.normal(size=(count + 2, count)))[0].T
        form = threshold.orthogonal_data(count, curvature=1.0, batch_size=size, replacement=replacement)
        found = threshold.data_set(rows, batch_size=size, replacement=replacement)
        assert float(form) == pytest.approx(float(found), rel=1e-12)


@pytest.mark.parametrize("mu", [0.0, 0.6])
@pytest.mark.parametrize("size", [1, 7])
def test_gaussian_inputs_solve_their_equation(mu, size):
    """F(η) = 1 with all denominators positive, on random spectra."""
    rng = np.random.default_rng(5)
    a = rng.uniform(0.01, 3.0, 12)
    eta = float(threshold.gaussian_inputs(a, batch_size=size, momentum=mu))
    denominators = 2 * (1 - mu**2) - eta * a * (1 - mu + (1 + mu) / size)
    assert denominators.min() > 0.0
    assert eta / size * (1 + mu) * (a / denominators).sum() == pytest.approx(1.0, rel=1e-11)


def test_gaussian_inputs_are_a_large_data_set():
    """A tensor Gauss–Hermite rule of 5 points is exact for fourth moments: its nodes are Gaussian inputs, weighted."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    a = np.array([1.0, 0.3])
    eta, size = float(threshold.gaussian_inputs(a, batch_size=3)), 3
    total = np.zeros((4, 4))
    mean = np.kron(np.diag(a), np.diag(a))
    for (x, p), (y, q) in itertools.product(zip(nodes, weights, strict=True), repeat=2):
        point = np.sqrt(a) * (x, y)
        total += p * q / (2 * np.pi) * np.kron(np.outer(point, point), np.outer(point, point))
    one = np.eye(2) - eta * np.diag(a)
    operator = np.kron(one, one) + eta**2 / size * (total - mean)
    assert np.abs(np.linalg.eigvals(operator)).max() == pytest.approx(1.0, abs=1e-13)


def test_closed_forms():
    assert float(threshold.gaussian_inputs(2.0, batch_size=4)) == pytest.approx(2 * 4 / (2.0 * 6), rel=1e-14)
    assert float(threshold.gaussian_inputs([0.5] * 7, batch_size=3)) == pytest.approx(6 / (0.5 * 11), rel=1e-13)
    for mu in (0.0, 0.9):
        form = threshold.heavy_ball(2.0, curvature_noise=2.0 * np.sqrt(2 / 5), momentum=mu)
        assert float(threshold.gaussian_inputs(2.0, batch_size=5, momentum=mu)) == pytest.approx(float(form), rel=1e-13)
    assert float(threshold.gaussian_inputs([1.0, 0.2], batch_size=10**9)) == pytest.approx(2.0, rel=1e-8)
    assert float(threshold.gaussian_inputs_as_written([1.0, 4.0], batch_size=2)) == 0.5


@pytest.mark.parametrize("mu", [0.0, 0.5])
def test_stationary_variance_balances(mu):
    """One more step of the recursion of ⟨θ²⟩ and ⟨θθ_⟩ leaves the stationary values where they are."""
    a, s2, eta, size = 1.3, 0.7, 0.2, 2
    x = float(threshold.stationary_variance(a, label_noise=s2, learning_rate=eta, batch_size=size, momentum=mu))
    c = 1 + mu - eta * a
    y = c * x / (1 + mu)
    again = (c**2 + 2 * eta**2 * a**2 / size) * x - 2 * mu * c * y + mu**2 * x + eta**2 * a * s2 / size
    assert again == pytest.approx(x, rel=1e-12)


def test_what_is_refused():
    with pytest.raises(TheoryError, match="positive"):
        threshold.gaussian_inputs([1.0, 0.0])
    with pytest.raises(TheoryError, match="batch_size"):
        threshold.gaussian_inputs(1.0, batch_size=0)
    with pytest.raises(TheoryError, match="exceeds the 3 examples"):
        threshold.data_set(np.ones((3, 1)), batch_size=4, replacement=False)
    with pytest.raises(TheoryError, match="not all of them zero"):
        threshold.data_set(np.zeros((3, 1)))
    with pytest.raises(TheoryError, match="finite"):
        threshold.batch_curvature_noise([1.0, np.nan], batch_size=1)
    with pytest.raises(TheoryError, match="diverges"):
        threshold.stationary_variance(1.0, label_noise=1.0, learning_rate=0.7)


def test_numbers_are_examples_in_one_dimension():
    inputs = [1.0, 0.5, -2.0]
    noise = float(threshold.batch_curvature_noise(inputs, batch_size=2))
    expected = float(threshold.heavy_ball(np.mean(np.square(inputs)), curvature_noise=noise))
    assert float(threshold.data_set(inputs, batch_size=2)) == pytest.approx(expected, rel=1e-13)
