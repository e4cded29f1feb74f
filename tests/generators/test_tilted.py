from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.errors import InputError, MethodError, NumericalError
from fpsolver.generators.counting import (
    counting,
    current_across,
    entropy_flow,
    force_work,
    heat,
    time_integral,
    winding,
)
from fpsolver.generators.tilted import tilted

EPSILON = np.finfo(float).eps


def ring(cells=40, loss="cos(x) + 0.3*sin(2*x)", **options):
    law = fp.Langevin(fp.Landscape(loss), **{"temperature": 0.7, "force": ("0.5",), **options})
    return fp.generator(law, fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic")))


def torus(**options):
    axis = fp.Axis(0, 2 * np.pi, 9, boundary="periodic")
    law = fp.Langevin(fp.Landscape("cos(x) + cos(y - x)"), **{"temperature": 1.0, "force": ("1", "sin(x)"), **options})
    return fp.generator(law, fp.Grid(x=axis, y=axis))


def fastest(W):
    return float(np.abs(W.diagonal).max())


@pytest.mark.parametrize(
    "W", [ring(), torus(), torus(mobility=[[1.0, 0.6], [0.6, 2.0]])], ids=["ring", "plane", "tensor"]
)
@pytest.mark.parametrize("name", ["entropy_flow", "heat", "force_work"])
def test_nothing_is_tilted_at_zero(W, name):
    assert abs(tilted(W, name, 0.0).matrix - W.matrix).max() == 0


@settings(max_examples=20, deadline=None)
@given(st.floats(-2, 2), st.floats(-3, 3))
def test_entropy_flow_at_mirrored_s_gives_the_transpose(s, force):
    """The microscopic form of the Gallavotti–Cohen symmetry, to rounding of the rates and of e^{s a}."""
    W = ring(force=(repr(force),))
    left, right = tilted(W, "entropy_flow", s).matrix, tilted(W, "entropy_flow", -1.0 - s).adjoint
    assert abs(left - right).max() <= 32 * EPSILON * abs(left).max()


def test_on_stretched_axes_the_flow_is_that_between_densities():
    """Cells of other widths hold other entropies, which is none of the bath's: what remains is (F h − ΔL)/T."""
    grid = fp.Grid(x=fp.Axis(-3, 3, 30, spacing="tanh", stretch=1.5))
    W = fp.generator(fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.5, force=("0.3",)), grid)
    x = grid.axes[0].centres
    expected = 0.3 * np.diff(x) - np.diff(x**4 / 4 - x**2 / 2)
    found = heat(W).jumps[0][0]
    assert np.abs(found[:-1] - expected).max() < 1e-12
    assert found[-1] == 0


def test_heat_is_work_less_energy_gained():
    """First law on every edge, where the work is that of the force alone."""
    W = torus()
    loss = np.asarray(W.dynamics.landscape.value(W.grid.points))
    for edge, done, given_off in zip(W.edges, force_work(W).jumps, heat(W).jumps, strict=True):
        gained = np.roll(loss, tuple(-k for k in edge.offset), axis=(0, 1)) - loss
        assert np.abs(done[0] - given_off[0] - gained).max() < 1e-12
    assert np.abs(force_work(torus()).jumps[0][0] - 2 * np.pi / 9).max() < 1e-12


def test_tilt_of_the_loss_is_a_force():
    tilt, force = ring(loss="cos(x) - 0.5*x", force=None), ring(loss="cos(x)")
    for name in (force_work, heat, entropy_flow):
        assert np.abs(name(tilt).jumps[0][0] - name(force).jumps[0][0]).max() < 1e-12


def test_heat_of_each_bath_adds_up():
    grid = fp.Grid(x=(-4, 4, 12), y=(-5, 5, 10))
    law = fp.Langevin(fp.Landscape("(x**2 + y**2 + x*y)/2"), mobility=(1.0, 2.0), diffusion=(1.0, 6.0))
    W = fp.generator(law, grid)
    whole = heat(W)
    for k, (name, temperature) in enumerate((("x", 1.0), ("y", 3.0))):
        part = heat(W, name)
        assert np.array_equal(part.jumps[k][0], whole.jumps[k][0])
        assert not part.jumps[1 - k][0].any()
        assert np.allclose(part.jumps[k][0], temperature * entropy_flow(W).jumps[k][0], rtol=1e-14)


