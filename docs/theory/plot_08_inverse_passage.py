r"""
From times back to the landscape
================================

``fpsolver.theory.inverse_passage``: the landscape, the temperature or the barrier that measured mean times imply.

Formulas
--------
With :math:`D = T\mu`, the mean time :math:`\tau(x)` from a start *x* to a fixed target on the right, and the mean
time :math:`t(y)` from a fixed start to a target *y* on the right, give

.. math::

   \frac{L(x)}T &= \ln\bigl(D\,|\tau'|\bigr) - \int \frac{\mathrm dx}{D\,|\tau'|} + \text{const}, \\
   \frac{L(y)}T &= \ln\bigl(D\,t'\bigr) - \int \frac{\mathrm dy}{D\,t'} + \text{const} .

With the motion to the left the sign of the integral changes. Two times with a prefactor that does not depend on
temperature give the barrier,

.. math:: \Delta L = \frac{\ln(\tau_1/\tau_2)}{1/T_1 - 1/T_2} .

Sketch of the derivation
------------------------
The exact mean time has the derivative :math:`-\tau' = \frac1{\psi} \int_r^x \frac\psi D\,\mathrm dz`, with
:math:`\psi/D \propto e^{-L/T}`. Call the integral *w*: then :math:`w' = \psi/D` and :math:`-\tau' = w/(Dw')`, so that
:math:`(\ln w)' = 1/(D|\tau'|)`. This gives *w*, and :math:`e^{-L/T} \propto w' = w/(D|\tau'|)` is the formula. The
wall *r* has dropped out: where it is, and whether there is one, need not be known. The time to a target *y* from a
fixed start has :math:`t'(y) = w(y)/\psi(y)`, which is the same number.

When it holds
-------------
Exactly, for overdamped motion whose temperature and mobility are known; what limits it is the data. Times are
interpolated by a spline of degree five, which is of fourth order in the spacing; errors are those of :math:`\tau'`
relative to itself, and grow in deep wells, where times differ by little. Times that are not monotonic, fewer than six
positions and a spline with a flat spot are a ``TheoryError``. ``temperature_from_time`` inverts the exact quadrature.
``barrier_from_times`` assumes a constant prefactor: one of the form :math:`1 + cT` adds about :math:`-cT_1T_2`, and
``error_scale`` is :math:`(T/\Delta L)^2` at the higher temperature.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import inverse_passage

landscape = fp.Landscape("x**4/4 - x**2/2")
T = 0.1
dynamics = fp.Langevin(landscape, temperature=T)

# %%
# Left: mean times from −1 to targets on the way to 1.2, by the backward equation on a grid, and to every other one of
# 8000 trajectories. With the same seed these are the same trajectories for every target; what they share cancels in
# :math:`t'`. The constant, which is free, is such that the averages are those of the landscape.

targets = np.linspace(-0.8, 1.2, 21)
W = fp.generator(dynamics, fp.Grid(x=(-2.5, 2.5, 1000)))
times, sampled = [], []
for number, target in enumerate(targets):
    beyond = fp.where(x=(target, None))
    times.append(fp.mean_first_passage_time(W, beyond).at([[-1.0]])[0])
    if number % 2 == 0:
        passage = fp.first_passage_times(dynamics, 8000, [-1.0], beyond, dt=0.01, t_max=2500.0, seed=3)
        sampled.append(passage.mean.value)


def reconstructed(positions, times):
    found = inverse_passage.landscape_from_targets(positions, times, temperature=T)
    return found - found.mean() + landscape.value(positions[:, None]).mean()


# %%
# Right: the barrier, from times at *T* and 1.2 *T*. The prefactor of this double well is :math:`1 + \frac32 T`.

temperatures = np.geomspace(0.012, 0.06, 7)


def crossing_time(temperature):
    hot = fp.generator(fp.Langevin(landscape, temperature=temperature), W.grid)
    return fp.mean_first_passage_time(hot, fp.where(x=(1.0, None))).at([[-1.0]])[0]


barriers = [
    float(inverse_passage.barrier_from_times((t, 1.2 * t), (crossing_time(t), crossing_time(1.2 * t))))
    for t in temperatures
]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8))
fine = np.linspace(-1.3, 1.4, 200)
left.plot(fine, landscape.value(fine[:, None]), color="0.5", lw=1, label="the landscape")
left.plot(targets, reconstructed(targets, times), "o", color="C0", ms=5, label="from times of the backward equation")
left.plot(targets[::2], reconstructed(targets[::2], sampled), "x", color="C1", ms=6, label="from times of trajectories")
left.set(xlabel="x", ylabel="L(x)", ylim=(-0.5, 0.3))
left.legend(loc="upper center", fontsize=8)
right.plot(temperatures, barriers, "o", color="k", ms=4, label="from two times (grid)")
fine = np.linspace(0, 0.062, 50)
right.plot(fine, 0.25 - 1.5 * fine * 1.2 * fine, color="C0", label=r"$\Delta L - \frac{3}{2} T_1 T_2$")
right.axhline(0.25, color="0.7", lw=0.8, zorder=0)
right.set(xlabel="lower temperature T", ylabel=r"barrier $\Delta L$", xlim=(0, None))
right.legend()
plt.show()

# %%
# Times from one side of the barrier give the landscape on both; with statistical errors the ends are poor, where the
# derivative of a spline is. Right: the line holds at low temperature, where the next order in *T* is small. Last, the
# temperature that the mean time of 3000 other trajectories from −1 to 1 implies:

beyond = fp.where(x=(1.0, None))
passage = fp.first_passage_times(dynamics, 3000, [-1.0], beyond, dt=0.01, t_max=2500.0, seed=4)
implied = float(inverse_passage.temperature_from_time(landscape, -1.0, 1.0, time=passage.mean.value))
print(f"mean time {passage.mean.value:.2f} ± {passage.mean.standard_error:.2f}: T = {implied:.4f}, simulated at {T:g}")
