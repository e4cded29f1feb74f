"""What a study may ask of trajectories, and what is said of what it may not."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import StudyError
from fpsolver.studies.study import study_from_text

# No grid: trajectories need none.
PLAIN = """\
seed = 7
[landscape]
expression = "k*x**2/2"
parameters = { k = 1.0 }
[dynamics]
temperature = 0.5
[initial]
kind = "point"
position = [1.0]
[simulate]
n = 1000
dt = 0.01
t_final = 1.0
functionals = ["work"]
observe = [
  { kind = "moments" },
  { kind = "log-sum-exp", quantity = "work" },
  { kind = "trajectories", numbers = [0, 1] },
]
"""
TWO = """\
seed = 7
[landscape]
expression = "x**2/2 + y**2"
[dynamics]
temperature = 0.5
[grid.y]
lower = -2.0
upper = 4.0
cells = 12
[grid.x]
lower = -3.0
upper = 3.0
cells = 10
[initial]
kind = "gaussian"
mean = [1.0, 0.0]
covariance = [[0.4, 0.1], [0.1, 0.2]]
[simulate]
n = 1000
dt = 0.01
t_final = 1.0
"""
HISTOGRAM = 'kind = "histogram"'


def plan(text, *overrides):
    return study_from_text(text, overrides=overrides).ensemble


def complaint(text):
    with pytest.raises(StudyError) as caught:
        study_from_text(text)
    return str(caught.value)


def test_a_study_without_a_grid():
    study = study_from_text(PLAIN)
    found = study.ensemble
    assert study.grid is None and study.generator is None and study.times is None
    assert (found.scheme, found.seed, found.t_final, found.times.tolist()) == ("euler-maruyama", 7, 1.0, [1.0])
    assert [one.name for one in found.observe] == ["moments", "log_sum_exp_work", "trajectories"]
    assert found.observe[1].factor == -2.0  # −1/T, as in the Jarzynski equality
    assert not found.compared


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed = 7\n", "", "study.toml:9: simulate: trajectories need a seed; write seed = 7"),
        ("dt = 0.01", "dtt = 0.01", 'study.toml:12: simulate.dtt: unknown key; did you mean "dt"?'),
        ("dt = 0.01", "dt = -1", "study.toml:12: simulate.dt: -1 is out of range; it must be positive"),
        ("t_final = 1.0", "", "study.toml:10: simulate: needs t_final, or times, or the times of [evolve]"),
        (
            "t_final = 1.0",
            "t_final = 1.004",
            "study.toml:13: simulate.t_final: 1.004 is no multiple of the time step simulate.dt = 0.01; the nearest is",
        ),
        (
            "t_final = 1.0",
            "times = [0, 0.506]",
            "study.toml:13: simulate.times: 0.506 is no multiple of the time step simulate.dt = 0.01; "
            "the nearest is 0.51",
        ),
        (
            "t_final = 1.0",
            "t_final = 1.0\ntimes = [2.0]",
            "study.toml:13: simulate.t_final: 1 lies before the last output time 2",
        ),
        (
            "t_final = 1.0",
            't_final = 1.0\nscheme = "leimkuhler-matthews"',
            'study.toml:14: simulate.scheme: scheme = "leimkuhler-matthews" cannot carry path functionals (work)',
        ),
        ('["work"]', '["work", "haet"]', 'study.toml:14: simulate.functionals[1]: "haet" is not one of work, heat'),
        (
            '["work"]',
            '["work", { kind = "time-integral", expresion = "x" }]',
            'study.toml:14: simulate.functionals[1].expresion: unknown key; did you mean "expression"?',
        ),
        (
            '["work"]',
            '["work", { kind = "path-integral", expressions = ["x", "x"] }]',
            "study.toml:14: simulate.functionals: the path integral of",
        ),
        ('"moments"', '"momets"', 'study.toml:16: simulate.observe[0].kind: "momets" is not one of moments, mean,'),
        (
            'kind = "moments"',
            'kind = "moments", quantities = ["y"]',
            "study.toml:16: simulate.observe[0]: Moments: there is no quantity 'y'; there are x, work, loss",
        ),
        (
            'kind = "moments"',
            HISTOGRAM,
            "study.toml:16: simulate.observe[0]: the study has no grid; give the histogram its axes",
        ),
        (
            'kind = "moments"',
            HISTOGRAM + ', quantities = ["x"]',
            'study.toml:16: simulate.observe[0]: "x" needs bins, axes.x = { lower = …, upper = …, cells = … }',
        ),
        (
            'kind = "moments"',
            HISTOGRAM + ", axes.x = { lower = 1, uper = 2, cells = 10 }",
            'study.toml:16: simulate.observe[0].axes.x.uper: unknown key; did you mean "upper"?',
        ),
        ("[0, 1]", "[0, 1000]", "study.toml:18: simulate.observe[2]: Trajectories: there is no trajectory 1000"),
        ("[1.0]", "[1.0, 2.0]", "study.toml:9: initial.position: position = … has 2 components; it needs one for each"),
        (
            '"point"\nposition = [1.0]',
            '"boltzmann"',
            'study.toml:8: initial.kind: kind = "boltzmann" is a density on a',
        ),
        ("[initial]\nkind", "[other]\nkind", "unknown table; known here: landscape"),
        (
            "temperature = 0.5",
            "diffusion = 0.5",
            "study.toml:17: simulate.observe[1]: give factor: the dynamics has no",
        ),
        ("[simulate]", "[simulat]", 'study.toml:10: simulat: unknown table; did you mean "simulate"?'),
        ("[simulate]", "[spectrum]\n[simulate]", "study.toml: the table [grid] is missing"),
    ],
)
def test_each_fault_is_named_with_its_line(old, new, expected):
    assert old in PLAIN
    assert expected in complaint(PLAIN.replace(old, new))


@pytest.mark.parametrize(
    ("times", "expected"),
    [("[0, 0.506]", "0.506 is no multiple of the time step"), ("[1.0, 0.5]", "[1.0, 0.5] must be finite, not")],
)
def test_wrong_times_are_named_where_the_density_is_wanted_too(times, expected):
    text = TWO.replace("t_final = 1.0\n", f"times = {times}\ndensity = true\n") + "[evolve]\ntimes = [0.0, 1.0]\n"
    found = complaint(text)
    assert f"simulate.times: {expected}" in found
    assert "simulate.density" not in found


def test_a_point_is_no_density():
    text = PLAIN.replace(
        "[simulate]", "[grid.x]\nlower = -3\nupper = 3\ncells = 20\n[evolve]\ntimes = [1.0]\n[simulate]"
    )
    assert '"point" is for trajectories; [evolve] needs a density, such as kind = "gaussian"' in complaint(text)


def test_components_follow_the_axes_of_the_grid_and_go_to_the_variables_by_name():
    gaussian = plan(TWO).initial  # the first axis is y
    assert gaussian.mean.tolist() == [0.0, 1.0]
    assert gaussian.covariance.tolist() == [[0.2, 0.1], [0.1, 0.4]]
    block = TWO[TWO.index('kind = "gaussian"') : TWO.index("[simulate]")]
    assert plan(TWO.replace(block, 'kind = "point"\nposition = [1.0, 0.0]\n')).initial.tolist() == [0.0, 1.0]
    field = plan(TWO.replace(block, 'kind = "uniform"\nregion = "y >= 1"\n')).initial
    assert field.grid.names == ("x", "y") and field.values.shape == (10, 12)
    assert field.at([[0.0, 2.0]]) > 0 and field.at([[0.0, -1.0]]) == 0


def test_histograms_take_the_cells_of_the_grid_or_bins_of_their_own():
    observe = """
