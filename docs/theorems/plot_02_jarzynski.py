r"""
Jarzynski equality
==================

Work done on a system that starts in equilibrium knows the free-energy difference, however fast it is done. Closed
forms: ``fpsolver.theory.dragged_trap``, ``stiffening_trap``, ``quadratic_chain`` and ``temperature_ramp``.

Statement
---------
With the work :math:`W = \int \partial_t L(x, t)\,\mathrm dt` of a protocol,
:math:`\Delta F = -T \ln(Z_{\text{end}}/Z_{\text{start}})` and
:math:`Z = \int e^{-L/T}`,

.. math:: \langle e^{-W/T} \rangle = e^{-\Delta F/T} , \qquad\text{hence}\qquad \langle W \rangle \ge \Delta F ,

for motion that starts in equilibrium and at every value of the parameters leaves :math:`e^{-L/T}` invariant. The
final state is arbitrary (C. Jarzynski, Phys. Rev. Lett. 78, 2690, 1997).

Derivation
----------
Weigh each trajectory with the work so far, :math:`g(x, t) = \langle \delta(x - x_t)\, e^{-W_t/T} \rangle`. It obeys
the Fokker–Planck equation with a source (Feynman and Kac),

.. math:: \partial_t g = \mathcal L_t\, g - \frac{\partial_t L}{T}\, g .

Since :math:`\mathcal L_t e^{-L/T} = 0`, :math:`g = e^{-L(x, t)/T}/Z_{\text{start}}` solves it, and is right at the
start; its integral is the equality. That *g* is known at all times is the theorem of Hummer and Szabo (PNAS 98, 3658,
2001).

When it holds
-------------
A start that is not in equilibrium has no such equality: from another Gaussian the average depends on the speed, may
be infinite, and becomes :math:`e^{-\Delta F/T}` only where the ramp takes long. *"For SGD as well"*, with the work of
its loss, is wrong: a learning rate :math:`\eta` leaves another density invariant. Started there, the equality is
exact in any dimension for the work of the shadow loss
:math:`\tilde L = \frac12 \theta^{\mathsf T} H (1 - \eta H/2)\, \theta`, also where Hessians change and do not
commute. The loss itself at :math:`T/(1 - \eta k/2)` serves for one fixed isotropic curvature only. With a temperature
that is ramped, :math:`\langle e^{-\int L\,\mathrm d\beta} \rangle = Z(\beta_{\text{end}})/Z(\beta_{\text{start}})`;
for a learning rate that is ramped the ratio is that of the chain's own stationary densities, not
:math:`(\eta_{\text{end}}/\eta_{\text{start}})^{d/2}`.
"""

import matplotlib.pyplot as plt
import numpy as np

import fpsolver as fp
from fpsolver.theory import quadratic_chain, stiffening_trap
from fpsolver.thermodynamics import work_generating_function, work_moments

landscape = fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0})
grid = fp.Grid(x=(-7, 7, 160))

# %%
# A trap that stiffens from 1 to 2: mean work and exponential average by the weighted density, from two starts.

durations = np.geomspace(0.1, 10, 5)
work, equal, narrow = [], [], []
for duration in durations:
    ramp = fp.Protocol.ramp(1.0, 2.0, duration=float(duration))
    W = fp.generator(fp.Langevin(landscape, temperature=1.0, protocol={"k": ramp}), grid)
    work.append(work_moments(W, duration, tolerance=1e-5).mean)
    equal.append(work_generating_function(W, duration, [1.0], tolerance=1e-5).values[0])
    start = fp.gaussian(grid, [0.0], [[0.5]])
    narrow.append(work_generating_function(W, duration, [1.0], initial=start, tolerance=1e-5).values[0])

# %%
# SGD at the learning rate 0.4, whose Hessian goes from 1 to 2 in so many steps, from its own stationary state.

eta = 0.4
numbers = np.array([1, 2, 5, 10, 20, 50, 100])
chains = {}
for name, hessian in (("shadow loss", quadratic_chain.shadow_hessian), ("loss", quadratic_chain.literal_hessian)):
    first, last = (hessian([[k]], learning_rate=eta) for k in (1.0, 2.0))
    difference = float(quadratic_chain.free_energy_difference(first, last, temperature=1.0))
    start = np.linalg.inv(quadratic_chain.shadow_hessian([[1.0]], learning_rate=eta))
    chains[name] = [
        float(
            quadratic_chain.exponential_work(
                [([0.0], [[k]]) for k in np.linspace(1.0, 2.0, number + 1)],
                learning_rate=eta, temperature=1.0, start_covariance=start, energy=hessian,
            )
        )
        * np.exp(difference)
        for number in numbers
    ]  # fmt: skip

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
fine = np.geomspace(0.08, 12, 50)
keys = {"temperature": 1.0}
means = [float(stiffening_trap.mean_work(1.0, 2.0, duration=t, **keys)) for t in fine]
other = [float(stiffening_trap.exponential_work(1.0, 2.0, duration=t, start_variance=0.5, **keys)) for t in fine]
left.semilogx(fine, means, label=r"$\langle W \rangle$")
left.semilogx(fine, -np.log(other), color="C1", label=r"$-\ln\langle e^{-W} \rangle$, variance ½ at the start")
left.axhline(0.5 * np.log(2), color="C2", label=r"$\Delta F$, start in equilibrium")
for values in (work, -np.log(narrow), -np.log(equal)):
    left.plot(durations, values, "o", color="k", ms=4)
left.plot([], [], "o", color="k", ms=4, label="weighted density (grid)")
left.set(xlabel=r"duration $\mu t_f$", ylabel="energy / T", ylim=(0, 0.65))
left.set_title("a trap that stiffens, 1 to 2")
left.legend(fontsize=8)
for name, values in chains.items():
    right.semilogx(numbers, values, "o-", ms=4, label=f"work of the {name}")
right.set(xlabel="number of steps", ylabel=r"$\langle e^{-(W - \Delta F)/T} \rangle$")
right.set_title(r"SGD, $\eta = 0.4$, Hessian 1 to 2")
right.legend()
plt.show()

# %%
# On the grid the equality holds to the tolerance of the solver, at every speed.

worst = np.abs(np.array(equal) * np.sqrt(2) - 1).max()
print(f"largest |⟨exp(−W/T)⟩ exp(ΔF/T) − 1|: {worst:.1e}; mean work at unit duration {work[2]:.5f}")
print(f"closed form {float(stiffening_trap.mean_work(1.0, 2.0, duration=1.0, temperature=1.0)):.5f}")
