"""Whether a jump process has a finite total rate ∫ρ(θ, Δθ) dΔθ, and does not explode."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from fpsolver.dynamics.proposals import Proposal
from fpsolver.errors import DynamicsError
from fpsolver.landscapes.quadratic_forms import quadratic_form

if TYPE_CHECKING:
    from fpsolver.dynamics.jump import JumpProcess

RADII = (1e2, 1e3, 1e4)
"""Distances, in units of the proposal's scale, at which the integrand of the total rate is looked at."""
BEYOND_DOUBT = 50.0
"""Logarithm of the integrand, relative to where the jump begins, above which it cannot be a bulge that falls again
further out, if it has been growing from one radius to the next."""
DIRECTIONS = 3
"""Dimensions up to which diagonals are looked along, besides the axes."""


def check_total_rate(process: JumpProcess) -> None:
    """Raise where the total rate is known to diverge, or a linearised law to explode.

    Exponential laws are decided exactly on quadratic losses, and on others by the growth of the integrand along axes
    and diagonals.

    Raises
    ------
    DynamicsError
        With the reason and the remedy.
    """
    if not isinstance(process.proposal, Proposal):
        return
    if process.law == "linearised":
        _check_linearised(process)
    elif process.law in ("half", "arrhenius"):
        _check_exponent(process)


def _check_linearised(process: JumpProcess) -> None:
    proposal = process.proposal
    assert isinstance(proposal, Proposal)
    if proposal.heavy_tailed:
        raise DynamicsError(
            f'law = "linearised" with {proposal!r}: ∫q(Δ) e^{{−∇L·Δ/2T}} dΔ diverges wherever ∇L ≠ 0, since q has no '
            'exponential moments; take a proposal with lighter tails, or law = "half"'
        )
    form = quadratic_form(process.landscape)
    if form is None:
        return
    if proposal.kind == "laplace" and form.hessian.any():
        raise DynamicsError(
            f'law = "linearised" with {proposal!r}: the total rate is infinite where |∂L/∂θ| ≥ 2T/s, and on a '
            'quadratic loss the slope grows beyond all bounds; take a Gaussian proposal, or law = "half"'
        )
    steepest = _scaled_curvatures(process)[-1]
    if proposal.kind == "gaussian" and steepest >= 4.0 * process.temperature:
        raise DynamicsError(
            f'law = "linearised" with s²h = {steepest:.4g} ≥ 4T = {4 * process.temperature:.4g}: jumps overshoot the '
            "minimum further each time (gradient descent with learning rate s²/2T beyond 2/h) and their rate grows "
            'without bound in finite time; make the proposal narrower, raise the temperature, or take law = "half"'
        )


def _scaled_curvatures(process: JumpProcess) -> np.ndarray:
    """Return the eigenvalues, ascending, of the Hessian of a quadratic loss in units of the proposal's lengths."""
    assert isinstance(process.proposal, Proposal)
    form = quadratic_form(process.landscape)
    assert form is not None
    root = np.sqrt(process.proposal.variances * np.ones(process.landscape.dimension))
    return np.linalg.eigvalsh(root[:, None] * form.hessian * root)


def _check_exponent(process: JumpProcess) -> None:
    proposal, share = process.proposal, 1.0 if process.law == "arrhenius" else 0.5
    assert isinstance(proposal, Proposal)
    if proposal.kind == "uniform":
        return
    form = quadratic_form(process.landscape)
    if form is not None and proposal.kind == "gaussian":
        flattest = _scaled_curvatures(process)[0]
        diverges = 1.0 + share * flattest / process.temperature <= 0.0
    else:
        diverges = _grows(process, share)
    if diverges:
        raise DynamicsError(
            f'law = "{process.law}" with {proposal!r}: the loss falls so fast far away that the total rate '
            f"∫q(Δ) e^{{−{'' if share == 1.0 else '½'}ΔL/T}} dΔ diverges; bound the loss from below, take a "
            'proposal of finite range (fp.UniformProposal), or a law with bounded rates, "metropolis" or "glauber"'
        )


def _grows(process: JumpProcess, share: float) -> bool:
    """Return whether q e^{−share ΔL/T} grows beyond doubt along an axis or a diagonal."""
    landscape, proposal = process.landscape, process.proposal
    assert isinstance(proposal, Proposal)
    d = landscape.dimension
    start = np.zeros(d)
    for k, (lower, upper) in enumerate(landscape.domain):
        if np.isfinite(lower) or np.isfinite(upper):
            return False  # measured surfaces and densities live in a box, beyond which there are no jumps
        start[k] = 0.0
    signs = product((-1.0, 0.0, 1.0), repeat=d) if d <= DIRECTIONS else (s * e for e in np.eye(d) for s in (-1.0, 1.0))
    scales = proposal.for_dimension(d)
    with np.errstate(all="ignore"):
        here = float(landscape.value(start))
        for sign in signs:
            direction = np.asarray(sign)
            if not direction.any():
                continue
            values = []
            for radius in RADII:
                moved = np.abs(direction) > 0.0
                tail = float(np.sum(np.log(np.maximum(proposal.profile(np.where(moved, radius, 0.0)), 1e-300))))
                if proposal.kind == "gaussian":
                    tail = -0.5 * radius**2 * float(moved.sum())
                elif proposal.kind == "laplace":
                    tail = -radius * float(moved.sum())
                change = float(landscape.value(start + radius * direction * scales)) - here
                values.append(tail - share * change / process.temperature)
            if values[-1] > BEYOND_DOUBT and bool(np.all(np.diff(values) > 0.0)):
                return True
    return False
