"""Outcomes in an HDF5 file, one group a run; earlier runs stay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.errors import StorageError
from fpsolver.report import describe_origin
from fpsolver.storage.encoding import SCHEMA, SCHEMA_VERSION, put_attributes
from fpsolver.storage.files import Compression, one_at_a_time, write_table, written_whole
from fpsolver.storage.provenance import provenance
from fpsolver.storage.results import Results, open_results
from fpsolver.storage.tables import Table, Variable
from fpsolver.validation.as_json import comparison_entry
from fpsolver.validation.finding import Finding
from fpsolver.validation.run import Outcome
from fpsolver.validation.series import Curve, Points, Series
from fpsolver.validation.summary import counted

TITLE = "fpsolver validate: claims and what their checks found"


def record(outcomes: Sequence[Outcome], file: str | os.PathLike[str] = "validation.h5") -> str:
    """Add a run to a file of validations.

    A group ``run_000001``, … has one group a claim, whose ``predicted``, ``measured``, ``error``, ``tolerance`` and
    ``passed`` stand against ``comparison``; below it are a group a series and, since they have lengths of their own, a
    group a curve and a group of points. The file is written whole under a temporary name and renamed.

    Parameters
    ----------
    outcomes : sequence of Outcome
        What `validate` returned.
    file : path
        The file; it is made where there is none.

    Returns
    -------
    str
        Name of the group of the run.

    Raises
    ------
    StorageError
        If the file is none of validations, is damaged, or cannot be written; it is then left as it was.
    """
    path = Path(file)
    with one_at_a_time(_folder(path)):
        return _added(outcomes, path)


def _added(outcomes: Sequence[Outcome], path: Path) -> str:
    """Add a run to a file that nobody else changes meanwhile, and return the name of its group."""
    number = runs_in(path) + 1
    run = _name(number)
    origin = {**provenance(), "wall_time": sum(outcome.wall_time for outcome in outcomes)}
    schema = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, "title": TITLE, "runs": number}
    with written_whole(path, extends=path.exists()) as home:
        put_attributes(home, schema | origin)
        put_attributes(
            home.create_group(run),
            {
                **origin,
                "effort": outcomes[0].effort if outcomes else "",
                "seed": outcomes[0].seed if outcomes else None,
                "claims": [outcome.claim.identifier for outcome in outcomes],
                "disagreeing": [outcome.claim.identifier for outcome in outcomes if not outcome.passed],
            },
        )
        for name, table in _tables(outcomes):
            write_table(home, f"{run}/{name}", table, compression=Compression())
    return run


def runs_in(path: Path) -> int:
    """Return how many runs a file of validations holds; none where there is no file.

    Raises
    ------
    StorageError
        If it is no file of validations, or cannot be read, or its folder cannot be written.
    """
    _folder(path)
    if not path.exists():
        return 0
    with open_results(path) as store:
        if not is_record(store):
            raise StorageError(f"{path} holds results of another kind; choose another file for the record")
        return int(store.attributes["runs"])


def _folder(path: Path) -> Path:
    """Return the folder of a file, if the file can be written there."""
    if not os.path.isdir(path.parent):
        raise StorageError(f"the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        raise StorageError(f"the folder {path.parent} cannot be written; choose another file for the record")
    return path.parent


def is_record(store: Results) -> bool:
    """Return whether a result file is one of validations."""
    return store.attributes.get("title") == TITLE


def described(store: Results) -> str:
    """Return where a file of validations comes from, and a line for each of its runs."""
    lines = [describe_origin(store), ""]
    for number in range(1, int(store.attributes["runs"]) + 1):
        run = store.attributes_of(_name(number))
        claims, disagreeing = len(run["claims"]), run["disagreeing"]
        verdict = f"disagreeing {', '.join(disagreeing)}" if disagreeing else "all agree"
        how = f"{run['effort']}, seed {run['seed']}"
        lines.append(f"/{_name(number)}  {run['date']}  {how:<16}  {counted(claims, 'claim')}: {verdict}")
    return "\n".join(lines)


def _name(number: int) -> str:
    return f"run_{number:06d}"


def _tables(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, Table]]:
    """Give every group of a run below its own."""
    for outcome in outcomes:
        name = outcome.claim.identifier
        yield name, _claim(outcome)
        series = [item for finding in outcome.findings for item in finding.series]
        for number, item in enumerate(series, start=1):
            yield from _series(f"{name}/series_{number}", item)


def _claim(outcome: Outcome) -> Table:
    entry = outcome.claim
    attributes = {
        "identifier": entry.identifier,
        "title": entry.title,
        "verdict": entry.verdict,
        "statement": entry.statement,
        "as_written": entry.as_written,
        "sources": list(entry.sources),
        "family": entry.family,
        "passed": outcome.passed,
        "checks": {finding.check: finding.description for finding in outcome.findings},
        "errors": {finding.check: finding.error for finding in outcome.findings if finding.error},
        "warnings": [said for finding in outcome.findings for said in finding.warnings],
        "wall_time": outcome.wall_time,
    }
    if not outcome.comparisons:
        return Table({}, {}, attributes)
    return _comparisons(outcome.findings, attributes)


def _comparisons(findings: Sequence[Finding], attributes: dict[str, Any]) -> Table:
    """Return numbers as variables against the comparison, and what they are called as lists in its order."""
    rows = [(finding.check, item) for finding in findings for item in finding.comparisons]
    words = ("name", "relation", "error_source", "tolerance_source")
    lists = {word: [getattr(item, word) for _, item in rows] for word in words}
    along = ("comparison",)
    numbers = {
        name: Variable(along, np.array([getattr(item, name) for _, item in rows]), long_name=label)
        for name, label in (
            ("predicted", "prediction"),
            ("measured", "measurement"),
            ("error", "error of the measurement"),
            ("tolerance", "largest deviation that agrees"),
            ("passed", "whether they agree"),
        )
    }
    return Table(
        {"comparison": Variable(along, np.arange(len(rows)))},
        numbers,
        {**attributes, "check": [check for check, _ in rows], **lists},
    )


def _series(group: str, series: Series) -> Iterator[tuple[str, Table]]:
    slope = {} if series.slope is None else {"slope": comparison_entry(series.slope)}
    yield group, Table({}, {}, {"name": series.name, "x": series.x, "y": series.y, **slope})
    for number, curve in enumerate(series.curves, start=1):
        yield f"{group}/curve_{number}", _columns(series, curve)
    for number, points in enumerate(series.points, start=1):
        yield f"{group}/points_{number}", _columns(series, points)


def _columns(series: Series, part: Curve | Points) -> Table:
    variables = {"y": Variable(("x",), np.asarray(part.y), long_name=series.y)}
    if isinstance(part, Points) and part.error is not None:
        variables["error"] = Variable(("x",), np.asarray(part.error), long_name=f"error of {series.y}")
    return Table({"x": Variable(("x",), np.asarray(part.x), long_name=series.x)}, variables, {"label": part.label})
