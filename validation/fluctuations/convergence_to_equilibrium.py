"""E22: in a convex loss the divergence from equilibrium halves at least as fast as that of a shifted Gaussian."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

import fpsolver as fp
from fpsolver.theory import linear_diffusion
from fpsolver.thermodynamics import entropy_production
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, bounded, claim, gridded, richardson

CLAIM = claim(
    "E22",
    family="fluctuations",
    title="Exponential decay of relative entropy in a convex loss",
    as_written="L″ ≥ k: KL(t) ≤ e^{−2μkt} KL(0)",
    statement="KL(p_t‖p_eq) ≤ e^{−2μkt} KL(p_0‖p_eq) wherever all eigenvalues of the Hessian are at least k > 0 and"
    " D = μT is constant, in any dimension and for any start; equality for Gaussians shifted from "
    "equilibrium in kx²/2, and −d KL/dt = μT I(p‖p_eq), with the relative Fisher information (de Bruijn).",
    verdict="bound",
    sources=("D. Bakry, M. Émery, Séminaire de probabilités XIX (1985)", "A. J. Stam, Inf. Control 2, 101 (1959)"),
    corrected=linear_diffusion.decayed_divergence,
)

CONVEX = {
    "x²/2": ("x**2/2", 1.0),
    "x²/2 + x⁴/4": ("x**2/2 + x**4/4", 1.0),
    "cosh x": ("cosh(x)", 1.0),
    "x² + cos(2x)/4": ("x**2 + cos(2*x)/4", 1.0),
}


def divergences(
    loss: str, temperature: float, start: Sequence[Sequence[float]], times: np.ndarray, cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return KL(t) of a mixture of Gaussians (weight, mean, variance) on two grids, extrapolated, and its errors."""
    found = []
    for number in (cells, cells // 2):
        grid = fp.Grid(x=fp.Axis(-7, 7, number, boundary="reflecting"))
        landscape = fp.Landscape(loss)
        W = fp.generator(fp.Langevin(landscape, temperature=temperature), grid)
        p = fp.density(grid, sum(w * fp.gaussian(grid, [m], [[v]]) for w, m, v in start))
        # F[p] − F[p_eq] = T KL, which does not underflow where p_eq does.
        lowest = fp.free_energy(W, fp.boltzmann(landscape, grid, temperature))
        solution = fp.evolve(W, p, times, tolerance=1e-12, progress=False)
        found.append([(fp.free_energy(W, density) - lowest) / temperature for density in solution.densities])
    values, errors = np.array([richardson(*pair) for pair in zip(*found, strict=True)]).T
    return values, errors


@CLAIM.check
def shifted_gaussians_saturate(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare KL(t) of a shifted Gaussian in x²/2 on the grid, and of a narrow one, with bound and closed form."""
    times, cells = np.linspace(0.0, 2.0, 5), trial.pick(brief=400, quick=1600, full=3200)
    curves, points = [], []
    for name, variance in (("shifted by 1.5", 0.5), ("shifted and narrow", 0.1)):
        found, errors = divergences("x**2/2", 0.5, [(1.0, 1.5, variance)], times, cells)
        first = float(linear_diffusion.divergence_of_gaussians([1.5], [[variance]], [0.0], [[0.5]]))
        for t, value, error in zip(times[1:], found[1:], errors[1:], strict=True):
            bound = trial.predict(first, convexity=1.0, time=t)
            exact = linear_diffusion.divergence_of_gaussians(
                *linear_diffusion.moments([[1.0]], [[0.5]], [1.5], [[variance]], t), [0.0], [[0.5]]
            )
            yield gridded(f"{name}, t = {t:g}", exact, value, error, source="grid error")
            if variance == 0.5:
                yield gridded(f"{name}, equality at t = {t:g}", bound, value, error, source="grid error")
            yield bounded(f"{name}, bound at t = {t:g}", bound, value, error, side="≤")
        line = np.linspace(0.0, 2.0, 30)
        curves.append(Curve(f"bound, {name}", line, [float(trial.predict(first, convexity=1.0, time=t)) for t in line]))
        points.append(Points(f"{name}, grid", times, found, errors))
    yield Series("Decay of the divergence from equilibrium, x²/2", "t", "KL", tuple(curves), tuple(points), "y")


@CLAIM.check
def random_search(trial: Trial) -> Iterator[Comparison]:
    """Search random mixtures, temperatures and times in convex losses for the largest KL(t)/[e^{−2kt} KL(0)]."""
    generator = np.random.default_rng(trial.seed)
    for name, (loss, convexity) in CONVEX.items():
        worst = (-np.inf, 0.0)
        for _ in range(trial.pick(brief=1, quick=30, full=300)):
            temperature, time = float(generator.uniform(0.2, 1.5)), float(generator.uniform(0.01, 1.5))
            start = [
                tuple(map(float, generator.uniform((0.1, -2.5, 0.1), (1.0, 2.5, 0.6))))
                for _ in range(int(generator.integers(1, 4)))
            ]
            (first, last), errors = divergences(loss, temperature, start, np.array([0.0, time]), 300)
            bound = float(trial.predict(first, convexity=convexity, time=time))
            worst = max(worst, (last / bound, (errors[1] + errors[0]) / bound))
        yield bounded(f"{name}: largest share of the bound", 1.0, *worst, side="≤")


@CLAIM.check
def gaussians_in_many_dimensions(trial: Trial) -> Iterator[Comparison]:
    """Search for the same share over random Gaussians in random quadratic losses of up to six dimensions."""
    generator = np.random.default_rng(trial.seed + 1)
    worst = -np.inf
    for _ in range(trial.pick(brief=50, quick=2000, full=20000)):
        d = int(generator.integers(1, 7))
        root, other = generator.normal(size=(2, d, d))
        hessian, covariance = root @ root.T / d + 0.1 * np.eye(d), other @ other.T / d + 0.05 * np.eye(d)
        equilibrium, shift = np.linalg.inv(hessian), generator.normal(size=d)
        k = float(np.linalg.eigvalsh(hessian)[0])
        time = float(generator.uniform(0.01, 2.0)) / k  # later there is little but rounding
        later = linear_diffusion.moments(hessian, np.eye(d), shift, covariance, time)
        first, last = (
            float(linear_diffusion.divergence_of_gaussians(mean, spread, np.zeros(d), equilibrium))
            for mean, spread in ((shift, covariance), later)
        )
        worst = max(worst, last / float(trial.predict(first, convexity=k, time=time)))
    yield bounded("largest share of the bound", 1.0, worst, 1e-10, side="≤")


@CLAIM.check
def de_bruijn(trial: Trial) -> Iterator[Comparison]:
    """Compare −T d KL/dt, from face fluxes and from the relative Fisher information, with the closed form."""
    cells = trial.pick(brief=400, quick=1600, full=6400)
    for mean, variance in ((2.0, 0.1), (0.0, 1.0), (1.0, 0.5)):
        exact = linear_diffusion.dissipation_of_a_gaussian(mean, variance, stiffness=1.0, temperature=0.5)
        fluxes, information = [], []
        for number in (cells, cells // 2):
            grid = fp.Grid(x=fp.Axis(-7, 7, number, boundary="reflecting"))
            landscape = fp.Landscape("x**2/2")
            W = fp.generator(fp.Langevin(landscape, temperature=0.5), grid)
            p = fp.gaussian(grid, [mean], [[variance]])
            fluxes.append(0.5 * entropy_production(W, p).total)
            relative = fp.fisher_information(p, grid, relative_to=fp.boltzmann(landscape, grid, 0.5))
            information.append(0.25 * relative)
        yield gridded(f"T Σ̇ of N({mean:g}, {variance:g}), face fluxes", exact, *richardson(*fluxes))
        yield gridded(f"μT² I of N({mean:g}, {variance:g})", exact, *richardson(*information))
