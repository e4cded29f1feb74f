"""A4.2a and A4.2b: an integral theorem for a cost, and the effective temperature that would go with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import fpsolver as fp
from fpsolver.theory import batch_temperature, learning_readings
from fpsolver.thermodynamics.fluctuation_theorems import integral_theorem
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, bounded, claim, rounded, statistical

A4_2A = claim(
    "A4.2a",
    family="fluctuations",
    title="Integral theorem for a cost",
    as_written="⟨e^{−C/T_eff}⟩ = 1.",
    statement="A cost C ≥ 0 has ⟨e^{−C/T}⟩ < 1 unless C = 0 almost surely: a variable with an integral theorem must "
    "take negative values. The dissipated work W − ΔF does, ⟨e^{−(W − ΔF)/T}⟩ = 1 from an equilibrium start.",
    verdict="false as written",
    sources=("C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997)",),
    written=learning_readings.cost,
    corrected=learning_readings.dissipated_work,
)


@A4_2A.check
def cost_of_driven_training(trial: Trial) -> Iterator[Comparison | Series]:
    """Average over trajectories whose loss is stiffened, or dragged; the cost is the loss at the end."""
    n, dt = trial.pick(brief=(40_000, 0.25), quick=(1_000_000, 0.1), full=(10_000_000, 0.05))
    cases = (
        ("stiffened 1 → 2", "k*x**2/2", {"k": 1.0}, {"k": fp.Protocol("1 + t")}, 0.5 * math.log(2.0)),
        ("dragged", "(x - c)**2/2", {"c": 0.0}, {"c": fp.Protocol("t")}, 0.0),
    )
    scales = np.linspace(0.25, 4.0, 16)
    for number, (name, text, parameters, protocol, free_energy) in enumerate(cases):
        dynamics = fp.Langevin(
            fp.Landscape(text, variables=("x",), parameters=parameters), temperature=1.0, protocol=protocol
        )
        # The work is that of the switching in steps between exact relaxations, which keep every Boltzmann state.
        ensemble = fp.simulate(
            dynamics, n, "stationary", dt, 1.0, seed=trial.seed, experiment=5240 + number,
            scheme="ornstein-uhlenbeck", functionals="work",
        )  # fmt: skip
        work, loss = ensemble.values("work"), ensemble.values("loss")
        given: dict[str, Any] = {"cost": loss, "work": work, "free_energy_change": free_energy}
        found = integral_theorem(-trial.predict(**given, temperature=1.0))
        yield statistical(f"⟨e^X⟩, {name}", 1.0, found.average, found.standard_error)
        written = integral_theorem(-learning_readings.cost(**given, temperature=1.0))
        yield bounded(f"⟨e^{{−C/T}}⟩ < 1, {name}", 1.0, written.average, written.standard_error, side="≤")
        yield Series(
            f"No temperature makes ⟨e^{{−C/T_eff}}⟩ one, {name}",
            "T_eff/T",
            "average",
            (Curve("one", scales, np.ones_like(scales)),),
            (
                Points(
                    "cost, trajectories",
                    scales,
                    [float(np.exp(learning_readings.cost(**given, temperature=scale)).mean()) for scale in scales],
                ),
            ),
        )


@A4_2A.check
def constant_cost(trial: Trial) -> Iterator[Comparison | Series]:
    """Integrate over a Gaussian density of work, beside a cost that is always the same, whose average is e^{−C/T}."""
    work, weights = np.polynomial.hermite_e.hermegauss(80)
    weights, work = weights / weights.sum(), 0.5 + work
    for cost in (0.25, 1.0, 4.0):
        exponent = trial.predict(cost=cost + 0.0 * work, work=work, temperature=1.0)
        yield rounded(
            f"⟨e^X⟩, C = {cost:g} T, ⟨W⟩ = T/2", 1.0, np.sum(weights * np.exp(exponent)), rounding=1e-12,
            source="quadrature",
        )  # fmt: skip


A4_2B = claim(
    "A4.2b",
    family="fluctuations",
    title="Effective temperature and batch size",
    as_written="T_eff = T·B/B_crit.",
    statement="T_eff = T(B_crit) B_crit/B: the noise D = ηΣ₁/2B of a mean over a batch falls with its size (batches "
    "with replacement; without, Σ₁/B becomes (Σ₁/B)(N − B)/(N − 1)). The stationary variance ηC/[h(2 − ηh)] has it.",
    verdict="false as written",
    sources=("S. L. Smith, Q. V. Le, ICLR 2018", "L. Ziyin, K. Liu, M. Ueda, ICML 2022 (arXiv 2012.03636)"),
    written=batch_temperature.temperature_as_written,
    corrected=batch_temperature.temperature,
)


@A4_2B.check
def temperature_of_minibatches(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare (1 − ηh/2) h⟨θ²⟩ of descent on means of drawn examples, which are not Gaussian, with the form."""
    runs, steps = trial.pick(brief=(3000, 60), quick=(1_000_000, 40), full=(2_000_000, 60))
    rate, reference = 0.2, 4
    rng = np.random.default_rng([trial.seed, 5250])
    examples = np.concatenate([rng.exponential(1.0, 40), rng.normal(-2.0, 0.3, 24)])
    examples -= examples.mean()
    # The gradient of Σ(θ − x)²/2 over a batch is θ minus its mean; Σ₁ is the variance of the examples.
    at_reference = 0.5 * rate * examples.var() / reference
    sizes = np.array([1, 2, 4, 8, 16])
    measured, errors, forms = [], [], []
    for size in sizes:
        theta = np.zeros(runs)
        for _ in range(steps):
            theta += rate * (examples[rng.integers(len(examples), size=(runs, size))].mean(axis=1) - theta)
        squares = (1.0 - rate / 2.0) * theta**2
        measured.append(float(squares.mean()))
        errors.append(float(squares.std() / math.sqrt(runs)))
        forms.append(trial.predict(size, reference_batch=reference, reference_temperature=at_reference))
        left = (1.0 - rate) ** (2 * steps) * measured[-1]
        yield statistical(
            f"T_eff, B = {size}", forms[-1], measured[-1], errors[-1], bias=left, bias_source="memory of the start"
        )
    yield Series(
        "Temperature of minibatch descent",
        "batch size",
        "T_eff",
        (
            Curve("form under test", sizes, [float(form) for form in forms]),
            Curve("as written", sizes, at_reference * sizes / reference),
        ),
        (Points("minibatches", sizes, measured, errors),),
        "xy",
    )
