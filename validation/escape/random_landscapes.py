"""Claims E12 and D12: how many critical points and minima a random landscape has, counted one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolver.landscapes import (
    count_crossings,
    cube_minima,
    field_critical_points,
    gaussian_spectrum,
    random_energies,
)
from fpsolver.theory import kac_rice, random_energy, spherical_glass
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, misses, rounded, slope, statistical

COUNTS = claim(
    "E12",
    family="escape",
    title="Kac–Rice counts, complexity, and topology trivialisation",
    as_written="⟨N⟩ = ∫dx ⟨|det ∇∇L| δ(∇L)⟩, e^{dΣ} of them, until a parabola leaves one",
    statement=(
        "For a stationary isotropic Gaussian f with λ₂ = ⟨(∂₁f)²⟩ and λ₄ = ⟨(∂₁∂₁f)²⟩ the mean number of critical "
        "points is exactly √(λ₄/λ₂)/π per length in 1-D, half of them minima, and 2λ₄/(3√3πλ₂) per area in 2-D, a "
        "quarter of them minima. In a parabola μ|x|²/2 it is erf(μ/√2λ₄) + √(2λ₄/π) e^{−μ²/2λ₄}/μ in 1-D, "
        "1 + 4λ₄/(3√3μ²) e^{−μ²/2λ₄} in 2-D, and an integral over the density of eigenvalues of the Gaussian "
        "orthogonal ensemble in any dimension. It tends to 1 as μ grows; in many dimensions ln⟨N⟩/d → (r² − 1)/2 − ln r"
        " for r = μ/μ_c < 1, μ_c² = dλ₄/3, and 0 above: a sharp transition only in that limit."
    ),
    verdict="exact",
    sources=(
        "S. O. Rice, Bell Syst. Tech. J. 23, 282 (1944)",
        "M. S. Longuet-Higgins, Phil. Trans. R. Soc. A 249, 321 (1957)",
        "Y. V. Fyodorov, Phys. Rev. Lett. 92, 240601 (2004)",
        "A. Auffinger, G. Ben Arous, J. Černý, Comm. Pure Appl. Math. 66, 165 (2013)",
    ),
)

MINIMA = claim(
    "D12",
    family="escape",
    title="Density of minima and the entropy in its exponent",
    as_written="ρ_m = e^{S(E)/k}, with S the entropy of the landscape",
    statement=(
        "ρ_m = e^{S} defines S as the complexity of minima, not the entropy of states. In the random energy model the "
        "density of minima is 2^N p(E) [1 − F(E)]^N, 2^N/(N + 1) in all, against 2^N p(E) states; per spin both "
        "exponents are ln 2 − e²/2 below e = 0, but only states are found above. On a Gaussian field the energies of "
        "minima follow the Kac–Rice law and not that of the field."
    ),
    verdict="definition",
    sources=(
        "B. Derrida, Phys. Rev. B 24, 2613 (1981)",
        "D. E. Cartwright, M. S. Longuet-Higgins, Proc. R. Soc. A 237, 212 (1956)",
    ),
    written=random_energy.state_density,
    corrected=random_energy.minimum_density,
)

SPACING = 0.05
"""Of nodes on the line: pairs of crossings that the cubic between two nodes misses are below 1e-6 of all."""


@COUNTS.check
def density_on_a_ring(trial: Trial) -> Iterator[Comparison]:
    """Critical points per length of Gaussian fields on a ring, by sign changes of the slope; two covariance lengths."""
    for k, length in enumerate((1.0, 0.4)):
        spectrum, samples = gaussian_spectrum(period=40.0, length=length), trial.pick(brief=200, quick=5000, full=10**5)
        up, down = _crossings(spectrum, samples, trial.seed + k, SPACING * length)
        moments = {"slope_variance": spectrum.moment(2), "curvature_variance": spectrum.moment(4)}
        density = (up + down) / spectrum.period
        yield statistical(f"1-D, ℓ = {length:g}", kac_rice.critical_point_density(**moments), *_mean(density))
        yield statistical(
            f"1-D minima, ℓ = {length:g}", kac_rice.minimum_density(**moments), *_mean(up / spectrum.period)
        )
        yield rounded(f"1-D, ℓ = {length:g}: largest |minima − maxima|", 0.0, np.abs(up - down).max(), rounding=0.0)


@COUNTS.check
def parabola_on_the_line(trial: Trial) -> Iterator[Comparison | Series]:
    """Critical points and minima of μx²/2 + f on the line, μ from 0.1 to 2, by sign changes of the slope."""
    strengths = np.geomspace(0.1, 2.0, trial.pick(brief=5, quick=9, full=17))
    rows = []
    for k, mu in enumerate(strengths):
        spectrum = gaussian_spectrum(period=2.0 * max(6.0 / mu, 5.0))
        samples = trial.pick(brief=200, quick=5000, full=100_000)
        up, down = _crossings(spectrum, samples, trial.seed + k, SPACING, confinement=mu)
        curvature = spectrum.moment(4)
        total = kac_rice.parabola_critical_points(mu, curvature_variance=curvature)
        rows.append(_mean(up + down))
        yield statistical(f"1-D parabola, μ = {mu:.3g}", total, *rows[-1])
        minima = kac_rice.parabola_minima(mu, curvature_variance=curvature)
        yield statistical(f"1-D parabola, minima, μ = {mu:.3g}", minima, *_mean(up))
    yield _against_strength("critical points of μx²/2 + f, 1-D", strengths, rows, 1)


@COUNTS.check
def density_on_a_torus(trial: Trial) -> Iterator[Comparison]:
    """Critical points per area of Gaussian fields on a torus by Newton's method; their alternating sum is 0."""
    spectrum = gaussian_spectrum(2, period=8.0)
    found = [
        field_critical_points(spectrum.sample([trial.seed, k])).indices
        for k in range(trial.pick(brief=5, quick=400, full=3000))
    ]
    moments = {"slope_variance": spectrum.moment(2), "curvature_variance": spectrum.moment(4), "dimension": 2}
    area = spectrum.period**2
    by_index = np.array([np.bincount(indices, minlength=3) for indices in found]) / area
    total, minima = kac_rice.critical_point_density(**moments), kac_rice.minimum_density(**moments)
    yield statistical("2-D", total, *_mean(by_index.sum(axis=1)))
    yield statistical("2-D minima", minima, *_mean(by_index[:, 0]))
    yield statistical("2-D saddles", float(total) / 2.0, *_mean(by_index[:, 1]))
    yield statistical("2-D maxima", minima, *_mean(by_index[:, 2]))
    # Kac and Rice's integrand at one point, ⟨|det ∇∇f| δ(∇f)⟩, where the counts above are too few to be sharp.
    curvatures = _curvatures(2, trial)
    determinants = np.prod(curvatures, axis=1) / (2.0 * math.pi * spectrum.moment(2))
    yield statistical("2-D, random Hessians", total, *_mean(np.abs(determinants)))
    positive = np.all(curvatures > 0.0, axis=1)
    yield statistical("2-D minima, random Hessians", minima, *_mean(np.where(positive, determinants, 0.0)))


