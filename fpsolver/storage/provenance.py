"""Where results come from: versions, machine, device and the git commit of the study."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

DEPENDENCIES = ("numpy", "scipy", "numba", "h5py", "sympy", "pydantic", "pyamg")


def provenance() -> dict[str, Any]:
    """Return the root attributes that describe software, machine and date.

    Examples
    --------
    >>> sorted(provenance())
    ['date', 'device', 'machine', 'software', 'softwareDependencies', 'softwareVersion']
    """
    return {
        "software": "fpsolver",
        "softwareVersion": version("fpsolver"),
        "softwareDependencies": {"python": platform.python_version(), **versions()},
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "device": f"cpu, {threads()} thread{'s' if threads() > 1 else ''}",
    }


def version(package: str) -> str:
    """Return the installed version of a package, or "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on."""
    return {name: version(name) for name in DEPENDENCIES}


def threads() -> int:
    """Return the number of threads that compiled loops may use here."""
    given = os.environ.get("NUMBA_NUM_THREADS", "")
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(given) if given.isdigit() and int(given) > 0 else allowed


def machine() -> dict[str, Any]:
    """Return system, processor, number of cores and name of this machine."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "name": platform.node(),
    }


def git_commit(file: Path) -> str:
    """Return the commit of the repository that holds `file`, with "+changes" where the file differs from it.

    An empty string means that there is no repository, or no git.
    """
    head = _git(file.parent, "rev-parse", "HEAD")
    if not head:
        return ""
    changed = _git(file.parent, "status", "--porcelain", "--", file.name)
    return head + ("+changes" if changed else "")


def _git(folder: Path, *command: str) -> str:
    try:
        answer = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()
