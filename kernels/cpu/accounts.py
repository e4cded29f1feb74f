"""Path functionals of one step, added up for each trajectory of a block: work, heat, entropy flow, user integrals.

Integrals along the path are Stratonovich midpoint sums, ½ (f(x) + f(x′)) · (x′ − x), with parameters frozen at the
middle of the step.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.options import OPTIONS


class Rows(NamedTuple):
    """Where the functionals stand among the rows of a block; −1: not asked for.

    `rates` integrals over time start at row `first_rate`, `fields` integrals along the path at row `first_field`.
    """

    work: int
    heat: int
    shadow: int
    exact_flow: int
    midpoint_flow: int
    first_rate: int
    rates: int
    first_field: int
    fields: int


@njit(**OPTIONS)
def add_difference(total, after, before):
    """Add ``after − before`` to a row."""
    for i in range(LANES):
        total[i] += after[i] - before[i]


@njit(**OPTIONS)
def add_path_integral(total, before, after, change, d, sign):
    """Add ``sign ½ (before + after) · change`` to a row."""
    half = total.dtype.type(0.5 * sign)
    for k in range(d):
        here = slice(k * LANES, (k + 1) * LANES)
        f, g, dx = before[here], after[here], change[here]
        for i in range(LANES):
            total[i] += half * (f[i] + g[i]) * dx[i]


@njit(**OPTIONS)
def add_time_integral(total, before, after, dt):
    """Add ``½ (before + after) dt`` to a row: the trapezoidal rule."""
    half = total.dtype.type(0.5 * dt)
    for i in range(LANES):
        total[i] += half * (before[i] + after[i])


@njit(**OPTIONS)
def add_log_ratio(total, forward, backward, d):
    """Add ``½ (|backward|² − |forward|²)``: ln p(x→x′)/p(x′→x) of Gaussian steps with these standardised noises."""
    half = total.dtype.type(0.5)
    for k in range(d):
        here = slice(k * LANES, (k + 1) * LANES)
        z, r = forward[here], backward[here]
        for i in range(LANES):
            total[i] += half * (r[i] - z[i]) * (r[i] + z[i])
