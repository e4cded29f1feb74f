"""Trajectories of jumps against master equations, closed forms and fluctuation theorems."""

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

import fpsolver as fp
from fpsolver.errors import InputError, MethodError, TrajectoryError

BALLS = 20
PARABOLA = fp.Landscape("x**2/2")
CLIFF = fp.Landscape("-x**4")
WELL = fp.Landscape("x**4/4 - x**2/2")
TAU = "tau-leaping"
SEED = 11
SIGMAS = 4.5
"""Standard errors that a fixed seed may be away: one in 10⁵ others is further."""


def urn():
    """Return Ehrenfest's urn: every ball changes sides at rate one."""
    k = np.arange(BALLS)
    return fp.MarkovNetwork(BALLS + 1, k, k + 1, BALLS - k, k + 1)


def ring(force=1.0):
    """Return a ring of three states that is driven around."""
    forward, backward = np.array([1.0, 2.0, 0.7]) * np.exp(force / 2), np.array([0.5, 1.0, 1.5]) * np.exp(-force / 2)
    return fp.MarkovNetwork(3, [0, 1, 2], [1, 2, 0], forward, backward)


def table(ensemble):
    """Return all rows of all trajectories."""
    return np.stack([ensemble.values(name) for name in ensemble.names])


def frequencies(ensemble, states):
    """Return the number of trajectories in each state."""
    return np.bincount(ensemble.final[:, 0].astype(int), minlength=states)


def p_value(counts, probabilities):
    """Return that of Pearson's χ² with rare states joined."""
    expected = probabilities * counts.sum()
    common = expected > 5
    observed = np.append(counts[common], counts[~common].sum())
    expected = np.append(expected[common], max(expected[~common].sum(), 1e-9))
    keep = expected > 1
    return stats.chi2.sf(((observed - expected)[keep] ** 2 / expected[keep]).sum(), keep.sum() - 1)


# --- networks ---------------------------------------------------------------------------------------------------------


def test_the_urn_relaxes_and_comes_to_the_binomial_distribution():
    ensemble = fp.simulate(urn(), 20_000, BALLS, t_final=4.0, times=8, seed=SEED, observe=fp.Moments("state"))
    moments, t = ensemble.observables["moments_state"], ensemble.times
    expected = BALLS / 2 * (1 + np.exp(-2 * t))
    assert (abs(moments.mean[:, 0] - expected) < SIGMAS * moments.standard_error[:, 0]).all()
    left = 0.5 * (1 + np.exp(-2 * t[-1]))  # balls are independent, at any time
    assert p_value(frequencies(ensemble, BALLS + 1), stats.binom.pmf(np.arange(BALLS + 1), BALLS, left)) > 1e-3
    jumps = ensemble.values("jumps")  # all states are left at the same rate: a Poisson number
    assert abs(jumps.mean() - BALLS * 4.0) < SIGMAS * np.sqrt(BALLS * 4.0 / 20_000)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_networks_follow_their_master_equation(seed):
    rng = np.random.default_rng(seed)
    rates = rng.exponential(size=(2, 7, 7)) * (rng.random((2, 7, 7)) < 0.5)
    rates[0] += np.eye(7, k=1) + np.eye(7, k=-6)  # every state is left
    network = fp.markov_network(rates)
    ensemble = fp.simulate(network, 20_000, 2, t_final=0.6, seed=seed)
    start = np.eye(7)[2]
    expected = expm(0.6 * network.matrix.toarray()) @ start
    assert p_value(frequencies(ensemble, 7), expected) > 1e-3
    generator = fp.generator(network)
    density = fp.evolve(generator, fp.Field(generator.grid, start), times=[0.6]).densities[-1]
    np.testing.assert_allclose(density, expected, atol=1e-9)


def test_first_jumps_come_at_exponential_times():
    network = fp.MarkovNetwork(3, [0, 1], [1, 2], [0.7, 0.0 + 1e-9], [0.0, 1e-9])
    ensemble = fp.simulate(network, 5000, 0, t_final=40.0, seed=SEED)
    times = ensemble.values("last_jump")[ensemble.values("jumps") == 1]
    assert stats.kstest(times, stats.expon(scale=1 / 0.7).cdf).pvalue > 1e-3


