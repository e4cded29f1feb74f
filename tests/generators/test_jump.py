from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.dynamics import StableProposal
from fpsolver.dynamics.jump import LAWS
from fpsolver.errors import DynamicsError, GridError, GridWarning, NumericalError

EPSILON = np.finfo(float).eps
PROPOSALS = (
    fp.GaussianProposal(0.4),
    fp.UniformProposal(0.7),
    fp.LaplaceProposal(0.3),
    fp.StudentProposal(3.0, 0.3),
    StableProposal(1.3, 0.3),
    fp.LatticeProposal(0.2),
)
WALLS = ("reflecting", "absorbing", "periodic", ("reflecting", "absorbing"))


def axis(walls, cells=15):
    return fp.Axis(-0.1 * cells, 0.1 * cells, cells, boundary=walls)


def loss(name, walls, cells):
    """A double well, or a ring of the period of the axis."""
    return f"0.5*cos(pi*{name}/{0.1 * cells!r})" if walls == "periodic" else f"{name}**4/4 - {name}**2/2"


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([law for law in LAWS if law != "linearised"]),
    st.sampled_from(PROPOSALS),
    st.tuples(st.sampled_from(WALLS), st.sampled_from(WALLS)),
    st.floats(0.05, 2.0),
)
def test_detailed_balance_and_conservation(law, proposal, walls, temperature):
    """r_ij π_j = r_ji π_i to rounding of the exponents; columns sum to minus the killing."""
    cells = (12, 7)
    grid = fp.Grid(**{name: axis(wall, n) for name, wall, n in zip("xy", walls, cells, strict=True)})
    text = " + ".join(loss(name, wall, n) for name, wall, n in zip("xy", walls, cells, strict=True))
    rate = "2 + cos(x)" if "periodic" not in walls else 1.5
    process = fp.JumpProcess(fp.Landscape(text), temperature, proposal, law=law, attempt_rate=rate)
    W = fp.generator(process, grid)
    flows = W.rates.toarray() * np.exp(W.log_equilibrium.ravel() - W.log_equilibrium.max())
    # Exponents are ΔL/T, ln π and ln q, which is −690 at most.
    size = 700 + 4 * np.ptp(W.log_equilibrium)
    larger = np.maximum(flows, flows.T)
    assert (np.abs(flows - flows.T) <= 4 * size * EPSILON * larger + 1e-300).all()
    leak = np.abs(W.matrix.sum(axis=0) + W.killing.ravel())
    assert leak.max() <= grid.size * EPSILON * np.abs(W.diagonal).max()
    assert (W.killing.max() > 0) == any("absorbing" in wall for wall in walls)
    assert W.rates.data.min() >= 0


def test_the_linearised_law_is_balanced_on_quadratic_losses_alone():
    """On a bowl its rates are those of the half law times e^{ΔᵀHΔ/4T}, which is even."""
    grid = fp.Grid(x=fp.Axis(-2, 2, 20, boundary="reflecting"), y=fp.Axis(-2, 2, 16, boundary="reflecting"))

    def flows(text):
        process = fp.JumpProcess(fp.Landscape(text), 0.4, fp.GaussianProposal(0.5), law="linearised")
        W = fp.generator(process, grid)
        p = fp.boltzmann(process.landscape, grid, 0.4).ravel()
        there = W.rates.toarray() * p
        return W, np.abs(there - there.T).max() / there.max()

    bowl, gap = flows("x**2 + y**2/2 + 0.3*x*y")
    assert bowl.reversible and gap < 100 * EPSILON
    quartic, gap = flows("x**4/4 + y**2/2")
    assert not quartic.reversible and gap > 1e-3


def test_moments_on_a_linear_loss_away_from_the_walls():
    """∫ρ = e^{s²g²/8T²} and ∫Δρ = −(s²g/2T) times that; aliasing at h = s/3 is e^{−2π²·9}."""
    grid = fp.Grid(x=fp.Axis(-5, 5, 100, boundary="reflecting"))
    W = fp.generator(fp.JumpProcess(fp.Landscape("x"), 0.5, fp.GaussianProposal(0.3)), grid)
    rates, x, j = W.rates.toarray()[:, 50], grid.axes[0].centres, 50
    within = 0.1 / (0.3 * np.sqrt(2 * np.pi))  # jumps that end in their own cell
    assert rates.sum() + within == pytest.approx(1.046027859908717, rel=1e-13)
    assert rates @ (x - x[j]) == pytest.approx(-0.09414250739178452, rel=1e-13)


