from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_generator
from scipy.linalg import solve_continuous_lyapunov

import fpsolver as fp
from fpsolver.errors import InputError, MethodError, NoStationaryState
from fpsolver.generators import Edge, Generator
from fpsolver.solvers.linear import solve_generator


def observed_orders(errors):
    errors = np.abs(errors)
    return np.log2(errors[:-1] / errors[1:])


def covariance(p):
    points, mass = p.grid.points.reshape(-1, p.grid.dimension), (p.values * p.grid.volumes).ravel()
    return (points.T * mass) @ points


def test_with_detailed_balance_nothing_is_solved(quartic):
    W = fp.generator(fp.Langevin(quartic, temperature=0.05), fp.Grid(x=(-2.5, 2.5, 400)))
    p = fp.stationary(W)
    centres = W.grid.axes[0].centres
    boltzmann = np.exp(-(quartic.value(centres[:, None]) + 0.25) / 0.05)
    assert p.method == "detailed balance"
    assert np.abs(p.values / (boltzmann / (boltzmann * W.grid.volumes).sum()) - 1).max() < 1e-12
    assert p.residual < 1e-14


# Velocity ⟨ẋ⟩ in U = cos x − F x with unit mobility (Stratonovich's formula).
@pytest.mark.parametrize("temperature, force, velocity", [(1.0, 0.5, 0.338454722018), (0.1, 0.9, 0.210109800500)])
def test_the_washboard_drifts_at_the_known_velocity(temperature, force, velocity):
    errors = []
    for cells in (50, 100, 200):
        law = fp.Langevin(fp.Landscape("cos(x)"), temperature=temperature, force=(force,))
        W = fp.generator(law, fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic")))
        p = fp.stationary(W)
        mass = p.values * W.grid.volumes
        through = W.edges[0].forward * mass - W.edges[0].backward * np.roll(mass, -1)
        assert p.method == "elimination"
        errors.append(2 * np.pi * through.mean() / velocity - 1)
    assert (np.abs(observed_orders(errors) - 2) < 0.15).all()
    # Richardson extrapolation leaves the next order, about (h²)² of the coarse error.
    assert abs((4 * errors[2] - errors[1]) / 3) < 0.03 * abs(errors[2])


@pytest.mark.parametrize(
    "law, drift, diffusion",
    [
        (
            fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), temperature=0.5, force=("-y", "x")),
            [[1, 1], [-1, 1]],
            [0.5, 0.5],
        ),
        (
            fp.Langevin(fp.Landscape("(x**2 + y**2)/2 + x*y/2"), diffusion=(0.25, 0.5)),
            [[1, 0.5], [0.5, 1]],
            [0.25, 0.5],
        ),
    ],
    ids=["rotational", "two temperatures"],
)
def test_driven_ornstein_uhlenbeck_covariances(law, drift, diffusion):
    exact = solve_continuous_lyapunov(np.array(drift, float), 2 * np.diag(diffusion))
    errors = []
    for cells in (24, 48, 96):
        p = fp.stationary(fp.generator(law, fp.Grid(x=(-5, 5, cells), y=(-5, 5, cells))))
        assert p.residual < 1e-14 and p.values.min() >= 0
        errors.append(np.abs(covariance(p) - exact).max())
    assert (observed_orders(errors) > 1.8).all()


def test_every_linear_route_gives_the_same_state():
    law = fp.Langevin(fp.Landscape("x**4/4 - x**2/2 + y**2/2"), temperature=0.2, force=("-y", "x"))
    W = fp.generator(law, fp.Grid(x=(-2.5, 2.5, 40), y=(-2.5, 2.5, 40)))
    p = fp.stationary(W)
    keep = np.arange(1600) != 800
    part, source = W.matrix[keep][:, keep], W.matrix[:, [800]].toarray().ravel()[keep]
    for route in ("lu", "multigrid"):
        rest, _ = solve_generator(part, -source, method=route)
        state = np.insert(rest, 800, 1.0)
        # The tolerance of the iterative route.
        assert np.abs(state / state.sum() - (p.values * W.grid.volumes).ravel()).sum() < 1e-8


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), periodic=st.booleans())
def test_random_networks_are_stationary_positive_and_unique(seed, periodic):
    W = random_generator(seed, boundary="periodic" if periodic else "reflecting")
    p = fp.stationary(W)
    assert (p.values > 0).all() and p.stats["unique"]
    assert abs((p.values * W.grid.volumes).sum() - 1) < 1e-14
    assert p.residual < 1e-13
    values, vectors = np.linalg.eig(W.matrix.todense())
    slowest = vectors[:, int(np.argmax(values.real))].real
    # The dense eigenvector is accurate to rounding over the gap, at least 1e-3 of the largest rate here.
    assert np.abs(slowest / slowest.sum() - (p.values * W.grid.volumes).ravel()).max() < 1e-9


