from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.special import ndtr

import fpsolver as fp
from fpsolver.errors import AccuracyWarning, ConvergenceError, DensityError, MethodError, NumericalError
from fpsolver.theory import stiffening_trap
from fpsolver.thermodynamics.protocol_steps import protocol_steps, relaxed
from fpsolver.thermodynamics.work_distributions import crooks_pair, work_distribution
from fpsolver.thermodynamics.work_statistics import (
    extrapolated,
    log_partition_ratio,
    work_generating_function,
    work_moments,
    work_weighted_densities,
)

EPSILON = np.finfo(float).eps
STIFFENING = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})
MOVING = fp.Landscape("k*(x - c)**2/2", variables=("x",), parameters={"c": 0.0, "k": 1.0})
QUARTIC = fp.Landscape("x**4/4 - x**2/2 - f*x", variables=("x",), parameters={"f": 0.0})


def dragged(cells, **options):
    law = fp.Langevin(MOVING, **{"temperature": 1.0, "protocol": {"c": "t"}, **options})
    return fp.generator(law, fp.Grid(x=(-8, 10, cells)))


def stiffening(cells, protocol="1 + t", temperature=1.0):
    law = fp.Langevin(STIFFENING, temperature=temperature, protocol={"k": protocol})
    return fp.generator(law, fp.Grid(x=(-9, 9, cells)))


def double_well(protocol, cells=60, temperature=0.4):
    law = fp.Langevin(QUARTIC, temperature=temperature, protocol={"f": protocol})
    return fp.generator(law, fp.Grid(x=(-3.5, 3.5, cells)))


def rounding(steps, W, t=0.0):
    """Each step adds rounding of its sums; a Poisson series has as many terms as there are hops."""
    return 8 * EPSILON * (steps + float(np.abs(W.at(t).diagonal).max()))


@pytest.mark.parametrize("cells", [40, 300])
def test_relaxation_of_a_block_is_the_matrix_exponential(cells):
    """By its Poisson series, and as a dense power where the block is wide and the time long."""
    W = fp.generator(fp.Langevin(QUARTIC, temperature=0.5), fp.Grid(x=(-3, 3, cells)))
    rng = np.random.default_rng(1)
    exact = expm(0.3 * W.matrix.toarray())
    for columns in (1, 600):
        block = rng.normal(size=(cells, columns)) + 1j * rng.normal(size=(cells, columns))
        found = relaxed(W, block, 0.3)
        hops = 0.3 * float(np.abs(W.diagonal).max())
        scale = np.abs(block).sum(axis=0).max()
        assert np.abs(found - exact @ block).max() < 8 * EPSILON * (hops + cells) * scale
        assert np.abs(found.sum(axis=0) - block.sum(axis=0)).max() < 8 * EPSILON * hops * scale


def test_dragged_trap_at_second_order_of_the_grid():
    exact = 2.0 - (1.0 - np.exp(-2.0))
    errors = []
    for cells in (60, 120, 240):
        found = work_moments(dragged(cells), 2.0)
        errors.append([found.mean - exact, found.variance - 2.0 * exact])
        assert found.mean_error < 1e-7
    assert np.abs(np.log2(np.array(errors[:-1]) / np.array(errors[1:])) - 2).max() < 0.05
    assert exact == pytest.approx(1.1353352832, abs=1e-10)


def test_stiffening_trap_at_second_order_of_the_grid():
    """⟨W⟩ = ½∫s dt with ds/dt = −2(1 + t)s + 2: 0.4124657985 at unit time."""
    means = [work_moments(stiffening(cells), 1.0).mean for cells in (60, 120, 240)]
    errors = np.array(means) - 0.4124657985347833
    assert np.abs(np.log2(errors[:-1] / errors[1:]) - 2).max() < 0.05


