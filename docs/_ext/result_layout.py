"""A directive that runs a small study when the documentation is built and shows what its result file holds."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from study_reference import table

STUDY = """
title = "A small study that asks for everything"
seed = 7

[landscape]
name = "coupled_double_well"

[dynamics]
temperature = 0.25

[grid]
x = { lower = -2.5, upper = 2.5, cells = 24 }
y = { lower = -3.0, upper = 3.0, cells = 20 }

[initial]
kind = "gaussian"
mean = [-1.0, 0.0]
covariance = 0.1

[evolve]
times = [0.0, 1.0, 10.0]

[stationary]

[spectrum]
k = 4

[first_passage]
target = "x >= 1"
start = [-1.0, 0.0]

[simulate]
n = 2000
dt = 0.05
scheme = "heun"
final = true
observe = [
    { kind = "moments" },
    { kind = "histogram", quantities = ["x"] },
    { kind = "quantiles", quantity = "loss" },
    { kind = "log-sum-exp", quantity = "loss", factor = 1.0 },
    { kind = "trajectories", numbers = [0, 1, 2] },
]

[units]
time = "s"
loss = "nat"
variables = { x = "cm", y = "cm" }
"""


@cache
def contents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the root attributes and the groups, as tables, of the study's result file."""
    from fpsolver.storage import open_results
    from fpsolver.studies.execution import run_study
    from fpsolver.studies.study import study_from_text

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.h5"
        run_study(study_from_text(STUDY), path, progress=False)
        with open_results(path) as store:
            return store.attributes, {group: store.table(group) for group in store.groups}


class ResultStudy(SphinxDirective):
    """The text of the study."""

    def run(self) -> list[nodes.Node]:
        """Return the listing."""
        return [nodes.literal_block(STUDY.strip(), STUDY.strip(), language="toml")]


class ResultGroup(SphinxDirective):
    """The datasets and attributes of one group: ``{result-group} spectrum``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table and the names of the group's attributes."""
        group = contents()[1][self.arguments[0]]
        rows = []
        for name, variable in {**group.coordinates, **group.variables}.items():
            label = variable.long_name if name not in group.coordinates else f"coordinate: {variable.long_name}"
            lengths = zip(variable.dims, variable.values.shape, strict=True)
            dims = ", ".join(f"{dim} {length}" for dim, length in lengths)
            rows.append((f"`{name}`", dims, f"`{variable.units}`", label))
        made: list[nodes.Node] = [table(self, ("dataset", "dimensions", "units", "what"), rows, (28, 24, 14, 44))]
        if group.attributes:
            names = ", ".join(f"``{name}``" for name in group.attributes)
            paragraph = nodes.paragraph()
            self.state.nested_parse(_lines(f"Attributes of the group: {names}."), self.content_offset, paragraph)
            made += [paragraph.children[0] if paragraph.children else paragraph]
        return made


class ResultAttributes(SphinxDirective):
    """The attributes of the file."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = [(f"`{name}`", _shown(name, value)) for name, value in contents()[0].items()]
        return [table(self, ("attribute", "here"), rows, (24, 76))]


OF_THE_RUN = {
    "date": "string, of this run",
    "device": "string, of this run",
    "git_commit": "string: the commit of the repository that holds the study, empty where there is none",
    "machine": "JSON, of this run",
    "study": "the text of the study",
    "wall_time": "seconds, of this run",
}
"""What is said of attributes that change from one build to the next, or are long."""


def _shown(name: str, value: Any) -> str:
    if name in OF_THE_RUN:
        return OF_THE_RUN[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= 90 else text[:88] + '…'}`" if text else "empty string"


def _lines(text: str) -> Any:
    from docutils.statemachine import StringList

    return StringList([text])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("result-study", ResultStudy)
    app.add_directive("result-group", ResultGroup)
    app.add_directive("result-attributes", ResultAttributes)
    return {"parallel_read_safe": False}
