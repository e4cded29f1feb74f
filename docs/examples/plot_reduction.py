r"""
From a landscape to its minima
==============================

At low temperature motion on a landscape is mostly waiting in basins. ``fp.landscapes.basins`` finds them on a grid, and
``fp.reduce`` replaces the Fokker–Planck equation by a master equation between the minima, with rates by Langer's
formula or measured through committors. Here the surface of K. Müller and L. D. Brown (Theor. Chim. Acta 53, 75, 1979),
times 0.01.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

landscape = fp.landscapes.mueller_brown(scale=0.01)
grid = fp.Grid(x=(-1.7, 1.3, 160), y=(-0.5, 2.2, 144))

# %%
# Basins, minima and the passes between them. The merge tree says how high each minimum's way out is.

basins = fp.landscapes.basins(landscape, grid)
tree = fp.landscapes.merge_tree(landscape, grid)
network = fp.reduce(fp.generator(fp.Langevin(landscape, temperature=0.06), grid))
for minimum, barrier in zip(tree.minima.positions, tree.persistence, strict=True):
    print(f"minimum near ({minimum[0]:.2f}, {minimum[1]:.2f}), barrier {barrier:.3f}")

# %%
# The slowest rate of the full generator, and of both reductions, over a range of temperatures.

temperatures = np.array([0.035, 0.042, 0.05, 0.06, 0.075])
errors = {"Langer's rates": [], "committors": []}
for temperature in temperatures:
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
    full = fp.spectrum(W, k=2).rates[1].real
    for name, kind in zip(errors, ("langer", "committor"), strict=True):
        errors[name].append(abs(fp.reduce(W, rates=kind).spectrum()[1] / full - 1))

figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.9))
x, y = (axis.centres for axis in grid.axes)
left.pcolormesh(x, y, basins.labels.T, cmap="Pastel1", vmin=0, vmax=8, shading="nearest", rasterized=True)
loss = landscape.value(grid.points) - landscape.value(network.positions[0])
left.contour(x, y, loss.T, levels=np.linspace(0.05, 2.0, 14), colors="0.4", linewidths=0.5)
left.plot(*network.positions.T, "o", color="k", ms=5, label="minima")
saddles = np.array([connection.saddle.position for connection in network.connections])
left.plot(*saddles.T, "x", color="C1", ms=7, mew=2, label="saddles")
left.set(xlabel="x", ylabel="y", title="basins")
left.legend(loc="upper right")
for marker, (name, error) in zip("os", errors.items(), strict=True):
    right.semilogy(1 / temperatures, error, marker + "-", label=name)
right.set(xlabel="1/T", ylabel="relative error of the slowest rate", title="reduction against the full generator")
right.legend()
plt.show()

# %%
# Langer's rates are the first term of a series in T; what committors leave out falls exponentially, as the separation
# of waiting and relaxing grows, until the grid's rounding.

print(f"1/T = {1 / temperatures[0]:g}: {errors['committors'][0]:.1e} by committors")
