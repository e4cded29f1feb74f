r"""
Barriers of a Brownian landscape
================================

``fpsolver.theory.barrier_statistics``: how high barriers are on a path with small steps, where an observer leaves out
those below a threshold.

Formulas
--------
A Brownian path has infinitely many small barriers. If those below *h* do not count, maxima and minima alternate
(*h*-extrema), and their differences *E* are independent with the density

.. math:: p(E) = \frac1{E_0}\,e^{-(E - h)/E_0} \quad (E > h), \qquad E_0 = h ,

so that the mean is 2\ *h*. For a walk of normal steps of standard deviation *s*, :math:`E_0 = h + 1.1652\,s`. With a
drift *m* and :math:`\kappa = 2m/\sigma^2` rises have the mean :math:`h + (e^{\kappa h} - 1)/\kappa`, falls that of
the opposite drift. Trapping times :math:`\tau_0 e^{E/T}` have the density :math:`\propto \tau^{-1 - T/h}`.

Sketch of the derivation
------------------------
Once the path has risen by *h* above its last minimum, the rise is over when it has fallen by *h* from its running
maximum. The maximum grows, and at every level the chance to fall by *h* before it grows further is the same: the
number of falls per unit of growth is constant, and what the rise adds to *h* is exponential. For a path without
drift, started at its maximum, the probability to rise by :math:`\varepsilon` before falling by *h* is
:math:`h/(h + \varepsilon)`: the falls come at the rate :math:`1/h`, and :math:`E_0 = h`. With a drift the scale
function :math:`1 - e^{-\kappa x}` takes the place of *x* and the rate is :math:`\kappa/(e^{\kappa h} - 1)` (J. Neveu,
J. W. Pitman, Séminaire de Probabilités XXIII, 239, 1989; H. M. Taylor, Ann. Probab. 3, 234, 1975). A walk passes each
of the two levels by 0.5826 *s* on average (D. Siegmund, Adv. Appl. Probab. 11, 701, 1979). With
:math:`E = T\ln(\tau/\tau_0)` the exponential becomes a power (J.-P. Bouchaud, J. Phys. I 2, 1705, 1992).

When it holds
-------------
Exactly on the continuous path; for a walk to first order in *s*, and ``error_scale`` is :math:`(s/h)^2`. The scale
:math:`E_0` is the observer's threshold and no constant of the landscape. A smooth landscape has another law.
Thresholds, temperatures and diffusion constants that are not positive, and a greatest rise under a drift that is not
negative, are a ``TheoryError``.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.landscapes import brownian_path, merge_tree, threshold_extrema
from fpsolver.theory import barrier_statistics

# %%
# Left: a piece of a path and its extrema at two thresholds. Right: heights on walks of a million steps, those below
# *h* left out.

S = 0.1
path = brownian_path(1_000_000, step=S, seed=11)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0), width_ratios=(1.2, 1))
piece = path[:4000]
length = np.arange(len(piece)) * S**2
left.plot(length, piece, color="0.6", lw=0.6)
for colour, threshold in (("C0", 1.0), ("C1", 3.0)):
    at = threshold_extrema(piece, threshold)
    left.plot(
        length[at], piece[at], "o-", color=colour, ms=3 if threshold == 1.0 else 5, lw=0.8, label=f"h = {threshold:g}"
    )
left.set(xlabel="x", ylabel="L(x)")
left.legend()
for colour, threshold in (("C0", 1.0), ("C1", 3.0)):
    heights = np.abs(np.diff(path[threshold_extrema(path, threshold)]))[1:-1]
    edges = np.linspace(0.0, 15.0, 61)
    counts = np.histogram(heights, edges)[0]
    centres, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    seen = counts > 4
    density, error = counts / (len(heights) * width), 2 * np.sqrt(counts) / (len(heights) * width)
    right.errorbar(centres[seen], density[seen], error[seen], fmt="o", color=colour, ms=3, lw=0.8)
    fine = np.linspace(threshold, 15.0, 200)[1:]
    law = [float(barrier_statistics.barrier_density(value, threshold=threshold, step=S)) for value in fine]
    right.semilogy(fine, law, color=colour, lw=1, label=f"h = {threshold:g}")
    print(f"h = {threshold:g}: mean of {len(heights)} heights {heights.mean():.4f},", end=" ")
    print(f"formula {float(barrier_statistics.mean_height(threshold, step=S)):.4f}")
right.set(xlabel="height E", ylabel="probability density", xlim=(0, 15), ylim=(1e-4, 1.5))
right.legend()
plt.show()

# %%
# Lines: formula; points: counted, with two standard errors. Nothing lies below *h*, and the slope of the tail is
# :math:`1/E_0`: three times the threshold, three times the scale.
#
# On a line the merge tree of sublevel sets finds the same: its minima that persist by *h* are those among the
# extrema.

tree = merge_tree(piece, fp.Grid(x=(0, len(piece), len(piece)))).simplified(3.0)
minima = np.sort(tree.minima.indices[:, 0])
print("minima of the piece that persist by 3:", minima.tolist())
print("extrema at h = 3:                     ", threshold_extrema(piece, 3.0).tolist())
