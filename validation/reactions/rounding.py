"""Claims D11 and F5: updates rounded to representable values, and learning with them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.learning.quantised import QuantisedSGD
from fpsolver.theory import quantised_updates
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
    rounded,
    statistical,
)

D11 = claim(
    "D11",
    family="reactions",
    title="Quantised updates",
    as_written="ρ_quantised = ρ(Δθ) · Q(Δθ), with Q = 1 at representable values",
    statement="The value kq has the probability P_k = ∫ρ over its cell for rounding to nearest, for stochastic "
    "rounding ∫ρ(Δ)(1 − |Δ/q − k|)₊; ρ at kq times Q is no probability and adds up to 1/q. For normal updates of mean "
    "m and standard deviation s, rounding to nearest shifts the mean by (q/π)Σ(−1)ᵏk⁻¹ sin(2πkm/q)e^{−2π²k²s²/q²} and "
    "makes the variance s² + q²/12, but for terms of that size; stochastic rounding has no bias, and s² + q²/6.",
    verdict="false as written",
    sources=(quantised_updates.SHEPPARD,),
    written=quantised_updates.lattice_probabilities_as_written,
    corrected=quantised_updates.lattice_probabilities,
)


def _rounded(values: np.ndarray, rounding: str, rng: np.random.Generator) -> np.ndarray:
    """Return whole numbers: the nearest ones, or up with the probability of the fraction."""
    if rounding == "nearest":
        return np.rint(values)
    whole = np.floor(values)
    return whole + (rng.random(len(values)) < values - whole)


@D11.check
def rounded_samples(trial: Trial) -> Iterator[Comparison | Series]:
    """Shares of normal updates, drawn and rounded, at each representable value, against the form."""
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    rng = np.random.default_rng([trial.seed, 110])
    update, scale, quantum, k = 0.13, 0.3, 0.4, np.arange(-2, 4)
    for rounding in quantised_updates.ROUNDINGS:
        values = _rounded(rng.normal(update, scale, samples) / quantum, rounding, rng)
        shares = np.array([(values == index).mean() for index in k])
        errors = np.sqrt(np.maximum(shares * (1.0 - shares), 1.0 / samples) / samples)
        form = trial.predict(k, update=update, scale=scale, quantum=quantum, rounding=rounding)
        for index in range(1, 5):
            yield statistical(f"P({k[index]}q), {rounding}", form[index], shares[index], errors[index])
        everywhere = trial.predict(
            np.arange(-40, 41), update=update, scale=scale, quantum=quantum, rounding=rounding
        ).sum()
        yield rounded(f"sum of probabilities, {rounding}", everywhere, 1.0, rounding=1e-12)
        yield Series(
            f"Normal update rounded to multiples of q, {rounding}", "value in quanta", "probability",
            (Curve("form under test", k, form),), (Points("samples", k, shares, errors),),
        )  # fmt: skip


@D11.check
def steps_of_the_lattice_chain(trial: Trial) -> Iterator[Comparison]:
    """Probabilities of one step of SGD on a lattice, as the solver has them, against the form."""
    for name, text in (("x²/2", "x**2/2"), ("double well", "x**4/4 - x**2/2")):
        for rounding in quantised_updates.ROUNDINGS:
            chain = QuantisedSGD(fp.Landscape(text), 0.2, 4.0, spacing=0.25, lower=-3.0, upper=3.0, rounding=rounding)
            matrix, values = chain.transition_matrix(), chain.lattice
            start = int(np.abs(values - 0.75).argmin())
            form = trial.predict(
                np.rint(values / 0.25), update=chain.means[start], scale=0.4, quantum=0.25, rounding=rounding
            )
            inside = slice(start - 6, start + 5)  # the ends of the range take what falls beyond them
            worst = int(np.abs(form - matrix[:, start])[inside].argmax()) + start - 6
            yield rounded(f"least agreeing probability of a step, {name}, {rounding}", form[worst],
                          matrix[worst, start], rounding=1e-11, source="differences of error functions")  # fmt: skip


@D11.check
def moments_of_rounded_updates(trial: Trial) -> Iterator[Comparison | Series]:
    """Variance of samples by s/q, on the lattice, and their bias off it, against Sheppard's series."""
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    rng = np.random.default_rng([trial.seed, 111])
    widths = np.array([0.15, 0.2, 0.3, 0.5, 0.8, 1.2])
    for rounding in quantised_updates.ROUNDINGS:
        rows = []
        for width in widths:
            values = _rounded(rng.normal(0.0, width, samples), rounding, rng)
            squares = values**2
            form = quantised_updates.variance(scale=width, quantum=1.0, rounding=rounding)
            error = max(float(squares.std()), 1.0 / math.sqrt(samples)) / math.sqrt(samples)
            rows.append((float(form), float(squares.mean()), error))
            yield statistical(f"variance, {rounding}, s = {width:g} q", *rows[-1])
        predicted, measured, errors = np.transpose(rows)
        added = 1.0 / (12.0 if rounding == "nearest" else 6.0)
        yield Series(
            f"Variance of a rounded update with mean zero, {rounding}", "s/q", "variance/q²",
            (Curve("series", widths, predicted), Curve("s² + q²/12 or /6", widths, widths**2 + added)),
            (Points("samples", widths, measured, errors),), "xy",
        )  # fmt: skip
    means = np.linspace(0.0, 0.5, 6)
    rows = []
    for mean in means:
        values = _rounded(rng.normal(mean, 0.2, samples), "nearest", rng)
        form = float(quantised_updates.mean(mean, scale=0.2, quantum=1.0)) - mean
        rows.append((form, float(values.mean()) - mean, max(float(values.std()), 1e-3) / math.sqrt(samples)))
    yield statistical(f"bias, m = {means[2]:g} q", *rows[2])
    predicted, measured, errors = np.transpose(rows)
    yield Series(
        "Bias of rounding to nearest, s = 0.2 q", "mean before rounding, in q", "bias/q",
        (Curve("series", means, predicted),), (Points("samples", means, measured, errors),),
    )  # fmt: skip


