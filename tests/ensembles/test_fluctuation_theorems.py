"""Exact fluctuation theorems at time steps so long that anything approximate fails, and the first law to rounding."""

import numpy as np
import pytest

import fpsolver as fp

TENSOR = [[1.0, 0.3], [0.3, 0.5]]
EGG = fp.Landscape("x**2/2*a + x*y/2 + y**2 + cos(x)/2", variables=("x", "y"), parameters={"a": 1.0})
SADDLE = fp.Landscape("x**2/2*a + x*y/2 + y**2", variables=("x", "y"), parameters={"a": 1.0})
TURN = ["0.3*y", "-0.3*x"]
RAMP = {"a": fp.Protocol("1 + t")}
ENDS = (fp.Gaussian([0.0, 0.0], [0.6, 0.4]), fp.Gaussian([0.0, 0.0], [0.35, 0.25]))
LINE_ENDS = (fp.Gaussian([0.3], 0.5), fp.Gaussian([0.0], 0.4))

EULER_CASES = {
    "scalar": (fp.Langevin(fp.Landscape("x**2/2 + cos(2*x)/4"), temperature=0.4), LINE_ENDS),
    "plane": (fp.Langevin(EGG, temperature=0.5), ENDS),
    "diagonal": (fp.Langevin(EGG, temperature=0.5, mobility=[0.7, 1.2]), ENDS),
    "tensor": (fp.Langevin(EGG, temperature=0.5, mobility=TENSOR), ENDS),
    "independent diffusion": (fp.Langevin(EGG, diffusion=[[0.5, 0.1], [0.1, 0.4]], force=TURN), ENDS),
    "force": (fp.Langevin(EGG, temperature=0.5, force=TURN), ENDS),
    "protocol": (fp.Langevin(EGG, temperature=0.5, protocol=RAMP, force=TURN), ENDS),
    "temperature protocol": (
        fp.Langevin(EGG, temperature=0.5, mobility=TENSOR, protocol={"temperature": fp.Protocol("0.5 + t/4")}),
        ENDS,
    ),
}
LINEAR_CASES = {
    "plane": (fp.Langevin(SADDLE, temperature=0.5), ENDS),
    "tensor": (fp.Langevin(SADDLE, temperature=0.5, mobility=TENSOR), ENDS),
    "force": (fp.Langevin(SADDLE, temperature=0.5, force=TURN), ENDS),
    "protocol": (fp.Langevin(SADDLE, temperature=0.5, protocol=RAMP, force=TURN), ENDS),
    "temperature protocol": (
        fp.Langevin(SADDLE, temperature=0.5, protocol={"temperature": fp.Protocol("0.5 + t/4")}),
        ENDS,
    ),
}


def exponential_average(case, scheme, dt, n, seed, flow="entropy_flow", t_final=1.0):
    """ln ⟨e^{−Σ}⟩ and its standard error; the second density need not be the true one for the theorem."""
    dynamics, ends = case
    produced = flow.replace("entropy_flow", "entropy_production")
    average = fp.LogSumExp(produced, factor=-1.0, name="theorem")
    options = {"scheme": scheme, "functionals": flow, "density": ends, "observe": average, "seed": seed}
    found = fp.simulate(dynamics, n, ends[0], dt, t_final, **options).observables["theorem"]
    assert found.effective_samples[0] > 1000
    return found.value[0], found.standard_error[0]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", EULER_CASES)
def test_integral_theorem_for_euler_maruyama(case, seed):
    value, error = exponential_average(EULER_CASES[case], "euler-maruyama", 0.25, 40_000, seed)
    assert abs(value) < 4.5 * error


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", LINEAR_CASES)
@pytest.mark.parametrize("dt", [0.125, 0.5])
def test_integral_theorem_for_the_exact_step(case, dt, seed):
    value, error = exponential_average(LINEAR_CASES[case], "ornstein-uhlenbeck", dt, 40_000, seed)
    assert abs(value) < 4.5 * error


