"""Fields of values: the ellipse holds them, and the Faber polynomials on it are bounded and sum to the exponential."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.solvers.exponential.ellipse import Ellipse, field_of_values, pairs_of_matrix
from fpsolver.solvers.exponential.faber import coefficients
from fpsolver.solvers.exponential.lattice import matrix_lattice

ROUNDING = 1e-11  # of eigenvalues of matrices of norm below 100


def random_matrix(seed: int, n: int, friction: float, symmetric: float, levels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    order = np.sort(rng.integers(0, levels, n))
    coupling = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.4)
    mixing = rng.normal(size=(n, n)) * symmetric
    return np.triu(coupling, 1) - np.triu(coupling, 1).T - friction * np.diag(order) + mixing + mixing.T


def ellipse_of(matrix: np.ndarray) -> Ellipse:
    return field_of_values(np.diag(matrix), pairs_of_matrix(sparse.csr_array(matrix)))


def excess(matrix: np.ndarray, ellipse: Ellipse) -> float:
    """Return how far the field of values reaches beyond the ellipse, over 24 directions."""
    worst = -np.inf
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        turned = np.exp(-1j * angle) * matrix
        reach = np.linalg.eigvalsh(0.5 * (turned + turned.conj().T))[-1]
        support = np.hypot(ellipse.across * np.cos(angle), ellipse.along * np.sin(angle))
        worst = max(worst, reach - ellipse.centre * np.cos(angle) - support)
    return worst


class TestEllipse:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        n=st.integers(1, 12),
        friction=st.sampled_from([0.0, 1e-3, 0.1, 1.0, 30.0]),
        symmetric=st.sampled_from([0.0, 1e-3, 1.0]),
        levels=st.integers(1, 12),
    )
    def test_holds_the_field_of_values(self, seed, n, friction, symmetric, levels):
        matrix = random_matrix(seed, n, friction, symmetric, levels)
        assert excess(matrix, ellipse_of(matrix)) < ROUNDING

    @pytest.mark.parametrize("friction", [0.0, 0.3, 5.0])
    def test_ladder_of_levels_touches_the_imaginary_axis(self, friction):
        ladder = np.diag(np.sqrt(np.arange(1.0, 12)), 1)
        matrix = ladder - ladder.T - friction * np.diag(np.arange(12.0))
        ellipse = ellipse_of(matrix)
        assert excess(matrix, ellipse) < ROUNDING
        assert ellipse.highest == 0.0

    @pytest.mark.parametrize("friction", [0.01, 1.0, 100.0])
    def test_holds_that_of_a_kinetic_generator(self, friction):
        grid = fp.Grid(x=(-2.5, 2.5, 14), velocity={"x": (-4, 4, 10)})
        dynamics = fp.UnderdampedLangevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25, friction=friction)
        generator = fp.generator(dynamics, grid)
        lattice = matrix_lattice(generator.matrix)
        assert lattice is not None
        ellipse = field_of_values(lattice.diagonal, lattice.pairs())
        assert excess(generator.matrix.toarray(), ellipse) < ROUNDING * max(friction, 1.0)
        assert ellipse == ellipse_of(generator.matrix.toarray())


class TestSeries:
    @settings(max_examples=30, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        friction=st.sampled_from([0.0, 0.1, 3.0, 30.0]),
        symmetric=st.sampled_from([0.0, 0.3]),
    )
    def test_polynomials_are_below_two_and_sum_to_the_exponential(self, seed, friction, symmetric):
        matrix = random_matrix(seed, 9, friction, symmetric, 9)
        ellipse = ellipse_of(matrix)
        duration = 2.0 / max(ellipse.highest, 1.0)  # growth stays below e²
        weights = coefficients(ellipse, duration, 1e-12)
        shifted = (matrix - ellipse.centre * np.eye(9)) / ellipse.capacity
        old, new = np.zeros((9, 9)), np.eye(9)
        total = weights[0] * new
        for k, weight in enumerate(weights[1:]):
            pull = ellipse.eccentricity * (0 if k == 0 else 2 if k == 1 else 1)
            old, new = new, shifted @ new - pull * old
            assert np.linalg.norm(new, 2) < 2 + ROUNDING
            total += weight * new
        # the tolerance of the coefficients, and rounding of terms below 2e²
        assert np.linalg.norm(total - expm(duration * matrix), 2) < 1e-12 + 1e-11


class TestMatrixLattice:
    def test_is_the_same_operator(self):
        rng = np.random.default_rng(3)
        n, steps = 60, np.full(1, 1.0)
        diagonals = [rng.normal(size=n - abs(k)) for k in (-9, -8, 0, 8, 9)]
        matrix = sparse.csr_array(sparse.diags_array(diagonals, offsets=[-9, -8, 0, 8, 9]))
        lattice, x = matrix_lattice(matrix), rng.normal(size=n)
        assert lattice is not None
        sums, _ = lattice.polynomial(x, scale=1.0, shift=0.0, gains=steps, pulls=0 * steps, weights=np.eye(2)[1:])
        assert np.abs(sums[0] - matrix @ x).max() < 1e-14 * np.abs(x).max() * 100

    def test_none_for_many_diagonals(self):
        assert matrix_lattice(sparse.csr_array(np.ones((12, 12)))) is None