@COUNTS.check
def parabola_in_the_plane(trial: Trial) -> Iterator[Comparison | Series]:
    """Critical points and minima of μ|x|²/2 + f in the plane, by Newton's method; their alternating sum is 1."""
    strengths = trial.pick(brief=(1.0, 2.0), quick=(0.5, 1.0, 1.5, 2.0), full=(0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0))
    curvatures, rows = _curvatures(2, trial), []
    for mu in strengths:
        # Strong parabolas leave fewer points, which take less time to find.
        samples = trial.pick(brief=20, quick=250, full=1000) * (4 if mu >= 1.0 else 1)
        counts, minima = _confined(2, mu, samples, trial.seed)
        rows.append(_mean(counts))
        yield statistical(f"2-D parabola, μ = {mu:g}", kac_rice.parabola_critical_points(mu, dimension=2), *rows[-1])
        lowest = kac_rice.parabola_minima(mu, dimension=2)
        yield statistical(f"2-D parabola, minima, μ = {mu:g}", lowest, *_mean(minima))
        weights = np.where(np.all(curvatures > -mu, axis=1), np.prod(1.0 + curvatures / mu, axis=1), 0.0)
        yield statistical(f"2-D parabola, minima, random Hessians, μ = {mu:g}", lowest, *_mean(weights))
    yield _against_strength("critical points of μ|x|²/2 + f, 2-D", np.array(strengths), rows, 2)


