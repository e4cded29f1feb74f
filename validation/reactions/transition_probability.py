"""Claims D5 and D14: transition probabilities of jumps, and the arguments of the master equation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import jump_transitions
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, rounded, slope, statistical
from fpsolver.validation.reactions.on_cells import direct_rates, jumps, moment, on_line

D5 = claim(
    "D5",
    family="reactions",
    title="Transition probability of a short time",
    as_written="P(θ → θ + Δθ) = ρ(θ, Δθ) Δt",
    statement="P = (1 − rΔt)δ(Δθ) + ρΔt + O(Δt²) with the total rate r: most often nothing happens, and without this "
    "term P adds up to rΔt. For any time P = e^{WΔt} with the rate matrix W; for jumps at a constant rate it is a sum "
    "over Poisson numbers of jumps, for Ehrenfest's urn that of two binomial variables.",
    verdict="asymptotic",
    sources=("N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), ch. V.1", jump_transitions.KAC),
    written=jump_transitions.short_time_as_written,
    corrected=jump_transitions.short_time,
)


@D5.check
def ehrenfests_urn(trial: Trial) -> Iterator[Comparison | Series]:
    """Evolution of the network of an urn, its closed form, and both forms for short times from the closed form."""
    balls = trial.pick(brief=8, quick=20, full=40)
    rates = jump_transitions.urn_rates(balls)
    W: Any = fp.generator(fp.markov_network(rates))
    start = np.zeros(balls + 1)
    start[balls // 4] = 1.0
    times = np.array([0.0, 0.1, 1.0, 10.0])
    solution = fp.evolve(W, start, times=times, tolerance=1e-10)
    for time, p in zip(times[1:], solution.densities[1:], strict=True):
        exact = jump_transitions.urn_transitions(balls, duration=time) @ start
        worst = int(np.abs(p - exact).argmax())
        yield Comparison(f"least agreeing probability, N = {balls}, t = {time:g}", exact[worst], p[worst], 1e-10,
                         "tolerance of the evolution", 1e-10, "tolerance of the evolution, in L1")  # fmt: skip
    spectrum = np.sort(-np.linalg.eigvals(W.matrix.toarray()).real)
    closed = np.sort(-jump_transitions.urn_spectrum(balls))
    for index in (1, 2, balls):
        yield rounded(f"eigenvalue {index}, N = {balls}", closed[index], spectrum[index], rounding=1e-9,
                      source="eigenvalues of a matrix that is not symmetric")  # fmt: skip
    durations = np.geomspace(0.003, 0.1, 6)
    forms = [trial.predict(rates, duration=time) for time in durations]
    errors = [
        float(np.abs(form - jump_transitions.urn_transitions(balls, duration=time)).max())
        for form, time in zip(forms, durations, strict=True)
    ]
    yield rounded("sum of probabilities, first duration", float(forms[0].sum(axis=0)[0]), 1.0, rounding=1e-12)
    yield Series(
        f"Urn with {balls} balls: error of the short-time form", "Δt", "largest error of a probability",
        (Curve("∝ Δt²", durations, errors[-1] * (durations / durations[-1]) ** 2),),
        (Points("form under test", durations, errors),), "xy", slope("power of Δt, urn", durations, errors, 2.0),
    )  # fmt: skip


@D5.check
def jumps_on_a_linear_loss(trial: Trial) -> Iterator[Comparison | Series]:
    """Displacements by jumps on cells against the sum over Poisson numbers of jumps, and the short-time form."""
    temperature, scale = 0.5, 0.3
    cells = trial.pick(brief=201, quick=401, full=801)
    W = on_line(jumps("x", temperature, scale), 3.0, cells)
    x, width, middle = W.grid.axes[0].centres, float(W.grid.volumes[0]), cells // 2
    start = np.zeros(cells)
    start[middle] = 1.0 / width
    numbers = {"gradient": 1.0, "temperature": temperature, "scale": scale}
    time = 1.5
    found = fp.evolve(W, start, times=[0.0, time], tolerance=1e-10).final
    exact = jump_transitions.compound_poisson_density(x, duration=time, **numbers)
    for place in (-0.6, -0.15, 0.45):
        index = int(np.abs(x - place).argmin())
        # Sums over cells finer than s of Gaussians are integrals to rounding; walls are ten jumps away.
        yield rounded(f"density at x = {x[index]:.2f}, t = {time:g}", exact[index], found[index], rounding=1e-6,
                      source="tolerance of the evolution, and walls")  # fmt: skip
    away = np.arange(cells) != middle
    yield Series(
        "Displacement on a linear loss after rt = 1.6 jumps on average", "displacement", "density",
        (Curve("Poisson sum of Gaussians", x[away], exact[away]),),
        (Points("evolution on cells", x[away][::5], found[away][::5]),),
    )  # fmt: skip
    durations = np.geomspace(0.003, 0.1, 6)
    solution = fp.evolve(W, start, times=[0.0, *durations], tolerance=1e-12).densities[1:]
    dense = W.matrix.toarray()
    inside = np.abs(x) < 2.0
    errors = [
        float(np.abs(trial.predict(dense, duration=t)[:, middle] - p * width)[inside].sum())
        for t, p in zip(durations, solution, strict=True)
    ]
    yield Series(
        "Linear loss: error of the short-time form", "Δt", "L1 error",
        (Curve("∝ Δt²", durations, errors[-1] * (durations / durations[-1]) ** 2),),
        (Points("form under test, cells", durations, errors),), "xy",
        slope("power of Δt, linear loss", durations, errors, 2.0),
    )  # fmt: skip


@D5.check
def sampled_jumps(trial: Trial) -> Iterator[Comparison | Series]:
    """Whether an urn has changed after Δt, in sampled histories of single balls, against the diagonal of the form."""
    samples, balls, duration = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000), 8, 0.02
    rng = np.random.default_rng([trial.seed, 112])
    # Every ball changes sides at the rate 1/N: odd numbers of changes count.
    changed = rng.poisson(duration / balls, size=(samples, balls)) % 2
    state = 2
    after = state - changed[:, :state].sum(axis=1) + changed[:, state:].sum(axis=1)
    form = trial.predict(jump_transitions.urn_rates(balls), duration=duration)[:, state]
    for end in (state, state + 1):
        share = float((after == end).mean())
        error = np.sqrt(share * (1.0 - share) / samples)
        yield statistical(f"P({state} → {end}), Δt = {duration:g}", form[end], share, error, bias=duration**2,
                          bias_source="(rΔt)², the form's next order")  # fmt: skip


D14 = claim(
    "D14",
    family="reactions",
    title="Master equation of updates",
    as_written="dp(θ)/dt = ∫[ρ(θ', θ) p(θ') − ρ(θ, θ') p(θ)] dθ'",
    statement="Exact as gain and loss, once the second argument is the update that ρ(θ, Δθ) is a function of: "
    "dp(θ)/dt = ∫[ρ(θ', θ − θ') p(θ') − ρ(θ, θ' − θ) p(θ)] dθ'. Read literally, with the place where a jump ends for "
    "the update, a weight in kθ²/2 would come to rest with the variance 1/(1/s² + k/2T) in place of T/k (half law, "
    "Gaussian proposals).",
    verdict="exact",
    sources=("N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), eq. (V.1.5)", "own derivation"),
    written=jump_transitions.arguments_as_written,
    corrected=jump_transitions.arguments,
)

WELLS = (("x²/2", "x**2/2", 0.5, 0.7, 5.0), ("double well", "x**4/4 - x**2/2", 0.4, 0.5, 2.5))


@D14.check
def gain_and_loss_in_time(trial: Trial) -> Iterator[Comparison | Series]:
    """Mean and ⟨x²⟩ under rates written down with the form's arguments, against the generator's evolution."""
    from scipy.linalg import expm

    times = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0])
    for name, text, temperature, scale, half_width in WELLS:
        W = on_line(jumps(text, temperature, scale), half_width, trial.pick(brief=101, quick=201, full=401))
        x, width = W.grid.axes[0].centres, float(W.grid.volumes[0])
        start = fp.gaussian(W.grid, [0.8], [[0.05]])
        solution = fp.evolve(W, start, times=times, tolerance=1e-10)
        measured = np.array([[moment(W, p, power) for power in (1, 2)] for p in solution.densities])
        # Element (i, j) is the rate of jumps from x_j to x_i, a density times the width of a cell.
        place, update = trial.predict(np.broadcast_to(x, (len(x), len(x))), x[:, None])
        gain = direct_rates(place, update + np.zeros_like(place), text, temperature, scale) * width
        balance = gain - np.diag(gain.sum(axis=0))
        states = [expm(balance * time) @ (np.asarray(start) * width) for time in times]
        predicted = np.array([[p @ x, p @ x**2] for p in states])
        for index in (2, 5):
            for column, what in enumerate(("⟨x⟩", "⟨x²⟩")):
                # 1e-10 in L1 times x² ≤ 25, over moments of 0.05 and more.
                yield rounded(f"{what}, {name}, t = {times[index]:g}", predicted[index, column],
                              measured[index, column], rounding=1e-7, source="tolerance of the evolution")  # fmt: skip
        yield Series(
            f"Relaxation by jumps, {name}", "time", "⟨x²⟩",
            (Curve("gain and loss with the form's arguments", times, predicted[:, 1]),),
            (Points("evolution on cells", times, measured[:, 1]),),
        )  # fmt: skip


@D14.check
def trajectories_in_time(trial: Trial) -> Iterator[Comparison]:
    """⟨x²⟩ of simulated jumps in two wells at two times, against gain and loss with the form's arguments."""
    from scipy.linalg import expm

    if trial.effort == "brief":
        return
    number = trial.pick(brief=0, quick=100_000, full=1_000_000)
    for name, text, temperature, scale, half_width in WELLS:
        # An odd number of cells with one of them at the start.
        x = np.linspace(-half_width, half_width, 401)
        start = int(np.abs(x - 0.75).argmin())
        place, update = trial.predict(np.broadcast_to(x, (len(x), len(x))), x[:, None])
        gain = direct_rates(place, update + np.zeros_like(place), text, temperature, scale) * (x[1] - x[0])
        balance = gain - np.diag(gain.sum(axis=0))
        for time in (1.0, 4.0):
            p = expm(balance * time)[:, start]
            run = fp.simulate(
                jumps(text, temperature, scale), number, [x[start]], t_final=time, seed=trial.seed, experiment=6120
            )
            squares = run.final[:, 0] ** 2
            title = f"⟨x²⟩ of trajectories, {name}, t = {time:g}"
            yield statistical(title, p @ x**2, squares.mean(), squares.std() / math.sqrt(number))


