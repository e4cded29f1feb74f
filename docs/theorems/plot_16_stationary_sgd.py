r"""
Stationary SGD is out of equilibrium
====================================

Gradient noise that does not commute with the Hessian keeps a current going, and no temperature describes it. Closed
forms: ``fpsolver.theory.stationary_sgd`` and ``linear_diffusion``.

Statement
---------
SGD on :math:`\theta^{\mathsf T} H\theta/2` with noise of covariance *C* is the chain
:math:`\theta' = \theta - \eta H\theta + \eta\,\xi`. With curvatures :math:`h_1, h_2` and the correlation *c* of the
noise along the eigenvectors of *H*, the stationary chain produces, per unit of learning time :math:`\eta` × steps,

.. math:: \sigma = \frac{c^2}{1 - c^2}\, \frac{(h_1 - h_2)^2}{h_1 + h_2 - \eta h_1 h_2} ,

whatever the variances of the noise. It vanishes only for :math:`c = 0` or :math:`h_1 = h_2`.

Derivation
----------
The stationary covariance *S* solves :math:`HS + SH - \eta HSH = \eta C`. Steps are Gaussian,
:math:`P(\theta \to \theta') \propto \exp(-\epsilon^{\mathsf T} C^{-1} \epsilon/2\eta^2)` with
:math:`\epsilon = \theta' - A\theta` and :math:`A = 1 - \eta H`. The mean of
:math:`\ln P(\theta \to \theta')/P(\theta' \to \theta)` is a trace of *S* and *A*, which in two dimensions is the
formula. In the limit :math:`\eta \to 0` it is the entropy production
:math:`\operatorname{tr}(H^{\mathsf T} D^{-1} H S) - \operatorname{tr} H` of linear diffusion, as of two springs that
couple baths at two temperatures, :math:`\sigma = \mu u^2 (T_1 - T_2)^2/2kT_1T_2`.

When it holds
-------------
Gaussian noise that does not depend on :math:`\theta`, at learning rates below :math:`2/h`. It is quoted without the
term :math:`\eta h_1 h_2`, which is the continuous limit. *"An effective temperature"*
:math:`\theta \sim e^{-L/T_{\text{eff}}}` asks for :math:`S \propto H^{-1}`, which such noise does not leave; and the
second law :math:`\Delta S \ge -Q/T` is blind to it: 0 ≥ 0 while :math:`\sigma > 0`.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import stationary_sgd
from fpsolver.thermodynamics import entropy_production

curvatures, correlation = (1.0, 3.0), 0.5
hessian, noise = np.diag(curvatures), np.array([[1.0, correlation], [correlation, 1.0]])
loss = fp.Landscape("x**2/2 + 3*y**2/2")

# %%
# Entropy flow along stationary chains, the sum of :math:`\ln P(\theta \to \theta')/P(\theta' \to \theta)`.

rates = np.array([0.05, 0.2, 0.35, 0.5])
found = []
for eta in map(float, rates):
    covariance = stationary_sgd.chain_covariance(hessian, noise, learning_rate=eta)
    chain = fp.Langevin(loss, diffusion=(0.5 * eta * noise).tolist())
    flow = fp.simulate(
        chain, 40_000, fp.Gaussian([0.0, 0.0], covariance), eta, 20 * eta, seed=3, functionals="entropy_flow"
    ).values("entropy_flow")
    found.append((flow.mean() / (20 * eta), flow.std() / np.sqrt(len(flow)) / (20 * eta)))

# %%
# The continuous limit on a grid, with its current.

grid = fp.Grid(x=(-3.2, 3.2, 96), y=(-1.9, 1.9, 96))
W = fp.generator(fp.Langevin(loss, diffusion=(0.25 * noise).tolist()), grid)
steady = fp.stationary(W)
limit = entropy_production(W, steady)

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
fine = np.linspace(0.005, 0.6, 60)
left.plot(fine, [float(stationary_sgd.entropy_production(curvatures, correlation, learning_rate=eta)) for eta in fine],
          label="chain, closed form")  # fmt: skip
left.axhline(float(stationary_sgd.entropy_production_of_limit(curvatures, correlation, learning_rate=0.1)), color="C1",
             ls="--", label=r"limit $\eta \to 0$")  # fmt: skip
left.errorbar(rates, *np.transpose(found), fmt="o", color="k", ms=4, label="chains")
left.plot(0, limit.total, "s", mfc="w", color="k", ms=6, label="fluxes (grid)")
left.set(xlabel=r"learning rate $\eta$", ylabel=r"$\sigma$ [nats per learning time]", ylim=(0, 0.7))
left.legend(loc="lower right")
x, y = (axis.centres for axis in grid.axes)
density = np.asarray(steady)
right.contour(x, y, density.T, levels=density.max() * np.exp(-np.array([2.0, 1.0, 0.25])), colors="0.6", linewidths=0.8)
right.contour(x, y, (x[:, None] ** 2 / 2 + 1.5 * y**2).T, levels=[0.15, 0.6, 1.2], colors="C1", linewidths=0.8,
              linestyles="--")  # fmt: skip
covariance = stationary_sgd.chain_covariance(hessian, noise, learning_rate=1e-6) / 1e-6 * 0.5
drift, precision = -hessian, np.linalg.inv(covariance)
points = np.stack(np.meshgrid(np.linspace(-1.6, 1.6, 13), np.linspace(-1, 1, 13), indexing="ij"))
mean_velocity = np.einsum("ij,jkl->ikl", drift + 0.25 * noise @ precision, points)
weight = np.exp(-0.5 * np.einsum("ikl,ij,jkl->kl", points, precision, points))
right.quiver(*points, *(mean_velocity * weight), color="C0", width=0.004, scale=2.5)
right.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", xlim=(-1.8, 1.8), ylim=(-1.1, 1.1))
right.set_title("density (grey), loss (dashed), current")
plt.show()

# %%
# Per unit of learning time, the limit and two learning rates.

print(f"grid {limit.total:.5f}, limit 1/3")
for eta, (value, error) in zip(rates[[1, 3]], np.array(found)[[1, 3]], strict=True):
    form = float(stationary_sgd.entropy_production(curvatures, correlation, learning_rate=eta))
    print(f"η = {eta:g}: chains {value:.4f} ± {error:.4f}, closed form {form:.4f}")