@COUNTS.check
def the_topology_becomes_trivial(trial: Trial) -> Iterator[Comparison | Series]:
    """Excess ⟨N⟩ − 1 in one, two and three dimensions, which falls as the parabola passes μ_c = √d.

    By counts, and as ⟨|det(1 + ∇∇f/μ)| − det(1 + ∇∇f/μ)⟩ over random Hessians: without the bars the mean is 1.
    """
    ratios = trial.pick(brief=(1.0,), quick=(0.9, 1.2, 1.6), full=(0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 2.0))
    curves, points = [], []
    axis = np.linspace(0.6, 2.1, 61)
    counted = trial.pick(brief={1: 2000}, quick={1: 20_000}, full={1: 200_000, 2: 1500, 3: 300})
    for d in (1, 2, 3):
        curves.append(Curve(f"d = {d}, Kac–Rice", axis, [_excess(d, r) for r in axis]))
        curvatures = _curvatures(d, trial)
        measured: dict[str, list[tuple[float, float]]] = {}
        for ratio in ratios:
            mu = ratio * kac_rice.critical_confinement(d)
            determinants = np.prod(1.0 + curvatures / mu, axis=1)
            found = {"random Hessians": _mean(np.abs(determinants) - determinants)}
            if d in counted:
                # Critical points come in pairs.
                found["counted"] = _rare(_confined_counts(d, mu, counted[d], trial) - 1, _excess(d, ratio), together=2)
            for route, (value, error) in found.items():
                yield statistical(f"⟨N⟩ − 1, d = {d}, μ = {ratio:g} μ_c, {route}", _excess(d, ratio), value, error)
                measured.setdefault(route, []).append((value, error))
        for route, rows in measured.items():
            values, errors = np.array(rows).T
            points.append(Points(f"d = {d}, {route}", ratios, values, errors))
    yield Series("excess over one critical point", "μ/μ_c", "⟨N⟩ − 1", tuple(curves), tuple(points), "y")


@COUNTS.check
def complexity_in_many_dimensions(trial: Trial) -> Iterator[Comparison | Series]:
    """ln⟨N⟩/d at μ = μ_c/2 from random matrices: the finite formula, its limit, and the approach as 1/d."""
    ratio, dimensions = 0.5, trial.pick(brief=(2, 16), quick=(2, 3, 8, 16, 32, 64), full=(2, 3, 4, 8, 16, 32, 64, 128))
    rows = []
    for d in dimensions:
        samples = trial.pick(brief=4000, quick=100_000, full=2_000_000)
        value, error = _log_mean_of_random_matrices(d, ratio * math.sqrt(d), samples, trial.seed)
        rows.append((value / d, error / d))
        yield statistical(f"ln⟨N⟩/d, μ = μ_c/2, d = {d}", _log_count(d, ratio) / d, *rows[-1])
    many = np.array([6, 10, 16, 26, 42, 68, 110, 180])
    exact = [_log_count(int(d), ratio) for d in many]
    limit = [kac_rice.parabola_critical_points_in_many_dimensions(ratio, dimension=int(d)) for d in many]
    deviation = np.array([math.exp(a) / float(b) - 1.0 for a, b in zip(exact, limit, strict=True)])
    values, errors = np.array(rows).T
    complexity = float(kac_rice.parabola_complexity(ratio))
    yield Series(
        "complexity in a parabola, μ = μ_c/2", "dimension", "ln⟨N⟩/d",
        (Curve("finite dimension", many, np.array(exact) / many), Curve("limit", many, np.full(len(many), complexity))),
        (Points("random matrices", dimensions, values, errors),), "x",
        slope("⟨N⟩/[4√(d(1 − r²)/π) e^{dΣ}] − 1 against d", many, deviation, -1.0, towards="large"),
    )  # fmt: skip


