"""`fpsolver validate` as a user meets it: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import claims_of_a_user
import pytest
from click.testing import CliRunner

import fpsolver as fp
from fpsolver.cli import main
from fpsolver.errors import StorageError
from fpsolver.validation.ledger import _LEDGER

ALONE = ("--workers", 1)
USER = claims_of_a_user.__file__
PAGE = Path(__file__).parents[2] / "docs" / "validation.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, and forget what a test registers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fpsolver.validation.ledger._LEDGER", dict(_LEDGER))
    return tmp_path


def call(*arguments):
    """Run the command in this process."""
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], catch_exceptions=False)


def test_claims_that_agree(folder):
    result = call("user.variance", *ALONE, "--seed", 2, "--report", "page")
    assert result.exit_code == 0, result.output
    line, *rest = result.stdout.splitlines()
    for words in (
        "✓",
        "user.variance",
        "false as written",
        "Variance of a harmonic mode",
        "8 comparisons",
        "of tolerance",
    ):
        assert words in line
    assert rest[-2:] == [
        "1 of 1 claim agrees with its recorded verdict (8 comparisons)",
        f"written: validation.h5 (run_000001), {Path('page', 'index.html')}",
    ]
    assert "check/s" in result.stderr
    assert sorted(os.listdir()) == ["page", "validation.h5"]
    with fp.open_results("validation.h5") as store:
        assert "run_000001/user.variance" in store.groups
    described = CliRunner().invoke(main, ["info", "validation.h5"]).output
    assert "claims and what their checks found" in described
    assert re.search("/run_000001  .* quick, seed 2 * 1 claim: all agree", described)


def test_claims_that_disagree_say_what_was_found_and_why():
    result = call("user.wrong", "user.broken", "user.variance", *ALONE)
    assert result.exit_code == 1
    assert "✗ π: predicted 3.142857143, measured 3.1415926536, deviation −4×10⁸ tolerances, " in result.stdout
    assert "tolerance 3.14×10⁻¹² (rounding (1e-12 relative))" in result.stdout
    assert "✗ not a number: predicted 1, measured not a number" in result.stdout
    assert "✗ ArithmeticError: no convergence (claims_of_a_user.py, line " in result.stdout
    assert "✗ it yields nothing to compare" in result.stdout
    assert "1 of 3 claims agree with their recorded verdict; user.wrong, user.broken do not" in result.stdout
    assert "Traceback" not in result.output and "k = 0.5" not in result.stdout


def test_json_is_strict_and_alone_on_its_stream():
    result = call("user.variance", "user.wrong", *ALONE, "--json", "-o", "other.h5")
    assert result.exit_code == 1 and os.listdir() == ["other.h5"]

    def refuse(token):
        raise AssertionError(token)

    document = json.loads(result.stdout, parse_constant=refuse)
    assert list(document) == ["claims"]
    variance, wrong = document["claims"]
    assert list(variance)[:5] == ["id", "title", "verdict", "passed", "comparisons"]
    assert (variance["id"], variance["passed"], wrong["passed"]) == ("user.variance", True, False)
    for entry in variance["comparisons"]:
        assert {"name", "predicted", "measured", "error", "tolerance", "tolerance_source", "passed"} <= set(entry)
    assert wrong["comparisons"][1]["measured"] is None and wrong["comparisons"][1]["passed"] is False
    assert variance["series"][0]["points"][0]["x"] == [0.5, 1.0, 2.0, 4.0]


def test_the_list_checks_nothing():
    result = call("harmonic", "user.wrong", "--list")
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["claim", "family"],
        ["user.variance", "harmonic"],
        ["user.wrong", "own"],
    ]
    assert result.exit_code == 0 and os.listdir() == []


def test_a_file_of_claims_in_processes_of_its_own(folder):
    Path("my_claims.py").write_text(Path(USER).read_text().replace('"user.', '"mine.'))
    command = [sys.executable, "-m", "fpsolver.cli", "validate", "my_claims.py", "--json", "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    passed = {entry["id"]: entry["passed"] for entry in json.loads(done.stdout)["claims"]}
    assert passed == {"mine.broken": False, "mine.killed": False, "mine.variance": True, "mine.wrong": False}


def refused(*arguments):
    """Return the one message of a call that is refused as bad input."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output and result.stdout == ""
    return result.stderr.strip()


def test_bad_input_is_one_message(folder):
    assert "no claim is named by 'user.varianc'; did you mean \"user.variance\"?" in refused("user.varianc")
    assert 'did you mean "escape"?' in refused("escpe")
    Path("mine.py").write_text("1 / 0")
    assert refused("mine.py") == "mine.py cannot be run: ZeroDivisionError: division by zero"
    assert refused("mien.py") == 'there is no file mien.py; did you mean "mine.py"?'
    assert "--seed" in refused("user.variance", "--seed", -1)
    assert "--workers" in refused("user.variance", "--workers", 0)
    assert os.listdir() == ["mine.py"]


def test_outputs_are_judged_before_anything_is_computed(folder):
    Path("validation.h5").write_bytes(b"precious")
    assert refused("user.variance", *ALONE) == "validation.h5 is not an HDF5 file"
    assert "does not exist" in refused("user.variance", *ALONE, "-o", "absent/out.h5")
    Path("page").mkdir()
    Path("page/index.html").write_text("my own page")
    assert "is no report of claims" in refused("user.variance", *ALONE, "-o", "out.h5", "--report", "page")
    assert "index.html is a file" in refused("user.variance", *ALONE, "-o", "out.h5", "--report", "page/index.html/new")
    assert Path("validation.h5").read_bytes() == b"precious" and not Path("out.h5").exists()


def test_what_was_found_is_said_where_it_cannot_be_written(folder, monkeypatch):
    def full(*_):
        raise StorageError("No space left on device")

    monkeypatch.setattr("fpsolver.validation.recording.record", full)
    result = call("user.variance", *ALONE)
    assert result.exit_code == 2 and "No space left" in result.stderr
    assert "1 of 1 claim agrees" in result.stdout and "written:" not in result.stdout


def test_an_interrupt_leaves_what_was_written(folder, monkeypatch):
    assert call("user.variance", *ALONE).exit_code == 0
    before = Path("validation.h5").read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(claims_of_a_user.wrong.checks, "half_circumference", interrupt)
    monkeypatch.setattr("fpsolver.validation.ledger._LEDGER", {"user.wrong": claims_of_a_user.wrong})
    result = call("user.wrong", *ALONE)
    assert result.exit_code == 1 and "interrupted; what was written stays" in result.stderr
    assert Path("validation.h5").read_bytes() == before and os.listdir() == ["validation.h5"]


def claims_of_the_page():
    """Return the file of claims that the documentation shows."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "fp.validation.claim(" in block)


def test_the_claim_of_the_documentation_decides_between_its_forms(folder):
    names = {}
    exec(claims_of_the_page(), names)
    entry, check = names["variance"], names["stationary_density"]
    for form in (entry.written, entry.corrected):
        evidence = list(check(fp.validation.Trial("brief", form=form)))
        assert all(item.passed for item in evidence) is (form is entry.corrected)


@pytest.mark.slow
def test_the_claims_of_the_documentation_agree(folder):
    Path("my_claims.py").write_text(claims_of_the_page())
    result = call("my_claims.py", "--report", "report")
    assert result.exit_code == 0, result.output
    assert "own.variance" in result.stdout and Path("report/index.html").exists()