@settings(max_examples=10, deadline=None)
@given(st.floats(-2, 2), st.floats(0.1, 3.0), st.integers(1, 6), st.floats(0.3, 2.0))
def test_jarzynski_on_the_grid_for_any_number_of_steps(force, duration, steps, temperature):
    W = double_well(f"{force!r}*t/{duration!r}", temperature=temperature)
    found = work_generating_function(W, duration, [0.0, 1.0 / temperature], steps=steps).values
    limit = rounding(steps, W) * max(1.0, duration)
    assert abs(found[0] - 1.0) < limit
    assert abs(np.log(found[1]) - log_partition_ratio(W, duration)) < limit + 1e-13 * abs(force) / temperature


def test_jarzynski_of_the_stiffening_trap_against_the_closed_form():
    found = work_generating_function(stiffening(200), 1.0, [1.0])
    assert found.values[0] == pytest.approx(np.sqrt(0.5), rel=1e-12)


def test_temperature_ramp():
    """⟨exp(−∫L dβ)⟩ = Z(β_f)/Z(β_0) = √½ for β from 1 to 2 in the harmonic well."""
    law = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0, protocol={"temperature": "1/(1 + t)"})
    W = fp.generator(law, fp.Grid(x=(-9, 9, 200)))
    for steps in (1, 7, None):
        found = work_generating_function(W, 1.0, [1.0], reduced=True, steps=steps)
        assert found.values[0] == pytest.approx(np.sqrt(0.5), rel=1e-12)
    # The mean of L dβ exceeds −ln of that (Jensen).
    assert work_moments(W, 1.0, reduced=True).mean > -np.log(np.sqrt(0.5))


def test_other_exponents_converge_at_second_order_of_the_step_and_extrapolate():
    W = stiffening(60)
    best = work_generating_function(W, 1.0, [0.4], tolerance=1e-12)
    errors = np.array(
        [work_generating_function(W, 1.0, [0.4], steps=n).values[0] - best.values[0] for n in (8, 16, 32)]
    )
    assert np.abs(np.log2(errors[:-1] / errors[1:]) - 2).max() < 0.02
    rough = work_generating_function(W, 1.0, [0.4], tolerance=1e-5)
    assert abs(rough.values[0] - best.values[0]) <= rough.errors[0] + 1e-12
    assert rough.steps < best.steps


@pytest.mark.parametrize("power", [0.4, -0.5, 2.0])
def test_stiffening_trap_at_other_exponents_against_gaussian_integrals(power):
    exact = float(stiffening_trap.exponential_work(1.0, 2.0, duration=1.0, temperature=1.0, power=power))
    found = [work_generating_function(stiffening(cells), 1.0, [power]).values[0] for cells in (60, 120, 240)]
    errors = np.array(found) - exact
    assert np.abs(np.log2(errors[:-1] / errors[1:]) - 2).max() < 0.05


def test_generating_function_gives_the_moments():
    W, h = double_well("t"), 1e-2
    moments = work_moments(W, 1.0, steps=12)
    logs = {s: np.log(work_generating_function(W, 1.0, [s], steps=12).values[0]) for s in (-2 * h, -h, h, 2 * h)}
    # Central differences of fourth order: h⁴ = 1e-8 of a cumulant of order one.
    mean = -(8 * (logs[h] - logs[-h]) - (logs[2 * h] - logs[-2 * h])) / (12 * h)
    variance = (16 * (logs[h] + logs[-h]) - (logs[2 * h] + logs[-2 * h])) / (12 * h**2)
    assert mean == pytest.approx(moments.mean, abs=1e-7)
    assert variance == pytest.approx(moments.variance, abs=1e-6)


