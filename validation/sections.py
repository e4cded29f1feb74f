"""The section of the report about one claim: what it says, what was compared, and the plots."""

from __future__ import annotations

import base64

from fpsolver.validation.comparison import Comparison
from fpsolver.validation.figures import description, drawn
from fpsolver.validation.finding import Finding
from fpsolver.validation.markup import Markup, element, formula, joined
from fpsolver.validation.numerals import in_tolerances, measured, number, predicted
from fpsolver.validation.run import Outcome
from fpsolver.validation.series import Series
from fpsolver.validation.summary import counted

COLUMNS = {
    "Predicted": "Predicted",
    "Measured": "Measured",
    "Deviation, in tolerances": "In tolerances",
    "Tolerance": "Tolerance",
}
"""Headings of the numbers, and what stands beside them on a phone."""


def section(outcome: Outcome) -> Markup:
    """Return the section of a claim."""
    entry = outcome.claim
    heading = element("h2", element("span", entry.identifier, class_="identifier"), " ", formula(entry.title))
    facts = f"{counted(len(outcome.comparisons), 'comparison')}, {outcome.wall_time:.1f} s"
    return element(
        "section",
        heading,
        element("p", verdict(entry.verdict), " ", agreement(passed=outcome.passed), f" {facts}", class_="facts"),
        element(
            "dl",
            *(element("dt", "As written"), element("dd", formula(entry.as_written), class_="written")),
            *(element("dt", "What holds"), element("dd", formula(entry.statement))),
            *_sources(entry.sources),
            class_="statements",
        ),
        *([] if outcome.comparisons else [element("p", "Nothing was compared.", class_="error")]),
        *(_finding(finding) for finding in outcome.findings),
        id=anchor(entry.identifier),
        class_="claim" if outcome.passed else "claim disagrees",
    )


def anchor(identifier: str) -> str:
    """Return the identifier of a claim's section, for links."""
    return f"claim-{identifier}"


def verdict(name: str) -> Markup:
    """Return a verdict as a badge."""
    return element("span", name, class_="badge verdict")


def agreement(*, passed: bool) -> Markup:
    """Return whether a claim agrees with its verdict, as a badge."""
    return element("span", *(("✓ agrees",) if passed else ("✗ disagrees",)), class_=f"badge {_state(passed)}")


def _sources(sources: tuple[str, ...]) -> list[Markup]:
    if not sources:
        return []
    return [element("dt", "Sources"), element("dd", element("ul", *(element("li", source) for source in sources)))]


def _finding(finding: Finding) -> Markup:
    parts = [element("h3", finding.check.replace("_", " ").capitalize())]
    if finding.description:
        parts.append(element("p", formula(finding.description)))
    if finding.error:
        parts.append(element("p", element("strong", "✗ Ended early: "), finding.error, class_="error"))
    if not finding.evidence and not finding.error:
        parts.append(element("p", "Left out at this effort.", class_="facts"))
    if finding.comparisons:
        parts.append(_table(finding.comparisons))
    if finding.series:
        parts.append(element("div", *map(_plot, finding.series), class_="plots"))
    if finding.warnings:
        said = (element("li", text) for text in finding.warnings)
        parts.append(element("div", element("p", "Warnings on the way:"), element("ul", *said), class_="warnings"))
    return element("div", *parts, class_="check")


def _table(comparisons: tuple[Comparison, ...]) -> Markup:
    names = ("Compared", *COLUMNS, _hidden("Agreement"))
    return element(
        "table",
        element("thead", element("tr", *(element("th", name, scope="col") for name in names))),
        element("tbody", *map(_row, comparisons)),
        class_="comparisons",
    )


def _row(comparison: Comparison) -> Markup:
    tolerance = (number(comparison.tolerance), " ", element("small", comparison.tolerance_source))
    cells = (
        predicted(comparison),
        measured(comparison),
        in_tolerances(comparison),
        joined(*tolerance),
    )
    labelled = zip(COLUMNS.values(), cells, strict=True)
    return element(
        "tr",
        element("th", formula(comparison.name), scope="row"),
        *(element("td", element("span", text), data_label=label) for label, text in labelled),
        element("td", mark(passed=comparison.passed), class_="mark"),
        class_=_state(comparison.passed),
    )


def mark(*, passed: bool) -> Markup:
    """Return a tick or a cross, with a word for those who do not see it."""
    sign, word = ("✓", "agrees") if passed else ("✗", "disagrees")
    return joined(element("span", sign, class_=f"sign {_state(passed)}", aria_hidden="true"), _hidden(word))


def _hidden(text: str) -> Markup:
    return element("span", text, class_="hidden")


def _plot(series: Series) -> Markup:
    image = base64.b64encode(drawn(series).encode()).decode()
    picture = element("img", src=f"data:image/svg+xml;base64,{image}", alt=description(series))
    return element("figure", picture, element("figcaption", formula(series.name), *_slope(series.slope)))


def _slope(slope: Comparison | None) -> list[str]:
    if slope is None:
        return []
    text = f". Fitted slope {measured(slope)}, predicted {predicted(slope)}, tolerance {number(slope.tolerance)} "
    return [text, mark(passed=slope.passed)]


def _state(passed: bool) -> str:
    return "agreed" if passed else "failed"
