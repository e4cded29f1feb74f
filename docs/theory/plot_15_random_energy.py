r"""
The random energy model
=======================

``fpsolver.theory.random_energy``: independent energies on the :math:`2^N` corners of a cube, and how many of them are
minima. The simplest landscape of many dimensions in which the entropy of states and that of minima can be told apart.

Formulas
--------
Energies are normal with variance *N*, *p* and *F* their density and distribution function. A corner is a minimum if
it is below its *N* neighbours. Per unit of energy there are on average

.. math::

   2^N p(E) \text{ states}, \qquad 2^N p(E)\,[1 - F(E)]^N \text{ minima}, \qquad
   \frac{2^N}{N + 1} \text{ minima in all}.

With :math:`e = E/N` the logarithms of both, over *N*, tend to :math:`\ln 2 - e^2/2` for :math:`e \le 0`. This
vanishes at the ground state, :math:`e_0 = -\sqrt{2\ln 2}`, whose inverse temperature is
:math:`\beta_c = \sqrt{2\ln2}`. Above :math:`e = 0` only the states are left.

Sketch of the derivation
------------------------
Given its energy *E*, a corner is a minimum if each of its *N* independent neighbours is above *E*: the probability is
:math:`[1 - F(E)]^N`. Integrated over *p*, with :math:`u = F(E)`, this is
:math:`\int_0^1 (1 - u)^N \mathrm du = 1/(N + 1)`: one in *N* + 1 corners is the lowest of itself and its neighbours,
whatever the law of the energies. For :math:`e < 0` :math:`F(eN)` falls as :math:`e^{-Ne^2/2}`, so that
:math:`(1 - F)^N \to 1`: nearly all low states are minima. For :math:`e > 0` the factor falls as a Gaussian in *N*
itself. The density of states is that of :math:`2^N` normal numbers (B. Derrida, Phys. Rev. B 24, 2613, 1981); the
lowest of them is where it comes down to one.

When it holds
-------------
The averages are exact for every *N*. The complexity :math:`\ln 2 - e^2/2` is the limit :math:`N \to \infty`; the
numbers themselves have corrections of order :math:`\ln N/N` in the exponent. *N* from 1 to 1000; anything else is a
``TheoryError``.
"""

import matplotlib.pyplot as plt
import numpy as np

from fpsolver.landscapes import cube_minima, random_energies
from fpsolver.theory import random_energy

# %%
# Left: minima of 60 cubes of 12 spins, found by comparing neighbours. Right: the exponent of the number of minima at
# three *N*, and its limit.

N, SAMPLES = 12, 60
energies = random_energies(N, seed=1, samples=SAMPLES)
lowest = cube_minima(energies)
edges = np.linspace(-16.0, 16.0, 33)
centres, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
fine = np.linspace(-16.0, 16.0, 300)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
for colour, (name, form, chosen) in enumerate(
    (
        ("states", random_energy.state_density, np.ones_like(lowest)),
        ("minima", random_energy.minimum_density, lowest),
    )
):
    counts = np.histogram(energies[chosen], edges)[0]
    seen = counts > 0
    number, error = counts[seen] / (SAMPLES * width), 2 * np.sqrt(counts[seen]) / (SAMPLES * width)
    error = [np.minimum(error, 0.9 * number), error]
    left.errorbar(centres[seen], number, error, fmt="o", color=f"C{colour}", ms=3.5, lw=0.8)
    left.semilogy(fine, [float(form(e, spins=N)) for e in fine], color=f"C{colour}", lw=1, label=name)
left.set(xlabel="energy E", ylabel="number per unit energy", ylim=(5e-3, 2e3), title=f"N = {N}")
left.legend()
per_spin = np.linspace(-1.35, 0.35, 200)
limit = [float(random_energy.complexity(e)) for e in per_spin]
right.plot(per_spin, limit, color="k", label=r"$\ln 2 - e^2/2$")
for shade, spins in zip(("0.75", "0.55", "0.35"), (10, 40, 160), strict=True):
    with np.errstate(divide="ignore"):
        logarithm = np.log([float(random_energy.minimum_density(e * spins, spins=spins)) for e in per_spin]) / spins
    right.plot(per_spin, logarithm, color=shade, lw=1, label=f"minima, N = {spins}")
ground = float(random_energy.ground_state_energy())
right.plot(ground, 0, "D", color="C2", ms=6, label="ground state")
right.axhline(0, color="0.8", lw=0.8, zorder=0)
right.set(xlabel="energy per spin e", ylabel="ln(minima per unit energy)/N", ylim=(-0.4, 0.8))
right.legend(loc="lower center", fontsize=8)
plt.show()

# %%
# Lines: formula; points: counted, with two standard errors. Below :math:`E = -10` nearly every state is a minimum; at
# positive energies hardly any is.

mean, error = lowest.sum(axis=1).mean(), lowest.sum(axis=1).std() / np.sqrt(SAMPLES)
print(
    f"minima of a cube: counted {mean:.1f} ± {error:.1f}, formula {float(random_energy.number_of_minima(spins=N)):.2f}"
)
