r"""
Gallavotti–Cohen symmetry and tilted generators
===============================================

Fluctuations in the long run, from the largest eigenvalue of a tilted generator: ``fpsolver.thermodynamics.scgf`` and
``rate_function``. Closed forms: ``fpsolver.theory.biased_walk``, ``tilted_ring`` and ``linear_entropy``.

Statement
---------
The scaled cumulant generating function of entropy production,
:math:`\lambda(s) = \lim_{t\to\infty} \ln\langle e^{s\Sigma_t} \rangle / t`, and its rate function
:math:`I(\sigma) = \max_s [s\sigma - \lambda(s)]` obey

.. math:: \lambda(s) = \lambda(-1 - s) , \qquad I(\sigma) - I(-\sigma) = -\sigma

(J. Kurchan, J. Phys. A 31, 3719, 1998; J. L. Lebowitz, H. Spohn, J. Stat. Phys. 95, 333, 1999).

Derivation
----------
An observable that gains :math:`a_{ij}` in a jump from *i* to *j* and *f*\ :sub:`i` per unit time makes
:math:`u_i(t) = \langle e^{sA_t} \rangle_i` grow by the tilted generator

.. math:: \dot u_i = \sum_j k_{ij}\, (e^{s a_{ij}} u_j - u_i) + s f_i\, u_i ,

whose largest eigenvalue is :math:`\lambda(s)`; with its eigenvectors come mean and variance of a fluctuation, and the
process that makes it typical. For the entropy flow :math:`a_{ij} = \ln(k_{ij}/k_{ji})` the rates off the diagonal are
:math:`k_{ij}^{1+s} k_{ji}^{-s}`: to replace *s* by −1 − *s* is to transpose the matrix, which keeps its eigenvalues.
That is so for every discretisation, to rounding.

When it holds
-------------
Jumps that can be reversed, even variables, and a *bounded* space. There the work of the force has it as well, about
−1/(2\ *T*). On an unbounded space the symmetry is that of *total* entropy, as far as :math:`\lambda` is finite: the
flow to the bath alone leaves it near *s* = −1, where energy at the ends outgrows it. In a harmonic well in
equilibrium :math:`\langle e^{-\text{flow}} \rangle = e^{\mu kt}`, though nothing is produced. The symmetry of a
Gaussian :math:`\lambda(s) = \bar\sigma s(1 + s)` is no evidence: variance = twice the mean is all it says.
"""

import math

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import biased_walk, linear_entropy, tilted_ring
from fpsolver.thermodynamics import rate_function, scaled_cumulants, scgf

# %%
# The biased walk with rates 2 and 1: a constant force on cells of size one.

bias = math.log(2.0)
law = fp.Langevin(fp.Landscape("0*x"), temperature=1.0, mobility=1.0 / bias, force=(repr(bias),))
walk = fp.generator(law, fp.Grid(x=fp.Axis(0, 24, 24, boundary="periodic")))

# %%
# A washboard under a force, and two springs that couple heat baths at T = 1 and 2.

washboard = fp.Landscape("-cos(x)")
ring = {"force": 0.5, "temperature": 0.5, "period": 2 * np.pi}
driven = fp.generator(
    fp.Langevin(washboard, temperature=0.5, force=("0.5",)),
    fp.Grid(x=fp.Axis(0, 2 * np.pi, 400, boundary="periodic")),
)
gyrator = fp.generator(
    fp.Langevin(fp.Landscape("(x**2 + y**2)/2 + x*y/2"), mobility=1.0, diffusion=(1.0, 2.0)),
    fp.Grid(x=(-7.5, 7.5, 64), y=(-9.5, 9.5, 64)),
)
matrices = {"drift": [[1.0, 0.5], [0.5, 1.0]], "diffusion": [[1.0, 0.0], [0.0, 2.0]]}

s = np.linspace(-1.4, 0.4, 13)
few = np.array([-1.3, -0.9, -0.5, -0.1, 0.3])
found = {"walk": scgf(walk, "entropy_flow", s), "ring": scgf(driven, "entropy_flow", s)}
plane = scgf(gyrator, "entropy_flow", few)
values = np.linspace(-1.2, 1.2, 13)
rates = rate_function(walk, "entropy_flow", values)

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
fine = np.linspace(-1.45, 0.45, 80)
left.plot(fine, [float(biased_walk.entropy_scgf(x, up=2.0, down=1.0)) for x in fine], label="biased walk")
left.plot(s, found["walk"].values, "o", color="k", ms=4)
left.plot(fine, [5 * float(linear_entropy.scgf(x, **matrices)) for x in fine], color="C1", label="gyrator, × 5")
left.plot(few, 5 * plane.values, "o", color="k", ms=4, label="tilted generator")
left.plot(s, found["ring"].values, "o", mfc="w", color="C2", ms=5, label="washboard")
left.plot(-1 - s, found["ring"].values, "x", color="C2", ms=4, label="washboard, mirrored")
left.axvline(-0.5, color="0.6", lw=0.8, ls=":")
left.set(xlabel="s", ylabel=r"$\lambda(s)$")
left.legend(fontsize=8)
line = np.linspace(-1.3, 1.3, 80)
right.plot(line, [float(biased_walk.rate_function(v / bias, up=2.0, down=1.0)) for v in line], label="closed form")
right.plot(values, rates.rates, "o", color="k", ms=4, label="Legendre transform")
right.plot(line[line > 0], [float(biased_walk.rate_function(-v / bias, up=2.0, down=1.0)) - v for v in line[line > 0]],
           "--", color="C1", label=r"$I(-\sigma) - \sigma$")  # fmt: skip
right.set(xlabel=r"entropy production $\sigma$ per unit time", ylabel=r"$I(\sigma)$")
right.set_title("biased walk")
right.legend()
plt.show()

# %%
# Mirror images agree to rounding, on any grid; slope and curvature at *s* = 0 approach drift and diffusion.

ahead, back = scgf(driven, "entropy_flow", [0.25]).values[0], scgf(driven, "entropy_flow", [-1.25]).values[0]
print(f"washboard, λ(1/4) and λ(−5/4): {ahead:.12f}, {back:.12f}")
mean = scaled_cumulants(driven, "entropy_flow").mean
print(f"λ'(0) = {mean:.6f}, Fv/T = {float(tilted_ring.velocity(washboard, **ring)):.6f}")
