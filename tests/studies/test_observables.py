"""Observables against a Gaussian's closed forms, and the error estimate against the true error."""

from __future__ import annotations

import numpy as np
import pytest
from study_examples import GOOD

import fpsolver as fp
from fpsolver.studies.observables import Observer, half_grid_observables, halved, with_errors
from fpsolver.studies.study import study_from_text


@pytest.fixture
def good():
    """Give the text of a study without fault."""
    return GOOD


def test_a_gaussian_in_a_parabola(good):
    study = study_from_text(good)
    found = Observer(study.generator)(0.0, study.initial)
    # N(1, 1/4) in x²/2 at T = 1/2; the grid has h = 0.1, and cell averages widen a variance by h²/12.
    step = 0.1**2
    assert found["mass"] == pytest.approx(1, abs=1e-12)
    assert found["mean"] == pytest.approx([1.0], abs=1e-7)
    assert found["mean_loss"] == pytest.approx((1 + 0.25) / 2, abs=step / 12)
    entropy = 0.5 * np.log(2 * np.pi * np.e * 0.25)
    assert found["entropy"] == pytest.approx(entropy, abs=step)
    assert found["free_energy"] == pytest.approx(0.625 - 0.5 * entropy, abs=step)


def test_kinetic_energy_counts_in_the_free_energy():
    law = fp.UnderdampedLangevin(fp.Landscape("x**2/2"), temperature=1.0, friction=1.0, mass=2.0)
    grid = fp.Grid(x=(-6, 6, 120), velocity={"x": (-5, 5, 100)})
    W = fp.generator(law, grid)
    found = Observer(W)(0.0, fp.gaussian(grid, [0.0, 0.0], [[1.0, 0.0], [0.0, 0.5]]))
    # In equilibrium F = −T ln Z with Z = 2π T/√m for a unit spring; second order in h = 0.1.
    assert found["free_energy"] == pytest.approx(-np.log(2 * np.pi / np.sqrt(2.0)), abs=0.01)
    assert found["negative_mass"] == 0


@pytest.mark.parametrize("cells", [120, 240])
def test_the_error_estimate_is_the_true_error(good, cells):
    study = study_from_text(good.replace("cells = 120", f"cells = {cells}"))
    solution = fp.evolve(study.generator, study.initial, study.times)
    coarse = half_grid_observables(study)
    for t, density, other in zip(solution.times, solution.densities, coarse, strict=True):
        found = with_errors(Observer(study.generator)(t, density), other)
        mean, variance = np.exp(-t), 0.5 + (0.25 - 0.5) * np.exp(-2 * t)
        exact = {"mean_loss": (mean**2 + variance) / 2, "entropy": 0.5 * np.log(2 * np.pi * np.e * variance)}
        for name, value in exact.items():
            error = abs(found[name] - value)
            # Both are h²·const + O(h⁴); the next one is (2h/σ)² = 0.16 of it or less: h = 0.1, σ = 0.5.
            assert found[f"{name}_error"] == pytest.approx(error, rel=0.16, abs=1e-6)


def test_half_grids():
    grid = fp.Grid(x=fp.Axis(0, 1, 33, boundary="periodic"), y=(0, 1, 20))
    half = halved(grid)
    assert half.shape == (17, 10) and half.axes[0].periodic and not half.axes[1].physical
    assert halved(fp.Grid(x=(0, 1, 15))) is None
    kinetic = halved(fp.Grid(x=(0, 1, 20), velocity={"x": (-1, 1, 30)}))
    assert kinetic.shape == (10, 30)
