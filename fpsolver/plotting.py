"""Plots of a result file as PNG: densities, observables, stationary state, rates, modes, passage times, ensembles.

Every plot is made from the file alone. Colours are those of Okabe and Ito and the maps viridis and PuOr, which remain
distinct with any colour vision.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver import drawing, ensemble_plots
from fpsolver.drawing import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, View
from fpsolver.errors import StorageError
from fpsolver.storage.results import open_results
from fpsolver.units import inverse

PANELS = 12
MODES = 8


def default_folder(results: str | os.PathLike[str]) -> Path:
    """Return the folder for the plots of a result file: its name with ``_plots`` in place of the suffix."""
    path = Path(results)
    return path.parent / f"{path.stem}_plots"


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """See that nothing in a folder for plots would be lost.

    Raises
    ------
    StorageError
        If it holds plots already and `overwrite` is False, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; give the name of a folder for the plots")
    present = [f"{name}.png" for name in PLOTS if (folder / f"{name}.png").exists()]
    if present and not overwrite:
        raise StorageError(f"{folder} holds {', '.join(present)}; choose another folder or allow --overwrite")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise StorageError(f"the folder {folder.parent} does not exist; make it first") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise StorageError(f"cannot make the folder {folder}: {reason}; choose another") from None


def plot_results(
    results: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None, *, overwrite: bool = False
) -> list[Path]:
    """Draw everything that a result file holds.

    Parameters
    ----------
    results : path
        A result file.
    folder : path, optional
        Where to put the PNG files; ``<results>_plots`` unless given.
    overwrite : bool
        Whether plots that are there may be replaced.

    Returns
    -------
    list of Path
        The files drawn.

    Raises
    ------
    StorageError
        If the file cannot be read or the folder not be written.
    """
    with open_results(results) as store:
        target = Path(folder) if folder is not None else default_folder(results)
        check_folder(target, overwrite=overwrite)
        _make_folder(target)
        drawn = []
        for name, draw in PLOTS.items():
            if group_of(name) in store.groups:
                with drawing.figure_style():
                    figure = draw(View(store))
                    if figure is not None:
                        drawn.append(target / f"{name}.png")
                        _save(figure, drawn[-1])
        return drawn


def group_of(plot: str) -> str:
    """Return the group of the file that a plot needs."""
    if plot in ensemble_plots.PLOTS:
        return ensemble_plots.ENSEMBLE
    return {"rates": "spectrum", "modes": "spectrum"}.get(plot, plot)


def _save(figure: Any, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format="png")
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {os.strerror(error.errno or 0)}; choose another folder") from None
    finally:
        temporary.unlink(missing_ok=True)


def _draw_density(view: View) -> Any:
    times, density = view.store["density/time"], view.shown("density/density", leading=1)
    return _curves(view, times, density) if density.ndim == 2 else _maps(view, times, density)


