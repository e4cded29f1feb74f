"""Invariants of the finite-volume generator, and its order of accuracy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.errors import DynamicsError, GridError, GridWarning, LandscapeError, NumericalError
from fpsolver.generators import DrivenGenerator

WALL = "reflecting"


def orders(errors):
    """Measured orders between successive halvings of the cell width."""
    return np.log2(np.abs(np.divide(errors[:-1], errors[1:])))


def null_density(W):
    """Stationary density by dense linear algebra, a route that no solver of the package takes."""
    matrix = W.matrix.toarray()
    matrix[-1] = 1.0
    rhs = np.zeros(W.n_state)
    rhs[-1] = 1.0
    return W.decode(np.linalg.solve(matrix, rhs))


@st.composite
def problems(draw):
    """Random landscapes, meshes, mobilities and temperatures in one and two dimensions."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    names = ("x", "y")[: draw(st.integers(1, 2))]
    axes = {}
    for name in names:
        boundary = draw(st.sampled_from([WALL, "absorbing", (WALL, "absorbing")]))
        faces = np.cumsum(rng.uniform(0.05, 1.0, draw(st.integers(3, 9))))
        axes[name] = fp.Axis(faces=faces, boundary=boundary)
    terms = [f"{rng.normal():.3f}*{name}**{power}" for name in names for power in (1, 2, 3, 4)]
    landscape = fp.Landscape(" + ".join(terms) + (" + 2*sin(3*x*y)" if len(names) == 2 else ""), variables=names)
    mobility = draw(st.sampled_from([1.7, "1 + x**2", [f"1 + {name}**2" for name in names]]))
    return landscape, fp.Grid(**axes), 10 ** draw(st.floats(-1.5, 1.5)), mobility


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(["scharfetter-gummel", "sqra"]))
def test_any_problem_gives_a_sub_markov_generator_in_detailed_balance(problem, scheme):
    landscape, grid, temperature, mobility = problem
    try:
        W = fp.generator(fp.Langevin(landscape, temperature=temperature, mobility=mobility), grid, scheme=scheme)
    except NumericalError:
        assert scheme == "sqra"  # e^{z/2} overflows on a coarse mesh at low temperature; the other weights cannot
        return
    matrix = W.matrix.toarray()
    scale = np.abs(np.diag(matrix))
    assert (matrix - np.diag(np.diag(matrix)) >= 0).all()
    assert (W.killing >= 0).all()
    assert np.allclose(matrix.sum(axis=0) + W.killing.ravel(), 0, atol=1e-14 * scale.max(), rtol=0)
    # Detailed balance edge by edge, in logarithms since weights underflow: ln r(i→j)/r(j→i) = ln P_j − ln P_i, to
    # the rounding of L/T. Where the smaller rate underflows there is nothing to compare.
    size = 1 + np.abs(W.log_equilibrium).max() + np.abs(landscape.value(grid.points)).max() / temperature
    for edge in W.edges:
        there = np.roll(W.log_equilibrium, [-step for step in edge.offset], axis=tuple(range(grid.dimension)))
        both = np.minimum(edge.forward, edge.backward) > 1e-290
        ratio = np.log(edge.forward[both]) - np.log(edge.backward[both])
        assert np.abs(ratio - (there - W.log_equilibrium)[both]).max(initial=0) <= 1e-14 * size
    if not W.absorbing:
        p = fp.boltzmann(landscape, grid, temperature)
        # A probability that underflows takes the flow out of its cell with it.
        lost = np.finfo(float).tiny * scale.sum()
        flows = (scale * W.encode(p)).sum()
        assert np.abs(W.encode(W.apply(p))).sum() <= 1e-13 * flows * max(1.0, 1 / temperature) + lost


@settings(max_examples=30, deadline=None)
@given(problems(), st.floats(-30, 30), st.sampled_from(["ito", "stratonovich", "klimontovich"]))
def test_forces_and_independent_diffusion_keep_it_markov(problem, force, convention):
    landscape, grid, temperature, mobility = problem
    forces = [force] * grid.dimension
    for options in (
        {"temperature": temperature, "mobility": mobility},
        {"diffusion": mobility, "convention": convention},
    ):
        W = fp.generator(fp.Langevin(landscape, force=forces, **options), grid)
        matrix = W.matrix.toarray()
        assert (matrix - np.diag(np.diag(matrix)) >= 0).all()
        residual = matrix.sum(axis=0) + W.killing.ravel()
        assert np.abs(residual).max() <= 1e-14 * np.abs(matrix).max()


