"""The Hermite generator of underdamped dynamics: exact structure, orders, closed forms, other methods."""

import time

import numpy as np
import pytest
import scipy.sparse.linalg as sla
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, DynamicsError, GridError, GridWarning, MethodError
from fpsolver.generators.driven import DrivenGenerator
from fpsolver.generators.kinetic import kinetic_generator
from fpsolver.generators.velocity_functions import HermiteFunctions

DOUBLE_WELL = "x**4/4 - x**2/2"
ROUNDING = 1e-13
"""A few hundred roundings of numbers of order one."""


def underdamped(expression, temperature, friction, **options):
    parameters = options.pop("parameters", None)
    landscape = fp.Landscape(expression, parameters=parameters)
    return fp.UnderdampedLangevin(landscape, temperature=temperature, friction=friction, **options)


def rates(W, k=4, shift=1e-3):
    """Slowest rates, the zero rate first; the shift lies beside the eigenvalue zero."""
    values = sla.eigs(W.matrix.tocsc(), k=k, sigma=shift, return_eigenvectors=False)
    return np.sort_complex(-values)


def slowest(temperature, friction, cells, functions, width=2.5):
    speed = np.sqrt(temperature)
    grid = fp.Grid(x=(-width, width, cells), velocity={"x": (-8 * speed, 8 * speed, 64)})
    W = kinetic_generator(underdamped(DOUBLE_WELL, temperature, friction), grid, functions=functions)
    return rates(W)


def orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def assert_order(errors, order=2):
    """The finest pair shows the order; the next term of the error makes coarser pairs deviate four times as much."""
    found = orders(np.asarray(errors))
    assert found[-1] == pytest.approx(order, abs=0.1), (errors, found)
    assert np.all(np.abs(found - order) < 0.4), (errors, found)


def skew_defect(W):
    symmetric = (W.matrix + W.matrix.T).tocsr()
    symmetric.setdiag(0)
    return abs(symmetric).max()


@settings(max_examples=25, deadline=None)
@given(
    temperature=st.floats(0.02, 2.0),
    friction=st.floats(0.0, 1e3),
    mass=st.floats(0.1, 10.0),
    tilt=st.floats(-2.0, 2.0),
    cells=st.integers(2, 40),
    functions=st.integers(2, 12),
    seed=st.integers(0, 10**6),
)
@pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
def test_structure_is_exact_for_any_landscape_and_any_cells(temperature, friction, mass, tilt, cells, functions, seed):
    faces = np.concatenate([[-2.0], np.sort(np.random.default_rng(seed).uniform(-1.9, 2.9, cells - 1)), [3.0]])
    if np.diff(faces).min() < 1e-3:
        faces = np.linspace(-2, 3, cells + 1)
    dynamics = underdamped(f"x**4 - 3*x**2 + ({tilt!r})*x + sin(5*x)", temperature, friction, mass=mass)
    grid = fp.Grid(x=fp.Axis(faces=faces), velocity={"x": (-9, 9, 8)})
    W = kinetic_generator(dynamics, grid, functions=functions)
    size = abs(W.matrix).max() + 1
    assert skew_defect(W) == 0
    assert np.all(W.diagonal <= 0)
    # The loss spans up to 10³ T here, and its rounding error enters the exponents.
    spread = np.ptp(dynamics.landscape.value(grid.position_grid().points)) / temperature
    tolerance = 4 * np.finfo(float).eps * (spread + 20) * size
    assert abs(W.matrix @ W.gibbs_state).max() <= tolerance
    assert abs(W.mass_weights @ W.matrix).max() <= tolerance
    # However steep the walls, no coupling exceeds the thermal speed over the cell times what the first step has.
    first = np.sqrt(1 + spread)
    assert size <= 4 * np.sqrt(functions * temperature / mass) * first / np.diff(faces).min() + functions * friction + 2


