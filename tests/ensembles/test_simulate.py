"""Simulations from outside: arguments, output times, ghosts, failures, progress, memory."""

import io
import tracemalloc

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import DynamicsError, InputError, MethodError, TrajectoryError

PARABOLA = fp.Landscape("x**2/2")
TRAP = fp.Langevin(PARABOLA, temperature=0.5)
COLD = fp.Langevin(PARABOLA, temperature=0.0)
WELL = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.1)
KICKED = fp.UnderdampedLangevin(PARABOLA, temperature=0.5, friction=1.0)
MULTIPLICATIVE = fp.Langevin(PARABOLA, diffusion="1 + x**2", convention="ito")
PYTHON_FORCE = fp.Langevin(PARABOLA, temperature=0.5, force=lambda x: x)


def simulate(dynamics=TRAP, **options):
    """A short run of ten trajectories."""
    return fp.simulate(dynamics, **({"n": 10, "initial": [0.0], "dt": 0.125, "t_final": 1.0, "seed": 1} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": None}, "n is missing"),
        ({"n": 0}, "n = 0 must be a positive"),
        ({"n": 2.5}, r"n = 2\.5"),
        ({"initial": None}, "initial is missing"),
        ({"dt": None}, "dt is missing"),
        ({"dt": -1.0}, r"dt = -1\.0 must be a positive"),
        ({"dt": "1"}, "dt = '1' must be a positive"),
        ({"seed": None}, "seed is missing: give any integer, seed=7"),
        ({"seed": 1.5}, r"seed = 1\.5 must be an integer"),
        ({"experiment": -1}, "experiment = -1 must be an integer"),
        ({"t_final": None}, "t_final is missing"),
        ({"t_final": 0.3}, r"t_final = 0\.3 is no multiple of dt = 0\.125; the nearest is 0\.25"),
        ({"t_final": np.inf}, "t_final = inf must be a time"),
        ({"times": 3}, "times = 3 must divide the 8 steps"),
        ({"times": []}, r"times = \[\] must be a list of times"),
        ({"times": [0.5, 0.25]}, "must ascend"),
        ({"times": [0.5, 2.0]}, r"end at t_final = 1 at most"),
        ({"times": [0.3]}, r"times = 0\.3 is no multiple"),
        ({"threads": 0}, "threads = 0 must be a positive integer"),
        ({"batch": 2.0}, r"batch = 2\.0 must be a positive integer"),
        ({"checkpoint_interval": -1}, "checkpoint_interval = -1"),
        ({"noise": "gausian"}, "noise = 'gausian' is not one of .*; did you mean \"gaussian\""),
        ({"precision": "singel"}, "precision = 'singel' is not one of .*; did you mean \"single\""),
        ({"device": "gpuu"}, "device = 'gpuu' is not one of .*; did you mean \"gpu\""),
        ({"functionals": ["wrok"]}, "functionals holds 'wrok'.*; did you mean \"work\""),
        ({"functionals": [3]}, "functionals holds 3; it may hold work"),
        ({"functionals": fp.TimeIntegral("x", name="pi")}, '"pi" cannot name a functional: it is a function or const'),
        ({"functionals": fp.TimeIntegral("x", name="exp")}, '"exp" cannot name a functional'),
        ({"observe": None}, "observe = None is no observable; leave it out"),
        ({"checkpoint": 3}, "checkpoint = 3 must be the path of a file"),
        ({"progress": "a"}, "progress = 'a' must be True, False, or None"),
        ({"observe": ["x"]}, r"observe = \[… 'x' …\]: that is no observable"),
        ({"observe": "moments"}, r"'moments' …\]: that is no observable"),
        ({"observe": fp.Moments}, "that is no observable"),
        ({"observe": fp.Mean("work")}, r"no quantity 'work'; it needs functionals = \[\"work\"\]"),
        ({"observe": fp.Mean("entropy_production")}, r"needs functionals = \[\"entropy_flow\"\], and density"),
        ({"observe": fp.Mean("system_entropy")}, "it needs density"),
        ({"observe": fp.Mean("hat"), "functionals": "heat"}, "there is no quantity 'hat'; did you mean \"heat\""),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(options, message):
    with pytest.raises(InputError, match=message):
        simulate(**options)


@pytest.mark.parametrize("options", [{}, {"scheme": "heun"}])
def test_what_is_no_dynamics_is_refused(options):
    with pytest.raises(InputError, match="is no dynamics; give an"):
        simulate(PARABOLA, **options)


@pytest.mark.parametrize(
    ("dynamics", "options", "remedy"),
    [
        (TRAP, {"scheme": "baoab"}, "choose one of euler-maruyama"),
        (TRAP, {"scheme": "euler-marujama"}, 'did you mean "euler-maruyama"'),
        (TRAP, {"scheme": 7}, "choose one of euler-maruyama"),
        (KICKED, {"scheme": "heun"}, "choose one of baoab, obabo"),
        (MULTIPLICATIVE, {"scheme": "ornstein-uhlenbeck"}, "choose one of euler-maruyama, heun, weak-2"),
        (WELL, {"scheme": "ornstein-uhlenbeck"}, 'choose "heun" or "euler-maruyama"'),
        (TRAP, {"scheme": "ornstein-uhlenbeck", "noise": "rademacher"}, 'needs noise = "gaussian"'),
        (TRAP, {"scheme": "leimkuhler-matthews", "noise": "three-point"}, 'needs noise = "gaussian"'),
        (
            TRAP,
            {"scheme": "leimkuhler-matthews", "functionals": "work"},
            'not Markov; choose "euler-maruyama" or "heun"',
        ),
        (
            TRAP,
            {"scheme": "heun", "functionals": "entropy_flow"},
            'choose "euler-maruyama", or "entropy_flow_midpoint"',
        ),
        (
            TRAP,
            {"scheme": "weak-2", "functionals": "entropy_flow"},
            'choose "euler-maruyama", or "entropy_flow_midpoint"',
        ),
        (TRAP, {"noise": "rademacher", "functionals": "entropy_flow"}, 'probability zero; choose "gaussian"'),
        (TRAP, {"noise": "rademacher", "scheme": "weak-2"}, 'choose noise = "three-point" or "gaussian"'),
        (COLD, {"functionals": "entropy_flow"}, "at T = 0"),
        (COLD, {"functionals": "entropy_flow_midpoint"}, "at T = 0"),
        (PYTHON_FORCE, {}, "give expressions"),
        (WELL, {"initial": "stationary"}, "give a density"),
    ],
)
def test_a_scheme_that_cannot_serve_names_one_that_can(dynamics, options, remedy):
    with pytest.raises(MethodError, match=remedy):
        simulate(dynamics, **options)


def test_output_times():
    observe = fp.Moments("x")
    given = {"observe": observe, "t_final": 1.0}
    assert simulate(**given).times.tolist() == [1.0]
    assert simulate(times=4, **given).times.tolist() == [0.25, 0.5, 0.75, 1.0]
    found = simulate(times=[0.0, 0.5], **given)
    assert found.times.tolist() == [0.0, 0.5] and found.t == 1.0
    assert found.observables["moments_x"].mean[0, 0] == 0.0
    start = simulate(observe=observe, t_final=0)
    assert start.times.tolist() == [0.0] and (start.final == 0).all()


def test_times_are_multiples_of_the_step_to_its_rounding():
    found = simulate(dt=1e-3, t_final=0.3, times=[0.1, 0.2, 0.3])
    np.testing.assert_allclose(found.times, [0.1, 0.2, 0.3], rtol=1e-15)
    assert found.step == 300


def test_continuing_checks_what_is_continued():
    half = simulate(t_final=0.5, observe=fp.Moments("x"))
    for options, message in [
        ({"n": 11}, "n = 11, but the ensemble to be continued has n = 10; leave it out"),
        ({"seed": 2}, "seed = 2, but the ensemble to be continued has seed = 1"),
        ({"dt": 0.25}, r"dt = 0\.25, but"),
        ({"scheme": "heun"}, "belongs to another problem, scheme"),
        ({"functionals": "heat"}, "belongs to another problem"),
        ({"density": fp.Gaussian([0.0], 1.0)}, "did not know its initial density"),
        ({"t_final": 0.25}, r"t_final = 0\.25 is before t = 0\.5, where the given ensemble is already"),
    ]:
        with pytest.raises(InputError, match=message):
            fp.simulate(TRAP, initial=half, **({"t_final": 1.0} | options))
    with pytest.raises(InputError, match="belongs to another problem"):
        fp.simulate(WELL, initial=half, t_final=1.0)


def test_a_record_goes_on_or_starts_anew():
    half = simulate(t_final=0.5, observe=fp.Moments("x"))
    assert fp.simulate(TRAP, initial=half, t_final=1.0, observe=fp.Moments("x")).times.tolist() == [0.5, 1.0]
    other = fp.simulate(TRAP, initial=half, t_final=1.0, observe=[fp.Mean("x**2")])
    assert other.times.tolist() == [1.0] and list(other.observables) == ["mean_x_2"]
    assert half.times.tolist() == [0.5] and half.step == 4


@pytest.mark.parametrize("n", [1, 255, 256, 257])
def test_the_last_block_is_filled_with_ghosts(n):
    """The first trajectories are the same however many there are, and ghosts are not counted."""
    options = {"observe": [fp.Moments("x"), fp.Histogram(x=(-9, 9, 3))], "functionals": "heat", "times": 2}
    whole, part = simulate(n=600, **options), simulate(n=n, **options)
    assert part.final.shape == (n, 1) and len(part) == n
    np.testing.assert_array_equal(part.final, whole.final[:n])
    np.testing.assert_array_equal(part.values("heat"), whole.values("heat")[:n])
    np.testing.assert_array_equal(part.observables["histogram_x"].trajectories, [n, n])


def test_a_ghost_that_blows_up_does_not_matter():
    """Points given one by one: ghosts repeat the last of them, here with noise that drives theirs over the edge."""
    steep = fp.Langevin(fp.Landscape("-x**4/4"), temperature=0.02)
    options = {"dt": 0.02, "t_final": 2.0, "seed": 5}
    with pytest.raises(TrajectoryError) as caught:
        fp.simulate(steep, 256, np.zeros((256, 1)), observe=fp.Moments("x"), **(options | {"t_final": 40.0}))
    first = caught.value.trajectory
    lanes = int(first)
    if lanes:  # run only those before the first that fails, up to the time at which it does
        end = (caught.value.step + 1) * 0.02
        found = fp.simulate(steep, lanes, np.zeros((lanes, 1)), observe=fp.Moments("x"), **(options | {"t_final": end}))
        assert np.isfinite(found.final).all() and np.isfinite(found.observables["moments_x"].mean).all()


@pytest.mark.parametrize("functionals", [(), ("heat", "work")])
def test_a_runaway_is_named_and_can_be_run_again_alone(functionals):
    """Euler–Maruyama on a quartic: beyond |x| = √(2/dt) steps overshoot further each time."""
    quartic = fp.Langevin(fp.Landscape("x**4/4"), temperature=1.0)
    options = {"initial": [0.0], "dt": 0.35, "seed": 9, "functionals": functionals}
    with pytest.raises(TrajectoryError, match="only a quasi-stationary state") as caught:
        fp.simulate(quartic, 3000, t_final=3500.0, **options)
    failure = caught.value
    assert f"trajectory {failure.trajectory} became infinite or NaN in step {failure.step} " in str(failure)
    for options_of_speed in ({"threads": 1, "batch": 256}, {"threads": 3, "batch": 1000}):
        with pytest.raises(TrajectoryError) as again:
            fp.simulate(quartic, 3000, t_final=3500.0, **options, **options_of_speed)
        assert (again.value.trajectory, again.value.step) == (failure.trajectory, failure.step)
        np.testing.assert_array_equal(again.value.state, failure.state)
    # The trajectories before it are no matter: alone with them it arrives at the same state, one step before the end.
    n, before = failure.trajectory + 1, failure.step * 0.35
    alone = fp.simulate(quartic, n, t_final=before, **options)
    np.testing.assert_array_equal(alone.states[(n - 1) // 256, :, (n - 1) % 256], failure.state)
    with pytest.raises(TrajectoryError) as last:
        fp.simulate(quartic, initial=alone, t_final=before + 0.35, functionals=functionals)
    assert (last.value.trajectory, last.value.step) == (failure.trajectory, failure.step)


def test_leaving_the_domain_of_a_sampled_landscape_names_the_domain():
    x = np.linspace(-2, 2, 50)
    bowl = fp.Landscape.from_grid({"x": x}, x**2 / 2)
    with pytest.raises(TrajectoryError, match="left the domain of the landscape, -2 ≤ x ≤ 2, or"):
        simulate(fp.Langevin(bowl, temperature=1.0), n=100, t_final=50.0)


def test_progress_bar_shows_particle_steps_per_second(monkeypatch):
    import tqdm

    shown = io.StringIO()
    bar = tqdm.tqdm
    monkeypatch.setattr(tqdm, "tqdm", lambda **options: bar(file=shown, mininterval=0, **options))
    simulate(n=1000, progress=True)
    assert "simulate" in shown.getvalue()
    assert "particle-step/s" in shown.getvalue()
    assert "8.00k/8.00k" in shown.getvalue()


def test_new_outputs_are_told():
    seen = []
    found = simulate(times=8, observe=fp.Mean("x"), on_output=seen.append)
    assert seen[-1].times.tolist() == found.times.tolist()
    np.testing.assert_array_equal(seen[-1].observables["mean_x"].mean, found.observables["mean_x"].mean)


def test_stats_say_what_was_done():
    stats = simulate(n=100, threads=2).stats
    assert stats["scheme"] == "euler-maruyama" and stats["noise"] == "gaussian" and stats["seed"] == 1
    assert stats["particle_steps"] == 800 and stats["threads"] == 2
    assert stats["particle_steps_per_second"] == pytest.approx(800 / stats["wall_time"])


def test_a_thousand_outputs_need_no_more_memory_than_their_counts():
    """20 000 trajectories are 160 kB, a histogram with its two outer bins 176 bytes."""
    options = {"n": 20_000, "observe": fp.Histogram(x=(-3, 3, 20)), "dt": 0.001}
    simulate(t_final=0.01, times=10, **options)  # compiles
    peaks = []
    for outputs in (10, 1000):
        tracemalloc.start()
        simulate(t_final=1.0, times=outputs, **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    counts = 990 * 22 * 8
    # The counts of each time, once as kept and once as reported, and some objects to hold them.
    assert peaks[1] - peaks[0] < 2 * counts + 990 * 1000 + 20_000 * 8 * 4


def test_values_and_velocities():
    found = simulate(functionals="heat")
    np.testing.assert_allclose(found.values("2*loss"), found.final[:, 0] ** 2, rtol=1e-15)
    with pytest.raises(AttributeError, match="no velocities"):
        found.final_velocities  # noqa: B018
    with pytest.raises(InputError, match="there is no quantity 'y'"):
        found.values("y")
    assert "10 trajectories of x to t = 1" in repr(found)


def test_an_ensemble_goes_on_with_a_record_that_begins_where_it_stands():
    half = simulate(t_final=0.5, observe=fp.Moments("x"))
    other = fp.simulate(TRAP, initial=half, t_final=1.0, times=[0.5, 1.0], observe=fp.Mean("x"))
    assert other.times.tolist() == [0.5, 1.0]
    assert other.observables["mean_x"].mean[0, 0] == pytest.approx(half.observables["moments_x"].mean[0, 0], rel=1e-14)


@pytest.mark.parametrize("functionals", [3, None, [None]])
def test_what_is_no_functional_is_named(functionals):
    with pytest.raises(InputError, match="functionals holds"):
        simulate(functionals=functionals)


def test_one_trajectory_has_no_standard_errors():
    found = simulate(n=1, observe=fp.Moments("x")).observables["moments_x"]
    assert np.isnan(found.standard_error).all() and np.isnan(found.covariance_standard_error).all()


COOLED = {"temperature": fp.Protocol.step(0.5, 0.0, time=0.5)}
WARMED = {"temperature": fp.Protocol("t")}


@pytest.mark.parametrize("scheme", ["euler-maruyama", "ornstein-uhlenbeck"])
@pytest.mark.parametrize("functional", ["entropy_flow", "entropy_flow_midpoint"])
def test_a_temperature_that_falls_to_zero_leaves_no_entropy(scheme, functional):
    cooled = fp.Langevin(PARABOLA, temperature=0.5, protocol=COOLED)
    with pytest.raises(MethodError, match=r"without zero eigenvalues at t = 0\.5625"):
        simulate(cooled, scheme=scheme, functionals=functional)
    warmed = fp.Langevin(PARABOLA, temperature=0.5, protocol=WARMED)
    assert np.isfinite(simulate(warmed, scheme=scheme, functionals=functional).values(functional)).all()


def test_protocols_out_of_range_are_named_where_noise_depends_on_the_position():
    options = {"temperature": 0.5, "mobility": "1 + x**2/(1 + x**2)"}
    with pytest.raises(DynamicsError, match=r"temperature = -0\.\d+ must be finite and not negative"):
        simulate(fp.Langevin(PARABOLA, protocol={"temperature": "0.4 - t"}, **options))
    with pytest.raises(MethodError, match=r"needs a positive temperature.*zero at t = 0\.5625"):
        simulate(fp.Langevin(PARABOLA, protocol=COOLED, **options), functionals="entropy_flow_midpoint")


def test_a_diffusion_matrix_that_is_singular_up_to_rounding_has_no_entropy_flow():
    plane = fp.Landscape("x**2/2 + y**2/2")
    with pytest.raises(MethodError, match="without zero eigenvalues"):
        simulate(fp.Langevin(plane, diffusion=[[0.1, 0.3], [0.3, 0.9]]), initial=[0, 0], functionals="entropy_flow")


def test_an_exact_step_beyond_all_numbers_is_refused():
    with pytest.raises(MethodError, match="dt = 1000 is so long"):
        unstable = fp.Langevin(fp.Landscape("y**2 - x**2/2"), temperature=0.5)
        simulate(unstable, initial=[1.0, 1.0], dt=1000.0, t_final=2000.0, scheme="ornstein-uhlenbeck")


def test_a_single_trajectory_needs_no_tables_where_noise_depends_on_the_position():
    tracemalloc.start()
    try:
        dynamics = fp.Langevin(PARABOLA, temperature=0.5, mobility="1 + x**2/(1 + x**2)")
        options = {"n": 1, "dt": 2.0**-10}
        simulate(dynamics, t_final=2.0**-9, **options)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        simulate(dynamics, t_final=100.0, **options)
        assert tracemalloc.get_traced_memory()[1] - before < 500_000
    finally:
        tracemalloc.stop()


HIDING = ("loss", "entropy_production", "system_entropy", "entropy_production_midpoint", "initial_log_density")


@pytest.mark.parametrize("name", HIDING)
def test_names_of_the_landscape_that_hide_quantities_are_refused(name):
    with pytest.raises(InputError, match=f'a variable of the landscape is called "{name}", which is a quantity of'):
        simulate(fp.Langevin(fp.Landscape(f"{name}**2/2"), temperature=0.5))
    with pytest.raises(InputError, match=f'a parameter of the landscape is called "{name}".* for example "{name}_"'):
        simulate(fp.Langevin(fp.Landscape(f"{name}*x**2/2", {name: 1.0}), temperature=0.5))


def test_a_new_record_cannot_begin_in_the_past():
    half = simulate(t_final=0.5, observe=fp.Moments("x"))
    for times in (8, [0.25, 1.0]):
        with pytest.raises(InputError, match=r"times has t = 0\.\d+, before t = 0\.5, where the given ensemble is"):
            fp.simulate(TRAP, initial=half, t_final=1.0, times=times, observe=fp.Mean("x"))


def test_a_record_of_entropies_starts_anew_with_another_density():
    first, later, other = (fp.Gaussian([0.0], variance) for variance in (1.0, 0.7, 0.8))
    options = {"observe": fp.Mean("system_entropy"), "t_final": 0.5, "initial": first}
    half = simulate(density=(first, later), **options)
    for density, times in (((first, later), [0.5, 1.0]), ((first, other), [1.0])):
        found = fp.simulate(TRAP, initial=half, t_final=1.0, density=density, observe=options["observe"])
        assert found.times.tolist() == times


def test_the_exact_step_compiles_no_gradient_that_nothing_asks_for():
    """Compiling that of a dense quadratic form in dozens of variables takes minutes."""
    from fpsolver.ensembles.functionals import sorted_functionals
    from fpsolver.ensembles.integrators.additive import additive_integrator
    from fpsolver.ensembles.integrators.integrator import Request
    from fpsolver.ensembles.seeds import key_of
    from fpsolver.landscapes.block_functions import nothing

    for scheme, functionals, silent in (
        ("ornstein-uhlenbeck", (), True),
        ("ornstein-uhlenbeck", "heat", False),
        ("euler-maruyama", (), False),
    ):
        request = Request(TRAP, scheme, "gaussian", sorted_functionals(functionals, TRAP), 0.1, key_of(1, 0))
        assert (additive_integrator(request).system.gradient is nothing()) == silent


def test_one_trajectory_has_no_standard_error_of_quantiles():
    assert np.isnan(simulate(n=1, observe=fp.Quantiles("x")).observables["quantiles_x"].standard_error).all()


def test_observables_that_are_not_there_are_told_by_the_nearest_spelling():
    observables = simulate(observe=[fp.Mean("x"), fp.Moments()]).observables
    with pytest.raises(InputError, match='no observable "maen_x"; there are mean_x, moments; did you mean "mean_x"'):
        observables["maen_x"]
    assert "maen_x" not in observables and observables.get("maen_x") is None
    with pytest.raises(InputError, match="nothing was observed"):
        simulate().observables["mean"]


def test_what_is_no_law_of_motion_is_refused():
    for given in ([[0.0, 1.0], [2.0, 0.0]], "x**2", None):
        with pytest.raises(DynamicsError, match="has no trajectories"):
            fp.simulate(given, n=10, initial=0, t_final=1.0, seed=1)


def test_jumps_miss_the_end_and_not_a_time_step():
    with pytest.raises(InputError, match="t_final is missing"):
        fp.simulate(fp.markov_network([[0, 1], [2, 0]]), n=10, initial=0, seed=1)
