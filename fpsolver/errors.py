"""Errors and warnings of the package: a few subclasses of built-in exceptions.

Everything that a user can get wrong is an `InputError`, raised where the value enters, with a message that
shows the offending value and the remedy. The command line turns every `InputError` and `StorageError` into one
line and exit code 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """A value given by the user cannot be used."""


class StudyError(InputError):
    """A study file is malformed."""


class ExpressionError(InputError):
    """An expression is outside the accepted language."""


class LandscapeError(InputError):
    """A landscape is ill-defined."""


class DomainError(LandscapeError):
    """A landscape was asked for a value outside the domain on which it is known."""


class GridError(InputError):
    """A grid or an axis is ill-defined, or does not fit the problem."""


class DynamicsError(InputError):
    """The coefficients of a law of motion contradict each other or are inadmissible."""


class DensityError(InputError):
    """A density has the wrong shape, negative or non-finite values, or no mass."""


class RegionError(InputError):
    """A region of parameter space is empty, or covers everything."""


class MethodError(InputError):
    """The method asked for cannot serve the problem; the message names one that can."""


class NoStationaryState(MethodError):
    """Probability leaks out through absorbing walls, so that nothing but zero is stationary."""


class TheoryError(InputError):
    """A closed form was asked for outside the conditions under which it means anything."""


class DeviceError(InputError):
    """A device was asked for that is not there."""


class NumericalError(ArithmeticError):
    """A NaN or an overflow appeared in a computation."""


class TrajectoryError(NumericalError):
    """A trajectory became infinite or NaN, or left the domain of its landscape.

    Attributes
    ----------
    step : int
        Step in which it happened.
    trajectory : int
        Number of the trajectory.
    state : ndarray
        Its state before that step.
    """

    def __init__(self, message: str, step: int, trajectory: int, state: object):
        super().__init__(message)
        self.step = step
        self.trajectory = trajectory
        self.state = state


class ConvergenceError(RuntimeError):
    """An iteration ended without reaching its tolerance."""


class StorageError(OSError):
    """A result file cannot be written, or is damaged, truncated or foreign."""


class GridWarning(UserWarning):
    """The grid cuts through the density, or is too coarse for it."""


class AccuracyWarning(UserWarning):
    """A result is less accurate than asked for; the message says how accurate it is."""


class ValidityWarning(UserWarning):
    """A closed form was used where its approximation is poor; the message names the condition that is violated."""


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` with the nearest allowed spelling, or an empty string.

    Examples
    --------
    >>> suggest("temperture", ["temperature", "mobility"])
    '; did you mean "temperature"?'
    >>> suggest("zzz", ["temperature"])
    ''
    """
    nearest = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""
