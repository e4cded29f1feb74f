"""Entropy production of linear dynamics dθ = −Aθ dt + √(2D) dW: its scaled cumulants from a Riccati equation."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import TheoryError
from fpsolver.theory.estimate import Estimate

SOURCE = (
    "own derivation: the dominant eigenfunction of the tilted generator is exp(½θᵀKθ); "
    "cf. R. Chetrite, H. Touchette, Ann. Henri Poincaré 16, 2005 (2015), sect. 6"
)


def scgf(s: float, *, drift: Any, diffusion: Any) -> Estimate:
    """Return λ(s) = lim ln⟨e^{sΣ}⟩/t of the entropy Σ = −∫D⁻¹Aθ∘dθ that flows to the bath.

    With B = −D⁻¹A and E = (s + ½)DB, λ = tr D(K + sB) where KDK + KE + EᵀK + s(s + 1)BᵀDB = 0 and E + DK is stable.

    Parameters
    ----------
    s : float
        Conjugate variable.
    drift, diffusion : array_like, shape (d, d)
        A and D.

    Raises
    ------
    TheoryError
        If the drift is not stable, or s so far out that trajectories from far away dominate: λ is infinite.

    Examples
    --------
    The gyrator, with λ'(0) = u²(T₁ − T₂)²/(2T₁T₂) = 1/16, and its symmetry about s = −½:

    >>> system = {"drift": [[1.0, 0.5], [0.5, 1.0]], "diffusion": [[1.0, 0.0], [0.0, 2.0]]}
    >>> round((float(scgf(1e-4, **system)) - float(scgf(-1e-4, **system))) / 2e-4, 6)
    0.0625
    >>> bool(abs(float(scgf(0.2, **system)) - float(scgf(-1.2, **system))) < 1e-12)
    True
    """
    from scipy.linalg import LinAlgError, solve_continuous_are

    a, d = np.asarray(drift, dtype=float), np.asarray(diffusion, dtype=float)
    if a.shape != d.shape or a.ndim != 2 or np.linalg.eigvals(a).real.min() <= 0:
        raise TheoryError(f"drift = {a.tolist()} must be a matrix of the shape of diffusion, with a stable state")
    b = -np.linalg.solve(d, a)
    e = (s + 0.5) * d @ b
    # Equal to stability at s = 0, and to its mirror image below −½, where the stable branch is the other one.
    try:
        k = -solve_continuous_are(e, np.linalg.cholesky(d), -s * (s + 1.0) * b.T @ d @ b, np.eye(len(d)))
    except (LinAlgError, ValueError):
        raise TheoryError(f"s = {s:g}: ⟨e^(sΣ)⟩ is infinite for this drift and diffusion") from None
    return Estimate(float(np.trace(d @ (k + s * b))), ("linear drift, constant noise",), 0.0, SOURCE)