@COUNTS.check
def spherical_glass_on_the_circle(trial: Trial) -> Iterator[Comparison]:
    """Critical points of random forms of degree p on the circle, by sign changes of the slope: 2√(3p − 2)."""
    for degree in (2, 3, 5):
        rng = np.random.default_rng(trial.seed + degree)
        orders = np.arange(degree + 1)
        sizes = np.sqrt([math.comb(degree, int(k)) for k in orders])
        couplings = sizes * rng.standard_normal((trial.pick(brief=500, quick=20_000, full=500_000), degree + 1))
        angles = np.linspace(0.0, 2.0 * math.pi, 241)
        form = np.cos(angles) ** (degree - orders[:, None]) * np.sin(angles) ** orders[:, None]
        # A form is a trigonometric polynomial of degree p, so that the FFT differentiates it exactly.
        waves = np.fft.rfft(form[:, :-1], axis=1) * 1j * np.arange(121)
        slopes = [np.fft.irfft(waves * (1j * np.arange(121)) ** k, axis=1) for k in (0, 1)]
        first, second = (couplings @ np.concatenate([s, s[:, :1]], axis=1) for s in slopes)
        counts = np.add(*count_crossings(first, second, angles[1]))
        predicted = spherical_glass.critical_points(degree, spins=2)
        if degree == 2:
            yield rounded("p = 2: always two pairs of eigenvectors", predicted, counts.mean(), rounding=1e-12)
        else:
            yield statistical(f"circle, p = {degree}", predicted, *_mean(counts))


@MINIMA.check
def energies_of_minima_on_the_cube(trial: Trial) -> Iterator[Comparison | Series]:
    """Minima of random energies, found by comparing all neighbours, in bins of energy."""
    for spins in trial.pick(brief=(10,), quick=(8, 14), full=(8, 12, 16)):
        energies, samples = _cubes(trial, spins)
        edges = math.sqrt(spins) * np.array([-4.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5])
        counts = np.array([np.histogram(row, edges)[0] for row in energies])
        widths, centres = np.diff(edges), (edges[1:] + edges[:-1]) / 2.0
        rows = []
        for j in range(len(widths)):
            predicted = _integral(partial(trial.predict, spins=spins), edges[j], edges[j + 1])
            rows.append(_rare(counts[:, j], predicted))
            name = f"N = {spins}, number in E/√N from {edges[j] / math.sqrt(spins):.3g}"
            yield statistical(name, predicted, *rows[-1])
        axis = np.linspace(edges[0], edges[-1], 121)
        curves = tuple(
            Curve(label, axis, [float(form(float(e), spins=spins)) for e in axis])
            for label, form in (("minima", random_energy.minimum_density), ("states", random_energy.state_density))
        )
        values, errors = np.array(rows).T / widths
        points = (Points(f"minima of {samples} cubes", centres, values, errors),)
        yield Series(f"random energies, N = {spins}", "E", "number per unit energy", curves, points, "y")


@MINIMA.check
def number_of_minima_on_the_cube(trial: Trial) -> Iterator[Comparison]:
    """All minima: the integral of the density, 2^N/(N + 1), for normal energies and for exponential ones."""
    spins = trial.pick(brief=10, quick=12, full=16)
    energies, samples = _cubes(trial, spins)
    total = _integral(partial(trial.predict, spins=spins), -8.0 * math.sqrt(spins), 8.0 * math.sqrt(spins))
    measured = _mean(np.array([len(row) for row in energies]))
    yield statistical(f"normal energies, N = {spins}", total, *measured)
    other = np.random.default_rng(trial.seed + 1).exponential(size=(samples, 2**spins))
    number = random_energy.number_of_minima(spins=spins)
    yield statistical(f"exponential energies, N = {spins}", number, *_mean(cube_minima(other).sum(axis=1)))


