r"""
Drift on a tilted washboard
===========================

A driven ring: :math:`L = \cos x` with a constant force F, which is not the gradient of anything on a circle.
The stationary state carries a current; its mean velocity is known in closed form (R. L. Stratonovich, 1958),

.. math:: \langle v \rangle = \frac{2\pi T\,(1 - e^{-2\pi F/T})}
          {\int_0^{2\pi}\mathrm dx \int_x^{x + 2\pi}\mathrm dy\; e^{[U(y) - U(x)]/T}},
          \qquad U = \cos x - F x ,

and without noise it is :math:`\sqrt{F^2 - 1}` above the threshold F = 1 and zero below.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

landscape = fp.Landscape("cos(x)")
ring = fp.Grid(x=fp.Axis(0.0, 2 * np.pi, 256, boundary="periodic"))
temperatures = (1.0, 0.3, 0.1)
forces = np.linspace(0.1, 2.0, 20)


def velocity(F, T):
    W = fp.generator(fp.Langevin(landscape, temperature=T, force=(F,)), ring)
    return fp.current(W, fp.stationary(W)).mean_velocity()[0]


# %%
# The double integral converges exponentially under the midpoint rule along x; along y, Gauss–Legendre.

points = 128
x = 2 * np.pi * (np.arange(points) + 0.5) / points
nodes, weights = np.polynomial.legendre.leggauss(points)
shift = np.pi * (nodes + 1)


def stratonovich(F, T):
    work = np.cos(x[:, None] + shift) - np.cos(x)[:, None] - F * shift
    inner = np.exp(work / T) @ (np.pi * weights)
    return 2 * np.pi * T * -np.expm1(-2 * np.pi * F / T) / (inner.mean() * 2 * np.pi)


# %%
# Velocity against force, and the density that carries it.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
for T, colour in zip(temperatures, ("C1", "C2", "C0"), strict=True):
    left.plot(forces, [stratonovich(F, T) for F in forces], color=colour, label=f"$T = {T:g}$")
    left.plot(forces, [velocity(F, T) for F in forces], "o", color=colour, ms=4)
left.plot(forces, np.sqrt(np.maximum(forces**2 - 1, 0)), "--", color="0.4", label="no noise")
left.set(
    xlabel="force $F$ [loss/angle]",
    ylabel=r"mean velocity $\langle v\rangle$ [angle/time]",
    title="Lines: Stratonovich; points: grid",
)
left.legend()

T = 0.1
for F, colour in zip((0.0, 0.6, 0.9, 1.5), ("0.4", "C0", "C2", "C1"), strict=True):
    W = fp.generator(fp.Langevin(landscape, temperature=T, force=(F,)), ring)
    right.plot(ring.axes[0].centres, fp.stationary(W), color=colour, label=f"$F = {F:g}$")
right.set(xlabel="$x$ [angle]", ylabel="density [1/angle]", title=f"Stationary density, $T = {T:g}$")
right.set_xticks([0, np.pi / 2, np.pi, 3 * np.pi / 2, 2 * np.pi], ["0", "π/2", "π", "3π/2", "2π"])
right.legend()
plt.show()

# %%
# In the limit of weak noise the points lie on the dashed line except close to the threshold.

for F, T in ((0.5, 1.0), (0.9, 0.1)):
    print(f"F = {F}, T = {T}: grid {velocity(F, T):.8f}, Stratonovich {stratonovich(F, T):.8f}")