F5 = claim(
    "F5",
    family="reactions",
    title="Learning in low precision",
    as_written="Rounding weights to their precision is noise that averages out: SGD in few bits is SGD",
    statement="SGD whose weights are multiples of q is a Markov chain on the representable values. To nearest: "
    "a noiseless weight stalls where η|∇L| < q/2, within q/2ηh of a minimum of curvature h; with gradient noise of "
    "s = η√C ≳ q/2 the stationary variance is (η²C + q²/12)/[ηh(2 − ηh)]. Stochastic rounding: the mean obeys exact "
    "descent, nothing stalls, and the variance is that with q²/6; both up to terms of e^{−2π²s²/q²}. Below s ≈ q/4 "
    "rounding to nearest loses the gradient, and stochastic rounding is worth its noise.",
    verdict="exact",
    sources=(quantised_updates.SHEPPARD, "S. Gupta, A. Agrawal, K. Gopalakrishnan, P. Narayanan, ICML 2015"),
    written=quantised_updates.stationary_variance_as_written,
    corrected=quantised_updates.stationary_variance,
)

ETA, NOISE = 0.1, 1.0


@F5.check
def stationary_state_on_the_lattice(trial: Trial) -> Iterator[Comparison | Series]:
    """⟨x²⟩ of the chain on representable values in x²/2, by its master equation, against the form, by spacing."""
    spacings = np.array([0.02, 0.05, 0.1, 0.15, 0.2])
    curves, points = [], []
    for rounding in quantised_updates.ROUNDINGS:
        forms, measured = [], []
        for q in spacings:
            W = _chain("x**2/2", NOISE, float(q), rounding).generator()
            p = np.asarray(fp.stationary(W)) * W.grid.volumes
            measured.append(float(p @ W.grid.axes[0].centres ** 2))
            forms.append(
                trial.predict(1.0, learning_rate=ETA, noise_variance=NOISE, quantum=float(q), rounding=rounding)
            )
            # Beyond the range, six deviations wide, there is 1e-9 of the state.
            yield asymptotic(f"⟨x²⟩, {rounding}, q = {q:g}", forms[-1], measured[-1], 1e-8)
        curves.append(Curve(f"form under test, {rounding}", spacings, [float(form) for form in forms]))
        points.append(Points(f"master equation, {rounding}", spacings, measured))
    yield Series("Stationary variance in few bits, s = 0.1", "spacing q", "⟨x²⟩", tuple(curves), tuple(points))


def _chain(text: str, variance: float, spacing: float, rounding: str) -> QuantisedSGD:
    return QuantisedSGD(fp.Landscape(text), ETA, variance, spacing=spacing, lower=-2.0, upper=2.0, rounding=rounding)


