r"""
Decay of free energy
====================

How fast a density relaxes: free energy falls at the rate of the Fisher information, exponentially in a convex loss.
Closed forms: ``fpsolver.theory.linear_diffusion``.

Statement
---------
At fixed parameters, with :math:`\mathrm{KL}(p\|p_{\text{eq}}) = (F[p] - F[p_{\text{eq}}])/T` and :math:`D = \mu T`,

.. math::

   -\frac{\mathrm d}{\mathrm dt} \mathrm{KL} = \dot\Sigma = D\, I(p\|p_{\text{eq}}) , \qquad
   I = \int p\, \Bigl|\nabla \ln \frac{p}{p_{\text{eq}}}\Bigr|^2 ;

and where all eigenvalues of the Hessian are at least :math:`k > 0`,

.. math:: \mathrm{KL}(t) \le e^{-2\mu kt}\, \mathrm{KL}(0) .

Derivation
----------
The current is :math:`J = -D p\, \nabla \ln(p/p_{\text{eq}})`; an integration by parts of
:math:`\frac{\mathrm d}{\mathrm dt}\int p \ln(p/p_{\text{eq}})` gives the first line (de Bruijn's identity where the
loss is flat; A. J. Stam, Inf. Control 2, 101, 1959). Differentiate once more: with :math:`h = \ln(p/p_{\text{eq}})`

.. math::

   -\frac{\mathrm dI}{\mathrm dt} = 2\mu \int p \left( T\, \|\nabla^2 h\|^2 + \nabla h \cdot L'' \nabla h \right)
   \ge 2\mu k\, I ,

so that *I* decays as :math:`e^{-2\mu kt}`, and with its integral over time so does KL (D. Bakry, M. Émery, 1985).

When it holds
-------------
Constant isotropic noise, any dimension, any start. Gaussians that are shifted from equilibrium in :math:`kx^2/2`
saturate the bound, :math:`\nabla^2 h = 0`; narrow or wide ones decay faster, in the end at :math:`e^{-4\mu kt}`.
Without convexity there is no such rate from curvature: over a barrier the decay is as slow as the escape. *"Free
energy falls"* is true at fixed parameters; that *entropy* grows is not.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import linear_diffusion
from fpsolver.thermodynamics import entropy_production

grid = fp.Grid(x=fp.Axis(-7, 7, 700, boundary="reflecting"))
times = np.linspace(0.0, 2.0, 9)
losses = {"trap, shifted": ("x**2/2", 1.5, 0.5), "trap, narrow": ("x**2/2", 0.0, 0.05), "cosh x": ("cosh(x)", 1.5, 0.5)}
divergence, flux, information = {}, {}, {}
for name, (loss, mean, variance) in losses.items():
    landscape = fp.Landscape(loss)
    W = fp.generator(fp.Langevin(landscape, temperature=0.5), grid)
    rest, start = fp.boltzmann(landscape, grid, 0.5), fp.gaussian(grid, [mean], [[variance]])
    densities = [start, *fp.evolve(W, start, times=times[1:], tolerance=1e-11).densities]
    # F[p] − F[p_eq] does not underflow where the density in equilibrium does.
    lowest = fp.free_energy(W, rest)
    divergence[name] = np.array([(fp.free_energy(W, p) - lowest) / 0.5 for p in densities])
    flux[name] = [entropy_production(W, p).total for p in densities]
    if loss == "x**2/2":
        information[name] = [0.5 * fp.fisher_information(p, grid, relative_to=rest) for p in densities]

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
for number, (name, values) in enumerate(divergence.items()):
    left.semilogy(times, values / values[0], "os^"[number], color=f"C{number}", ms=4, label=name)
fine = np.linspace(0, 2, 80)
left.plot(fine, np.exp(-2 * fine), color="k", lw=1, label=r"$e^{-2\mu kt}$, k = 1")
for number, (mean, variance) in enumerate(((1.5, 0.5), (0.0, 0.05))):
    states = [linear_diffusion.moments([[1.0]], [[0.5]], [mean], [[variance]], t) for t in fine]
    exact = np.array([float(linear_diffusion.divergence_of_gaussians(*state, [0.0], [[0.5]])) for state in states])
    left.plot(fine, exact / exact[0], color=f"C{number}", lw=1)
left.set(xlabel=r"time $\mu t$", ylabel="KL(t)/KL(0)", ylim=(1e-4, 1.5))
left.legend()
for number, (name, values) in enumerate(information.items()):
    mean, variance = ((1.5, 0.5), (0.0, 0.05))[number]
    states = [linear_diffusion.moments([[1.0]], [[0.5]], [mean], [[variance]], t) for t in fine]
    rate = [float(linear_diffusion.dissipation_of_a_gaussian(m[0], c[0, 0], stiffness=1.0, temperature=0.5)) / 0.5
            for m, c in states]  # fmt: skip
    right.semilogy(fine, rate, color=f"C{number}", label=f"{name}: closed form")
    right.plot(times, flux[name], "o", color="k", ms=4, label=None if number else "fluxes (grid)")
    right.plot(times, values, "x", color="k", ms=6, label=None if number else "D × Fisher information (grid)")
right.set(xlabel=r"time $\mu t$", ylabel=r"$\dot\Sigma$ [nats/time]")
right.legend(fontsize=8)
plt.show()

# %%
# The shifted Gaussian decays as the bound says, to the error of the grid; the others faster.

for name, values in divergence.items():
    print(f"{name}: KL(2)/KL(0) = {values[-1] / values[0]:.6f}, bound {np.exp(-4.0):.6f}")
