"""Probabilities q_k that a proposal moves by k cells along a uniform axis.

Smooth proposals are sampled, q_k = h φ(kh/s)/s: sums over the lattice then give every moment up to aliasing, which for
a Gaussian is e^{−2π²s²/h²}, rounding from s = 1.4 h on. Kinked proposals, and smooth ones too narrow to be sampled, are
integrated over cells, from (k − ½)h to (k + ½)h, which is of second order in h. Either way Σ q_k = 1 over all k.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpsolver.dynamics.proposals import LatticeProposal, Proposal, Update
from fpsolver.errors import GridError, GridWarning
from fpsolver.grids import Grid

SAMPLED = 0.01
"""Characteristic function at the wave number of the lattice below which a smooth proposal is sampled."""
UNDERFLOW = 1e-300
"""Probabilities below which a move is left out."""
FEWEST_MOVES = 0.05
"""Share of proposals that must leave the cell they start from."""
POOR, USELESS = 0.1, 0.6
"""Relative error of a proposal's variance on the grid that is warned of, and that is refused."""
IMAGES = 100_000
"""Harmonics that are folded into one of a periodic axis, at most."""
MOST_WEIGHTS = 1_000_000
"""Cells over which weights are followed to their end."""


class AxisKernel(ABC):
    """A law of moves along one axis of equal cells; made by `axis_kernel`."""

    @abstractmethod
    def weights(self, reach: int) -> np.ndarray:
        """Return q_0, …, q_m with m = `reach`, or less where all that follow underflow."""

    @abstractmethod
    def tail(self, reach: np.ndarray) -> np.ndarray:
        """Return the probabilities of moves beyond some numbers of cells, to one side."""

    @abstractmethod
    def wrapped(self, cells: int) -> np.ndarray:
        """Return the probabilities to move by 0, …, n − 1 cells round a periodic axis, all turns summed."""

    def all_weights(self) -> np.ndarray | None:
        """Return q_0, q_1, … as far as they do not underflow; None where that is too far."""
        reach = 64
        while reach <= MOST_WEIGHTS:
            values = self.weights(reach)
            if len(values) <= reach:
                return values
            reach *= 4
        return None


@dataclass(frozen=True, eq=False)
class LatticeKernel(AxisKernel):
    """Moves by a whole number of cells, up or down.

    Parameters
    ----------
    step : int
        Number of cells.
    """

    step: int

    def weights(self, reach: int) -> np.ndarray:
        """Return q_0, …, q_m with m = `reach`, or less where all that follow underflow."""
        values = np.zeros(min(reach, self.step) + 1)
        if reach >= self.step:
            values[self.step] = 0.5
        return values

    def tail(self, reach: np.ndarray) -> np.ndarray:
        """Return the probabilities of moves beyond some numbers of cells, to one side."""
        return np.where(reach < self.step, 0.5, 0.0)

    def wrapped(self, cells: int) -> np.ndarray:
        """Return the probabilities to move by 0, …, n − 1 cells round a periodic axis, all turns summed."""
        return np.bincount(np.array([self.step, -self.step]) % cells, [0.5, 0.5], cells)


