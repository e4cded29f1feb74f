"""Underdamped splittings against a plain NumPy step, balances, fluctuation theorems and stationary states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov
from splitting_steps import step

import fpsolver as fp
from fpsolver.ensembles.functionals import PathIntegral, TimeIntegral
from fpsolver.ensembles.initial import Gaussian
from fpsolver.ensembles.integrators.underdamped import SCHEMES, velocity_names
from fpsolver.ensembles.seeds import key_of
from fpsolver.ensembles.simulate import simulate
from fpsolver.errors import DynamicsError, InputError, MethodError, TrajectoryError
from fpsolver.kernels.cpu import noise

EXACT = ("work", "heat", "shadow_work", "entropy_flow")


# A landscape in the plane, driven in every way, and its gradient written by hand.
PLANE = fp.UnderdampedLangevin(
    fp.Landscape("x**4/4 - x**2/2 + a*x*y + y**2", {"a": 0.3}, ("x", "y")),
    temperature=0.7,
    friction=1.3,
    mass=(1.0, 2.5),
    protocol={
        "a": fp.Protocol("0.3 + sin(t)"),
        "temperature": fp.Protocol("0.7 + 0.2*t"),
        "friction": fp.Protocol("1.3 + t"),
    },
)


def plane_loss(x, a):
    return x[..., 0] ** 4 / 4 - x[..., 0] ** 2 / 2 + a * x[..., 0] * x[..., 1] + x[..., 1] ** 2


def plane_gradient(x, a):
    return np.stack([x[..., 0] ** 3 - x[..., 0] + a * x[..., 1], a * x[..., 0] + 2 * x[..., 1]], axis=-1)


def plane_reference(scheme, x, v, z, dt):
    """Return x, v and the functionals of the driven landscape in the plane, step by step."""
    masses = np.array([1.0, 2.5])
    names = (*EXACT, "rate", "area")
    sums = {name: np.zeros(len(x)) for name in names}
    for n in range(z.shape[1]):
        start, middle, end = n * dt, (n + 0.5) * dt, (n + 1) * dt
        a = [0.3 + np.sin(t) for t in (start, middle, end)]
        temperature, old, before = 0.7 + 0.2 * middle, x, v
        x, v, heat = step(
            scheme, x, v, z[:, n], lambda y, a=a: plane_gradient(y, a[1]), dt, temperature, 1.3 + middle, masses
        )
        switched = plane_loss(old, a[1]) - plane_loss(old, a[0]) + plane_loss(x, a[2]) - plane_loss(x, a[1])
        kinetic = 0.5 * np.sum(masses * (v**2 - before**2), axis=-1)
        sums["work"] += switched
        sums["heat"] += heat
        sums["entropy_flow"] += heat / temperature
        sums["shadow_work"] += kinetic + heat + plane_loss(x, a[1]) - plane_loss(old, a[1])
        sums["rate"] += 0.5 * dt * (before[:, 1] * old[:, 0] + a[0] * start + v[:, 1] * x[:, 0] + a[2] * end)
        field = [np.stack([y[:, 1], -y[:, 0] * u[:, 0]], axis=-1) for y, u in ((old, before), (x, v))]
        sums["area"] += 0.5 * np.sum((field[0] + field[1]) * (x - old), axis=-1)
    return x, v, sums


PLANE_FUNCTIONALS = (*EXACT, TimeIntegral("v_y*x + a*t", "rate"), PathIntegral(["y", "-x*v_x"], "area"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_kernel_takes_the_step_of_the_formulas(scheme):
    dt, steps, n = 0.1, 20, 300
    rng = np.random.default_rng(1)
    start = rng.normal(size=(n, 4))
    ensemble = simulate(PLANE, n, start, dt, steps * dt, seed=3, scheme=scheme, functionals=PLANE_FUNCTIONALS)
    m = 2 * scheme.count("o")
    z = noise.normals(0, n, steps * m, noise.DYNAMICS, *key_of(3)).reshape(n, steps, -1, 2)
    x, v, sums = plane_reference(scheme, start[:, :2], start[:, 2:], z, dt)
    # Twenty steps in a well whose curvature is at most ten: rounding grows by e⁶ at the very most.
    tolerance = {"rtol": 0, "atol": steps * np.finfo(float).eps * 400 * np.abs(start).max() ** 4}
    np.testing.assert_allclose(ensemble.final, x, **tolerance)
    np.testing.assert_allclose(ensemble.final_velocities, v, **tolerance)
    for name, expected in sums.items():
        np.testing.assert_allclose(ensemble.values(name), expected, err_msg=name, **tolerance)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("protocol", [None, PLANE.protocol])
def test_first_law_balances_to_rounding(scheme, protocol):
    dynamics = replace(PLANE, protocol=protocol)
    ensemble = simulate(dynamics, 500, [0.5, -0.2], 0.05, 20.0, seed=5, scheme=scheme, functionals=EXACT)
    begin = simulate(dynamics, 500, [0.5, -0.2], 0.05, 0.0, seed=5, scheme=scheme, functionals=EXACT)
    energies = [
        one.values("loss") + 0.5 * (one.final_velocities**2 @ np.array([1.0, 2.5])) for one in (begin, ensemble)
    ]
    balance = ensemble.values("work") - ensemble.values("heat") + ensemble.values("shadow_work")
    # Each of 400 steps rounds sums no larger than the largest of the terms.
    largest = max(np.abs(ensemble.values(name)).max() for name in EXACT) + np.abs(energies).max()
    np.testing.assert_allclose(balance, energies[1] - energies[0], rtol=0, atol=1e-12 * largest)
    assert (np.abs(ensemble.values("work")).max() == 0) == (protocol is None)
    assert np.abs(ensemble.values("heat")).min() > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_friction_it_is_velocity_verlet(scheme):
    """No heat, no noise; energy stays near its value, and with the velocity reversed the path is taken back."""
    dynamics = replace(PLANE, friction=0.0, temperature=0.5, protocol=None)
    start = np.random.default_rng(2).normal(size=(64, 4))
    there = simulate(dynamics, 64, start, 0.05, 5.0, seed=1, scheme=scheme, functionals=EXACT)
    assert not there.values("heat").any() and not there.values("entropy_flow").any()
    back = simulate(
        dynamics, 64, np.hstack([there.final, -there.final_velocities]), 0.05, 5.0, seed=2, scheme=scheme
    )  # fmt: skip
    # Rounding errors grow with the instability of the motion: e^(√κ t) with κ below two for 10 units of time.
    np.testing.assert_allclose(np.hstack([back.final, -back.final_velocities]), start, rtol=0, atol=1e-8)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_energy_error_of_velocity_verlet_is_of_second_order(scheme):
    dynamics = replace(PLANE, friction=0.0, protocol=None)
    start = np.random.default_rng(2).normal(size=(64, 4))
    runs = [
        simulate(dynamics, 64, start, dt, 4.0, seed=1, scheme=scheme, functionals=EXACT) for dt in (0.04, 0.02, 0.01)
    ]
    errors = [np.abs(run.values("shadow_work")).max() for run in runs]
    # The next term of the error is of relative size dt² times a curvature squared, at most about 0.1 here.
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


def linear_map(scheme, dt, stiffness, temperature, friction, mass):
    """Return (M, N) of the step s′ = M s + N z of a harmonic well, from unit vectors."""
    letters = scheme.count("o")
    x, v, z = np.split(np.eye(2 + letters), [1, 2], axis=1)
    x, v, _ = step(scheme, x, v, z[..., None], lambda y: stiffness * y, dt, temperature, friction, mass)
    columns = np.hstack([x, v]).T
    return columns[:, :2], columns[:, 2:]


@settings(max_examples=50, deadline=None)
@given(
    fraction=st.floats(0.01, 0.95),
    friction=st.floats(0.05, 20.0),
    stiffness=st.floats(0.1, 10.0),
    temperature=st.floats(0.01, 10.0),
    mass=st.floats(0.1, 10.0),
)
def test_stationary_covariance_in_a_harmonic_well(fraction, friction, stiffness, temperature, mass):
    """BAOAB has ⟨x²⟩ = T/k and OBABO ⟨v²⟩ = T/m at any stable step; the other is off by 1 − ω²dt²/4 (closed form)."""
    frequency = np.sqrt(stiffness / mass)
    dt = 2 * fraction / frequency
    covariance = {}
    for scheme in SCHEMES:
        transition, random = linear_map(scheme, dt, stiffness, temperature, friction, mass)
        covariance[scheme] = solve_discrete_lyapunov(transition, random @ random.T)
    defect = 1 - (frequency * dt / 2) ** 2
    expected = {"baoab": (1.0, defect), "obabo": (1 / defect, 1.0)}
    for scheme, (position, velocity) in expected.items():
        found = np.diag(covariance[scheme]) / [temperature / stiffness, temperature / mass]
        # The equation is ill conditioned where a step hardly relaxes anything.
        relaxation = -np.expm1(-friction * dt) * min(fraction, 1 - fraction) ** 2
        np.testing.assert_allclose(found, [position, velocity], rtol=1e-13 / relaxation**2)


def z_scores(samples, expected):
    """Return the deviations of means from what is expected, in standard errors."""
    samples = np.asarray(samples)
    return (samples.mean(axis=-1) - expected) / (samples.std(axis=-1) / np.sqrt(samples.shape[-1]))


@pytest.mark.parametrize(("scheme", "position", "velocity"), [("baoab", 1.0, 0.4375), ("obabo", 1 / 0.4375, 1.0)])
def test_kernel_keeps_the_stationary_state_of_a_harmonic_well(scheme, position, velocity):
    """At ω dt = 1.5, far from small; 4.5 standard errors are exceeded once in 150 000."""
    well = fp.UnderdampedLangevin(fp.Landscape("3*x**2/2"), temperature=0.6, friction=0.8, mass=3.0)
    start = Gaussian([0.0, 0.0], np.diag([0.2 * position, 0.2 * velocity]))
    ensemble = simulate(well, 100_000, start, 1.5, 30.0, seed=11, scheme=scheme)
    squares = np.hstack([ensemble.final, ensemble.final_velocities]).T ** 2
    assert np.abs(z_scores(squares, [0.2 * position, 0.2 * velocity])).max() < 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_driven_temperature_and_friction_follow_the_linear_recursion(scheme):
    dt, steps = 0.25, 16
    trap = fp.UnderdampedLangevin(
        fp.Landscape("x**2/2"),
        temperature=0.5,
        friction=1.0,
        protocol={"temperature": fp.Protocol("0.5 + t**2"), "friction": fp.Protocol("1 + sin(3*t)")},
    )
    mean, covariance = np.array([1.0, -2.0]), np.diag([0.3, 0.1])
    ensemble = simulate(trap, 100_000, Gaussian(mean, covariance), dt, steps * dt, seed=4, scheme=scheme)
    for n in range(steps):
        t = (n + 0.5) * dt
        transition, random = linear_map(scheme, dt, 1.0, 0.5 + t**2, 1 + np.sin(3 * t), 1.0)
        mean, covariance = transition @ mean, transition @ covariance @ transition.T + random @ random.T
    states = np.hstack([ensemble.final, ensemble.final_velocities]).T
    assert np.abs(z_scores(states, mean)).max() < 4.5
    centred = states - mean[:, None]
    assert np.abs(z_scores(centred**2, np.diag(covariance))).max() < 4.5
    assert abs(z_scores(centred[0] * centred[1], covariance[0, 1])) < 4.5


# A parabola that begins to ripple: at b = 0 the Boltzmann state is Gaussian. ω² ≤ 3 while b < 2.4, so that dt = 0.8 is
# stable, and far from small.
RIPPLE = fp.UnderdampedLangevin(
    fp.Landscape("x**2/2 + b*cos(2*x)/2", {"b": 0.0}),
    temperature=0.8,
    friction=1.0,
    mass=2.0,
    protocol={"b": fp.Protocol("t")},
)
LARGE_STEP, RIPPLE_TIME = 0.8, 2.4


def log_normal(x, mean, variance):
    return -0.5 * ((x - mean) ** 2 / variance + np.log(2 * np.pi * variance))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_integral_fluctuation_theorem_is_exact_at_a_large_step(scheme):
    """⟨p₁(x, v) e^{−Σ}/p₀⟩ = 1 for any normalised p₁, with everything driven, out of equilibrium."""
    dynamics = replace(
        RIPPLE,
        protocol={**RIPPLE.protocol, "temperature": fp.Protocol("0.8 + t/4"), "friction": fp.Protocol("1 + t")},
    )
    n, start = 200_000, Gaussian([0.5, 0.3], [1.5, 0.8])
    begin = simulate(dynamics, n, start, LARGE_STEP, 0.0, seed=21, scheme=scheme)
    end = simulate(dynamics, n, start, LARGE_STEP, RIPPLE_TIME, seed=21, scheme=scheme, functionals=EXACT)
    first = log_normal(begin.final[:, 0], 0.5, 1.5) + log_normal(begin.final_velocities[:, 0], 0.3, 0.8)
    last = log_normal(end.final[:, 0], 0.2, 0.3) + log_normal(end.final_velocities[:, 0], -0.1, 0.2)
    weights = np.exp(last - first - end.values("entropy_flow"))
    assert abs(z_scores(weights, 1.0)) < 4.5
    assert weights.std() / np.sqrt(n) < 0.01  # the average is not ruled by a few
    # The theorem fails when all heat is divided by the temperature at the end.
    wrong = np.exp(last - first - end.values("heat") / (0.8 + RIPPLE_TIME / 4))
    assert abs(z_scores(wrong, 1.0)) > 5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_jarzynski_holds_with_shadow_work_at_a_large_step(scheme):
    """⟨e^{−(W + W_shadow)/T}⟩ = e^{−ΔF/T}, ΔF by quadrature; the work alone misses it."""
    temperature, n = 0.8, 200_000
    end = simulate(
        RIPPLE, n, Gaussian([0.0], [temperature]), LARGE_STEP, RIPPLE_TIME, seed=31, scheme=scheme, functionals=EXACT
    )
    x = np.linspace(-12, 12, 4001)  # the trapezoidal rule is exact to rounding for such functions
    parabola = np.exp(-(x**2) / 2 / temperature)
    ratio = (parabola * np.exp(-RIPPLE_TIME * np.cos(2 * x) / 2 / temperature)).sum() / parabola.sum()
    work, shadow = end.values("work"), end.values("shadow_work")
    assert abs(z_scores(np.exp(-(work + shadow) / temperature), ratio)) < 4.5
    assert abs(z_scores(np.exp(-work / temperature), ratio)) > 5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_bits_do_not_depend_on_threads_batches_or_splits(scheme, precision):
    common = {"seed": 8, "scheme": scheme, "precision": precision, "functionals": PLANE_FUNCTIONALS}
    whole = simulate(PLANE, 1500, [0.5, 0.0], 0.05, 5.0, threads=1, **common)
    for threads, batch in ((2, 256), (2, 700)):
        part = simulate(PLANE, 1500, [0.5, 0.0], 0.05, 0.35, threads=threads, batch=batch, **common)
        for t in (0.4, 3.7, 5.0):
            part = simulate(PLANE, initial=part, t_final=t, threads=threads, batch=batch, **common)
        assert part.states.tobytes() == whole.states.tobytes()
    assert whole.states.dtype == (np.float64 if precision == "double" else np.float32)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_undriven_splits_give_the_same_bits(scheme):
    dynamics = replace(PLANE, protocol=None)
    whole = simulate(dynamics, 300, [0.5, 0.0], 0.05, 10.0, seed=8, scheme=scheme, functionals=EXACT)
    part = simulate(dynamics, 300, [0.5, 0.0], 0.05, 3.15, seed=8, scheme=scheme, functionals=EXACT)
    part = simulate(dynamics, initial=part, t_final=10.0, scheme=scheme, functionals=EXACT)
    assert part.states.tobytes() == whole.states.tobytes()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_functionals_leave_the_trajectories_alone(scheme):
    bare = simulate(PLANE, 300, [0.5, 0.0], 0.05, 5.0, seed=8, scheme=scheme)
    full = simulate(PLANE, 300, [0.5, 0.0], 0.05, 5.0, seed=8, scheme=scheme, functionals=PLANE_FUNCTIONALS)
    np.testing.assert_array_equal(bare.states[:, :4], full.states[:, :4])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_single_precision_follows_double(scheme):
    double, single = (
        simulate(PLANE, 300, [0.5, 0.0], 0.05, 0.5, seed=8, scheme=scheme, precision=precision, functionals=EXACT)
        for precision in ("double", "single")
    )
    # Ten steps of rounding to 6e-8, and normals that are good to some 1e-6.
    np.testing.assert_allclose(single.states, double.states, rtol=0, atol=1e-4)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["three-point", "rademacher"])
def test_discrete_noise_has_the_stationary_variance(scheme, kind):
    """Second moments in a harmonic well depend on the variance of the noise alone."""
    well = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.6, friction=0.8)
    position = {"baoab": 0.6, "obabo": 0.6 / 0.75}[scheme]
    ensemble = simulate(well, 100_000, [0.0], 1.0, 40.0, seed=3, scheme=scheme, noise=kind, functionals=("heat",))
    # The memory of the start has fallen to e^(−γ t) = 1e-14.
    assert abs(z_scores(ensemble.final[:, 0] ** 2, position)) < 4.5


def test_at_zero_temperature_the_loss_is_descended_without_noise():
    cold = replace(PLANE, temperature=0.0, protocol=None)
    one, two = (
        simulate(cold, 10, np.full((10, 4), 0.5), 0.05, 60.0, seed=seed, functionals=EXACT[:3]) for seed in (1, 2)
    )
    np.testing.assert_array_equal(one.states, two.states)
    np.testing.assert_allclose(plane_gradient(one.final, 0.3), 0, atol=1e-9)
    assert (one.values("heat") > 0).all()


def test_what_cannot_be_served_is_refused_before_the_loop():
    def attempt(dynamics=PLANE, **options):
        simulate(dynamics, 10, [0.0, 0.0], 0.1, 1.0, seed=1, **options)

    with pytest.raises(MethodError, match='choose one of baoab, obabo; did you mean "baoab"'):
        attempt(scheme="baoba")
    with pytest.raises(MethodError, match=r'"entropy_flow_midpoint" belongs to overdamped.*"entropy_flow", heat over'):
        attempt(functionals=["entropy_flow_midpoint"])
    with pytest.raises(MethodError, match='"three-point": a step back has probability zero; choose "gaussian"'):
        attempt(functionals=["entropy_flow"], noise="three-point")
    with pytest.raises(MethodError, match="infinite at T = 0"):
        attempt(replace(PLANE, temperature=0.0, protocol=None), functionals=["entropy_flow"])
    cooled = replace(PLANE, protocol={"temperature": fp.Protocol.ramp(1.0, 0.0, duration=0.5)})
    with pytest.raises(MethodError, match=r"at t = 0\.55: the temperature is zero"):
        attempt(cooled, functionals=["entropy_flow"])
    with pytest.raises(DynamicsError, match=r"temperature = -0\.05"):
        attempt(replace(PLANE, protocol={"temperature": fp.Protocol("0.5 - t")}))
    clash = fp.UnderdampedLangevin(fp.Landscape("x**2 + v_x**2"), temperature=1.0, friction=1.0)
    with pytest.raises(InputError, match='"v_x" has the name of the velocity of "x"'):
        attempt(clash)
    assert velocity_names(("x", "w2")) == ("v_x", "v_w2")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_runaway_trajectories_are_named(scheme):
    """Beyond the stable step of a steep quartic the run ends with the step, the trajectory and its state."""
    steep = fp.UnderdampedLangevin(fp.Landscape("x**4"), temperature=1e-6, friction=1.0)
    start = np.zeros((600, 2))
    start[421] = 30.0, 0.0
    with pytest.raises(TrajectoryError, match="trajectory 421") as failure:
        simulate(steep, 600, start, 0.1, 10.0, seed=1, scheme=scheme)
    assert failure.value.trajectory == 421 and failure.value.step < 10
    x, v = failure.value.state[:1], failure.value.state[1:2]
    with np.errstate(over="ignore", invalid="ignore"):
        after = step(scheme, x, v, np.zeros((2, 1)), lambda y: 4 * y**3, 0.1, 1e-6, 1.0, 1.0)
    limit = np.sqrt(np.finfo(float).max)
    assert np.abs([x, v]).max() < limit and not np.abs(after[:2]).max() < limit
