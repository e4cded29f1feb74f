r"""
First and second law
====================

Energy, heat, work and entropy production of densities, from the same fluxes through faces that move them:
``fpsolver.thermodynamics.energy_balance``, ``energy_rates`` and ``entropy_production``. Closed forms:
``fpsolver.theory.work_and_heat``, ``dissipation``, ``linear_diffusion``.

Statement
---------
Work on the weights is :math:`\text{đ}W = \partial_\lambda L\,\mathrm d\lambda + F\circ\mathrm d\theta` with a force
*F* besides the loss, heat to the bath :math:`\text{đ}Q = (F - \nabla L)\circ\mathrm d\theta`, by Stratonovich's rule.
Along every trajectory, and on average,

.. math::

   \mathrm dL = \text{đ}W - \text{đ}Q , \qquad
   \Sigma = \Delta S + \frac{\langle Q \rangle}{T} \ge 0 , \qquad
   \langle W \rangle = \Delta F + T\,\Sigma ,

with :math:`S = -\int p \ln p` and :math:`F[p] = \langle L \rangle - TS` of the density, in equilibrium or not.

Derivation
----------
The first is the chain rule. For jumps with one-way fluxes :math:`a = k_{ij}p_i` and :math:`b = k_{ji}p_j` through a
face,

.. math::

   \dot\Sigma = \sum_{\text{faces}} (a - b)\,\ln\frac{a}{b} \ge 0 ,
   \qquad \dot S = \sum (a - b) \ln\frac{p_i}{p_j} , \qquad \frac{\dot Q}{T} = \sum (a - b) \ln\frac{k_{ij}}{k_{ji}} ,

each term of the first having the sign of both its factors. As cells become small it is
:math:`\int J^{\mathsf T} D^{-1} J/p\,\mathrm d\theta`. The third is the other two.

When it holds
-------------
One bath with :math:`D = \mu T`, and variables that are even; with inertia only friction dissipates, at the rate
:math:`\langle\dot Q\rangle = m\gamma(\langle v^2 \rangle - T/m)`. Misquoted as

* :math:`\dot s_m = \eta|\nabla L|^2/T`: noise takes heat back. The mean is
  :math:`(\mu/T)\langle|\nabla L|^2\rangle - \mu\langle\nabla^2 L\rangle`, zero in equilibrium, where the written form
  is not;
* :math:`Q = W - \Delta F`: that is :math:`T\Sigma`; heat is :math:`W - \Delta E`. With the *equilibrium* free energy
  it also holds what relaxation after the end will still dissipate;
* :math:`W = \int|\nabla L||\mathrm d\theta|`: an upper bound of :math:`|\Delta L|`;
* :math:`\dot q = \gamma\dot x^2 + 2\gamma T`: wrong in sign, factor and dimension;
* :math:`\mathrm dS \ge \mathrm dQ/T` with :math:`T = (\eta/2)\,\text{tr}\,C`: too large by the number of weights, so
  that slow compression violates it;
* :math:`j = -D\nabla p - vp`: the drift carries probability along, :math:`j = vp - D\nabla p`; and with
  :math:`D(\theta)` it is :math:`\partial_i\partial_j(D_{ij}p)`, not :math:`D\nabla^2 p`, which makes mass.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import dissipation, relaxing_trap, stiffening_trap
from fpsolver.thermodynamics import energy_balance, entropy_production

landscape = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})
grid = fp.Grid(x=(-6, 6, 120))

# %%
# A trap that stiffens from 1 to 2 in equilibrium at the start: work, heat and dissipation, added up over time.

durations = np.geomspace(0.1, 10, 6)
balances = []
for duration in durations:
    ramp = fp.Protocol.ramp(1.0, 2.0, duration=float(duration))
    W = fp.generator(fp.Langevin(landscape, temperature=1.0, protocol={"k": ramp}), grid)
    start = fp.boltzmann(landscape, grid, 1.0)
    balances.append(energy_balance(W, start, duration, panels=2, tolerance=1e-9))

# %%
# Relaxation from N(2, 0.1) in a trap of unit stiffness at T = ½: entropy flow and production, from fluxes.

fixed = fp.generator(fp.Langevin(fp.Landscape("x**2/2"), temperature=0.5), fp.Grid(x=(-4, 5, 500)))
times = np.linspace(0.0, 3.0, 13)
first = fp.gaussian(fixed.grid, [2.0], [[0.1]])
rates = [entropy_production(fixed, p) for p in [first, *fp.evolve(fixed, first, times=times[1:]).densities]]

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
fine = np.geomspace(0.08, 12, 50)
keys = {"temperature": 1.0}
left.semilogx(fine, [float(stiffening_trap.mean_work(1.0, 2.0, duration=t, **keys)) for t in fine], label="W")
left.plot(durations, [one.work for one in balances], "o", color="k", ms=4, label="fluxes (grid)")
left.plot(durations, [one.heat for one in balances], "s-", color="C1", ms=4, label="Q")
left.plot(
    durations, [one.entropy_production for one in balances], "^-", color="C2", ms=4, label=r"$T\Sigma = W - \Delta F$"
)
left.set(xlabel=r"duration $\mu t_f$", ylabel="energy / T", ylim=(0, 0.55))
left.set_title("a trap that stiffens, 1 to 2")
left.legend()
line = np.linspace(0, 3, 80)
flow, written = [], []
for time in line:
    mean, variance = 2.0 * np.exp(-time), 0.5 - 0.4 * np.exp(-2 * time)
    flow.append(float(dissipation.entropy_flow_rate(mean**2 + variance, 1.0, temperature=0.5)))
    written.append(float(dissipation.entropy_flow_rate_as_written(mean**2 + variance, 1.0, temperature=0.5)))
right.plot(line, flow, label="entropy flow to the bath")
right.plot(line, written, "--", color="C1", label=r"as written, $\mu\langle|\nabla L|^2\rangle/T$")
right.plot(times, [one.medium for one in rates], "o", color="k", ms=4, label="fluxes (grid)")
right.plot(times, [one.total for one in rates], "s-", color="C2", ms=4, label=r"$\dot\Sigma$")
right.set(xlabel="time", ylabel="nats / time", ylim=(-0.5, 12))
right.set_title("relaxation from N(2, 0.1), T = ½")
right.legend()
plt.show()

# %%
# The first law to the tolerance of the solver, and the entropy that the whole relaxation produces.

print(f"largest |ΔE − W + Q|: {max(abs(one.residual) for one in balances):.1e}")
exact = float(relaxing_trap.entropy_production(2.0, 0.1, stiffness=1.0, temperature=0.5, duration=3.0))
rest = fp.boltzmann(fp.Landscape("x**2/2"), fixed.grid, 0.5)
last = fp.evolve(fixed, first, times=[3.0]).final
produced = fp.kl_divergence(first, rest, fixed.grid) - fp.kl_divergence(last, rest, fixed.grid)
print(f"Σ until t = 3 by divergences on the grid {produced:.5f}, closed form {exact:.5f}")
