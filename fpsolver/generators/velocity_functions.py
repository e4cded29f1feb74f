"""Hermite functions of a velocity, and their averages over the cells of a velocity axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpsolver.grids import Axis

RESOLVED = 0.75 * np.pi
"""Largest phase advance of a Hermite function across a velocity cell for which the cells still tell it apart."""
SMALLEST_SINGULAR_VALUE = 0.3
"""Combinations of functions whose cell averages are weaker than this lie outside the axis and are left out of a fit."""


@dataclass(frozen=True, eq=False)
class HermiteFunctions:
    """The functions ψ_n(v) = He_n(v/s) φ(v/s)/(s√n!) for n < count, φ the standard normal density.

    They are orthonormal under the weight 1/ψ_0, ψ_0 being the Maxwell distribution of thermal speed s, and
    ∫ψ_n dv = δ_{n0}.

    Parameters
    ----------
    axis : Axis
        Velocity axis. Its end cells stand for everything beyond them, so that averages lose no mass.
    thermal_speed : float
        s = √(T/m).
    count : int
        Number of functions, at least 2.
    """

    axis: Axis
    thermal_speed: float
    count: int

    @cached_property
    def _weighted(self) -> np.ndarray:
        """Integrals of ψ_n over cell j, divided by the root of the cell's Maxwell probability; shape (cells, count).

        From ∫ψ_n dv = −(s/√n) ψ_{n−1}. Columns are orthogonal to the first to rounding, since the integrals over all
        cells add to zero; this makes fits conserve mass.
        """
        scaled = self.axis.faces / self.thermal_speed
        primitives = np.zeros((self.axis.cells + 1, self.count))
        previous = np.zeros_like(scaled[1:-1])
        current = np.exp(-0.5 * scaled[1:-1] ** 2) / np.sqrt(2 * np.pi)
        for n in range(1, self.count):
            primitives[1:-1, n] = -current / np.sqrt(n)
            following = (scaled[1:-1] * current - np.sqrt(n - 1) * previous) / np.sqrt(n)
            previous, current = current, following
        integrals = np.diff(primitives, axis=0)
        integrals[:, 0] = self._masses
        # Cells whose Maxwell probability underflows hold nothing that these functions could tell.
        root = np.sqrt(self._masses)[:, None]
        return np.divide(integrals, root, out=np.zeros_like(integrals), where=root > 1e-140)

    @cached_property
    def _masses(self) -> np.ndarray:
        return maxwell_masses(self.axis, self.thermal_speed)

    @cached_property
    def averages(self) -> np.ndarray:
        """Average of each function over each cell, shape (count, cells): coefficients @ averages is a density."""
        return (self._weighted * (np.sqrt(self._masses) / self.axis.widths)[:, None]).T

    @cached_property
    def projection(self) -> np.ndarray:
        """Coefficients of a density from its cell averages, shape (cells, count): density @ projection.

        The least-squares fit under the weight 1/ψ_0 by the functions that the cells resolve; the coefficients of
        the others are zero. The first coefficient is the mass to rounding. The error is spectral in the number
        of functions for densities narrower than twice the thermal variance; expansions of wider ones diverge.
        """
        resolved = min(self.count, max(2, int((RESOLVED * self.thermal_speed / self.axis.widths.max()) ** 2)))
        left, singular, right = np.linalg.svd(self._weighted[:, :resolved], full_matrices=False)
        inverse = np.where(singular > SMALLEST_SINGULAR_VALUE, 1 / np.maximum(singular, SMALLEST_SINGULAR_VALUE), 0.0)
        fit = np.zeros((self.axis.cells, self.count))
        root = np.sqrt(self._masses)
        scale = np.divide(self.axis.widths, root, out=np.zeros_like(root), where=root > 1e-140)
        fit[:, :resolved] = scale[:, None] * ((left * inverse) @ right)
        fit[:, 0] = self.axis.widths
        return fit


def maxwell_masses(axis: Axis, thermal_speed: float) -> np.ndarray:
    """Return the Maxwell probability of each cell of a velocity axis, the tails beyond it in its end cells.

    Examples
    --------
    >>> maxwell_masses(Axis(-1, 1, 2), 1.0).tolist()
    [0.5, 0.5]
    """
    from scipy.special import ndtr

    scaled = axis.faces[1:-1] / thermal_speed
    below, above = ndtr(scaled), ndtr(-scaled)
    # In each tail the small side is differenced, so that far cells keep their relative accuracy.
    inner = np.where(scaled[1:] <= 0, np.diff(below), -np.diff(above))
    return np.concatenate([below[:1], inner, above[-1:]])
