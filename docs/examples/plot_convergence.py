r"""
Orders of convergence
=====================

Errors against closed forms as the cells shrink. A claim about accuracy is the slope of a line here, not a small number
at one resolution.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

double_well = fp.Landscape("x**4/4 - x**2/2")
cells = np.array([50, 71, 100, 141, 200, 283, 400])

# %%
# Four numbers in one dimension. The reference values were computed to twelve digits by quadrature and by spectral
# methods; the exit time of Brownian motion from between absorbing walls is :math:`(1 - x^2)/2D`.


def rate(n):
    W = fp.generator(fp.Langevin(double_well, temperature=0.1), fp.Grid(x=(-2.5, 2.5, n)))
    return fp.spectrum(W, k=2).rates[1] / 0.0335452873067 - 1


def passage(n):
    W = fp.generator(fp.Langevin(double_well, temperature=0.1), fp.Grid(x=(-2.5, 2.5, n)))
    return fp.mean_first_passage_time(W, fp.where(x=(1.0, None))).at([[-1.0]])[0] / 66.2686263649 - 1


def drift(n):
    ring = fp.Grid(x=fp.Axis(0, 2 * np.pi, n, boundary="periodic"))
    W = fp.generator(fp.Langevin(fp.Landscape("cos(x)"), temperature=0.1, force=(0.9,)), ring)
    return fp.current(W, fp.stationary(W)).mean_velocity()[0] / 0.210109800500 - 1


def exit_time(n):
    grid = fp.Grid(x=fp.Axis(-1, 1, n, boundary="absorbing"))
    W = fp.generator(fp.Langevin(fp.Landscape("0*x", variables=("x",)), temperature=1.0), grid)
    exact = (1 - grid.axes[0].centres ** 2) / 2
    return np.abs(fp.mean_first_passage_time(W).values - exact).max()


tests = {
    r"double well, $\lambda_1$": rate,
    r"double well, $\tau(-1 \to 1)$": passage,
    "washboard, velocity": drift,
    "absorbing walls, exit time": exit_time,
}
errors = {name: np.abs([test(n) for n in cells]) for name, test in tests.items()}

# %%
# The kinetic operator: Hermite functions in velocity are of second order in the cell width along x, the monotone upwind
# variant of first order. The slowest rate of the double well at T = 0.25 and γ = 1 is 0.13650792.

few = np.array([24, 34, 48, 68])


def kinetic_rate(n, scheme, velocities):
    grid = fp.Grid(x=(-3, 3, n), velocity={"x": (-4, 4, velocities)})
    W = fp.generator(fp.UnderdampedLangevin(double_well, temperature=0.25, friction=1.0), grid, scheme)
    return abs(fp.spectrum(W, k=2).rates[1].real / 0.13650792 - 1)


kinetic = {
    "Hermite": [kinetic_rate(n, "hermite", 32) for n in few],
    "upwind": [kinetic_rate(n, "upwind", n) for n in few],
}

# %%
# Slopes are fitted to the finest half.


def order(n, error):
    half = len(n) // 2
    return -np.polyfit(np.log(n[half:]), np.log(error[half:]), 1)[0]


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2))
for marker, (name, error) in zip("os^v", errors.items(), strict=True):
    left.loglog(cells, error, marker + "-", ms=4, label=f"{name}: order {order(cells, error):.2f}")
left.loglog(cells, 3 / cells**2, ":", color="0.5", label=r"$\propto h^2$")
left.set(xlabel="cells", ylabel="error", title="Overdamped, one dimension", ylim=(None, 0.5))
left.legend(loc="upper right", fontsize=8)
for marker, (name, error) in zip("os", kinetic.items(), strict=True):
    right.loglog(few, error, marker + "-", ms=4, label=f"{name}: order {order(few, error):.2f}")
right.set(xlabel="cells along $x$", ylabel=r"relative error of $\lambda_1$", title="Klein–Kramers")
right.legend(fontsize=8)
for axis, ticks in ((left, (50, 100, 200, 400)), (right, few)):
    axis.set_xticks(ticks, [str(n) for n in ticks])
    axis.minorticks_off()
plt.show()
