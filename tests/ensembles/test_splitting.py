"""Adaptive multilevel splitting against quadrature of the one-step kernel, closed forms and the grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import fpsolver as fp
from fpsolver.ensembles import branching, path_pieces
from fpsolver.ensembles import splitting as module
from fpsolver.ensembles.functionals import Functionals
from fpsolver.ensembles.integrators.additive import additive_integrator
from fpsolver.ensembles.integrators.integrator import Request
from fpsolver.ensembles.scores import score_of
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.splitting import adaptive_splitting
from fpsolver.errors import AccuracyWarning, ConvergenceError, InputError, MethodError, RegionError, TrajectoryError

ERRORS = 3.5
"""Standard errors that an estimate may be away: one in two thousand is farther, by chance."""

LEFT, RIGHT = fp.where(x=(None, -0.8)), fp.where(x=(0.8, None))


def well(barrier_over_temperature, landscape="x**4/4 - x**2/2"):
    return fp.Langevin(fp.Landscape(landscape), temperature=0.25 / barrier_over_temperature)


def grid_time(dynamics, cells=4000):
    """Return the mean time from the wall of A to B.

    From the minimum it is longer by less than a relaxation time, which these barriers multiply by thousands; the error
    of the grid is of second order in its width, 10⁻³.
    """
    W = fp.generator(dynamics, fp.Grid(x=(-2, 2, cells)))
    return fp.mean_first_passage_time(W, RIGHT).at([[-0.8]])[0]


# Drifting Brownian motion between 0 and 1: the probability of the chain by quadrature.

SPEED, TEMPERATURE, START = -2.0, 0.5, 0.2


def reaching_probability(dt, nodes=400):
    """Return P(chain from START is beyond 1 before it is below 0), from u = K u + P(step over 1)."""
    y, weights = np.polynomial.legendre.leggauss(nodes)
    y, weights = 0.5 * (y + 1), 0.5 * weights
    width = np.sqrt(2 * TEMPERATURE * dt)

    def kernel(x):
        return stats.norm.pdf(y[None, :], x[:, None] + SPEED * dt, width) * weights

    def over(x):
        return special.ndtr((x + SPEED * dt - 1) / width)

    u = np.linalg.solve(np.eye(nodes) - kernel(y), over(y))
    x = np.array([START])
    return float((kernel(x) @ u + over(x))[0])


def split_from_start(score, dt, n, kill, runs, seed):
    """Return the replicas of many runs that all start from START."""
    dynamics = fp.Langevin(fp.Landscape(f"{-SPEED}*x"), temperature=TEMPERATURE)
    sets = module._sets(fp.where(x=(None, 0.0)), fp.where(x=(1.0, None)), dynamics.landscape)
    engine = additive_integrator(Request(dynamics, "euler-maruyama", "gaussian", Functionals(), dt, key_of(seed)))
    parameters = engine.system.parameters
    compiled = score_of(score, ("x",), parameters.names, parameters.values)
    points = np.full((n * runs, 1), START)
    nothing = np.zeros(n * runs, dtype=np.int64)
    walked = path_pieces.Loops(points, compiled.at(points), nothing, np.zeros(n * runs), nothing, nothing, 0)
    with path_pieces.Pieces(engine, compiled, sets.walls(parameters.names, "double"), 100_000, 1) as pieces:
        found = module._replicas(pieces, walked, n, runs, False)
        branching.split(pieces, found, kill)
    return found


def test_quadrature_tends_to_the_scale_function():
    # The scale function with both walls moved outwards by 0.5826 standard deviations of a step, the mean overshoot
    # −ζ(1/2)/√(2π) of a random walk (Siegmund 1985, chapter X), is right to order dt.
    differences = []
    for dt in (4e-3, 1e-3):
        beyond = 0.5825971579 * np.sqrt(2 * TEMPERATURE * dt)
        lower, upper = np.exp(-SPEED * np.array([-beyond, 1 + beyond]) / TEMPERATURE)
        closed = (np.exp(-SPEED * START / TEMPERATURE) - lower) / (upper - lower)
        differences.append(abs(reaching_probability(dt) / closed - 1))
    assert differences[0] < 0.05 and differences[1] < differences[0] / 3


@pytest.mark.parametrize("score", ["x", "sign(x - 0.3) + sign(x - 0.5) + sign(x - 0.7)"])
@pytest.mark.parametrize("kill", [1, 10])
def test_probability_and_its_square_have_no_bias(score, kill):
    # A long step: one in ten lanes branches from a state that is never surpassed, and ties at the level die together;
    # on the staircase all do.
    dt, n, runs = 0.02, 40, 400
    exact = reaching_probability(dt)
    found = split_from_start(score, dt, n, kill, runs, seed=1)
    estimates = np.array([one.estimates() for one in found])
    for values, expected in zip(estimates.T, (exact, exact**2), strict=True):
        assert abs(values.mean() - expected) < ERRORS * values.std(ddof=1) / np.sqrt(runs)
    # The mean of the variances is the variance of the mean; both are known to a part of about √(2/runs) and a tail.
    variance = estimates[:, 0].var(ddof=1)
    own = np.mean(estimates[:, 0] ** 2 - estimates[:, 1])
    fourth = np.mean((estimates[:, 0] - exact) ** 4) / variance**2
    assert abs(own / variance - 1) < ERRORS * np.sqrt((fourth - 1) / runs) + ERRORS / np.sqrt(runs)


def test_ties_occur_and_killing_fewer_would_be_biased():
    found = split_from_start("x", 0.02, 40, 1, 50, seed=2)
    # Were no two maxima alike, each killing would take one: ln p = iterations · ln(1 − 1/n).
    reached = np.array([one.log_probability for one in found])
    single = np.array([one.iterations for one in found]) * np.log1p(-1 / 40)
    assert (reached < single - 1e-9).mean() > 0.5


# Mean times.


def chain_time(temperature, dt, start, wall, lower=-3.0, nodes=800):
    """Return the mean time of the Euler–Maruyama chain in the double well from `start` to beyond `wall`."""
    y, weights = np.polynomial.legendre.leggauss(nodes)
    y, weights = 0.5 * (wall - lower) * (y + 1) + lower, 0.5 * (wall - lower) * weights
    width = np.sqrt(2 * temperature * dt)

    def kernel(x):
        return stats.norm.pdf(y[None, :], (x - dt * (x**3 - x))[:, None], width) * weights

    tau = np.linalg.solve(np.eye(nodes) - kernel(y), np.full(nodes, dt))
    return float((kernel(np.array([start])) @ tau)[0] + dt)


@pytest.mark.parametrize("reference", [None, -0.8, 0.0])
def test_time_is_exact_for_the_chain_even_where_transitions_are_not_rare(reference):
    # Barrier 1.25 T, long steps: walkers that reach B go back to where they started, and renewal makes
    # T = (1/p − 1) T_loop + T_reactive the mean time of the chain from there, whatever the reference surface.
    temperature, dt = 0.2, 0.1
    dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=temperature)
    result = adaptive_splitting(
        dynamics, LEFT, RIGHT, score="x", dt=dt, seed=1, n=2000, runs=4, initial=[-1.0], scheme="euler-maruyama",
        reference=reference, loops=(8, 4),
    )  # fmt: skip
    exact = chain_time(temperature, dt, -1.0, 0.8)
    assert abs(result.mean_time.value - exact) < ERRORS * result.mean_time.standard_error
    assert result.mean_time.standard_error < 0.03 * exact
    assert repr(result).endswith("4 run(s) of 2000 replicas)")
    assert result.rate.value == pytest.approx(1 / result.mean_time.value)


def covered(barrier, seeds, score, **options):
    """Return pulls (T − τ)/σ of some seeds against the grid."""
    dynamics = well(barrier)
    exact = grid_time(dynamics)
    found = [adaptive_splitting(dynamics, LEFT, RIGHT, score=score, dt=0.02, seed=s, **options) for s in seeds]
    return np.array([(one.mean_time.value - exact) / one.mean_time.standard_error for one in found])


def test_escape_over_ten_temperatures_against_the_grid():
    pulls = covered(10, range(6), "x", n=600)
    # χ² with six degrees of freedom, two-sided at one in a thousand.
    assert stats.chi2(6).ppf(5e-4) < np.sum(pulls**2) < stats.chi2(6).ppf(1 - 5e-4)


@pytest.mark.validate
@pytest.mark.parametrize("barrier", [10, 15, 20])
def test_two_errors_cover_the_grid_for_nine_seeds_of_ten(barrier):
    pulls = covered(barrier, range(100, 130), "x", runs=4)
    assert np.count_nonzero(np.abs(pulls) < 2) >= 27


def test_standard_error_is_honest():
    # Pulls of 60 runs against their common mean, of which each is a part: unit variance to within its error.
    result = adaptive_splitting(well(10), LEFT, RIGHT, score="x", dt=0.02, seed=5, n=400, runs=60)
    pulls = (result.run_probabilities - result.probability.value) / result.run_errors
    error = np.sqrt((stats.kurtosis(pulls, fisher=False) - 1) / 60)
    assert abs(pulls.var(ddof=1) - 1) < ERRORS * error
    assert result.scatter == pytest.approx(result.probability.standard_error, rel=ERRORS / np.sqrt(2 * 59))
    # In one dimension any rising score is as good as the committor; killing a tenth at a time costs 5 %.
    assert result.relative_error == pytest.approx(result.ideal_relative_error, rel=0.3)


CHANNELS = "2*(x**2 + y**2 - 1)**2 + y**2/2 + y/10"
"""A ring with minima near (±1, 0) and two ways around, over saddles near (0, ±0.9)."""


def test_time_of_few_replicas_is_hardly_biased():
    # With 50 replicas 1/p alone is 20 % too long on average; its correction leaves terms of the order of the square of
    # the relative variance, 0.19² = 4 %.
    result = adaptive_splitting(well(10), LEFT, RIGHT, score="x", dt=0.02, seed=9, n=50, runs=150, reference=-0.6)
    p, errors = result.run_probabilities, result.run_errors
    plain, corrected = result.probability.value / p, result.probability.value * p / (p**2 + errors**2)
    spread = np.hypot(corrected.std(ddof=1) / np.sqrt(150), result.relative_error)
    assert abs(corrected.mean() - 1) < 0.04 + ERRORS * spread
    assert plain.mean() - 1 > 0.1


def test_two_channels_in_the_plane_with_two_scores():
    dynamics = fp.Langevin(fp.Landscape(CHANNELS), temperature=0.06)
    W = fp.generator(dynamics, fp.Grid(x=(-1.9, 1.9, 190), y=(-1.9, 1.9, 190)))
    exact = fp.mean_first_passage_time(W, RIGHT).at([[-1.0, 0.0]])[0]
    found = [
        adaptive_splitting(dynamics, LEFT, RIGHT, score=score, dt=0.01, seed=seed, runs=2)
        for seed, score in enumerate(("x", fp.committor(W, LEFT, RIGHT)))
    ]
    for one in found:
        # The grid's error is 0.12 % by halving its cells. Heun's variance across the ring, where λ dt = 0.16, is 0.7 %
        # too small, of which a rate feels the square root, at the minimum and at the saddle: together below 1 %.
        assert abs(one.mean_time.value - exact) < ERRORS * one.mean_time.standard_error + 0.01 * exact


# Reproducibility.


def test_bits_do_not_depend_on_threads_or_on_the_number_of_runs():
    options = {"score": "x", "dt": 0.02, "seed": 3, "n": 300}
    one, two = (adaptive_splitting(well(5), LEFT, RIGHT, runs=3, threads=t, **options) for t in (1, 2))
    single = adaptive_splitting(well(5), LEFT, RIGHT, **options)
    assert one.run_probabilities.tobytes() == two.run_probabilities.tobytes()
    assert one.mean_time == two.mean_time and one.loop_time == two.loop_time
    assert single.run_probabilities[0] == one.run_probabilities[0]
    other = adaptive_splitting(well(5), LEFT, RIGHT, experiment=1, **options)
    assert other.probability != single.probability


def test_only_the_order_of_scores_matters():
    W = fp.generator(well(5), fp.Grid(x=(-2, 2, 400)))
    options = {"dt": 0.02, "seed": 4, "n": 100}
    scores = ("x", "x**3 + 2*x", fp.committor(W, LEFT, RIGHT), lambda points: points[:, 0])
    # Python functions hold the lock and make one call for 256 lanes and step: this one takes half of the test's time.
    found = [adaptive_splitting(well(5), LEFT, RIGHT, score=score, **options) for score in scores[:3]]
    assert len({one.mean_time for one in found}) == 1
    called = adaptive_splitting(well(5), LEFT, RIGHT, score=scores[3], **(options | {"n": 10}), loops=(0, 1))
    same = adaptive_splitting(well(5), LEFT, RIGHT, score="x", **(options | {"n": 10}), loops=(0, 1))
    assert called.mean_time == same.mean_time


def test_level_functions_are_boxes():
    options = {"score": "x", "dt": 0.02, "seed": 5, "n": 100, "initial": [-1.0]}
    box = adaptive_splitting(well(4), LEFT, RIGHT, **options)
    level = adaptive_splitting(well(4), "-x - 0.8", "x - 0.8", **options)
    assert box.mean_time == level.mean_time


def test_reactive_paths_are_paths_of_the_chain():
    dynamics, dt = well(10, "x**4/4 - x**2/2 + y**2/2"), 0.02
    options = {"score": "x", "dt": dt, "seed": 6, "n": 100, "runs": 2, "scheme": "euler-maruyama"}
    result = adaptive_splitting(dynamics, LEFT, RIGHT, paths=20, **options)
    assert result.mean_time == adaptive_splitting(dynamics, LEFT, RIGHT, **options).mean_time
    assert len(result.paths) == 40
    noise = []
    for path in result.paths:
        assert path[0, 0] > result.reference and path[-1, 0] >= 0.8
        assert np.all((path[1:-1, 0] > -0.8) & (path[1:-1, 0] < 0.8))
        gradient = np.stack([path[:-1, 0] ** 3 - path[:-1, 0], path[:-1, 1]], axis=1)
        noise.append((np.diff(path, axis=0) + dt * gradient) / np.sqrt(2 * dynamics.temperature * dt))
    steps = np.concatenate(noise)
    # Where pieces are joined wrongly, steps are of the size of the well: dozens of standard deviations. To climb takes
    # noise along x that is positive on average; across, paths to B are like all others.
    assert np.abs(steps).max() < 7.63
    assert steps[:, 0].mean() > ERRORS / np.sqrt(len(steps))
    assert abs(steps[:, 1].var() - 1) < ERRORS * np.sqrt(2 / len(steps))


def irregular(generator, lower, upper, cells, **options):
    inner = np.sort(generator.uniform(lower, upper, cells - 1))
    return fp.Axis(faces=np.concatenate([[lower], inner, [upper]]), **options)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_interpolation_in_the_kernel_is_that_of_fields(dimension):
    generator = np.random.default_rng(dimension)
    axes = {"x": irregular(generator, -1, 1, 30), "y": fp.Axis(-2, 2, 11, boundary="periodic"),
            "z": irregular(generator, 0, 1, 5, boundary="periodic")}  # fmt: skip
    names = tuple(axes)[:dimension]
    grid = fp.Grid(**{name: axes[name] for name in names})
    field = fp.Field(grid, generator.normal(size=grid.shape))
    # Fields extrapolate between the outermost centres and the walls, scores do not.
    ends = [(a.lower, a.upper) if a.periodic else (a.centres[0], a.centres[-1]) for a in grid.axes]
    points = generator.uniform(*np.transpose(ends), (500, dimension))
    score = score_of(field, names, {}, np.zeros(1))
    # A few roundings of values of order one, some of them divided by narrow cells' widths.
    assert np.allclose(score.at(points), field.at(points), rtol=0, atol=1e-12)
    far = np.full((1, dimension), 50.0)
    assert field.values.min() <= score.at(far)[0] <= field.values.max()
    turned = fp.Grid(**{name: axes[name] for name in reversed(names)})
    same = score_of(fp.Field(turned, field.values.T), names, {}, np.zeros(1))
    assert np.allclose(same.at(points), score.at(points), rtol=0, atol=1e-12)


# What goes wrong is said.


def test_extinction():
    # Falling scores are highest at the wall of A, where all paths go: in the end all replicas are at the same level.
    with pytest.raises(ConvergenceError, match=r"died out at score .* goes on rising to B"):
        adaptive_splitting(well(20), LEFT, RIGHT, score="-x", dt=0.02, seed=1, n=20)
    with pytest.warns(AccuracyWarning, match=r"of 40 runs died out and count with probability 0"):
        result = adaptive_splitting(well(5), LEFT, RIGHT, score="x", dt=0.1, seed=1, n=3, kill=2, runs=40)
    assert 0 < result.stats["extinct"] < 40 and result.probability.value > 0


def test_paths_that_stay_between_the_sets():
    with pytest.raises(ConvergenceError, match="neither A nor B: there may be another metastable set"):
        adaptive_splitting(
            well(5), LEFT, fp.where(x=(1.6, None)), score="x", dt=0.02, seed=1, n=50, t_max=100.0, reference=-0.7
        )


def test_failing_score_and_trajectory():
    def broken(points):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        adaptive_splitting(well(5), LEFT, RIGHT, score=broken, dt=0.02, seed=1, n=10, loops=(0, 1))
    with pytest.raises(InputError, match=r"must return \(256,\)"):
        adaptive_splitting(well(5), LEFT, RIGHT, score=lambda x: x, dt=0.02, seed=1, n=10, loops=(0, 1))
    with pytest.raises(TrajectoryError, match="became infinite or NaN"):
        adaptive_splitting(well(0.2), LEFT, fp.where(x=(1e300, None)), score="x", dt=0.5, seed=1, n=50, initial=[-0.9])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dt": None}, InputError, "dt is missing"),
        ({"n": 1}, InputError, "two replicas"),
        ({"kill": 1.0}, InputError, "fraction between 0 and 1"),
        ({"kill": 0}, InputError, "number from 1 to"),
        ({"runs": 0}, InputError, "runs = 0"),
        ({"kill": "many"}, InputError, "kill = 'many'"),
        ({"loops": (1, 0)}, InputError, "loops that are not timed"),
        ({"loops": 3}, InputError, "loops = 3"),
        ({"paths": -1}, InputError, "paths = -1"),
        ({"reference": "x"}, InputError, "reference = 'x'"),
        ({"threads": 0}, InputError, "threads = 0"),
        ({"score": 3}, InputError, "neither an expression"),
        ({"score": "a*x"}, InputError, "unknown name"),
        ({"score": "x + t"}, MethodError, "depends on the time"),
        ({"score": "2.0"}, InputError, "depends on no variable"),
        ({"start": "-x - 0.8"}, InputError, "initial is missing"),
        ({"start": [LEFT, RIGHT]}, RegionError, "give one set"),
        ({"target": "x - t"}, MethodError, "level function depends on the time"),
        ({"initial": [1.0]}, RegionError, "is not in A"),
        ({"target": fp.where(x=(-1.0, None))}, RegionError, "must be disjoint"),
        ({"scheme": "leimkuhler-matthews"}, MethodError, "needs a Markov chain"),
        ({"reference": 5.0, "t_max": 1.0}, ConvergenceError, "lower reference="),
        ({"t_max": 0.015}, InputError, "no multiple of dt"),
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
        (
            {
                "dynamics": fp.Langevin(
                    fp.Landscape("x**2"), temperature=1.0, protocol={"temperature": fp.Protocol("1+t")}
                )
            },
            MethodError,
            "depends on time",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, error, message):
    given = {"dynamics": well(5), "start": LEFT, "target": RIGHT, "score": "x", "dt": 0.02, "seed": 1, "n": 20}
    with pytest.raises(error, match=message):
        adaptive_splitting(**(given | change))
