"""Launch time loops of `fpsolver.kernels.cpu` on an NVIDIA device, one thread a trajectory.

A thread marches its trajectory through all steps of a call as a block of one lane, in local memory. Trajectories that
fill up the last block are left alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any

import numpy as np
from numba import cuda

from fpsolver.kernels.blocks import LANES
from fpsolver.kernels.gpu.noise import CHOICES
from fpsolver.kernels.gpu.translation import Translation

THREADS = 64
"""Threads a block of the device: few, because each holds a trajectory with all its intermediate results."""

_turn = Lock()


def in_turn(advance: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, to be run by one thread of the host at a time: nothing is compiled twice."""

    @wraps(advance)
    def alone(*arguments: Any) -> Any:
        with _turn:
            return advance(*arguments)

    return alone


def lane_ids(first, block):
    """Return the numbers of the trajectories of a block: one."""
    return (np.uint64(first + block),)


def root(value):
    """Return the square root, NaN of negative numbers, also under the simulator, which compiles nothing."""
    return math.sqrt(value) if value >= 0 else math.nan


def translated(advance: Any, make_scratch: Callable[..., Any], functions: Any, dtype: np.dtype) -> tuple[Any, Any]:
    """Return a time loop and the functions of the landscape as device functions.

    Parameters
    ----------
    advance : compiled function
        The processor's ``advance(states, counts, first, run, functions, p, law, schedule, rows)``.
    make_scratch : callable
        What takes the place of the function that makes its arrays: local memory can only be had in a kernel, which
        hands them over where the loop expects the parameters p.
    functions : named tuple
        Functions of the landscape for one lane, in plain Python, among other things.
    dtype : dtype
        Type of the states.
    """
    names = {"LANES": 1, "FOUR": 4, "lane_ids": lane_ids, "make_scratch": make_scratch, "root": root}
    translate = Translation(names | CHOICES[dtype])
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
