"""Minima on the cube against all neighbours one by one."""

from __future__ import annotations

import numpy as np
import pytest

from fpsolver.errors import LandscapeError
from fpsolver.landscapes import cube_minima, random_energies


def test_minima_one_by_one():
    energies = random_energies(6, seed=3, samples=4)
    found = cube_minima(energies)
    for row, minimal in zip(energies, found, strict=True):
        for state in range(64):
            assert minimal[state] == all(row[state] < row[state ^ (1 << spin)] for spin in range(6))


def test_a_sum_over_spins_has_one_minimum():
    states = np.arange(2**8)
    ones = np.array([state.bit_count() for state in states.tolist()])
    assert np.flatnonzero(cube_minima(ones)).tolist() == [0]


def test_energies_have_the_variance_of_the_number_of_spins():
    energies = random_energies(12, seed=2, samples=5)
    assert abs(energies.var() - 12.0) < 4 * 12.0 * np.sqrt(2 / energies.size)


@pytest.mark.parametrize(
    "call", [lambda: random_energies(0), lambda: random_energies(30), lambda: cube_minima([1.0, 2.0, 3.0])]
)
def test_what_is_refused(call):
    with pytest.raises(LandscapeError):
        call()
