"""E1: the Gallavotti–Cohen symmetry of the scaled cumulant generating function of entropy production."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

import fpsolver as fp
from fpsolver.generators.rate_matrix import Generator
from fpsolver.theory import biased_walk, linear_entropy, tilted_ring
from fpsolver.thermodynamics.large_deviations import (
    CumulantGeneratingFunction,
    force_work,
    rate_function,
    scaled_cumulants,
    scgf,
    tilted,
)
from fpsolver.validation import (
    Comparison,
    Curve,
    Points,
    Series,
    Trial,
    claim,
    gridded,
    misses,
    richardson,
    rounded,
    statistical,
)

E1 = claim(
    "E1",
    family="fluctuations",
    title="Gallavotti–Cohen symmetry of entropy production",
    as_written="The scaled cumulant generating function λ(s) = lim ln⟨e^{sΣ}⟩/t of entropy production is symmetric, "
    "λ(s) = λ(−1 − s).",
    statement="For a Markov process with even variables on a bounded space, every jump of which can be reversed, the "
    "dominant eigenvalue λ(s) of the generator tilted by the entropy flow is symmetric about s = −1/2, exactly and for "
    "every discretisation; so is that tilted by the work of the force at temperature T, about s = −1/(2T). In terms of "
    "the rate function I(σ) − I(−σ) = −σ. λ(0) = λ(−1) = 0, λ'(0) is the mean entropy production rate. On an unbounded "
    "space it holds for total entropy production, as far as λ is finite; the flow to the bath alone leaves it near "
    "s = −1, where its boundary terms outgrow it: in a harmonic well ⟨e^{−flow}⟩ = e^{μkt}, with nothing produced.",
    verdict="exact",
    sources=(
        "G. Gallavotti, E. G. D. Cohen, Phys. Rev. Lett. 74, 2694 (1995)",
        "J. Kurchan, J. Phys. A 31, 3719 (1998)",
        "J. L. Lebowitz, H. Spohn, J. Stat. Phys. 95, 333 (1999), eq. (2.21)",
    ),
)

TEMPERATURE, FORCE, PERIOD = 0.5, 0.5, 2.0 * np.pi
WASHBOARD = fp.Landscape("-cos(x)")
GYRATOR = fp.Langevin(fp.Landscape("(x**2 + y**2)/2 + x*y/2"), mobility=1.0, diffusion=(1.0, 2.0))
GYRATOR_MATRICES = {"drift": [[1.0, 0.5], [0.5, 1.0]], "diffusion": [[1.0, 0.0], [0.0, 2.0]]}
ROUNDING = "rounding of the fastest rate, 64 times"
# Mirror pairs about −1/2.
HALF = np.array([0.0, 0.25, 0.5, 1.0])
PAIRS = np.concatenate([HALF, -1.0 - HALF])


def walk(up: float, down: float, cells: int = 24) -> Generator:
    """Return the walk with the given rates on a ring: a constant force, on cells of size one."""
    bias = math.log(up / down)
    mobility = (up - down) / bias
    law = fp.Langevin(fp.Landscape("0*x"), temperature=1.0, mobility=mobility, force=(repr(bias),))
    return _rates(law, fp.Grid(x=fp.Axis(0, cells, cells, boundary="periodic")))


def washboard(cells: int) -> Generator:
    """Return −cos x with a constant force round a ring."""
    law = fp.Langevin(WASHBOARD, temperature=TEMPERATURE, force=(repr(FORCE),))
    return _rates(law, fp.Grid(x=fp.Axis(0, PERIOD, cells, boundary="periodic")))


def gyrator(cells: int) -> Generator:
    """Return two coupled springs at temperatures 1 and 2."""
    return _rates(GYRATOR, fp.Grid(x=(-7.5, 7.5, cells), y=(-9.5, 9.5, cells)))


def _rates(law: fp.Langevin, grid: fp.Grid) -> Generator:
    W = fp.generator(law, grid)
    assert isinstance(W, Generator)
    return W


def mirrored(name: str, W: Generator, found: CumulantGeneratingFunction) -> Iterator[Comparison]:
    """Yield λ(s) against λ at the mirror image, given in the second half; rounding is that of the fastest rate."""
    half = len(found) // 2
    # Tilted rates may be larger than the rates, and λ then is of their size.
    error = 64.0 * np.finfo(float).eps * max(float(np.abs(W.diagonal).max()), float(found.values.max()))
    for s, right, left in zip(found.s, found.values[:half], found.values[half:], strict=False):
        yield gridded(f"{name}: λ({s:g}) and its mirror image", left, right, error, rounding=0.0, source=ROUNDING)


def picture(name: str, W: Generator, exact: Curve | None = None) -> Series:
    """Return λ(s) across its axis of symmetry, with the same points mirrored as the prediction."""
    s = np.linspace(-1.6, 0.6, 23)
    found = scgf(W, "entropy_flow", s)
    mirror = Curve("mirrored about s = −1/2", (-1.0 - s)[::-1], found.values[::-1])
    axis = Curve("axis s = −1/2", [-0.5, -0.5], [found.values.min(), found.values.max()])
    curves = (mirror, axis) if exact is None else (exact, mirror, axis)
    return Series(name, "s", "λ(s)", curves, (Points("tilted generator", s, found.values),))


@E1.check
def biased_walk_in_closed_form(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare λ(s) and I(σ) of biased walks, from the tilted generator on a ring, with their closed forms."""
    for up, down in ((2.0, 1.0), (5.0, 0.1)):
        W, affinity = walk(up, down), math.log(up / down)
        found = scgf(W, "entropy_flow", PAIRS)
        for s, value in zip(found.s, found.values, strict=True):
            form = biased_walk.entropy_scgf(s, up=up, down=down)
            # λ vanishes at 0 and −1, where rounding is that of the rates.
            error = 64.0 * np.finfo(float).eps * (up + down) * math.exp(affinity * abs(s))
            yield gridded(f"walk {up:g}, {down:g}: λ({s:g})", form, value, error, rounding=0.0, source=ROUNDING)
        yield from mirrored(f"walk {up:g}, {down:g}", W, found)
        values = np.array([0.5, -0.5, 2.0]) * affinity
        rates = rate_function(W, "entropy_flow", values)
        for value, rate in zip(values, rates.rates, strict=True):
            form = biased_walk.rate_function(value / affinity, up=up, down=down)
            yield rounded(f"walk {up:g}, {down:g}: I({value:.3g})", form, rate, rounding=1e-10, source="tolerance of s")
        yield rounded(
            f"walk {up:g}, {down:g}: I(σ) − I(−σ)", -values[0], rates.rates[0] - rates.rates[1], rounding=1e-10,
            source="tolerance of s",
        )  # fmt: skip
    s = np.linspace(-1.6, 0.6, 111)
    exact = [float(biased_walk.entropy_scgf(x, up=2.0, down=1.0)) for x in s]
    yield picture("Entropy production of the biased walk, p = 2, q = 1", walk(2.0, 1.0), Curve("closed form", s, exact))