def test_a_state_without_way_out_is_never_left():
    network = fp.MarkovNetwork(2, [0], [1], [3.0], [0.0])
    ensemble = fp.simulate(network, 300, 0, t_final=1000.0, seed=SEED)
    assert (ensemble.final == 1).all()
    assert (ensemble.values("jumps") == 1).all()


def test_the_integral_fluctuation_theorem_of_a_driven_ring():
    network = ring()
    generator = fp.generator(network)
    start = fp.Field(generator.grid, np.array([0.6, 0.3, 0.1]))
    later = fp.evolve(generator, start, times=[1.5])
    ensemble = fp.simulate(
        network, 20_000, start, t_final=1.5, seed=SEED, functionals="entropy_flow", density=(start, later)
    )
    produced = ensemble.values("entropy_production")
    weights = np.exp(-produced)
    assert abs(weights.mean() - 1) < SIGMAS * weights.std() / np.sqrt(len(weights))
    assert produced.mean() > 0.3
    # The mean flow is the integral of that of the master equation.
    generator_matrix = network.matrix.toarray()
    t = np.linspace(0, 1.5, 301)
    flows = [network.entropy_flow(np.clip(expm(s * generator_matrix) @ start.values, 0, 1)) for s in t]
    flow = ensemble.values("entropy_flow")
    assert abs(flow.mean() - np.trapezoid(flows, t)) < SIGMAS * flow.std() / np.sqrt(len(flow)) + 1e-4


@pytest.mark.parametrize("kind", ["network", "thinning", "driven", "windows", "lattice", "leaps"])
def test_nothing_but_the_seed_changes_a_bit(kind):
    tight = {"functionals": ["entropy_flow"] if kind == "network" else ["entropy_flow", "heat", "work"]}
    process, start = ring(), 1
    if kind == "thinning":
        process, start = fp.JumpProcess(WELL, 0.2, fp.GaussianProposal(0.4), attempt_rate="1 + x**2"), 0.5
    if kind == "driven":
        loss = fp.Landscape("a*x**2/2", variables=("x",), parameters={"a": 1.0})
        protocol = {"a": fp.Protocol("2 + sin(t)"), "temperature": fp.Protocol("0.5 + 0.1*t")}
        process = fp.JumpProcess(loss, 0.5, fp.LaplaceProposal(0.4), law="glauber", protocol=protocol)
    if kind == "windows":
        loss = fp.Landscape("x**2/2 - b*x", variables=("x",), parameters={"b": 0.0})
        process = fp.JumpProcess(loss, 0.5, fp.StudentProposal(4, 0.3), "half", 3.0, {"b": fp.Protocol("0.5*sin(t)")})
        tight["scheme"] = fp.Thinning(least_loss=-0.125)
    if kind in ("lattice", "leaps"):
        process, start = fp.JumpProcess(WELL, 0.2, fp.LatticeProposal(0.05), attempt_rate=500.0), 0.5
    if kind == "leaps":
        tight["scheme"] = fp.TauLeaping(0.1, least_gain=2.0)
    dt = 0.25 if kind == "leaps" else None
    whole = fp.simulate(process, 600, start, dt, t_final=2.0, seed=SEED, threads=1, batch=256, **tight)
    cut = fp.simulate(process, 600, start, 0.25, t_final=0.75, seed=SEED, threads=2, batch=10_000, **tight)
    rest = fp.simulate(process, initial=cut, t_final=2.0, threads=2, times=[1.25, 2.0], **tight)
    few = fp.simulate(process, 300, start, dt, t_final=2.0, seed=SEED, **tight)
    other = fp.simulate(process, 600, start, dt, t_final=2.0, seed=SEED + 1, **tight)
    assert np.array_equal(table(whole), table(rest))
    assert np.array_equal(table(whole)[:, :300], table(few))
    assert not np.array_equal(table(whole), table(other))


def test_networks_say_what_they_cannot():
    one_way = fp.MarkovNetwork(2, [0], [1], [3.0], [0.0])
    for options, kind, message in (
        ({"initial": 2}, InputError, "states 0 to 1"),
        ({"initial": 0.5}, InputError, "states 0 to 1"),
        ({"functionals": "entropy_flow"}, MethodError, "one way only"),
        ({"functionals": "heat"}, MethodError, "no energies"),
        ({"precision": "single"}, MethodError, "could not count"),
        ({"noise": "rademacher"}, MethodError, "times of its own"),
        ({"scheme": "heun"}, MethodError, "direct"),
        ({"functionals": fp.TimeIntegral("state")}, MethodError, "sum over time steps"),
        ({"observe": fp.Mean("loss")}, InputError, "no quantity 'loss'"),
        ({"initial": "stationary"}, MethodError, "not known"),
        ({"times": [0.1, 2**0.5 / 2]}, InputError, "in common"),
    ):
        with pytest.raises(kind, match=message):
            fp.simulate(one_way, **({"n": 10, "initial": 0, "t_final": 1.0, "seed": 1} | options))


