"""The random energy model as a landscape: energies on the corners of a cube, and which of them are minima."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolver.errors import LandscapeError
from fpsolver.landscapes.array_evaluation import Floats


def random_energies(spins: int, *, seed: int = 0, samples: int = 1) -> Floats:
    """Return independent normal energies of variance N for the 2^N states of N spins.

    Parameters
    ----------
    spins : int
        N, from 1 to 24. Bit i of a state's number is spin i.
    seed : int
        Of the energies.
    samples : int
        Number of landscapes.

    Returns
    -------
    ndarray (samples, 2**N)

    Raises
    ------
    LandscapeError
        If a number is out of range.
    """
    for name, number, most in (("spins", spins, 24), ("samples", samples, 2**31)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or not 1 <= number <= most:
            raise LandscapeError(f"{name} = {number!r} must be an integer from 1 to {most}")
    return math.sqrt(spins) * np.random.default_rng(seed).standard_normal((samples, 2**spins))


def cube_minima(energies: ArrayLike) -> NDArray[np.bool_]:
    """Return which states are below all their N neighbours, those that differ from it by one spin.

    Parameters
    ----------
    energies : array_like (..., 2**N)
        Any landscape on the cube.

    Returns
    -------
    ndarray of bool (..., 2**N)

    Examples
    --------
    >>> cube_minima([0.0, 1.0, 2.0, 0.5])
    array([ True, False, False,  True])
    """
    values = np.asarray(energies, dtype=float)
    states = values.shape[-1] if values.ndim else 0
    if states < 2 or states & (states - 1):
        raise LandscapeError(f"a cube of N spins has 2^N states, not {states}")
    minimal = np.ones(values.shape, dtype=bool)
    numbers = np.arange(states)
    for spin in range(states.bit_length() - 1):
        minimal &= values < values[..., numbers ^ (1 << spin)]
    return minimal
