r"""
Gradient descent as a chain
===========================

Stochastic gradient descent, :math:`\theta' = \theta - \eta\,(\nabla L + \xi)` with noise ξ of covariance C, moves in
steps. Its continuous limit is the Langevin equation at the temperature :math:`T = \eta C/2`, where a step takes the
time η. Here T is held fixed, so that the limit stays the same while the learning rate grows. ``fp.generator`` makes
the Markov operator of a step on a grid, and ``fp.simulate`` follows trajectories of the same chain.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

T = 0.1
landscape = fp.Landscape("x**4/4 - x**2/2")
grid = fp.Grid(x=(-2.5, 2.5, 250))
x = grid.axes[0].centres


def chain(eta):
    return fp.SGD(landscape, learning_rate=eta, noise=fp.GaussianNoise(2 * T / eta))


# %%
# A density spreads over both wells, with eight of the trajectories that it describes; beside it the stationary
# densities, from the grid (lines) and from 20000 trajectories (points with standard errors).

steps = np.arange(0, 401, 4)
start = fp.gaussian(grid, [-1.0], [[0.01]])
spreading = fp.evolve(fp.generator(chain(0.2), grid), start, times=steps)
run = fp.simulate(
    chain(0.2), n=8, initial=fp.Gaussian([-1.0], 0.01), t_final=400, times=100, seed=2,
    observe=[fp.Trajectories(range(8))],
)  # fmt: skip
paths = run.observables["trajectories"].values[..., 0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
mesh = left.pcolormesh(steps, x, spreading.densities.T, vmax=1.0, cmap="Greys", shading="nearest", rasterized=True)
figure.colorbar(mesh, ax=left, label="density", extend="max")
for k, path in enumerate(paths.T):
    left.plot(steps[1:], path, lw=0.7, color=f"C{k % 6}")
left.set(xlabel="step", ylabel="$x$", title=r"from the left well, $\eta = 0.2$", ylim=(-1.9, 1.9))

bins = fp.Histogram.on(fp.Grid(x=(-2.5, 2.5, 50)))
centres = np.linspace(-2.45, 2.45, 50)
for k, eta in enumerate((0.1, 0.25, 0.4)):
    right.plot(x, fp.stationary(fp.generator(chain(eta), grid)), color=f"C{k}", label=rf"$\eta = {eta:g}$")
    run = fp.simulate(
        chain(eta), n=20_000, initial=fp.Field(grid, np.asarray(fp.boltzmann(landscape, grid, T))),
        t_final=round(50 / eta), seed=3, observe=[bins],
    )  # fmt: skip
    histogram = run.observables["histogram_x"]
    right.errorbar(centres, histogram.density[-1], histogram.standard_error[-1], fmt="o", ms=3, color=f"C{k}")
right.plot(x, fp.boltzmann(landscape, grid, T), "k--", lw=1, label=r"$e^{-L/T}$, $\eta \to 0$")
right.set(xlabel="$x$", ylabel="stationary density", xlim=(-1.9, 1.9))
right.set_title("lines: grid; points: trajectories")
right.legend()
plt.show()

# %%
# Larger steps make the wells wider. On a parabola of curvature h the variance of the chain is
# :math:`(T/h)/(1 - \eta h/2)` and grows without bound as ηh → 2; the second-order modified equation, which is made to
# mend the drift, moves the other way.

parabola, small = fp.Landscape("x**2/2"), fp.Grid(x=(-2.4, 2.4, 240))
temperature, rates = 0.02, np.linspace(0.1, 1.7, 9)
variances, counted = [], []
for eta in rates:
    sgd = fp.SGD(parabola, learning_rate=eta, noise=fp.GaussianNoise(2 * temperature / eta))
    variances.append(fp.moments(fp.stationary(fp.generator(sgd, small))).covariance[0, 0] / temperature)
curve = np.linspace(0.01, 1.75, 100)
modified = fp.theory.modified_equation
forms = [(modified.exact_variance, "C0", "-", "chain, exact"), (modified.first_order_variance, "0.4", "--", "limit"),
         (modified.second_order_variance, "C1", "-.", "second-order equation")]  # fmt: skip

# %%
# Steps until the chain is beyond the barrier. It has to be there at the *end* of a step, which takes as long as the
# continuous motion needs to a target further on by :math:`0.5826\sqrt{2\eta T}`, up to a relative error of order η,
# which here has the opposite sign: wells that are wider are left sooner.

escape = fp.theory.discrete_chain
limit = float(escape.mean_time_of_limit(landscape, -1.0, 0.0, temperature=T, learning_rate=0.1))
etas, passing = np.geomspace(0.01, 0.3, 8), []
for eta in etas:
    tau = fp.mean_first_passage_time(fp.generator(chain(eta), grid), target=fp.where(x=(0.0, None)))
    passing.append(eta * tau.at([[-1.0]])[0] / limit)
for eta in (0.02, 0.06, 0.2):
    passage = fp.first_passage_times(chain(eta), 4000, [-1.0], fp.where(x=(0.0, None)), t_max=round(1000 / eta), seed=5)
    mean = passage.mean
    counted.append((eta, eta * mean.value / limit, eta * mean.standard_error / limit))
shifted = [
    float(escape.mean_time_of_chain(landscape, -1.0, 0.0, temperature=T, learning_rate=eta)) / limit for eta in etas
]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
for form, colour, style, label in forms:
    values = [float(form(2 * temperature / eta, curvature=1.0, learning_rate=eta)) / temperature for eta in curve]
    left.plot(curve, values, style, color=colour, label=label)
left.plot(rates, variances, "o", color="k", ms=4, label="grid")
left.set(xlabel=r"$\eta h$", ylabel=r"variance $\cdot\, h/T$", ylim=(0, 8), title="stationary variance on a parabola")
left.legend(loc="upper left")
right.semilogx(etas, shifted, color="C0", label="limit, target shifted")
right.axhline(1.0, ls="--", color="0.4", label="limit, target as it is")
right.semilogx(etas, passing, "o", color="k", ms=4, label="grid")
eta, ratio, error = np.array(counted).T
right.errorbar(eta, ratio, 2 * error, fmt="s", color="C2", ms=4, mfc="none", capsize=2,
               label="4000 trajectories, ± 2 standard errors")  # fmt: skip
right.set(xlabel=r"learning rate $\eta$", ylabel=r"$\eta \cdot$ mean steps / mean time of limit", ylim=(0.95, 1.55))
right.set_title("from −1 to beyond the top of the barrier")
right.legend(loc="upper left")
plt.show()

# %%
# The grid has the chain itself, for any η; the formulas are for small ones.

for k in (0, 3, -1):
    print(f"η = {etas[k]:.3f}: grid {passing[k]:.4f}, shifted target {shifted[k]:.4f}, limit 1")
