"""Study files: a problem and what is asked of it, declared in TOML, checked as a whole, and run.

`load_study` reads and checks a file, `run_study` computes and stores. ``docs/studies.md`` describes every key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpsolver.studies.execution import run_study
    from fpsolver.studies.study import Study, load_study

__all__ = ["Study", "load_study", "run_study"]

_HOMES = {"Study": "study", "load_study": "study", "run_study": "execution"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
