r"""
Kramers–Moyal coefficients at a finite lag
==========================================

Drift, diffusion and entropy production read from trajectories: ``fpsolver.thermodynamics.kramers_moyal``,
``fit_drift_and_diffusion``, ``entropy_production_from_currents``, ``entropy_production_of_linear_dynamics``. Closed
forms: ``fpsolver.theory.kramers_moyal`` and ``trap_and_curl``.

Statement
---------
What data at intervals :math:`\tau` show,

.. math::

   D^{(n)}(x; \tau) = \frac{\langle (x_{t+\tau} - x)^n \,|\, x_t = x \rangle}{n!\, \tau}
   = \frac{1}{n!\,\tau} \left[ (e^{\tau \mathcal L^\dagger} - 1)\, (y - x)^n \right]_{y = x} ,

is drift and diffusion only as :math:`\tau \to 0`; to first order

.. math::

   D^{(1)}(\tau) &= D^{(1)} + \tfrac{\tau}{2} \bigl( D^{(1)} D^{(1)\prime} + D^{(2)} D^{(1)\prime\prime} \bigr) , \\
   D^{(2)}(\tau) &= D^{(2)} + \tfrac{\tau}{2} \bigl( D^{(1)2} + D^{(1)} D^{(2)\prime} + 2 D^{(2)} D^{(1)\prime}
                    + D^{(2)} D^{(2)\prime\prime} \bigr) .

For linear drift −\ *kx* at *T* they are :math:`-(1 - e^{-k\tau})x/\tau` and
:math:`[(T/k)(1 - e^{-2k\tau}) + (1 - e^{-k\tau})^2 x^2]/2\tau`.

Derivation
----------
:math:`\langle f(x_{t+\tau}) | x_t = x \rangle = e^{\tau\mathcal L^\dagger} f` with the backward generator
:math:`\mathcal L^\dagger = D^{(1)}\partial + D^{(2)}\partial^2`; apply its square once to :math:`y - x` and to
:math:`(y - x)^2` (M. Ragwitz, H. Kantz, Phys. Rev. Lett. 87, 254501, 2001; C. Honisch, R. Friedrich, Phys. Rev. E 83,
066701, 2011). The fit of the package goes the other way: polynomials whose own moments at that lag, by the series of
:math:`e^{\tau\mathcal L^\dagger}`, match the measured ones. It has no error of finite lag but that of its form.

When it holds
-------------
Markov dynamics without noise in the measurement. *"*\ :math:`D^{(2)} = \langle\Delta x^2\rangle/2\tau` *over the lag
of the data"* shows noise that seems to grow with *x*, and a drift that is too weak by :math:`k\tau/2`. Entropy
production from data is biased as well: the uncertainty relation gives a lower bound that is tight as
:math:`\tau \to 0`, while a fit of linear dynamics, with its logarithm of a matrix, has no such error (a trap with a
curl has :math:`\sigma = 2\epsilon^2/k`).
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import kramers_moyal as theory
from fpsolver.theory import trap_and_curl
from fpsolver.thermodynamics import (
    entropy_production_from_currents,
    entropy_production_of_linear_dynamics,
    fit_drift_and_diffusion,
    kramers_moyal,
)

# %%
# A trap of unit stiffness at T = 1, seen at the lag 0.3.

lag, n = 0.3, 200_000
start = np.random.default_rng(1).normal(size=(n, 1))
trap = fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0)
end = fp.simulate(trap, n, start, lag, lag, seed=1, scheme="ornstein-uhlenbeck").final
measured = kramers_moyal(start[:, 0], end[:, 0], lag, bins=30)
fit = fit_drift_and_diffusion(measured, drift_degree=1, terms=10)

# %%
# A trap with a curl: entropy production from pairs of positions, at several lags.

stiffness, curl = 1.0, 0.5
rotating = fp.Langevin(fp.Landscape("(x**2 + y**2)/2"), temperature=1.0, force=("0.5*y", "-0.5*x"))
lags = np.array([0.1, 0.3, 1.0])
from_currents, from_fit = [], []
for number, one in enumerate(map(float, lags)):
    before = np.random.default_rng(number).normal(size=(50_000, 2))
    after = fp.simulate(
        rotating, len(before), before, one, one, seed=2, experiment=number, scheme="ornstein-uhlenbeck"
    ).final
    from_currents.append(entropy_production_from_currents(before, after, one))
    from_fit.append(entropy_production_of_linear_dynamics(before, after, one))

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.0, 3.5))
x = np.linspace(-2.5, 2.5, 60)
shown = np.abs(measured.x) < 2.5
system = {"stiffness": 1.0, "temperature": 1.0, "lag": lag}
for axes, order, values, errors, plain in (
    (left, 1, measured.drift, measured.drift_error, -x),
    (middle, 2, measured.diffusion, measured.diffusion_error, np.ones_like(x)),
):
    axes.plot(x, [float(theory.linear_drift(one, order=order, **system)) for one in x], label="closed form at the lag")
    axes.plot(x, plain, "--", color="C1", label="the dynamics")
    axes.errorbar(measured.x[shown], values[shown], errors[shown], fmt="o", color="k", ms=3, label="trajectories")
    axes.set(xlabel="x", ylabel=("drift", "diffusion")[order - 1])
    axes.legend(fontsize=8)
middle.set(ylim=(0.6, None))
left.set_title(r"a trap, $k\tau = 0.3$")
exact = float(trap_and_curl.entropy_production(stiffness=stiffness, curl=curl))
fine = np.geomspace(0.05, 1.5, 40)
right.axhline(exact, label=r"$2\epsilon^2/k$")
right.semilogx(fine, [float(trap_and_curl.uncertainty_estimate(stiffness=stiffness, curl=curl, lag=t)) for t in fine],
               color="C1", label="one current: uncertainty relation")  # fmt: skip
for mark, values, name in (("o", from_fit, "fitted dynamics"), ("s", from_currents, "best current")):
    right.errorbar(lags, [one.value for one in values], [one.standard_error for one in values], fmt=mark, color="k",
                   mfc="k" if mark == "o" else "w", ms=4, label=name)  # fmt: skip
right.set(xlabel=r"lag $k\tau$", ylabel=r"$\sigma$ [nats/time]", ylim=(0, 0.75))
right.set_title("a trap with a curl")
right.legend(fontsize=8)
plt.show()

# %%
# The fit at that lag has the dynamics back.

print(f"drift {fit.drift[1]:.4f} ± {fit.drift_error[1]:.4f}, exact −1")
print(f"diffusion {fit.diffusion[0]:.4f} ± {fit.diffusion_error[0]:.4f}, exact 1")
