"""Friction tensors on grids: order, a second method in one and two dimensions, geodesics."""

import numpy as np
import pytest
from scipy.integrate import quad_vec
from scipy.linalg import expm

import fpsolver as fp
from fpsolver.errors import MethodError
from fpsolver.theory import thermodynamic_length as closed
from fpsolver.thermodynamics.friction import conjugate_force, friction_tensor
from fpsolver.thermodynamics.slow_protocols import slow_driving

TRAP = fp.Langevin(fp.Landscape("k*(x - c)**2/2", {"k": 2.0, "c": 0.3}, ("x",)), temperature=0.7, mobility=1.3)


def test_friction_of_a_trap_is_of_second_order():
    exact = float(closed.stiffness_friction(2.0, temperature=0.7, mobility=1.3))
    errors = [friction_tensor(TRAP, fp.Grid(x=(-5, 5.6, n)), ["k", "c"]) for n in (60, 120, 240)]
    assert [abs(error[0, 1]) < 1e-12 for error in errors]
    for k, value in ((0, exact), (1, 1.0 / 1.3)):
        off = np.abs([error[k, k] - value for error in errors])
        assert np.log2(off[:-1] / off[1:]) == pytest.approx([2.0, 2.0], abs=0.1)


def test_friction_of_a_double_well_against_quadrature():
    landscape = fp.Landscape("x**4/4 - x**2/2 - c*x", {"c": 0.1}, ("x",))
    exact = float(closed.line_friction(landscape, "c", (-3.0, 3.0), temperature=0.1))
    dynamics = fp.Langevin(landscape, temperature=0.1)
    coarse, fine = (friction_tensor(dynamics, fp.Grid(x=(-2.4, 2.4, n)), "c")[0, 0] for n in (150, 300))
    # what extrapolation leaves is of fourth order, smaller than the square of the relative correction
    assert fine + (fine - coarse) / 3.0 == pytest.approx(exact, rel=(fine / coarse - 1.0) ** 2)


def test_friction_in_two_dimensions_is_the_integrated_correlation():
    landscape = fp.Landscape("x**2/2 + a*y**2/2 + b*x*y", {"a": 1.5, "b": 0.4}, ("x", "y"))
    grid = fp.Grid(x=fp.Axis(-4, 4, 9, boundary="reflecting"), y=fp.Axis(-4, 4, 8, boundary="reflecting"))
    dynamics = fp.Langevin(landscape, temperature=1.0)
    W = fp.generator(dynamics, grid)
    weights = fp.boltzmann(landscape, grid, 1.0).ravel() * grid.volumes.ravel()
    forces = np.array([conjugate_force(landscape, grid, name).ravel() for name in ("a", "b")])
    forces -= (forces @ weights)[:, None]
    dense = W.matrix.toarray()

    def correlation(t):
        return forces @ expm(dense * t) @ (forces * weights).T

    integral, _ = quad_vec(correlation, 0.0, 40.0, epsrel=1e-9)
    assert friction_tensor(dynamics, grid, ["a", "b"]) == pytest.approx(integral, rel=1e-7)


def test_geodesic_of_the_stiffening_trap():
    dynamics = fp.Langevin(fp.Landscape("k*x**2/2", {"k": 1.0}, ("x",)), temperature=1.0)
    lengths, middles = [], []
    for cells in (100, 200):
        slow = slow_driving(dynamics, fp.Grid(x=(-7, 7, cells)), "k", 1.0, 4.0)
        lengths.append(slow.length)
        middles.append(float(slow.along(0.5)))
        assert slow.linear_excess_work(3.0) > slow.excess_work(3.0)
    exact = float(closed.thermodynamic_length(closed.stiffness_friction, 1.0, 4.0))
    assert (lengths[0] - exact) / (lengths[1] - exact) == pytest.approx(4.0, abs=0.4)
    middle = float(closed.slow_stiffness_protocol(1.0, 4.0, 1.0)(0.5))
    assert abs(middles[1] - middle) < 0.5 * abs(middles[0] - middle) + 1e-6
    protocol = slow.protocol(2.0)
    assert [float(protocol(t)) for t in (0.0, 2.0)] == pytest.approx([1.0, 4.0])


def test_wrong_problems_are_refused():
    grid = fp.Grid(x=(-5, 5, 40))
    with pytest.raises(MethodError, match='did you mean "k"'):
        friction_tensor(fp.Langevin(fp.Landscape("k*x**2", {"k": 1.0}), temperature=1.0), grid, "kk")
    forced = fp.Langevin(fp.Landscape("k*x**2", {"k": 1.0}), temperature=1.0, force=(1.0,))
    with pytest.raises(MethodError, match="detailed balance"):
        friction_tensor(forced, grid, "k")
    with pytest.raises(MethodError, match="four points"):
        slow_driving(TRAP, grid, "k", 1.0, 1.0)
