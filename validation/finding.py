"""What one check yields when it is run: comparisons and series, or the error that ended it."""

from __future__ import annotations

import os
import time
import traceback
import warnings
from dataclasses import dataclass, replace
from functools import cached_property

from fpsolver.validation.comparison import Comparison
from fpsolver.validation.entry import Claim, ClaimError, Evidence, Trial, description_of
from fpsolver.validation.series import Series


@dataclass(frozen=True, eq=False)
class Finding:
    """What one check yielded.

    Parameters
    ----------
    check : str
        Name of the check.
    description : str
        Its docstring.
    evidence : tuple of Comparison or Series
        In the order in which they came; what came before an error is kept.
    error : str
        Why the check ended early, or an empty string.
    warnings : tuple of str
        What was said on the way.
    wall_time : float
        Seconds.
    """

    check: str
    description: str
    evidence: tuple[Evidence, ...]
    error: str = ""
    warnings: tuple[str, ...] = ()
    wall_time: float = 0.0

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The dependences."""
        return tuple(item for item in self.evidence if isinstance(item, Series))

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons, slopes of series among them."""
        slopes = (item.slope if isinstance(item, Series) else item for item in self.evidence)
        return tuple(item for item in slopes if item is not None)

    @property
    def passed(self) -> bool:
        """Whether all that was compared agreed, and nothing broke."""
        return not self.error and all(item.passed for item in self.comparisons)


def run_check(entry: Claim, name: str, trial: Trial) -> Finding:
    """Run one check and return what it yielded, errors and warnings included."""
    check = entry.checks[name]
    evidence: list[Evidence] = []
    error, begin = "", time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for item in check(trial) or ():
                if not isinstance(item, Comparison | Series):
                    raise ClaimError(f"a check yields comparisons and series, not {item!r}")
                evidence.append(item)
        except (Exception, SystemExit) as failure:  # a check that breaks is a result, and the others go on
            frames = traceback.extract_tb(failure.__traceback__)
            file = frames[:2][-1].filename  # of the check, which is called from here
            place = next(frame for frame in reversed(frames) if frame.filename == file)
            error = f"{type(failure).__name__}: {failure} ({os.path.basename(place.filename)}, line {place.lineno})"
    said = tuple(dict.fromkeys(str(item.message) for item in caught))
    finding = Finding(name, description_of(check), tuple(evidence), error, said, time.perf_counter() - begin)
    if error or finding.comparisons or trial.effort == "brief":  # which leaves out what takes longer
        return finding
    return replace(finding, error="it yields nothing to compare")
