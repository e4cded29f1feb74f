r"""
Langer's rate
=============

``fpsolver.theory.langer``: Kramers' rate in any number of dimensions. Besides the height of the saddle the widths of
the valley count, by the determinants of the Hessians.

Formulas
--------
From a minimum *a* over a saddle *b* of index one, with the Hessians :math:`H_a` and :math:`H_b`,

.. math::

   k = \frac{\kappa}{2\pi} \sqrt{\frac{\det H_a}{|\det H_b|}}\; e^{-\Delta L/T},

where :math:`\kappa` is the rate at which noiseless motion leaves the saddle. Overdamped, with the mobility matrix *M*
and :math:`D = TM`, it is the positive eigenvalue of :math:`-MH_b`; with inertia, masses *m* and the matrix
:math:`\Gamma` of friction rates, the positive root of :math:`\det(\kappa^2 + \Gamma\kappa + m^{-1}H_b) = 0`. The rate
is :math:`e^{\Delta S}` times that of a valley without width, with the activation entropy

.. math::

   \Delta S = \frac12 \ln\frac{\det H_a\,|\lambda_b|}{|\det H_b|\,k_a}, \qquad \frac1{k_a} = u^\top H_a^{-1} u,

where *u* is the unstable direction of the saddle and :math:`\lambda_b` its curvature.

Sketch of the derivation
------------------------
Near the saddle the probability *q* to go on to the other side, the committor, solves
:math:`-(MH_b x)\cdot\nabla q + T\,\nabla\cdot M\nabla q = 0`. Let it depend on one combination :math:`s = e^\top x`.
This works if *e* is an eigenvector, :math:`H_b M e = -\kappa e`, and then :math:`q' \propto e^{-\alpha s^2/2T}` with
:math:`\alpha = \kappa/(e^\top M e)`. The stationary flux is

.. math::

   J = \frac TZ \int e^{-L/T}\, \nabla q \cdot M\nabla q\; \mathrm dx
     = \frac{\kappa}{2\pi Z}\, e^{-L_b/T}
       \int e^{-x^\top (H_b + 2\alpha\, e e^\top) x/2T}\,\mathrm dx .

The determinant of the Gaussian is :math:`\det H_b\,(1 + 2\alpha\, e^\top H_b^{-1} e)`, and because
:math:`H_b^{-1} e = -Me/\kappa` the bracket is :math:`1 - 2 = -1`. With
:math:`Z_a = e^{-L_a/T} (2\pi T)^{d/2}/\sqrt{\det H_a}` in the well, :math:`J/Z_a` is the rate (J. S. Langer, Ann.
Phys. 54, 258, 1969; A. Bovier, M. Eckhoff, V. Gayrard, M. Klein, J. Eur. Math. Soc. 6, 399, 2004, theorem 3.2, prove
it for :math:`M = 1`).

When it holds
-------------
:math:`T \ll \Delta L`, with an error of order :math:`T/\Delta L` (``error_scale``); Hessians without zero
eigenvalues; with inertia, wells that stay thermalised. A point that is not stationary, a saddle with another index
than one, a barrier that is not above its minimum, a degenerate Hessian or a mobility that is not positive definite is
a ``TheoryError``; T above the barrier brings a ``ValidityWarning``.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import langer

# %%
# Three valleys along one double well, :math:`L = x^4/4 - x^2/2 + c(x)\,y^2/2`: half as stiff at the saddle as at the
# minima, as wide everywhere, and twice as stiff at the saddle.

valleys = {
    "wider at the saddle": fp.Landscape("x**4/4 - x**2/2 + (1 + 3*x**2)*y**2/2"),
    "as wide everywhere": fp.Landscape("x**4/4 - x**2/2 + 4*y**2/2"),
    "narrower at the saddle": fp.Landscape("x**4/4 - x**2/2 + (1 + 3*exp(-4*x**2))*y**2/2"),
}


def slowest_rate(landscape, temperature):
    along, across = 1.0 + 4.0 * temperature**0.5, 6.5 * temperature**0.5
    grid = fp.Grid(x=(-along, along, 120), y=(-across, across, 56))
    return float(fp.spectrum(fp.generator(fp.Langevin(landscape, temperature=temperature), grid), k=2).rates[1])


temperatures = np.linspace(0.01, 0.06, 6)
measured = {
    name: np.array([slowest_rate(landscape, temperature) for temperature in temperatures])
    for name, landscape in valleys.items()
}

# %%
# Left, the valley that is wider at the saddle; right, rates over those of motion along the path alone.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.9), width_ratios=(1, 1.25))
x, y = np.linspace(-1.7, 1.7, 120), np.linspace(-1.1, 1.1, 100)
wide = valleys["wider at the saddle"]
values = wide.value(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1))
left.contour(x, y, values.T, levels=np.linspace(-0.24, 1.0, 14), cmap="viridis", linewidths=0.8)
left.plot([-1, 1], [0, 0], "o", color="k", ms=5, label="minima")
left.plot(0, 0, "x", color="C1", ms=7, mew=2, label="saddle")
left.set(xlabel="x", ylabel="y", aspect="equal")
left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
for number, (name, landscape) in enumerate(valleys.items()):
    whole, narrow = (
        [2 * float(form(landscape, [-1, 0], [0, 0], temperature=temperature)) for temperature in temperatures]
        for form in (langer.rate, langer.rate_without_entropy)
    )
    factor = np.exp(float(langer.activation_entropy(landscape, [-1, 0], [0, 0])))
    right.axhline(factor, color=f"C{number}", lw=1)
    right.plot(temperatures, measured[name] / narrow, "o", color=f"C{number}", ms=4, label=f"grid, {name}")
    print(f"{name:<24} T = {temperatures[0]:g}: grid {measured[name][0]:.4e}, Langer {whole[0]:.4e}")
right.axhline(np.nan, color="0.4", lw=1, label=r"Langer, $e^{\Delta S}$")
right.set(xlabel="temperature T", ylabel=r"$\lambda_1$ / rate without width", xlim=(0, None), ylim=(0, 2.6))
right.legend(loc="upper right", fontsize=8, ncols=2)
plt.show()

# %%
# As :math:`T \to 0` the points run into the lines :math:`e^{\Delta S} = 2, 1` and 0.51. The deviation is in
# proportion to *T*, and largest in the valley that widens.
