"""Two ways to split entropy production into what a steady state keeps costing and what relaxation adds.

By the stationary state π (Hatano–Sasa; Esposito–Van den Broeck), with one-way fluxes a, b and J = a − b on the edges,

    adiabatic      Σ̇_a  = Σ J ln(k_ij π_i / k_ji π_j) ≥ 0,     non-adiabatic  Σ̇_na = −Σ_i (dP_i/dt) ln(P_i/π_i) ≥ 0;

by geometry (Maes–Netočný; on networks Yoshimura and co-workers), where the excess is the least entropy production
Σ J′²/Λ with which other fluxes J′ change the density alike, Λ = J/ln(a/b) being the mobility of an edge. Both parts of
each add up to Σ J ln(a/b). The first split needs a stationary state, the second needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import DensityError
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.thermodynamics.entropy import positive_density
from fpsolver.thermodynamics.entropy_rates import edge_flows, entropy_production, require_edges


@dataclass(frozen=True)
class DissipationSplit:
    """Entropy production in two parts, in nats per unit time.

    Parameters
    ----------
    housekeeping : float
        What keeps the system out of equilibrium: the adiabatic part.
    excess : float
        What the change of the density adds: the non-adiabatic part; zero in a steady state.
    total : float
        Σ̇, from the fluxes themselves.
    """

    housekeeping: float
    excess: float
    total: float


def hatano_sasa_split(W: Any, p: Any, stationary: Any = None) -> DissipationSplit:
    """Return entropy production split by the stationary state into housekeeping (adiabatic) and excess.

    Housekeeping Σ J ln(k_ij π_i / k_ji π_j) and excess −Σ (dP/dt) ln(P/π), each at least zero; for overdamped motion in
    the limit of small cells ∫ p ν·D⁻¹ν and ∫ p (u − ν)·D⁻¹(u − ν), with local mean velocities u of p and ν of π.

    Parameters
    ----------
    W : Generator
        Markov generator at a stated time; no wall may absorb.
    p : Field or array_like
        A density of the grid's shape.
    stationary : Field or array_like, optional
        The stationary density of W; solved for where left out.

    Raises
    ------
    MethodError
        If W has no entropy production, as for `entropy_production`.
    DensityError
        If a density does not fit, or the stationary one vanishes where p does not.

    References
    ----------
    T. Hatano, S. Sasa, Phys. Rev. Lett. 86, 3463 (2001); M. Esposito, C. Van den Broeck, Phys. Rev. Lett. 104, 090601
    (2010), eqs. (9) to (11).

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 64, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0, force=(0.5,)), ring)
    >>> split = hatano_sasa_split(W, fp.density(ring, lambda x: 1 + 0.5 * np.sin(x)))
    >>> bool(min(split.housekeeping, split.excess) > 0)
    True
    >>> bool(abs(split.housekeeping + split.excess - split.total) < 1e-12)
    True
    """
    require_edges(W)
    values, grid = positive_density(p, W.grid, "p")
    if stationary is None:
        from fpsolver.solvers.stationary import stationary as solve

        stationary = solve(W)
    steady, _ = positive_density(stationary, grid, "stationary")
    if (steady[values > 0] == 0).any():
        raise DensityError("the stationary density vanishes where p does not; the split needs π > 0 there")
    held, housekeeping = values > 0, 0.0
    weights = steady * grid.volumes
    for edge, a, b in edge_flows(W, values * grid.volumes):
        flux = a - b
        moving = (flux != 0) & (weights > 0) & (edge.at_end(weights) > 0)
        with np.errstate(divide="ignore"):
            ratio = np.log((edge.forward * weights)[moving])
            ratio = ratio - np.log((edge.backward * edge.at_end(weights))[moving])
        housekeeping += float(np.sum(flux[moving] * ratio))
    change = W.apply(values) * grid.volumes
    excess = -float(np.sum(change[held] * np.log(values[held] / steady[held])))
    return DissipationSplit(housekeeping, excess, entropy_production(W, values).total)


def geometric_split(W: Any, p: Any) -> DissipationSplit:
    """Return entropy production split by geometry: the excess is the least that changes the density as W does.

    Among all fluxes J′ with the divergence of J the excess Σ J′²/Λ is smallest for J′ = −Λ Δψ, a gradient; the rest,
    of zero divergence, is housekeeping. Where forces are conservative everything is excess. In the limit of small
    cells this housekeeping is at most that of `hatano_sasa_split`. One sparse solve.

    Parameters
    ----------
    W : Generator
        Markov generator at a stated time; no wall may absorb.
    p : Field or array_like
        A density of the grid's shape, positive in every cell.

    Raises
    ------
    MethodError
        If W has no entropy production, as for `entropy_production`.
    DensityError
        If the density does not fit or vanishes somewhere.

    References
    ----------
    C. Maes, K. Netočný, J. Stat. Phys. 154, 188 (2014); K. Yoshimura, A. Kolchinsky, A. Dechant, S. Ito, Phys. Rev.
    Res. 5, 013017 (2023), section III.

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 64, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0, force=(0.5,)), ring)
    >>> p = fp.density(ring, lambda x: 1 + 0.5 * np.sin(x))
    >>> 0 < geometric_split(W, p).housekeeping < hatano_sasa_split(W, p).housekeeping
    True
    """
    from scipy.sparse.linalg import splu

    require_edges(W)
    values, grid = positive_density(p, W.grid, "p")
    if not (values > 0).all():
        cell = tuple(int(i) for i in np.argwhere(values <= 0)[0])
        raise DensityError(
            f"p vanishes in cell {cell}: the geometric split needs a density that is positive everywhere"
        )
    change = (W.apply(values) * grid.volumes).ravel()
    laplacian = _laplacian(W, values * grid.volumes)
    # The potential is fixed up to a constant: the first cell is its zero.
    potential = np.concatenate([[0.0], splu(laplacian[1:, 1:].tocsc()).solve(change[1:])])
    excess = float(potential @ change)
    total = entropy_production(W, values).total
    return DissipationSplit(total - excess, excess, total)


def _laplacian(W: Generator, mass: np.ndarray) -> sparse.csr_array:
    """Return the graph Laplacian whose conductances are the logarithmic means of the one-way fluxes of edges."""
    from fpsolver.generators.rate_matrix import edges_to_matrix

    edges, diagonal = [], np.zeros(W.grid.shape)
    for edge, a, b in edge_flows(W, mass):
        conductance = _logarithmic_mean(a, b)
        edges.append(Edge(edge.offset, -conductance, -conductance))
        diagonal += conductance + edge.arrived(conductance)
    return edges_to_matrix(W.grid.shape, tuple(edges), diagonal)


def _logarithmic_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (a − b)/ln(a/b), a where they agree, 0 where one vanishes."""
    less, difference = np.minimum(a, b), np.abs(a - b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = difference / np.log1p(difference / less)
    return np.where(less == 0, 0.0, np.where(difference == 0, a, mean))
