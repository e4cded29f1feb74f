"""The report: one HTML page that needs nothing beside itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fpsolver.errors import StorageError
from fpsolver.storage.provenance import provenance
from fpsolver.validation.entry import VERDICTS
from fpsolver.validation.markup import Markup, element, formula
from fpsolver.validation.run import Outcome
from fpsolver.validation.sections import agreement, anchor, section, verdict
from fpsolver.validation.stylesheet import STYLESHEET
from fpsolver.validation.summary import largest, total

GENERATOR = "fpsolver validate"
NAME = "index.html"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""The page loads nothing, whatever a claim may say."""


def write_report(outcomes: Sequence[Outcome], folder: str | os.PathLike[str]) -> Path:
    """Write the report on claims, FOLDER/index.html: statements, verdicts, comparisons and plots in one file.

    An earlier report in the folder is replaced, once the new one is complete.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What `validate` returned, of the package's claims or of your own.
    folder : path
        Folder for the page; it is made where there is none.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StorageError
        If the folder cannot be written, or holds an ``index.html`` that is no such report.
    """
    home = Path(folder)
    check_folder(home)
    page = home / NAME
    temporary = home / f".{NAME}.{os.getpid()}.tmp"
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary.write_text(html_page(outcomes), encoding="utf-8")
        temporary.replace(page)
    except OSError as error:
        raise StorageError(f"cannot write {page}: {os.strerror(error.errno or 0)}") from error
    finally:
        if home.is_dir():
            temporary.unlink(missing_ok=True)
    return page


def check_folder(folder: Path) -> None:
    """See that a report can stand in a folder and nothing else is lost by it.

    Raises
    ------
    StorageError
        If the folder is a file or cannot be written, or holds an ``index.html`` that is no such report.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not os.path.isdir(there):
        raise StorageError(f"{there} is a file; give the name of a folder for the report")
    if not os.access(there, os.W_OK | os.X_OK):
        raise StorageError(f"the folder {there} cannot be written; choose another for the report")
    page = folder / NAME
    if page.exists() and f'content="{GENERATOR}"' not in page.read_text(encoding="utf-8", errors="replace")[:2000]:
        raise StorageError(f"{page} is no report of claims, and would be replaced; choose another folder")


def html_page(outcomes: Sequence[Outcome]) -> str:
    """Return the page as text."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=GENERATOR),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", f"Ledger of claims: {total(outcomes)}"),
        element("style", Markup(STYLESHEET)),
    )
    body = element(
        "body",
        _header(outcomes),
        element(
            "main",
            element("section", element("h2", "By verdict"), _verdicts(outcomes), id="verdicts"),
            element("section", element("h2", "Claims"), _contents(outcomes), id="claims"),
            *map(section, outcomes),
        ),
        _footer(),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _header(outcomes: Sequence[Outcome]) -> Markup:
    origin = provenance()
    here = origin["machine"]
    seconds = sum(outcome.wall_time for outcome in outcomes)
    facts = {
        "Date": origin["date"].replace("T", " ").replace("+00:00", " UTC"),
        "Version": f"fpsolver {origin['softwareVersion'] or '(run from a checkout)'}",
        "Machine": f"{here['processor']}, {here['cores']} cores, {here['system']}",
        "Effort": ", ".join(dict.fromkeys(outcome.effort for outcome in outcomes)),
        "Seed": ", ".join(dict.fromkeys(str(outcome.seed) for outcome in outcomes)),
        "Time": f"{seconds:.1f} s of one core",
    }
    agrees = all(outcome.passed for outcome in outcomes)
    return element(
        "header",
        element("h1", "Ledger of claims"),
        element("p", total(outcomes), ".", class_=f"total {'agreed' if agrees else 'failed'}"),
        element(
            "dl",
            *(element("div", element("dt", name), element("dd", text)) for name, text in facts.items()),
            class_="origin",
        ),
    )


def _verdicts(outcomes: Sequence[Outcome]) -> Markup:
    rows = []
    for name, promise in VERDICTS.items():
        passed = [outcome.passed for outcome in outcomes if outcome.claim.verdict == name]
        if passed:
            short = "" if all(passed) else "failed"
            cells = (element("td", promise), element("td", str(len(passed)), class_="number"))
            agreed = element("td", str(sum(passed)), class_=f"number {short}")
            rows.append(element("tr", element("th", verdict(name), scope="row"), *cells, agreed))
    return _table(("Verdict", "What the checks show", "Claims", "Agree"), rows)


def _contents(outcomes: Sequence[Outcome]) -> Markup:
    rows = [
        element(
            "tr",
            element(
                "th", element("a", outcome.claim.identifier, href=f"#{anchor(outcome.claim.identifier)}"), scope="row"
            ),
            element("td", formula(outcome.claim.title), class_="title"),
            element("td", verdict(outcome.claim.verdict)),
            element("td", str(len(outcome.comparisons)), class_="number wide"),
            element("td", largest(outcome), class_="number wide"),
            element("td", f"{outcome.wall_time:.1f} s", class_="number wide"),
            element("td", agreement(passed=outcome.passed)),
        )
        for outcome in outcomes
    ]
    names = ("Claim", "Title", "Verdict", "Comparisons", "Largest share of a tolerance", "Time", "Numerics")
    return _table(names, rows)


def _table(names: Sequence[str], rows: Sequence[Markup]) -> Markup:
    numbers = {"Claims": "number", "Agree": "number"}
    numbers |= dict.fromkeys(("Comparisons", "Largest share of a tolerance", "Time"), "number wide")
    head = (element("th", name, scope="col", class_=numbers.get(name, "")) for name in names)
    return element("table", element("thead", element("tr", *head)), element("tbody", *rows), class_="overview")


def _footer() -> Markup:
    return element(
        "footer",
        element(
            "p",
            "A comparison agrees where the measurement lies within its tolerance of the prediction; for ≠ where it "
            "lies outside; for ≤ and ≥ where it keeps to the bound within the tolerance. Errors are standard errors or "
            "grid errors of the measurement. In the plots lines are predictions and marks are measurements; an error "
            "bar that cannot be seen is smaller than its mark.",
        ),
    )
