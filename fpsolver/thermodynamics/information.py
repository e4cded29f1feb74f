"""Mutual information of densities on grids, and its flows between parts that move one at a time (bipartite)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import rel_entr

from fpsolver.errors import GridError, MethodError
from fpsolver.grids import Grid
from fpsolver.thermodynamics.entropy import positive_density
from fpsolver.thermodynamics.entropy_rates import affinity, edge_flows, require_edges


@dataclass(frozen=True)
class InformationFlow:
    """How two parts of a system exchange information.

    Parameters
    ----------
    mutual_information : float
        I in nats.
    flows : tuple of float
        Rates l_x and l_y at which the motion of each part changes I; dI/dt is their sum.
    entropy_flows : tuple of float
        Entropy per unit time that each part gives to its bath.
    system : tuple of float
        Rates at which the entropy of each part by itself changes; zero in a steady state.
    entropy_production : tuple of float
        Of the edges of each part: system + entropy flow − information flow, never negative.
    """

    mutual_information: float
    flows: tuple[float, float]
    entropy_flows: tuple[float, float]
    system: tuple[float, float]
    entropy_production: tuple[float, float]


def mutual_information(p: Any, first: Sequence[str] | str, grid: Grid | None = None) -> float:
    """Return I = ∫ p ln[p/(p_x p_y)] in nats, of second order in the cell width.

    Parameters
    ----------
    p : Field or array_like
        A normalised density of the grid's shape.
    first : str or sequence of str
        Axes that make x; the others make y.
    grid : Grid, optional
        May be left out when `p` is a `Field`.

    Raises
    ------
    GridError
        If one of the parts has no axis.

    Examples
    --------
    >>> grid = Grid(x=(0, 2, 2), y=(0, 2, 2))
    >>> round(mutual_information([[0.5, 0.0], [0.0, 0.5]], "x", grid), 6)
    0.693147
    """
    values, grid = positive_density(p, grid, "p")
    mass = values * grid.volumes
    one, other = _marginals(mass, _axes(grid, first))
    return float(np.sum(rel_entr(mass, one * other)))


def information_flow(W: Any, p: Any, first: Sequence[str] | str) -> InformationFlow:
    """Return the flows of information between two parts of a system, from the fluxes through faces.

    A jump that moves x from a to b while y rests changes ln p(x, y)/p(x)p(y); the sum over the fluxes is l_x. Each part
    keeps to a second law of its own: dS_x/dt + entropy flow − l_x ≥ 0.

    Parameters
    ----------
    W : Generator
        A Markov generator at a stated time, without absorbing walls, whose jumps move one part at a time.
    p : Field or array_like
        A density of the grid's shape, positive where W leads.
    first : str or sequence of str
        Axes that make x; the others make y.

    Raises
    ------
    MethodError
        If a jump moves both parts, as with correlated noise, or W has no fluxes.
    GridError
        If one of the parts has no axis.

    References
    ----------
    J. M. Horowitz, M. Esposito, Phys. Rev. X 4, 031015 (2014).

    Examples
    --------
    >>> import fpsolver as fp
    >>> grid = fp.Grid(x=(-6, 6, 40), y=(-7, 7, 40))
    >>> sensor = fp.Langevin(fp.Landscape("x**2/2 + y**2"), temperature=1.0, force=["0", "2*x"])
    >>> W = fp.generator(sensor, grid)
    >>> found = information_flow(W, fp.stationary(W), "x")
    >>> bool(abs(found.flows[0] + found.flows[1]) < 1e-9), bool(0 < found.flows[1] < found.entropy_flows[1])
    (True, True)
    """
    require_edges(W)
    grid = W.grid
    values, _ = positive_density(p, grid, "p")
    mass = values * grid.volumes
    axes = _axes(grid, first)
    marginals = _marginals(mass, axes)
    with np.errstate(divide="ignore"):
        pointwise = np.log(mass) - np.log(marginals[0] * marginals[1])
        # Densities of each part alone, up to a constant that differences do not see.
        own = [
            np.log(part / _volumes(grid, side))
            for part, side in zip(marginals, (axes, _others(grid, axes)), strict=True)
        ]
    rates = np.zeros((4, 2))
    for edge, along, against in edge_flows(W, mass):
        moves = {k in axes for k, step in enumerate(edge.offset) if step}
        if len(moves) > 1:
            raise MethodError(f"jumps by {edge.offset} move both parts at once: their noises are not independent")
        part = 0 if moves == {True} else 1
        flux = along - against
        on = flux != 0.0

        def total(change: np.ndarray, flux: np.ndarray = flux, on: np.ndarray = on) -> float:
            return float(np.sum(flux[on] * np.broadcast_to(change, grid.shape)[on]))

        information = total(edge.at_end(pointwise) - pointwise)
        entropy = total(affinity(edge, grid))
        system = -total(edge.at_end(np.broadcast_to(own[part], grid.shape)) - own[part])
        rates[:, part] += information, entropy, system, system + entropy - information
    flows, entropies, systems, productions = (tuple(float(v) for v in row) for row in rates)
    value = float(np.sum(rel_entr(mass, marginals[0] * marginals[1])))
    return InformationFlow(value, flows, entropies, systems, productions)  # type: ignore[arg-type]


def _volumes(grid: Grid, axes: tuple[int, ...]) -> np.ndarray:
    """Return the volumes of cells in the space of some of the axes, shaped to broadcast."""
    volume = np.ones((1,) * grid.dimension)
    for k in axes:
        volume = volume * grid.along(k, grid.axes[k].widths)
    return volume


def _marginals(mass: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of x alone and of y alone, shaped to broadcast."""
    others = tuple(k for k in range(mass.ndim) if k not in axes)
    return mass.sum(axis=others, keepdims=True), mass.sum(axis=axes, keepdims=True)


def _axes(grid: Grid, first: Sequence[str] | str) -> tuple[int, ...]:
    names = (first,) if isinstance(first, str) else tuple(first)
    axes = tuple(grid.index(name) for name in names)
    if not 0 < len(set(axes)) < grid.dimension:
        raise GridError(f"the axes {names} leave {grid.dimension - len(set(axes))} of {grid.names} to the other part")
    return axes


def _others(grid: Grid, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(k for k in range(grid.dimension) if k not in axes)
