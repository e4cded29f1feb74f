"""First-passage times of trajectories: exact distributions, order of the bias, reproducibility, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

import fpsolver as fp
from fpsolver.ensembles.first_passage import first_passage_times
from fpsolver.ensembles.initial import Gaussian
from fpsolver.errors import InputError, MethodError, RegionError, TrajectoryError

ERRORS = 4.0
"""Standard errors that a comparison may be off: 6·10⁻⁵ of all seeds are."""

RIGHT = fp.where(x=(1.0, None))


def flat(dimension=1, **options):
    names = ("x", "y", "z")[:dimension]
    return fp.Langevin(fp.Landscape("*".join(("0", *names)), variables=names), **options)


def drifting(speed, temperature):
    return fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=temperature, force=(speed,))


def assert_within(estimate, expected):
    error = np.abs(np.asarray(estimate.value) - expected)
    assert np.all(error < ERRORS * np.asarray(estimate.standard_error))


@pytest.fixture(scope="module")
def drifted():
    """Brownian motion that drifts towards a wall at distance 1: exact at any time step."""
    return first_passage_times(drifting(0.8, 0.5), 40_000, [0.0], RIGHT, dt=0.25, t_max=100.0, seed=1)


def test_drift_gives_inverse_gaussian(drifted):
    # The bridge correction is exact for constant drift and a flat wall: no time-step error, even with σ = 0.5.
    mean, shape = 1.0 / 0.8, 1.0
    assert drifted.survivors == 0
    law = stats.invgauss(mean / shape, scale=shape)
    assert stats.kstest(drifted.times, law.cdf).pvalue > 1e-3
    assert_within(drifted.mean, mean)


def test_no_drift_gives_levy():
    passage = first_passage_times(flat(temperature=0.5), 40_000, [0.0], RIGHT, dt=0.5, t_max=50.0, seed=2)
    times = np.array([0.1, 0.4, 1.0, 5.0, 50.0])
    assert_within(passage.survival(times), special.erf(1.0 / np.sqrt(2.0 * times)))
    reached = passage.times[np.isfinite(passage.times)]
    law = stats.levy()
    assert stats.kstest(reached, lambda t: law.cdf(t) / law.cdf(50.0)).pvalue > 1e-3


def test_correlated_noise_to_a_flat_wall():
    # Only the diffusion along the normal counts; ends of the bridge and exit position are correlated.
    diffusion = [[0.5, 0.6], [0.6, 1.0]]
    landscape = fp.Landscape("0*x*y", variables=("x", "y"))
    dynamics = fp.Langevin(landscape, diffusion=diffusion)
    wall = fp.where(y=(1.0, None))
    passage = first_passage_times(dynamics, 20_000, [0.0, 0.0], wall, dt=0.3, t_max=30.0, seed=3, positions=True)
    assert_within(passage.survival(30.0), special.erf(1.0 / np.sqrt(4.0 * 30.0)))
    reached = passage.positions[passage.targets == 0]
    assert np.allclose(reached[:, 1], 1.0, atol=1e-12)
    # x − (D_xy/D_yy) y is independent of y: its mean at exit is where it was.
    free = reached[:, 0] - 0.6 * reached[:, 1]
    assert abs(free.mean()) < ERRORS * free.std() / np.sqrt(len(free))


def test_interval_is_left_on_both_sides():
    # Probabilities from the scale function −e^(−vx/D) of drifting Brownian motion.
    speed, diffusion = 0.5, 0.5
    targets = [fp.where(x=(None, -1.0)), fp.where(x=(2.0, None))]
    passage = first_passage_times(drifting(speed, diffusion), 40_000, [0.0], targets, dt=0.01, t_max=200.0, seed=4)

    def scale(x):
        return -np.exp(-speed * x / diffusion)

    right = (scale(0.0) - scale(-1.0)) / (scale(2.0) - scale(-1.0))
    assert passage.survivors == 0
    assert_within(passage.probabilities, np.array([1.0 - right, right]))
    # Wald's identity: ⟨x⟩ = v⟨τ⟩.
    assert_within(passage.mean, (2.0 * right - 1.0 * (1.0 - right)) / speed)


def exact_mean(potential, temperature, start, wall, lower):
    """Return ∫_start^wall dy e^{V/T} ∫_lower^y dz e^{−V/T} / T."""

    def inner(y):
        return integrate.quad(lambda z: np.exp((potential(y) - potential(z)) / temperature), lower, y)[0]

    return integrate.quad(inner, start, wall)[0] / temperature


def discrete_mean(slope, temperature, start, wall, lower, dt, bridge, nodes=700):
    """Return the mean first-passage time of the Euler–Maruyama scheme itself, by quadrature of its one-step kernel.

    τ(x) = E[min(t, dt)] + ∫ K(x → y)(1 − touched(x, y)) τ(y) dy, with the time of touch within a step where bridges
    are followed, and dt where targets are only looked at in the end.
    """
    y, weights = np.polynomial.legendre.leggauss(nodes)
    y, weights = 0.5 * (wall - lower) * (y + 1) + lower, 0.5 * (wall - lower) * weights
    spread, distance, drift = 2.0 * temperature * dt, wall - y, -slope(y)
    kernel = np.exp(-((y[None, :] - y[:, None] - (drift * dt)[:, None]) ** 2) / (2 * spread))
    kernel *= weights[None, :] / np.sqrt(2 * np.pi * spread)
    spent = np.full(nodes, dt)
    if bridge:
        kernel *= -np.expm1(-2.0 * distance[:, None] * distance[None, :] / spread)
        s, w = np.polynomial.legendre.leggauss(60)
        s, w = 0.5 * dt * (s + 1), 0.5 * dt * w
        width = np.sqrt(2.0 * temperature * s)[None, :]
        ahead, back = (distance[:, None] + sign * drift[:, None] * s for sign in (-1.0, 1.0))
        image = np.exp(drift[:, None] * distance[:, None] / temperature)
        spent = (special.ndtr(ahead / width) - image * special.ndtr(-back / width)) @ w
    tau = np.linalg.solve(np.eye(nodes) - kernel, spent)
    return float(np.interp(start, y, tau)) if start != y[0] else tau[0]


def quadratic(x):
    return 0.5 * x * x


WELL = (0.5, 0.0, 1.0, -6.0)
"""Temperature, start, wall and lower end of V = x²/2."""


def bias(dt, bridge):
    return discrete_mean(lambda x: x, *WELL, dt, bridge) / exact_mean(quadratic, *WELL) - 1.0


@pytest.mark.parametrize(("bridge", "order"), [(False, 0.5), (True, 1.0)])
def test_order_of_the_bias(bridge, order):
    # By quadrature of the one-step kernel. Halving dt gives local orders that approach the limit like √dt, which one
    # Richardson step removes; what is left is of order dt.
    errors = np.abs([bias(dt, bridge) for dt in (0.04, 0.02, 0.01, 0.005)])
    local = np.log2(errors[:-1] / errors[1:])
    root = np.sqrt(2.0)
    extrapolated = (root * local[1:] - local[:-1]) / (root - 1.0)
    assert abs(extrapolated[-1] - order) < 0.05


@pytest.mark.parametrize("bridge", [False, True])
def test_kernel_is_what_the_quadrature_assumes(bridge):
    # At a step so long that its bias is many standard errors, the trajectories have the same bias.
    temperature, start, wall, _ = WELL
    dt = 0.1
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=temperature)
    passage = first_passage_times(
        dynamics, 100_000, [start], fp.where(x=(wall, None)), dt, 200.0, seed=5, bridge=bridge
    )
    assert_within(passage.mean, discrete_mean(lambda x: x, *WELL, dt, bridge))
    assert abs(passage.mean.value - exact_mean(quadratic, *WELL)) > 2 * ERRORS * passage.mean.standard_error


def test_disk_is_left_in_the_mean_after_r_squared_over_2dD():
    # Weak order one for curved walls: extrapolated from dt and dt/4, the bias vanishes to order dt^{3/2}.
    diffusion = 0.5
    found = [
        first_passage_times(
            flat(2, temperature=diffusion), 50_000, [0.0, 0.0], "x**2 + y**2 - 1", dt, 20.0, seed=6, experiment=k
        ).mean
        for k, dt in enumerate((0.02, 0.005))
    ]
    value = (4 * found[1].value - found[0].value) / 3
    error = np.hypot(4 * found[1].standard_error, found[0].standard_error) / 3
    assert abs(value - 1.0 / (2 * 2 * diffusion)) < ERRORS * error


def test_level_function_of_a_plane_is_a_flat_wall():
    options = {"n": 5_000, "initial": [0.0, 0.0], "dt": 0.1, "t_max": 20.0, "seed": 7}
    dynamics = flat(2, temperature=0.5)
    box = first_passage_times(dynamics, target=fp.where(y=(1.0, None)), **options)
    level = first_passage_times(dynamics, target="3*y - 3", **options)
    assert np.array_equal(box.targets, level.targets)
    assert np.allclose(box.times[box.targets == 0], level.times[level.targets == 0], rtol=1e-9)


def test_moving_wall():
    # A wall that comes nearer at speed v is a particle that drifts at that speed.
    passage = first_passage_times(flat(temperature=0.5), 20_000, [0.0], "x - 1 + 0.8*t", dt=0.25, t_max=50.0, seed=8)
    assert passage.survivors == 0
    assert stats.kstest(passage.times, stats.invgauss(1.25).cdf).pvalue > 1e-3


def test_box_in_the_plane_against_the_grid():
    dynamics = fp.Langevin(fp.Landscape("(x**2 + y**2)/2", variables=("x", "y")), temperature=0.4)
    box = fp.where(x=(0.5, 1.5), y=(0.25, None))
    grid = fp.Grid(x=(-4, 4, 256), y=(-4, 4, 256))
    tau = fp.mean_first_passage_time(fp.generator(dynamics, grid), box).at([[-0.5, -0.5]])[0]
    passage = first_passage_times(dynamics, 20_000, [-0.5, -0.5], box, dt=0.002, t_max=400.0, seed=9)
    # From 128² to 256² cells τ falls by 0.6%, so that at order 4/3 (the corner's) 0.4% are left; dt leaves 0.1%.
    assert abs(passage.mean.value - tau) < ERRORS * passage.mean.standard_error + 0.005 * tau


def test_escape_over_a_barrier_against_the_grid(quartic):
    temperature = 0.1
    dynamics = fp.Langevin(quartic, temperature=temperature)
    tau = fp.mean_first_passage_time(fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 1000))), RIGHT).at([[-1.0]])[0]
    means = [
        first_passage_times(dynamics, 20_000, [-1.0], RIGHT, dt, 4000.0, seed=10, experiment=k).mean
        for k, dt in enumerate((0.04, 0.02))
    ]
    value = 2 * means[1].value - means[0].value
    assert abs(value - tau) < ERRORS * np.hypot(2 * means[1].standard_error, means[0].standard_error)


def test_constant_protocols_change_nothing():
    landscape = fp.Landscape("a*x**2/2", parameters={"a": 1.0})
    options = {"n": 2_000, "initial": [0.0], "target": RIGHT, "dt": 0.02, "t_max": 40.0, "seed": 11}
    still = first_passage_times(fp.Langevin(landscape, temperature=0.5), **options)
    protocols = {"temperature": fp.Protocol("0.5 + 0*t"), "a": fp.Protocol("1 + 0*t")}
    driven = first_passage_times(fp.Langevin(landscape, temperature=0.3, protocol=protocols), **options)
    assert np.array_equal(still.times, driven.times)


def test_heating_is_another_clock():
    # Brownian motion of diffusion D(t) is one of unit diffusion at the time ∫D dt, which the midpoint rule gives
    # exactly for a linear D: survival at the ends of steps is exact.
    dynamics = flat(temperature=0.1, protocol={"temperature": fp.Protocol("0.25 + 0.5*t")})
    passage = first_passage_times(dynamics, 20_000, [0.0], RIGHT, dt=0.5, t_max=6.0, seed=18)
    times = np.array([0.5, 1.0, 2.0, 4.0, 6.0])
    assert_within(passage.survival(times), special.erf(0.5 / np.sqrt(0.25 * times + 0.25 * times**2)))


@pytest.mark.parametrize("target", [RIGHT, "x**2 - 1", [RIGHT, fp.where(x=(None, -1.5))]])
def test_bits_do_not_depend_on_threads_batches_or_what_else_is_under_way(target):
    dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.2)
    options = {"target": target, "dt": 0.01, "t_max": 30.0, "seed": 12}
    start = Gaussian([0.0], 0.1)
    one = first_passage_times(dynamics, 3_000, start, threads=1, **options)
    two = first_passage_times(dynamics, 3_000, start, threads=2, batch=256, **options)
    few = first_passage_times(dynamics, 700, start, threads=2, batch=512, **options)
    assert one.times.tobytes() == two.times.tobytes() and one.targets.tobytes() == two.targets.tobytes()
    assert one.times[:700].tobytes() == few.times.tobytes()
    assert one.time_at_risk == two.time_at_risk


def test_bits_do_not_depend_on_rounds_and_groups(monkeypatch):
    from fpsolver.ensembles import first_passage

    dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.2)
    options = {"n": 1_500, "initial": [-1.0], "target": RIGHT, "dt": 0.01, "t_max": 40.0, "seed": 13}
    whole = first_passage_times(dynamics, positions=True, **options)
    monkeypatch.setattr(first_passage, "ROUND", 64)
    monkeypatch.setattr(first_passage, "CHUNK", 1000)
    monkeypatch.setattr(first_passage, "GROUP", 512)
    parts = first_passage_times(dynamics, positions=True, **options)
    assert whole.times.tobytes() == parts.times.tobytes()
    assert whole.positions.tobytes() == parts.positions.tobytes()


def test_histogram_holds_the_same_as_the_times():
    dynamics = drifting(0.8, 0.5)
    options = {"n": 4_000, "initial": [0.0], "target": RIGHT, "dt": 0.1, "t_max": 6.0, "seed": 14}
    times = first_passage_times(dynamics, **options)
    binned = first_passage_times(dynamics, bins=(0.0, 6.0, 60), **options)
    assert binned.times is None and binned.survivors == times.survivors > 0
    assert np.array_equal(binned.histogram, np.histogram(times.times, binned.edges)[0])
    assert np.array_equal(binned.density().values, times.density((0.0, 6.0, 60)).values)
    assert np.allclose(binned.survival(binned.edges[::10]).value, times.survival(binned.edges[::10]).value)
    assert binned.restricted_mean == times.restricted_mean and binned.rate() == times.rate()
    with pytest.raises(MethodError, match="only a histogram was kept"):
        binned.quantile(0.5)
    with pytest.raises(InputError, match="known at its edges"):
        binned.survival(0.05)


def test_estimates_of_censored_times():
    # Escape from a harmonic well forgets its start in a time of one: after that it is exponential.
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.2)
    options = {"n": 20_000, "initial": [0.0], "target": RIGHT, "dt": 0.02, "seed": 15}
    cut = first_passage_times(dynamics, t_max=10.0, **options)
    whole = first_passage_times(dynamics, t_max=400.0, **options)
    assert cut.survivors > 0 and whole.survivors == 0
    with pytest.raises(MethodError, match=r"not below .* restricted_mean"):
        _ = cut.mean
    early, late = cut.rate(after=2.0), whole.rate(after=2.0)
    assert abs(early.value - late.value) < ERRORS * early.standard_error
    assert cut.restricted_mean.value == pytest.approx(np.minimum(whole.times, 10.0).mean(), rel=1e-12)
    assert cut.quantile(0.3) == whole.quantile(0.3)
    with pytest.raises(MethodError, match=r"beyond t_max"):
        cut.quantile(0.999)


def test_quantile_error_covers(drifted):
    law = stats.invgauss(1.25)
    for q in (0.1, 0.5, 0.9):
        assert_within(drifted.quantile(q), law.ppf(q))


def test_start_inside_counts_at_time_zero():
    start = np.array([[0.0], [2.0]])
    passage = first_passage_times(flat(temperature=0.5), 2, start, RIGHT, dt=0.1, t_max=0.1, seed=1, positions=True)
    assert passage.times[1] == 0.0 and passage.targets[1] == 0 and passage.positions[1, 0] == 2.0
    with pytest.raises(RegionError, match="all trajectories start inside"):
        first_passage_times(flat(temperature=0.5), 2, [2.0], RIGHT, dt=0.1, t_max=0.1, seed=1)


def test_without_noise_the_crossing_is_interpolated():
    passage = first_passage_times(drifting(1.0, 0.0), 10, [0.0], fp.where(x=(0.25, None)), 0.1, 1.0, seed=1)
    assert np.allclose(passage.times, 0.25, rtol=1e-12)
    curved = first_passage_times(drifting(1.0, 0.0), 10, [0.0], "x - 0.25", 0.1, 1.0, seed=1)
    assert np.allclose(curved.times, 0.25, rtol=1e-12)


@pytest.mark.slow  # compiled once more
def test_single_precision_follows_double():
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    single = first_passage_times(dynamics, 20_000, [0.0], RIGHT, 0.02, 100.0, seed=16, precision="single")
    double = first_passage_times(dynamics, 20_000, [0.0], RIGHT, 0.02, 100.0, seed=16)
    error = np.hypot(single.mean.standard_error, double.mean.standard_error)
    assert abs(single.mean.value - double.mean.value) < ERRORS * error


def test_failure_is_named():
    dynamics = fp.Langevin(fp.Landscape("x**4/4"), temperature=1.0)
    with pytest.raises(TrajectoryError, match=r"trajectory \d+ became infinite or NaN in step") as caught:
        first_passage_times(dynamics, 2_000, [0.0], fp.where(x=(3.9, 3.901)), dt=0.4, t_max=400.0, seed=17)
    failed = caught.value
    assert np.isfinite(failed.state).all() and f"trajectory {failed.trajectory} " in str(failed)


def test_level_function_without_a_value_is_a_failure():
    with pytest.raises(TrajectoryError, match="trajectory"):
        first_passage_times(flat(temperature=0.5), 300, [1.0], "sqrt(x) - 2", dt=0.1, t_max=10.0, seed=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"t_max": None}, InputError, "t_max is missing"),
        ({"t_max": 0}, InputError, "t_max = 0 leaves no time"),
        ({"t_max": 0.55}, InputError, "no multiple of dt"),
        ({"seed": None}, InputError, "seed is missing"),
        ({"target": fp.where(z=(1, None))}, RegionError, "bounds 'z', but the variables are x"),
        ({"target": lambda x: x > 1}, RegionError, "need to know how far away"),
        ({"target": []}, RegionError, "target is empty"),
        ({"target": "2.0"}, RegionError, "depends on no variable"),
        ({"target": "x >= 1"}, RegionError, r"is a condition: give a box, fp\.where"),
        ({"scheme": "heun"}, MethodError, "cannot serve first passage"),
        ({"precision": "half"}, InputError, "precision = 'half'"),
        ({"bins": (-1.0, 1.0, 10)}, InputError, "not negative"),
        (
            {"dynamics": fp.UnderdampedLangevin(fp.Landscape("x**2"), temperature=1.0, friction=1.0)},
            MethodError,
            "overdamped",
        ),
        (
            {"dynamics": fp.Langevin(fp.Landscape("x**2"), temperature=1.0, mobility="1 + x**2")},
            MethodError,
            "may depend on the position",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, error, message):
    given = {"dynamics": flat(temperature=1.0), "n": 10, "initial": [0.0], "target": RIGHT, "dt": 0.1, "t_max": 1.0}
    with pytest.raises(error, match=message):
        first_passage_times(**(given | {"seed": 1} | change))


def test_jumps_are_referred_to_the_grid():
    process = fp.JumpProcess(fp.Landscape("x**2/2"), 0.5, fp.GaussianProposal(0.3))
    for law in (process, fp.markov_network([[0, 1], [2, 0]])):
        with pytest.raises(MethodError, match=r"fp\.mean_first_passage_time"):
            fp.first_passage_times(law, 10, 0.0, fp.where(x=(1.0, None)), t_max=1.0, seed=1)
