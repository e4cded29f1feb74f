"""Kernels of additive noise against plain NumPy, exact Ornstein–Uhlenbeck steps, the order of Leimkuhler–Matthews."""

import numpy as np
import pytest
from additive_steps import Law, functionals, log_density, noise_of, path
from scipy.integrate import solve_ivp
from scipy.special import ive

import fpsolver as fp
from fpsolver.ensembles.linear_drift import exact_step
from fpsolver.kernels.cpu.additive import advance

TENSOR = np.array([[1.0, 0.3], [0.3, 0.5]])
EGG = fp.Landscape("x**4/4 - a*x**2/2 + x*y/2 + y**2", variables=("x", "y"), parameters={"a": 1.0})
TURN = ["0.7*y", "-0.4*x"]
SINE = fp.Protocol("1 + sin(3*t)/2")


def turn(x):
    return np.stack([0.7 * x[..., 1], -0.4 * x[..., 0]], axis=-1)


def rising(t):
    return {"a": 1 + np.sin(3 * t) / 2}


def constant(matrix):
    return lambda t: np.asarray(matrix, dtype=float)


CASES = {
    "scalar": ({"temperature": 0.3}, Law(EGG, constant(np.eye(2)), constant(0.3 * np.eye(2)))),
    "diagonal": (
        {"temperature": 0.3, "mobility": [0.5, 2.0]},
        Law(EGG, constant(np.diag([0.5, 2.0])), constant(np.diag([0.15, 0.6]))),
    ),
    "tensor, force": (
        {"temperature": 0.3, "mobility": TENSOR, "force": TURN},
        Law(EGG, constant(TENSOR), constant(0.3 * TENSOR), turn),
    ),
    "independent diffusion": (
        {"diffusion": TENSOR / 3, "force": TURN},
        Law(EGG, constant(np.eye(2)), constant(TENSOR / 3), turn),
    ),
    "protocol": (
        {"temperature": 0.3, "protocol": {"a": SINE}, "force": TURN},
        Law(EGG, constant(np.eye(2)), constant(0.3 * np.eye(2)), turn, rising),
    ),
    "temperature protocol": (
        {"temperature": 0.3, "mobility": TENSOR, "protocol": {"a": SINE, "temperature": fp.Protocol("0.3 + t/10")}},
        Law(EGG, constant(TENSOR), lambda t: (0.3 + t / 10) * TENSOR, parameters=rising),
    ),
    "mobility in a driven parameter": (
        {"temperature": 0.3, "mobility": [["a", 0], [0, 1]], "protocol": {"a": SINE}},
        Law(
            EGG, lambda t: np.diag([rising(t)["a"], 1]), lambda t: 0.3 * np.diag([rising(t)["a"], 1]), parameters=rising
        ),
    ),
}
N, DT, STEPS, SEED = 300, 0.0625, 150, 4
STARTS = np.random.default_rng(8).normal(size=(N, 2))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scheme", ["euler-maruyama", "heun", "weak-2", "leimkuhler-matthews"])
def test_kernels_take_the_steps_of_the_definition(scheme, case):
    options, law = CASES[case]
    expected = path(law, STARTS, scheme, DT, STEPS, SEED)[-1]
    found = fp.simulate(fp.Langevin(EGG, **options), N, STARTS, DT, STEPS * DT, seed=SEED, scheme=scheme)
    # Roundings of 150 steps, which neighbouring paths near the ridge pull apart by e at most every unit of time.
    np.testing.assert_allclose(found.final, expected, rtol=0, atol=1e-16 * STEPS * np.exp(STEPS * DT * 0.7))


@pytest.mark.parametrize("case", ["scalar", "tensor, force", "temperature protocol"])
@pytest.mark.parametrize("scheme", ["euler-maruyama", "heun", "leimkuhler-matthews"])
def test_single_precision_takes_the_same_steps(scheme, case):
    options, law = CASES[case]
    expected = path(law, STARTS, scheme, DT, 20, SEED)[-1]
    dynamics = fp.Langevin(EGG, **options)
    found = fp.simulate(dynamics, N, STARTS, DT, 20 * DT, seed=SEED, scheme=scheme, precision="single")
    assert found.final.dtype == np.float32
    # 20 steps with some ten roundings of 6e-8 of numbers up to 3, and normals from words of 32 bits.
    np.testing.assert_allclose(found.final, expected, rtol=0, atol=20 * 10 * 6e-8 * 3)


