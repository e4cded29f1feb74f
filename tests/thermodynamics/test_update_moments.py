from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.dynamics import StableProposal
from fpsolver.dynamics.jump import LAWS
from fpsolver.errors import DynamicsError
from fpsolver.thermodynamics import jump_moments, kramers_moyal_limit

LINEAR = fp.Landscape("x")
PROPOSALS = (fp.GaussianProposal(0.2), fp.UniformProposal(0.3), fp.LaplaceProposal(0.05), fp.LatticeProposal(0.1))


def test_a_gaussian_proposal_on_a_linear_loss():
    """r = e^{s²g²/8T²}, v = −(s²g/2T) r, second moment (s² + s⁴g²/4T²) r."""
    found = jump_moments(fp.JumpProcess(LINEAR, 0.5, fp.GaussianProposal(0.3)), [0.7])
    # The tails are cut at ten scales, where they hold e^{−50}; Gauss–Legendre panels have converged.
    assert found.total_rate == pytest.approx(1.046027859908717, rel=1e-13)
    assert found.flow[0] == pytest.approx(-0.09414250739178452, rel=1e-13)
    assert found.second_moment[0, 0] == pytest.approx(0.10261533305704514, rel=1e-13)


def test_acceptance_and_drift_of_metropolis():
    found = jump_moments(fp.JumpProcess(LINEAR, 0.5, fp.GaussianProposal(0.3), law="metropolis"), [0.0])
    assert found.total_rate == pytest.approx(0.8283405944606784, rel=1e-12)
    assert found.flow[0] == pytest.approx(-0.05910130700292211, rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_sums_round_a_ring_are_the_integrals(law):
    """Sums over a lattice of h = s/2 alias by e^{−8π²}; only the kink of Metropolis's law is seen, to second order."""
    process = fp.JumpProcess(fp.Landscape("cos(x)"), 0.6, fp.GaussianProposal(0.4), law=law, attempt_rate="2 + cos(x)")
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 32, boundary="periodic"))
    on_grid = jump_moments(fp.generator(process, ring))
    at_points = jump_moments(process, ring.points)
    error = 0.02 if law == "metropolis" else 1e-12
    for name in ("total_rate", "flow", "second_moment"):
        found, exact = getattr(on_grid, name), getattr(at_points, name)
        assert np.abs(found - exact).max() <= error * np.abs(exact).max()


def test_sums_on_a_torus_are_the_integrals():
    landscape = fp.Landscape("cos(x) + 0.5*cos(x - y)")
    process = fp.JumpProcess(landscape, 0.6, fp.GaussianProposal((0.5, 0.6)), attempt_rate="2 + cos(y)")
    ring = fp.Axis(0, 2 * np.pi, 24, boundary="periodic")
    on_grid = jump_moments(fp.generator(process, fp.Grid(y=ring, x=ring)))
    index = (5, 17)
    at_point = jump_moments(process, [ring.centres[17], ring.centres[5]])
    error = 1e-12  # aliasing e^{−2π²(s/h)²} at s = 1.9 h
    assert on_grid.total_rate[index] == pytest.approx(at_point.total_rate, rel=error)
    assert on_grid.flow[index][::-1] == pytest.approx(at_point.flow, rel=error, abs=error)
    assert on_grid.second_moment[index][::-1, ::-1] == pytest.approx(at_point.second_moment, rel=error, abs=error)


def test_moments_of_a_convolution_are_sums_over_its_rates():
    grid = fp.Grid(x=fp.Axis(-2, 2, 20, boundary="reflecting"), y=fp.Axis(-2, 2, 16, boundary="reflecting"))
    process = fp.JumpProcess(fp.Landscape("x**2 + y**2/2 + x*y/3"), 0.5, fp.GaussianProposal(0.5))
    found = jump_moments(process, grid)
    rates = fp.generator(process, grid).rates.toarray()
    points = grid.points.reshape(-1, 2)
    flow = np.einsum("ij,id->jd", rates, points) - rates.sum(axis=0)[:, None] * points
    assert found.flow.reshape(-1, 2) == pytest.approx(flow, abs=1e-12 * np.abs(flow).max())


def test_the_flow_is_the_velocity_of_the_mean():
    grid = fp.Grid(x=(-6, 6, 240))
    process = fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.GaussianProposal(0.3))
    W = fp.generator(process, grid)
    p = fp.gaussian(grid, [1.0], [[0.2]])
    velocity = float((p * jump_moments(W).flow[:, 0]).sum() * 0.05)
    rising = float((W.apply(p) * grid.axes[0].centres).sum() * 0.05)
    assert velocity == pytest.approx(rising, rel=1e-12)


@pytest.mark.parametrize("proposal", PROPOSALS, ids=lambda p: p.kind)
@pytest.mark.parametrize("law", LAWS)
def test_the_limit_of_small_updates(law, proposal):
    """Remainders are of second order in s, and of first for Metropolis's law, whose rate has a kink."""
    landscape = fp.Landscape("cos(x) + sin(y)*x")
    process = fp.JumpProcess(landscape, 0.7, proposal, law=law, attempt_rate="1 + x**2/4 + y**2/10")
    limit = kramers_moyal_limit(process, [[0.3, 0.2], [0.7, -0.4]])
    order = 1.0 if law == "metropolis" else 2.0
    assert limit.drift_order == pytest.approx(order, abs=0.1)
    assert limit.diffusion_order == pytest.approx(order, abs=0.1)
    assert limit.drift_remainder[-1] < 0.06


def test_the_limiting_dynamics_has_the_same_stationary_state():
    """e^{−L/T_b}/A, by a finite-volume scheme that knows nothing of jumps."""
    process = fp.JumpProcess(
        fp.Landscape("x**4/4 - x**2/2"), 0.5, fp.GaussianProposal(0.1), law="arrhenius", attempt_rate="1 + x**2"
    )
    grid = fp.Grid(x=(-2.5, 2.5, 100))
    limit = kramers_moyal_limit(process, [[0.5]]).dynamics
    p, q = fp.stationary(fp.generator(limit, grid)), fp.stationary(fp.generator(process, grid))
    assert np.abs(p.values - q.values).max() < 1e-12
    thermal = kramers_moyal_limit(
        fp.JumpProcess(LINEAR, 0.5, fp.GaussianProposal(0.2), law="glauber"), [[0.5]]
    ).dynamics
    assert thermal.temperature == 0.5
    assert thermal.mobility.constant == pytest.approx(0.02)  # s²/4T


def test_refusals():
    levy = fp.JumpProcess(fp.Landscape("x**2"), 0.5, StableProposal(1.5, 0.1))
    with pytest.raises(DynamicsError, match="infinite variance: small updates make a fractional diffusion"):
        kramers_moyal_limit(levy, [[0.5]])
    with pytest.raises(DynamicsError, match="tails too heavy for this quadrature; give a grid"):
        jump_moments(levy, [0.5])
    with pytest.raises(DynamicsError, match="has no updates"):
        jump_moments(fp.Langevin(LINEAR, temperature=1.0), [0.5])
    with pytest.raises(DynamicsError, match=r"points of shape \(2,\) do not fit 1 variable"):
        jump_moments(fp.JumpProcess(LINEAR, 0.5, fp.GaussianProposal(0.3)), [0.5, 0.6])
