"""First law of densities: energy, heat and work as rates, and added up along an evolution.

Heat is counted on the edges, by the flux J through each and the entropy that a jump along it gives to the bath; the
energy on the cells; the work of a force on the edges and that of a protocol, ⟨∂_tL⟩, on the cells. That they balance is
summation by parts, to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.errors import MethodError
from fpsolver.generators.rate_matrix import Generator
from fpsolver.solvers.evolve import evolve
from fpsolver.thermodynamics.entropy import entropy, positive_density
from fpsolver.thermodynamics.entropy_rates import affinity, edge_flows, require_edges, require_generator
from fpsolver.thermodynamics.kinetic_dissipation import axis_masses, kinetic_heat

NODES = 10
"""Gauss–Legendre nodes of each panel of time."""


@dataclass(frozen=True)
class EnergyRates:
    """Rates of energy, in units of loss per unit time, at fixed parameters.

    Parameters
    ----------
    energy : float
        dE/dt of the mean energy ⟨L⟩, with kinetic energy for underdamped dynamics.
    heat : float
        Heat given to the bath per unit time.
    work : float
        Work that the non-conservative force does on the system per unit time (on a periodic axis also that of a tilt).
        dE/dt = work − heat.
    """

    energy: float
    heat: float
    work: float


@dataclass(frozen=True)
class EnergyBalance:
    """What a density took up and gave away between two times.

    Parameters
    ----------
    energy_change : float
        ΔE, from the densities at both ends.
    work : float
        W done on the system, by the protocol and by forces, added up over time.
    heat : float
        Q given to the bath, added up over time.
    entropy_change : float
        ΔS of the density, in nats.
    entropy_flow : float
        ∫ đQ/T into the bath, in nats.
    """

    energy_change: float
    work: float
    heat: float
    entropy_change: float
    entropy_flow: float

    @property
    def residual(self) -> float:
        """ΔE − W + Q: the error of quadrature in time and of the solver, which the first law shows."""
        return self.energy_change - self.work + self.heat

    @property
    def entropy_production(self) -> float:
        """Total entropy production Σ = ΔS + ∫ đQ/T ≥ 0."""
        return self.entropy_change + self.entropy_flow


def energy_rates(W: Any, p: Any) -> EnergyRates:
    """Return the rates of energy, heat and work of a density at fixed parameters; dE/dt = work − heat to rounding.

    Heat is T Σ_edges J ln(k_ij v_i / k_ji v_j), which is Σ J (F·h − ΔL); for underdamped dynamics it is that of the
    friction, Σ_k γ(m⟨v_k²⟩ − T), and the work is what the error of the scheme adds to the energy.

    Parameters
    ----------
    W : Generator
        Generator of dynamics with a temperature, at a stated time.
    p : Field or array_like
        A density of the grid's shape.

    Raises
    ------
    MethodError
        If W is driven (use ``W.at(t)``), has no fluxes between cells, absorbs, or the dynamics has no temperature.
    DensityError
        If the density is negative or does not fit the grid.

    Examples
    --------
    >>> import fpsolver as fp
    >>> ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, 64, boundary="periodic"))
    >>> W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=1.0, force=(0.5,)), ring)
    >>> rates = energy_rates(W, fp.stationary(W))
    >>> bool(rates.work > 0 and abs(rates.work - rates.heat) < 1e-12)
    True
    """
    energies, dynamics = energy_on_grid(W), W.dynamics
    if getattr(dynamics, "masses", None) is not None:
        energy = float(np.sum(energies * W.apply(p) * W.grid.volumes))
        heat = kinetic_heat(W, p)
        return EnergyRates(energy, heat, energy + heat)
    require_edges(W)
    if dynamics.temperature is None:
        raise MethodError(
            "the dynamics has diffusion= in place of a temperature, so entropy flow is not heat over temperature; "
            "entropy_production gives the entropy flow"
        )
    values, grid = positive_density(p, W.grid, "p")
    heat = work = 0.0
    for edge, a, b in edge_flows(W, values * grid.volumes):
        moving = a != b
        flux, gift = (a - b)[moving], dynamics.temperature * affinity(edge, grid)[moving]
        heat += float(np.sum(flux * gift))
        work += float(np.sum(flux * (gift + (edge.at_end(energies) - energies)[moving])))
    return EnergyRates(float(np.sum(energies * W.apply(values) * grid.volumes)), heat, work)


def energy_on_grid(W: Any) -> np.ndarray:
    """Return the energy at every cell: the loss, with the kinetic energy for underdamped dynamics.

    Raises
    ------
    MethodError
        If W is driven and not frozen at a time.
    """
    require_generator(W, "energies and rates")
    loss, n = loss_on_grid(W.dynamics.landscape, W.grid), W.grid.position_dimension
    if getattr(W.dynamics, "masses", None) is None:
        return loss
    return loss + 0.5 * np.sum(axis_masses(W) * W.grid.points[..., n:] ** 2, axis=-1)


def energy_balance(
    W: Any, p: Any, t_final: float, *, start: float = 0.0, panels: int = 6, tolerance: float = 1e-10
) -> EnergyBalance:
    """Return energy, work, heat and entropy of a density that evolves, added up over time.

    Work and heat are integrated separately by Gauss–Legendre rules, on panels whose lengths double away from `start`
    and from every breakpoint of a protocol, after which densities relax; the energy is that of the densities at the
    ends. A jump of a protocol does the work ⟨L⁺ − L⁻⟩; one at `start` has happened already, one at `t_final` counts.

    Parameters
    ----------
    W : Generator or DrivenGenerator
        Generator of dynamics with a temperature.
    p : Field or array_like
        Density at `start`, of the grid's shape.
    t_final, start : float
        Ends of the time.
    panels : int
        Panels of 10 nodes between breakpoints; more where the residual of the first law is not small.
    tolerance : float
        Of `evolve`.

    Raises
    ------
    MethodError
        If the time does not advance, or rates of energy are not defined, as for `energy_rates`.

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})
    >>> stiffening = fp.Langevin(trap, temperature=1.0, protocol={"k": fp.Protocol("1 + t")})
    >>> W = fp.generator(stiffening, fp.Grid(x=(-8, 8, 160)))
    >>> balance = energy_balance(W, fp.boltzmann(trap, W.grid, 1.0), 1.0, panels=2)
    >>> round(balance.work, 2), abs(balance.residual) < 1e-6, balance.entropy_production > 0
    (0.41, True, True)
    """
    if not t_final > start:
        raise MethodError(f"t_final = {t_final!r} must come after start = {start!r}")
    first, grid = positive_density(p, W.grid, "p")
    breaks = [b for b in getattr(W, "breakpoints", ()) if start < b <= t_final]
    values, totals = first, np.zeros(3)
    for begin, end in pairwise(sorted({start, *breaks, t_final})):
        times, weights, derivative = _panels(begin, end, panels)
        solution = evolve(W, values, [*times.ravel(), end], start=begin, tolerance=tolerance, progress=False)
        along = solution.densities[:-1].reshape(*times.shape, *grid.shape)
        for moments, share, densities in zip(times, weights, along, strict=True):
            totals += _panel([_frozen(W, t) for t in moments], densities, share, derivative)
        values = solution.final
        if end in breaks:
            totals[0] += _jump(W, end, values)
    energies = [
        float(np.sum(energy_on_grid(_frozen(W, t)) * density * grid.volumes))
        for t, density in ((start, first), (t_final, values))
    ]
    work, heat, flow = map(float, totals)
    return EnergyBalance(energies[1] - energies[0], work, heat, entropy(values, grid) - entropy(first, grid), flow)


def _panel(
    generators: list[Generator], densities: np.ndarray, weights: np.ndarray, derivative: np.ndarray
) -> np.ndarray:
    """Return work, heat and heat over temperature of a panel of time, from what holds at its nodes."""
    rates = [energy_rates(W, density) for W, density in zip(generators, densities, strict=True)]
    heat = np.array([rate.heat for rate in rates])
    power = np.array([rate.work for rate in rates])
    if generators[0] is not generators[-1]:
        levels = np.stack([energy_on_grid(W) for W in generators]).reshape(len(weights), -1)
        masses = (densities * generators[0].grid.volumes).reshape(len(weights), -1)
        power += np.einsum("ki,ki->k", masses, derivative @ levels) / (0.5 * weights.sum())
    temperatures = np.array([W.dynamics.temperature for W in generators])
    return np.array([weights @ power, weights @ heat, weights @ (heat / temperatures)])


def _frozen(W: Any, t: float) -> Generator:
    return W if isinstance(W, Generator) else W.at(t)


def _jump(W: Any, time: float, values: np.ndarray) -> float:
    """Return ⟨L⁺ − L⁻⟩ of a protocol's breakpoint; rounding where it does not jump there."""
    before, after = (energy_on_grid(W.at(t)) for t in (np.nextafter(time, -np.inf), time))
    return float(np.sum((after - before) * values * W.grid.volumes))


def _panels(begin: float, end: float, panels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes and weights of panels that double in length, and the matrix d/dx on the nodes in (−1, 1)."""
    edges = begin + (end - begin) * np.concatenate([[0.0], 2.0 ** np.arange(1 - panels, 1)])
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * np.diff(edges)[:, None]
    powers = np.polynomial.legendre.legvander(nodes, NODES - 1)
    slopes = np.polynomial.legendre.legval(nodes, np.polynomial.legendre.legder(np.eye(NODES))).T
    return edges[:-1, None] + half * (1.0 + nodes), half * weights, slopes @ np.linalg.inv(powers)