def test_a_sudden_quench_in_closed_form():
    """One jump, from a Boltzmann state, is an average of L(after) − L(before)."""
    W = stiffening(80, fp.Protocol.step(1.0, 2.0, time=0.5))
    x, p = W.grid.axes[0].centres, fp.boltzmann(STIFFENING, W.grid, 1.0) * W.grid.volumes
    moments = work_moments(W, 1.0, steps=2)
    assert moments.mean == pytest.approx(np.sum(p * x**2 / 2), rel=1e-12)
    found = work_generating_function(W, 1.0, [0.7, 1.0j], steps=2).values
    assert np.allclose(found, [np.sum(p * np.exp(-s * x**2 / 2)) for s in (0.7, 1.0j)], rtol=1e-12)


def test_work_needs_no_equilibrium_to_begin_with():
    """From the centre of a trap at rest, ⟨W⟩ = ½∫k̇⟨x²⟩ with ⟨x²⟩ = 1 − e^{−2t} at k = 1 until it is switched."""
    W = stiffening(200, fp.Protocol.step(1.0, 2.0, time=0.5))
    start = fp.gaussian(W.grid, [0.0], [[0.05]])
    found = work_moments(W, 1.0, initial=start, steps=2)
    spread = 1 + (0.05 - 1) * np.exp(-1.0)
    # Cell averages and the scheme err by the order of h² = 0.0081, of an energy of order ½.
    assert abs(found.mean - 0.5 * spread) < 0.5 * W.grid.axes[0].widths[0] ** 2


def test_hummer_szabo_at_every_time():
    W = double_well("sin(3*t)")
    times = [0.3, 0.9, 1.4]
    found = work_weighted_densities(W, times, steps=5)
    start = np.log(
        np.sum(W.grid.volumes * np.exp(-np.asarray(W.dynamics.at(0.0).landscape.value(W.grid.points)) / 0.4))
    )
    for time, g in zip(times, found, strict=True):
        loss = np.asarray(W.dynamics.at(time).landscape.value(W.grid.points))
        assert np.abs(g / np.exp(-loss / 0.4 - start) - 1).max() < 1e-10
    # With the conjugate variable in place of the reduced work it is the same at one temperature.
    again = work_weighted_densities(W, times, s=2.5, steps=5)
    assert np.allclose(again, found, rtol=1e-11)


def test_crooks_for_generating_functions_at_complex_s():
    """⟨e^{−sW}⟩_F = e^{−ΔF/T}⟨e^{−(1/T−s)W}⟩_R for any staircase."""
    W = double_well("1.5*t")
    s = np.array([0.3, 1.0 + 2.0j, -0.5])
    forward = work_generating_function(W, 1.0, s, steps=5).values
    backward = work_generating_function(W, 1.0, 1 / 0.4 - s, steps=5, reverse=True).values
    ratio = np.exp(log_partition_ratio(W, 1.0))
    assert np.abs(forward - ratio * backward).max() < rounding(5, W) * np.abs(forward).max() * 10


def test_distribution_of_the_dragged_trap_is_gaussian_at_second_order_of_the_grid():
    mean = 2.0 - (1.0 - np.exp(-2.0))
    deviation, errors = np.sqrt(2.0 * mean), []
    for cells in (50, 100):
        found = work_distribution(dragged(cells), 2.0, tolerance=1e-7)
        z = (found.work - mean) / deviation
        points = np.array([-1.0, 0.0, 2.0])
        errors.append(
            [
                np.abs(found.density - np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / deviation).max(),
                np.abs(found.below(points) - ndtr((points - mean) / deviation)).max(),
            ]
        )
    assert np.abs(np.log2(np.divide(*errors)) - 2).max() < 0.1


def test_distribution_agrees_with_the_moments():
    W, tolerance = dragged(80), 1e-8
    found, moments = work_distribution(W, 2.0, tolerance=tolerance), work_moments(W, 2.0)
    span = found.work[-1] - found.work[0]
    assert found.density.sum() * found.spacing == pytest.approx(1.0, abs=tolerance)
    assert found.mean == pytest.approx(moments.mean, abs=tolerance * span)
    assert found.variance == pytest.approx(moments.variance, abs=tolerance * span**2)
    assert np.abs(found.at(found.work[::50]) - found.density[::50]).max() < tolerance


