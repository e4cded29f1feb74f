"""Harmonic rates against direct enumeration and against the spectrum of a parabola."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.studies.harmonic import deepest_minimum, harmonic_rates, sums_of

GRID = fp.Grid(x=(-4, 4, 40), y=(-4, 4, 40))
BOWL = fp.Landscape("a*x**2/2 + b*y**2/2 + c*x*y", variables=("x", "y"), parameters={"a": 1.0, "b": 3.0, "c": 0.5})


@pytest.mark.parametrize("eigenvalues", [[1.0], [0.3, 1.0], [0.5 + 1.3j, 0.5 - 1.3j], [0.2, 0.5, 0.9, 1.4]])
def test_sums_are_the_smallest_of_all_sums(eigenvalues):
    k = 12
    every = [np.dot(n, eigenvalues) for n in itertools.product(range(k), repeat=len(eigenvalues)) if sum(n) < k]
    expected = np.sort(np.real(every))[:k]
    found = sums_of(np.array(eigenvalues), k)
    np.testing.assert_allclose(found.real, expected, atol=1e-12)
    assert all(np.abs(np.array(every) - value).min() < 1e-12 for value in found)


@pytest.mark.parametrize("mobility", [2.0, [1.0, 0.5], [[1.0, 0.3], [0.3, 0.5]]])
def test_a_parabola_has_exactly_these_rates(mobility):
    law = fp.Langevin(BOWL, temperature=0.2, mobility=mobility)
    predicted = harmonic_rates(law, GRID, 4).rates.real
    fine = fp.Grid(x=(-4, 4, 80), y=(-4, 4, 80))
    coarse_rates, fine_rates = (fp.spectrum(fp.generator(law, grid), k=4).rates.real for grid in (GRID, fine))
    coarse_error, fine_error = np.abs(coarse_rates - predicted).max(), np.abs(fine_rates - predicted).max()
    # The discretisation is of second order: half the width, a quarter of the error (0.3 allows for higher orders).
    assert fine_error < 0.3 * coarse_error
    # What is left once the second order is taken off is of fourth order.
    assert np.abs((4 * fine_rates - coarse_rates) / 3 - predicted).max() < 0.2 * fine_error


def test_underdamped_motion_in_a_parabola():
    law = fp.UnderdampedLangevin(fp.Landscape("2*x**2/2"), temperature=1.0, friction=1.0, mass=0.5)
    grid = fp.Grid(x=(-4, 4, 40), velocity={"x": (-8, 8, 40)})
    rates = harmonic_rates(law, grid, 3).rates
    slow = 0.5 + 1j * np.sqrt(2 / 0.5 - 0.25)  # γ/2 ± √(γ²/4 − ω²), ω² = H/m
    np.testing.assert_allclose(sorted(rates, key=lambda z: (z.real, z.imag)), [0, slow.conjugate(), slow], atol=1e-12)


def test_the_minimum_is_found_to_rounding():
    landscape = fp.Landscape("(x - 0.123)**4 + (x - 0.123)**2 + (y + 1)**2")
    np.testing.assert_allclose(deepest_minimum(landscape, GRID), [0.123, -1.0], atol=1e-10)
    assert deepest_minimum(fp.Landscape("x + y"), GRID) is None
    assert deepest_minimum(fp.Landscape("(x - 9)**2 + y**2"), GRID) is None


@pytest.mark.parametrize(
    "law",
    [
        fp.Langevin(BOWL, temperature=0.2, force=("y", "-x")),
        fp.Langevin(BOWL, temperature=0.2, mobility="1 + x**2"),
        fp.Langevin(BOWL, diffusion=0.2),
        fp.Langevin(BOWL, temperature=0.2, protocol={"a": fp.Protocol("1 + t")}),
    ],
)
def test_no_prediction_where_there_is_none(law):
    assert harmonic_rates(law, GRID, 4) is None
