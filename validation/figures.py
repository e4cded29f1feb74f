"""The plots of the report: predicted curves as lines, measured points with error bars."""

from __future__ import annotations

import re
from functools import partial
from io import StringIO
from textwrap import fill
from typing import Any

import numpy as np

from fpsolver.drawing import BLACK, BLUE, GREEN, ORANGE, figure_style, new_figure
from fpsolver.validation.scripts import with_scripts
from fpsolver.validation.series import Series

SIZE = (4.8, 3.6)
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#E69F00", BLACK)
MARKS = "osD^vPX"
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)))
# Letters as outlines look the same everywhere, and a fixed salt gives the same bytes for the same numbers.
SVG_STYLE: dict[Any, Any] = {"svg.fonttype": "path", "svg.hashsalt": "fpsolver", "legend.fontsize": 8.5}


def drawn(series: Series) -> str:
    """Return the plot of a series as the text of an SVG image.

    Where there are as many curves as sets of points, each set has the colour of its curve; otherwise curves are black.
    """
    import matplotlib

    with figure_style(), matplotlib.rc_context(SVG_STYLE):
        figure, panels = new_figure(size=SIZE)
        panel = panels[0, 0]
        _set_scales(panel, series)
        paired = len(series.curves) == len(series.points) > 1
        for number, curve in enumerate(series.curves):
            colour = _turn(COLOURS, number) if paired else BLACK
            dashes = "-" if paired else _turn(DASHES, number)
            panel.plot(curve.x, curve.y, color=colour, linestyle=dashes, label=_set(curve.label), zorder=2)
        for number, points in enumerate(series.points):
            look = {"color": _turn(COLOURS, number), "marker": _turn(MARKS, number), "markersize": _mark_size(points.x)}
            panel.errorbar(
                points.x, points.y, points.error, linestyle="", capsize=2.5, elinewidth=1.1, label=_set(points.label),
                zorder=3, **look,
            )  # fmt: skip
        panel.set(xlabel=_set(series.x), ylabel=_set(series.y))
        if panel.get_xscale() == "linear":
            panel.locator_params(axis="x", nbins=5)  # more labels of four digits would touch
        _label_decades(panel, series.logarithmic)
        panel.grid(color="#E6E6E6", linewidth=0.6)
        panel.set_axisbelow(True)
        if panel.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper left")
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def description(series: Series) -> str:
    """Return what a plot shows, for those who do not see it."""
    parts = [f"{series.y} against {series.x}"]
    if series.curves:
        parts.append(f"predicted: {', '.join(curve.label for curve in series.curves)}")
    if series.points:
        parts.append(f"measured: {', '.join(f'{points.label} ({np.size(points.x)})' for points in series.points)}")
    return "; ".join(parts)


def _set_scales(panel: Any, series: Series) -> None:
    """Make logarithmic the axes that are asked for, if anything on them is positive."""
    for name in series.logarithmic:
        values = [np.asarray(getattr(part, name)) for part in (*series.curves, *series.points)]
        if any(np.any(column > 0) for column in values):
            panel.set(**{f"{name}scale": "log"})


def _label_decades(panel: Any, logarithmic: str) -> None:
    """Label 1, 2 and 5 of each decade in plain numbers on axes that have hardly more than one."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for name in logarithmic:
        axis = getattr(panel, f"{name}axis")
        low, high = axis.get_view_interval()
        if axis.get_scale() == "log" and high / low < 50 and low > 1e-4 and high < 1e5:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())


def _set(text: str) -> str:
    """Return text with its powers and indices, e^{−ΔL/T} and ω_b, as Matplotlib sets them, in short lines."""
    broken = text if "{" in text else fill(text, 36)
    return with_scripts(broken.replace("$", r"\$"), partial(_script, "^"), partial(_script, "_"))


def _script(mark: str, inner: str) -> str:
    """Return a power or an index; with what Matplotlib might take for a command it stays as it was typed."""
    harmless = re.fullmatch(r"[\w\s.,:()|/*+=<>±×⁻−†′'-]+", inner)
    return f"${mark}{{\\mathregular{{{inner}}}}}$" if harmless else f"{mark}{{{inner}}}"


def _mark_size(x: Any) -> float:
    return 4.5 if np.size(x) <= 40 else 2.5


def _turn(choices: Any, number: int) -> Any:
    return choices[number % len(choices)]
