"""E2: Bennett's and Crooks' estimators against exponential averaging; bias, variance, samples needed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np
from scipy.special import logsumexp

from fpsolver.errors import AccuracyWarning
from fpsolver.theory import dragged_trap, gaussian_work, stiffening_trap
from fpsolver.thermodynamics import (
    bennett,
    crooks_line,
    cumulant_expansion,
    exponential_average,
    gaussian_crossing,
    log_ratio,
)
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    misses,
    slope,
    statistical,
)
from fpsolver.validation.fluctuations.driven_systems import drag, stiffen, tilt, tilt_free_energy

E2 = claim(
    "E2",
    family="fluctuations",
    title="Bennett's and Crooks' estimators against exponential averaging",
    as_written="−T ln⟨e^{−W/T}⟩ of n samples lies T var(e^{−W/T})/(2n⟨e^{−W/T}⟩²) above ΔF, and e^{W_diss/T} samples "
    "suffice; Bennett's estimate takes fewer.",
    statement="For Gaussian work with dissipation D the bias of the exponential average is T(e^{2D/T} − 1)/(2n), and "
    "its mean square error T²(e^{2D/T} − 1)/n, only for n ≫ e^{2D/T}. For any n they follow from the Laplace transform "
    "of the density of e^{−W/T}: n = 1 gives D and D² + 2TD, and the bias then falls slowly, so that an error of a "
    "fraction of T takes between e^{D/T} and e^{2D/T} samples. Bennett's estimate scatters by T√(1/m − 2/n) where m "
    "samples are shared, n/m growing as √(4D/(πT)) e^{D/(4T)}; none that knows only Crooks' theorem scatters less. The "
    "crossing of Gaussians, √((T² + D²/4)/n), and the second cumulant, √(2D(T + D)/n), may scatter less at large D, "
    "but are right for Gaussian work alone.",
    verdict="exact",
    sources=(
        "C. H. Bennett, J. Comput. Phys. 22, 245 (1976)",
        "J. Gore, F. Ritort, C. Bustamante, PNAS 100, 12564 (2003)",
        "C. Jarzynski, Phys. Rev. E 73, 046105 (2006)",
        "M. R. Shirts, E. Bair, G. Hooker, V. S. Pande, Phys. Rev. Lett. 91, 140601 (2003)",
        "own derivation of bias and error at any number of samples",
    ),
    written=gaussian_work.exponential_average_bias_to_first_order,
    corrected=gaussian_work.exponential_average_bias,
)

R06 = float(dragged_trap.mean_work(stiffness=1.0, speed=1.0, duration=2.0))
"""Work dissipated by a trap that is dragged at unit speed for two units of time; it goes as the speed squared."""


def averages(work: np.ndarray, samples: int) -> np.ndarray:
    """Return −ln⟨e^{−W}⟩ of each so many samples."""
    sets = work[: len(work) // samples * samples].reshape(-1, samples)
    return math.log(samples) - logsumexp(-sets, axis=1)


def root_mean_square(values: np.ndarray) -> tuple[float, float]:
    """Return the root mean square of numbers and its standard error (delta method)."""
    squares = values**2
    root = math.sqrt(float(squares.mean()))
    return root, float(squares.std(ddof=1)) / math.sqrt(len(squares)) / (2.0 * root)


@E2.check
def bias_of_the_exponential_average(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare bias and error of averages over 1, 3, 10, … trajectories of a dragged trap with the forms, at any n."""
    for number, dissipated in enumerate((1.0, 4.0)):
        paths = trial.pick(brief=30_000, quick=1_000_000, full=10_000_000)
        work = drag(math.sqrt(dissipated / R06), paths=paths, seed=trial.seed, experiment=number)
        samples = np.unique(np.geomspace(1, paths / 100, trial.pick(brief=5, quick=9, full=11)).round()).astype(int)
        found = [averages(work, n) for n in samples]
        biases = np.array([one.mean() for one in found])
        errors = np.array([one.std(ddof=1) / math.sqrt(len(one)) for one in found])
        forms = [trial.predict(dissipated, n, temperature=1.0) for n in samples]
        for n, form, bias, error in zip(samples, forms, biases, errors, strict=True):
            if 4.0 * error < abs(float(form)):  # a bias that its error hides would agree with anything
                yield statistical(f"bias, D = {dissipated:g} T, n = {n}", form, bias, error)
        scatter = np.array([root_mean_square(one) for one in found])
        exact = [float(gaussian_work.exponential_average_error(dissipated, n, temperature=1.0)) for n in samples]
        for n, predicted, (root, error) in zip(samples, exact, scatter, strict=True):
            yield statistical(f"error, D = {dissipated:g} T, n = {n}", predicted, root, error)
        yield _bias_against_samples(dissipated, samples, biases, errors, scatter)