@D14.check
def stationary_states(trial: Trial) -> Iterator[Comparison | Series]:
    """Stationary ⟨x²⟩ on x²/2 of rates with the form's arguments, against T; and of the literal reading, closed."""
    temperature, x = 0.5, np.linspace(-5.0, 5.0, trial.pick(brief=121, quick=241, full=481))
    scales = np.linspace(0.4, 1.6, 5)
    found: dict[str, list[float]] = {"form": [], "literal": []}
    for scale in scales:
        for name, reading in (("form", trial.predict), ("literal", jump_transitions.arguments_as_written)):
            place, update = reading(np.broadcast_to(x, (len(x), len(x))), x[:, None])
            gain = direct_rates(place, update + np.zeros_like(place), "x**2/2", temperature, scale)
            balance = gain - np.diag(gain.sum(axis=0))
            balance[len(x) // 2] = 1.0  # in place of one balance, the norm
            found[name].append(float(np.linalg.solve(balance, np.eye(len(x))[len(x) // 2]) @ x**2))
    closed = [
        jump_transitions.arguments_as_written_variance(1.0, temperature=temperature, scale=scale) for scale in scales
    ]
    # Beyond seven widths of the state there is 1e-11 of it.
    yield rounded("⟨x²⟩, form under test", temperature, found["form"][0], rounding=1e-8, source="mass beyond the box")
    yield rounded("⟨x²⟩ of the literal reading", closed[0], found["literal"][0], rounding=1e-8, source="mass beyond")
    yield Series(
        "Stationary variance of either reading on x²/2", "scale s of the proposal", "⟨x²⟩",
        (Curve("T/k", scales, np.full_like(scales, temperature)), Curve("literal reading", scales, closed)),
        (Points("form under test", scales, found["form"]), Points("literal reading, matrix", scales, found["literal"])),
    )  # fmt: skip


@D14.check
def network_of_an_urn(trial: Trial) -> Iterator[Comparison | Series]:
    """Stationary state of an urn's network with the form's arguments, ρ(n, ±1), against the binomial distribution."""
    from math import comb

    balls = trial.pick(brief=10, quick=20, full=40)
    n = np.arange(balls + 1)
    place, update = trial.predict(np.broadcast_to(n, (balls + 1, balls + 1)), n[:, None])
    up, down = 1.0 - place / balls, place / balls
    rates = np.where(update == 1, up, 0.0) + np.where(update == -1, down, 0.0)
    np.fill_diagonal(rates, 0.0)
    p = np.asarray(fp.stationary(fp.generator(fp.markov_network(jump_transitions.urn_rates(balls)))))
    binomial = np.array([comb(balls, int(k)) for k in n]) / 2.0**balls
    flow = rates @ binomial - rates.sum(axis=0) * binomial
    yield rounded(f"P(N/2), N = {balls}", binomial[balls // 2], p[balls // 2], rounding=1e-12)
    yield Comparison("largest |gain − loss| in the binomial state", 0.0, float(np.abs(flow).max()), 1e-15, "rounding",
                     1e-14, "rounding of sums of N terms")  # fmt: skip
