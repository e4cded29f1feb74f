r"""
Period doubling and the edge of stability
=========================================

Where the learning rate exceeds 2/λ the minimum is unstable, but gradient descent need not diverge. In the double well
:math:`L = x^4/4 - x^2/2`, with λ = 2 at both minima, an orbit of period two is born at η = 1 and doubles again and again:
chaos follows, then hopping between the wells, and only at η = 2 is everything lost. The stages are known in closed form
(``fp.theory.period_doubling``); here orbits are followed, and the stationary density of noisy descent is that of the
chain on a grid.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import period_doubling

landscape = fp.Landscape("x**4/4 - x**2/2")

# %%
# Above: where orbits that begin near the right minimum end up, and the period-2 orbit of theory. Below it their Lyapunov
# exponents, positive in chaos; right: stationary densities under noise of variance 0.001.

rates = np.linspace(0.9, 1.98, 541)
orbits = fp.learning.bifurcation_diagram(landscape, rates, [0.9], transient=1000, kept=96)
grid = fp.Grid(x=(-2.0, 2.0, 240))
noisy = np.linspace(0.9, 1.8, 46)
diagram = fp.learning.density_diagram(landscape, noisy, grid, fp.GaussianNoise(1e-3))

stages = {name: float(period_doubling.double_well_stage(name)) for name in period_doubling.DOUBLE_WELL_STAGES}
figure, axes = plt.subplots(2, 2, figsize=(9.6, 5.6), height_ratios=(2.2, 1), sharex="col")
(left, right), (below, spread) = axes
left.plot(np.repeat(rates, 96), orbits.states[..., 0].ravel(), ",", color="k", alpha=0.35, rasterized=True)
doubled = np.linspace(1.0, stages["period 4"], 60)
pair = np.array([np.asarray(period_doubling.double_well_orbit(eta)) for eta in doubled])
left.plot(doubled, pair, color="C1", lw=1.5)
left.plot([], [], color="C1", label="period 2, closed form")
left.set(ylabel="$x$", title="orbits without noise")
left.legend(loc="lower left")
below.plot(rates, orbits.exponents, color="k", lw=0.7)
below.axhline(0.0, color="0.7", lw=0.8)
below.set(xlabel=r"learning rate $\eta$", ylabel="Lyapunov exponent", ylim=(-2.2, 0.9), xlim=(0.9, 2.0))
for name, eta in stages.items():
    for axis in (left, below):
        axis.axvline(eta, color="C0", lw=0.8, ls=":")
mesh = right.pcolormesh(noisy, grid.axes[0].centres, diagram.densities.T, cmap="magma_r", vmax=3.0,
                        shading="nearest", rasterized=True)  # fmt: skip
figure.colorbar(mesh, ax=right, label="density", extend="max")
right.set(ylabel="$x$", title="stationary density of noisy descent")
plt.show()
