import numpy as np
import pytest
from plain_steps import STEPS, Law
from pytest import approx

import fpsolver as fp
from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral
from fpsolver.ensembles.integrators.multiplicative import SCHEMES
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.simulate import simulate
from fpsolver.errors import DynamicsError, MethodError, TrajectoryError
from fpsolver.kernels.cpu.noise import fill_three_point, normals
from fpsolver.kernels.philox import DYNAMICS

CONVENTIONS = ("ito", "stratonovich", "klimontovich")


def matrix(*rows):
    return lambda x: np.stack(
        [np.stack([f(*np.moveaxis(x, -1, 0)) + 0 * x[..., 0] for f in row], -1) for row in rows], -2
    )


def one_dimensional(convention):
    landscape = fp.Landscape("cos(x) + 0.3*sin(2*x)")
    dynamics = fp.Langevin(landscape, mobility=0.7, diffusion="0.5 + 0.3*sin(x)", convention=convention, force=("0.4",))
    law = Law(
        lambda x: 0.7 * (0.4 + np.sin(x) - 0.6 * np.cos(2 * x)), matrix([lambda x: 0.5 + 0.3 * np.sin(x)]), convention
    )
    return dynamics, law


def thermal(dimension):
    if dimension == 1:
        dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.3, mobility="1/(1 + x**2)")
        mobility = matrix([lambda x: 1 / (1 + x**2)])
        return dynamics, Law(lambda x: -mobility(x)[..., 0] * x, lambda x: 0.3 * mobility(x), "klimontovich")
    entries = [["1 + 0.5*sin(y)", "0.3*cos(x)"], ["0.3*cos(x)", "0.8 + 0.2*sin(x + y)"]]
    dynamics = fp.Langevin(fp.Landscape("x**2/2 + y**2 + x*y/2"), temperature=0.4, mobility=entries)
    mobility = matrix(
        [lambda x, y: 1 + 0.5 * np.sin(y), lambda x, y: 0.3 * np.cos(x)],
        [lambda x, y: 0.3 * np.cos(x), lambda x, y: 0.8 + 0.2 * np.sin(x + y)],
    )
    slope = np.array([[1.0, 0.5], [0.5, 2.0]])
    force = lambda x: -np.einsum("...ij,jk,...k->...i", mobility(x), slope, x)  # noqa: E731
    return dynamics, Law(force, lambda x: 0.4 * mobility(x), "klimontovich")


def diagonal(kind, convention):
    landscape = fp.Landscape("x**2/2 + y**2/2 + z**2/2")
    spread = "0.5 + 0.2*sin(x + y)*cos(z)"
    vector = [spread, "0.4 + 0.1*cos(x)", "0.6 + 0.3*sin(y)"]
    dynamics = fp.Langevin(landscape, diffusion=spread if kind == "scalar" else vector, convention=convention,
                           mobility=["1.0 + 0.1*x**2", "1.0", "2.0"])  # fmt: skip
    zero = lambda x, y, z: 0.0  # noqa: E731
    first = lambda x, y, z: 0.5 + 0.2 * np.sin(x + y) * np.cos(z)  # noqa: E731
    second, third = (lambda x, y, z: 0.4 + 0.1 * np.cos(x)), (lambda x, y, z: 0.6 + 0.3 * np.sin(y))
    if kind == "scalar":
        second = third = first
    field = matrix([first, zero, zero], [zero, second, zero], [zero, zero, third])
    force = lambda x: -x * np.stack([1 + 0.1 * x[..., 0] ** 2, 0 * x[..., 1] + 1, 0 * x[..., 2] + 2], -1)  # noqa: E731
    return dynamics, Law(force, field, convention)


def tensor(convention):
    landscape = fp.Landscape("x**2/2 + y**2/2 + z**2/2")
    entries = [["1 + 0.5*sin(y)", "0.3*cos(x)", "0.1*x*exp(-x**2)"], ["0.3*cos(x)", "0.8 + 0.2*sin(x + z)", "0.2"],
               ["0.1*x*exp(-x**2)", "0.2", "0.9"]]  # fmt: skip
    a, b, c = (
        (lambda x, y, z: 1 + 0.5 * np.sin(y)), (lambda x, y, z: 0.3 * np.cos(x)),
        (lambda x, y, z: 0.1 * x * np.exp(-(x**2))),
    )  # fmt: skip
    e, f, g = (lambda x, y, z: 0.8 + 0.2 * np.sin(x + z)), (lambda x, y, z: 0.2), (lambda x, y, z: 0.9)
    dynamics = fp.Langevin(
        landscape, diffusion=entries, convention=convention, mobility=[[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]]
    )
    mobility = np.array([[1, 0.2, 0], [0.2, 1, 0], [0, 0, 1]])
    return dynamics, Law(lambda x: -x @ mobility, matrix([a, b, c], [b, e, f], [c, f, g]), convention)