def test_crooks_line_of_the_distributions():
    """The identity is exact on the grid, so that the line is as straight as the inversions are accurate."""
    pair = crooks_pair(dragged(80), 2.0, tolerance=1e-8)
    work, ratio = pair.log_ratio(1e-3)
    assert len(work) > 50
    # Each density may err by the tolerance, of its peak, and is at least 1e-3 of that.
    assert np.abs(ratio - (work - pair.free_energy_difference) / pair.temperature).max() < 2 * 1e-8 / 1e-3
    assert abs(pair.free_energy_difference) < 1e-6


def test_distributions_that_are_not_smooth_say_so():
    W = stiffening(60, fp.Protocol.step(1.0, 2.0, time=0.5))
    with pytest.warns(AccuracyWarning, match="characteristic function"):
        work_distribution(W, 1.0, steps=2)


def test_protocols_break_at_stops_and_kinks_and_double_evenly():
    W = double_well(fp.Protocol.tabulated([0.0, 0.3, 1.0], [0.0, 1.0, 0.5]))
    for number in (8, 16, 32):
        steps = protocol_steps(W, 0.0, [0.55, 1.0], number).steps
        ends = np.cumsum([step.duration for step in steps])
        assert all(np.abs(ends - knot).min() < 1e-12 for knot in (0.3, 0.55, 1.0))
        assert len(steps) == number // 8 * len(protocol_steps(W, 0.0, [0.55, 1.0], 8).steps)
    backwards = protocol_steps(W, 0.0, [1.0], 8).reversed().reversed()
    assert np.array_equal(backwards.first, protocol_steps(W, 0.0, [1.0], 8).first)


def test_refusals():
    W = stiffening(40)
    with pytest.raises(MethodError, match="no protocol"):
        work_moments(W.at(0.0), 1.0)
    with pytest.raises(MethodError, match="later than"):
        work_moments(W, 0.0)
    lossy = fp.generator(W.dynamics, fp.Grid(x=fp.Axis(-2, 2, 20, boundary="absorbing")))
    with pytest.raises(MethodError, match="wall absorbs"):
        work_moments(lossy, 1.0)
    with pytest.raises(MethodError, match="positive integer"):
        work_moments(W, 1.0, steps=0)
    for initial, fault in ((np.ones(3), "shape"), (-np.ones(W.grid.shape), "negative"), (0.0, "shape")):
        with pytest.raises(DensityError, match=fault):
            work_moments(W, 1.0, initial=initial)
    with pytest.raises(DensityError, match="zero in every cell"):
        work_moments(W, 1.0, initial=np.zeros(W.grid.shape))
    with pytest.raises(NumericalError, match="overflows"):
        work_generating_function(W, 1.0, [-1e4], steps=2)
    with pytest.raises(MethodError, match="ascend"):
        work_weighted_densities(W, [1.0, 0.5])
    with pytest.raises(MethodError, match="no density"):
        work_distribution(stiffening(40, "1 + 0*t"), 1.0, steps=2)
    warming = fp.Langevin(STIFFENING, temperature=1.0, protocol={"temperature": "1 + t", "k": "1 + t"})
    with pytest.raises(MethodError, match="reduced=True"):
        crooks_pair(fp.generator(warming, fp.Grid(x=(-9, 9, 40))), 1.0)
    with pytest.raises(ConvergenceError, match="breakpoints"):
        extrapolated(lambda n: np.array([float(n % 3)]), 1e-6)
    forced = fp.Langevin(STIFFENING, temperature=1.0, force=("0.5*sin(x)",), protocol={"k": "1 + t"})
    axis = fp.Grid(x=(-9, 9, 40))
    with pytest.raises(MethodError, match="initial="):
        work_moments(fp.generator(forced, axis), 1.0)
