"""Trajectories on NVIDIA devices: those of the processor, on a device where there is one, else under the simulator."""

from __future__ import annotations

import numpy as np
import pytest
from numba import cuda

import fpsolver as fp
from fpsolver.errors import DeviceError, MethodError, TrajectoryError
from fpsolver.landscapes import source_cache

on_device = pytest.mark.skipif(not cuda.is_available(), reason="no NVIDIA device and no simulator")

PLANE = "a*x**4/4 - x**2/2 + cos(x)*y + y**2"
STANDARD = ("work", "heat", "shadow_work", "entropy_flow")
INTEGRALS = (fp.TimeIntegral("x**2*t"), fp.PathIntegral(["y", "-x"]))
RISING = {"a": fp.Protocol("1 + t")}

# A step rounds a hundred numbers of order one, differently where products are contracted, and a hundred steps of a
# smooth landscape let neighbours drift apart by a factor of e at most: 100 · 100 · 1e-16 · e.
CLOSE = 3e-12


def plane(**parameters):
    return fp.Landscape(PLANE, {"a": 1.0, **parameters}, ("x", "y"))


def overdamped(**options):
    return fp.Langevin(plane(), **{"temperature": 0.3, **options})


def underdamped(**options):
    return fp.UnderdampedLangevin(plane(), **{"temperature": 0.3, "friction": 0.7, "mass": [1.0, 2.0], **options})


TRAP = fp.Langevin(
    fp.Landscape("x**2 + x*y/2 + y**2", variables=("x", "y")), temperature=0.4, force=["0.2*y", "-0.2*x"]
)

CONVENTIONS = ("ito", "stratonovich", "klimontovich")
SCHEMES = ("euler-maruyama", "heun", "weak-2")
FLOWS = ("work", "heat", "shadow_work", "entropy_flow_midpoint")


def scalar(convention):
    landscape = fp.Landscape("x**4/4 - x**2/2")
    return fp.Langevin(landscape, diffusion="0.3 + x**2/10", convention=convention)


DIAGONAL = ["0.3 + x**2/10", "0.2 + cos(x + y)/10"]
SEPARABLE = ["0.3 + x**2/10", "0.2 + cos(y)/10"]
TENSOR = [["0.5 + x**2/10", "x*y/10"], ["x*y/10", "0.4 + y**2/10"]]


def multiplicative(diffusion, convention="stratonovich", **options):
    return fp.Langevin(plane(), diffusion=diffusion, convention=convention, **options)


WARM = {"temperature": fp.Protocol("0.3 + t/10"), **RISING}

MULTIPLICATIVE = {
    **{f"{scheme}, {name}": (scalar(name), {"scheme": scheme}) for scheme in SCHEMES for name in CONVENTIONS},
    **{f"{scheme}, diagonal": (multiplicative(DIAGONAL), {"scheme": scheme}) for scheme in SCHEMES},
    **{f"{scheme}, tensor": (multiplicative(TENSOR), {"scheme": scheme}) for scheme in SCHEMES},
    "ito tensor": (multiplicative(TENSOR, "ito"), {"scheme": "heun"}),
    "klimontovich tensor": (multiplicative(TENSOR, "klimontovich"), {}),
    "three-point, scalar": (scalar("ito"), {"scheme": "weak-2", "noise": "three-point"}),
    "three-point, separable": (multiplicative(SEPARABLE), {"scheme": "weak-2", "noise": "three-point"}),
    "three-point, tensor": (multiplicative(TENSOR), {"scheme": "weak-2", "noise": "three-point"}),
    "signs, tensor": (multiplicative(TENSOR), {"noise": "rademacher"}),
    "flows": (multiplicative(TENSOR, force=["0.3*y", "-0.3*x"]), {"functionals": (*FLOWS, *INTEGRALS)}),
    "heated": (overdamped(mobility=TENSOR, protocol=WARM), {"scheme": "heun", "functionals": (*FLOWS, *INTEGRALS)}),
}


def descent(noise=1.0, **options):
    return fp.SGD(plane(), 0.05, fp.GaussianNoise(noise, batch_size=4), **options)


SCHEDULES = {"learning_rate": fp.Protocol("0.05/(1 + t/50)"), **RISING}

CHAINS = {
    "sgd": (descent(), {}),
    "sgd with a tensor": (descent(TENSOR, weight_decay=0.1), {}),
    "heavy ball": (
        descent([[1.0, 0.5], [0.5, 1.0]], momentum=0.8, protocol=SCHEDULES), {"functionals": ("work", *INTEGRALS)}
    ),
    "nesterov": (descent(momentum=0.8, nesterov=True, weight_decay=0.1), {}),
    "heavy ball with a tensor": (descent(TENSOR, momentum=0.8), {}),
}  # fmt: skip

