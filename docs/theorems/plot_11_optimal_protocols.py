r"""
Optimal protocols jump
======================

The protocol that drives a trap between two given settings in finite time at the least mean work:
``fpsolver.thermodynamics.optimal_protocol`` on any landscape in one variable. Closed forms:
``fpsolver.theory.schmiedl_seifert``.

Statement
---------
A trap :math:`k(x - \lambda)^2/2` that starts in equilibrium and is moved by :math:`\lambda_f` in :math:`t_f` takes at
least

.. math::

   W^* = \frac{k\lambda_f^2}{\mu k t_f + 2} , \qquad
   \lambda(t) = \lambda_f\, \frac{\mu k t + 1}{\mu k t_f + 2} \quad (0 < t < t_f) ,

with jumps by :math:`\lambda_f/(\mu k t_f + 2)` at both ends; a trap whose stiffness changes needs jumps as well, with
:math:`k(t) = (T - \sigma\dot\sigma/\mu)/\sigma^2` and a width :math:`\sigma` that changes linearly (T. Schmiedl,
U. Seifert, Phys. Rev. Lett. 98, 108301, 2007).

Derivation
----------
The mean *u* obeys :math:`\dot u = \mu k(\lambda - u)`. An integration by parts of
:math:`W = \int k(\lambda - u)\dot\lambda\,\mathrm dt` leaves

.. math:: W = \frac{1}{\mu} \int_0^{t_f} \dot u^2 \,\mathrm dt + \frac k2 (\lambda_f - u_f)^2
            \ge \frac{u_f^2}{\mu t_f} + \frac k2 (\lambda_f - u_f)^2 ,

with equality for the best *u*, which is linear in time since only its end counts; what remains is least for
:math:`u_f = \lambda_f\,\mu k t_f/(\mu k t_f + 2)`. The trap is ahead of *u* by :math:`\dot u/\mu k` from the start
on: it has to jump there. For the stiffness the same holds with :math:`\sigma` in place of *u*: Gaussians move along
the geodesic of optimal transport, so that no landscape does better than the trap.

When it holds
-------------
Overdamped motion and mean work. *"A linear ramp"*, or any smooth protocol, is not the least; the gain of the jumps is
largest for durations near the time of relaxation. With inertia there are also delta-like kicks (A. Gomez-Marin,
T. Schmiedl, U. Seifert, J. Chem. Phys. 129, 024114, 2008).
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import schmiedl_seifert
from fpsolver.thermodynamics import optimal_protocol

trap = fp.Langevin(fp.Landscape("k*(x - c)**2/2", {"k": 1.0, "c": 0.0}, ("x",)), temperature=1.0)

# %%
# Parameters constant on twenty intervals, optimised through the density on a grid with an exact gradient.

moving = optimal_protocol(trap, fp.Grid(x=(-7, 8, 120)), {"c": (0.0, 1.0)}, duration=1.0, intervals=20)
stiffening = optimal_protocol(trap, fp.Grid(x=(-7, 7, 120)), {"k": (1.0, 2.0)}, duration=1.0, intervals=20)
durations = np.array([0.3, 1.0, 3.0, 10.0])
found = [
    optimal_protocol(trap, fp.Grid(x=(-7, 8, 80)), {"c": (0.0, 1.0)}, duration=float(t), intervals=12).work
    for t in durations
]

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
t = np.linspace(0, 1, 61)
for axes, best, form, ends, name in (
    (left, moving, schmiedl_seifert.moving_trap_protocol(1.0, 1.0), (0.0, 1.0), "centre"),
    (middle, stiffening, schmiedl_seifert.stiffening_trap_protocol(1.0, 2.0, 1.0), (1.0, 2.0), "stiffness"),
):
    axes.plot([0, 0, *t, 1, 1], [ends[0], form(0.0), *form(t), form(1.0), ends[1]], label="closed form")
    axes.plot([0, 1], ends, "--", color="C1", label="linear")
    axes.plot(best.times, best.values[:, 0], "o", color="k", ms=4, label="optimised (grid)")
    axes.set(xlabel=r"$t/t_f$", ylabel=name)
    axes.legend()
fine = np.geomspace(0.2, 15, 60)
right.semilogx(fine, [float(schmiedl_seifert.moving_trap_work(1.0, s)) for s in fine], label="least")
right.semilogx(
    fine, [float(schmiedl_seifert.moving_trap_linear_work(1.0, s)) for s in fine], "--", color="C1", label="linear"
)
right.plot(durations, found, "o", color="k", ms=4, label="optimised (grid)")
right.set(xlabel=r"duration $\mu k t_f$", ylabel=r"W / $k\lambda_f^2$", ylim=(0, None))
right.set_title("moving a trap")
right.legend()
plt.show()

# %%
# The work in unit time, and the values right after the first jump.

print(f"centre: W = {moving.work:.5f}, closed form {float(schmiedl_seifert.moving_trap_work(1.0, 1.0)):.5f}")
print(f"stiffness: W = {stiffening.work:.5f}, {float(schmiedl_seifert.stiffening_trap_work(1.0, 2.0, 1.0)):.10f}")
jump = float(schmiedl_seifert.stiffening_trap_protocol(1.0, 2.0, 1.0)(0.0))
print(f"stiffness after the first jump {stiffening.ends[0, 0]:.4f}, closed form {jump:.9f}")