STEEP = (fp.Langevin(fp.Landscape("3*x**2/2"), temperature=0.5), (fp.Gaussian([0.0], 0.2), fp.Gaussian([0.0], 0.2)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_midpoint_form_fails_it_at_long_steps(seed):
    """Otherwise the tests above could not tell one form from the other."""
    value, error = exponential_average(STEEP, "euler-maruyama", 0.25, 40_000, seed, "entropy_flow_midpoint", 2.0)
    assert abs(value) > 15 * error
    value, error = exponential_average(STEEP, "euler-maruyama", 0.25, 40_000, seed, "entropy_flow", 2.0)
    assert abs(value) < 4.5 * error


def test_the_midpoint_form_satisfies_it_at_short_steps():
    case = EULER_CASES["force"]
    value, error = exponential_average(case, "heun", 0.005, 40_000, 1, "entropy_flow_midpoint")
    assert abs(value) < 4.5 * error


@pytest.mark.validate
@pytest.mark.parametrize("seed", range(10, 16))
@pytest.mark.parametrize("scheme", ["euler-maruyama", "ornstein-uhlenbeck"])
def test_integral_theorem_with_many_trajectories(scheme, seed):
    for case in (LINEAR_CASES if scheme == "ornstein-uhlenbeck" else EULER_CASES).values():
        value, error = exponential_average(case, scheme, 0.25, 2_000_000, seed)
        assert abs(value) < 4.5 * error


@pytest.mark.parametrize("dt", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_jarzynski_is_exact_at_any_step_of_the_exact_scheme(dt, seed):
    """⟨e^{−W/T}⟩ = Z₁/Z₀: work is done at fixed positions, and every step keeps the state of its frozen landscape."""
    temperature = 0.5
    drive = {"a": fp.Protocol("1 + t"), "c": fp.Protocol("t/2")}
    landscape = fp.Landscape("a*(x - c)**2/2", parameters={"a": 1.0, "c": 0.0})
    dynamics = fp.Langevin(landscape, temperature=temperature, protocol=drive)
    average = fp.LogSumExp("work", factor=-1 / temperature)
    options = {"scheme": "ornstein-uhlenbeck", "functionals": "work", "observe": average, "seed": seed}
    found = fp.simulate(dynamics, 40_000, "stationary", dt, 2.0, **options).observables["log_sum_exp_work"]
    assert abs(found.value[0] - 0.5 * np.log(1 / 3)) < 4.5 * found.standard_error[0]
    assert found.effective_samples[0] > 1000


ALL = ("work", "heat", "shadow_work")


@pytest.mark.parametrize("scheme", ["euler-maruyama", "heun", "weak-2", "ornstein-uhlenbeck"])
@pytest.mark.parametrize("driven", [False, True])
@pytest.mark.parametrize("noise", ["gaussian", "three-point"])
def test_first_law_to_rounding(scheme, driven, noise):
    if scheme == "ornstein-uhlenbeck" and noise != "gaussian":
        pytest.skip("the exact step is Gaussian")
    landscape = SADDLE if scheme == "ornstein-uhlenbeck" else EGG
    dynamics = fp.Langevin(landscape, temperature=0.5, mobility=TENSOR, force=TURN, protocol=RAMP if driven else None)
    x = np.random.default_rng(3).normal(size=(300, 2))
    found = fp.simulate(dynamics, 300, x, 0.125, 5.0, seed=1, scheme=scheme, noise=noise, functionals=ALL)
    gained = found.values("loss") - dynamics.at(0.0).landscape.value(x)
    balance = found.values("work") - found.values("heat") + found.values("shadow_work")
    # 40 steps, each with a handful of roundings of energies up to the largest.
    bound = 40 * 10 * 2.3e-16 * max(1.0, *(np.abs(found.values(name)).max() for name in (*ALL, "loss")))
    np.testing.assert_allclose(balance, gained, rtol=0, atol=bound)
    assert (np.abs(found.values("work")) > 0).all()
    if not driven:
        expected = fp.simulate(dynamics, 300, x, 0.125, 5.0, seed=1, scheme=scheme, noise=noise,
                               functionals=fp.PathIntegral(TURN, name="turned")).values("turned")  # fmt: skip
        np.testing.assert_allclose(found.values("work"), expected, rtol=1e-12, atol=1e-14)
    largest = np.abs(found.values("shadow_work")).max()
    if landscape is SADDLE:
        assert largest < bound, "the midpoint rule is exact on a parabola"
    else:
        assert largest > 1e-4


def test_shadow_work_vanishes_with_the_step():
    """ΔL minus its midpoint sum is of third order in the change of position: dt^{3/2} a step, dt^{1/2} at the worst."""
    sizes = []
    for dt in (0.04, 0.01):
        found = fp.simulate(fp.Langevin(EGG, temperature=0.5), 2000, [1.0, 0.0], dt, 2.0, seed=1, functionals=ALL)
        sizes.append(found.values("shadow_work").std())
    assert sizes[1] < 0.5 * sizes[0]