def test_apply_matrix_and_edges_agree(quartic):
    grid = fp.Grid(x=fp.Axis(-2, 2, 30, boundary=WALL), y=fp.Axis(0, 2 * np.pi, 20, boundary="periodic"))
    landscape = fp.Landscape("x**4/4 - x**2/2 + cos(y)*x**2")
    W = fp.generator(fp.Langevin(landscape, temperature=0.3, force=["y*0", "1 + x"]), grid)
    p = fp.density(grid, lambda x, y: np.exp(-(x**2)) * (1.1 + np.sin(y)))
    P = W.encode(p).reshape(grid.shape)
    change = np.zeros(grid.shape)
    for edge in W.edges:
        for here in np.ndindex(grid.shape):
            there = tuple((i + o) % n for i, o, n in zip(here, edge.offset, grid.shape, strict=True))
            flux = edge.forward[here] * P[here] - edge.backward[here] * P[there]
            change[here] -= flux
            change[there] += flux
    assert np.allclose(W.apply(p) * grid.volumes, change, rtol=0, atol=1e-12 * np.abs(change).max())
    assert np.allclose(W.adjoint.toarray(), W.matrix.toarray().T)


@pytest.mark.parametrize("scheme", ["scharfetter-gummel", "sqra"])
@pytest.mark.parametrize("spacing", ["uniform", "tanh"])
def test_slowest_rate_converges_at_second_order(quartic, scheme, spacing):
    exact = 0.187170418087
    errors = []
    for cells in (80, 160, 320):
        options = {"spacing": spacing, "stretch": 0.7} if spacing == "tanh" else {}
        W = fp.generator(
            fp.Langevin(quartic, temperature=0.25), fp.Grid(x=fp.Axis(-3, 3, cells, **options)), scheme=scheme
        )
        errors.append(np.sort(-np.linalg.eigvals(W.matrix.toarray()).real)[1] - exact)
    assert (np.abs(orders(errors) - 2) < 0.1).all()


@pytest.mark.parametrize(("convention", "variance"), [("ito", 4 / 3), ("stratonovich", 2.0), ("klimontovich", 4.0)])
def test_conventions_give_their_stationary_variance(convention, variance):
    """D = 1 + x²/4 under drift −x: p ∝ D^(−2−c), hence variance 4/3 (Itô), 2 (Stratonovich); 4 (Klimontovich).

    p ∝ exp ∫(b − cD')/D = (1 + x²/4)^{−2−c}; with ν = 2(2 + c) − 1 degrees of freedom of Student's t the variance is
    4/(ν − 2) = 4/(1 + 2c). Tails fall as |x|^{−4−2c}, so each grid reaches far and stretches with sinh.
    """
    bowl = fp.Landscape("x**2/2")
    errors = []
    for cells in (200, 400, 800):
        faces = np.sinh(np.linspace(-1, 1, cells + 1) * np.arcsinh(1e7))
        grid = fp.Grid(x=fp.Axis(faces=faces, boundary=WALL))
        W = fp.generator(fp.Langevin(bowl, diffusion="1 + x**2/4", convention=convention), grid)
        edge = W.edges[0]
        # Zero current in one dimension: the ratio of neighbours is the ratio of the two rates between them.
        logarithm = np.append(0.0, np.cumsum(np.log(edge.forward[:-1] / edge.backward[:-1])))
        P = np.exp(logarithm - logarithm.max())
        errors.append((P * grid.points[..., 0] ** 2).sum() / P.sum() - variance)
    assert (np.abs(orders(errors) - 2) < 0.1).all()
    assert abs(errors[-1]) < 0.01 * variance


def test_thermal_mobility_keeps_the_boltzmann_density_whatever_its_shape(quartic):
    grid = fp.Grid(x=fp.Axis(-2, 2, 50, boundary=WALL))
    W = fp.generator(fp.Langevin(quartic, temperature=0.2, mobility="0.1 + x**2"), grid)
    assert np.allclose(null_density(W), fp.boltzmann(quartic, grid, 0.2), rtol=1e-11)


