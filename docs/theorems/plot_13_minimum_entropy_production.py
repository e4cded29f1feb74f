r"""
Minimum entropy production
==========================

Where the entropy production is least, and where the process goes instead: ``fpsolver.markov_network``,
``least_entropy_production`` and ``cycle_decomposition``. Closed forms: ``fpsolver.theory.two_reservoirs``.

Statement
---------
At fixed rates, with one-way flows :math:`a_\ell = f_\ell\, p_i` and :math:`b_\ell = g_\ell\, p_j` along links,
several of which may join the same states,

.. math:: \dot\Sigma(p) = \sum_\ell (a_\ell - b_\ell)\, \ln\frac{a_\ell}{b_\ell}

is convex in *p*. A force :math:`\epsilon` takes its minimum off the steady state by :math:`O(\epsilon^2)`, and in the
steady state :math:`\dot\Sigma = O(\epsilon^2)` exceeds the least by :math:`O(\epsilon^4)` only: *near* equilibrium
the steady state is that of least entropy production (M. J. Klein, P. H. E. Meijer, Phys. Rev. 96, 250, 1954). At any
distance from it

.. math:: \dot\Sigma = \sum_{\text{cycles}} J_c A_c

with the current and the affinity of fundamental cycles (J. Schnakenberg, Rev. Mod. Phys. 48, 571, 1976).

Derivation
----------
:math:`\partial\dot\Sigma/\partial p_i = \sum_\ell [f_\ell \ln(a_\ell/b_\ell) + J_\ell/p_i]` over the links that leave
*i* (those that enter have their sign turned). To first order in forces :math:`\ln(a/b) = J/a_{\text{eq}}`, both terms
are equal, and the sum is :math:`-2\,\dot p_i/p_i^{\text{eq}}`: zero where the state is steady. The next order spoils
it.

When it holds
-------------
*"dS/dt is minimal in the steady state"* is false: there :math:`\mathrm dS/\mathrm dt = 0`, which it crosses, and
takes either sign nearby. What is nearly minimal is the *total* production, near equilibrium, for even variables. Far
from it the two states differ; with inertia they differ for any force: :math:`\dot\Sigma = \gamma m u^2/T` at a mean
velocity *u* is least without drift, not at the drift of the steady state (R. Landauer, Phys. Rev. A 12, 636, 1975).
"""

import matplotlib.pyplot as plt
import numpy as np

from fpsolver import markov_network
from fpsolver.theory import two_reservoirs
from fpsolver.thermodynamics import cycle_decomposition, least_entropy_production

# %%
# Two states that two reservoirs connect.

rates = [(1.0, 2.0), (3.0, 0.5)]
network = markov_network([[[0.0, a], [b, 0.0]] for a, b in rates])
found = least_entropy_production(network)
p = np.linspace(0.5, 0.8, 91)
states = np.stack([p, 1 - p], axis=1)
produced = [float(two_reservoirs.entropy_production(value, rates)) for value in p]
own = [network.entropy_production(q) - network.entropy_flow(q) for q in states]

# %%
# Six states, two reservoirs, at less and less force.

forces = np.geomspace(0.01, 2.0, 9)
random = np.random.default_rng(3)
energies, barriers = random.normal(size=6), random.normal(size=(6, 6))
pushes = random.normal(size=(2, 6, 6))
barriers, pushes = barriers + barriers.T, pushes - pushes.transpose(0, 2, 1)
driven = [least_entropy_production(np.exp(energies - barriers + force * pushes)) for force in forces]
gaps = np.array([0.5 * np.abs(one.p - one.stationary).sum() for one in driven])
excess = np.array([one.stationary_entropy_production / one.entropy_production - 1 for one in driven])

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
left.plot(p, produced, label=r"$\dot\Sigma(p)$")
left.plot(p, own, "--", color="C1", label="dS/dt")
left.axhline(0, color="0.7", lw=0.8)
left.plot(found.p[0], found.entropy_production, "v", color="k", ms=6, label="least production")
left.plot(found.stationary[0], found.stationary_entropy_production, "o", color="k", ms=5, label="steady state")
left.plot(found.stationary[0], 0, "o", color="k", ms=5)
left.set(xlabel="p of the first state", ylabel="nats / time", ylim=(-0.5, 3.3))
left.set_title("two states, two reservoirs")
left.legend(loc="center left")
right.loglog(forces, gaps, "o", color="k", ms=4, label="distance of the states")
right.loglog(forces, excess, "s", mfc="w", color="k", ms=4, label=r"excess of $\dot\Sigma$, relative")
right.loglog(forces, gaps[0] * (forces / forces[0]) ** 2, label=r"$\propto \epsilon^2$")
right.loglog(forces, excess[0] * (forces / forces[0]) ** 2, color="C0")
right.set(xlabel=r"force $\epsilon$", ylabel="steady state beside the minimum")
right.set_title("six states, two reservoirs")
right.legend()
plt.show()

# %%
# The steady state does not produce the least; its cycles add up to what it does produce.

print(f"steady state {found.stationary_entropy_production:.6f}, least {found.entropy_production:.6f}")
print(
    f"least by the closed form at p = {float(two_reservoirs.least_production(rates)):.6f}, by Newton {found.p[0]:.6f}"
)
print(f"Σ J A over cycles: {cycle_decomposition(network).entropy_production:.6f}")
