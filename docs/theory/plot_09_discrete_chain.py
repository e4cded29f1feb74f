r"""
The chain and its continuous limit
==================================

``fpsolver.theory.discrete_chain`` and ``fpsolver.theory.chain_passage``: first passage of the chain
:math:`\theta' = \theta - \eta L'(\theta) + \sqrt{2\eta T}\,\xi`, which moves in steps, against that of the motion in
continuous time that it approximates.

Formulas
--------
The chain has to be beyond its target at the end of a step. Up to a relative error of order :math:`\eta`, that takes
it as long as the continuous motion needs to a target further on by

.. math:: \rho = -\frac{\zeta(\frac12)}{\sqrt{2\pi}} \sqrt{2\eta T} = 0.5826\,\sqrt{2\eta T} .

To the top *b* of a barrier that makes, as :math:`T \to 0` with :math:`\eta^2 \ll T`, and well beyond the top
(:math:`T \to 0` at fixed :math:`\eta`),

.. math::

   \frac{\tau_{\text{chain}}}\tau &= 1 + \operatorname{erf}\bigl(0.5826\,\sqrt{\eta\,|L''_b|}\bigr), \\
   \frac{\tau_{\text{chain}}}\tau &= \exp\left[\frac\eta4\,\bigl(|L''_b| - L''_a\bigr)
       - \frac{\eta^2}{6T} \int_a^b L' L''^2\,\mathrm dx\right].

Exactly, the number of steps solves :math:`n(x) = 1 + \int K(x, y)\,n(y)\,\mathrm dy`, with the density *K* of a step
cut off at the target; ``chain_passage.mean_steps`` solves that.

Sketch of the derivation
------------------------
On the scale of one step the drift does not matter: near the target the chain is a Gaussian random walk, which passes
a distant level by :math:`\rho` on average (D. Siegmund, Adv. Appl. Probab. 11, 701, 1979; M. Broadie, P. Glasserman,
S. Kou, Math. Finance 7, 325, 1997). For a walk, a martingale, the value at the time of passage is target plus
overshoot; continuous motion that is stopped at the shifted target has the same mean. Near a top the time to *b* + *x*
is :math:`\frac12\tau_0[1 + \operatorname{erf}(x\sqrt{|L''_b|/2T})]`, which at :math:`x = \rho` loses its *T*.

The exponent is a matter of large deviations. Where *T* is small against :math:`\eta^2`, the quasipotential *S* of the
chain takes the place of *L*: the cheapest way up obeys :math:`S(y) = \min_x \{S(x) + [y - x + \eta L'(x)]^2/4\eta\}`,
and in powers of :math:`\eta`, :math:`S = L - \frac\eta4 L'^2 + \frac{\eta^2}{12}\int L'^2 L'''\,\mathrm dx`. At the
ends of the path :math:`L' = 0`; what is left is, by parts, :math:`-\frac{\eta^2}6 \int L' L''^2\,\mathrm dx`. The
first term of the exponent is Laplace's method on the modified equation of the scheme (own derivation).

When it holds
-------------
Gaussian noise, :math:`\eta L'' \ll 1`, and :math:`\eta L'^2 \ll T` at the target. ``error_scale`` is the largest of
these. A chain that is unstable at the start, :math:`\eta L'' \ge 2`, is a ``TheoryError``; so are, for
``mean_steps``, steps too short to be resolved by 3000 nodes. ``mean_time_of_limit``, which forgets the steps, is
wrong by order :math:`\sqrt\eta`.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, chain_passage, discrete_chain

landscape = fp.Landscape("x**4/4 - x**2/2")
well = Barrier.between(landscape, -1.0, 0.0)


def chain_time(target, temperature, rate):
    steps = chain_passage.mean_steps(landscape, -1.0, target, temperature=temperature, learning_rate=rate)
    return rate * float(steps)


def limit_time(target, temperature, rate):
    return float(
        discrete_chain.mean_time_of_limit(landscape, -1.0, target, temperature=temperature, learning_rate=rate)
    )


# %%
# Left: from −1 to the top at *T* = 0.1, by the integral equation and by 4000 chains, over the mean time of the
# continuous limit.

T = 0.1
rates = np.geomspace(0.003, 0.3, 9)
exact = [chain_time(0.0, T, rate) / limit_time(0.0, T, rate) for rate in rates]
shifted = [
    float(discrete_chain.mean_time_of_chain(landscape, -1.0, 0.0, temperature=T, learning_rate=rate))
    / limit_time(0.0, T, rate)
    for rate in rates
]
top = [float(discrete_chain.slowing_at_top(learning_rate=rate, saddle_curvature=-1.0)) for rate in rates]
sampled = []
for rate in (0.02, 0.06, 0.2):
    passage = fp.first_passage_times(
        fp.Langevin(landscape, temperature=T), 4000, [-1.0], fp.where(x=(0.0, None)),
        dt=rate, t_max=rate * round(2000 / rate), bridge=False, seed=2,
    )  # fmt: skip
    mean = passage.mean
    sampled.append((rate, mean.value / limit_time(0.0, T, rate), mean.standard_error / limit_time(0.0, T, rate)))

# %%
# Right: to the second minimum, at low temperatures and two learning rates.

inverse = np.linspace(20, 400, 8)


def faster(rate):
    return [chain_time(1.0, 1 / value, rate) / limit_time(1.0, 1 / value, rate) for value in inverse]


def law(rate):
    laws = [discrete_chain.slowing_beyond_top(well, temperature=1 / value, learning_rate=rate) for value in inverse]
    return [float(value) for value in laws]


figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.8))
left.semilogx(rates, exact, "o", color="k", ms=4, label="integral equation")
left.errorbar(*np.array(sampled).T[:2], 2 * np.array(sampled)[:, 2], fmt="s", color="C2", ms=4, mfc="none", capsize=2,
              label="chains, ± 2 standard errors")  # fmt: skip
left.semilogx(rates, shifted, color="C0", label="limit to the shifted target")
left.semilogx(rates, top, "--", color="C1", label=r"$1 + \mathrm{erf}(0.5826\,\sqrt{\eta})$")
left.axhline(1.0, color="0.7", lw=0.8, zorder=0)
left.set(xlabel=r"learning rate $\eta$", ylabel=r"$\tau_{\rm chain}/\tau$ to the top")
left.legend(loc="upper left")
for colour, rate in (("C0", 0.1), ("C1", 0.2)):
    right.plot(inverse, faster(rate), "o", color=colour, ms=4, label=rf"integral equation, $\eta = {rate:g}$")
    right.plot(inverse, law(rate), color=colour, label=rf"exponential law, $\eta = {rate:g}$")
right.axhline(1.0, color="0.7", lw=0.8, zorder=0)
right.set(xlabel="1/T", ylabel=r"$\tau_{\rm chain}/\tau$ beyond the top", ylim=(0.5, 1.02))
right.legend(loc="lower left")
plt.show()

# %%
# To the top the chain is slower, by a share of order :math:`\sqrt\eta`; both forms neglect :math:`\eta`, which shows
# from :math:`\eta = 0.05` on. Well beyond the top, at low temperature, the chain is exponentially faster than its
# limit. The gap to the law is of second order in :math:`\eta`.

steps = float(chain_passage.mean_steps(landscape, -1.0, 0.0, temperature=0.1, learning_rate=0.1))
print(
    f"η = 0.1, T = 0.1, from −1 to 0: {steps:.7f} steps; the continuous limit has {limit_time(0.0, 0.1, 0.1) / 0.1:.4f}"
)