def _curves(view: View, times: np.ndarray, density: np.ndarray) -> Any:
    """Draw densities of one variable, coloured by time, above the landscape."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    figure, panels = drawing.new_figure(2, 1, size=(7.0, 5.6), sharex=True, height_ratios=(3, 1))
    upper, lower = panels[:, 0]
    positive = times[times > 0]
    logarithmic = drawing.is_logarithmic(times)
    norm = LogNorm(positive[0], positive[-1]) if logarithmic else Normalize(times[0], times[-1] or 1.0)
    colours = colormaps["viridis"]
    x = view.centres[0]
    for k in drawing.evenly_chosen(times, 24):
        upper.plot(x, density[k], color=GREY if logarithmic and times[k] == 0 else colours(norm(times[k])), lw=1.3)
    if logarithmic and times[0] == 0:
        upper.plot([], [], color=GREY, label=drawing.moment(view, 0.0))
    if "stationary" in view.store.groups:
        upper.plot(x, view.shown("stationary/density"), color=BLACK, ls="--", lw=1.4, label="stationary")
    upper.set(ylabel=drawing.label_of(view, "density/density"), title=view.store.attributes["title"], ylim=(0, None))
    if upper.get_legend_handles_labels()[0]:
        upper.legend()
    bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=panels[:, 0], pad=0.02, aspect=40)
    bar.set_label(drawing.label_of(view, "density/time"))
    energy = np.asarray(view.energy)
    lower.plot(x, energy, color=BLACK)
    if view.minimum is not None:
        lower.plot(view.minimum[0], np.interp(view.minimum[0], x, energy), "x", color=ORANGE, mew=2)
    low, high = drawing.window(density.max(axis=0), view.faces[0])
    seen = energy[(x >= low) & (x <= high)]
    margin = 0.05 * np.ptp(seen)
    lower.set(xlabel=view.label(view.names[0]), ylabel=drawing.label_of(view, "grid/landscape"), xlim=(low, high))
    lower.set_ylim(seen.min() - 2 * margin, seen.max() + margin)
    return figure


def _maps(view: View, times: np.ndarray, density: np.ndarray) -> Any:
    """Draw densities of two variables as heat maps, one panel for each chosen time, on one colour scale."""
    from matplotlib.colors import PowerNorm

    chosen = drawing.evenly_chosen(times, PANELS)
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, panels = drawing.new_figure(
        rows, columns, size=(2.5 * columns + 1.0, 2.4 * rows + 0.6), sharex=True, sharey=True
    )
    # Early and late densities differ in height by orders; the square root keeps both visible on one scale.
    norm = PowerNorm(0.5, vmin=0.0, vmax=float(np.quantile(density[chosen].max(axis=(1, 2)), 0.75)))
    image = None
    for panel, k in zip(panels.flat, chosen, strict=False):
        image = drawing.heat_map(view, panel, density[k], weight=density[chosen].max(axis=0), norm=norm, cmap="viridis")
        panel.set_title(drawing.moment(view, times[k]))
    drawing.frame_panels(view, panels, len(chosen))
    bar = figure.colorbar(image, ax=panels, pad=0.01, aspect=35, extend="max")
    bar.set_label(f"{drawing.label_of(view, 'density/density')}, square-root scale")
    figure.suptitle(view.store.attributes["title"])
    return figure


def _draw_observables(view: View) -> Any:
    """Draw mean loss, entropy and free energy against time, with their errors and equilibrium values."""
    table = view.store.table("observables")
    shown = [name for name in ("mean_loss", "entropy", "free_energy") if name in table.variables]
    figure, panels = drawing.new_figure(len(shown), 1, size=(6.5, 2.2 * len(shown) + 0.5), sharex=True)
    times = table.coordinates["time"].values
    logarithmic = drawing.is_logarithmic(times)
    visible = times > 0 if logarithmic else np.ones(len(times), dtype=bool)
    limits = view.store.table("stationary").attributes if "stationary" in view.store.groups else {}
    for panel, name, colour in zip(panels[:, 0], shown, (BLUE, GREEN, ORANGE), strict=False):
        values = table.variables[name].values
        panel.plot(times[visible], values[visible], "o-", color=colour, ms=3)
        if f"{name}_error" in table.variables:
            errors = table.variables[f"{name}_error"].values[visible]
            label = f"± error of the grid (at most {errors.max():.0e})"
            panel.fill_between(
                times[visible],
                values[visible] - errors,
                values[visible] + errors,
                color=colour,
                alpha=0.3,
                lw=0,
                label=label,
            )
        if logarithmic and times[0] == 0:
            panel.axhline(values[0], color=GREY, ls=":", lw=1.2, label=f"{drawing.moment(view, 0.0)}: {values[0]:.4g}")
        if name in limits:
            panel.axhline(limits[name], color=BLACK, ls="--", lw=1.2, label=f"stationary: {limits[name]:.4g}")
        panel.set_ylabel(drawing.label_of(view, f"observables/{name}"))
        panel.margins(y=0.12)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
    panels[-1, 0].set_xlabel(drawing.label_of(view, "observables/time"))
    if logarithmic:
        panels[-1, 0].set_xscale("log")
    figure.suptitle(view.store.attributes["title"])
    return figure


def _draw_stationary(view: View) -> Any:
    """Draw the stationary density, its marginals, and the Boltzmann density beside them."""
    table = view.store.table("stationary")
    density = view.shown("stationary/density")
    reference = view.shown("stationary/boltzmann") if "boltzmann" in table.variables else None
    title = view.store.attributes["title"]
    if "l1_difference" in table.attributes:
        title += f"\nL1 distance between stationary and Boltzmann density: {table.attributes['l1_difference']:.1e}"
    if density.ndim == 1:
        figure, panels = drawing.new_figure(size=(6.5, 4.2))
        _marginal(view, panels[0, 0], 0, density, reference)
    else:
        figure, panels = drawing.new_figure(1, 3, size=(12.0, 3.9))
        image = drawing.heat_map(view, panels[0, 0], density, weight=density, cmap="viridis")
        panels[0, 0].set(xlabel=view.label(view.names[0]), ylabel=view.label(view.names[1]), title="stationary density")
        figure.colorbar(image, ax=panels[0, 0], pad=0.02).set_label(drawing.label_of(view, "stationary/density"))
        for axis in (0, 1):
            widths = np.diff(view.faces[1 - axis])
            along = [
                None if values is None else np.moveaxis(values, axis, 0) @ widths for values in (density, reference)
            ]
            _marginal(view, panels[0, 1 + axis], axis, *along)  # type: ignore[arg-type]
    figure.suptitle(title)
    return figure


def _marginal(view: View, panel: Any, axis: int, density: np.ndarray, reference: np.ndarray | None) -> None:
    x = view.centres[axis]
    low, high = drawing.window(density, view.faces[axis])
    panel.plot(x, density, color=BLUE, label="stationary")
    if reference is not None:
        seen = np.flatnonzero((x >= low) & (x <= high))
        some = seen[:: max(1, len(seen) // 30)]
        panel.plot(x[some], reference[some], "o", color=ORANGE, ms=4, mfc="none", label="Boltzmann")
    name = view.names[axis]
    label = drawing.with_unit(f"density of {name}", inverse(view.store.variable(f"grid/{name}").units))
    panel.set(xlabel=view.label(name), ylabel=label, xlim=(low, high), ylim=(0, None))
    panel.legend()


def _draw_rates(view: View) -> Any:
    """Draw relaxation rates beside those of the harmonic approximation; in the complex plane where they are complex."""
    number, rates = _relaxing(view)
    harmonic = view.store["spectrum/harmonic_rate"][number] if "spectrum/harmonic_rate" in view.store else None
    figure, panels = drawing.new_figure(size=(6.5, 4.2))
    panel = panels[0, 0]
    label = drawing.label_of(view, "spectrum/rate_re").replace(", real part", "")
    plane = bool(np.abs(rates.imag).max() > 1e-9 * np.abs(rates).max())
    series: list[tuple[np.ndarray, str, dict[str, Any]]] = [(rates, "computed", {"marker": "o", "color": BLUE})]
    if harmonic is not None:
        series.append(
            (harmonic, "harmonic, from the Hessian at the deepest minimum", {"marker": "x", "color": ORANGE, "mew": 2})
        )
    for values, name, style in series:
        across, up = (values.real, values.imag) if plane else (number, values.real)
        panel.plot(across, up, ls="none", ms=8, label=name, **style)
    if plane:
        panel.set(xlabel=f"real part of the {label}", ylabel=f"imaginary part of the {label}")
        panel.set_xlim(left=0)
        panel.axhline(0, color=GREY, lw=0.6)
    else:
        _label_rates(panel, number, rates.real)
        panel.set(xlabel="mode", ylabel=label)
        heights = np.concatenate([values.real for values, _, _ in series])
        if heights.min() > 0 and heights.max() > 50 * heights.min():
            panel.set_yscale("log")
        else:
            panel.set_ylim(bottom=0)
    panel.set_title(view.store.attributes["title"])
    figure.legend(loc="outside lower center", ncols=2)  # points may lie anywhere inside
    return figure


def _relaxing(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and rates of the modes that relax: all but the stationary one."""
    rates = np.asarray(view.store["spectrum/rate"], dtype=complex)
    number = np.flatnonzero(np.abs(rates) > 1e-10 * np.abs(rates).max())
    return (number, rates[number]) if len(number) else (np.arange(len(rates)), rates)


