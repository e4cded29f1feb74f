"""Generators of stochastic gradient descent as the discrete chain that it is: W = K − 1, the unit of time one step."""

from __future__ import annotations

import warnings

import numpy as np

from fpsolver.dynamics import SGD, GaussianNoise
from fpsolver.errors import DynamicsError, GridWarning
from fpsolver.generators.arrivals import step_matrix
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.gaussian_steps import BROAD, SPREAD, in_cells
from fpsolver.generators.sgd_steps import SGDSteps
from fpsolver.generators.walls import CUT_MASS
from fpsolver.grids import Grid

SCHEME = "sgd chain"
POOR = 0.1
"""Share of the variance of a step that a grid may add without a warning."""


def chain_generator(
    dynamics: SGD, grid: Grid, scheme: str | None = None, *, floor: float | None = None
) -> ChainGenerator:
    """Return the generator of stochastic gradient descent on a grid.

    Normal noise that is broad against the cells is sampled at their centres, which is accurate beyond all orders for
    densities that die out before the walls; narrow noise, the finite sums over minibatches and steps without noise are
    shared between neighbouring cells, so that means are exact and up to h²/4 is added to the variance. With momentum
    the chain lives on positions and velocities; the move by the new velocity is exact where velocities are whole
    numbers of cells, as on an odd number of velocity cells of the width of the position cells. Steps that lead behind a
    reflecting wall are folded back (which reverses velocities), behind an absorbing one they are lost. Absorbing walls
    and axes that are not uniform are of second order in the cell width; a target that absorbs within a larger uniform
    grid is of seventh order in first-passage problems, where all steps are broad. Three cells a standard deviation of a
    step give mean numbers of steps to 1e-5 with a target's wall on a face, but to 1e-3 with one just before a centre.

    Parameters
    ----------
    dynamics : SGD
        The chain, not driven.
    grid : Grid
        Its position axes carry the names of the landscape's variables; velocity axes where there is momentum.
    scheme : str, optional
        "sgd chain".
    floor : float, optional
        Not needed: noise of any rank is taken as it is.

    Raises
    ------
    DynamicsError
        If there is momentum without velocity axes, or there are too many different minibatches.
    GridError
        If a step is not finite, or reaches too many cells.

    Warns
    -----
    GridWarning
        If sharing between cells adds a tenth or more to the variance of the noise where the loss is lowest.

    Examples
    --------
    >>> import fpsolver as fp
    >>> sgd = fp.SGD(fp.Landscape("x**2/2"), learning_rate=0.1, noise=fp.GaussianNoise(1.0))
    >>> W = chain_generator(sgd, fp.Grid(x=(-3, 3, 200)))
    >>> p = fp.stationary(W)
    >>> round(float((p.values * W.grid.axes[0].centres**2 * W.grid.volumes).sum()), 10)
    0.0526315789
    """
    if scheme not in (None, SCHEME):
        raise DynamicsError(f"scheme = {scheme!r} is none of SGD's; its only one is {SCHEME!r}")
    if floor is not None:
        raise DynamicsError(f"floor = {floor!r} lifts rank-deficient tensors; steps need no such thing, leave it out")
    if dynamics.momentum > 0.0 and not grid.velocity:
        raise DynamicsError(
            f"with momentum = {dynamics.momentum:g} the chain lives on positions and velocities: give the grid "
            'velocity axes, fp.Grid(x=(-3, 3, 300), velocity={"x": (-1, 1, 101)}), in studies [grid.velocity.x]; or ask'
            " for trajectories, fp.simulate, or for the moments of a quadratic, fp.learning.moments"
        )
    steps = SGDSteps(dynamics, grid)
    chain = step_matrix(grid, steps.arrivals())
    _warn_if_coarse(steps)
    lost = chain.lost.reshape(grid.shape)
    sampled = isinstance(dynamics.noise, GaussianNoise) and not grid.velocity and not steps.narrow().any()
    notes = _notes(steps, chain.folded)
    return ChainGenerator(
        grid, dynamics, SCHEME, (), lost, None, notes, chain.moving, chain.staying, chain.folded, sampled
    )


def _warn_if_coarse(steps: SGDSteps) -> None:
    """Warn where cells are so wide that they, and not the noise, make the variance of steps from the lowest loss."""
    dynamics = steps.dynamics
    if dynamics.noise is None:
        return
    lowest = [int(np.argmin(dynamics.landscape.value(steps.in_variables(steps.positions))))]
    covariance = steps.covariance(steps.gradient_at[lowest])
    variances = np.diagonal(in_cells(steps.axes, steps.means[lowest], covariance)[1][0])
    excess = SPREAD - (variances if isinstance(dynamics.noise, GaussianNoise) else np.zeros_like(variances))
    names = steps.grid.names[-len(steps.axes) :]
    for k in np.flatnonzero((variances > 0.0) & (excess > POOR * variances)):
        warnings.warn(
            f"cells along {names[k]!r} are too wide for the noise: where the loss is lowest a step has a standard "
            f"deviation of {np.sqrt(variances[k]):.2g} cells, and sharing it between cells multiplies its variance by "
            f"about {1.0 + excess[k] / variances[k]:.3g}; take narrower cells",
            GridWarning,
            stacklevel=4,
        )


def _notes(steps: SGDSteps, folded: np.ndarray) -> tuple[str, ...]:
    """Return what the discretisation had to do."""
    notes, noise = [], steps.dynamics.noise
    if isinstance(noise, GaussianNoise):
        narrow = steps.narrow()
        if narrow.any():
            excess = max(SPREAD - float(steps.variances[narrow].min()), 0.0)
            added = f"about {excess:.2g} squared cells of variance are added" if excess else "variances all but exact"
            notes.append(
                f"steps from {np.count_nonzero(narrow)} of {narrow.size} cells have less than {BROAD:g} cells standard "
                f"deviation and are shared between neighbours: means are exact, {added}"
            )
    else:
        notes.append(
            "steps are shared between neighbouring cells: means are exact, up to a quarter of a squared cell of "
            "variance is added along each axis"
        )
    if steps.grid.velocity and not steps.commensurate():
        notes.append(
            "positions move by parts of cells, which are shared between neighbours; an odd number of velocity cells, "
            "as wide as those of the position, would avoid it"
        )
    leaving = int(np.count_nonzero(folded > CUT_MASS))
    if leaving:
        notes.append(
            f"from {leaving} cells a step may lead behind a wall that truncates an open space, and is folded back"
        )
    return tuple(notes)
