"""Generator of underdamped dynamics in Hermite functions of velocity: spectral in velocity, second order in position.

With p(x, v) = Σ_n c_n(x) ψ_n(v), s = √(T/m) and U = L/T the Klein–Kramers equation is the ladder

    ∂_t c_n = −nγ c_n − s√n (∂_x + U') c_{n−1} − s√(n+1) ∂_x c_{n+1}

(Brinkman's hierarchy; H. Risken, The Fokker–Planck Equation, Springer 1989, chapter 10). Written for
a_n = c_n/√π with the Gibbs weights π, the two couplings are minus each other's transpose, and they stay so here:
the state vector holds a_n, and the matrix is −γ·diag(n) plus a skew-symmetric matrix. Evolution never lengthens a
state, the L1 norm of a density is at most about the length of its state, and the Gibbs state √π is stationary.

Even n live on position cells, odd n on the faces between them: no decoupled checkerboards, and reflecting walls (odd
coefficients vanish there) come by themselves. The coupling of n = 0 and 1 has Scharfetter–Gummel weights, so that for
large friction the rates of the overdamped generator with mobility 1/(mγ) come out. Those of higher n carry, with z the
step of U from cell to face, the factor z/sinh z beside e^{±z/2}: of second order, and bounded where a step is many T.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.dynamics.underdamped import UnderdampedLangevin
from fpsolver.errors import DensityError, GridError, MethodError
from fpsolver.generators.hermite_states import HermiteStates
from fpsolver.generators.kinetic_sample import KineticSample
from fpsolver.generators.rate_matrix import Generator
from fpsolver.generators.staggered_lattice import StaggeredLattices
from fpsolver.generators.velocity_functions import HermiteFunctions
from fpsolver.grids import Grid

STAGES = ("first", "rising", "falling")
"""Steps of the ladder n → n + 1: from n = 0, from other even n, from odd n."""


@dataclass(frozen=True, eq=False)
class HermiteGenerator(Generator):
    """The Klein–Kramers operator on Hermite coefficients: spectral in velocity, not Markov.

    Densities of the grid's shape are turned into states by `encode` and back by `decode`; they may become slightly
    negative. The matrix acts on states, `mass_weights @ state` is the mass, and it is conserved to rounding.

    Parameters
    ----------
    states : HermiteStates
        The translation between densities and states, and the layout of a state.
    """

    # A dataclass cannot add a required field behind optional ones; `hermite_generator` always gives it.
    states: HermiteStates = None  # type: ignore[assignment]

    @property
    def markov(self) -> bool:
        """Whether off-diagonal rates are non-negative by construction: they are not."""
        return False

    @property
    def functions(self) -> tuple[int, ...]:
        """Number of Hermite functions of each velocity."""
        return self.states.counts

    @property
    def n_state(self) -> int:
        """Length of the state vector: Hermite functions times positions."""
        return self.states.size

    @property
    def mass_weights(self) -> np.ndarray:
        """Vector whose product with a state is the total probability; with itself, 1."""
        return self.states.mass_weights

    @cached_property
    def gibbs_state(self) -> np.ndarray:
        """State of the Gibbs density e^{−(mv²/2 + L)/T}/Z; stationary unless a periodic axis is tilted."""
        own, scaling = StaggeredLattices(KineticSample(self.dynamics, self.grid)), self.states.lattices
        state = np.zeros(self.n_state)
        cells = own.parities[0]
        state[: self.states.cells] = np.exp(2 * own.log_scales[cells] - scaling.log_scales[cells]).ravel()
        return state

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Diagonal of the matrix, −γ(n_x + n_y + …), of shape (n_state,)."""
        return self.matrix.diagonal()

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The operator on states as a sparse matrix: −γ·diag(n) plus a skew-symmetric part."""
        return _assemble(self.states, StaggeredLattices(KineticSample(self.dynamics, self.grid)))

    def encode(self, density: Any) -> np.ndarray:
        """Return the state of a density of the grid's shape.

        The fit in velocity conserves mass; in position, odd functions are interpolated to faces, an error of second
        order. Mass where the density exceeds 10¹² times the Gibbs density is replaced by Gibbs density.

        Raises
        ------
        DensityError
            If the shape does not fit.
        MethodError
            If more than a thousandth of the mass is at energies that Hermite functions cannot hold.

        Warns
        -----
        AccuracyWarning
            If the functions hold the density to worse than 1e-3 in L1, or more than 1e-6 of the mass was replaced.
        """
        values = np.asarray(density, dtype=float)
        if values.shape != self.grid.shape:
            raise DensityError(f"a density of shape {values.shape} does not fit a grid of shape {self.grid.shape}")
        return self.states.encode(values)

    def decode(self, state: np.ndarray) -> np.ndarray:
        """Return the density of a state vector (or of several, along leading axes): exact averages over velocity cells.

        End cells of the velocity axes hold the tails beyond them, so that the mass is that of the state.
        """
        return self.states.decode(np.asarray(state))

    def __repr__(self) -> str:
        count = " × ".join(str(n) for n in self.functions)
        return f"HermiteGenerator({self.grid!r}, {count} Hermite functions, not Markov)"


def hermite_generator(
    dynamics: UnderdampedLangevin,
    grid: Grid,
    functions: int | Sequence[int] | None = None,
    reference: UnderdampedLangevin | None = None,
) -> HermiteGenerator:
    """Return the generator of underdamped dynamics in Hermite functions of velocity.

    Parameters
    ----------
    dynamics : UnderdampedLangevin
        Undriven dynamics.
    grid : Grid
        One or two position axes, reflecting or periodic, each with a velocity axis.
    functions : int or sequence of int, optional
        Number of Hermite functions, at least 2, for every velocity axis or one each; by default the number of cells.
    reference : UnderdampedLangevin, optional
        Dynamics whose Gibbs state scales the state vector; by default `dynamics`.

    Raises
    ------
    GridError
        If the grid has no velocity axes or does not fit the landscape.
    DynamicsError
        If the temperature is zero.
    MethodError
        If a position wall absorbs, the number of functions is inadmissible, or `reference` has another temperature or
        mass.

    References
    ----------
    H. Risken, The Fokker–Planck Equation, 2nd ed., Springer 1989, chapter 10.

    Examples
    --------
    >>> import fpsolver as fp
    >>> dynamics = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=0.1, friction=1.0)
    >>> W = hermite_generator(dynamics, fp.Grid(x=(-2.5, 2.5, 50), velocity={"x": (-2, 2, 40)}), functions=8)
    >>> W.n_state, bool(abs(W.matrix @ W.gibbs_state).max() < 1e-12)
    (396, True)
    """
    sample = KineticSample(dynamics, grid)
    for name, axis in zip(grid.names, sample.positions.axes, strict=False):
        if "absorbing" in axis.boundary:
            raise MethodError(
                f"axis {name!r} absorbs, which Hermite functions of velocity cannot represent (the density jumps at "
                'v = 0 there); choose scheme="upwind"'
            )
    counts = _checked_counts(functions, grid)
    scaling = KineticSample(reference or dynamics, grid)
    if scaling.thermal_speeds != sample.thermal_speeds:
        raise MethodError(
            f"the thermal speed changes from {scaling.thermal_speeds} to {sample.thermal_speeds}; Hermite functions of "
            'velocity hold one temperature, choose scheme="upwind"'
        )
    if reference is None:
        sample.warn_if_cut()
    bases = zip(sample.velocities, sample.thermal_speeds, counts, strict=True)
    own_scale = reference is None and sample.conservative
    states = HermiteStates(StaggeredLattices(scaling), tuple(HermiteFunctions(*basis) for basis in bases), own_scale)
    count = " × ".join(str(n) for n in counts)
    note = f"spectral in velocity ({count} Hermite functions), not Markov: densities may go slightly negative"
    return HermiteGenerator(grid, dynamics, "hermite", (), np.zeros(grid.shape), None, (note,), states)


def _checked_counts(functions: int | Sequence[int] | None, grid: Grid) -> tuple[int, ...]:
    cells = tuple(axis.cells for axis in grid.velocity.values())
    if functions is None:
        return cells
    given = tuple(functions) if isinstance(functions, Sequence) else (functions,) * len(cells)
    if len(given) != len(cells):
        raise GridError(f"functions = {functions!r}: give one number, or one for each of {len(cells)} velocity axes")
    for count in given:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 2:
            raise MethodError(f"functions = {functions!r} must be whole numbers of Hermite functions, at least 2")
    return tuple(int(count) for count in given)


def _assemble(states: HermiteStates, lattices: StaggeredLattices) -> sparse.csr_array:
    everything = np.arange(states.size, dtype=np.int32)
    rows, columns = [everything], [everything]
    entries = [-lattices.sample.dynamics.friction * states.total_orders]
    for row, column, entry in _couplings(states, lattices):
        rows.append(row.astype(np.int32).ravel())
        columns.append(column.astype(np.int32).ravel())
        entries.append(entry.ravel())
    data = (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.coo_array(data, shape=(states.size, states.size)).tocsr()


def _couplings(
    states: HermiteStates, lattices: StaggeredLattices
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield rows, columns and entries of the ladder operators, each of shape (functions, points)."""
    for axis in range(lattices.dimension):
        for others in product((0, 1), repeat=lattices.dimension - 1):
            for stage in STAGES:
                lower, upper = states.ladder(axis, others, stage)
                if len(lower) == 0:
                    continue
                # Of two neighbouring orders the even one lives on cells, the odd one on faces.
                on_cells, on_faces = (upper, lower) if stage == "falling" else (lower, upper)
                faces, cells, to_faces, to_cells = _difference(states, lattices, axis, others, stage)
                level = np.sqrt(states.orders[lower, axis] + 1.0)[:, None]
                at_faces = states.offsets[on_faces][:, None] + faces
                at_cells = states.offsets[on_cells][:, None] + cells
                yield at_faces, at_cells, level * to_faces
                yield at_cells, at_faces, level * to_cells


