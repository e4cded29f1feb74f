r"""
Laws of jumps and where they lead
=================================

A jump process moves at once, θ → θ + Δθ, with the rate density

.. math:: \rho(\theta, \Delta\theta) = A(\theta)\, q(\Delta\theta)\, w(\Delta L/T) ,

a symmetric proposal q and a law w of how the change of the loss decides. Laws with
:math:`w(x)/w(-x) = e^{-x}` are in detailed balance with :math:`e^{-L/T}/A`. The full exponent
:math:`w = e^{-\Delta L/T}`, as it circulates, is not one of them: its stationary density is :math:`e^{-2L/T}/A`, that
of half the temperature. And the attempt rate enters as 1/A: where more is attempted, less time is spent.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp

T = 0.25
landscape = fp.Landscape("x**4/4 - x**2/2")
grid = fp.Grid(x=(-2.6, 2.6, 208))
x = grid.axes[0].centres
proposal = fp.GaussianProposal(0.4)

# %%
# Stationary densities of three laws with detailed balance, and of the full exponent. Between the centres of two cells
# rates have the exact difference of the loss, so that the closed forms hold to rounding.

stationary = {}
for law in ("half", "metropolis", "glauber", "arrhenius"):
    process = fp.JumpProcess(landscape, temperature=T, proposal=proposal, law=law)
    stationary[law] = np.asarray(fp.stationary(fp.generator(process, grid)))
    expected = np.asarray(fp.boltzmann(landscape, grid, process.balance_temperature))
    print(f"{law:>10}: e^(−L/{process.balance_temperature:g}) up to {np.abs(stationary[law] - expected).max():.1e}")

# %%
# A local entropy :math:`S = -\tfrac12 \kappa x^2` of directions left out: wide at the origin and narrow outside.
# Langer's attempt rate :math:`e^{-S}` makes wide places likelier, :math:`e^{S - L/T}`; :math:`e^{S}`, as it
# circulates, makes them rarer.

bowl = fp.Landscape("x**2/2")
wide = fp.Grid(x=(-4.0, 4.0, 160))
entropy = "-1.5*x**2/2"
attempts = {
    "Langer's $A = e^{-S}$": fp.dynamics.entropic_attempt_rate(entropy, saddle=0.0),
    "circulated $A = e^{S}$": fp.dynamics.entropic_attempt_rate(entropy),
}
entropic = {}
for name, rate in attempts.items():
    process = fp.JumpProcess(bowl, temperature=T, proposal=proposal, attempt_rate=rate)
    entropic[name] = np.asarray(fp.stationary(fp.generator(process, wide)))
theory = fp.theory.attempt_rates
widths = [
    theory.langer_variance(1.0, entropy_curvature=-1.5, temperature=T),
    theory.variance_as_circulated(1.0, entropy_curvature=-1.5, temperature=T),
]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.7))
for temperature, colour in ((T, "C0"), (T / 2, "C1")):
    curve = np.asarray(fp.boltzmann(landscape, grid, temperature))
    left.plot(x, curve, color=colour, label=rf"$e^{{-L/T_b}}$, $T_b = {temperature:g}$")
for k, (law, marker) in enumerate((("half", "o"), ("metropolis", "s"), ("glauber", "^"))):
    left.plot(x[4 * k :: 12], stationary[law][4 * k :: 12], marker, color="C0", ms=4, mfc="none", label=law)
left.plot(x[::6], stationary["arrhenius"][::6], "o", color="C1", ms=4, mfc="none", label="full exponent")
left.set(xlabel="$x$", ylabel="stationary density", title=f"double well, $T = {T:g}$", ylim=(0, 1.05))
left.legend(loc="upper center", ncols=2)
y = wide.axes[0].centres
for (name, p), variance, colour in zip(entropic.items(), map(float, widths), ("C0", "C1"), strict=True):
    right.plot(y, np.exp(-0.5 * y**2 / variance) / np.sqrt(2 * np.pi * variance), color=colour)
    right.plot(y[::3], p[::3], "o", color=colour, ms=4, mfc="none", label=name)
right.plot(y, np.exp(-0.5 * y**2 / T) / np.sqrt(2 * np.pi * T), "--", color="0.5", label="$S$ constant")
right.set(xlabel="$x$", ylabel="stationary density", xlim=(-2.6, 2.6))
right.set_title(r"parabola with local entropy, $S = -\frac{3}{4} x^2$")
right.legend()
plt.show()

# %%
# Small jumps
# -----------
# With :math:`A s^2/2T = 1` held fixed, the process tends to the Fokker–Planck equation as s → 0. On the parabola that
# has the relaxation rates 1, 2, 3, …, twice that for the full exponent, which has twice the drift, and half for
# Glauber's law, which accepts every other move. The error is of second order in s; Metropolis' law has a kink where
# the loss does not change, and first order.

limits = {"half": 1.0, "glauber": 0.5, "arrhenius": 2.0, "metropolis": 1.0}
scales = np.geomspace(0.08, 0.4, 6)
T, spectra = 0.5, {}
for law in limits:
    spectra[law] = []
    for s in scales:
        process = fp.JumpProcess(
            bowl, temperature=T, proposal=fp.GaussianProposal(s), law=law, attempt_rate=2 * T / s**2
        )
        spectra[law].append(fp.spectrum(fp.generator(process, wide), k=4).rates[1:].real)
    spectra[law] = np.array(spectra[law])

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.7))
for k in range(3):
    left.plot(scales**2, spectra["half"][:, k], "o-", ms=4, color=f"C{k}", label=rf"$\lambda_{k + 1}$, half")
    left.plot(scales**2, spectra["metropolis"][:, k], "s--", ms=4, mfc="none", color=f"C{k}")
    left.plot(0, k + 1, ">", color=f"C{k}", clip_on=False, zorder=3)
left.plot([], [], "s--", ms=4, mfc="none", color="0.4", label="Metropolis")
left.plot([], [], ">", color="0.4", label="Fokker–Planck")
left.set(xlabel="$s^2$", ylabel="relaxation rate", xlim=(0, 0.165), ylim=(0.5, 4.0), title="spectrum of the generator")
left.legend(ncols=2, loc="upper right")
for (law, limit), marker in zip(limits.items(), "o^Ds", strict=True):
    error = np.abs(spectra[law][:, 0] / limit - 1)
    order = np.polyfit(np.log(scales[:4]), np.log(error[:4]), 1)[0]
    power = 1 if law == "metropolis" else 2
    (points,) = right.loglog(scales, error, marker, ms=4, label=f"{law}: order {order:.2f}")
    right.loglog(scales, error[0] * (scales / scales[0]) ** power, color=points.get_color(), lw=0.9)
right.set(xlabel="scale of jumps $s$", ylabel=r"$|\lambda_1/\lambda_1^{\rm limit} - 1|$", title="approach to the limit")
right.legend()
plt.show()

# %%
# Lines on the right have slopes 2 and 1; the orders are fitted to the four smallest scales.

for law in limits:
    print(f"{law:>10}: λ₁ = {spectra[law][0, 0]:.5f} at s = {scales[0]:.2f}, limit {limits[law]:g}")