@pytest.mark.parametrize("case", CASES)
def test_functionals_are_those_of_the_definition(case):
    options, law = CASES[case]
    positions = path(law, STARTS, "euler-maruyama", DT, STEPS, SEED)
    expected = functionals(law, positions, DT)
    dynamics = fp.Langevin(EGG, **options)
    found = fp.simulate(dynamics, N, STARTS, DT, STEPS * DT, seed=SEED, functionals=tuple(expected))
    for name, values in expected.items():
        np.testing.assert_allclose(found.values(name), values, rtol=0, atol=1e-9 * max(1, np.abs(values).max()))


def test_functionals_change_nothing_and_neither_does_their_number():
    dynamics = fp.Langevin(EGG, **CASES["protocol"][0])
    names = ("work", "heat", "shadow_work", "entropy_flow", "entropy_flow_midpoint")
    everything = fp.simulate(dynamics, N, STARTS, DT, 2.0, seed=SEED, functionals=names)
    np.testing.assert_array_equal(fp.simulate(dynamics, N, STARTS, DT, 2.0, seed=SEED).final, everything.final)
    for name in names:
        alone = fp.simulate(dynamics, N, STARTS, DT, 2.0, seed=SEED, functionals=name)
        np.testing.assert_allclose(alone.values(name), everything.values(name), rtol=1e-12, atol=1e-12)


def test_one_kernel_serves_all_problems():
    """Arrays of another layout, or read-only, would have it compiled anew for tens of seconds."""
    for options, _ in CASES.values():
        fp.simulate(
            fp.Langevin(EGG, **options), 10, [0.0, 0.0], DT, 4 * DT, seed=1, functionals=("heat", "entropy_flow")
        )
    assert len(advance.signatures) <= 2, "one for each precision"


def bowl(**options):
    """A parabola in three dimensions with a force that turns and stretches."""
    landscape = fp.Landscape("x**2 + y**2/2 + a*z**2/2 + x*z/3 + y", variables=("x", "y", "z"), parameters={"a": 1.0})
    settings = {"temperature": 0.4, "force": ["y - 1", "-2*x + z/4", "0.2*x"]}
    return fp.Langevin(landscape, **(settings | options))


BOWL_DRIFT = np.array([[-2, 1, -1 / 3], [-2, -1, 1 / 4], [-1 / 3 + 0.2, 0, -1]])
BOWL_OFFSET = np.array([-1.0, -1.0, 0.0])


@pytest.mark.parametrize("dt", [1e-3, 0.25, 8.0])
def test_the_exact_step_is_that_of_the_definition(dt):
    transition, shift, covariance = exact_step(BOWL_DRIFT, BOWL_OFFSET, 0.4 * np.eye(3), dt)
    root = np.linalg.cholesky(covariance)
    x = np.random.default_rng(1).normal(size=(N, 3))
    found = fp.simulate(bowl(), N, x, dt, 20 * dt, seed=2, scheme="ornstein-uhlenbeck", functionals="entropy_flow")
    flow = 0.0
    for z in noise_of(2, N, 20, 3):
        new = x @ transition.T + shift + z @ root.T
        back = np.linalg.solve(root, (x - new @ transition.T - shift).T).T
        flow, x = flow + log_density(z) - log_density(back), new
    np.testing.assert_allclose(found.final, x, rtol=0, atol=1e-13)
    # A short step is taken back with noise of size ‖x‖/√(2D dt) that cancels: rounding grows with its square.
    np.testing.assert_allclose(found.values("entropy_flow"), flow, rtol=0, atol=1e-11 / min(dt, 1.0))


