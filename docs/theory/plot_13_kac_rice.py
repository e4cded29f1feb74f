r"""
Critical points of random landscapes
====================================

``fpsolver.theory.kac_rice`` and ``fpsolver.theory.random_determinant``: how many minima, saddles and maxima a
Gaussian random landscape has, by itself and in a parabola.

Formulas
--------
For a stationary, isotropic Gaussian field *f* only the variances :math:`\lambda_2` of a slope and :math:`\lambda_4`
of a curvature matter. Per unit volume, and in all for :math:`\mu|x|^2/2 + f`, the mean numbers of critical points are

.. math::

   n_1 = \frac1\pi \sqrt{\frac{\lambda_4}{\lambda_2}}, \qquad
   \langle N_1 \rangle &= \operatorname{erf}\frac\mu{\sqrt{2\lambda_4}}
       + \sqrt{\frac{2\lambda_4}\pi}\,\frac{e^{-\mu^2/2\lambda_4}}\mu \qquad \text{in 1-D}, \\
   n_2 = \frac{2\lambda_4}{3\sqrt3\,\pi\lambda_2}, \qquad
   \langle N_2 \rangle &= 1 + \frac{4\lambda_4}{3\sqrt3\,\mu^2}\,e^{-\mu^2/2\lambda_4} \qquad \text{in 2-D}.

A half of those in 1-D and a quarter in 2-D are minima, without the parabola. In *d* dimensions
:math:`\langle N\rangle = \langle|\det(M + (m + \xi)\mathbf 1)|\rangle/m^d` with :math:`m = \mu\sqrt{3/\lambda_4}`,
*M* in the Gaussian orthogonal ensemble and :math:`\xi` standard normal; for many dimensions and
:math:`r = \mu/\mu_c < 1`, :math:`\mu_c^2 = d\lambda_4/3`, :math:`\ln\langle N\rangle/d \to (r^2 - 1)/2 - \ln r`.

Sketch of the derivation
------------------------
Counting zeros of the gradient,
:math:`\langle N \rangle = \int \langle \delta(\mu x + \nabla f)\, |\det(\mu + \nabla\nabla f)| \rangle\, \mathrm dx`
(S. O. Rice, Bell Syst. Tech. J. 23, 282, 1944). In a stationary field a slope and a curvature at one point are
independent, so that the average of the product is the product of averages, and the integral over *x* of the first is
:math:`\mu^{-d}`; without the parabola the density of a zero slope, :math:`(2\pi\lambda_2)^{-d/2}`, takes its place.
In 1-D there remains the mean modulus of a normal variable. In 2-D write the determinant as :math:`y^2 - X`, with *y*
half the trace of the Hessian, normal of variance :math:`2\lambda_4/3`, and *X* the squared half difference of its
eigenvalues, exponential with the same mean; the mean of the modulus is elementary (M. S. Longuet-Higgins, Phil.
Trans. R. Soc. A 249, 321, 1957). In any dimension the Hessian is :math:`\sqrt{\lambda_4/3}\,(M + \xi)`. The joint
density of :math:`d + 1` eigenvalues is that of *d* times :math:`\prod|x - \lambda_i|\,e^{-x^2/4}`, so that the mean
determinant is the density of eigenvalues of one matrix more, which has a closed form (Y. V. Fyodorov, Phys. Rev.
Lett. 92, 240601, 2004).

When it holds
-------------
Exactly, on average over fields whose covariance has four derivatives at zero; ``error_scale`` is 0 but for
``parabola_critical_points_in_many_dimensions``. Minima by themselves are known up to two dimensions; asking for more
is a ``TheoryError``, as are numbers that are not positive and dimensions, about 350, at which the density of
eigenvalues underflows.
"""

import matplotlib.pyplot as plt
import numpy as np

from fpsolver.landscapes import count_crossings, field_critical_points, gaussian_spectrum
from fpsolver.theory import kac_rice

# %%
# Left: a sample on a torus, and all of its critical points by Newton's method. Right: counts in parabolas, averaged
# over 2000 fields in 1-D and 80 in 2-D.

square = gaussian_spectrum(2, period=10.0)
sample = square.sample(8)
found = field_critical_points(sample)


def counts_on_the_line(strength, seed, samples=2000):
    spectrum = gaussian_spectrum(period=2 * max(6 / strength, 5.0))
    nodes = int(np.ceil(spectrum.period / 0.05))
    step = spectrum.period / nodes
    x = step * (np.arange(nodes + 1) - nodes // 2)
    fields = spectrum.sample(seed, samples)
    slopes, curvatures = (np.pad(fields.on_grid(nodes, axes), ((0, 0), (0, 1)), "wrap") for axes in ((0,), (0, 0)))
    return np.add(*count_crossings(slopes + strength * x, curvatures + strength, step))


def counts_in_the_plane(strength, seed, samples=80):
    spectrum = gaussian_spectrum(2, period=max(9 / strength, 6.0))
    fields = (spectrum.sample([seed, number]) for number in range(samples))
    return np.array([len(field_critical_points(field, confinement=strength)) for field in fields])


figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.2))
nodes = 200
axis = sample.period / nodes * np.arange(nodes)
left.pcolormesh(axis, axis, sample.on_grid(nodes).T, cmap="Greys", shading="nearest", rasterized=True)
for index, (name, marker, colour) in enumerate((("minima", "o", "C0"), ("saddles", "x", "C1"), ("maxima", "^", "C2"))):
    at = found.positions[found.indices == index]
    left.plot(at[:, 0], at[:, 1], marker, color=colour, ms=5, label=f"{len(at)} {name}")
left.set(xlabel="x", ylabel="y", aspect="equal", xlim=(0, 10), ylim=(0, 10))
left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
fine = np.geomspace(0.18, 3.3, 60)
for dimension, counted, strengths in (
    (1, counts_on_the_line, np.geomspace(0.2, 3.0, 7)),
    (2, counts_in_the_plane, np.geomspace(0.6, 3.0, 5)),
):
    colour = f"C{dimension - 1}"
    curve = [float(kac_rice.parabola_critical_points(value, dimension=dimension)) for value in fine]
    right.loglog(fine, curve, color=colour, label=f"{dimension}-D, Kac–Rice")
    counts = [counted(value, seed) for seed, value in enumerate(strengths)]
    means, errors = np.array([(c.mean(), 2 * c.std() / np.sqrt(len(c))) for c in counts]).T
    right.errorbar(strengths, means, errors, fmt="o", color=colour, ms=4, capsize=2, label=f"{dimension}-D, counted")
right.set(xlabel=r"curvature $\mu$ of the parabola", ylabel=r"critical points $\langle N\rangle$", ylim=(0.8, 120))
right.set_xticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
right.minorticks_off()
right.legend()
plt.show()

# %%
# Bars are two standard errors. On a torus minima and maxima together are as many as saddles, in every sample.

moments = {"slope_variance": square.moment(2), "curvature_variance": square.moment(4), "dimension": 2}
mean = float(kac_rice.critical_point_density(**moments)) * square.period**2
print(f"critical points of the sample on the left: {len(found)}; on average {mean:.4f}")
