from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_generator
from scipy.special import eval_hermitenorm, factorial

import fpsolver as fp
from fpsolver.errors import MethodError
from fpsolver.generators import Edge, Generator
from fpsolver.solvers import eigenpairs

# λ₁ … of V = x⁴/4 − x²/2 at unit mobility (Schrödinger form in Hermite functions, mpmath).
QUARTIC = {
    0.5: (0.4229446453977572, 2.3149132469920644, 4.503778815219742),
    0.25: (0.187170418087, 1.50102841771),
    0.1: (0.0335452873067, 0.927372102607),
    0.05: (0.00277614063679, 0.822247124501),
    0.025: (1.9589273032840716e-05, 0.9042431171033088, 1.4545268385861834),
}


def observed_orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def overlaps(s):
    count = len(s)
    weights = s.grid.volumes.ravel()
    return (s.left_modes.reshape(count, -1) * weights) @ s.modes.reshape(count, -1).T


@pytest.mark.parametrize("temperature", QUARTIC)
def test_rates_of_the_double_well_converge_at_second_order(quartic, temperature):
    known = np.array(QUARTIC[temperature])
    rates = np.array(
        [
            fp.spectrum(fp.generator(fp.Langevin(quartic, temperature=temperature), fp.Grid(x=(-3, 3, n))), 4).rates
            for n in (400, 800, 1600)
        ]
    )
    assert (rates[:, 0] == 0).all()
    errors = rates[:, 1 : len(known) + 1] / known - 1
    assert (np.abs(observed_orders(errors) - 2) < 0.05).all()
    # What extrapolation leaves is of fourth order: the square of the relative error, up to a factor.
    extrapolated = (4 * errors[2] - errors[1]) / 3
    assert (np.abs(extrapolated) < 30 * errors[1] ** 2 + 1e-11).all()


def test_ornstein_uhlenbeck_has_integer_rates_and_hermite_modes():
    errors, modes = [], []
    for cells in (100, 200, 400):
        law = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
        s = fp.spectrum(fp.generator(law, fp.Grid(x=(-9, 9, cells))), 5)
        x = s.grid.axes[0].centres
        hermite = np.array([eval_hermitenorm(n, x) / np.sqrt(factorial(n)) for n in range(5)])
        signs = np.sign(hermite[:, -1]) * np.sign(s.left_modes[:, -1])
        weight = s.modes[0] * s.grid.volumes
        shapes = np.sqrt(((s.left_modes * signs[:, None] - hermite) ** 2) @ weight)
        errors.append(s.rates[1:] - np.arange(1, 5))
        modes.append(shapes[1:])
        assert np.abs(overlaps(s) - np.eye(5)).max() < 1e-12
    assert (np.abs(observed_orders(np.array(errors)) - 2) < 0.1).all()
    # The modes even do better, because the error of this scheme in a parabola only rescales time.
    assert (observed_orders(np.array(modes)) > 2).all()


@pytest.mark.parametrize("temperature", [0.0125, 0.005])
def test_rates_behind_high_barriers_are_right_relative_to_themselves(quartic, temperature):
    W = fp.generator(fp.Langevin(quartic, temperature=temperature), fp.Grid(x=(-2, 2, 400)))
    s = fp.spectrum(W, 2)
    edge, wall = W.edges[0], np.zeros(200)
    forward, backward = edge.forward[:200].copy(), edge.backward[:200].copy()
    wall[-1], forward[-1], backward[-1] = 2 * edge.forward[199], 0.0, 0.0
    half = Generator(fp.Grid(x=(-2, 0, 200)), None, "half", (Edge((1,), forward, backward),), wall)
    q = fp.quasi_stationary(half)
    # By symmetry the slowest odd mode is the quasi-stationary state of the left half, with its sign changed
    # beyond the middle: the middle edge then counts twice.
    assert s.rates[1] < 1e-8
    assert abs(s.rates[1] / q.rate - 1) < 1e-12
    assert s.residuals.max() < 1e-12


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), periodic=st.booleans(), killing=st.sampled_from([0.0, 1.0]))
def test_random_generators_agree_with_dense_eigenvalues(seed, periodic, killing):
    boundary = "periodic" if periodic else "reflecting"
    W = random_generator(seed, shape=(6, 5), boundary=boundary, killing=killing, spread=1.5)
    s = fp.spectrum(W, 4)
    dense = -np.linalg.eigvals(W.matrix.todense())
    scale = np.abs(W.diagonal).max()
    assert np.abs(s.rates.real - np.sort(dense.real)[:4]).max() < 1e-10 * scale
    assert np.abs(s.rates[:, None] - dense).min(axis=1).max() < 1e-10 * scale
    assert s.residuals.max() < 1e-11
    assert np.abs(overlaps(s) - np.eye(4)).max() < 1e-8
    assert abs((s.modes[0] * s.grid.volumes).sum() - 1) < 1e-12