@dataclass(frozen=True, eq=False)
class DensityKernel(AxisKernel):
    """Moves whose law has a density.

    Parameters
    ----------
    proposal : Proposal
        Its density.
    ratio : float
        s/h, scale over cell width.
    """

    proposal: Proposal
    ratio: float

    @cached_property
    def sampled(self) -> bool:
        """Whether the density is sampled at the centres of cells, and not integrated over them."""
        return self.proposal.smooth and float(self.proposal.characteristic(2.0 * np.pi * self.ratio)) < SAMPLED

    @cached_property
    def total(self) -> float:
        """Sum over all cells before it is made one: by Poisson's formula, of the characteristic function."""
        return float(self._folded(np.zeros(1))[0]) if self.sampled else 1.0

    def weights(self, reach: int) -> np.ndarray:
        """Return q_0, …, q_m with m = `reach`, or less where all that follow underflow."""
        k = np.arange(reach + 1)
        if self.sampled:
            values = self.proposal.profile(k / self.ratio) / self.ratio / self.total
        else:
            # On the lower side, where the cumulative function has all its digits; the middle cell is twice its half.
            below = self.proposal.cumulative((0.5 - np.arange(1, reach + 2)) / self.ratio)
            values = np.append(1.0 - 2.0 * below[0], below[:-1] - below[1:])
        kept = np.flatnonzero(values > UNDERFLOW)
        return values[: kept[-1] + 1] if len(kept) else values[:1]

    def tail(self, reach: np.ndarray) -> np.ndarray:
        """Return the probabilities of moves beyond some numbers of cells, to one side."""
        return self.proposal.cumulative(-(np.asarray(reach) + 0.5) / self.ratio)

    def wrapped(self, cells: int) -> np.ndarray:
        """Return the probabilities to move by 0, …, n − 1 cells round a periodic axis, all turns summed."""
        values = None if self.proposal.heavy_tailed else self.all_weights()
        if values is None:
            # Where tails are heavy nothing on the circle is so small that rounding would matter.
            spectrum = self._folded(np.arange(cells // 2 + 1) / cells) / self.total
            return np.maximum(np.fft.irfft(spectrum, cells), 0.0)
        up = np.arange(len(values)) % cells
        return np.bincount(up, values, cells) + np.bincount(-up[1:] % cells, values[1:], cells)

    def _folded(self, frequencies: np.ndarray) -> np.ndarray:
        """Return Σ_k q_k e^{2πifk}: the characteristic function at f and all its aliases f + m."""
        result = np.zeros(len(frequencies))
        for m in range(IMAGES):
            for f in (frequencies + m, frequencies - m)[: 2 if m else 1]:
                term = self.proposal.characteristic(2.0 * np.pi * self.ratio * f)
                result += term if self.sampled else term * np.sinc(f)
            if float(np.abs(term).max()) < 1e-17:
                break
        return result

    @cached_property
    def variance_error(self) -> float:
        """Relative error of the variance in cells, 0 where it is infinite."""
        exact = self.proposal.profile_variance * self.ratio**2
        if not np.isfinite(exact):
            return 0.0
        reach = int(64 + 64 * self.ratio)
        q = self.weights(reach)
        k = np.arange(len(q))
        if len(q) > reach and q[-1] * k[-1] ** 3 > 1e-6 * exact:
            return 0.0  # tails so long that the sum is not at hand; then the scale is judged by moves alone
        return float(2.0 * (q * k * k).sum() / exact - 1.0)


def axis_kernel(proposal: Update, grid: Grid, k: int, component: int) -> AxisKernel:
    """Return a proposal along one axis of a grid.

    Parameters
    ----------
    proposal : Proposal or LatticeProposal
        The proposal.
    grid : Grid
        The grid.
    k : int
        Number of the axis.
    component : int
        Number of the variable that it carries.

    Raises
    ------
    GridError
        If the axis is not uniform, a lattice does not fit it, or its cells are so wide that proposals hardly ever leave
        them.
    """
    axis, name = grid.axes[k], grid.names[k]
    if not axis.uniform:
        raise GridError(
            f'jumps need cells of equal width, and those of {name!r} are placed by spacing = "{axis.spacing}"; give '
            "the axis as (lower, upper, cells)"
        )
    width = (axis.upper - axis.lower) / axis.cells
    scale = float(proposal.for_dimension(grid.dimension)[component])
    if isinstance(proposal, LatticeProposal):
        return _lattice(scale, width, name)
    if not isinstance(proposal, Proposal):
        raise GridError(f"{proposal!r} is neither a product of densities nor a lattice: it has no weights on a grid")
    kernel = DensityKernel(proposal, scale / width)
    moving, error = 1.0 - float(kernel.weights(1)[0]), kernel.variance_error
    if moving < FEWEST_MOVES or abs(error) > USELESS:
        raise GridError(
            f"cells of width {width:.4g} along {name!r} are too wide for {proposal!r}: a share {moving:.2g} of its "
            f"updates leaves the cell that it starts from; take cells no wider than {scale:.2g}"
        )
    return kernel


def warn_if_coarse(proposal: Update, grid: Grid, components: list[int], *, stacklevel: int = 4) -> None:
    """Warn where a grid gives a proposal another variance than it has.

    Parameters
    ----------
    proposal : Proposal or LatticeProposal
        The proposal.
    grid : Grid
        The grid.
    components : list of int
        Number of the variable on each axis.
    stacklevel : int
        How many calls up the user's own line is; by default behind `fpsolver.generator`.

    Warns
    -----
    GridWarning
        Naming the axis and the error, if that is a tenth or more.
    """
    for k, (component, name) in enumerate(zip(components, grid.names, strict=True)):
        kernel = axis_kernel(proposal, grid, k, component)
        error = kernel.variance_error if isinstance(kernel, DensityKernel) else 0.0
        if abs(error) > POOR:
            warnings.warn(
                f"cells of width {grid.spacings[k]:.4g} along {name!r} give {proposal!r} a variance wrong by "
                f"{error:+.0%}; the error falls as the square of the width",
                GridWarning,
                stacklevel=stacklevel,
            )


def _lattice(spacing: float, width: float, name: str) -> LatticeKernel:
    step = round(spacing / width)
    if step < 1 or abs(step * width - spacing) > 1e-9 * spacing:
        raise GridError(
            f"the spacing {spacing:.6g} along {name!r} is {spacing / width:.6g} cells of width {width:.6g}; give the "
            f"axis cells of width {spacing:.6g}, or of a whole fraction of it"
        )
    return LatticeKernel(step)
