"""Heat and entropy production of underdamped densities: all of it is friction's, none that of the Hamiltonian flow.

The velocity part of the Klein–Kramers operator drives every velocity to the Maxwell distribution M, so that

    heat     Σ_k γ (m⟨v_k²⟩ − T),        total   Σ̇ = Σ_k γ (T/m) ∫ |∂_{v_k} ln(p/M)|² p,

and the rest, dS/dt = Σ̇ − heat/T, is the system's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.thermodynamics.entropy import positive_density
from fpsolver.thermodynamics.entropy_rates import EntropyProduction


def kinetic_heat(W: Any, p: Any) -> float:
    """Return the heat that friction and noise give to the bath per unit time, Σ_k γ(m⟨v_k²⟩ − T).

    Parameters
    ----------
    W : Generator
        Generator of underdamped dynamics at a stated time.
    p : Field or array_like
        A density of the grid's shape; of a Hermite generator it may be negative by the error of the grid.

    Raises
    ------
    MethodError
        If the dynamics is not underdamped or depends on time.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.5, friction=2.0)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-5, 5, 50), velocity={"x": (-6, 6, 120)}))
    >>> cold = fp.gaussian(W.grid, [0.0, 0.0], [[0.5, 0.0], [0.0, 0.25]])
    >>> round(kinetic_heat(W, cold), 2)
    -0.5
    """
    dynamics = _underdamped(W)
    grid, n = W.grid, W.grid.position_dimension
    weights = np.asarray(p, dtype=float) * grid.volumes
    kinetic = np.sum(axis_masses(W) * grid.points[..., n:] ** 2, axis=-1)
    if not W.markov:  # densities of Hermite generators are cell averages, which are broader by w²/12 (Sheppard)
        for k, mass in enumerate(axis_masses(W), start=n):
            kinetic = kinetic - grid.along(k, mass * grid.axes[k].widths ** 2 / 12.0)
    return dynamics.friction * (float(np.sum(weights * kinetic)) - n * dynamics.temperature * float(weights.sum()))


def kinetic_entropy_production(W: Any, p: Any) -> EntropyProduction:
    """Return the rate at which an underdamped density produces entropy, from its Fisher information in velocity.

    Computed on the faces of the velocity axes as `fisher_information` is, of second order in their width, whatever the
    scheme of W.

    Parameters
    ----------
    W : Generator
        Generator of underdamped dynamics at a stated time.
    p : Field or array_like
        A density of the grid's shape.

    Raises
    ------
    MethodError
        If the dynamics is not underdamped or depends on time.
    DensityError
        If the density is negative or does not fit the grid.

    References
    ----------
    H. Risken, The Fokker–Planck Equation (1996), section 6.4; H. Qian, Phys. Rev. E 65, 016102 (2001).

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.5, friction=2.0)
    >>> W = fp.generator(dynamics, fp.Grid(x=(-5, 5, 50), velocity={"x": (-6, 6, 120)}))
    >>> cold = fp.gaussian(W.grid, [0.0, 0.0], [[0.5, 0.0], [0.0, 0.25]])
    >>> rates = kinetic_entropy_production(W, cold)  # γ(T/v)(1 − v/T)², v the variance of the velocity
    >>> [round(rate, 1) for rate in (rates.total, rates.medium, rates.system)]
    [1.0, -1.0, 2.0]
    """
    dynamics = _underdamped(W)
    grid, n = W.grid, W.grid.position_dimension
    values, _ = positive_density(p, grid, "p")
    half = np.zeros(grid.shape)
    for k, mass in enumerate(axis_masses(W)):
        thermal = dynamics.temperature / mass  # the variance of the velocity in equilibrium
        half += dynamics.friction * thermal * _velocity_part(grid, values, n + k, 1.0 / thermal)
    total, medium = float(0.5 * half.sum()), kinetic_heat(W, values) / dynamics.temperature
    return EntropyProduction(grid, total, total - medium, medium, 0.5 * half / grid.volumes)


def axis_masses(W: Any) -> np.ndarray:
    """Return the mass that moves along each position axis of the grid, shape (d,)."""
    masses = np.empty(W.grid.position_dimension)
    masses[W.grid.order(W.dynamics.landscape.variables)] = W.dynamics.masses
    return masses


def _velocity_part(grid: Any, values: np.ndarray, k: int, precision: float) -> np.ndarray:
    """Return 4 A h √(M M′) (Δ√(p/M)/h)² of the faces across velocity axis k, added at both of their cells."""
    axis = grid.axes[k]
    distance = grid.along(k, axis.distances[: axis.cells - 1])
    lower, upper = axis.centres[:-1], axis.centres[1:]
    # √(M M′)/M = e^{∓(v′² − v²)/4·precision}: ratios to the face's own weight neither over- nor underflow.
    step = grid.along(k, 0.125 * precision * (upper**2 - lower**2))
    roots = np.sqrt(values)
    here, there = np.take(roots, np.arange(axis.cells - 1), axis=k), np.take(roots, np.arange(1, axis.cells), axis=k)
    jump = there * np.exp(step) - here * np.exp(-step)
    area = np.take(grid.volumes / grid.along(k, axis.widths), np.arange(axis.cells - 1), axis=k)
    share = 4.0 * area * jump**2 / distance
    lengths = [(0, 0)] * grid.dimension
    lengths[k] = (0, 1)
    at_lower = np.pad(share, lengths)
    lengths[k] = (1, 0)
    return at_lower + np.pad(share, lengths)


def _underdamped(W: Any) -> Any:
    dynamics = getattr(W, "dynamics", None)
    if getattr(dynamics, "masses", None) is None:
        raise MethodError(f"{W!r} is not of underdamped dynamics; use entropy_production or energy_rates")
    if not hasattr(W, "killing"):
        raise MethodError(f"{type(W).__name__} depends on time; freeze it with W.at(t) to ask for rates of heat")
    return dynamics
