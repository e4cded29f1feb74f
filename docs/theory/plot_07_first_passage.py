r"""
First passage by quadrature
===========================

``fpsolver.theory.first_passage`` and ``fpsolver.theory.line_diffusion``: mean times, higher moments and splitting
probabilities of any motion on the line, exact at every temperature.

Formulas
--------
The motion is :math:`\mathrm dx = b(x)\,\mathrm dt + \sqrt{2D(x)}\,\mathrm dW` in a convention :math:`\alpha`: 0
(Itô), ½ (Stratonovich) or 1 (Klimontovich), so that the drift in Itô's convention is :math:`b + \alpha D'`. With

.. math:: \psi(x) = D(x)^\alpha \exp\int^x \frac bD\,\mathrm dx',

the mean time from *x* to a target *t* to the right, with a reflecting wall or a confining landscape at *r* to the
left, the *n*-th moment, and the probability to reach *t* before a second target *s* are

.. math::

   \tau(x) &= \int_x^t \frac{\mathrm dy}{\psi(y)} \int_r^y \frac{\psi(z)}{D(z)}\,\mathrm dz, \\
   T_n(x) &= n \int_x^t \frac{\mathrm dy}{\psi(y)} \int_r^y \frac{\psi(z)}{D(z)}\,T_{n-1}(z)\,\mathrm dz,
             \qquad T_0 = 1, \\
   P_t(x) &= \int_s^x \frac{\mathrm dy}{\psi(y)} \bigg/ \int_s^t \frac{\mathrm dy}{\psi(y)} .

``thermal`` makes the motion in a landscape that keeps detailed balance, :math:`D = T\mu(x)`, which is Klimontovich's
convention with :math:`b = -\mu L'`: then :math:`\psi/D \propto e^{-L/T}`, whatever the mobility. ``driven_by`` takes
a noise of its own and asks for its convention; ``of`` reads both off a ``Langevin``.

Sketch of the derivation
------------------------
A step of length :math:`\mathrm dt` from *x* leaves a mean time shorter by :math:`\mathrm dt`, so that
:math:`(b + \alpha D')\,\tau' + D\tau'' = -1`; for a moment the right-hand side is :math:`-nT_{n-1}`. Because
:math:`\psi'/\psi = (b + \alpha D')/D`, the left-hand side is :math:`(D/\psi)(\psi\tau')'`, and two integrations give
the formula, the first from the wall, where :math:`\psi\tau' = 0`, the second to the target, where :math:`\tau = 0`
(L. Pontryagin, A. Andronov, A. Vitt, 1933; C. W. Gardiner, Handbook of Stochastic Methods, section 5.2). The
probability solves the same equation with zero on the right.

When it holds
-------------
Exactly, for coefficients that do not depend on time: ``error_scale`` is 0, and the quadrature is refined until it is
good to about 1e-10. All sums have terms of one sign, so that this is a relative error at any barrier up to the range
of floating point. Where nothing confines the motion on the side without a target the mean time is infinite, and a
``TheoryError`` asks for a ``reflecting`` wall; so is a diffusion that is not positive on the way an error.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import first_passage

landscape = fp.Landscape("x**4/4 - x**2/2")
conventions = {"ito": "Itô", "stratonovich": "Stratonovich", "klimontovich": "Klimontovich"}
beyond = fp.where(x=(1.0, None))
grid = fp.Grid(x=(-3.0, 3.0, 1200))

# %%
# Left: one drift and one diffusion, :math:`D = T(1 + x^2)/2`, in three conventions; the time from −1 to 1. Right: all
# starting points at *T* = 0.1 and constant *D*, and the standard deviation of the time besides its mean.

temperatures = np.geomspace(0.05, 0.5, 7)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8))
for colour, (convention, name) in enumerate(conventions.items()):
    exact, measured = [], []
    for temperature in temperatures:
        dynamics = fp.Langevin(landscape, diffusion=f"{temperature}*(1 + x**2)/2", convention=convention)
        exact.append(float(first_passage.mean_time(first_passage.of(dynamics), -1.0, 1.0)))
        measured.append(fp.mean_first_passage_time(fp.generator(dynamics, grid), beyond).at([[-1.0]])[0])
    left.loglog(1 / temperatures, exact, color=f"C{colour}", lw=1, label=name)
    left.loglog(1 / temperatures, measured, "o", color=f"C{colour}", ms=4)
left.set(xlabel="1/T", ylabel="mean time from −1 to 1", title="lines: quadrature; points: backward equation")
left.set_xticks([2, 5, 10, 20], ["2", "5", "10", "20"], minor=False)
left.minorticks_off()
left.legend()

T = 0.1
dynamics = fp.Langevin(landscape, temperature=T)
process = first_passage.thermal(landscape, temperature=T)
starts = np.linspace(-1.8, 0.97, 60)
mean, square = np.array([[float(m) for m in first_passage.moments(process, x, 1.0, order=2)] for x in starts]).T
right.plot(starts, mean, color="C0", label="mean")
right.plot(starts, np.sqrt(square - mean**2), color="C1", label="standard deviation")
for x in (-1.0, -0.4, 0.0, 0.3, 0.8):
    passage = fp.first_passage_times(dynamics, 4000, [x], beyond, dt=0.01, t_max=1500.0, seed=1)
    times = passage.times
    error = times.std() / np.sqrt(len(times))
    label = "trajectories" if x == -1.0 else None
    right.errorbar(x, times.mean(), 2 * error, fmt="o", color="k", ms=3, capsize=2, label=label)
    spread = times.std()
    spread_error = np.sqrt(((times - times.mean()) ** 4).mean() - spread**4) / (2 * spread * np.sqrt(len(times)))
    right.errorbar(x, spread, 2 * spread_error, fmt="o", color="k", ms=3, capsize=2)
right.set(xlabel="start x", ylabel="time to reach 1", ylim=(0, 90), title="bars: two standard errors")
right.legend(loc="lower left")
plt.show()

# %%
# Klimontovich's drift has the additional :math:`D'`, which pushes outwards here, away from the barrier: it takes
# longest. Right: for starts within the well the standard deviation is nearly the mean, as for an exponential law;
# nearer to the target it is the larger one of the two.

print(f"T = {T:g}, from −1 to 1: {float(first_passage.mean_time(process, -1.0, 1.0)):.6f}")