@pytest.mark.parametrize("W", [torus(), torus(mobility=[[1.0, 0.6], [0.6, 2.0]])], ids=["diagonal", "oblique"])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_currents_and_windings_differ_by_a_gradient_only(W, axis):
    """Summed over all faces of an axis, crossings are displacements in cells: n times the winding, edge by edge."""
    faces = W.grid.axes[0].faces[:-1]
    total = sum(np.stack([side for side, _ in current_across(W, axis, at).jumps]) for at in faces)
    turns = np.stack([side for side, _ in winding(W, axis).jumps])
    assert np.abs(total - len(faces) * turns).max() < 1e-12


def test_observables_of_ones_own_see_points_and_images():
    W = ring(8)
    moved = counting(W, lambda x, y: (y - x)[..., 0] / (2 * np.pi), rate=lambda x: x[..., 0] ** 2)
    assert np.abs(moved.jumps[0][0] - winding(W, "x").jumps[0][0]).max() < 1e-15
    assert np.allclose(moved.rate, W.grid.axes[0].centres ** 2)
    diagonal = tilted(W, moved, 0.5).diagonal - W.diagonal
    assert np.allclose(diagonal, 0.5 * W.grid.axes[0].centres ** 2)


def test_exponential_average_over_every_path():
    """e^{tM} against the sum over numbers of jumps: in a chain of two cells ⟨e^{s(number of jumps)}⟩ is elementary."""
    grid = fp.Grid(x=fp.Axis(0, 1, 2, boundary="reflecting"))
    W = fp.generator(fp.Langevin(fp.Landscape("0*x"), temperature=1.0), grid)
    activity = counting(W, lambda x, y: np.ones(x.shape[:-1]))
    rate = float(W.edges[0].forward[0])
    for s in (0.7, 0.3j):
        found = (expm(0.2 * tilted(W, activity, s).matrix.toarray()) @ [0.5, 0.5]).sum()
        # Jumps at one and the same rate from either cell are a Poisson process.
        assert abs(found - np.exp(0.2 * rate * (np.exp(s) - 1))) < 1e-13


def test_applied_to_a_density():
    W = torus()
    M = tilted(W, time_integral(W, lambda x: x[..., 0]), 0.4)
    p = np.ones(W.grid.shape)
    assert np.allclose(M.apply(p), W.apply(p) + 0.4 * W.grid.points[..., 0])
    assert "time integral" in repr(M)


def test_refusals_name_the_remedy():
    W = ring()
    with pytest.raises(InputError, match="did you mean"):
        tilted(W, "entropy_flo", 1.0)
    with pytest.raises(InputError, match="finite"):
        tilted(W, "heat", np.nan)
    with pytest.raises(InputError, match="no number"):
        tilted(W, "heat", "one")
    with pytest.raises(InputError, match="same generator"):
        tilted(W, heat(torus()), 1.0)
    with pytest.raises(NumericalError, match="overflows"):
        _ = tilted(W, "entropy_flow", 1e5).matrix
    with pytest.raises(InputError, match="not finite"):
        counting(W, rate=np.full(40, np.inf))
    driven = fp.Langevin(
        fp.Landscape("a*x**2", variables=("x",), parameters={"a": 1.0}), temperature=1.0, protocol={"a": "t"}
    )
    with pytest.raises(MethodError, match="at\\(t\\)"):
        tilted(fp.generator(driven, fp.Grid(x=(-1, 1, 9))), "heat", 1.0)
    varying = fp.Langevin(fp.Landscape("0*x"), diffusion="2 + sin(x)", convention="ito")
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 9, boundary="periodic"))
    with pytest.raises(MethodError, match="no temperature"):
        heat(fp.generator(varying, grid))