def _label_rates(panel: Any, number: np.ndarray, rates: np.ndarray) -> None:
    panel.set_xticks(number if len(number) <= 20 else number[::5])
    panel.margins(x=0.15, y=0.15)
    for k, rate in zip(number, rates, strict=True) if len(rates) <= 10 else ():
        panel.annotate(f"{rate:.4g}", (k, rate), xytext=(8, -12), textcoords="offset points", fontsize=8, color=BLUE)


def _draw_modes(view: View) -> Any:
    """Draw the slowest modes that relax, real and imaginary part where they oscillate, a conjugate pair once."""
    if "spectrum/mode_shape" not in view.store:
        return None
    modes = distinct_modes(view)[:MODES]
    weight = np.max([np.abs(shape) for _, shape in modes], axis=0)
    return (_mode_curves if weight.ndim == 1 else _mode_maps)(view, modes, weight)


def distinct_modes(view: View) -> list[tuple[str, np.ndarray]]:
    """Return title and shape of each mode that relaxes, one for a conjugate pair, scaled to 1 where it is largest.

    A mode has a free factor, also a phase: with the largest value made real, real and imaginary part are definite.
    """
    number, rates = _relaxing(view)
    shapes = view.shown("spectrum/mode_shape", leading=1)[number]
    partners: set[int] = set()
    found = []
    for k, (rate, shape) in enumerate(zip(rates, shapes, strict=True)):
        if k in partners:
            continue
        title = f"mode {number[k]}: rate {drawing.short_rate(rate)}"
        largest = shape.flat[np.argmax(np.abs(shape))]
        shape = shape / (largest or 1.0)
        if not drawing.oscillates(rate):
            shape = shape.real
        else:
            close = np.abs(rates - rate.conjugate()) <= 1e-6 * abs(rate)
            partner = next((j for j in np.flatnonzero(close) if j > k and j not in partners), None)
            if partner is not None:
                partners.add(int(partner))
                shape = shape if rate.imag > 0 else shape.conj()
                title = f"modes {number[k]}, {number[partner]}: rates {drawing.short_rate(rate, pair=True)}"
        found.append((title, shape))
    return found


