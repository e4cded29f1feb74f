r"""
Updates in few bits
===================

Weights of a network are numbers of few bits, multiples of a quantum q. A step of gradient descent is then rounded: to
the nearest representable value, where updates of less than q/2 are lost, or at random, up with the probability of the
fraction that is left over, which keeps the mean. ``fp.learning.QuantisedSGD`` is the Markov chain on the
representable values, with the exact probabilities of its steps; all solvers take its generator.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import quantised_updates

rate = 0.1


def quantised(quantum, rounding, variance, minimum=0.0):
    landscape = fp.Landscape(f"(x - {minimum})**2/2")
    return fp.learning.QuantisedSGD(landscape, rate, variance, quantum, -4.0, 4.0, rounding)


# %%
# Stalling
# --------
# Without noise, descent that rounds to nearest stops where η|L'| < q/2: on a parabola of curvature h at the distance
# q/2ηh, five quanta here. Stochastic rounding goes on. Lines are means of the chain's density, points single runs and
# means over 4000 runs with their standard errors.

steps = np.arange(0, 81, 2)
figure, axis = plt.subplots(figsize=(6.4, 3.8))
for k, (rounding, quantum) in enumerate((("nearest", 0.125), ("nearest", 0.0625), ("stochastic", 0.125))):
    sgd = quantised(quantum, rounding, 0.0)
    W, values = sgd.generator(), sgd.lattice
    start = fp.Field(W.grid, (np.abs(values - 1.5) < 1e-9) / quantum)
    densities = fp.evolve(W, start, times=steps).densities
    axis.plot(steps, quantum * densities @ values, color=f"C{k}", lw=1.2, label=f"{rounding}, $q = 1/{1 / quantum:g}$")
    for step in steps[::5]:
        runs = sgd.run(np.full(4000 if rounding == "stochastic" else 1, 1.5), int(step), seed=1)
        axis.errorbar(step, runs.mean(), runs.std() / np.sqrt(len(runs)), fmt="o", ms=4, color=f"C{k}", mfc="none")
    if rounding == "nearest":
        radius = quantised_updates.stall_radius(1.0, learning_rate=rate, quantum=quantum)
        axis.axhline(float(radius), color=f"C{k}", lw=0.8, ls=":")
axis.plot(steps, 1.5 * (1 - rate) ** steps, "k--", lw=1, label="no rounding")
axis.set(xlabel="step", ylabel=r"$\langle x \rangle$", title="descent without noise, η = 0.1", ylim=(-0.05, 1.6))
axis.legend()
plt.show()

# %%
# Noise dissolves the plateaus, since it carries weights past the next threshold, here with the standard deviation
# :math:`s = \eta\sqrt C = 0.04` in a step. Stochastic rounding adds the more noise of its own. Bars are two standard
# errors of 10000 runs.

figure, axis = plt.subplots(figsize=(6.4, 3.8))
for k, (rounding, marker) in enumerate((("nearest", "o"), ("stochastic", "s"))):
    sgd = quantised(0.125, rounding, 0.16)
    p = np.asarray(fp.stationary(sgd.generator()))
    runs = sgd.run(np.zeros(10_000), 1000, seed=2)
    share = np.array([np.count_nonzero(np.abs(runs - value) < 1e-9) for value in sgd.lattice]) / len(runs)
    error = np.sqrt(share * (1 - share) / len(runs))
    axis.plot(sgd.lattice, 0.125 * p, "-", color=f"C{2 * k}", lw=1, label=rounding)
    axis.errorbar(sgd.lattice, share, 2 * error, fmt=marker, ms=4, mfc="none", color=f"C{2 * k}", capsize=2)
x, variance = np.linspace(-0.7, 0.7, 141), rate * 0.16 / (2 - rate)
axis.plot(x, 0.125 * np.exp(-0.5 * x**2 / variance) / np.sqrt(2 * np.pi * variance), "k--", lw=1, label="no rounding")
axis.set(xlabel="$x$", ylabel="probability", xlim=(-0.7, 0.7), title="stationary state with noise, $q = 1/8$")
axis.legend()
plt.show()

# %%
# What precision costs
# --------------------
# The mean stationary loss against the quantum, with C = 1 and four places of the minimum between two representable
# values: means, and bars from the least to the largest. Where :math:`q < 2s` the noise of a step smooths the
# staircase of rounding, and the closed forms hold, :math:`(\eta^2 C + q^2/6)/[2\eta(2 - \eta h)]` at random and
# :math:`q^2/12` in place of :math:`q^2/6` to nearest. Coarser, both are lower than that; but rounding to nearest is
# slow then, and in the end stalls: its relaxation rate falls from ηh to nothing, while stochastic rounding keeps it.

quanta = 2.0 ** -np.arange(0, 7)
fine = np.geomspace(quanta[-1], 1.0, 60)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
for rounding, marker, colour in (("nearest", "o", "C0"), ("stochastic", "s", "C2")):
    settings = {"learning_rate": rate, "noise_variance": 1.0, "rounding": rounding}
    theory = [0.5 * float(quantised_updates.stationary_variance(1.0, quantum=q, **settings)) for q in fine]
    left.loglog(fine, theory, color=colour, lw=1, label=f"{rounding}, closed form")
    chains = [[quantised(q, rounding, 1.0, q * place / 4).generator() for place in range(4)] for q in quanta]
    losses = np.array([[fp.learning.stationary_loss(W) for W in line] for line in chains])
    mean = losses.mean(axis=1)
    bars = [mean - losses.min(axis=1), losses.max(axis=1) - mean]
    left.errorbar(quanta, mean, bars, fmt=marker, color=colour, ms=5, mfc="none", capsize=2, label=f"{rounding}, chain")
    rates = [fp.spectrum(line[1], k=2).rates[1].real for line in chains]
    right.loglog(quanta, rates, marker, color=colour, ms=5, mfc="none", label=rounding)
exact = rate / (2 * (2 - rate))
left.axhline(exact, ls="--", lw=1, color="k", label="no rounding")
right.axhline(rate, ls="--", lw=1, color="k", label=r"$\eta h$")
for axis in (left, right):
    axis.axvline(2 * rate, color="0.8", lw=0.8, zorder=0)
    axis.annotate("$q = 2s$", (2 * rate, 0.03), xycoords=("data", "axes fraction"), xytext=(3, 0),
                  textcoords="offset points", color="0.4", fontsize=8)  # fmt: skip
left.set(xlabel="quantum $q$", ylabel=r"stationary $\langle L \rangle$")
left.legend(loc="upper left")
right.set(xlabel="quantum $q$", ylabel="relaxation rate per step")
right.legend(loc="lower left")
plt.show()