@pytest.mark.parametrize("force, reversible", [(None, True), (("-y", "x"), False)])
def test_dense_and_iterative_methods_agree(monkeypatch, force, reversible):
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + y**2"), temperature=0.2, force=force)
    W = fp.generator(law, fp.Grid(x=(-2, 2, 20), y=(-2, 2, 20)))
    dense = fp.spectrum(W, 5)
    monkeypatch.setattr(eigenpairs, "_DENSE", 10)
    found = [fp.spectrum(W, 5)]
    monkeypatch.setattr(eigenpairs, "_LU_PLANE", 10)
    found.append(fp.spectrum(W, 5))
    assert "dense" in dense.stats["method"] and "multigrid" in found[1].stats["method"]
    for s in found:
        # The promise of the iterative methods is a relative accuracy of 1e-9.
        assert np.abs(s.rates - dense.rates).max() < 1e-9 * np.abs(dense.rates).max()
        assert np.isrealobj(s.rates) == reversible
        assert np.abs(overlaps(s) - np.eye(5)).max() < 1e-6
        known, found_mode = np.abs(dense.left_modes[1]), np.abs(s.left_modes[1])
        assert np.abs(found_mode - known).max() < 1e-3 * known.max()


def test_a_separable_problem_keeps_the_accuracy_of_its_factors(quartic):
    # λ₁ = 6e-12: eigenvalues of the symmetrised matrix itself are wrong by rounding of its norm, 1e-13.
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + y**2/2"), temperature=0.01)
    s = fp.spectrum(fp.generator(law, fp.Grid(x=(-2, 2, 60), y=(-2, 2, 40))), 2)
    chain = fp.spectrum(fp.generator(fp.Langevin(quartic, temperature=0.01), fp.Grid(x=(-2, 2, 60))), 2)
    assert abs(s.rates[1] / chain.rates[1] - 1) < 1e-9
    assert np.isfinite(s.left_modes).all()
    # The left mode is that of the chain; where nothing is, it is continued by solving for it.
    assert np.abs(s.left_modes[1] - chain.left_modes[1][:, None]).max() < 1e-6


def test_a_driven_ring_has_complex_rates():
    errors = []
    for cells in (40, 80, 160):
        law = fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=0.5, force=(2.0,))
        s = fp.spectrum(fp.generator(law, fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))), 3)
        # Plane waves: λ_n = T n² ± i n F.
        errors.append(np.abs(s.rates - [0, 0.5 - 2j, 0.5 + 2j]).max())
    assert (np.abs(observed_orders(errors) - 2) < 0.1).all()


def test_klein_kramers_rates(quartic):
    law = fp.UnderdampedLangevin(quartic, temperature=0.25, friction=1.0)
    known = np.array([0.13650792, 0.81454015 - 1.25856076j, 0.81454015 + 1.25856076j])
    errors = []
    for cells in (30, 60):
        grid = fp.Grid(x=(-3, 3, cells), velocity={"x": (-3, 3, 24)})
        s = fp.spectrum(fp.generator(law, grid), 4)
        errors.append(np.abs(s.rates[1:] - known).max())
    assert abs(s.rates[0]) < 1e-10 and s.left_modes is None
    # Second order in position; one step from a coarse grid is not yet asymptotic.
    assert observed_orders(errors)[0] > 1.7


def test_results_are_the_same_every_time():
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + y**2/2"), temperature=0.2)
    W = fp.generator(law, fp.Grid(x=(-2, 2, 30), y=(-2, 2, 30)))
    first, second = fp.spectrum(W, 3), fp.spectrum(W, 3)
    assert np.array_equal(first.rates, second.rates) and np.array_equal(first.modes, second.modes)


def test_degenerate_rates_have_independent_modes():
    law = fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), temperature=0.5)
    s = fp.spectrum(fp.generator(law, fp.Grid(x=(-4, 4, 30), y=(-4, 4, 30))), 6)
    assert np.abs(overlaps(s) - np.eye(6)).max() < 1e-9
    assert s.rates[1] == pytest.approx(s.rates[2], rel=1e-12)


