r"""
The depopulation factor
=======================

``fpsolver.theory.depopulation``: how far a well that loses little energy per round trip is emptied near its barrier.

Formulas
--------
With :math:`\delta` the mean energy lost in one round trip at the height of the barrier, in units of *T*,

.. math::

   \Upsilon(\delta) = \exp\left[\frac1{2\pi}\int_{-\infty}^{\infty}
     \ln\left(1 - e^{-\delta(\lambda^2 + 1/4)}\right)\frac{\mathrm d\lambda}{\lambda^2 + 1/4}\right],

:math:`\Upsilon(\delta)` for a single well and :math:`\Upsilon(\delta_1)\Upsilon(\delta_2)/\Upsilon(\delta_1 +
\delta_2)` for each well of a double well multiply the rate of Kramers at moderate friction.

Sketch of the derivation
------------------------
Near the barrier the energy after a round trip is Gaussian about the one before, with mean :math:`-\delta` and
variance :math:`2\delta`: detailed balance ties the two. The flux of particles that come back to the barrier with
energy :math:`\varepsilon` obeys an integral equation on the half-line :math:`\varepsilon < 0`, since those above the
barrier leave; Wiener and Hopf's method solves it and gives the formula (V. I. Mel'nikov, S. V. Meshkov, J. Chem.
Phys. 85, 1018, 1986). The same number is :math:`P(M = 0)^2` for the maximum *M* of a Gaussian random walk with drift
:math:`-\sqrt{\delta/2}`, which gives two fast series (J. T. Chang, Y. Peres, Ann. Probab. 25, 787, 1997): expanding
the logarithm,

.. math::

   \ln\Upsilon &= -\sum_{n\ge1}\frac1n\,\mathrm{erfc}\frac{\sqrt{n\delta}}2, \\
   \Upsilon &= \delta\,\exp\left\{\sqrt{\frac\delta\pi}\sum_{r\ge0}
      \frac{\zeta(\frac12 - r)\,(-\delta/4)^r}{r!\,(2r + 1)}\right\} \qquad (\delta < 8\pi).

When it holds
-------------
:math:`T \ll \Delta L` and friction without memory. The numbers themselves are exact to 14 digits: between the first
series and the second nothing is interpolated. :math:`\Upsilon \approx \delta` at weak friction and 1 at strong.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, depopulation, energy_diffusion, kramers

landscape = fp.Landscape("x**4/4 - x**2/2")
barrier = Barrier.between(landscape, -1.0, 0.0)

# %%
# Measured: the slowest Klein–Kramers rate over twice Kramers' rate at moderate friction, for two temperatures. At
# strong friction the points are below 1 by a correction of order :math:`T/\Delta L`, and the higher barrier is nearer;
# at weak friction a correction of the other sign comes in, and at :math:`\Delta L/T = 2.5` the two happen to cancel.

figure, axis = plt.subplots(figsize=(6.2, 4.0))
losses = np.geomspace(0.05, 60.0, 200)
axis.semilogx(losses, [float(depopulation.depopulation_factor(value)) for value in losses], label=r"$\Upsilon(\delta)$")
double = [float(depopulation.double_well_factor(value)) for value in losses]
axis.semilogx(losses, double, label=r"$\Upsilon(\delta)^2/\Upsilon(2\delta)$")
for temperature, marker in ((0.1, "s"), (0.04, "o")):
    measured = []
    shown = np.geomspace(0.4, 50.0, 7)
    for loss in shown:
        friction = loss * temperature / barrier.action
        functions = int(np.clip(3.5 / friction, 16, 120))
        grid = fp.Grid(x=(-1.9, 1.9, 120), velocity={"x": (-2.0, 2.0, functions)})
        W = fp.generator(fp.UnderdampedLangevin(landscape, temperature=temperature, friction=friction), grid)
        moderate = 2 * float(kramers.transition_state_rate(barrier, temperature=temperature))
        moderate *= kramers.transmission(barrier, friction)
        measured.append(fp.spectrum(W, k=2).rates[1].real / moderate)
    axis.semilogx(shown, measured, marker, color="k", mfc="none", ms=5, label=f"grid, ΔL/T = {0.25 / temperature:g}")
axis.set(xlabel=r"energy loss per round trip $\delta$", ylabel="rate over Kramers' rate at moderate friction")
axis.legend()
plt.show()

# %%
# The energy lost in a round trip of the quartic well at T = 0.1, γ = 0.1, and its factor:

loss = energy_diffusion.energy_loss(barrier, temperature=0.1, friction=0.1)
print(f"δ = {loss:.6f}, Υ(δ) = {float(depopulation.depopulation_factor(loss)):.10f}")
