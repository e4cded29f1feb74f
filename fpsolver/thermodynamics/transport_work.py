"""Least mean work in finite time where the landscape on the way is free: optimal transport to the best end.

W = min_q {F_f[q] + W₂²(p, q)/(μt_f)} − F_i[p]: whatever end density q pays, the way there costs W₂² and no more, and
the rest of the free energy is paid at the last jump. No protocol of the landscape's own parameters does better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.densities import boltzmann, loss_on_grid
from fpsolver.density_moments import checked_density
from fpsolver.errors import ConvergenceError, GridError, MethodError
from fpsolver.grids import Grid
from fpsolver.landscapes import Landscape
from fpsolver.thermodynamics.conditions import check_positive

_NEGLIGIBLE = 1e-14
"""Cells with less than this of the largest cell probability do not take part."""


@dataclass(frozen=True, eq=False)
class FullControl:
    """The least mean work under full control; made by `full_control`.

    Parameters
    ----------
    work : float
        Mean work.
    entropy_production : float
        W₂²/(μTt_f), in nats, on the way; relaxation after the end is not in it.
    positions : ndarray (n,)
        Where the probability starts: cell centres.
    targets : ndarray (n,)
        Where the optimal map takes it.
    masses : ndarray (n,)
        Cell probabilities.
    """

    work: float
    entropy_production: float
    positions: np.ndarray
    targets: np.ndarray
    masses: np.ndarray


@dataclass(frozen=True, eq=False)
class _Cost:
    """The work as a function of the targets y: Σ P[L_f(y) − L_i(x) + (y − x)²/(μt_f)] − T Σ P_edge ln(Δy/Δx)."""

    final: Landscape
    before: np.ndarray
    positions: np.ndarray
    masses: np.ndarray
    temperature: float
    drag: float

    @property
    def edges(self) -> np.ndarray:
        return 0.5 * (self.masses[1:] + self.masses[:-1])

    def value(self, y: np.ndarray) -> float:
        energy = self.final.value(y[:, None]) - self.before + self.drag * (y - self.positions) ** 2
        stretch = np.log(np.diff(y) / np.diff(self.positions))
        return float(self.masses @ energy - self.temperature * (self.edges @ stretch))

    def newton(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the Newton step, and by how much it should lower the value."""
        from scipy.linalg import LinAlgError, solveh_banded

        gap = np.diff(y)
        pull, stiff = self.temperature * self.edges / gap, self.temperature * self.edges / gap**2
        slope = self.final.gradient(y[:, None])[:, 0] + 2.0 * self.drag * (y - self.positions)
        gradient = self.masses * slope + np.append(pull, 0.0) - np.insert(pull, 0, 0.0)
        curvature = self.final.hessian(y[:, None])[:, 0, 0]
        # Where the landscape is concave the work may be as well; then only its convex part sets the step.
        for bent in (curvature, np.maximum(curvature, 0.0)):
            diagonal = self.masses * (bent + 2.0 * self.drag) + np.append(stiff, 0.0) + np.insert(stiff, 0, 0.0)
            try:
                step = solveh_banded(np.stack([np.insert(-stiff, 0, 0.0), diagonal]), -gradient)
            except LinAlgError:
                continue
            return step, float(-0.5 * gradient @ step)
        raise ConvergenceError("the work under full control has no descent direction; shorten the duration")


def full_control(
    final: Landscape,
    start: Landscape,
    grid: Grid,
    *,
    duration: float,
    temperature: float,
    mobility: float = 1.0,
    initial: Any = None,
) -> FullControl:
    """Return the least mean work from one landscape to another within a time, over all landscapes on the way.

    The minimum is the only one while μt_f times the steepest descent of the slope, −min L_f'', is below 2; for a longer
    time in a landscape with barriers it is the one nearest to the start, still the work of an admissible protocol.

    Parameters
    ----------
    final, start : Landscape
        After the end and before the start, in one variable. The loss may jump at both.
    grid : Grid
        Wide enough for the density at the start; second order in its cell width.
    duration : float
        t_f.
    temperature, mobility : float
        T and μ.
    initial : array_like, optional
        Density at the start; by default the equilibrium of `start`.

    Raises
    ------
    GridError
        If the grid has more than one axis, or a periodic one.
    MethodError
        If a number is not positive.
    ConvergenceError
        If Newton's method does not converge.

    References
    ----------
    E. Aurell, C. Mejía-Monasterio and P. Muratore-Ginanneschi, Phys. Rev. Lett. 106, 250601 (2011);
    R. Jordan, D. Kinderlehrer and F. Otto, SIAM J. Math. Anal. 29, 1 (1998), for the minimisation.

    Examples
    --------
    >>> import fpsolver as fp
    >>> soft, stiff = (fp.Landscape("k*x**2/2", {"k": k}, ("x",)) for k in (1.0, 2.0))
    >>> best = full_control(stiff, soft, fp.Grid(x=(-7, 7, 400)), duration=1.0, temperature=1.0)
    >>> round(best.work, 3)
    0.403
    """
    check_positive(duration=duration, temperature=temperature, mobility=mobility)
    if grid.dimension != 1 or grid.axes[0].periodic:
        raise GridError(f"optimal transport needs one axis that is not periodic, this is {grid!r}")
    if final.dimension != 1 or start.dimension != 1:
        raise MethodError("optimal transport needs landscapes in one variable")
    density = boltzmann(start, grid, temperature) if initial is None else checked_density(initial, grid, "initial")[0]
    masses = density * grid.volumes
    kept = np.flatnonzero(masses > _NEGLIGIBLE * masses.max())
    inner = slice(kept[0], kept[-1] + 1)
    if not (masses[inner] > 0).all():
        raise MethodError("the density at the start vanishes between cells where it does not; give one without gaps")
    cost = _Cost(
        final, loss_on_grid(start, grid)[inner], grid.axes[0].centres[inner], masses[inner] / masses[inner].sum(),
        temperature, 1.0 / (mobility * duration),
    )  # fmt: skip
    targets = _minimised(cost)
    moved = cost.drag * float(cost.masses @ (targets - cost.positions) ** 2)
    return FullControl(cost.value(targets), moved / temperature, cost.positions, targets, cost.masses)


def _minimised(cost: _Cost) -> np.ndarray:
    """Return the targets of least work, by damped Newton steps that keep their order."""
    y = cost.positions.copy()
    value = cost.value(y)
    for _ in range(200):
        step, gain = cost.newton(y)
        if gain <= 1e-13 * cost.temperature:
            return y
        closing = float(np.max(-np.diff(step) / np.diff(y)))
        share = min(1.0, 0.9 / closing) if closing > 0.0 else 1.0
        while cost.value(y + share * step) > value - 1e-4 * share * gain + 1e-15 * abs(value):
            share *= 0.5
            if share < 1e-8:
                return y
        y = y + share * step
        value = cost.value(y)
    raise ConvergenceError(f"200 Newton steps left the work {gain:.1e} above its minimum")
