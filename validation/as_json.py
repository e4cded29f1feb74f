"""Outcomes as JSON that strict readers accept: a number that is not finite becomes null."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from fpsolver.validation.comparison import Comparison
from fpsolver.validation.run import Outcome
from fpsolver.validation.series import Curve, Points, Series


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return ``{"claims": [{"id", "title", "verdict", "passed", "comparisons": […], …}, …]}``.

    Examples
    --------
    >>> as_json([])
    '{"claims": []}'
    """
    return json.dumps({"claims": [_claim(outcome) for outcome in outcomes]}, ensure_ascii=False, allow_nan=False)


def comparison_entry(comparison: Comparison) -> dict[str, Any]:
    """Return one comparison as JSON knows it."""
    return {
        "name": comparison.name,
        "relation": comparison.relation,
        **{name: _finite(getattr(comparison, name)) for name in ("predicted", "measured", "error")},
        "error_source": comparison.error_source,
        "tolerance": _finite(comparison.tolerance),
        "tolerance_source": comparison.tolerance_source,
        "passed": comparison.passed,
    }


def _claim(outcome: Outcome) -> dict[str, Any]:
    entry = outcome.claim
    return {
        "id": entry.identifier,
        "title": entry.title,
        "verdict": entry.verdict,
        "passed": outcome.passed,
        "comparisons": [
            {"check": finding.check, **comparison_entry(comparison)}
            for finding in outcome.findings
            for comparison in finding.comparisons
        ],
        "family": entry.family,
        "as_written": entry.as_written,
        "statement": entry.statement,
        "sources": list(entry.sources),
        "errors": {finding.check: finding.error for finding in outcome.findings if finding.error},
        "warnings": [said for finding in outcome.findings for said in finding.warnings],
        "series": [_series(series) for finding in outcome.findings for series in finding.series],
        "effort": outcome.effort,
        "seed": outcome.seed,
        "wall_time": outcome.wall_time,
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "x": series.x,
        "y": series.y,
        "curves": [_columns(curve, "x", "y") for curve in series.curves],
        "points": [_columns(points, "x", "y", "error") for points in series.points],
        "slope": None if series.slope is None else comparison_entry(series.slope),
    }


def _columns(part: Curve | Points, *names: str) -> dict[str, Any]:
    columns = {name: getattr(part, name) for name in names}
    return {
        "label": part.label,
        **{name: None if values is None else _list(values) for name, values in columns.items()},
    }


def _list(values: Iterable[float]) -> list[float | None]:
    return [_finite(float(value)) for value in values]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