@pytest.mark.parametrize("dt", [0.05, 1.0, 5.0])
@pytest.mark.parametrize("dimension", [1, 3])
def test_mean_and_covariance_are_exact_at_any_step(dt, dimension):
    n = 40_000
    if dimension == 1:
        dynamics, start = fp.Langevin(fp.Landscape("3*x**2/4"), temperature=0.4), np.array([2.0])
        matrix, offset = np.array([[-1.5]]), np.zeros(1)
    else:
        dynamics, start, matrix, offset = bowl(), np.array([2.0, -1.0, 0.5]), BOWL_DRIFT, BOWL_OFFSET
    names = dynamics.landscape.variables
    found = fp.simulate(dynamics, n, start, dt, 5.0, seed=3, scheme="ornstein-uhlenbeck", observe=fp.Moments(*names))

    def moments(t, state):
        mean, spread = state[:dimension], state[dimension:].reshape(dimension, dimension)
        growth = matrix @ spread
        return np.concatenate([matrix @ mean + offset, (growth + growth.T + 0.8 * np.eye(dimension)).ravel()])

    start_state = np.concatenate([start, np.zeros(dimension**2)])
    exact = solve_ivp(moments, (0, 5.0), start_state, rtol=1e-10, atol=1e-12).y[:, -1]
    seen = found.observables["moments_" + "_".join(names)]
    mean, spread = seen.mean[0], seen.covariance[0].ravel()
    assert (np.abs(mean - exact[:dimension]) < 4.5 * seen.standard_error[0]).all()
    assert (np.abs(spread - exact[dimension:]) < 4.5 * seen.covariance_standard_error[0].ravel()).all()


def test_driven_stiffness_is_exact_where_it_is_frozen():
    """Stiffness constant within steps: the exact step at the middle is then exact, whatever dt."""
    levels = fp.Protocol("Piecewise((1.0, t < 1), (4.0, True))", breakpoints=(1.0,))
    dynamics = fp.Langevin(fp.Landscape("a*x**2/2", parameters={"a": 1.0}), temperature=0.5, protocol={"a": levels})
    found = fp.simulate(dynamics, 40_000, [2.0], 0.5, 1.5, seed=5, scheme="ornstein-uhlenbeck", observe=fp.Moments("x"))
    seen = found.observables["moments_x"]
    mean = 2 * np.exp(-1.0) * np.exp(-2.0)
    variance = 0.5 * (1 - np.exp(-2)) * np.exp(-4) + 0.125 * (1 - np.exp(-4))
    assert abs(seen.mean[0, 0] - mean) < 4 * seen.standard_error[0, 0]
    assert abs(seen.covariance[0, 0, 0] - variance) < 4 * seen.covariance_standard_error[0, 0, 0]


def test_driven_stiffness_is_of_second_order_against_its_equation():
    """Mean of a trap with stiffness 1 + t: exponents of the steps add up to the midpoint rule, exact for a line."""
    dynamics = fp.Langevin(
        fp.Landscape("a*x**2/2", parameters={"a": 1.0}), temperature=1e-20, protocol={"a": fp.Protocol("1 + t**2")}
    )
    errors = []
    for dt in (0.25, 0.125):
        end = fp.simulate(dynamics, 1, [2.0], dt, 2.0, seed=5, scheme="ornstein-uhlenbeck").final[0, 0]
        errors.append(np.log(end / (2 * np.exp(-(2 + 8 / 3)))))
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=1e-6)


def test_flat_and_unstable_directions():
    dynamics = fp.Langevin(fp.Landscape("-x**2/2 + 0*y", variables=("x", "y")), temperature=0.5)
    found = fp.simulate(
        dynamics, 40_000, [1.0, 0.0], 0.5, 2.0, seed=6, scheme="ornstein-uhlenbeck", observe=fp.Moments("x", "y")
    )
    seen = found.observables["moments_x_y"]
    exact = np.array([[0.5 * (np.exp(4) - 1), 0], [0, 2.0]])
    assert (np.abs(seen.mean[0] - [np.exp(2), 0]) < 4 * seen.standard_error[0]).all()
    assert (np.abs(seen.covariance[0] - exact) < 4 * seen.covariance_standard_error[0]).all()


