"""Warning of a grid that cuts through the density."""

from __future__ import annotations

import warnings

import numpy as np

from fpsolver.errors import GridWarning
from fpsolver.grids import Grid

CUT_MASS = 1e-6
"""Largest share of the stationary mass in cells at a wall that goes without a warning."""


def warn_if_cut(grid: Grid, probabilities: np.ndarray, *, stacklevel: int = 4) -> None:
    """Warn where a noticeable share of the stationary mass sits at a wall that was not meant as physical.

    Parameters
    ----------
    grid : Grid
        The grid; walls whose boundary was given are physical, walls by default truncate an open space.
    probabilities : ndarray
        Stationary cell probabilities, not necessarily normalised.
    stacklevel : int
        How many calls up the user's own line is; by default behind `fpsolver.generator`.

    Warns
    -----
    GridWarning
        Naming the axis, the side and the share.
    """
    total = probabilities.sum()
    cuts = []
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        if axis.physical:
            continue
        for cell, bound in ((0, axis.lower), (-1, axis.upper)):
            share = float(np.take(probabilities, cell, axis=k).sum() / total)
            if share > CUT_MASS:
                cuts.append(f"{share:.2g} of the stationary mass in the cells at {name} = {bound:g}")
    if cuts:
        warnings.warn(
            f"the grid cuts through the density: {'; '.join(cuts)}. Extend the axis, or give it "
            'boundary="reflecting" if the wall is meant',
            GridWarning,
            stacklevel=stacklevel,
        )


def warn_if_folded(grid: Grid, share: float, *, when: str = "in the stationary state", stacklevel: int = 4) -> None:
    """Warn where a noticeable share of the steps of a chain leads behind walls that were not meant as physical.

    Parameters
    ----------
    grid : Grid
        The grid.
    share : float
        Share of the steps that is folded back.
    when : str
        In which state that is.
    stacklevel : int
        How many calls up the user's own line is.

    Warns
    -----
    GridWarning
        Naming the share.
    """
    if share > CUT_MASS:
        warnings.warn(
            f"the grid is too narrow for the steps: {share:.2g} of them {when} lead behind the walls of {grid!r} and "
            "are folded back. Extend it, or give the axes "
            'boundary="reflecting" if the walls are meant',
            GridWarning,
            stacklevel=stacklevel,
        )