@F5.check
def descent_that_stalls(trial: Trial) -> Iterator[Comparison | Series]:
    """Where noiseless descent in x²/2 comes to rest, by spacing: within q/2η of the minimum; at random, at it."""
    eta = 0.12  # 1/2η is no whole number, so that no step is half a quantum
    spacings = np.array([0.25, 0.125, 0.0625, 0.03125, 0.015625])
    rest, radii = [], []
    for q in spacings:
        chain = QuantisedSGD(fp.Landscape("x**2/2"), eta, 0.0, spacing=float(q), lower=-2.0, upper=2.0)
        last = float(np.abs(chain.run([2.0], steps=200))[0])
        radius = float(quantised_updates.stall_radius(1.0, learning_rate=eta, quantum=float(q)))
        rest.append(last)
        radii.append(radius)
        yield bounded(f"where descent stalls, q = {q:g}", radius, last, side="≤")
        # From outside it comes to rest on the last value that does not move any more.
        yield rounded(f"outermost stalled value, q = {q:g}", q * math.floor(radius / q),
                      float(chain.stalled.max()), rounding=1e-12)  # fmt: skip
    yield Series(
        "Where noiseless descent stalls in x²/2, from x = 2, η = 0.12", "spacing q", "|x| at rest",
        (Curve("q/2ηh", spacings, radii),), (Points("rounding to nearest", spacings, rest),), "xy",
    )  # fmt: skip
    steps = np.array([0, 5, 10, 20, 40])
    W = _chain("x**2/2", 0.0, 0.125, "stochastic").generator()
    x, start = W.grid.axes[0].centres, np.zeros(W.grid.shape)
    start[np.abs(x - 2.0).argmin()] = 1.0 / 0.125
    means = [float(p @ x * 0.125) for p in fp.evolve(W, start, times=steps).densities]
    yield rounded("⟨x⟩ after 40 steps, stochastic rounding", 2.0 * (1.0 - ETA) ** 40, means[-1], rounding=1e-10)
    yield Series(
        "Mean weight under stochastic rounding, q = 0.125", "step", "⟨x⟩",
        (Curve("2(1 − η)ⁿ", steps, 2.0 * (1.0 - ETA) ** steps),), (Points("master equation", steps, means),), "y",
    )  # fmt: skip


@F5.check
def drift_in_few_bits(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean step of the chain at x = 0.5, by noise: lost below a quarter of a quantum to nearest, kept at random."""
    quantum, place = 0.25, 0.5
    deviations = np.geomspace(0.02, 0.25, 8)
    curves, points = [], []
    for rounding in quantised_updates.ROUNDINGS:
        form, measured = [], []
        for s in deviations:
            chain = _chain("x**2/2", float(s / ETA) ** 2, quantum, rounding)
            column = chain.transition_matrix()[:, int(np.abs(chain.lattice - place).argmin())]
            target = (1.0 - ETA) * place
            form.append(float(quantised_updates.mean(target, scale=s, quantum=quantum, rounding=rounding)) - place)
            measured.append(float(column @ chain.lattice) - place)
        # Rounding of a mean of order one; the ends of the range are six deviations off.
        yield rounded(f"mean step, {rounding}, s = 0.1 q", 1.0 + form[0], 1.0 + measured[0], rounding=1e-10)
        yield rounded(f"mean step, {rounding}, s = q", 1.0 + form[-1], 1.0 + measured[-1], rounding=1e-8)
        curves.append(Curve(f"{rounding}, series", deviations / quantum, form))
        points.append(Points(f"{rounding}, chain", deviations / quantum, measured))
        if rounding == "nearest":
            yield misses("mean step to nearest, −ηx", -ETA * place, measured[0], 0.0, margin=0.5 * ETA * place)
    yield Series("Mean step at x = 0.5, ηx = q/5", "s/q", "mean step", tuple(curves), tuple(points), "x")


@F5.check
def simulated_weights(trial: Trial) -> Iterator[Comparison]:
    """⟨x²⟩ of weights simulated in few bits against the form, and against the master equation in a double well."""
    number, steps = trial.pick(brief=10_000, quick=200_000, full=2_000_000), trial.pick(brief=60, quick=100, full=100)
    for rounding in quantised_updates.ROUNDINGS:
        weights = _chain("x**2/2", NOISE, 0.15, rounding).run(np.zeros(number), steps, seed=trial.seed)
        form = trial.predict(1.0, learning_rate=ETA, noise_variance=NOISE, quantum=0.15, rounding=rounding)
        squares = weights**2
        # What is left of the start has decayed as (1 − η)^{2 steps}.
        left = (1.0 - ETA) ** (2 * steps) + form.error_scale
        yield statistical(
            f"⟨x²⟩ of simulated weights, {rounding}", form, squares.mean(), squares.std() / math.sqrt(number),
            bias=left * float(form), bias_source="steps to forget the start, terms left out of the form",
        )  # fmt: skip
        chain = _chain("x**4/4 - x**2/2", 4.0, 0.2, rounding)
        weights = chain.run(np.full(number, 0.4), 20, seed=trial.seed)
        W = chain.generator()
        start = np.where(np.abs(chain.lattice - 0.4) < 0.01, 1.0 / 0.2, 0.0)
        p = fp.evolve(W, start, times=[0.0, 20.0]).final
        exact = float(p @ chain.lattice * 0.2)
        yield statistical(f"⟨x⟩ after 20 steps in a double well, {rounding}", exact, weights.mean(),
                          weights.std() / math.sqrt(number))  # fmt: skip