def test_the_full_exponent_halves_the_temperature():
    grid = fp.Grid(x=(-6, 6, 240))
    x = grid.axes[0].centres
    for law, variance in (("half", 0.5), ("arrhenius", 0.25)):
        process = fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.GaussianProposal(0.3), law=law)
        p = fp.stationary(fp.generator(process, grid))
        assert float((p.values * x**2).sum() * 0.05) == pytest.approx(variance, rel=1e-12)


def test_entropic_attempt_rates():
    """A = e^{S} makes L − TS of the loss with the wrong sign, 1/(1/T − 0.8): variance 0.8333 at T = ½."""
    grid = fp.Grid(x=(-9, 9, 300))
    rate = fp.dynamics.entropic_attempt_rate("-0.4*x**2")
    process = fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.GaussianProposal(0.4), attempt_rate=rate)
    p = fp.stationary(fp.generator(process, grid))
    assert float((p.values * grid.axes[0].centres ** 2).sum() * 0.06) == pytest.approx(1 / 1.2, rel=1e-12)


def passage_time(proposal, cells):
    process = fp.JumpProcess(fp.Landscape("x**4/4 - x**2/2"), 0.3, proposal)
    W = fp.generator(process, fp.Grid(x=fp.Axis(-2.5, 2.5, cells, boundary="reflecting")))
    return W.grid.axes[0].centres, fp.mean_first_passage_time(W, fp.where(x=(0.5, None))).values


@pytest.mark.parametrize("proposal", [fp.UniformProposal(0.5), fp.LaplaceProposal(0.25)], ids=lambda p: p.kind)
def test_kinked_proposals_are_of_second_order_in_the_cell_width(proposal):
    times = []
    for cells in (80, 160, 320, 640):
        x, values = passage_time(proposal, cells)
        times.append(np.interp(-1.0, x, values))  # linear interpolation is of second order too
    steps = np.abs(np.diff(times))
    assert np.log2(steps[-2] / steps[-1]) == pytest.approx(2.0, abs=0.1)


def test_sampled_proposals_are_of_high_order_in_the_cell_width():
    """Weights next to the target's wall, within a cell, are exact to degree 6; all else is exact beyond all orders."""
    widths, times = [], []
    for cells in (65, 85, 125, 205):  # with a centre at x = −1
        x, values = passage_time(fp.GaussianProposal(0.3), cells)
        widths.append(5 / cells)
        times.append(values[np.argmin(np.abs(x + 1.0))])
    errors = np.abs(np.array(times[:-1]) - times[-1])
    slope = np.polyfit(np.log(widths[:-1]), np.log(errors), 1)[0]
    assert slope > 5.0


def test_on_a_ring_all_turns_count():
    """A proposal much wider than the ring finds every place equally likely."""
    grid = fp.Grid(x=fp.Axis(0, 2 * np.pi, 32, boundary="periodic"))
    process = fp.JumpProcess(fp.Landscape("cos(x)"), 1.0, fp.GaussianProposal(30.0), law="glauber")
    W = fp.generator(process, grid)
    level = np.cos(grid.axes[0].centres)
    expected = 1 / (1 + np.exp(level[:, None] - level)) / 32
    off = ~np.eye(32, dtype=bool)
    assert W.rates.toarray()[off] == pytest.approx(expected[off], rel=1e-12)


def test_a_washboard_drifts_downhill():
    """On a tilted ring turns are told apart; without detailed balance the current is that of an open line of wells."""
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 40, boundary="periodic"))
    process = fp.JumpProcess(fp.Landscape("cos(x) - 0.3*x"), 0.5, fp.GaussianProposal(0.6))
    W = fp.generator(process, ring)
    assert not W.reversible
    p = fp.stationary(W).values * ring.volumes
    moments = fp.thermodynamics.jump_moments(W)
    velocity = float((p * moments.flow[:, 0]).sum())
    # A packet on a line of ten periods, far from its ends, drifts as fast once it has settled in the wells.
    line = fp.Grid(x=fp.Axis(-10 * np.pi, 10 * np.pi, 400, boundary="reflecting"))
    V = fp.generator(process, line)
    solution = fp.evolve(V, fp.gaussian(line, [-np.pi], [[0.2]]), [80.0, 90.0], tolerance=1e-10)
    means = (solution.densities * line.volumes) @ line.axes[0].centres
    assert velocity == pytest.approx(float(np.diff(means)[0]) / 10.0, rel=1e-6)