PROBLEMS = {
    **{f"1-D {name}": (lambda name=name: one_dimensional(name)) for name in CONVENTIONS},
    "1-D thermal": lambda: thermal(1),
    "2-D thermal": lambda: thermal(2),
    **{f"scalar {name}": (lambda name=name: diagonal("scalar", name)) for name in ("ito", "klimontovich")},
    **{f"vector {name}": (lambda name=name: diagonal("vector", name)) for name in CONVENTIONS},
    **{f"tensor {name}": (lambda name=name: tensor(name)) for name in CONVENTIONS},
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_takes_the_steps_of_the_papers(problem, scheme):
    dynamics, law = PROBLEMS[problem]()
    d, n, steps, dt, seed = dynamics.landscape.dimension, 300, 5, 0.05, 11
    m = d + d * (d - 1) // 2 if scheme == "weak-2" else d
    x = np.random.default_rng(0).normal(size=(n, d))
    noise = normals(0, n, m * steps, DYNAMICS, *key_of(seed, 0)).reshape(n, steps, m)
    final = simulate(dynamics, n=n, initial=x, dt=dt, t_final=steps * dt, seed=seed, scheme=scheme).final
    for k in range(steps):
        x = STEPS[scheme](law, x, noise[:, k], dt)
    # The differences that stand for derivatives in the reference are good to 1e-9: (1e-2)⁶ by order, 1e-14 by rounding.
    assert final == approx(x, rel=1e-9, abs=1e-9)


def test_three_point_noise_takes_the_same_steps():
    """With gaussian draws replaced by three-point ones, which lie in the same order."""
    dynamics, law = PROBLEMS["2-D thermal"]()
    n, steps, dt, seed, m = 256, 4, 0.05, 3, 3
    ids, rows, variables = np.arange(n, dtype=np.uint64), np.empty(4 * n), np.empty((n, 4 * m))
    for block in range(m):
        fill_three_point(rows, ids, block, DYNAMICS, *key_of(seed, 0))
        variables[:, 4 * block : 4 * block + 4] = rows.reshape(4, n).T
    x = np.random.default_rng(0).normal(size=(n, 2))
    final = simulate(
        dynamics, n=n, initial=x, dt=dt, t_final=steps * dt, seed=seed, scheme="weak-2", noise="three-point"
    )
    for k in range(steps):
        x = STEPS["weak-2"](law, x, variables[:, m * k : m * k + m], dt)
    assert final.final == approx(x, rel=1e-9, abs=1e-9)


def driven():
    """Return driven dynamics, and its law at a time."""
    protocol = {"a": fp.Protocol("1 + 3*t"), "temperature": fp.Protocol("0.3 + 0.5*t")}
    landscape = fp.Landscape("a*x**2/2", parameters={"a": 1.0}, variables=("x",))
    dynamics = fp.Langevin(landscape, temperature=0.3, mobility="1/(1 + a*x**2)", protocol=protocol)

    def law(t):
        mobility = matrix([lambda x: 1 / (1 + (1 + 3 * t) * x**2)])
        return Law(
            lambda x: -mobility(x)[..., 0] * (1 + 3 * t) * x, lambda x: (0.3 + 0.5 * t) * mobility(x), "klimontovich"
        )

    return dynamics, law


@pytest.mark.parametrize("scheme", SCHEMES)
def test_protocols_are_frozen_at_the_middle_of_steps(scheme):
    dynamics, law = driven()
    n, steps, dt, seed = 64, 6, 0.05, 2
    x = np.random.default_rng(0).normal(size=(n, 1))
    noise = normals(0, n, steps, DYNAMICS, *key_of(seed, 0)).reshape(n, steps, 1)
    final = simulate(dynamics, n=n, initial=x, dt=dt, t_final=steps * dt, seed=seed, scheme=scheme).final
    for k in range(steps):
        x = STEPS[scheme](law((k + 0.5) * dt), x, noise[:, k], dt)
    assert final == approx(x, rel=1e-9, abs=1e-9)


def test_a_driven_mobility_beside_noise_that_varies():
    protocol = {"mobility": fp.Protocol("1 + 2*t")}
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), diffusion="1 + 0.5*sin(x)", convention="ito", protocol=protocol)
    n, dt = 64, 0.1
    x = np.random.default_rng(0).normal(size=(n, 1))
    final = simulate(dynamics, n=n, initial=x, dt=dt, t_final=dt, seed=2).final
    z = normals(0, n, 1, DYNAMICS, *key_of(2, 0))
    assert final == approx(x - 1.1 * x * dt + np.sqrt(2 * dt * (1 + 0.5 * np.sin(x))) * z, rel=1e-12, abs=1e-12)


