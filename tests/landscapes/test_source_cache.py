"""Generated code on disk: found again by other processes, repaired when damaged, dispensable."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fpsolver
from fpsolver.landscapes import source_cache

ROOT = Path(fpsolver.__path__[0]).parent

SCRIPT = """
import sys
import numpy as np
from fpsolver.landscapes import Landscape, compile_expressions
L = Landscape("a*x**4 + cos(x*y)", {"a": 2.0})
assert L.value([[1.0, 0.0]])[0] == 3.0
assert compile_expressions(["x*t"], ("x",))([3.0], t=2.0)[0] == 6.0
print("sympy" in sys.modules, "numba" in sys.modules)
if "compile" in sys.argv:
    c = L.compiled
    assert c.value(np.array([1.0, 0.0]), c.parameters) == 3.0
    print("sympy" in sys.modules, sum(c.value.stats.cache_hits.values()), sum(c.value.stats.cache_misses.values()))
"""


def run(folder: Path, *arguments: str, **environment: str) -> list[str]:
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")},
        "FPSOLVER_CACHE_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_second_process_needs_neither_sympy_nor_a_compiler(tmp_path):
    assert run(tmp_path, "compile") == ["True", "False", "True", "0", "1"]
    assert run(tmp_path, "compile") == ["False", "False", "False", "1", "0"]


def test_damaged_files_are_written_anew(tmp_path):
    run(tmp_path)
    files = sorted(tmp_path.glob("fpsolver_generated_landscape_*.py"))
    whole = files[0].read_text()
    for damage in (whole[: len(whole) // 2], "", whole.replace("x0", "x1")):
        files[0].write_text(damage)
        run(tmp_path)
        assert files[0].read_text() == whole
    assert not list(tmp_path.glob("*.tmp"))


def test_no_cache_folder_is_no_obstacle(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert run(blocked / "cache", "compile", TMPDIR=str(tmp_path))[0] == "True"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # the temporary folder is gone with the process


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FPSOLVER_CACHE_DIR", str(tmp_path / "mine"))
    assert source_cache.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("FPSOLVER_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert source_cache.cache_folder() == tmp_path / "xdg" / "fpsolver"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert source_cache.cache_folder() == tmp_path / "home" / ".cache" / "fpsolver"


def test_hashes_depend_on_content_and_format(monkeypatch):
    one = source_cache.content_hash(("a", 1, ("b",)))
    assert one == source_cache.content_hash(("a", 1, ("b",))) != source_cache.content_hash(("a", 1, ("c",)))
    monkeypatch.setattr(source_cache, "FORMAT_VERSION", -1)
    assert source_cache.content_hash(("a", 1, ("b",))) != one


def test_threads_wait_for_a_module_that_another_one_is_loading(tmp_path, monkeypatch):
    monkeypatch.setenv("FPSOLVER_CACHE_DIR", str(tmp_path))
    source = "import time\ntime.sleep(0.1)\nready = True\n"
    with ThreadPoolExecutor(4) as threads:
        modules = threads.map(lambda _: source_cache.generated_module("slow", "key", lambda: source).ready, range(4))
        assert all(modules)


def test_a_module_that_fails_to_load_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("FPSOLVER_CACHE_DIR", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        source_cache.generated_module("broken", "key", lambda: "1/0\n")
    assert "fpsolver_generated_broken_key" not in sys.modules
