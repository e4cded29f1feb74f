r"""
Minibatch noise
===============

The noise of stochastic gradient descent is neither isotropic nor constant. Near a minimum, in the diffusion limit of
small learning rates η, it is

.. math:: \mathrm d\theta = -\nabla L\,\mathrm dt + \sqrt{2 D(\theta)}\,\mathrm dW, \qquad
          D(\theta) = \frac{\eta}{2B}\, C_1(\theta) ,

with :math:`C_1` the covariance of the gradients of single examples and B the batch size; time counts η for each step.
Where :math:`C_1` and the Hessian H do not commute there is no Boltzmann state: probability circulates. The loss here is
that of a straight line through made-up measurements whose scatter grows to one side.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import solve_continuous_lyapunov

import fpsolver as fp

rng = np.random.default_rng(7)
features = rng.normal(size=400)
targets = 0.8 * features + rng.normal(size=400) * 0.3 * np.exp(0.8 * features)
landscape = fp.landscapes.linear_regression(features, targets)
ratio = 0.2  # η/B

# %%
# The minimum, the Hessian and the noise there. For a linear drift and constant D the stationary state is Gaussian, with
# the covariance S that solves Lyapunov's equation :math:`HS + SH = 2D`.

H = landscape.hessian([0.0, 0.0])
minimum = -np.linalg.solve(H, landscape.gradient([0.0, 0.0]))
D = 0.5 * ratio * landscape.noise_covariance(minimum)
S = solve_continuous_lyapunov(H, 2 * D)
print("variables:", landscape.variables)
print("S =\n", S)

# %%
# The grid, and the diffusion tensor as a function of the parameters. It depends on them, so that a convention is asked
# for; the increments of stochastic gradient descent do not look ahead, which is Itô's.

spread = 6 * np.sqrt(np.diag(S))
bounds = {
    name: (centre - width, centre + width, 96)
    for name, centre, width in zip(landscape.variables, minimum, spread, strict=True)
}
grid = fp.Grid(**bounds)


def diffusion(theta):
    return 0.5 * ratio * landscape.noise_covariance(theta)


states = {}
for name, noise, convention in (("constant", D, None), ("depends on θ", diffusion, "ito")):
    W = fp.generator(fp.Langevin(landscape, diffusion=noise, convention=convention), grid)
    p = fp.stationary(W)
    states[name] = (p, fp.current(W, p).vectors)
    print(f"noise {name}: covariance {fp.moments(p).covariance.ravel()}")

# %%
# Densities, currents, and the ellipses :math:`\delta\theta^\top S^{-1}\delta\theta = 1, 4` of Lyapunov's covariance.

angle = np.linspace(0, 2 * np.pi, 200)
ellipse = np.linalg.cholesky(S) @ np.stack([np.cos(angle), np.sin(angle)])
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharex=True, sharey=True)
x, y = (axis.centres for axis in grid.axes)
for axis, (name, (p, J)) in zip(axes, states.items(), strict=True):
    mesh = axis.pcolormesh(x, y, np.asarray(p).T, cmap="viridis", shading="nearest", rasterized=True)
    speed = np.linalg.norm(J, axis=-1).T
    inside = np.asarray(p / np.max(p)).T > 2e-3
    u, v = (np.where(inside, J[..., k].T, np.nan) for k in (0, 1))
    axis.streamplot(x, y, u, v, color="white", linewidth=1.2 * speed / speed.max() + 0.3, density=0.9, arrowsize=0.7)
    for radius in (1, 2):
        label = "Lyapunov" if radius == 1 else None
        axis.plot(*(minimum[:, None] + radius * ellipse), "--", color="C1", lw=1.2, label=label)
    axis.set(xlabel="weight [1]", title=f"noise {name}")
    figure.colorbar(mesh, ax=axis, label="density [1]", shrink=0.9)
axes[0].set_ylabel("bias [1]")
view = 4.5 * np.sqrt(np.diag(S))
axes[0].set(xlim=minimum[0] + view[0] * np.array([-1, 1]), ylim=minimum[1] + view[1] * np.array([-1, 1]))
axes[0].legend(loc="upper left", labelcolor="white", frameon=False)
plt.show()

# %%
# With constant noise the covariance is Lyapunov's up to the grid. With the noise that the data give, it is larger: away
# from the minimum the residuals, and so the gradients' scatter, grow.
