"""E11: SGD noise that depends on the curvature or on the loss; which minima it prefers, and where it cannot escape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

import fpsolver as fp
from fpsolver.theory import Barrier, sgd_escape
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    asymptotic,
    bounded,
    claim,
    misses,
    richardson,
    slope,
    statistical,
)

E11 = claim(
    "E11",
    family="escape",
    title="Escape under SGD noise that depends on θ",
    as_written="With noise in proportion to the curvature SGD escapes after "
    "τ = (2π/|H_b|) exp{(2BΔL/η)[s/H_a + (1 − s)/|H_b|]}, and therefore prefers flat minima.",
    statement="For D = (η/2B)|L''| in two pieces of constant curvature the exponent is right, with s = |H_b|/(H_a "
    "+ |H_b|) where they meet with one tangent; SGD is an Itô process, whose prefactor is 2π/H_a (2π/|H_b| "
    "belongs to the klimontovich convention). As a function of H_a the exponent falls up to H_a = (1 + √2)|H_b| "
    "and rises again: flat minima are preferred exponentially among those below, the sharper ones among those "
    "above; additive noise prefers flat minima by the factor √(H/H') only. In a smooth landscape |L''| vanishes "
    "at the inflection and the continuous motion never passes; with a floor δ, τ ∝ δ^{−4BL'/(η|L'''|)}. Noise in "
    "proportion to the loss, D = ηhL/B, gives τ = 2π/√(L''_a|L''_b|) (L_s/L*)^{B/(ηh) + 1/2}, a power and not an "
    "exponential of the barrier.",
    verdict="asymptotic",
    sources=(
        "Z. Xie, I. Sato, M. Sugiyama, ICLR 2021 (arXiv 2002.03495), theorem 3.2",
        "T. Mori, L. Ziyin, K. Liu, M. Ueda, ICML 2022",
        "own derivation of the prefactor, of the best curvature and of the power of the floor",
    ),
    written=sgd_escape.curvature_noise_time_as_published,
    corrected=sgd_escape.curvature_noise_time,
)


@dataclass(frozen=True)
class Wells:
    """Two wells of one depth, made of parabolas that meet with one tangent; the left minimum is at x = 0.

    Parameters
    ----------
    left, right : float
        Curvatures of the minima.
    per_climb : int
        Cells, at least, between the left minimum and the top for which every change of curvature is a face.
    top : float
        Curvature |H_b| of the barrier.
    height : float
        ΔL.
    """

    left: float
    right: float
    per_climb: int
    top: float = 1.0
    height: float = 0.05

    @cached_property
    def positions(self) -> tuple[float, float, float, float]:
        """Where the curvature changes on the left, the top, where it changes on the right, and the right minimum."""
        climb, descent = (math.sqrt(2.0 * self.height * (1.0 / h + 1.0 / self.top)) for h in (self.left, self.right))
        shares = [self.top / (h + self.top) for h in (self.left, self.right)]
        return climb * shares[0], climb, climb + descent * (1.0 - shares[1]), climb + descent

    @cached_property
    def landscape(self) -> fp.Landscape:
        """The loss."""
        first, top, second, minimum = self.positions
        return fp.Landscape(
            f"Piecewise(({self.left}*x**2/2, x < {first}), ({self.right}*(x - {minimum})**2/2, x > {second}), "
            f"({self.height} - {self.top}*(x - {top})**2/2, True))"
        )

    def barrier(self, side: str) -> Barrier:
        """Return the barrier seen from the "left" or "right" minimum."""
        return Barrier(self.height, getattr(self, side), -self.top)

    def dynamics(self, noise: float, convention: str = "ito") -> fp.Langevin:
        """Return the motion with D = noise·|L''|.

        Where the curvature changes, 1/D is the mean of both sides, so that faces there see both.
        """
        first, _, second, _ = self.positions
        inverse = f"{1 / self.top}" + "".join(
            f" + ({1 / h - 1 / self.top})*(1 + tanh(({sign}*(x - ({at})))*1e7))/2"
            for h, at, sign in ((self.left, first, -1), (self.right, second, 1))
        )
        return fp.Langevin(self.landscape, diffusion=f"{float(noise)!r}/({inverse})", convention=convention)

    def grid(self, noise: float, finer: int) -> fp.Grid:
        """Return a grid on which changes of curvature are faces, with steps of the drift potential below 0.5/finer."""
        _, top, _, minimum = self.positions
        # The drift potential L'/D changes fastest half-way, by about the distance from a minimum over the noise.
        steps = math.ceil(max(top, minimum - top) * top / (0.5 * noise) / self.per_climb) * finer
        width = top / (self.per_climb * steps)
        # Forty natural units of it outside the minima, where it is x²/(2 noise) whatever the curvature.
        margin = math.ceil(math.sqrt(80.0 * noise) / width)
        inside = round(minimum / width)
        return fp.Grid(x=(-margin * width, (inside + margin) * width, inside + 2 * margin))

    def times(self, dynamics: fp.Langevin, noise: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return mean times from left to right minimum and back by the backward equation, each with its grid error."""
        *_, minimum = self.positions
        found = []
        for finer in (2, 1):
            W = fp.generator(dynamics, self.grid(noise, finer))
            there = fp.mean_first_passage_time(W, fp.where(x=(minimum, None))).at([[0.0]])[0]
            back = fp.mean_first_passage_time(W, fp.where(x=(None, 0.0))).at([[minimum]])[0]
            found.append((there, back))
        (there, back), (coarse_there, coarse_back) = found
        return richardson(there, coarse_there), richardson(back, coarse_back)