@MINIMA.check
def energies_of_minima_of_a_field(trial: Trial) -> Iterator[Comparison | Series]:
    """Energies of the minima of Gaussian fields on a ring: the Kac–Rice law, far from that of the field itself."""
    spectrum = gaussian_spectrum(period=100.0)
    rows = [
        field_critical_points(spectrum.sample([trial.seed, k]), spacing=0.2)
        for k in range(trial.pick(brief=20, quick=600, full=10_000))
    ]
    edges = np.array([-4.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 2.0])
    moments = {"variance": spectrum.moment(0), "slope_variance": spectrum.moment(2)}
    moments["curvature_variance"] = spectrum.moment(4)
    counts = np.array([np.histogram(found.values[found.indices == 0], edges)[0] for found in rows])
    # Minima of one field are correlated over a length only: fields are the independent samples.
    total, widths = counts.sum() / len(rows), np.diff(edges)
    shares = [_mean(counts[:, j] / (total * widths[j])) for j in range(len(widths))]

    def law(value: float) -> float:
        return float(kac_rice.minimum_value_density(value, **moments))

    for j, (share, error) in enumerate(shares):
        predicted = _integral(law, edges[j], edges[j + 1]) / widths[j]
        yield statistical(f"minima of a field, E from {edges[j]:g}", predicted, share, error)
    values, errors = np.array(shares).T
    own_share = (math.erf(edges[-1] / math.sqrt(2.0)) - math.erf(edges[-2] / math.sqrt(2.0))) / 2.0 / widths[-1]
    yield misses(f"the field's own density, E from {edges[-2]:g}", own_share, values[-1], errors[-1])
    axis = np.linspace(-4.0, 2.0, 121)
    own = np.exp(-(axis**2) / 2.0) / math.sqrt(2.0 * math.pi)
    curves = (Curve("minima, Kac–Rice", axis, [law(u) for u in axis]), Curve("the field", axis, own))
    points = (Points("minima found", (edges[1:] + edges[:-1]) / 2.0, values, errors),)
    yield Series("energies of minima, Gaussian field in 1-D", "E", "probability density", curves, points)


