"""Entropy, free energy and information measures of densities on a grid, in nats."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import rel_entr, xlogy

from fpsolver.densities import loss_on_grid
from fpsolver.density_moments import checked_density
from fpsolver.errors import DensityError, MethodError
from fpsolver.grids import Grid


def entropy(p: Any, grid: Grid | None = None) -> float:
    """Return the differential entropy of a density in nats.

    S = −Σ_i P_i ln(P_i/v_i) ≈ −∫ p ln p dθ, of second order in the cell width. It depends on the units of θ.

    Parameters
    ----------
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.

    Raises
    ------
    DensityError
        If the density is negative somewhere or does not fit the grid.

    Examples
    --------
    >>> round(entropy([0.5, 0.5], Grid(x=(-1.0, 1.0, 2))), 6)
    0.693147
    """
    values, grid = positive_density(p, grid, "p")
    return float(-np.sum(xlogy(values, values) * grid.volumes))


def kl_divergence(p: Any, q: Any, grid: Grid | None = None) -> float:
    """Return the Kullback–Leibler divergence D(p‖q) = ∫ p ln(p/q) dθ in nats; infinite where q misses mass of p.

    Parameters
    ----------
    p, q : Field or array_like
        Two densities of the grid's shape. Each is used as it is: where absorption has taken mass from p, subtract
        nothing, the sum is Σ P ln(P/Q).
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.

    Raises
    ------
    DensityError
        If a density is negative somewhere or does not fit the grid.

    Examples
    --------
    >>> round(kl_divergence([1.0, 0.0], [0.5, 0.5], Grid(x=(-1.0, 1.0, 2))), 6)
    0.693147
    """
    values, grid = positive_density(p, grid, "p")
    reference, _ = positive_density(q, grid, "q")
    return float(np.sum(rel_entr(values, reference) * grid.volumes))


def fisher_information(p: Any, grid: Grid | None = None, *, relative_to: Any = None) -> float:
    """Return the Fisher information ∫ |∇ ln(p/q)|² p dθ, with q uniform unless `relative_to` is given.

    Computed on faces as 4 Σ A h √(q_i q_j) (Δ√(p/q)/h)², which is finite where p vanishes and of second order; for
    a Gaussian it is the trace of the inverse covariance. With q the equilibrium density, T·I is the rate at which
    relative entropy T·D(p‖q) decays for unit mobility (de Bruijn's identity).

    Parameters
    ----------
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.
    relative_to : Field or array_like, optional
        A positive reference density q; it need not be normalised.

    Raises
    ------
    DensityError
        If p is negative, or q not positive, somewhere, or one does not fit the grid.

    References
    ----------
    A. J. Stam, Inf. Control 2, 101 (1959).
    """
    values, grid = positive_density(p, grid, "p")
    reference = np.ones(grid.shape)
    if relative_to is not None:
        reference, _ = positive_density(relative_to, grid, "relative_to")
        if not (reference > 0).all():
            raise DensityError("relative_to vanishes in some cells; the relative Fisher information needs q > 0")
    root = np.sqrt(values / reference)
    total = 0.0
    for k, axis in enumerate(grid.axes):
        faces = axis.cells if axis.periodic else axis.cells - 1
        distance = axis.distances[:faces]
        here, there = np.arange(faces), (np.arange(faces) + 1) % axis.cells
        jump = np.take(root, there, axis=k) - np.take(root, here, axis=k)
        weight = np.sqrt(np.take(reference, there, axis=k) * np.take(reference, here, axis=k))
        area = np.take(grid.volumes, here, axis=k) / grid.along(k, axis.widths[here])
        total += float(np.sum(4 * area * weight * jump**2 / grid.along(k, distance)))
    return total


def mean_loss(landscape: Any, p: Any, grid: Grid | None = None) -> float:
    """Return the mean loss ⟨L⟩ = Σ_i P_i L(θ_i) of a density.

    On a kinetic grid this is the mean of the loss at the positions; the kinetic energy is not in it.

    Parameters
    ----------
    landscape : Landscape
        The loss.
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field`.
    """
    values, grid = checked_density(p, grid)
    return float(np.sum(values * loss_on_grid(landscape, grid) * grid.volumes))


def free_energy(system: Any, p: Any, grid: Grid | None = None) -> float:
    """Return the non-equilibrium free energy F[p] = ⟨E⟩ − T S of a density.

    E is the loss, with the kinetic energy m v²/2 added for underdamped dynamics. On the grid
    F[p] = T Σ_i P_i ln(P_i/π_i) − T ln Z holds exactly with the generator's own equilibrium π, so F never increases
    along `evolve` of an undriven generator with detailed balance.

    Parameters
    ----------
    system : Generator or (Landscape, float)
        What fixes energy and temperature: a generator, or a landscape and a temperature.
    p : Field or array_like
        The density, of the grid's shape.
    grid : Grid, optional
        The grid; may be left out when `p` is a `Field` or `system` is a generator.

    Raises
    ------
    MethodError
        If the dynamics has no temperature (independent diffusion), or is driven and not frozen at a time.

    References
    ----------
    H. Risken, The Fokker–Planck Equation (1996), section 6.1, for the decay.
    """
    landscape, temperature, masses, own_grid = _system(system)
    values, grid = positive_density(p, own_grid if grid is None else grid, "p")
    n = grid.position_dimension
    energy = loss_on_grid(landscape, grid)
    if masses is not None and grid.dimension > n:
        energy = energy + 0.5 * np.sum(masses * grid.points[..., n:] ** 2, axis=-1)
    mean = float(np.sum(values * energy * grid.volumes))
    return mean - temperature * entropy(values, grid)


def _system(system: Any) -> tuple[Any, float, np.ndarray | None, Grid | None]:
    """Return landscape, temperature, masses and grid of what the user gave."""
    if isinstance(system, tuple):
        landscape, temperature = system
        return landscape, float(temperature), None, None
    if not hasattr(system, "killing"):
        raise MethodError(f"{system!r} is no generator at a stated time; use W.at(t), or (landscape, temperature)")
    dynamics = system.dynamics
    temperature = getattr(dynamics, "temperature", None)
    if temperature is None:
        raise MethodError(
            "the dynamics has diffusion= in place of a temperature, so it has no free energy; "
            "give (landscape, temperature) to choose one"
        )
    masses = getattr(dynamics, "masses", None)
    return dynamics.landscape, float(temperature), masses, system.grid


def positive_density(p: Any, grid: Grid | None, name: str) -> tuple[np.ndarray, Grid]:
    """Return values and grid of a density that is nowhere negative beyond rounding, which is cut off.

    Raises
    ------
    DensityError
        If the density is negative somewhere or does not fit the grid; the message calls it `name`.
    """
    values, grid = checked_density(p, grid, name)
    lowest = float(values.min())
    # Spectral and Krylov methods leave rounding-size negatives; anything larger is not a density.
    if lowest < -1e-8 * float(np.abs(values).max()):
        cell = tuple(int(i) for i in np.argwhere(values == lowest)[0])
        raise DensityError(
            f"{name} = {lowest:g} in cell {cell}; a density must not be negative. If a kinetic scheme gave it, refine "
            'the grid (the Hermite scheme undershoots less then), or use scheme="upwind", which is positive'
        )
    return np.maximum(values, 0.0), grid
