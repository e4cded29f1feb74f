r"""
Noise of SGD and the exponent of escape
=======================================

``fpsolver.theory.sgd_noise``: how the noise of stochastic gradient descent depends on the parameters, and what takes
the place of :math:`\Delta L/T` then.

Formulas
--------
With learning time :math:`t = \eta\cdot\text{steps}`, batches of *B* examples and the covariance :math:`C_1` of the
gradient of one example, :math:`D = \eta C_1/2B`. Two laws are in use,

.. math:: D(x) = \frac{\eta}{2B}\,|L''(x)| \qquad\text{(curvature)}, \qquad
          D(x) = \frac{\eta h}{B}\,L(x) \qquad\text{(loss)},

and in place of Kramers' exponent comes :math:`\Phi = \int_a^b \frac{L'}{D}\,\mathrm dx`.

Sketch of the derivation
------------------------
One step adds :math:`-\eta\,(\nabla L + \text{noise})`, with covariance :math:`\eta^2 C_1/B` in a time :math:`\eta`;
half of that per time is *D*. For a likelihood the covariance of the gradients is the Fisher information, which at the
true parameters is the Hessian: hence the law of curvature. For least squares with a feature *u* and residual *r*, the
gradient is :math:`ru` and its second moment :math:`\langle r^2u^2\rangle`; where both are independent this is
:math:`2L\,h`, with :math:`h = \langle u^2\rangle` and :math:`L = \langle r^2\rangle/2`: hence the law of the loss.

The mean time is :math:`\int \psi^{-1}\!\int \psi/D` with :math:`\psi = D^\alpha e^{-\Phi(x)}`,
:math:`\Phi(x) = \int^x L'/D`. For small noise the two integrals are dominated by the bottom and the top, and the
exponent is the difference of :math:`\Phi`; the convention :math:`\alpha` changes the prefactor only (M. I. Freidlin,
A. D. Wentzell, Random Perturbations of Dynamical Systems).

When it holds
-------------
For small noise, :math:`\Phi \gg 1`; ``error_scale`` is :math:`1/\Phi`. A diffusion that vanishes on the way, as
:math:`|L''|` does at the inflection of every smooth landscape, is a ``TheoryError``: the integral diverges, and the
continuous motion never passes. With a floor it does. The laws are models: whether gradients of a network follow
either is a question for data.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import sgd_noise

LOSS = "(x**4/4 - x**2/2 + 0.75)"
landscape = fp.Landscape(LOSS)
noises = {
    "additive": "0.5",
    "curvature, floor 0.5": "sqrt((3*x**2 - 1)**2 + 0.25)/2",
    "loss, h = 2": f"2*{LOSS}",
}

# %%
# Left: the three laws of noise, for :math:`\eta/B = 1`. Right: escape from −1 across the barrier, by the backward
# equation on a grid, against the exponent.

x = np.linspace(-1.5, 1.5, 300)
floor = 0.5
functions = {
    "additive": lambda x: np.full(np.shape(x), 0.5),
    "curvature, floor 0.5": lambda x: np.hypot(
        sgd_noise.curvature_noise(landscape, learning_rate=1.0, batch_size=1)(x), floor / 2
    ),
    "loss, h = 2": sgd_noise.loss_noise(landscape, learning_rate=1.0, batch_size=1, curvature=2.0),
}
rates = np.geomspace(0.04, 0.4, 7)
grid = fp.Grid(x=(-3.0, 3.0, 2400))

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
left.plot(x, landscape.value(x[:, None]), color="0.5", lw=1, label="the loss L")
for colour, (name, text) in enumerate(noises.items()):
    left.plot(x, functions[name](x), color=f"C{colour}", label=f"D, {name}")
    times = []
    for rate in rates:
        W = fp.generator(fp.Langevin(landscape, diffusion=f"{rate}*{text}", convention="ito"), grid)
        times.append(fp.mean_first_passage_time(W, fp.where(x=(1.0, None))).at([[-1.0]])[0])
    exponent = float(sgd_noise.noise_exponent(landscape, functions[name], -1.0, 0.0))
    right.semilogy(1 / rates, times, "o", color=f"C{colour}", ms=4)
    through_last = times[0] * np.exp(exponent * (1 / rates - 1 / rates[0]))
    right.semilogy(1 / rates, through_last, color=f"C{colour}", lw=1, label=rf"{name}: $\Phi\eta/B$ = {exponent:.3f}")
    slope = np.log(times[0] / times[1]) / (1 / rates[0] - 1 / rates[1])
    print(f"{name:<21} exponent times η/B: {exponent:.4f}; slope of ln τ between the last two points: {slope:.4f}")
left.set(xlabel="x", ylabel=r"L, and D at $\eta/B = 1$", ylim=(0, 2.6))
left.legend(loc="upper center", fontsize=8, ncols=2)
right.set(xlabel=r"$B/\eta$", ylabel="mean learning time from −1 to 1")
right.legend(loc="upper left")
plt.show()

# %%
# The lines have the slope :math:`\Phi\eta/B` and pass through the last point: what depends on the learning rate
# besides the exponent is a prefactor that tends to a constant. The loss alone does not say which exponent it is.
