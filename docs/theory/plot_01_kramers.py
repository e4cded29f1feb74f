r"""
Kramers' rate
=============

``fpsolver.theory.kramers``: how often noise carries the parameters over a barrier of height :math:`\Delta L` from a
minimum *a* over a top *b*, in one dimension.

Formulas
--------
Friction :math:`\gamma` is a rate, :math:`\zeta = m\gamma` the coefficient, :math:`\mu = 1/\zeta` the mobility, and
:math:`\omega_0^2 = L''_a/m`, :math:`\omega_b^2 = |L''_b|/m`.

.. math::

   k_{\text{overdamped}} &= \frac{\mu}{2\pi}\sqrt{L''_a\,|L''_b|}\; e^{-\Delta L/T}, \\
   k_{\text{intermediate}} &= \frac{\sqrt{\gamma^2/4 + \omega_b^2} - \gamma/2}{\omega_b}\,
                              \frac{\omega_0}{2\pi}\; e^{-\Delta L/T}, \\
   k_{\text{strong}} &= \frac{\omega_0}{2\pi}\,\frac{\omega_b}{\gamma}\; e^{-\Delta L/T} .

The mean time to cross is :math:`1/k`, to the top of the barrier half of it; a symmetric double well relaxes at
:math:`\lambda_1 = 2k`.

Sketch of the derivation
------------------------
Let a source in the well and a sink beyond the barrier keep a small steady current *J* with *N* particles in the well;
then :math:`k = J/N`. In the overdamped limit the current
:math:`J = -\mu T\, e^{-L/T}\,\partial_x (e^{L/T} p)` is constant, so that

.. math:: \frac{1}{k} = \frac{1}{\mu T} \int_{\text{well}} e^{-L/T} \mathrm dx \int_{\text{top}} e^{L/T} \mathrm dx ,

and each integral is a Gaussian one when :math:`T \ll \Delta L`: :math:`\sqrt{2\pi T/L''_a}\,e^{-L_a/T}` and
:math:`\sqrt{2\pi T/|L''_b|}\,e^{L_b/T}`. With inertia, Kramers solved the linearised problem at the top: the
current is a function of :math:`v - (\lambda + \gamma)(x - x_b)` only, with :math:`\lambda` the rate at which a
noiseless particle leaves the parabola, :math:`\lambda^2 + \gamma\lambda = \omega_b^2`; the factor
:math:`\lambda/\omega_b` counts the returns (H. A. Kramers, Physica 7, 284, 1940, eqs. 17 and 25).

When it holds
-------------
:math:`T \ll \Delta L`: the first correction is of order :math:`T/\Delta L`, a factor 1 + (3/2)T in the mean time over
:math:`x^4/4 - x^2/2`. ``overdamped_rate`` and ``strong_friction_rate`` need :math:`\gamma \gg \omega_b` besides, with
an error of order :math:`(\omega_b/\gamma)^2`; the second warns where that is not so. ``intermediate_rate`` holds for
every friction at which a particle loses more than *T* on its way through the well and back; below that see the
turnover. A barrier that is not above its minimum, or a curvature of the wrong sign, is an error.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, kramers

landscape = fp.Landscape("x**4/4 - x**2/2")
barrier = Barrier.between(landscape, -1.0, 0.0)
grid = fp.Grid(x=(-2.2, 2.2, 800))

# %%
# The mean time from −1 to 1, by the backward equation on a grid, over Kramers' :math:`1/k`.

temperatures = np.linspace(0.0125, 0.125, 9)
ratios = []
for temperature in temperatures:
    W = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
    time = fp.mean_first_passage_time(W, target=fp.where(x=(1.0, None))).at([[-1.0]])[0]
    ratios.append(time * float(kramers.overdamped_rate(barrier, temperature=temperature)))

# %%
# The slowest rate with inertia, at T = 0.05, over the rate of transition state theory.

frictions = np.geomspace(0.3, 30.0, 9)
gaps = []
for friction in frictions:
    phase_space = fp.Grid(x=(-1.9, 1.9, 160), velocity={"x": (-1.6, 1.6, 48)})
    W = fp.generator(fp.UnderdampedLangevin(landscape, temperature=0.05, friction=friction), phase_space)
    gaps.append(fp.spectrum(W, k=2).rates[1].real)
limit = 2 * float(kramers.transition_state_rate(barrier, temperature=0.05))


def predicted(rate, friction):
    return 2 * float(rate(barrier, temperature=0.05, friction=friction)) / limit


figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
left.plot(temperatures, ratios, "o", color="k", ms=4, label="backward equation (grid)")
left.plot([0, 0.13], [1, 1 + 1.5 * 0.13], label=r"$1 + \frac{3}{2}\,T$")
left.set(xlabel="temperature T", ylabel="mean time × Kramers' rate", xlim=(0, None), ylim=(1, None))
left.legend()
fine = np.geomspace(1.01, 30, 100)
right.loglog(frictions, np.array(gaps) / limit, "o", color="k", ms=4, label="Klein–Kramers (grid)")
wide = np.geomspace(0.3, 30, 100)
right.loglog(wide, [predicted(kramers.intermediate_rate, value) for value in wide], label="intermediate")
right.loglog(fine, [predicted(kramers.strong_friction_rate, value) for value in fine], "--", label="strong friction")
right.set(xlabel=r"friction $\gamma$ [1/time]", ylabel=r"$\lambda_1$ / transition state theory")
right.legend()
plt.show()

# %%
# Both panels show the same error: at T = 0.05 the formula is 7 % above the measured rate at strong friction.

print(f"T = {temperatures[0]:g}: exact over Kramers {ratios[0]:.6f}, 1 + (3/2)T = {1 + 1.5 * temperatures[0]:.6f}")