CASES = {
    **{name: (dynamics, {"dt": 1.0, "steps": 50, **options}) for name, (dynamics, options) in CHAINS.items()},
    "euler": (overdamped(), {}),
    "forced": (overdamped(force=["0.3*y", "-0.3*x"], mobility=[[1.0, 0.2], [0.2, 0.5]]), {}),
    "heun": (overdamped(), {"scheme": "heun"}),
    "leimkuhler-matthews": (overdamped(), {"scheme": "leimkuhler-matthews"}),
    "ornstein-uhlenbeck": (TRAP, {"scheme": "ornstein-uhlenbeck"}),
    "three-point": (overdamped(), {"scheme": "weak-2", "noise": "three-point"}),
    "rademacher": (overdamped(), {"noise": "rademacher"}),
    "signs of heun": (overdamped(), {"scheme": "heun", "noise": "rademacher"}),
    "functionals": (overdamped(), {"functionals": (*STANDARD, "entropy_flow_midpoint", *INTEGRALS)}),
    "driven": (overdamped(protocol=RISING), {"functionals": (*STANDARD, *INTEGRALS)}),
    "exact functionals": (TRAP, {"scheme": "ornstein-uhlenbeck", "functionals": STANDARD}),
    "baoab": (underdamped(), {}),
    "obabo": (underdamped(), {"scheme": "obabo"}),
    "baoab of signs": (underdamped(), {"noise": "rademacher"}),
    "driven baoab": (underdamped(protocol=RISING), {"functionals": (*STANDARD, *INTEGRALS)}),
    **MULTIPLICATIVE,
}


def both(dynamics, n=3, steps=100, dt=0.01, **options):
    """Return the states on the processor and on the device, without those that only fill up a block."""
    found = []
    initial = [0.3, -0.2][: dynamics.landscape.dimension]
    for device in ("cpu", "gpu"):
        ensemble = fp.simulate(dynamics, n, initial, dt, steps * dt, seed=11, device=device, **options)
        rows = np.moveaxis(ensemble.states, 1, -1)
        found.append(rows.reshape(-1, rows.shape[-1])[:n])
    return found


@on_device
@pytest.mark.gpu
@pytest.mark.parametrize("name", CASES)
def test_the_device_gives_the_trajectories_of_the_processor(name):
    dynamics, options = CASES[name]
    here, there = both(dynamics, **options)
    assert np.ptp(here[:, 0]) > 0.01
    np.testing.assert_allclose(there, here, rtol=CLOSE, atol=CLOSE)


@on_device
@pytest.mark.gpu
@pytest.mark.parametrize("dynamics", [overdamped(), multiplicative(TENSOR)], ids=["additive", "multiplicative"])
@pytest.mark.parametrize("noise", ["gaussian", "three-point", "rademacher"])
def test_single_precision(noise, dynamics):
    here, there = both(dynamics, noise=noise, precision="single")
    assert there.dtype == np.float32
    np.testing.assert_allclose(there, here, atol=CLOSE * 2.0**29)  # single precision has 29 bits less


@on_device
@pytest.mark.gpu
def test_elementary_functions_on_the_device():
    text = (
        "exp(-x**2) + log(1 + y**2) + sin(x)*tan(y/2) + sinh(x/2) + cosh(y/2) + tanh(x*y) + erf(x) + abs(x)**2.5"
        " + sqrt(1 + x**2) + Max(x, y)/2 + 1/(1 + exp(-x)) + log(1 + exp(y)) + Piecewise((x, x < y), (y**2, True))"
    )
    landscape = fp.Landscape(text, variables=("x", "y"))
    for precision, bits in (("double", 0), ("single", 29)):
        here, there = both(fp.Langevin(landscape, temperature=0.3), steps=10, precision=precision)
        np.testing.assert_allclose(there, here, atol=CLOSE * 2.0**bits)


@on_device
@pytest.mark.gpu
def test_trajectories_of_all_blocks_are_followed():
    here, there = both(overdamped(), n=258, steps=3)
    np.testing.assert_allclose(there, here, rtol=CLOSE)
    assert len(np.unique(there[:, 0])) == 258


