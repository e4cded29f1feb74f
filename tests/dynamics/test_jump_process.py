"""Jump processes: the laws balance, and rates that diverge are refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolver as fp
from fpsolver.dynamics import entropic_attempt_rate
from fpsolver.errors import DynamicsError


def _process(loss: str, proposal, law: str = "half", temperature: float = 0.5) -> fp.JumpProcess:
    return fp.JumpProcess(fp.Landscape(loss), temperature=temperature, proposal=proposal, law=law)


@given(change=st.floats(-50.0, 50.0), temperature=st.floats(0.1, 10.0))
def test_a_jump_and_its_reverse_differ_by_the_boltzmann_factor(change: float, temperature: float) -> None:
    """ln w(ΔL) − ln w(−ΔL) = −ΔL/T_b, with T_b = T/2 for the full exponent."""
    for law in ("half", "arrhenius", "metropolis", "glauber"):
        process = _process("x**2/2", fp.GaussianProposal(0.3), law, temperature)
        ratio = process.log_factor(change) - process.log_factor(-change)
        assert ratio == pytest.approx(-change / process.balance_temperature, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "proposal", "law", "words"),
    [
        ("-x**2/2", fp.GaussianProposal(1.1), "half", "falls so fast"),
        ("-x**4", fp.GaussianProposal(0.1), "half", "falls so fast"),
        ("x", fp.StudentProposal(3.0, 0.1), "half", "falls so fast"),
        ("3*x", fp.LaplaceProposal(0.5), "arrhenius", "falls so fast"),
        ("x**2/2", fp.GaussianProposal(1.5), "linearised", "4T"),
        ("x**2/2", fp.LaplaceProposal(0.1), "linearised", "slope grows"),
        ("x", fp.StableProposal(1.5, 0.1), "linearised", "no exponential moments"),
        ("x**2", fp.GaussianProposal(0.1), "halve", "is not one of half"),
    ],
)
def test_rates_that_diverge_are_refused(loss: str, proposal, law: str, words: str) -> None:
    with pytest.raises(DynamicsError, match=words):
        _process(loss, proposal, law)


@pytest.mark.parametrize(
    ("loss", "proposal", "law"),
    [
        ("-x**2/2", fp.GaussianProposal(0.9), "half"),  # s²h = −0.81 > −2T
        ("x**4 - x**2", fp.StudentProposal(3.0, 0.1), "half"),
        ("log(1 + x**2)", fp.StableProposal(1.5, 0.3), "half"),
        ("-x**4", fp.UniformProposal(0.1), "half"),
        ("-x**4", fp.GaussianProposal(0.1), "metropolis"),
        ("x**2/2", fp.GaussianProposal(1.4), "linearised"),
        ("x + y**2", fp.LatticeProposal(0.1), "linearised"),
    ],
)
def test_rates_that_are_finite_are_accepted(loss: str, proposal, law: str) -> None:
    assert _process(loss, proposal, law).law == law


def test_the_condition_on_a_gaussian_proposal_is_that_of_its_integral() -> None:
    """∫N(Δ; 0, s²) e^{hΔ²/4T} dΔ is finite for s²h < 2T, the half law; for the full exponent for s²h < T."""
    for law, most in (("half", 1.0), ("arrhenius", 0.5)):
        _process("-x**2/2", fp.GaussianProposal(np.sqrt(most) * 0.999), law)
        with pytest.raises(DynamicsError, match="diverges"):
            _process("-x**2/2", fp.GaussianProposal(np.sqrt(most) * 1.001), law)


def test_attempt_rates_are_positive_scalars() -> None:
    landscape = fp.Landscape("x**2/2 + y**2")
    process = fp.JumpProcess(landscape, temperature=1.0, proposal=fp.GaussianProposal(0.1), attempt_rate="1 + x**2")
    assert process.attempts.evaluate(np.array([[2.0, 0.0]]), {})[0] == 5.0
    with pytest.raises(DynamicsError, match="must be one rate"):
        fp.JumpProcess(landscape, temperature=1.0, proposal=fp.GaussianProposal(0.1), attempt_rate=[1.0, 2.0])
    with pytest.raises(DynamicsError, match="attempt_rate = 0"):
        fp.JumpProcess(fp.Landscape("x**2"), 1.0, fp.GaussianProposal(0.1), attempt_rate=0.0)
    with pytest.raises(DynamicsError, match="temperature = 0"):
        fp.JumpProcess(landscape, temperature=0.0, proposal=fp.GaussianProposal(0.1))


def test_entropic_attempt_rates_have_opposite_signs() -> None:
    circulated = fp.Landscape(f"log({entropic_attempt_rate('-0.4*x**2')})")
    langer = fp.Landscape(f"log({entropic_attempt_rate('-0.4*x**2', saddle=0.0)})")
    assert circulated.value([2.0]) == pytest.approx(-1.6)
    assert langer.value([2.0]) == pytest.approx(1.6)
    for numbers in ({"time": 0.0}, {"saddle": np.nan}):
        with pytest.raises(DynamicsError, match=next(iter(numbers))):
            entropic_attempt_rate("-0.4*x**2", **numbers)


def test_protocols_freeze() -> None:
    process = fp.JumpProcess(
        fp.Landscape("k*x**2/2", variables=("x",), parameters={"k": 1.0}), temperature=0.5,
        proposal=fp.GaussianProposal(0.1), protocol={"k": fp.Protocol("1 + t"), "temperature": fp.Protocol("0.5 + t")},
    )  # fmt: skip
    frozen = process.at(2.0)
    assert not frozen.driven and frozen.temperature == 2.5 and frozen.landscape.parameters["k"] == 3.0


@pytest.mark.parametrize(
    "law",
    [
        lambda loss: fp.Langevin(loss, temperature=1.0),
        lambda loss: fp.UnderdampedLangevin(loss, temperature=1.0, friction=1.0),
        lambda loss: fp.JumpProcess(loss, 1.0, fp.GaussianProposal(0.1)),
        lambda loss: fp.SGD(loss, 0.1),
    ],
)
def test_laws_of_motion_need_a_landscape(law) -> None:
    with pytest.raises(DynamicsError, match=r"landscape = 'x\*\*2' is none"):
        law("x**2")


def test_functions_with_one_argument_a_coordinate_are_told_their_shape() -> None:
    with pytest.raises(DynamicsError, match=r"points \(n, d\)"):
        fp.JumpProcess(fp.Landscape("x**2"), 1.0, fp.GaussianProposal(0.1), attempt_rate=lambda x: 1 + x**2)
