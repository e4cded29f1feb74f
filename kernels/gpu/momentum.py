"""Steps of gradient descent with momentum on an NVIDIA device; see `fpsolver.kernels.cpu.momentum`.

Minibatches are drawn on the processor alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import cuda, from_dtype, uint8, uint32

from fpsolver.kernels.cpu import momentum, noise
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.driver import Run
from fpsolver.kernels.cpu.factors import rows_of, work_rows
from fpsolver.kernels.cpu.minibatch import Batch, Examples
from fpsolver.kernels.cpu.momentum import Functions, Law, Scratch
from fpsolver.kernels.gpu.launch import fetch, has_trajectory, put_back, random_rows, time_loop, translated


class Steps(NamedTuple):
    """What of the law may change from step to step."""

    constants: np.ndarray
    matrix: np.ndarray
    weight: np.ndarray
    batch: np.ndarray


def no_batch_slope(x, out, ids, step, size, ridge, examples, t, k0, k1, d):
    """Do nothing, where there are no minibatches."""


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions, dtype: np.dtype, constants: tuple[Any, ...], size: int, parameters: int, rows: Rows
) -> Any:
    """Return the kernel for some functions, constants, and numbers of rows and parameters."""
    advance, functions = translated(momentum.advance, functions, dtype, fill_batch_slope=no_batch_slope)
    d, inertial, nesterov, source, kind, diagonal = constants
    number, shape = from_dtype(dtype), (1, size)
    buffer, words = random_rows(noise.GAUSSIAN, d)
    vectors, scalars, along_path = 5 * d, 2 + 2 * rows.rates, max(1, 2 * rows.fields * d)
    factor = rows_of(kind, d) + work_rows(d)
    value, gradient, force, has_force, over_time, along, noise_of = functions

    @cuda.jit
    def kernel(states, counts, first, run, p, given, schedule, failures):
        i = cuda.grid(1)
        if not has_trajectory(i, counts):
            return
        one, whole, byte = cuda.local.array(1, number), cuda.local.array(1, uint32), cuda.local.array(1, uint8)
        scratch = Scratch(
            cuda.local.array(parameters, number),
            cuda.local.array(buffer, number),
            cuda.local.array(words, uint32),
            cuda.local.array(vectors, number),
            cuda.local.array(scalars, number),
            cuda.local.array(along_path, number),
            cuda.local.array(factor, number),
            Batch(whole, byte, one),
            cuda.local.array(size, number),
        )
        block = cuda.local.array(shape, number)
        fetch(i, states, p, block, scratch.p)
        compiled = Functions(value, gradient, force, has_force, over_time, along, noise_of)
        examples = Examples(one, one, one, False, True)
        law = Law(
            d, inertial, nesterov, source, kind, diagonal, 0, given.constants, given.matrix, given.weight,
            given.batch, examples,
        )  # fmt: skip
        known = Run(0, 0, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
        failures[i] = advance(block, (1,), first + i, known, compiled, scratch, law, schedule, rows)[2]
        put_back(i, states, block)

    return kernel


def _split(run: Run, law: Law) -> tuple[Any, Steps]:
    return law[:6], Steps(*law[7:-1])


advance = time_loop(_kernel, _split)
