"""The commands and the code in README and first steps do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def python_block(page):
    return next(block for block in python_blocks(page) if block.startswith("import fpsolver as fp"))


@pytest.mark.parametrize("page", ["README.md", "docs/first_steps.md"])
def test_the_first_example_runs_and_gives_the_numbers_beside_it(page, capsys):
    names = {}
    exec(compile(python_block(page), page, "exec"), names)
    assert names["sol"].densities.shape == (4, 400)
    (mean_time,) = names["tau"].at([[-1.0]])
    assert f"{mean_time:.2f}" == "66.26"
    grid, p = names["grid"], np.asarray(names["p"])
    boltzmann = names["fp"].boltzmann(names.get("L", names.get("landscape")), grid, 0.1)
    assert np.abs(p - boltzmann).max() <= 1e-13 * p.max()
    if page == "README.md":
        printed = capsys.readouterr().out
        assert "0.0335" in printed and "0.927" in printed and "66.26" in printed


def test_the_ensemble_of_the_readme_gives_the_number_beside_it(capsys):
    (block,) = (block for block in python_blocks("README.md") if "fp.simulate" in block)
    assert len(block.strip().splitlines()) <= 9
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    free = names["free"]
    # var W = 2T⟨W⟩ and ⟨W⟩ = 1/e for a trap dragged at speed 1 for unit time: the error is √((e^{2⟨W⟩/T} − 1)/n).
    assert free.standard_error[-1] == pytest.approx(np.sqrt(np.expm1(4 / np.e) / 1e6), rel=0.1)
    assert abs(free.value[-1]) < 5 * free.standard_error[-1]
    assert "±" in capsys.readouterr().out


def test_the_code_on_trajectories_runs_and_gives_the_numbers_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in python_blocks("docs/trajectories.md"):
        exec(compile(block, "docs/trajectories.md", "exec"), names)
    assert "became infinite or NaN in step" in capsys.readouterr().out
    assert abs(names["passage"].mean.value - 14.28) < 0.5
    produced = names["produced"].observables
    theorem = produced["log_sum_exp_entropy_production"]
    assert abs(theorem.value[-1]) < 5 * theorem.standard_error[-1]
    assert produced["mean_entropy_production"].mean[-1, 0] > 0
    assert (tmp_path / "trap.h5").exists() and (tmp_path / "long.h5").exists()


def test_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"run", "test", "docs"} <= named <= targets
