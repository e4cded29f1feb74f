"""The monotone generator of underdamped dynamics: Markov, Gibbs state exact, first order."""

import numpy as np
import pytest
import scipy.sparse.linalg as sla
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DensityError, GridError, GridWarning, MethodError
from fpsolver.generators.kinetic import kinetic_generator

DOUBLE_WELL = "x**4/4 - x**2/2"
EPS = np.finfo(float).eps


def underdamped(expression, temperature, friction, **options):
    return fp.UnderdampedLangevin(fp.Landscape(expression), temperature=temperature, friction=friction, **options)


def gibbs(W):
    """Gibbs cell probabilities from loss and kinetic energy at cell centres."""
    d, dynamics = W.grid.position_dimension, W.dynamics
    masses = dynamics.masses[[dynamics.landscape.variables.index(name) for name in W.grid.names[:d]]]
    theta = W.grid.points[..., W.grid.order(dynamics.landscape.variables)]
    energy = dynamics.landscape.value(theta) + 0.5 * (masses * W.grid.points[..., d:] ** 2).sum(axis=-1)
    weights = W.grid.volumes * np.exp(-(energy - energy.min()) / dynamics.temperature)
    return weights / weights.sum()


def slowest(W, shift=1e-3):
    values = sla.eigs(W.matrix.tocsc(), k=4, sigma=shift, return_eigenvectors=False)
    return np.sort(-values.real)[1]


def assert_first_order(errors):
    """The finest pair shows the order; second-order terms make coarser pairs deviate, twice as much each."""
    found = np.log2(np.abs(errors[:-1]) / np.abs(errors[1:]))
    assert found[-1] == pytest.approx(1, abs=0.1), (errors, found)


@settings(max_examples=25, deadline=None)
@given(
    temperature=st.floats(0.05, 2.0),
    friction=st.floats(0.0, 1e3),
    mass=st.floats(0.1, 10.0),
    tilt=st.floats(-2.0, 2.0),
    cells=st.integers(2, 25),
    speeds=st.integers(2, 25),
    boundary=st.sampled_from(["open", "reflecting", "periodic", "uneven"]),
)
@pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
def test_markov_and_gibbs_state_are_exact(temperature, friction, mass, tilt, cells, speeds, boundary):
    if boundary == "periodic":
        expression, axis = f"cos(x) + ({tilt!r})*sin(2*x)", fp.Axis(0, 2 * np.pi, cells, boundary="periodic")
    else:
        expression = f"x**4/4 - x**2/2 + ({tilt!r})*x"
        spacing = {"spacing": "geometric", "stretch": 3.0} if boundary == "uneven" else {}
        # Without a boundary the walls merely truncate, which the scheme treats in another way.
        axis = fp.Axis(-2, 2.5, cells, boundary=None if boundary == "open" else "reflecting", **spacing)
    grid = fp.Grid(x=axis, velocity={"x": fp.Axis(-3, 3, speeds)})
    W = kinetic_generator(underdamped(expression, temperature, friction, mass=mass), grid, "upwind")
    assert W.markov and not W.reversible and not W.killing.any()
    for edge in W.edges:
        assert edge.forward.min() >= 0 and edge.backward.min() >= 0
    weights, largest = gibbs(W).ravel(), abs(W.diagonal).max()
    assert abs(W.matrix.sum(axis=0)).max() <= 16 * EPS * largest
    # Each term r·π carries the rounding error of exponents of up to the energy span over T.
    span = 1 + np.log(weights.max() / weights[weights > 0].min())
    assert abs(W.matrix @ weights).max() <= 8 * EPS * span * (abs(W.diagonal).ravel() * weights).max() + 1e-300


@pytest.mark.parametrize(("temperature", "friction", "exact"), [(0.25, 1.0, 0.13650792), (0.25, 5.0, 0.03681486)])
def test_slowest_rate_is_first_order(temperature, friction, exact):
    errors = []
    for cells in (50, 100, 200):
        grid = fp.Grid(x=(-2.5, 2.5, cells), velocity={"x": (-3.5, 3.5, cells)})
        W = kinetic_generator(underdamped(DOUBLE_WELL, temperature, friction), grid, "upwind")
        errors.append(slowest(W) - exact)
    assert_first_order(np.array(errors))


