"""The page on study files has a table for every model and an entry for every key (types come from the schema)."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from fpsolver.studies import dynamics_schema, schema
from fpsolver.studies.entries import Section

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```\{study-keys\} (\w+)\n(.*?)```", re.DOTALL)


def test_every_key_of_every_model_is_described_and_no_other():
    described = {
        model: set(re.findall(r"^([\w.]+)(?:\s+\(.*?\))?:", text, re.MULTILINE)) for model, text in BLOCK.findall(PAGE)
    }
    expected = {
        name: set(model.model_fields)
        for name, model in (vars(schema) | vars(dynamics_schema)).items()
        if inspect.isclass(model) and issubclass(model, Section) and model is not Section
    }
    assert described == expected
