"""The two commands of the README, from a fresh checkout and once more; the installation itself is not repeated."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_run_makes_its_folder_and_can_be_repeated(tmp_path):
    binaries = tmp_path / "venv" / "bin"
    binaries.mkdir(parents=True)
    for name, command in (("python", ""), ("fpsolver", " -m fpsolver.cli")):
        (binaries / name).write_text(f'#!/bin/sh\nexec {sys.executable}{command} "$@"\n')
        (binaries / name).chmod(0o755)
    (tmp_path / "venv" / ".run").touch()  # as after an installation
    out = tmp_path / "absent" / "deeper" / "iris.h5"
    for _ in range(2):
        command = ["make", "run", f"VENV={tmp_path / 'venv'}", f"OUT={out}"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    drawn = {path.name for path in (out.parent / "iris_plots").iterdir()}
    assert out.exists() and {"density.png", "observables.png", "stationary.png", "rates.png", "modes.png"} == drawn