@pytest.mark.slow  # it compiles the driver once more
def test_single_precision_follows_double_precision():
    dynamics, _ = PROBLEMS["tensor stratonovich"]()
    x = np.random.default_rng(0).normal(size=(300, 3))
    options = {"n": 300, "initial": x, "dt": 0.02, "t_final": 0.2, "seed": 4, "scheme": "weak-2"}
    runs = [simulate(dynamics, precision=precision, **options).final for precision in ("double", "single")]
    assert runs[1].dtype == np.float32
    # Ten steps of some hundred operations, 6e-8 each, and normals that have 24 bits instead of 41.
    assert runs[1] == approx(runs[0], rel=1e-4, abs=1e-4)


def test_same_bits_for_any_threads_batch_and_split():
    dynamics, _ = PROBLEMS["tensor stratonovich"]()
    options = {"n": 700, "initial": [0.1, 0.2, 0.3], "dt": 0.02, "seed": 4, "scheme": "weak-2"}
    functionals = ("heat", "entropy_flow_midpoint")
    one = simulate(dynamics, t_final=0.3, threads=1, functionals=functionals, **options)
    two = simulate(dynamics, t_final=0.3, threads=2, batch=256, functionals=functionals, **options)
    half = simulate(dynamics, t_final=0.14, functionals=functionals, **options)
    whole = simulate(dynamics, initial=half, t_final=0.3, scheme="weak-2", functionals=functionals)
    assert one.states.tobytes() == two.states.tobytes() == whole.states.tobytes()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_first_law_holds_to_rounding_and_thermal_entropy_flow_is_heat_over_temperature(scheme):
    names = ["work", "heat", "shadow_work"]
    dynamics, _ = driven()
    run = simulate(dynamics, n=100, initial=[0.5], dt=0.05, t_final=1.0, seed=1, scheme=scheme, functionals=names)
    work, heat, shadow = (run.values(name) for name in names)
    before, after = dynamics.at(0.0).landscape.value([0.5]), dynamics.at(1.0).landscape.value(run.final)
    assert work - heat + shadow == approx(after - before, abs=1e-12)  # 20 steps of numbers of order 1
    still, _ = PROBLEMS["2-D thermal"]()
    run = simulate(still, n=100, initial=[0.5, 0.1], dt=0.05, t_final=1.0, seed=1, scheme=scheme,
                   functionals=["heat", "entropy_flow_midpoint"])  # fmt: skip
    assert run.values("entropy_flow_midpoint") == approx(run.values("heat") / 0.4, abs=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("problem", [name for name in PROBLEMS if "thermal" not in name])
def test_entropy_flow_of_one_step(problem, scheme):
    """½ (G(x) + G(x′))·(x′ − x), G = D⁻¹(a − ∇·D), with derivatives from differences."""
    dynamics, law = PROBLEMS[problem]()
    x = np.random.default_rng(0).normal(size=(100, dynamics.landscape.dimension))
    run = simulate(dynamics, n=100, initial=x, dt=0.05, t_final=0.05, seed=1, scheme=scheme,
                   functionals=["entropy_flow_midpoint"])  # fmt: skip

    def irreversible(x):
        return np.linalg.solve(law.diffusion(x), (law.drift(x) - law.divergence(x))[..., None])[..., 0]

    expected = (0.5 * (irreversible(x) + irreversible(run.final)) * (run.final - x)).sum(-1)
    assert run.values("entropy_flow_midpoint") == approx(expected, rel=1e-8, abs=1e-8)  # as above, over D ≥ 0.2


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_entropy_flow_in_one_dimension_is_the_logarithm_of_the_stationary_density(convention):
    """In one dimension there is no current: G = (ln p)′, the flow is ln p(x_T) − ln p(x_0) up to the midpoint rule."""
    share = {"ito": 1.0, "stratonovich": 0.5, "klimontovich": 0.0}[convention]
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), diffusion="0.5 + x**2/4", convention=convention)
    # (ln p)′ = −x/D − share D′/D with D = ½ + x²/4, D′ = x/2: ln p = −2 ln D − share ln D.
    log_density = lambda x: -(2 + share) * np.log(0.5 + x**2 / 4)  # noqa: E731
    gaps = []
    for dt in (0.01, 0.0025):
        run = simulate(dynamics, n=2000, initial=[0.3], dt=dt, t_final=1.0, seed=6, scheme="weak-2",
                       functionals=["entropy_flow_midpoint"])  # fmt: skip
        gap = run.values("entropy_flow_midpoint") - log_density(run.final[:, 0]) + log_density(0.3)
        gaps.append(np.sqrt(np.mean(gap**2)))
    # The midpoint rule errs by dx³ a step, with random signs: by dt in all. A quarter of dt, a quarter of the error.
    assert gaps[0] / gaps[1] == approx(4, rel=0.25)


