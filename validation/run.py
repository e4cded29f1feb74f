"""Running claims: every check by itself, in parallel processes, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from typing import NamedTuple

from fpsolver.validation import worker
from fpsolver.validation.comparison import Comparison
from fpsolver.validation.entry import EFFORTS, Claim, ClaimError, Trial, description_of
from fpsolver.validation.finding import Finding, run_check
from fpsolver.validation.ledger import select


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a claim.

    Parameters
    ----------
    claim : Claim
        The claim.
    findings : tuple of Finding
        One a check.
    effort, seed : str, int
        With which the checks ran.
    """

    claim: Claim
    findings: tuple[Finding, ...]
    effort: str = "quick"
    seed: int = 0

    @property
    def passed(self) -> bool:
        """Whether the numerics agree with the recorded verdict; never where nothing was compared."""
        return bool(self.comparisons) and all(finding.passed for finding in self.findings)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons of all checks."""
        return tuple(item for finding in self.findings for item in finding.comparisons)

    @property
    def wall_time(self) -> float:
        """Seconds that the checks took, one after the other."""
        return sum(finding.wall_time for finding in self.findings)


def validate(
    patterns: Sequence[str] | str = (),
    *,
    effort: str = "quick",
    seed: int = 0,
    workers: int | None = None,
    progress: bool = False,
) -> tuple[Outcome, ...]:
    """Run the checks of claims and return what came of each.

    Parameters
    ----------
    patterns : str or sequence of str
        Families, identifiers, globs or Python files, as `select` takes them; by default every claim.
    effort : {"brief", "quick", "full"}
        A second, half a minute, or minutes a claim.
    seed : int
        Of every random number; the same seed gives the same numbers for any number of workers.
    workers : int, optional
        Processes; by default as many as there are cores. With 1 the checks run in this process.
    progress : bool
        Show a progress bar.

    Returns
    -------
    tuple of Outcome
        In the order of the claims.

    Raises
    ------
    ClaimError
        If a pattern names nothing, or the effort, the seed or the number of workers is not admissible.

    Examples
    --------
    >>> [outcome] = validate("E8", effort="brief", workers=1)
    >>> outcome.claim.identifier, outcome.passed
    ('E8', True)
    """
    if worker.inside():
        raise ClaimError('put the call of validate in a script under `if __name__ == "__main__":`')
    if effort not in EFFORTS:
        raise ClaimError(f"effort = {effort!r} is not one of {', '.join(EFFORTS)}")
    for name, value, least in (("seed", seed, 0), ("workers", 1 if workers is None else workers, 1)):
        if not isinstance(value, int) or value < least:
            raise ClaimError(f"{name} = {value!r} must be an integer, at least {least}")
    chosen = select([patterns] if isinstance(patterns, str) else patterns)
    tasks = [_Task(entry, name, effort, seed) for entry in chosen for name in entry.checks]
    findings = dict(_with_progress(_completed(tasks, workers or _cores()), len(tasks), progress))
    return tuple(
        Outcome(entry, tuple(findings[task] for task in tasks if task.claim is entry), effort, seed) for entry in chosen
    )


class _Task(NamedTuple):
    """One check of one claim."""

    claim: Claim
    check: str
    effort: str
    seed: int


def _completed(tasks: Sequence[_Task], workers: int) -> Iterator[tuple[_Task, Finding]]:
    """Give each task's finding as it comes."""
    # Another process finds a claim by its file; one that was typed in stays here.
    elsewhere = [task for task in tasks if task.claim.home is not None] if workers > 1 and len(tasks) > 1 else []
    left = list(elsewhere)
    for task, finding in _pooled(elsewhere, workers):
        left.remove(task)
        yield task, finding
    # A check that kills its process takes the pool with it: each of those left gets a process of its own.
    for task in left:
        found = list(_pooled([task], 1))
        description = description_of(task.claim.checks[task.check])
        lost = Finding(task.check, description, (), "its process was killed, for instance for memory")
        yield found[0] if found else (task, lost)
    for task in tasks:
        if task not in elsewhere:
            yield task, run_check(task.claim, task.check, Trial(task.effort, task.seed, task.claim.corrected))


def _pooled(tasks: Sequence[_Task], workers: int) -> Iterator[tuple[_Task, Finding]]:
    """Run tasks in a pool; where one kills its process, stop."""
    if not tasks:
        return
    pending: dict[Future[Finding], _Task] = {}
    others = active_children()
    pool = ProcessPoolExecutor(workers, mp_context=get_context("forkserver"), initializer=worker.begin)
    try:
        with worker.without_script():
            pending = {
                pool.submit(worker.found, task.claim.identifier, task.claim.home, task.check, *task[2:]): task
                for task in tasks
            }
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                task = pending.pop(future)
                try:
                    yield task, future.result()
                except BrokenProcessPool:
                    return
    finally:
        if pending:  # after an interrupt or an error nobody waits for checks that take minutes
            for process in active_children():
                if process not in others:
                    process.terminate()
        pool.shutdown(cancel_futures=True)


def _with_progress(
    completed: Iterator[tuple[_Task, Finding]], total: int, progress: bool
) -> Iterator[tuple[_Task, Finding]]:
    """Pass findings on, with a bar that names the claim that came last."""
    from tqdm import tqdm

    with tqdm(total=total, disable=not progress, unit="check") as bar:
        for task, finding in completed:
            bar.set_postfix_str(task.claim.identifier)
            bar.update()
            yield task, finding


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