def test_outputs_find_their_own_distance():
    ensemble = fp.simulate(ring(), 300, 0, t_final=1.0, times=[0.1, 0.35, 1.0], seed=1, observe=fp.Mean("state"))
    assert ensemble.dt == 0.05
    np.testing.assert_allclose(ensemble.times, [0.1, 0.35, 1.0])


# --- jumps on a landscape ---------------------------------------------------------------------------------------------

CASES = [
    ("half", fp.GaussianProposal(0.5), 0.5),
    ("half", fp.UniformProposal(0.8), 0.5),
    ("half", fp.LaplaceProposal(0.3), 0.5),
    ("half", fp.StudentProposal(3, 0.4), 0.5),
    ("half", fp.StableProposal(1.5, 0.3), 0.5),
    ("half", fp.LatticeProposal(0.25), 0.5),
    ("arrhenius", fp.GaussianProposal(0.5), 0.25),
    ("metropolis", fp.GaussianProposal(0.7), 0.5),
    ("glauber", fp.LaplaceProposal(0.7), 0.5),
    ("metropolis", fp.LatticeProposal(0.25), 0.5),
]


@pytest.mark.parametrize(("law", "proposal", "variance"), CASES)
def test_stationary_states(law, proposal, variance):
    process = fp.JumpProcess(PARABOLA, 0.5, proposal, law)
    start = fp.Gaussian([0.0], variance) if proposal.kind != "lattice" else 0.0
    n = 4000
    ensemble = fp.simulate(process, n, start, t_final=30.0, seed=SEED)
    x = ensemble.final[:, 0]
    assert abs(x.mean()) < SIGMAS * np.sqrt(variance / n)
    # On a lattice the sum of e^{−x²/2T} s over multiples of s is the integral, to e^{−2π²T/s²}.
    assert abs(x.var() - variance) < SIGMAS * variance * np.sqrt(2 / n)
    if proposal.kind != "lattice":
        assert stats.kstest(x, stats.norm(scale=np.sqrt(variance)).cdf).pvalue > 1e-3
    if (law, proposal.kind) == ("half", "gaussian"):
        assert ensemble.stats["attempts_per_jump"] == 1.0  # on a parabola the tilt leaves no surplus


@pytest.mark.parametrize("law", ["half", "linearised", "metropolis"])
def test_jumps_leave_at_their_total_rate(law):
    """A slope of one, s = 0.3, T = 0.5: e^{s²g²/8T²} is what the half law gives to every point."""
    slope = fp.Landscape("x")
    process = fp.JumpProcess(slope, 0.5, fp.GaussianProposal(0.3), law)
    scheme = fp.Thinning(least_curvature=0.0) if law == "half" else None
    n, t = 80_000, 10.0  # the standard error of a rate is a thousandth of it
    ensemble = fp.simulate(process, n, 0.0, t_final=t, seed=SEED, scheme=scheme)
    rate = 1.0460278599 if law != "metropolis" else 0.8283405945
    jumps = ensemble.values("jumps")
    assert abs(jumps.mean() - rate * t) < SIGMAS * np.sqrt(rate * t / n)
    if law == "half":
        mean = -0.0941425074 * t  # reference flow of this proposal
        assert abs(ensemble.final.mean() - mean) < SIGMAS * ensemble.final.std() / np.sqrt(n)


def test_two_bounds_give_the_same_process():
    process = fp.JumpProcess(WELL, 0.2, fp.GaussianProposal(0.4))
    both = fp.simulate(process, 8000, 1.0, t_final=3.0, seed=1)
    loose = fp.Thinning(least_loss=-0.3, least_curvature=-5.0)
    other = fp.simulate(process, 8000, 1.0, t_final=3.0, seed=2, scheme=loose)
    assert other.stats["attempts_per_jump"] > both.stats["attempts_per_jump"]
    assert stats.ks_2samp(both.final[:, 0], other.final[:, 0]).pvalue > 1e-3
    assert abs(both.values("jumps").mean() - other.values("jumps").mean()) < SIGMAS * np.sqrt(2 * 3.0 / 8000)


