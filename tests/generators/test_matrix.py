"""Generators that are matrices: networks go through every solver, held against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.errors import GridError, MethodError
from fpsolver.generators.matrix import matrix_generator


def _random(seed: int, n: int, *, balanced: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rates = rng.exponential(size=(n, n)) * (rng.random((n, n)) < 0.6)
    rates[(np.arange(n) + 1) % n, np.arange(n)] += 0.1  # irreducible: a ring through all states
    if balanced:
        symmetric, weights = rates + rates.T, rng.exponential(size=n) + 0.1
        rates = symmetric / weights
    np.fill_diagonal(rates, 0.0)
    return rates


def _matrix(rates: np.ndarray) -> np.ndarray:
    return rates - np.diag(rates.sum(axis=0))


def _null(matrix: np.ndarray) -> np.ndarray:
    system = np.vstack([matrix, np.ones(len(matrix))])
    return np.linalg.lstsq(system, np.append(np.zeros(len(matrix)), 1.0), rcond=None)[0]


@given(seed=st.integers(0, 10**6), n=st.integers(2, 9))
@settings(max_examples=15, deadline=None)
def test_a_network_evolves_to_its_steady_state(seed: int, n: int) -> None:
    rates = _random(seed, n)
    W = fp.generator(fp.markov_network(rates))
    p0 = np.zeros(n)
    p0[0] = 1.0
    solution = fp.evolve(W, p0, [0.0, 0.3, 2.0], tolerance=1e-10, progress=False)
    for t, density in zip(solution.times, solution.densities, strict=True):
        np.testing.assert_allclose(density, expm(_matrix(rates) * t) @ p0, atol=1e-9)
    np.testing.assert_allclose(fp.stationary(W).values, _null(_matrix(rates)), atol=1e-10)


@pytest.mark.parametrize("method", ["uniformisation", "faber", "taylor", "krylov", "implicit", "squaring"])
def test_every_method_serves_a_network(method: str) -> None:
    rates = _random(3, 40)
    W = fp.generator(fp.markov_network(rates))
    p0 = np.full(40, 1.0 / 40)
    p0[:5] += 0.1
    final = fp.evolve(W, p0, [0.7], method=method, tolerance=1e-9, progress=False).final
    np.testing.assert_allclose(final, expm(0.7 * _matrix(rates)) @ p0, atol=2e-9)


@pytest.mark.parametrize("method", ["chebyshev", "eigen"])
def test_symmetric_methods_serve_detailed_balance(method: str) -> None:
    rates = _random(4, 30, balanced=True)
    weights = _null(_matrix(rates))
    grid = fp.Grid(state=fp.Axis(-0.5, 29.5, 30, boundary="reflecting"))
    W = matrix_generator(grid, None, "test", rates, log_equilibrium=np.log(weights))
    p0 = np.zeros(30)
    p0[4] = 1.0
    final = fp.evolve(W, p0, [0.4], method=method, tolerance=1e-9, progress=False).final
    np.testing.assert_allclose(final, expm(0.4 * _matrix(rates)) @ p0, atol=2e-9)
    found = fp.spectrum(W, 5)
    expected = np.sort(-np.linalg.eigvals(_matrix(rates)).real)[:5]
    np.testing.assert_allclose(found.rates, expected, rtol=1e-9, atol=1e-12)


def test_first_passage_and_committor_solve_the_backward_equation() -> None:
    rates = _random(5, 12)
    W, matrix = fp.generator(fp.markov_network(rates)), _matrix(rates)
    tau = fp.mean_first_passage_time(W, lambda state: state > 9.5)
    inner = matrix[:10, :10]
    np.testing.assert_allclose(tau.values[:10], np.linalg.solve(inner.T, -np.ones(10)), rtol=1e-12)
    assert (tau.values[10:] == 0.0).all()
    assert tau.at([[9.0], [9.4], [9.6]]).tolist() == pytest.approx([tau[9], tau[9], 0.0])
    q = fp.committor(W, lambda state: state < 0.5, lambda state: state > 10.5)
    middle = slice(1, 11)
    np.testing.assert_allclose(
        q.values[middle], np.linalg.solve(matrix[middle, middle].T, -matrix[11, middle]), rtol=1e-12
    )
    moments = fp.first_passage_moments(W, lambda state: state > 9.5, order=2)
    np.testing.assert_allclose(moments[1].values[:10], np.linalg.solve(inner.T, -2.0 * tau.values[:10]), rtol=1e-12)
    left = fp.survival(W, np.eye(12)[0], [0.5, 2.0], lambda state: state > 9.5)
    np.testing.assert_allclose(left, [expm(inner * t)[:, 0].sum() for t in (0.5, 2.0)], atol=1e-8)


def test_quasi_stationary_state_of_a_leaking_network() -> None:
    rates = _random(6, 8)
    W = fp.generator(fp.markov_network(rates))
    state = fp.quasi_stationary(W, lambda state: state > 6.5)
    slowest = np.sort(-np.linalg.eigvals(_matrix(rates)[:7, :7]).real)[0]
    assert state.rate == pytest.approx(slowest, rel=1e-9)


def test_spectrum_of_the_ehrenfest_urn() -> None:
    """Rates (N − n)/N up and n/N down have the eigenvalues −2j/N (M. Kac, Am. Math. Mon. 54, 369 (1947))."""
    n = 20
    up = np.diag((n - np.arange(n)) / n, -1)
    down = np.diag(np.arange(1, n + 1) / n, 1)
    W = fp.generator(fp.markov_network(sparse.csr_array(up + down)))
    np.testing.assert_allclose(fp.spectrum(W, 6).rates, 2.0 * np.arange(6) / n, atol=1e-13)
    binomial = np.cumprod([1.0, *((n - k) / (k + 1) for k in range(n))]) / 2.0**n
    np.testing.assert_allclose(fp.stationary(W).values, binomial, rtol=1e-13)


def test_small_probabilities_keep_their_digits() -> None:
    """A chain that goes down 10⁴ times as fast as up: its far end has 1e-80 of the mass, to full relative accuracy."""
    n = 21
    rates = np.diag(np.full(n - 1, 1e4), 1) + np.diag(np.ones(n - 1), -1)
    p = fp.stationary(fp.generator(fp.markov_network(rates))).values
    expected = 1e-4 ** np.arange(n)
    np.testing.assert_allclose(p / p[0], expected, rtol=1e-13)


def test_entropy_production_counts_reservoirs_apart() -> None:
    network = fp.markov_network([[[0, 1], [2, 0]], [[0, 3], [0.5, 0]]])
    W = fp.generator(network)
    p = fp.stationary(W)
    rates = fp.thermodynamics.entropy_production(W, p)
    assert rates.total == pytest.approx(network.entropy_production(p.values), rel=1e-13)
    assert rates.total == pytest.approx(rates.system + rates.medium, abs=1e-13)
    ring = fp.markov_network(_random(7, 6))
    W = fp.generator(ring)
    moving = np.full(6, 1.0 / 6)
    rates = fp.thermodynamics.entropy_production(W, moving)
    assert rates.total == pytest.approx(ring.entropy_production(moving), rel=1e-12)


def test_large_networks_stay_sparse() -> None:
    n = 300
    line = sparse.diags_array([np.ones(n - 1), 2.0 * np.ones(n - 1)], offsets=[-1, 1])
    rates = sparse.kronsum(line, line, format="csr")
    W = fp.generator(fp.markov_network(rates))
    assert W.matrix.nnz == rates.nnz + n * n
    p0 = np.zeros(n * n)
    p0[n * n // 2 + n // 2] = 1.0
    later = fp.evolve(W, p0, [1.0], progress=False)
    assert later.final.sum() == pytest.approx(1.0, abs=1e-12)


def test_what_does_not_fit_is_refused() -> None:
    grid = fp.Grid(state=(-0.5, 2.5, 3))
    with pytest.raises(GridError, match="a rate is -1"):
        matrix_generator(grid, None, "test", [[0, -1, 0], [0, 0, 0], [0, 0, 0]])
    with pytest.raises(GridError, match="do not fit the 3 cells"):
        matrix_generator(grid, None, "test", np.ones((2, 2)))
    W = fp.generator(fp.markov_network(_random(8, 4)))
    with pytest.raises(MethodError, match="jumps across any distance"):
        fp.current(W, np.full(4, 0.25))
    with pytest.raises(MethodError, match="jumps across any distance"):
        fp.reactive_flux(W, lambda state: state < 0.5, lambda state: state > 2.5)