def test_jumps_behind_an_absorbing_wall_are_those_into_a_larger_grid():
    small = fp.Grid(x=fp.Axis(-1, 1, 20, boundary="absorbing"))
    large = fp.Grid(x=fp.Axis(-5, 5, 100, boundary="reflecting"))
    inside = slice(40, 60)
    for law in LAWS:
        bowl, proposal = fp.Landscape("x**2/2"), fp.GaussianProposal(0.4)
        process = fp.JumpProcess(bowl, 0.5, proposal, law=law, attempt_rate="1 + x**2/4 + x/2")
        rates = fp.generator(process, large).rates.toarray()
        lost = rates[:, inside].sum(axis=0) - rates[inside, inside].sum(axis=0)
        killing = fp.generator(process, small).killing
        # The larger grid ends 10 scales behind the wall; the subtraction of rates costs some roundings of them.
        assert killing == pytest.approx(lost, rel=1e-9, abs=1e-14)


def test_heavy_tails_behind_a_wall_are_counted_to_the_end():
    """On a flat loss the rate behind the walls is the probability of such moves."""
    grid = fp.Grid(x=fp.Axis(-1, 1, 20, boundary="absorbing"))
    for proposal in (StableProposal(0.8, 0.5), fp.StudentProposal(1.5, 0.5)):
        process = fp.JumpProcess(fp.Landscape("0*x", variables=("x",)), 1.0, proposal)
        W = fp.generator(process, grid)
        x = grid.axes[0].centres
        beyond = proposal.cumulative((x - 1) / 0.5) + proposal.cumulative((-1 - x) / 0.5)
        # Sums of samples next to the wall stand for the integral to second order in h/s = 0.2.
        assert W.killing == pytest.approx(beyond, rel=0.01)


def test_a_driven_process_has_a_generator_at_each_time():
    trap = fp.Landscape("a*x**2/2", parameters={"a": 1.0}, variables=("x",))
    process = fp.JumpProcess(trap, 0.5, fp.GaussianProposal(0.3), protocol={"a": "1 + t"})
    grid = fp.Grid(x=(-5, 5, 100))
    W = fp.generator(process, grid)
    frozen = fp.JumpProcess(trap.with_parameters(a=3.0), 0.5, fp.GaussianProposal(0.3))
    assert abs(W.at(2.0).matrix - fp.generator(frozen, grid).matrix).max() == 0


def test_ehrenfests_urn_relaxes_at_twice_the_whole_numbers():
    n = 12
    k = np.arange(n + 1)
    rates = np.diag((n - k[:-1]) / n, -1) + np.diag(k[1:] / n, 1)
    s = fp.spectrum(fp.generator(fp.markov_network(rates)), k=5)
    assert s.rates == pytest.approx(2 * np.arange(5) / n, abs=1e-14)


def test_refusals():
    grid = fp.Grid(x=(-2, 2, 40))
    bowl = fp.JumpProcess(fp.Landscape("x**2"), 0.5, fp.GaussianProposal(0.4))
    with pytest.raises(GridError, match='did you mean "matrix"'):
        fp.generator(bowl, grid, "matrixx")
    with pytest.raises(GridError, match="leave velocity= out"):
        fp.generator(bowl, fp.Grid(x=(-2, 2, 40), velocity={"x": (-2, 2, 10)}))
    with pytest.raises(NumericalError, match=r"a rate of e\^\S+ overflows: .* shrink the grid"):
        fp.generator(fp.JumpProcess(fp.Landscape("x**2"), 1e-3, fp.UniformProposal(2.0)), grid)
    with pytest.raises(DynamicsError, match=r"attempt_rate = 'x' is -1\.95 somewhere on the grid"):
        fp.generator(fp.JumpProcess(fp.Landscape("x**2"), 0.5, fp.GaussianProposal(0.4), attempt_rate="x"), grid)
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 30, boundary="periodic"))
    steep = fp.JumpProcess(fp.Landscape("cos(x)"), 0.3, fp.LaplaceProposal(1.0), law="linearised")
    with pytest.raises(DynamicsError, match="the total rate is infinite where the slope along 'x', here up to"):
        fp.generator(steep, ring)
    tilted = fp.JumpProcess(fp.Landscape("cos(x) - x"), 1.0, fp.StudentProposal(3.0, 1.0), law="metropolis")
    with pytest.raises(GridError, match="too heavy to sum over"):
        fp.generator(tilted, ring)
    with pytest.raises(GridError, match=r"have 5.1e\+08 rates"):
        fp.generator(
            fp.JumpProcess(fp.Landscape("x**2 + y**2"), 0.5, fp.GaussianProposal(0.4), law="metropolis"),
            fp.Grid(x=(-3, 3, 150), y=(-3, 3, 150)),
        )


def test_a_cut_density_is_warned_of_at_the_users_line():
    process = fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.GaussianProposal(0.4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fp.generator(process, fp.Grid(x=(-1, 1, 20)))
        fp.generator(fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.UniformProposal(0.3)), fp.Grid(x=(-5, 5, 40)))
    assert [w.category for w in caught] == [GridWarning, GridWarning]
    assert all(w.filename == __file__ for w in caught)
