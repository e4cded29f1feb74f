"""The command line as a user meets it: exit codes, one message, nothing lost, quick to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import fpsolver as fp
from fpsolver.cli import main

ROOT = Path(__file__).parents[1]
STUDY = """\
title = "a parabola"
[landscape]
expression = "x**2/2"
[dynamics]
temperature = 0.5
[grid.x]
lower = -5
upper = 5
cells = 60
[initial]
kind = "gaussian"
mean = [1.0]
covariance = [[0.25]]
[evolve]
times = [0.0, 1.0]
[stationary]
[spectrum]
k = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder that holds a study."""
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY)
    return tmp_path


def call(*arguments):
    """Run the command line in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_run_plot_and_info(folder):
    result = call("run", "study.toml")
    assert result.exit_code == 0, result.output
    for word in ("a parabola", "mean loss", "±", "entropy", "Boltzmann", "harmonic", "study.h5"):
        assert word in result.output
    result = call("plot", "study.h5")
    assert result.exit_code == 0, result.output
    drawn = sorted(path.name for path in (folder / "study_plots").iterdir())
    assert drawn == ["density.png", "modes.png", "observables.png", "rates.png", "stationary.png"]
    assert result.output.split() == [str(Path("study_plots") / name) for name in result_order(result.output)]
    result = call("info", "study.h5", "--verify")
    assert result.exit_code == 0
    for word in ("a parabola", "/density", "time 2 × x 60", "every checksum fits"):
        assert word in result.output


def result_order(output):
    return [Path(line).name for line in output.split()]


ENSEMBLE = """\
seed = 3
[simulate]
n = 2000
dt = 0.05
observe = [{ kind = "histogram" }, { kind = "moments" }]
"""


def test_a_study_with_trajectories(folder):
    seed, table = ENSEMBLE.split("[simulate]")
    Path("study.toml").write_text(seed + STUDY + "[simulate]" + table)
    result = call("run", "study.toml", "--plots")
    assert result.exit_code == 0, result.output
    for word in ("2000 by euler-maruyama", "mean x", "χ² at 2 times", "ensemble_histograms.png"):
        assert word in result.output
    result = call("info", "study.h5")
    assert "/ensemble/histogram_x" in result.output and "time 2 × x 60" in result.output
    result = call("run", "study.toml", "--overwrite", "--set", "simulate.scheme=hein")
    assert result.exit_code == 2 and 'did you mean "heun"' in result.output and "Traceback" not in result.output


def test_a_runaway_trajectory_is_exit_code_one(folder):
    text = STUDY.replace("x**2/2", "x**4") + "[simulate]\nn = 2000\ndt = 0.5\nt_final = 400.0\n"
    Path("study.toml").write_text("seed = 3\n" + text)
    result = call("run", "study.toml")
    assert result.exit_code == 1 and "became infinite or NaN in step" in result.output
    assert "Traceback" not in result.output and not Path("study.h5").exists()


def test_info_describes_the_installation(folder):
    output = call("info").output
    for word in ("fpsolver", "python", "numpy", "device", "threads", "cache"):
        assert word in output


def test_set_and_output(folder):
    result = call("run", "study.toml", "-o", "hot.h5", "--set", "dynamics.temperature=0.8", "--set", "title=hot", "-q")
    assert (result.exit_code, result.output) == (0, "")
    with fp.open_results("hot.h5") as store:
        assert store.attributes["title"] == "hot"
        assert store.attributes["study_overrides"] == ["dynamics.temperature=0.8", "title=hot"]


def test_plots_with_the_run(folder):
    result = call("run", "study.toml", "--plots")
    assert result.exit_code == 0
    assert "density.png" in result.output and (folder / "study_plots" / "density.png").exists()
    assert call("plot", "study.h5").exit_code == 2
    assert call("plot", "study.h5", "--overwrite").exit_code == 0
    assert call("plot", "study.h5", "-o", "elsewhere").exit_code == 0


