"""The stationary state of a generator, with or without detailed balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import InputError, MethodError, NoStationaryState
from fpsolver.fields import Field
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.walls import warn_if_cut, warn_if_folded
from fpsolver.solvers.linear import solve_generator

# A shift of this size, relative to the fastest rate, separates the null vector from every other mode in a few steps
# of inverse iteration, and is still far above rounding.
_SHIFT = 1e-13
# A pinned cell this much emptier than the fullest one is replaced by that one.
_EMPTY = 1e6


@dataclass(frozen=True, eq=False)
class StationaryState(Field):
    """A stationary density, with the diagnosis of the solver in `stats`."""

    @property
    def method(self) -> str:
        """How the state was found."""
        return str(self.stats["method"])

    @property
    def residual(self) -> float:
        """‖W P‖₁ relative to the total rate of jumps Σ |W_ii| P_i."""
        return float(self.stats["residual"])


def stationary(generator: Any, *, tolerance: float = 1e-8) -> StationaryState:
    """Return the stationary density of a generator.

    With detailed balance it is the equilibrium density, known without solving. Otherwise one cell is held fixed and
    the rest of W P = 0 solved: by subtraction-free elimination in one dimension and on small grids (every
    cell accurate relative to itself), by sparse LU on medium ones, by multigrid on large ones.

    Parameters
    ----------
    generator : Generator
        A closed, autonomous generator.
    tolerance : float
        Error in L1 that is asked for.

    Returns
    -------
    StationaryState
        The density; `stats` holds "method", "residual", "estimated_error", "unique", "closed_classes",
        "transient_cells" and "lowest" (the smallest density, negative only where the scheme is not Markov).

    Raises
    ------
    NoStationaryState
        If probability leaks out through absorbing walls from everywhere.
    MethodError
        If the state is not unique, or the generator depends on time.

    Warns
    -----
    GridWarning
        If the grid cuts through the density and detailed balance had not told so before.

    Examples
    --------
    >>> import fpsolver as fp
    >>> law = fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5)
    >>> p = stationary(fp.generator(law, fp.Grid(x=(-5, 5, 200))))
    >>> p.method, p.stats["unique"]
    ('detailed balance', True)
    """
    require_autonomous(generator, "a stationary state")
    if generator.markov:
        recurrent = closed_class(generator)
        if generator.reversible:
            state, stats = _equilibrium(generator, recurrent)
        else:
            state, stats = _null_vector(generator.matrix, recurrent, tolerance)
            # Known only now; the generators of detailed balance and of kinetic dynamics have warned already.
            if not generator.grid.velocity:
                warn_if_cut(generator.grid, state.reshape(generator.grid.shape), stacklevel=3)
            if isinstance(generator, ChainGenerator):
                warn_if_folded(generator.grid, float(generator.folded @ state / state.sum()), stacklevel=3)
        stats["transient_cells"] = int(recurrent.size - recurrent.sum())
    else:
        state, stats = _inverse_iteration(generator)
    weights = np.ravel(generator.mass_weights)
    state = state / (weights @ state)
    density = generator.decode(state)
    stats |= {
        "residual": relative_residual(generator, state),
        "unique": True,
        "closed_classes": 1,
        "lowest": float(density.min()),
    }
    return StationaryState(generator.grid, density, stats)


def require_autonomous(generator: Any, wanted: str) -> None:
    """Raise if a generator depends on time.

    Raises
    ------
    MethodError
        With the remedy, to freeze the protocol at a time.
    """
    # A matrix may be worked out on demand: what else a generator has is asked for first.
    if not (hasattr(generator, "killing") or hasattr(generator, "matrix")):
        if callable(getattr(generator, "at", None)):
            raise MethodError(
                f"a driven generator has no time-independent rates, so {wanted} is undefined; "
                "freeze the protocol at a time t with generator.at(t)"
            )
        raise InputError(f"{generator!r} is not a generator; build one with fpsolver.generator(dynamics, grid)")


def closed_class(generator: Any) -> np.ndarray:
    """Return the cells that hold the stationary state: those of the only class that is never left.

    Parameters
    ----------
    generator : Generator
        A Markov generator.

    Returns
    -------
    ndarray of bool, shape (n_state,)
        True inside the closed class.

    Raises
    ------
    NoStationaryState
        If every class leaks.
    MethodError
        If there are several closed classes.
    """
    killing = np.ravel(generator.killing)
    if not killing.any() and (getattr(generator, "connected", False) or _fully_connected(generator)):
        return np.ones(killing.size, dtype=bool)
    graph = sparse.csr_array(generator.adjoint, copy=True)
    # Stored zeros would count as links.
    graph.eliminate_zeros()
    count, labels = sparse.csgraph.connected_components(graph, directed=True, connection="strong")
    links = sparse.coo_array(generator.matrix)
    used = (links.data > 0) & (labels[links.row] != labels[links.col])
    closed = np.ones(count, dtype=bool)
    closed[labels[links.col[used]]] = False
    closed[labels[killing > 0]] = False
    if not closed.any():
        raise NoStationaryState(
            f"no stationary state: probability leaks out through {absorbing_walls(generator)}; the slowest decaying "
            "density is given by quasi_stationary(generator)"
        )
    if closed.sum() > 1:
        where = ", ".join(_first_cell(generator.grid, labels, k) for k in np.flatnonzero(closed)[:3])
        raise MethodError(
            f"the stationary state is not unique: {closed.sum()} sets of cells are never left (containing the cells "
            f"{where}); connect them by a larger grid or a higher temperature, jumps on a lattice by cells as wide as "
            "its spacing, a network by more links, or restrict the grid to one of them"
        )
    return labels == np.flatnonzero(closed)[0]


def absorbing_walls(generator: Any) -> str:
    """Return the names of the absorbing walls of a generator's grid, for messages.

    Examples
    --------
    "the absorbing wall x = 2 (upper)", or "absorbing cells" where no wall of the grid absorbs.
    """
    names = [
        f"{name} = {bound:g} ({side})"
        for name, axis in zip(generator.grid.names, generator.grid.axes, strict=True)
        for kind, bound, side in zip(axis.boundary, (axis.lower, axis.upper), ("lower", "upper"), strict=True)
        if kind == "absorbing"
    ]
    if not names:
        return "absorbing cells"
    return f"the absorbing wall{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _first_cell(grid: Any, labels: np.ndarray, label: int) -> str:
    index = np.unravel_index(int(np.argmax(labels == label)), grid.shape)
    point = (f"{n} = {a.centres[i]:.3g}" for n, a, i in zip(grid.names, grid.axes, index, strict=True))
    return "(" + ", ".join(point) + ")"


def _fully_connected(generator: Any) -> bool:
    """Return True if every pair of neighbours along every axis is linked both ways, which needs no graph search."""
    shape = generator.grid.shape
    linked = set()
    for edge in generator.edges:
        if sum(map(abs, edge.offset)) == 1:
            axis = int(np.argmax(np.abs(edge.offset)))
            expected = generator.grid.size // shape[axis] * (shape[axis] - 1)
            if np.count_nonzero((edge.forward > 0) & (edge.backward > 0)) >= expected:
                linked.add(axis)
    return len(linked) == len(shape)


def _equilibrium(generator: Any, recurrent: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    logarithm = np.where(recurrent, np.ravel(generator.log_equilibrium), -np.inf)
    return np.exp(logarithm - logarithm.max()), {"method": "detailed balance", "estimated_error": 0.0}


def _null_vector(
    matrix: sparse.csr_array, recurrent: np.ndarray, tolerance: float
) -> tuple[np.ndarray, dict[str, Any]]:
    """Solve W P = 0 inside the closed class with one cell held at 1, the fullest one by a cheap guess."""
    cells = np.flatnonzero(recurrent)
    inner = matrix if recurrent.all() else matrix[cells][:, cells]
    state = np.zeros(recurrent.size)
    if len(cells) == 1:
        state[cells] = 1.0
        return state, {"method": "a single cell", "estimated_error": 0.0}
    pinned = _full_cell(inner)
    values, stats = _pinned(inner, pinned, tolerance)
    if stats["method"] != "elimination" and values.max() > _EMPTY:
        values, stats = _pinned(inner, int(np.argmax(values)), tolerance)
    state[cells] = values
    return state, stats


def _pinned(matrix: sparse.csr_array, pinned: int, tolerance: float) -> tuple[np.ndarray, dict[str, Any]]:
    """Solve W P = 0 for P relative to its value in one cell.

    The pinned cell is cut off from the others in a copy of the rates that shares the pattern of W: what flows into it
    is lost, what flows out of it is a source.
    """
    rates = matrix.data.copy()
    into = slice(matrix.indptr[pinned], matrix.indptr[pinned + 1])
    origins = matrix.indices[into]
    speed = -rates[into][origins == pinned][0]
    killing = np.zeros(matrix.shape[0])
    killing[origins] = rates[into]
    out_of = np.flatnonzero(matrix.indices == pinned)
    rhs = np.zeros(matrix.shape[0])
    rhs[np.searchsorted(matrix.indptr, out_of, side="right") - 1] = -rates[out_of]
    rates[into] = rates[out_of] = 0.0
    rates[into.start + int(np.flatnonzero(origins == pinned)[0])] = -speed
    killing[pinned], rhs[pinned] = speed, -speed
    cut = sparse.csr_array((rates, matrix.indices, matrix.indptr), shape=matrix.shape)
    solution, stats = solve_generator(cut, rhs, tolerance, killing=killing)
    # Iterative solvers leave rounding noise of either sign where the density is below 1e-16 of its maximum.
    return np.maximum(solution, 0.0), stats


def _full_cell(matrix: sparse.csr_array) -> int:
    """Return a cell where probability gathers: the one to which the likeliest jumps lead from most cells.

    Pinned in an empty corner, the rest of the system would be all but singular.
    """
    from fpsolver.kernels.cpu.reduction import likeliest_jumps

    n = matrix.shape[0]
    likeliest = np.empty(n, dtype=np.intp)
    likeliest_jumps(matrix.indptr, matrix.indices, matrix.data, likeliest)
    for _ in range(int(n).bit_length()):
        likeliest = likeliest[likeliest]
    return int(np.argmax(np.bincount(likeliest, minlength=n)))


def _inverse_iteration(generator: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the null vector of a matrix that is not Markov, by inverse iteration about a tiny shift."""
    from scipy.sparse.linalg import splu

    matrix = sparse.csc_matrix(generator.matrix)
    scale = float(np.abs(matrix.data).max())
    weights = np.ravel(generator.mass_weights)
    leak = np.abs(weights @ matrix).max()
    if np.any(generator.killing) or leak > 1e-9 * scale * np.abs(weights).max():
        raise NoStationaryState(
            f"no stationary state: probability leaks out through {absorbing_walls(generator)}; the slowest decaying "
            "density is given by quasi_stationary(generator)"
        )
    shift = _SHIFT * scale
    factors = splu(matrix - shift * sparse.eye_array(matrix.shape[0], format="csc"))
    # The left null vector is a start for every scheme: its overlap with the null vector is the mass of the latter.
    state = weights / (weights @ weights)
    growth = 0.0
    for _ in range(8):
        new = factors.solve(-shift * state)
        new /= weights @ new
        growth = float(np.linalg.norm(new - state) / np.linalg.norm(new))
        state = new
        if growth < 1e-12:
            break
    return state, {"method": "inverse iteration with sparse LU", "estimated_error": growth}


def relative_residual(generator: Any, state: np.ndarray, rate: complex = 0.0) -> float:
    """Return ‖W P + rate·P‖₁ relative to the total rate of jumps, Σ |W_ij| |P_j| / 2."""
    # The columns of |W| sum to twice the diagonal where W is Markov.
    speed = np.abs(generator.diagonal) if generator.markov else 0.5 * np.abs(generator.matrix).sum(axis=0)
    total = float(np.ravel(speed) @ np.abs(state))
    residual = generator.product(state) + rate * state
    return float(np.abs(residual).sum()) / max(total, np.finfo(float).tiny)
