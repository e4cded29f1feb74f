r"""
Thermodynamic length
====================

Slow driving costs the square of a length over the time, and the best path is a geodesic:
``fpsolver.thermodynamics.friction_tensor`` and ``slow_driving``. Closed forms:
``fpsolver.theory.thermodynamic_length``.

Statement
---------
To leading order in one over the duration,

.. math::

   W - \Delta F = \int_0^{t_f} \dot\lambda^{\mathsf T} \zeta(\lambda)\, \dot\lambda \,\mathrm dt
   \ge \frac{1}{t_f} \Bigl( \int \sqrt{\mathrm d\lambda^{\mathsf T} \zeta\, \mathrm d\lambda} \Bigr)^2 , \qquad
   \zeta_{ab} = \frac 1T \int_0^\infty \langle \delta X_a(t)\, \delta X_b(0) \rangle_{\text{eq}} \,\mathrm dt ,

with :math:`X_a = \partial L/\partial\lambda_a`; equality along the geodesic, with
:math:`\dot\lambda^{\mathsf T} \zeta \dot\lambda` constant (D. A. Sivak, G. E. Crooks, Phys. Rev. Lett. 108, 190602,
2012). For a harmonic trap :math:`\zeta_{kk} = T/4\mu k^3` and :math:`\zeta_{cc} = 1/\mu`.

Derivation
----------
The work rate is :math:`\dot\lambda_a \langle X_a \rangle`, and :math:`\langle X_a \rangle` lags behind its
equilibrium value. Linear response to parameters that moved by :math:`-\dot\lambda\,\tau` a time :math:`\tau` ago
gives :math:`\langle X_a \rangle - \langle X_a \rangle_{\text{eq}} = \zeta_{ab}\dot\lambda_b`. The inequality is
Cauchy's and Schwarz's. On a grid the time integral is one linear solve, :math:`-\mathcal L^\dagger \phi = \delta X`
and :math:`\zeta = \langle \delta X \phi \rangle/T`.

When it holds
-------------
Durations that are long beside the slowest relaxation on the way, which at a barrier is the escape: there
:math:`\zeta` grows like :math:`e^{\Delta L/T}`, and the next order in :math:`1/t_f` is as large as the first unless
driving is slower still. *"The optimal protocol is a geodesic"* leaves that out: in finite time it also jumps.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import thermodynamic_length
from fpsolver.thermodynamics import SteppedDriving, slow_driving

trap = fp.Langevin(fp.Landscape("k*x**2/2", {"k": 1.0}, ("x",)), temperature=1.0)
wells = fp.Landscape("x**4/4 - x**2/2 - c*x", {"c": 0.0}, ("x",))

# %%
# Friction of the tilt of a double well, on a grid and by quadrature, at two temperatures.

line = fp.Grid(x=(-2.6, 2.6, 240))
frictions = {}
for temperature in (0.1, 0.2):
    path = slow_driving(fp.Langevin(wells, temperature=temperature), line, "c", -0.3, 0.3, points=21)
    form = thermodynamic_length.line_friction(wells, "c", (-2.6, 2.6), temperature=temperature)
    frictions[temperature] = (path, float(form))

# %%
# A trap that stiffens from 1 to 2: excess work along the ramp and along the geodesic, in many small steps.

stiffness = thermodynamic_length.stiffness_friction
ways = {
    "linear ramp": (lambda s: 1.0 + s, thermodynamic_length.slow_linear_excess_work),
    "geodesic": (thermodynamic_length.slow_stiffness_protocol(1.0, 2.0, 1.0), thermodynamic_length.slow_excess_work),
}
durations = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
grid = fp.Grid(x=(-7, 7, 140))
excess = {name: [] for name in ways}
for duration in map(float, durations):
    driving = SteppedDriving(trap, grid, {"k": (1.0, 2.0)}, duration, max(20, round(8 * duration)))
    ends = [driving.landscape(at) for at in (driving.start, driving.stop)]
    difference = -np.log(np.divide(*[np.exp(-one.value(grid.points)).sum() for one in ends[::-1]]))
    for name, (way, _) in ways.items():
        excess[name].append(duration * (driving.work(way(driving.middles / duration)) - difference))

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
for number, (temperature, (path, form)) in enumerate(frictions.items()):
    left.semilogy(path.values[:, 0] if path.values.ndim > 1 else path.values, path.friction, "o-", ms=3,
                  color=f"C{number}", label=f"T = {temperature:g} (grid)")  # fmt: skip
    left.plot(0, form, "x", color="k", ms=8, label="quadrature" if number == 0 else None)
left.set(xlabel="tilt c", ylabel=r"friction $\zeta(c)$")
left.set_title("tilting a double well")
left.legend()
for number, (name, values) in enumerate(excess.items()):
    limit = float(ways[name][1](stiffness, 1.0, 2.0, 1.0))
    right.axhline(limit, color=f"C{number}", ls="--", lw=1)
    right.semilogx(durations, values, "o-", color=f"C{number}", ms=4, label=name)
right.plot([], [], "--", color="0.5", lw=1, label=r"$t_f \to \infty$")
right.set(xlabel=r"duration $\mu t_f$", ylabel=r"$t_f\, (W - \Delta F)$ / T", ylim=(0, 0.11))
right.set_title("a trap that stiffens, 1 to 2")
right.legend()
plt.show()

# %%
# Length on the grid and in closed form, :math:`\sqrt{T/\mu}\,(1 - 1/\sqrt 2)`.

slow = slow_driving(trap, grid, "k", 1.0, 2.0, points=17)
print(
    f"length {slow.length:.5f}, closed form {float(thermodynamic_length.thermodynamic_length(stiffness, 1.0, 2.0)):.5f}"
)
path, form = frictions[0.1]
print(f"friction of the tilt at c = 0, T = 0.1: grid {path.friction[10]:.3f}, quadrature {form:.3f}")
