r"""
Three critical learning rates
=============================

Gradient descent on a quadratic loss is stable up to η = 2/λ. With minibatches the step multiplies the deviation from
the minimum by a random factor, and there are three answers: the *mean* stays bounded up to 2/λ, the *mean square* up
to a smaller learning rate, and *almost every trajectory* up to a third one, which may lie above 2/λ. Here regression
on Gaussian inputs of variance a = 1, with batches of S examples:

.. math:: \eta_{\rm ms} = \frac{2S}{S + d + 1}, \qquad
          \eta_{\rm as}:\ \operatorname{E}\ln\frac{|\theta'|}{|\theta|} = 0 .

Curves are closed forms (``fp.theory``). Points are measured by functions that do not know them (``fp.learning``):
bisection on the spectral radius of the step, on the recursion of second moments, and on trajectories.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import almost_sure_threshold, critical_learning_rates, kesten, mean_square_threshold

sizes = np.array([1, 2, 4, 8, 16])
dense = np.arange(1, 17)

figure, axes = plt.subplots(1, 2, figsize=(9.4, 3.8), sharey=True)
for axis, d in zip(axes, (1, 5), strict=True):
    inputs = fp.learning.GaussianInputs(np.ones(d))
    full = float(critical_learning_rates.learning_rate(1.0))
    axis.semilogx(dense, np.full(len(dense), full), color="0.4", label=r"mean: $2/\lambda$")
    axis.plot(sizes, [fp.learning.critical_learning_rate(np.ones(d)).value] * len(sizes), "o", color="0.4", ms=4)
    square = [float(mean_square_threshold.gaussian_inputs(np.ones(d), batch_size=int(S))) for S in dense]
    axis.plot(dense, square, color="C0", label="mean square")
    found = [fp.learning.mean_square_learning_rate(inputs, batch_size=int(S)).value for S in sizes]
    axis.plot(sizes, found, "o", color="C0", ms=4)
    sure = [float(almost_sure_threshold.learning_rate(batch_size=int(S), dimension=d)) for S in dense]
    axis.plot(dense, sure, color="C1", label="almost sure")
    measured = [
        fp.learning.almost_sure_learning_rate(inputs, batch_size=int(S), chains=200, steps=200, seed=1)
        for S in sizes[:4]
    ]
    axis.errorbar(sizes[:4], [m.value for m in measured], [2 * m.error for m in measured], fmt="o", color="C1", ms=4,
                  capsize=2)  # fmt: skip
    axis.set(xlabel="batch size $S$", title=f"$d = {d}$", xticks=sizes, ylim=(0, 2.9))
    axis.set_xticklabels([str(S) for S in sizes])
    axis.minorticks_off()
axes[0].set_ylabel(r"critical learning rate $\eta_c$ ($\lambda = 1$)")
axes[1].legend(loc="lower right")
plt.show()

# %%
# Bars are two standard errors. In one dimension almost every trajectory converges beyond 2/λ, since a rare small factor
# undoes many large ones; in five, with S = 1, hardly beyond η = 0.35.
#
# Between the thresholds
# ----------------------
# With noisy labels the stationary weights have power-law tails, :math:`P(|w| > t) \sim t^{-\kappa}`, where
# :math:`\operatorname{E} R^\kappa = 1` for the factor R of a step. The index κ is 2 where the variance
# diverges and 0 where trajectories leave. It is measured from the growth of moments, and from the largest of many
# stationary weights (Hill).

inputs = fp.learning.GaussianInputs(1.0, label_variance=1.0)
etas = np.linspace(0.3, 2.38, 60)
index = [float(kesten.tail_index(eta)) for eta in etas]
growth = {eta: fp.learning.tail_index(inputs, eta, 1, clones=6000, steps=150, seed=1) for eta in (0.5, 0.9, 1.5, 2.1)}
weights = {
    eta: fp.learning.stationary_weights(inputs, eta, 1, chains=60_000, steps=150, seed=2) for eta in (0.5, 0.9, 1.5)
}
hill = {eta: fp.learning.hill_tail_index(w) for eta, w in weights.items()}

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8))
left.semilogy(etas, index, color="k", label=r"$\mathrm{E}\,R^\kappa = 1$")
for found, marker, colour, label in ((growth, "o", "C0", "growth of moments"), (hill, "s", "C1", "Hill")):
    values, errors = [m.value for m in found.values()], [2 * m.error for m in found.values()]
    left.errorbar(list(found), values, errors, fmt=marker, color=colour, ms=4, mfc="none", capsize=2, label=label)
for eta, name in ((2 / 3, "mean square"), (float(almost_sure_threshold.learning_rate()), "almost sure")):
    left.axvline(eta, color="0.7", lw=0.8, zorder=0)
    left.annotate(name, (eta, 9), xytext=(3, 0), textcoords="offset points", rotation=90, ha="left", va="top",
                  color="0.4", fontsize=8)  # fmt: skip
left.set(xlabel=r"learning rate $\eta$", ylabel=r"Kesten index $\kappa$", ylim=(0.02, 10))
left.legend(loc="lower left")
for k, (eta, w) in enumerate(weights.items()):
    size = np.sort(np.abs(w.ravel()))[::-1]
    rank = np.unique(np.geomspace(1, len(size), 40).astype(int))
    share = rank / len(size)
    right.loglog(size[rank - 1], share, "o", ms=3, color=f"C{k}", label=rf"$\eta = {eta:g}$")
    kappa = float(kesten.tail_index(eta))
    anchor = size[int(0.01 * len(size))]
    line = np.array([anchor * 0.6, size[0]])
    right.loglog(line, 0.01 * (line / anchor) ** -kappa, color=f"C{k}", lw=1)
right.set(xlabel="$t$", ylabel="$P(|w| > t)$", xlim=(0.1, None), ylim=(5e-6, 2))
right.legend()
plt.show()

# %%
# Lines on the right have the slope −κ of theory, through the points at probability 0.01.

for eta, m in growth.items():
    print(f"η = {eta:g}: κ = {m.value:.3f} ± {m.error:.3f}, theory {float(kesten.tail_index(eta)):.4f}")
