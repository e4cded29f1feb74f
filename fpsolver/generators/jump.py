"""Generators of jump processes on uniform grids.

Rates take the exact difference of the loss between the two centres, so that detailed balance holds to rounding. Jumps
that would lead behind a reflecting wall do not happen, those behind an absorbing wall are lost at the rate that the
law gives them, those round a periodic axis are summed over all turns.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from fpsolver.dynamics.jump import JumpProcess
from fpsolver.dynamics.proposals import Proposal
from fpsolver.errors import GridError, suggest
from fpsolver.generators.jump_rates import JumpRates
from fpsolver.generators.jump_weights import warn_if_coarse
from fpsolver.generators.matrix import MatrixGenerator, matrix_generator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.generators.walls import warn_if_cut
from fpsolver.grids import Grid

SCHEMES = ("matrix", "convolution")
FEW_ENTRIES = 100_000
"""Rates up to which a matrix is preferred."""


@dataclass(frozen=True, eq=False)
class JumpGenerator(MatrixGenerator):
    """The generator of a jump process whose rates are kept one by one."""

    @property
    def smooth(self) -> bool:
        """Whether rates are samples of a density, so that sums over cells are integrals: for all but lattices."""
        return isinstance(self.dynamics.proposal, Proposal)


def jump_generator(process: JumpProcess, grid: Grid, scheme: str | None = None) -> Generator:
    """Return the generator of a jump process.

    Parameters
    ----------
    process : JumpProcess
        Undriven.
    grid : Grid
        One uniform axis a variable.
    scheme : {"matrix", "convolution"}, optional
        How rates are kept: one by one, or as a convolution (laws "half" and "arrhenius"), which takes next to no memory
        or time; left out, as a matrix where that is small.

    Raises
    ------
    GridError
        If the axes do not fit the landscape or the proposal, or the matrix would be too large.
    LandscapeError
        If the loss is not finite on the grid or where jumps lead behind an absorbing wall.
    NumericalError
        If a rate overflows.

    Warns
    -----
    GridWarning
        If the grid cuts through the stationary density, or is coarse for the proposal.

    Examples
    --------
    >>> import fpsolver as fp
    >>> process = fp.JumpProcess(fp.Landscape("x**2/2"), temperature=0.5, proposal=fp.GaussianProposal(0.3))
    >>> W = jump_generator(process, fp.Grid(x=(-5, 5, 100)))
    >>> round(float(fp.stationary(W).values @ W.grid.axes[0].centres ** 2) * 0.1, 6)
    0.5
    """
    if scheme is not None and scheme not in SCHEMES:
        raise GridError(f"scheme = {scheme!r} is not one of {', '.join(SCHEMES)}{suggest(str(scheme), SCHEMES)}")
    if grid.velocity:
        raise GridError("a jump process has no velocities; leave velocity= out of the grid")
    rates = JumpRates(process, grid)
    warn_if_coarse(process.proposal, grid, rates.components)
    convolved = _convolved(rates, scheme)
    killing, log_equilibrium = rates.killing(), rates.log_equilibrium
    if log_equilibrium is not None and not killing.any():
        warn_if_cut(grid, np.exp(log_equilibrium - log_equilibrium.max()))
    if convolved:
        from fpsolver.generators.convolution import convolution_generator

        return convolution_generator(rates, killing, log_equilibrium)
    plain = matrix_generator(grid, process, "jump", rates.matrix(), killing=killing, log_equilibrium=log_equilibrium)
    return JumpGenerator(**{field.name: getattr(plain, field.name) for field in fields(plain)})


def _convolved(rates: JumpRates, scheme: str | None) -> bool:
    """Whether rates are kept as a convolution.

    Raises
    ------
    GridError
        If that is asked for and they are none.
    """
    possible = rates.separable and rates.log_equilibrium is not None and isinstance(rates.process.proposal, Proposal)
    if scheme == "convolution" and not possible:
        raise GridError(
            'scheme = "convolution" needs one of the laws "half" and "arrhenius", a proposal with a density and a '
            "positive attempt rate, and no loss that grows round a periodic axis; leave scheme out"
        )
    if scheme is not None or not possible:
        return scheme == "convolution"
    # Methods for matrices keep small rates better, but most of them are meant for sparse ones.
    return rates.moves.entries > FEW_ENTRIES
