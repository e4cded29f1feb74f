r"""
Work on a dragged trap
======================

A particle in :math:`L = (x - c)^2/2` while the centre is dragged from 0 to 2. The free energy does not depend on
:math:`c`, so that the Jarzynski equality

.. math:: \left\langle e^{-W/T} \right\rangle = e^{-\Delta F/T} = 1

holds at any speed, although work is done on the particle on average. How many trajectories it takes to see it does
depend on the speed.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

T, distance = 0.5, 2.0
landscape = fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0})
durations = [1.0, 2.0, 5.0, 10.0, 20.0]

# %%
# The exact Ornstein–Uhlenbeck step leaves no error of the time step in a parabola: what remains is statistics. The work
# is Gaussian, of mean :math:`v^2 (\tau - 1 + e^{-\tau})` at speed :math:`v` and variance :math:`2 T \langle W \rangle`.


def drag(duration):
    centre = fp.Protocol.ramp(0.0, distance, duration=duration)
    return fp.simulate(
        fp.Langevin(landscape, temperature=T, protocol={"c": centre}),
        n=100_000,
        initial=fp.Gaussian([0.0], T),
        dt=0.01,
        t_final=duration,
        seed=1,
        scheme="ornstein-uhlenbeck",
        functionals=["work"],
        observe=[fp.Mean("work"), fp.Histogram("work", (-2.0, 6.0, 80)), fp.LogSumExp("work", factor=-1 / T)],
    )


def mean_work(duration):
    return (distance / duration) ** 2 * (duration - 1 + np.exp(-duration))


ensembles = [drag(duration) for duration in durations]
means = [ensemble.observables["mean_work"] for ensemble in ensembles]
averages = [ensemble.observables["log_sum_exp_work"] for ensemble in ensembles]
histograms = [ensemble.observables["histogram_work"] for ensemble in ensembles]

# %%
# The comparison
# --------------
# Fast driving spreads the work, and the exponential average comes to rest on a few trajectories that did unusually
# little of it: the effective sample size says how many. Where it gets small it is itself too large, since the
# trajectories that would matter most have not been seen.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for k, colour in ((0, "C1"), (2, "C0"), (4, "C2")):
    (edges,), w = histograms[k].edges, np.linspace(-2, 6, 200)
    m = mean_work(durations[k])
    left.stairs(histograms[k].density[-1], edges, color=colour, alpha=0.35, fill=True)
    left.plot(w, np.exp(-((w - m) ** 2) / (4 * T * m)) / np.sqrt(4 * np.pi * T * m), color=colour,
              label=rf"$\tau = {durations[k]:g}$")  # fmt: skip
left.axvline(0.0, color="0.5", lw=0.8, ls=":")
left.set(xlim=(-1.5, 5), xlabel="work $W$ [loss]", ylabel="density [1/loss]", title="Bars: trajectories; lines: exact")
left.legend()

fine = np.geomspace(1.0, 20.0, 100)
middle.plot(fine, mean_work(fine), color="C0", label=r"$\langle W \rangle$, exact")
middle.errorbar(durations, [m.mean[-1, 0] for m in means], [2 * m.standard_error[-1, 0] for m in means], fmt="o",
                color="k", ms=4, label=r"$\langle W \rangle$, trajectories")  # fmt: skip
values = np.array([-T * one.value[-1] for one in averages])
errors = np.array([2 * T * one.standard_error[-1] for one in averages])
middle.axhline(0.0, color="C2", label=r"$\Delta F = 0$")
middle.errorbar(durations, values, errors, fmt="s", color="C2", mfc="none", ms=4,
                label=r"$-T \ln \langle e^{-W/T} \rangle$")  # fmt: skip
middle.set(
    xscale="log", xlabel=r"duration $\tau$ [time]", ylabel="work [loss]", title="Second law and Jarzynski equality"
)
middle.legend()

right.loglog(durations, [one.effective_samples[-1] for one in averages], "o", color="k", ms=4, label="trajectories")
right.loglog(fine, 100_000 * np.exp(-2 * mean_work(fine) / T), color="C0", label=r"$n\, e^{-\mathrm{var}\,W/T^2}$")
right.axhline(100_000, color="0.6", lw=0.8, ls="--")
right.set(xlabel=r"duration $\tau$ [time]", ylabel="effective samples", title="How many trajectories carry it")
right.legend()
plt.show()

# %%
# Error bars are two standard errors.

for duration, one in zip(durations, averages, strict=True):
    print(
        f"duration {duration:4g}: -T ln<exp(-W/T)> = {-T * one.value[-1]:7.4f} ± {T * one.standard_error[-1]:.4f}, "
        f"{one.effective_samples[-1]:6.0f} effective samples"
    )
