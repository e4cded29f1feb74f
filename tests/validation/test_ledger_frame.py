"""Claims, comparisons, series and the ledger: what is refused, what passes, and how claims are named."""

from __future__ import annotations

import math
import subprocess
import sys

import claims_of_a_user
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.errors import InputError
from fpsolver.validation import (
    Claim,
    ClaimError,
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    claims,
    select,
    slope,
)
from fpsolver.validation.comparison import RELATIONS
from fpsolver.validation.ledger import _LEDGER

WORDS = {"title": "t", "as_written": "a", "statement": "s", "verdict": "exact"}
numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))


@pytest.fixture(autouse=True)
def ledger_as_it_was(monkeypatch):
    """Forget what a test registers."""
    monkeypatch.setattr("fpsolver.validation.ledger._LEDGER", dict(_LEDGER))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"verdict": "exat"}, 'did you mean "exact"'),
        ({"title": " "}, "title = ' ' must be a string"),
        ({"title": 3}, "title = 3 must be a string"),
        ({"sources": ("a", None)}, r"sources\[1\] = None must be a string"),
        ({"written": abs}, "no corrected one"),
    ],
)
def test_malformed_claims_are_refused(changed, message):
    with pytest.raises(ClaimError, match=message):
        Claim("x.1", **{**WORDS, **changed})


@pytest.mark.parametrize("identifier", ["", ".", "..", "a b", "a/b"])
def test_identifiers_can_name_a_group_and_a_section(identifier):
    with pytest.raises(ClaimError, match="letters, digits"):
        Claim(identifier, **WORDS)


def test_a_check_says_what_it_compares_and_has_a_name_of_its_own():
    entry = Claim("x.1", **WORDS)
    with pytest.raises(ClaimError, match="needs a docstring"):
        entry.check(lambda trial: ())

    def compared(trial):
        """Nothing."""

    entry.check(compared)
    with pytest.raises(ClaimError, match="two checks called compared"):
        entry.check(compared)
    with pytest.raises(ClaimError, match="must take a Trial"):
        entry.check(claim_without_trial)


def claim_without_trial():
    """Takes nothing."""


def test_a_trial_without_a_form_says_how_to_give_one():
    with pytest.raises(ClaimError, match="corrected=function"):
        Trial().predict(1.0)
    assert [Trial(effort).pick(brief=1, quick=2, full=3) for effort in ("brief", "quick", "full")] == [1, 2, 3]


def comparison(predicted, measured, tolerance, relation="="):
    return Comparison("x", predicted, measured, 0.0, "none", tolerance, "none", relation)


@given(numbers, numbers, st.floats(0, 1e6).map(lambda number: round(number, 3)))
def test_what_passes(predicted, measured, tolerance):
    passed = {name: comparison(predicted, measured, tolerance, name).passed for name in RELATIONS}
    assert passed["≠"] is not passed["="]
    assert passed["="] == (passed["≤"] and passed["≥"])
    assert passed["≤"] or passed["≥"]
    for relation in RELATIONS:
        share = comparison(predicted, measured, tolerance, relation).share
        # At the very edge "≠" fails with a share of one.
        assert (share <= 1.0) == passed[relation] or math.isclose(share, 1.0)


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("numbers", [(math.nan, 1, 1), (1, math.inf, 1), (1, 1, math.nan), (1, 1, math.inf)])
def test_what_is_not_finite_fails(numbers, relation):
    found = comparison(*numbers, relation)
    assert not found.passed and found.share == math.inf


def test_an_unknown_relation_is_refused():
    with pytest.raises(InputError, match="'<' is not one of"):
        comparison(1, 1, 1, "<")


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"tolerance": -1}, "tolerance = -1.0 must not be negative"), ({"name": len}, "name = .* must be a string")],
)
def test_malformed_comparisons_are_refused(changed, message):
    words = {"name": "x", "error_source": "none", "tolerance_source": "none"}
    with pytest.raises(InputError, match=message):
        Comparison(**{**words, "predicted": 1, "measured": 2, "error": 0, "tolerance": 1, "relation": "≠", **changed})


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_slope_knows_how_far_the_next_order_bends_it(power):
    x = np.geomspace(1e-3, 1e-1, 9)
    assert slope("with a next order", x, x**power * (1 + 0.5 * x), power).passed
    assert not slope("another power", x, x**power, power + 0.2).passed
    assert slope("towards large", 1 / x, x**power, -power, towards="large").passed