def test_bounds_that_do_not_hold_end_the_run():
    process = fp.JumpProcess(WELL, 0.2, fp.GaussianProposal(0.4))
    with pytest.raises(TrajectoryError, match=r"-0\.1 of the loss"):
        fp.simulate(process, 300, 0.0, t_final=9.0, seed=1, scheme=fp.Thinning(-0.1, -0.2))
    for start in (0.0, 1.0):  # where a bound above the loss itself would make jumps too rare to be found out
        with pytest.raises(TrajectoryError, match="below least_loss = 5"):
            fp.simulate(process, 10, start, t_final=1.0, seed=1, scheme=fp.Thinning(least_loss=5.0))
    with pytest.raises(TrajectoryError, match="begin nearer to a minimum"):
        fp.simulate(fp.JumpProcess(PARABOLA, 0.01, fp.StudentProposal(3, 1.0)), 10, 9.0, t_final=1.0, seed=1)
    with pytest.raises(MethodError, match="no lower bound"):
        fp.simulate(fp.JumpProcess(CLIFF, 0.2, fp.UniformProposal(0.4)), 10, 0.0, t_final=1.0, seed=1)


@pytest.mark.parametrize("law", ["metropolis", "glauber"])
def test_two_states_with_sinusoidal_rates(law):
    """Jumps of 2 between the minima at ±1; the walls are 2000 T high."""
    loss = fp.Landscape("20*(x**2 - 1)**2 + a*x", variables=("x",), parameters={"a": 0.0})
    protocol = {"a": fp.Protocol("0.6*sin(2*t)"), "temperature": fp.Protocol("0.5 + 0.2*cos(t)")}
    process = fp.JumpProcess(loss, 0.5, fp.LatticeProposal(2.0), law, attempt_rate=3.0, protocol=protocol)

    def change(t, p):
        up, down = (process.at(t).factor(sign * 1.2 * np.sin(2 * t)) for sign in (1, -1))
        return 1.5 * (up * (1 - p) - down * p)

    expected = solve_ivp(change, (0, 3), [0.0], t_eval=[1, 2, 3], rtol=1e-9, atol=1e-12).y[0]
    n = 20_000
    ensemble = fp.simulate(
        process, n, -1.0, t_final=3.0, times=3, seed=SEED, observe=fp.Moments("x"), functionals=["work", "heat"]
    )
    up = 0.5 * (1 + ensemble.observables["moments_x"].mean[:, 0])
    assert (abs(up - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / n)).all()
    balance = ensemble.values("loss") - ensemble.values("work") + ensemble.values("heat")
    assert np.abs(balance).max() < 1e-14  # the loss was zero


def test_the_work_theorem_of_a_stiffened_trap():
    loss = fp.Landscape("a*x**2/2", variables=("x",), parameters={"a": 1.0})
    for law, protocol in (
        ("metropolis", fp.Protocol.ramp(1.0, 4.0, duration=2.0)),
        ("glauber", fp.Protocol("1 + 1.5*t")),
    ):
        process = fp.JumpProcess(loss, 0.5, fp.GaussianProposal(0.6), law, 2.0, {"a": protocol})
        ensemble = fp.simulate(process, 20_000, fp.Gaussian([0.0], 0.5), t_final=2.0, seed=SEED, functionals=["work"])
        weights = np.exp(-ensemble.values("work") / 0.5)
        assert abs(weights.mean() - 0.5) < SIGMAS * weights.std() / np.sqrt(len(weights))
        assert ensemble.values("work").mean() > 0.5 * np.log(2) + 0.1


