"""Transition paths between two sets: committors, reactive currents and the rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fpsolver.errors import MethodError, RegionError
from fpsolver.fields import Field
from fpsolver.generators.rate_matrix import Edge
from fpsolver.grids import Grid
from fpsolver.regions import Region
from fpsolver.solvers.absorption import Absorption, absorb


def committor(W: Any, a: Region, b: Region, *, tolerance: float = 1e-8) -> Field:
    """Return the probability q to reach b before a, for every starting cell.

    Solves Wᵀ q = 0 outside both sets with q = 0 on a and 1 on b. Detailed balance is not needed. Where the grid has
    absorbing walls, what is lost there reaches neither.

    Parameters
    ----------
    W : Generator
        A Markov generator.
    a, b : Box, callable, ndarray or index
        Disjoint regions; the walls of boxes stand where they are, others snap to faces (`stats["snapped"]`).
    tolerance : float
        Error asked of the linear solver.

    Raises
    ------
    MethodError
        If W is driven or not Markov, or some cells reach neither set.
    RegionError
        If a region is empty, does not fit the grid, or the two overlap.

    References
    ----------
    W. E and E. Vanden-Eijnden, J. Stat. Phys. 123, 503 (2006).

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 100)))
    >>> q = fp.committor(W, fp.where(x=(None, -1.0)), fp.where(x=(1.0, None)))
    >>> q.at([[-1.2], [0.0], [1.2]]).round(12)
    array([0. , 0.5, 1. ])
    """
    absorption = absorb(W, {"a": a, "b": b})
    return _hitting(absorption, "b", tolerance)


def _hitting(absorption: Absorption, goal: str, tolerance: float) -> Field:
    """Return the probability to reach one of the two targets first."""
    values, stats = absorption.solve_backward(absorption.rates[goal], tolerance)
    # A probability beyond 1 can only be rounding or the solver's stated error.
    values = np.clip(values, 0.0, 1.0)
    values[absorption.labels == absorption.names.index(goal) + 1] = 1.0
    stats = {**stats, "snapped": absorption.snapped}
    return absorption.field(values, stats, {goal: 1.0})


@dataclass(frozen=True, eq=False)
class ReactiveFlux:
    """The stationary ensemble of transition paths from a to b.

    Parameters
    ----------
    grid : Grid
        The grid.
    flux : float
        Number of transitions a → b per unit time, in the stationary state.
    rate : float
        k_AB = flux divided by the probability to have come from a last: transitions per unit time spent assigned to
        a, the inverse of the mean time from a to b.
    forward : Field
        Committor q⁺, the probability to reach b before a.
    backward : Field
        Backward committor q⁻, the probability to have come from a rather than from b.
    density : ndarray
        Reactive density π q⁺ q⁻, per volume and not normalised, of the grid's shape.
    edges : tuple of (offset, current)
        Net reactive current i → i + offset through every edge outside both sets, in transitions per unit time.
    from_a, into_b : ndarray
        Reactive current that enters each cell through the wall of a, and leaves it through that of b.
    stationary : ndarray
        Stationary probability of every control volume, of the grid's shape.
    stats : mapping
        How it was found.
    """

    grid: Grid
    flux: float
    rate: float
    forward: Field
    backward: Field
    density: np.ndarray
    edges: tuple[tuple[tuple[int, ...], np.ndarray], ...]
    from_a: np.ndarray
    into_b: np.ndarray
    stationary: np.ndarray
    stats: Mapping[str, Any] = field(default_factory=dict)

    def through(self, region: Any) -> float:
        """Return the net reactive current out of a set of cells that holds a, or part of it.

        Parameters
        ----------
        region : ndarray of bool
            The cells, of the grid's shape. Any set that separates a from b gives `flux`.

        Raises
        ------
        RegionError
            If the mask does not fit the grid.
        """
        inside = np.asarray(region)
        if inside.dtype != bool or inside.shape != self.grid.shape:
            raise RegionError(f"a dividing surface is a Boolean array of shape {self.grid.shape}, not {inside.shape}")
        return dividing_current(self, inside)

    def current(self) -> np.ndarray:
        """Return the reactive current density at cell centres, shape (*shape, d), as `fpsolver.current` defines it."""
        from fpsolver.solvers.currents import cell_vectors

        return cell_vectors(self.grid, self.edges)


def dividing_current(result: ReactiveFlux, inside: np.ndarray) -> float:
    """Return the net reactive current out of a set of cells, its part of a included."""
    axes = tuple(range(result.grid.dimension))
    total = float(result.from_a[~inside].sum()) + float(result.into_b[inside].sum())
    for offset, current in result.edges:
        there = np.roll(inside, tuple(-step for step in offset), axis=axes)
        total += float(current[inside & ~there].sum()) - float(current[~inside & there].sum())
    return total


def reactive_flux(W: Any, a: Region, b: Region, *, stationary: Any = None, tolerance: float = 1e-8) -> ReactiveFlux:
    """Return the reactive flux from a to b: rate, currents and both committors.

    With gross fluxes φ_ij = π_i k_ij, the current of transition paths is φ_ij q⁻_i q⁺_j − φ_ji q⁻_j q⁺_i. The
    backward committor q⁻ is the committor of the time-reversed generator Π Wᵀ Π⁻¹, with a and b exchanged; with
    detailed balance q⁻ = 1 − q⁺, solved for on its own so that both keep their digits where they are small.

    Parameters
    ----------
    W : Generator
        A Markov generator without absorbing walls.
    a, b : Box, callable, ndarray or index
        As for `committor`.
    stationary : array_like, optional
        The stationary density, where it is known; otherwise it is the equilibrium density, or found by
        `fpsolver.stationary` without detailed balance.
    tolerance : float
        Error asked of the linear solvers.

    Raises
    ------
    MethodError
        If walls of the grid absorb, so that there is no stationary state, or as for `committor`.
    RegionError
        As for `committor`.

    References
    ----------
    P. Metzner, C. Schütte and E. Vanden-Eijnden, Multiscale Model. Simul. 7, 1192 (2009).

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.25)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 500)))
    >>> paths = fp.reactive_flux(W, fp.where(x=(None, -1.0)), fp.where(x=(1.0, None)))
    >>> round(1 / paths.rate, 2)
    14.28
    """
    absorption = absorb(W, {"a": a, "b": b})
    if not W.lattice:
        raise MethodError(
            f"the {W.scheme} scheme jumps across any distance, and reactive currents are taken through faces; for "
            "rates take mean_first_passage_time or committor"
        )
    if W.absorbing:
        raise MethodError(
            "walls of the grid absorb, so there is no stationary state whose transitions could be counted; "
            "make them reflecting"
        )
    pi = _stationary_mass(absorption, stationary)
    forward = _hitting(absorption, "b", tolerance)
    if stationary is None and W.reversible:
        backward = _hitting(absorption, "a", tolerance)
        entering = absorption.rates["a"] * pi
    else:
        reverse = _time_reversed(absorption, pi)
        backward = _hitting(reverse, "a", tolerance)
        entering = reverse.rates["a"] * pi
    return _assemble(absorption, pi, forward, backward, entering)


def _assemble(
    absorption: Absorption, pi: np.ndarray, forward: Field, backward: Field, entering: np.ndarray
) -> ReactiveFlux:
    """Put currents and rate together; `entering` is the gross flux through the wall of a into each cell."""
    ahead, behind = forward.values, backward.values
    axes = tuple(range(absorption.grid.dimension))
    currents = []
    for edge in absorption.edges:
        back = tuple(-step for step in edge.offset)
        there = tuple(np.roll(array, back, axis=axes) for array in (pi, ahead, behind))
        gain = pi * edge.forward * behind * there[1]
        loss = there[0] * edge.backward * there[2] * ahead
        currents.append((edge.offset, gain - loss))
    from_a = np.where(absorption.outside, entering * ahead, 0.0)
    into_b = np.where(absorption.outside, absorption.rates["b"] * pi * behind, 0.0)
    flux = float(from_a.sum())
    assigned = float((pi * behind).sum())
    density = pi * ahead * behind / (absorption.grid.volumes * absorption.volume_factor)
    stats = {
        "forward": forward.stats,
        "backward": backward.stats,
        "snapped": absorption.snapped,
        "imbalance": abs(float(into_b.sum()) / flux - 1) if flux else np.inf,
    }
    rate = flux / assigned if assigned else np.inf
    return ReactiveFlux(
        absorption.grid, flux, rate, forward, backward, density, tuple(currents), from_a, into_b, pi, stats
    )


def _stationary_mass(absorption: Absorption, given: Any) -> np.ndarray:
    """Return the stationary probability of every control volume."""
    W = absorption.generator
    if given is not None:
        mass = np.asarray(given, dtype=float)
        if mass.shape != W.grid.shape:
            raise RegionError(f"the stationary density has shape {mass.shape}, the grid {W.grid.shape}")
        mass = mass * W.grid.volumes
    elif W.log_equilibrium is not None:
        mass = np.exp(W.log_equilibrium - W.log_equilibrium.max())
    else:
        from fpsolver.solvers.stationary import stationary

        mass = np.asarray(stationary(W)) * W.grid.volumes
    mass = np.maximum(mass, 0.0) * absorption.volume_factor
    return mass / mass.sum()


def _time_reversed(absorption: Absorption, pi: np.ndarray) -> Absorption:
    """Return the time-reversed process Π Wᵀ Π⁻¹ outside the same targets.

    The gross flux that enters a cell through a target's wall is whatever keeps its probability stationary: what
    leaves the cell less what enters from its neighbours. The current of transition paths is then conserved exactly.
    """
    axes = tuple(range(absorption.grid.dimension))
    inverse = np.where(pi > 0, 1 / np.where(pi > 0, pi, 1.0), 0.0)
    leaving, entering = absorption.leaving * pi, np.zeros_like(pi)
    edges = []
    for edge in absorption.edges:
        back = tuple(-step for step in edge.offset)
        there, inverse_there = np.roll(pi, back, axis=axes), np.roll(inverse, back, axis=axes)
        gain, loss = pi * edge.forward, there * edge.backward
        leaving += gain + np.roll(loss, edge.offset, axis=axes)
        entering += loss + np.roll(gain, edge.offset, axis=axes)
        edges.append(Edge(edge.offset, loss * inverse, gain * inverse_there))
    estimates = _inflow(absorption, pi)
    total = estimates.sum(axis=0)
    # On a grid too coarse for its drift the balance may be negative; no flux then enters through the wall.
    balance = np.maximum(leaving - entering, 0.0) * inverse
    shares = np.where(total > 0, estimates / np.where(total > 0, total, 1.0), 0.0)
    rates = dict(zip(absorption.names, shares * balance, strict=True))
    return replace(absorption, edges=tuple(edges), rates=rates)


def _inflow(absorption: Absorption, pi: np.ndarray) -> np.ndarray:
    """Return the flux into each cell through each target's wall: the flux out less the uncut edge's net current."""
    grid = absorption.grid
    flux = np.zeros((len(absorption.names), grid.size))
    shares, flat = absorption.volume_factor.ravel(), pi.ravel()
    whole = flat / shares
    for crossing in absorption.crossings:
        cells, inside = crossing.cells, crossing.inside
        thickness = absorption.thickness(cells, crossing.axis)
        net = (whole[cells] * crossing.outward - whole[inside] * crossing.inward) * shares[cells] / thickness
        leaving = flat[cells] * crossing.rate / thickness
        np.add.at(flux, (crossing.labels - 1, cells), np.maximum(leaving - net, 0.0))
    return flux.reshape(-1, *grid.shape)
