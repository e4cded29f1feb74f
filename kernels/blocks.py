"""How many trajectories march together, and where their numbers lie.

Trajectories live in blocks of `LANES`, as a structure of arrays: a block is flat, and row k (a component of the state,
of a gradient, of the noise) occupies ``[LANES * k, LANES * (k + 1))``. The number is fixed when the loops are compiled,
so that the compiler knows every trip count and the distance between rows, and turns the loops into packed instructions
without a test for overlap. 256 lanes of double precision are 2 KiB a row: a dozen rows stay in the first-level cache,
and a call through a function pointer is paid once for 256 trajectories.
"""

from __future__ import annotations

LANES = 256
"""Trajectories a block; the last block of an ensemble is filled up with trajectories that are not counted."""
