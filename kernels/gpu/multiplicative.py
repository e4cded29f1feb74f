"""Overdamped trajectories with noise that depends on the position on an NVIDIA device.

See `fpsolver.kernels.cpu.multiplicative`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import cuda, from_dtype, uint32

from fpsolver.kernels.cpu import factors, multiplicative
from fpsolver.kernels.cpu.accounts import Rows
from fpsolver.kernels.cpu.driver import Run
from fpsolver.kernels.cpu.factors import TENSOR
from fpsolver.kernels.cpu.multiplicative import Ends
from fpsolver.kernels.cpu.multiplicative_steps import Functions, Law, Scratch, variables_of
from fpsolver.kernels.gpu.launch import fetch, has_trajectory, put_back, random_rows, time_loop, translated


class Factors(NamedTuple):
    """What of the law may change from step to step: the factors τ and μ."""

    scale: np.ndarray
    mobility: np.ndarray


@lru_cache(maxsize=64)
def _kernel(
    functions: Functions, dtype: np.dtype, constants: tuple[Any, ...], size: int, parameters: int, rows: Rows
) -> Any:
    """Return the kernel for some functions, constants, and numbers of rows and parameters."""
    advance, functions = translated(multiplicative.advance, functions, dtype)
    scheme, kind, d, noise_kind, mobility_kind, thermal, separable, shares, flow_shares = constants
    number, shape = from_dtype(dtype), (1, size)
    m, packed = variables_of(scheme, separable, d), factors.rows_of(noise_kind, d)
    buffer, words = random_rows(kind, m)
    mobilities, work = factors.rows_of(mobility_kind, d), factors.work_rows(d)
    derivatives, square = (packed * d, d * d) if noise_kind == TENSOR else (1, 1)
    over, along = max(1, rows.rates), max(1, rows.fields * d)
    value, gradient, force, has_force, over_time, along_path, noise_of, mobility_of, divergence, jacobian = functions

    @cuda.jit
    def kernel(states, counts, first, run, p, given, schedule, failures):
        i = cuda.grid(1)
        if not has_trajectory(i, counts):
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
        fetch(i, states, p, block, scratch.p)
        compiled = Functions(
            value, gradient, force, has_force, over_time, along_path, noise_of, mobility_of, divergence, jacobian
        )
        law = Law(d, noise_kind, mobility_kind, thermal, separable, shares, flow_shares, given.scale, given.mobility)
        known = Run(scheme, kind, run.k0, run.k1, run.step, run.steps, run.dt, run.limit)
        failures[i] = advance(block, (1,), first + i, known, compiled, (scratch, ends), law, schedule, rows)[2]
        put_back(i, states, block)

    return kernel


def _split(run: Run, law: Law) -> tuple[Any, Factors]:
    return (run.scheme, run.kind, *law[:-2]), Factors(law.scale, law.mobility)


advance = time_loop(_kernel, _split)
