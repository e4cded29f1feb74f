"""Directives that take the reference of study files from the models that check them.

Types, limits and defaults come from ``fpsolver.studies.schema``; meanings are written on the page. A key without a
meaning, a meaning without a key and a model without a table are warnings, so that ``sphinx-build -W`` keeps page and
code together.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
ENTRY = re.compile(r"(?P<key>[\w.]+)(?:\s+\((?P<kind>.*?)\))?:\s+(?P<meaning>.+)", re.DOTALL)
LIMITS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


class StudyKeys(SphinxDirective):
    """A table of the keys of one model: ``{study-keys} ModelName`` with an entry ``key: meaning`` for each.

    ``key (kind): meaning`` says in words what the model leaves to later checks, and is wanted where its type is Any.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        name = self.arguments[0]
        documented(self.env).add(name)
        model = models()[name]
        self.env.note_dependency(inspect.getfile(model))
        entries = self._entries()
        rows = []
        for key, field in model.model_fields.items():
            if key not in entries:
                logger.warning("key %r of %s has no meaning on this page", key, name, location=self.get_location())
                continue
            words, meaning = entries.pop(key)
            kind = words or kind_of(field.annotation, field.metadata)
            if not kind:
                logger.warning("say in words what %r of %s may be", key, name, location=self.get_location())
            rows.append((f"`{key}`", kind, default_of(field), meaning))
        for key in entries:
            logger.warning("%s has no key %r", name, key, location=self.get_location())
        return [table(self, ("key", "value", "default", "meaning"), rows, (14, 26, 12, 48))]

    def _entries(self) -> dict[str, tuple[str, str]]:
        """Return (kind in words, meaning) by key; indented lines continue an entry."""
        joined = re.sub(r"\n\s+", " ", "\n".join(self.content))
        found = {}
        for line in filter(str.strip, joined.splitlines()):
            match = ENTRY.fullmatch(line)
            if not match:
                raise self.error(f"{line!r} is not an entry 'key: meaning'")
            found[match["key"]] = (match["kind"] or "", match["meaning"])
        return found


class StudyLibrary(SphinxDirective):
    """A table of the landscapes that a study can name, with their arguments."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        from fpsolver.landscapes import library
        from fpsolver.studies.sections import LIBRARY

        self.env.note_dependency(str(library.__file__))
        rows = []
        for name in LIBRARY:
            function = getattr(library, name)
            arguments = [
                f"`{p.name}` = {p.default:g}" if isinstance(p.default, int | float) else f"`{p.name}`"
                for p in inspect.signature(function).parameters.values()
            ]
            first = (inspect.getdoc(function) or "").split("\n", 1)[0].removeprefix("Return ")
            rows.append((f"`{name}`", ", ".join(arguments), first[:1].upper() + first[1:].replace("*", r"\*")))
        return [table(self, ("name", "keys and defaults", "landscape"), rows, (22, 30, 48))]


def documented(env: Any) -> set[str]:
    """Return the names of the models that have a table."""
    if not hasattr(env, "fpsolver_models"):
        env.fpsolver_models = set()
    return env.fpsolver_models


def models() -> dict[str, Any]:
    """Return the models of all tables by name."""
    from fpsolver.studies import dynamics_schema, schema
    from fpsolver.studies.entries import Section

    return {
        name: value
        for name, value in (vars(schema) | vars(dynamics_schema)).items()
        if inspect.isclass(value) and issubclass(value, Section) and value is not Section
    }


def check_complete(app: Sphinx, env: Any) -> None:
    """Warn of models without a table."""
    for name in sorted(models().keys() - documented(env)):
        logger.warning("studies.md has no table for %s", name)


def kind_of(annotation: Any, metadata: Any = ()) -> str:
    """Return a type of the schema in words, "" for Any without a check."""
    from fpsolver.studies import entries

    checks = {
        entries._coefficient: "number, expression, or list of them",
        entries._numbers: "number, or list of numbers",
        entries._region: "condition",
    }
    for entry in metadata:
        if getattr(entry, "func", None) in checks:
            return checks[entry.func]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return kind_of(arguments[0], arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind_of(part) for part in arguments if part is not type(None))
    if origin is typing.Literal:
        return ", ".join(f'`"{value}"`' for value in arguments)
    if origin is list:
        return f"list of {kind_of(arguments[0])}s{limits(metadata)}"
    if origin is dict:
        inner = kind_of(arguments[1])
        return inner and f"table of {inner}s"
    words = {float: "number", int: "whole number", str: "string", bool: "true or false", Any: ""}
    return words[annotation] + limits(metadata)


def limits(metadata: Any) -> str:
    """Return the bounds that pydantic was given, as in " ≥ 0, ≤ 9"."""
    found: list[str] = []
    lengths: dict[str, int] = {}
    for entry in metadata:
        for part in (entry, *getattr(entry, "metadata", ())):
            bounds = ((sign, getattr(part, name, None)) for name, sign in LIMITS)
            found += [f"{sign} {bound:g}" for sign, bound in bounds if bound is not None]
            for name in ("min_length", "max_length"):
                if getattr(part, name, None) is not None:
                    lengths[name] = getattr(part, name)
    if lengths:
        low, high = lengths.get("min_length", 0), lengths.get("max_length")
        found.append(f"exactly {low}" if low == high else f"at least {low}")
    found = list(dict.fromkeys(found))
    return f" {', '.join(found)}" if found and found[0][0] in "><≥≤" else f", {', '.join(found)}" if found else ""


def default_of(field: Any) -> str:
    """Return the default of a key as it would stand in TOML."""
    from fpsolver.studies.problems import shown

    if field.is_required():
        return "required"
    return "–" if field.default is None else "`{}`" if field.default == {} else f"`{shown(field.default)}`"


def table(
    directive: SphinxDirective, header: tuple[str, ...], rows: list[tuple[str, ...]], widths: tuple[int, ...]
) -> nodes.Node:
    """Return a table whose cells are parsed as text of the page."""
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=width) for width in widths]
    head, body = nodes.thead(), nodes.tbody()
    group += [head, body]
    head += row(directive, header)
    body += [row(directive, cells) for cells in rows]
    whole = nodes.table(classes=["colwidths-given"])
    whole += group
    return whole


def row(directive: SphinxDirective, cells: tuple[str, ...]) -> nodes.Node:
    """Return one row."""
    made = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        if cell:
            directive.state.nested_parse(StringList([cell]), directive.content_offset, entry)
        made += entry
    return made


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("study-keys", StudyKeys)
    app.add_directive("study-library", StudyLibrary)
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": False}