@on_device
@pytest.mark.gpu
@pytest.mark.parametrize(
    ("dynamics", "scheme"),
    [(overdamped(), "euler-maruyama"), (overdamped(), "leimkuhler-matthews"), (multiplicative(TENSOR), "weak-2")],
)
def test_a_split_run_has_the_same_bits_on_the_device(dynamics, scheme):
    options = {"n": 2, "dt": 0.01, "seed": 5, "scheme": scheme, "device": "gpu"}
    whole = fp.simulate(dynamics, initial=[0.3, 0.1], t_final=0.15, **options)
    half = fp.simulate(dynamics, initial=[0.3, 0.1], t_final=0.07, **options)
    rest = fp.simulate(dynamics, initial=half, t_final=0.15, scheme=scheme, device="gpu")
    assert np.array_equal(whole.final, rest.final)


@on_device
@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("protocol", [{}, {"a": fp.Protocol("1 + t/100")}])
def test_failures_are_found_where_they_are_on_the_processor(protocol):
    landscape = fp.Landscape("a*x**4/4 + y**2/2", {"a": 1.0}, ("x", "y"))
    dynamics = fp.Langevin(landscape, temperature=0.3, protocol=protocol)
    found = []
    for device in ("cpu", "gpu"):
        with pytest.raises(TrajectoryError, match="became infinite") as caught:
            fp.simulate(dynamics, 4, [1.0, 0.0], 0.45, 450.0, seed=9, device=device)
        found.append(caught.value)
    here, there = found
    assert (there.step, there.trajectory) == (here.step, here.trajectory)
    np.testing.assert_allclose(there.state, here.state, rtol=1e-6)


@on_device
@pytest.mark.gpu
def test_states_may_live_on_the_device():
    from fpsolver.ensembles.functionals import Functionals
    from fpsolver.ensembles.integrators.additive import additive_integrator
    from fpsolver.ensembles.integrators.integrator import Request

    key = (np.uint64(1), np.uint64(2))
    request = Request(overdamped(), "euler-maruyama", "gaussian", Functionals(), 0.01, key, device="gpu")
    engine = additive_integrator(request)
    states, counts = np.full((1, 512), 0.3), np.array([3])
    there = cuda.to_device(states)
    for begin in (0, 5):
        engine.advance(engine.segment(begin, 5), there, counts, 0)
    assert engine.advance(engine.segment(0, 10), states, counts, 0) == (-1, -1, -1)
    assert np.array_equal(there.copy_to_host(), states)
    assert np.array_equal(states.reshape(2, 256)[:, 3:], np.full((2, 253), 0.3))


@on_device
@pytest.mark.gpu
def test_landscapes_without_an_expression_are_refused():
    landscape = fp.Landscape.from_functions(lambda theta: theta[0] ** 2)
    with pytest.raises(MethodError, match='choose device = "cpu"'):
        fp.simulate(fp.Langevin(landscape, temperature=0.1), 4, [0.0], 0.1, 1.0, seed=1, device="gpu")
    risk = fp.landscapes.linear_regression([1.0, 2.0], [1.0, 0.0])
    with pytest.raises(MethodError, match='device = "cpu"'):
        fp.simulate(fp.SGD(risk, 0.1, fp.MinibatchNoise(1)), 4, [0.0, 0.0], t_final=1, seed=1, device="gpu")


@on_device
@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_matrices_that_are_not_positive_definite_are_found_where_they_are_on_the_processor():
    edge = multiplicative([["1/2", "x"], ["x", "1/2"]], "ito")  # singular at |x| = 1/2
    found = []
    for device in ("cpu", "gpu"):
        with pytest.raises(TrajectoryError) as caught:
            fp.simulate(edge, 3, [0.3, -0.2], 0.01, 1.0, seed=11, device=device)
        found.append(caught.value)
    here, there = found
    assert (there.step, there.trajectory) == (here.step, here.trajectory)
    np.testing.assert_allclose(there.state, here.state, rtol=CLOSE)


def test_the_same_tests_pass_under_the_simulator(under_the_simulator):
    assert f"{len(CASES) + 16} passed" in under_the_simulator


@pytest.mark.parametrize(
    "dynamics",
    [overdamped(), multiplicative(TENSOR), underdamped()],
    ids=["overdamped", "multiplicative", "underdamped"],
)
def test_devices_that_are_not_there_are_refused_before_anything_is_compiled(dynamics, monkeypatch):
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    monkeypatch.setattr(source_cache, "_load", lambda *_: pytest.fail("compiled"))
    with pytest.raises(DeviceError, match="needs an NVIDIA device"):
        fp.simulate(dynamics, 4, [0.0, 0.0], 0.1, 1.0, seed=1, device="gpu")
    with pytest.raises(DeviceError, match='did you mean "gpu"'):
        fp.simulate(dynamics, 4, [0.0, 0.0], 0.1, 1.0, seed=1, device="gpus")
