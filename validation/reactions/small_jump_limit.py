"""Claim D15: the Fokker–Planck equation of small jumps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.theory import small_jumps
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, claim, gridded, power, richardson
from fpsolver.validation.reactions.on_cells import LAWS, jumps, on_line, velocity

D15 = claim(
    "D15",
    family="reactions",
    title="Fokker–Planck limit of the reaction-rate density",
    as_written="∂P/∂t = −∇·(vP) + D∇²P with v = −μ∇L and D = μT, from ρ = A e^{−∇L·Δθ/T}",
    statement="As jumps become small at a fixed A⟨Δ²⟩ the jump process tends to v = −μ∇L and D = μT, "
    "with μ = A⟨Δ²⟩/2T for the half, linearised and Metropolis laws, and half of both for Glauber's, which accepts "
    "every other move; but v = −2μ∇L with the same D for the whole exponent, whose temperature is T/2. The error is of "
    "relative order s², with a known first correction; for Metropolis rates, which have a kink, of order s.",
    verdict="asymptotic",
    sources=(small_jumps.KAMPEN, "own derivation"),
    written=small_jumps.drift_as_written,
    corrected=small_jumps.drift,
)

MOBILITY = 1.0
ORDERS = {law: 1.0 if law == "metropolis" else 2.0 for law in LAWS}


def _attempts(temperature: float, scale: float) -> float:
    """Return A with A s²/2T = μ."""
    return 2.0 * MOBILITY * temperature / scale**2


@D15.check
def drift_and_diffusion_at_a_point(trial: Trial) -> Iterator[Comparison | Series]:
    """d⟨x⟩/dt and ½d⟨(x − x₀)²⟩/dt on cells around a point of a double well, as the scale of jumps shrinks."""
    text, temperature, place = "x**4/4 - x**2/2", 0.5, 1.2
    first, second, third = place**3 - place, 3.0 * place**2 - 1.0, 6.0 * place
    # Below, the fourth power of s is lost in the rounding of ∫Δρ, which is a sum of terms T/s times as large.
    scales = np.geomspace(0.02, 0.2, trial.pick(brief=5, quick=7, full=9))
    drifts, diffusions, better = {}, {}, {}
    for law in LAWS:
        rows = []
        for scale in scales:
            rate = _attempts(temperature, scale)
            process = jumps(text, temperature, scale, law, attempt_rate=rate)
            # Nine scales to either side hold all jumps but 1e-19 of them.
            wall = fp.Axis(place - 9.0 * scale, place + 9.0 * scale, trial.pick(brief=81, quick=161, full=321),
                           boundary="reflecting")  # fmt: skip
            W = fp.generator(process, fp.Grid(x=wall))
            x = W.grid.axes[0].centres
            form = trial.predict(first, temperature=temperature, variance=scale**2, law=law, attempt_rate=rate)[0]
            spread = float(small_jumps.diffusion(variance=scale**2, law=law, attempt_rate=rate))
            corrected = small_jumps.corrected_drift(
                (first, second, third), temperature=temperature, scale=scale, law=law, attempt_rate=rate
            )
            flow = velocity(W, x, place)
            rows.append((
                flow / form - 1.0,
                0.5 * velocity(W, (x - place) ** 2, place) / spread - 1.0,
                flow / float(corrected) - 1.0,
            ))  # fmt: skip
        drifts[law], diffusions[law], better[law] = np.abs(np.array(rows)).T
        name = "relative error of drift and diffusion"
        small, its_name = scales ** ORDERS[law], "s" if law == "metropolis" else "s²"
        yield power(f"power of {its_name}, diffusion, law {law!r}", small, diffusions[law], 1.0)
        yield power(f"power of {its_name} after the first correction, law {law!r}", small, better[law], 2.0)
        yield Series(
            f"Approach to the Fokker–Planck equation at a point, law {law!r}", "scale s of jumps", name,
            (Curve(f"∝ {its_name}", scales, drifts[law][0] * small / small[0]),),
            (Points("drift", scales, drifts[law]), Points("diffusion", scales, diffusions[law]),
             Points("drift, first correction included", scales, better[law])), "xy",
            power(f"power of {its_name}, drift, law {law!r}", small, drifts[law], 1.0),
        )  # fmt: skip


@D15.check
def relaxation_rates_in_a_parabola(trial: Trial) -> Iterator[Comparison | Series]:
    """Slowest rates of jump processes in x²/2 against those of the limit, the drift's slope and twice it."""
    temperature = 0.5
    scales = np.geomspace(0.1, 0.4, trial.pick(brief=4, quick=6, full=8))
    for law in ("half", "linearised", "arrhenius") if trial.effort == "brief" else tuple(LAWS):
        rows = []
        for scale in scales:
            rate = _attempts(temperature, scale)
            process = jumps("x**2/2", temperature, scale, law, attempt_rate=rate)
            W = on_line(process, 4.5, trial.pick(brief=151, quick=301, full=601))
            found = fp.spectrum(W, k=3).rates[1:]
            form = -trial.predict(1.0, temperature=temperature, variance=scale**2, law=law, attempt_rate=rate)[0]
            rows.append((found[0] / form - 1.0, found[1] / (2.0 * form) - 1.0))
        left = np.abs(np.array(rows)).T
        small, its_name = scales ** ORDERS[law], "s" if law == "metropolis" else "s²"
        yield power(f"power of {its_name}, second rate, law {law!r}", small, left[1], 1.0)
        yield Series(
            f"Relaxation rates in x²/2, law {law!r}", "scale s of jumps", "|λ over that of the limit − 1|",
            (Curve(f"∝ {its_name}", scales, left[0, 0] * small / small[0]),),
            (Points("λ₁", scales, left[0]), Points("λ₂", scales, left[1])), "xy",
            power(f"power of {its_name}, slowest rate, law {law!r}", small, left[0], 1.0),
        )  # fmt: skip


@D15.check
def escape_from_a_double_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Slowest rate of jumps with half the exponent in a double well against that of Langevin dynamics on cells."""
    text, temperature = "x**4/4 - x**2/2", 0.1
    cells = trial.pick(brief=400, quick=800, full=1600)
    langevin = fp.Langevin(fp.Landscape(text), temperature=temperature, mobility=MOBILITY)
    limit, error = richardson(*(
        float(fp.spectrum(fp.generator(langevin, fp.Grid(x=(-2.2, 2.2, number))), k=2).rates[1])
        for number in (cells, cells // 2)
    ))  # fmt: skip
    scales = np.geomspace(0.06, 0.24, trial.pick(brief=4, quick=6, full=8))
    rates = []
    for scale in scales:
        process = jumps(text, temperature, scale, attempt_rate=_attempts(temperature, scale))
        rates.append(
            float(fp.spectrum(on_line(process, 2.2, trial.pick(brief=161, quick=241, full=481)), k=2).rates[1])
        )
    left = np.abs(np.array(rates) / limit - 1.0)
    yield Series(
        "Slowest rate of jumps in a double well, T = 0.1", "scale s of jumps", "|λ₁ over that of diffusion − 1|",
        (Curve("∝ s²", scales, left[0] * (scales / scales[0]) ** 2),),
        (Points("jumps on cells", scales, left, np.full_like(scales, error / limit)),), "xy",
        power("power of s², escape from a double well", scales**2, left, 1.0),
    )  # fmt: skip
    # Two scales and the known order extrapolate the rate of jumps to s → 0.
    value, doubt = richardson(rates[0], rates[1], order=2.0, ratio=float(scales[1] / scales[0]))
    yield gridded("λ₁ of jumps extrapolated to s → 0", limit, value, doubt + error, source="next order in s, and cells")
