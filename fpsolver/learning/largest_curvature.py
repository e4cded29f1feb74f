"""Sharpness: the largest eigenvalue of the Hessian, from matrices, landscapes or Hessian-vector products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import ConvergenceError, InputError
from fpsolver.landscapes import Landscape
from fpsolver.learning.stability import symmetric_matrix

# Below this dimension all eigenvalues cost no more than a Lanczos iteration.
_DENSE = 64

Product = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The largest eigenvalue of a Hessian.

    Attributes
    ----------
    value : float
        λ_max, the largest in sign, not in modulus.
    error : float
        ‖Hv − λv‖ + ε‖H‖: an eigenvalue lies within this distance of `value`. `value` itself is at most λ_max within
        rounding, as the Rayleigh quotient of `vector` is.
    vector : ndarray, shape (d,)
        Unit eigenvector v, of P^(−1/2) H P^(−1/2) where there is a preconditioner.
    products : int
        Products of the Hessian with vectors that were computed; none where a small matrix was at hand.
    """

    value: float
    error: float
    vector: np.ndarray
    products: int

    def __float__(self) -> float:
        return self.value


def sharpness(
    of: Any,
    at: ArrayLike | None = None,
    *,
    dimension: int | None = None,
    preconditioner: ArrayLike | None = None,
    tolerance: float = 0.0,
    seed: int = 0,
) -> Sharpness:
    """Return the largest eigenvalue of a Hessian, or of a preconditioned one.

    Gradient descent leaves a minimum where λ_max exceeds 2/η. Adam does where the largest eigenvalue of
    P^(−1/2) H P^(−1/2) exceeds (2 + 2β₁)/[(1 − β₁)η], with P the diagonal of its denominators √v + ε.

    Parameters
    ----------
    of : Landscape, array_like (d, d), sparse matrix, or callable
        A landscape, whose Hessian at `at` is taken; a symmetric matrix; a scipy LinearOperator; or a function that
        takes a vector (d,) and returns its product with the Hessian.
    at : array_like (d,), optional
        The point, for landscapes.
    dimension : int, optional
        Number d of parameters, for functions.
    preconditioner : float or array_like (d,), optional
        Diagonal of P, positive.
    tolerance : float
        Relative accuracy at which the Lanczos iteration ends; 0 asks for that of the machine.
    seed : int
        Of the random vector with which the Lanczos iteration starts. A start orthogonal to the eigenvector would miss
        it; for a random one this has probability zero.

    Raises
    ------
    InputError
        If the point or the dimension is missing, or the matrix is not symmetric.
    ConvergenceError
        If the Lanczos iteration does not converge.

    References
    ----------
    J. Cohen et al., ICLR 2021 (arXiv:2103.00065) and arXiv:2207.14484.

    Examples
    --------
    >>> from fpsolver.landscapes import Landscape
    >>> sharpness(Landscape("(1 - u*v)**2/2"), at=[2.0, 0.5]).value
    4.25
    >>> import numpy as np
    >>> curvatures = np.linspace(0.0, 3.0, 500)
    >>> result = sharpness(lambda vector: curvatures * vector, dimension=500)
    >>> abs(result.value - 3.0) < 1e-12, result.products < 500
    (True, True)
    """
    matrix, product, d = _hessian(of, at, dimension)
    scale = _scale(preconditioner, d)
    if d > _DENSE:
        return _lanczos(lambda vector: scale * product(scale * vector), d, tolerance, seed)
    products = 0 if matrix is not None else d
    if matrix is None:
        matrix = np.column_stack([product(unit) for unit in np.eye(d)])
    preconditioned = scale[:, np.newaxis] * matrix * scale
    # Products in single precision are not quite symmetric: the residual says so.
    values, vectors = np.linalg.eigh((preconditioned + preconditioned.T) / 2)
    vector = vectors[:, -1]
    residual = np.linalg.norm(preconditioned @ vector - values[-1] * vector)
    return Sharpness(float(values[-1]), float(residual + _rounding(np.abs(values).max())), vector, products)


def _hessian(of: Any, at: ArrayLike | None, dimension: int | None) -> tuple[np.ndarray | None, Product, int]:
    """Return the matrix where it is small and at hand, the product with it, and the dimension."""
    from scipy.sparse import csr_array, issparse

    if isinstance(of, Landscape):
        if at is None:
            raise InputError(f"the sharpness of a landscape needs a point: at=[…] with {of.dimension} coordinates")
        point = np.atleast_1d(np.asarray(at, dtype=float))
        if point.shape != (of.dimension,):
            raise InputError(f"at = {at!r} must be one point with {of.dimension} coordinates")
        of = of.hessian(point)
    elif at is not None:
        raise InputError("at=… is for landscapes; a matrix or a product belongs to one point already")
    if issparse(of):
        _check_shape(of.shape)
        of = csr_array(of, dtype=float)
        asymmetry = abs(of - of.T).max()
        if not asymmetry <= 1e-10 * abs(of).max():
            raise InputError(f"the sparse matrix is not symmetric: entries differ by {asymmetry:.3g}; give (H + Hᵀ)/2")
        return (of.toarray() if of.shape[0] <= _DENSE else None), of.dot, of.shape[0]
    if callable(of):
        shape = getattr(of, "shape", None)
        if shape is not None:
            _check_shape(shape)
            dimension = shape[0]
        if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer) or dimension < 1:
            raise InputError(f"dimension = {dimension!r}: a Hessian-vector product needs the number of parameters")
        return None, _checked(of, int(dimension)), int(dimension)
    matrix = symmetric_matrix(of)
    return matrix, lambda vector: matrix @ vector, len(matrix)


def _checked(product: Any, d: int) -> Product:
    def apply(vector: np.ndarray) -> np.ndarray:
        result = np.asarray(product(vector), dtype=float)
        if result.shape != (d,) or not np.isfinite(result).all():
            raise InputError(
                f"the Hessian-vector product gave shape {result.shape}, or values that are not finite; ({d},) is needed"
            )
        return result

    return apply


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise InputError(f"a Hessian is a square matrix, but the shape {shape} was given")


def _scale(preconditioner: ArrayLike | None, d: int) -> np.ndarray:
    """Return the diagonal of P^(−1/2)."""
    if preconditioner is None:
        return np.ones(d)
    diagonal = np.asarray(preconditioner, dtype=float)
    if diagonal.shape not in ((), (d,)) or not (np.isfinite(diagonal) & (diagonal > 0.0)).all():
        raise InputError(
            f"preconditioner = {preconditioner!r} must be a positive number or {d} of them, one a parameter"
        )
    return np.broadcast_to(diagonal, d) ** -0.5


def _rounding(norm: float) -> float:
    return float(np.finfo(float).eps * norm)


def _lanczos(product: Product, d: int, tolerance: float, seed: int) -> Sharpness:
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    products = 0

    def counted(vector: np.ndarray) -> np.ndarray:
        nonlocal products
        products += 1
        return product(vector.ravel())

    operator = LinearOperator((d, d), matvec=counted, dtype=float)
    start = np.random.default_rng(seed).standard_normal(d)
    start /= np.linalg.norm(start)
    if not counted(start).any():
        return Sharpness(0.0, 0.0, start, products)
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance, maxiter=100 * d)
    except ArpackNoConvergence as error:
        raise ConvergenceError(f"the Lanczos iteration did not converge in {products} products: {error}") from None
    vector = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    image = counted(vector)
    value = float(vector @ image)
    residual = float(np.linalg.norm(image - value * vector))
    return Sharpness(value, residual + _rounding(float(np.linalg.norm(image))), vector, products)
