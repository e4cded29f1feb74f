"""Start-up: importing the package, the command's help, and the second run of a study, as whole processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = Path(__file__).resolve().parent.parent / "studies" / "double_well.toml"


def wall(command: list[str], repeats: int) -> float:
    """Return the median wall time in seconds of a process, after one run that is not counted."""
    walls = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        walls.append(time.perf_counter() - began)
    return statistics.median(walls[1:])


def main() -> None:
    """Print the three figures."""
    cli = [sys.executable, "-c", "from fpsolver.cli import main; main()"]
    print(f"python -c pass                      {wall([sys.executable, '-c', 'pass'], 9):.3f} s")
    print(f"import fpsolver                     {wall([sys.executable, '-c', 'import fpsolver'], 9):.3f} s")
    print(f"fpsolver --help                     {wall([*cli, '--help'], 9):.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.h5")
        second = wall([*cli, "run", str(STUDY), "-o", out, "--overwrite"], 5)
    print(f"fpsolver run studies/double_well.toml, second and later  {second:.2f} s")


if __name__ == "__main__":
    main()
