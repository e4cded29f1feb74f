"""Samples as the estimators take them, and their blocks: consecutive samples that count as one where they correlate."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolver.errors import InputError


def checked_samples(name: str, given: Any, least: int = 2) -> np.ndarray:
    """Return samples as a vector.

    Raises
    ------
    InputError
        If they are not finite numbers in one dimension, or fewer than `least`.
    """
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} = {given!r} must be a vector of numbers, one a sample") from None
    if values.ndim != 1 or len(values) < least:
        raise InputError(f"{name} has the shape {values.shape}; give a vector of at least {least} samples")
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise InputError(
            f"{name}[{wrong[0]}] = {values[wrong[0]]} is not finite ({wrong.size} of {len(values)} samples)"
        )
    return values


def checked_temperature(given: Any) -> float:
    """Return a temperature.

    Raises
    ------
    InputError
        If it is not positive and finite.
    """
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = np.nan
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(f"temperature = {given!r} must be positive and finite (units of loss, k_B = 1)")
    return value


def block_starts(samples: int, block: int) -> np.ndarray:
    """Return where blocks of consecutive samples begin, all of `block` samples or a little more.

    Raises
    ------
    InputError
        If a block has no sample, or there are fewer than two blocks.
    """
    if isinstance(block, bool) or not isinstance(block, int | np.integer) or block < 1:
        raise InputError(f"block = {block!r} must be a whole number of samples, at least one")
    count = samples // int(block)
    if count < 2:
        raise InputError(f"block = {block} leaves {count} block(s) of {samples} samples; there must be at least two")
    return np.arange(count) * samples // count


def block_averages(values: np.ndarray, block: int) -> np.ndarray:
    """Return the averages of consecutive samples (last axis), a block each."""
    if block == 1:
        return values
    starts = block_starts(values.shape[-1], block)
    return np.add.reduceat(values, starts, axis=-1) / np.diff(np.append(starts, values.shape[-1]))
