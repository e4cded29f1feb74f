"""What the command line says: the summary of a run, what a result file holds, what is installed here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fpsolver.storage.results import Results
    from fpsolver.studies.execution import Outcome
    from fpsolver.studies.study import Study

WIDTH = 15


def summary(study: Study, outcome: Outcome, plots: Sequence[Path] = ()) -> str:
    """Return the summary of a run: problem, results with errors, warnings of the run, and where the files are."""
    lines = [study.title, "", *_problem(study)]
    for part in (_evolution, _stationary, _spectrum, _first_passage, _simulation):
        lines += part(study, outcome)
    lines += [_row("warning", text) for text in outcome.warnings if text not in study.warnings]
    lines += [
        "",
        _row("time", f"{outcome.wall_time:.2f} s"),
        _row("results", f"{outcome.path} ({_size(outcome.path)})"),
    ]
    lines += [_row("plot", str(path)) for path in plots]
    if not plots:
        lines.append(_row("plots", f"fpsolver plot {outcome.path}"))
    return "\n".join(lines)


def with_error(value: float, error: float | None) -> str:
    """Return a value with its error, to the digits that the error leaves.

    Examples
    --------
    >>> with_error(0.123456, 2.3e-4), with_error(1.5, None), with_error(2.0, 0.0)
    ('0.12346 ± 0.00023', '1.5', '2 ± <1e-10')
    """
    if error is None or not np.isfinite(error):
        return f"{value:.6g}"
    if error < 1e-10:
        return f"{value:.10g} ± <1e-10"
    digits = max(1 - int(np.floor(np.log10(error))), 0)
    if digits > 8:
        return f"{value:.9g} ± {error:.0e}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


KINDS = {
    "Langevin": "overdamped Langevin",
    "UnderdampedLangevin": "underdamped Langevin",
    "JumpProcess": "jumps",
    "SGD": "stochastic gradient descent",
}
QUANTITIES = (
    "temperature", "friction", "mass", "mobility", "force", "diffusion", "law", "proposal", "attempt_rate",
    "learning_rate", "momentum", "nesterov", "weight_decay",
)  # fmt: skip
"""Attributes of laws of motion that describe them."""
OPTIONAL = ("momentum", "nesterov", "weight_decay")
"""Those that are left out where they are zero."""


def _problem(study: Study) -> list[str]:
    rows = [_row("landscape", study.landscape_description), _row("dynamics", _dynamics(study.dynamics))]
    grid = study.grid
    if grid is None:
        return rows
    axes = [
        f"{name} [{axis.lower:g}, {axis.upper:g}] × {axis.cells}"
        for name, axis in zip(grid.names, grid.axes, strict=True)
    ]
    scheme = f", {study.generator_scheme}" if study.generator_scheme else ""
    return [*rows, _row("grid", f"{', '.join(axes)}: {grid.size} cells{scheme}")]


def _dynamics(dynamics: Any) -> str:
    words = [KINDS[type(dynamics).__name__]]
    for name in QUANTITIES:
        value = getattr(dynamics, name, None)
        if value is not None and not (name in OPTIONAL and not value):
            words.append(f"{name.replace('_', ' ')} {_plain(getattr(value, 'given', value))}")
    noise = getattr(dynamics, "noise", None) if KINDS["SGD"] in words else None
    if noise is not None:
        covariance = getattr(noise, "per_example_covariance", None)
        source = "of minibatches" if covariance is None else f"of covariance {_plain(covariance.given)} an example"
        words.append(f"noise {source}, batches of {noise.batch_size:g}")
    if dynamics.protocol:
        words.append(f"driven: {', '.join(f'{name}(t) = {p.expression}' for name, p in dynamics.protocol.items())}")
    return ", ".join(words)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"({', '.join(_plain(entry) for entry in value)})"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _evolution(study: Study, outcome: Outcome) -> list[str]:
    if not outcome.evolution:
        return []
    found = outcome.evolution
    times, stats = found["times"], found["stats"]
    first, last = found["first"], found["last"]
    how = f"{stats['method']}, {stats['applications']} products, estimated L1 error {stats['estimated_error']:.0e}"
    rows = [_row("evolution", f"{len(times)} frames, t = {times[0]:g} … {times[-1]:g}; {how}")]
    for name, label in (("mean_loss", "mean loss"), ("entropy", "entropy"), ("free_energy", "free energy")):
        if name in last:
            values = [with_error(float(row[name]), _maybe(row.get(f"{name}_error"))) for row in (first, last)]
            rows.append(_row("", f"{label:<12} {values[0]}  →  {values[1]}"))
    if "mean_loss_error" in last:
        rows.append(_row("", "± from the grid of half the cells: |q(h) − q(2h)|/3"))
    if abs(float(last["mass"]) - 1) > 1e-6:
        rows.append(_row("", f"mass left {float(last['mass']):.6g}, the rest was absorbed"))
    return rows


def _stationary(study: Study, outcome: Outcome) -> list[str]:
    found = outcome.stationary
    if not found:
        return []
    words = [f"{found['method']}, residual {found['residual']:.0e}"]
    if "l1_difference" in found:
        words.append(f"L1 distance from the Boltzmann density {found['l1_difference']:.1e}")
    if "mean_velocity" in found:
        words.append(f"mean velocity {found['mean_velocity']:.8g}")
    return [_row("stationary", "; ".join(words))]


def _spectrum(study: Study, outcome: Outcome) -> list[str]:
    if not outcome.spectrum:
        return []
    rates, harmonic = outcome.spectrum["rates"], outcome.spectrum["harmonic"]
    shown = min(len(rates), 7)
    rows = [_row("rates", "  ".join(f"{_rate(rate):>12}" for rate in rates[:shown]))]
    if harmonic is not None:
        rows.append(_row("  harmonic", "  ".join(f"{_rate(rate):>12}" for rate in harmonic.rates[:shown])))
        place = ", ".join(
            f"{name} = {value:.4g}" for name, value in zip(study.landscape.variables, harmonic.minimum, strict=True)
        )
        curvatures = ", ".join(f"{value:.4g}" for value in harmonic.curvatures)
        rows.append(_row("", f"from the Hessian at the minimum {place}, eigenvalues {curvatures}"))
    return rows


def _rate(rate: complex) -> str:
    rate = complex(rate)
    real = 0.0 if abs(rate.real) < 1e-12 else rate.real
    if abs(rate.imag) <= 1e-9 * abs(rate):
        return f"{real:.6g}"
    return f"{real:.5g}{'+' if rate.imag > 0 else '−'}{abs(rate.imag):.5g}i"


def _first_passage(study: Study, outcome: Outcome) -> list[str]:
    found = outcome.first_passage
    if not found:
        return []
    if "time_from_start" not in found:
        return [_row("first passage", f"mean time to {found['target']} from every cell, in the file")]
    start = ", ".join(f"{name} = {value:g}" for name, value in zip(study.grid.names, found["start"], strict=True))
    time = f"{found['time_from_start']:.8g}" + (f" {study.units.time}" if study.units.time != "1" else "")
    return [_row("first passage", f"mean time to {found['target']} from {start}: {time}")]


def _simulation(study: Study, outcome: Outcome) -> list[str]:
    from fpsolver.ensemble_report import ensemble_rows

    return [_row(*row) for row in ensemble_rows(outcome.simulation, with_error)]


def describe_file(store: Results) -> str:
    """Return what a result file holds: where it comes from, and each array with its dimensions."""
    lines = [describe_origin(store)]
    for group in store.groups:
        lines += ["", f"/{group}"]
        for name in store.names(group):
            shape = " × ".join(f"{dim} {length}" for dim, length in store.shape(f"{group}/{name}").items())
            lines.append(f"  {name:<28} {shape}")
    return "\n".join(lines)


def describe_origin(store: Results) -> str:
    """Return where a result file comes from: title, software, machine, wall time, commit."""
    found = store.attributes
    machine = found.get("machine") or {}
    lines = [
        _row("title", str(found.get("title", ""))),
        _row(
            "written by", _joined(_joined(found.get("software"), found.get("softwareVersion"), " "), found.get("date"))
        ),
        _row("machine", _joined(_joined(machine.get("processor"), machine.get("system")), found.get("device"), "; ")),
        _row("wall time", "unknown" if found.get("wall_time") is None else f"{float(found['wall_time']):.2f} s"),
        _row("git commit", str(found.get("git_commit") or "none")),
    ]
    if found.get("study_overrides"):
        lines.append(_row("changed by", ", ".join(f"--set {entry}" for entry in found["study_overrides"])))
    return "\n".join(lines)


def _joined(first: Any, second: Any, separator: str = ", ") -> str:
    """Return two texts with a separator, or the one that there is."""
    return separator.join(str(text) for text in (first, second) if text)


def describe_installation() -> str:
    """Return versions, device, threads and the folder of compiled code."""
    import platform

    from fpsolver.landscapes.source_cache import cache_folder
    from fpsolver.storage.provenance import machine, threads, version, versions

    here = machine()
    rows = [
        ("fpsolver", version("fpsolver") or "not installed (run from a checkout)"),
        ("python", platform.python_version()),
        *((name, number or "not installed") for name, number in versions().items()),
        ("device", f"cpu: {here['processor']}, {here['cores']} cores"),
        ("threads", str(threads())),
        ("system", here["system"]),
        ("cache", str(cache_folder())),
    ]
    return "\n".join(_row(*row) for row in rows)


def _row(label: str, text: str) -> str:
    return f"{label:<{WIDTH}}{text}"


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)


def _size(path: Path) -> str:
    size = os.path.getsize(path)
    return f"{size / 1e6:.1f} MB" if size > 1e6 else f"{size / 1e3:.0f} kB"
