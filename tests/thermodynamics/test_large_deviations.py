from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import ConvergenceError, GridError, InputError, MethodError
from fpsolver.theory import biased_walk, linear_entropy, tilted_ring
from fpsolver.thermodynamics.large_deviations import (
    counting,
    current_across,
    dominant_state,
    entropy_flow,
    heat,
    rate_function,
    scaled_cumulants,
    scgf,
    tilted,
    time_integral,
    winding,
)

EPSILON = np.finfo(float).eps


def walk(up=2.0, down=1.0, cells=20):
    """A constant force on cells of size one gives rates `up` and `down`."""
    bias = np.log(up / down)
    law = fp.Langevin(fp.Landscape("0*x"), temperature=1.0, mobility=(up - down) / bias, force=(repr(float(bias)),))
    return fp.generator(law, fp.Grid(x=fp.Axis(0, cells, cells, boundary="periodic")))


def washboard(cells=60, temperature=0.5, force=0.5):
    law = fp.Langevin(fp.Landscape("-cos(x)"), temperature=temperature, force=(repr(force),))
    return fp.generator(law, fp.Grid(x=fp.Axis(0, 2 * np.pi, cells, boundary="periodic")))


def torus(cells=20):
    axis = fp.Axis(0, 2 * np.pi, cells, boundary="periodic")
    law = fp.Langevin(fp.Landscape("cos(x) + cos(y) + cos(x - y)/2"), temperature=1.0, force=("1", "sin(x)"))
    return fp.generator(law, fp.Grid(x=axis, y=axis))


def gyrator(cells):
    law = fp.Langevin(fp.Landscape("(x**2 + y**2)/2 + x*y/2"), mobility=1.0, diffusion=(1.0, 2.0))
    return fp.generator(law, fp.Grid(x=(-7.5, 7.5, cells), y=(-9.5, 9.5, cells)))


def rounding(W):
    """Eigenvalues are sums of rates."""
    return 64 * EPSILON * float(np.abs(W.diagonal).max())


def test_biased_walk_in_closed_form():
    W = walk()
    s = np.array([0.3, -0.3, 2.0, -4.0])
    found = scgf(W, 20.0 * winding(W, "x"), s, variances=True)
    for x, value, mean, variance in zip(s, found.values, found.means, found.variances, strict=True):
        up, down = 2 * np.exp(x), np.exp(-x)
        assert abs(value - float(biased_walk.scgf(x, up=2.0, down=1.0))) < rounding(W) * np.exp(abs(x))
        assert mean == pytest.approx(up - down, rel=1e-9)
        assert variance == pytest.approx(up + down, rel=1e-7)
    assert found.values[0] == pytest.approx(0.4405358358337241, rel=1e-13)


@pytest.mark.parametrize("make", [entropy_flow, lambda W: 2.0 * heat(W), lambda W: 0.5 * winding(W, "x")])
@pytest.mark.parametrize("s", [0.4, -0.6, 3.0])
def test_eigenvalue_against_a_dense_solver(make, s):
    for W in (washboard(), torus(12)):
        M = tilted(W, make, s)
        values = np.linalg.eigvals(M.matrix.toarray())
        state = dominant_state(M)
        # The dense solver errs by rounding times the norm times the condition of the eigenvalue, ‖l‖‖r‖ with l·r = 1.
        condition = np.linalg.norm(state.left) * np.linalg.norm(state.right)
        size = float(np.linalg.norm(M.matrix.toarray(), 2))
        assert abs(state.value - values.real.max()) < rounding(W) + 8 * EPSILON * size * condition
        assert state.bounds[0] - rounding(W) <= state.value <= state.bounds[1] + rounding(W)


