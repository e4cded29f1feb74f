"""The processes that run checks, one thread each.

Nothing big is imported at the top: libraries read the number of their threads once, when they are first imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpsolver.validation.finding import Finding

_WORKER = "FPSOLVER_VALIDATION_WORKER"
_THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def begin() -> None:
    """Give this process one thread, since there is a process a core; mark it, and let it end with its parent."""
    os.environ[_WORKER] = "1"
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it has ended: killed, that one cannot tell it to."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def without_script() -> Iterator[None]:
    """Start processes that do not run the calling script again, as multiprocessing has them do.

    They find claims by their files. A script run first would start validating before it is marked as a worker, and
    would import libraries before they are told the number of their threads.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def inside() -> bool:
    """Return whether this process runs checks for another."""
    return _WORKER in os.environ


def found(identifier: str, home: str | None, name: str, effort: str, seed: int) -> Finding:
    """Run a check of a claim, which this process finds in its own ledger or in the file `home`."""
    from fpsolver.validation.entry import Trial
    from fpsolver.validation.finding import run_check
    from fpsolver.validation.ledger import find

    entry = find(identifier, home)
    return run_check(entry, name, Trial(effort, seed, entry.corrected))
