"""Trajectories of SGD: exact moments of the chain, minibatches of real examples, the same bits however it is run."""

from itertools import combinations, product

import numpy as np
import pytest
from reference_problems import digest

import fpsolver as fp
from fpsolver.ensembles.linear_chain import stationary_moments
from fpsolver.errors import DynamicsError, InputError, MethodError, TrajectoryError

CURVATURE = np.array([[2.0, 0.3], [0.3, 0.5]])
COVARIANCE = np.array([[1.0, 0.5], [0.5, 1.0]])  # does not commute with the curvature
BOWL = fp.Landscape("x**2 + 0.3*x*y + y**2/4")
PARABOLA = fp.Landscape("a*x**2/2", {"a": 1.0})
BOUND = 5.0
"""Standard errors: a test with a fixed seed fails by chance once in two million comparisons."""


def excess(sample, covariance):
    """Deviations of the sample's second moments (about zero) from a covariance, in standard errors of a normal law."""
    n = len(sample)
    spread = np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2
    return (sample.T @ sample / n - covariance) / np.sqrt(spread / n)


def stationary(matrix, spread):
    """The solution of S = A S Aᵀ + Q, by Kronecker products."""
    d = len(matrix)
    return np.linalg.solve(np.eye(d * d) - np.kron(matrix, matrix), spread.ravel()).reshape(d, d)


@pytest.mark.parametrize("rate", [0.1, 1.0, 1.9])
def test_stationary_variance_at_any_learning_rate(rate):
    sgd = fp.SGD(PARABOLA, rate, fp.GaussianNoise(3.0, batch_size=3))
    ensemble = fp.simulate(sgd, 20_000, [0.0], t_final=200, seed=1)
    assert abs(excess(ensemble.final, np.array([[rate / (2 - rate)]]))) < BOUND


def test_stationary_covariance_without_a_temperature():
    """H S + S H − η H S H = η C, with matrices that do not commute."""
    unity = np.eye(2)
    left = np.kron(CURVATURE, unity) + np.kron(unity, CURVATURE) - 0.5 * np.kron(CURVATURE, CURVATURE)
    covariance = np.linalg.solve(left, 0.5 * COVARIANCE.ravel()).reshape(2, 2)
    sgd = fp.SGD(BOWL, 0.5, fp.GaussianNoise(COVARIANCE))
    np.testing.assert_allclose(stationary_moments(sgd)[1], covariance, rtol=1e-12)
    ensemble = fp.simulate(sgd, 20_000, [0.0, 0.0], t_final=100, seed=2)
    assert np.abs(excess(ensemble.final, covariance)).max() < BOUND


def inertial_chain(rate, beta, nesterov, decay):
    """Matrix and noise of (θ, v), from θ′ = θ + v′, v′ = βv − η(H + λ)(θ + sβv) − ηξ."""
    pull, unity = rate * (CURVATURE + decay * np.eye(2)), np.eye(2)
    look = beta if nesterov else 0.0
    velocity = np.hstack([-pull, beta * unity - look * pull])
    position = np.hstack([unity, np.zeros((2, 2))]) + velocity
    return np.vstack([position, velocity]), rate**2 * np.kron(np.ones((2, 2)), COVARIANCE / 4)