def test_matrices_that_are_diagonal_for_a_while_leave_no_trace():
    """Coupling that sets in at t = 4: a run that is cut there rounds as the whole one does."""
    landscape = fp.Landscape("x**2/2 + y**2 + c*x*y", variables=("x", "y"), parameters={"c": 0.0})
    dynamics = fp.Langevin(
        landscape, temperature=0.5, protocol={"c": fp.Protocol.ramp(0.0, 0.5, duration=4.0, begin=4.0)}
    )
    options = {"scheme": "ornstein-uhlenbeck"}
    whole = fp.simulate(dynamics, 300, STARTS, 0.125, 8.0, seed=1, **options)
    part = fp.simulate(dynamics, 300, STARTS, 0.125, 4.0, seed=1, **options)
    np.testing.assert_array_equal(fp.simulate(dynamics, initial=part, t_final=8.0, **options).final, whole.final)


def test_a_protocol_that_ends_a_parabola_is_named():
    landscape = fp.Landscape("x**2/2 + q*x**4", parameters={"q": 0.0})
    dynamics = fp.Langevin(landscape, temperature=0.5, protocol={"q": fp.Protocol("t")})
    with pytest.raises(fp.errors.MethodError, match="is exact for a quadratic landscape"):
        fp.simulate(dynamics, 10, [0.0], 0.125, 8.0, seed=1, scheme="ornstein-uhlenbeck")


def stationary_cosine(h, temperature, modes=96, nodes=48):
    """⟨cos x⟩ of the stationary chain of Leimkuhler–Matthews steps on L = −cos x, by quadrature.

    With y = x − ½ b z, where z is the noise of the step that led to x, y′ = y + b z − h L′(y + ½ b z) with a z that is
    independent of y: a Markov chain on the circle, whose kernel is written in Fourier modes.
    """
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    b = np.sqrt(2 * temperature * h)
    k = np.arange(-modes // 2, modes // 2)
    y = 2 * np.pi * np.arange(modes) / modes
    x = y[:, None] + 0.5 * b * z
    image = y[:, None] + b * z - h * np.sin(x)
    expected = np.einsum("m,jmk->jk", weights, np.exp(1j * image[:, :, None] * k))  # E[e^{ik y′} | y_j]
    transfer = expected @ np.linalg.inv(np.exp(1j * np.outer(y, k)))  # values at y′ nodes → conditional mean at y nodes
    values, vectors = np.linalg.eig(transfer.T)
    density = vectors[:, np.argmin(abs(values - 1))].real
    return float(density @ (np.cos(x) @ weights) / density.sum())


def test_leimkuhler_matthews_has_order_two_in_the_stationary_density():
    """Leimkuhler and Matthews 2013: the first-order term of the stationary density vanishes."""
    temperature = 0.7
    exact = ive(1, 1 / temperature) / ive(0, 1 / temperature)
    errors = [stationary_cosine(h, temperature) - exact for h in (0.4, 0.2, 0.1)]
    orders = np.log2(np.abs(np.array(errors[:-1]) / errors[1:]))
    assert (np.abs(orders - 2) < 0.15).all(), orders
    assert abs(errors[-1]) > 1e-8, "the quadrature is finer than what it measures"


def test_leimkuhler_matthews_has_the_stationary_density_of_the_quadrature():
    """Ties the kernel to the quadrature above, at a step so long that its error is seen."""
    h, temperature = 0.8, 0.7
    dynamics = fp.Langevin(fp.Landscape("-cos(x)"), temperature=temperature)
    found = fp.simulate(
        dynamics, 1_000_000, [0.0], h, 16.0, seed=7, scheme="leimkuhler-matthews", observe=fp.Mean("cos(x)")
    )
    seen = found.observables["mean_cos_x"]
    expected = stationary_cosine(h, temperature)
    assert abs(seen.mean[0, 0] - expected) < 4 * seen.standard_error[0, 0]
    exact = ive(1, 1 / temperature) / ive(0, 1 / temperature)
    assert abs(expected - exact) > 4 * seen.standard_error[0, 0]