def _bias_against_samples(
    dissipated: float, samples: np.ndarray, biases: np.ndarray, errors: np.ndarray, scatter: np.ndarray
) -> Series:
    n = np.geomspace(samples[0], samples[-1], 40)
    theory = (
        ("bias, exact", gaussian_work.exponential_average_bias),
        ("bias to first order", gaussian_work.exponential_average_bias_to_first_order),
        ("root mean square error, exact", gaussian_work.exponential_average_error),
    )
    curves = [(label, np.array([float(form(dissipated, one, temperature=1.0)) for one in n])) for label, form in theory]
    shown = biases > 2.0 * errors
    return Series(
        f"Exponential average of n samples, work dissipated D = {dissipated:g} T",
        "number of samples n",
        "bias, error [T]",
        # The first order leaves the frame where it means nothing.
        tuple(Curve(label, n[y < 3.0 * dissipated], y[y < 3.0 * dissipated]) for label, y in curves),
        (
            Points("bias, trajectories", samples[shown], biases[shown], errors[shown]),
            Points("error, trajectories", samples, scatter[:, 0], scatter[:, 1]),
        ),
        "xy",
    )


@E2.check
def approach_to_the_first_order(trial: Trial) -> Iterator[Series]:
    """Compare the bias of first order with the exact one: its relative error goes as 1/n, from n ≫ e^{4D/T} on."""
    n = math.exp(4.0) * np.geomspace(30.0, 10_000.0, trial.pick(brief=6, quick=12, full=24))
    first = [float(gaussian_work.exponential_average_bias_to_first_order(1.0, one, temperature=1.0)) for one in n]
    left = np.array([float(trial.predict(1.0, one, temperature=1.0)) for one in n]) / first - 1.0
    yield Series(
        "What the first order of the bias leaves, D = T",
        "number of samples n",
        "|bias/first order − 1|",
        points=(Points("survival function", n, np.abs(left)),),
        logarithmic="xy",
        slope=slope("error of the first order against n", n, left, -1.0, towards="large"),
    )


ESTIMATORS = ("exponential average", "Bennett", "crossing of Gaussians", "second cumulant")


def scatter_of_estimators(dissipated: float, paths: int, samples: int, seed: int) -> np.ndarray:
    """Return root mean square errors of the four estimators, with their standard errors, over sets of trajectories."""
    speed = math.sqrt(dissipated / R06)
    there = drag(speed, paths=paths, seed=seed, experiment=10).reshape(-1, samples)
    back = drag(-speed, paths=paths, seed=seed, experiment=11).reshape(-1, samples)
    with warnings.catch_warnings():
        # With so few samples some sets are dominated by a handful, and say so: that is what is measured here.
        warnings.simplefilter("ignore", AccuracyWarning)
        found = np.array(
            [
                [
                    exponential_average(first, 1.0).value,
                    bennett(first, second, 1.0).value,
                    gaussian_crossing(first, second, resamples=2).value,
                    cumulant_expansion(first, 1.0, order=2).value,
                ]
                for first, second in zip(there, back, strict=True)
            ]
        )
    return np.array([root_mean_square(one) for one in found.T])


