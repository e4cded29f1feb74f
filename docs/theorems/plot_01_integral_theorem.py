r"""
Integral fluctuation theorem
============================

``fpsolver.thermodynamics.integral_theorem`` tests it on trajectories; closed forms are in
``fpsolver.theory.relaxing_trap``, ``two_level`` and ``learning_readings``.

Statement
---------
The total entropy that a trajectory produces is :math:`\Delta s_{\text{tot}} = \Delta s + q/T` with
:math:`s = -\ln p(x, t)` of the density of all runs and the heat *q* given to the bath, a Stratonovich integral. For
Markov dynamics from any initial density, under any protocol and after any time

.. math:: \langle e^{-\Delta s_{\text{tot}}} \rangle = 1 ,
          \qquad\text{hence}\qquad \langle \Delta s_{\text{tot}} \rangle \ge 0 ,

provided that every reverse path has a forward partner (U. Seifert, Phys. Rev. Lett. 95, 040602, 2005).

Derivation
----------
Let :math:`P[x\,|\,x_0]` weigh a path and :math:`P^\dagger[x^\dagger|\,x_t]` the reverse path under the reverse
protocol. Their ratio is :math:`e^{q/T}`, so that

.. math::

   e^{-\Delta s_{\text{tot}}} = \frac{p_t(x_t)\,P^\dagger[x^\dagger|\,x_t]}{p_0(x_0)\,P[x\,|\,x_0]} ,
   \qquad
   \langle e^{-\Delta s_{\text{tot}}} \rangle
   = \sum_{p_0 P > 0} p_t(x_t)\, P^\dagger[x^\dagger|\,x_t] .

The sum is one where it leaves no reverse path out. Any normalised density of :math:`x_t` may stand for :math:`p_t`. A
chain in discrete time has the same theorem at any step, with the ratio of its own transition probabilities.

When it holds
-------------
*"For arbitrary initial conditions"* goes too far: from a start that is confined, the average is the probability of
reverse paths to end where the start was, below one (Y. Murashita, K. Funo, M. Ueda, Phys. Rev. E 90, 042110, 2014).
Steps of bounded noise make it less than one from any start, and two-valued noise makes it zero.

For learning it circulates as :math:`\langle e^{-\Delta L/T + \Delta I} \rangle = 1`. The sign of the loss is wrong
and :math:`\Delta s` is missing: :math:`\langle e^{(\Delta L - W)/T - \Delta s + \Delta I} \rangle = 1` is right, with
the work *W* of the protocol and the information :math:`\Delta I` gained about the data. In a trap at rest in
equilibrium, where nothing is produced, the written form gives :math:`e^{d\mu kt}`. Nor can a cost :math:`C \ge 0`
have :math:`\langle e^{-C/T} \rangle = 1`, and the entropy of the medium is not *W*/*T*, which is zero at a fixed
loss: a two-level system then has :math:`1 + \tanh^2(\epsilon/2T)` (``two_level.without_heat``). The temperature of a
batch is :math:`T \propto 1/B`, not :math:`\propto B` (``fpsolver.theory.batch_temperature``).
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import relaxing_trap
from fpsolver.thermodynamics import integral_theorem

trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
units = {"stiffness": 1.0, "temperature": 1.0}
n = 20_000

# %%
# A start that is uniform in a box: the density at the end is known, and so is the mass that returns.

box = (-0.5, 1.0)
times = np.array([0.06, 0.2, 0.5, 1.5])
start = np.random.default_rng(1).uniform(*box, n)


def density(points, t):
    if t == 0.0:
        return ((points[..., 0] >= box[0]) & (points[..., 0] <= box[1])) / (box[1] - box[0])
    return relaxing_trap.box_density(points[..., 0], *box, **units, duration=t)


boxed = [
    integral_theorem(
        fp.simulate(
            trap, n, start, time / 2, time, seed=1, scheme="ornstein-uhlenbeck", functionals="entropy_flow",
            density=density,
        )
    )
    for time in times
]  # fmt: skip

# %%
# Equilibrium in the same trap: the written average, and the theorem for a start that is not in equilibrium.

short = np.array([0.03, 0.08, 0.13])
rest, moved = fp.Gaussian([0.0], 1.0), fp.Gaussian([1.0], 0.5)
written, theorem = [], []
for time in short:
    first = np.random.default_rng(2).normal(size=n)
    last = fp.simulate(trap, n, first, time, time, seed=2, scheme="ornstein-uhlenbeck").final[:, 0]
    terms = np.exp((first**2 - last**2) / 2)
    written.append((terms.mean(), terms.std() / np.sqrt(n)))
    mean, variance = relaxing_trap.moments(1.0, 0.5, **units, duration=time)
    ensemble = fp.simulate(
        trap, n, moved, time / 2, time, seed=3, scheme="ornstein-uhlenbeck", functionals="entropy_flow",
        density=(moved, fp.Gaussian([mean], variance)),
    )  # fmt: skip
    theorem.append(integral_theorem(ensemble))

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
fine = np.geomspace(0.03, 4, 60)
left.semilogx(
    fine, [float(relaxing_trap.box_return(*box, **units, duration=time)) for time in fine], label="mass that returns"
)
left.axhline(1, color="C1", ls="--", label="as written")
left.errorbar(
    times, [one.average for one in boxed], [one.standard_error for one in boxed], fmt="o", color="k", ms=4,
    label="trajectories",
)  # fmt: skip
left.set(xlabel=r"time $\mu kt$", ylabel=r"$\langle e^{-\Delta s_{\mathrm{tot}}} \rangle$", ylim=(0, 1.1))
left.set_title("start in a box")
left.legend(loc="lower left")
fine = np.linspace(0.001, 0.15, 40)
exact = [float(relaxing_trap.exponential_loss(stiffness=1.0, duration=time)) for time in fine]
right.plot(fine, exact, color="C1", label=r"$e^{\mu kt}$")
right.errorbar(
    short, *np.transpose(written), fmt="o", color="k", ms=4, label=r"$\langle e^{-\Delta L/T} \rangle$, equilibrium"
)
right.axhline(1, color="C0")
right.errorbar(
    short, [one.average for one in theorem], [one.standard_error for one in theorem], fmt="s", mfc="w", color="k", ms=4,
    label=r"$\langle e^{-\Delta s_{\mathrm{tot}}} \rangle$, relaxing",
)  # fmt: skip
right.set(xlabel=r"time $\mu kt$", ylabel="average")
right.set_title("readings")
right.legend()
plt.show()

# %%
# In units of the standard error the theorem holds, and the box has the average that the form predicts.

half = boxed[2]
predicted = float(relaxing_trap.box_return(*box, **units, duration=0.5))
print(f"relaxing: {theorem[-1].average:.4f} ± {theorem[-1].standard_error:.4f}")
print(f"box, t = 0.5: {half.average:.4f} ± {half.standard_error:.4f}, closed form {predicted:.4f}")