def test_transient_cells_are_empty():
    grid = fp.Grid(x=(0, 1, 4))
    edge = Edge((1,), np.array([1.0, 2.0, 1.0, 0.0]), np.array([0.0, 0.0, 3.0, 0.0]))
    p = fp.stationary(Generator(grid, None, "one way", (edge,), np.zeros(4)))
    assert np.allclose(p.values * grid.volumes, [0, 0, 0.75, 0.25], rtol=1e-15, atol=0)
    assert p.stats["transient_cells"] == 2


def test_several_closed_classes_are_refused():
    grid = fp.Grid(x=(0, 1, 4))
    edge = Edge((1,), np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    with pytest.raises(MethodError, match="not unique: 2 sets"):
        fp.stationary(Generator(grid, None, "cut", (edge,), np.zeros(4)))


def test_leakage_names_the_wall_and_the_remedy(quartic):
    axis = fp.Axis(-2, 2, 40, boundary=("reflecting", "absorbing"))
    W = fp.generator(fp.Langevin(quartic, temperature=0.1), fp.Grid(x=axis))
    with pytest.raises(NoStationaryState, match=r"no stationary state.*x = 2 \(upper\).*quasi_stationary"):
        fp.stationary(W)


def test_a_driven_generator_must_be_frozen():
    law = fp.Langevin(
        fp.Landscape("a*x**2/2", parameters={"a": 1.0}), temperature=0.1, protocol={"a": fp.Protocol("1 + t")}
    )
    W = fp.generator(law, fp.Grid(x=(-2, 2, 40)))
    with pytest.raises(MethodError, match=r"\.at\(t\)"):
        fp.stationary(W)
    assert fp.stationary(W.at(1.0)).residual < 1e-14


def test_something_else_is_not_a_generator():
    with pytest.raises(InputError, match="not a generator"):
        fp.stationary(3)


@pytest.mark.parametrize("scheme", ["hermite", "upwind"])
def test_kinetic_schemes_keep_the_gibbs_state(quartic, scheme):
    law = fp.UnderdampedLangevin(quartic, temperature=0.25, friction=1.0)
    grid = fp.Grid(x=(-2.5, 2.5, 40), velocity={"x": (-3, 3, 24)})
    p = fp.stationary(fp.generator(law, grid, scheme))
    x, v = grid.points[..., 0], grid.points[..., 1]
    gibbs = np.exp(-(v**2 / 2 + quartic.value(x[..., None])) / 0.25)
    mass = p.values * grid.volumes
    # Marginal over positions: independent of how the scheme averages over velocity cells.
    expected = gibbs.sum(axis=1) / gibbs.sum()
    assert np.abs(mass.sum(axis=1) / mass.sum() - expected).max() < 1e-9
    assert p.residual < 1e-11


@pytest.mark.slow
def test_a_million_cells_in_two_dimensions_fit_into_sixty_doubles_a_cell():
    script = Path(__file__).parents[2] / "benchmarks" / "linear_algebra.py"
    command = [sys.executable, str(script), "--json", "stationary-2d"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert report["stationary-2d"]["doubles_per_cell"] < 60
    assert report["stationary-2d"]["estimated_error"] < 1e-8


def test_a_grid_that_cuts_through_a_driven_state_warns_where():
    law = fp.Langevin(fp.Landscape("x**2/2 + y**2/2"), temperature=0.5, force=("-y", "x"))
    with pytest.warns(fp.errors.GridWarning, match=r"cells at x = 1\. Extend") as caught:
        fp.stationary(fp.generator(law, fp.Grid(x=(-1, 1, 20), y=(-5, 5, 20))))
    assert "y =" not in str(caught[0].message) and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wall = fp.Axis(-1, 1, 20, boundary="reflecting")
        fp.stationary(fp.generator(law, fp.Grid(x=wall, y=(-5, 5, 20))))