@pytest.mark.parametrize("proposal", [fp.GaussianProposal(0.6), fp.LatticeProposal(0.25)], ids=lambda p: p.kind)
@pytest.mark.parametrize("law", ["half", "arrhenius", "linearised", "glauber"])
def test_entropy_flow_on_a_parabola(law, proposal):
    """Steps add up to the heat over the temperature of balance, and to the ratio of the attempt rates at both ends."""
    process = fp.JumpProcess(PARABOLA, 0.5, proposal, law, attempt_rate="1 + 0.5*tanh(x)")
    ensemble = fp.simulate(process, 4000, 0.7, t_final=1.0, seed=SEED, functionals=["entropy_flow", "heat"])
    assert ensemble.values("jumps").mean() > 0.3
    flow, heat = ensemble.values("entropy_flow"), ensemble.values("heat")
    np.testing.assert_allclose(heat, 0.245 - ensemble.values("loss"), atol=1e-13)
    rates = np.log((1 + 0.5 * np.tanh(0.7)) / (1 + 0.5 * np.tanh(ensemble.final[:, 0])))
    # On a parabola the mean of the slopes at both ends is the slope of the chord.
    expected = heat / (0.25 if law == "arrhenius" else 0.5) + rates
    np.testing.assert_allclose(flow, expected, atol=1e-12)


def test_laws_on_a_grid_and_on_trajectories():
    process = fp.JumpProcess(WELL, 0.2, fp.LatticeProposal(0.25), "glauber", attempt_rate="4/(1 + x**2)")
    x = 0.25 * np.arange(-16, 17)
    rate = 2 / (1 + x**2)
    matrix = np.zeros((33, 33))
    for step in (-1, 1):
        inside = np.arange(33)[(np.arange(33) + step >= 0) & (np.arange(33) + step < 33)]
        rise = WELL.value(x[inside + step][:, None]) - WELL.value(x[inside][:, None])
        matrix[inside + step, inside] = rate[inside] * process.factor(rise)
    matrix -= np.diag(matrix.sum(axis=0))
    expected = expm(1.5 * matrix)[:, 12]
    for scheme in ("direct", "thinning", fp.TauLeaping(0.03)):  # leaps gain nothing here, and are not taken
        ensemble = fp.simulate(process, 10_000, -1.0, t_final=1.5, seed=SEED, scheme=scheme)
        cells = np.rint(ensemble.final[:, 0] / 0.25).astype(int) + 16
        assert p_value(np.bincount(cells, minlength=33), expected) > 1e-3


def test_the_error_of_leaps_is_proportional_to_their_tolerance():
    """A fine lattice in a parabola, against the master equation."""
    spacing, temperature = 0.02, 0.5
    attempts = 2 * temperature / spacing**2
    process = fp.JumpProcess(PARABOLA, temperature, fp.LatticeProposal(spacing), attempt_rate=attempts)
    x = spacing * np.arange(-250, 251)
    up, down = (0.5 * attempts * process.factor(((x + step) ** 2 - x**2) / 2) for step in (spacing, -spacing))
    up[-1] = down[0] = 0.0
    flow = sparse.diags_array([-(up + down), up[:-1], down[1:]], offsets=[0, -1, 1]).tocsc()
    mean = x @ expm_multiply(0.5 * flow, np.eye(501)[350])
    n, errors, events = 20_000, [], []
    for tolerance in (0.4, 0.1):
        ensemble = fp.simulate(process, n, 2.0, t_final=0.5, seed=SEED, scheme=fp.TauLeaping(tolerance))
        errors.append(mean - ensemble.final.mean())
        events.append(ensemble.values("attempts").mean())
        jumps = ensemble.values("jumps")
        assert abs(jumps.mean() - 0.5 * attempts) < SIGMAS * jumps.std() / np.sqrt(n) + 0.01 * attempts * spacing
    noise = np.sqrt(temperature / n)
    assert errors[0] > 10 * noise  # long leaps are felt
    assert abs(errors[1] / errors[0] - 0.25) < SIGMAS * noise / errors[0] + 0.1  # second order: 0.4² / 2
    assert events[0] < events[1] < 10  # of 1250 jumps