def test_specular_walls_agree_with_hermite_functions():
    # The Hermite scheme reflects by symmetry: its box is half a ring (see its own test).
    dynamics = underdamped("x**2/4", 1.0, 1.0)

    def slowest_pair(cells, speeds, scheme, **options):
        axis = fp.Axis(-1, 1, cells, boundary="reflecting")
        W = kinetic_generator(dynamics, fp.Grid(x=axis, velocity={"x": (-7, 7, speeds)}), scheme, **options)
        values = -sla.eigs(W.matrix.tocsc(), k=3, sigma=1e-3, return_eigenvectors=False)
        values = values[np.argsort(values.real)][1]
        return values.real + 1j * abs(values.imag)

    coarse, fine = (slowest_pair(cells, 40, "hermite", functions=60) for cells in (100, 200))
    exact = (4 * fine - coarse) / 3
    assert_first_order(np.array([slowest_pair(n, 2 * n, "upwind") - exact for n in (30, 60, 120)]))


def test_specular_walls_need_symmetric_velocity_cells():
    grid = fp.Grid(x=fp.Axis(-1, 1, 10, boundary="reflecting"), velocity={"x": fp.Axis(faces=[-4, -1, 0.5, 2, 4])})
    with pytest.warns(GridWarning), pytest.raises(GridError, match="symmetric"):
        kinetic_generator(underdamped("x**2/4", 1.0, 1.0), grid, "upwind")


def test_harmonic_oscillator_moments_decay_at_first_order():
    friction, temperature = 0.5, 0.25
    root = np.sqrt(complex(friction**2 - 4))
    exact, errors = (friction - root) / 2, []
    for cells in (40, 80, 160):
        grid = fp.Grid(x=(-3, 3, cells), velocity={"x": (-3, 3, cells)})
        W = kinetic_generator(underdamped("x**2/2", temperature, friction), grid, "upwind")
        values = -sla.eigs(W.matrix.tocsc().astype(complex), k=2, sigma=-exact, return_eigenvectors=False)
        errors.append(abs(values - exact).min())
    assert_first_order(np.array(errors))


def test_free_flight_reaches_an_absorbing_wall():
    # Without friction and force velocities are kept; a cell is crossed in h/v, so the wall is reached half a cell late.
    cells = 25
    grid = fp.Grid(x=fp.Axis(0, 5, cells, boundary=("reflecting", "absorbing")), velocity={"x": fp.Axis(-6, 6, 60)})
    W = kinetic_generator(underdamped("0*x", 1.0, 0.0), grid, "upwind")
    speed = grid.axes[1].centres
    outward = speed > 0
    assert np.all(W.killing[-1, outward] > 0)
    assert not W.killing[:-1].any() and not W.killing[:, ~outward].any()
    tau = sla.spsolve(W.adjoint.tocsc(), -np.ones(W.n_state)).reshape(grid.shape)
    distance = 5 - grid.axes[0].centres
    fast = outward & (speed < 3)
    # The speed in the rates differs from v by the curvature of the Maxwell distribution over a velocity cell, (k/s)².
    expected = (distance + 0.1)[1:, None] / speed[fast]
    assert np.allclose(tau[1:, fast], expected, rtol=0.2**2)


def test_absorbed_mass_balances_the_stationary_outflow():
    # Mean exit times τ from the adjoint and the mean life of the density from the forward equation are the same number.
    axis = fp.Axis(-2.5, 1.0, 40, boundary=("reflecting", "absorbing"))
    grid = fp.Grid(x=axis, velocity={"x": (-3.5, 3.5, 40)})
    W = kinetic_generator(underdamped("x**2/2", 0.25, 1.0), grid, "upwind")
    start = W.encode(fp.gaussian(grid, [-0.5, 0.0], [[0.1, 0], [0, 0.25]]))
    tau = sla.spsolve(W.adjoint.tocsc(), -np.ones(W.n_state))
    visits = sla.spsolve(W.matrix.tocsc(), -start)
    assert visits.min() >= -1e-12 and W.killing.ravel() @ visits == pytest.approx(1, rel=1e-10)
    assert visits.sum() == pytest.approx(tau @ start, rel=1e-10)


