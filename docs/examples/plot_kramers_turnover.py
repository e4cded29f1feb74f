r"""
Kramers' turnover
=================

The escape rate of an inertial particle is small at low friction, where energy diffuses slowly, and small again at high
friction, where position does (H. A. Kramers, Physica 7, 284, 1940). The slowest relaxation rate :math:`\lambda_1` of
the Klein–Kramers operator shows both on one curve, for :math:`L = x^4/4 - x^2/2` with m = 1 and
:math:`\Delta L/T = 5`.

With :math:`\omega_0 = \sqrt2` in the wells, :math:`\omega_b = 1` at the top and the action
:math:`I = \oint v\,\mathrm dx = 4/3` of one well at the height of the barrier, the limits are

.. math::

   \lambda_1 &= \frac{\gamma I}{T}\,\frac{\omega_0}{2\pi}\, e^{-\Delta L/T}, && \gamma \to 0, \\
   \lambda_1 &= 2\,\frac{\sqrt{\gamma^2/4 + \omega_b^2} - \gamma/2}{\omega_b}\,\frac{\omega_0}{2\pi}\, e^{-\Delta L/T},
   && \gamma \gtrsim \omega_b .

At low friction a particle that has left one well falls into either with equal chance, so the factor 2 is lost. For
:math:`\gamma \to \infty` the motion is overdamped with mobility :math:`1/\gamma`.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

T, barrier = 0.05, 0.25
landscape = fp.Landscape("x**4/4 - x**2/2")

# %%
# Hermite functions in velocity are the default; few are needed at high friction, many at low. The number of them is the
# number of cells of the velocity axis.

frictions = np.geomspace(0.02, 50.0, 12)
rates = []
for friction in frictions:
    functions = int(np.clip(24 / friction, 16, 160))
    grid = fp.Grid(x=(-1.9, 1.9, 96), velocity={"x": (-1.6, 1.6, functions)})
    W = fp.generator(fp.UnderdampedLangevin(landscape, temperature=T, friction=friction), grid)
    rates.append(fp.spectrum(W, k=2).rates[1].real)
rates = np.array(rates)

overdamped = fp.generator(fp.Langevin(landscape, temperature=T), fp.Grid(x=(-1.9, 1.9, 400)))
mobility_one = fp.spectrum(overdamped, k=2).rates[1]

# %%
# The curve and its limits.

arrhenius = np.sqrt(2) / (2 * np.pi) * np.exp(-barrier / T)
fine = np.geomspace(0.01, 100, 200)
kramers = 2 * (np.sqrt(fine**2 / 4 + 1) - fine / 2) * arrhenius
energy = fine * (4 / 3) / T * arrhenius

figure, axis = plt.subplots(figsize=(6.5, 4.2))
axis.loglog(fine, energy, "--", color="C2", label="energy diffusion")
axis.loglog(fine, kramers, "--", color="C1", label="Kramers, moderate to high friction")
axis.loglog(fine, mobility_one / fine, color="C0", lw=1, label=r"overdamped, mobility $1/\gamma$ (grid)")
axis.axhline(2 * arrhenius, color="0.7", lw=0.8, zorder=0)
axis.text(60, 2.1 * arrhenius, "transition-state theory", color="0.4", ha="right", va="bottom", fontsize=8)
axis.loglog(frictions, rates, "o", color="k", ms=4, label="Klein–Kramers (grid)")
axis.set(
    xlabel=r"friction $\gamma$ [1/time]",
    ylabel=r"slowest rate $\lambda_1$ [1/time]",
    xlim=(0.01, 100),
    ylim=(3e-5, 2e-2),
)
axis.legend(loc="lower center")
plt.show()

# %%
# At high friction the finite height of the barrier remains: Kramers' formula is the first term of a series in
# :math:`T/\Delta L`, and the overdamped grid has no such error.

print(f"γ = {frictions[-1]:g}: λ₁ = {rates[-1]:.4e}, overdamped {mobility_one / frictions[-1]:.4e}")