[[simulate.observe]]
kind = "histogram"
[[simulate.observe]]
kind = "histogram"
quantities = ["x"]
[[simulate.observe]]
kind = "histogram"
quantities = ["x"]
axes.loss = { lower = 0.0, upper = 4.0, cells = 8 }
name = "mixed"
"""
    found = plan(TWO + observe)
    assert found.compared == {"histogram_y_x": ("y", "x"), "histogram_x": ("x",)}
    whole, one, mixed = found.observe
    assert whole.shape == (12, 10) and one.shape == (10,) and mixed.shape == (10, 8)
    assert mixed.quantities == ("x", "loss")


def test_times_by_rule_become_multiples_of_the_step_in_both_tables():
    text = TWO.replace("t_final = 1.0\n", "dt_ = 0\n").replace("dt_ = 0\n", "")
    text += '[evolve]\ntimes = { start = 0.1, stop = 10, number = 7, spacing = "logarithmic" }\n'
    study = study_from_text(text)
    np.testing.assert_array_equal(study.times, study.ensemble.times)
    steps = study.times / 0.01
    np.testing.assert_allclose(steps, np.round(steps), rtol=1e-12)
    assert study.ensemble.t_final == 10.0 and study.times[0] == 0.0
    # With times of its own, [simulate] leaves those of [evolve] alone.
    own = study_from_text(text, overrides=["simulate.times=[0.5, 1.0]"])
    assert own.ensemble.times.tolist() == [0.5, 1.0] and own.times[1] == 0.1 and own.times[2] != study.times[2]


def test_underdamped_trajectories_need_no_velocity_axes():
    text = PLAIN.replace("temperature = 0.5", 'kind = "underdamped"\ntemperature = 0.5\nfriction = 1.0')
    found = plan(text.replace("[1.0]", "[1.0, 2.0]"))
    assert found.scheme == "baoab" and found.initial.tolist() == [1.0, 2.0]


def test_the_functionals_are_those_of_the_package():
    text = PLAIN.replace(
        '["work"]',
        '["work", { kind = "time-integral", expression = "x**2", name = "dose" },'
        ' { kind = "path-integral", expressions = ["x"] }]',
    )
    work, dose, path = plan(text).functionals
    assert work == "work" and dose == fp.TimeIntegral("x**2", "dose") and path == fp.PathIntegral(["x"])
