"""Plots of a result file as PNG: densities, observables, stationary state, rates, modes, first-passage times.

Every plot is made from the file alone. Colours are those of Okabe and Ito and the maps viridis and PuOr, which remain
distinct with any colour vision.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fpsolver.errors import StorageError
from fpsolver.storage.results import Results, open_results

BLUE, ORANGE, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777"
PANELS = 12
STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
}


@dataclass(frozen=True)
class View:
    """What every plot of one file needs: the open file, its axes, and the plane that is shown.

    Grids of more than two dimensions are shown by the marginal over all axes but the first two.

    Parameters
    ----------
    store : Results
        The open file.
    """

    store: Results

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the axes that are shown, one or two."""
        axes = self.store.table("grid").attributes["axes"]
        return tuple(axes[:2])

    @cached_property
    def centres(self) -> list[np.ndarray]:
        """Cell centres of the axes that are shown."""
        return [self.store[f"grid/{name}"] for name in self.names]

    @cached_property
    def faces(self) -> list[np.ndarray]:
        """Cell faces of the axes that are shown."""
        return [self.store[f"grid/{name}_face"] for name in self.names]

    def label(self, name: str) -> str:
        """Return the label of an axis, with its unit."""
        return with_unit(self.store.variable(f"grid/{name}").long_name, self.store.variable(f"grid/{name}").units)

    def shown(self, name: str, *, leading: int = 0) -> np.ndarray:
        """Return an array with all axes of the grid but those shown integrated out, behind `leading` other dimensions."""
        variable = self.store.variable(name)
        values = variable.values
        for dim in reversed(variable.dims[leading + len(self.names) :]):
            values = values @ np.diff(self.store[f"grid/{dim}_face"])
        return values

    @cached_property
    def energy(self) -> np.ndarray | None:
        """The loss on the axes that are shown, with the kinetic energy in a phase space; None where it has more axes."""
        grid = self.store.table("grid")
        loss = grid.variables["landscape"]
        if loss.dims == self.names:
            return loss.values
        if loss.dims == self.names[:1] and "masses" in grid.attributes:
            mass = float(np.atleast_1d(grid.attributes["masses"])[0])
            return loss.values[:, None] + 0.5 * mass * self.centres[1] ** 2
        return None

    @cached_property
    def minimum(self) -> np.ndarray | None:
        """The deepest minimum on the axes that are shown; in a phase space it is at rest."""
        attributes = self.store.table("grid").attributes
        if "deepest_minimum" not in attributes:
            return None
        place = np.atleast_1d(attributes["deepest_minimum"])
        return np.append(place, 0.0)[:2] if len(place) < len(self.names) else place[: len(self.names)]


def with_unit(label: str, unit: str) -> str:
    """Return a label with its unit.

    Examples
    --------
    >>> with_unit("time", "s"), with_unit("time", "1")
    ('time [s]', 'time')
    """
    return label if unit == "1" else f"{label} [{unit}]"


def default_folder(results: str | os.PathLike[str]) -> Path:
    """Return the folder for the plots of a result file: its name with ``_plots`` in place of the suffix."""
    path = Path(results)
    return path.with_name(f"{path.stem}_plots")


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Make a folder for plots, and see that it can be written and that nothing in it would be lost.

    Raises
    ------
    StorageError
        If it cannot be written, or holds plots already and `overwrite` is False.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {os.strerror(error.errno or 0)}") from None
    present = [f"{name}.png" for name in PLOTS if (folder / f"{name}.png").exists()]
    if present and not overwrite:
        raise StorageError(f"{folder} holds {', '.join(present)}; choose another folder or allow --overwrite")
    if not os.access(folder, os.W_OK):
        raise StorageError(f"cannot write into the folder {folder}; choose another")


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
        drawn = []
        for name, draw in PLOTS.items():
            if group_of(name) in store.groups:
                with figure_style():
                    figure = draw(View(store))
                    if figure is not None:
                        drawn.append(target / f"{name}.png")
                        _save(figure, drawn[-1])
        return drawn


