"""Master equations between minima: against closed forms, exact arithmetic, and the full generator."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import GridError, LandscapeError, MethodError, ValidityWarning
from fpsolver.landscapes import coupled_double_well, matrix_factorisation, mueller_brown
from fpsolver.theory import langer
from fpsolver.thermodynamics.core_rates import core_rates, cores_around
from fpsolver.thermodynamics.reduction import _graded_rates
from fpsolver.thermodynamics.reduction_error import basin_labels

BOX = {"x": (-1.6, 1.2), "y": (-0.4, 2.1)}


def mueller_brown_generator(temperature, cells=60):
    grid = fp.Grid(**{name: (low, high, cells) for name, (low, high) in BOX.items()})
    return fp.generator(fp.Langevin(mueller_brown(0.05), temperature=temperature), grid)


def quartic_generator(temperature, cells=400, **options):
    dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + 0.05*x"), temperature=temperature, **options)
    return fp.generator(dynamics, fp.Grid(x=(-2.2, 2.2, cells)))


# Langer's rates


def test_double_well_has_twice_langers_rate():
    """λ₁ = 2k = (√8/π) e^{−1/4T}, for one coordinate frame and another."""
    for text in ("x**4/4 - x**2/2 + (1 + 3*x**2)*y**2/2", "y**4/4 - y**2/2 + (1 + 3*y**2)*x**2/2"):
        dynamics = fp.Langevin(fp.Landscape(text), temperature=0.05)
        reduced = fp.reduce(dynamics, bounds=[(-2, 2), (-2, 2)])
        exact = np.sqrt(8) / np.pi * np.exp(-1 / 0.2)
        np.testing.assert_allclose(reduced.spectrum(), [0.0, exact], rtol=1e-10)
        np.testing.assert_allclose(reduced.mean_first_passage_times(0), [0.0, 2 / exact], rtol=1e-10)


def test_three_minima_are_linked_as_published():
    """Müller–Brown: the middle minimum (the highest, number 2) is linked to both others, they not to each other."""
    for reduced in (fp.reduce(mueller_brown_generator(0.2)), from_dynamics(0.2)):
        assert [link.ends for link in reduced.connections] in ([(1, 2), (0, 2)], [(1, 2), (2, 0)])
        assert reduced.rates[0, 1] == reduced.rates[1, 0] == 0.0


def from_dynamics(temperature, **options):
    return fp.reduce(fp.Langevin(mueller_brown(0.05), temperature=temperature, **options), bounds=BOX)


@pytest.mark.parametrize("mobility", [2.0, (1.0, 3.0), ((2.0, 0.5), (0.5, 1.0)), "1 + x**2"])
def test_detailed_balance_with_harmonic_weights(mobility):
    """K_ji e^{−L_i/T}/√det H_i is symmetric for any mobility, and columns sum to zero."""
    reduced = from_dynamics(0.2, mobility=mobility)
    logarithms = [-m.value / 0.2 - 0.5 * np.log(m.eigenvalues).sum() for m in reduced.minima]
    weights = np.exp(logarithms - np.max(logarithms))
    fluxes = reduced.rates * weights
    # Exponents of some 30 with a rounding error of 2^−52 each.
    np.testing.assert_allclose(fluxes, fluxes.T, rtol=1e-13)
    np.testing.assert_allclose(reduced.stationary(), weights / weights.sum(), rtol=1e-13)
    assert np.abs(reduced.rates.sum(axis=0)).max() <= 1e-15 * np.abs(reduced.rates).max()


def test_saddles_between_one_pair_add_up():
    """On a ring of two wells each of two saddles leads from one to the other, across the seam as well."""
    dynamics = fp.Langevin(fp.Landscape("-cos(2*x)"), temperature=0.2)
    grid = fp.Grid(x=fp.Axis(0.0, 2 * np.pi, 200, boundary="periodic"))
    reduced = fp.reduce(fp.generator(dynamics, grid))
    one = float(langer.rate(dynamics.landscape, [np.pi], [np.pi / 2], temperature=0.2))
    assert len(reduced) == 2
    np.testing.assert_allclose(reduced.rates, [[-2 * one, 2 * one], [2 * one, -2 * one]], rtol=1e-9)


def test_three_dimensions():
    landscape = fp.Landscape("x**4/4 - x**2/2 + (1 + 3*x**2)*(y**2 + z**2)/2")
    reduced = fp.reduce(fp.Langevin(landscape, temperature=0.02), bounds=[(-2, 2)] * 3)
    # √(det H_a/|det H_b|) = √(2·4·4/1), and λ₁ = 2k.
    np.testing.assert_allclose(reduced.spectrum()[1], np.sqrt(32) / np.pi * np.exp(-0.25 / 0.02), rtol=1e-9)


# Rates from committors


def test_one_dimension_by_exact_quadrature():
    """Between cores that are single cells K_ji = flux/p_i, with the flux 1/∫e^{L/T} dx of two terminals.

    A chain is a row of resistors 1/(π_x W_yx), whose sum is the inverse flux.
    """
    W = quartic_generator(0.05)
    cells = [np.arange(400) == k for k in (100, 300)]
    measured = core_rates(W, cells)
    mass = np.asarray(fp.stationary(W)) * W.grid.volumes
    matrix = W.matrix.toarray()
    resistance = sum(1.0 / (mass[k] * matrix[k + 1, k]) for k in range(100, 300))
    assert measured.fluxes[0, 1] == pytest.approx(1.0 / resistance, rel=1e-11)


@pytest.mark.parametrize("temperature", [0.5, 0.25, 0.1])
def test_ritz_values_are_never_below_and_of_second_order(temperature):
    """0 ≤ λ̂ − λ ≤ E(ψ − f)/‖f‖²: f the best guess between committors, E the Dirichlet form (for the slowest rate)."""
    W = mueller_brown_generator(temperature)
    reduced = fp.reduce(W, rates="committor")
    full = fp.spectrum(W, k=3)
    assert (reduced.spectrum()[1:] >= full.rates[1:] * (1 - full.stats["accuracy"] - 1e-9)).all()
    cells = tuple(np.argmin(np.abs(W.grid.points - p).sum(axis=-1)) for p in reduced.positions)
    mode = full.left_modes[1].ravel()
    guess = mode[list(cells)] @ reduced.committors.reshape(3, -1)
    mass = (np.asarray(fp.stationary(W)) * W.grid.volumes).ravel()
    guess -= mass @ guess
    error = mode - guess
    bound = -(mass * error) @ (W.adjoint @ error) / (mass @ guess**2)
    excess = reduced.spectrum()[1] - full.rates[1]
    assert excess <= bound * (1 + 1e-6) + 1e-9 * full.rates[1]


def test_committor_rates_form_a_master_equation():
    reduced = fp.reduce(mueller_brown_generator(0.4), rates="committor")
    fluxes = reduced.rates * reduced.stationary()
    np.testing.assert_allclose(fluxes, fluxes.T, rtol=1e-12)
    assert (reduced.rates[~np.eye(3, dtype=bool)] >= 0).all()
    assert reduced.stationary().sum() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(reduced.committors.sum(axis=0), 1.0, rtol=1e-12)


def test_passage_times_between_single_cells_are_exact():
    """E_a τ_b = ⟨q_a, 1⟩_π/flux holds for any chain with detailed balance and cores of one cell, in a plane too."""
    W = mueller_brown_generator(0.4, cells=25)
    numbers = [np.ravel_multi_index((9, 18), (25, 25)), np.ravel_multi_index((19, 4), (25, 25))]
    measured = core_rates(W, [np.arange(625) == k for k in numbers])
    weights = measured.overlaps.sum(axis=1)
    for start, target in ((0, 1), (1, 0)):
        others = np.arange(625) != numbers[target]
        times = np.zeros(625)
        times[others] = np.linalg.solve(W.adjoint.toarray()[np.ix_(others, others)], -np.ones(624))
        assert weights[start] / measured.fluxes[start, target] == pytest.approx(times[numbers[start]], rel=1e-8)


def full_rates(W, n):
    return fp.spectrum(W, k=n).rates[1:]


def test_current_round_a_ring_needs_no_detailed_balance():
    """A driven ring of three wells: the reduced rates carry the current of the full generator.

    Flux through any cut: transitions 0 → 1 less 1 → 0 in the master equation.
    """
    landscape = fp.Landscape("-0.5*cos(3*x)")
    dynamics = fp.Langevin(landscape, temperature=0.15, force=(0.3,))
    W = fp.generator(dynamics, fp.Grid(x=fp.Axis(-1.0, 2 * np.pi - 1.0, 300, boundary="periodic")))
    reduced = fp.reduce(W, rates="committor", core_depth=1e-4)
    p = reduced.stationary()
    order = np.argsort(reduced.positions[:, 0])
    here, there = order[0], order[1]
    current = p[here] * reduced.rates[there, here] - p[there] * reduced.rates[here, there]
    ((_, full),) = fp.current(W, fp.stationary(W)).edges
    assert not reduced.reversible
    assert current == pytest.approx(full.mean(), rel=1e-6)
    np.testing.assert_allclose(reduced.rates @ p, 0.0, atol=1e-9 * np.abs(reduced.rates).max())
    # With cores of one cell the relative error is λ⟨ψ, Gψ⟩ to first order, with G the time before a core is reached.
    outside = fp.quasi_stationary(W, np.any(cores_around(landscape, W.grid, reduced.minima, 1e-4), axis=0)).rate
    slow, exact = (sorted(rates, key=lambda rate: rate.imag) for rates in (reduced.spectrum()[1:], full_rates(W, 3)))
    np.testing.assert_allclose(slow, exact, rtol=abs(exact[0]) / outside)
    with pytest.raises(MethodError, match=r'force=.*rates="committor"'):
        fp.reduce(W)


def test_cells_without_mass_do_not_matter_to_a_driven_system():
    """The process seen backwards in time has no rates where probabilities underflow; L/T reaches 2000 here.

    A half turn maps wells with a swirl onto each other, so that both weigh one half.
    """
    dynamics = fp.Langevin(coupled_double_well(3.0), temperature=0.02, force=("-y/5", "x/5"))
    W = fp.generator(dynamics, fp.Grid(x=(-2.4, 2.4, 40), y=(-2, 2, 32)))
    reduced = fp.reduce(W, rates="committor")
    assert np.asarray(fp.stationary(W)).min() < 1e-200
    np.testing.assert_allclose(reduced.stationary(), 0.5, rtol=1e-8)
    np.testing.assert_allclose(reduced.spectrum()[1], fp.spectrum(W, k=2).rates[1].real, rtol=1e-3)


def test_a_choice_of_minima():
    """Leaving out the shallow middle minimum keeps the slowest rate, to the share of mass that it holds."""
    W = mueller_brown_generator(0.25)
    three = fp.reduce(W, rates="committor")
    two = fp.reduce(W, rates="committor", minima=three.positions[:2])
    assert two.spectrum()[1] == pytest.approx(three.spectrum()[1], rel=0.02)
    assert two.compare(W, passage_times=False).weight_errors[0] == pytest.approx(0.0, abs=1e-4)


# What is made of the master equation


def random_network(rng, n, span):
    """Fluxes and weights of a random connected network whose rates range over e^span."""
    energies = rng.uniform(0, span / 2, n)
    fluxes = np.zeros((n, n))
    tree = [(int(rng.integers(0, k)), k) for k in range(1, n)]
    extra = [tuple(rng.choice(n, 2, replace=False)) for _ in range(n // 2)]
    for i, j in tree + extra:
        fluxes[i, j] = fluxes[j, i] = np.exp(-max(energies[i], energies[j]) - rng.uniform(0, span / 2))
    return fluxes, np.exp(-energies)


@pytest.mark.parametrize("span", [5, 60, 150])
def test_spectrum_keeps_its_digits_over_any_barrier(span):
    """Every rate to 1e-13 of itself beside mpmath, though they differ by up to e^150."""
    rng = np.random.default_rng(span)
    for n in (3, 6):
        fluxes, weights = random_network(rng, n, span)
        with mpmath.workdps(150):
            w = [mpmath.mpf(x) for x in weights]
            matrix = mpmath.matrix(n, n)
            for i in range(n):
                others = [j for j in range(n) if j != i]
                for j in others:
                    matrix[i, j] = -mpmath.mpf(fluxes[i, j]) / mpmath.sqrt(w[i] * w[j])
                matrix[i, i] = sum(mpmath.mpf(fluxes[i, j]) for j in others) / w[i]
            exact = sorted(mpmath.eigsy(matrix, eigvals_only=True))
        np.testing.assert_allclose(
            _graded_rates(fluxes, np.diag(weights))[1:], [float(x) for x in exact[1:]], rtol=1e-13
        )


def test_passage_times_keep_their_digits_over_high_barriers():
    """Two-state closed form at barriers of 100 T and more, where rates differ by e^40."""
    reduced = fp.reduce(fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + 0.05*x"), temperature=0.0025), bounds=[(-2, 2)])
    np.testing.assert_allclose(reduced.mean_first_passage_times(1)[0], 1 / reduced.rates[1, 0], rtol=1e-14)
    np.testing.assert_allclose(reduced.spectrum()[1], reduced.rates[1, 0] + reduced.rates[0, 1], rtol=1e-13)


def test_errors_fall_as_they_should_when_barriers_rise():
    """Müller–Brown: of Langer's slowest rate as T, of that from committors as e^{−h/T}.

    h is the lower side of the highest saddle: a core holds that share of the resistance to cross it. Next orders are
    T/h, and for Langer's rate T over the lowest barrier.
    """
    temperatures, harmonic, measured = (0.3, 0.15), [], []
    for temperature in temperatures:
        W = mueller_brown_generator(temperature, cells=80)
        reduced = fp.reduce(W)
        harmonic.append(reduced.compare(W, passage_times=False))
        measured.append(fp.reduce(W, rates="committor").compare(W))
    height = reduced.connections[1].saddle.value - reduced.minima[2].value
    fall = np.log(measured[0].rate_errors[0] / measured[1].rate_errors[0]) / (1 / 0.15 - 1 / 0.3)
    assert fall == pytest.approx(height, rel=temperatures[0] / height)
    lowest = reduced.connections[0].saddle.value - reduced.minima[2].value
    assert harmonic[0].rate_errors[0] / harmonic[1].rate_errors[0] == pytest.approx(2.0, rel=temperatures[0] / lowest)
    assert np.abs(harmonic[1].weight_errors).max() < np.abs(harmonic[0].weight_errors).max()
    assert measured[1].full_weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert np.abs(measured[1].time_errors).max() < np.abs(measured[0].time_errors).max()
    assert "rate 1" in str(measured[0]) and "time 0 → 1" in str(measured[0])


def test_basins_of_a_double_well_are_its_halves():
    landscape = coupled_double_well(3.0)
    grid = fp.Grid(x=(-2, 2, 40), y=(-1, 1, 20))
    minima = fp.reduce(fp.Langevin(landscape, temperature=0.1), bounds=[(-2, 2), (-1, 1)]).minima
    labels = basin_labels(landscape, grid, minima)
    left = minima[0].position[0] > 0
    np.testing.assert_array_equal(labels == 0, (grid.points[..., 0] > 0) == left)


@pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
def test_cores_are_disjoint_and_shrink_where_the_barrier_is_low():
    W = mueller_brown_generator(1.5)
    minima = fp.reduce(W, rates="committor").minima
    cores = cores_around(mueller_brown(0.05), W.grid, minima, 1.5)
    assert np.sum(cores, axis=0).max() == 1
    assert (mueller_brown(0.05).value(W.grid.points[cores[2]]) <= minima[2].value + 0.4).all()


# What is refused


@pytest.mark.parametrize(
    ("system", "options", "error", "message"),
    [
        (fp.Langevin(fp.Landscape("x**2/2"), temperature=0.1), {"bounds": [(-2, 2)]}, LandscapeError, "one minimum"),
        (
            fp.Langevin(matrix_factorisation(), temperature=0.1),
            {"bounds": [(-2, 2)] * 2},
            LandscapeError,
            "degenerate.*ridge",
        ),
        (
            fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.1),
            {"bounds": [(0.2, 2)], "minima": [[-1.0], [1.0]]},
            LandscapeError,
            "no minimum",
        ),
        (fp.Langevin(mueller_brown(0.05), temperature=0.1), {}, LandscapeError, "bounds are needed"),
        (fp.Langevin(mueller_brown(0.05), temperature=0.0), {"bounds": BOX}, MethodError, "temperature 0"),
        (fp.Langevin(mueller_brown(0.05), diffusion=0.1), {"bounds": BOX}, MethodError, "independent of mobility"),
        (
            fp.Langevin(mueller_brown(0.05), temperature=0.1),
            {"bounds": BOX, "rates": "comittor"},
            MethodError,
            'did you mean "committor"',
        ),
        (
            fp.Langevin(mueller_brown(0.05), temperature=0.1),
            {"bounds": BOX, "rates": "committor"},
            MethodError,
            "generator on a grid",
        ),
        (
            fp.Langevin(mueller_brown(0.05), temperature=0.1),
            {"bounds": BOX, "saddles": [[0.2125, 0.293]]},
            LandscapeError,
            "no saddle found links",
        ),
        (
            fp.Langevin(mueller_brown(0.05), temperature=0.1),
            {"bounds": BOX, "minima": [[-0.558, 1.442], [0.623, 0.028]]},
            LandscapeError,
            "no minimum in the list",
        ),
    ],
)
def test_bad_input_names_what_and_the_remedy(system, options, error, message):
    with pytest.raises(error, match=message):
        fp.reduce(system, **options)


def test_a_descent_that_leaves_the_grid():
    """From the saddle at x = 1 one side leads to x = 2, beyond the bound."""
    dynamics = fp.Langevin(fp.Landscape("-cos(2*pi*x) + 0.01*x**2"), temperature=0.1)
    with pytest.raises(LandscapeError, match=r"out of the region.*widen"):
        fp.reduce(dynamics, bounds=[(-1.8, 1.7)])


def test_driven_and_absorbing_systems_are_refused():
    well = fp.Landscape("a*x**4/4 - x**2/2", parameters={"a": 1.0})
    driven = fp.Langevin(well, temperature=0.1, protocol={"a": fp.Protocol("1 + t")})
    with pytest.raises(MethodError, match="at\\(t\\)"):
        fp.reduce(fp.generator(driven, fp.Grid(x=(-2, 2, 50))))
    absorbing = fp.Grid(x=fp.Axis(-2, 2, 50, boundary="absorbing"))
    with pytest.raises(MethodError, match="absorbing walls"):
        fp.reduce(fp.generator(fp.Langevin(well, temperature=0.1), absorbing), rates="committor")
    with pytest.raises(MethodError, match="overdamped"):
        kinetic = fp.UnderdampedLangevin(well, temperature=0.1, friction=1.0)
        fp.reduce(fp.generator(kinetic, fp.Grid(x=(-2, 2, 30), velocity={"x": (-2, 2, 20)})))


def test_shallow_minima_are_warned_of():
    with pytest.warns(ValidityWarning, match="1 of the 3 minima"):
        from_dynamics(0.6)


def test_targets_and_grids_that_do_not_fit():
    reduced = from_dynamics(0.2)
    for target in (3, [0, 1, 2], -1, 0.5):
        with pytest.raises(MethodError, match="target"):
            reduced.mean_first_passage_times(target)
    small = fp.generator(fp.Langevin(mueller_brown(0.05), temperature=0.2), fp.Grid(x=(-1.2, 0.5, 40), y=(0.2, 2, 40)))
    with pytest.raises(GridError, match="outside"):
        reduced.compare(small)
