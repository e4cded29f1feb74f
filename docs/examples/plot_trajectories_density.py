r"""
Trajectories against the Fokker–Planck equation
===============================================

One definition of the problem, two ways through it that share nothing but the landscape: the density of a double well
:math:`L = x^4/4 - x^2/2` from finite volumes, and half a million trajectories. Do they agree?
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

dynamics = fp.Langevin(fp.Landscape("x**4/4 - x**2/2"), temperature=0.1)
grid = fp.Grid(x=(-2.5, 2.5, 200))
times = [0.5, 5.0, 20.0, 80.0]

sol = fp.evolve(fp.generator(dynamics, grid), fp.gaussian(grid, [-1.0], [[0.01]]), times=times)

# %%
# Histograms on the cells of the grid are compared by Pearson's :math:`\chi^2`: cells in which fewer than ten
# trajectories are expected are pooled, and no parameter is fitted. A time step that is too long shows.


def histogram(scheme, dt):
    ensemble = fp.simulate(
        dynamics, 500_000, fp.Gaussian([-1.0], 0.01), dt, times[-1], seed=1, scheme=scheme, times=times,
        observe=[fp.Histogram.on(grid)],
    )  # fmt: skip
    return ensemble.observables["histogram_x"]


runs = {("heun", 0.02): None, ("euler-maruyama", 0.02): None, ("euler-maruyama", 0.1): None}
for scheme, dt in runs:
    runs[scheme, dt] = found = histogram(scheme, dt)
    tests = [found.chi_squared(p * grid.volumes, k) for k, p in enumerate(sol.densities)]
    print(f"{scheme:>14}, dt = {dt:g}: p = {', '.join(f'{test.p_value:.2g}' for test in tests)}")

# %%
# Left, the histograms of the second-order scheme on the density; right, their difference in units of its standard
# error at the last time, which is about one where all is well.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
x = grid.axes[0].centres
best = runs["heun", 0.02]
for k, colour in enumerate(("C1", "C2", "C3", "C0")):
    left.errorbar(x[::3], best.density[k][::3], 2 * best.standard_error[k][::3], fmt="o", ms=2.5, lw=0.8, color=colour)
    left.plot(x, sol.densities[k], color=colour, lw=1.2, label=f"$t = {times[k]:g}$")
left.set(xlim=(-1.8, 1.8), ylim=(0, None), xlabel="$x$", ylabel="density", title="Points: trajectories; lines: grid")
left.legend()

p = sol.densities[-1] * grid.volumes
n = best.trajectories[-1]
seen = n * p > 100
for (scheme, dt), colour in zip(runs, ("k", "C0", "C1"), strict=True):
    scores = (runs[scheme, dt].counts[-1] - n * p) / np.sqrt(n * p * (1 - p))
    right.plot(x[seen], scores[seen], ".-", lw=0.6, ms=4, color=colour, label=f"{scheme}, dt = {dt:g}")
right.axhspan(-2, 2, color="0.9", zorder=0)
right.set(xlabel="$x$", ylabel="difference [standard errors]", title=f"$t = {times[-1]:g}$")
right.legend()
plt.show()
