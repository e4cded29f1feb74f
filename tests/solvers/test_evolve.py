"""Evolution: the tolerance is kept by every method, and the invariants of a Markov semigroup hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, DensityError, MethodError, NumericalError
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.solvers.evolve import evolve

# small grids are meant to be coarse here
pytestmark = pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
EPSILON = np.finfo(float).eps
SYMMETRIC = ("chebyshev", "eigen")
ANY = ("uniformisation", "taylor", "krylov", "implicit", "squaring")


def double_well(cells: int, temperature: float, bound: float = 2.5) -> Generator:
    grid = fp.Grid(x=(-bound, bound, cells))
    return fp.generator(fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=temperature), grid)


def plane(cells: int, temperature: float = 0.25, **options) -> Generator:
    grid = fp.Grid(x=(-2, 2, cells), y=(-2, 2, cells))
    landscape = fp.Landscape("x**4/4 - x**2/2 + y**2/2")
    return fp.generator(fp.Langevin(landscape, temperature=temperature, **options), grid)


def washboard(cells: int = 60) -> Generator:
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))
    return fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=0.5, force=("0.7",)), grid)


def reference(generator: Generator, density: np.ndarray, time: float) -> np.ndarray:
    """Scaled Taylor series squared in extended precision, column sums exact: no symmetrisation, no library code.

    SciPy's dense expm fails on some of the random generators below.
    """
    rates = generator.matrix.toarray().astype(np.longdouble)
    np.fill_diagonal(rates, 0.0)
    np.fill_diagonal(rates, -rates.sum(axis=0) - generator.killing.ravel().astype(np.longdouble))
    squarings = int(np.ceil(np.log2(max(-float(np.diag(rates).min()) * time, 1.0)))) + 2
    step = rates * (np.longdouble(time) / 2**squarings)
    result, term = np.eye(len(step), dtype=np.longdouble), np.eye(len(step), dtype=np.longdouble)
    for k in range(1, 22):
        term = step @ term / k
        result += term
    for _ in range(squarings):
        result = result @ result
    return generator.decode((result @ generator.encode(density)).astype(float))


def distance(generator: Generator, first: np.ndarray, second: np.ndarray) -> float:
    return float((np.abs(first - second) * generator.grid.volumes).sum())


class TestTolerance:
    @pytest.mark.parametrize("method", ("auto", *SYMMETRIC, *ANY))
    def test_is_kept_over_seven_decades(self, method):
        generator = double_well(48, 0.25, bound=2.0)
        density = fp.gaussian(generator.grid, [-0.8], [[0.05]])
        times = [0.05, 0.5, 3.0]
        exact = [reference(generator, density, t) for t in times]
        for digits in range(4, 12):
            found = evolve(generator, density, times, method=method, tolerance=10.0**-digits)
            for one, other in zip(found.densities, exact, strict=True):
                assert distance(generator, one, other) < 10.0**-digits
            assert found.stats["estimated_error"] < 10.0**-digits

    @pytest.mark.parametrize("method", ("auto", *ANY))
    def test_is_kept_where_symmetrised_methods_fail(self, method):
        generator = double_well(400, 0.05)
        density = fp.gaussian(generator.grid, [0.0], [[1.0]])
        found = evolve(generator, density, [0.1], method=method)
        dense = expm(0.1 * generator.matrix.toarray())  # Padé and squaring of the unsymmetrised matrix
        assert distance(generator, found.final, generator.decode(dense @ generator.encode(density))) < 1e-8

    @pytest.mark.parametrize("method", SYMMETRIC)
    def test_symmetrised_methods_refuse_there(self, method):
        generator = double_well(400, 0.05)
        density = fp.gaussian(generator.grid, [0.0], [[1.0]])
        with pytest.raises(MethodError, match="amplify rounding"):
            evolve(generator, density, [1.0], method=method)

    @pytest.mark.parametrize("time", [1.0, 30.0, 1e3, 1e6])
    @pytest.mark.parametrize("spread", [1.0, 0.02])
    def test_is_kept_at_long_metastable_times(self, time, spread):
        generator = double_well(100, 0.05)
        density = fp.gaussian(generator.grid, [-0.5], [[spread]])
        exact = reference(generator, density, time)
        assert distance(generator, evolve(generator, density, [time]).final, exact) < 1e-8

    @pytest.mark.parametrize("time", [2.0, 200.0, 5e4])
    def test_is_kept_in_two_dimensions(self, time):
        generator = plane(13, 0.08)
        density = fp.gaussian(generator.grid, [-1.0, 0.5], [[0.04, 0.0], [0.0, 0.04]])
        exact = reference(generator, density, time)
        for method in ("auto", "implicit"):
            assert distance(generator, evolve(generator, density, [time], method=method).final, exact) < 1e-8

    @pytest.mark.parametrize("time", [0.3, 50.0, 1e4])
    @pytest.mark.parametrize("method", ("auto", *ANY))
    def test_is_kept_without_detailed_balance(self, method, time):
        if method in ("taylor", "krylov") and time > 100:
            pytest.skip("explicit methods: cost proportional to time")
        generator = washboard()
        assert not generator.reversible
        density = fp.gaussian(generator.grid, [2.0], [[0.1]])
        found = evolve(generator, density, [time], method=method)
        assert distance(generator, found.final, reference(generator, density, time)) < 1e-8

    @pytest.mark.parametrize("time", [0.5, 40.0, 4e3])
    @pytest.mark.parametrize("method", ("auto", "chebyshev", "eigen", "uniformisation", "implicit", "squaring"))
    def test_is_kept_with_absorbing_walls(self, method, time):
        grid = fp.Grid(x=fp.Axis(-2, 1, 60, boundary=("reflecting", "absorbing")))
        generator = fp.generator(fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25), grid)
        density = fp.gaussian(grid, [-1.0], [[0.05]])
        found = evolve(generator, density, [time], method=method)
        assert distance(generator, found.final, reference(generator, density, time)) < 1e-8
        lost = 1 - float((found.final * grid.volumes).sum())
        assert abs(found.stats["mass_lost"] - lost) < 10 * EPSILON
        assert lost > 1e-5

    def test_is_kept_for_kinetic_dynamics(self):
        grid = fp.Grid(x=(-2.5, 2.5, 24), velocity={"x": (-3, 3, 16)})
        dynamics = fp.UnderdampedLangevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.5, friction=1.0)
        generator = fp.generator(dynamics, grid)
        density = fp.density(grid, lambda x, v: np.exp(-4 * (x + 1) ** 2 - v**2))
        matrix = generator.matrix.toarray()
        for time in (0.2, 20.0):
            exact = generator.decode(expm(time * matrix) @ generator.encode(density))
            for method in ("auto", "faber", "taylor", "krylov", "implicit"):
                found = evolve(generator, density, [time], method=method)
                assert distance(generator, found.final, exact) < 1e-8
                assert abs(found.stats["mass_lost"]) < 1e-12

    @pytest.mark.parametrize(("friction", "tilted"), [(0.01, False), (1.0, False), (100.0, False), (1.0, True)])
    def test_is_kept_by_faber_series_at_any_friction(self, friction, tilted):
        """Tilted round a periodic axis there is no Gibbs state, and the matrix is not skew beside its diagonal."""
        expression = "cos(2*pi*x/5) - 0.6*x" if tilted else "x**4/4 - x**2/2"
        axis = fp.Axis(-2.5, 2.5, 20, boundary="periodic") if tilted else fp.Axis(-2.5, 2.5, 20)
        grid = fp.Grid(x=axis, velocity={"x": (-3, 3, 16)})
        dynamics = fp.UnderdampedLangevin(fp.Landscape(expression), temperature=0.5, friction=friction)
        generator = fp.generator(dynamics, grid)
        density = fp.density(grid, lambda x, v: np.exp(-2 * (x + 1) ** 2 - v**2))
        times = [0.3, 2.0, 2.0, 9.0]
        found = evolve(generator, density, times, method="faber")
        assert found.stats["estimated_error"] < 1e-8
        for time, one in zip(times, found.densities, strict=True):
            exact = generator.decode(expm(time * generator.matrix.toarray()) @ generator.encode(density))
            assert distance(generator, one, exact) < 1e-8

    # few functions, far from holding this density, keep the dense reference small
    @pytest.mark.filterwarnings("ignore::fpsolver.errors.AccuracyWarning")
    def test_faber_series_serve_two_position_dimensions(self):
        """The matrix has more diagonals than a lattice takes, so that the sparse product is used."""
        from fpsolver.solvers.exponential.system import System

        grid = fp.Grid(x=(-2, 2, 6), y=(-2, 2, 6), velocity={"x": (-4, 4, 5), "y": (-4, 4, 5)})
        dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2 + y**2"), temperature=0.5, friction=1.0)
        generator = fp.generator(dynamics, grid)
        assert System(generator).banded is None
        density = fp.density(grid, lambda x, y, v, w: np.exp(-(x**2) - y**2 - v**2 - w**2 + 0.3 * x * v))
        found = evolve(generator, density, [1.5])
        exact = generator.decode(expm(1.5 * generator.matrix.toarray()) @ generator.encode(density))
        assert found.stats["method"] == "faber"
        assert distance(generator, found.final, exact) < 1e-8

    @pytest.mark.parametrize("force", [None, ("-y", "x", "0")])
    def test_is_kept_by_multigrid_in_three_dimensions(self, monkeypatch, force):
        from fpsolver.solvers.exponential import implicit as implicit_module

        grid = fp.Grid(x=(-2, 2, 7), y=(-2, 2, 7), z=(-2, 2, 7))
        landscape = fp.Landscape("x**4/4 - x**2/2 + y**2/2 + z**2/2")
        generator = fp.generator(fp.Langevin(landscape, temperature=0.5, force=force), grid)
        density = fp.gaussian(grid, [-1.0, 0.5, 0.0], 0.3 * np.eye(3))
        exact = reference(generator, density, 3.0)
        monkeypatch.setattr(implicit_module, "MULTIGRID_CELLS", 100)
        found = evolve(generator, density, [3.0], method="implicit")
        assert distance(generator, found.final, exact) < 1e-8


class TestInvariants:
    def test_boltzmann_density_stays(self):
        generator = plane(40)
        density = fp.boltzmann(generator.dynamics.landscape, generator.grid, 0.25)
        for method in ("auto", "uniformisation"):
            found = evolve(generator, density, [1.0, 100.0], method=method)
            # rounding of some thousand products
            assert distance(generator, found.final, density) < 1e-12

    @pytest.mark.parametrize("mass", [1e-3, 1.0, 7.0])
    def test_mass_is_kept_to_rounding(self, mass):
        generator = plane(24)
        density = mass * fp.gaussian(generator.grid, [0.5, 0.5], [[0.1, 0.0], [0.0, 0.1]])
        found = evolve(generator, density, [0.0, 0.5, 5.0, 500.0])
        masses = (found.densities * generator.grid.volumes).sum(axis=(1, 2))
        # a sum of 576 terms
        assert np.abs(masses / mass - 1).max() < 24 * EPSILON

    def test_semigroup(self):
        generator = double_well(80, 0.1)
        density = fp.gaussian(generator.grid, [0.5], [[0.1]])
        whole = evolve(generator, density, [3.0], tolerance=1e-11).final
        half = evolve(generator, density, [1.3], tolerance=1e-11).final
        assert distance(generator, evolve(generator, half, [1.7], tolerance=1e-11).final, whole) < 3e-11

    def test_start_shifts_time(self):
        generator = double_well(40, 0.25)
        density = fp.gaussian(generator.grid, [0.5], [[0.1]])
        first = evolve(generator, density, [0.0, 2.0])
        second = evolve(generator, density, [3.0, 5.0], start=3.0)
        assert np.array_equal(first.densities, second.densities)
        assert np.array_equal(first.densities[0], density)

    @pytest.mark.parametrize("time", [1e4, 1e5, 1e6])
    def test_several_slow_modes_are_told_apart(self, time):
        """Three wells exchange at two rates of the same order, so that what is slow is not one eigenvector."""
        grid = fp.Grid(x=(-2.2, 2.2, 16), y=(-1, 1, 6))
        landscape = fp.Landscape("x**2*(x**2 - 2)**2/4 + 0.03*x + 2*y**2")
        generator = fp.generator(fp.Langevin(landscape, temperature=0.03), grid)
        density = fp.gaussian(grid, [-1.4, 0.1], [[0.01, 0.0], [0.0, 0.01]])
        found = evolve(generator, density, [time])
        assert distance(generator, found.final, reference(generator, density, time)) < 1e-8

    def test_memory_stays_below_forty_doubles_a_cell(self):
        import tracemalloc

        generator = plane(150)
        density = fp.gaussian(generator.grid, [0.5, 0.5], [[0.1, 0.0], [0.0, 0.1]])
        evolve(generator, density, [0.01])  # compiles and fills what is cached
        tracemalloc.start()
        evolve(generator, density, [1.0])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40 * 8 * generator.n_state

    def test_many_times_are_one_pass(self):
        generator = plane(64)
        density = fp.gaussian(generator.grid, [0.5, 0.5], [[0.1, 0.0], [0.0, 0.1]])
        one = evolve(generator, density, [1.0])
        many = evolve(generator, density, np.linspace(0.2, 1.0, 8))
        assert many.stats["applications"] <= 1.05 * one.stats["applications"]
        assert distance(generator, many.final, one.final) < 2e-8

    def test_cost_grows_as_the_root_of_time_and_is_bounded(self):
        generator = plane(64)
        density = fp.gaussian(generator.grid, [-1.0, 0.5], [[0.05, 0.0], [0.0, 0.05]])
        cost = [evolve(generator, density, [t]).stats["applications"] for t in (1.0, 4.0, 16.0, 1e3, 1e6)]
        assert cost[1] < 2.2 * cost[0]
        assert cost[2] < 2.2 * cost[1]
        assert cost[3] < 10 * cost[0]
        assert cost[4] < 10 * cost[0]

    @pytest.mark.parametrize("method", ["auto", "uniformisation", "squaring"])
    def test_positive_is_positive(self, method):
        generator = double_well(60, 0.05)
        density = np.zeros(60)
        density[10] = 1.0
        found = evolve(generator, density, [0.01, 1.0, 50.0], method=method, positive=True)
        assert found.densities.min() >= 0
        assert found.stats["positive"]

    def test_values_are_never_negative_for_markov_generators(self):
        generator = double_well(60, 0.25)
        density = np.zeros(60)
        density[10] = 1.0
        assert evolve(generator, density, [0.001, 0.1]).densities.min() >= 0

    def test_ornstein_uhlenbeck_propagator_at_second_order(self):
        errors = []
        for cells in (40, 80, 160):
            grid = fp.Grid(x=(-6, 6, cells))
            generator = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), grid)
            found = evolve(generator, fp.gaussian(grid, [1.0], [[0.25]]), [0.7]).final
            decay = np.exp(-0.7)
            exact = fp.gaussian(grid, [decay], [[1 + (0.25 - 1) * decay**2]])
            errors.append(distance(generator, found, exact))
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert np.abs(orders - 2).max() < 0.15

    @settings(max_examples=25, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        shape=st.sampled_from([(7,), (12,), (3, 4), (2, 3, 3)]),
        time=st.floats(1e-3, 1e2),
        killing=st.booleans(),
        method=st.sampled_from(["auto", "uniformisation", "implicit", "squaring", "krylov"]),
    )
    def test_random_markov_generators(self, seed, shape, time, killing, method):
        rng = np.random.default_rng(seed)
        axes = {f"x{k}": fp.Axis(0, 1, n) for k, n in enumerate(shape)}
        edges = []
        for axis, n in enumerate(shape):
            exists = np.ones(shape)
            exists[tuple(n - 1 if k == axis else slice(None) for k in range(len(shape)))] = 0
            offset = tuple(int(k == axis) for k in range(len(shape)))
            forward, backward = (10.0 ** rng.uniform(-3, 2, shape) * exists for _ in range(2))
            edges.append(Edge(offset, forward, backward))
        walls = rng.random(shape) if killing else np.zeros(shape)
        generator = Generator(fp.Grid(**axes), None, "random", tuple(edges), walls)
        density = fp.density(generator.grid, rng.random(shape))
        exact = reference(generator, density, time)
        assert distance(generator, evolve(generator, density, [time], method=method).final, exact) < 1e-8


class TestDriven:
    @staticmethod
    def trap(cells: int = 60, **protocol):
        landscape = fp.Landscape("k*(x - c)**2/2", variables=("x",), parameters={"k": 1.0, "c": 0.0})
        grid = fp.Grid(x=(-5, 6, cells))
        return fp.generator(fp.Langevin(landscape, temperature=0.3, protocol=protocol), grid)

    @staticmethod
    def dense_reference(driven, density, marks, steps):
        """Fourth-order commutator-free Magnus steps by dense exponentials, between marks."""
        state, root = driven.at(0.0).encode(density), np.sqrt(3) / 6
        for begin, end in pairwise(marks):
            h = (end - begin) / steps
            for k in range(steps):
                early, late = (driven.at(begin + (k + 0.5 + s) * h).matrix.toarray() for s in (-root, root))
                small, large = 0.25 - root, 0.25 + root
                state = expm(h * (large * early + small * late)) @ state
                state = expm(h * (small * early + large * late)) @ state
        return driven.at(0.0).decode(state)

    @pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
    def test_tolerance_is_kept_on_the_grid(self, tolerance):
        driven = self.trap(k=fp.Protocol("1 + t"), c=fp.Protocol("t"))
        density = fp.gaussian(driven.grid, [0.0], [[0.3]])
        found = evolve(driven, density, [0.5, 1.0], tolerance=tolerance)
        # the reference changes by 1e-10 when its steps are halved
        exact = self.dense_reference(driven, density, [0.0, 1.0], 120)
        assert distance(driven, found.final, exact) < tolerance
        assert abs(found.stats["mass_lost"]) < 1e-14

    def test_dragged_and_stiffening_trap_at_second_order_in_the_grid(self):
        """Mean and variance of the exact Gaussian: m' = −k(m − c), s' = −2ks + 2T."""
        from scipy.integrate import solve_ivp

        moments = solve_ivp(
            lambda t, y: [-(1 + t) * (y[0] - t), -2 * (1 + t) * y[1] + 0.6], (0, 1), [0.0, 0.2], rtol=1e-11, atol=1e-12
        ).y[:, -1]
        errors = []
        for cells in (44, 88):
            driven = self.trap(cells, k=fp.Protocol("1 + t"), c=fp.Protocol("t"))
            found = evolve(driven, fp.gaussian(driven.grid, [0.0], [[0.2]]), [1.0], tolerance=1e-6).final
            errors.append(distance(driven, found, fp.gaussian(driven.grid, [moments[0]], [[moments[1]]])))
        assert abs(np.log2(errors[0] / errors[1]) - 2) < 0.2

    def test_jump_at_a_breakpoint_is_exact(self):
        driven = self.trap(c=fp.Protocol.step(0.0, 1.0, time=0.4))
        density = fp.gaussian(driven.grid, [0.0], [[0.3]])
        found = evolve(driven, density, [1.0])
        middle = evolve(driven.at(0.1), density, [0.4]).final
        exact = evolve(driven.at(0.7), middle, [0.6]).final
        assert distance(driven, found.final, exact) < 2e-8

    def test_order_of_extrapolated_midpoint_is_ten(self):
        from fpsolver.solvers.exponential.driven import _cross, _Tally

        driven = self.trap(24, k=fp.Protocol("1 + sin(2*t)/2"), c=fp.Protocol("t"))
        density = driven.at(0.0).encode(fp.gaussian(driven.grid, [0.0], [[0.3]]))
        # the reference changes by 6e-13 when its steps are halved, the errors measured are above 1e-9
        exact = driven.at(0.0).encode(self.dense_reference(driven, driven.at(0.0).decode(density), [0.0, 2.4], 600))
        errors = []
        for spans in (2, 4):
            state, h = density, 2.4 / spans
            for k in range(spans):
                state, _ = _cross(driven, state, k * h, h, 1e-10, _Tally(), method="uniformisation", positive=False)
            errors.append(np.abs(state - exact).sum())
        # measured between spans that still see higher orders
        assert np.log2(errors[0] / errors[1]) > 9

    # few functions, far from holding this density, keep the dense reference small
    @pytest.mark.filterwarnings("ignore::fpsolver.errors.AccuracyWarning")
    def test_tolerance_is_kept_for_driven_kinetic_dynamics(self):
        """States are scaled by the first Gibbs density, so that later matrices are not skew beside their diagonal."""
        grid = fp.Grid(x=(-3, 3, 16), velocity={"x": (-4, 4, 12)})
        landscape = fp.Landscape("k*(x - c)**2/2", variables=("x",), parameters={"k": 1.0, "c": 0.0})
        protocol = {"k": fp.Protocol("1 + t/2"), "c": fp.Protocol("t/2")}
        driven = fp.generator(fp.UnderdampedLangevin(landscape, temperature=0.3, friction=1.0, protocol=protocol), grid)
        density = fp.density(grid, lambda x, v: np.exp(-2 * x**2 - 1.5 * v**2))
        found = evolve(driven, density, [1.0])
        exact = self.dense_reference(driven, density, [0.0, 1.0], 80)  # changes by less than 1e-9 at 160
        assert "faber" in found.stats["method"]
        assert distance(driven.at(0.0), found.final, exact) < 1e-8

    def test_positive_under_a_protocol(self):
        driven = self.trap(30, c=fp.Protocol("t"))
        density = fp.gaussian(driven.grid, [0.0], [[0.3]])
        found = evolve(driven, density, [0.5], tolerance=1e-3, positive=True)
        assert found.densities.min() >= 0
        assert distance(driven, found.final, self.dense_reference(driven, density, [0.0, 0.5], 40)) < 1e-3


@pytest.fixture(scope="module")
def problem():
    generator = double_well(20, 0.25)
    return generator, fp.gaussian(generator.grid, [0.0], [[0.2]])


class TestInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"times": [1.0, 0.5]}, "0.5"),
            ({"times": [-1.0, 0.5]}, "-1"),
            ({"times": []}, "at least one"),
            ({"times": [1.0, np.nan]}, "nan"),
            ({"times": [1.0, np.inf]}, "stationary"),
            ({"times": "soon"}, "soon"),
            ({"times": [1.0], "start": 2.0}, "start = 2"),
            ({"times": [1.0], "method": "chebishev"}, 'did you mean "chebyshev"'),
            ({"times": [1.0], "tolerance": 0.0}, "tolerance = 0.0"),
            ({"times": [1.0], "tolerance": -1e-8}, "1e-08"),
            ({"times": [1.0], "tolerance": "fine"}, "fine"),
            ({"times": [1.0], "method": "chebyshev", "positive": True}, "positivity"),
        ],
    )
    def test_refused_with_the_value(self, problem, options, message):
        with pytest.raises(MethodError, match=message):
            evolve(*problem, **options)

    def test_detailed_balance_is_needed_by_symmetrised_methods(self):
        generator = washboard(20)
        with pytest.raises(MethodError, match="detailed balance"):
            evolve(generator, np.ones(20), [1.0], method="chebyshev")

    def test_bad_densities(self, problem):
        generator, density = problem
        for bad, message in (
            (np.zeros(20), "no mass"),
            (density[:-1], "shape"),
            (np.where(density > 1, np.nan, density) * np.nan, "finite"),
            (density - 0.5, "negative"),
        ):
            with pytest.raises(DensityError, match=message):
                evolve(generator, bad, [1.0])

    def test_values_that_are_not_finite_end_the_run(self, problem):
        from fpsolver.solvers.exponential.report import Recorder
        from fpsolver.solvers.exponential.system import Outcome

        recorder = Recorder(*problem, np.array([1.0]), 1e-8)
        with pytest.raises(NumericalError, match="20 of 20 values are not finite at t = 1"):
            recorder.take([Outcome(np.full((1, 20), np.nan), 1, 0.0, "chebyshev")])

    def test_a_missed_tolerance_is_said(self, problem):
        generator, density = problem
        with pytest.warns(AccuracyWarning, match="above the tolerance"):
            evolve(generator, density, [1e6], method="squaring", tolerance=1e-13)

    def test_callback_sees_every_time_in_order(self, problem):
        seen = []
        found = evolve(*problem, [0.0, 0.5, 0.5, 2.0, 100.0], callback=lambda t, p: seen.append((t, p)))
        assert [t for t, _ in seen] == list(found.times)
        assert all(np.array_equal(p, q) for (_, p), q in zip(seen, found.densities, strict=True))

    def test_nothing_is_printed_off_a_terminal(self, problem, capsys):
        evolve(*problem, [1.0])
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""
