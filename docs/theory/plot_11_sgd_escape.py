r"""
Escape of SGD
=============

``fpsolver.theory.sgd_escape``: how long stochastic gradient descent stays in a minimum, for additive noise and for
noise in proportion to the curvature. Noise in proportion to the loss has a page of its own.

Formulas
--------
With isotropic noise of variance :math:`\sigma^2` an example, :math:`T = \eta\sigma^2/2B`. The rate **per step** is

.. math::

   \rho = \eta\,\frac{\sqrt{L''_a\,|L''_b|}}{2\pi}\; e^{-c/\eta}, \qquad c = \frac{2B\,\Delta L}{\sigma^2} .

With :math:`D = (\eta/2B)\,|L''|` and a curvature :math:`H_a` in the lower part of the way, up to the share *s* of
:math:`\Delta L`, and :math:`H_b` in the upper one, the mean learning time is

.. math::

   \tau = 2\pi\,H_a^{\alpha - 1}\,|H_b|^{-\alpha}\, \exp\left\{\frac{2B\,\Delta L}\eta
          \left[\frac s{H_a} + \frac{1 - s}{|H_b|}\right]\right\},

with :math:`\alpha = 0` in Itô's convention, which is that of SGD. For two parabolas that meet with one tangent
:math:`s = |H_b|/(H_a + |H_b|)`.

Sketch of the derivation
------------------------
A step lasts the learning time :math:`\eta`, so that the rate per step is :math:`\eta` times Kramers'; often it is
said to be in proportion to :math:`e^{-c/\eta}` without that factor. Under curvature noise the mean time is
:math:`\tau = \int\psi^{-1}\mathrm dy \int \psi/D\,\mathrm dz` with :math:`\psi = D^\alpha e^{-\Phi}`,
:math:`\Phi' = L'/D`. Each parabola adds its share of :math:`\Delta L` over its *D* to the exponent. At both ends
:math:`|\Phi''| = |L''|/D = 2B/\eta`, whatever the curvature, so that Laplace's method gives
:math:`2\pi\,(\eta/2B)\,D_a^{\alpha - 1} D_b^{-\alpha}\,e^{\Phi}`, which is the formula. The published prefactor
:math:`2\pi/|H_b|` is that of :math:`\alpha = 1` (Z. Xie, I. Sato, M. Sugiyama, ICLR 2021, arXiv 2002.03495, theorem
3.2).

When it holds
-------------
Small :math:`\eta/B`, with ``error_scale`` one over the exponent; :math:`\eta L'' \ll 1` where steps are counted;
noise of the form that is assumed. A smooth landscape has an inflection on the way, where :math:`|L''|` vanishes and
the exponent diverges: the formula belongs to curvature that is constant in pieces. A share *s* outside 0 … 1 and an
unknown convention are a ``TheoryError``, an exponent below 1 brings a ``ValidityWarning``.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, chain_passage, sgd_escape

# %%
# Left: additive noise, :math:`B = \sigma^2 = 1`, in :math:`x^4/4 - x^2/2`: steps of the chain by its integral
# equation.

quartic = fp.Landscape("x**4/4 - x**2/2")
well = Barrier.between(quartic, -1.0, 0.0)
noise = {"batch_size": 1.0, "variance": 1.0}
rates = np.geomspace(0.03, 0.2, 7)
per_step = []
for rate in rates:
    temperature = float(sgd_escape.additive_noise_temperature(learning_rate=rate, **noise))
    per_step.append(
        1.0 / float(chain_passage.mean_steps(quartic, -1.0, 1.0, temperature=temperature, learning_rate=rate))
    )


def additive(form, rate):
    return float(form(well, learning_rate=rate, **noise))


# %%
# Right: curvature noise in two minima of one depth, from 4 and from ¼, with :math:`|H_b| = 1` between; the backward
# equation on a grid whose faces are where the curvature changes.

HEIGHT, TOP = 0.05, 1.0
sharp, flat = Barrier(HEIGHT, 4.0, -TOP), Barrier(HEIGHT, 0.25, -TOP)
climb, descent = (np.sqrt(2 * HEIGHT * (1 / barrier.minimum_curvature + 1 / TOP)) for barrier in (sharp, flat))
left_face, right_face, end = climb / 5, climb + descent / 5, climb + descent
loss = fp.Landscape(
    f"Piecewise((4*x**2/2, x < {left_face}), (0.25*(x - {end})**2/2, x > {right_face}), "
    f"({HEIGHT} - (x - {climb})**2/2, True))"
)


def faces(ratio):
    """Place the minima, the top and the changes of curvature on faces; between cells the exponent changes little."""
    margin = np.sqrt(40 * ratio)
    places = [-margin, 0.0, left_face, climb, right_face, end, end + margin]
    parts = [
        np.linspace(start, stop, int((stop - start) / (0.05 * ratio)) + 1, endpoint=False)
        for start, stop in pairwise(places)
    ]
    return np.concatenate([*parts, [places[-1]]])


ratios = np.geomspace(0.006, 0.03, 6)
there, back = [], []
for ratio in ratios:
    # At a face where the curvature jumps, 1/D is the mean of both sides.
    inverse = f"1 - 0.375*(1 + tanh(({left_face} - x)*1e7)) + 1.5*(1 + tanh((x - {right_face})*1e7))"
    dynamics = fp.Langevin(loss, diffusion=f"{ratio / 2}/({inverse})", convention="ito")
    W = fp.generator(dynamics, fp.Grid(x=fp.Axis(faces=faces(ratio))))
    there.append(fp.mean_first_passage_time(W, fp.where(x=(end, None))).at([[0.0]])[0])
    back.append(fp.mean_first_passage_time(W, fp.where(x=(None, 0.0))).at([[end]])[0])

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
scale = [np.exp(float(sgd_escape.additive_noise_exponent(well, learning_rate=rate, **noise))) for rate in rates]
left.loglog(rates, np.array(per_step) * scale, "o", color="k", ms=4, label="chain (integral equation)")
for form, name, style in (
    (sgd_escape.additive_noise_rate_per_step, "formula with the factor η", "-"),
    (sgd_escape.additive_noise_rate_per_step_as_written, "formula without", "--"),
):
    left.loglog(rates, [additive(form, rate) for rate in rates] * np.array(scale), style, label=name)
left.set(xlabel=r"learning rate $\eta$", ylabel=r"rate per step $\times\; e^{c/\eta}$")
left.set_xticks([0.03, 0.05, 0.1, 0.2], ["0.03", "0.05", "0.1", "0.2"])
left.minorticks_off()
left.legend(loc="center left", bbox_to_anchor=(0, 0.72))
for colour, (name, barrier, times) in enumerate((("sharp, H = 4", sharp, there), ("flat, H = ¼", flat, back))):
    right.semilogy(1 / ratios, times, "o", color=f"C{colour}", ms=4, label=f"{name} (grid)")
    for convention, style in (("ito", "-"), ("klimontovich", "--")):
        law = [
            float(sgd_escape.curvature_noise_time(barrier, learning_rate=r, batch_size=1.0, convention=convention))
            for r in ratios
        ]
        right.semilogy(1 / ratios, law, style, color=f"C{colour}", lw=1)
right.plot([], [], "-", color="0.4", lw=1, label="formula, Itô")
right.plot([], [], "--", color="0.4", lw=1, label="prefactor as published")
right.set(xlabel=r"$B/\eta$", ylabel="mean learning time")
right.legend(loc="upper left", fontsize=8)
plt.show()

# %%
# Left, what is in front of the exponential is in proportion to :math:`\eta`. Right, the flat minimum is left more
# slowly, and the points lie on the lines of Itô's convention for both.

exact = float(sgd_escape.curvature_noise_time(flat, learning_rate=ratios[0], batch_size=1.0))
print(f"η/B = {ratios[0]:g}, from the flat minimum: grid {back[0]:.5e}, formula {exact:.5e}")
