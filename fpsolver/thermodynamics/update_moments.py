"""Moments of jump processes: total rate, flow and spread of updates, and the diffusion that they become."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fpsolver.dynamics import JumpProcess, Langevin, LatticeProposal
from fpsolver.dynamics.proposals import Proposal
from fpsolver.errors import DynamicsError
from fpsolver.generators.jump_rates import JumpRates
from fpsolver.grids import Grid

PANELS, NODES, REACH = 12, 16, 40.0
"""Panels and Gauss–Legendre nodes of each half line, and where it ends, in scales."""
SHRINKING = 2.0
"""Factor between the proposals on the way to the limit."""


@dataclass(frozen=True, eq=False)
class JumpMoments:
    """Moments of the rate density ρ(θ, Δθ) of updates.

    Parameters
    ----------
    total_rate : ndarray, shape (...)
        ∫ρ dΔθ, updates by nothing included.
    flow : ndarray, shape (..., d)
        ∫Δθ ρ dΔθ, the velocity d⟨θ⟩/dt.
    second_moment : ndarray, shape (..., d, d)
        ∫Δθ Δθᵀ ρ dΔθ, twice the diffusion tensor that it would be in the limit of small updates.
    """

    total_rate: np.ndarray
    flow: np.ndarray
    second_moment: np.ndarray


def jump_moments(process: Any, where: Any = None) -> JumpMoments:
    """Return the moments of a jump process, on a grid or at points of open space.

    Parameters
    ----------
    process : JumpProcess, or its generator
        Undriven.
    where : Grid or array_like, shape (..., d), optional
        On a grid sums over its sites, as its generator has them: jumps that walls reject do not count, those that end
        behind an absorbing wall do; components in the order of the axes. At points, in the order of the variables,
        integrals by quadrature, for proposals with exponential moments. Left out for a generator, which has a grid.

    Returns
    -------
    JumpMoments

    Raises
    ------
    DynamicsError
        If `process` is not a jump process, or its proposal has too heavy tails to be integrated at points.

    Examples
    --------
    >>> import fpsolver as fp
    >>> process = fp.JumpProcess(fp.Landscape("x"), temperature=0.5, proposal=fp.GaussianProposal(0.3))
    >>> found = jump_moments(process, [0.0])
    >>> round(float(found.total_rate), 10), round(float(found.flow[0]), 10)
    (1.0460278599, -0.0941425074)
    """
    if not isinstance(process, JumpProcess):
        given = getattr(process, "dynamics", None)
        if not isinstance(given, JumpProcess) or where is not None:
            raise DynamicsError(
                f"{process!r} has no updates; give a JumpProcess and a grid or points, or its generator"
            )
        process, where = given, process.grid
    if process.driven:
        raise DynamicsError("a driven jump process has moments at each time; freeze it with process.at(t)")
    if isinstance(where, Grid):
        return JumpMoments(*JumpRates(process, where).moments())
    points = np.asarray(where, dtype=float)
    if points.shape[-1:] != (process.landscape.dimension,):
        raise DynamicsError(
            f"points of shape {points.shape} do not fit {process.landscape.dimension} variable(s); the last axis runs "
            "over the variables"
        )
    flat = points.reshape(-1, points.shape[-1])
    rows = [_integrals(process, theta) for theta in flat]
    total, flow, second = (
        np.array(part).reshape(points.shape[:-1] + np.shape(part[0])) for part in zip(*rows, strict=True)
    )
    return JumpMoments(total, flow, second)


def _integrals(process: JumpProcess, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    updates, weights = _updates(process)
    landscape = process.landscape
    if process.law == "linearised":
        change = updates @ landscape.gradient(theta)
    else:
        change = landscape.value(theta + updates) - landscape.value(theta)
    rates = weights * process.factor(change) * process.attempts.evaluate(theta[None], landscape.parameters)[0]
    return float(rates.sum()), rates @ updates, np.einsum("n,ni,nj->ij", rates, updates, updates)


def _updates(process: JumpProcess) -> tuple[np.ndarray, np.ndarray]:
    """Return updates, shape (n, d), and the probabilities that stand for the proposal."""
    proposal, d = process.proposal, process.landscape.dimension
    scales = proposal.for_dimension(d)
    if isinstance(proposal, LatticeProposal):
        return np.concatenate([np.diag(scales), -np.diag(scales)]), np.full(2 * d, 0.5 / d)
    if not isinstance(proposal, Proposal) or proposal.heavy_tailed:
        raise DynamicsError(
            f"{proposal!r} has tails too heavy for this quadrature; give a grid, which bounds the jumps"
        )
    end = 1.0 if proposal.kind == "uniform" else 10.0 if proposal.kind == "gaussian" else REACH
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    edges = np.linspace(0.0, end, PANELS + 1)
    # Panels end at zero, where rates that depend on the sign of ΔL, and some profiles, have a kink.
    half = np.concatenate([0.5 * (b - a) * nodes + 0.5 * (a + b) for a, b in pairwise(edges)])
    share = np.tile(0.5 * (edges[1] - edges[0]) * weights, PANELS)
    u = np.concatenate([-half[::-1], half])
    q = np.concatenate([share[::-1], share]) * proposal.profile(u)
    grids = np.meshgrid(*(scale * u for scale in scales), indexing="ij")
    products = np.prod(np.meshgrid(*([q] * d), indexing="ij"), axis=0)
    return np.stack([axis.ravel() for axis in grids], axis=-1), products.ravel()


@dataclass(frozen=True, eq=False)
class KramersMoyalLimit:
    """What a jump process becomes when its updates shrink as their rate grows, A s² fixed.

    Parameters
    ----------
    dynamics : Langevin
        The limit.
    shrinking : ndarray, shape (n,)
        Scales of the updates over the given ones.
    drift_remainder, diffusion_remainder : ndarray, shape (n,)
        Largest distance of flow and of half the second moment from drift and diffusion of the limit, over the size of
        these.
    """

    dynamics: Langevin
    shrinking: np.ndarray
    drift_remainder: np.ndarray
    diffusion_remainder: np.ndarray

    @property
    def drift_order(self) -> float:
        """Power of the scale with which the flow tends to the drift, from the two smallest scales."""
        return _order(self.shrinking, self.drift_remainder)

    @property
    def diffusion_order(self) -> float:
        """Power of the scale with which half the second moment tends to the diffusion."""
        return _order(self.shrinking, self.diffusion_remainder)


def kramers_moyal_limit(process: JumpProcess, points: Any, *, shrinkings: int = 4) -> KramersMoyalLimit:
    """Return the Langevin dynamics that a jump process tends to for small updates, and how it gets there.

    With σ² the variance of a proposal along a coordinate, D = wA σ²/2 and v = −D ∇L/T_b, where T_b is T, or T/2 for the
    law "arrhenius", and w = ½ for "glauber", 1 for all others; Itô's convention where A depends on θ. Remainders are of
    order s² for smooth laws and s for "metropolis", whose rate has a kink.

    Parameters
    ----------
    process : JumpProcess
        Undriven, with a proposal of finite variance.
    points : array_like, shape (n, d)
        Where drift and diffusion are compared.
    shrinkings : int
        Number of scales 1, ½, ¼, … at which they are.

    Raises
    ------
    DynamicsError
        If the proposal has an infinite variance: the limit is then a fractional diffusion, not a Langevin dynamics.

    References
    ----------
    N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), section X.2.

    Examples
    --------
    >>> import fpsolver as fp
    >>> process = fp.JumpProcess(fp.Landscape("x**2/2"), temperature=0.5, proposal=fp.GaussianProposal(0.3))
    >>> limit = kramers_moyal_limit(process, [[0.5], [1.0]])
    >>> round(limit.drift_order, 2), limit.dynamics.temperature
    (2.0, 0.5)
    """
    theta = np.atleast_2d(np.asarray(points, dtype=float))
    dynamics = _limit(process)
    landscape = process.landscape
    diffusion = _limit_diffusion(process, theta)
    drift = -diffusion * landscape.gradient(theta) / process.balance_temperature
    factors = SHRINKING ** -np.arange(float(shrinkings))
    remainders = np.array([_remainder(_shrunk(process, factor), theta, drift, diffusion) for factor in factors])
    return KramersMoyalLimit(dynamics, factors, remainders[:, 0], remainders[:, 1])


def _variances(process: JumpProcess) -> np.ndarray:
    proposal, d = process.proposal, process.landscape.dimension
    if isinstance(proposal, LatticeProposal):
        return proposal.for_dimension(d) ** 2 / d
    assert isinstance(proposal, Proposal)
    if not np.isfinite(proposal.profile_variance):
        raise DynamicsError(
            f"{proposal!r} has an infinite variance: small updates make a fractional diffusion, no Langevin dynamics; "
            "take a proposal of finite variance"
        )
    return np.broadcast_to(proposal.variances, (d,))


def _share(process: JumpProcess) -> float:
    return 0.5 if process.law == "glauber" else 1.0


def _limit_diffusion(process: JumpProcess, theta: np.ndarray) -> np.ndarray:
    attempts = process.attempts.evaluate(theta, process.landscape.parameters)
    return 0.5 * _share(process) * attempts[:, None] * _variances(process)


def _limit(process: JumpProcess) -> Langevin:
    temperature, variances = process.balance_temperature, _variances(process)
    strengths = (0.5 * _share(process) * variances).tolist()
    texts = process.attempts.texts
    if process.attempts.constant is not None:
        rate = float(process.attempts.constant)
        mobility = [rate * strength / temperature for strength in strengths]
        return Langevin(process.landscape, temperature=temperature, mobility=mobility)
    if texts is None:
        raise DynamicsError("attempt_rate is a Python function; give it as an expression, of which the limit is made")
    diffusion = [f"{strength!r}*({texts[0]})" for strength in strengths]
    mobility_texts = [f"{strength / temperature!r}*({texts[0]})" for strength in strengths]
    return Langevin(process.landscape, mobility=mobility_texts, diffusion=diffusion, convention="ito")


def _shrunk(process: JumpProcess, factor: float) -> JumpProcess:
    """Return the process with smaller updates; its rate is not raised, which `_remainder` makes up for."""
    proposal = process.proposal
    name = {"uniform": "half_width", "lattice": "spacing"}.get(proposal.kind, "scale")
    scales = np.asarray(getattr(proposal, name), dtype=float) * factor
    smaller = replace(proposal, **{name: scales.tolist() if scales.ndim else float(scales)})  # type: ignore[type-var]
    return replace(process, proposal=smaller)


def _remainder(
    process: JumpProcess, theta: np.ndarray, drift: np.ndarray, diffusion: np.ndarray
) -> tuple[float, float]:
    found = jump_moments(process, theta)
    now = _limit_diffusion(process, theta)
    scale = diffusion[0, 0] / now[0, 0]
    d = theta.shape[1]
    spread = 0.5 * scale * found.second_moment - diffusion[:, :, None] * np.eye(d)
    return (
        float(np.abs(scale * found.flow - drift).max() / np.abs(drift).max()),
        float(np.abs(spread).max() / np.abs(diffusion).max()),
    )


def _order(scales: np.ndarray, remainders: np.ndarray) -> float:
    return float(np.log(remainders[-2] / remainders[-1]) / np.log(scales[-2] / scales[-1]))
