"""Slowest relaxation rates of a generator, and the densities that relax at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolver.errors import MethodError
from fpsolver.generators.chain import ChainGenerator
from fpsolver.generators.convolution import ConvolutionGenerator
from fpsolver.grids import Grid
from fpsolver.solvers.convolved_pairs import convolved_pairs
from fpsolver.solvers.eigenpairs import Eigenpairs, chain_pairs, general_pairs, is_chain, reversible_pairs
from fpsolver.solvers.eliminated_pairs import eliminated_pairs, needs_elimination
from fpsolver.solvers.stationary import relative_residual, require_autonomous


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Slowest rates and modes of a generator: W φ_j = −λ_j φ_j and ψ_j W = −λ_j ψ_j.

    Modes are normalised so that the sum over cells of volume · ψ_i · φ_j is δ_ij and that of volume · |ψ_j|² φ_0 is 1
    for j ≥ 1 (where ψ_j and φ_0 have no cell in common, the largest |ψ_j| is 1); φ_0 has mass 1, and the largest term
    of ψ_j φ_j comes from a positive ψ_j. With detailed balance φ_j = φ_0 ψ_j.

    Parameters
    ----------
    grid : Grid
        The grid.
    rates : ndarray, shape (k,)
        λ_j, minus the eigenvalues, in ascending order of their real part; real where detailed balance holds. The first
        is zero where nothing leaks.
    modes : ndarray, shape (k, *grid.shape)
        φ_j, right eigenvectors as densities. The first is the stationary density, or the quasi-stationary one.
    left_modes : ndarray, shape (k, *grid.shape), or None
        ψ_j, left eigenvectors as functions; None where states are not cell probabilities.
    residuals : ndarray, shape (k,)
        ‖W φ_j + λ_j φ_j‖₁ relative to the total rate of jumps.
    stats : mapping
        "method"; "accuracy", a bound on the error of any rate from what the modes leave as residuals, absolute or
        relative (to rates that are not zero) as "accuracy_kind" says.
    """

    grid: Grid
    rates: np.ndarray
    modes: np.ndarray
    left_modes: np.ndarray | None
    residuals: np.ndarray
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def times(self) -> np.ndarray:
        """Relaxation times 1/Re λ_j, infinite for a stationary state."""
        with np.errstate(divide="ignore"):
            return 1.0 / self.rates.real

    def __len__(self) -> int:
        return len(self.rates)


class ChainSpectrum(Spectrum):
    """Least damped modes of a chain that moves in steps: a mode is multiplied by μ_j = 1 − λ_j in each."""

    @property
    def multipliers(self) -> np.ndarray:
        """μ_j, the eigenvalues of the Markov operator of one step, in descending order of their modulus."""
        return 1.0 - self.rates

    @property
    def times(self) -> np.ndarray:
        """Numbers of steps −1/ln |μ_j| in which modes decay by a factor e, infinite for a stationary state."""
        with np.errstate(divide="ignore"):
            return np.abs(1.0 / np.log(np.minimum(np.abs(self.multipliers), 1.0)))


def spectrum(generator: Any, k: int = 4, *, tolerance: float = 1e-9) -> Spectrum:
    """Return the k slowest rates of a generator with their modes.

    A chain in one dimension is treated by bisection in a form free of subtractions, which gives every rate to
    full *relative* accuracy, however high the barrier. With detailed balance in more dimensions the symmetrised
    generator goes to a shift-inverted Lanczos iteration with sparse LU or, for large grids, to a full-multigrid
    eigensolver; rates are taken from squared differences across faces, which keeps small ones. Jump processes that
    are convolutions go to LOBPCG, whose rates are good to rounding of the mean rate of jumps. Without detailed balance
    Arnoldi finds the eigenvalues nearest to zero, which are then sorted by their real parts. For a chain
    (`SGD`) the slowest modes are those whose multiplier 1 − λ is largest in modulus; the result also has `multipliers`.

    Parameters
    ----------
    generator : Generator
        An autonomous generator.
    k : int
        How many rates, at least 1 and no more than there are cells.
    tolerance : float
        Relative accuracy asked of the iterative methods.

    Raises
    ------
    MethodError
        If k does not fit, or the generator depends on time.

    Examples
    --------
    >>> import fpsolver as fp
    >>> law = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
    >>> s = spectrum(fp.generator(law, fp.Grid(x=(-8, 8, 800))), k=3)
    >>> s.rates.round(3).tolist()
    [0.0, 1.0, 2.0]
    """
    require_autonomous(generator, "a spectrum")
    if isinstance(k, bool) or int(k) != k or not 1 <= k <= generator.n_state:
        raise MethodError(f"k = {k!r}: ask for at least 1 rate and for no more than the {generator.n_state} states")
    k = int(k)
    if is_chain(generator):
        pairs = chain_pairs(generator, k)
    elif generator.markov and needs_elimination(generator):
        pairs = eliminated_pairs(generator, k, tolerance)
    elif isinstance(generator, ConvolutionGenerator):
        pairs = convolved_pairs(generator, k, tolerance)
    elif generator.reversible and generator.markov:
        pairs = reversible_pairs(generator, k, tolerance)
    else:
        pairs = general_pairs(generator, k, tolerance)
    right, left = _normalised(generator, pairs)
    residuals = np.array(
        [relative_residual(generator, mode, rate) for rate, mode in zip(pairs.rates, right, strict=True)]
    )
    shape = (k, *generator.grid.shape)
    modes = np.stack([_decoded(generator, mode) for mode in right])
    functions = None if left is None else left.reshape(shape)
    kind = ChainSpectrum if isinstance(generator, ChainGenerator) else Spectrum
    return kind(generator.grid, pairs.rates, modes, functions, residuals, pairs.stats)


def _decoded(generator: Any, state: np.ndarray) -> np.ndarray:
    if np.iscomplexobj(state):
        return generator.decode(state.real) + 1j * generator.decode(state.imag)
    return generator.decode(state)


def _normalised(generator: Any, pairs: Eigenpairs) -> tuple[np.ndarray, np.ndarray | None]:
    """Return right and left eigenvectors in the normalisation that `Spectrum` promises, as rows."""
    right = pairs.right.copy()
    mass = np.ravel(generator.mass_weights) @ right[0]
    right[0] /= mass
    if not np.iscomplexobj(pairs.rates) or pairs.rates[0].imag == 0:
        right[0] = right[0].real
    if pairs.left is None or generator.n_state != generator.grid.size:
        for mode in right[1:]:
            mode *= _phase(mode) / np.abs(mode).sum()
        return right, None
    left = pairs.left.copy()
    weight = np.abs(right[0])
    for j in range(len(right)):
        if j > 0:
            # Of states that are left for good ψ vanishes wherever the stationary density does not.
            square = weight @ np.abs(left[j]) ** 2 or np.abs(left[j]).max() ** 2
            left[j] *= _phase(left[j] * right[j], left[j]) / np.sqrt(square)
        overlap = left[j] @ right[j]
        if j == 0:
            left[j] /= overlap
        else:
            right[j] /= overlap
    return right, left


def _phase(weights: np.ndarray, values: np.ndarray | None = None) -> Any:
    """Return the factor that makes a vector positive where it weighs most; among equals the last cell counts."""
    size = np.abs(weights)
    last = int(np.flatnonzero(size >= (1 - 1e-6) * size.max())[-1])
    value = (weights if values is None else values)[last]
    return np.conj(value) / np.abs(value)
