r"""
Detailed fluctuation theorem
============================

How often entropy goes down, beside how often it goes up by as much; and what does not obey that. Closed forms:
``fpsolver.theory.dragged_trap``, ``heat_tails`` and ``ring_entropy``; on trajectories:
``fpsolver.thermodynamics.detailed_theorem``.

Statement
---------
In a steady state of variables that are even under time reversal, the total entropy :math:`\sigma` produced in any
time *t* obeys

.. math:: \frac{P(\sigma)}{P(-\sigma)} = e^{\sigma}

(U. Seifert, Phys. Rev. Lett. 95, 040602, 2005, eq. 21).

Derivation
----------
:math:`e^{\sigma} = p_0(x_0) P[x|x_0] \,/\, p_t(x_t) P^\dagger[x^\dagger|x_t]` for every path. In a steady state the
reverse paths are paths of the same ensemble, started in the same density, and their entropy production is
:math:`-\sigma`; collect the paths with equal :math:`\sigma`. For all else the two ensembles differ, which leaves
Crooks' theorem.

When it holds
-------------
*As* :math:`P(\sigma)/P(-\sigma) = e^\sigma` *without more ado* it is misquoted. It fails

* from a start that relaxes, where only :math:`\langle e^{-\sigma} \rangle = 1` is left, and for velocities unless
  :math:`p(x, v) = p(x, -v)`;
* for the work in a steady state at finite time: in a trap that is dragged at constant speed the slope of
  :math:`\ln[P(W)/P(-W)]` is :math:`(1/T)\, t\,/\,[t - (1 - e^{-\mu kt})/\mu k]`, and 1/*T* only as
  :math:`t \to \infty` (or at any time if the drag starts in equilibrium);
* for heat at any time, in the tails: with :math:`p = Q/\langle Q \rangle` the logarithm in units of
  :math:`\langle Q \rangle/T` tends to *p* up to *p* = 1, to :math:`p - (p - 1)^2/4` up to *p* = 3, and stays at 2
  beyond, because the stored energy has exponential tails which outweigh those of the work (R. van Zon,
  E. G. D. Cohen, Phys. Rev. Lett. 91, 110601, 2003).

The same symmetry makes :math:`e^{-\sigma}` a martingale: where :math:`\sigma` moves continuously it ever falls below
−\ *s* with the probability :math:`e^{-s}` (I. Neri, É. Roldán, F. Jülicher, Phys. Rev. X 7, 011019, 2017). A
trajectory that is seen at intervals jumps past −\ *s*, so that :math:`e^{-s}` is a bound for it.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import dragged_trap, heat_tails, linear_diffusion, ring_entropy
from fpsolver.thermodynamics import detailed_theorem

n = 100_000

# %%
# Total entropy in a trap with a rotating force, and the work on a trap that is dragged in its steady state.

steady = fp.Gaussian([0.0, 0.0], linear_diffusion.stationary_covariance([[1.0, -1.0], [1.0, 2.0]], np.eye(2)))
rotating = fp.Langevin(fp.Landscape("(x**2 + 2*y**2)/2"), temperature=1.0, force=("y", "-x"))
entropy = detailed_theorem(
    fp.simulate(
        rotating, n, steady, 0.25, 1.0, seed=1, scheme="ornstein-uhlenbeck", functionals="entropy_flow", density=steady
    )
)
dragged = fp.Langevin(
    fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}),
    temperature=1.0,
    protocol={"c": fp.Protocol("t")},
)
behind = fp.Gaussian([-1.0], 1.0)
run = fp.simulate(
    dragged, n, behind, 0.05, 2.0, seed=2, scheme="ornstein-uhlenbeck", functionals=["work", "heat"]
)  # fmt: skip
work = detailed_theorem(run.values("work"))
slope = float(dragged_trap.steady_slope(stiffness=1.0, duration=2.0, temperature=1.0))

# %%
# Heat, in the same run, against its exact density at that time; and how far entropy falls on a tilted ring before it
# has risen by 6, by the committor.

heat = detailed_theorem(run.values("heat"), reach=(0.0, 9.0), bins=18).points
landscape, ring = fp.Landscape("-cos(x)"), {"force": 0.5, "temperature": 0.5, "period": 2 * np.pi}
tilted = fp.Langevin(landscape, temperature=0.5, force=(0.5,))
depths = np.linspace(0.5, 4.5, 9)
falls = []
for depth in depths:
    low, high = (ring_entropy.place(landscape, 0.3, value, **ring) for value in (-depth, 6.0))
    W = fp.generator(tilted, fp.Grid(x=(low - 0.5, high + 0.5, 600)))
    falls.append(fp.committor(W, fp.where(x=(high, None)), fp.where(x=(None, low))).at([[0.3]])[0])

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
line = np.array([0.0, 4.5])
for number, (name, found, factor) in enumerate(
    (("total entropy, rotating trap", entropy, 1.0), ("work, dragged trap", work, slope))
):
    left.plot(line, factor * line, color=f"C{number}", label=f"{name}: slope {factor:.3f}")
    points = found.points
    left.errorbar(points.work, points.values, points.standard_errors, fmt="o", color=f"C{number}", ms=4)
left.set(xlabel=r"$\sigma$, W/T", ylabel="ln [P(+)/P(−)]", xlim=(0, 4.5), ylim=(0, 8.5))
left.set_title("steady states")
left.legend(fontsize=8, loc="upper left")
ratios = np.linspace(0.05, 6, 60)
middle.plot(ratios, ratios, "--", color="C1", label="as written")
middle.plot(ratios, [float(heat_tails.extended(p, relaxation_times=1e12)) for p in ratios], label=r"$t \to \infty$")
middle.plot(
    ratios, heat_tails.symmetry(ratios, drive=1.0, relaxation_times=2.0), color="C2", label=r"exact, $\mu kt = 2$"
)
middle.errorbar(
    heat.work / 2,
    heat.values / 2,
    heat.standard_errors / 2,
    fmt="o",
    color="k",
    ms=4,
    label=r"trajectories, $\mu kt = 2$",
)
middle.set(xlabel=r"$Q/\langle Q \rangle$", ylabel=r"ln [P(Q)/P(−Q)]  T/$\langle Q \rangle$", ylim=(0, 4))
middle.set_title("heat, dragged trap")
middle.legend(fontsize=8)
right.semilogy(depths, [float(ring_entropy.fall_probability(s, ceiling=6.0)) for s in depths], label="closed form")
right.plot(depths, falls, "o", color="k", ms=4, label="committor (grid)")
right.set(xlabel="depth s", ylabel="P(falls to −s before 6)")
right.set_title("infimum, tilted ring")
right.legend()
plt.show()

# %%
# The slopes, with their standard errors.

print(f"total entropy: {entropy.slope:.3f} ± {entropy.slope_error:.3f}")
print(f"work, t = 2: {work.slope:.3f} ± {work.slope_error:.3f}, closed form {slope:.6f}")