@pytest.mark.parametrize(
    ("temperature", "friction", "functions", "exact"),
    [
        (0.25, 1.0, 32, 0.13650792),
        (0.25, 5.0, 16, 0.03681486),
        (0.1, 0.1, 128, 0.01322267296),
        (0.1, 0.5, 64, 0.02658078383936238),
        (0.1, 2.0, 32, 0.014615432326277074),
        (0.05, 0.5, 64, 0.0022168141385),
        (0.05, 10.0, 12, 0.00027537195118802),
    ],
)
def test_slowest_rate_of_the_double_well_is_second_order(temperature, friction, functions, exact):
    found = np.array([slowest(temperature, friction, cells, functions)[1].real for cells in (80, 160, 320)])
    errors = found / exact - 1
    assert_order(errors)
    # Richardson's value has a fourth-order error; the difference of two such values bounds it.
    better = (4 * found[1:] - found[:-1]) / 3
    assert abs(better[1] / exact - 1) <= abs(better[1] - better[0]) / exact + 1e-7


def test_weak_friction_at_low_temperature():
    found = np.array([slowest(0.05, 0.1, cells, 128)[1].real for cells in (160, 320)])
    assert_order(found / 0.0014919454 - 1)


def test_next_pair_of_the_double_well():
    exact = 0.81454015 + 1.25856076j
    found = []
    for cells in (100, 200, 400):
        values = slowest(0.25, 1.0, cells, 32)[2]
        found.append(values.real + 1j * abs(values.imag))
    errors = np.array(found) - exact
    assert_order(errors)


def test_convergence_in_functions_is_spectral():
    exact = slowest(0.25, 1.0, 80, 48)[2].real
    errors = np.array([abs(slowest(0.25, 1.0, 80, count)[2].real - exact) for count in (6, 12, 24)])
    # Each doubling raises the order: faster than any power.
    assert orders(errors)[0] > 4
    assert orders(errors)[1] > orders(errors)[0] + 3


@pytest.mark.parametrize("friction", [0.5, 1.0, 3.0])
def test_harmonic_oscillator_spectrum(friction):
    root = np.sqrt(complex(friction**2 - 4))
    pair = np.array([friction - root, friction + root]) / 2
    exact = np.array([n * pair[0] + m * pair[1] for n in range(4) for m in range(4)])
    exact = exact[np.argsort(abs(exact))][:6]
    errors = []
    for cells in (40, 80, 160):
        grid = fp.Grid(x=(-2.5, 2.5, cells), velocity={"x": (-2.5, 2.5, 40)})
        W = kinetic_generator(underdamped("x**2/2", 0.1, friction), grid, functions=12)
        found = rates(W, k=12)
        errors.append(max(abs(found - value).min() for value in exact))
    assert_order(errors)


def test_critical_damping_splits_the_double_rate_symmetrically():
    # At γ = 2ω the two rates coincide in a Jordan block, so an error h² moves each by ±h but cancels from their mean.
    errors, splits = [], []
    for cells in (40, 80, 160):
        W = kinetic_generator(
            underdamped("x**2/2", 0.1, 2.0), fp.Grid(x=(-2.5, 2.5, cells), velocity={"x": (-2.5, 2.5, 40)}), functions=8
        )
        found = rates(W, k=3, shift=-0.5)[1:]
        errors.append(found.mean().real - 1)
        splits.append(abs(found[0] - found[1]))
    assert orders(np.asarray(errors))[-1] > 1.9
    assert_order(splits, 1)


def test_overdamped_limit_is_the_overdamped_generator_of_the_same_grid():
    positions = fp.Grid(x=(-2.5, 2.5, 60))
    overdamped = fp.generator(fp.Langevin(fp.Landscape(DOUBLE_WELL), temperature=0.25), positions)
    limit = np.sort(-np.linalg.eigvals(overdamped.matrix.toarray()).real)[1]
    defects = []
    for friction in (100.0, 1000.0):
        grid = fp.Grid(x=(-2.5, 2.5, 60), velocity={"x": (-4, 4, 32)})
        W = kinetic_generator(underdamped(DOUBLE_WELL, 0.25, friction), grid, functions=6)
        defects.append(rates(W, shift=1e-4 / friction)[1].real * friction - limit)
    # The leading correction to the overdamped rate is of order V''/γ².
    assert defects[0] / defects[1] == pytest.approx(100, rel=0.02)


