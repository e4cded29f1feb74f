"""One step of overdamped dynamics whose mobility or diffusion depends on the position, for a block of 256 lanes.

The law is the Itô equation dθ = a dt + √(2 τ) B dW with a = −μ M s + τ (δ ∇·C + ρ r), where s = ∇L − F, C = BBᵀ is the
noise matrix, M = C or a mobility of its own, r the drift of Stratonovich noise with the symmetric root of C, and
(δ, ρ) the convention. Scalar and diagonal coefficients take ρ = 0, as r = ½ ∇·C there. B is the lower triangular factor
of C, and the symmetric root in the Heun scheme.

References
----------
P. E. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations (1992), eqs. (15.1.1) and (15.1.3).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import factors, noise
from fpsolver.kernels.cpu.additive import fill_slope
from fpsolver.kernels.cpu.factors import TENSOR, add_column, add_lower, add_symmetric, rows_of
from fpsolver.kernels.cpu.lanes import copy, row
from fpsolver.kernels.options import ALLOCATING, INLINE, OPTIONS

EULER_MARUYAMA, HEUN, WEAK_2 = 0, 1, 2


class Functions(NamedTuple):
    """Compiled block functions ``f(x, p, out)``: those of `additive`, and the coefficients.

    `noise` fills the rows of C (`factors.rows_of`), `mobility` those of M, `divergence` the d rows of ∇·C, `jacobian`
    the derivatives of the packed C (`factors.add_root_drift`).
    """

    value: Any
    gradient: Any
    force: Any
    has_force: bool
    rates: Any
    fields: Any
    noise: Any
    mobility: Any
    divergence: Any
    jacobian: Any


class Law(NamedTuple):
    """Kinds of the coefficients, convention, and the factors τ and μ (n,) of each step, or one where all are alike.

    `thermal`: M is C, and τ the temperature. `separable`: C is diagonal, and entry k depends on component k alone.
    `shares` are (δ, ρ) of the drift that the scheme takes (Heun's converges to the Stratonovich equation, so that its
    drift is less by r), `flow_shares` those of the irreversible drift a − ∇·D.
    """

    dimension: int
    noise_kind: int
    mobility_kind: int
    thermal: bool
    separable: bool
    shares: tuple[float, float]
    flow_shares: tuple[float, float]
    scale: np.ndarray
    mobility: np.ndarray


class Scratch(NamedTuple):
    """Arrays of one block that live for a call."""

    p: np.ndarray
    buffer: np.ndarray
    words: np.ndarray
    slope: np.ndarray
    new_slope: np.ndarray
    force: np.ndarray
    new_force: np.ndarray
    drift: np.ndarray
    new_drift: np.ndarray
    change: np.ndarray
    point: np.ndarray
    support: np.ndarray
    variables: np.ndarray
    extra: np.ndarray
    c: np.ndarray
    new_c: np.ndarray
    spare: np.ndarray
    mobility: np.ndarray
    jacobian: np.ndarray
    vectors: np.ndarray
    work: np.ndarray


@njit(**OPTIONS)
def variables_of(scheme, separable, d):
    """Return the random variables of a step: d, and for the weak-order-2 scheme one for each pair of components."""
    return d + d * (d - 1) // 2 if scheme == WEAK_2 and not separable else d


@njit(**ALLOCATING)
def make_step_scratch(like, p, kind, m, law):
    """Return arrays of the block's type, for m random variables a step."""
    d, t = law.dimension, like.dtype
    rows, packed = d * LANES, rows_of(law.noise_kind, d) * LANES
    tensor = law.noise_kind == TENSOR
    return Scratch(
        p.copy(),
        np.zeros(noise.buffer_rows(kind, m) * LANES, t),
        np.zeros(noise.word_rows(kind, m) * LANES, np.uint32),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(rows, t),
        np.zeros(packed, t),
        np.zeros(packed, t),
        np.zeros(packed, t),
        np.zeros(rows_of(law.mobility_kind, d) * LANES, t),
        np.zeros(packed * d if tensor else 0, t),
        np.zeros(rows * d if tensor else 0, t),
        np.zeros(factors.work_rows(d) * LANES, t),
    )


@njit(**OPTIONS)
def _zero(out):
    for i in range(len(out)):
        out[i] = 0