def _mode_panels(view: View, count: int, *, size: tuple[float, float]) -> tuple[Any, np.ndarray]:
    columns = min(4, count)
    rows = -(-count // columns)
    figure, panels = drawing.new_figure(
        rows, columns, size=(size[0] * columns + 0.6, size[1] * rows + 0.6), sharex=True, sharey=True
    )
    figure.suptitle(f"{view.store.attributes['title']}\nslowest modes, each scaled to 1 where it is largest")
    return figure, panels


def _mode_curves(view: View, modes: list[tuple[str, np.ndarray]], weight: np.ndarray) -> Any:
    figure, panels = _mode_panels(view, len(modes), size=(2.7, 2.6))
    for panel, (title, shape) in zip(panels.flat, modes, strict=False):
        panel.axhline(0, color=GREY, lw=0.6)
        panel.plot(view.centres[0], shape.real, color=BLUE, label="real part")
        if np.iscomplexobj(shape):
            panel.plot(view.centres[0], shape.imag, color=ORANGE, ls="--", label="imaginary part")
        panel.set(xlabel=view.label(view.names[0]), xlim=drawing.window(weight, view.faces[0]), ylim=(-1.08, 1.08))
        panel.set_title(title, fontsize=9)
    panels[0, 0].set_ylabel("mode, scaled to 1")
    for panel in panels.flat[len(modes) :]:
        panel.set_visible(False)
    oscillating = [panel for panel, (_, shape) in zip(panels.flat, modes, strict=False) if np.iscomplexobj(shape)]
    if oscillating:
        figure.legend(*oscillating[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _mode_maps(view: View, modes: list[tuple[str, np.ndarray]], weight: np.ndarray) -> Any:
    pictures = []
    for title, shape in modes:
        if np.iscomplexobj(shape):
            pictures += [(f"{title}\nreal part", shape.real), (f"{title}\nimaginary part", shape.imag)]
        else:
            pictures.append((title, shape))
    figure, panels = _mode_panels(view, len(pictures), size=(2.7, 2.7))
    image = None
    for panel, (title, values) in zip(panels.flat, pictures, strict=False):
        image = drawing.heat_map(view, panel, values, weight=weight, lines="#555555", cmap="PuOr", vmin=-1, vmax=1)
        panel.set_title(title, fontsize=9)
    drawing.frame_panels(view, panels, len(pictures))
    figure.colorbar(image, ax=panels, pad=0.01, aspect=30).set_label("mode, scaled to 1")
    return figure


def _draw_first_passage(view: View) -> Any:
    """Draw the mean first-passage time against the starting point."""
    table = view.store.table("first_passage")
    times = table.variables["mean_first_passage_time"].values
    label = drawing.label_of(view, "first_passage/mean_first_passage_time")
    figure, panels = drawing.new_figure(size=(6.5, 4.5))
    panel = panels[0, 0]
    if times.ndim == 1:
        panel.plot(view.centres[0], times, color=BLUE)
        panel.set(xlabel=view.label(view.names[0]), ylabel=label, ylim=(0, None))
    else:
        plane = times if times.ndim == 2 else times[(slice(None), slice(None), *(n // 2 for n in times.shape[2:]))]
        shown = np.where(plane > 0, plane, np.nan)
        image = drawing.heat_map(view, panel, shown, cmap="viridis", vmin=0)
        panel.set_facecolor(PALE)
        panel.plot([], [], "s", ms=9, color=PALE, mec=GREY, label="target")
        panel.set(xlabel=view.label(view.names[0]), ylabel=view.label(view.names[1]))
        figure.colorbar(image, ax=panel, pad=0.02).set_label(label)
    if "start" in table.attributes:
        start = np.atleast_1d(table.attributes["start"])
        value = table.attributes["time_from_start"]
        place = (start[0], value) if times.ndim == 1 else tuple(start[:2])
        panel.plot(*place, "o", color=ORANGE, label=f"from the start: {value:.6g}")
    if panel.get_legend_handles_labels()[0]:
        panel.legend(frameon=True, framealpha=0.9)
    panel.set_title(f"{view.store.attributes['title']}\nmean time to {table.attributes['target']}")
    return figure


PLOTS: dict[str, Callable[[View], Any]] = {
    "density": _draw_density,
    "observables": _draw_observables,
    "stationary": _draw_stationary,
    "rates": _draw_rates,
    "modes": _draw_modes,
    "first_passage": _draw_first_passage,
    **ensemble_plots.PLOTS,
}
"""The plots by name, which is that of the file."""