def test_detached_wells_give_a_second_zero():
    # At T = 1e-3 the barrier is 250 T: rates over it are below the smallest number that matters, 1e-106 of the others.
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=1e-3)
    s = fp.spectrum(fp.generator(law, fp.Grid(x=(-1.5, 1.5, 200))), 3)
    assert 0 < s.rates[1] < 1e-100
    assert s.rates[2] > 0.5


@pytest.mark.parametrize("k", [0, 41, 2.5, True])
def test_k_must_fit(quartic, k):
    W = fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=(-2, 2, 40)))
    with pytest.raises(MethodError, match="k = "):
        fp.spectrum(W, k)


@pytest.mark.parametrize("temperature", [0.3, 0.05, 0.01])
@pytest.mark.parametrize("cells", [20, 50])
def test_the_reported_accuracy_covers_the_error(temperature, cells):
    axes = {"x": fp.Axis(-2, 2, cells), "y": fp.Axis(-2, 2, cells - 3)}
    parts = {"x": "x**4/4 - x**2/2", "y": "y**2/2"}

    def solved(names, count):
        landscape = fp.Landscape(" + ".join(parts[name] for name in names), variables=tuple(names))
        law = fp.Langevin(landscape, temperature=temperature)
        return fp.spectrum(fp.generator(law, fp.Grid(**{name: axes[name] for name in names})), count)

    s = solved("xy", 4)
    exact = np.sort((solved("x", 5).rates[:, None] + solved("y", 5).rates).ravel())[:4]
    errors = np.abs(s.rates[1:] / exact[1:] - 1)
    assert s.stats["accuracy_kind"] == "relative"
    # Chains are themselves known to a few roundings.
    assert errors.max() <= s.stats["accuracy"] + 1e-14
    assert s.stats["accuracy"] < 1e-4


def test_the_accuracy_without_detailed_balance_is_measured():
    law = fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), temperature=0.4, force=("-y", "x"))
    W = fp.generator(law, fp.Grid(x=(-3, 3, 30), y=(-3, 3, 30)))
    s = fp.spectrum(W, 4)
    dense = -np.linalg.eigvals(W.matrix.toarray())
    errors = np.abs(s.rates[:, None] - dense).min(axis=1)
    # The reference itself is good to rounding of the norm of W.
    assert errors.max() <= s.stats["accuracy"] + 1e-14 * np.abs(W.diagonal).max()
    assert s.stats["accuracy"] < 1e-8


@pytest.mark.parametrize("friction", [30.0, 100.0, 300.0])
@pytest.mark.parametrize("cells", [25, 27, 31, 35])
def test_rates_below_the_rounding_of_the_eigensolver_come_in_order(quartic, friction, cells):
    """Strong friction makes W large, and λ₁ of a high barrier drowns until the quotients of the modes improve it."""
    line = (-1.8, 1.8, cells)
    law = fp.UnderdampedLangevin(quartic, temperature=0.025, friction=friction)
    rates = fp.spectrum(fp.generator(law, fp.Grid(x=line, velocity={"x": (-1.2, 1.2, 12)})), 2).rates.real
    overdamped = fp.spectrum(fp.generator(fp.Langevin(quartic, temperature=0.025), fp.Grid(x=line)), 2).rates
    assert rates[0] == 0.0
    # The limit of strong friction has the same cells; Kramers' form departs from it by (ω_b/γ)², with ω_b = 1.
    assert friction * rates[1] == pytest.approx(overdamped[1], rel=1.0 / friction**2 + 1e-5)


def test_modes_of_states_that_are_left_for_good_are_normalised():
    one_way, classes = np.zeros((4, 4)), np.zeros((4, 4))
    one_way[[1, 2, 3], [0, 1, 2]] = 1.0, 2.0, 3.0
    classes[[1, 0, 3, 2], [0, 1, 2, 3]] = 1.0, 2.0, 1.0, 1.0
    for rates, known in ((one_way, [0.0, 1.0, 2.0]), (classes, [0.0, 0.0, 2.0])):
        s = fp.spectrum(fp.generator(fp.markov_network(rates)), k=3)
        np.testing.assert_allclose(s.rates, known, atol=1e-14)
        # Biorthogonal to the rounding of four terms.
        np.testing.assert_allclose(overlaps(s), np.eye(3), atol=1e-14)
        assert np.abs(s.left_modes[1:]).max(axis=1) == pytest.approx(1.0)
