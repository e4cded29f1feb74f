"""Learning rates at which the mean square of SGD's weights on linear regression stops being bounded.

The loss is ⟨(w·x − y)²⟩/2 with A = ⟨xxᵀ⟩, a step takes the mean gradient of S examples, and momentum is that of the
heavy ball, v′ = μv − ηg. The noise of the gradient is that of the curvature of a batch: it grows with the distance.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import not_negative, positive, whole_number
from fpsolver.theory.critical_learning_rates import momentum_parameter
from fpsolver.theory.estimate import Estimate

ZIYIN = "L. Ziyin, K. Liu, T. Mori, M. Ueda, ICLR 2022 (Strength of minibatch noise in SGD); own derivation"
WU = "L. Wu, C. Ma, W. E, NeurIPS 2018, theorem 1"
GAUSSIAN = "Gaussian inputs, drawn anew for every step"


def gaussian_inputs(curvatures: ArrayLike, *, batch_size: int = 1, momentum: float = 0.0) -> Estimate:
    """Return the critical learning rate for Gaussian inputs, the smallest root of F(η) = 1.

    F(η) = (η/S)(1 + μ) Σᵢ aᵢ/[2(1 − μ²) − ηaᵢ(1 − μ + (1 + μ)/S)], all denominators positive; without momentum
    (η/S) Σᵢ aᵢ/[2 − ηaᵢ(1 + 1/S)] = 1. In one dimension 2S/[a(S + 2)], for a·1 in d dimensions 2S/[a(S + d + 1)].

    Parameters
    ----------
    curvatures : float or array_like (d,)
        Eigenvalues aᵢ of A.
    batch_size : int
        S.
    momentum : float
        μ.

    Returns
    -------
    Estimate
        Never above 2(1 + μ)/max aᵢ, which it tends to with S → ∞.

    Raises
    ------
    TheoryError
        If an argument is out of range.

    Notes
    -----
    ⟨xxᵀMxxᵀ⟩ = 2AMA + A tr(AM) closes the recursion of M = ⟨ww′⟩; along each eigenvector of A momentum turns noise n of
    the mean square into x = n(1 + μ)/[(1 − μ)ηa(2 + 2μ − ηa)]. F(η) = 1 says that 1/η is an eigenvalue of a diagonal
    matrix plus one of rank one; the largest lies above all entries of the diagonal, where denominators are positive.

    References
    ----------
    L. Ziyin, K. Liu, T. Mori, M. Ueda, ICLR 2022.

    Examples
    --------
    >>> round(float(gaussian_inputs(1.0)), 12), round(float(gaussian_inputs([1.0] * 10)), 12)
    (0.666666666667, 0.166666666667)
    """
    a, size, mu = _checked(curvatures, batch_size, momentum)
    own = np.diag(a) * (1.0 - mu + (1.0 + mu) / size)
    roots = np.sqrt(a)
    operator = (own + np.outer(roots, roots) * (1.0 + mu) / size) / (2.0 * (1.0 - mu**2))
    return Estimate(1.0 / float(np.linalg.eigvalsh(operator)[-1]), (GAUSSIAN,), 0.0, ZIYIN)


def gaussian_inputs_as_written(curvatures: ArrayLike, *, batch_size: int = 1, momentum: float = 0.0) -> Estimate:
    """Return 2/max aᵢ, which is gradient descent's: no noise of the batch, no momentum.

    Parameters
    ----------
    curvatures, batch_size, momentum
        As for `gaussian_inputs`; the last two change nothing.
    """
    a, _, _ = _checked(curvatures, batch_size, momentum)
    return Estimate(2.0 / float(a.max()), ("S → ∞", "μ = 0"), 0.0, "as it circulates")


def heavy_ball(curvature: float, *, curvature_noise: float, momentum: float = 0.0) -> Estimate:
    """Return η_c = 2(1 − μ²)/{a[(s/a)²(1 + μ) + 1 − μ]} in one dimension, for any distribution of inputs.

    Parameters
    ----------
    curvature : float
        a = ⟨h⟩, the mean over batches of their curvature.
    curvature_noise : float
        s, its standard deviation: a√(2/S) for Gaussian inputs; `batch_curvature_noise` for a data set.
    momentum : float
        μ.

    Notes
    -----
    ⟨θ²⟩, ⟨θθ₋⟩ and ⟨θ₋²⟩ of consecutive weights θ₋, θ close under θ′ = (1 + μ − ηh)θ − μθ₋, and their 3 × 3 matrix has
    the eigenvalue 1 there. For μ = 0 it is the condition (1 − ηa)² + η²s² ≤ 1 of L. Wu, C. Ma, W. E, NeurIPS 2018.

    Examples
    --------
    >>> round(float(heavy_ball(1.0, curvature_noise=2**0.5)), 12)
    0.666666666667
    """
    a, mu = positive("curvature", curvature), momentum_parameter(momentum)
    relative = not_negative("curvature_noise", curvature_noise) / a
    value = 2.0 * (1.0 - mu**2) / (a * (relative**2 * (1.0 + mu) + 1.0 - mu))
    return Estimate(value, ("one dimension", "batches of different steps independent"), 0.0, f"own derivation; {WU}")


def batch_curvature_noise(inputs: ArrayLike, *, batch_size: int, replacement: bool = True) -> Estimate:
    """Return s, the standard deviation over batches of the mean of x², for a data set in one dimension.

    Parameters
    ----------
    inputs : array_like (N,)
        x of every example.
    batch_size, replacement
        As for `data_set`.

    Examples
    --------
    >>> float(batch_curvature_noise([1.0, 3.0], batch_size=1))
    4.0
    """
    squares = np.asarray(inputs, dtype=float).ravel() ** 2
    if not squares.size or not np.isfinite(squares).all():
        raise TheoryError(f"inputs = {inputs!r} must be finite numbers, one an example")
    factor = _noise_factor(len(squares), batch_size, replacement)
    return Estimate(float(squares.std()) * math.sqrt(factor), ("batches drawn uniformly",), 0.0, WU)


def data_set(inputs: ArrayLike, *, batch_size: int = 1, replacement: bool = True, momentum: float = 0.0) -> Estimate:
    """Return the critical learning rate for the examples of a data set, in the directions that they span.

    1/η_c is the largest eigenvalue of P⁻¹Q on symmetric matrices M in the eigenbasis of A:
    P(M)ᵢⱼ = (1 + μ)(1 − μ)²(aᵢ + aⱼ)Mᵢⱼ and Q(M) = (1 − μ²)f[⟨xxᵀMxxᵀ⟩ − AMA] + (1 + μ²)AMA − μ(A²M + MA²), with
    f = 1/S with replacement and (N − S)/[S(N − 1)] without.

    Parameters
    ----------
    inputs : array_like (N, d) or (N,)
        Rows are examples; numbers are examples in one dimension.
    batch_size : int
        S.
    replacement : bool
        Whether a batch may hold an example twice. Batches of different steps are independent.
    momentum : float
        μ.

    Raises
    ------
    TheoryError
        If no input differs from zero, or S exceeds N without replacement.

    Notes
    -----
    Without momentum M′ = M − ηP(M) + η²Q(M). The second moments of consecutive weights evolve by an operator that
    keeps matrices positive semidefinite: by Perron and Frobenius its spectral radius is an eigenvalue, and the first
    η at which that is one ends stability. Matrices have r(r + 1)/2 entries in the r directions spanned: meant for r
    up to about 60.

    References
    ----------
    L. Wu, C. Ma, W. E, NeurIPS 2018.

    Examples
    --------
    >>> round(float(data_set([[1.0, 0.0], [0.0, 1.0]])), 12)  # two orthogonal examples, λ = 1/2: 2/(Nλ)
    2.0
    """
    mu = momentum_parameter(momentum)
    rows = np.asarray(inputs, dtype=float)
    rows = rows[:, np.newaxis] if rows.ndim == 1 else rows
    if rows.ndim != 2 or not np.isfinite(rows).all() or not rows.any():
        raise TheoryError(f"inputs have the shape {rows.shape}: give finite rows (N, d), not all of them zero")
    factor = _noise_factor(len(rows), batch_size, replacement)
    _, singular, directions = np.linalg.svd(rows, full_matrices=False)
    rank = int((singular > singular[0] * max(rows.shape) * np.finfo(float).eps).sum())
    a, projected = singular[:rank] ** 2 / len(rows), rows @ directions[:rank].T
    i, j = np.triu_indices(rank)
    # Coordinates M_ii and √2 M_ij, i < j, in which Q is symmetric.
    products = projected[:, i] * projected[:, j] * np.where(i == j, 1.0, math.sqrt(2.0))
    noise = (1.0 - mu**2) * factor * (products.T @ products / len(rows) - np.diag(a[i] * a[j]))
    operator = noise + np.diag((1.0 + mu**2) * a[i] * a[j] - mu * (a[i] ** 2 + a[j] ** 2))
    scale = np.sqrt((1.0 + mu) * (1.0 - mu) ** 2 * (a[i] + a[j]))
    largest = float(np.linalg.eigvalsh(operator / np.outer(scale, scale))[-1])
    return Estimate(1.0 / largest, ("batches drawn uniformly, anew for every step",), 0.0, f"own derivation; {WU}")


def orthogonal_data(examples: int, *, curvature: float, batch_size: int = 1, replacement: bool = True) -> Estimate:
    """Return η_c = 2S/(Nλ) for N orthogonal inputs of one length; with replacement 2S/[λ(N + S − 1)].

    Without replacement it is the almost-sure threshold as well: a weight is multiplied by 1 − ηNλ/S or left alone.

    Parameters
    ----------
    examples : int
        N.
    curvature : float
        λ, that of the full batch: |x|²/N. Gradient descent goes up to 2/λ.
    batch_size, replacement
        As for `data_set`.

    Examples
    --------
    >>> round(float(orthogonal_data(10, curvature=1.0)), 12)
    0.2
    """
    count, size = whole_number("examples", examples), whole_number("batch_size", batch_size)
    _noise_factor(count, size, replacement)
    number = count + size - 1 if replacement else count
    value = 2.0 * size / (number * positive("curvature", curvature))
    return Estimate(value, ("orthogonal inputs of one length",), 0.0, f"own derivation; {WU}")


def stationary_variance(
    curvature: float, *, label_noise: float, learning_rate: float, batch_size: int = 1, momentum: float = 0.0
) -> Estimate:
    """Return Var w = (ησ²/S)/[2 − ηa(1 + 2/S)] in one dimension with Gaussian inputs and labels w*x + ε.

    Parameters
    ----------
    curvature : float
        a = ⟨x²⟩.
    label_noise : float
        σ², the variance of ε.
    learning_rate, batch_size, momentum
        η, S and μ; with momentum (ησ²/S)(1 + μ)/[2(1 − μ²) − ηa(1 − μ + 2(1 + μ)/S)].

    Raises
    ------
    TheoryError
        If η is not below `gaussian_inputs`: there is no stationary variance.

    Examples
    --------
    >>> round(float(stationary_variance(1.0, label_noise=1.0, learning_rate=0.2)), 12)
    0.142857142857
    """
    risk = stationary_risk(
        curvature, label_noise=label_noise, learning_rate=learning_rate, batch_size=batch_size, momentum=momentum
    )
    return Estimate(risk.value / float(curvature), risk.assumptions, 0.0, risk.reference)


def stationary_risk(
    curvatures: ArrayLike, *, label_noise: float, learning_rate: float, batch_size: int = 1, momentum: float = 0.0
) -> Estimate:
    """Return ⟨(w − w*)ᵀA(w − w*)⟩ = σ²F/(1 − F), twice the excess loss of the stationary chain.

    Parameters
    ----------
    curvatures : float or array_like (d,)
        Eigenvalues of A.
    label_noise, learning_rate, batch_size, momentum
        As for `stationary_variance`; F(η) as for `gaussian_inputs`.

    Raises
    ------
    TheoryError
        If η is not below `gaussian_inputs`.

    Examples
    --------
    >>> round(float(stationary_risk([1.0, 0.5], label_noise=1.0, learning_rate=0.2)), 12)
    0.220338983051
    """
    a, size, mu = _checked(curvatures, batch_size, momentum)
    eta, variance = positive("learning_rate", learning_rate), not_negative("label_noise", label_noise)
    critical = float(gaussian_inputs(a, batch_size=size, momentum=mu))
    if eta >= critical:
        raise TheoryError(f"learning_rate = {eta:g} is not below {critical:.6g}, where the mean square diverges")
    feedback = float(_feedback_terms(eta, a, size, mu).sum())
    return Estimate(variance * feedback / (1.0 - feedback), (GAUSSIAN, "label noise independent of x"), 0.0, ZIYIN)


def _feedback_terms(eta: float, a: NDArray[np.float64], size: int, mu: float) -> NDArray[np.float64]:
    """Return the terms of F(η)."""
    denominators = 2.0 * (1.0 - mu**2) - eta * a * (1.0 - mu + (1.0 + mu) / size)
    return np.asarray(eta / size * (1.0 + mu) * a / denominators)


def _checked(curvatures: ArrayLike, batch_size: int, momentum: float) -> tuple[NDArray[np.float64], int, float]:
    """Return eigenvalues, batch size and momentum."""
    a = np.atleast_1d(np.asarray(curvatures, dtype=float))
    if a.ndim != 1 or not a.size or not np.isfinite(a).all() or (a <= 0.0).any():
        raise TheoryError(f"curvatures = {curvatures!r} must be positive and finite, a number or a list of them")
    return a, whole_number("batch_size", batch_size), momentum_parameter(momentum)


def _noise_factor(examples: int, batch_size: int, replacement: bool) -> float:
    """Return f: the covariance of a mean over S of N examples is f times that of one."""
    size = whole_number("batch_size", batch_size)
    if replacement:
        return 1.0 / size
    if size > examples:
        raise TheoryError(f"batch_size = {size} without replacement exceeds the {examples} examples")
    return (examples - size) / (size * max(examples - 1, 1))