@pytest.mark.parametrize(("nesterov", "decay"), [(False, 0.0), (True, 0.2)])
def test_stationary_covariance_with_momentum(nesterov, decay):
    matrix, spread = inertial_chain(0.2, 0.8, nesterov, decay)
    noise = fp.GaussianNoise(COVARIANCE, batch_size=4)
    sgd = fp.SGD(BOWL, 0.2, noise, momentum=0.8, nesterov=nesterov, weight_decay=decay)
    covariance = stationary(matrix, spread)
    np.testing.assert_allclose(stationary_moments(sgd)[1], covariance, rtol=1e-10)
    ensemble = fp.simulate(sgd, 200_000, "stationary", t_final=100, seed=3)  # 1 % of the noise is felt
    assert ensemble.names == ("x", "y", "v_x", "v_y")
    states = np.hstack([ensemble.final, ensemble.final_velocities])
    assert np.abs(excess(states, covariance)).max() < BOUND


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_heavy_ball_variance_in_closed_form(beta):
    """Var = ηC(1 + β)/[h(1 − β)(2(1 + β) − ηh)]."""
    moments = stationary_moments(fp.SGD(PARABOLA, 0.1, fp.GaussianNoise(1.0), momentum=beta))[1]
    expected = 0.1 * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - 0.1))
    np.testing.assert_allclose(moments[0, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_noise_that_depends_on_the_position(beta):
    """C₁ = 1 + θθᵀ: second moments of the chain are linear in those before."""
    noise = fp.GaussianNoise([["1 + x**2", "x*y"], ["x*y", "1 + y**2"]], batch_size=2)
    sgd = fp.SGD(BOWL, 0.3, noise, momentum=beta)
    matrix, _ = inertial_chain(0.3, beta, False, 0.0)
    moment = np.zeros((4, 4))
    moment[:2, :2] = np.outer([1.0, -2.0], [1.0, -2.0])
    for _ in range(6):
        kick = 0.3**2 * (np.eye(2) + moment[:2, :2]) / 2
        moment = matrix @ moment @ matrix.T + np.kron(np.ones((2, 2)), kick)
    ensemble = fp.simulate(sgd, 50_000, [1.0, -2.0], t_final=6, seed=4)
    products = ensemble.final[:, :, None] * ensemble.final[:, None, :]
    error = products.std(axis=0) / np.sqrt(ensemble.n)
    assert (np.abs(products.mean(axis=0) - moment[:2, :2]) < BOUND * error).all()


GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(6, 2))
TARGETS = FEATURES @ [1.0, -1.0] + GENERATOR.normal(size=6)
RISK = fp.landscapes.linear_regression(FEATURES, TARGETS, ridge=0.1, intercept=False)


def batch_maps(sgd, size):
    """Affine maps of (θ, v, 1) of all batches, equally likely, from the data alone."""
    rate, beta, decay = sgd.learning_rate, sgd.momentum, 0.1 + sgd.weight_decay
    batches = product(range(6), repeat=size) if sgd.noise.replacement else combinations(range(6), size)
    maps = []
    for batch in map(list, batches):
        features, targets = FEATURES[batch], TARGETS[batch]
        curvature = features.T @ features / size + decay * np.eye(2)
        look = beta if sgd.nesterov else 0.0
        velocity = np.hstack(
            [-rate * curvature, beta * np.eye(2) - look * rate * curvature, rate * features.T @ targets[:, None] / size]
        )
        position = np.hstack([np.eye(2), np.zeros((2, 3))]) + velocity
        maps.append(np.vstack([position, velocity, [[0, 0, 0, 0, 1]]]))
    return np.array(maps)


@pytest.mark.parametrize(
    ("replacement", "options"),
    [(True, {}), (False, {}), (True, {"momentum": 0.6, "weight_decay": 0.3}),
     (False, {"momentum": 0.6, "nesterov": True})],
)  # fmt: skip
def test_moments_of_minibatch_descent(replacement, options):
    """Mean and second moments of eight steps, by Kronecker products over all batches."""
    sgd = fp.SGD(RISK, 0.3, fp.MinibatchNoise(2, replacement), **options)
    maps = batch_maps(sgd, 2)
    start = np.array([2.0, 1.0, 0.0, 0.0, 1.0])
    moment = np.outer(start, start)
    for _ in range(8):
        moment = np.einsum("bij,jk,blk->il", maps, moment, maps) / len(maps)
    ensemble = fp.simulate(sgd, 50_000, start[:2], t_final=8, seed=5)
    states = np.column_stack([ensemble.final, np.ones(ensemble.n)])
    products = states[:, :, None] * states[:, None, :]
    error = products.std(axis=0) / np.sqrt(ensemble.n)
    rows = [0, 1, 4]
    assert (np.abs(products.mean(axis=0) - moment[np.ix_(rows, rows)]) <= BOUND * error).all()


@pytest.mark.parametrize(("replacement", "factor"), [(True, 1 / 25), (False, (1 / 25) * 75 / 99)])
def test_one_step_of_logistic_regression(replacement, factor):
    """Covariance of the minibatch gradient: Σ/B with replacement, times (N − B)/(N − 1) without."""
    features = GENERATOR.normal(size=(100, 3))
    risk = fp.landscapes.logistic_regression(features, features[:, 0] > 0.2, ridge=0.2, penalise_intercept=False)
    sgd = fp.SGD(risk, 0.5, fp.MinibatchNoise(25, replacement))
    point = np.array([0.5, -0.3, 0.2, 0.1])
    step = fp.simulate(sgd, 40_000, point, t_final=1, seed=6).final - (point - 0.5 * risk.gradient(point))
    expected = 0.25 * factor * risk.noise_covariance(point)
    np.testing.assert_allclose(0.25 * sgd.noise_covariance(point), expected, rtol=1e-12)
    assert np.abs(step.mean(axis=0) / np.sqrt(np.diag(expected) / len(step))).max() < BOUND
    # A mean of 25 gradients has an excess kurtosis of 1/25 or so: its second moments err as those of a normal law.
    assert np.abs(excess(step, expected)).max() < BOUND


def test_the_whole_data_set_is_gradient_descent():
    sgd = fp.SGD(RISK, 0.3, fp.MinibatchNoise(6, replacement=False), momentum=0.5)
    ensemble = fp.simulate(sgd, 300, [2.0, 1.0], t_final=30, seed=7)
    assert (ensemble.states[:, :2] == ensemble.states[:1, :2, :1]).all()
    plain = fp.simulate(fp.SGD(RISK, 0.3, momentum=0.5), 1, [2.0, 1.0], t_final=30, seed=1)
    # Thirty contracting steps of a few roundings each.
    np.testing.assert_allclose(ensemble.final[0], plain.final[0], rtol=1e-14, atol=1e-14)


GROWING = fp.Protocol("Piecewise((1, t < 4), (2, t < 8), (3, True))")
FALLING = {"learning_rate": fp.Protocol("0.2/(1 + t/5)"), "batch_size": GROWING}
SPLITS = {
    "normal": fp.SGD(BOWL, 0.2, fp.GaussianNoise(COVARIANCE), protocol=FALLING),
    "momentum": fp.SGD(
        BOWL, 0.2, fp.GaussianNoise(1.0), 0.5, nesterov=True, protocol={"momentum": fp.Protocol("1 - 1/(1.1 + t/9)")}
    ),
    "with replacement": fp.SGD(RISK, 0.2, fp.MinibatchNoise(3), momentum=0.5),
    "without": fp.SGD(RISK, 0.2, fp.MinibatchNoise(1, replacement=False), protocol=FALLING),
}


@pytest.mark.parametrize("name", SPLITS)
def test_splits_batches_and_threads_leave_no_trace(name):
    sgd = SPLITS[name]
    options = {"observe": [fp.Moments("x")] if sgd.landscape is BOWL else [fp.Moments("w1")]}
    options["functionals"] = [fp.TimeIntegral("x**2" if sgd.landscape is BOWL else "w1**2", name="square")]
    start = {"n": 600, "initial": [1.0, 0.5], "seed": 8}
    times = {"t_final": 20, "times": 20}
    whole = fp.simulate(sgd, **start, **times, threads=1, **options)
    assert digest(fp.simulate(sgd, **start, **times, threads=2, batch=256, **options)) == digest(whole)
    part = fp.simulate(sgd, **start, t_final=7, times=7, **options)
    part = fp.simulate(sgd, initial=part, t_final=13, times=[8, 9, 10, 11, 12, 13], **options)
    assert digest(fp.simulate(sgd, initial=part, **times, **options)) == digest(whole)
    assert len(np.unique(whole.final[:, 0])) > 100
    other = fp.simulate(sgd, **(start | {"seed": 9}), **times, **options)
    assert abs(np.corrcoef(other.final[:, 0], whole.final[:, 0])[0, 1]) < BOUND / np.sqrt(600)


def test_steps_take_the_values_at_their_beginnings():
    """Deterministic descent with everything driven, against the recursion written out."""
    protocol = {"learning_rate": fp.Protocol("0.3/(1 + t)"), "a": fp.Protocol("1 + t/10")}
    for beta, extra in ((0.0, {}), (0.4, {"momentum": fp.Protocol("0.4 + t/100")})):
        sgd = fp.SGD(PARABOLA, 0.1, momentum=beta, weight_decay=0.5, protocol=protocol | extra)
        ensemble = fp.simulate(sgd, 3, [2.0], t_final=10, seed=1, functionals=["work"])
        x, v, work = 2.0, 0.0, 0.0
        for step in range(10):
            keep = 0.4 + step / 100 if extra else 0.0
            v = keep * v - 0.3 / (1 + step) * (1 + step / 10 + 0.5) * x
            # The weight decay does work on the loss as a force; with momentum only switching counts.
            work += 0.0 if extra else 0.25 * (x**2 - (x + v) ** 2)
            x += v
            work += 0.05 * x**2
        np.testing.assert_allclose(ensemble.final, x, rtol=1e-13)
        np.testing.assert_allclose(ensemble.values("work"), work, rtol=1e-12)
        assert ensemble.stats["learning_time"] == pytest.approx(sum(0.3 / (1 + step) for step in range(10)))


def test_momentum_may_rise_from_zero():
    sgd = fp.SGD(PARABOLA, 0.1, nesterov=True, protocol={"momentum": fp.Protocol("t/100")})
    ensemble = fp.simulate(sgd, 1, [1.0], t_final=3, seed=1)
    x, v = 1.0, 0.0
    for step in range(3):
        v = step / 100 * v - 0.1 * (x + step / 100 * v)
        x += v
    np.testing.assert_allclose(ensemble.final, x, rtol=1e-14)


def test_variance_under_schedules():
    sgd = fp.SGD(PARABOLA, 0.2, fp.GaussianNoise(1.0), protocol=FALLING)
    ensemble = fp.simulate(sgd, 20_000, [0.0], t_final=12, seed=10)
    variance = 0.0
    for step in range(12):
        rate, size = 0.2 / (1 + step / 5), 1 + step // 4
        variance = (1 - rate) ** 2 * variance + rate**2 / size
    assert abs(excess(ensemble.final, np.array([[variance]]))) < BOUND


def test_entropy_flow_is_the_ratio_of_the_probabilities_of_steps():
    """Σ ln p(θ→θ′)/p(θ′→θ), step by step from recorded trajectories, at a large learning rate and with weight decay."""
    landscape = fp.Landscape("x**2 + 0.3*x*y + y**2/4 + cos(x)/2")
    sgd = fp.SGD(landscape, 0.6, fp.GaussianNoise(COVARIANCE, batch_size=2), weight_decay=0.1)
    recorded = fp.Trajectories(range(20), "x", "y")
    ensemble = fp.simulate(
        sgd, 20, [1.0, -1.0], t_final=15, times=15, seed=11, observe=[recorded],
        functionals=["entropy_flow", "work", "heat", "shadow_work"],
    )  # fmt: skip
    later = np.moveaxis(next(iter(ensemble.observables.values())).values, -1, 0)
    paths = np.concatenate([np.broadcast_to([1.0, -1.0], (1, 20, 2)), np.stack(later, axis=-1).reshape(15, 20, 2)])
    inverse = np.linalg.inv(0.6**2 * COVARIANCE / 2)
    forward = paths[1:] - paths[:-1] + 0.6 * sgd.descent(paths[:-1])
    backward = paths[:-1] - paths[1:] + 0.6 * sgd.descent(paths[1:])
    exponents = [np.einsum("tni,ij,tnj->n", step, inverse, step) / 2 for step in (forward, backward)]
    np.testing.assert_allclose(ensemble.values("entropy_flow"), exponents[1] - exponents[0], rtol=1e-10)
    change = landscape.value(ensemble.final) - landscape.value([1.0, -1.0])
    np.testing.assert_allclose(ensemble.values("work - heat + shadow_work"), change, atol=1e-12)


def chain_steps(rate, temperature):
    """Mean steps of θ′ = θ − ηV′ + √(2ηT) ξ from −1 until θ > 0, from (1 − K) n = 1 at Gauss–Legendre points."""
    points, weights = np.polynomial.legendre.leggauss(200)
    points, weights = 1.75 * (points - 1), 1.75 * weights  # on [−3.5, 0]
    variance = 2 * rate * temperature

    def transition(place):
        mean = place - rate * (place**3 - place)
        return np.exp(-((points - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance) * weights

    steps = np.linalg.solve(np.eye(200) - np.stack([transition(x) for x in points]), np.ones(200))
    return 1 + transition(-1.0) @ steps


def test_first_passage_in_whole_steps():
    expected = chain_steps(0.2, 0.1)
    assert expected == pytest.approx(178.886022621014, rel=1e-9)
    sgd = fp.SGD(fp.Landscape("x**4/4 - x**2/2"), 0.2, fp.GaussianNoise(1.0))
    passage = fp.first_passage_times(sgd, 20_000, [-1.0], fp.where(x=(0.0, None)), t_max=20_000, seed=12)
    assert abs(passage.mean.value - expected) < BOUND * passage.mean.standard_error
    assert (passage.times == np.rint(passage.times)).all()
    for options in ({"momentum": 0.5}, {"noise": None}):
        with pytest.raises(MethodError, match="without momentum"):
            other = fp.SGD(sgd.landscape, **({"learning_rate": 0.2, "noise": sgd.noise} | options))
            fp.first_passage_times(other, 10, [-1.0], fp.where(x=(0.0, None)), t_max=10, seed=1)
    with pytest.raises(MethodError, match="nowhere between"):
        fp.first_passage_times(sgd, 10, [-1.0], fp.where(x=(0.0, None)), t_max=10, seed=1, bridge=True)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_divergence_names_step_and_trajectory(momentum):
    rate = 1.1 * 2 * (1 + momentum)  # beyond the threshold 2(1 + β)/h
    sgd = fp.SGD(PARABOLA, rate, fp.GaussianNoise(1.0), momentum=momentum)
    with pytest.raises(TrajectoryError, match=r"in step \d+, .*learning_rate = .* overshoot") as caught:
        fp.simulate(sgd, 300, [1.0], t_final=100_000, seed=13)
    assert caught.value.step > 100
    assert 0 <= caught.value.trajectory < 300


def test_time_is_counted_in_steps():
    sgd = fp.SGD(PARABOLA, 0.1)
    ensemble = fp.simulate(sgd, 2, [1.0], t_final=50, seed=1)
    np.testing.assert_allclose(ensemble.final, 0.9**50)
    assert "step 50" in repr(ensemble)
    assert "learning time 5" in repr(ensemble)
    assert ensemble.stats["unit_of_time"] == "step"
    with pytest.raises(InputError, match="counts time in steps"):
        fp.simulate(sgd, 2, [1.0], dt=0.1, t_final=50, seed=1)


def test_what_cannot_be_served_is_refused():
    noisy = fp.SGD(PARABOLA, 0.1, fp.GaussianNoise(1.0))
    options = {"n": 2, "initial": [1.0], "t_final": 4, "seed": 1}
    with pytest.raises(MethodError, match="leave it out"):
        fp.simulate(noisy, **options, noise="rademacher")
    with pytest.raises(MethodError, match="scheme"):
        fp.simulate(noisy, **options, scheme="heun")
    with pytest.raises(MethodError, match="zero eigenvalues"):
        fp.simulate(fp.SGD(PARABOLA, 0.1), **options, functionals=["entropy_flow"])
    with pytest.raises(MethodError, match="small learning rates"):
        fp.simulate(fp.SGD(PARABOLA, 0.1, fp.GaussianNoise("1 + x**2")), **options, functionals=["entropy_flow"])
    with pytest.raises(MethodError, match="heat"):
        fp.simulate(fp.SGD(PARABOLA, 0.1, momentum=0.5), **options, functionals=["heat"])
    with pytest.raises(MethodError, match="stationary"):
        fp.simulate(fp.SGD(PARABOLA, 2.1, fp.GaussianNoise(1.0)), **(options | {"initial": "stationary"}))
    with pytest.raises(InputError, match="velocity"):
        both = fp.Landscape("x**2 + v_x**2", variables=("x", "v_x"))
        fp.simulate(fp.SGD(both, 0.1, momentum=0.5), **(options | {"initial": [1.0, 1.0]}))
    halves = {"batch_size": fp.Protocol("1 + t/2")}
    with pytest.raises(DynamicsError, match=r"1\.5"):
        fp.simulate(fp.SGD(RISK, 0.1, fp.MinibatchNoise(1), protocol=halves), **(options | {"initial": [1.0, 1.0]}))
    rising = {"momentum": fp.Protocol("t/2")}
    with pytest.raises(DynamicsError, match="below 1"):
        fp.simulate(fp.SGD(PARABOLA, 0.1, protocol=rising), **options)