def _difference(
    states: HermiteStates, lattices: StaggeredLattices, axis: int, others: tuple[int, ...], stage: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the difference across faces as a sparse matrix: faces, cells, entries (face, cell) and (cell, face)."""
    even, odd = ((*others[:axis], parity, *others[axis:]) for parity in (0, 1))
    count = int(np.prod(lattices.shape(odd)))
    numbers = np.arange(np.prod(lattices.shape(even))).reshape(lattices.shape(even))
    potential = lattices.beside(lattices.potentials[even], axis, lattices.sample.gains[axis])
    scales = states.lattices.beside(states.lattices.log_scales[even], axis)
    widths, distances = lattices.lengths(axis, 0), lattices.lengths(axis, 1)
    neighbours = (widths[: len(distances)], np.roll(widths, -1)[: len(distances)])
    cells, to_faces, to_cells = [], [], []
    for side, sign in ((0, 1.0), (1, -1.0)):
        rise = lattices.potentials[odd] - potential[side]
        span = lattices.sample.positions.along(axis, np.sqrt(neighbours[side] * distances))
        weight = sign * lattices.sample.thermal_speeds[axis] * _stage_weight(stage, rise) / span
        ratio: np.ndarray | float = 1.0
        if not states.own_scale:
            local = 0.5 * rise + lattices.sample.positions.along(axis, 0.5 * np.log(neighbours[side] / distances))
            ratio = np.exp(scales[side] - states.lattices.log_scales[odd] - local)
        cells.append(lattices.beside(numbers, axis)[side].ravel())
        to_faces.append((weight * ratio).ravel())
        to_cells.append((-weight / ratio).ravel())
    faces = np.tile(np.arange(count), 2)
    return faces, np.concatenate(cells), np.concatenate(to_faces), np.concatenate(to_cells)


def _stage_weight(stage: str, rise: np.ndarray) -> np.ndarray:
    """Return e^{∓rise/2}, with the factor rise/sinh(rise) for all but the first step of the ladder.

    The factor leaves a term in the square of the step, and keeps e^{±rise/2} below 1.5.
    """
    if stage == "first":
        return np.exp(-0.5 * rise)
    size = np.abs(rise)
    # z e^{±z/2}/sinh z = 2|z| e^{−|z| ± z/2}/(1 − e^{−2|z|}), without overflow.
    bounded = np.divide(2 * size, -np.expm1(-2 * size), out=np.ones_like(size), where=size > 1e-12)
    exponent = 0.5 * rise if stage == "falling" else -0.5 * rise
    return bounded * np.exp(exponent - size)
