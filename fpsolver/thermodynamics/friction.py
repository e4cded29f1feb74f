"""The friction tensor of slow driving, from the integrated correlations of the forces on the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fpsolver.densities import loss_on_grid
from fpsolver.errors import MethodError, suggest
from fpsolver.generators import generator
from fpsolver.generators.rate_matrix import Generator
from fpsolver.grids import Grid
from fpsolver.landscapes import Landscape

_STEP = 1e-3
"""Step of the differences in a parameter, relative to its size or one: exact for polynomials up to the fourth power."""


def friction_tensor(dynamics: Any, grid: Grid, parameters: Sequence[str] | str) -> np.ndarray:
    """Return ζ_ab = (1/T) ∫₀^∞ ⟨δX_a(t) δX_b(0)⟩ dt in equilibrium, with X_a = ∂L/∂λ_a: one linear solve a parameter.

    With W x_a = −δX_a π it is ζ_ab = δX_b·x_a/T. Slow driving costs ∫ λ̇ᵀζλ̇ dt above the free energy.

    Parameters
    ----------
    dynamics : Langevin or UnderdampedLangevin
        Undriven, in detailed balance, on a landscape with the parameters set.
    grid : Grid
        In any dimension.
    parameters : str or sequence of str
        Names of m parameters of the landscape.

    Returns
    -------
    ndarray (m, m)
        ζ, symmetric and positive semidefinite, in units of loss × time over the parameters' units.

    Raises
    ------
    MethodError
        If the generator is driven, is not Markov, has no detailed balance or absorbs, or a name is unknown.

    References
    ----------
    D. A. Sivak and G. E. Crooks, Phys. Rev. Lett. 108, 190602 (2012).

    Examples
    --------
    >>> import fpsolver as fp
    >>> trap = fp.Landscape("k*x**2/2", {"k": 2.0}, ("x",))
    >>> dynamics = fp.Langevin(trap, temperature=1.0)
    >>> [round(float(entry), 3) for entry in friction_tensor(dynamics, fp.Grid(x=(-6, 6, 400)), "k").ravel()]
    [0.031]
    """
    from fpsolver.solvers.linear import solve_generator

    names = [parameters] if isinstance(parameters, str) else list(parameters)
    W = generator(dynamics, grid)
    if not isinstance(W, Generator) or not W.markov or W.log_equilibrium is None or W.absorbing:
        raise MethodError("the friction tensor needs an undriven Markov generator in detailed balance, without losses")
    equilibrium = np.exp(W.log_equilibrium - W.log_equilibrium.max()).ravel()
    equilibrium /= equilibrium.sum()
    forces = np.array([conjugate_force(dynamics.landscape, grid, name).ravel() for name in names])
    forces -= (forces @ equilibrium)[:, None]
    # Fixing one cell removes the singularity; what that adds, a multiple of the equilibrium, has no δX.
    pinned = int(equilibrium.argmax())
    kept = np.arange(W.n_state) != pinned
    into = W.matrix[[pinned]][:, kept].toarray().ravel()
    solution, _ = solve_generator(W.matrix[kept][:, kept], -(forces * equilibrium)[:, kept].T, 1e-10, killing=into)
    tensor = forces[:, kept] @ solution / dynamics.temperature
    return 0.5 * (tensor + tensor.T)


def conjugate_force(landscape: Landscape, grid: Grid, parameter: str) -> np.ndarray:
    """Return X = ∂L/∂λ at the cells, of the grid's shape, by differences of fourth order in λ.

    Parameters
    ----------
    landscape : Landscape
        With the parameter's value set.
    grid : Grid
        Where.
    parameter : str
        Its name.

    Raises
    ------
    MethodError
        If the landscape has no such parameter.
    """
    if parameter not in landscape.parameters:
        names = tuple(landscape.parameters)
        raise MethodError(
            f"the landscape has no parameter {parameter!r}; it has {', '.join(names) or 'none'}"
            f"{suggest(parameter, names)}"
        )
    value = landscape.parameters[parameter]
    step = _STEP * max(abs(value), 1.0)
    far_below, below, above, far_above = (
        loss_on_grid(landscape.with_parameters(**{parameter: value + n * step}), grid) for n in (-2, -1, 1, 2)
    )
    return (8.0 * (above - below) - (far_above - far_below)) / (12.0 * step)
