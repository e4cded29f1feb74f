"""Temperatures of SGD: per parameter and in total, to first order in the learning rate and exactly on a quadratic loss.

The chain is θ′ = θ − ηg with ⟨g⟩ = ∇L and Cov g = C; batches of B examples with replacement have C = C₁/B with the
covariance C₁ of one example's gradient. A temperature is ⟨θᵢ∂ᵢL⟩, which a Boltzmann state makes the same for all i.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fpsolver.errors import TheoryError
from fpsolver.theory.conditions import finite, not_negative, positive
from fpsolver.theory.estimate import Estimate
from fpsolver.theory.quadratic_chain import stable_hessian
from fpsolver.theory.stationary_sgd import chain_covariance

LIU = "K. Liu, L. Ziyin, M. Ueda, ICML 2021 (arXiv 2012.03636), theorem 1"
YAIDA = "S. Yaida, ICLR 2019 (arXiv 1810.00004), eq. (FDR1)"
ASSUMPTIONS = ("quadratic loss", "noise that does not depend on θ", "stationary")


def temperature(noise: ArrayLike, *, learning_rate: float, batch_size: float = 1.0) -> Estimate:
    """Return T = (η/2) tr C/d, the temperature of one parameter.

    Parameters
    ----------
    noise : array_like, shape (d, d)
        C, the covariance of the minibatch gradient; with `batch_size`, C₁ of one example's.
    learning_rate : float
        η.
    batch_size : float
        B, drawn with replacement.

    Returns
    -------
    Estimate
        T in units of loss: exact in the limit η → 0 for isotropic noise C = σ²1, a mean over the parameters otherwise.

    Examples
    --------
    >>> float(temperature(np.eye(10), learning_rate=0.1))
    0.05
    """
    total = temperature_as_written(noise, learning_rate=learning_rate, batch_size=batch_size)
    return Estimate(total.value / len(_covariance(noise)), ("ηH ≪ 1", "isotropic noise"), 0.0, "D = ηC/2 = T·1")


def temperature_as_written(noise: ArrayLike, *, learning_rate: float, batch_size: float = 1.0) -> Estimate:
    """Return (η/2) tr C, the sum of the temperatures of d parameters: ⟨θ·∇L⟩ as η → 0, and not the T of e^{−L/T}.

    Parameters
    ----------
    noise, learning_rate, batch_size
        As for `temperature`.

    Examples
    --------
    >>> float(temperature_as_written(np.eye(10), learning_rate=0.1))
    0.5
    """
    eta, batch = positive("learning_rate", learning_rate), positive("batch_size", batch_size)
    return Estimate(eta / 2.0 * float(np.trace(_covariance(noise))) / batch, ("ηH ≪ 1",), 0.0, "as it circulates")


def parameter_temperatures(noise: ArrayLike, *, learning_rate: float, batch_size: float = 1.0) -> np.ndarray:
    """Return Tᵢ = (η/2)Cᵢᵢ, shape (d,): what `temperature` is the mean of and `temperature_as_written` the sum.

    Parameters
    ----------
    noise, learning_rate, batch_size
        As for `temperature`.

    Examples
    --------
    >>> parameter_temperatures([[1.0, 0.2], [0.2, 3.0]], learning_rate=0.1)
    array([0.05, 0.15])
    """
    eta, batch = positive("learning_rate", learning_rate), positive("batch_size", batch_size)
    return eta / 2.0 * np.diag(_covariance(noise)) / batch


def stationary_temperature(noise: float, *, learning_rate: float, curvature: float) -> Estimate:
    """Return T = h⟨θ²⟩ = (η/2)C/(1 − ηh/2), exact in one dimension on a quadratic loss.

    Parameters
    ----------
    noise : float
        C, the variance of the minibatch gradient.
    learning_rate : float
        η.
    curvature : float
        h, with ηh < 2.

    Raises
    ------
    TheoryError
        If ηh ≥ 2, where the chain has no stationary state.

    Examples
    --------
    >>> round(float(stationary_temperature(1.0, learning_rate=0.1, curvature=1.0)), 12)
    0.052631578947
    """
    h = float(stable_hessian([[curvature]], learning_rate=learning_rate)[0, 0])
    value = learning_rate / 2.0 * not_negative("noise", noise) / (1.0 - learning_rate * h / 2.0)
    return Estimate(value, ASSUMPTIONS, 0.0, LIU)


def eigenvector_temperatures(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return Tᵢ = (η/2)Cᵢᵢ/(1 − ηhᵢ/2) along the eigenvectors of the Hessian, in the order of its eigenvalues.

    Parameters
    ----------
    hessian, noise : array_like, shape (d, d)
        H, with ηH < 2, and C.
    learning_rate : float
        η.

    Returns
    -------
    ndarray, shape (d,)
        hᵢ⟨θᵢ²⟩, exact whether or not C and H commute. For C = cH they are proportional to hᵢ as η → 0: the flat
        directions are cold, and no temperature describes the state.

    Examples
    --------
    >>> eigenvector_temperatures(np.diag([1.0, 4.0]), np.diag([1.0, 4.0]), learning_rate=0.1)
    array([0.05263158, 0.25      ])
    """
    h, c = stable_hessian(hessian, learning_rate=learning_rate), _covariance(noise)
    if c.shape != h.shape:
        raise TheoryError(f"noise has the shape {c.shape}, the Hessian {h.shape}; they must be alike")
    values, vectors = np.linalg.eigh(h)
    along = np.einsum("ji,jk,ki->i", vectors, c, vectors)
    return learning_rate / 2.0 * along / (1.0 - learning_rate * values / 2.0)


