"""Entropy production of densities, from the same face fluxes that move them.

Between cells i and j of volumes v pass the one-way fluxes a = k_ij P_i and b = k_ji P_j. With J = a − b,

    total   Σ̇ = Σ J ln(a/b)                             (never negative, edge by edge),
    medium    = Σ J ln(k_ij v_i / k_ji v_j)             (heat over temperature),
    system    = Σ J ln(p_i/p_j) = −Σ (dP_i/dt) ln p_i   (dS/dt of S = −Σ P ln p),

and the first is the sum of the others. Where D = T·M the logarithm in the medium is (−ΔL + F·h)/T of the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics.networks import MarkovNetwork, markov_network
from fpsolver.errors import MethodError
from fpsolver.generators.rate_matrix import Edge, Generator
from fpsolver.grids import Grid
from fpsolver.thermodynamics.entropy import positive_density

EMPTY = 1e-12
"""Flux into an empty cell, relative to all fluxes, below which it is rounding of the density (and left out)."""


@dataclass(frozen=True, eq=False)
class EntropyProduction:
    """Rates of entropy in nats per unit time.

    Parameters
    ----------
    grid : Grid
        The grid.
    total : float
        Σ̇ ≥ 0; infinite where density flows into a cell that has none.
    system : float
        dS/dt of the density's own entropy.
    medium : float
        Entropy that flows into the bath: heat over temperature.
    local : ndarray
        Density of the total rate, per volume and time, of the grid's shape: half of each edge's share in both of its
        cells. Nowhere negative.
    """

    grid: Grid
    total: float
    system: float
    medium: float
    local: np.ndarray

    def __repr__(self) -> str:
        return f"EntropyProduction(total={self.total:.6g}, system={self.system:.6g}, medium={self.medium:.6g})"


def entropy_production(W: Any, p: Any) -> EntropyProduction:
    """Return the rate at which a density produces entropy, Σ̇ = Σ_edges J ln(a/b), its parts and where.

    Exact for the jump process on the grid, and of second order in the cell width for ∫ J·D⁻¹J/p dθ. For underdamped
    dynamics it is that of the friction, Σ_k γ(m/T) ∫ |v + (T/m) ∂_v ln p|² p, see `kinetic_entropy_production`.

    Parameters
    ----------
    W : Generator
        Generator at a stated time; no wall may absorb.
    p : Field or array_like
        A density of the grid's shape.

    Raises
    ------
    MethodError
        If W is driven (use ``W.at(t)``), not a Markov generator on cells, or absorbs: a flux without return produces
        infinite entropy.
    DensityError
        If the density is negative or does not fit the grid.

    References
    ----------
    J. Schnakenberg, Rev. Mod. Phys. 48, 571 (1976), eq. (7.6); U. Seifert, Rep. Prog. Phys. 75, 126001 (2012).

    Examples
    --------
    >>> import fpsolver as fp
    >>> grid = fp.Grid(x=(-5, 6, 400))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), grid)
    >>> rates = entropy_production(W, fp.gaussian(grid, [2.0], [[0.1]]))
    >>> [round(rate, 1) for rate in (0.5 * rates.total, rates.system, 0.5 * rates.medium)]
    [5.6, 4.0, 3.6]
    """
    if getattr(getattr(W, "dynamics", None), "masses", None) is not None:
        from fpsolver.thermodynamics.kinetic_dissipation import kinetic_entropy_production

        return kinetic_entropy_production(W, p)
    require_closed(W)
    grid = W.grid
    values, _ = positive_density(p, grid, "p")
    mass = values * grid.volumes
    if not W.lattice:
        return _of_links(W, values, mass)
    flows = tuple(edge_flows(W, mass))
    everything = sum(float(np.sum(a + b)) for _, a, b in flows)
    half, medium, change = np.zeros(grid.shape), 0.0, np.zeros(grid.shape)
    for edge, a, b in flows:
        share = _force_times_flux(a, b, EMPTY * everything)
        half += share + edge.arrived(share)
        flux = a - b
        moving = flux != 0  # elsewhere a rate may have underflowed, and the logarithm be infinite
        medium += float(np.sum(flux[moving] * affinity(edge, grid)[moving]))
        change += edge.arrived(flux) - flux
    local = 0.5 * half / grid.volumes
    return EntropyProduction(grid, float(0.5 * half.sum()), _system(values, change, everything), medium, local)


def _of_links(W: Any, values: np.ndarray, mass: np.ndarray) -> EntropyProduction:
    """Return the rates of a generator whose links are not those of a lattice; reservoirs count one by one."""
    network = W.dynamics if isinstance(W.dynamics, MarkovNetwork) else markov_network(W)
    volumes, p = W.grid.volumes.ravel(), mass.ravel()
    a, b = network.forward * p[network.tails], network.backward * p[network.heads]
    everything = float(np.sum(a + b))
    share, flux = _force_times_flux(a, b, EMPTY * everything), a - b
    # A step that is cut off far out in its tail has no way back, but carries next to nothing.
    moving = (flux != 0) & (np.isfinite(network.forces) | (np.abs(flux) > EMPTY * everything))
    ends = np.log(volumes[network.tails] / volumes[network.heads])
    medium = float(flux[moving] @ (network.forces + ends)[moving])
    half, change = np.zeros(p.size), np.zeros(p.size)
    for cells, sign in ((network.tails, -1.0), (network.heads, 1.0)):
        np.add.at(half, cells, 0.5 * share)
        np.add.at(change, cells, sign * flux)
    local = half.reshape(values.shape) / W.grid.volumes
    system = _system(values, change.reshape(values.shape), everything)
    return EntropyProduction(W.grid, float(half.sum()), system, medium, local)


def require_generator(W: Any, purpose: str) -> None:
    """Raise unless W is a generator at a stated time, which the purpose needs.

    Raises
    ------
    MethodError
        With the remedy.
    """
    if isinstance(W, Generator):
        return
    if hasattr(W, "at"):
        raise MethodError(f"{type(W).__name__} depends on time; freeze it with W.at(t) to ask for {purpose}")
    raise MethodError(f"{type(W).__name__} is no generator; give fp.generator(dynamics, grid) to ask for {purpose}")


def require_edges(W: Any) -> None:
    """Raise unless W is a Markov generator of jumps between neighbours, at a stated time, that lets nothing out.

    Raises
    ------
    MethodError
        With the remedy.
    """
    require_closed(W)
    if not W.lattice:
        raise MethodError(
            f"the {W.scheme} scheme jumps across any distance, not through faces; entropy_production serves it, and so "
            "do the currents of fp.markov_network(W)"
        )


def require_closed(W: Any) -> None:
    """Raise unless W is a Markov generator at a stated time that lets nothing out.

    Raises
    ------
    MethodError
        With the remedy.
    """
    require_generator(W, "rates of entropy")
    if not W.markov:
        raise MethodError(f"the {W.scheme} scheme has no fluxes between cells, from which entropy production is taken")
    if W.absorbing:
        raise MethodError(
            "a wall absorbs: nothing returns from it, so entropy production is infinite; use reflecting walls, or "
            "condition on survival first"
        )


def edge_flows(W: Generator, mass: np.ndarray) -> Iterator[tuple[Edge, np.ndarray, np.ndarray]]:
    """Yield every edge with the one-way fluxes along and against it, for cell probabilities `mass`."""
    for edge in W.edges:
        yield edge, edge.forward * mass, edge.backward * edge.at_end(mass)


def affinity(edge: Edge, grid: Grid) -> np.ndarray:
    """Return ln(k_ij v_i / k_ji v_j), the entropy that a jump along the edge gives to the bath; 0 without an edge."""
    linked = (edge.forward > 0) | (edge.backward > 0)
    there = edge.at_end(grid.volumes)
    with np.errstate(divide="ignore"):
        logs = np.log(edge.forward * grid.volumes, where=linked, out=np.zeros(grid.shape))
        return logs - np.log(edge.backward * there, where=linked, out=np.zeros(grid.shape))


def _force_times_flux(a: np.ndarray, b: np.ndarray, rounding: float) -> np.ndarray:
    """Return (a − b) ln(a/b) ≥ 0; infinite where one of them is zero and the other more than rounding."""
    flux, less = np.abs(a - b), np.minimum(a, b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # log1p keeps the digits close to equilibrium, where a/b is 1 to many of them.
        share = flux * np.log1p(flux / less)
    return np.where((flux == 0) | ((less == 0) & (flux <= rounding)), 0.0, share)


def _system(values: np.ndarray, change: np.ndarray, everything: float) -> float:
    """Return −Σ (dP/dt) ln p; infinite where probability flows into an empty cell."""
    held = values > 0
    if (change[~held] > EMPTY * everything).any():
        return float("inf")
    return -float(np.sum(change[held] * np.log(values[held])))
