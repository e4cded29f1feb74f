"""Overdamped trajectories with additive noise on an NVIDIA device; see `fpsolver.kernels.cpu.additive`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint32

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import additive, noise
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.additive import Functions, Law, Run, Schedule, Scratch
from fpsolver.kernels.gpu.launch import in_turn, launch, translated


def _handed_over(like, scratch, kind, d, size, rates, fields):
    """Return the arrays that the kernel made."""
    return scratch


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions, dtype: np.dtype, scheme: int, kind: int, d: int, size: int, parameters: int, rows: Rows
) -> Any:
    """Return the kernel for some functions and numbers of rows."""
    advance, functions = translated(additive.advance, _handed_over, functions, dtype)
    number, shape = from_dtype(dtype), (1, size)
    buffer, words = max(1, noise.buffer_rows(kind, d)), max(1, noise.word_rows(kind, d))
    vectors, scalars, along_path = 8 * d, 2 + 2 * rows.rates, max(1, 2 * rows.fields * d)
    value, gradient, force, has_force, over_time, along = functions

    @cuda.jit
    def kernel(states, counts, first, run, p, law, schedule, failures):
        i = cuda.grid(1)
        b, lane = i // LANES, i % LANES
        if b >= len(counts) or lane >= counts[b]:
            return
        scratch = Scratch(
            cuda.local.array(parameters, number),
            cuda.local.array(buffer, number),
            cuda.local.array(words, uint32),
            cuda.local.array(vectors, number),
            cuda.local.array(scalars, number),
            cuda.local.array(along_path, number),
            cuda.local.array(size, number),
        )
        block = cuda.local.array(shape, number)
        for k in range(parameters):
            scratch.p[k] = p[k]
        for k in range(size):
            block[0, k] = states[b, k * LANES + lane]
        compiled = Functions(value, gradient, force, has_force, over_time, along)
        fixed = Run(scheme, kind, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
        failures[i] = advance(block, (1,), first + i, fixed, compiled, scratch, law, schedule, rows)[2]
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
    """Advance all blocks by ``run.steps`` steps; see `fpsolver.kernels.cpu.additive.advance`.

    The functions are for one lane, in plain Python. `states` may be on the host, or on the device already. At a failure
    the failed trajectory alone is left in its state before the step.
    """
    size = states.shape[1] // LANES
    d = law.drift.shape[1]
    kernel = _kernel(functions, np.dtype(states.dtype), run.scheme, run.kind, d, size, len(p), rows)
    return launch(kernel, states, counts, first, run, p, law, schedule)
