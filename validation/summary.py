"""What `fpsolver validate` says: the list of claims, and a line for each that was checked, with what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fpsolver.validation.comparison import Comparison
from fpsolver.validation.entry import Claim
from fpsolver.validation.finding import Finding
from fpsolver.validation.numerals import in_tolerances, measured, number, predicted, share
from fpsolver.validation.run import Outcome


def listing(entries: Sequence[Claim]) -> str:
    """Return a table of claims: identifier, family, verdict, title."""
    return _table(
        [("claim", "family", "verdict", "title"), *((c.identifier, c.family, c.verdict, c.title) for c in entries)]
    )


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return a line a claim, and for those that disagree every comparison that failed and every error."""
    rows = [
        (
            "✓" if outcome.passed else "✗",
            outcome.claim.identifier,
            outcome.claim.verdict,
            outcome.claim.title,
            counted(len(outcome.comparisons), "comparison"),
            f"{largest(outcome)} of tolerance",
            f"{outcome.wall_time:.1f} s",
        )
        for outcome in outcomes
    ]
    lines = _table(rows).splitlines()
    said = [line for row, outcome in zip(lines, outcomes, strict=True) for line in (row, *_failures(outcome))]
    return "\n".join([*said, "", total(outcomes)])


def total(outcomes: Sequence[Outcome]) -> str:
    """Return how many claims agree with their verdict."""
    agreed = sum(outcome.passed for outcome in outcomes)
    comparisons = counted(sum(len(outcome.comparisons) for outcome in outcomes), "comparison")
    disagree = [outcome.claim.identifier for outcome in outcomes if not outcome.passed]
    against = f"; {', '.join(disagree)} {'do' if len(disagree) > 1 else 'does'} not" if disagree else ""
    verb = "agrees with its" if len(outcomes) == 1 else "agree with their"
    return f"{agreed} of {counted(len(outcomes), 'claim')} {verb} recorded verdict{against} ({comparisons})"


def largest(outcome: Outcome) -> str:
    """Return the largest share of a tolerance that a comparison of the claim takes."""
    return share(max((comparison.share for comparison in outcome.comparisons), default=0.0))


def counted(many: int, word: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "claim"), counted(12, "claim")
    ('1 claim', '12 claims')
    """
    return f"{many} {word}" if many == 1 else f"{many} {word}s"


def _failures(outcome: Outcome) -> Iterator[str]:
    if not outcome.comparisons:
        yield "    nothing was compared"
    for finding in outcome.findings:
        if not finding.passed:
            yield from _failure(finding)


def _failure(finding: Finding) -> Iterator[str]:
    yield f"    {finding.check}: {finding.description}"
    for comparison in finding.comparisons:
        if not comparison.passed:
            yield f"      ✗ {_sentence(comparison)}"
    if finding.error:
        yield f"      ✗ {finding.error}"


def _sentence(comparison: Comparison) -> str:
    parts = (
        f"predicted {predicted(comparison)}",
        f"measured {measured(comparison)}",
        f"deviation {in_tolerances(comparison)} tolerances",
        f"tolerance {number(comparison.tolerance)} ({comparison.tolerance_source})",
    )
    return f"{comparison.name}: {', '.join(parts)}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows with their columns aligned; numbers of a line stand after its words."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(padded)
