r"""
Thermodynamic uncertainty relation
==================================

A precise current costs entropy. Closed forms: ``fpsolver.theory.uncertainty`` and ``tilted_ring``; numerics:
``fpsolver.thermodynamics.current_fluctuations``, ``sharpest_current``, ``chain_fluctuations``.

Statement
---------
For a current *J* of a Markov jump process or of overdamped diffusion in its steady state, over any time,

.. math:: \frac{\operatorname{Var} J}{\langle J \rangle^2}\; \Sigma \ge 2

with the entropy :math:`\Sigma` produced in that time (A. C. Barato, U. Seifert, Phys. Rev. Lett. 114, 158101, 2015;
T. R. Gingrich et al., Phys. Rev. Lett. 116, 120601, 2016). A walk with rates *p* up and *q* down and the affinity
:math:`A = \ln(p/q)` has :math:`A \coth(A/2)`.

Derivation
----------
In the long run a current *j* on the links costs at most
:math:`I(j) \le \sum (j - j_{\text{ss}})^2 \sigma/4 j_{\text{ss}}^2` link by link, with the entropy production
:math:`\sigma` of a link: a parabola above the rate function, which is exact for densities that stay stationary. Let
:math:`j = (1 + \epsilon) j_{\text{ss}}`; then :math:`I \le \epsilon^2 \dot\Sigma/4`, and the curvature of *I* at its
minimum, :math:`\langle J \rangle^2/(t \operatorname{Var} J)`, is no more than that of the parabola,
:math:`\dot\Sigma/2`. At finite times it follows from fluctuations of the empirical density besides (J. M. Horowitz,
T. R. Gingrich, Phys. Rev. E 96, 020103, 2017).

When it holds
-------------
*"For every current in every steady state"* is wrong. In discrete time with the entropy :math:`\sigma` a step the
bound is :math:`2\sigma/(e^\sigma - 1)` (K. Proesmans, C. Van den Broeck, EPL 119, 20001, 2017), and a nearly
deterministic walk goes to zero. With inertia there is none of this kind at finite times: a particle that a constant
force drags has :math:`2[1 - (1 - e^{-\gamma t})/\gamma t]` in its steady state (L. P. Fischer, P. Pietzonka, U.
Seifert, Phys. Rev. E 97, 022143, 2018). Currents are odd under reversal of time; counts of jumps are not.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver import markov_network
from fpsolver.theory import uncertainty
from fpsolver.thermodynamics import chain_fluctuations, current_fluctuations, sharpest_current

# %%
# A walk on a ring of three states, and the sharpest currents of random networks.

affinities = np.linspace(0.3, 6.0, 10)
turn = np.roll(np.eye(3), 1, axis=0)
walks = []
for affinity in affinities:
    network = markov_network(np.exp(affinity) * turn + turn.T)
    # Along each link from a state to the next the current counts +1.
    forward = (network.heads - network.tails) % 3 == 1
    walks.append(current_fluctuations(network, np.where(forward, 1.0, -1.0)))
random = np.random.default_rng(1)
nets = []
for _ in range(150):
    states, spread = random.integers(3, 8), 10.0 ** random.uniform(-1.5, 0.5)
    network = markov_network(np.exp(spread * random.normal(size=(states, states))))
    jumps = -float(network.matrix.diagonal() @ network.stationary())
    best = sharpest_current(network)[1]
    nets.append((best.entropy_production / jumps, best.product))

# %%
# A walk in discrete time, and particles with inertia.

chances = np.linspace(0.53, 0.97, 12)
ring = np.roll(np.eye(5), 1, axis=0)
chains = [chain_fluctuations(p * ring + (1 - p) * ring.T, ring - ring.T) for p in chances]
times = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
n, force = 40_000, 0.8
start = np.zeros((n, 2))
start[:, 1] = force + random.normal(size=n)
run = fp.simulate(
    fp.UnderdampedLangevin(fp.Landscape(f"-{force}*x"), temperature=1.0, friction=1.0), n, start, 0.05, 4.0, seed=5,
    times=times, observe=fp.Moments("x"),
)  # fmt: skip
moments = run.observables["moments_x"]
produced = force**2 * times
products = moments.variance[:, 0] * produced / moments.mean[:, 0] ** 2

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
fine = np.linspace(0.05, 6, 60)
left.plot(fine, [float(uncertainty.biased_walk(a)) for a in fine], label="A coth(A/2)")
left.plot(affinities, [one.product for one in walks], "o", color="k", ms=4, label="ring of three states")
left.axhline(2, color="C1", ls="--", label="bound")
left.set(xlabel="affinity A", ylabel="Var J Σ/⟨J⟩²", ylim=(0, None))
left.legend()
middle.loglog(*np.transpose(nets), "o", color="k", ms=3, alpha=0.6, label="random networks, best current")
steps = np.array([one.entropy_production for one in chains])
middle.plot(steps, [float(uncertainty.discrete_walk(p, 1 - p)) for p in chances], color="C0", label="walk in steps")
middle.plot(steps, [one.product for one in chains], "s", mfc="w", color="C0", ms=4, label="chain on a ring of five")
middle.plot(steps, [float(uncertainty.bound(s)) for s in steps], color="C2", ls="-.", label=r"$2\sigma/(e^\sigma - 1)$")
middle.axhline(2, color="C1", ls="--")
middle.set(xlabel="entropy per jump or step", ylabel="Var J Σ/⟨J⟩²")
middle.legend(fontsize=8)
line = np.linspace(0.02, 4.2, 60)
right.plot(line, [float(uncertainty.underdamped_drift(1.0, t)) for t in line], label="closed form")
right.plot(times, products, "o", color="k", ms=4, label="trajectories")
right.axhline(2, color="C1", ls="--")
right.set(xlabel=r"time $\gamma t$", ylabel="Var J Σ/⟨J⟩²", ylim=(0, 2.2))
right.set_title("with inertia")
right.legend()
plt.show()

# %%
# The walk at the affinity one, and the lowest product of all these networks.

solved = current_fluctuations(markov_network(np.e * turn + turn.T), np.where(forward, 1.0, -1.0))
print(f"affinity 1: {solved.product:.9f}, A coth(A/2) = {float(uncertainty.biased_walk(1.0)):.9f}")
print(f"lowest product of {len(nets)} random networks: {min(value for _, value in nets):.6f}")
