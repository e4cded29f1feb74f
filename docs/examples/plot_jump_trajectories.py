r"""
Jumps, one by one
=================

``fp.simulate`` follows jump processes exactly: networks by Gillespie's direct method, jumps on a landscape by
thinning, where attempts come at least as often as jumps and the surplus is rejected. There is no time step, and what
remains against the master equation is statistics.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import jump_transitions

# %%
# Ehrenfest's urn
# ---------------
# N balls in two urns; at the rate 1 one of them, drawn at random, changes sides. The number in the first relaxes as
# :math:`\langle n \rangle = \frac N2 (1 + e^{-2t/N})` from n = N, and its distribution is a sum of two binomial ones
# at any time.

balls = 30
n = np.arange(balls)
network = fp.MarkovNetwork(balls + 1, n, n + 1, (balls - n) / balls, (n + 1) / balls)  # links n, n + 1, there and back
run = fp.simulate(
    network, 20_000, balls, t_final=60.0, times=24, seed=1,
    observe=[fp.Moments("state"), fp.Histogram("state", (-0.5, balls + 0.5, balls + 1)), fp.Trajectories(range(4))],
)  # fmt: skip
moments, histogram = run.observables["moments_state"], run.observables["histogram_state"]
paths = run.observables["trajectories"].values[..., 0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
t = np.linspace(0, 60, 200)
left.plot(run.times, paths, color="0.75", lw=0.8)
left.plot(t, 0.5 * balls * (1 + np.exp(-2 * t / balls)), color="C0", label=r"$\frac{N}{2}(1 + e^{-2t/N})$")
left.errorbar(run.times, moments.mean[:, 0], 2 * moments.standard_error[:, 0], fmt="o", ms=3, color="k",
              label="20000 trajectories")  # fmt: skip
left.set(xlabel="$t$", ylabel="balls in the first urn", title=f"$N = {balls}$")
left.legend()
for k, j in enumerate((1, 5, 23)):
    expected = jump_transitions.urn_transitions(balls, duration=run.times[j])[:, -1]
    right.plot(expected, color=f"C{k}", lw=1, label=f"$t = {run.times[j]:g}$")
    right.errorbar(np.arange(balls + 1), histogram.density[j], 2 * histogram.standard_error[j], fmt="o", ms=3,
                   color=f"C{k}", capsize=2)  # fmt: skip
right.set(xlabel="balls in the first urn", ylabel="probability", title="lines: closed form; points: trajectories")
right.legend()
plt.show()

# %%
# On a landscape
# --------------
# Jumps of Laplace's distribution in the double well with the half law, from the left well. The histograms are set
# against the density from the grid; standardised residuals of a fair sample are normal, and χ² adds them up.

landscape = fp.Landscape("x**4/4 - x**2/2")
process = fp.JumpProcess(landscape, temperature=0.15, proposal=fp.LaplaceProposal(0.2))
grid = fp.Grid(x=(-2.2, 2.2, 220))
times, n = [5.0, 25.0, 100.0], 40_000
sol = fp.evolve(fp.generator(process, grid), fp.gaussian(grid, [-1.0], [[0.01]]), times=[0.0, *times])
bins = fp.Grid(x=(-2.2, 2.2, 44))
run = fp.simulate(
    process, n, fp.Gaussian([-1.0], 0.01), t_final=100.0, times=times, seed=4, observe=[fp.Histogram.on(bins)]
)
histogram = run.observables["histogram_x"]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
x, centres = grid.axes[0].centres, bins.axes[0].centres
for k, time in enumerate(times):
    left.plot(x, sol.densities[k + 1], color=f"C{k}", label=f"$t = {time:g}$")
    left.errorbar(centres, histogram.density[k], 2 * histogram.standard_error[k], fmt="o", ms=3, color=f"C{k}")
    probability = (sol.densities[k + 1] * grid.volumes).reshape(44, 5).sum(axis=1)
    expected = n * probability
    kept = expected > 10
    residual = (histogram.counts[k] - expected)[kept] / np.sqrt(expected * (1 - probability))[kept]
    test = histogram.chi_squared(probability, k)
    right.plot(centres[kept], residual, "o", ms=3, color=f"C{k}", label=rf"$t = {time:g}$: $p = {test.p_value:.2f}$")
left.set(xlabel="$x$", ylabel="density", title="lines: master equation; points: 40000 trajectories")
left.legend()
for level in (-2, 0, 2):
    right.axhline(level, color="0.7", lw=0.8, ls="-" if level == 0 else ":", zorder=0)
right.set(xlabel="$x$", ylabel="residual [standard errors]", ylim=(-5, 5), title=r"residuals, and $p$ of $\chi^2$")
right.legend(ncols=3, loc="upper center", fontsize=8)
plt.show()
print(f"attempts per jump: {run.stats['attempts_per_jump']:.3f}")

# %%
# Entropy
# -------
# Every jump i → j gives the entropy ln(w_ij/w_ji) to the bath, which trajectories add up. On a ring of three states
# that is driven around, the total entropy production σ obeys :math:`\langle e^{-\sigma}\rangle = 1` from any initial
# state (left), and in the steady state :math:`P(\sigma)/P(-\sigma) = e^{\sigma}` (right), where σ has discrete
# values.

forward, backward = np.array([1.6, 2.4, 1.2]), np.array([0.5, 0.8, 0.9])
ring = fp.MarkovNetwork(3, [0, 1, 2], [1, 2, 0], forward, backward)
W = fp.generator(ring)
first, times = fp.Field(W.grid, np.array([0.8, 0.1, 0.1])), np.linspace(0.1, 1.5, 15)
later = fp.evolve(W, first, times=[0.0, *times])
run = fp.simulate(
    ring, 40_000, first, t_final=1.5, times=15, seed=6, functionals="entropy_flow", density=(first, later),
    observe=[fp.Mean("entropy_production"), fp.LogSumExp("entropy_production", factor=-1.0)],
)  # fmt: skip
mean, theorem = run.observables["mean_entropy_production"], run.observables["log_sum_exp_entropy_production"]
fine = np.linspace(0.0, 1.5, 151)
rates = [fp.thermodynamics.entropy_production(W, p).total for p in fp.evolve(W, first, times=fine).densities]
total = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(fine) * (np.array(rates)[1:] + np.array(rates)[:-1]))])

steady = fp.stationary(W)
run = fp.simulate(ring, 100_000, steady, t_final=1.5, seed=7, functionals="entropy_flow", density=(steady, steady))
sigma = run.values("entropy_production")
slope = fp.thermodynamics.detailed_theorem(sigma)
values, counts = np.unique(np.round(sigma, 9), return_counts=True)
number = dict(zip(values, counts, strict=True))
pairs = np.array([(v, m, number[-v]) for v, m in number.items() if v > 0 and number.get(-v, 0) > 20])

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
left.plot(fine, total, color="C0", label="master equation")
left.errorbar(times, mean.mean[:, 0], 2 * mean.standard_error[:, 0], fmt="o", ms=3, color="C0", mfc="none",
              label=r"$\langle\sigma\rangle$, trajectories")  # fmt: skip
left.errorbar(times, np.exp(theorem.value), 2 * theorem.standard_error, fmt="s", ms=3, color="C1",
              label=r"$\langle e^{-\sigma}\rangle$")  # fmt: skip
left.axhline(1.0, color="C1", lw=0.8)
left.set(xlabel="$t$", ylabel="entropy [nats]", title="from a state that is not stationary")
left.legend()
value, ahead, back = pairs.T
right.errorbar(value, np.log(ahead / back), 2 * np.sqrt(1 / ahead + 1 / back), fmt="o", ms=4, color="k", capsize=2,
               label=f"slope {slope.slope:.3f} ± {slope.slope_error:.3f}")  # fmt: skip
right.plot([0, value.max()], [0, value.max()], color="C0", label="slope 1")
right.set(xlabel=r"$\sigma$", ylabel=r"$\ln P(\sigma)/P(-\sigma)$", title="steady state")
right.legend()
plt.show()
