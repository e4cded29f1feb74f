"""Plots of an ensemble: moments, histograms against the density, quantiles, exponential averages, trajectories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fpsolver import drawing
from fpsolver.drawing import BLACK, BLUE, GREEN, GREY, ORANGE, View
from fpsolver.storage.tables import Table

ENSEMBLE = "ensemble"
PANELS = 6
MOST = 6
"""Most observables of a kind, or quantities of one, in a figure."""


def tables_of(view: View, *kinds: str) -> dict[str, Table]:
    """Return the groups of the file that observables of some kinds wrote, by name."""
    found = {}
    for group in view.store.groups:
        if group.startswith(f"{ENSEMBLE}/"):
            table = view.store.table(group)
            if table.attributes.get("observable") in kinds:
                found[group.partition("/")[2]] = table
    return dict(list(found.items())[:MOST])


def draw_moments(view: View) -> Any:
    """Draw means, and variances where there are any, against time with bands of two standard errors."""
    rows = []
    for table in tables_of(view, "Moments", "Mean").values():
        for k, quantity in enumerate(table.attributes["quantities"][:MOST]):
            rows.append((table, k, quantity))
    if not rows:
        return None
    columns = 2 if any("covariance" in table.variables for table, _, _ in rows) else 1
    figure, panels = drawing.new_figure(
        len(rows), columns, size=(4.6 * columns + 0.6, 2.2 * len(rows) + 0.7), sharex=True
    )
    for (table, k, quantity), row in zip(rows, panels, strict=True):
        _band(row[0], table, "mean", (slice(None), k), BLUE)
        _density_moment(view, row[0], quantity, "mean")
        row[0].set_ylabel("mean" + _unit(table, "mean", k))
        row[0].set_title(quantity, fontsize=9)
        if "covariance" in table.variables:
            _band(row[1], table, "covariance", (slice(None), k, k), GREEN)
            _density_moment(view, row[1], quantity, "covariance")
            row[1].set_ylabel("variance" + _unit(table, "covariance", k))
            row[1].set_title(quantity, fontsize=9)
        elif columns == 2:
            row[1].set_visible(False)
    _time_axes(panels, rows[0][0])
    _title(view, figure, "ensemble moments, bands of two standard errors")
    return figure


def _band(panel: Any, table: Table, name: str, index: Any, colour: str) -> None:
    shown = _visible(_times(table))
    times = _times(table)[shown]
    values = table.variables[name].values[index][shown]
    errors = table.variables[f"{name}_standard_error"].values[index][shown]
    panel.fill_between(times, values - 2 * errors, values + 2 * errors, color=colour, alpha=0.3, lw=0)
    panel.plot(times, values, "o-", color=colour, ms=2.5, lw=1.0, label="trajectories")


def _density_moment(view: View, panel: Any, quantity: str, name: str) -> None:
    """Draw the same moment of the density, where the file has it."""
    if "observables" not in view.store.groups:
        return
    observables = view.store.table("observables")
    axes = observables.attributes["axes"]
    if quantity not in axes:
        return
    k = axes.index(quantity)
    values = observables.variables[name].values[(slice(None), k) if name == "mean" else (slice(None), k, k)]
    shown = _visible(_times(observables))
    panel.plot(_times(observables)[shown], values[shown], "--", color=BLACK, lw=1.2, label="density")
    panel.legend(fontsize=8)


def draw_histograms(view: View) -> Any:
    """Draw histograms of one quantity with error bars, and of two as maps, the density of the same time with them."""
    tables = {
        name: table for name, table in tables_of(view, "Histogram").items() if len(table.attributes["quantities"]) <= 2
    }
    if not tables:
        return None
    frames = {name: drawing.evenly_chosen(table.coordinates["time"].values, PANELS) for name, table in tables.items()}
    columns = min(3, max(map(len, frames.values())))
    heights = [-(-len(chosen) // columns) for chosen in frames.values()]
    figure = drawing.new_canvas(size=(3.5 * columns + 0.6, 2.7 * sum(heights) + 0.7))
    parts = np.atleast_1d(figure.subfigures(len(tables), 1, height_ratios=heights))
    for part, (name, table), rows in zip(parts, tables.items(), heights, strict=True):
        panels = part.subplots(rows, columns, squeeze=False, sharex=True, sharey=len(_axes(table)) == 2)
        draw = _steps if len(_axes(table)) == 1 else _map
        draw(view, part, panels, name, table, frames[name])
        for panel in panels.flat[len(frames[name]) :]:
            panel.set_visible(False)
    _title(view, figure, "histograms of trajectories" + (" and the density" if _has_density(view, tables) else ""))
    return figure


def _has_density(view: View, tables: dict[str, Table]) -> bool:
    return any(_density(view, table, t) is not None for table in tables.values() for t in _times(table)[-1:])


def _axes(table: Table) -> list[str]:
    """Return the dimensions of a histogram, the time left out."""
    return list(table.variables["density"].dims[1:])


def _times(table: Table) -> np.ndarray:
    return np.asarray(table.coordinates["time"].values)


def _visible(times: np.ndarray) -> np.ndarray:
    """Return which times can be shown: the time 0 is nowhere on a logarithmic axis."""
    return times > 0 if drawing.is_logarithmic(times) else np.ones(len(times), dtype=bool)


def _frame_title(view: View, name: str, table: Table, t: float) -> str:
    unit = table.coordinates["time"].units
    text = f"t = {t:.3g}" + ("" if unit == "1" else f" {unit}")
    group = f"comparison/{name}"
    if group in view.store.groups:
        tests = view.store.table(group)
        found = np.flatnonzero(tests.coordinates["time"].values == t)
        if len(found):
            text += f",  χ²: p = {tests.variables['p_value'].values[found[0]]:.2g}"
    return text


def _density(view: View, table: Table, t: float) -> tuple[list[np.ndarray], np.ndarray] | None:
    """Return cell centres and the marginal of the density on the axes of a histogram; None where there is none."""
    axes = table.attributes["quantities"]
    if "density" not in view.store.groups:
        return None
    variable = view.store.variable("density/density")
    names, times = variable.dims[1:], view.store["density/time"]
    frames = np.flatnonzero(np.abs(times - t) <= 1e-9 * max(1.0, t))
    if not set(axes) <= set(names) or not len(frames):
        return None
    values = variable.values[frames[0]]
    for k in reversed(range(len(names))):
        if names[k] not in axes:
            values = np.moveaxis(values, k, -1) @ np.diff(view.store[f"grid/{names[k]}_face"])
    kept = [name for name in names if name in axes]
    return [view.store[f"grid/{name}"] for name in axes], np.transpose(values, [kept.index(name) for name in axes])


def _steps(view: View, part: Any, panels: np.ndarray, name: str, table: Table, frames: np.ndarray) -> None:
    """Draw histograms of one quantity."""
    (axis,) = _axes(table)
    edges, centres = table.coordinates[f"{axis}_edge"].values, table.coordinates[axis].values
    values, errors = table.variables["density"].values, table.variables["density_standard_error"].values
    tallest = values[frames].max(axis=1, keepdims=True)
    low, high = drawing.window((values[frames] / np.where(tallest > 0, tallest, 1.0)).max(axis=0), edges)
    for panel, k in zip(panels.flat, frames, strict=False):
        t = float(_times(table)[k])
        panel.stairs(values[k], edges, color=BLUE, alpha=0.35, fill=True, lw=0)
        seen = np.flatnonzero(values[k] > 0)
        seen = seen[:: max(1, len(seen) // 40)]
        panel.errorbar(centres[seen], values[k][seen], 2 * errors[k][seen], fmt="o", color=BLUE, ms=2, lw=0.9,
                       label="trajectories, ± 2 standard errors")  # fmt: skip
        found = _density(view, table, t)
        if found is not None:
            panel.plot(found[0][0], found[1], color=ORANGE, lw=1.3, label="density", zorder=3)
        panel.set(xlim=(low, high), ylim=(0, None))
        panel.set_title(_frame_title(view, name, table, t), fontsize=9)
    label = f"{table.attributes['quantities'][0]}" + _unit_of(table.coordinates[axis].units)
    for panel in panels[-1]:
        panel.set_xlabel(label)
    for panel in panels[:, 0]:
        panel.set_ylabel("density" + _unit(table, "density"))
    part.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)


def _map(view: View, part: Any, panels: np.ndarray, name: str, table: Table, frames: np.ndarray) -> None:
    """Draw histograms of two quantities as maps, with lines of the density at tenths of its maximum."""
    from matplotlib.colors import PowerNorm
    from matplotlib.lines import Line2D

    first, second = _axes(table)
    edges = [table.coordinates[f"{axis}_edge"].values for axis in (first, second)]
    values = table.variables["density"].values
    peak = values[frames].max(axis=0)
    image, lines = None, False
    for panel, k in zip(panels.flat, frames, strict=False):
        t = float(_times(table)[k])
        norm = PowerNorm(0.5, vmin=0.0, vmax=float(values[k].max()) or 1.0)
        image = panel.pcolormesh(*edges, values[k].T, norm=norm, cmap="viridis", rasterized=True)
        found = _density(view, table, t)
        if found is not None:
            (x, y), density = found
            panel.contour(
                x, y, density.T, levels=density.max() * np.array([0.1, 0.4, 0.8]), colors=ORANGE, linewidths=0.9
            )
            lines = True
        panel.set(xlim=drawing.window(peak.max(axis=1), edges[0]), ylim=drawing.window(peak.max(axis=0), edges[1]))
        panel.set_title(_frame_title(view, name, table, t), fontsize=9)
    for panel, axis, side in ((panels[-1], first, "xlabel"), (panels[:, 0], second, "ylabel")):
        for one in panel:
            one.set(**{side: axis + _unit_of(table.coordinates[axis].units)})
    assert image is not None
    bar = part.colorbar(image, ax=panels, pad=0.01, aspect=30, ticks=[])
    bar.set_label("each from 0 to its maximum")
    if lines:
        handle = Line2D([], [], color=ORANGE, lw=0.9)
        label = "density: 0.1, 0.4 and 0.8 of its maximum"
        part.legend([handle], [label], loc="outside lower center", fontsize=8)


def draw_quantiles(view: View) -> Any:
    """Draw quantiles against time as a fan, and each with its standard error."""
    tables = tables_of(view, "Quantiles")
    if not tables:
        return None
    figure, panels = drawing.new_figure(len(tables), 1, size=(6.5, 2.8 * len(tables) + 0.6), sharex=True)
    for panel, table in zip(panels[:, 0], tables.values(), strict=True):
        shown, p = _visible(_times(table)), table.coordinates["probability"].values
        times = _times(table)[shown]
        values, errors = (table.variables[f"quantile{end}"].values[shown] for end in ("", "_standard_error"))
        order = np.argsort(p)
        for low, high in zip(order[: len(p) // 2], order[::-1], strict=False):
            panel.fill_between(times, values[:, low], values[:, high], color=BLUE, alpha=0.18, lw=0)
        for k in order:
            panel.errorbar(times, values[:, k], 2 * errors[:, k], color=BLACK if p[k] == 0.5 else BLUE, lw=1.0)
            panel.annotate(f"{100 * p[k]:g}%", (times[-1], values[-1, k]), xytext=(4, -3), textcoords="offset points",
                           fontsize=8)  # fmt: skip
        panel.margins(x=0.08)
        panel.set_ylabel(f"quantiles of {table.attributes['quantity']}" + _unit(table, "quantile"))
    _time_axes(panels, next(iter(tables.values())))
    _title(view, figure, "quantiles, with two standard errors")
    return figure


def draw_averages(view: View) -> Any:
    """Draw logarithms of exponential averages, and below them by how many samples they are carried."""
    tables = tables_of(view, "LogSumExp")
    if not tables:
        return None
    figure, panels = drawing.new_figure(2, len(tables), size=(5.0 * len(tables) + 0.8, 5.0), sharex=True)
    for (upper, lower), table in zip(panels.T, tables.values(), strict=True):
        shown = _visible(_times(table))
        times = _times(table)[shown]
        values, errors, n, few = (
            table.variables[name].values[shown]
            for name in ("value", "standard_error", "trajectories", "effective_samples")
        )
        upper.axhline(0, color=GREY, lw=0.8, ls=":")
        upper.fill_between(times, values - 2 * errors, values + 2 * errors, color=BLUE, alpha=0.3, lw=0)
        upper.plot(times, values, "o-", color=BLUE, ms=3, lw=1.0)
        factor, quantity = table.attributes["factor"], table.attributes["quantity"]
        upper.set_ylabel("logarithm of the average")
        upper.set_title(f"exp({factor:g} · {quantity})", fontsize=9)
        lower.semilogy(times, few, "o-", color=GREEN, ms=3, lw=1.0, label="effective samples")
        lower.semilogy(times, n, color=BLACK, lw=1.0, ls="--", label="trajectories")
        lower.axhline(100, color=ORANGE, lw=1.0, label="100: fewer cannot be trusted")
        lower.set_ylabel("number")
        lower.legend(fontsize=8)
    _time_axes(panels, next(iter(tables.values())))
    _title(view, figure, "exponential averages, bands of two standard errors")
    return figure


def draw_trajectories(view: View) -> Any:
    """Draw the stored trajectories, a panel for each quantity."""
    from matplotlib import colormaps

    rows = [
        (table, k, quantity)
        for table in tables_of(view, "Trajectories").values()
        for k, quantity in enumerate(table.attributes["quantities"][:MOST])
    ]
    if not rows:
        return None
    figure, panels = drawing.new_figure(len(rows), 1, size=(6.5, 2.2 * len(rows) + 0.7), sharex=True)
    for (table, k, quantity), panel in zip(rows, panels[:, 0], strict=True):
        shown = _visible(_times(table))
        values = table.variables["values"].values[shown, :, k]
        colours = colormaps["viridis"](np.linspace(0, 0.92, values.shape[1]))
        for path, colour in zip(values.T[:100], colours[:100], strict=True):
            panel.plot(_times(table)[shown], path, color=colour, lw=0.9)
        panel.set_ylabel(quantity + _unit(table, "values", k))
    _time_axes(panels, rows[0][0])
    _title(view, figure, "stored trajectories")
    return figure


def _time_axes(panels: np.ndarray, table: Table) -> None:
    """Label the time below the last row, on a logarithmic axis where times are spread over decades."""
    time = table.coordinates["time"]
    for panel in panels[-1]:
        panel.set_xlabel(drawing.with_unit("time", time.units))
        panel.xaxis.set_tick_params(labelbottom=True)
    if drawing.is_logarithmic(time.values):
        panels[0, 0].set_xscale("log")


def _unit(table: Table, name: str, k: int = 0) -> str:
    """Return the unit of an array, in brackets; of its k-th quantity where each has its own."""
    units = table.variables[name].units.split(", ")
    return _unit_of(units[k] if len(units) > 1 else units[0])


def _unit_of(unit: str) -> str:
    return "" if unit == "1" else f" [{unit}]"


def _title(view: View, figure: Any, what: str) -> None:
    run = view.store.table(ENSEMBLE).attributes
    title = view.store.attributes.get("title", "")
    how = f"{run['trajectories']} trajectories, {run.get('scheme', '')}, dt = {run['dt']:g}"
    figure.suptitle(f"{title}\n{what}\n{how}", fontsize=10)


PLOTS: dict[str, Callable[[View], Any]] = {
    "ensemble_moments": draw_moments,
    "ensemble_histograms": draw_histograms,
    "ensemble_quantiles": draw_quantiles,
    "ensemble_averages": draw_averages,
    "ensemble_trajectories": draw_trajectories,
}
"""The plots by name, which is that of the file."""