def test_eigenvectors():
    M = tilted(torus(), "entropy_flow", 0.7)
    state = dominant_state(M)
    left, right = state.left.ravel(), state.right.ravel()
    assert left @ right == pytest.approx(1.0, rel=1e-12)
    tolerance = 1e-8 * rounding(M.generator) / (64 * EPSILON)
    assert np.abs(M.matrix @ right - state.value * right).max() < tolerance * right.max()
    assert np.abs(M.adjoint @ left - state.value * left).max() < tolerance * left.max()
    assert np.abs(state.process.matrix.sum(axis=0)).max() < rounding(M.generator)


@pytest.mark.parametrize("W", [washboard(), torus(), gyrator(24)], ids=["ring", "torus", "gyrator"])
def test_gallavotti_cohen_symmetry_to_rounding(W):
    s = np.array([0.0, 0.2, 0.6, 1.0])
    found = scgf(W, "entropy_flow", np.concatenate([s, -1.0 - s]))
    assert np.abs(found.values[:4] - found.values[4:]).max() < rounding(W)
    assert np.allclose(found.means[:4], -found.means[4:], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_work_of_the_force_is_symmetric_about_its_own_axis(temperature):
    W = washboard(temperature=temperature)
    s = np.array([0.3, 1.0]) / temperature
    found = scgf(W, "force_work", np.concatenate([s, -1 / temperature - s]))
    assert np.abs(found.values[:2] - found.values[2:]).max() < rounding(W)


def test_cumulants_agree_with_stationary_fluxes_and_with_differences():
    W = torus()
    c = scaled_cumulants(W, "entropy_flow")
    masses = np.asarray(fp.stationary(W)) * W.grid.volumes
    rate = 0.0
    for edge in W.edges:
        there = np.roll(masses, tuple(-k for k in edge.offset), axis=(0, 1))
        rate += np.sum((edge.forward * masses - edge.backward * there) * np.log(edge.forward / edge.backward))
    assert c.mean == pytest.approx(rate, rel=1e-7)
    h = 1e-2
    values = scgf(W, "entropy_flow", [-h, 0.0, h]).values
    # Second differences err by h²/12 of the fourth cumulant; Richardson below would show it.
    half = scgf(W, "entropy_flow", [-h / 2, 0.0, h / 2]).values
    coarse, fine = ((v[0] - 2 * v[1] + v[2]) / w**2 for v, w in ((values, h), (half, h / 2)))
    assert abs((4 * fine - coarse) / 3 - c.variance) < abs(fine - coarse) + 16 * rounding(W) / h**2


def test_drift_and_diffusion_on_a_tilted_ring_at_second_order():
    system = {"force": 0.5, "temperature": 0.5, "period": 2 * np.pi}
    exact = [float(f(fp.Landscape("-cos(x)"), **system)) for f in (tilted_ring.velocity, tilted_ring.diffusion)]
    errors = []
    for cells in (50, 100, 200):
        found = scaled_cumulants(washboard(cells), lambda W: 2 * np.pi * winding(W, "x"))
        errors.append([found.mean - exact[0], found.variance / 2 - exact[1]])
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.abs(orders - 2).max() < 0.05


def test_gyrator_against_the_riccati_equation():
    """Grid values extrapolated from two grids, to within the correction; λ'(0) = u²(T₁ − T₂)²/(2T₁T₂) = 1/16."""
    system = {"drift": [[1.0, 0.5], [0.5, 1.0]], "diffusion": [[1.0, 0.0], [0.0, 2.0]]}
    s = np.array([0.3, -0.5])
    coarse, fine = (scgf(gyrator(cells), "entropy_flow", s).values for cells in (24, 48))
    for x, far, near in zip(s, coarse, fine, strict=True):
        exact = float(linear_entropy.scgf(x, **system))
        assert abs(near - exact) < abs(far - exact)
        assert abs((4 * near - far) / 3 - exact) < abs(near - far) / 3


def test_every_current_has_the_same_large_deviations():
    """Faces of one ring, and the winding, differ by what piles up in between, which is bounded."""
    W = washboard()
    values = [
        scgf(W, o, [0.4]).values[0] for o in (winding(W, "x"), current_across(W, "x", 0.0), current_across(W, "x", 3.0))
    ]
    assert np.ptp(values) < rounding(W)


def test_time_integral_of_a_harmonic_oscillator():
    """⟨e^{s∫x²dt}⟩ in a trap k = T = μ = 1 grows as λ = (1 − √(1 − 4s))/2 (Feynman–Kac with a quadratic potential)."""
    exact = (1 - np.sqrt(1 - 4 * -0.75)) / 2
    errors = []
    for cells in (50, 100, 200):
        W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), fp.Grid(x=(-8, 8, cells)))
        errors.append(scgf(W, time_integral(W, lambda x: x[..., 0] ** 2), [-0.75]).values[0] - exact)
    assert np.abs(np.log2(np.array(errors[:-1]) / errors[1:]) - 2).max() < 0.05


