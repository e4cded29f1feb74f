"""Eigenpairs of generators: birth–death chains, detailed balance, and the general case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from fpsolver.errors import MethodError
from fpsolver.generators.chain import ChainGenerator
from fpsolver.solvers.arnoldi import dominant_pairs
from fpsolver.solvers.eigen_multigrid import multigrid_modes
from fpsolver.solvers.exponential.sparse_operator import symmetrised
from fpsolver.solvers.factorisation import factorise
from fpsolver.solvers.krylov import Operator, length
from fpsolver.solvers.linear import inverse_generator
from fpsolver.solvers.multigrid import Multigrid

# States up to which a dense eigensolver is as quick as any.
_DENSE = 500
# States up to which a factorisation is preferred to multigrid, where the band tells a plane from a space.
_LU_PLANE, _LU_SPACE = 300_000, 20_000
# Shift, relative to the fastest rate: small against every rate that a grid resolves, large against rounding.
_SHIFT = 1e-8
# Relative gap of two rates below which their eigenvectors cannot be found one by one.
_CLUSTER = 1e-7
# Relative gap below which rates are judged together.
_TOGETHER = 1e-3
# Ratio of √Π to its maximum below which the symmetrised eigenvectors hold no digits, and steps that continue them.
_EMPTY, _CONTINUATION = 1e-7, 8


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Rates in ascending order of their real parts, with right and left eigenvectors as rows, unnormalised.

    Left vectors are biorthogonal to the right ones.
    """

    rates: np.ndarray
    right: np.ndarray
    left: np.ndarray | None
    stats: dict[str, Any]


def is_chain(generator: Any) -> bool:
    """Return whether a generator is a connected birth–death chain: one axis that does not close on itself."""
    if not generator.markov or generator.grid.dimension != 1 or len(generator.edges) != 1:
        return False
    edge = generator.edges[0]
    up, down = edge.forward[:-1], edge.backward[:-1]
    inner = edge.offset == (1,) and not (edge.forward[-1] or edge.backward[-1])
    return bool(inner and (up > 0).all() and (down > 0).all())


def chain_pairs(generator: Any, k: int) -> Eigenpairs:
    """Return the k slowest eigenpairs of a birth–death chain to full relative accuracy.

    The number of rates below a given one is counted by an elimination without cancellation; left eigenvectors come from
    a twisted factorisation, right ones from them by detailed balance, which every chain has.

    Parameters
    ----------
    generator : Generator
        One for which `is_chain` holds.
    k : int
        Number of eigenpairs.
    """
    from fpsolver.kernels.cpu.elimination import bisect_rate, chain_mode

    edge = generator.edges[0]
    up, down = np.ascontiguousarray(edge.forward[:-1]), np.ascontiguousarray(edge.backward[:-1])
    killing = np.ascontiguousarray(generator.killing, dtype=float)
    upper = 2.0 * float(np.abs(generator.diagonal).max())
    rates = np.array([bisect_rate(up, down, killing, index, upper) for index in range(k)])
    logarithm = np.concatenate([[0.0], np.cumsum(np.log(up) - np.log(down))])
    mass = np.exp(logarithm - logarithm.max())
    left = np.empty((k, len(killing)))
    for rate, mode in zip(rates, left, strict=True):
        chain_mode(up, down, killing, rate, mode)
        # Modes may grow beyond all bounds where there is next to no mass.
        mode /= np.sqrt(mass @ mode**2)
    if k > 1 and (np.diff(rates) <= _CLUSTER * rates[1:]).any():
        left = _clustered(generator, mass, rates, left)
    # As for elimination, by which the rates are counted: rounding adds up at random over the states.
    accuracy = float(4 * np.finfo(float).eps * np.sqrt(len(killing)))
    stats = {"method": "bisection without cancellation", "accuracy": accuracy, "accuracy_kind": "relative"}
    return Eigenpairs(rates, mass * left, left, stats)