def group_of(plot: str) -> str:
    """Return the group of the file that a plot needs."""
    return {"rates": "spectrum", "modes": "spectrum"}.get(plot, plot)


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw without a display, in one style, and leave the user's settings as they were."""
    import matplotlib

    matplotlib.use("Agg", force=False)
    with matplotlib.rc_context(STYLE):
        yield


def _save(figure: Any, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format="png")
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {os.strerror(error.errno or 0)}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _figure(rows: int = 1, columns: int = 1, *, size: tuple[float, float], **keywords: Any) -> tuple[Any, np.ndarray]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, squeeze=False, **keywords)


def _draw_density(view: View) -> Any:
    times, density = view.store["density/time"], view.shown("density/density", leading=1)
    return _curves(view, times, density) if density.ndim == 2 else _maps(view, times, density)


def _curves(view: View, times: np.ndarray, density: np.ndarray) -> Any:
    """Draw densities of one variable, coloured by time, above the landscape."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    figure, panels = _figure(2, 1, size=(7.0, 5.6), sharex=True, height_ratios=(3, 1))
    upper, lower = panels[:, 0]
    positive = times[times > 0]
    logarithmic = _logarithmic(times)
    norm = LogNorm(positive[0], positive[-1]) if logarithmic else Normalize(times[0], times[-1] or 1.0)
    colours = colormaps["viridis"]
    x = view.centres[0]
    for k in _chosen(times, 24):
        upper.plot(x, density[k], color=GREY if logarithmic and times[k] == 0 else colours(norm(times[k])), lw=1.3)
    if logarithmic and times[0] == 0:
        upper.plot([], [], color=GREY, label="t = 0")
    if "stationary" in view.store.groups:
        upper.plot(x, view.shown("stationary/density"), color=BLACK, ls="--", lw=1.4, label="stationary")
    upper.set(ylabel=_label(view, "density/density"), title=view.store.attributes["title"], ylim=(0, None))
    if upper.get_legend_handles_labels()[0]:
        upper.legend()
    bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=panels[:, 0], pad=0.02, aspect=40)
    bar.set_label(_label(view, "density/time"))
    lower.plot(x, view.energy, color=BLACK)
    if view.minimum is not None:
        lower.plot(view.minimum[0], np.interp(view.minimum[0], x, view.energy), "x", color=ORANGE, mew=2)
    low, high = _window(density.max(axis=0), view.faces[0])
    seen = view.energy[(x >= low) & (x <= high)]  # type: ignore[index]
    margin = 0.05 * np.ptp(seen)
    lower.set(xlabel=view.label(view.names[0]), ylabel=_label(view, "grid/landscape"), xlim=(low, high))
    lower.set_ylim(seen.min() - 2 * margin, seen.max() + margin)
    return figure


def _maps(view: View, times: np.ndarray, density: np.ndarray) -> Any:
    """Draw densities of two variables as heat maps, one panel for each chosen time, on one colour scale."""
    from matplotlib.colors import PowerNorm

    chosen = _chosen(times, PANELS)
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, panels = _figure(rows, columns, size=(2.5 * columns + 1.0, 2.4 * rows + 0.6), sharex=True, sharey=True)
    # Early and late densities differ in height by orders; the square root keeps both visible on one scale.
    norm = PowerNorm(0.5, vmin=0.0, vmax=float(np.quantile(density[chosen].max(axis=(1, 2)), 0.75)))
    image = None
    for panel, k in zip(panels.flat, chosen, strict=False):
        image = _heat(view, panel, density[k], weight=density[chosen].max(axis=0), norm=norm, cmap="viridis")
        panel.set_title(f"t = {times[k]:.3g}")
    _frame_panels(view, panels, len(chosen))
    bar = figure.colorbar(image, ax=panels, pad=0.01, aspect=35, extend="max")
    bar.set_label(f"{_label(view, 'density/density')}, square-root scale")
    figure.suptitle(view.store.attributes["title"])
    return figure


def _heat(
    view: View, panel: Any, values: np.ndarray, *, weight: np.ndarray | None = None, lines: str = "white", **keywords: Any
) -> Any:
    """Draw a function of two variables, with contours of the landscape and its deepest minimum on top.

    The view is cut to where `weight` is not negligible, the whole grid if there is none.
    """
    image = panel.pcolormesh(view.faces[0], view.faces[1], values.T, rasterized=True, **keywords)
    windows = [(float(faces[0]), float(faces[-1])) for faces in view.faces]
    if weight is not None:
        windows = [_window(weight.max(axis=1 - axis), view.faces[axis]) for axis in (0, 1)]
    panel.set(xlim=windows[0], ylim=windows[1])
    if view.energy is not None:
        inside = [(x >= low) & (x <= high) for x, (low, high) in zip(view.centres, windows, strict=True)]
        seen = view.energy[np.ix_(*inside)]
        # Levels crowd towards the bottom, where densities live.
        levels = seen.min() + float(np.quantile(seen, 0.9) - seen.min()) * np.linspace(0.15, 1.0, 6) ** 2
        panel.contour(*view.centres, view.energy.T, levels=levels, colors=lines, linewidths=0.5, alpha=0.6)
    if view.minimum is not None:
        panel.plot(*view.minimum, "x", color=ORANGE if lines == "white" else BLACK, ms=6, mew=1.6)
    for side in ("top", "right"):
        panel.spines[side].set_visible(True)
    return image


def _frame_panels(view: View, panels: np.ndarray, used: int) -> None:
    """Label the outer panels of heat maps and hide the empty ones."""
    for panel in panels.flat[used:]:
        panel.set_visible(False)
    rows, columns = panels.shape
    for row in range(rows):
        panels[row, 0].set_ylabel(view.label(view.names[1]))
    for column in range(columns):
        last = max(row for row in range(rows) if row * columns + column < used)
        panels[last, column].set_xlabel(view.label(view.names[0]))
        panels[last, column].tick_params(labelbottom=True)


def _draw_observables(view: View) -> Any:
    """Draw mean loss, entropy and free energy against time, with their errors and equilibrium values."""
    table = view.store.table("observables")
    shown = [name for name in ("mean_loss", "entropy", "free_energy") if name in table.variables]
    figure, panels = _figure(len(shown), 1, size=(6.5, 2.2 * len(shown) + 0.5), sharex=True)
    times = table.coordinates["time"].values
    logarithmic = _logarithmic(times)
    visible = times > 0 if logarithmic else np.ones(len(times), dtype=bool)
    limits = _equilibrium(view)
    for panel, name, colour in zip(panels[:, 0], shown, (BLUE, GREEN, ORANGE), strict=False):
        values = table.variables[name].values
        panel.plot(times[visible], values[visible], "o-", color=colour, ms=3)
        if f"{name}_error" in table.variables:
            errors = table.variables[f"{name}_error"].values[visible]
            label = f"± error of the grid (at most {errors.max():.0e})"
            panel.fill_between(
                times[visible], values[visible] - errors, values[visible] + errors, color=colour, alpha=0.3, lw=0, label=label
            )
        if logarithmic and times[0] == 0:
            panel.axhline(values[0], color=GREY, ls=":", lw=1.2, label=f"t = 0: {values[0]:.4g}")
        if name in limits:
            panel.axhline(limits[name], color=BLACK, ls="--", lw=1.2, label=f"stationary: {limits[name]:.4g}")
        panel.set_ylabel(_label(view, f"observables/{name}"))
        panel.margins(y=0.12)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
    panels[-1, 0].set_xlabel(_label(view, "observables/time"))
    if logarithmic:
        panels[-1, 0].set_xscale("log")
    figure.suptitle(view.store.attributes["title"])
    return figure


def _equilibrium(view: View) -> dict[str, float]:
    """Return mean loss and entropy of the stationary density that the file holds."""
    if "stationary" not in view.store.groups:
        return {}
    stationary, grid = view.store.variable("stationary/density"), view.store.variable("grid/landscape")
    mass = stationary.values.copy()
    for axis, dim in enumerate(stationary.dims):
        widths = np.diff(view.store[f"grid/{dim}_face"])
        mass *= widths.reshape([-1 if k == axis else 1 for k in range(mass.ndim)])
    rest = tuple(range(len(grid.dims), mass.ndim))
    positive = stationary.values > 0
    entropy = -float((mass[positive] * np.log(stationary.values[positive])).sum())
    return {"mean_loss": float((mass.sum(axis=rest) * grid.values).sum()), "entropy": entropy}


def _draw_stationary(view: View) -> Any:
    """Draw the stationary density, its marginals, and the Boltzmann density beside them."""
    table = view.store.table("stationary")
    density = view.shown("stationary/density")
    reference = view.shown("stationary/boltzmann") if "boltzmann" in table.variables else None
    title = view.store.attributes["title"]
    if "l1_difference" in table.attributes:
        title += f"\nL1 distance between stationary and Boltzmann density: {table.attributes['l1_difference']:.1e}"
    if density.ndim == 1:
        figure, panels = _figure(size=(6.5, 4.2))
        _marginal(view, panels[0, 0], 0, density, reference)
    else:
        figure, panels = _figure(1, 3, size=(12.0, 3.9))
        image = _heat(view, panels[0, 0], density, weight=density, cmap="viridis")
        panels[0, 0].set(xlabel=view.label(view.names[0]), ylabel=view.label(view.names[1]), title="stationary density")
        figure.colorbar(image, ax=panels[0, 0], pad=0.02).set_label(_label(view, "stationary/density"))
        for axis in (0, 1):
            widths = np.diff(view.faces[1 - axis])
            along = [None if values is None else np.moveaxis(values, axis, 0) @ widths for values in (density, reference)]
            _marginal(view, panels[0, 1 + axis], axis, *along)  # type: ignore[arg-type]
    figure.suptitle(title)
    return figure


def _marginal(view: View, panel: Any, axis: int, density: np.ndarray, reference: np.ndarray | None) -> None:
    x = view.centres[axis]
    low, high = _window(density, view.faces[axis])
    panel.plot(x, density, color=BLUE, label="stationary")
    if reference is not None:
        seen = np.flatnonzero((x >= low) & (x <= high))
        some = seen[:: max(1, len(seen) // 30)]
        panel.plot(x[some], reference[some], "o", color=ORANGE, ms=4, mfc="none", label="Boltzmann")
    panel.set(xlabel=view.label(view.names[axis]), ylabel=f"density of {view.names[axis]}", xlim=(low, high), ylim=(0, None))
    panel.legend()


def _draw_rates(view: View) -> Any:
    """Draw relaxation rates beside those of the harmonic approximation; in the complex plane where they are complex."""
    number, rates = _relaxing(view)
    harmonic = view.store["spectrum/harmonic_rate"][number] if "spectrum/harmonic_rate" in view.store else None
    figure, panels = _figure(size=(6.5, 4.2))
    panel = panels[0, 0]
    label = _label(view, "spectrum/rate_re").replace(", real part", "")
    plane = bool(np.abs(rates.imag).max() > 1e-9 * np.abs(rates).max())
    series = [(rates, "computed", {"marker": "o", "color": BLUE})]
    if harmonic is not None:
        series.append((harmonic, "harmonic, from the Hessian at the deepest minimum", {"marker": "x", "color": ORANGE, "mew": 2}))
    for values, name, style in series:
        across, up = (values.real, values.imag) if plane else (number, values.real)
        panel.plot(across, up, ls="none", ms=8, label=name, **style)
    if plane:
        panel.set(xlabel=f"real part of the {label}", ylabel="imaginary part")
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
    panel.legend()
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
    """Draw the slowest modes that relax, the real part where they are complex."""
    if "spectrum/mode_shape" not in view.store:
        return None
    number, rates = _relaxing(view)
    shapes = view.shown("spectrum/mode_shape", leading=1).real[number][:8]
    scales = np.abs(shapes).reshape(len(shapes), -1).max(axis=1)
    shapes = shapes / np.where(scales > 0, scales, 1.0).reshape(-1, *[1] * (shapes.ndim - 1))
    weight = np.abs(shapes).max(axis=0)
    columns = min(4, len(shapes))
    rows = -(-len(shapes) // columns)
    figure, panels = _figure(rows, columns, size=(2.7 * columns + 0.6, 2.6 * rows + 0.6), sharex=True, sharey=True)
    for k, panel, shape in zip(range(len(shapes)), panels.flat, shapes, strict=False):
        if shape.ndim == 1:
            panel.axhline(0, color=GREY, lw=0.6)
            panel.plot(view.centres[0], shape, color=BLUE)
            panel.set(xlabel=view.label(view.names[0]), xlim=_window(weight, view.faces[0]), ylim=(-1.08, 1.08))
        else:
            _heat(view, panel, shape, weight=weight, lines="#555555", cmap="PuOr", vmin=-1, vmax=1)
        panel.set_title(f"mode {number[k]}: rate {_short(rates[k])}", fontsize=9)
    if shapes.ndim > 2:
        _frame_panels(view, panels, len(shapes))
    else:
        panels[0, 0].set_ylabel("mode, scaled to 1")
        for panel in panels.flat[len(shapes) :]:
            panel.set_visible(False)
    figure.suptitle(f"{view.store.attributes['title']}: slowest modes, each scaled to 1")
    return figure


def _draw_first_passage(view: View) -> Any:
    """Draw the mean first-passage time against the starting point."""
    table = view.store.table("first_passage")
    times = table.variables["mean_first_passage_time"].values
    label = _label(view, "first_passage/mean_first_passage_time")
    figure, panels = _figure(size=(6.5, 4.5))
    panel = panels[0, 0]
    if times.ndim == 1:
        panel.plot(view.centres[0], times, color=BLUE)
        panel.set(xlabel=view.label(view.names[0]), ylabel=label, ylim=(0, None))
    else:
        plane = times if times.ndim == 2 else times[(slice(None), slice(None), *(n // 2 for n in times.shape[2:]))]
        shown = np.where(plane > 0, plane, np.nan)
        image = _heat(view, panel, shown, cmap="viridis", vmin=0)
        panel.set_facecolor("#dddddd")
        panel.set(xlabel=view.label(view.names[0]), ylabel=view.label(view.names[1]))
        figure.colorbar(image, ax=panel, pad=0.02).set_label(label)
    if "start" in table.attributes:
        start = np.atleast_1d(table.attributes["start"])
        value = table.attributes["time_from_start"]
        place = (start[0], value) if times.ndim == 1 else tuple(start[:2])
        panel.plot(*place, "o", color=ORANGE, label=f"start: {value:.6g}")
        panel.legend(frameon=True, framealpha=0.9)
    panel.set_title(f"{view.store.attributes['title']}\nmean time to {table.attributes['target']}")
    return figure


def _label(view: View, name: str) -> str:
    variable = view.store.variable(name)
    return with_unit(variable.long_name, variable.units)


def _short(rate: complex) -> str:
    real = max(rate.real, 0.0) if abs(rate.real) < 1e-9 else rate.real
    return f"{real:.4g}" if abs(rate.imag) <= 1e-9 * abs(rate) else f"{real:.3g} {'+' if rate.imag > 0 else '−'} {abs(rate.imag):.3g}i"


def _logarithmic(times: np.ndarray) -> bool:
    """Return whether times are spread over decades, so that a logarithmic axis fits."""
    positive = times[times > 0]
    return len(positive) > 2 and positive[-1] / positive[0] > 50 and bool(np.median(positive) < 0.2 * positive[-1])


def _chosen(times: np.ndarray, most: int) -> np.ndarray:
    """Return which frames to show: first and last, and evenly between."""
    return np.unique(np.linspace(0, len(times) - 1, min(most, len(times))).round().astype(int))


def _window(weight: np.ndarray, faces: np.ndarray, share: float = 2e-3) -> tuple[float, float]:
    """Return the part of an axis where a curve exceeds a share of its maximum, with a margin."""
    seen = np.flatnonzero(weight > share * weight.max())
    if not len(seen):
        return float(faces[0]), float(faces[-1])
    low, high = faces[seen[0]], faces[seen[-1] + 1]
    margin = 0.05 * (high - low)
    return float(max(low - margin, faces[0])), float(min(high + margin, faces[-1]))


PLOTS: dict[str, Callable[[View], Any]] = {
    "density": _draw_density,
    "observables": _draw_observables,
    "stationary": _draw_stationary,
    "rates": _draw_rates,
    "modes": _draw_modes,
    "first_passage": _draw_first_passage,
}
"""The plots by name, which is that of the file."""
