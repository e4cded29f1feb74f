r"""
Itô, Stratonovich, Klimontovich
===============================

One drift :math:`-x`, one diffusion :math:`D(x) = 1 + x^2/4`, three conventions for what
:math:`\mathrm dx = -x\,\mathrm dt + \sqrt{2D(x)}\,\mathrm dW` means, and three stationary densities:

.. math:: p(x) \propto D(x)^{-\nu}, \qquad \nu = 3,\ \tfrac52,\ 2 .

These are Student's distributions with 5, 4 and 3 degrees of freedom; their variances are 4/3, 2 and 4. No temperature
exists here, so the package asks for the convention and does not guess it.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import gamma

import fpsolver as fp

# %%
# The tails fall as a power of x, so the grid has to reach far: its faces are placed by a hyperbolic sine. The walls are
# given as reflecting, which says that they are meant.

half_width, cells = 2000.0, 400
faces = half_width * np.sinh(np.linspace(-9, 9, cells + 1)) / np.sinh(9.0)
grid = fp.Grid(x=fp.Axis(faces=faces, boundary="reflecting"))
x = grid.axes[0].centres
landscape = fp.Landscape("x**2/2")

exponents = {"ito": 3.0, "stratonovich": 2.5, "klimontovich": 2.0}
names = {"ito": "Itô", "stratonovich": "Stratonovich", "klimontovich": "Klimontovich"}
densities = {}
for convention in exponents:
    dynamics = fp.Langevin(landscape, diffusion="1 + x**2/4", convention=convention)
    densities[convention] = fp.stationary(fp.generator(dynamics, grid))

# %%
# The normalisation of :math:`(1 + x^2/4)^{-\nu}` is :math:`2\sqrt\pi\,\Gamma(\nu - 1/2)/\Gamma(\nu)`.


def student(x, nu):
    return (1 + x**2 / 4) ** -nu * gamma(nu) / (2 * np.sqrt(np.pi) * gamma(nu - 0.5))


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
fine = np.linspace(-6, 6, 400)
far = np.geomspace(0.1, 1000, 400)
for (convention, nu), colour in zip(exponents.items(), ("C0", "C1", "C2"), strict=True):
    p = densities[convention]
    left.plot(fine, student(fine, nu), color=colour, label=names[convention])
    near = np.abs(x) < 6
    left.plot(x[near][::6], p[near][::6], "o", color=colour, ms=4)
    right.loglog(far, student(far, nu), color=colour, label=rf"$\propto D^{{-{nu:g}}}$")
    tail = (x > 0.1) & (x < 1000)
    right.loglog(x[tail][::10], p[tail][::10], "o", color=colour, ms=4)
left.set(xlabel="$x$ [length]", ylabel="density $p$ [1/length]", title="Lines: closed form; points: grid")
left.legend()
right.set(xlabel="$x$ [length]", ylabel="density $p$ [1/length]", title="Tails", ylim=(1e-18, 2))
right.legend()
plt.show()

# %%
# The variances. That of Klimontovich converges only as 1/L with the size L of the box, because
# :math:`x^2 p \propto x^{-2}` there: beyond 2000 lies 0.13 % of it.

for convention, exact in zip(exponents, (4 / 3, 2.0, 4.0), strict=True):
    variance = fp.moments(densities[convention]).covariance[0, 0]
    print(f"{names[convention]:<13} variance {variance:.4f}   closed form {exact:.4f}")
