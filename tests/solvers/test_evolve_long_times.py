"""Evolution to times at which rounding of the fastest rate exceeds the slowest rate: the tolerance holds there too."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, ConvergenceError
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.solvers.evolve import evolve

pytestmark = pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
WELLS = "x**4/4 - x**2/2"
TOLERANCE = 1e-8  # the default of evolve, and what it promises


def chain(landscape, temperature, cells, lower, upper, boundary="reflecting"):
    grid = fp.Grid(x=fp.Axis(lower, upper, cells, boundary=boundary))
    return fp.generator(fp.Langevin(fp.Landscape(landscape), temperature=temperature), grid)


def plane(temperature, cells=(60, 48), force=None):
    grid = fp.Grid(x=(-2, 2, cells[0]), y=(-2, 2, cells[1]))
    landscape = fp.Landscape(f"{WELLS} + y**2/2")
    return fp.generator(fp.Langevin(landscape, temperature=temperature, force=force), grid)


def reference(generator, density, time):
    """Squares of a non-negative matrix in extended precision, diagonals from the rest of their columns.

    Absorbed probability is one more state. No symmetrisation, no subtraction, no code of the library.
    """
    rates = generator.matrix.toarray().astype(np.longdouble)
    np.fill_diagonal(rates, 0.0)
    n = len(rates)
    kernel = np.zeros((n + 1, n + 1), np.longdouble)
    kernel[:n, :n], kernel[n, :n] = rates, generator.killing.ravel()
    fastest = kernel.sum(axis=0).max()
    squarings = max(0, int(np.ceil(float(np.log2(fastest * time))))) + 4
    step = np.longdouble(time) / np.longdouble(2) ** squarings
    kernel[np.diag_indices(n + 1)] = fastest - kernel.sum(axis=0)
    result, term = np.eye(n + 1, dtype=np.longdouble), np.eye(n + 1, dtype=np.longdouble)
    for k in range(1, 20):
        term = (step * kernel) @ term / k
        result += term
    result *= np.exp(-fastest * step)
    for squaring in range(squarings + 1):
        if squaring:
            result = result @ result
        own = np.diag(result).copy()
        np.fill_diagonal(result, 0.0)
        leaving = result.sum(axis=0)
        np.fill_diagonal(result, np.where(leaving < 0.5, 1 - leaving, own))
        result /= result.sum(axis=0)
    start = np.append(generator.encode(density).astype(np.longdouble), 0.0)
    return generator.decode((result @ start)[:n].astype(float))


def spike(generator, cell):
    density = np.zeros(generator.grid.shape)
    density[cell] = 1 / generator.grid.volumes[cell]
    return density


def distance(generator, first, second):
    return float((np.abs(first - second) * generator.grid.volumes).sum())


def normal(mean, variance):
    return lambda generator: fp.gaussian(generator.grid, [mean], [[variance]])


CASES = {
    "double well": (chain(WELLS, 0.005, 64, -2.2, 2.2), normal(-1.0, 0.0025), 1e6),
    "broad start": (chain(WELLS, 0.01, 60, -2.2, 2.1), normal(0.0, 1.0), 1e6),
    "start at the wall": (chain(WELLS, 0.002, 60, -2.2, 2.1), lambda generator: spike(generator, 1), 1e12),
    "triple well": (chain("1 - cos(2*x) + 0.01*x", 0.08, 60, -4.7, 4.7), normal(0.0, 0.05), 3e9),
    "equal wells": (chain("1 - cos(2*x)", 0.05, 60, -4.7, 4.7), normal(0.0, 0.05), 1e16),
    "ring": (chain("cos(2*x)", 0.05, 48, 0, 2 * np.pi, "periodic"), lambda generator: spike(generator, 3), 1e12),
    "absorbing": (chain(WELLS, 0.01, 60, -2.0, 0.5, ("reflecting", "absorbing")), normal(-1.0, 0.005), 3e11),
}


class TestOneDimension:
    @pytest.mark.parametrize("name", CASES)
    def test_default_keeps_the_tolerance_behind_barriers(self, name):
        generator, start, time = CASES[name]
        density = start(generator)
        exact = reference(generator, density, time)
        found = evolve(generator, density, [time])
        assert distance(generator, found.final, exact) < TOLERANCE
        assert found.stats["estimated_error"] < TOLERANCE

    @pytest.mark.parametrize("name", CASES)
    def test_rational_krylov_keeps_it_too(self, name):
        generator, start, time = CASES[name]
        density = start(generator)
        found = evolve(generator, density, [time], method="implicit")
        assert distance(generator, found.final, reference(generator, density, time)) < TOLERANCE

    @pytest.mark.parametrize("time", [1.0, 1e6, 1e14])
    @pytest.mark.parametrize("temperature", [0.1, 0.02, 0.005])
    def test_diagonalisation_says_what_it_has_lost(self, temperature, time):
        """A well in equilibrium with itself alone, which the eigenvectors cannot tell from both at low temperature."""
        generator = chain(WELLS, temperature, 50, -2.0, 2.0)
        density = fp.boltzmann(fp.Landscape(WELLS), generator.grid, temperature)
        density[25:] = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = evolve(generator, density, [time], method="eigen")
        error = distance(generator, found.final, reference(generator, density, time))
        assert error < found.stats["estimated_error"] + 1e-13
        if temperature == 0.1:
            assert found.stats["estimated_error"] < TOLERANCE

    @pytest.mark.parametrize("cells", [400, 2500])
    def test_escape_follows_the_exact_mean_first_passage_time(self, cells):
        """Until time ≪ τ the mass beyond the barrier is time/(2τ), τ the mean time to the top, by elimination.

        Corrections: one relaxation time over `time`, time/τ, and e^{−barrier}, all below 1e-3.
        """
        temperature, time = 0.016, 1e5
        generator = chain(WELLS, temperature, cells, -2.0, 2.0)
        density = fp.gaussian(generator.grid, [-1.0], [[temperature / 2]])
        density[cells // 2 :] = 0.0
        tau = fp.mean_first_passage_time(generator, lambda x: x > 0).at([-1.0])
        found = evolve(generator, density, [time])
        mass = float((found.final * generator.grid.volumes)[cells // 2 :].sum())
        beyond = mass / float((density * generator.grid.volumes).sum())
        assert abs(beyond * 2 * float(np.squeeze(tau)) / time - 1) < 5e-3

    @pytest.mark.parametrize("product", [1e-3, 1.0, 30.0])
    def test_two_states_with_a_slow_rate_beside_a_fast_one(self, product):
        """Two pairs of states, fast inside and slow between: the exact exponential of the slow pair."""
        fast, slow = 1e3, 1e-14
        grid = fp.Grid(x=fp.Axis(0, 4, 4))
        rates = np.array([fast, slow, fast, 0.0])
        generator = Generator(grid, None, "pairs", (Edge((1,), rates, rates),), np.zeros(4), np.zeros(4))
        found = evolve(generator, np.array([1.0, 0.0, 0.0, 0.0]), [product / slow])
        # half of each pair sits at its inner state, so that pairs exchange at rate slow/2 each way; relative
        # corrections are slow/fast
        right = 0.5 * -np.expm1(-product)
        assert abs(found.final[2:].sum() - right) < 1e-12


class TestTwoDimensions:
    @pytest.mark.parametrize(("temperature", "tolerance"), [(0.01, 1e-8), (0.25, 1e-11), (0.03, 1e-11)])
    @pytest.mark.parametrize("method", ["auto", "implicit"])
    def test_tolerance_is_kept_at_very_long_times(self, temperature, tolerance, method):
        """The landscape is a sum, so that the exact result is a product of two chains."""
        generator = plane(temperature)
        chains = (chain(WELLS, temperature, 60, -2, 2), chain("x**2/2", temperature, 48, -2, 2))
        starts = (normal(-1.0, temperature / 2)(chains[0]), normal(0.5, 0.02)(chains[1]))
        times = [1e9, 1e12]
        found = evolve(generator, np.multiply.outer(*starts), times, tolerance=tolerance, method=method)
        for time, one in zip(times, found.densities, strict=True):
            exact = np.multiply.outer(*(reference(*pair, time) for pair in zip(chains, starts, strict=True)))
            assert distance(generator, one, exact) < tolerance
        assert found.stats["estimated_error"] < tolerance

    @pytest.mark.parametrize("temperature", [0.25, 0.03])
    @pytest.mark.parametrize("positive", [False, True])
    def test_driven_rings_come_to_rest(self, temperature, positive):
        if positive and temperature < 0.1:
            pytest.skip("the wells do not exchange within any number of products; see the next test")
        generator = plane(temperature, force=("-y", "x"))
        density = fp.gaussian(generator.grid, [-1.0, 0.5], 0.02 * np.eye(2))
        found = evolve(generator, density, [1e9, 1e12], positive=positive)
        rest = fp.stationary(generator)
        assert found.stats["estimated_error"] < TOLERANCE
        assert distance(generator, found.final, np.asarray(rest)) < TOLERANCE

    def test_uniformisation_ends_with_a_remedy(self, monkeypatch):
        from fpsolver.solvers.exponential import uniformisation

        monkeypatch.setattr(uniformisation, "MOST_UPDATES", 1e8)
        generator = plane(0.01, force=("-y/9", "x/9"))
        density = fp.gaussian(generator.grid, [-1.0, 0.5], 0.02 * np.eye(2))
        with pytest.raises(ConvergenceError, match="without positive=True"):
            evolve(generator, density, [1e9], positive=True)

    def test_a_factorisation_that_loses_slow_rates_says_so(self, monkeypatch):
        """Where elimination is too costly, the error estimate has to tell."""
        from fpsolver.solvers.exponential import implicit

        monkeypatch.setattr(implicit, "QUICK", 0.0)
        monkeypatch.setattr(implicit, "LONGEST", 0.0)
        generator = plane(0.01)
        chains = (chain(WELLS, 0.01, 60, -2, 2), chain("x**2/2", 0.01, 48, -2, 2))
        starts = (normal(-1.0, 0.005)(chains[0]), normal(0.5, 0.02)(chains[1]))
        with pytest.warns(AccuracyWarning, match="above the tolerance"):
            found = evolve(generator, np.multiply.outer(*starts), [1e9], method="implicit")
        exact = np.multiply.outer(*(reference(*pair, 1e9) for pair in zip(chains, starts, strict=True)))
        assert distance(generator, found.final, exact) < found.stats["estimated_error"]

    def test_a_deep_metastable_start_is_not_uniformised_without_end(self):
        """Thirty temperatures above equilibrium: the symmetric form has no digits there, however long one waits."""
        grid = fp.Grid(x=(-2, 2, 56), y=(-2, 2, 40))
        landscape = fp.Landscape(f"{WELLS} + 0.15*x + y**2/2")
        generator = fp.generator(fp.Langevin(landscape, temperature=0.01), grid)
        density = fp.gaussian(grid, [0.9, 0.0], [[0.005, 0.0], [0.0, 0.01]])
        chains = (chain(f"{WELLS} + 0.15*x", 0.01, 56, -2, 2), chain("x**2/2", 0.01, 40, -2, 2))
        starts = (normal(0.9, 0.005)(chains[0]), normal(0.0, 0.01)(chains[1]))
        found = evolve(generator, density, [1e6])
        exact = np.multiply.outer(*(reference(*pair, 1e6) for pair in zip(chains, starts, strict=True)))
        assert distance(generator, found.final, exact) < TOLERANCE
        assert found.stats["estimated_error"] < TOLERANCE
