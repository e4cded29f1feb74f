"""Diffusion matrices of lower rank: followed where no inverse or derivative of a root is needed, named where one is."""

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.errors import TrajectoryError

BOWL = fp.Landscape("x**2/2 + y**2/2")
RANK_ONE = [["1", "x"], ["x", "x**2"]]


@pytest.mark.parametrize(
    "precision",
    ["double", pytest.param("single", marks=pytest.mark.slow)],  # single precision compiles the driver again
)
@pytest.mark.parametrize(("scheme", "steps", "n"), [("euler-maruyama", 256, 20_000), ("weak-2", 16, 40_000)])
def test_noise_of_rank_one_has_the_moments_of_its_equation(scheme, steps, n, precision):
    """dx = −x dt + √2 dW, dy = −y dt + √2 x dW from (0, 0) to t = 1.

    Itô's formula gives d⟨x²⟩/dt = −2⟨x²⟩ + 2, d⟨y²⟩/dt = −2⟨y²⟩ + 2⟨x²⟩, d⟨x²y⟩/dt = −3⟨x²y⟩ + 4⟨x²⟩. The error of the
    time step is at most about 2 dt for Euler–Maruyama and 2 dt² for weak order 2, a hundredth in both.
    """
    dynamics = fp.Langevin(BOWL, diffusion=RANK_ONE, convention="ito")
    found = fp.simulate(
        dynamics, n, [0.0, 0.0], 1 / steps, 1.0, seed=3, scheme=scheme, precision=precision
    ).final.astype(float)  # fmt: skip
    x, y = found.T
    e2, e3 = np.exp(-2.0), np.exp(-3.0)
    exact = {"xx": 1 - e2, "yy": 1 - 3 * e2, "xxy": 4 * ((1 - e3) / 3 - (e2 - e3)), "xy": 0.0}
    for name, values in {"xx": x * x, "yy": y * y, "xxy": x * x * y, "xy": x * y}.items():
        assert abs(values.mean() - exact[name]) < 4.5 * values.std() / n**0.5 + 0.01, name


@pytest.mark.parametrize(("scheme", "convention"), [("heun", "ito"), ("euler-maruyama", "stratonovich")])
def test_where_derivatives_of_the_root_are_needed_the_lost_rank_is_named(scheme, convention):
    """At the beginning the tensor vanishes, and its root has a kink."""
    dynamics = fp.Langevin(BOWL, diffusion=[["x**2", "x*y"], ["x*y", "y**2"]], convention=convention)
    with pytest.raises(TrajectoryError, match=r"There diffusion has lost rank, with eigenvalues 0, 0: .*add a small"):
        fp.simulate(dynamics, 10, [0.0, 0.0], 0.01, 1.0, seed=3, scheme=scheme)
