r"""
Logistic regression on Iris
===========================

The density of weight and bias of a logistic regression on real measurements, from a broad start to equilibrium:
petal length of 50 *Iris versicolor* and 50 *Iris virginica* (R. A. Fisher, 1936), ridge 0.01, Langevin noise at
T = 0.01. Two closed forms stand beside it: the Boltzmann density, and the harmonic approximation of its mean loss,
:math:`\langle L\rangle = L_{\min} + T d/2` with d = 2.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.data import iris

T = 0.01
X, y = iris().select(["petal_length"], ["versicolor", "virginica"])
X = (X - X.mean(axis=0)) / X.std(axis=0)
landscape = fp.landscapes.logistic_regression(X, y, ridge=0.01)
grid = fp.Grid(weight=(-7.0, 9.0, 128), bias=(-7.0, 7.0, 112))
W = fp.generator(fp.Langevin(landscape, temperature=T), grid)

# %%
# From a Gaussian of variance 2 about zero.

p0 = fp.gaussian(grid, mean=[0.0, 0.0], covariance=2 * np.eye(2))
times = np.concatenate([[0.0], np.geomspace(0.5, 500, 25)])
sol = fp.evolve(W, p0, times=times)
print(sol)

loss = landscape.value(grid.points)
mean_loss = np.array([(p * loss * grid.volumes).sum() for p in sol.densities])
boltzmann = fp.boltzmann(landscape, grid, T)
distance = (np.abs(sol.final - boltzmann) * grid.volumes).sum()
print(f"L1 distance to Boltzmann at t = {times[-1]:g}: {distance:.1e}")

# %%
# The slowest rates, beside those of the motion linearised at the minimum: :math:`\sum_i n_i \lambda_i`, with
# :math:`\lambda_i` the eigenvalues of the Hessian there.

(minimum,) = fp.landscapes.minima(landscape, bounds={"weight": (-7, 9), "bias": (-7, 7)})
rates = fp.spectrum(W, k=6).rates[1:]
first, second = np.linalg.eigvalsh(landscape.hessian(minimum.position))
harmonic = sorted(m * first + n * second for m in range(6) for n in range(6) if m + n > 0)[:5]
print("rates   ", np.round(rates, 5))
print("harmonic", np.round(harmonic, 5))

# %%
# Four moments of the evolution, the mean loss against time, and the rates. Contours are of the loss, the cross is its
# minimum.

shown = (0, 5, 12, 25)
figure = plt.figure(figsize=(11, 6))
rows = figure.add_gridspec(2, 4, height_ratios=(1.1, 1))
weight, bias = (axis.centres for axis in grid.axes)
for column, k in enumerate(shown):
    axis = figure.add_subplot(rows[0, column])
    axis.contourf(weight, bias, sol.densities[k].T, levels=14, cmap="viridis")
    axis.contour(weight, bias, loss.T, levels=minimum.value + np.array([0.1, 0.5, 1, 2, 3]), colors="w", linewidths=0.4)
    axis.plot(*minimum.position, "+", color="C1")
    axis.set(title=f"$t = {times[k]:.3g}$", xlabel="weight [1]", ylabel="bias [1]" if column == 0 else "")
    axis.tick_params(labelleft=column == 0)

left = figure.add_subplot(rows[1, :2])
equilibrium = (boltzmann * loss * grid.volumes).sum()
left.loglog(times[1:], mean_loss[1:] - minimum.value, "o-", color="k", ms=3, label="grid")
left.axhline(equilibrium - minimum.value, color="C0", label="Boltzmann")
left.axhline(T, color="C1", ls="--", label="harmonic, $T d/2$")
left.set(
    xlabel="time $t$ [time]",
    ylabel=r"$\langle L\rangle - L_{\min}$ [nat]",
    title="Relaxation of the mean loss",
)
left.legend()

right = figure.add_subplot(rows[1, 2:])
right.plot(range(1, 6), rates, "o", color="k", label="grid")
right.plot(range(1, 6), harmonic, "_", color="C1", ms=16, mew=2, label="harmonic")
right.set(
    xlabel="number of the mode", ylabel="rate [1/time]", title="Relaxation rates", xticks=range(1, 6), ylim=(0, None)
)
right.legend(loc="upper left")
plt.show()

# %%
# The loss is steeper than its parabola on one side and flatter on the other; at this temperature the harmonic rates are
# a guide, not a substitute.