@njit(**INLINE)
def _drift(functions, x, s, c, law, j, shares, out, t):
    """Write −μ M s + τ (δ ∇·C + ρ r) to `out`, with shares (δ, ρ); c holds C at x."""
    d = law.dimension
    _zero(out)
    if law.thermal:
        add_symmetric(law.noise_kind, c, s, -1.0, out, d)
    else:
        functions.mobility(x, t.p, t.mobility)
        add_symmetric(law.mobility_kind, t.mobility, s, -law.mobility[j], out, d)
    if shares[0] != 0:
        functions.divergence(x, t.p, t.extra)
        factor = out.dtype.type(shares[0] * law.scale[j])
        for i in range(d * LANES):
            out[i] += factor * t.extra[i]
    if shares[1] != 0:
        functions.jacobian(x, t.p, t.jacobian)
        copy(t.spare, c)
        factors.add_root_drift(t.spare, t.jacobian, t.vectors, t.work, shares[1] * law.scale[j], out, d)


@njit(**INLINE)
def _take_root(c, law, symmetric, t):
    """Replace C by its factor."""
    if law.noise_kind != TENSOR:
        factors.square_roots(c, rows_of(law.noise_kind, law.dimension))
    elif symmetric:
        factors.symmetric_root(c, t.vectors, t.work, law.dimension)
    else:
        factors.cholesky(c, t.work, law.dimension)


@njit(**INLINE)
def _begin(functions, x, scheme, law, j, t):
    """Fill t.drift, and t.c with the factor, at the beginning of a step; t.slope is known."""
    functions.noise(x, t.p, t.c)
    _drift(functions, x, t.slope, t.c, law, j, law.shares, t.drift, t)
    _take_root(t.c, law, scheme == HEUN, t)


@njit(**OPTIONS)
def _add(out, weight, a, d):
    factor = out.dtype.type(weight)
    for i in range(d * LANES):
        out[i] += factor * a[i]


@njit(**INLINE)
def _add_noise(law, scheme, c, z, weight, out):
    """Add ``weight B z``."""
    if scheme == HEUN:
        add_symmetric(law.noise_kind, c, z, weight, out, law.dimension)
    else:
        add_lower(law.noise_kind, c, z, weight, out, law.dimension)


@njit(**INLINE)
def _heun(functions, x, z, law, j, dt, kick, t):
    """Take a step with the means of drift and factor before and after an Euler step."""
    d = law.dimension
    copy(t.point, x)
    _add(t.point, dt, t.drift, d)
    _add_noise(law, HEUN, t.c, z, kick, t.point)
    fill_slope(functions, t.point, t.p, t.new_slope, t.new_force, d)
    functions.noise(t.point, t.p, t.new_c)
    _drift(functions, t.point, t.new_slope, t.new_c, law, j, law.shares, t.new_drift, t)
    _take_root(t.new_c, law, True, t)
    _add(x, 0.5 * dt, t.drift, d)
    _add(x, 0.5 * dt, t.new_drift, d)
    _add_noise(law, HEUN, t.c, z, 0.5 * kick, x)
    _add_noise(law, HEUN, t.new_c, z, 0.5 * kick, x)


@njit(**OPTIONS)
def _squared_variables(out, z, sign, d):
    """Write ¼ (z ± (z² − 1))."""
    quarter, one = out.dtype.type(0.25), out.dtype.type(1.0)
    weight = out.dtype.type(0.25 * sign)
    for i in range(d * LANES):
        out[i] = quarter * z[i] + weight * (z[i] * z[i] - one)


@njit(**OPTIONS)
def _paired_row(out, z, other, pair, sign, turn):
    quarter, signed = out.dtype.type(0.25), out.dtype.type(0.25 * sign)
    turned = out.dtype.type(0.25 * sign * turn)
    for i in range(LANES):
        out[i] = quarter * z[i] + signed * (z[i] * other[i]) + turned * pair[i]


