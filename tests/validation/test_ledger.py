"""Every claim of the ledger, briefly: the corrected form agrees, the written form does not; the rest is `validate`."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from fpsolver.validation import Claim, Comparison, Finding, Trial, claims, validate
from fpsolver.validation.finding import run_check
from fpsolver.validation.ledger import FAMILIES

LEDGER = [entry for entry in claims() if entry.family in FAMILIES]
DECIDED = [entry for entry in LEDGER if entry.written is not None]


def named(entry: Claim) -> str:
    return entry.identifier


@cache
def findings_of(entry: Claim, form: Any) -> list[Finding]:
    return [run_check(entry, name, Trial("brief", 0, form)) for name in entry.checks]


def disagreements(entry: Claim, form: Any) -> list[Comparison | str]:
    findings = findings_of(entry, form)
    failed = [item for finding in findings for item in finding.comparisons if not item.passed]
    return [*failed, *(finding.error for finding in findings if finding.error)]


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_numerics_agree_with_the_recorded_verdict(entry):
    assert entry.checks
    assert disagreements(entry, entry.corrected) == []


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_a_claim_names_its_sources_and_shows_a_dependence(entry):
    assert entry.sources
    assert any(finding.series for finding in findings_of(entry, entry.corrected))


@pytest.mark.parametrize("entry", DECIDED, ids=named)
def test_the_written_form_fails_the_checks_of_the_corrected_one(entry):
    """Only comparisons count: an error would show that the forms are not called alike."""
    failed = disagreements(entry, entry.written)
    assert [item for item in failed if isinstance(item, Comparison)]
    assert [item for item in failed if isinstance(item, str)] == []


@pytest.mark.validate
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_quick_checks_agree_for_any_seed(entry, seed):
    [outcome] = validate(entry.identifier, effort="quick", seed=seed, workers=1)
    assert [item for item in outcome.comparisons if not item.passed] == []
    assert outcome.passed
