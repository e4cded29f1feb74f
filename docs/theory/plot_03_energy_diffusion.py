r"""
Energy diffusion
================

``fpsolver.theory.energy_diffusion``: escape at weak friction, where a particle goes round many times before its energy
changes, and the rate grows with the friction.

Formulas
--------
With the action :math:`S(E) = \oint p\,\mathrm dx` of one round trip in the well, the energy lost per round trip at the
height of the barrier is :math:`\delta = \gamma S(\Delta L)/T`, in units of *T*, and

.. math::

   k &= \delta\,\frac{\omega_0}{2\pi}\,e^{-\Delta L/T} \quad (\delta \ll 1), \qquad
   k = \frac{\delta_1\delta_2}{\delta_1 + \delta_2}\,\frac{\omega_0}{2\pi}\,e^{-\Delta L/T}
   \quad\text{with a second well behind,} \\
   \tau &= \frac{1}{\gamma T}\int_0^{\Delta L} \mathrm dE\,\frac{e^{E/T}}{S(E)}
           \int_0^{E} \mathrm dE'\,S'(E')\,e^{-E'/T},

the last one exact for :math:`\gamma \to 0` at any barrier height.

Sketch of the derivation
------------------------
Averaged over the fast motion, the energy obeys a Fokker–Planck equation of its own. Its stationary density is
:math:`S'(E)\,e^{-E/T}`, since :math:`S'(E)` is the period, and friction takes :math:`\gamma S(E)` per round trip, so
that its diffusion coefficient is :math:`\gamma T S(E)/S'(E)` (R. Zwanzig, Phys. Fluids 2, 12, 1959). The mean time to
reach :math:`\Delta L` in one dimension is the double integral; for :math:`T \ll \Delta L` the outer one is dominated
by the top and the inner one by the bottom, where :math:`S' = 2\pi/\omega_0` (H. A. Kramers, Physica 7, 284, 1940, eq.
28). In a symmetric double well, modes that are odd vanish on the separatrix, and the slowest rate is :math:`1/\tau`:
the 2 of :math:`\lambda_1 = 2k` and the ½ of :math:`\delta_1\delta_2/(\delta_1 + \delta_2)` cancel.

When it holds
-------------
:math:`\delta \ll 1`, with an error of order :math:`\sqrt\delta`: the last round trip counts, in which the energy
jumps by :math:`T\sqrt{2\delta}`. ``weak_friction_rate`` has besides the error :math:`(T/\Delta L)\ln(\Delta L/T)`,
which the quadrature ``mean_time`` has not. A well that is not closed has no action; asking for it is an error.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, depopulation, energy_diffusion

T = 0.05
landscape = fp.Landscape("x**4/4 - x**2/2")
barrier = Barrier.between(landscape, -1.0, 0.0)

# %%
# The slowest rate over the friction: it tends to the quadrature as :math:`\gamma \to 0`, and differs from it as the
# depopulation factor of Mel'nikov and Meshkov does, by :math:`\sqrt\delta`. The less the friction, the more Hermite
# functions the velocity needs.

frictions = np.array([0.01, 0.02, 0.04, 0.07, 0.12])
slowest = []
for friction in frictions:
    functions = int(6.0 / friction**0.75)
    grid = fp.Grid(x=(-1.9, 1.9, 120), velocity={"x": (-2.0, 2.0, functions)})
    W = fp.generator(fp.UnderdampedLangevin(landscape, temperature=T, friction=friction), grid)
    slowest.append(fp.spectrum(W, k=2).rates[1].real)
reduced = np.array(slowest) / frictions
losses = frictions * barrier.action / T
limit = 1.0 / float(energy_diffusion.mean_time(barrier, temperature=T, friction=1.0))
kramers = 2 * float(energy_diffusion.weak_friction_rate(barrier, temperature=T, friction=1.0, beyond=barrier))
fine = np.linspace(1e-3, losses[-1], 60)
emptied = [float(depopulation.double_well_factor(loss)) / (loss / 2) for loss in fine]

figure, axis = plt.subplots(figsize=(6.2, 3.8))
axis.plot(np.sqrt(losses), reduced, "o", color="k", ms=5, label="Klein–Kramers (grid)")
axis.plot(0, limit, "D", color="C0", ms=7, clip_on=False, label="quadrature, γ → 0")
axis.plot(np.sqrt(fine), limit * np.array(emptied), color="C0", lw=1, label="quadrature × depopulation")
axis.axhline(kramers, color="C1", ls="--", label="Kramers' weak friction, T ≪ ΔL")
axis.set(xlabel=r"$\sqrt{\delta}$", ylabel=r"$\lambda_1/\gamma$", xlim=(0, None), ylim=(0, None))
axis.legend(loc="lower left")
plt.show()

# %%
# At :math:`\Delta L/T = 5` Kramers' formula is 44 % off by the height of the barrier alone; the quadrature is not.

print(f"λ₁/γ: {reduced[0]:.4f} at γ = {frictions[0]:g}; {limit:.4f} for γ → 0 by quadrature, {kramers:.4f} by Kramers")
