"""E21: exit from a quadratic well under noise that does not commute with the Hessian."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.theory import noncommuting_exit
from fpsolver.theory.panels import Floats
from fpsolver.theory.stationary_sgd import chain_covariance
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    gridded,
    misses,
    power,
    richardson,
    rounded,
    statistical,
)
from fpsolver.validation.steps.chains import descent

CLAIM = claim(
    "E21",
    family="steps",
    title="Exit under noise that does not commute",
    as_written="ln τ → ΔL/T with T = (η/2) tr C/d.",
    statement="As C → 0 at any fixed η < 2/h, ln τ tends to min ½θᵀS⁻¹θ over the boundary, with HS + SH − ηHSH = ηC: "
    "a²/(2nᵀSn) for the plane n·θ = a, left around θ = Sn·a/(nᵀSn), and ΔL/λ_max(H^{1/2}SH^{1/2}) for the level "
    "L = ΔL. ΔL/T is right for isotropic noise as η → 0 only. As η → 0 as well the time through a plane is "
    "√(2πs) s/(a·nᵀDn)·e^{a²/2s}(1 + O(s/a²)), s = nᵀSn, D = ηC/2.",
    verdict="asymptotic",
    sources=(
        "M. I. Freidlin, A. D. Wentzell, Random Perturbations of Dynamical Systems, chapter 4",
        "T. Naeh, M. M. Klosek, B. J. Matkowsky, Z. Schuss, SIAM J. Appl. Math. 50, 595 (1990)",
    ),
    written=noncommuting_exit.exponent_as_written,
    corrected=noncommuting_exit.exponent,
)

HESSIAN = np.diag([1.0, 3.0])
NOISE = np.array([[1.0, 0.8], [0.8, 1.0]])
NORMAL = np.array([1.0, 1.0])
LIMIT = 1e-6
"""A learning rate at which the chain is its continuous limit."""


def plane(distance: float) -> Floats:
    """Return points of the plane x + y = a, two times as wide as it is far."""
    along = np.linspace(-2.0, 2.0, 4001)[:, None] * distance
    return distance * NORMAL / 2.0 + along * np.array([1.0, -1.0])


def level(height: float) -> Floats:
    """Return points of the ellipse L = ΔL."""
    turn = np.linspace(0.0, 2.0 * np.pi, 4001)
    return np.sqrt(2.0 * height) * np.stack([np.cos(turn), np.sin(turn)], axis=1) / np.sqrt(np.diag(HESSIAN))


def exponent_of(times: Floats, strengths: Floats) -> float:
    """Return the exponent V of τ = K √ε e^{V/ε} from times at three or more noise strengths ε, with K = K₀(1 + K₁ε)."""
    columns = np.stack([1.0 / strengths, np.ones_like(strengths), strengths], axis=1)
    return float(np.linalg.lstsq(columns, np.log(times) - 0.5 * np.log(strengths), rcond=None)[0][0])


@CLAIM.check
def plane_on_a_grid(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare with mean first-passage times of the continuous motion through a plane, on grids turned to lie along it."""
    # u = (x + y)/√2 and w = (y − x)/√2, so that the plane is a wall of the grid.
    turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2.0)
    h, c = turn @ HESSIAN @ turn.T, turn @ NOISE @ turn.T
    loss = fp.Landscape(f"{h[0, 0]:.17g}*u**2/2 + {h[0, 1]:.17g}*u*w + {h[1, 1]:.17g}*w**2/2")
    a, cells = 1.0, trial.pick(brief=60, quick=120, full=240)
    strengths = 1.0 / np.linspace(3.0, 12.0, trial.pick(brief=4, quick=6, full=8))
    measured, errors, form_errors = [], [], []
    s = float(chain_covariance(h, c, learning_rate=LIMIT)[0, 0]) * 2.0 / LIMIT
    for epsilon in map(float, strengths):
        pair = [_passage(loss, 0.5 * s * 0.0 + epsilon * c, a / math.sqrt(2.0), n) for n in (cells, cells // 2)]
        time, error = richardson(*pair)
        form = noncommuting_exit.plane_exit_time(
            HESSIAN, epsilon * NOISE * 2.0 / LIMIT, learning_rate=LIMIT, normal=NORMAL, distance=a
        )
        measured.append(time)
        errors.append(error)
        form_errors.append(float(form) / time - 1.0)
    found = exponent_of(np.array(measured), strengths)
    exact = trial.predict(HESSIAN, NOISE * 2.0 / LIMIT, learning_rate=LIMIT, boundary=plane(a))
    yield gridded("exponent", exact, found, 0.02)
    yield Series("a", "b", "c", (Curve("x", strengths, form_errors),), (Points("t", 1.0 / strengths, measured, errors),), "y")


def _passage(loss: fp.Landscape, diffusion: Floats, wall: float, cells: int) -> float:
    spread = 6.0 * float(np.sqrt(np.linalg.eigvalsh(diffusion)[-1]))
    dynamics = fp.Langevin(loss, diffusion=diffusion.tolist())
    grid = fp.Grid(
        u=fp.Axis(-spread, wall, cells, boundary=("reflecting", "absorbing")),
        w=fp.Axis(-spread, spread, cells, boundary="reflecting"),
    )
    return float(fp.mean_first_passage_time(fp.generator(dynamics, grid)).at([[0.0, 0.0]])[0])
