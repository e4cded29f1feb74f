"""The full-multigrid eigensolver against closed problems: sums of one-dimensional rates, which are exact."""

from __future__ import annotations

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import ConvergenceError
from fpsolver.solvers import eigen_multigrid, eigenpairs

WELLS = {"x": "x**4/4 - x**2/2", "y": "y**2/2", "z": "z**2"}


def problem(names, cells, temperature, boundary="reflecting"):
    landscape = fp.Landscape(" + ".join(WELLS[name] for name in names), variables=tuple(names))
    axes = {name: fp.Axis(-2.5, 2.5, cells + i, boundary=boundary) for i, name in enumerate(names)}
    return fp.generator(fp.Langevin(landscape, temperature=temperature), fp.Grid(**axes))


def sums_of_chains(names, cells, temperature, count, boundary="reflecting"):
    total = np.zeros(1)
    for i, name in enumerate(names):
        landscape = fp.Landscape(WELLS[name], variables=(name,))
        axis = fp.Axis(-2.5, 2.5, cells + i, boundary=boundary)
        chain = fp.generator(fp.Langevin(landscape, temperature=temperature), fp.Grid(**{name: axis}))
        total = (total[:, None] + fp.spectrum(chain, count).rates).ravel()
    return np.sort(total)[:count]


@pytest.fixture(autouse=True)
def small_problems(monkeypatch):
    monkeypatch.setattr(eigenpairs, "_LU_PLANE", 10)
    monkeypatch.setattr(eigenpairs, "_LU_SPACE", 10)


@pytest.mark.parametrize(
    "names, cells, boundary, temperature",
    [
        ("xy", 60, "reflecting", 0.5),
        ("xy", 60, "reflecting", 0.1),
        ("xy", 60, "reflecting", 0.05),
        ("xyz", 16, "reflecting", 0.5),
        ("xyz", 16, "reflecting", 0.05),
        ("xy", 50, "absorbing", 0.5),
        ("xy", 50, "absorbing", 0.1),
    ],
)
def test_rates_are_sums_of_those_of_the_chains(names, cells, boundary, temperature):
    s = fp.spectrum(problem(names, cells, temperature, boundary), 5)
    exact = sums_of_chains(names, cells, temperature, 5, boundary)
    assert s.stats["method"] == "full multigrid"
    first = 1 if boundary == "reflecting" else 0
    errors = np.abs(s.rates[first:] / exact[first:] - 1)
    # The tolerance that is promised, and what rounding of rates 1/h² times larger leaves of a slow one.
    assert errors.max() < 1e-9
    assert errors.max() <= s.stats["accuracy"]


def test_a_rate_below_rounding_is_reported_to_be_uncertain():
    # A wall 61 T above the bottom is reached at a rate of 6e-27, lost in the rounding of rates of 1e2.
    s = fp.spectrum(problem("xy", 50, 0.05, "absorbing"), 3)
    exact = sums_of_chains("xy", 50, 0.05, 3, "absorbing")
    errors = np.abs(s.rates / exact - 1)
    assert errors[1:].max() < 1e-9
    assert errors[0] <= s.stats["accuracy"] and s.stats["accuracy"] > 1e-3


def test_one_mode_and_many():
    W = problem("xy", 30, 0.2)
    assert fp.spectrum(W, 1).rates.tolist() == [0.0]
    exact = sums_of_chains("xy", 30, 0.2, 25)
    assert np.abs(fp.spectrum(W, 25).rates - exact).max() < 1e-9 * exact[-1]


def test_steps_that_do_not_suffice_are_reported(monkeypatch):
    monkeypatch.setattr(eigen_multigrid, "_FINE_STEPS", 1)
    with pytest.raises(ConvergenceError, match="residuals"):
        fp.spectrum(problem("xyz", 16, 0.1), 6, tolerance=1e-14)