SHARP_AND_FLAT = Wells(4.0, 0.25, 5)
SHARP_AND_SHARPER = Wells(18.0 / 7.0, 8.0, 50)


@E11.check
def time_under_curvature_noise(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times from either of two unlike minima, on a grid, with the form over a decade of η."""
    rates = np.geomspace(0.01, 0.001, trial.pick(brief=4, quick=6, full=10))
    times = [SHARP_AND_FLAT.times(SHARP_AND_FLAT.dynamics(rate / 2.0), rate / 2.0) for rate in rates]
    for number, side in enumerate(("left", "right")):
        barrier = SHARP_AND_FLAT.barrier(side)
        measured, errors = np.array([both[number] for both in times]).T
        forms = [trial.predict(barrier, learning_rate=rate, batch_size=1.0) for rate in rates]
        predicted = np.array([float(form) for form in forms])
        name = f"H_a = {barrier.minimum_curvature:g}, |H_b| = 1"
        yield asymptotic(f"{name}, η = {rates[-1]:g}", forms[-1], measured[-1], errors[-1])
        tails = np.array([laplace_tail(side, rate) for rate in rates])
        for rate, tail, ratio, error in zip(rates, tails, measured / predicted, errors / predicted, strict=True):
            yield bounded(f"{name}: relative error, η = {rate:.3g}", tail, abs(ratio - 1.0), error, side="≤")
        yield Series(
            f"Escape time under curvature noise, {name}",
            "1/η",
            "learning time",
            (Curve("form", 1.0 / rates, predicted),),
            (Points("backward equation", 1.0 / rates, measured, errors),),
            "y",
        )
        yield Series(
            f"What the form leaves, {name}",
            "1/η",
            "|measured/predicted − 1|",
            (Curve("Gaussian tails beyond the parabolas", 1.0 / rates, tails),),
            (Points("backward equation", 1.0 / rates, np.abs(measured / predicted - 1.0), errors / predicted),),
            "y",
        )


def laplace_tail(side: str, rate: float) -> float:
    """Return the share of the Gaussian integrals beyond the three parabolas, which Laplace's method neglects."""
    wells = SHARP_AND_FLAT
    inner = {name: sgd_escape.matching_fraction(getattr(wells, name), -wells.top) for name in ("left", "right")}
    climbs = [inner[side] / getattr(wells, side), *((1.0 - share) / wells.top for share in inner.values())]
    return sum(math.erfc(math.sqrt(2.0 * wells.height / rate * climb)) for climb in climbs) / 2.0


@E11.check
def prefactor_of_each_convention(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times on a grid in each convention with 2π H_a^{α−1} |H_b|^{−α}; the published one has α = 1."""
    rate, barrier = 0.002, SHARP_AND_FLAT.barrier("left")
    published = sgd_escape.curvature_noise_time_as_published(barrier, learning_rate=rate, batch_size=1.0)
    for convention in ("ito", "stratonovich", "klimontovich"):
        (time, error), _ = SHARP_AND_FLAT.times(SHARP_AND_FLAT.dynamics(rate / 2.0, convention), rate / 2.0)
        form = sgd_escape.curvature_noise_time(barrier, learning_rate=rate, batch_size=1.0, convention=convention)
        yield asymptotic(f"{convention}, H_a = 4, |H_b| = 1, η = 0.002", form, time, error)
        if convention == "ito":
            # The terms that the form neglects are of the size of one over the exponent.
            margin = published.error_scale * float(published)
            yield misses("published prefactor, ito, η = 0.002", published, time, error, margin=margin)


@E11.check
def preference_for_flat_minima(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the weights of two minima of one depth on a grid with the forms: flat wins, unless both are sharp."""
    for wells, highest, lowest in ((SHARP_AND_FLAT, 0.01, 0.001), (SHARP_AND_SHARPER, 0.002, 0.0002)):
        rates = np.geomspace(highest, lowest, trial.pick(brief=4, quick=8, full=12))
        name = f"H = {wells.left:.3g} and {wells.right:g}, |H_b| = 1"
        forms = [
            [trial.predict(wells.barrier(side), learning_rate=rate, batch_size=1.0) for rate in rates]
            for side in ("left", "right")
        ]
        predicted = np.array([math.log(float(right) / float(left)) for left, right in zip(*forms, strict=True)])
        fine, coarse = (
            np.array([log_weight_ratio(wells, wells.dynamics(rate / 2.0), rate / 2.0, finer) for rate in rates])
            for finer in (2, 1)
        )
        value, error = richardson(fine[-1], coarse[-1])
        scale = sum(side[-1].error_scale for side in forms)
        yield Comparison(
            f"ln of weights under curvature noise, {name}", predicted[-1], value, error, "grid error",
            scale + 2.0 * error, f"small parameters of both forms ({scale:.2g})",
        )  # fmt: skip
        isotropic = 0.5 * math.log(wells.left / wells.right)
        yield additive_preference(wells, isotropic, name)
        yield Series(
            f"Preference of SGD for one of two minima of one depth, {name}",
            "1/η",
            f"ln of the weight of H = {wells.right:g} over that of H = {wells.left:.3g}",
            (
                Curve("curvature noise, form", 1.0 / rates, predicted),
                Curve("additive noise, ½ ln(H/H')", 1.0 / rates, np.full_like(rates, isotropic)),
            ),
            (Points("stationary density", 1.0 / rates, fine, np.abs(fine - coarse) / 3.0),),
        )
    # Of the last two the sharper holds nearly everything, where additive noise avoids it by a factor of 1.8.
    yield bounded(f"the sharper minimum is preferred, {name}", 0.0, value, error, side="≥")


def additive_preference(wells: Wells, isotropic: float, name: str) -> Comparison:
    """Return the comparison of weights under additive noise, T = ΔL/10, with ½ ln(H/H')."""
    temperature = wells.height / 10.0
    dynamics = fp.Langevin(wells.landscape, temperature=temperature)
    value, error = richardson(*(log_weight_ratio(wells, dynamics, temperature, finer) for finer in (2, 1)))
    shares = [sgd_escape.matching_fraction(curvature, -wells.top) for curvature in (wells.left, wells.right)]
    tail = sum(math.erfc(math.sqrt(share * wells.height / temperature)) for share in shares)
    return Comparison(
        f"ln of weights under additive noise, {name}", isotropic, value, error, "grid error", tail + 2.0 * error,
        f"Gaussian tails beyond the inner parabolas ({tail:.2g})",
    )  # fmt: skip


def log_weight_ratio(wells: Wells, dynamics: fp.Langevin, noise: float, finer: int) -> float:
    """Return the logarithm of the stationary weight right of the top over that left of it."""
    W = fp.generator(dynamics, wells.grid(noise, finer))
    mass = np.asarray(fp.stationary(W)) * W.grid.volumes
    right = W.grid.axes[0].centres > wells.positions[1]
    return math.log(mass[right].sum() / mass[~right].sum())


@E11.check
def power_of_the_loss(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times on a grid under noise ∝ loss with a power of L_s/L*, and with an exponential of ΔL."""
    rate, lowest = 0.05, np.geomspace(0.5, 0.02, trial.pick(brief=4, quick=8, full=12))
    found, forms, frozen = [], [], []
    for loss in lowest:
        numbers = {"loss_at_minimum": loss, "learning_rate": rate, "batch_size": 1.0, "curvature": 2.0}
        dynamics = quartic_with_noise("{loss}", 2.0 * rate, loss)
        barrier = Barrier.between(dynamics.landscape, -1.0, 0.0)
        cells = trial.pick(brief=2000, quick=4000, full=8000)
        found.append(richardson(*(crossing_time(dynamics, number) for number in (cells, cells // 2))))
        forms.append(sgd_escape.corrected_loss_noise_time(barrier, **numbers))
        frozen.append(float(sgd_escape.loss_noise_time_if_exponential(barrier, **numbers)))
    times, errors = np.array(found).T
    ratios = 1.0 + 0.25 / lowest
    yield Series(
        f"Escape time under noise in proportion to the loss, η = {rate:g}, h = 2",
        "L_s/L*",
        "learning time",
        (
            Curve("power law with its first correction", ratios, [float(form) for form in forms]),
            Curve("exponential of ΔL/D at the minimum", ratios, frozen),
        ),
        (Points("backward equation", ratios, times, errors),),
        "xy",
    )
    yield slope("power of L_s/L*", ratios, times, 0.5 + 1.0 / (2.0 * rate), towards="large")
    for loss, form, time, error in zip(lowest, forms, times, errors, strict=True):
        # Far up the power law the next order is 1/φ², with φ = B/(ηh), whatever the ratio.
        form = replace(form, error_scale=max(form.error_scale, (2.0 * rate) ** 2))
        yield asymptotic(f"power law, L* = {loss:.3g}", form, time, error)
    yield misses(f"exponential law, L* = {lowest[-1]:.3g}", frozen[-1], times[-1], errors[-1])


def quartic_with_noise(noise: str, factor: float, lowest: float) -> fp.Langevin:
    """Return the motion in x⁴/4 − x²/2 + 1/4 + L* with D = factor times an expression, which may name the {loss}."""
    loss = f"(x**4/4 - x**2/2 + {0.25 + float(lowest)!r})"
    diffusion = f"{float(factor)!r}*{noise.format(loss=loss)}"
    return fp.Langevin(fp.Landscape(loss), diffusion=diffusion, convention="ito")


def crossing_time(dynamics: fp.Langevin, cells: int) -> float:
    """Return the mean time from −1 to 1 by the backward equation."""
    W = fp.generator(dynamics, fp.Grid(x=(-3.0, 3.0, cells)))
    return float(fp.mean_first_passage_time(W, fp.where(x=(1.0, None))).at([[-1.0]])[0])


@E11.check
def inflection_of_a_smooth_landscape(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare mean times on a grid, D = (η/2B)√(L''² + δ²), with δ^{−4BL'/(η|L'''|)} at the inflection as δ → 0."""
    rate, cells = 0.2, trial.pick(brief=8000, quick=16000, full=32000)
    floors = np.geomspace(0.3, 0.03, trial.pick(brief=5, quick=7, full=9))
    times = np.array([
        crossing_time(quartic_with_noise(f"sqrt((3*x**2 - 1)**2 + {float(floor**2)!r})", rate / 2.0, 0.0), cells)
        for floor in floors
    ])  # fmt: skip
    slope_there, third = 2.0 / math.sqrt(27.0), 6.0 / math.sqrt(3.0)
    power = -4.0 * slope_there / (rate * third)
    yield Series(
        "Escape time from a smooth well against the floor of its curvature noise, η/B = 0.2",
        "floor δ of |L''|",
        "learning time",
        (Curve(f"δ^({power:.3g})", floors, times[-1] * (floors / floors[-1]) ** power),),
        (Points("backward equation", floors, times),),
        "xy",
        slope("x⁴/4 − x²/2: time against the floor", floors, times, power),
    )


@E11.check
def relaxation_of_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare how fast trajectories under noise that depends on θ relax with the spectrum of the generator."""
    if trial.effort == "brief":
        return
    n, duration, steps = trial.pick(brief=0, quick=100_000, full=1_000_000), 40.0, (0.02, 0.04)
    for number, (name, noise, factor) in enumerate((
        ("D = 0.4 L, L* = 0.1", "{loss}", 0.4),
        ("D = 0.12 √(L''² + 0.3²)", "sqrt((3*x**2 - 1)**2 + 0.09)", 0.12),
    )):  # fmt: skip
        dynamics = quartic_with_noise(noise, factor, 0.1)
        spectra = [fp.spectrum(fp.generator(dynamics, fp.Grid(x=(-5.0, 5.0, cells))), k=2) for cells in (4000, 2000)]
        rate, grid_error = richardson(*(float(s.rates[1].real) for s in spectra))
        centres, modes = spectra[0].grid.axes[0].centres, spectra[0].left_modes
        assert modes is not None  # rates between cells have both kinds
        found = []
        for step in steps:
            ensemble = fp.simulate(
                dynamics, n=n, initial=[-1.0], dt=step, t_final=duration, seed=trial.seed, experiment=number,
                scheme="weak-2",
            )  # fmt: skip
            # ⟨ψ(x_t)⟩ = e^{−λt} ψ(x_0) for the slowest left mode ψ.
            kept = np.interp(ensemble.final[:, 0], centres, modes[1]) / np.interp(-1.0, centres, modes[1])
            found.append((-math.log(kept.mean()) / duration, kept.std() / kept.mean() / math.sqrt(n) / duration))
        values, errors = np.array(found).T
        measured, _ = richardson(*values)
        # The same random numbers serve both steps: the error of 4/3 of one less 1/3 of the other is at most their sum.
        yield statistical(
            f"relaxation rate, {name}", rate, measured, (4.0 * errors[0] + errors[1]) / 3.0,
            bias=grid_error, bias_source="grid error",
        )  # fmt: skip
        yield Series(
            f"Relaxation of trajectories, {name}",
            "time step",
            "slowest relaxation rate",
            (Curve("spectrum of the generator", steps, (rate, rate)),),
            (Points("trajectories, weak-2", steps, values, errors),),
        )
