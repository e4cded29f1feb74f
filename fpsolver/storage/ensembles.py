"""Ensembles of trajectories as groups of a result file, whole or frame by frame while they run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolver.errors import StorageError
from fpsolver.storage.store import FRAMES, Store
from fpsolver.storage.tables import Table, Variable

if TYPE_CHECKING:
    from fpsolver.ensembles.ensemble import Ensemble
    from fpsolver.ensembles.observables.observable import Column, Result

ENSEMBLE = "ensemble"
"""Group of an ensemble; every observable has one below it, of its name."""

FINAL = "final"
"""Group, below that of the ensemble, of the states at the end."""

PLAIN = {"compression": "none"}
"""Attribute of arrays that are stored as they are: digits of positions are noise, which no filter makes smaller."""

PLAIN_RESULTS = ("TrajectoriesResult",)

RUN = ("scheme", "noise", "seed", "experiment", "precision", "device", "threads", "wall_time", "particle_steps",
       "particle_steps_per_second")  # fmt: skip
"""What of an ensemble's stats becomes an attribute of its group, where it is known."""


def ensemble_tables(
    ensemble: Ensemble, units: Mapping[str, str] | None = None, *, time_units: str = "1", final: bool = False
) -> dict[str, Table]:
    """Return an ensemble as tables by group: ``ensemble``, and ``ensemble/<name>`` for each observable.

    Parameters
    ----------
    ensemble : Ensemble
        From `fpsolver.simulate`.
    units : mapping of str to str, optional
        Units of quantities, "1" where not given.
    time_units : str
        Unit of time.
    final : bool
        Whether the state of every trajectory at the end is stored too, in ``ensemble/final``, uncompressed.

    Returns
    -------
    dict of str to Table
        The first dimension of every observable is time. Standard errors stand beside the values.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    >>> ensemble = fp.simulate(trap, 1000, [2.0], 0.01, 1.0, seed=7, times=4, observe=[fp.Moments()])
    >>> tables = ensemble_tables(ensemble)
    >>> list(tables)
    ['ensemble', 'ensemble/moments']
    >>> tables["ensemble/moments"].variables["mean"].dims
    ('time', 'quantity')
    """
    tables = {ENSEMBLE: _run_table(ensemble, time_units)}
    for name, result in ensemble.observables.items():
        tables[f"{ENSEMBLE}/{name}"] = _result_table(result, units or {}, time_units)
    if final:
        tables[f"{ENSEMBLE}/{FINAL}"] = _final_table(ensemble, units or {})
    return tables


class EnsembleWriter:
    """Puts an ensemble into a store while it runs: a frame for each new output, safe from kills as every frame is.

    Give it to `fpsolver.simulate` as ``on_output=``, and call `finish` with what that returns; what `finish` returns is
    for the store's.

    Parameters
    ----------
    store : Store
        Where to.
    units : mapping of str to str, optional
        Units of quantities, "1" where not given.
    time_units : str
        Unit of time.

    Examples
    --------
    >>> import fpsolver as fp
    >>> from fpsolver.storage import MemoryStore
    >>> trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    >>> store = MemoryStore()
    >>> writer = EnsembleWriter(store)
    >>> ensemble = fp.simulate(
    ...     trap, 1000, [2.0], 0.01, 1.0, seed=7, times=4, observe=[fp.Mean("x")], on_output=writer
    ... )
    >>> about = writer.finish(ensemble)
    >>> store.finish(about)["ensemble/mean_x"].variables["mean"].values.shape
    (4, 1)
    """

    def __init__(self, store: Store, units: Mapping[str, str] | None = None, *, time_units: str = "1") -> None:
        self.store = store
        self.units = dict(units or {})
        self.time_units = time_units
        self._frames = 0

    def __call__(self, ensemble: Ensemble) -> None:
        """Append the outputs that are new."""
        tables = ensemble_tables(ensemble, self.units, time_units=self.time_units)
        self.store.write(ENSEMBLE, tables.pop(ENSEMBLE))
        for group, table in tables.items():
            if len(ensemble.times) > self._frames:
                self.store.append(group, _from_frame(table, self._frames))
        self._frames = len(ensemble.times)

    def finish(self, ensemble: Ensemble, *, final: bool = False) -> dict[str, Any]:
        """Append what is left, and write the attributes that are known at the end.

        Parameters
        ----------
        ensemble : Ensemble
            As `fpsolver.simulate` returned it.
        final : bool
            Whether the state of every trajectory at the end is stored too.

        Returns
        -------
        dict
            Seed and wall time, for the root of the file: give them to the store's `finish`.
        """
        self(ensemble)
        if final:
            self.store.write(f"{ENSEMBLE}/{FINAL}", _final_table(ensemble, self.units))
        return {name: ensemble.stats.get(name) for name in ("seed", "wall_time")}