@E1.check
def driven_washboard(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare λ at mirror pairs on a ring with force, and λ'(0), λ''(0) with quadratures of drift and diffusion."""
    cells = trial.pick(brief=100, quick=400, full=1600)
    W = washboard(cells)
    yield from mirrored("washboard", W, scgf(W, "entropy_flow", PAIRS))
    work = scgf(W, force_work(W), PAIRS / TEMPERATURE)
    yield from mirrored("washboard, work", W, work)
    yield misses(
        "washboard, work: mirrored about −1/2", work.values[1], scgf(W, force_work(W), [-1.5]).values[0], 1e-10
    )
    system = {"force": FORCE, "temperature": TEMPERATURE, "period": PERIOD}
    drift = FORCE / TEMPERATURE * float(tilted_ring.velocity(WASHBOARD, **system))
    spread = 2.0 * (FORCE / TEMPERATURE) ** 2 * float(tilted_ring.diffusion(WASHBOARD, **system))
    cumulants = [scaled_cumulants(grid, "entropy_flow") for grid in (W, washboard(cells // 2))]
    yield gridded("washboard: λ'(0) = Fv/T", drift, *richardson(*(c.mean for c in cumulants)))
    yield gridded("washboard: λ''(0) = 2D(F/T)²", spread, *richardson(*(c.variance for c in cumulants)))
    yield picture("Entropy production of the driven washboard, F = T = 1/2", W)


@E1.check
def gyrator_on_a_plane(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare λ(s) between two heat baths, tilted in two dimensions, with its mirror image and the Riccati equation."""
    cells = trial.pick(brief=32, quick=80, full=160)
    s = trial.pick(brief=np.array([0.2, -1.2]), quick=PAIRS, full=PAIRS)
    grids = [gyrator(cells), gyrator(cells // 2)]
    fine, coarse = (scgf(W, "entropy_flow", s) for W in grids)
    yield from mirrored("gyrator", grids[0], fine)
    values = []
    for x, near, far in zip(s, fine.values, coarse.values, strict=True):
        value, error = richardson(near, far)
        values.append((value, error))
        if x not in (0.0, -1.0):
            yield gridded(f"gyrator: λ({x:g})", linear_entropy.scgf(x, **GYRATOR_MATRICES), value, error)
    means = [scaled_cumulants(W, "entropy_flow").mean for W in grids]
    yield gridded("gyrator: λ'(0) = u²(T₁ − T₂)²/(2T₁T₂)", 1.0 / 16.0, *richardson(*means))
    line = np.linspace(-1.6, 0.6, 111)
    exact = [float(linear_entropy.scgf(x, **GYRATOR_MATRICES)) for x in line]
    measured = np.array(values).T
    yield Series(
        "Entropy production of the gyrator, T = 1 and 2, u = 1/2",
        "s",
        "λ(s)",
        (Curve("Riccati equation", line, exact), Curve("axis s = −1/2", [-0.5, -0.5], [min(exact), max(exact)])),
        (Points("tilted generator, extrapolated", s, *measured),),
    )


@E1.check
def boundary_terms_in_a_well(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare ⟨e^{−Σ}⟩ and ⟨e^{−flow}⟩ in equilibrium in a harmonic well, tilted on wide grids, with 1 and e^t."""
    times = np.array([0.1, 0.2, 0.3, 0.4])
    cells = trial.pick(brief=200, quick=400, full=800)
    fine, coarse = (_averages_in_a_well(number, times) for number in (cells, cells // 2))
    for time, total in zip(times, fine[:, 0], strict=True):
        yield rounded(f"well: ⟨e^(−Σ)⟩ at t = {time:g}", 1.0, total, rounding=1e-10, source="exponential of a matrix")
    measured = np.array([richardson(near, far) for near, far in zip(fine[:, 1], coarse[:, 1], strict=True)])
    for time, (value, error) in zip(times, measured, strict=True):
        yield gridded(f"well: ⟨e^(−flow)⟩ at t = {time:g}", math.exp(time), value, error)
    yield Series(
        "The flow alone in a harmonic well, μ = k = T = 1",
        "t",
        "⟨e^(−flow)⟩",
        (Curve("e^t", times, np.exp(times)), Curve("symmetry, λ(−1) = 0", times, np.ones_like(times))),
        (Points("tilted generator", times, *measured.T),),
        "y",
    )


def _averages_in_a_well(cells: int, times: np.ndarray) -> np.ndarray:
    """Return ⟨e^{−Σ}⟩ and ⟨e^{−flow}⟩ at several times, one row each."""
    from scipy.sparse.linalg import expm_multiply

    W = _rates(fp.Langevin(fp.Landscape("x**2/2"), temperature=1.0), fp.Grid(x=(-14, 14, cells)))
    density = fp.stationary(W).values
    matrix = tilted(W, "entropy_flow", -1.0).matrix
    # Σ is the flow and ln of the density at the start over that at the end.
    start = np.stack([W.grid.volumes, density * W.grid.volumes], axis=-1)
    weight = np.stack([density, np.ones_like(density)], axis=-1)
    return np.array([(weight * expm_multiply(time * matrix, start)).sum(axis=0) for time in times])


@E1.check
def trajectories_round_the_ring(trial: Trial) -> Iterator[Comparison | Series]:
    """Compare the late growth of ⟨e^{sΣ}⟩ along trajectories of the washboard with the grid, and at mirror pairs."""
    if trial.effort == "brief":
        return
    n = trial.pick(brief=0, quick=1_000_000, full=10_000_000)
    dt, early, late = 0.02, 6.0, 8.0
    W = washboard(400)
    s = np.array([-0.2, -0.3, -0.4, -0.6, -0.7, -0.8])
    law = fp.Langevin(WASHBOARD, temperature=TEMPERATURE, force=(repr(FORCE),))
    flows = []
    for number, step in enumerate((dt, 2.0 * dt)):
        first = fp.simulate(
            law, n, fp.stationary(W), dt=step, t_final=early, seed=trial.seed, experiment=number,
            functionals=["entropy_flow"],
        )  # fmt: skip
        begun = first.values("entropy_flow")
        last = fp.simulate(law, initial=first, t_final=late, experiment=number, functionals=["entropy_flow"])
        flows.append((begun, last.values("entropy_flow")))
    exact = np.array([_growth_on_grid(x, W, early, late) for x in s])
    fine, coarse = ([_growth(x, *flow, late - early) for x in s] for flow in flows)
    # Weak order one: twice the fine less the coarse leaves the square of dt.
    value = np.array([2.0 * near[0] - far[0] for near, far in zip(fine, coarse, strict=True)])
    error = np.array(
        [math.hypot(2.0 * _error(near[1]), _error(far[1])) for near, far in zip(fine, coarse, strict=True)]
    )
    for x, predicted, measured, deviation in zip(s, exact, value, error, strict=True):
        if 4.0 * deviation < abs(predicted):  # one that its error hides would agree with anything
            yield statistical(f"washboard, trajectories: growth at s = {x:g}", predicted, measured, deviation)
    for k in range(len(s) // 2):
        (right, right_paths), (left, left_paths) = fine[k], fine[-1 - k]
        # The discrete chain has the symmetry as well; what is left of the start has not.
        yield statistical(
            f"washboard, trajectories: λ({s[-1 - k]:g}) and λ({s[k]:g})", right, left, _error(right_paths - left_paths),
            bias=abs(exact[k] - exact[-1 - k]), bias_source="the finite time",
        )  # fmt: skip
    line = np.linspace(-1.0, 0.0, 21)
    yield Series(
        "Entropy production of the washboard from trajectories",
        "s",
        "λ(s)",
        (Curve("λ(s), tilted generator", line, scgf(W, "entropy_flow", line).values),),
        (Points("trajectories, extrapolated to dt = 0", s, value, error),),
    )


def _growth(s: float, early: np.ndarray, late: np.ndarray, duration: float) -> tuple[float, np.ndarray]:
    """Return ln[⟨e^{sΣ'}⟩/⟨e^{sΣ}⟩]/duration of two times on the same paths, and what each path adds to its error."""
    before, after = np.exp(s * early), np.exp(s * late)
    paths = (after / after.mean() - before / before.mean()) / duration
    return math.log(after.mean() / before.mean()) / duration, paths


def _error(paths: np.ndarray) -> float:
    return float(paths.std()) / math.sqrt(len(paths))


def _growth_on_grid(s: float, W: Generator, early: float, late: float) -> float:
    """Return the same from e^{tM} on the stationary state; it tends to λ(s)."""
    from scipy.sparse.linalg import expm_multiply

    matrix = tilted(W, "entropy_flow", s).matrix
    before = expm_multiply(early * matrix, np.ravel(fp.stationary(W).values * W.grid.volumes))
    after = expm_multiply((late - early) * matrix, before)
    return math.log(after.sum() / before.sum()) / (late - early)