def test_harmonic_propagator_is_second_order():
    # Exact: the mean and covariance of (x, v) obey linear equations; all densities stay Gaussian.
    temperature, friction, t = 0.25, 0.5, 1.5
    drift = np.array([[0.0, 1.0], [-1.0, -friction]])
    values, vectors = np.linalg.eig(drift)
    step = ((vectors * np.exp(values * t)) @ np.linalg.inv(vectors)).real
    mean, spread = np.array([-0.4, 0.3]), np.diag([0.1, 0.15])
    end = step @ (spread - temperature * np.eye(2)) @ step.T + temperature * np.eye(2)
    errors = []
    for cells in (30, 60, 120):
        grid = fp.Grid(x=(-3.5, 3.5, cells), velocity={"x": (-4, 4, 2 * cells)})
        W = kinetic_generator(underdamped("x**2/2", temperature, friction), grid, functions=32)
        state = sla.expm_multiply(W.matrix.tocsc() * t, W.encode(fp.gaussian(grid, mean, spread)))
        exact = fp.gaussian(grid, step @ mean, end)
        assert W.mass_weights @ state == pytest.approx(1, abs=1e-12)
        errors.append((abs(W.decode(state) - exact) * grid.volumes).sum())
    assert_order(errors)


def test_two_positions_are_the_product_of_one():
    options = {"temperature": 0.25, "friction": 3.0}
    x, y = {"x": (-2.4, 2.4, 14)}, {"y": (-2.4, 2.4, 11)}
    vx, vy = {"x": (-3.5, 3.5, 12)}, {"y": (-3.5, 3.5, 10)}
    both = underdamped("x**4/4 - x**2/2 + y**2", **options)
    W = kinetic_generator(both, fp.Grid(**x, **y, velocity=vx | vy), functions=(5, 4))
    X = kinetic_generator(underdamped(DOUBLE_WELL, **options), fp.Grid(**x, velocity=vx), functions=5)
    Y = kinetic_generator(underdamped("y**2", **options), fp.Grid(**y, velocity=vy), functions=4)
    sums = np.add.outer(np.linalg.eigvals(-X.matrix.toarray()), np.linalg.eigvals(-Y.matrix.toarray())).ravel()
    for rate in rates(W, k=6):
        assert abs(sums - rate).min() < 1e-10  # rounding, enlarged by shift-invert from 1e-3
    assert skew_defect(W) == 0
    density = np.multiply.outer(X.decode(X.gibbs_state), Y.decode(Y.gibbs_state)).transpose(0, 2, 1, 3)
    assert np.allclose(W.decode(W.gibbs_state), density, rtol=1e-12, atol=1e-14)


def test_two_positions_that_do_not_separate_keep_the_structure():
    dynamics = underdamped("x**4/4 - x**2/2 + (1 + 2*x**2)*y**2/2", 0.1, 0.7, mass=(1.0, 2.0))
    grid = fp.Grid(y=(-5, 5, 20), x=(-5, 5, 16), velocity={"x": (-4, 4, 6), "y": (-4, 4, 6)})
    W = kinetic_generator(dynamics, grid, functions=5)
    assert skew_defect(W) == 0
    assert abs(W.matrix @ W.gibbs_state).max() < 1e-10  # the loss reaches 10⁴ T: 10⁴ roundings
    assert abs(W.matrix).max() < 100


def test_reflecting_box_is_the_even_half_of_a_ring():
    # Specular reflection unfolds into a ring of twice the length; the discrete spectra obey that exactly.
    options = {"temperature": 0.3, "friction": 0.8}
    box = fp.Grid(x=fp.Axis(0, np.pi, 20, boundary="reflecting"), velocity={"x": (-4, 4, 8)})
    ring = fp.Grid(x=fp.Axis(-np.pi, np.pi, 40, boundary="periodic"), velocity={"x": (-4, 4, 8)})
    one, two = (kinetic_generator(underdamped("cos(x)", **options), grid, functions=8) for grid in (box, ring))
    all_rates = np.linalg.eigvals(two.matrix.toarray())
    worst = max(abs(all_rates - rate).min() for rate in np.linalg.eigvals(one.matrix.toarray()))
    assert worst < 1e-9


