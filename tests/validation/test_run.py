"""Running claims: the same numbers in one process and in several, and checks that fail in every way."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import claims_of_a_user
import pytest

from fpsolver.validation import ClaimError, Series, validate


def numbers(outcome):
    """Return every number of an outcome."""
    found = []
    for finding in outcome.findings:
        for item in finding.evidence:
            if isinstance(item, Series):
                found += [column for part in item.points for column in (part.x.tolist(), part.y.tolist())]
            else:
                found.append((item.predicted, item.measured, item.error, item.tolerance))
    return found


def test_processes_give_the_same_numbers_and_one_that_is_killed_does_not_take_the_others():
    alone = validate("user.variance", effort="brief", seed=3, workers=1)
    *_, killed = together = validate(["user.variance", "user.killed"], effort="brief", seed=3, workers=2)
    assert together[0].passed
    assert numbers(together[0]) == numbers(alone[0])
    assert numbers(alone[0]) != numbers(validate("user.variance", effort="brief", seed=4, workers=1)[0])
    assert not killed.passed
    [finding] = killed.findings
    assert "was killed" in finding.error and finding.description == "Ends as if the system had killed it."


def test_a_check_that_breaks_is_a_finding():
    [outcome] = validate("user.broken", effort="quick", workers=1)
    assert not outcome.passed
    first, nothing, number = outcome.findings
    assert [item.passed for item in first.comparisons] == [True]
    assert first.error.startswith("ArithmeticError: no convergence (claims_of_a_user.py, line ")
    assert nothing.error == "it yields nothing to compare"
    assert "yields comparisons and series, not 1.0" in number.error


def test_a_check_that_exits_is_a_finding(monkeypatch):
    monkeypatch.setitem(claims_of_a_user.killed.checks, "takes_all_memory", lambda trial: sys.exit(0))
    [outcome] = validate("user.killed", effort="brief", workers=1)
    assert not outcome.passed and outcome.findings[0].error.startswith("SystemExit: 0 (test_run.py, line ")


def test_only_brief_checks_may_leave_everything_out(monkeypatch):
    monkeypatch.setitem(claims_of_a_user.killed.checks, "takes_all_memory", claims_of_a_user.yields_nothing)
    monkeypatch.setitem(claims_of_a_user.variance.checks, "quadrature", claims_of_a_user.yields_nothing)
    for effort in ("brief", "quick"):
        nothing, something = validate(["user.killed", "user.variance"], effort=effort, workers=1)
        assert not nothing.passed and something.passed is (effort == "brief")


def test_a_comparison_with_nan_fails():
    [outcome] = validate("user.wrong", effort="brief", workers=1)
    assert [item.passed for item in outcome.comparisons] == [False, False]
    assert not outcome.passed


def test_a_claim_that_was_typed_in_is_checked_in_this_process(monkeypatch):
    monkeypatch.setattr(type(claims_of_a_user.variance), "home", None)
    assert validate("user.variance", effort="brief", workers=2)[0].passed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"effort": "slow"}, "'slow' is not one of"), ({"workers": 0}, "least 1"), ({"seed": -1}, "seed = -1 must")],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ClaimError, match=message):
        validate("user.variance", **wrong)


SCRIPT = """
from fpsolver.validation import claim, rounded, validate
entry = claim("own.script", title="t", as_written="a", statement="s", verdict="exact")
for name in ("one", "two"):
    def check(trial):
        "One."
        yield rounded("one", 1.0, 1.0, rounding=0.0)
    check.__name__ = name
    entry.check(check)
"""


SLEEPING = """
import os, sys, time
from pathlib import Path
from fpsolver.validation import claim, validate
entry = claim("own.sleeping", title="t", as_written="a", statement="s", verdict="exact")
for name in ("one", "two"):
    def check(trial):
        "Sleeps."
        Path(f"{os.getpid()}.pid").touch()
        time.sleep(120)
    check.__name__ = name
    entry.check(check)
if __name__ == "__main__":
    validate("own.sleeping", workers=2)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_the_processes_end_with_one_that_is_killed(tmp_path):
    def working(pid):
        status = Path("/proc", pid, "status")
        return status.exists() and "State:\tZ" not in status.read_text()

    def within(seconds, condition):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.05)
        return condition()

    (tmp_path / "script.py").write_text(SLEEPING)
    parent = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path)
    assert within(60, lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    parent.kill()
    parent.wait()
    assert within(20, lambda: not any(working(file.stem) for file in tmp_path.glob("*.pid")))


@pytest.mark.parametrize("guarded", [True, False])
def test_a_script_that_validates_its_own_claims(tmp_path, guarded):
    guard = 'if __name__ == "__main__":\n    ' if guarded else ""
    (tmp_path / "script.py").write_text(f'{SCRIPT}{guard}print(validate("own.script", workers=2)[0].passed)\n')
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if guarded:
        assert (done.stdout, done.stderr) == ("True\n", "")
    else:
        assert done.returncode == 1 and not done.stdout
        assert 'put the call of validate in a script under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