def test_absorbing_walls_give_the_slowest_rate():
    grid = fp.Grid(x=fp.Axis(-2, 2, 60, boundary="absorbing"))
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), grid)
    found = scgf(W, time_integral(W, np.ones(60)), [0.0, 0.5])
    slowest = fp.spectrum(W, k=1).rates[0]
    assert found.values == pytest.approx([-slowest, 0.5 - slowest], abs=rounding(W))


def test_rate_function_of_the_biased_walk():
    W = walk()
    values = np.array([1.0, 3.0, 0.2, -1.0])
    found = rate_function(W, 20.0 * winding(W, "x"), values)
    exact = [float(biased_walk.rate_function(v, up=2.0, down=1.0)) for v in values]
    assert np.abs(found.rates - exact).max() < 1e-9
    means, rates = scgf(W, 20.0 * winding(W, "x"), [0.5]).rate_function()
    assert rates[0] == pytest.approx(float(biased_walk.rate_function(means[0], up=2.0, down=1.0)), rel=1e-9)


def test_far_tilts_start_from_anywhere():
    """Inverse iteration narrows the bounds where Newton's first step is far too long."""
    W = gyrator(30)
    near = scgf(W, "entropy_flow", np.linspace(0.0, -0.5, 6)).values[-1]
    assert abs(dominant_state(tilted(W, "entropy_flow", -0.5)).value - near) < rounding(W)
    assert dominant_state(tilted(washboard(), "entropy_flow", 20.0)).bounds[0] > 0


def test_values_beyond_reach_are_refused():
    W = walk(cells=6)
    occupied = time_integral(W, np.eye(6)[0], name="time in a cell")
    with pytest.raises(ConvergenceError, match="time in a cell"):
        rate_function(W, occupied, [1.5])


def test_refusals():
    W = washboard()
    with pytest.raises(InputError, match="finite"):
        scgf(W, "entropy_flow", [np.inf])
    with pytest.raises(MethodError, match="real s"):
        dominant_state(tilted(W, "entropy_flow", 1j))
    with pytest.raises(GridError, match="is not on the axis x"):
        current_across(W, "x", 99.0)
    one_way = counting(W, lambda x, y: np.ones(x.shape[:-1]))
    assert len(scgf(W, one_way, [0.1, 0.2])) == 2


@pytest.mark.slow
def test_hundred_thousand_cells_in_seconds():
    W = torus(316)
    state = dominant_state(tilted(W, "entropy_flow", 0.3))
    mirror = dominant_state(tilted(W, "entropy_flow", -1.3))
    assert abs(state.value - mirror.value) < rounding(W)


def test_small_eigenvalues_keep_relative_accuracy_over_high_barriers():
    """On a ring every step is free of subtractions, whose rounding adds up at random over the cells."""
    W = washboard(200, temperature=0.05, force=0.3)
    s = np.array([0.05, 0.3])
    found = scgf(W, "entropy_flow", np.concatenate([s, -1.0 - s]))
    assert found.values[0] < 1e-10
    assert np.abs(found.values[:2] / found.values[2:] - 1).max() < 64 * EPSILON * np.sqrt(200)
