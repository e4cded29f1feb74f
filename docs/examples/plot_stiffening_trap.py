r"""
A trap that stiffens
====================

A particle in :math:`L = a x^2/2` while the stiffness rises linearly, :math:`a = 1 \to 5` in two units of time, and then
rests. The density stays Gaussian, with

.. math:: \dot m = -a(t)\, m, \qquad \dot s = 2T - 2 a(t)\, s

for mean and variance; a fast ramp leaves the variance behind the quasi-static value T/a.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

import fpsolver as fp

T, m0, s0 = 0.5, 1.0, 0.5
stiffness = fp.Protocol.ramp(1.0, 5.0, duration=2.0)
landscape = fp.Landscape("a*x**2/2", variables=("x",), parameters={"a": 1.0})
dynamics = fp.Langevin(landscape, temperature=T, protocol={"a": stiffness})
grid = fp.Grid(x=(-5.0, 5.0, 400))
x = grid.axes[0].centres

# %%
# A driven generator has no matrix of its own, only one at each time; `evolve` controls the error of the time steps and
# never steps across the end of the ramp.

times = np.linspace(0.0, 3.0, 31)
sol = fp.evolve(fp.generator(dynamics, grid), fp.gaussian(grid, [m0], [[s0]]), times=times)
found = [fp.moments(p, grid) for p in sol.densities]
mean = np.array([entry.mean[0] for entry in found])
variance = np.array([entry.covariance[0, 0] for entry in found])
print(sol)

# %%
# The two equations of motion, to ten digits.


def motion(t, state):
    m, s = state
    return [-stiffness(t) * m, 2 * T - 2 * stiffness(t) * s]


exact = solve_ivp(motion, (0, 3), [m0, s0], t_eval=times, rtol=1e-10, atol=1e-12, max_step=0.05).y

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
shown = (0, 5, 10, 20)
for k, colour in zip(shown, plt.cm.viridis(np.linspace(0, 0.85, len(shown))), strict=True):
    m, s = exact[:, k]
    gaussian = np.exp(-((x - m) ** 2) / (2 * s)) / np.sqrt(2 * np.pi * s)
    axes[0].plot(x, gaussian, color=colour, label=f"$t = {times[k]:g}$")
    axes[0].plot(x[::8], sol.densities[k, ::8], "o", color=colour, ms=3.5)
axes[0].set(xlim=(-2.5, 3.2), xlabel="$x$ [length]", ylabel="density [1/length]", title="Lines: Gaussian; points: grid")
axes[0].legend()

axes[1].plot(times, exact[1], color="C0", label="variance, exact")
axes[1].plot(times, variance, "o", color="k", ms=4, label="variance, grid")
axes[1].plot(times, T / stiffness(times), "--", color="C1", label="quasi-static, $T/a$")
axes[1].axvline(2.0, color="0.8", lw=0.8, zorder=0)
axes[1].set(xlabel="time $t$ [time]", ylabel="variance [length²]", title="The variance lags")
axes[1].legend()

axes[2].semilogy(times[1:], np.abs(variance - exact[1])[1:], "o-", color="k", ms=3, label="variance")
axes[2].semilogy(times[1:], np.abs(mean - exact[0])[1:], "s-", color="C2", ms=3, mfc="none", label="mean")
axes[2].set(xlabel="time $t$ [time]", ylabel="error [length², length]", title="Grid of 400 cells")
axes[2].legend()
plt.show()