def test_tilted_ring_drives_the_overdamped_current_at_large_friction():
    found = []
    for friction in (20.0, 40.0):
        dynamics = underdamped("cos(x) - F*x", 1.0, friction, parameters={"F": 0.5})
        grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 400, boundary="periodic"), velocity={"x": (-8, 8, 40)})
        W = kinetic_generator(dynamics, grid, functions=8)
        values, vectors = sla.eigs(W.matrix.tocsc(), k=1, sigma=1e-4)
        state = vectors[:, 0].real / (W.mass_weights @ vectors[:, 0].real)
        assert abs(values[0]) < 1e-10
        density = W.decode(state)
        assert density.min() > -1e-6
        found.append(friction * (density * grid.volumes * grid.points[..., 1]).sum())
    # Mobility 1/γ: velocity 0.338454722018/γ, corrections of order 1/γ² removed; second order in h leaves (2π/400)².
    assert (4 * found[1] - found[0]) / 3 == pytest.approx(0.338454722018, rel=(2 * np.pi / 400) ** 2)


def test_velocity_fit_is_exact_for_what_the_functions_hold():
    axis = fp.Axis(-4, 4, 40)
    basis = HermiteFunctions(axis, 0.5, 12)
    coefficients = np.random.default_rng(3).normal(size=12)
    assert np.allclose(coefficients @ basis.averages @ basis.projection, coefficients, atol=ROUNDING * 10)
    assert basis.averages @ axis.widths == pytest.approx(np.eye(12)[0], abs=ROUNDING)
    density = np.random.default_rng(4).uniform(size=40)
    assert (density @ basis.projection)[0] == pytest.approx(density @ axis.widths, rel=ROUNDING)


@pytest.mark.parametrize("half_width", [2.0, 4.0, 20.0, 60.0])
def test_maxwell_distribution_is_the_first_function_alone_on_any_axis(half_width):
    from fpsolver.generators.velocity_functions import maxwell_masses

    axis = fp.Axis(-half_width, half_width, 60)
    basis = HermiteFunctions(axis, 0.5, 30)
    fitted = maxwell_masses(axis, 0.5) / axis.widths @ basis.projection
    assert np.allclose(fitted, np.eye(30)[0], atol=1e-11)


def test_densities_survive_the_round_trip_to_second_order():
    errors = []
    for cells in (40, 80, 160):
        grid = fp.Grid(x=(-3, 3, cells), velocity={"x": (-4, 4, 80)})
        W = kinetic_generator(underdamped(DOUBLE_WELL, 0.25, 1.0), grid, functions=60)
        density = fp.gaussian(grid, [-1.0, 0.4], [[0.1, 0.02], [0.02, 0.2]])
        state = W.encode(density)
        assert W.mass_weights @ state == pytest.approx(1, abs=ROUNDING)
        assert (W.decode(state) * grid.volumes).sum() == pytest.approx(1, abs=ROUNDING)
        errors.append((abs(W.decode(state) - density) * grid.volumes).sum())
    assert_order(errors)
    assert W.decode(np.stack([state, 2 * state])).shape == (2, *grid.shape)


def test_state_length_bounds_the_density_and_never_grows():
    grid = fp.Grid(x=(-3, 3, 60), velocity={"x": (-4, 4, 60)})
    W = kinetic_generator(underdamped(DOUBLE_WELL, 0.25, 0.3), grid, functions=40)
    state = W.encode(fp.gaussian(grid, [-1.0, 0.4], [[0.1, 0], [0, 0.2]]))
    previous = np.linalg.norm(state)
    for _ in range(4):
        state = sla.expm_multiply(W.matrix.tocsc(), state)
        assert (abs(W.decode(state)) * grid.volumes).sum() <= np.linalg.norm(state) * (1 + 1e-12)
        assert np.linalg.norm(state) <= previous * (1 + 1e-12)
        previous = np.linalg.norm(state)


