r"""
Speed limit and Wasserstein geodesics
=====================================

What it costs to move a density within a given time, and the motion that costs least:
``fpsolver.thermodynamics.wasserstein_distance``, ``optimal_transport``, ``speed_limit``, ``transport_landscape`` and
``full_control``. Closed forms: ``fpsolver.theory.optimal_transport``.

Statement
---------
Overdamped motion with :math:`D = \mu T` that takes the density *p* to *q* within :math:`t_f` produces at least

.. math:: \Sigma \ge \frac{W_2(p, q)^2}{D\, t_f} , \qquad
          W_2^2 = \min_{\text{transports}} \langle |x_{\text{start}} - x_{\text{end}}|^2 \rangle

(E. Aurell, C. Mejía-Monasterio, P. Muratore-Ginanneschi, Phys. Rev. Lett. 106, 250601, 2011; A. Dechant, Y. Sakurai,
arXiv 1912.08405). In one dimension :math:`W_2^2 = \int_0^1 (Q_q - Q_p)^2\,\mathrm du` with the quantiles *Q*.

Derivation
----------
:math:`\Sigma = \frac{1}{D}\int_0^{t_f}\!\!\int |v|^2 p\,\mathrm dx\,\mathrm dt` with the local mean velocity
:math:`v = J/p`. Among all *v* that move *p* to *q* the least of this action is :math:`W_2^2/D t_f` (J.-D. Benamou,
Y. Brenier, Numer. Math. 84, 375, 2000): every parcel goes straight, at constant speed. On that geodesic
:math:`v = \nabla\psi`, which the landscape :math:`L = -\psi/\mu - T \ln p` brings about, with a jump at both ends.

When it holds
-------------
Constant isotropic noise, and control of the whole landscape for equality; fewer knobs cost more, see the optimal
protocols. With :math:`\Delta S = -n \ln 2` it is the bound of erasing *n* bits in finite time,
:math:`Q \ge nT\ln 2 + W_2^2/\mu t_f`: Landauer's :math:`T \ln 2` is its limit of infinite time, not the price of
erasure in any. Other speed limits with other distances exist, and none of them is saturated in general.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import optimal_transport
from fpsolver.thermodynamics import entropy_production, speed_limit, transport_landscape, wasserstein_distance

# %%
# From N(0, 1) to N(2, ¼) in unit time: entropy production of the geodesic, from the fluxes of its landscapes.

grid = fp.Grid(x=(-6, 6, 240))
p, q = (fp.gaussian(grid, [m], [[v]]) for m, v in ((0.0, 1.0), (2.0, 0.25)))
distance = optimal_transport.gaussian_distance(0.0, 1.0, 2.0, 0.25)
fractions = np.linspace(0.0, 1.0, 9)
rates, losses = [], []
for fraction in map(float, fractions):
    loss, density = transport_landscape(p, q, grid, fraction=fraction, duration=1.0, temperature=1.0)
    landscape = fp.Landscape.from_grid({"x": grid.axes[0].centres}, loss)
    rates.append(entropy_production(fp.generator(fp.Langevin(landscape, temperature=1.0), grid), density).total)
    losses.append(loss)

# %%
# Relaxations from random densities in random wells: the bound over what is produced. At short times
# relaxation saturates it, to the error of the cells.

wells = fp.Landscape("x**4/4 + a*x**2/2 + b*x + c*sin(3*x)/3", {"a": 1.0, "b": 1.0, "c": 1.0}, ("x",))
box = fp.Grid(x=fp.Axis(-3, 3, 200, boundary="reflecting"))
rng = np.random.default_rng(2)
shares = []
for _ in range(40):
    a, b, c = map(float, rng.normal(size=3))
    landscape = wells.with_parameters(a=a, b=b, c=c)
    mean, time, temperature = rng.uniform(-1.5, 1.5), float(10 ** rng.uniform(-3, 1)), float(rng.uniform(0.1, 0.5))
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), box)
    start, rest = fp.gaussian(box, [mean], [[temperature]]), fp.boltzmann(landscape, box, temperature)
    end = fp.evolve(W, start, times=[time], tolerance=1e-9).final
    produced = fp.kl_divergence(start, rest, box) - fp.kl_divergence(end, rest, box)
    shares.append((time, speed_limit(start, end, box, duration=time, diffusion=temperature) / produced))

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
x = grid.axes[0].centres
for fraction, colour in ((0, "C0"), (4, "C2"), (8, "C1")):
    inside = np.abs(x - 2 * fractions[fraction]) < 3.2 - 1.6 * fractions[fraction]
    values = losses[fraction][inside]
    middle.plot(x[inside], values - values.min(), color=colour, label=f"t = {fractions[fraction]:g} $t_f$")
middle.plot(x, x**2 / 2, "--", color="C0", lw=1, label="where it rests as N(0, 1)")
middle.set(xlabel="x", ylabel="L / T", ylim=(0, 9), xlim=(-2.5, 4))
middle.set_title("landscapes of the geodesic")
middle.legend(fontsize=8, loc="upper right")
least = float(optimal_transport.minimum_entropy_production(distance, 1.0))
left.axhline(least, label=r"$W_2^2/(D t_f)$")
left.plot(fractions, rates, "o", color="k", ms=4, label="fluxes (grid)")
left.set(xlabel=r"$t/t_f$", ylabel=r"$\dot\Sigma\, t_f$", ylim=(0, 5.5))
left.set_title("N(0, 1) to N(2, ¼)")
left.legend()
fine = np.geomspace(1e-3, 10, 60)
right.semilogx(*np.transpose(shares), "o", color="k", ms=4, label="random wells")
shift = [
    float(optimal_transport.minimum_entropy_production(2 * -np.expm1(-t), t))
    / float(optimal_transport.relaxation_entropy_production(2.0, t))
    for t in fine
]
right.plot(fine, shift, label="shifted Gaussian in a trap")
right.axhline(1, color="C1", ls="--", label="bound")
right.set(xlabel="time", ylabel=r"$W_2^2/(D t\, \Sigma)$", ylim=(0, 1.1))
right.set_title("relaxations")
right.legend(loc="lower left")
plt.show()

# %%
# The distance by quantiles and in closed form, and the heat of erasing a bit, uniform on [−1, 1], in unit time.

print(f"W₂ = {wasserstein_distance(p, q, grid):.5f}, closed form {float(distance):.5f}")
whole = optimal_transport.uniform_distance((-1, 1), (0, 1))
print(f"erasure: Q = {float(optimal_transport.erasure_heat(whole, 1.0)):.6f} T, ln 2 = {np.log(2):.6f}")
