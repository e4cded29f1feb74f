"""Solvers on convolutions against the same solvers on matrices, whose methods share nothing with them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.errors import AccuracyWarning
from fpsolver.solvers.convolved_pairs import convolved_pairs

TARGET = fp.where(x=(0.5, None))


def generators(temperature, walls="reflecting", cells=(22, 16)):
    grid = fp.Grid(
        x=fp.Axis(-2.2, 2.2, cells[0], boundary=walls), y=fp.Axis(-2.0, 2.0, cells[1], boundary="reflecting")
    )
    law = fp.JumpProcess(
        fp.Landscape("x**4/4 - x**2/2 + y**2/2"), temperature, fp.GaussianProposal(0.35), attempt_rate="1 + x**2/5"
    )
    return fp.generator(law, grid, "matrix"), fp.generator(law, grid, "convolution")


@pytest.fixture(scope="module", params=[0.3, 0.1])
def both(request):
    return generators(request.param)


def narrow(grid):
    return fp.gaussian(grid, [-1.0, 0.0], 0.02 * np.eye(2))


def distance(grid, p, q):
    return float(np.abs((p - q) * grid.volumes).sum())


@pytest.mark.parametrize(
    ("temperature", "time", "broad", "method"),
    [
        (0.3, 2.0, False, "chebyshev"),
        (0.3, 1e4, False, "chebyshev"),
        (0.1, 2.0, False, "implicit"),
        (0.1, 1e-4, True, "uniformisation"),
        (0.05, 5.0, True, "implicit"),  # rates up to 1e13, from where a broad density begins
        (0.05, 1e4, True, "implicit"),
    ],
)
def test_evolution(temperature, time, broad, method):
    M, C = generators(temperature)
    p0 = fp.gaussian(C.grid, [0.0, 0.0], 0.8 * np.eye(2)) if broad else narrow(C.grid)
    found = fp.evolve(C, p0, [time])
    assert found.stats["method"] == method
    # Squaring of dense non-negative powers shares no code with any of these, and keeps its digits at any rate.
    exact = fp.evolve(M, p0, [time], method="squaring", tolerance=1e-10)
    assert distance(C.grid, found.final, exact.final) <= 1e-8
    assert found.stats["estimated_error"] <= 1e-8


def test_evolution_behind_absorbing_walls():
    M, C = generators(0.3, walls=("reflecting", "absorbing"))
    p0 = narrow(C.grid)
    for method in ("auto", "implicit", "uniformisation"):
        found = fp.evolve(C, p0, [3.0], method=method, tolerance=1e-9)
        exact = (expm(3.0 * M.matrix.toarray()) @ (p0 * C.grid.volumes).ravel()).reshape(C.grid.shape) / C.grid.volumes
        assert distance(C.grid, found.final, exact) <= 1e-9


def test_strict_positivity():
    _, C = generators(0.3)
    found = fp.evolve(C, narrow(C.grid), [0.5], positive=True)
    assert found.stats["method"] == "uniformisation" and found.final.min() > 0.0


def test_stationary_state(both):
    M, C = both
    p = fp.stationary(C)
    assert p.method == "detailed balance" and p.residual < 1e-13
    assert distance(C.grid, p.values, fp.stationary(M).values) == 0.0


def test_spectrum(both):
    M, C = both
    ours, theirs = fp.spectrum(C, 5), fp.spectrum(M, 5)
    # Rates to the stated accuracy; modes to that of the residual asked for, 1e-9 of the mean rate, over the gaps.
    assert ours.rates == pytest.approx(theirs.rates, abs=ours.stats["accuracy"] + theirs.rates[-1] * 1e-12)
    assert ours.residuals.max() < 1e-7
    gram = np.einsum("iab,jab->ij", ours.left_modes, ours.modes * C.grid.volumes)
    assert gram == pytest.approx(np.eye(5), abs=1e-6)


def test_passage_times(both):
    M, C = both
    ours, theirs = fp.mean_first_passage_time(C, TARGET), fp.mean_first_passage_time(M, TARGET)
    outside = theirs.values > 0
    assert ours.values[outside] == pytest.approx(theirs.values[outside], rel=1e-7)
    assert ours.stats["method"].startswith("conjugate gradients")
    assert ours.at([[-1.0, 0.0]]) == pytest.approx(theirs.at([[-1.0, 0.0]]), rel=1e-7)


def test_passage_times_over_a_high_barrier():
    """At ΔL = 12.5 T the balance of absorption sets what rounding would blur; elimination subtracts nothing."""
    M, C = generators(0.02, cells=(40, 8))
    ours, theirs = fp.mean_first_passage_time(C, TARGET), fp.mean_first_passage_time(M, TARGET)
    assert theirs.stats["method"] == "elimination"
    assert ours.at([[-1.0, 0.0]]) == pytest.approx(theirs.at([[-1.0, 0.0]]), rel=1e-7)


def test_what_high_barriers_leave_of_rates_and_times():
    """Over 37 T in short steps a convolution loses the slowest rate in rounding, and says so; elimination does not."""
    law = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2"), 0.0067, fp.UniformProposal(0.3))
    M, C = (fp.generator(law, fp.Grid(x=(-1.6, 1.6, 128)), scheme) for scheme in ("matrix", "convolution"))
    with pytest.warns(AccuracyWarning, match="or ask for mean_first_passage_time"):
        assert abs(convolved_pairs(C, 2, 1e-9).rates[1]) < 1e-10
    slowest = fp.spectrum(C, 2).rates[1]
    assert 0.0 < slowest < 1e-14 and slowest == pytest.approx(fp.spectrum(M, 2).rates[1], rel=1e-8)
    ours, theirs = (fp.mean_first_passage_time(W, fp.where(x=(0.0, None))).at([[-1.0]]) for W in (C, M))
    assert theirs > 1e15 and ours == pytest.approx(theirs, rel=1e-6)


def test_second_moments_and_walls_of_the_grid():
    M, C = generators(0.3, walls="absorbing")
    ours, theirs = fp.first_passage_moments(C, order=2), fp.first_passage_moments(M, order=2)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.values == pytest.approx(other.values, rel=1e-7)


def test_committors(both):
    M, C = both
    a, b = fp.where(x=(None, -0.8)), fp.where(x=(0.8, None))
    assert fp.committor(C, a, b).values == pytest.approx(fp.committor(M, a, b).values, abs=1e-7)


def test_survival():
    M, C = generators(0.3)
    times = [0.5, 2.0, 10.0]
    ours, theirs = (fp.survival(W, narrow(C.grid), times, TARGET) for W in (C, M))
    assert ours.values == pytest.approx(theirs.values, abs=2e-8)


@pytest.mark.slow
def test_a_plane_of_a_quarter_million_cells():
    """The same passage time and slowest rate as on a grid half as fine, to the order of its differences."""
    law = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2 + y**2/2"), 0.1, fp.GaussianProposal(0.1))
    times, rates = [], []
    for cells in (128, 256):
        W = fp.generator(law, fp.Grid(x=(-2.2, 2.2, cells), y=(-2.5, 2.5, cells)))
        times.append(float(fp.mean_first_passage_time(W, fp.where(x=(0.0, None))).at([[-1.0, 0.0]])[0]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rates.append(fp.spectrum(W, 2).rates[1])
    assert rates[0] == pytest.approx(rates[1], rel=1e-9)  # sampled beyond all orders
    assert times[0] == pytest.approx(times[1], rel=2e-4)  # interpolated between centres, of second order


@pytest.mark.parametrize("k", [2, 4, 30])
def test_as_many_rates_as_states_of_a_small_convolution(k):
    law = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2"), 0.1, fp.GaussianProposal(0.3))
    matrix, convolution = (fp.generator(law, fp.Grid(x=(-2, 2, 30)), scheme) for scheme in ("matrix", "convolution"))
    exact = np.sort(np.linalg.eigvals(-matrix.matrix.toarray()).real)[:k]
    # Rounding of the fastest rate.
    assert np.abs(fp.spectrum(convolution, k).rates - exact).max() < 1e-13 * np.abs(matrix.diagonal).max()
