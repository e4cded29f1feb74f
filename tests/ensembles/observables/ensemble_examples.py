"""Ensembles of numbers, and a run of an observable over them as `simulate` does it."""

import numpy as np

from fpsolver.ensembles.observables import Quantities, Snapshot

NAMES = {"x": 0, "y": 1, "work": 2}


def blocks_of(columns):
    """States (n_blocks, rows, 256) and counts of trajectories (n, rows); ghosts are NaN."""
    n, rows = columns.shape
    blocks = -(-n // 256)
    padded = np.full((blocks * 256, rows), np.nan)
    padded[:n] = columns
    states = np.ascontiguousarray(padded.reshape(blocks, 256, rows).swapaxes(1, 2))
    return states, np.clip(n - 256 * np.arange(blocks), 0, 256)


def known(columns, names=NAMES, dimension=2, **options):
    """The quantities of such an ensemble."""
    return Quantities(names, dimension, len(columns), **options)


def total(observable, columns, cuts=(), quantities=None, parameters=None, t=0.5):
    """The checked observable and its total, measured in batches that end at the given blocks."""
    quantities = quantities or known(columns)
    states, counts = blocks_of(columns)
    observable = observable.check(quantities)
    found = observable.empty()
    ends = sorted({*(cut for cut in cuts if 0 < cut < len(counts)), len(counts)})
    for first, last in zip([0, *ends], ends, strict=False):
        part = Snapshot(
            states[first:last],
            counts[first:last],
            256 * first,
            t,
            quantities,
            parameters or {},
            {"loss": lambda snapshot: snapshot.quantity("x") ** 2 / 2},
        )
        found = observable.fold(found, observable.measure(part))
    return observable, found


def observed(observable, columns, **options):
    """The result at one time."""
    checked, found = total(observable, columns, **options)
    return checked.report(np.array([0.5]), [found])
