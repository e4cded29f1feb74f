"""Underdamped trajectories on an NVIDIA device; see `fpsolver.kernels.cpu.underdamped`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint32

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise, underdamped
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.additive import Run, Schedule
from fpsolver.kernels.cpu.underdamped import THERMOSTAT, Functions, Law, Scratch
from fpsolver.kernels.gpu.launch import in_turn, launch, translated


def _handed_over(like, scratch, kind, d, m, size, rates, fields):
    """Return the arrays that the kernel made."""
    return scratch


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions, dtype: np.dtype, kind: int, d: int, m: int, size: int, parameters: int, rows: Rows
) -> Any:
    """Return the kernel for some functions, numbers of rows, and m random variables a step."""
    advance, functions = translated(underdamped.advance, _handed_over, functions, dtype)
    number, shape = from_dtype(dtype), (1, size)
    buffer, words = max(1, noise.buffer_rows(kind, m)), max(1, noise.word_rows(kind, m))
    over, along = max(1, rows.rates), max(1, rows.fields * d)
    value, gradient, over_time, along_path = functions

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
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(d, number),
            cuda.local.array(1, number),
            cuda.local.array(1, number),
            cuda.local.array(over, number),
            cuda.local.array(over, number),
            cuda.local.array(along, number),
            cuda.local.array(along, number),
            cuda.local.array(1, number),
            cuda.local.array(size, number),
        )
        block = cuda.local.array(shape, number)
        for k in range(parameters):
            scratch.p[k] = p[k]
        for k in range(size):
            block[0, k] = states[b, k * LANES + lane]
        compiled = Functions(value, gradient, over_time, along_path)
        fixed = Run(0, kind, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
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
    """Advance all blocks by ``run.steps`` steps; see `fpsolver.kernels.cpu.underdamped.advance`.

    The functions are for one lane, in plain Python. `states` may be on the host, or on the device already. At a failure
    the failed trajectory alone is left in its state before the step.
    """
    size, d = states.shape[1] // LANES, len(law.masses)
    m = d * int(np.count_nonzero(law.parts == THERMOSTAT))
    kernel = _kernel(functions, np.dtype(states.dtype), run.kind, d, m, size, len(p), rows)
    return launch(kernel, states, counts, first, run, p, law, schedule)
