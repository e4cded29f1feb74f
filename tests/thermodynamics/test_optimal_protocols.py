"""Driving in steps: the generator it uses, exact gradients, and optimal protocols of traps and of a double well."""

import numpy as np
import pytest
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.densities import loss_on_grid
from fpsolver.errors import MethodError
from fpsolver.theory import schmiedl_seifert as traps
from fpsolver.thermodynamics.optimal_protocols import optimal_protocol
from fpsolver.thermodynamics.rational_exponential import Tridiagonal, from_resolvents
from fpsolver.thermodynamics.slow_protocols import slow_driving
from fpsolver.thermodynamics.stepped_driving import SteppedDriving
from fpsolver.thermodynamics.transport_work import full_control

TRAP = fp.Landscape("k*(x - c)**2/2", {"k": 1.0, "c": 0.0}, ("x",))
WELLS = fp.Landscape("x**4/4 - x**2/2 - c*x", {"c": -0.2}, ("x",))


def test_rational_exponential_is_of_order_seven():
    errors = []
    for z in (0.5, 1.0):
        found = from_resolvents(Tridiagonal(np.zeros(1), np.array([z, -z]), np.zeros(1)).resolvents(np.ones(2)))
        errors.append(np.prod(found - np.exp([z, -z])))
    # an error of z⁸(a + bz + …): opposite signs leave a² − (b² − …)z² of the product
    assert np.log2(np.abs(errors[1] / errors[0])) == pytest.approx(16.0, abs=0.2)


def test_rational_exponential_conserves_mass_and_damps_what_is_stiff():
    grid = fp.Grid(x=fp.Axis(-3.0, 3.0, 8, boundary="reflecting"))
    W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), grid).matrix.toarray()
    p = np.exp(-np.arange(8.0))
    for h, accuracy in ((0.1, 1e-8), (1e4, 1e-3)):
        found = from_resolvents(Tridiagonal(*(h * np.diagonal(W, k) for k in (-1, 0, 1))).resolvents(p))
        # rounding of the matrix
        assert found.sum() == pytest.approx(p.sum(), rel=1e-14 + 4e-16 * h * np.abs(W).max())
        # z⁸/10⁶ where z is small; R(z) ≈ −4/z where it is large
        assert np.abs(found - expm(h * W) @ p).max() < accuracy * p.sum()


