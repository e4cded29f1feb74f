r"""
Escape under noise in proportion to the loss
============================================

``fpsolver.theory.loss_noise_escape``: where the noise of SGD grows with the loss, escape takes a power of the ratio
of losses, not an exponential of the barrier.

Formulas
--------
With :math:`C = 2hL/B`, :math:`\varphi = B/\eta h` and the loss :math:`L_*` at the minimum and :math:`L_s` at the top,
the mean learning time in one dimension is

.. math::

   \tau &= \frac{2\pi}{\sqrt{L''_a\,|L''_b|}} \left(\frac{L_s}{L_*}\right)^{\varphi + 1/2}, \\
   \tau &\to \tau\,\sqrt{\frac{\varphi}{\varphi + 1}}\left[1 + \frac{c_a}{\varphi + 1} + \frac{c_b}\varphi\right]
        \quad\text{with the first correction,}

and the power is :math:`\varphi + 1 - n/2` where *n* directions carry noise. Kramers' law with the noise frozen at the
minimum would give :math:`e^{\varphi\,\Delta L/L_*}`.

Sketch of the derivation
------------------------
:math:`D = \eta C/2 = L/\varphi`, so that :math:`\int L'/D\,\mathrm dx = \varphi \ln L`: the exponent is that of the
landscape :math:`\ln L` at the temperature :math:`1/\varphi`. In Itô's convention
:math:`\psi = e^{-\varphi\ln L} = L^{-\varphi}`, and the exact mean time is

.. math:: \tau = \varphi \int L(y)^{\varphi}\,\mathrm dy \int L(z)^{-\varphi - 1}\,\mathrm dz .

Laplace's method on both integrals, with the curvatures :math:`L''_a/L_*` and :math:`L''_b/L_s` of :math:`\ln L`,
gives

.. math:: \varphi\; L_s^\varphi \sqrt{\frac{2\pi L_s}{\varphi\,|L''_b|}}\;
          L_*^{-\varphi - 1} \sqrt{\frac{2\pi L_*}{(\varphi + 1)\,L''_a}} ,

which is the power law and the root before the correction; :math:`c_a` and :math:`c_b` are the anharmonic coefficients
of :math:`\ln L` (T. Mori, L. Ziyin, K. Liu, M. Ueda, ICML 2022, for the power law).

When it holds
-------------
:math:`\varphi\ln(L_s/L_*) \gg 1`; ``error_scale`` is one over it, its square with the correction; *h* constant and
Itô's convention. Where the loss vanishes at the minimum so does the noise and nothing escapes: :math:`L_* \le 0` is a
``TheoryError``.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, loss_noise_escape

# %%
# The double well :math:`x^4/4 - x^2/2 + 1/4 + L_*` with :math:`h = L''_a = 2`; the mean time from −1 to 1 by the
# backward equation on a grid.

H = 2.0
floors = np.geomspace(0.5, 0.02, 8)
laws = {
    "power law": (loss_noise_escape.loss_noise_time, "C0", "-"),
    "with its first correction": (loss_noise_escape.corrected_loss_noise_time, "C2", "-"),
    "exponential, noise frozen": (loss_noise_escape.loss_noise_time_if_exponential, "C1", "--"),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
for rate, marker in ((0.1, "o"), (0.2, "s")):
    numbers = {"learning_rate": rate, "batch_size": 1.0, "curvature": H}
    measured, predicted = [], {name: [] for name in laws}
    for floor in floors:
        loss = f"(x**4/4 - x**2/2 + {0.25 + floor})"
        landscape = fp.Landscape(loss)
        barrier = Barrier.between(landscape, -1.0, 0.0)
        dynamics = fp.Langevin(landscape, diffusion=f"{rate * H}*{loss}", convention="ito")
        W = fp.generator(dynamics, fp.Grid(x=(-3.0, 3.0, 2400)))
        measured.append(fp.mean_first_passage_time(W, fp.where(x=(1.0, None))).at([[-1.0]])[0])
        for name, (law, _, _) in laws.items():
            predicted[name].append(float(law(barrier, loss_at_minimum=floor, **numbers)))
    ratio = 1 + 0.25 / floors
    left.loglog(ratio, measured, marker, color="k", mfc="none", ms=5, label=rf"grid, $\eta = {rate:g}$")
    for name, (_, colour, style) in laws.items():
        left.loglog(ratio, predicted[name], style, color=colour, lw=1, label=name if rate == 0.1 else None)
        if name != "exponential, noise frozen":
            quotient = np.array(measured) / predicted[name]
            right.semilogx(ratio, quotient, marker + "-", color=colour, mfc="none", ms=5, lw=0.8)
for axis in (left, right):
    axis.set_xticks([1.5, 2, 3, 5, 10], ["1.5", "2", "3", "5", "10"])
    axis.minorticks_off()
    axis.set_xlabel(r"$L_s/L_*$")
left.set(ylabel="mean learning time", ylim=(1, 1e9))
left.legend(fontsize=8)
right.axhline(1.0, color="0.7", lw=0.8, zorder=0)
right.set(ylabel="grid / formula", title="circles: η = 0.1; squares: η = 0.2")
plt.show()

# %%
# On the logarithmic scales a power is a straight line. The exponential leaves the points by orders of magnitude where
# the loss at the minimum is small. Right: blue without the correction, green with it.

corrected = predicted["with its first correction"]
print(f"η = 0.2, L_s/L* = {ratio[-1]:.1f}: grid {measured[-1]:.5g}, corrected {corrected[-1]:.5g}")
