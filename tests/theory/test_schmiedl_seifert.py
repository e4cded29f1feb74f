"""Optimal protocols of traps: stationarity, units, limits, and the moment equations under the protocol itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from fpsolver.errors import TheoryError
from fpsolver.theory import schmiedl_seifert as traps

positive = st.floats(0.2, 5.0)


@given(positive, positive, positive, positive)
def test_moving_trap_is_between_zero_and_the_sudden_shift_and_below_the_ramp(shift, duration, stiffness, mobility):
    units = {"stiffness": stiffness, "mobility": mobility}
    best = float(traps.moving_trap_work(shift, duration, **units))
    assert 0 < best < float(traps.moving_trap_linear_work(shift, duration, **units)) < 0.5 * stiffness * shift**2


@given(positive, positive, positive, positive, positive)
def test_work_of_the_stiffening_protocol_by_its_moment_equation(start, stop, duration, temperature, mobility):
    units = {"temperature": temperature, "mobility": mobility}
    protocol = traps.stiffening_trap_protocol(start, stop, duration, **units)
    jumps = protocol(np.array([0.0, duration]))

    def change(t, state):
        k = protocol(t)
        speed = (protocol(t + 1e-6 * duration) - protocol(t - 1e-6 * duration)) / (2e-6 * duration)
        return [2 * mobility * (temperature - k * state[0]), 0.5 * speed * state[0]]

    began = temperature / start
    ended = solve_ivp(change, (0.0, duration), [began, 0.0], rtol=1e-10, atol=1e-12).y[:, -1]
    work = 0.5 * (jumps[0] - start) * began + ended[1] + 0.5 * (stop - jumps[1]) * ended[0]
    scale = temperature * (1.0 + abs(stop / start))
    # the difference quotient of the protocol and the integrator's tolerance
    assert work == pytest.approx(float(traps.stiffening_trap_work(start, stop, duration, **units)), abs=1e-7 * scale)
    width = float(traps.stiffening_trap_width(start, stop, duration, **units))
    assert ended[0] == pytest.approx(width**2, rel=1e-7)


@given(positive, positive, positive)
def test_stiffening_trap_lies_between_free_energy_and_ramp(start, stop, duration):
    best = float(traps.stiffening_trap_work(start, stop, duration))
    assert 0.5 * np.log(stop / start) - 1e-12 <= best
    assert best <= float(traps.stiffening_trap_linear_work(start, stop, duration)) + 1e-10


def test_limits_of_the_duration():
    assert float(traps.stiffening_trap_work(1.0, 2.0, 1e-9)) == pytest.approx(0.5, abs=1e-8)
    assert float(traps.stiffening_trap_work(1.0, 2.0, 1e9)) == pytest.approx(0.5 * np.log(2.0), abs=1e-8)
    # slow driving dissipates (1/μ)(σ_f − σ_i)²/t_f
    slow = float(traps.stiffening_trap_work(1.0, 2.0, 1e5)) - 0.5 * np.log(2.0)
    assert slow * 1e5 == pytest.approx((1.0 - np.sqrt(0.5)) ** 2, rel=1e-4)


def test_jumps_of_the_moving_trap():
    begin, end = traps.moving_trap_protocol(3.0, 2.0, stiffness=2.0, mobility=0.5)([0.0, 2.0])
    assert begin == pytest.approx(3.0 - end)
    assert begin == pytest.approx(3.0 / 4.0)


def test_wrong_numbers_are_refused():
    with pytest.raises(TheoryError, match="duration"):
        traps.moving_trap_work(1.0, -1.0)
    with pytest.raises(TheoryError, match="final"):
        traps.stiffening_trap_work(1.0, 0.0, 1.0)
