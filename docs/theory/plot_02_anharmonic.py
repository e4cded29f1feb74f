r"""
Anharmonic corrections
======================

``fpsolver.theory.anharmonic``: the first correction to Kramers' rate, from the cubic and quartic terms of the landscape
at the minimum and at the top of the barrier.

Formulas
--------
With derivatives at the minimum *a* and at the top *b*, the mean time to cross is
:math:`\tau = \tau_{\text{Kramers}}\,[1 + (c_a + c_b)\,T + O(T^2)]`, where

.. math::

   c_a &= \frac{5\,L_a'''^2}{24\,L_a''^3} - \frac{L_a''''}{8\,L_a''^2}, \\
   c_b &= \frac{L_b''''}{8\,L_b''^2} + \frac{5\,L_b'''^2}{24\,|L_b''|^3} \qquad (\gamma \to \infty).

At finite friction, with :math:`\lambda = \sqrt{\gamma^2/4 + \omega_b^2} - \gamma/2`,

.. math::

   c_b(\gamma) = \frac{L_b''''}{8 L_b''^2}\,\frac{\gamma^2}{(\gamma + 2\lambda)^2}
     + \frac{L_b'''^2}{24 |L_b''|^3}\,
       \frac{\gamma^2\,(10\gamma^2 + 61\gamma\lambda + 61\lambda^2)}
            {(\gamma + 2\lambda)^2 (\gamma + 3\lambda)(2\gamma + 3\lambda)} .

To the top itself only one side counts, and a correction of order :math:`\sqrt T` comes first:

.. math::

   \tau_{\text{top}} = \frac{\tau_{\text{Kramers}}}{2}
   \left[1 \mp \frac23\,\frac{L_b'''}{|L_b''|^{3/2}} \sqrt{\frac{T}{2\pi}} + (c_a + c_b)\,T\right],

with the minus sign for a minimum to the left.

Sketch of the derivation
------------------------
Overdamped, the mean time is a product of two integrals, :math:`\int e^{-L/T}` over the well and :math:`\int e^{L/T}`
over the top. Expand the exponent beyond the parabola, :math:`e^{-(L'''x^3/6 + L''''x^4/24)/T}`, to first order in the
quartic and second order in the cubic term, and use the Gaussian moments :math:`\langle x^4\rangle = 3(T/L'')^2`,
:math:`\langle x^6\rangle = 15 (T/L'')^3`: this gives :math:`c_a`, and with :math:`T \to -T` at the top :math:`c_b`.
On a half-line the cubic term does not average out, which gives :math:`\sqrt T`. At finite friction the top is a
problem in phase space: the committor of Kramers' linear problem depends on :math:`u = (\lambda + \gamma)x + v` alone,
each order of perturbation is a polynomial in *x* and *v* times its derivative, and the flux follows from Gaussian
moments (P. Talkner, Chem. Phys. 180, 199, 1994; E. Pollak, P. Talkner, Phys. Rev. E 47, 922, 1993). For :math:`\gamma
\to 0` the top no longer matters and :math:`c_b \to 0`.

When it holds
-------------
:math:`T \ll \Delta L`, smooth at both ends; what remains is of order :math:`(T/\Delta L)^2`, or
:math:`(T/\Delta L)^{3/2}` on the way to the top. A correction that is not small (:math:`cT \le -1/2`) is an error.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, anharmonic, kramers

symmetric = fp.Landscape("x**4/4 - x**2/2")
skewed = fp.Landscape("x**2/2 - x**3/3")
over = Barrier.between(symmetric, -1.0, 0.0)
top = Barrier.between(skewed, 0.0, 1.0)

# %%
# Mean times from the backward equation, over those of Kramers and over the corrected ones: across the quartic double
# well, and to the top of the cubic well :math:`x^2/2 - x^3/3`, where the error of Kramers' time falls only as
# :math:`\sqrt T`.

temperatures = np.geomspace(0.004, 0.04, 8)
plain, corrected = {"across": [], "to the top": []}, {"across": [], "to the top": []}


def mean_time(landscape, lower, temperature, start):
    """Time to the wall at 1, which absorbs."""
    axis = fp.Axis(lower, 1.0, 4800, boundary=("reflecting", "absorbing"))
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), fp.Grid(x=axis))
    return float(fp.mean_first_passage_time(W).at([[start]])[0])


for temperature in temperatures:
    time = mean_time(symmetric, -2.0, temperature, -1.0)
    plain["across"].append(time / float(kramers.overdamped_time(over, temperature=temperature)))
    corrected["across"].append(time * float(anharmonic.corrected_overdamped_rate(over, temperature=temperature)))
    time = mean_time(skewed, -1.0, temperature, 0.0)
    plain["to the top"].append(time / float(kramers.overdamped_time(top, temperature=temperature, to="top")))
    corrected["to the top"].append(time / float(anharmonic.corrected_time_to_top(top, temperature=temperature)))

figure, axis = plt.subplots(figsize=(6.2, 4.0))
for colour, (name, power) in enumerate({"across": 1.0, "to the top": 0.5}.items()):
    error, rest = (np.abs(np.array(values[name]) - 1) for values in (plain, corrected))
    axis.loglog(temperatures, error, "o", color=f"C{colour}", ms=5, label=f"{name}: Kramers")
    axis.loglog(temperatures, rest, "s", color=f"C{colour}", ms=4, mfc="none", label=f"{name}: corrected")
    for values, order in ((error, power), (rest, power + 1 if power == 1 else 1.5)):
        axis.loglog(temperatures, values[0] * (temperatures / temperatures[0]) ** order, color=f"C{colour}", lw=0.7)
axis.set(xlabel="temperature T", ylabel="relative error of the mean time")
axis.legend(ncols=2, loc="upper left", fontsize=8)
axis.set_ylim(5e-5, 1)
plt.show()

# %%
# The thin lines have the slopes 1 and 2 (across), 1/2 and 3/2 (to the top).

print(f"quartic double well: c = {anharmonic.coefficient(over):.6f}")
