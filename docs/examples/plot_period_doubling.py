r"""
Period doubling and the edge of stability
=========================================

Where the learning rate exceeds 2/λ a minimum is unstable, but gradient descent need not diverge. In the double well
:math:`L = x^4/4 - x^2/2`, with λ = 2 at both minima, an orbit of period two is born at η = 1 and doubles again and
again; chaos follows, then hopping between the wells, and only at η = 2 is everything lost. These stages are known in
closed form (``fp.theory.period_doubling``). Here orbits are followed, and the stationary density of noisy descent is
that of the chain on a grid.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import critical_learning_rates, period_doubling

landscape = fp.Landscape("x**4/4 - x**2/2")
stages = {name: float(period_doubling.double_well_stage(name)) for name in period_doubling.DOUBLE_WELL_STAGES}

# %%
# Where orbits end up that begin near the right minimum, and the period-2 orbit of theory; beside it the stationary
# density of descent with noise of variance 0.001. Noise hides all but the first doublings, and the wells are mixed at
# any learning rate.

rates = np.linspace(0.9, 1.98, 541)
orbits = fp.learning.bifurcation_diagram(landscape, rates, [0.9], transient=1000, kept=96)
grid = fp.Grid(x=(-2.1, 2.1, 240))
noisy = np.linspace(0.9, 1.58, 35)
diagram = fp.learning.density_diagram(landscape, noisy, grid, fp.GaussianNoise(1e-3))
doubled = np.linspace(1.0001, stages["hopping between wells"], 60)
pairs = np.array([period_doubling.double_well_orbit(eta) for eta in doubled], dtype=float)

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0), sharey=True)
left.plot(np.repeat(rates, 96), orbits.states[..., 0].ravel(), ",", color="k", alpha=0.4, rasterized=True)
left.plot(doubled, pairs, color="C1", lw=1.3)
left.plot([], [], color="C1", label="period 2, closed form")
for name, eta in stages.items():
    left.axvline(eta, color="C0", lw=0.8, ls=":")
    side = "left" if name == "divergence" else "right"
    left.annotate(name, (eta, -2.05), rotation=90, ha=side, va="bottom", color="C0", fontsize=8)
left.set(xlabel=r"learning rate $\eta$", ylabel="$x$", xlim=(0.9, 2.08), ylim=(-2.1, 2.1), title="orbits without noise")
left.legend(loc="upper left")
mesh = right.pcolormesh(noisy, grid.axes[0].centres, diagram.densities.T, cmap="magma_r", vmax=2.0,
                        shading="nearest", rasterized=True)  # fmt: skip
figure.colorbar(mesh, ax=right, label="density", extend="max")
right.plot(doubled, pairs, color="C5", lw=1)
right.plot(doubled, -pairs, color="C5", lw=1)
right.set(xlabel=r"learning rate $\eta$", title="stationary density with noise", xlim=(0.9, 1.58))
plt.show()

# %%
# The growth of small deviations along an orbit: per step :math:`\ln|1 - 2\eta|` at the minimum and
# :math:`\frac12\ln|9 - 2(1 + \eta)^2|` on the orbit of period two; beyond, it is measured alone. It is positive in
# chaos.
#
# Right, the factorisation :math:`L = (1 - uv)^2/2`, whose minima uv = 1 have every sharpness
# :math:`\lambda = u^2 + v^2 \ge 2`. Descent with η = 0.5 that begins close to one that is too sharp, λ > 2/η, is driven
# away from it along an oscillating path, to one that is flat enough.

factorisation, eta = fp.Landscape("(1 - u*v)**2/2"), 0.5
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
below, above = np.linspace(0.9, 0.999, 60), np.linspace(1.001, stages["period 4"] - 1e-4, 120)
left.plot(below, np.log(np.abs(1 - 2 * below)), color="C0", label="minimum")
multipliers = np.array([float(period_doubling.double_well_multiplier(rate)) for rate in above])
left.plot(above, 0.5 * np.log(np.abs(multipliers)), color="C1", label="period 2")
left.plot(rates[::3], orbits.exponents[::3], ".", color="k", ms=3.5, label="orbits", zorder=1)
left.axhline(0.0, color="0.7", lw=0.8, zorder=0)
left.set(xlabel=r"learning rate $\eta$", ylabel="Lyapunov exponent per step", ylim=(-2.0, 1.0), title="double well")
left.legend(loc="lower right")
for k, u in enumerate((1.98, 2.1, 2.3)):
    history = fp.learning.sharpness_history(factorisation, eta, [u, 1.02 / u], steps=120)
    right.plot(history.sharpness, color=f"C{k}", lw=1, label=rf"$\lambda_0 = {u**2 + u**-2:.2f}$")
    end = float(critical_learning_rates.factorisation_sharpness(history.states[-1, 0]))
    right.plot(120, end, "o", color=f"C{k}", ms=5, clip_on=False)
right.axhline(float(critical_learning_rates.sharpness(eta)), ls="--", color="0.4", label=r"$2/\eta$")
right.axhline(2.0, ls=":", color="0.4", label="flattest minimum")
right.set(xlabel="step", ylabel="sharpness", title=rf"factorisation, $\eta = {eta:g}$", xlim=(0, 120))
right.legend(loc="upper right", ncols=2)
plt.show()

# %%
# The learning rates of the first two doublings, by Newton's method and bisection against the closed forms.

for period, bracket, name in ((1, (0.9, 1.1), "period 2"), (2, (1.1, 1.3), "period 4")):
    found = fp.learning.doubling_learning_rate(landscape, period, bracket, [0.8])
    print(f"{name}: η = {found.value:.9f} ± {found.error:.0e}, theory {stages[name]:.9f}")