def test_encode_says_what_it_cannot_hold():
    grid = fp.Grid(x=(-3, 3, 60), velocity={"x": (-4, 4, 60)})
    W = kinetic_generator(underdamped(DOUBLE_WELL, 0.25, 1.0), grid, functions=20)
    with pytest.warns(AccuracyWarning, match="20 Hermite functions"):
        W.encode(fp.gaussian(grid, [0.0, 0.0], [[0.1, 0], [0, 1.0]]))
    cold = kinetic_generator(underdamped(DOUBLE_WELL, 0.05, 1.0), grid, functions=20)
    with pytest.raises(MethodError, match="upwind"):
        cold.encode(fp.gaussian(grid, [0.0, 0.0], [[1.0, 0], [0, 0.05]]))


def test_driven_generators_share_their_states():
    grid = fp.Grid(x=(-3, 3, 40), velocity={"x": (-4, 4, 40)})
    dynamics = underdamped(
        "x**4/4 - x**2/2 + a*x", 0.25, 1.0, parameters={"a": 0.0}, protocol={"a": fp.Protocol("t/2")}
    )
    W = DrivenGenerator(dynamics, grid)
    start, later = W.at(0.0), W.at(1.0)
    alone = kinetic_generator(dynamics.at(1.0), grid)
    density = fp.gaussian(grid, [0.2, 0.1], [[0.2, 0], [0, 0.2]])
    assert np.array_equal(start.encode(density), later.encode(density))
    assert abs(later.mass_weights @ later.matrix).max() < 1e-11
    assert abs(later.matrix @ later.gibbs_state).max() < 1e-11
    assert np.allclose(later.decode(later.gibbs_state), alone.decode(alone.gibbs_state), atol=ROUNDING)
    assert np.allclose(rates(later)[:2], rates(alone)[:2], atol=1e-9)


def test_assembly_is_quick():
    grid = fp.Grid(x=(-3, 3, 400), velocity={"x": (-4, 4, 100)})
    W = kinetic_generator(underdamped(DOUBLE_WELL, 0.25, 1.0), grid)
    start = time.perf_counter()
    assert W.matrix.shape[0] == 400 * 50 + 399 * 50
    assert time.perf_counter() - start < 1.0


def test_what_is_refused():
    grid = fp.Grid(x=(-3, 3, 20), velocity={"x": (-4, 4, 16)})
    dynamics = underdamped(DOUBLE_WELL, 0.25, 1.0)
    absorbing = fp.Grid(x=fp.Axis(-3, 3, 20, boundary="absorbing"), velocity={"x": (-4, 4, 16)})
    with pytest.raises(MethodError, match="upwind"):
        kinetic_generator(dynamics, absorbing)
    with pytest.raises(GridError, match="velocity="):
        kinetic_generator(dynamics, fp.Grid(x=(-3, 3, 20)))
    with pytest.raises(GridError, match='did you mean "hermite"'):
        kinetic_generator(dynamics, grid, "hermit")
    with pytest.raises(MethodError, match="at least 2"):
        kinetic_generator(dynamics, grid, functions=1)
    with pytest.raises(GridError, match="one for each"):
        kinetic_generator(dynamics, grid, functions=(4, 4))
    with pytest.raises(DynamicsError, match="temperature = 0"):
        kinetic_generator(underdamped(DOUBLE_WELL, 0.0, 1.0), grid)
    heated = underdamped(DOUBLE_WELL, 0.25, 1.0, protocol={"temperature": fp.Protocol("0.25 + t")})
    with pytest.raises(MethodError, match=r"at\(t\)"):
        kinetic_generator(heated, grid)
    with pytest.raises(MethodError, match="upwind"):
        fp.generator(heated, grid).at(0.0)
    with pytest.raises(MethodError, match="one temperature"):
        kinetic_generator(heated.at(1.0), grid, reference=heated.at(0.0))


def test_a_narrow_velocity_axis_is_a_warning():
    with pytest.warns(GridWarning, match="Maxwell"):
        kinetic_generator(underdamped(DOUBLE_WELL, 1.0, 1.0), fp.Grid(x=(-3, 3, 20), velocity={"x": (-2, 2, 16)}))
