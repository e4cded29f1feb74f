"""Where theory and numerics meet: the ledger of claims, each with the checks that decide it.

One folder a family of claims (`escape`); beside them the frame: a `Claim` has checks, a check yields `Comparison` and
`Series`, `validate` runs them in parallel. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "claim": "ledger",
    "claims": "ledger",
    "select": "ledger",
    "FAMILIES": "ledger",
    "Claim": "entry",
    "ClaimError": "entry",
    "Trial": "entry",
    "VERDICTS": "entry",
    "EFFORTS": "entry",
    "Comparison": "comparison",
    "statistical": "comparison",
    "gridded": "comparison",
    "rounded": "comparison",
    "asymptotic": "comparison",
    "misses": "comparison",
    "bounded": "comparison",
    "richardson": "comparison",
    "slope": "comparison",
    "power": "comparison",
    "Series": "series",
    "Curve": "series",
    "Points": "series",
    "validate": "run",
    "Outcome": "run",
    "Finding": "finding",
    "record": "recording",
    "write_report": "page",
}

__all__ = list(_HOMES)

if TYPE_CHECKING:
    from fpsolver.validation.comparison import (
        Comparison,
        asymptotic,
        bounded,
        gridded,
        misses,
        power,
        richardson,
        rounded,
        slope,
        statistical,
    )
    from fpsolver.validation.entry import EFFORTS, VERDICTS, Claim, ClaimError, Trial
    from fpsolver.validation.finding import Finding
    from fpsolver.validation.ledger import FAMILIES, claim, claims, select
    from fpsolver.validation.page import write_report
    from fpsolver.validation.recording import record
    from fpsolver.validation.run import Outcome, validate
    from fpsolver.validation.series import Curve, Points, Series


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
