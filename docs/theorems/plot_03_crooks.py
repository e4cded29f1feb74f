r"""
Crooks' theorem and free-energy estimators
==========================================

Work forward and in reverse, and what is the best use of it. Closed forms for Gaussian work:
``fpsolver.theory.gaussian_work``; estimators: ``fpsolver.thermodynamics.exponential_average``, ``bennett``,
``crooks_line``, ``gaussian_crossing``, ``cumulant_expansion``.

Statement
---------
Let a protocol run from equilibrium, and the reversed protocol from equilibrium at its other end. At any speed

.. math:: \frac{P_F(W)}{P_R(-W)} = e^{(W - \Delta F)/T}

(G. E. Crooks, Phys. Rev. E 60, 2721, 1999). The logarithm of the ratio is a line of slope 1/*T* that crosses zero at
:math:`\Delta F`; times :math:`P_R` and integrated, it is the Jarzynski equality.

Derivation
----------
From equilibrium :math:`p_0(x_0) P[x|x_0]/p_0^\dagger(x_t) P^\dagger[x^\dagger|x_t] =
e^{(\Delta L - \Delta F)/T}\, e^{q/T} = e^{(W - \Delta F)/T}` for each path, and the reverse path does the work
−\ *W*: collect paths of equal work.

Estimators
----------
For *n* samples of Gaussian work that dissipate *D* on average, variance 2\ *TD*:

* the exponential average :math:`-T \ln \overline{e^{-W/T}}` lies above :math:`\Delta F`, by *D* for one sample and by
  :math:`T(e^{2D/T} - 1)/2n` once :math:`n \gg e^{2D/T}`; between the two its bias falls slowly;
* the acceptance ratio solves :math:`\sum_F f(W - \Delta F) = \sum_R f(W + \Delta F)` with
  :math:`f(w) = 1/(1 + e^{w/T})` (for equal numbers; C. H. Bennett, J. Comput. Phys. 22, 245, 1976). It is the maximum
  of likelihood, so that none that knows only Crooks' theorem scatters less; its deviation is
  :math:`T\sqrt{1/m - 2/n}` with *m* samples that both directions share;
* the crossing of two fitted Gaussians scatters by :math:`\sqrt{(T^2 + D^2/4)/n}`, the second cumulant by
  :math:`\sqrt{2D(T + D)/n}`; both are right for Gaussian work alone.

When it holds
-------------
Both ends start in equilibrium, in which a particle with inertia has its velocity reversed too. *"*\ :math:`e^{D/T}`
*samples suffice"* is optimistic: an error of a fraction of *T* takes between :math:`e^{D/T}` and :math:`e^{2D/T}`.
The bias to first order, as it is usually written, is off by orders of magnitude where samples are few.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import gaussian_work
from fpsolver.thermodynamics import bennett, crooks_line, exponential_average, log_ratio

landscape = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})


# %%
# A trap that stiffens from 1 to 4 in half a unit of time, and back: trajectories.


def system(start, stop):
    ramp = fp.Protocol.ramp(start, stop, duration=0.5)
    return fp.Langevin(landscape, temperature=1.0, protocol={"k": ramp})


exact = 0.5 * np.log(4)
n = 40_000
there, back = (
    fp.simulate(
        system(start, stop), n, fp.Gaussian([0.0], 1 / start), 0.0025, 0.5, seed=7, experiment=experiment,
        scheme="ornstein-uhlenbeck", functionals="work",
    ).values("work")
    for experiment, (start, stop) in enumerate(((1.0, 4.0), (4.0, 1.0)))
)  # fmt: skip
points = log_ratio(there, back, np.linspace(0.0, 2.5, 21))

# %%
# Bias of the exponential average for Gaussian work that dissipates *D* = 4\ *T*, from sets of samples.

D = 4.0
samples = np.array([1, 3, 10, 30, 100, 300, 1000])
gaussian = np.random.default_rng(3).normal(D, np.sqrt(2 * D), 400_000)
biases = []
for count in samples:
    sets = gaussian[: len(gaussian) // count * count].reshape(-1, count)
    values = -np.log(np.exp(-sets).mean(axis=1))
    biases.append((values.mean(), values.std() / np.sqrt(len(values))))

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
left.plot([0, 2.5], [-exact, 2.5 - exact], label=r"$(W - \Delta F)/T$")
left.errorbar(points.work, points.values, points.standard_errors, fmt="o", color="k", ms=4, label="trajectories")
left.axhline(0, color="0.7", lw=0.8)
left.axvline(exact, color="C1", ls="--", label=r"$\Delta F$")
left.set(xlabel="work W / T", ylabel=r"$\ln [P_F(W)/P_R(-W)]$")
left.legend()
fine = np.geomspace(1, 1e5, 40)
curves = {
    "bias, exact": gaussian_work.exponential_average_bias,
    "bias, first order": gaussian_work.exponential_average_bias_to_first_order,
    "error of the acceptance ratio": lambda d, count, temperature: gaussian_work.bennett_deviation(
        d, count, count, temperature=temperature
    ),
}
for (name, form), style in zip(curves.items(), ("-", "--", "-."), strict=True):
    with warnings.catch_warnings():
        # Where samples are few the asymptotic forms say so; here they are drawn to be seen failing.
        warnings.simplefilter("ignore")
        values = [float(form(D, count, temperature=1.0)) for count in fine]
    right.loglog(fine, values, style, label=name)
right.errorbar(samples, *np.transpose(biases), fmt="o", color="k", ms=4, label="sets of samples")
right.set(xlabel="samples n", ylabel="T", ylim=(3e-3, 20))
right.set_title("D = 4 T")
right.legend(fontsize=8)
plt.show()

# %%
# Three estimates of :math:`\Delta F` from the same trajectories.

average, both, line = exponential_average(there, 1.0), bennett(there, back, 1.0), crooks_line(there, back, 1.0)
print(f"exact {exact:.4f}")
print(f"exponential average {average.value:.4f} ± {average.standard_error:.4f}")
print(
    f"acceptance ratio {both.value:.4f} ± {both.standard_error:.4f}, line {line.value:.4f} ± {line.standard_error:.4f}"
)
