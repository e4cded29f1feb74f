"""The folder of kernels answers to one name only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fpsolver.kernels


def test_other_names_are_refused():
    folder = Path(fpsolver.kernels.__file__).resolve().parent.parent
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import kernels"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "fpsolver.kernels" in done.stderr
    assert "ImportError" in done.stderr
