r"""
Feedback and information
========================

What a measurement is worth in work, and what learning costs in heat: ``fpsolver.thermodynamics.mutual_information``
and ``information_flow``. Closed forms: ``fpsolver.theory.feedback``, ``learning_efficiency``, ``coupling_cycle`` and
``linear_information``.

Statement
---------
A protocol that depends on the outcome *y* of a measurement of *x*, with the pointwise information
:math:`i = \ln p(y|x)/p(y)`, obeys from equilibrium

.. math:: \langle e^{-(W - \Delta F)/T - i} \rangle = 1 , \qquad \langle W \rangle \ge \Delta F - T\, I

(T. Sagawa, M. Ueda, Phys. Rev. Lett. 104, 090602, 2010). Two parts of a system with independent noises exchange
information at rates :math:`l_x + l_y = 0` in a steady state, and each pays for what it learns: its entropy flow to
the bath is at least its information flow (J. M. Horowitz, M. Esposito, Phys. Rev. X 4, 031015, 2014). A weight that
learns a label gains :math:`I \le \Delta S + Q/T`, with the efficiency :math:`I/(\Delta S + Q/T) \le 1` (S. Goldt, U.
Seifert, Phys. Rev. Lett. 118, 010601, 2017).

Derivation
----------
At a given *y* the start is :math:`p(x|y)`, not equilibrium. Crooks' ratio holds with
:math:`p(x|y) = p_{\text{eq}}(x)\, e^{i}` in the numerator, so that :math:`e^{-(W - \Delta F)/T - i}` is the ratio of
a normalised weight of reverse paths, *y* drawn as before, to that of forward paths. For two parts the information
changes by jumps of *x* and by jumps of *y*, and each sum of :math:`J \ln(a/b)` over one part's faces is not negative
by itself.

When it holds
-------------
*"*\ :math:`\langle e^{-(W - \Delta F)/T} \rangle = 1`, *also when the protocol follows a measurement"* is wrong:
without *i* the average is the probability of the reversed protocols to end in what was measured. For a trap that is
moved at once to where a measurement with error variance :math:`s^2` says, it is :math:`1 + T/ks^2`, and
:math:`-(T/2)/(1 + ks^2/T)` is the work, less than *T I* in size. The bound :math:`W \ge T I` of learning needs a
whole cycle: to couple a weight to its label slowly even yields work, which is paid back when the coupling is taken
away. In the theorem for learning, it is *plus* the information that the weights gained.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import coupling_cycle, feedback, learning_efficiency, linear_information
from fpsolver.thermodynamics import information_flow

# %%
# A trap that jumps to the posterior mean of the position, by samples. Where :math:`ks^2 \le T` the exponential has no
# variance, and is not shown.

rng = np.random.default_rng(1)
noises = np.geomspace(0.25, 16, 7)
n = 200_000
work, average = [], []
for noise in noises:
    x = rng.normal(size=n)
    y = x + rng.normal(size=n) * np.sqrt(noise)
    values = 0.5 * ((x - y / (1 + noise)) ** 2 - x**2)
    information = 0.5 * np.log1p(1 / noise) - (y - x) ** 2 / (2 * noise) + y**2 / (2 * (1 + noise))
    terms = np.exp(-values - information)
    work.append(values.mean())
    average.append((terms.mean(), terms.std() / np.sqrt(n)))

# %%
# A sensor *y* that follows a particle *x*, at several rates: information and its flow from fluxes on a grid.

speeds = np.array([0.5, 1.0, 2.0, 4.0])
flows = []
for speed in speeds:
    exact = linear_information.steady_state(drift=[[1.0, 0.0], [-speed, speed]], diffusion=[[1.0, 0.0], [0.0, 0.5]])
    dynamics = fp.Langevin(
        fp.Landscape(f"x**2/2 + {speed / 2}*y**2"), force=("0*x", f"{speed}*x"), diffusion=[1.0, 0.5]
    )
    spread = np.sqrt(0.5 / speed + speed / (1 + speed))
    W = fp.generator(dynamics, fp.Grid(x=(-5.5, 5.5, 88), y=(-5.5 * spread, 5.5 * spread, 88)))
    found = information_flow(W, fp.stationary(W), "x")
    flows.append((float(exact.flows[1]), found.flows[1], float(exact.entropy_flows[1]), found.entropy_flows[1]))
flows = np.array(flows)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
fine = np.geomspace(0.2, 20, 60)
systems = [{"stiffness": 1.0, "temperature": 1.0, "noise": float(noise)} for noise in fine]
left.semilogx(fine, [-float(feedback.mean_work(**one)) for one in systems], label="−⟨W⟩/T")
left.plot(fine, [float(feedback.information(**one)) for one in systems], color="C1", label="I")
left.plot(fine, [np.log(float(feedback.exponential_average(**one))) for one in systems], color="C2", ls="--",
          label=r"$\ln\langle e^{-W/T} \rangle$")  # fmt: skip
left.plot(noises, -np.array(work), "o", color="k", ms=4, label="samples")
shown = noises > 1.01
means, errors = np.transpose(average)[:, shown]
left.errorbar(
    noises[shown], np.log(means), errors, fmt="s", mfc="w", color="k", ms=4, label=r"$\ln\langle e^{-W/T - i} \rangle$"
)
left.set(xlabel=r"error of the measurement $ks^2/T$", ylabel="nats", ylim=(-0.1, 1.8))
left.set_title("a trap that follows a measurement")
left.legend(fontsize=8)
for number, name in enumerate(("information flow", "entropy flow")):
    middle.plot(speeds, flows[:, 2 * number], color=f"C{1 - number}", label=name)
    middle.plot(speeds, flows[:, 2 * number + 1], "o", color="k", ms=4, label="grid" if number else None)
middle.set(xlabel="rate of the sensor", ylabel="nats / time", ylim=(0, None))
middle.set_title("what a sensor pays for what it learns")
middle.legend()
times = np.geomspace(0.5, 30, 60)
right.semilogx(times, [float(coupling_cycle.work_to_couple(shift=1, stiffness=1, duration=t)) for t in times],
               label="work to couple")  # fmt: skip
right.plot(times, [float(coupling_cycle.work_of_cycle(shift=1, stiffness=1, duration=t)) for t in times],
           color="C2", label="work of the cycle")  # fmt: skip
learnt = float(learning_efficiency.information(shift=1.0, stiffness=1.0, temperature=1.0))
right.axhline(learnt, color="C1", ls="--", label="I of slow coupling")
right.set(xlabel="duration of the coupling", ylabel="energy / T")
right.set_title("a weight that learns a label")
right.legend(fontsize=8)
plt.show()

# %%
# With the information the average is one; without it, it is not. A coupling that is shorter teaches less than the
# dashed line, and its cycle costs more than *T* times what it taught.

equal = {"stiffness": 1.0, "temperature": 1.0, "noise": 1.0}
value, error = average[-3]
print(f"noise {noises[-3]:g}: ⟨exp(−W/T − i)⟩ = {value:.4f} ± {error:.4f}")
print(f"noise 1: ⟨exp(−W/T)⟩ = {float(feedback.exponential_average(**equal)):g}")
efficiency = float(learning_efficiency.efficiency(shift=1.0, stiffness=1.0, temperature=1.0))
print(f"efficiency of learning at unit shift: {efficiency:.6f}")
