"""Claims: a statement as it circulates, the strongest correct one, a verdict, and the checks that decide."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fpsolver.errors import InputError, suggest
from fpsolver.validation.comparison import Comparison
from fpsolver.validation.series import Series

VERDICTS = {
    "exact": "holds within rounding, grid error or statistical error",
    "asymptotic": "the error shrinks with the small parameter at the predicted rate",
    "bound": "never violated, and how tight it gets",
    "definition": "fixes a word or a unit; its degenerate consequences are shown",
    "heuristic": "measured against the best alternative",
    "false as written": "misses by many errors where the corrected form holds",
}
"""What each verdict promises that the checks show."""

EFFORTS = ("brief", "quick", "full")
"""A second, half a minute, and minutes a claim."""

Evidence = Comparison | Series
Check = Callable[["Trial"], Iterable[Evidence]]


class ClaimError(InputError):
    """A claim is malformed, or there is none of that name."""


@dataclass(frozen=True)
class Trial:
    """What a check is given: the form under test, how much effort to spend, and the seed.

    Parameters
    ----------
    effort : {"brief", "quick", "full"}
        How much to spend.
    seed : int
        Of every random number.
    form : callable, optional
        The closed form under test: the claim's corrected form, or its written form where a test wants to see the check
        fail.
    """

    effort: str = "quick"
    seed: int = 0
    form: Callable[..., Any] | None = None

    def pick(self, *, brief: Any, quick: Any, full: Any) -> Any:
        """Return the value that belongs to the effort."""
        return {"brief": brief, "quick": quick, "full": full}[self.effort]

    def predict(self, *arguments: Any, **keywords: Any) -> Any:
        """Return what the form under test predicts."""
        if self.form is None:
            raise ClaimError("this check predicts by a form, and its claim has none: give claim(…, corrected=function)")
        return self.form(*arguments, **keywords)


@dataclass(frozen=True, eq=False)
class Claim:
    """One statement of theory, with a verdict and the checks that decide it; made by `claim`.

    Parameters
    ----------
    identifier : str
        Short name, as in "A6.2".
    title : str
        A few words.
    as_written : str
        The statement as it circulates.
    statement : str
        The strongest correct statement, with its assumptions.
    verdict : str
        One of `VERDICTS`.
    sources : tuple of str
        Papers and equations.
    family : str
        Claims of one subject.
    written, corrected : callable, optional
        Both forms as public functions with one signature.
    checks : dict of str to callable
        Filled by the decorator `check`.

    Raises
    ------
    ClaimError
        If an entry is empty or no string, or the verdict is not one of those.
    """

    identifier: str
    title: str
    as_written: str
    statement: str
    verdict: str
    sources: tuple[str, ...] = ()
    family: str = "own"
    written: Callable[..., Any] | None = None
    corrected: Callable[..., Any] | None = None
    checks: dict[str, Check] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.identifier, str) and re.fullmatch(r"\w[\w.+-]*", self.identifier)):
            raise ClaimError(f"identifier = {self.identifier!r}; use letters, digits, dots and dashes, as in A6.2")
        words = {name: getattr(self, name) for name in ("title", "as_written", "statement", "family")}
        words |= {f"sources[{number}]": source for number, source in enumerate(self.sources)}
        for name, text in words.items():
            if not (isinstance(text, str) and text.strip()):
                raise ClaimError(f"claim {self.identifier}: {name} = {text!r} must be a string that says something")
        if self.verdict not in VERDICTS:
            raise ClaimError(
                f"claim {self.identifier}: verdict = {self.verdict!r} is not one of "
                f"{', '.join(VERDICTS)}{suggest(str(self.verdict), VERDICTS)}"
            )
        if self.written is not None and self.corrected is None:
            raise ClaimError(f"claim {self.identifier} has a written form but no corrected one to hold against it")

    def check(self, function: Check) -> Check:
        """Register a check, a function of a `Trial` that yields comparisons and series; its docstring says what of."""
        if not (function.__doc__ or "").strip():
            raise ClaimError(
                f"the check {function.__name__} of claim {self.identifier} needs a docstring: what it compares"
            )
        if not next(iter(inspect.signature(function).parameters), ""):
            raise ClaimError(f"the check {function.__name__} of claim {self.identifier} must take a Trial")
        if function.__name__ in self.checks and self.checks[function.__name__].__module__ == function.__module__:
            raise ClaimError(f"claim {self.identifier} has two checks called {function.__name__}")
        self.checks[function.__name__] = function
        return function

    @property
    def home(self) -> str | None:
        """File in which the checks stand, where there is one; none for claims that were typed in."""
        files = (inspect.unwrap(check).__code__.co_filename for check in self.checks.values())
        return next((os.path.realpath(file) for file in files if os.path.isfile(file)), None)


def description_of(check: Check) -> str:
    """Return the docstring of a check, in one line."""
    return " ".join((check.__doc__ or "").split())
