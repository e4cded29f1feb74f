"""Updates that jump processes try, for all seats at once, as they are proposed or tilted towards lower loss.

A tilt with strength c and slope g turns the density q(Δ) of an update into one that is proportional to
q(Δ) e^{−c g Δ + c κ Δ²/2} (the term with κ for normal updates alone), whose integral has a closed form. Coordinates are
independent; row k of a flat array is at ``[LANES * k + seat]``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu.lanes import row
from fpsolver.kernels.elementary import exp, log
from fpsolver.kernels.jump_variables import exponential, fraction, stable, student
from fpsolver.kernels.normal_variables import normal_pair
from fpsolver.kernels.options import FORMULA, OPTIONS
from fpsolver.kernels.philox import DYNAMICS, draw

GAUSSIAN, UNIFORM, LAPLACE, STUDENT, STABLE, LATTICE = range(6)
"""Kinds of proposals."""
PER_DRAW = (4, 2, 2, 2, 1, 1 << 30)
"""Coordinates that are served by four words; a lattice takes one direction for all."""
SMALL_TILT = 1e-6
"""Tilt below which the first order in it is right to rounding."""
ONE = np.uint64(1)


@njit(**OPTIONS)
def draws(kind, d):
    """Return how many draw blocks an attempt takes: waiting time and chance in the first, the update behind."""
    per = PER_DRAW[kind]
    return 1 + (d + per - 1) // per


@njit(**OPTIONS)
def fill_chances(ids, attempts, stride, wait, chance, k0, k1):
    """Fill unit waiting times and uniform variables of the next attempts."""
    for i in range(LANES):
        a, b, c, d = draw(ids[i], (attempts[i] + ONE) * np.uint64(stride), DYNAMICS, k0, k1)
        wait[i] = exponential(a, b)
        chance[i] = fraction(c, d)


@njit(**OPTIONS)
def fill_updates(kind, shape, unit, ids, attempts, d, k0, k1):
    """Fill the d rows of `unit`: normal variables, Student's, stable ones, or uniform ones for the other kinds."""
    stride, per = np.uint64(draws(kind, d)), PER_DRAW[kind]
    if kind == GAUSSIAN:
        fill_normals(unit, ids, attempts, stride, d, k0, k1)
        return
    for first in range(0, d, per):
        block, count = np.uint64(1 + first // per), min(per, d - first)
        _fill_others(kind, shape, unit[first * LANES :], ids, attempts, stride, block, count, k0, k1)


@njit(**OPTIONS)
def fill_normals(unit, ids, attempts, stride, d, k0, k1):
    """Fill the d rows of `unit` with normal variables, from the second draw block of the attempt on."""
    for first in range(0, d, 4):
        block, count = np.uint64(1 + first // 4), min(4, d - first)
        _fill_normals(unit[first * LANES :], ids, attempts, np.uint64(stride), block, count, k0, k1)


@njit(**OPTIONS)
def _fill_normals(unit, ids, attempts, stride, block, count, k0, k1):
    for i in range(LANES):
        a, b, c, d = draw(ids[i], (attempts[i] + ONE) * stride + block, DYNAMICS, k0, k1)
        x0, x1 = normal_pair(a, b)
        x2, x3 = normal_pair(c, d)
        unit[i] = x0
        if count > 1:
            unit[LANES + i] = x1
        if count > 2:
            unit[2 * LANES + i] = x2
        if count > 3:
            unit[3 * LANES + i] = x3


@njit(**OPTIONS)
def _fill_others(kind, shape, unit, ids, attempts, stride, block, count, k0, k1):
    for i in range(LANES):
        a, b, c, d = draw(ids[i], (attempts[i] + ONE) * stride + block, DYNAMICS, k0, k1)
        if kind == STUDENT:
            x0, x1 = student(a, b, shape), student(c, d, shape)
        elif kind == STABLE:
            x0, x1 = stable(a, b, c, d, shape), 0.0
        else:
            x0, x1 = fraction(a, b), fraction(c, d)
        unit[i] = x0
        if count > 1:
            unit[LANES + i] = x1


@njit(**FORMULA)
def tilted_uniform(u, a):
    """Return the variable of density ∝ e^{−ax} on (−1, 1) that a uniform variable u stands for, by inversion."""
    size = abs(a)
    middle = 2.0 * u - 1.0
    if size < SMALL_TILT:
        return middle + 0.5 * a * (middle * middle - 1.0)
    x = -1.0 - math.log1p(u * math.expm1(-2.0 * size)) / size
    return x if a > 0.0 else -x


@njit(**FORMULA)
def tilted_laplace(u, a):
    """Return the variable of density ∝ e^{−|x| − ax}, |a| < 1, that a uniform variable u stands for, by inversion."""
    right = 0.5 * (1.0 - a)
    if u < right:
        return -log(u / right) / (1.0 + a)
    return log((1.0 - u) / (1.0 - right)) / (1.0 - a)


@njit(**FORMULA)
def log_sinh_ratio(a):
    """Return ln(sinh(a)/a)."""
    size = abs(a)
    if size < 1e-3:
        return size * size / 6.0 * (1.0 - size * size / 30.0)
    return size + log(0.5 * (1.0 - exp(-2.0 * size)) / size)


@njit(**OPTIONS)
def add_log_mass(kind, scales, bend, c, slope, mass, d):
    """Add to `mass` the logarithm of ∫q(Δ) e^{−c gΔ + c κΔ²/2} dΔ; infinite where it diverges.

    `bend` is κ: for uniform updates Δ² is bounded by s², for the tails of Laplace's law κ must not be positive.
    """
    for k in range(d):
        s, g = scales[k], row(slope, k)
        if kind == GAUSSIAN:
            room = 1.0 - c * bend * s * s
            if room <= 0.0:
                for i in range(LANES):
                    mass[i] = np.inf
            else:
                half, constant = 0.5 * s * s / room * c * c, -0.5 * math.log(room)
                for i in range(LANES):
                    mass[i] += half * g[i] * g[i] + constant
        elif kind == UNIFORM:
            for i in range(LANES):
                mass[i] += log_sinh_ratio(c * g[i] * s) + 0.5 * c * max(bend, 0.0) * s * s
        else:
            for i in range(LANES):
                a = c * g[i] * s
                mass[i] = mass[i] - math.log1p(-a * a) if kind == LAPLACE and a * a < 1.0 and bend <= 0.0 else np.inf


@njit(**OPTIONS)
def fill_change(kind, scales, bend, c, unit, slope, tilted, has_slope, change, d):
    """Turn the variables of `unit` into updates, tilted in those seats that say so, where slopes are known."""
    for k in range(d):
        s = scales[k]
        u, g, out = row(unit, k), row(slope, k), row(change, k)
        if kind == GAUSSIAN:
            room = 1.0 - c * bend * s * s
            variance = s * s / room if room > 0.0 else s * s
            spread = math.sqrt(variance)
            for i in range(LANES):
                out[i] = spread * u[i] - c * variance * g[i] if tilted[i] and has_slope else s * u[i]
        elif kind == UNIFORM:
            for i in range(LANES):
                out[i] = s * tilted_uniform(u[i], c * s * g[i] if tilted[i] and has_slope else 0.0)
        elif kind == LAPLACE:
            for i in range(LANES):
                out[i] = s * tilted_laplace(u[i], c * s * g[i] if tilted[i] and has_slope else 0.0)
        else:
            for i in range(LANES):
                out[i] = s * u[i]


@njit(**OPTIONS)
def fill_steps(scales, unit, change, d):
    """Turn the first row of `unit` into steps along one coordinate, up or down."""
    for k in range(d):
        out = row(change, k)
        for i in range(LANES):
            direction = int(unit[i] * (2 * d))
            out[i] = scales[k] * (1.0 if direction == 2 * k else (-1.0 if direction == 2 * k + 1 else 0.0))


@njit(**OPTIONS)
def fill_sag(kind, scales, bend, change, sag, d):
    """Fill κ/2 times Δ², or what bounds it from above: how far the loss may lie below its tangent."""
    for i in range(LANES):
        sag[i] = 0.0
    for k in range(d):
        delta, s = row(change, k), scales[k]
        if kind == GAUSSIAN:
            for i in range(LANES):
                sag[i] += 0.5 * bend * delta[i] * delta[i]
        elif kind == UNIFORM:
            for i in range(LANES):
                sag[i] += 0.5 * max(bend, 0.0) * s * s