@njit(**OPTIONS)
def _paired_variables(out, z, r, sign, d):
    """Write ¼ (z_j ± (z_j z_r + v_rj)), and zero for j = r.

    The v_rj = −v_jr of pairs r < j stand behind the z. They replace V_rj/Δ of the book, of which only the mean and the
    variance matter: any variable with these will do.
    """
    for j in range(d):
        if j == r:
            _zero(row(out, j))
            continue
        low, high = min(j, r), max(j, r)
        pair = row(z, d + high * (high - 1) // 2 + low)
        _paired_row(row(out, j), row(z, j), row(z, r), pair, sign, 1.0 if r < j else -1.0)


@njit(**INLINE)
def _corrected_mean(functions, x, z, law, j, dt, kick, t):
    """Begin the weak-order-2 step: t.change = ½ (a + a(x + a dt + B z)) dt + …, t.point = x + a dt."""
    d = law.dimension
    copy(t.point, x)
    _add(t.point, dt, t.drift, d)
    copy(t.support, t.point)
    add_lower(law.noise_kind, t.c, z, kick, t.support, d)
    fill_slope(functions, t.support, t.p, t.new_slope, t.new_force, d)
    if law.thermal or law.shares[1] != 0:
        functions.noise(t.support, t.p, t.new_c)
    _drift(functions, t.support, t.new_slope, t.new_c, law, j, law.shares, t.new_drift, t)
    _zero(t.change)
    _add(t.change, 0.5 * dt, t.drift, d)
    _add(t.change, 0.5 * dt, t.new_drift, d)


@njit(**INLINE)
def _weak_separable(functions, x, z, law, j, dt, kick, t):
    """Take Platen's explicit step of weak order 2, where every component has its own noise."""
    d = law.dimension
    _corrected_mean(functions, x, z, law, j, dt, kick, t)
    add_lower(law.noise_kind, t.c, z, 0.5 * kick, t.change, d)
    for i in range(d * LANES):
        t.extra[i] = 1
    for side in range(2):
        sign = 1.0 - 2.0 * side
        copy(t.support, t.point)
        add_lower(law.noise_kind, t.c, t.extra, sign * kick, t.support, d)
        functions.noise(t.support, t.p, t.new_c)
        _take_root(t.new_c, law, False, t)
        _squared_variables(t.variables, z, sign, d)
        add_lower(law.noise_kind, t.new_c, t.variables, kick, t.change, d)
    _add(x, 1.0, t.change, d)


@njit(**INLINE)
def _weak_general(functions, x, z, law, j, dt, kick, t):
    """Take Platen's explicit step of weak order 2 for noise of any form."""
    d, kind = law.dimension, law.noise_kind
    _corrected_mean(functions, x, z, law, j, dt, kick, t)
    add_lower(kind, t.c, z, 0.5 * (2 - d) * kick, t.change, d)
    for r in range(d):
        for side in range(4):
            sign, same = 1.0 - 2.0 * (side % 2), side < 2
            # Support points x + a dt ± B_r √dt for column r itself, x ± B_r √dt for the others.
            copy(t.support, t.point if same else x)
            add_column(kind, t.c, r, sign * kick, t.support, d)
            functions.noise(t.support, t.p, t.new_c)
            _take_root(t.new_c, law, False, t)
            if same:
                _zero(t.variables)
                _squared_variables(row(t.variables, r), row(z, r), sign, 1)
            else:
                _paired_variables(t.variables, z, r, sign, d)
            add_lower(kind, t.new_c, t.variables, kick, t.change, d)
    _add(x, 1.0, t.change, d)


@njit(**INLINE)
def move(functions, x, z, run, law, j, t):
    """Take one step; t.slope holds the slope at x."""
    kick = math.sqrt(2.0 * run.dt * law.scale[j])
    _begin(functions, x, run.scheme, law, j, t)
    if run.scheme == HEUN:
        _heun(functions, x, z, law, j, run.dt, kick, t)
    elif run.scheme == WEAK_2 and law.separable:
        _weak_separable(functions, x, z, law, j, run.dt, kick, t)
    elif run.scheme == WEAK_2:
        _weak_general(functions, x, z, law, j, run.dt, kick, t)
    else:
        _add(x, run.dt, t.drift, law.dimension)
        add_lower(law.noise_kind, t.c, z, kick, x, law.dimension)


@njit(**INLINE)
def irreversible(functions, x, s, law, j, out, t):
    """Write D⁻¹(a − ∇·D) to `out`: the force, over temperature, whose work is the entropy given to the bath."""
    if law.thermal:
        factor = out.dtype.type(-1.0 / law.scale[j])
        for i in range(law.dimension * LANES):
            out[i] = factor * s[i]
        return
    functions.noise(x, t.p, t.c)
    _drift(functions, x, s, t.c, law, j, law.flow_shares, out, t)
    _take_root(t.c, law, False, t)
    factors.solve(law.noise_kind, t.c, out, law.dimension)
