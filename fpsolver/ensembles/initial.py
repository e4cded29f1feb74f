"""Initial states of an ensemble: points, Gaussians, densities on a grid, the stationary state, arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpsolver.dynamics import SGD, Langevin, UnderdampedLangevin
from fpsolver.ensembles.space import space_of
from fpsolver.errors import InputError, MethodError
from fpsolver.fields import Field
from fpsolver.grids import Grid

STATIONARY = "stationary"


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian density.

    Parameters
    ----------
    mean : sequence of float, shape (d,)
        Mean.
    covariance : array_like
        Covariance matrix (d, d), a vector of d variances, or one variance for all.

    Raises
    ------
    InputError
        If the shapes do not fit, or the covariance is not symmetric positive semi-definite.

    Examples
    --------
    >>> Gaussian([0.0, 1.0], 0.01).covariance
    array([[0.01, 0.  ],
           [0.  , 0.01]])
    """

    mean: Any
    covariance: Any

    def __post_init__(self) -> None:
        try:
            mean = np.atleast_1d(np.asarray(self.mean, dtype=float))
            spread = np.asarray(self.covariance, dtype=float)
        except (TypeError, ValueError):
            raise InputError(
                f"mean = {self.mean!r}, covariance = {self.covariance!r}: must be numbers or arrays of numbers"
            ) from None
        d = len(mean)
        if mean.ndim != 1 or spread.shape not in ((), (d,), (d, d)):
            raise InputError(
                f"a Gaussian with a mean of shape {mean.shape} needs a covariance of shape (), ({d},) or ({d}, {d}), "
                f"not {spread.shape}"
            )
        matrix = spread if spread.ndim == 2 else np.diag(np.broadcast_to(spread, (d,)))
        if not (np.isfinite(mean).all() and np.isfinite(matrix).all() and np.allclose(matrix, matrix.T)):
            raise InputError(f"mean = {mean.tolist()}, covariance = {matrix.tolist()}: must be finite and symmetric")
        if np.linalg.eigvalsh(matrix)[0] < -1e-12 * np.abs(matrix).max(initial=0.0):
            raise InputError(f"covariance = {matrix.tolist()} has a negative eigenvalue")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", matrix)

    def sample(self, normals: np.ndarray) -> np.ndarray:
        """Return points (n, d) from standard normal variables of that shape."""
        values, vectors = np.linalg.eigh(self.covariance)
        # Column by column: a product of matrices might round differently for other numbers of points.
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        points = np.broadcast_to(self.mean, normals.shape).copy()
        for j in range(len(self.mean)):
            points += normals[:, j, None] * root[:, j]
        return points

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Return ln p at points (n, d)."""
        d = len(self.mean)
        sign, logarithm = np.linalg.slogdet(self.covariance)
        if sign <= 0:
            raise InputError(f"a Gaussian with covariance = {self.covariance.tolist()} has no density")
        centred = np.asarray(points, dtype=float) - self.mean
        distance = np.einsum("...i,ij,...j->...", centred, np.linalg.inv(self.covariance), centred)
        return -0.5 * (distance + logarithm + d * np.log(2 * np.pi))


def initial_states(
    dynamics: Any, given: Any, n: int, normals: np.ndarray, uniforms: np.ndarray, velocities: bool
) -> np.ndarray:
    """Return initial states (n, d), or (n, 2 d) with velocities.

    Parameters
    ----------
    dynamics : Langevin, UnderdampedLangevin, SGD, JumpProcess or MarkovNetwork
        Law of motion.
    given : array_like, Gaussian, Field or "stationary"
        A point, points (n, d), a `Gaussian`, a density on a grid as a `Field`, or the stationary state of a quadratic
        landscape. A state of positions alone is completed by velocities: Maxwellian ones for underdamped dynamics,
        zero for SGD.
    n : int
        Number of trajectories.
    normals : ndarray, shape (n, columns)
        Standard normal variables.
    uniforms : ndarray, shape (n, columns + 1)
        Uniform variables.
    velocities : bool
        Whether there are velocities.

    Raises
    ------
    InputError
        If what was given does not fit.
    MethodError
        If the stationary state is not known in closed form.
    """
    space = space_of(dynamics)
    d = space.dimension
    if isinstance(given, str):
        given = stationary_gaussian(dynamics, given)
    if isinstance(given, Field):
        states = _from_grid(given, uniforms, space.variables)
        states = states if space.states is None else np.rint(states)  # a cell of the grid is a state
    elif isinstance(given, Gaussian):
        if len(given.mean) not in (d, normals.shape[1]):
            raise InputError(f"initial is a Gaussian in {len(given.mean)} dimension(s), the landscape has {d}")
        states = given.sample(normals[:, : len(given.mean)])
    else:
        states = _from_array(given, n, d, velocities)
    width = states.shape[1]
    if width != d and not (velocities and width == 2 * d):
        expected = f"{d} or {2 * d}" if velocities else f"{d}"
        raise InputError(f"the initial state has {width} components; the dynamics has {expected}")
    if velocities and width == d and isinstance(dynamics, SGD):
        states = np.concatenate([states, np.zeros_like(states)], axis=1)
    elif velocities and width == d:
        start = dynamics.at(0.0)
        thermal = np.sqrt(start.temperature / start.masses)
        states = np.concatenate([states, thermal * normals[:, normals.shape[1] - d :]], axis=1)
    return states


def _from_array(given: Any, n: int, d: int, velocities: bool) -> np.ndarray:
    try:
        points = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"initial = {given!r} is neither a point, an array of points, an fp.Gaussian, an fp.Field with a density "
            'nor "stationary"'
        ) from None
    if d == 1 and not velocities and points.shape in ((), (n,)):
        points = points.reshape(-1, 1)
    if points.ndim == 1 or points.shape == (1, d):
        points = np.broadcast_to(points, (n, points.shape[-1]))
    if points.ndim != 2 or len(points) != n:
        raise InputError(
            f"initial states of shape {points.shape} do not fit n = {n} trajectories in {d} dimension(s): give a "
            f"point ({d},) or an array ({n}, {d})"
        )
    if not np.isfinite(points).all():
        bad = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise InputError(f"initial state {bad} is {points[bad].tolist()}; it must be finite")
    return points


def require_in_range(states: np.ndarray, limit: float, first: int = 0) -> None:
    """Raise if an initial state is beyond what counts as an overflow later.

    Parameters
    ----------
    states : ndarray, shape (n, columns)
        Initial states.
    limit : float
        Largest size of a number.
    first : int
        Number of the first trajectory.

    Raises
    ------
    InputError
        Naming the first such trajectory.
    """
    allowed = (np.abs(states) <= limit).all(axis=1)
    if not allowed.all():
        bad = int(np.argmin(allowed))
        raise InputError(
            f"the initial state of trajectory {first + bad} is {states[bad].tolist()}; numbers beyond {limit:.3g} "
            "count as infinite, as their squares are. Choose a unit of length in which they are smaller"
        )


def axes_of(grid: Grid, variables: Sequence[str]) -> list[int]:
    """Return the axis of each variable, and of each velocity where the grid has them.

    Raises
    ------
    GridError
        If the grid's axes are not the variables, in any order.
    """
    velocities = (f"v_{name}" for name in variables)
    return [*grid.order(variables), *(grid.names.index(name) for name in velocities if name in grid.names)]


def _from_grid(density: Field, uniforms: np.ndarray, variables: Sequence[str]) -> np.ndarray:
    """Choose a cell by its probability, and a point in it at random."""
    grid = density.grid
    probabilities = (np.asarray(density.values) * grid.volumes).ravel()
    if not (np.isfinite(probabilities).all() and (probabilities >= 0).all() and probabilities.sum() > 0):
        raise InputError(
            f"the initial density has values from {np.min(density.values):g} to {np.max(density.values):g}; it must be "
            "finite, not negative and not zero everywhere"
        )
    bounds = np.cumsum(probabilities)
    cells = np.searchsorted(bounds, uniforms[:, 0] * bounds[-1], side="right")
    index = np.unravel_index(np.minimum(cells, np.flatnonzero(probabilities)[-1]), grid.shape)
    columns = [
        grid.axes[k].faces[index[k]] + uniforms[:, 1 + column] * grid.axes[k].widths[index[k]]
        for column, k in enumerate(axes_of(grid, variables))
    ]
    return np.stack(columns, axis=1)


def stationary_gaussian(dynamics: Any, word: str = STATIONARY) -> Gaussian:
    """Return the stationary state of undriven dynamics on a quadratic landscape with constant coefficients.

    Raises
    ------
    InputError
        If the word is another one.
    MethodError
        If there is no such state, or it is not a Gaussian.
    """
    from scipy.linalg import solve_continuous_lyapunov

    from fpsolver.ensembles.linear_chain import stationary_moments
    from fpsolver.ensembles.linear_drift import linear_drift
    from fpsolver.landscapes.quadratic_forms import quadratic_form

    if word != STATIONARY:
        raise InputError(f'initial = {word!r}: the only state with a name is "{STATIONARY}"')
    remedy = "give a density: fp.Field(grid, fp.boltzmann(landscape, grid, temperature)), or fp.stationary(generator)"
    if isinstance(dynamics, UnderdampedLangevin):
        form = quadratic_form(dynamics.at(0.0).landscape)
        if form is None or np.linalg.eigvalsh(form[0])[0] <= 0:
            raise MethodError(f'initial = "stationary" needs a quadratic landscape with a minimum; {remedy}')
        temperature = dynamics.at(0.0).temperature
        return Gaussian(-np.linalg.solve(form[0], form[1]), temperature * np.linalg.inv(form[0]))
    if isinstance(dynamics, SGD):
        return Gaussian(*stationary_moments(dynamics.at(0.0)))
    if not isinstance(dynamics, Langevin):
        raise MethodError(f'initial = "stationary" is not known for {type(dynamics).__name__}; {remedy}')
    drift = linear_drift(dynamics.at(0.0))
    if drift is None:
        raise MethodError(f'initial = "stationary" needs a quadratic landscape and constant coefficients; {remedy}')
    matrix, offset, diffusion = drift
    if np.linalg.eigvals(matrix).real.max() >= 0:
        raise MethodError('initial = "stationary": this landscape does not hold the trajectories together')
    return Gaussian(-np.linalg.solve(matrix, offset), solve_continuous_lyapunov(matrix, -2.0 * diffusion))
