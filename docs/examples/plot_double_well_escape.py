r"""
Escape from a double well
=========================

The mean time from one minimum of :math:`L = x^4/4 - x^2/2` to the other, found on a grid, by quadrature and by
Kramers' formula, over a factor of eight in temperature. The barrier is :math:`\Delta L = 1/4`.

In one dimension the mean first-passage time is a double integral,

.. math:: \tau(-1 \to 1) = \frac1T \int_{-1}^{1} \mathrm dy\, e^{L(y)/T} \int_{-\infty}^{y} \mathrm dz\, e^{-L(z)/T} ,

and for :math:`T \ll \Delta L` Laplace's method gives

.. math:: \tau = \frac{2\pi}{\sqrt{L''(-1)\,|L''(0)|}}\, e^{\Delta L/T} \left(1 + \tfrac32 T + \dots\right) .

The slowest relaxation rate of the symmetric well is twice the escape rate, so that :math:`2/\lambda_1` is a third
route to the same time.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import quad

import fpsolver as fp

# %%
# On the grid
# -----------
# The target is a box, so that its wall stands at :math:`x = 1` exactly, wherever the cells lie.

landscape = fp.Landscape("x**4/4 - x**2/2")
grid = fp.Grid(x=(-2.5, 2.5, 400))
temperatures = np.geomspace(0.0125, 0.1, 13)

escape_times, relaxation_times = [], []
for T in temperatures:
    W = fp.generator(fp.Langevin(landscape, temperature=T), grid)
    tau = fp.mean_first_passage_time(W, fp.where(x=(1.0, None)))
    escape_times.append(tau.at([[-1.0]])[0])
    relaxation_times.append(2 / fp.spectrum(W, k=2).rates[1])
escape_times, relaxation_times = np.array(escape_times), np.array(relaxation_times)

# %%
# By quadrature, and by Kramers
# -----------------------------


def loss(x):
    return x**4 / 4 - x**2 / 2


def exact_time(T):
    def below(y):
        return quad(lambda z: np.exp(-loss(z) / T), -4.0, y, points=[-1.0], epsrel=1e-11, limit=200)[0]

    return quad(lambda y: np.exp(loss(y) / T) * below(y), -1.0, 1.0, points=[0.0], epsrel=1e-9, limit=200)[0] / T


def kramers_time(T):
    return 2 * np.pi / np.sqrt(2.0) * np.exp(0.25 / T)


exact = np.array([exact_time(T) for T in temperatures])
kramers = kramers_time(temperatures)

# %%
# The comparison
# --------------

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6))
left.semilogy(1 / temperatures, exact, color="C0", label="quadrature")
left.semilogy(1 / temperatures, kramers, "--", color="C1", label="Kramers")
left.semilogy(1 / temperatures, escape_times, "o", color="k", ms=4, label="grid")
left.set(xlabel=r"inverse temperature $1/T$ [1/loss]", ylabel=r"time $-1 \to 1$ [time]", title="Arrhenius plot")
left.legend()

fine = np.linspace(0, temperatures[-1], 100)
middle.plot(temperatures, exact / kramers, color="C0", label=r"$\tau$, quadrature")
middle.plot(temperatures, escape_times / kramers, "o", color="k", ms=4, label=r"$\tau$, grid")
middle.plot(temperatures, relaxation_times / kramers, "s", color="C2", ms=4, mfc="none", label=r"$2/\lambda_1$, grid")
middle.plot(fine, 1 + 1.5 * fine, ":", color="C1", label=r"$1 + \frac{3}{2}T$")
middle.set(
    xlabel="temperature $T$ [loss]", ylabel="time / Kramers' time", title="Beyond the leading order", ylim=(0.99, 1.28)
)
middle.legend(loc="upper left")

right.semilogy(temperatures, np.abs(escape_times / exact - 1), "o-", color="k", ms=4)
right.set(xlabel="temperature $T$ [loss]", ylabel="relative error", title=r"Grid against quadrature, $h = 1/80$")
plt.show()

# %%
# At the lowest temperature the barrier is twenty temperatures high. What error there is comes from the grid and is of
# second order in h; nothing is lost to the smallness of the rate. The rate :math:`\lambda_1` counts only transitions
# between the wells, the first-passage time also the way from the barrier down to :math:`x = 1`: they part when the
# barrier is no longer high.

print(f"T = {temperatures[0]:.3f}: grid {escape_times[0]:.6g}, quadrature {exact[0]:.6g}, Kramers {kramers[0]:.6g}")
