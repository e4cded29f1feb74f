"""Long times under detailed balance: filter out what has decayed, and prove that it has.

Write y = √π + z with z orthogonal to √π. A Chebyshev filter F of degree m with F(0) = 1 is below δ on [λc, λmax], where
m ≈ ½ ln(2/δ) √(λmax/λc). As ln F is concave between 0 and λc, F(λ) ≥ e^{−tλ} there once t ≥ ln(1/δ)/λc. So

    ‖e^{tS} z‖ ≤ ‖F(S) z‖ + e^{−tλc} ‖z‖,

which needs no eigenvalue, and holds for products of filters if t exceeds the sum of their ln(1/δ)/λc. Cycles of filters
whose λc follows the Rayleigh quotient of what is left cost about √(λmax/λ₁) steps, whatever t is. If what is left is
one eigenvector (the slow exchange between two wells), its share of the solution is e^{−tλ₁} F(S)z/F(λ₁).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from fpsolver.generators.matrix import MatrixGenerator
from fpsolver.solvers.exponential.chebyshev import rounding
from fpsolver.solvers.exponential.system import Outcome, System, norm

REDUCTION = 1e-3
"""Factor δ by which one cycle reduces all that lies above its cut: short cycles adapt, long ones waste less."""
FIRST_STEPS = 150
"""Length of the first cycle, before anything is known of the spectrum."""


@dataclass
class _Cycle:
    """State of the iteration: remainder, what has been done to it, and how slow it is."""

    rest: np.ndarray
    norm: float
    steps: int = 0
    spent: float = 0.0
    lowest_cut: float = np.inf
    slowest: float = np.inf
    residual: float = np.inf


def relaxation(
    system: System, state: np.ndarray, duration: float, tolerance: float, most_steps: float
) -> Outcome | None:
    """Return the state after a long time, or None where filters do not get there in `most_steps`.

    Parameters
    ----------
    system : System
        Reversible, without absorbing walls.
    state : ndarray
        Cell probabilities, of total one.
    duration : float
        Time.
    tolerance : float
        Allowed error in L1.
    most_steps : float
        Applications that another method would need.
    """
    y = system.symmetrise(state)
    size = norm(y)
    rest = y - system.root * (system.root * y).sum()
    start = norm(rest)
    noise = rounding(2 * FIRST_STEPS, size)
    cut = -system.lowest * (np.log(2 / REDUCTION) / (2 * FIRST_STEPS)) ** 2
    # what decays by itself above the cut, e^{−t cut}, must be negligible, or the filter proves nothing
    least_cut = np.log(8 * max(start, tolerance) / tolerance) / duration
    cycle = _Cycle(rest, start)
    filters: list[tuple[int, float]] = []
    before = np.inf
    while True:
        left = cycle.norm + start * np.exp(-duration * min(cycle.lowest_cut, 1e300))
        if filters and left + noise <= tolerance:
            return Outcome((system.root**2)[None], cycle.steps, left + noise, "relaxation")
        mode = _slow_mode(system, cycle, filters, duration, tolerance)
        if mode is not None:
            values, error = mode
            error += noise + start * np.exp(-duration * cycle.lowest_cut)
            return Outcome((system.root * (system.root + values))[None], cycle.steps, error, "relaxation")
        if filters:
            cut = _next_cut(cycle, cut, before)
        if cycle.residual < -1e-13 * system.lowest:  # as pure as rounding allows, and not slow enough to be told apart
            return None
        before = cycle.residual
        cut = max(cut, least_cut)
        steps = _degree(-system.lowest / cut)
        span = np.log(1 / REDUCTION) / cut
        if cycle.steps + steps > most_steps or cycle.spent + span > duration or len(filters) > 40:
            return None
        _filter(system, cycle, cut, steps)
        filters.append((steps, cut))
        cycle.spent += span


def _degree(ratio: float) -> int:
    """Return the even degree at which the filter falls to REDUCTION at the cut, for λmax/λc = ratio."""
    if ratio <= 1.0:
        return 2
    steps = np.arccosh(1 / REDUCTION) / np.arccosh((ratio + 1) / (ratio - 1))
    return 2 * int(np.ceil(steps / 2))


def _centre(system: System, cut: float) -> tuple[float, float, float]:
    """Return shift and scale of x(λ) = shift + scale·S, and x(0), for the interval −[cut, λmax] of S."""
    top = max(-system.lowest, 1.0001 * cut)
    width = top - cut
    return (top + cut) / width, 2.0 / width, (top + cut) / width


def _filter(system: System, cycle: _Cycle, cut: float, steps: int) -> None:
    """Apply T_m(x(S))/T_m(x(0)) to the remainder, and look at what is left."""
    shift, scale, origin = _centre(system, cut)
    gains, pulls = _scaled_recurrence(origin, steps)
    weights = np.zeros((1, steps + 1))
    weights[0, -1] = 1.0
    sums, _ = system.symmetric.polynomial(
        cycle.rest, scale=scale, shift=shift, gains=gains, pulls=pulls, weights=weights
    )
    rest = sums[0]
    rest -= system.root * (system.root * rest).sum()
    cycle.rest, cycle.norm = rest, norm(rest)
    cycle.steps += steps + 1
    cycle.lowest_cut = min(cycle.lowest_cut, cut)
    cycle.slowest = dirichlet_rate(system, rest)
    one = np.ones(1)
    image, _ = system.symmetric.polynomial(
        rest, scale=1.0, shift=0.0, gains=one, pulls=np.zeros(1), weights=np.array([[0.0, 1.0]])
    )
    miss = image[0] + cycle.slowest * rest
    cycle.residual = norm(miss) / max(cycle.norm, 1e-300)


def _scaled_recurrence(origin: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return gains and pulls of t_k = T_k(x)/T_k(x₀), which stays bounded where T_k itself overflows."""
    gains, pulls = np.empty(steps), np.zeros(steps)
    ratio = 1 / origin
    gains[0] = ratio
    for k in range(1, steps):
        following = 1 / (2 * origin - ratio)
        gains[k], pulls[k] = 2 * following, ratio * following
        ratio = following
    return gains, pulls


