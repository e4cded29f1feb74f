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
:math:`\gamma \to \infty` the motion is overdamped with mobility :math:`1/\gamma`. The bridge between the limits
is due to V. I. Mel'nikov and S. V. Meshkov (J. Chem. Phys. 85, 1018, 1986): with :math:`\delta = \gamma I/T`, the
second line is multiplied by

.. math:: \frac{A(\delta)^2}{A(2\delta)}, \qquad
          \ln A(\delta) = \frac2\pi \int_0^{\pi/2} \ln\left(1 - e^{-\delta/(4\cos^2 x)}\right) \mathrm dx .
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import quad

import fpsolver as fp

T, barrier = 0.05, 0.25
landscape = fp.Landscape("x**4/4 - x**2/2")

# %%
# Hermite functions in velocity are the default; few are needed at high friction, many at low. The number of them is the
# number of cells of the velocity axis.

frictions = np.geomspace(0.02, 50.0, 12)
rates = []
for friction in frictions:
    functions = int(np.clip(16 / friction, 16, 128))
    grid = fp.Grid(x=(-1.9, 1.9, 80), velocity={"x": (-1.6, 1.6, functions)})
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


def depopulation(delta):
    return np.exp(2 / np.pi * quad(lambda x: np.log(-np.expm1(-delta / (4 * np.cos(x) ** 2))), 0, np.pi / 2)[0])


delta = fine * (4 / 3) / T
bridge = kramers * np.array([depopulation(d) ** 2 / depopulation(2 * d) for d in delta])

figure, axis = plt.subplots(figsize=(6.5, 4.2))
axis.loglog(fine, energy, "--", color="C2", label="energy diffusion")
axis.loglog(fine, kramers, "--", color="C1", label="Kramers, high friction")
axis.loglog(fine, bridge, color="C3", label="Mel'nikov and Meshkov")
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
# All the formulas are first terms of series in :math:`T/\Delta L`, here 1/5: they lie above the points by 5 to 25 %.
# The line of energy diffusion needs :math:`\delta \ll 1` as well, that is γ well below 0.04. The overdamped grid has
# neither error.

print(f"γ = {frictions[-1]:g}: λ₁ = {rates[-1]:.4e}, overdamped {mobility_one / frictions[-1]:.4e}")