def temperature_matrix(hessian: ArrayLike, noise: ArrayLike, *, learning_rate: float) -> np.ndarray:
    """Return ⟨θᵢ∂ⱼL⟩ = (SH)ᵢⱼ of the stationary chain, shape (d, d); there is a temperature where it is T·1.

    Parameters
    ----------
    hessian, noise, learning_rate
        As for `eigenvector_temperatures`.

    Notes
    -----
    SH = T·1 asks for C = (2T/η)(1 − ηH/2): isotropic noise has one temperature as η → 0 only, and noise that does not
    commute with H has none at any η. The antisymmetric part is the circulation of the stationary current.

    Examples
    --------
    >>> temperature_matrix(np.diag([1.0, 3.0]), [[1.0, 0.5], [0.5, 1.0]], learning_rate=0.1).round(4)
    array([[0.0526, 0.0405],
           [0.0135, 0.0588]])
    """
    return chain_covariance(hessian, noise, learning_rate=learning_rate) @ np.atleast_2d(np.asarray(hessian, float))


def fluctuation_dissipation(second_moment: float, *, learning_rate: float) -> Estimate:
    """Return (η/2)⟨|g|²⟩, which is ⟨θ·∇L⟩ in every stationary state of SGD, on any loss and with any noise.

    Parameters
    ----------
    second_moment : float
        ⟨|g|²⟩ = tr C + ⟨|∇L|²⟩ of the minibatch gradient, not its covariance; of one component for that parameter.
    learning_rate : float
        η.

    Notes
    -----
    ⟨|θ′|²⟩ = ⟨|θ|²⟩ is all that it needs, for each parameter by itself. θ may be counted from any fixed point, since
    ⟨∇L⟩ = 0.

    Examples
    --------
    >>> round(float(fluctuation_dissipation(1.0 + 1.0 / 19.0, learning_rate=0.1)), 12)
    0.052631578947
    """
    value = positive("learning_rate", learning_rate) / 2.0 * not_negative("second_moment", second_moment)
    return Estimate(value, ("stationary",), 0.0, YAIDA)


def _covariance(noise: ArrayLike) -> np.ndarray:
    matrix = np.atleast_2d(finite("noise", noise))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T):
        raise TheoryError(f"noise of shape {np.shape(noise)} must be a symmetric (d, d) covariance")
    if np.linalg.eigvalsh(matrix)[0] < -1e-12 * np.abs(matrix).max():
        raise TheoryError("noise has a negative eigenvalue: a covariance has none")
    return matrix
