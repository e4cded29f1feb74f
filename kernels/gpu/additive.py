"""Overdamped trajectories with additive noise on an NVIDIA device; see `fpsolver.kernels.cpu.additive`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda, from_dtype, uint32

from fpsolver.kernels.cpu import additive
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.additive import Functions, Law, Scratch
from fpsolver.kernels.cpu.driver import Run
from fpsolver.kernels.gpu.launch import fetch, has_trajectory, put_back, random_rows, time_loop, translated


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions, dtype: np.dtype, constants: tuple[Any, ...], size: int, parameters: int, rows: Rows
) -> Any:
    """Return the kernel for some functions, constants, and numbers of rows and parameters."""
    advance, functions = translated(additive.advance, functions, dtype)
    scheme, kind, d = constants
    number, shape = from_dtype(dtype), (1, size)
    buffer, words = random_rows(kind, d)
    vectors, scalars, along_path = 8 * d, 2 + 2 * rows.rates, max(1, 2 * rows.fields * d)
    value, gradient, force, has_force, over_time, along = functions

    @cuda.jit
    def kernel(states, counts, first, run, p, law, schedule, failures):
        i = cuda.grid(1)
        if not has_trajectory(i, counts):
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
        fetch(i, states, p, block, scratch.p)
        compiled = Functions(value, gradient, force, has_force, over_time, along)
        fixed = Run(scheme, kind, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
        failures[i] = advance(block, (1,), first + i, fixed, compiled, scratch, law, schedule, rows)[2]
        put_back(i, states, block)

    return kernel


def _split(run: Run, law: Law) -> tuple[Any, Law]:
    return (run.scheme, run.kind, law.drift.shape[1]), law


advance = time_loop(_kernel, _split)