def _mean(values: NDArray[Any]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def _rare(counts: NDArray[Any], predicted: float, *, together: int = 1) -> tuple[float, float]:
    """Return mean and standard error of counts, the latter not below that of the predicted number of rare events.

    Where no event was seen, the spread of the sample would promise an exact zero.
    """
    mean, error = _mean(counts)
    return mean, max(error, math.sqrt(together * predicted / len(counts)))


def _crossings(
    spectrum: Any, samples: int, seed: int, spacing: float, *, confinement: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of minima and of maxima of fields on a ring, or in a parabola within one period."""
    nodes = math.ceil(spectrum.period / spacing)
    step = spectrum.period / nodes
    x = step * (np.arange(nodes + 1) - nodes // 2)
    counts = []
    for first in range(0, samples, 2000):
        field = spectrum.sample([seed, first], min(2000, samples - first))
        slopes, curvatures = (np.pad(field.on_grid(nodes, axes), ((0, 0), (0, 1)), "wrap") for axes in ((0,), (0, 0)))
        counts.append(count_crossings(slopes + confinement * x, curvatures + confinement, step))
    up, down = np.concatenate(counts, axis=1)
    return up, down


def _confined(dimension: int, confinement: float, samples: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the numbers of critical points and of minima of fields in a parabola, sample by sample."""
    # Outside, a slope of 4.5 standard deviations would be needed to hold the parabola's.
    spectrum = gaussian_spectrum(dimension, period=max(9.0 / confinement, 6.0))
    found = [
        field_critical_points(
            spectrum.sample([seed, k]), confinement=confinement, spacing=0.15 if dimension == 2 else 0.25
        ).indices
        for k in range(samples)
    ]
    return np.array([len(indices) for indices in found]), np.array([np.sum(indices == 0) for indices in found])


def _confined_counts(dimension: int, confinement: float, samples: int, trial: Trial) -> NDArray[Any]:
    """Return the numbers of critical points of fields in a parabola, in one dimension by sign changes."""
    if dimension > 1:
        return _confined(dimension, confinement, samples, trial.seed)[0]
    up, down = _crossings(gaussian_spectrum(period=14.0), samples, trial.seed, SPACING, confinement=confinement)
    return up + down


def _curvatures(dimension: int, trial: Trial) -> NDArray[np.float64]:
    """Return eigenvalues (n, d) of Hessians of a field with λ₄ = 3: ⟨H_ij H_kl⟩ = δ_ij δ_kl + δ_ik δ_jl + δ_il δ_jk."""
    samples = trial.pick(brief=20_000, quick=400_000, full=2_000_000)
    rng = np.random.default_rng([trial.seed, dimension])
    normal = rng.standard_normal((samples, dimension, dimension))
    common = rng.standard_normal((samples, 1))
    return np.linalg.eigvalsh((normal + normal.transpose(0, 2, 1)) / math.sqrt(2.0)) + common


def _excess(dimension: int, ratio: float) -> float:
    mu = ratio * kac_rice.critical_confinement(dimension)
    return float(kac_rice.parabola_critical_points(mu, dimension=dimension)) - 1.0


def _log_count(dimension: int, ratio: float) -> float:
    mu = ratio * kac_rice.critical_confinement(dimension)
    return math.log(float(kac_rice.parabola_critical_points(mu, dimension=dimension)))


def _log_mean_of_random_matrices(dimension: int, shift: float, samples: int, seed: int) -> tuple[float, float]:
    """Return ln E|det(M + m + ξ)|/m^d and its standard error, by tridiagonal random matrices.

    x = m + ξ is drawn around 2m, where most of the mean comes from, and weighted back. The matrices of the Gaussian
    orthogonal ensemble have the determinants of tridiagonal ones with chi-distributed sides (Dumitriu, Edelman 2002).
    """
    rng = np.random.default_rng(seed)
    x = 2.0 * shift + math.sqrt(2.0) * rng.standard_normal(samples)
    logarithm = -(x**2) / 4.0 + shift**2 / 2.0 + 0.5 * math.log(2.0) - dimension * math.log(shift)
    pivot = x - math.sqrt(2.0) * rng.standard_normal(samples)
    logarithm += np.log(np.abs(pivot))
    for k in range(dimension - 1, 0, -1):
        pivot = x - math.sqrt(2.0) * rng.standard_normal(samples) - rng.chisquare(k, samples) / pivot
        logarithm += np.log(np.abs(pivot))
    largest = logarithm.max()
    mean, error = _mean(np.exp(logarithm - largest))
    return largest + math.log(mean), error / mean


def _cubes(trial: Trial, spins: int) -> tuple[list[NDArray[np.float64]], int]:
    """Return the energies of the minima of many cubes."""
    samples = trial.pick(brief=200, quick=2000, full=10_000) * 2**10 // 2**spins + 40
    energies = random_energies(spins, seed=trial.seed, samples=samples)
    minimal = cube_minima(energies)
    return [row[at] for row, at in zip(energies, minimal, strict=True)], samples


def _integral(function: Callable[[float], Any], lower: float, upper: float) -> float:
    """Return an integral by 64 Gauss nodes, ample for one bin of a smooth density."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    x = lower + (upper - lower) * (nodes + 1.0) / 2.0
    return float(weights @ [float(function(float(e))) for e in x]) * (upper - lower) / 2.0


def _against_strength(name: str, strengths: NDArray[Any], rows: list[tuple[float, float]], dimension: int) -> Series:
    axis = np.geomspace(strengths[0], strengths[-1], 61)
    curve = [float(kac_rice.parabola_critical_points(mu, dimension=dimension)) for mu in axis]
    values, errors = np.array(rows).T
    return Series(
        name, "μ", "⟨N⟩", (Curve("Kac–Rice", axis, curve),), (Points("counted", strengths, values, errors),), "xy"
    )
