"""E19: the detailed fluctuation theorem of heat fails in the tails of a dragged trap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.theory import heat_tails
from fpsolver.thermodynamics.fluctuation_theorems import detailed_theorem
from fpsolver.validation import Comparison, Curve, Points, Series, Trial, asymptotic, claim, misses, slope, statistical

DURATION = 2.0

E19 = claim(
    "E19",
    family="fluctuations",
    title="Symmetry of heat in the steady state of a dragged trap",
    as_written="P(Q)/P(−Q) = e^{Q/T} at long times, for heat as for work.",
    statement="With p = Q/⟨Q⟩, ln[P(Q)/P(−Q)] in units of ⟨Q⟩/T tends to p for p ≤ 1, to p − (p − 1)²/4 up to p = 3, "
    "and stays at 2 beyond: the energy, whose density has exponential tails, outweighs work there. For p > 3 the "
    "limit is reached from above, as 2 + √(8(p − 3)/μkt).",
    verdict="asymptotic",
    sources=(
        "R. van Zon, E. G. D. Cohen, Phys. Rev. Lett. 91, 110601 (2003)",
        "R. van Zon, E. G. D. Cohen, Phys. Rev. E 69, 056121 (2004)",
        "own derivation of the generating function at any time",
    ),
    written=heat_tails.conventional,
    corrected=heat_tails.extended,
)


@E19.check
def symmetry_at_finite_times(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the exact symmetry of heat, by inversion of its generating function, with the form up to long times."""
    times = np.geomspace(2.0**4, 2.0**14, trial.pick(brief=6, quick=11, full=21))
    for ratio in (0.5, 2.0, 4.0, 6.0):
        exact = np.array([heat_tails.symmetry(ratio, drive=1.0, relaxation_times=tau) for tau in times])
        forms = [trial.predict(ratio, relaxation_times=tau) for tau in times]
        limits = np.array([float(heat_tails.extended(ratio, relaxation_times=tau)) for tau in times])
        yield asymptotic(f"Q = {ratio:g}⟨Q⟩, μkt = {times[-1]:g}", forms[-1], exact[-1])
        yield Series(
            f"What the form leaves at Q = {ratio:g}⟨Q⟩",
            "μkt",
            "|exact − form|",
            points=(Points("generating function", times, np.abs(exact - limits)),),
            logarithmic="xy",
            slope=slope(f"remainder against 1/μkt, Q = {ratio:g}⟨Q⟩", 1.0 / times, exact - limits, 1.0),
        )
    ratios = np.linspace(0.4, 8.0, 20)
    measured = tuple(
        Points(f"exact, μkt = {tau:g}", ratios, heat_tails.symmetry(ratios, drive=1.0, relaxation_times=tau))
        for tau in (8.0, 64.0, 512.0)
    )
    yield Series(
        "Symmetry of heat, dragged trap",
        "Q/⟨Q⟩",
        "ln[P(Q)/P(−Q)] T/⟨Q⟩",
        (
            Curve("extended theorem", ratios, [float(heat_tails.extended(p, relaxation_times=1e12)) for p in ratios]),
            Curve("as written", ratios, ratios),
        ),
        measured,
    )


@E19.check
def heat_of_trajectories(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ln[P(Q)/P(−Q)] from trajectories, and the probability of Q < 0, with the exact density of heat."""
    n, dt = trial.pick(brief=(20_000, 0.1), quick=(2_000_000, 0.04), full=(20_000_000, 0.02))
    dragged = fp.Langevin(
        fp.Landscape("(x - c)**2/2", variables=("x",), parameters={"c": 0.0}),
        temperature=1.0,
        protocol={"c": fp.Protocol("t")},
    )
    ensemble = fp.simulate(
        dragged, n, fp.Gaussian([-1.0], 1.0), dt, DURATION, seed=trial.seed, experiment=5190,
        scheme="ornstein-uhlenbeck", functionals="heat",
    )  # fmt: skip
    heat = ensemble.values("heat")
    # A trap that moves in steps does (dt/2) coth(dt/2) ≈ 1 + dt²/12 of the steady work, and so for its variance.
    bias = dt**2 / 6.0
    nodes, weights = np.polynomial.legendre.leggauss(80)
    density = np.exp(heat_tails.log_density(15.0 * (nodes - 1.0), drive=1.0, relaxation_times=DURATION))
    below = 15.0 * float(density @ weights)
    share = float(np.mean(heat < 0.0))
    yield statistical(
        "P(Q < 0), t = 2", below, share, (share * (1.0 - share) / n) ** 0.5, bias=bias * below,
        bias_source="time step, dt²/6",
    )  # fmt: skip
    # Bins average over the density; the same averages of the exact one are what they are held against.
    edges = np.linspace(0.0, trial.pick(brief=3.0, quick=8.0, full=10.0), 21)
    found = detailed_theorem(heat, reach=(0.0, float(edges[-1])), bins=20).points
    exact = np.array([_bin_ratio(edges[k], edges[k + 1]) for k in np.searchsorted(edges, found.work) - 1])
    mean = DURATION
    for k in (len(found.work) // 2, len(found.work) - 1):
        yield statistical(
            f"ln[P(Q)/P(−Q)] at Q = {found.work[k]:.2f} T", exact[k], found.values[k], found.standard_errors[k],
            bias=bias * exact[k], bias_source="time step, dt²/6",
        )  # fmt: skip
        if trial.effort != "brief" and found.work[k] > 3.0 * DURATION:
            yield misses(
                f"detailed theorem for heat at Q = {found.work[k]:.2f} T", found.work[k], found.values[k],
                found.standard_errors[k],
            )  # fmt: skip
    x = found.work / mean
    yield Series(
        "Symmetry of heat at t = 2, dragged trap",
        "Q/⟨Q⟩",
        "ln[P(Q)/P(−Q)] T/⟨Q⟩",
        (Curve("exact", x, exact / mean), Curve("as written", x, x)),
        (Points("trajectories", x, found.values / mean, found.standard_errors / mean),),
    )


def _bin_ratio(low: float, high: float) -> float:
    """Return ln[P(Q in the bin)/P(−Q in the bin)] of the exact density."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    q = (low + high) / 2.0 + (high - low) / 2.0 * nodes
    there, back = (heat_tails.log_density(sign * q, drive=1.0, relaxation_times=DURATION) for sign in (1.0, -1.0))
    return float(np.log(np.exp(there) @ weights) - np.log(np.exp(back) @ weights))
