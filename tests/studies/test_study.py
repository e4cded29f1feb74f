"""Study files: what is wrong is said with file, line, key, value and remedy, everything at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from study_examples import GOOD

from fpsolver.errors import StudyError
from fpsolver.studies.study import load_study, study_from_text


@pytest.fixture
def good():
    """Give the text of a study without fault."""
    return GOOD


STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


def complaint(text, overrides=()):
    """Return the lines of the message about a study."""
    with pytest.raises(StudyError) as caught:
        study_from_text(text, "bad.toml", overrides)
    return str(caught.value).splitlines()


def test_the_example_of_what_is_wanted(good):
    text = good.replace("[landscape]", "", 1).replace("temperature", "temperture")
    text = '[dynamics]\n# the noise\ntemperture = 0.1\n[landscape]\nexpression = "x**2"\n[grid.x]\nlower = -1\n'
    text += "upper = 1\ncells = 20\n[stationary]\n"
    assert complaint(text) == ['bad.toml:3: dynamics.temperture: unknown key; did you mean "temperature"?']


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "temperature = 0.5",
            "temperature = -1",
            "bad.toml:6: dynamics.temperature: -1 is out of range; it must be at le",
        ),
        ("temperature = 0.5", 'temperature = "hot"', 'bad.toml:6: dynamics.temperature: "hot" is not a number'),
        ("temperature = 0.5", "temperature = true", "bad.toml:6: dynamics.temperature: true is not a number"),
        ("temperature = 0.5", "temperature = nan", "bad.toml:6: dynamics.temperature: nan is "),
        ("temperature = 0.5", "temperature = inf", "bad.toml:6: dynamics.temperature: inf is not a finite number"),
        ("temperature = 0.5", "", "bad.toml:5: dynamics: neither of temperature and diffusion"),
        ("temperature = 0.5", 'diffusion = "1 + x**2"', "bad.toml:6: dynamics.diffusion: diffusion = "),
        ("temperature = 0.5", "temperature = 0", "bad.toml:6: dynamics.temperature: temperature = 0"),
        ("mobility = 1.0", "mobility = -1.0", "bad.toml:7: dynamics.mobility: mobility = -1.0 has the value -1"),
        ("mobility = 1.0", "mobility = [1.0, 2.0]", "bad.toml:7: dynamics.mobility: mobility = [1.0, 2.0] has shape"),
        ("mobility = 1.0", "mobility = {}", "bad.toml:7: dynamics.mobility: the table {} is neither a number nor an"),
        ("mobility = 1.0", 'convention = "ito"', "bad.toml:7: dynamics.convention: convention = "),
        ("mobility = 1.0", 'convention = "itoo"', 'bad.toml:7: dynamics.convention: "itoo" is not one of ito, strat'),
        ("mobility = 1.0", 'kind = "langevn"', 'bad.toml:7: dynamics.kind: "langevn" is not one of langevin, underdam'),
        ("mobility = 1.0", 'protocol.q = "t"', "bad.toml:7: dynamics.protocol.q: protocol 'q' drives nothing"),
        (
            "mobility = 1.0",
            'protocol.k = {kind = "ramp", start = 1, duration = 1}',
            "bad.toml:7: dynamics.protocol.k.stop: missing",
        ),
        ("mobility = 1.0", "protocol.k = 3", "bad.toml:7: dynamics.protocol.k: 3 is neither an expression in t nor"),
        ('"k*x**2/2"', '"k*x**2/2 + y.real"', "bad.toml:3: landscape.expression: "),
        ('"k*x**2/2"', '"k*x**100000"', "bad.toml:3: landscape.expression: "),
        ('"k*x**2/2"', '"k*log(x)"', "bad.toml:2: landscape: the loss is "),
        ('"k*x**2/2"', '"k*exp(exp(x**4))"', "bad.toml:2: landscape: the loss is "),
        ('"k*x**2/2"', "3", "bad.toml:3: landscape.expression: 3 is not a string"),
        ("k = 1.0 }", "k = 1.0, j = 2.0 }", "bad.toml:3: landscape.expression: "),
        ("cells = 120", "cells = 1", "bad.toml:11: grid.x.cells: 1 is out of range; it must be at least 2"),
        ("cells = 120", "cells = 12.5", "bad.toml:11: grid.x.cells: 12.5 is not a whole number"),
        ("cells = 120", "", "bad.toml:8: grid.x: an axis needs lower, upper and cells"),
        ("lower = -6.0", "lower = 7.0", "bad.toml:9: grid.x.lower: lower = 7 is not below upper = 6"),
        (
            "cells = 120",
            'cells = 120\nboundary = "periodical"',
            "bad.toml:12: grid.x.boundary: boundary 'periodical' is not one of",
        ),
        ("cells = 120", "cells = 120\nboundary = 3", "bad.toml:12: grid.x.boundary: boundary = 3 is neither"),
        ("cells = 120", 'cells = 120\nspacing = "tahn"', 'bad.toml:12: grid.x.spacing: "tahn" is not one of uniform, '),
        ('kind = "gaussian"', 'kind = "gausian"', 'bad.toml:13: initial.kind: "gausian" is not one of'),
        ("mean = [1.0]", "mean = [900.0]", "bad.toml:12: initial: the density has no mass"),
        ("mean = [1.0]", "mean = [1.0, 0.0]", "bad.toml:12: initial: mean of shape (2,)"),
        ("[[0.25]]", "[[-0.25]]", "bad.toml:15: initial.covariance: covariance = "),
        ("times = [0.0, 0.5, 2.0]", "times = []", "bad.toml:17: evolve.times: [] is neither a list of times nor"),
        (
            "times = [0.0, 0.5, 2.0]",
            "times = [1, 0]",
            "bad.toml:17: evolve.times: [1, 0] must be finite, not negative, an",
        ),
        ("times = [0.0, 0.5, 2.0]", "times = {stop = 2}", "bad.toml:17: evolve.times.number: missing"),
        (
            "times = [0.0, 0.5, 2.0]",
            'times = {stop = 2, number = 3, spacing = "logarithmic"}',
            "bad.toml:17: evolve.times: logarithmic times need start above 0",
        ),
        ("times = [0.0, 0.5, 2.0]", "", "bad.toml:16: evolve.times: missing"),
        ("times = [0.0", "method = 'chebishev'\ntimes = [0.0", 'bad.toml:17: evolve.method: "chebishev" is not one of'),
        ("k = 3", "k = 0", "bad.toml:20: spectrum.k: 0 is out of range; it must be at least 1"),
        ('"x >= 2"', '"x"', 'bad.toml:22: first_passage.target: "x" is not a condition'),
        ('"x >= 2"', '"x >= 20"', "bad.toml:22: first_passage.target: the target contains no cell"),
        ('"x >= 2"', '"z >= 2"', "bad.toml:22: first_passage.target: the grid has no axis 'z'"),
        ("start = [0.0]", "start = [99]", "bad.toml:23: first_passage.start: x = 99 lies outside the grid [-6, 6]"),
        ("[spectrum]", "[spectrm]", 'bad.toml:19: spectrm: unknown table; did you mean "spectrum"?'),
        ('title = "a parabola"', "title = 3", "bad.toml:1: title: 3 is not a string"),
        ('title = "a parabola"', "seed = -1", "bad.toml:1: seed: -1 is not a whole number from 0"),
        ('title = "a parabola"', "dynamics = 3", "bad.toml:5: not valid TOML: "),
        ('title = "a parabola"', 'title = "open', "bad.toml:1: not valid TOML: "),
        ('title = "a parabola"', "units.time = 3", "bad.toml:1: units.time: 3 is not a string"),
        ('title = "a parabola"', "units.variables.z = 's'", "bad.toml:1: units.variables.z: is no axis of the grid"),
        ('title = "a parabola"', "output.compression = 'zip'", 'bad.toml:1: output.compression: "zip" is not one of'),
        (
            'title = "a parabola"',
            "output.level = 10",
            "bad.toml:1: output.level: 10 is out of range; it must be at most 9",
        ),
        (
            'title = "a parabola"',
            "generator.scheme = 'hermite'",
            "bad.toml:1: generator.scheme: scheme = 'hermite' is not one of",
        ),
    ],
)
def test_each_fault_gives_one_line(good, old, new, expected):
    assert old in good
    lines = complaint(good.replace(old, new, 1))
    assert len(lines) == 1, lines
    assert lines[0].startswith(expected), lines[0]


def test_every_fault_is_found_at_once(good):
    text = good.replace("temperature = 0.5", "temperture = 0.5").replace("cells = 120", "cells = 1")
    text = text.replace("[0.0, 0.5, 2.0]", "[0.0, nan]").replace('"x >= 2"', '"2"').replace("[spectrum]", "[spectra]")
    assert [line.split(" ")[0] for line in complaint(text)] == [f"bad.toml:{number}:" for number in (6, 11, 17, 19, 22)]


def test_a_grid_that_does_not_fit_the_landscape(good):
    text = good[: good.index("[first_passage]")].replace("[grid.x]", "[grid.y]")
    assert complaint(text) == ["bad.toml:8: grid: the grid's axes (y) do not match the landscape's variables (x)"]
    lines = complaint(text.replace("[grid.y]", "[grid]"))
    assert lines[0] == "bad.toml:9: grid.lower: -6.0 is not a table; write [grid.lower] with lower, upper and cells"
    assert len(lines) == 3


def test_underdamped_dynamics_without_velocities_is_one_complaint(good):
    text = good.replace("mobility = 1.0", 'kind = "underdamped"\nfriction = 1.0')
    assert complaint(text) == ["bad.toml:9: grid: underdamped dynamics needs velocity axes; add [grid.velocity.x]"]


def test_a_driven_study_cannot_ask_for_what_needs_constant_rates(good):
    lines = complaint(good.replace("mobility = 1.0", 'protocol.k = "1 + t"'))
    assert [line.split(" needs ")[0] for line in lines] == [
        "bad.toml:18: stationary:",
        "bad.toml:19: spectrum:",
        "bad.toml:21: first_passage:",
    ]


def test_missing_tables_are_named():
    assert complaint("[evolve]\ntimes = [1]\n") == [
        "bad.toml: the table [landscape] is missing",
        "bad.toml: the table [dynamics] is missing",
        "bad.toml: the table [grid] is missing",
        "bad.toml:1: evolve: needs an initial density; add the table [initial]",
    ]


def test_a_study_that_asks_for_nothing(good):
    assert complaint(good[: good.index("[initial]")])[0].startswith("bad.toml: nothing to compute; add at least one of")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("dynamics.temperature=-1", "--set dynamics.temperature=-1: dynamics.temperature: -1 is out of range"),
        ("dynamics.temperture=1", "--set dynamics.temperture=1: dynamics.temperture: unknown key; did you mean"),
        ("temperature", "--set temperature: give KEY=VALUE"),
        ("title.x=1", '--set title.x=1: title is "a parabola", not a table'),
    ],
)
def test_faults_of_overrides_name_the_option(good, override, expected):
    assert complaint(good, [override])[0].startswith(expected)


def test_overrides_replace_entries(good):
    overrides = ["dynamics.temperature=0.25", "title=hot", "grid.x.cells=40", "evolve.times=[1.0]"]
    study = study_from_text(good, overrides=overrides)
    assert (study.dynamics.temperature, study.title, study.grid.size, study.times.tolist()) == (0.25, "hot", 40, [1.0])
    assert study.source.text == good and study.source.overrides == tuple(overrides)


def test_logarithmic_times_start_with_zero(good):
    rule = "times = { start = 0.1, stop = 10, number = 3, spacing = 'logarithmic' }"
    study = study_from_text(good.replace("times = [0.0, 0.5, 2.0]", rule))
    np.testing.assert_allclose(study.times, [0, 0.1, 1, 10])


@pytest.mark.parametrize(
    ("initial", "mean"),
    [
        ('kind = "uniform"', 0.0),
        ('kind = "uniform"\nregion = "1 < x < 3"', 2.0),
        ('kind = "expression"\nexpression = "exp(-k*(x - 1)**2)"', 1.0),
        ('kind = "boltzmann"\ntemperature = 2.0', 0.0),
    ],
)
def test_initial_densities(good, initial, mean):
    start, stop = good.index("[initial]"), good.index("[evolve]")
    study = study_from_text(good[:start] + "[initial]\n" + initial + "\n" + good[stop:])
    weights = study.initial * study.grid.volumes
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ study.grid.axes[0].centres == pytest.approx(mean, abs=1e-10)  # exp(−25) lies outside the grid


def test_a_grid_that_cuts_the_density_is_warned_of(good):
    study = study_from_text(good.replace("upper = 6.0", "upper = 1.0").replace('"x >= 2"', '"x >= 0.5"'))
    assert len(study.warnings) == 1 and "x = 1" in study.warnings[0]


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "double_well.toml").write_bytes(b"\xff\xfe\x00")
    for name, message in (
        ("double_wel.toml", 'there is no study file .*did you mean "double_well.toml"'),
        ("double_well.toml", "not a text file in UTF-8"),
        ("", "cannot be read"),
    ):
        with pytest.raises(StudyError, match=message):
            load_study(tmp_path / name)


def test_windows_line_ends_and_byte_order_mark(tmp_path, good):
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + good.replace("\n", "\r\n").encode())
    assert load_study(path).title == "a parabola"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_examples_are_in_order_and_keep_their_density_on_the_grid(path):
    study = load_study(path)
    assert study.warnings == ()
    assert study.title


JUMPS = """
[landscape]
expression = "x**2/2"
[dynamics]
kind = "jump"
temperature = 0.5
proposal = { kind = "gaussian", scale = 0.3 }
[grid.x]
lower = -5
upper = 5
cells = 100
[stationary]
"""

STEPS = """
[landscape]
expression = "x**2/2"
[dynamics]
kind = "sgd"
learning_rate = 0.1
noise = { kind = "gaussian", per_example_covariance = 8.0, batch_size = 8 }
[grid.x]
lower = -3
upper = 3
cells = 100
[stationary]
"""


@pytest.mark.parametrize(
    ("proposal", "scale"),
    [
        ('{ kind = "gaussian", scale = 0.3 }', 0.3),
        ('{ kind = "laplace", scale = [0.2] }', 0.2),
        ('{ kind = "uniform", half_width = 0.5 }', 0.5),
        ('{ kind = "student", degrees = 4, scale = 0.3 }', 0.3),
        ('{ kind = "stable", index = 1.5, scale = 0.3 }', 0.3),
        ('{ kind = "lattice", spacing = 0.1 }', 0.1),
    ],
)
def test_jump_processes_have_a_proposal_of_their_kind(proposal, scale):
    study = study_from_text(JUMPS.replace('{ kind = "gaussian", scale = 0.3 }', proposal))
    assert study.dynamics.proposal.kind in proposal
    assert study.dynamics.proposal.for_dimension(1).tolist() == [scale]


def test_steps_have_a_noise_and_a_time_step_of_one():
    study = study_from_text(STEPS)
    assert study.units.time == "step" and study_from_text(JUMPS).units.time == "1"
    assert study_from_text(STEPS + '[units]\ntime = "epoch"\n').units.time == "epoch"
    assert study.dynamics.noise_covariance([[0.0]]).tolist() == [[[1.0]]]
    text = STEPS.replace("[stationary]", '[initial]\nkind = "point"\nposition = 0\n[simulate]\nn = 10\nt_final = 5')
    assert study_from_text("seed = 1\n" + text).ensemble.section.dt == 1.0


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (JUMPS, '"gaussian"', '"gausian"', 'study.toml:7: dynamics.proposal.kind: "gausian" is not one of'),
        (JUMPS, "scale = 0.3", "width = 0.3", "study.toml:7: dynamics.proposal.width: unknown key"),
        (JUMPS, "scale = 0.3", "scale = -0.3", "study.toml:7: dynamics.proposal.scale: scale = -0.3 must"),
        (JUMPS, "temperature = 0.5", "temperature = 0.0", "study.toml:6: dynamics.temperature"),
        (JUMPS, "x**2/2", "-x**4", "study.toml:4: dynamics: law"),
        (STEPS, '"gaussian"', '"minibatch"', "study.toml:7: dynamics.noise.per_example_covariance: unknown key"),
        (STEPS, "learning_rate = 0.1", "learning_rate = 0.0", "study.toml:6: dynamics.learning_rate"),
        (STEPS, "batch_size = 8 }", "batch_size = 0 }", "study.toml:7: dynamics.noise.batch_size"),
        (STEPS, "[stationary]", "[simulate]\nn = 9\ndt = 0.1", "study.toml:14: simulate.dt: 0.1, but SGD counts"),
        (JUMPS, "[stationary]", "[simulate]\nn = 9", "study.toml:12: simulate.dt: missing; it must be given (jumps"),
    ],
)
def test_what_is_wrong_with_jumps_and_steps_is_named(text, old, new, expected):
    with pytest.raises(StudyError) as caught:
        study_from_text(text.replace(old, new))
    assert expected in str(caught.value)
