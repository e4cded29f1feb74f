"""The commands and the code in README and first steps do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def python_block(page):
    return re.search(r"```python\n(import fpsolver as fp.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)[
        1
    ]


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


def test_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"run", "test", "docs"} <= named <= targets