@E2.check
def error_of_every_estimator(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare errors of four estimators over sets of 1000 trajectories each way, trap dragged there and back."""
    samples, sets = 1000, trial.pick(brief=0, quick=250, full=2000)
    if not sets:
        return
    levels = np.array([0.25, 1.0, 2.0, 4.0, 7.0])
    measured = np.array([scatter_of_estimators(d, samples * sets, samples, trial.seed) for d in levels])
    forms = {
        "exponential average": gaussian_work.exponential_average_error,
        "Bennett": lambda d, n, *, temperature: gaussian_work.bennett_deviation(d, n, n, temperature=temperature),
        "crossing of Gaussians": gaussian_work.gaussian_crossing_deviation,
        "second cumulant": gaussian_work.second_cumulant_deviation,
    }
    for number, name in enumerate(ESTIMATORS):
        for d, (root, error) in zip(levels, measured[:, number], strict=True):
            form = forms[name](d, samples, temperature=1.0)
            yield statistical(
                f"error of {name}, D = {d:g} T", form, root, error,
                bias=form.error_scale * form.value, bias_source="the next order in 1/n",
            )  # fmt: skip
    for d, roots in zip(levels, measured[:, :, 0], strict=True):
        error = float(np.hypot(*measured[levels == d, :2, 1].T.ravel()))
        yield bounded(f"Bennett against exponential average, D = {d:g} T", roots[0], roots[1], error, side="≤")
    fine = np.geomspace(0.1, 8.0, 40)
    yield Series(
        f"Errors of free-energy estimators, {samples} trajectories each way",
        "work dissipated D [T]",
        "root mean square error [T]",
        tuple(
            Curve(name, fine, [float(forms[name](d, samples, temperature=1.0)) for d in fine]) for name in ESTIMATORS
        ),
        tuple(Points(name, levels, *measured[:, number].T) for number, name in enumerate(ESTIMATORS)),
        "xy",
    )


@E2.check
def samples_needed(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the error at the number of samples that theory says an accuracy of T/4 needs, as dissipation grows."""
    accuracy, paths = 0.25, trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if not paths:
        return
    levels = np.array(trial.pick(brief=(), quick=(0.5, 1.0, 2.0, 3.0), full=(0.5, 1.0, 2.0, 3.0, 4.0)))
    needed, errors = np.zeros((2, len(levels)))
    for k, d in enumerate(levels):
        work = drag(math.sqrt(d / R06), paths=paths, seed=trial.seed, experiment=20 + k)
        n = float(gaussian_work.exponential_average_samples(d, accuracy, temperature=1.0))
        around = [round(n / 1.5), round(n), round(n * 1.5)]
        roots = np.array([root_mean_square(averages(work, one)) for one in around])
        predicted = gaussian_work.exponential_average_error(d, around[1], temperature=1.0)
        yield statistical(f"error of {around[1]} samples, D = {d:g} T", predicted, *roots[1])
        power = math.log(roots[2, 0] / roots[0, 0]) / math.log(around[2] / around[0])
        needed[k] = around[1] * (accuracy / roots[1, 0]) ** (1.0 / power)
        errors[k] = needed[k] * roots[1, 1] / roots[1, 0] / abs(power)
    fine = np.linspace(0.3, 8.0, 16)
    bennetts = [float(gaussian_work.bennett_deviation(d, 1e6, 1e6, temperature=1.0)) for d in fine]
    yield Series(
        "Samples for an error of T/4",
        "work dissipated D [T]",
        "number of samples",
        (
            Curve(
                "exponential average, exact", fine,
                [float(gaussian_work.exponential_average_samples(d, accuracy, temperature=1.0)) for d in fine],
            ),
            Curve("T²(e^{2D/T} − 1)/accuracy²", fine, np.expm1(2.0 * fine) / accuracy**2),
            Curve("e^{D/T}", fine, np.exp(fine)),
            Curve("Bennett, each way", fine, 1e6 * (np.array(bennetts) / accuracy) ** 2),
        ),
        (Points("exponential average, trajectories", levels, needed, errors),),
        "y",
    )  # fmt: skip


@E2.check
def estimators_of_a_stiffening_trap(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare all estimators with ΔF = (T/2) ln 4 on work that is not Gaussian: stiffness 1 → 4 and back, at speed."""
    paths = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    if not paths:
        return
    exact = float(stiffening_trap.free_energy_difference(1.0, 4.0, temperature=1.0))
    there = stiffen(1.0, 4.0, duration=0.5, paths=paths, seed=trial.seed, experiment=30)
    back = stiffen(4.0, 1.0, duration=0.5, paths=paths, seed=trial.seed, experiment=31)
    forward, reverse = exponential_average(there, 1.0), exponential_average(back, 1.0)
    both, line = bennett(there, back, 1.0), crooks_line(there, back, 1.0)
    yield statistical("exponential average forward", exact, forward.value, forward.standard_error)
    yield statistical("exponential average in reverse", -exact, reverse.value, reverse.standard_error)
    yield statistical("Bennett", exact, both.value, both.standard_error)
    yield statistical("Crooks' line, crossing", exact, line.value, line.standard_error)
    yield statistical("Crooks' line, slope times T", 1.0, line.slope, line.slope_error)
    deviation, error = error_bar_in_theory(paths)
    yield statistical("error bar of the exponential average forward", deviation, forward.standard_error, error)
    crossing = gaussian_crossing(there, back, resamples=20, seed=trial.seed)
    yield misses("crossing of Gaussians, which the work is not", exact, crossing.value, crossing.standard_error)
    expansion = cumulant_expansion(there, 1.0)
    yield misses("second cumulant", exact, expansion.values[1], expansion.standard_errors[1])
    yield _crooks_line("a trap stiffened from 1 to 4 in half a unit of time", there, back, exact, 1.0)


def error_bar_in_theory(paths: int) -> tuple[float, float]:
    """Return the error of the exponential average over the forward ramp, and how well an error bar can know it."""
    one, two, three, four = (
        float(stiffening_trap.exponential_work(1.0, 4.0, duration=0.5, temperature=1.0, power=u))
        for u in (1.0, 2.0, 3.0, 4.0)
    )
    variance, fourth = two - one**2, four - 4 * three * one + 6 * two * one**2 - 3 * one**4
    deviation = math.sqrt(variance) / one
    # Relative errors of standard deviation and mean of e^{−W}, one upon the other.
    relative = (math.sqrt((fourth / variance**2 - 1.0) / 4.0) + deviation) / math.sqrt(paths)
    return deviation / math.sqrt(paths), deviation / math.sqrt(paths) * relative


def _crooks_line(name: str, there: np.ndarray, back: np.ndarray, difference: float, temperature: float) -> Series:
    """Return the points of Crooks' line where both directions have counts."""
    low, high = max(there.min(), -back.max()), min(there.max(), -back.min())
    points = log_ratio(there, back, np.linspace(low, high, 61))
    ends = np.array([points.work[0], points.work[-1]])
    return Series(
        f"Crooks' line of {name}",
        "work W",
        "ln[P_F(W)/P_R(−W)]",
        (Curve("(W − ΔF)/T", ends, (ends - difference) / temperature),),
        (Points("trajectories", points.work, points.values, points.standard_errors),),
    )


@E2.check
def estimators_of_a_tilted_double_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare estimators with ΔF by quadrature for a double well that is tilted at T = 0.2, and tilted back."""
    paths = trial.pick(brief=0, quick=1_000_000, full=5_000_000)
    if not paths:
        return
    temperature, exact = 0.2, tilt_free_energy(0.0, 0.3, 0.2)
    found = {}
    for dt in (0.1, 0.05):
        keywords = {"temperature": temperature, "duration": 4.0, "dt": dt, "paths": paths, "seed": trial.seed}
        there, back = tilt(0.0, 0.3, experiment=40, **keywords), tilt(0.3, 0.0, experiment=41, **keywords)
        found[dt] = (
            bennett(there, back, temperature),
            exponential_average(there, temperature),
            crooks_line(there, back, temperature),
        )
    for name, fine, coarse in zip(
        ("Bennett", "exponential average", "Crooks' line"), *reversed(found.values()), strict=True
    ):
        # Heun's scheme errs by Δt²: a third of the change from twice the step, which is itself known to its error bars.
        step = (abs(fine.value - coarse.value) + 2.0 * coarse.standard_error) / 3.0
        yield statistical(
            f"{name}, Δt = 0.05",
            exact,
            fine.value,
            fine.standard_error,
            bias=step,
            bias_source="error of the time step",
        )
    fine, coarse = (found[dt][2] for dt in (0.05, 0.1))
    step = (abs(fine.slope - coarse.slope) + 2.0 * coarse.slope_error) / 3.0
    yield statistical(
        "Crooks' line, slope times T",
        1.0,
        fine.slope,
        fine.slope_error,
        bias=step,
        bias_source="error of the time step",
    )
    yield _crooks_line("a double well tilted from 0 to 0.3", there, back, exact, temperature)
