r"""
The spherical glass
===================

``fpsolver.theory.spherical_glass``: a random polynomial of degree *p* on a sphere, and at which energies it has its
minima and saddles.

Formulas
--------
*f* is homogeneous of degree *p* on the unit sphere in *N* dimensions, Gaussian with the covariance
:math:`(x \cdot y)^p`; the energy is :math:`E = f/\sqrt N`. The mean number of critical points is, with
:math:`d = N - 1`,

.. math::

   \langle N_{\text{crit}}\rangle = \operatorname{Vol}(S^d) \left(\frac{p - 1}{2\pi}\right)^{d/2}
       \left\langle\left|\det\Bigl(M + \xi\sqrt{\tfrac p{p - 1}}\;\mathbf 1\Bigr)\right|\right\rangle, \qquad
   \frac1N \ln\langle N_{\text{crit}}\rangle \to \frac12\ln(p - 1),

with *M* in the Gaussian orthogonal ensemble; :math:`2\sqrt{3p - 2}` on the circle, :math:`2N` for :math:`p = 2`.
Minima below *E* number :math:`e^{N\Sigma(E)}`, where for :math:`E \le -E_\infty`,
:math:`E_\infty = 2\sqrt{(p - 1)/p}`,

.. math::

   \Sigma(E) = \frac12\ln(p - 1) - \frac{p - 2}{4(p - 1)}\,E^2 - I(E), \qquad
   I = \frac{|E|\sqrt{E^2 - E_\infty^2}}{E_\infty^2} - \ln\frac{|E| + \sqrt{E^2 - E_\infty^2}}{E_\infty} .

Sketch of the derivation
------------------------
As for other random landscapes, critical points are counted as zeros of the gradient: on the sphere the gradient has
the variance *p* and is independent of the value and of the Hessian, which is
:math:`\sqrt{p(p - 1)}\,M - p f\,\mathbf 1`, since a homogeneous function has the radial slope *pf*. This gives the
formula, by :math:`\operatorname{Vol}(S^d)\,(2\pi p)^{-d/2}\,\langle|\det|\rangle`. At a given energy the spectrum of
the Hessian is a semicircle whose half width is :math:`2\sqrt{p(p - 1)N}`, shifted by :math:`-pE\sqrt N`: all of it is
positive below :math:`-E_\infty`. There nearly all critical points are minima, and :math:`\Sigma` follows from the
mean of the logarithm of the semicircle's eigenvalues (A. Auffinger, G. Ben Arous, J. Černý, Comm. Pure Appl. Math.
66, 165, 2013).

When it holds
-------------
Gaussian couplings. Numbers at finite *N* are exact averages; complexities are limits :math:`N \to \infty` of the
logarithm of an average. Minima need :math:`p \ge 3`; other degrees and fewer than two dimensions are a
``TheoryError``.
"""

import math

import matplotlib.pyplot as plt
import numpy as np

from fpsolver.landscapes import count_crossings
from fpsolver.theory import spherical_glass

# %%
# Left: critical points on the circle, by sign changes of the slope of 10 000 forms of every degree.


def counted_on_the_circle(degree, samples=10_000):
    orders = np.arange(degree + 1)
    sizes = np.sqrt([math.comb(degree, int(order)) for order in orders])
    couplings = sizes * np.random.default_rng(degree).standard_normal((samples, degree + 1))
    angles = np.linspace(0.0, 2 * np.pi, 401)
    waves = np.fft.rfft(np.cos(angles[:-1]) ** (degree - orders[:, None]) * np.sin(angles[:-1]) ** orders[:, None])
    wavenumbers = 1j * np.arange(waves.shape[1])
    slope, curvature = (couplings @ np.fft.irfft(waves * wavenumbers**order) for order in (1, 2))
    return np.add(*count_crossings(*(np.pad(f, ((0, 0), (0, 1)), "wrap") for f in (slope, curvature)), angles[1]))


# %%
# Right: where descent ends for :math:`p = 3`, from 30 random points on each of some spheres.


def ends_of_descent(spins, seed, starts=30, steps=250):
    rng = np.random.default_rng(seed)
    couplings = rng.standard_normal((spins, spins, spins)) / np.sqrt(spins)
    orders = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2))
    couplings = sum(couplings.transpose(order) for order in orders).reshape(spins, -1) / 6
    x = rng.standard_normal((starts, spins))
    for _ in range(steps):
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        gradient = 3 * ((x @ couplings).reshape(-1, spins, spins) @ x[:, :, None])[:, :, 0]
        energies = np.sum(gradient * x, axis=1) / 3
        x = x - 0.15 * (gradient - 3 * energies[:, None] * x)
    return energies


figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.9))
degrees = np.arange(2, 11)
counts = [counted_on_the_circle(int(degree)) for degree in degrees]
errors = [2 * c.std() / np.sqrt(len(c)) for c in counts]
left.errorbar(degrees, [c.mean() for c in counts], errors, fmt="o", color="k", ms=4, capsize=2, label="counted")
law = [float(spherical_glass.critical_points(int(degree), spins=2)) for degree in degrees]
left.plot(degrees, law, color="C0", label=r"$2\sqrt{3p - 2}$")
left.set(xlabel="degree p", ylabel="critical points on the circle", ylim=(0, None))
left.legend()
edge, ground = float(spherical_glass.threshold_energy(3)), float(spherical_glass.ground_state_energy(3))
for spins, samples in ((10, 8), (20, 6), (40, 3)):
    energies = np.concatenate([ends_of_descent(spins, seed) for seed in range(samples)])
    right.plot(np.full_like(energies, 1 / spins), energies, "_", color="0.6", ms=9)
    right.plot(1 / spins, energies.mean(), "o", color="k", ms=5, label="mean" if spins == 10 else None)
    print(f"N = {spins}: descent ends at {energies.mean():.3f} on average, standard deviation {energies.std():.3f}")
right.plot([], [], "_", color="0.6", ms=9, label="ends of descent")
right.axhline(-edge, color="C0", lw=1, label=r"threshold $-E_\infty$")
right.axhline(-ground, color="C1", lw=1, label=r"ground state $-E_0$")
right.set(xlabel="1/N", ylabel="energy E", xlim=(0, 0.115), title="p = 3")
right.legend(fontsize=8)
plt.show()

# %%
# With growing *N* the ends of descent scatter less and move down, towards the threshold. Minima are at energies
# between both lines, in numbers that grow exponentially with *N*, most of them just below the threshold.

most = float(spherical_glass.minimum_complexity(-edge, degree=3))
print(f"threshold {-edge:.6f}, ground state {-ground:.6f}; complexity of all minima {most:.6f}")
