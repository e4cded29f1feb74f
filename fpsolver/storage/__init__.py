"""Results on disk: HDF5 files that xarray, Julia and MATLAB open.

A run writes one file. Its groups are self-contained: the coordinates of a group lie in the group, as HDF5 dimension
scales, one for each dimension, of the dimension's name. Every dataset has ``units`` ("1" where dimensionless) and
``long_name``. ``xarray.open_datatree(path, engine="h5netcdf")`` gives the groups below as named arrays.

====================  =========================================================================================
group                 variables (dimensions)
====================  =========================================================================================
``/grid``             ``landscape`` (x, y, …), the loss at cell centres; coordinates ``x`` (cell centres) and ``x_face``
                      (cell faces, one more) for each axis
``/density``          ``density`` (time, x, y, …), probability per volume
``/observables``      against ``time``: ``mass``, ``mean_loss``, ``entropy``, ``free_energy``, the last three each with
                      its ``…_error``; ``mean`` (time, variable), ``covariance`` (time, variable, other_variable)
``/stationary``       ``density`` (x, y, …), ``boltzmann`` (x, y, …) where there is one; attributes ``mean_loss``,
                      ``entropy``, ``free_energy``
``/spectrum``         against ``mode``: ``rate_re``, ``rate_im``, ``harmonic_rate_re``, ``harmonic_rate_im``;
                      ``mode_shape_re``, ``mode_shape_im`` (mode, x, y, …)
``/first_passage``    ``mean_first_passage_time`` (x, y, …)
``/ensemble``         ``time``; attributes ``trajectories``, ``dt``, ``scheme``, ``seed``, ``particle_steps``, …
``/ensemble/NAME``    what the observable NAME found, against ``time``, with standard errors; the attribute
                      ``observable`` says what it is
``/ensemble/final``   ``x``, ``y``, … (trajectory), uncompressed; only where asked for
``/comparison/NAME``  against ``time``: ``statistic``, ``degrees_of_freedom``, ``p_value`` of the χ² test of the
                      histogram NAME against the density
====================  =========================================================================================

A sweep will put its points in leading dimensions, ``density`` (point…, time, x, …), never in a group for each point.

Rules: strings are scalar attributes of fixed length (UTF-8); None is written as "", a Boolean as int8, a dictionary or
a list as JSON; complex numbers are pairs of datasets ``name_re``, ``name_im``; the two dimensions of a square matrix
have different names. Every dataset has a checksum (fletcher32). The attributes of the root are listed in
`fpsolver.storage.encoding.ROOT_ATTRIBUTES`.

Nothing acknowledged is lost when a run is killed: frames are written to ``OUT.h5.partial/seg-NNNNNN.h5``, each file
whole, under a temporary name, synced and renamed; at the end one consolidator writes ``OUT.h5`` in the same way.

See `Store` for the four methods by which results are written and `open_results` for reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpsolver.storage.ensembles import EnsembleWriter, ensemble_tables, save_ensemble
    from fpsolver.storage.results import Results, open_results
    from fpsolver.storage.segments import FileStore, consolidate
    from fpsolver.storage.store import MemoryStore, Store
    from fpsolver.storage.tables import Table, Variable

_HOMES = {
    "EnsembleWriter": "ensembles",
    "FileStore": "segments",
    "MemoryStore": "store",
    "Results": "results",
    "Store": "store",
    "Table": "tables",
    "Variable": "tables",
    "consolidate": "segments",
    "ensemble_tables": "ensembles",
    "open_results": "results",
    "save_ensemble": "ensembles",
}

__all__ = [
    "EnsembleWriter",
    "FileStore",
    "MemoryStore",
    "Results",
    "Store",
    "Table",
    "Variable",
    "consolidate",
    "ensemble_tables",
    "open_results",
    "save_ensemble",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
