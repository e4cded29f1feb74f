"""Fixtures that many tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

# Matrices here are small: where tests run beside other work, the barriers of a threaded BLAS take longer than its sums.
# It reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import fpsolver as fp

SIMULATED: dict[Path, Future[str]] = {}
"""What the tests for devices print under the CUDA simulator, by file: slow, so that they run beside all others."""


def pytest_collection_finish(session):
    """Start the simulated runs of files that will ask for theirs, one after another, on a core that is idle."""
    files = dict.fromkeys(item.path for item in session.items if "under_the_simulator" in item.fixturenames)
    if session.config.option.collectonly or not files:
        return
    pool = ThreadPoolExecutor(1)
    SIMULATED.update({file: pool.submit(_run_simulated, file) for file in files})
    pool.shutdown(wait=False)


def _run_simulated(file):
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", str(file)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def under_the_simulator(request):
    """Give what the `gpu` tests of the same file print under the CUDA simulator; a test fails where they do."""
    return SIMULATED[request.path].result()


@pytest.fixture(scope="session")
def quartic():
    """V = x⁴/4 − x²/2, the double well of most reference values."""
    return fp.Landscape("x**4/4 - x**2/2")
