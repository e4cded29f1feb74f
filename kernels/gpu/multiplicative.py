"""Overdamped trajectories with noise that depends on the position on an NVIDIA device.

See `fpsolver.kernels.cpu.multiplicative`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint32

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import factors, multiplicative, noise
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.additive import Run, Schedule
from fpsolver.kernels.cpu.factors import TENSOR
from fpsolver.kernels.cpu.multiplicative import Ends
from fpsolver.kernels.cpu.multiplicative_steps import Functions, Law, Scratch, variables_of
from fpsolver.kernels.gpu.launch import in_turn, launch, translated


def _handed_over(like, scratch, kind, m, law, rows):
    """Return the arrays that the kernel made."""
    return scratch


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions,
    dtype: np.dtype,
    scheme: int,
    kind: int,
    fixed: tuple[Any, ...],
    size: int,
    parameters: int,
    rows: Rows,
) -> Any:
    """Return the kernel for some functions and numbers of rows; `fixed` is the law without the factors τ and μ."""
    advance, functions = translated(multiplicative.advance, _handed_over, functions, dtype)
    d, noise_kind, mobility_kind, thermal, separable, shares, flow_shares = fixed
    number, shape = from_dtype(dtype), (1, size)
    m, packed = variables_of(scheme, separable, d), factors.rows_of(noise_kind, d)
    buffer, words = max(1, noise.buffer_rows(kind, m)), max(1, noise.word_rows(kind, m))
    mobilities, work = factors.rows_of(mobility_kind, d), factors.work_rows(d)
    derivatives, square = (packed * d, d * d) if noise_kind == TENSOR else (1, 1)
    over, along = max(1, rows.rates), max(1, rows.fields * d)
    value, gradient, force, has_force, over_time, along_path, noise_of, mobility_of, divergence, jacobian = functions

    @cuda.jit
    def kernel(states, counts, first, run, p, scale, mobility, schedule, failures):
        i = cuda.grid(1)
        b, lane = i // LANES, i % LANES
        if b >= len(counts) or lane >= counts[b]:
            return
        scratch = Scratch(
            cuda.local.array(parameters, number),
            cuda.local.array(buffer, number),
            cuda.local.array(words, uint32),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(packed, number),
            cuda.local.array(packed, number),
            cuda.local.array(packed, number),
            cuda.local.array(mobilities, number),
            cuda.local.array(derivatives, number),
            cuda.local.array(square, number),
            cuda.local.array(work, number),
        )
        ends = Ends(
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(1, number),
            cuda.local.array(1, number),
            cuda.local.array(over, number),
            cuda.local.array(over, number),
            cuda.local.array(along, number),
            cuda.local.array(along, number),
            cuda.local.array(size, number),
        )
        block = cuda.local.array(shape, number)
        for k in range(parameters):
            scratch.p[k] = p[k]
        for k in range(size):
            block[0, k] = states[b, k * LANES + lane]
        compiled = Functions(
            value, gradient, force, has_force, over_time, along_path, noise_of, mobility_of, divergence, jacobian
        )
        law = Law(d, noise_kind, mobility_kind, thermal, separable, shares, flow_shares, scale, mobility)
        known = Run(scheme, kind, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
        failures[i] = advance(block, (1,), first + i, known, compiled, (scratch, ends), law, schedule, rows)[2]
        for k in range(size):
            states[b, k * LANES + lane] = block[0, k]

    return kernel


@in_turn
def advance(
    states: Any,
    counts: np.ndarray,
    first: int,
    run: Run,
    functions: Functions,
    p: np.ndarray,
    law: Law,
    schedule: Schedule,
    rows: Rows,
) -> tuple[int, int, int]:
    """Advance all blocks by ``run.steps`` steps; see `fpsolver.kernels.cpu.multiplicative.advance`.

    The functions are for one lane, in plain Python. `states` may be on the host, or on the device already. At a failure
    the failed trajectory alone is left in its state before the step.
    """
    size = states.shape[1] // LANES
    kernel = _kernel(functions, np.dtype(states.dtype), run.scheme, run.kind, law[:-2], size, len(p), rows)
    return launch(kernel, states, counts, first, run, p, law.scale, law.mobility, schedule)
