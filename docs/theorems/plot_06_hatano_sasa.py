r"""
Hatano–Sasa equality and housekeeping
=====================================

Transitions between steady states that dissipate: what keeping them costs, and what the transition adds.
``fpsolver.thermodynamics.switched_steady_states`` along trajectories, ``hatano_sasa_split`` and ``geometric_split``
on densities.

Statement
---------
Let :math:`\pi_\lambda` be the steady state at parameters :math:`\lambda` and :math:`\varphi = -\ln \pi_\lambda`. From
the steady state of :math:`\lambda_0`, at any speed,

.. math::

   \langle e^{-Y} \rangle = 1 , \qquad
   Y = \int \dot\lambda\, \partial_\lambda \varphi(x_t; \lambda_t)\,\mathrm dt

(T. Hatano, S. Sasa, Phys. Rev. Lett. 86, 3463, 2001). The housekeeping heat, the work of the force that keeps the
local mean velocity :math:`\nu = J_\pi/\pi` of the steady state going, obeys from any start
:math:`\langle e^{-q_{\text{hk}}/T} \rangle = 1` with :math:`q_{\text{hk}}/T = \int D^{-1} \nu \circ \mathrm dx` (T.
Speck, U. Seifert, J. Phys. A 38, L581, 2005).

Derivation
----------
As for Jarzynski's equality, with :math:`\pi_\lambda` in place of :math:`e^{-L/T}`:
:math:`g = \langle \delta(x - x_t)\, e^{-Y_t} \rangle = \pi_{\lambda_t}` solves
:math:`\partial_t g = \mathcal L_t g - \dot\lambda\,\partial_\lambda\varphi\, g`. The second is a change of ensemble:
the rates weighted by :math:`e^{-q_{\text{hk}}/T}` are :math:`\hat k_{ij} = k_{ji} \pi_j/\pi_i`, those of the dual
process, which has the same steady state and the opposite current, and conserves probability.

On average the entropy production splits in two parts, neither of them negative,

.. math::

   \dot\Sigma = \underbrace{\int p\, \nu^{\mathsf T} D^{-1} \nu}_{\text{housekeeping}}
              + \underbrace{\int p\, \nabla \ln\tfrac{p}{\pi} \cdot D\, \nabla \ln\tfrac{p}{\pi}}_{\text{excess}} ,

of which the second is :math:`-\mathrm d\, \mathrm{KL}(p\|\pi)/\mathrm dt` at fixed parameters.

When it holds
-------------
Variables that are even, and a start in the steady state for *Y*; any other start needs the second equality, or total
entropy. Without driving forces *Y* = (*W* − :math:`\Delta F`)/*T*, and Jarzynski's equality is back. The split is not
unique: the geometric one (A. Dechant, S. Sasa, S. Ito, Phys. Rev. Research 4, L012034, 2022) takes for the excess the
least that moves the density as it does, which is never less than the excess above.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import tilted_ring
from fpsolver.thermodynamics import (
    entropy_production,
    geometric_split,
    hatano_sasa_split,
    integral_theorem,
    switched_steady_states,
)

# %%
# A ring whose force and landscape change in one step or in several; *Y* and housekeeping along trajectories.


def ring(share):
    landscape = fp.Landscape("h*cos(x)", variables=("x",), parameters={"h": 1.0 - 1.5 * share})
    return fp.Langevin(landscape, temperature=1.0, force=(0.5 + share,))


def cells(number):
    return fp.Grid(x=fp.Axis(0, 2 * np.pi, number, boundary="periodic"))


switches = np.array([1, 2, 4, 8])
functional, housekeeping = [], []
for number in switches:
    stages = [(ring(share), 0.0 if share == 0 else 0.5 / number) for share in np.linspace(0, 1, number + 1)]
    found = switched_steady_states(stages, cells(256), n=20_000, dt=0.03125, seed=4)
    functional.append(integral_theorem(found.hatano_sasa))
    housekeeping.append(integral_theorem(found.housekeeping))

# %%
# Relaxation to the steady state of the last stage, on the grid.

W = fp.generator(ring(1.0), cells(200))
times = np.linspace(0.0, 1.5, 31)
start = fp.stationary(fp.generator(ring(0.0), cells(200)))
densities = [start, *fp.evolve(W, start, times=times[1:]).densities]
total = [entropy_production(W, p).total for p in densities]
split = [hatano_sasa_split(W, p) for p in densities]
geometry = [geometric_split(W, p) for p in densities]
system = {"force": 1.5, "temperature": 1.0, "period": 2 * np.pi}
steady = 1.5 * float(tilted_ring.velocity(fp.Landscape("-cos(x)/2"), **system))

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
left.axhline(1, color="C0")
for offset, (name, values, mark) in enumerate(
    ((r"$\langle e^{-Y} \rangle$", functional, "o"), (r"$\langle e^{-q_{\mathrm{hk}}/T} \rangle$", housekeeping, "s"))
):
    left.errorbar(
        switches * 1.06**offset, [one.average for one in values], [one.standard_error for one in values], fmt=mark,
        color=("k", "C1")[offset], ms=4, label=name,
    )  # fmt: skip
left.plot(switches, [one.mean for one in functional], "^--", color="C2", ms=4, label=r"$\langle Y \rangle$")
left.set_xscale("log", base=2)
left.set_xticks(switches, [str(number) for number in switches])
left.set(xlabel="switches on the way", ylabel="average", ylim=(0, None))
left.set_title("from steady state to steady state")
left.legend()
right.plot(times, total, color="k", label="total")
right.plot(times, [one.housekeeping for one in split], label="housekeeping")
right.plot(times, [one.excess for one in split], label="excess")
right.plot(times, [one.excess for one in geometry], "--", label="excess, geometric")
right.axhline(steady, color="0.6", ls=":", label=r"$Fv/T$, quadrature")
right.set(xlabel="time", ylabel=r"$\dot\Sigma$ [nats/time]", ylim=(0, None))
right.set_title("after the switch")
right.legend(fontsize=8)
plt.show()

# %%
# The parts add up to rounding, and the steady state keeps the entropy production of closed form.

print(f"largest |total − parts|: {max(abs(t - one.total) for t, one in zip(total, split, strict=True)):.1e}")
print(f"steady state: {entropy_production(W, fp.stationary(W)).total:.5f}, closed form {steady:.5f}")
print(f"8 switches: {functional[-1].average:.4f} ± {functional[-1].standard_error:.4f}")
