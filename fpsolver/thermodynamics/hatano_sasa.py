"""Between steady states out of equilibrium: the Hatano–Sasa functional, and housekeeping on a ring.

Dynamics is switched in stages, each with a steady density π_k and the potential φ_k = −ln π_k. Along a trajectory that
starts in the first steady state

    Y = Σ_k [φ_{k+1}(θ) − φ_k(θ)] at the switches,   ⟨e^{−Y}⟩ = 1,   ⟨Y⟩ ≥ 0,

which is ∫ λ̇ ∂_λφ dt of a protocol in steps; what keeps the steady states going obeys ⟨e^{−Σ_hk}⟩ = 1 from any start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.errors import InputError, MethodError
from fpsolver.fields import Field
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid


@dataclass(frozen=True, eq=False)
class Transitions:
    """What trajectories did that were taken from steady state to steady state.

    Parameters
    ----------
    hatano_sasa : ndarray (n,)
        Y.
    housekeeping : ndarray (n,) or None
        Σ_hk = q_hk/T; on a ring only.
    final : ndarray (n, d)
        Where they ended.
    """

    hatano_sasa: np.ndarray
    housekeeping: np.ndarray | None
    final: np.ndarray


def switched_steady_states(
    stages: Sequence[tuple[Any, float]], grid: Grid, *, n: int, dt: float, seed: int, scheme: str = "heun",
    experiment: int = 0, threads: int | None = None,
) -> Transitions:  # fmt: skip
    """Simulate trajectories through stages of dynamics, and return their Hatano–Sasa functional and housekeeping.

    The steady densities are those of a grid, interpolated; so Y is of second order in the cell width, and with the
    default scheme in the time step.

    Parameters
    ----------
    stages : sequence of (Langevin, float)
        Dynamics and how long it holds; trajectories start in the steady state of the first, which is switched at once.
        The last stage may have the duration zero.
    grid : Grid
        For the steady densities.
    n : int
        Number of trajectories.
    dt, seed, scheme, experiment, threads
        As for `fpsolver.simulate`; stage k has the number experiment + k.

    Raises
    ------
    InputError
        If there are fewer than two stages, or a duration is negative.

    References
    ----------
    T. Hatano, S. Sasa, Phys. Rev. Lett. 86, 3463 (2001), eq. (13); T. Speck, U. Seifert, J. Phys. A 38, L581 (2005).

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 256, boundary="periodic"))
    >>> still, fast = (fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0, force=(f,)) for f in (0.0, 2.0))
    >>> found = switched_steady_states([(still, 0.0), (fast, 1.0), (still, 0.0)], ring, n=20_000, dt=0.02, seed=1)
    >>> terms = np.exp(-found.hatano_sasa)
    >>> bool(abs(terms.mean() - 1) < 4 * terms.std() / len(terms) ** 0.5)
    True
    """
    import fpsolver as fp

    if len(stages) < 2 or any(duration < 0.0 for _, duration in stages):
        raise InputError(f"{len(stages)} stage(s) of durations {[time for _, time in stages]}: give two, none negative")
    generators: list[Any] = [fp.generator(dynamics, grid) for dynamics, _ in stages]
    steady = [fp.stationary(W) for W in generators]
    potentials = [Field(grid, -np.log(np.asarray(one)), {}) for one in steady]
    one_way = grid.dimension == 1 and grid.axes[0].periodic
    points = fp.simulate(stages[0][0], n, steady[0], dt, 0.0, seed=seed, experiment=experiment).final
    functional, housekeeping = np.zeros(n), np.zeros(n)
    for k, (dynamics, duration) in enumerate(stages):
        if k > 0:
            functional += potentials[k].at(_within(grid, points)) - potentials[k - 1].at(_within(grid, points))
        if duration > 0.0:
            before = points
            points = fp.simulate(
                dynamics, n, before, dt, duration, seed=seed, experiment=experiment + k + 1, scheme=scheme,
                threads=threads,
            ).final  # fmt: skip
            if one_way:
                housekeeping += housekeeping_on_a_ring(generators[k], steady[k], before, points)
    return Transitions(functional, housekeeping if one_way else None, points)


def housekeeping_on_a_ring(W: Generator, steady: Field, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return Σ_hk = ∫ (J/Dπ) ∘ dx between positions on the line, which depends on both ends alone.

    Between centres of cells i and j it is Σ ln(k_ij π_i/k_ji π_j), the force of the adiabatic current.

    Parameters
    ----------
    W : Generator
        On a grid with one periodic axis.
    steady : Field
        Its steady density.
    before, after : ndarray (n, 1)
        Positions, counted on along the line where trajectories go round.

    Raises
    ------
    MethodError
        If the grid is no ring, or the edges do not join neighbours.
    """
    axis = W.grid.axes[0]
    if W.grid.dimension != 1 or not axis.periodic or len(W.edges) != 1:
        raise MethodError("housekeeping is a function of the position only on a ring: one periodic axis")
    mass = np.asarray(steady) * W.grid.volumes
    edge = W.edges[0]
    rise = np.log(edge.forward * mass) - np.log(edge.backward * np.roll(mass, -edge.offset[0]))
    if edge.offset[0] != 1:
        raise MethodError(f"the edges of this ring go {edge.offset[0]} cells at once; housekeeping needs neighbours")
    turn, length = float(rise.sum()), axis.upper - axis.lower
    # Beyond the last centre the function goes on with the first of the next turn.
    places = np.append(axis.centres, axis.centres[0] + length)
    heights = np.append(0.0, np.cumsum(rise))

    def height(points: np.ndarray) -> np.ndarray:
        from scipy.interpolate import make_interp_spline

        turns, rest = np.divmod(points[:, 0] - axis.centres[0], length)
        # What is left of the mean rise is periodic, and smooth enough for a cubic spline.
        bump = heights - turn * (places - places[0]) / length
        bump[-1] = bump[0]
        spline = make_interp_spline(places, bump, k=3, bc_type="periodic")
        return turn * (turns + rest / length) + spline(rest + places[0])

    return height(np.asarray(after)) - height(np.asarray(before))


def _within(grid: Grid, points: np.ndarray) -> np.ndarray:
    """Return points with periodic coordinates in the first turn."""
    moved = np.array(points, dtype=float)
    for k, axis in enumerate(grid.axes):
        if axis.periodic:
            moved[:, k] = axis.lower + np.mod(moved[:, k] - axis.lower, axis.upper - axis.lower)
    return moved
