"""Histograms of trajectories against densities of the Fokker–Planck equation, at several times, by χ².

The schemes are of second order with steps so short, and the grids so fine, that both errors are a fraction of the
statistical one; this is what the ``validate`` versions with more trajectories look into.
"""

import numpy as np
import pytest

import fpsolver as fp

TIMES = [0.5, 1.0, 2.0]
TENSOR = [[1.0, 0.4], [0.4, 0.5]]
WELL = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.3)
MOVING = fp.Langevin(
    fp.Landscape("2*(x - c)**2", parameters={"c": 0.0}), temperature=0.3, protocol={"c": fp.Protocol("sin(2*t)")}
)
PLANE = fp.Landscape("x**4/4 - x**2/2 + y**2/2 + x*y/3", variables=("x", "y"))
WIDE = {"x": (-3.0, 3.0, 120), "y": (-4.0, 4.0, 120)}

CASES = {
    "double well": (WELL, {"x": (-3.0, 3.0, 600)}, fp.Gaussian([-1.0], 0.01), (60,), 0.02),
    "moving trap": (MOVING, {"x": (-3.0, 3.0, 600)}, fp.Gaussian([0.5], 0.02), (60,), 0.02),
    "plane": (fp.Langevin(PLANE, temperature=0.4), WIDE, fp.Gaussian([-0.8, 0.0], 0.1), (15, 20), 0.02),
    "tensor": (
        fp.Langevin(PLANE, temperature=0.4, mobility=TENSOR),
        WIDE,
        fp.Gaussian([-0.8, 0.0], 0.1),
        (15, 20),
        0.02,
    ),
}


def p_values(case, n, seed, refine=1):
    """One p-value for each time; cells of the density are gathered into the wider bins of the histogram."""
    dynamics, axes, start, bins, dt = CASES[case]
    grid = fp.Grid(**{name: (lower, upper, refine * cells) for name, (lower, upper, cells) in axes.items()})
    first = fp.gaussian(grid, mean=start.mean, covariance=start.covariance)
    solution = fp.evolve(fp.generator(dynamics, grid), first, times=TIMES)
    coarse = {name: (lower, upper, count) for (name, (lower, upper, _)), count in zip(axes.items(), bins, strict=True)}
    options = {"scheme": "heun", "seed": seed, "times": TIMES, "observe": fp.Histogram(**coarse, name="counts")}
    found = fp.simulate(dynamics, n, start, dt / refine, TIMES[-1], **options).observables["counts"]
    shape = [size for cells, count in zip(grid.shape, bins, strict=True) for size in (count, cells // count)]
    values = []
    for k in range(len(TIMES)):
        masses = (
            (np.asarray(solution.densities[k]) * grid.volumes).reshape(shape).sum(axis=tuple(range(1, len(shape), 2)))
        )
        values.append(found.chi_squared(np.maximum(masses, 0.0), time=k).p_value)
    return values


@pytest.mark.parametrize("case", CASES)
def test_histograms_agree_with_densities(case):
    assert min(p_values(case, 20_000, seed=1)) > 1e-3


@pytest.mark.validate
@pytest.mark.parametrize("case", CASES)
def test_histograms_of_many_trajectories_agree_with_densities(case):
    """Twelve p-values for each case: uniform, so that the smallest is below 1e-4 once in 800 runs."""
    found = np.concatenate([p_values(case, 400_000, seed, refine=2) for seed in range(2, 6)])
    assert found.min() > 1e-4 and 0.2 < found.mean() < 0.8


@pytest.mark.validate
def test_too_long_a_step_is_told_from_a_short_one():
    """The test has the power to see an error of the scheme: Euler–Maruyama at dt = 0.25."""
    options = {"seed": 1, "observe": fp.Histogram(x=(-3, 3, 60), name="counts")}
    grid = fp.Grid(x=(-3.0, 3.0, 600))
    solution = fp.evolve(fp.generator(WELL, grid), fp.gaussian(grid, mean=[-1.0], covariance=[[0.01]]), times=[2.0])
    found = fp.simulate(WELL, 400_000, fp.Gaussian([-1.0], 0.01), 0.25, 2.0, **options).observables["counts"]
    masses = (np.asarray(solution.densities[0]) * grid.volumes).reshape(60, 10).sum(axis=1)
    assert found.chi_squared(masses).p_value < 1e-10