def test_steps_use_the_generator():
    grid = fp.Grid(x=fp.Axis(-4.0, 4.0, 30, spacing="tanh", stretch=1.0))
    dynamics = fp.Langevin(TRAP, temperature=0.7, mobility=1.3)
    driving = SteppedDriving(dynamics, grid, {"k": (1.0, 3.0)}, 2.0, 4)
    stiff = TRAP.with_parameters(k=1.7)
    W = fp.generator(fp.Langevin(stiff, temperature=0.7, mobility=1.3), grid).matrix.toarray()
    rates = driving._rates(loss_on_grid(stiff, grid))
    found = np.diag(rates.lower, -1) + np.diag(rates.diagonal) + np.diag(rates.upper, 1)
    assert found == pytest.approx(0.5 * W, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("landscape", [TRAP, WELLS.with_parameters(c=0.1)])
def test_gradient_is_that_of_the_steps(landscape):
    controls = {name: (value, value + 0.7) for name, value in landscape.parameters.items()}
    grid = fp.Grid(x=(-4.0, 4.5, 50))
    dynamics = fp.Langevin(landscape, temperature=0.4, mobility="1 + x**2/20")
    driving = SteppedDriving(dynamics, grid, controls, 1.5, 5, fp.gaussian(grid, [0.5], [[0.3]]))
    values = driving.ramp + np.random.default_rng(1).normal(scale=0.2, size=driving.ramp.shape)
    work, gradient = driving.work_and_gradient(values)
    assert work == driving.work(values)
    for index in np.ndindex(values.shape):
        shift = np.zeros_like(values)
        shift[index] = 1e-3
        around = [driving.work(values + n * shift) for n in (-2, -1, 1, 2)]
        difference = (8 * (around[2] - around[1]) - around[3] + around[0]) / 12e-3
        # differences of fourth order with a step of 1e-3: 1e-12 truncation, 1e-13 rounding over the step
        assert gradient[index] == pytest.approx(difference, abs=1e-9)


def extrapolated(fine, coarse):
    return fine + (fine - coarse) / 3.0


@pytest.mark.parametrize(
    ("controls", "exact", "protocol"),
    [
        ({"c": (0.0, 1.0)}, traps.moving_trap_work(1.0, 1.0), traps.moving_trap_protocol(1.0, 1.0)),
        ({"k": (1.0, 2.0)}, traps.stiffening_trap_work(1, 2, 1), traps.stiffening_trap_protocol(1, 2, 1)),
        ({"k": (2.0, 1.0)}, traps.stiffening_trap_work(2, 1, 1), traps.stiffening_trap_protocol(2, 1, 1)),
    ],
)  # fmt: skip
def test_optimal_protocols_of_traps(controls, exact, protocol):
    dynamics = fp.Langevin(TRAP, temperature=1.0)
    found = [
        optimal_protocol(dynamics, fp.Grid(x=(-7.0, 8.0, 60 * n)), controls, duration=1.0, intervals=10 * n)
        for n in (1, 2, 4)
    ]
    errors = np.array([best.work - float(exact) for best in found])
    # steps and cells are refined together, both of second order
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx([2.0, 2.0], abs=0.2)
    assert extrapolated(found[2].work, found[1].work) == pytest.approx(float(exact), abs=0.1 * errors[2])
    off = [np.abs(best.ends[:, 0] - protocol(np.array([0.0, 1.0]))).max() for best in found]
    assert np.log2(off[1] / off[2]) == pytest.approx(2.0, abs=0.4)


def test_two_parameters_do_better_than_one():
    grid, dynamics = fp.Grid(x=(-6.0, 7.0, 80)), fp.Langevin(TRAP, temperature=1.0)
    both = optimal_protocol(dynamics, grid, {"k": (1.0, 2.0), "c": (0.0, 1.0)}, duration=1.0, intervals=10)
    ramp = both.driving.ramp
    assert both.work < both.driving.work(ramp)
    free = full_control(TRAP.with_parameters(k=2.0, c=1.0), TRAP, grid, duration=1.0, temperature=1.0)
    # a Gaussian stays one under full control, so that two parameters are all it takes: what is left is the steps
    assert 0.0 < both.work - free.work < 0.01


def test_double_well_from_ramp_to_full_control():
    grid, dynamics = fp.Grid(x=(-2.4, 2.4, 80)), fp.Langevin(WELLS, temperature=0.1)
    best = optimal_protocol(dynamics, grid, {"c": (-0.2, 0.2)}, duration=2.0, intervals=16)
    slow = slow_driving(dynamics, grid, "c", -0.2, 0.2, points=17).along(best.times / 2.0)
    free = full_control(WELLS.with_parameters(c=0.2), WELLS, grid, duration=2.0, temperature=0.1)
    assert free.work < best.work < best.driving.work(slow) < best.driving.work(best.driving.ramp)
    assert (best.jumps > 0).all()
    held = optimal_protocol(dynamics, grid, {"c": (-0.2, 0.2)}, duration=2.0, intervals=16, bounds={"c": (-0.1, 0.05)})
    assert held.work > best.work
    assert held.values.min() >= -0.1
    assert held.values.max() <= 0.05


def test_protocol_of_the_steps():
    dynamics, grid = fp.Langevin(TRAP, temperature=1.0), fp.Grid(x=(-6.0, 7.0, 60))
    best = optimal_protocol(dynamics, grid, {"c": (0.0, 1.0)}, duration=1.0, intervals=4)
    protocol = best.protocol("c")
    assert protocol(best.times) == pytest.approx(best.values[:, 0])
    assert [float(protocol(t)) for t in (-0.1, 1.0, 1.2)] == [0.0, 1.0, 1.0]
    driven = fp.Langevin(TRAP, temperature=1.0, protocol={"c": protocol})
    start = fp.boltzmann(TRAP, grid, 1.0)
    last = fp.evolve(fp.generator(driven, grid), start, times=[1.0], tolerance=1e-8).final
    assert np.abs(last - best.driving.densities(best.values)[-1]).max() < 1e-6


def test_full_control_is_of_second_order_and_needs_no_symmetry():
    skew = fp.Landscape("x**4/2 - 0.3*x")
    works = [
        full_control(skew, WELLS, fp.Grid(x=(-2.6, 2.6, n)), duration=1.0, temperature=0.2).work
        for n in (200, 400, 800)
    ]
    assert (works[0] - works[1]) / (works[1] - works[2]) == pytest.approx(4.0, abs=0.4)


def test_wrong_problems_are_refused():
    grid, dynamics = fp.Grid(x=(-6.0, 7.0, 60)), fp.Langevin(TRAP, temperature=1.0)
    with pytest.raises(MethodError, match="parameters are"):
        SteppedDriving(dynamics, grid, {"q": (0.0, 1.0)}, 1.0)
    with pytest.raises(MethodError, match="reflecting"):
        SteppedDriving(dynamics, fp.Grid(x=fp.Axis(-6, 7, 60, boundary="absorbing")), {"c": (0.0, 1.0)}, 1.0)
    with pytest.raises(MethodError, match="must not depend"):
        SteppedDriving(fp.Langevin(TRAP, temperature=1.0, mobility="k"), grid, {"k": (1.0, 2.0)}, 1.0)
    with pytest.raises(MethodError, match="one row"):
        SteppedDriving(dynamics, grid, {"c": (0.0, 1.0)}, 1.0, 4).work([1.0, 2.0])
    with pytest.raises(MethodError, match="bounds"):
        optimal_protocol(dynamics, grid, {"c": (0.0, 1.0)}, duration=1.0, bounds={"k": (0, 1)})
