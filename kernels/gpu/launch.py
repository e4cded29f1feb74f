"""Launch time loops of `fpsolver.kernels.cpu` on an NVIDIA device, one thread a trajectory.

A thread marches its trajectory through all steps of a call as a block of one lane, in local memory. Trajectories that
fill up the last block are left alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numba import cuda

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.cpu import noise
from fpsolver.kernels.gpu.noise import CHOICES
from fpsolver.kernels.gpu.translation import Translation

THREADS = 64
"""Threads a block of the device: few, because each holds a trajectory with all its intermediate results."""

_turn = Lock()


def time_loop(make_kernel: Callable[..., Any], split: Callable[[Any, Any], tuple[Any, Any]]) -> Callable[..., Any]:
    """Return the device's function ``advance(states, counts, first, run, functions, p, law, schedule, rows)``.

    Parameters
    ----------
    make_kernel : callable
        ``make_kernel(functions, dtype, constants, size, parameters, rows)`` returns the kernel for some functions,
        constants and numbers of rows and parameters.
    split : callable
        ``split(run, law)`` returns the constants, hashable, and what of the law the kernel is given.
    """

    def advance(
        states: Any,
        counts: np.ndarray,
        first: int,
        run: Any,
        functions: Any,
        p: np.ndarray,
        law: Any,
        schedule: Any,
        rows: Any,
    ) -> tuple[int, int, int]:
        """Advance all blocks by ``run.steps`` steps; see the module of the same name in `fpsolver.kernels.cpu`.

        The functions are for one lane, in plain Python. `states` may be on the host, or on the device already. At a
        failure the failed trajectory alone is left in its state before the step.
        """
        constants, given = split(run, law)
        with _turn:  # one thread of the host at a time: nothing is compiled twice
            size = states.shape[1] // LANES
            kernel = make_kernel(functions, np.dtype(states.dtype), constants, size, len(p), rows)
            return launch(kernel, states, counts, first, run, p, given, schedule)

    return advance


@cuda.jit(device=True)
def has_trajectory(i, counts):
    """Return whether thread i has a trajectory, and not a lane that only fills up a block."""
    return i < len(counts) * LANES and i % LANES < counts[i // LANES]


@cuda.jit(device=True)
def fetch(i, states, p, block, own):
    """Copy the trajectory of thread i to its block, and the parameters to its own."""
    for k in range(len(own)):
        own[k] = p[k]
    for k in range(block.shape[1]):
        block[0, k] = states[i // LANES, k * LANES + i % LANES]


@cuda.jit(device=True)
def put_back(i, states, block):
    """Copy the trajectory of thread i from its block."""
    for k in range(block.shape[1]):
        states[i // LANES, k * LANES + i % LANES] = block[0, k]


def random_rows(kind: int, m: int) -> tuple[int, int]:
    """Return rows of random variables and of random words for m variables a step, one at least."""
    return max(1, noise.buffer_rows(kind, m)), max(1, noise.word_rows(kind, m))


def handed_over(like, scratch, *numbers):
    """Return the arrays that the kernel made."""
    return scratch


def lane_ids(first, block):
    """Return the numbers of the trajectories of a block: one."""
    return (np.uint64(first + block),)


def root(value):
    """Return the square root, NaN of negative numbers, also under the simulator, which compiles nothing."""
    return math.sqrt(value) if value >= 0 else math.nan


def translated(advance: Any, functions: Any, dtype: np.dtype, **others: Any) -> tuple[Any, Any]:
    """Return a time loop and the functions of the landscape as device functions.

    Local memory can only be had in a kernel. It makes the arrays, and hands them over where the loop of the processor
    expects the parameters p, from which that makes arrays of its own.

    Parameters
    ----------
    advance : compiled function
        The processor's ``advance(states, counts, first, run, functions, p, law, schedule, rows)``.
    functions : named tuple
        Functions of the landscape for one lane, in plain Python, among other things.
    dtype : dtype
        Type of the states.
    **others : object
        Global names that mean something else on the device, besides those that always do.
    """
    names = {"LANES": 1, "FOUR": 4, "lane_ids": lane_ids, "make_scratch": handed_over, "root": root}
    translate = Translation(names | CHOICES[dtype] | others)
    return translate(advance), type(functions)(*(translate(f) if callable(f) else f for f in functions))


def launch(kernel: Any, states: Any, counts: np.ndarray, first: int, *rest: Any) -> tuple[int, int, int]:
    """Run ``kernel(states, counts, first, *rest, failures)`` with a thread for every lane.

    Parameters
    ----------
    kernel : CUDA kernel
        Writes the step in which a trajectory failed to ``failures[thread]``.
    states : array, shape (blocks, rows * 256)
        On the host, or on the device already (CuPy's and Numba's arrays); changed in place.
    counts : ndarray of int, shape (blocks,)
        Leading lanes that are real trajectories.
    first : int
        Number of the first trajectory of the first block.
    *rest
        Numbers, arrays and named tuples of them.

    Returns
    -------
    block, lane, step : int
        The first failure; −1, −1, −1 if there is none.
    """
    there = _on_device(states)
    failures = cuda.to_device(np.full(len(counts) * LANES, -1, dtype=np.int64))
    grid = len(counts) * LANES // THREADS
    kernel[grid, THREADS](there, cuda.to_device(counts), first, *map(_handed_over, rest), failures)
    if isinstance(states, np.ndarray):
        there.copy_to_host(states)
    return first_failure(failures.copy_to_host())


def first_failure(failures: np.ndarray) -> tuple[int, int, int]:
    """Return block, lane and step of the failure that comes first in the first block that has one.

    Parameters
    ----------
    failures : ndarray of int, shape (blocks * 256,)
        Step in which a trajectory failed; −1 where it did not.

    Examples
    --------
    >>> failures = np.full(512, -1)
    >>> first_failure(failures)
    (-1, -1, -1)
    >>> failures[[300, 301, 302]] = 9, 8, 8
    >>> first_failure(failures)
    (1, 45, 8)
    """
    failed = np.flatnonzero(failures >= 0)
    if not len(failed):
        return -1, -1, -1
    block = int(failed[0]) // LANES
    steps = failures[block * LANES : (block + 1) * LANES]
    lane = int(np.argmin(np.where(steps >= 0, steps, np.iinfo(np.int64).max)))
    return block, lane, int(steps[lane])


def _handed_over(argument: Any) -> Any:
    """Return an argument of a kernel with its arrays on the device."""
    if isinstance(argument, np.ndarray):
        return cuda.to_device(np.ascontiguousarray(argument))
    if isinstance(argument, tuple):
        return type(argument)(*map(_handed_over, argument))
    return argument


def _on_device(states: Any) -> Any:
    """Return the states as an array of the device, itself where it is one."""
    if isinstance(states, np.ndarray):
        return cuda.to_device(states)
    return states if hasattr(states, "copy_to_host") else cuda.as_cuda_array(states)