def test_absorbing_wall_has_milnes_length():
    # Mean exit time of a free particle that starts, thermal, at a specular wall, distance L from an absorbing one. With
    # the mean free path s/γ = 1 and D = s²/γ it is L²/2D + Lℓ/D, ℓ = −ζ(1/2) s/γ = 1.46 s/γ being Milne's length
    # (T. W. Marshall and E. J. Watson, J. Phys. A 18, 3531 (1985)), up to terms of relative size (ℓ/L)². Richardson's
    # extrapolation takes the first-order error of the scheme away.
    length, found = 8.0, []
    for cells in (40, 80):
        axis = fp.Axis(0, length, cells, boundary=("reflecting", "absorbing"))
        grid = fp.Grid(x=axis, velocity={"x": (-6, 6, cells)})
        W = kinetic_generator(underdamped("0*x", 1.0, 1.0), grid, "upwind")
        tau = sla.spsolve(W.adjoint.tocsc(), -np.ones(W.n_state)).reshape(grid.shape)
        maxwell = np.exp(-(grid.axes[1].centres ** 2) / 2)
        found.append(tau @ maxwell / maxwell.sum())
    # Between the first cell centre and the wall τ falls by (h/2)²/2D only.
    mean = 2 * found[1][0] - found[0][0]
    milne = 1.4603545
    assert mean == pytest.approx(0.5 * length**2 + length * milne, rel=(milne / length) ** 2)
    # The test tells Milne's length from none.
    assert length * milne > 3 * mean * (milne / length) ** 2


@pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
def test_two_positions_are_the_product_of_one():
    options, x, y = {"temperature": 0.25, "friction": 0.7}, {"x": (-2.4, 2.4, 9)}, {"y": (-2, 2, 8)}
    vx, vy = {"x": (-3, 3, 7)}, {"y": (-3, 3, 6)}
    both = underdamped("x**4/4 - x**2/2 + y**2", **options)
    W = kinetic_generator(both, fp.Grid(**x, **y, velocity=vx | vy), "upwind")
    X = kinetic_generator(underdamped(DOUBLE_WELL, **options), fp.Grid(**x, velocity=vx), "upwind")
    Y = kinetic_generator(underdamped("y**2", **options), fp.Grid(**y, velocity=vy), "upwind")
    rng = np.random.default_rng(2)
    p, q = rng.uniform(size=X.grid.shape), rng.uniform(size=Y.grid.shape)

    def together(a, b):
        return np.einsum("xu,yv->xyuv", a, b)

    expected = together(X.apply(p), q) + together(p, Y.apply(q))
    assert np.allclose(W.apply(together(p, q)), expected, atol=1e-12 * abs(expected).max())


@pytest.mark.filterwarnings("ignore::fpsolver.errors.GridWarning")
def test_two_positions_that_do_not_separate_keep_the_gibbs_state():
    dynamics = underdamped("x**4/4 - x**2/2 + (1 + x**2)*y**2/2", 0.3, 0.2, mass=(1.0, 2.0))
    x = fp.Axis(-2, 2, 10, boundary="reflecting")
    grid = fp.Grid(y=(-2, 2, 9), x=x, velocity={"y": (-3, 3, 7), "x": (-3, 3, 8)})
    W = kinetic_generator(dynamics, grid, "upwind")
    assert W.grid.names == ("y", "x", "v_y", "v_x")
    # Energies span 10² T: 10² roundings on fluxes of order 10² π.
    assert abs(W.matrix @ gibbs(W).ravel()).max() < 1e4 * EPS * gibbs(W).max()


def test_what_is_refused():
    grid = fp.Grid(x=(-3, 3, 20), velocity={"x": (-4, 4, 16)})
    dynamics = underdamped(DOUBLE_WELL, 0.25, 1.0)
    with pytest.raises(MethodError, match="functions"):
        kinetic_generator(dynamics, grid, "upwind", functions=8)
    leaking = fp.Grid(x=(-3, 3, 20), velocity={"x": fp.Axis(-4, 4, 16, boundary="absorbing")})
    with pytest.raises(GridError, match="velocities cannot be absorbed"):
        kinetic_generator(dynamics, leaking, "upwind")
    with pytest.raises(DensityError, match="does not fit"):
        kinetic_generator(dynamics, grid, "upwind").apply(np.ones(20))
