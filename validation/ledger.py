"""The ledger: every claim by its identifier, the package's own families and what users register."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from fpsolver.errors import suggest
from fpsolver.validation.entry import Claim, ClaimError

FAMILIES = ("escape", "fluctuations", "reactions", "steps")
"""Families of the package; the claims of each are registered when its folder is imported."""

_LEDGER: dict[str, Claim] = {}
_REGISTER = "use fpsolver.validation.claim(…) in the file of the checks, outside of functions and of `if __name__ …`"


def claim(
    identifier: str,
    *,
    title: str,
    as_written: str,
    statement: str,
    verdict: str,
    sources: str | Sequence[str] = (),
    family: str = "own",
    written: Callable[..., Any] | None = None,
    corrected: Callable[..., Any] | None = None,
) -> Claim:
    """Register a claim; checks are added to it by its decorator `Claim.check`.

    Parameters
    ----------
    identifier, title, as_written, statement, verdict, sources, family, written, corrected
        As for `Claim`. The package's own identifiers stand for what they are; choose others.

    Returns
    -------
    Claim
        The claim, in the ledger.

    Raises
    ------
    ClaimError
        If an entry is malformed or the identifier is one of the package's.

    Examples
    --------
    >>> from fpsolver.validation import Trial, rounded
    >>> own = claim(
    ...     "own.1", title="Variance of a harmonic mode", as_written="⟨x²⟩ = T", verdict="false as written",
    ...     statement="⟨x²⟩ = T/k", written=lambda T, k: T, corrected=lambda T, k: T / k,
    ... )
    >>> @own.check
    ... def boltzmann_variance(trial):
    ...     '''The variance of the Boltzmann density of kx²/2 with k = 2 at T = 0.5.'''
    ...     yield rounded("k = 2", trial.predict(0.5, 2.0), 0.25, rounding=1e-12)
    >>> [comparison.passed for comparison in boltzmann_variance(Trial(form=own.corrected))]
    [True]
    """
    papers = (sources,) if isinstance(sources, str) else tuple(sources)
    new = Claim(identifier, title, as_written, statement, verdict, papers, family, written, corrected)
    held = _LEDGER.get(identifier)
    if held is not None and held.family in FAMILIES and family not in FAMILIES:
        raise ClaimError(f"{identifier} is the package's own claim {held.title!r}; choose another identifier")
    _LEDGER[identifier] = new
    return new


def claims() -> tuple[Claim, ...]:
    """Return every claim: the package's families and what was registered, in the order of their identifiers."""
    for family in FAMILIES:
        import_module(f"{__package__}.{family}")
    return tuple(sorted(_LEDGER.values(), key=lambda entry: _natural(entry.identifier)))


def select(patterns: Sequence[str] = ()) -> tuple[Claim, ...]:
    """Return the claims that patterns name; all of them where there is no pattern.

    Parameters
    ----------
    patterns : sequence of str
        Families ("escape"), identifiers ("A6.2", case does not count), globs ("E*"), or paths of Python files, whose
        claims are registered and chosen.

    Raises
    ------
    ClaimError
        If a pattern names nothing.
    """
    files = [pattern for pattern in patterns if pattern.endswith(".py")]
    chosen = [entry for file in files for entry in _registered_by(Path(file))]
    everything = claims()
    for pattern in patterns:
        if pattern in files:
            continue
        found = [entry for entry in everything if _matches(entry, pattern)]
        if not found:
            families = dict.fromkeys([*FAMILIES, *(entry.family for entry in everything)])
            names = [*families, *(entry.identifier for entry in everything)]
            raise ClaimError(
                f"no claim is named by {pattern!r}{suggest(pattern, names)} (there are {', '.join(names)})"
            )
        chosen += found
    return tuple(dict.fromkeys(chosen)) if patterns else everything


def find(identifier: str, home: str | None) -> Claim:
    """Return a claim in a process that may not have seen its file yet; `home` is that file."""
    if identifier not in {entry.identifier for entry in claims()} and home is not None:
        _registered_by(Path(home))
    if identifier not in _LEDGER:
        raise ClaimError(f"{home} does not register {identifier} when it is imported; {_REGISTER}")
    return _LEDGER[identifier]


def _registered_by(file: Path) -> list[Claim]:
    """Run a file and return the claims that it registered."""
    if not file.is_file():
        raise ClaimError(
            f"there is no file {file}{suggest(file.name, [near.name for near in file.parent.glob('*.py')])}"
        )
    before = {entry.identifier: entry for entry in claims()}
    spec = spec_from_file_location(f"claims_of_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ClaimError(f"{file} cannot be read as Python")
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ClaimError as error:
        raise ClaimError(f"{file}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ClaimError(f"{file} cannot be run: {type(error).__name__}: {error}") from error
    new = [entry for entry in claims() if before.get(entry.identifier) is not entry]
    if not new:
        raise ClaimError(f"{file} registers no claim; {_REGISTER}")
    for entry in new:
        held = before.get(entry.identifier)
        if held is not None and held.home not in (None, entry.home):
            _LEDGER[held.identifier] = held
            raise ClaimError(f"{file} registers {entry.identifier}, which {held.home} has; choose another identifier")
    return new


def _matches(entry: Claim, pattern: str) -> bool:
    return pattern == entry.family or fnmatchcase(entry.identifier.lower(), pattern.lower())


def _natural(identifier: str) -> list[tuple[int, Any]]:
    """Return a key that puts E9 before E10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", identifier) if part]