def test_driven_rates_with_a_bound_in_windows():
    """A trap that moves: a Gaussian stays one, and its mean m follows a linear equation to first order in s²/T."""
    loss = fp.Landscape("x**2/2 - b*x", variables=("x",), parameters={"b": 0.0})
    scale, temperature = 0.1, 0.5
    attempts = 2 * temperature / scale**2 / 10
    protocol = {"b": fp.Protocol("0.5*sin(6*t)")}
    process = fp.JumpProcess(loss, temperature, fp.GaussianProposal(scale), "half", attempts, protocol)
    scheme = fp.Thinning(least_loss=-0.125)
    ensemble = fp.simulate(
        process, 4000, fp.Gaussian([0.0], 0.5), t_final=1.0, seed=SEED, scheme=scheme, functionals=["work"]
    )
    t = np.linspace(0, 1, 2001)
    mean = np.trapezoid(np.exp(-(1 - t) / 10) * 0.05 * np.sin(6 * t), t)  # relaxation at rate 1/10
    x = ensemble.final[:, 0]
    assert abs(x.mean() - mean) < SIGMAS * np.sqrt(0.5 / 4000) + scale**2 / temperature * abs(mean)
    weights = np.exp(-ensemble.values("work") / temperature)
    free_energy = -0.5 * (0.5 * np.sin(6)) ** 2
    assert abs(weights.mean() - np.exp(-free_energy / temperature)) < SIGMAS * weights.std() / np.sqrt(4000)
    with pytest.raises(MethodError, match="never falls below"):
        fp.simulate(process, 10, 0.0, t_final=1.0, seed=1)
    curved = fp.Landscape("(x - b)**2/2", variables=("x",), parameters={"b": 0.0})
    with pytest.raises(MethodError, match="enter linearly"):
        fp.simulate(fp.JumpProcess(curved, 0.5, fp.GaussianProposal(0.1), protocol=protocol), 10, 0.0, t_final=1.0,
                    seed=1, scheme=fp.Thinning(least_loss=0.0))  # fmt: skip


@pytest.mark.slow  # its loops are compiled for it alone
def test_leaps_of_the_linearised_law():
    """Against single jumps; a leap that lasts ε over the rate of relaxation is a step of Euler's method."""
    scale, temperature, tolerance, t = 0.05, 0.5, 0.1, 0.5
    process = fp.JumpProcess(
        PARABOLA, temperature, fp.GaussianProposal(scale), "linearised", 2 * temperature / scale**2
    )
    n, options = 4000, {"t_final": t, "functionals": ["entropy_flow", "heat"]}
    exact = fp.simulate(process, n, 2.0, seed=SEED, **options)
    leaps = fp.simulate(process, n, 2.0, seed=SEED + 1, scheme=fp.TauLeaping(tolerance), **options)
    noise = np.sqrt(2 * exact.final.var() / n)
    euler = 2.0 * (np.exp(-t) - (1 - tolerance) ** (t / tolerance))
    assert abs(exact.final.mean() - leaps.final.mean()) < euler + SIGMAS * noise
    jumps = leaps.values("jumps")
    assert (
        abs(jumps.mean() - exact.values("jumps").mean()) < SIGMAS * np.sqrt(2 * jumps.var() / n) + 0.01 * jumps.mean()
    )
    assert leaps.values("attempts").mean() < 20 < 150 < jumps.mean()
    np.testing.assert_allclose(leaps.values("heat"), 2.0 - leaps.values("loss"), atol=1e-13)
    np.testing.assert_allclose(leaps.values("entropy_flow"), leaps.values("heat") / temperature, atol=1e-12)
    uneven = fp.JumpProcess(PARABOLA, temperature, fp.GaussianProposal(scale), "linearised", "200*(2 + tanh(x))")
    leaps = fp.simulate(uneven, 300, 2.0, seed=SEED, scheme=fp.TauLeaping(tolerance), **options)
    ratio = np.log((2 + np.tanh(2.0)) / (2 + np.tanh(leaps.final[:, 0])))
    np.testing.assert_allclose(leaps.values("entropy_flow"), leaps.values("heat") / temperature + ratio, atol=1e-12)
    assert leaps.values("jumps").mean() > 5 * leaps.values("attempts").mean()
    # On a slope the rate is e^{s²g²/8T²} everywhere, and nothing limits a leap: jumps are single.
    slope = fp.JumpProcess(fp.Landscape("x"), 0.5, fp.GaussianProposal(0.3), "linearised")
    single = fp.simulate(slope, 20_000, 0.0, t_final=10.0, seed=SEED, scheme=fp.TauLeaping(tolerance))
    assert abs(single.values("jumps").mean() - 10.460278599) < SIGMAS * np.sqrt(10.46 / 20_000)
    assert abs(single.final.mean() + 0.941425074) < SIGMAS * single.final.std() / np.sqrt(20_000)
    with pytest.raises(MethodError, match="needs jumps on a lattice"):
        fp.simulate(fp.JumpProcess(WELL, 0.5, fp.GaussianProposal(0.1)), 1, 0.0, t_final=1.0, seed=1, scheme=TAU)
