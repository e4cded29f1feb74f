"""Quasi-stationary states: what is left, and how fast it decays, where walls or targets absorb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import ConvergenceError, MethodError
from fpsolver.fields import Field
from fpsolver.regions import Region
from fpsolver.solvers.arnoldi import dominant_pairs
from fpsolver.solvers.linear import Operator, inverse_generator
from fpsolver.solvers.stationary import require_autonomous

# Cells up to which the slowest mode is found densely; Arnoldi needs more than a handful.
_DENSE = 30


@dataclass(frozen=True, eq=False)
class QuasiStationaryState(Field):
    """The slowest decaying density of a leaking generator, of mass 1.

    Its mass decays as e^{−rate·t} and its shape stays.
    """

    @property
    def rate(self) -> float:
        """Decay rate, the probability lost per unit time."""
        return float(self.stats["rate"])

    @property
    def method(self) -> str:
        """How the state was found."""
        return str(self.stats["method"])


def quasi_stationary(generator: Any, target: Region | None = None, *, tolerance: float = 1e-10) -> QuasiStationaryState:
    """Return the slowest decaying density of a generator that loses probability, with its decay rate.

    W P = −rate · P is solved by Arnoldi iteration on −W⁻¹. In one dimension and on small grids each application is an
    elimination without subtractions, and the rate is read off as the flux into the absorbing cells, Σ κ_i P_i, so that
    the relative accuracy of the rate does not suffer from high barriers.

    Parameters
    ----------
    generator : Generator
        An autonomous Markov generator.
    target : region, optional
        A set that absorbs, in addition to absorbing walls.
    tolerance : float
        Relative change of the rate at which iterations stop.

    Returns
    -------
    QuasiStationaryState
        The density, zero in the target; `rate`; `stats` with "method", "residual" ‖W P + rate·P‖₁ relative to the total
        rate of jumps, and "classes", the number of disconnected sets of cells (of several, the slowest one shows).

    Raises
    ------
    MethodError
        If nothing absorbs, or absorption is never reached from some cells.

    Examples
    --------
    Brownian motion between absorbing walls decays at the rate D (π/2L)².

    >>> import fpsolver as fp
    >>> law = fp.Langevin(fp.Landscape("0*x"), temperature=1.0)
    >>> q = quasi_stationary(fp.generator(law, fp.Grid(x=fp.Axis(-1, 1, 200, boundary="absorbing"))))
    >>> round(q.rate, 3), round(np.pi**2 / 4, 3)
    (2.467, 2.467)
    """
    require_autonomous(generator, "a quasi-stationary state")
    cells, matrix, killing, volumes = _leaking(generator, target)
    try:
        inverse, method = inverse_generator(matrix, killing)
        state = _slowest(inverse, len(killing))
    except MethodError:
        raise MethodError(
            "some cells never lose their probability, so that the slowest rate is zero; "
            "ask for the stationary state, or restrict the grid to cells from which a wall or the target is reached"
        ) from None
    state, rate, change = _polished(inverse, killing, state, tolerance)
    speed = np.abs(matrix.diagonal())
    links = sparse.csr_array(matrix, copy=True)
    links.eliminate_zeros()
    classes = sparse.csgraph.connected_components(links, directed=True, connection="strong")[0]
    stats = {
        "method": f"inverse iteration by {method}",
        "rate": rate,
        "residual": float(np.abs(matrix @ state + rate * state).sum() / (speed @ state)),
        "estimated_error": change,
        "classes": int(classes),
    }
    density = np.zeros(generator.grid.size)
    density[cells] = state / volumes
    return QuasiStationaryState(generator.grid, density.reshape(generator.grid.shape), stats)


def _leaking(generator: Any, target: Region | None) -> tuple[np.ndarray, sparse.csr_array, np.ndarray, np.ndarray]:
    """Return the cells outside the target, W among them, their killing rates and their volumes."""
    if not generator.markov:
        raise MethodError(
            f"the {generator.scheme} scheme is not Markov, so that nothing can absorb in it; "
            'choose a Markov one, for kinetic dynamics scheme="upwind"'
        )
    if target is None:
        if not generator.absorbing:
            raise MethodError(
                "nothing absorbs, so that the slowest density is the stationary one: use stationary(generator), make "
                'an axis boundary="absorbing", or give target='
            )
        everywhere = np.arange(generator.n_state)
        return everywhere, generator.matrix, np.ravel(generator.killing), np.ravel(generator.grid.volumes)
    from fpsolver.solvers.absorption import absorb

    absorption = absorb(generator, {"target": target})
    cells = np.flatnonzero(absorption.outside)
    matrix = absorption.absorbing_generator().matrix[cells][:, cells]
    volumes = (generator.grid.volumes * absorption.volume_factor).ravel()[cells]
    return cells, matrix, absorption.leaving.ravel()[cells], volumes


def _slowest(inverse: Operator, size: int) -> np.ndarray:
    """Return the dominant eigenvector of −W⁻¹, a good start for what follows."""
    if size <= _DENSE:
        values, vectors = np.linalg.eig(np.stack([inverse(unit) for unit in np.eye(size)], axis=1))
        return np.abs(vectors[:, int(np.argmax(values.real))])
    start = np.random.default_rng(0).uniform(0.5, 1.5, size)
    return np.abs(dominant_pairs(inverse, inverse(start), 1, 1e-8)[1][:, 0])


def _polished(
    inverse: Operator, killing: np.ndarray, state: np.ndarray, tolerance: float
) -> tuple[np.ndarray, float, float]:
    """Return the state after inverse iteration on non-negative numbers, its rate, and the rate's last change."""
    state = state / state.sum()
    rate = float(killing @ state)
    change = np.inf
    for _ in range(200):
        state = np.maximum(inverse(state), 0.0)
        state /= state.sum()
        before, rate = rate, float(killing @ state)
        change = abs(rate / before - 1)
        if change <= tolerance:
            return state, rate, change
    raise ConvergenceError(
        f"the decay rate still changes by {change:.1e} per step; two decaying densities are all but equally slow, "
        "restrict the grid to one of them or ask spectrum(generator) for both"
    )