def _filter_value(system: System, filters: list[tuple[int, float]], rate: float) -> float:
    """Return the logarithm of the product of all filters at the eigenvalue −rate of S, below the cuts."""
    total = 0.0
    for steps, cut in filters:
        shift, scale, origin = _centre(system, cut)
        x = shift - scale * rate
        if x <= 1.0:
            return -np.inf
        near, far = np.arccosh(x), np.arccosh(origin)
        total += steps * (near - far) + np.log1p(np.exp(-2 * steps * near)) - np.log1p(np.exp(-2 * steps * far))
    return total


def _next_cut(cycle: _Cycle, cut: float, before: float) -> float:
    """Return the next cut: just below the rate of what is left, unless a gap has opened far below the present one."""
    if cycle.slowest > 0.2 * cut:
        return 0.7 * cycle.slowest
    # one slow mode purifies at this cut; several must be told apart at a lower one
    return cut if cycle.residual < 0.3 * before else max(0.7 * cycle.slowest, 0.25 * cut)


def _slow_mode(
    system: System, cycle: _Cycle, filters: list[tuple[int, float]], duration: float, tolerance: float
) -> tuple[np.ndarray, float] | None:
    """Return what is left of z at the end, and its error, if the remainder is one slow eigenvector."""
    if not filters or cycle.slowest > 0.2 * cycle.lowest_cut:
        return None
    damped = _filter_value(system, filters, cycle.slowest)
    if not np.isfinite(damped):
        return None
    # What lies above the cut has an amplitude of residual/cut. Another slow mode, whose distance is of the order of the
    # rate itself, has one of residual/rate, and moves the result by no more than duration·residual. Neither has grown
    # relative to the exact solution, because filters never damp more than time does.
    hidden = min(cycle.residual / max(cycle.slowest, 1e-300), duration * cycle.residual)
    error = cycle.norm * (cycle.residual / (0.8 * cycle.lowest_cut) + hidden)
    if error > 0.3 * tolerance:
        return None
    return float(np.exp(-duration * cycle.slowest - damped)) * cycle.rest, error


def dirichlet_rate(system: System, rest: np.ndarray) -> float:
    """Return the Rayleigh quotient −⟨y, S y⟩/⟨y, y⟩ as a sum of non-negative terms, Σ π_i r_ij (f_i − f_j)²/Σ π_i f_i².

    Rates far below the rounding of S itself come out with all their digits.
    """
    generator = system.generator
    shape = generator.grid.shape
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        f = np.where(system.root > 1e-150, rest / system.root, 0.0).reshape(shape)
    root = system.root.reshape(shape)
    total = 0.0
    for edge in generator.edges:
        step = (edge.at_end(f) - f) * root
        total += float((edge.forward * step * step).sum())
    if isinstance(generator, MatrixGenerator):
        links = sparse.coo_array(generator.rates)
        step = (f.ravel()[links.row] - f.ravel()[links.col]) * system.root[links.col]
        total += 0.5 * float((links.data * step * step).sum())
    total += float((generator.killing * (f * root) ** 2).sum())
    return total / max(float((rest * rest).sum()), 1e-300)
