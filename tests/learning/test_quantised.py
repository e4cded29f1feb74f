"""SGD on a lattice: rows against quadrature, variances against Sheppard's corrections, the chain against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

import fpsolver as fp
from fpsolver.errors import InputError
from fpsolver.learning import QuantisedSGD

FLAT = fp.Landscape("0*x")
WELL = fp.Landscape("x**4/4 - x**2/2")


@pytest.mark.parametrize(
    ("deviation", "spacing", "variance"),
    [(1.0, 1.0, 1.0833333223611181), (0.3, 1.0, 0.09558242445506109), (0.5, 0.5, 0.27083333059027953)],
)
def test_variance_of_an_update(deviation: float, spacing: float, variance: float) -> None:
    """Rounding to the nearest adds q²/12 and what was computed independently; stochastic rounding E[f(1−f)]q²."""
    for rounding in ("nearest", "stochastic"):
        chain = QuantisedSGD(FLAT, 1.0, deviation**2, spacing, -12.0, 12.0, rounding)
        column = chain.transition_matrix()[:, len(chain.lattice) // 2]
        assert column @ chain.lattice == pytest.approx(0.0, abs=1e-14)
        found = column @ chain.lattice**2
        if rounding == "nearest":
            assert found == pytest.approx(variance, rel=1e-12)
        else:
            pieces = [
                quad(lambda y, k=k: (y / spacing - k) * (k + 1 - y / spacing) * norm.pdf(y, 0, deviation), *ends)[0]
                for k in range(-12, 12)
                for ends in [(k * spacing, (k + 1) * spacing)]
            ]
            assert found == pytest.approx(deviation**2 + spacing**2 * sum(pieces), rel=1e-9)


@settings(max_examples=15)
@given(st.floats(0.05, 0.5), st.floats(0.02, 4.0), st.sampled_from(["nearest", "stochastic"]))
def test_columns_against_quadrature(eta: float, variance: float, rounding: str) -> None:
    """Each weight is the normal density over its cell, or under its hat; the ends take what lies beyond."""
    chain = QuantisedSGD(WELL, eta, variance, 0.25, -1.5, 1.5, rounding)
    matrix, deviation = chain.transition_matrix(), eta * np.sqrt(variance)
    assert matrix.sum(axis=0) == pytest.approx(1.0, abs=1e-14) and matrix.min() >= 0.0
    column, m = 4, chain.means[4]
    for row in (0, 3, 7, len(matrix) - 1):
        x, q = chain.lattice[row], chain.spacing
        reach = 0.5 * q if rounding == "nearest" else q
        low = m - 9.0 * deviation if row == 0 else x - reach
        high = m + 9.0 * deviation if row == len(matrix) - 1 else x + reach

        def weight(y: float, x: float = x, row: int = row) -> float:
            if rounding == "nearest" or (row == 0 and y < x) or (row == len(matrix) - 1 and y > x):
                return 1.0
            return max(0.0, 1.0 - abs(y - x) / chain.spacing)

        low, high = max(low, m - 9.0 * deviation), min(high, m + 9.0 * deviation)
        if low >= high:
            assert matrix[row, column] < 1e-15
            continue
        inside = [point for point in (x, m) if low < point < high]
        exact = quad(lambda y: weight(y) * norm.pdf(y, m, deviation), low, high, points=inside or None)[0]
        assert matrix[row, column] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("variance", [0.0, 0.3])
def test_chain_and_simulation(rounding: str, variance: float) -> None:
    """Probabilities after five steps against 20 000 runs, all within 4.5 standard errors (200 numbers)."""
    chain = QuantisedSGD(WELL, 0.3, variance, 0.125, -2.0, 2.0, rounding)
    start = np.argmin(np.abs(chain.lattice - 0.5))
    exact = np.linalg.matrix_power(chain.transition_matrix(), 5)[:, start]
    found = chain.run(np.full(20_000, 0.5), 5, seed=1)
    counts = np.bincount(np.round((found - chain.lattice[0]) / 0.125).astype(int), minlength=len(exact))
    errors = np.sqrt(exact * (1.0 - exact) / 20_000)
    assert (np.abs(counts / 20_000 - exact) <= 4.5 * errors + 2.0 / 20_000).all()


def test_solvers_take_the_chain() -> None:
    """Stationary state, evolution in whole steps and mean first passage, against dense linear algebra."""
    chain = QuantisedSGD(WELL, 0.3, 0.3, 0.125, -2.0, 2.0)
    W, matrix, cells = chain.generator(), chain.transition_matrix(), len(chain.lattice)
    p = np.asarray(fp.stationary(W)) * 0.125
    assert matrix @ p == pytest.approx(p, abs=1e-12)
    start = np.zeros(cells)
    start[8] = 8.0
    final = fp.evolve(W, start, times=[0, 7]).final * 0.125
    assert final == pytest.approx(np.linalg.matrix_power(matrix, 7)[:, 8], abs=1e-12)
    inside = chain.lattice < 0.9
    steps = np.linalg.solve(np.eye(inside.sum()) - matrix[np.ix_(inside, inside)].T, np.ones(inside.sum()))
    found = fp.mean_first_passage_time(W, target=fp.where(x=(0.9375, None)))
    assert np.asarray(found)[inside] == pytest.approx(steps, rel=1e-8)


def test_stalling() -> None:
    """Descent to the nearest stops where η|L'| < q/2; stochastic rounding goes on, its mean to the minimum."""
    loss = fp.Landscape("x**2/2")
    nearest = QuantisedSGD(loss, 0.11, 0.0, 0.25, -4.0, 4.0)
    assert nearest.run([3.0], 500).tolist() == [1.0]
    assert np.abs(nearest.stalled).max() <= 0.5 * 0.25 / 0.11 < np.abs(nearest.stalled).max() + 0.25
    matrix = np.linalg.matrix_power(nearest.transition_matrix(), 500)
    assert matrix[nearest.lattice == 1.0, nearest.lattice == 3.0] == 1.0
    other = QuantisedSGD(loss, 0.11, 0.0, 0.25, -4.0, 4.0, "stochastic")
    column = np.linalg.matrix_power(other.transition_matrix(), 500)[:, other.lattice == 3.0][:, 0]
    # Rounding keeps the mean, so that it is (1 − η)^500 × 3.
    assert column @ other.lattice == pytest.approx(3.0 * 0.89**500, abs=1e-12)


def test_refusals() -> None:
    """Two variables, an unknown rounding, an empty range, and negative noise."""
    with pytest.raises(InputError, match="2 variables"):
        QuantisedSGD(fp.Landscape("x**2 + y**2"), 0.1, 1.0, 0.1, -1, 1)
    with pytest.raises(InputError, match="stochastic"):
        QuantisedSGD(WELL, 0.1, 1.0, 0.1, -1, 1, "stochastically")
    with pytest.raises(InputError, match="fewer than two"):
        QuantisedSGD(WELL, 0.1, 1.0, 3.0, -1, 1)
    for spacing, upper in ((1e-9, 1.0), (0.1, np.inf), (0.1, np.nan)):
        with pytest.raises(InputError, match="spacing wider"):
            QuantisedSGD(WELL, 0.1, 1.0, spacing, -1, upper)
    with pytest.raises(InputError, match="variance"):
        QuantisedSGD(WELL, 0.1, -1.0, 0.1, -1, 1)