def test_a_slope_that_cannot_tell_a_power_from_the_next_shows_neither():
    x, scatter = np.geomspace(0.1, 1.0, 6), np.random.default_rng(1).normal(size=(200, 6))
    found = [slope("noise", x, x * np.exp(row), 2.0, errors=x * np.exp(row)) for row in scatter]
    assert max(item.tolerance for item in found) == 0.5
    # The slope of three such points scatters around 1 by 1.54: 21 % lie within 1/2 of 2; with 4 standard errors, 33 %.
    assert sum(item.passed for item in found) < 0.33 * len(found)
    with pytest.raises(InputError, match="at least four"):
        slope("too few", x[:3], x[:3], 1.0)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length: x"):
        Curve("c", [1, 2], [1])
    with pytest.raises(ValueError, match="error"):
        Points("p", [1, 2], [1, 2], [0.1])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match="logarithmic = 'yx'"):
        Series("s", "x", "y", logarithmic="yx")
    with pytest.raises(InputError, match=r"curves holds .* no Curve"):
        Series("s", "x", "y", (Points("p", [1], [1]),))


def names(*patterns):
    return [entry.identifier for entry in select(patterns)]


def test_claims_are_chosen_by_family_identifier_and_glob():
    for name in ("E9", "E10"):
        claim(f"own.{name}", **WORDS, family="mine")
    assert names("mine") == ["own.E9", "own.E10"]
    assert names("OWN.e10", "mine") == ["own.E10", "own.E9"]
    assert names("own.E*") == ["own.E9", "own.E10"]
    assert set(names()) == {entry.identifier for entry in claims()} >= {"own.E9", "user.variance"}
    with pytest.raises(ClaimError, match=r'by \'mne\'; did you mean "mine"\?'):
        names("mne")


def test_the_packages_identifiers_are_taken():
    claim("P.1", **WORDS, family="escape")
    with pytest.raises(ClaimError, match="the package's own claim"):
        claim("P.1", **WORDS)


OWN = """
from fpsolver.validation import claim, rounded
entry = claim({identifier!r}, title="t", as_written="a", statement="s", verdict="exact")
@entry.check
def one(trial):
    "One."
    yield rounded("one", 1.0, 1.0, rounding=0.0)
"""


def test_a_file_of_claims(tmp_path):
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(OWN.format(identifier="own.1"))
    second.write_text(OWN.format(identifier="own.1"))
    for _ in range(2):  # a notebook reads a file again when it has changed
        [entry] = select([str(first)])
        assert (entry.identifier, entry.home) == ("own.1", str(first))
    with pytest.raises(ClaimError, match=r"which .*first\.py has; choose another identifier"):
        select([str(second)])
    assert select(["own.1"]) == (entry,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "registers no claim"),
        ("x = (", "cannot be run: SyntaxError"),
        ("1 / 0", "cannot be run: ZeroDivisionError"),
        ("raise SystemExit(0)", "cannot be run: SystemExit: 0"),
        (OWN.format(identifier="a b"), "use letters, digits"),
    ],
)
def test_a_file_that_cannot_serve_says_why(tmp_path, text, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ClaimError, match=message):
        select([str(tmp_path / "mine.py")])
    with pytest.raises(ClaimError, match=r'did you mean "mine.py"'):
        select([str(tmp_path / "mien.py")])


def test_a_claim_that_was_typed_in_has_no_home():
    names = {}
    exec(OWN.format(identifier="own.typed"), names)
    assert names["entry"].home is None
    assert claims_of_a_user.variance.home == claims_of_a_user.__file__


def test_a_worker_has_one_thread_and_imports_nothing_before_it_knows():
    code = "import sys, os; from fpsolver.validation import worker; print('numpy' in sys.modules, worker.inside()); "
    code += "worker.begin(); print(worker.inside(), os.environ['OMP_NUM_THREADS'])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False", "True", "1"]
