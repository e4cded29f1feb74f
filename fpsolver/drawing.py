"""What the plots share: the open file and its axes, the style, heat maps, labels and windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fpsolver.storage.results import Results

BLUE, ORANGE, GREEN, BLACK, GREY, PALE = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777", "#DDDDDD"
STYLE: dict[Any, Any] = {
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
        """Return an array with the axes that are not shown integrated out, behind `leading` other dimensions."""
        variable = self.store.variable(name)
        values = variable.values
        for dim in reversed(variable.dims[leading + len(self.names) :]):
            values = values @ np.diff(self.store[f"grid/{dim}_face"])
        return values

    @cached_property
    def energy(self) -> np.ndarray | None:
        """The loss on the axes shown, plus the kinetic energy in a phase space; None where it has more axes."""
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


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in one style, and leave the user's settings as they were; figures outside pyplot need no display."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


def new_figure(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float], **keywords: Any
) -> tuple[Any, np.ndarray]:
    """Return a figure of a size in inches and its panels, an array (rows, columns)."""
    figure = new_canvas(size=size)
    return figure, figure.subplots(rows, columns, squeeze=False, **keywords)


def new_canvas(*, size: tuple[float, float]) -> Any:
    """Return an empty figure of a size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=size)


def heat_map(
    view: View,
    panel: Any,
    values: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    lines: str = "white",
    **keywords: Any,
) -> Any:
    """Draw a function of two variables, with contours of the landscape and its deepest minimum on top.

    The view is cut to where `weight` is not negligible, the whole grid if there is none.
    """
    image = panel.pcolormesh(view.faces[0], view.faces[1], values.T, rasterized=True, **keywords)
    windows = [(float(faces[0]), float(faces[-1])) for faces in view.faces]
    if weight is not None:
        windows = [window(weight.max(axis=1 - axis), view.faces[axis]) for axis in (0, 1)]
    panel.set(xlim=windows[0], ylim=windows[1])
    if view.energy is not None:
        inside = [(x >= low) & (x <= high) for x, (low, high) in zip(view.centres, windows, strict=True)]
        seen = view.energy[np.ix_(*inside)]
        # Levels crowd towards the bottom, where densities live.
        levels = seen.min() + float(np.quantile(seen, 0.9) - seen.min()) * np.linspace(0.15, 1.0, 6) ** 2
        panel.contour(
            *view.centres, view.energy.T, levels=levels, colors=lines, linewidths=0.5, linestyles="solid", alpha=0.6
        )
    if view.minimum is not None:
        panel.plot(*view.minimum, "x", color=ORANGE if lines == "white" else BLACK, ms=6, mew=1.6)
    for side in ("top", "right"):
        panel.spines[side].set_visible(True)
    return image


def frame_panels(view: View, panels: np.ndarray, used: int) -> None:
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


def label_of(view: View, name: str) -> str:
    """Return the label of an array of the file, with its unit."""
    variable = view.store.variable(name)
    return with_unit(variable.long_name, variable.units)


def moment(view: View, time: float) -> str:
    """Return ``t = …`` with the unit of time, for titles and legends."""
    unit = view.store.variable("density/time").units
    return f"t = {time:.3g}" if unit == "1" else f"t = {time:.3g} {unit}"


def oscillates(rate: complex) -> bool:
    """Return whether a rate is complex beyond rounding, so that its mode oscillates."""
    return abs(rate.imag) > 1e-9 * abs(rate)


def short_rate(rate: complex, *, pair: bool = False) -> str:
    """Return a rate in few digits; with `pair`, the rate and its conjugate.

    Examples
    --------
    >>> short_rate(0.25), short_rate(1 - 2j), short_rate(1 - 2j, pair=True)
    ('0.25', '1 − 2i', '1 ± 2i')
    """
    real = max(rate.real, 0.0) if abs(rate.real) < 1e-9 else rate.real
    if not oscillates(rate):
        return f"{real:.4g}"
    sign = "±" if pair else "+" if rate.imag > 0 else "−"
    return f"{real:.3g} {sign} {abs(rate.imag):.3g}i"


def is_logarithmic(times: np.ndarray) -> bool:
    """Return whether times are spread over decades, so that a logarithmic axis fits."""
    positive = times[times > 0]
    return len(positive) > 2 and positive[-1] / positive[0] > 50 and bool(np.median(positive) < 0.2 * positive[-1])


def evenly_chosen(times: np.ndarray, most: int) -> np.ndarray:
    """Return which frames to show: first and last, and evenly between."""
    return np.unique(np.linspace(0, len(times) - 1, min(most, len(times))).round().astype(int))


def window(weight: np.ndarray, faces: np.ndarray, share: float = 2e-3) -> tuple[float, float]:
    """Return the part of an axis where a curve exceeds a share of its maximum, with a margin."""
    seen = np.flatnonzero(weight > share * weight.max())
    if not len(seen):
        return float(faces[0]), float(faces[-1])
    low, high = faces[seen[0]], faces[seen[-1] + 1]
    margin = 0.05 * (high - low)
    return float(max(low - margin, faces[0])), float(min(high + margin, faces[-1]))