def save_ensemble(
    ensemble: Ensemble,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    units: Mapping[str, str] | None = None,
    time_units: str = "1",
    final: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write an ensemble to a result file.

    Parameters
    ----------
    ensemble : Ensemble
        From `fpsolver.simulate`.
    path : path
        The file.
    title : str
        What the file is about, for plots; by default the name of the file.
    units : mapping of str to str, optional
        Units of quantities, "1" where not given.
    time_units : str
        Unit of time.
    final : bool
        Whether the state of every trajectory at the end is stored too.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    StorageError
        If the file exists, or cannot be written.

    Examples
    --------
    >>> import tempfile, fpsolver as fp
    >>> trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    >>> ensemble = fp.simulate(trap, 1000, [2.0], 0.01, 1.0, seed=7, times=4, observe=[fp.Mean("x")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_ensemble(ensemble, f"{folder}/trap.h5")
    ...     with fp.open_results(path) as store:
    ...         store["ensemble/mean_x/mean"].shape
    (4, 1)
    """
    from fpsolver.storage.provenance import provenance
    from fpsolver.storage.segments import FileStore

    about = {"title": title or Path(path).stem}
    store = FileStore(path, overwrite=overwrite, attributes={**provenance(), **about})
    try:
        return store.finish(EnsembleWriter(store, units, time_units=time_units).finish(ensemble, final=final))
    except BaseException:
        store.abandon()
        raise


def _run_table(ensemble: Ensemble, time_units: str) -> Table:
    stats = {name: ensemble.stats[name] for name in RUN if name in ensemble.stats}
    attributes = {
        "trajectories": ensemble.n,
        "dt": ensemble.dt,
        "steps": ensemble.step,
        "t_final": ensemble.t,
        "quantities": list(ensemble.names),
    }
    return Table({FRAMES: _time(ensemble.times, time_units)}, {}, attributes | stats)


def _result_table(result: Result, units: Mapping[str, str], time_units: str) -> Table:
    kind = type(result).__name__
    plain = PLAIN if kind in PLAIN_RESULTS else {}
    coordinates = {FRAMES: _time(result.times, time_units)}
    coordinates |= {name: _variable(name, column, {}) for name, column in result.coordinates(units).items()}
    variables = {name: _variable(name, column, plain) for name, column in result.variables(units).items()}
    return Table(coordinates, variables, {"observable": kind.removesuffix("Result"), **result.attributes()})


def _variable(name: str, column: Column, attributes: Mapping[str, Any]) -> Variable:
    dims, values, unit = column
    return Variable(dims, values, unit, name.replace("_", " "), attributes)


def _time(times: Any, unit: str) -> Variable:
    return Variable((FRAMES,), np.asarray(times, dtype=float), unit, "time")


def _from_frame(table: Table, first: int) -> Table:
    """Return the frames of a table from one on; nothing is copied."""

    def cut(variable: Variable) -> Variable:
        if FRAMES not in variable.dims:
            return variable
        where = [slice(None)] * len(variable.dims)
        where[variable.dims.index(FRAMES)] = slice(first, None)
        return Variable(variable.dims, variable.values[tuple(where)], variable.units, variable.long_name,
                        variable.attributes)  # fmt: skip

    coordinates = {name: cut(variable) for name, variable in table.coordinates.items()}
    return Table(coordinates, {name: cut(variable) for name, variable in table.variables.items()}, table.attributes)


def _final_table(ensemble: Ensemble, units: Mapping[str, str]) -> Table:
    """Return positions and velocities at the end, one array for each."""
    if FINAL in ensemble.observables:
        raise StorageError(
            f'an observable is called "{FINAL}", as the final states are; give it another name, name="…"'
        )
    trajectory = Variable(("trajectory",), np.arange(ensemble.n), "1", "number of the trajectory")
    variables = {
        name: Variable(("trajectory",), values, units.get(name, "1"), name, PLAIN)
        for name, values in _final_columns(ensemble).items()
    }
    return Table({"trajectory": trajectory}, variables, {"time": ensemble.t})


def _final_columns(ensemble: Ensemble) -> dict[str, np.ndarray]:
    names = ensemble.names[: ensemble.dimension]
    columns = dict(zip(names, ensemble.final.T, strict=True))
    velocities = tuple(f"v_{name}" for name in names)
    if ensemble.names[ensemble.dimension : 2 * ensemble.dimension] == velocities:
        columns |= dict(zip(velocities, ensemble.final_velocities.T, strict=True))
    return columns