def _clustered(generator: Any, mass: np.ndarray, rates: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Replace the modes of rates that all but coincide by an orthogonal set."""
    from scipy.linalg import eigh_tridiagonal

    symmetric = symmetrised(generator.matrix)
    vectors = eigh_tridiagonal(
        -symmetric.diagonal(), -symmetric.diagonal(1), select="i", select_range=(0, len(rates) - 1)
    )[1].T
    close = np.diff(rates) <= _CLUSTER * rates[1:]
    members = np.flatnonzero(np.append(close, False) | np.append(False, close))
    root = np.sqrt(np.maximum(mass, np.finfo(float).tiny))
    result = left.copy()
    result[members] = vectors[members] / root
    return result


def reversible_pairs(generator: Any, k: int, tolerance: float) -> Eigenpairs:
    """Return the k slowest eigenpairs of a generator with detailed balance.

    The symmetrised generator √(W_ij W_ji) is solved; its slow eigenvectors are then improved by a singular value
    decomposition of their weighted differences D across faces, because λ = ‖D ψ‖² cannot cancel as ψᵀWψ does.

    Parameters
    ----------
    generator : Generator
        One with `edges` and `log_equilibrium`.
    k : int
        Number of eigenpairs.
    tolerance : float
        Relative accuracy asked of the iteration.
    """
    symmetric = symmetrised(generator.matrix)
    logarithm = np.ravel(generator.log_equilibrium)
    ground = np.exp(0.5 * (logarithm - logarithm.max()))
    ground /= np.linalg.norm(ground)
    closed = not generator.absorbing
    vectors, beyond, method = _symmetric_vectors(generator, symmetric, ground, k, tolerance)
    if closed:
        vectors[:, 0] = ground
    vectors = np.linalg.qr(vectors)[0]
    first = 1 if closed else 0
    if closed:
        vectors[:, 0] = ground
    rates = np.zeros(k)
    if k > first:
        differences = _face_differences(generator, vectors[:, first:])
        singular, rotation = np.linalg.svd(np.linalg.qr(differences, mode="r"))[1:]
        del differences
        vectors[:, first:] = vectors[:, first:] @ rotation[::-1].T
        rates[first:] = singular[::-1] ** 2
    fastest = float(np.abs(generator.diagonal).max())
    # A difference of zero is seen as the rounding of ψ.
    rates[rates < 100 * fastest * np.finfo(float).eps ** 2] = 0.0
    left = _extended(generator, rates, vectors.T, ground)
    accuracy = _relative_error(symmetric, rates[first:], vectors[:, first:], beyond)
    stats = {"method": method, "accuracy": accuracy, "accuracy_kind": "relative"}
    return Eigenpairs(rates, vectors.T * ground, left, stats)


def _relative_error(symmetric: sparse.csr_array, rates: np.ndarray, vectors: np.ndarray, beyond: float) -> float:
    """Return a bound on the relative error of the rates that are not zero, from the residuals of their vectors.

    Vectors are orthogonal to a ground state that is known, which is left out.
    A Rayleigh quotient with the residual r is within |r| of an eigenvalue, and within |r|²/gap of it, where nothing
    else of the spectrum is nearer than the gap (Temple and Kato). Rates close to each other are judged together.
    To this comes what rounding does to √λ = |D ψ|, eps times the square root of the mean rate out of a cell.
    """
    diagonal = np.abs(symmetric.diagonal())
    known = np.append(rates, beyond)
    residuals = np.array(
        [length(symmetric @ vector + rate * vector) for rate, vector in zip(rates, vectors.T, strict=True)]
    )
    worst = 0.0
    for rate, vector in zip(rates, vectors.T, strict=True):
        if rate == 0.0:
            continue
        together = np.abs(known - rate) <= _TOGETHER * rate
        residual = float(np.linalg.norm(residuals[together[:-1]]))
        gap = 0.0 if together[-1] else float(np.abs(known[~together] - rate).min())
        bound = residual if residual >= gap else residual**2 / gap
        rounding = 4 * np.finfo(float).eps * np.sqrt(rate * np.einsum("i,i,i->", diagonal, vector, vector))
        worst = max(worst, float((bound + rounding) / rate))
    return worst


def _extended(generator: Any, rates: np.ndarray, vectors: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return left eigenvectors ψ/√Π, continued into cells so empty that ψ is rounding there.

    The eigenvalue equation is solved in those cells with the others given; the eigenvalue is small there, so that
    a few steps of fixed-point iteration take care of it. On large grids, where each step is costly, one step has to do:
    those cells carry less than 1e-14 of the probability.
    """
    full = ground > _EMPTY * ground.max()
    left = np.where(full, vectors / np.where(full, ground, 1.0), 0.0)
    if full.all():
        return left
    empty = np.flatnonzero(~full)
    into = generator.adjoint[empty]
    inside = into[:, empty]
    try:
        inverse, method = inverse_generator(inside.T, adjoint=True, tolerance=1e-4)
    except MethodError:
        # Cells of next to no mass that nothing links to the others: zero is an eigenvector there.
        return left
    for rate, mode in zip(rates, left, strict=True):
        source = into @ mode
        mode[empty] = inverse(source)
        for _ in range(1 if method == Multigrid.name else _CONTINUATION):
            mode[empty] = inverse(source + rate * mode[empty])
    return left


def _face_differences(generator: Any, vectors: np.ndarray) -> np.ndarray:
    """Return D ψ, with DᵀD = −(symmetrised W): √rate · ψ differences over edges, and √killing · ψ."""
    if not generator.lattice:
        return _link_differences(generator, vectors)
    shape, axes = generator.grid.shape, tuple(range(generator.grid.dimension))
    parts = []
    for vector in vectors.T:
        cells = vector.reshape(shape)
        pieces = [
            np.sqrt(edge.backward) * np.roll(cells, tuple(-step for step in edge.offset), axis=axes)
            - np.sqrt(edge.forward) * cells
            for edge in generator.edges
        ]
        if generator.absorbing:
            pieces.append(np.sqrt(generator.killing) * cells)
        parts.append(np.concatenate([piece.ravel() for piece in pieces]))
    return np.stack(parts, axis=1)


def _link_differences(generator: Any, vectors: np.ndarray) -> np.ndarray:
    """Return D ψ for rates between any two cells, each pair once."""
    pairs = sparse.triu(generator.rates + generator.rates.T).tocoo()
    forward = np.sqrt(generator.rates[pairs.row, pairs.col])  # from the column's cell to the row's
    backward = np.sqrt(generator.rates[pairs.col, pairs.row])
    pieces = backward[:, None] * vectors[pairs.row] - forward[:, None] * vectors[pairs.col]
    killing = np.sqrt(generator.killing).ravel()
    return np.concatenate([pieces, killing[:, None] * vectors]) if generator.absorbing else pieces


def _symmetric_vectors(
    generator: Any, symmetric: sparse.csr_array, ground: np.ndarray, k: int, tolerance: float
) -> tuple[np.ndarray, float, str]:
    """Return the k slowest eigenvectors of a symmetrised generator as columns, the rate after them, and the method."""
    size = symmetric.shape[0]
    if size <= _DENSE:
        values, vectors = np.linalg.eigh(-symmetric.toarray())
        return vectors[:, :k].copy(), float(values[k]) if k < size else np.inf, "dense symmetric"
    from scipy.sparse.linalg import LinearOperator, eigsh

    shift = _SHIFT * float(np.abs(symmetric.diagonal()).max())
    if _prefer_multigrid(symmetric):
        return *multigrid_modes(generator, symmetric, ground, k, tolerance), "full multigrid"
    solve = _factorised(shift, symmetric)
    operator = LinearOperator((size, size), matvec=solve, dtype=float)
    count = min(k + 1, size - 1)
    # What a Krylov space sees of a mode must not depend on the machine: the start is fixed and has all symmetries
    # broken.
    kept = min(size, max(2 * k + 8, 20))
    values, vectors = eigsh(-symmetric, k=count, sigma=-shift, which="LM", OPinv=operator, v0=_start(size), ncv=kept)
    order = np.argsort(values)
    # Where no rate follows that could be asked for, the last one says that its gap is not known.
    return vectors[:, order[:k]], float(values[order[min(k, count - 1)]]), "shift-inverted Lanczos"


def _start(size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1.5, size)


def _prefer_multigrid(matrix: sparse.csr_array) -> bool:
    """Return whether a factorisation of the matrix would fill up."""
    size = matrix.shape[0]
    entries = matrix.tocoo()
    plane = np.abs(entries.row - entries.col).max() <= 4 * np.sqrt(size)
    return size > (_LU_PLANE if plane else _LU_SPACE)


def _factorised(shift: float, matrix: Any, markov: bool = True) -> Callable[..., np.ndarray]:
    """Return the map x → (shift − W)⁻¹ x by LU."""
    return factorise(shift * sparse.eye_array(matrix.shape[0], format="csr") - matrix, markov=markov)


def general_pairs(generator: Any, k: int, tolerance: float) -> Eigenpairs:
    """Return the k slowest eigenpairs of a generator without detailed balance.

    Those of a chain are the ones whose multipliers 1 − rate, the eigenvalues of one step, are largest in modulus.

    Parameters
    ----------
    generator : Generator
        Any generator with a `matrix`.
    k : int
        Number of eigenpairs.
    tolerance : float
        Relative accuracy asked of the iteration.
    """
    matrix = generator.matrix
    size = matrix.shape[0]
    scale = float(np.abs(matrix.diagonal()).max())
    chain = isinstance(generator, ChainGenerator)
    slowest_first = _least_damped_first if chain else _slowest_first
    if size <= max(_DENSE, k + 12):
        from scipy.linalg import eig

        values, left, right = eig(matrix.toarray(), left=True)
        left, method = left.conj(), "dense"
    elif chain:
        values, right, left, method = _steps_arnoldi(generator, k, tolerance)
    else:
        values, right, left, method = _arnoldi(generator, k, _SHIFT * scale, tolerance)
    order = slowest_first(-values)[:k]
    rates, right = -values[order], right[:, order].T
    left = _biorthogonal(left[:, order].T, right)
    rates = _improved(matrix, rates, right, left)
    # Rounding of the eigensolver may have put rates below it in the wrong order.
    order = slowest_first(rates)
    rates, right, left = rates[order], right[order], left[order]
    if not generator.absorbing and abs(rates[0]) <= 1e3 * np.finfo(float).eps * scale:
        rates[0] = 0.0
    if not any(array.imag.any() for array in (rates, right, left)):
        rates, right, left = rates.real, right.real, left.real
    stats = {"method": method, "accuracy": _absolute_error(matrix, rates, right, left), "accuracy_kind": "absolute"}
    return Eigenpairs(rates, right, left, stats)


def _absolute_error(matrix: Any, rates: np.ndarray, right: np.ndarray, left: np.ndarray) -> float:
    """Return the first-order bound on the error of rates, Σ |ψ_i| |W φ + λ φ|_i / |ψ φ|: residual times condition."""
    worst = 0.0
    for rate, mode, function in zip(rates, right, left, strict=True):
        residual = np.abs(matrix @ mode + rate * mode)
        overlap = abs(np.einsum("i,i->", function, mode))
        worst = max(worst, float(np.einsum("i,i->", np.abs(function), residual) / max(overlap, np.finfo(float).tiny)))
    return worst


def _arnoldi(generator: Any, k: int, shift: float, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Return eigenvalues nearest to zero with right and left eigenvectors as columns, both in the same order."""
    matrix = generator.matrix
    size = matrix.shape[0]
    if generator.markov and _prefer_multigrid(matrix):
        shifted = matrix - shift * sparse.eye_array(size, format="csr")
        killing = np.ravel(generator.killing) + shift
        solvers = [Multigrid(shifted, adjoint, killing) for adjoint in (False, True)]
        inverses: list[Operator] = [_iterated(solver) for solver in solvers]
        method = "shift-inverted Arnoldi with multigrid"
    else:
        factors = _factorised(shift, matrix, generator.markov)
        inverses = [lambda x: -factors(x), lambda x: -factors(x, "T")]
        method = "shift-inverted Arnoldi"
    wanted = min(k + 6, size - 2)
    found = []
    for inverse in inverses:
        inverted, vectors = dominant_pairs(inverse, _start(size), wanted, 1e-3 * tolerance, vectors=2 * wanted + 12)
        values = shift + 1.0 / inverted
        order = _slowest_first(-values)
        # One more step clears the vectors that are used of fast modes, which W would magnify.
        vectors = vectors[:, order].astype(complex)
        for j in range(k):
            vectors[:, j] = inverse(vectors[:, j].real.copy()) + 1j * inverse(vectors[:, j].imag.copy())
            vectors[:, j] /= np.linalg.norm(vectors[:, j])
        found.append((values[order], vectors))
    (values, right), (_, left) = found
    return values, right, left, method


def _steps_arnoldi(chain: ChainGenerator, k: int, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Return the eigenvalues of a chain's W whose multipliers are largest, with right and left vectors as columns."""
    size = chain.n_state
    wanted = min(k + 6, size - 2)
    found = []
    for step in (chain.step, sparse.csr_array(chain.step.T)):
        multipliers, vectors = dominant_pairs(
            step.__matmul__, _start(size), wanted, 1e-3 * tolerance, vectors=2 * wanted + 12
        )
        order = _least_damped_first(1.0 - multipliers)
        found.append((multipliers[order] - 1.0, vectors[:, order]))
    (values, right), (_, left) = found
    count = min(right.shape[1], left.shape[1])  # one of them may have kept a conjugate more
    return values[:count], right[:, :count], left[:, :count], "Arnoldi on steps"


def _iterated(solver: Multigrid) -> Operator:
    return lambda x: solver(x, 1e-11)[0]


def _slowest_first(rates: np.ndarray) -> np.ndarray:
    """Return the order by ascending real part; conjugate pairs stay together, negative imaginary part first."""
    resolution = 1e-9 * (np.abs(rates).max() + np.finfo(float).tiny)
    return np.lexsort((rates.imag, np.round(np.abs(rates.imag) / resolution), np.round(rates.real / resolution)))


def _least_damped_first(rates: np.ndarray) -> np.ndarray:
    """Return the order by descending modulus of 1 − rate; among equals positive ones come first."""
    multipliers = 1.0 - rates
    ranks = [np.round(part / 1e-9) for part in (np.abs(multipliers.imag), -multipliers.real, -np.abs(multipliers))]
    return np.lexsort((multipliers.imag, *ranks))


def _biorthogonal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return combinations of the left vectors with left @ right.T diagonal.

    Only vectors of one cluster need mixing, but mixing all of them costs no accuracy unless the matrix is defective,
    where it is left alone.
    """
    overlap = left @ right.T
    if np.linalg.cond(overlap) > 1e10:
        return left
    return np.linalg.solve(overlap, left)


def _improved(matrix: Any, rates: np.ndarray, right: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return two-sided Rayleigh quotients, whose error is of second order in that of the vectors."""
    overlap = np.einsum("ij,ij->i", left, right)
    safe = np.abs(overlap) > 1e-10 * np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    quotient = -np.einsum("ij,ji->i", left, matrix @ right.T) / np.where(safe, overlap, 1.0)
    return np.where(safe, quotient, rates)