@pytest.mark.parametrize(("temperature", "force", "velocity"), [(1.0, 0.5, 0.338454722018), (0.1, 0.9, 0.210109800500)])
@pytest.mark.parametrize("tilt", ["landscape", "force"])
def test_washboard_velocity_from_a_tilt_or_a_force(temperature, force, velocity, tilt):
    if tilt == "landscape":
        dynamics = fp.Langevin(fp.Landscape(f"cos(x) - {force}*x"), temperature=temperature)
    else:
        dynamics = fp.Langevin(fp.Landscape("cos(x)"), temperature=temperature, force=[force])
    errors = []
    for cells in (64, 128, 256):
        grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic"))
        W = fp.generator(dynamics, grid)
        assert not W.reversible
        P = W.encode(null_density(W))
        edge = W.edges[0]
        flux = edge.forward * P - edge.backward * np.roll(P, -1)
        assert np.ptp(flux) <= 1e-10 * abs(flux[0])
        errors.append(2 * np.pi * flux[0] - velocity)
    assert (np.abs(orders(errors) - 2) < 0.1).all()


def test_absorbing_faces_are_exact_for_brownian_motion_up_to_the_cell_average():
    """MFPT between walls ±1: (1 − x²)/2D + h²/8D at cell centres, to rounding."""
    grid = fp.Grid(x=fp.Axis(-1, 1, 40, boundary="absorbing"))
    W = fp.generator(fp.Langevin(fp.Landscape("0*x"), temperature=0.5), grid)
    tau = np.linalg.solve(W.adjoint.toarray(), -np.ones(40))
    x, h = grid.points[..., 0], grid.axes[0].widths[0]
    assert np.allclose(tau, (1 - x**2) + h**2 / 4, rtol=1e-12)


def test_driven_dynamics_give_a_generator_at_each_time(quartic):
    landscape = fp.Landscape("a*x**2/2", parameters={"a": 1.0}, variables=("x",))
    dynamics = fp.Langevin(landscape, temperature=0.2, protocol={"a": "1 + t"})
    W = fp.generator(dynamics, fp.Grid(x=(-4, 4, 40)))
    assert isinstance(W, DrivenGenerator)
    frozen = fp.generator(fp.Langevin(landscape.with_parameters(a=3.0), temperature=0.2), W.grid)
    assert np.allclose(W.at(2.0).matrix.toarray(), frozen.matrix.toarray(), rtol=1e-14)


def test_a_grid_that_cuts_through_the_density_warns_where(quartic):
    with pytest.warns(GridWarning, match=r"cells at x = 1\. Extend"):
        fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=(-3, 1, 100)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=fp.Axis(-3, 1, 100, boundary=WALL)))


@pytest.mark.parametrize(
    ("dynamics", "grid", "error", "message"),
    [
        (lambda L: fp.Langevin(L, temperature=0.0), {}, DynamicsError, "temperature = 0"),
        (lambda L: fp.Langevin(L, temperature=1.0, mobility=0.0), {}, DynamicsError, "leaves no noise"),
        (lambda L: fp.Langevin(L, diffusion="x**2 + x", convention="ito"), {}, DynamicsError, "must not be negative"),
        (lambda L: fp.Langevin(L, diffusion="Max(x, 0)", convention="ito"), {}, DynamicsError, "vanishes on the grid"),
        (
            lambda L: fp.Langevin(L, temperature=1.0, mobility="1/x"),
            {"cells": 5},
            DynamicsError,
            "not be negative|finite",
        ),
        (lambda L: fp.Langevin(fp.Landscape("z"), temperature=1.0), {}, GridError, "do not match"),
        (lambda L: fp.Langevin(fp.Landscape("log(x)"), temperature=1.0), {}, LandscapeError, "the loss is nan"),
        (
            lambda L: fp.Langevin(L, temperature=1.0),
            {"boundary": "periodic"},
            GridError,
            "the gradient of the loss is not",
        ),
        (lambda L: L, {}, DynamicsError, "has no generator"),
    ],
)
def test_bad_problems_are_refused(dynamics, grid, error, message):
    bowl = fp.Landscape("x**4/4 + x**3")
    axis = fp.Axis(-2, 2, grid.pop("cells", 20), boundary=grid.pop("boundary", WALL))
    with pytest.raises(error, match=message):
        fp.generator(dynamics(bowl), fp.Grid(x=axis))


def test_unknown_schemes_are_refused_with_a_hint(quartic):
    with pytest.raises(GridError, match='did you mean "sqra"'):
        fp.generator(fp.Langevin(quartic, temperature=1.0), fp.Grid(x=(-5, 5, 20)), scheme="sqr")


def test_overflowing_rates_are_located():
    with pytest.raises(NumericalError, match="refine the grid"):
        fp.generator(fp.Langevin(fp.Landscape("1e6*x**2"), temperature=0.01), fp.Grid(x=(-2, 2, 10)), scheme="sqra")