def test_user_functionals():
    dynamics, _ = PROBLEMS["2-D thermal"]()
    run = simulate(dynamics, n=100, initial=[0.5, 0.1], dt=0.05, t_final=0.5, seed=1, scheme="weak-2",
                   functionals=[TimeIntegral("1 + t", "time"), PathIntegral(["y", "x"], "product")])  # fmt: skip
    assert run.values("time") == approx(0.5 + 0.125)
    assert run.values("product") == approx(
        run.final[:, 0] * run.final[:, 1] - 0.05
    )  # y dx + x dy = d(xy), by midpoints


def test_what_cannot_be_served_is_refused():
    landscape = fp.Landscape("x**2/2")
    varying = fp.Langevin(landscape, temperature=1.0, mobility="1/(1 + x**2)")
    options = {"n": 10, "initial": [0.0], "dt": 0.1, "t_final": 0.1, "seed": 1}
    with pytest.raises(MethodError, match=r"its mean does not tend to the entropy produced.*entropy_flow_midpoint"):
        simulate(varying, functionals=["entropy_flow"], **options)
    for scheme in ("heun", "weak-2"):
        with pytest.raises(MethodError, match=r"no discrete form.*entropy_flow_midpoint"):
            simulate(varying, scheme=scheme, functionals=["entropy_flow"], **options)
    with pytest.raises(MethodError, match="three-point"):
        simulate(varying, scheme="weak-2", noise="rademacher", **options)
    with pytest.raises(MethodError, match="three-point"):
        simulate(fp.Langevin(landscape, temperature=1.0), scheme="weak-2", noise="rademacher", **options)
    for scheme in ("leimkuhler-matthews", "ornstein-uhlenbeck"):
        with pytest.raises(MethodError, match="euler-maruyama, heun, weak-2"):
            simulate(varying, scheme=scheme, **options)
    with pytest.raises(MethodError, match=r"Python function.*give expressions"):
        simulate(fp.Langevin(landscape, temperature=1.0, mobility=lambda x: 1 + x[..., 0] ** 2), **options)
    with pytest.raises(MethodError, match="positive temperature"):
        cold = fp.Langevin(landscape, temperature=0.0, mobility="1/(1 + x**2)")
        simulate(cold, functionals=["entropy_flow_midpoint"], **options)
    flat = fp.Landscape("x**2/2 + y**2/2")
    with pytest.raises(DynamicsError, match="not symmetric"):
        skew = fp.Langevin(flat, diffusion=[["1", "0.1*x"], ["0.2*x", "1"]], convention="ito")
        simulate(skew, **options | {"initial": [0.0, 0.0]})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "diffusion", ["x", ["1", "x"], [["1", "1"], ["1", "1 + (x - 0.1)*1e-3"]], [["1", "2*y"], ["2*y", "1"]]]
)
def test_noise_without_a_root_is_found(diffusion, scheme):
    """Negative, in some direction, at a point that is visited."""
    landscape = fp.Landscape("x**2/2 + y**2/2")
    dynamics = fp.Langevin(landscape, diffusion=diffusion, convention="ito")
    with pytest.raises(TrajectoryError) as caught:
        simulate(dynamics, n=1000, initial=[0.1, 0.2], dt=0.05, t_final=5.0, seed=1, scheme=scheme)
    assert np.isfinite(caught.value.state).all()


def test_gradient_flow_at_zero_temperature():
    dynamics = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.0, mobility="1/(1 + x**2)")
    final = simulate(dynamics, n=3, initial=[1.0], dt=0.001, t_final=1.0, seed=1, scheme="weak-2").final
    # ln x + x²/2 falls by t; second order in dt.
    assert np.log(final) + final**2 / 2 == approx(0.5 - 1.0, abs=1e-6)