def refused(*arguments):
    """Return the one message of a call that is refused as bad input."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output.strip()


def test_bad_input_is_one_message(folder):
    Path("bad.toml").write_text(STUDY.replace("temperature", "temperture"))
    assert refused("run", "bad.toml") == 'bad.toml:5: dynamics.temperture: unknown key; did you mean "temperature"?'
    assert refused("run", "studdy.toml") == 'there is no study file studdy.toml; did you mean "study.toml"?'
    assert refused("run", "study.toml", "--set", "grid.x.cells=1").startswith(
        "--set grid.x.cells=1: grid.x.cells: 1 is"
    )
    assert "--output" in refused("run", "study.toml", "--outptu", "x.h5")
    assert refused("plot", "absent.h5").startswith("there is no file absent.h5")
    assert refused("info", "study.toml") == "study.toml is not an HDF5 file"
    assert sorted(os.listdir()) == ["bad.toml", "study.toml"]


def test_existing_output_is_kept_until_the_new_one_is_complete(folder):
    Path("study.h5").write_bytes(b"precious")
    assert "exists" in refused("run", "study.toml")
    assert Path("study.h5").read_bytes() == b"precious"
    assert sorted(os.listdir()) == ["study.h5", "study.toml"]
    assert call("run", "study.toml", "--overwrite", "-q").exit_code == 0
    with fp.open_results("study.h5") as store:
        assert store["density/time"].tolist() == [0, 1]


def test_a_refused_run_leaves_no_folder_of_plots(folder):
    Path("study.h5").write_bytes(b"precious")
    refused("run", "study.toml", "--plots")
    assert sorted(os.listdir()) == ["study.h5", "study.toml"]


def test_output_that_cannot_be_written(folder):
    assert "does not exist" in refused("run", "study.toml", "-o", "absent/out.h5")
    assert "is a folder" in refused("run", "study.toml", "-o", ".")
    assert "is a folder" in refused("run", "study.toml", "-o", ".", "--plots")
    Path("file").write_text("")
    assert "cannot write into the folder" in refused("run", "study.toml", "-o", "file/out.h5")


def test_a_truncated_file_is_refused(folder):
    call("run", "study.toml", "-q")
    whole = Path("study.h5").read_bytes()
    Path("study.h5").write_bytes(whole[: len(whole) // 2])
    for command in ("plot", "info"):
        assert "study.h5 is truncated" in refused(command, "study.h5")
    assert not Path("study_plots").exists()


def test_a_task_that_fails_is_exit_code_one(folder, monkeypatch):
    from fpsolver.errors import ConvergenceError
    from fpsolver.studies import execution

    def fail(*_, **__):
        raise ConvergenceError("did not converge")

    monkeypatch.setattr(execution, "compute", fail)
    result = call("run", "study.toml")
    assert (result.exit_code, result.output) == (1, "did not converge\n")
    assert os.listdir() == ["study.toml"]


def test_no_stationary_state_names_the_remedy(folder):
    Path("leaky.toml").write_text(STUDY.replace("cells = 60", 'cells = 60\nboundary = "absorbing"'))
    result = call("run", "leaky.toml")
    assert result.exit_code == 2 and "no stationary state" in result.output
    assert "Traceback" not in result.output


def test_help_loads_nothing_heavy():
    code = "import sys; from fpsolver.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    loaded = set(output.split())
    assert not loaded & {"numpy", "scipy", "numba", "h5py", "sympy", "pydantic", "matplotlib", "pyamg"}


COUNT_COMPILATIONS = """
import sys
from numba.core import event
from fpsolver.cli import main
with event.install_recorder("numba:compile") as compiled:
    try:
        main(sys.argv[1:])
    except SystemExit as done:
        assert not done.code, done.code
print(f"compiled {len(compiled.buffer)}, sympy {'sympy' in sys.modules}")
"""


@pytest.mark.parametrize("study", ["double_well", "dragged_trap"])
def test_the_second_run_of_a_study_compiles_nothing_anew(study, tmp_path):
    arguments = [
        "run",
        str(ROOT / "studies" / f"{study}.toml"),
        "--no-plots",
        "-o",
        str(tmp_path / "out.h5"),
        "--overwrite",
    ]
    command = [sys.executable, "-c", COUNT_COMPILATIONS, *arguments]
    for _ in range(2):
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "compiled 0, sympy False"
