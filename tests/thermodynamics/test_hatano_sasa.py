"""Transitions between steady states: averages of one, housekeeping against closed forms, refusals."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import InputError, MethodError
from fpsolver.theory import ring_entropy
from fpsolver.thermodynamics.fluctuation_theorems import integral_theorem
from fpsolver.thermodynamics.hatano_sasa import housekeeping_on_a_ring, switched_steady_states

TURN = 2 * np.pi


def ring(cells):
    return fp.Grid(x=fp.Axis(0.0, TURN, cells, boundary="periodic"))


def tilted(force, height=1.0):
    return fp.Langevin(fp.Landscape(f"{-height}*cos(x)"), temperature=0.8, force=(force,))


@pytest.mark.parametrize("seed", [1, 2])
def test_both_averages_are_one(seed):
    stages = [(tilted(0.3), 0.2), (tilted(0.8), 0.5), (tilted(0.8, 0.5), 0.0)]
    found = switched_steady_states(stages, ring(256), n=30_000, dt=0.05, seed=seed)
    # Heun's scheme, of second weak order, and cells of 2.5% bias by less than a tenth of the standard errors.
    for values in (found.hatano_sasa, found.housekeeping):
        assert abs(integral_theorem(values).deviation) < 4.5


def test_housekeeping_converges_to_the_closed_form():
    """Second order in the cell width, also over many turns and off the centres."""
    x, y = np.array([[0.1], [5.9], [-7.3]]), np.array([[3.3], [20.0], [1.2]])
    landscape, constants = fp.Landscape("-cos(x)"), {"force": 0.7, "temperature": 0.8, "period": TURN}
    coordinate = [ring_entropy.entropy_coordinate(landscape, points[:, 0], **constants) for points in (x, y)]
    errors = []
    for cells in (64, 128, 256):
        W = fp.generator(tilted(0.7), ring(cells))
        found = housekeeping_on_a_ring(W, fp.stationary(W), x, y)
        errors.append(np.abs(found - (coordinate[1] - coordinate[0])).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders == pytest.approx([2.0, 2.0], abs=0.2)


def test_a_turn_costs_the_work_of_the_force():
    W = fp.generator(tilted(0.7), ring(48))
    found = housekeeping_on_a_ring(W, fp.stationary(W), np.array([[0.4]]), np.array([[0.4 + TURN]]))
    assert found == pytest.approx(0.7 * TURN / 0.8, rel=1e-12)


def test_no_housekeeping_in_equilibrium():
    W = fp.generator(tilted(0.0), ring(48))
    found = housekeeping_on_a_ring(W, fp.stationary(W), np.array([[0.4]]), np.array([[2.4]]))
    assert found == pytest.approx(0.0, abs=1e-11)


def test_a_line_has_no_housekeeping_and_one_stage_no_transition():
    line = fp.Grid(x=(-4.5, 4.5, 90))
    wells = [fp.Langevin(fp.Landscape(f"{k}*x**2/2"), temperature=0.5) for k in (1, 2)]
    found = switched_steady_states([(wells[0], 0.0), (wells[1], 0.0)], line, n=4000, dt=0.1, seed=1)
    assert found.housekeeping is None
    # A sudden quench of a trap: ⟨e^{−Y}⟩ = 1 with Y = (L₂ − L₁ − ΔF)/T.
    assert abs(integral_theorem(found.hatano_sasa).deviation) < 4.5
    W = fp.generator(wells[0], line)
    with pytest.raises(MethodError, match="ring"):
        housekeeping_on_a_ring(W, fp.stationary(W), np.zeros((1, 1)), np.ones((1, 1)))
    with pytest.raises(InputError, match="two"):
        switched_steady_states([(wells[0], 1.0)], line, n=10, dt=0.1, seed=1)
