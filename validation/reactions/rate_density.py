"""Claims D1, D3 and D6: the reaction-rate density of updates, its activation energy and its flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.errors import DynamicsError
from fpsolver.theory import metropolis, quadratic_reactions, reaction_rates
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    bounded,
    claim,
    gridded,
    misses,
    power,
    richardson,
    rounded,
    statistical,
)
from fpsolver.validation.reactions.on_cells import LAWS, jumps, moment, on_line, velocity

KAMPEN = "N. G. van Kampen, Stochastic Processes in Physics and Chemistry (2007), ch. V"

D1 = claim(
    "D1",
    family="reactions",
    title="Reaction-rate density of updates",
    as_written="ρ(θ, Δθ) = A e^{−E_a/k_BT} with E_a = ∇L·Δθ, thermal at the temperature T",
    statement="Without a proposal ∫ρ dΔθ diverges. With a symmetric one q and constant A, detailed balance with "
    "e^{−L/T} needs half the exponent, ρ = A q(Δθ) e^{−[L(θ + Δθ) − L(θ)]/2T}; with the whole ΔL the stationary state "
    "is e^{−2L/T}. With the tangent ½∇L·Δθ in the exponent balance is exact on quadratic losses while s²h_max < 4T for "
    "Gaussian proposals of scale s: jumps are then the steps of SGD with the learning rate s²/2T, whose waiting times "
    "restore e^{−L/T}, and on a line ⟨r⟩ = A/√(1 − s²h/4T); above, infinitely many jumps happen in finite time.",
    verdict="false as written",
    sources=(KAMPEN, "own derivation"),
    written=reaction_rates.stationary_temperature_as_written,
    corrected=reaction_rates.stationary_temperature,
)

SYSTEMS = (("x²/2", "x**2/2", 0.5, 5.0), ("double well", "x**4/4 - x**2/2", 0.3, 3.0))


def _boltzmann_moment(text: str, temperature: float, half_width: float) -> float:
    """Return ⟨x²⟩ of e^{−L/T}; the trapezoidal rule is spectral where the density vanishes at the ends."""
    x = np.linspace(-2.0 * half_width, 2.0 * half_width, 4001)
    weights = np.exp(-fp.Landscape(text).value(x[:, None]) / temperature)
    return float(weights @ x**2 / weights.sum())


@D1.check
def stationary_variance_by_law(trial: Trial) -> Iterator[Comparison | Series]:
    """⟨x²⟩ of the stationary state on cells, and after a long evolution, for every law in two wells."""
    cells = trial.pick(brief=121, quick=241, full=481)
    for name, text, temperature, half_width in SYSTEMS:
        for law in LAWS:
            if law == "linearised" and text != "x**2/2":
                continue
            found = []
            for number in (cells, (cells + 1) // 2):
                W = on_line(jumps(text, temperature, 0.5, law), half_width, number)
                found.append(moment(W, fp.stationary(W), 2))
            predicted = _boltzmann_moment(text, float(trial.predict(temperature, law=law)), half_width)
            value, error = richardson(*found)
            yield gridded(f"⟨x²⟩, {name}, law {law!r}, T = {temperature:g}", predicted, value, error, rounding=1e-9)
        # At half the temperature the state is narrower, and a narrower box keeps rates within bounds.
        W = on_line(jumps(text, temperature, 0.5, "arrhenius"), 0.8 * half_width, cells)
        late = fp.evolve(W, fp.gaussian(W.grid, [0.8], [[0.1]]), times=[0.0, 200.0]).final
        predicted = _boltzmann_moment(text, float(trial.predict(temperature, law="arrhenius")), half_width)
        # What is left of even modes is far below what evolve promises, 1e-8 in L1 by default.
        yield rounded(f"⟨x²⟩ reached, {name}, whole exponent", predicted, moment(W, late, 2), rounding=1e-6,
                      source="tolerance of the evolution, in a box of a few units")  # fmt: skip


@D1.check
def variance_against_temperature(trial: Trial) -> Iterator[Comparison | Series]:
    """Null vectors of rate matrices summed directly, with the half and the whole exponent, against T and T/2."""
    temperatures = np.linspace(0.2, 1.0, trial.pick(brief=5, quick=9, full=17))
    widths = np.linspace(-6.0, 6.0, trial.pick(brief=121, quick=241, full=241))
    curves, points = [], []
    for law in ("half", "arrhenius"):
        measured = []
        for temperature in temperatures:
            x = math.sqrt(temperature) * widths
            change, proposal = (x[:, None] ** 2 - x**2) / 2.0, np.exp(-0.5 * ((x[:, None] - x) / 0.7) ** 2)
            rates = proposal * LAWS[law](change / temperature)
            balance = rates - np.diag(rates.sum(axis=0))
            measured.append(float(_null(balance) @ x**2))
        predicted = [float(trial.predict(temperature, law=law)) for temperature in temperatures]
        for index in (0, -1):
            yield rounded(f"variance, law {law!r}, T = {temperatures[index]:g}", predicted[index], measured[index],
                          rounding=1e-7, source="mass beyond six widths, √T each")  # fmt: skip
        curves.append(Curve(f"law {law!r}, form under test", temperatures, predicted))
        points.append(Points(f"law {law!r}, rate matrix", temperatures, measured))
    yield Series("Stationary variance on x²/2", "temperature T in the rates", "⟨x²⟩", tuple(curves), tuple(points))


def _null(balance: np.ndarray) -> np.ndarray:
    """Return the stationary vector: the balance of the middle state is replaced by the norm."""
    equations, middle = balance.copy(), len(balance) // 2
    equations[middle] = 1.0
    return np.linalg.solve(equations, np.eye(len(balance))[middle])


@D1.check
def trajectories_at_rest(trial: Trial) -> Iterator[Comparison]:
    """⟨x²⟩ of simulated jumps, thinned exactly, after a long time in two wells, for the half and the whole exponent."""
    if trial.effort == "brief":
        return
    number = trial.pick(brief=0, quick=100_000, full=1_000_000)
    for index, (name, text, temperature, half_width) in enumerate(SYSTEMS):
        for law in ("half", "arrhenius"):
            # Even functions forget the start a hundred times over.
            run = fp.simulate(
                jumps(text, temperature, 0.5, law),
                number,
                [0.8],
                t_final=100.0,
                seed=trial.seed,
                experiment=6100 + index,
            )
            squares = run.final[:, 0] ** 2
            predicted = _boltzmann_moment(text, float(trial.predict(temperature, law=law)), half_width)
            title = f"⟨x²⟩ of trajectories, {name}, law {law!r}"
            yield statistical(title, predicted, squares.mean(), squares.std() / math.sqrt(number))


@D1.check
def total_rate_needs_a_proposal(trial: Trial) -> Iterator[Comparison | Series]:
    """∫ρ over sampled updates on a linear loss, for three proposals; without a proposal it grows with the cut-off."""
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    rng = np.random.default_rng([trial.seed, 106])
    draws: dict[str, Callable[..., Any]] = {
        "gaussian": rng.normal, "uniform": partial(rng.uniform, -1.0, 1.0), "laplace": rng.laplace
    }  # fmt: skip
    steepness = np.linspace(0.2, 1.2, 6)
    curves, points = [], []
    for proposal, draw in draws.items():
        updates = 0.3 * draw(size=samples)
        rows = []
        for g in steepness:
            weights = LAWS["half"](g * updates / 0.5)
            form = reaction_rates.total_rate(g, temperature=0.5, scale=0.3, proposal=proposal)
            rows.append((float(form), weights.mean(), weights.std() / math.sqrt(samples)))
        yield statistical(f"total rate, {proposal} proposal, g = {steepness[-1]:g}", *rows[-1])
        predicted, measured, errors = np.transpose(rows)
        curves.append(Curve(proposal, steepness, predicted))
        points.append(Points(f"{proposal}, sampled", steepness, measured, errors))
    yield Series("Total rate on a linear loss, s = 0.3, T = 0.5", "slope g", "∫ρ dΔ/A", tuple(curves), tuple(points))
    cuts = np.geomspace(0.5, 16.0, 6)
    cut_off = [float(reaction_rates.total_rate_without_proposal(1.0, temperature=0.5, largest_update=r)) for r in cuts]
    sums = []
    for r in cuts:
        u, w = np.polynomial.legendre.leggauss(80)
        sums.append(float(r * w @ LAWS["arrhenius"](r * u / 0.5)))
    yield rounded(
        "∫ρ without a proposal, cut off at 16", cut_off[-1], sums[-1], rounding=1e-11, source="80 Gauss nodes"
    )
    yield Series(
        "Rate as written, without a proposal", "largest update R", "∫ρ dΔ/A", (Curve("closed form", cuts, cut_off),),
        (Points("Gauss–Legendre", cuts, sums),), "xy",
    )  # fmt: skip


@D1.check
def linearised_law_up_to_its_explosion(trial: Trial) -> Iterator[Comparison | Series]:
    """Jumps per time on x²/2 as s²h approaches 4T, on cells; the refusal beyond; and the time that many jumps take."""
    temperature = 0.5
    shares = np.array([0.1, 0.3, 0.5, 0.7])
    closed, measured, errors = [], [], []
    for share in shares:
        scale = math.sqrt(4.0 * temperature * share)
        found = []
        for cells in trial.pick(brief=(161, 81), quick=(321, 161), full=(641, 321)):
            W = on_line(jumps("x**2/2", temperature, scale, "linearised"), 9.0, cells)
            p = np.asarray(fp.stationary(W)) * W.grid.volumes
            # Jumps that stay in their cell are no jumps of the matrix; ∫ρ makes up for them.
            stays = W.grid.volumes / (scale * math.sqrt(2.0 * math.pi))
            found.append(float(p @ (stays - W.diagonal)))
        value, error = richardson(*found)
        closed.append(float(quadratic_reactions.mean_rate(1.0, temperature=temperature, scale=scale)))
        measured.append(value)
        errors.append(error)
        yield gridded(f"⟨r⟩ of the linearised law, s²h = {share:g} · 4T", closed[-1], value, error, rounding=1e-6)
    yield Series(
        "Jumps per time of the linearised law", "s²h/4T", "⟨r⟩/A",
        (Curve("1/√(1 − s²h/4T)", shares, closed),), (Points("cells", shares, measured, errors),),
    )  # fmt: skip
    edge = float(quadratic_reactions.largest_scale(1.0, temperature=temperature))
    refusals = [_refused(temperature, edge * factor) for factor in (1.0 - 1e-9, 1.0 + 1e-9)]
    yield rounded("scales refused, below and above the edge", 1.0, refusals[1] - refusals[0], rounding=0.0)
    jump_numbers = np.arange(1, 401)
    curves = []
    for share in (0.5, 1.2):
        clock = _clock(1.0, temperature, math.sqrt(4.0 * temperature * share), len(jump_numbers), trial.seed)
        curves.append(Points(f"s²h = {share:g} · 4T", jump_numbers, clock))
    yield bounded(
        "time of the last 100 of 400 jumps, s²h = 1.2 · 4T", 0.0, float(clock[-1] - clock[-101]), 1e-12, side="≤"
    )
    yield Series(
        "Time that jumps take, linearised law", "number of jumps", "mean waiting times, added", (), tuple(curves)
    )


def _refused(temperature: float, scale: float) -> int:
    try:
        jumps("x**2/2", temperature, scale, "linearised")
    except DynamicsError:
        return 1
    return 0


def _clock(h: float, temperature: float, scale: float, number: int, seed: int) -> np.ndarray:
    """Return the times after so many jumps of ρ = q e^{−hθΔ/2T}, each waiting time replaced by its mean 1/r."""
    rng, theta, elapsed = np.random.default_rng(seed), 0.5, []
    for noise in rng.normal(size=number):
        tilt = scale * h * theta / (2.0 * temperature)
        # ∫ρ = e^{tilt²/2}, and the jump is normal with mean −s·tilt.
        elapsed.append(math.exp(-0.5 * min(tilt**2, 1400.0)))
        theta = float(np.clip(theta - scale * tilt + scale * noise, -1e100, 1e100))
    return np.cumsum(elapsed)


D3 = claim(
    "D3",
    family="reactions",
    title="Activation energy of an update",
    as_written="E_a = |∇L||Δθ| cos α, in a rate e^{−E_a/k_BT}",
    statement="E_a = ∇L·Δθ identically: the change of the loss to first order, with a remainder ½ΔθᵀHΔθ + …. It is "
    "negative downhill, and so no activation energy: e^{−E_a/T} exceeds one on half of the updates and is no "
    "probability of acceptance. Rates with detailed balance put max(0, ΔL) (Metropolis) or ½ΔL in its place. On a "
    "linear loss with Gaussian proposals the acceptance is ½ + e^{α²/2}Φ(−α), α = s|∇L|/T, where e^{−E_a/T} gives "
    "e^{α²/2}.",
    verdict="exact",
    sources=("N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953)", "own derivation"),
    written=metropolis.acceptance_as_written,
    corrected=metropolis.acceptance,
)

SURFACES = (
    ("x⁴/4 − x²/2 + (1 + 3x²)y²/2", fp.Landscape("x**4/4 - x**2/2 + (1 + 3*x**2)*y**2/2")),
    ("x² + xy + cos(2y) + z⁴", fp.Landscape("x**2 + x*y + cos(2*y) + z**4")),
)


@D3.check
def first_order_change_of_the_loss(trial: Trial) -> Iterator[Comparison | Series]:
    """|∇L||Δθ|cos α against differences of the loss along random updates, and how the remainder shrinks."""
    rng = np.random.default_rng([trial.seed, 107])
    for name, landscape in SURFACES:
        point, *directions = rng.normal(size=(17, landscape.dimension))
        directions = [direction / np.linalg.norm(direction) for direction in directions]
        hessian = landscape.hessian(point)
        # Along which the second order shows best; where it vanishes the third would be the remainder.
        direction = max(directions, key=lambda one: abs(one @ hessian @ one))
        form = reaction_rates.activation_energy(landscape.gradient(point), direction)
        # Differences over ±h and ±2h leave h⁴ times a fifth derivative of order one, and rounding/h.
        h = 1e-3
        ends = [float(landscape.value(point + k * h * direction)) for k in (-2, -1, 1, 2)]
        slope_along = (ends[0] - 8.0 * ends[1] + 8.0 * ends[2] - ends[3]) / (12.0 * h)
        yield Comparison(f"E_a per length, {name}", form, slope_along, 1e-9, "differences of the loss", 1e-9,
                         "h⁴ and rounding/h of differences over h = 0.001")  # fmt: skip
        lengths = np.geomspace(1e-3, 0.1, 7)
        left = [abs(float(landscape.value(point + r * direction) - landscape.value(point)) - r * form) for r in lengths]
        yield Series(
            f"ΔL less E_a: {name}", "|Δθ|", "|ΔL − E_a|",
            (Curve("½ΔθᵀHΔθ", lengths, 0.5 * abs(direction @ hessian @ direction) * lengths**2),),
            (Points("differences", lengths, left),), "xy",
            power(f"power of |Δθ| in the remainder, {name}", lengths, np.array(left), 2.0),
        )  # fmt: skip


@D3.check
def acceptance_on_a_linear_loss(trial: Trial) -> Iterator[Comparison | Series]:
    """Share of accepted updates, sampled in one and in ten dimensions, against the form; and e^{−E_a/T} beside it."""
    samples = trial.pick(brief=20_000, quick=400_000, full=4_000_000)
    rng = np.random.default_rng([trial.seed, 108])
    temperature, scale = 0.5, 0.3
    slopes = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    rows = []
    for g in slopes:
        for dimension in (1, 10):
            gradient = np.full(dimension, g / math.sqrt(dimension))
            changes = scale * rng.normal(size=(samples, dimension)) @ gradient
            accepted = np.log(rng.random(samples)) < -changes / temperature
            share = accepted.mean()
            error = math.sqrt(share * (1.0 - share) / samples)
            form = trial.predict(gradient, temperature=temperature, scale=scale)
            yield statistical(f"acceptance, |∇L| = {g:g}, d = {dimension}", form, share, error)
        rows.append((float(form), share, error, float((changes < 0.0).mean())))
    form, share, error, downhill = np.transpose(rows)
    yield statistical("share of updates with E_a < 0", 0.5, downhill[0], 0.5 / math.sqrt(samples))
    yield Series(
        "Acceptance of updates on a linear loss", "s|∇L|/T", "share accepted",
        (Curve("form under test", slopes * scale / temperature, form),),
        (Points("sampled, d = 10", slopes * scale / temperature, share, error),),
    )  # fmt: skip


@D3.check
def drift_of_metropolis_rates(trial: Trial) -> Iterator[Comparison | Series]:
    """d⟨x⟩/dt on cells of a linear loss for Metropolis and Glauber rates, against the closed forms."""
    cells = trial.pick(brief=401, quick=801, full=1601)
    slopes, temperature, scale = np.array([0.5, 1.0, 2.0, 4.0]), 0.5, 0.3
    forms = {"metropolis": metropolis.drift, "glauber": metropolis.glauber_drift}
    curves, points = [], []
    for law, form in forms.items():
        predicted, measured, errors = [], [], []
        for g in slopes:
            found = []
            for number in (cells, (cells + 1) // 2):
                W = on_line(jumps(f"{g}*x", temperature, scale, law), 3.0, number)
                found.append(velocity(W, W.grid.axes[0].centres, 0.0))
            value, error = richardson(*found)  # the kink of Metropolis rates lies on a cell: second order
            predicted.append(float(form(g, temperature=temperature, scale=scale)[0]))
            measured.append(value)
            errors.append(error)
            yield gridded(f"drift, {law}, g = {g:g}", predicted[-1], value, error, rounding=1e-9)
        curves.append(Curve(f"{law}, closed form", slopes, predicted))
        points.append(Points(f"{law}, cells", slopes, measured, errors))
    yield Series("Drift on a linear loss", "slope", "d⟨x⟩/dt", tuple(curves), tuple(points))


D6 = claim(
    "D6",
    family="reactions",
    title="Flow field of updates",
    as_written="flow = ∫Δθ ρ(θ, Δθ) dΔθ",
    statement="Exact as the velocity d⟨θ⟩/dt of a weight at θ, whatever the rates. For Gaussian proposals of scale s "
    "and the half law it is −A(s²∇L/2T) e^{s²|∇L|²/8T²} on a linear loss, faster than the drift −μ∇L of small jumps; "
    "on a quadratic loss −A det(1 + s²H/2T)^{−1/2} e^{bᵀP⁻¹b/2} P⁻¹b with b = ∇L/2T and P = 1/s² + H/2T.",
    verdict="exact",
    sources=(KAMPEN, "own derivation: Gaussian integrals"),
    corrected=quadratic_reactions.moments,
)


@D6.check
def velocity_on_cells(trial: Trial) -> Iterator[Comparison | Series]:
    """d⟨x⟩/dt and d⟨(x − x₀)²⟩/dt on cells of linear and quadratic losses, against flow and second moment."""
    cells = trial.pick(brief=401, quick=801, full=1601)
    temperature, scale = 0.5, 0.3
    for name, text, curvature in (("x", "x", 0.0), ("x²/2", "x**2/2", 1.0), ("−x²/4 + x", "x - x**2/4", -0.5)):
        for law in ("half", "arrhenius"):
            W = on_line(jumps(text, temperature, scale, law), 4.0, cells)
            x = W.grid.axes[0].centres
            places = np.array([-0.8, 0.0, 0.8]) if trial.effort == "brief" else np.linspace(-1.0, 1.0, 9)
            places = x[[int(np.abs(x - place).argmin()) for place in places]]
            slopes = fp.Landscape(text).gradient(places[:, None])[:, 0]
            forms = [trial.predict(g, curvature, temperature=temperature, scale=scale, law=law) for g in slopes]
            flows = [velocity(W, x, place) for place in places]
            for place, form, flow in zip(places, forms, flows, strict=True):
                # Sums over cells finer than s of a Gaussian are integrals to rounding, of a thousand terms at most.
                yield rounded(f"flow, {name}, {law}, x = {place:.2f}", form.flow[0] + 1.0, flow + 1.0, rounding=1e-12)
                second = velocity(W, (x - place) ** 2, place)
                yield rounded(f"second moment, {name}, {law}, x = {place:.2f}", form.second_moment[0, 0], second,
                              rounding=1e-12)  # fmt: skip
            if law == "half":
                yield Series(
                    f"Flow field of updates on {name}", "x", "d⟨x⟩/dt",
                    (Curve("∫Δρ", places, [form.flow[0] for form in forms]),
                     Curve("−μ∇L", places, -(scale**2) * slopes / (2.0 * temperature))),
                    (Points("cells", places, flows),),
                )  # fmt: skip


@D6.check
def sampled_updates(trial: Trial) -> Iterator[Comparison | Series]:
    """∫Δρ by updates drawn from the proposal and weighted, in three dimensions, against the form; −μ∇L misses."""
    samples = trial.pick(brief=100_000, quick=1_000_000, full=10_000_000)
    temperature, scale = 0.5, 0.6
    hessian = np.array([[1.0, 0.4, 0.0], [0.4, 0.5, -0.2], [0.0, -0.2, 2.0]])
    gradient = np.array([1.0, -0.5, 0.8])
    updates = scale * np.random.default_rng([trial.seed, 109]).normal(size=(samples, 3))
    change = updates @ gradient + 0.5 * np.einsum("ni,ij,nj->n", updates, hessian, updates)
    weighted = updates * LAWS["half"](change / temperature)[:, None]
    form = trial.predict(gradient, hessian, temperature=temperature, scale=scale)
    means, errors = weighted.mean(axis=0), weighted.std(axis=0) / math.sqrt(samples)
    for k in range(3):
        yield statistical(f"flow along coordinate {k}", form.flow[k], means[k], errors[k])
    yield misses("flow along coordinate 0, −μ∇L", -(scale**2) * gradient[0] / (2.0 * temperature), means[0], errors[0])


@D6.check
def trajectories_in_time(trial: Trial) -> Iterator[Comparison]:
    """Mean and variance of displacements of simulated jumps on a linear loss, against the rates of the form."""
    if trial.effort == "brief":
        return
    number, time = trial.pick(brief=0, quick=200_000, full=2_000_000), 4.0
    for law in ("half", "arrhenius"):
        run = fp.simulate(jumps("x", 0.5, 0.3, law), number, [0.0], t_final=time, seed=trial.seed, experiment=6110)
        form = trial.predict(1.0, 0.0, temperature=0.5, scale=0.3, law=law)
        x = run.final[:, 0]
        yield statistical(f"⟨x⟩ at t = 4, law {law!r}", time * form.flow[0], x.mean(), x.std() / math.sqrt(number))
        squares = (x - x.mean()) ** 2
        yield statistical(f"variance at t = 4, law {law!r}", time * form.second_moment[0, 0], squares.mean(),
                          squares.std() / math.sqrt(number))  # fmt: skip


@D6.check
def mean_position_in_time(trial: Trial) -> Iterator[Comparison | Series]:
    """⟨x⟩ and the variance of an evolving density on a linear loss: both grow at the constant rates of the form."""
    temperature, scale, times = 0.5, 0.3, np.linspace(0.0, 4.0, 5)
    W = on_line(jumps("x", temperature, scale), 6.0, trial.pick(brief=241, quick=481, full=961))
    solution = fp.evolve(W, fp.gaussian(W.grid, [0.5], [[0.04]]), times=times)
    means = np.array([moment(W, p, 1) for p in solution.densities])
    variances = np.array([moment(W, p, 2) for p in solution.densities]) - means**2
    form = trial.predict(1.0, 0.0, temperature=temperature, scale=scale)
    # Evolution promises 1e-8 in L1; the walls, twelve widths off, do not count.
    yield rounded("⟨x⟩ gained by t = 4", 4.0 * form.flow[0], means[-1] - means[0], rounding=1e-6)
    yield rounded("variance gained by t = 4", 4.0 * form.second_moment[0, 0], variances[-1] - variances[0],
                  rounding=1e-6)  # fmt: skip
    yield Series(
        "Mean position on a linear loss", "time", "⟨x⟩",
        (Curve("∫Δρ", times, means[0] + form.flow[0] * times),), (Points("evolution on cells", times, means),),
    )  # fmt: skip
