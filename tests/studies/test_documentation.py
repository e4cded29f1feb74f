"""The page on study files names every key there is."""

from __future__ import annotations

from pathlib import Path

from fpsolver.studies import schema
from fpsolver.studies.study import study_from_text

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")


def test_every_key_is_described():
    models = [*schema.DYNAMICS.values(), *schema.INITIAL.values(), *schema.PROTOCOLS.values(), schema.Times]
    models += [schema.ExpressionLandscape, schema.RegressionLandscape, schema.AxisSection]
    models += [model for model in schema.SECTIONS.values() if model is not None]
    keys = {key for model in models for key in model.model_fields} | set(schema.TOP_LEVEL) | set(schema.SECTIONS)
    missing = [
        key for key in sorted(keys) if f"`{key}" not in PAGE and f".{key}`" not in PAGE and f"{key}," not in PAGE
    ]
    assert [key for key in missing if f" {key} " not in PAGE] == []


def test_the_example_on_the_page_is_in_order():
    assert study_from_text(PAGE.split("```toml")[1].split("```")[0]).title == "Escape from a double well"
