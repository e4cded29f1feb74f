"""Full diffusion tensors: exact invariants, closed forms, and orders measured against a spectral method."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse.csgraph as csgraph
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DynamicsError, GridError
from fpsolver.generators import tensor, tensor_noise
from fpsolver.generators.finite_volume import finite_volume_generator
from fpsolver.generators.tensor import tensor_generator
from fpsolver.generators.tensor_walls import taper_profile
from fpsolver.validation import tensor_orders as orders

EPS = np.finfo(float).eps
TURNING = (("2 + cos(x)", "sin(x)"), ("sin(x)", "2 - cos(x)"))
# Second order, less what kinks of λ_e(θ) and the last of the pre-asymptotic range take from a slope over three grids.
SECOND = 1.7


def random_tensor(rng: np.random.Generator, dimension: int, anisotropy: float) -> np.ndarray:
    axes, _ = np.linalg.qr(rng.normal(size=(dimension, dimension)))
    eigenvalues = anisotropy ** rng.uniform(0, 1, dimension)
    eigenvalues[0], eigenvalues[-1] = anisotropy, 1.0
    return axes @ np.diag(eigenvalues) @ axes.T


def walled_grid(cells: tuple[int, ...], boundary: str = "reflecting", reach: float = 1.0) -> fp.Grid:
    axes = [fp.Axis(-reach, reach, n, boundary=boundary) for n in cells]
    return fp.Grid(**dict(zip("xyz", axes, strict=False)))


def random_landscape(rng: np.random.Generator, dimension: int) -> fp.Landscape:
    names = "xyz"[:dimension]
    a, b, c = rng.normal(size=(3, dimension)) * 3
    terms = [
        f"({a[k]!r})*{n}**4 + ({b[k]!r})*{n}**2 + ({c[k]!r})*{n}*{names[k - 1]}".replace("np.float64", "")
        for k, n in enumerate(names)
    ]
    return fp.Landscape(" + ".join(terms), variables=tuple(names))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    dimension=st.sampled_from([2, 3]),
    anisotropy=st.floats(1, 1e4),
    boundary=st.sampled_from(["reflecting", "absorbing", "periodic"]),
    scheme=st.sampled_from(["scharfetter-gummel", "sqra"]),
)
def test_any_tensor_gives_a_markov_generator(seed, dimension, anisotropy, boundary, scheme):
    rng = np.random.default_rng(seed)
    grid = walled_grid((41, 44) if dimension == 2 else (24, 22, 23), boundary)
    landscape = fp.Landscape(" + ".join(f"cos(pi*{n})" for n in grid.names), variables=grid.names)
    D = random_tensor(rng, dimension, anisotropy)
    try:
        W = tensor_generator(fp.Langevin(landscape, temperature=0.5, mobility=D), grid, scheme)
    except GridError as error:
        assert "needs hops over" in str(error)
        return
    assert all(edge.forward.min() >= 0 and edge.backward.min() >= 0 for edge in W.edges)
    assert W.killing.min() >= 0
    assert W.absorbing == (boundary == "absorbing")
    # The diagonal is a sum of as many rounded terms as there are jumps.
    columns = W.matrix.sum(axis=0) + W.killing.ravel()
    assert (np.abs(columns) <= 4 * len(W.edges) * EPS * np.abs(W.diagonal.ravel())).all()
    assert_boltzmann_stationary(W, landscape, 0.5)


def assert_boltzmann_stationary(W, landscape, temperature):
    """W P = −killing P for P ∝ w e^{−L/T}, term by term to rounding of e^{−L/T} and of the weights."""
    P = np.exp(W.log_equilibrium - W.log_equilibrium.max()).ravel()
    residual = W.matrix @ P + W.killing.ravel() * P
    size = abs(W.matrix) @ P
    largest = np.abs(landscape.value(W.grid.points)).max() / temperature
    assert (np.abs(residual) <= 16 * EPS * (1 + largest) * size).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), dimension=st.sampled_from([2, 3]), temperature=st.floats(0.05, 5))
def test_boltzmann_density_is_stationary_on_any_landscape(seed, dimension, temperature):
    rng = np.random.default_rng(seed)
    landscape = random_landscape(rng, dimension)
    grid = walled_grid((17, 20, 9)[:dimension])
    mobility = TURNING if dimension == 2 else random_tensor(rng, 3, 30.0)
    W = tensor_generator(fp.Langevin(landscape, temperature=temperature, mobility=mobility), grid)
    assert W.reversible
    assert_boltzmann_stationary(W, landscape, temperature)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), dimension=st.sampled_from([2, 3]), anisotropy=st.floats(1, 1e3))
def test_every_cell_of_a_box_can_be_reached(seed, dimension, anisotropy):
    rng = np.random.default_rng(seed)
    grid = walled_grid((31, 25) if dimension == 2 else (16, 13, 14))
    flat = fp.Landscape("+".join(f"0*{n}" for n in grid.names), variables=grid.names)
    D = random_tensor(rng, dimension, anisotropy)
    try:
        W = tensor_generator(fp.Langevin(flat, temperature=1.0, mobility=D), grid)
    except GridError:
        return
    assert csgraph.connected_components(W.matrix, directed=False)[0] == 1


@pytest.mark.parametrize("boundary", ["reflecting", "absorbing", "periodic"])
def test_diagonal_tensor_is_the_axis_aligned_generator(boundary):
    grid = fp.Grid(x=fp.Axis(-1, 1, 12, boundary=boundary), y=fp.Axis(-1, 1, 9, boundary="reflecting"))
    landscape = fp.Landscape("cos(pi*x) + y**2", variables=("x", "y"))
    options = {"temperature": 0.3, "force": (0.5, "x")} if boundary != "periodic" else {"temperature": 0.3}
    full = tensor_generator(fp.Langevin(landscape, mobility=[[2.0, 0.0], [0.0, 3.0]], **options), grid)
    split = finite_volume_generator(fp.Langevin(landscape, mobility=[2.0, 3.0], **options), grid)
    difference = abs(full.matrix - split.matrix).max()
    # F_y = x is the same at the ends and in the middle of the edges along y, so both agree to rounding.
    assert difference <= 64 * EPS * abs(split.matrix).max()


def test_variables_and_axes_may_come_in_any_order():
    landscape = fp.Landscape("x**2 + 0.3*x*y + y**4", variables=("x", "y"))
    dynamics = fp.Langevin(landscape, temperature=0.4, mobility=[[3.0, 1.4], [1.4, 1.0]], force=("y", "-2*x"))
    axes = {"x": fp.Axis(-1, 1, 8, boundary="reflecting"), "y": fp.Axis(-2, 2, 11, boundary="reflecting")}
    straight = tensor_generator(dynamics, fp.Grid(**axes))
    swapped = tensor_generator(dynamics, fp.Grid(y=axes["y"], x=axes["x"]))
    cells = np.arange(88).reshape(8, 11).T.ravel()
    assert abs(swapped.matrix - straight.matrix[cells][:, cells]).max() <= 64 * EPS * abs(straight.matrix).max()


def test_isothermal_noise_in_proportion_to_mobility_is_thermal():
    grid = walled_grid((14, 15))
    landscape = fp.Landscape("x**4 - x**2 + x*y + y**2", variables=("x", "y"))
    noise = [[f"0.25*({entry})" for entry in row] for row in TURNING]
    thermal = tensor_generator(fp.Langevin(landscape, temperature=0.25, mobility=TURNING), grid)
    independent = tensor_generator(
        fp.Langevin(landscape, mobility=TURNING, diffusion=noise, convention="klimontovich"), grid
    )
    assert not independent.reversible
    # D⁻¹M = 1/T comes out of a linear solve, whose error is the condition number of D (3) times rounding.
    assert abs(thermal.matrix - independent.matrix).max() <= 1e3 * EPS * abs(thermal.matrix).max()


@pytest.mark.parametrize(("convention", "power"), [("ito", 3.0), ("stratonovich", 2.5), ("klimontovich", 2.0)])
def test_conventions_against_closed_forms(convention, power):
    # D = gK with g = 1 + r²/4, drift −K∇(r²/2): no flux where p ∝ g^{−power}, 1/(2·1/4) from the drift and
    # c = 1, 1/2, 0 from the convention. No flux anywhere, so walls change nothing.
    K = np.array([[2.0, 1.2], [1.2, 1.0]])
    noise = [[f"({entry!r})*(1 + (x**2 + y**2)/4)" for entry in row] for row in K.tolist()]
    errors = []
    cells = (16, 32, 64)
    for n in cells:
        grid = fp.Grid(x=fp.Axis(-1, 2, n, boundary="reflecting"), y=fp.Axis(-2, 1, n, boundary="reflecting"))
        dynamics = fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), mobility=K, diffusion=noise, convention=convention)
        W = tensor_generator(dynamics, grid)
        p = orders._stationary(W)
        exact = (1 + (grid.points**2).sum(axis=-1) / 4) ** -power
        exact /= (exact * grid.volumes).sum()
        errors.append(np.abs(p - exact).sum() / exact.sum())
    slope = -np.polyfit(np.log(cells), np.log(errors), 1)[0]
    assert slope > SECOND
    wrong = (1 + (grid.points**2).sum(axis=-1) / 4) ** -(power - 0.5)
    wrong /= (wrong * grid.volumes).sum()
    # The next convention's density is told apart.
    assert np.abs(p - wrong).sum() > 20 * np.abs(p - exact).sum()


@pytest.mark.parametrize("degrees", [15, 30, 70])
def test_order_with_reflecting_walls(degrees):
    *measured, _ = orders.box_diffusion(degrees, cells=(16, 32, 64))
    for entry in measured:
        assert entry.reference_error < 0.1 * entry.errors[-1]
        assert entry.order > SECOND


def test_order_without_the_mended_walls_is_one(monkeypatch):
    monkeypatch.setattr(tensor, "taper", lambda *arguments: None)
    monkeypatch.setattr(tensor, "add_tangential", lambda *arguments: None)
    monkeypatch.setattr(tensor, "link_corners", lambda *arguments: None)
    rates, density, *_ = orders.box_diffusion(15, cells=(16, 32, 64))
    assert rates.order < 1.3
    assert density.order < 1.4


def test_order_in_three_dimensions():
    entry = orders.box_diffusion_3d(cells=(8, 12, 18))
    assert entry.reference_error < 0.1 * entry.errors[-1]
    assert entry.order > SECOND


def test_order_with_turning_mobility_and_a_density_at_the_walls():
    entry = orders.confined_mobility(cells=(16, 32, 64))
    assert entry.reference_error < 0.1 * entry.errors[-1]
    assert entry.order > SECOND


@pytest.mark.parametrize("convention", ["ito", "stratonovich"])
def test_order_with_turning_noise_and_a_force(convention):
    entry = orders.independent_noise(convention, cells=(16, 32, 64))
    assert entry.reference_error < 0.1 * entry.errors[-1]
    assert entry.order > SECOND


def test_order_of_the_exit_time_through_absorbing_walls():
    entry = orders.exit_times(30, [(True, True), (True, True)], cells=(16, 32, 64))
    assert entry.reference_error < 0.1 * entry.errors[-1]
    assert entry.order > SECOND


def test_rotational_ornstein_uhlenbeck_covariance():
    entry = orders.rotational_ornstein_uhlenbeck(cells=(24, 48, 96))
    assert entry.order > SECOND


def test_exit_time_beside_a_reflecting_wall():
    # With y periodic the time depends on x alone: τ = (1 − x²)/(2 D_xx) for a reflecting wall at 0, absorbing at 1.
    D = orders.rotated_tensor(30.0, 20.0)
    errors = []
    cells = (12, 24, 48)
    for n in cells:
        grid = fp.Grid(
            x=fp.Axis(0, 1, n, boundary=("reflecting", "absorbing")), y=fp.Axis(0, 1, n, boundary="periodic")
        )
        W = tensor_generator(fp.Langevin(fp.Landscape("0*x + 0*y"), temperature=1.0, mobility=D), grid)
        times = orders._solve(W.matrix.T, -np.ones(W.n_state)).reshape(grid.shape)
        exact = (1 - grid.points[..., 0] ** 2) / (2 * D[0, 0])
        errors.append(np.abs(times - exact).max() / exact.max())
    assert -np.polyfit(np.log(cells), np.log(errors), 1)[0] > SECOND


def test_tilted_periodic_axis_carries_a_current():
    # L = −x on a ring is a constant force: uniform density, velocity M_xx along x, M_xy along y.
    M = np.array([[2.0, 1.4], [1.4, 1.2]])
    grid = fp.Grid(x=fp.Axis(0, 1, 10, boundary="periodic"), y=fp.Axis(0, 1, 10, boundary="periodic"))
    tilted = tensor_generator(fp.Langevin(fp.Landscape("-x + 0*y"), temperature=0.7, mobility=M), grid)
    forced = tensor_generator(
        fp.Langevin(fp.Landscape("0*x + 0*y"), temperature=0.7, mobility=M, force=(1.0, 0.0)), grid
    )
    assert not tilted.reversible
    assert abs(tilted.matrix - forced.matrix).max() <= 64 * EPS * abs(forced.matrix).max()
    velocity = sum((edge.forward[0, 0] - edge.backward[0, 0]) * np.array(edge.offset) * 0.1 for edge in tilted.edges)
    assert velocity == pytest.approx(M[0], rel=1e-12)


def test_loss_without_the_period_is_refused():
    grid = fp.Grid(x=fp.Axis(0, 1, 10, boundary="periodic"), y=(0, 1, 10))
    with pytest.raises(GridError, match="periodic with period"):
        tensor_generator(fp.Langevin(fp.Landscape("x**2 + y"), temperature=1.0, mobility=[[2, 1], [1, 2]]), grid)


def test_taper_keeps_the_flux_through_every_face_in_proportion():
    spans = (1, 2, 3)
    profiles = {a: taper_profile(a, spans, 12) for a in spans}
    through = {a: np.convolve(profiles[a], np.ones(a))[:12] / a for a in spans}
    assert np.allclose(through[1], through[2], rtol=0, atol=8 * EPS)
    assert np.allclose(through[1], through[3], rtol=0, atol=8 * EPS)
    assert all(np.all(np.diff(profile) >= 0) and profile[-1] == pytest.approx(1) for profile in profiles.values())


def test_notes_say_what_was_done():
    grid = walled_grid((20, 20))
    W = tensor_generator(
        fp.Langevin(fp.Landscape("0*x + 0*y"), temperature=1.0, mobility=orders.rotated_tensor(30, 15)), grid
    )
    assert any("second order" in note for note in W.notes)
    assert any("longest offset (3, 1)" in note for note in W.notes)
    small = tensor_generator(W.dynamics, walled_grid((5, 5)))
    assert any("too small for the anisotropy" in note for note in small.notes)


@pytest.mark.parametrize("kind", ["constant", "place"])
def test_rank_deficient_noise_is_refused_or_floored(kind):
    diffusion = [[1.0, 1.0], [1.0, 1.0]] if kind == "constant" else [["1", "x"], ["x", "x**2"]]
    convention = None if kind == "constant" else "ito"
    dynamics = fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), diffusion=diffusion, convention=convention)
    grid = walled_grid((16, 16))
    with pytest.raises(DynamicsError, match=r"rank-deficient: D has the eigenvalues .*floor="):
        tensor_generator(dynamics, grid)
    W = tensor_generator(dynamics, grid, floor=0.05)
    assert any("raised to floor = 0.05" in note for note in W.notes)
    assert min(edge.forward.min() for edge in W.edges) >= 0


def test_floor_raises_only_small_eigenvalues():
    dynamics = fp.Langevin(fp.Landscape("x**2 + y**2"), temperature=0.5, mobility=[[2.0, 2.0], [2.0, 2.0]])
    noise = tensor_noise.TensorNoise(dynamics, walled_grid((4, 4)), floor=0.1)
    eigenvalues = np.linalg.eigvalsh(noise.diffusion(np.zeros((1, 2))))[0]
    assert eigenvalues == pytest.approx([0.1, 2.0], rel=1e-14)


def test_indefinite_noise_names_eigenvalue_and_place():
    mobility = [["1", "2*x"], ["2*x", "1"]]
    dynamics = fp.Langevin(fp.Landscape("x**2 + y**2"), temperature=1.0, mobility=mobility)
    with pytest.raises(DynamicsError, match=r"eigenvalue -0\.\d+ at θ = \["):
        tensor_generator(dynamics, walled_grid((20, 20)))


def test_bad_input_is_refused_with_a_remedy():
    landscape = fp.Landscape("x**2 + y**2")
    dynamics = fp.Langevin(landscape, temperature=1.0, mobility=[[2.0, 1.0], [1.0, 2.0]])
    stretched = fp.Grid(x=fp.Axis(-1, 1, 10, spacing="tanh", stretch=1.0), y=(-1, 1, 10))
    with pytest.raises(GridError, match="needs uniform axes, but 'x' is stretched"):
        tensor_generator(dynamics, stretched)
    with pytest.raises(GridError, match="did you mean"):
        tensor_generator(dynamics, walled_grid((8, 8)), "sqr")
    with pytest.raises(DynamicsError, match="floor = -1"):
        tensor_generator(dynamics, walled_grid((8, 8)), floor=-1)
    with pytest.raises(DynamicsError, match="temperature = 0"):
        tensor_generator(fp.Langevin(landscape, temperature=0.0, mobility=[[2, 1], [1, 2]]), walled_grid((8, 8)))
    steep = fp.Langevin(landscape, temperature=1.0, mobility=orders.rotated_tensor(1e4, 3.0))
    with pytest.raises(GridError, match=r"needs hops over .* cells along 'x'"):
        tensor_generator(steep, walled_grid((6, 6)))
    four = fp.Landscape("w**2 + x**2 + y**2 + z**2")
    grid = fp.Grid(**dict.fromkeys("wxyz", (0, 1, 3)))
    with pytest.raises(GridError, match="at most three axes"):
        tensor_generator(fp.Langevin(four, temperature=1.0, mobility=np.eye(4) + 0.1), grid)


def test_symmetric_root():
    rng = np.random.default_rng(3)
    for dimension in (2, 3):
        D = np.stack([random_tensor(rng, dimension, 100.0) for _ in range(20)])
        root = tensor_noise.symmetric_root(D)
        assert np.allclose(root @ root, D, rtol=0, atol=1e3 * EPS * 100)
        assert np.linalg.eigvalsh(root).min() > 0


def test_grid_through_the_density_warns():
    dynamics = fp.Langevin(fp.Landscape("x**2 + y**2"), temperature=1.0, mobility=[[2.0, 1.0], [1.0, 2.0]])
    with pytest.warns(fp.errors.GridWarning, match="cuts through"):
        tensor_generator(dynamics, fp.Grid(x=(-1, 1, 10), y=(-1, 1, 10)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor_generator(dynamics, walled_grid((10, 10)))
