"""Path functionals that trajectories carry along: work, heat, entropy flow, and integrals given as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fpsolver.errors import InputError, MethodError, suggest

STANDARD = ("work", "heat", "shadow_work", "entropy_flow", "entropy_flow_midpoint")
"""Functionals that are known by name.

work
    Work done on the system: that of switching parameters, ΣL(x; λ′) − L(x; λ), and that of the force, ∫F∘dθ.
heat
    Heat given to the bath: ∫(F − ∇L)∘dθ by the midpoint rule; for underdamped dynamics the kinetic energy that the
    thermostat takes.
shadow_work
    What the time step adds to the energy: ΔE = work − heat + shadow_work, to rounding.
entropy_flow
    Entropy given to the bath, in its discrete form Σ ln p(x→x′)/p(x′→x): with it the integral fluctuation theorem holds
    at any time step.
entropy_flow_midpoint
    The same as a Stratonovich integral, ∫D⁻¹M(F − ∇L)∘dθ.
"""


@dataclass(frozen=True)
class TimeIntegral:
    """The integral ∫g(θ, t) dt along each trajectory, by the trapezoidal rule.

    Parameters
    ----------
    expression : str
        g, in the variables (velocities are called v_x), the landscape's parameters and t.
    name : str, optional
        Name of the result; by default the expression.

    Examples
    --------
    >>> TimeIntegral("x**2", name="second_moment").name
    'second_moment'
    """

    expression: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or f"integral of {self.expression} dt")


@dataclass(frozen=True)
class PathIntegral:
    """The Stratonovich integral ∫f(θ, t) ∘ dθ along each trajectory, by the midpoint rule.

    Parameters
    ----------
    expressions : str or sequence of str
        The components of f, one per variable.
    name : str, optional
        Name of the result; by default made from the expressions.

    Examples
    --------
    >>> PathIntegral(["-y", "x"], name="area").expressions
    ('-y', 'x')
    """

    expressions: Sequence[str]
    name: str = ""

    def __post_init__(self) -> None:
        texts = (self.expressions,) if isinstance(self.expressions, str) else tuple(self.expressions)
        object.__setattr__(self, "expressions", texts)
        object.__setattr__(self, "name", self.name or f"integral of ({', '.join(texts)}) d theta")


@dataclass(frozen=True)
class Functionals:
    """The path functionals of one run, sorted by kind.

    Parameters
    ----------
    standard : tuple of str
        Those known by name.
    rates : tuple of TimeIntegral
        Integrals over time.
    fields : tuple of PathIntegral
        Integrals along the path.
    """

    standard: tuple[str, ...] = ()
    rates: tuple[TimeIntegral, ...] = ()
    fields: tuple[PathIntegral, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order in which they are stored."""
        return (*self.standard, *(one.name for one in (*self.rates, *self.fields)))

    def __bool__(self) -> bool:
        return bool(self.names)

    def row(self, name: str, first: int) -> int:
        """Return the row of a standard functional, where these begin at row `first`; −1 if it was not asked for."""
        return first + self.standard.index(name) if name in self.standard else -1

    def refuse(self, names: Sequence[str], reason: str) -> None:
        """Raise if any of these standard functionals was asked for.

        Raises
        ------
        MethodError
            With the reason, which should name what can serve.
        """
        for name in names:
            if name in self.standard:
                raise MethodError(f'the functional "{name}" {reason}')


def sorted_functionals(given: Sequence[str | TimeIntegral | PathIntegral], dimension: int) -> Functionals:
    """Return what the user asked for, sorted by kind.

    Raises
    ------
    InputError
        If a name is unknown or used twice, or a path integral has the wrong number of components.
    """
    if isinstance(given, str):
        given = (given,)
    standard: list[str] = []
    rates: list[TimeIntegral] = []
    fields: list[PathIntegral] = []
    for one in given:
        if isinstance(one, TimeIntegral):
            rates.append(one)
        elif isinstance(one, PathIntegral):
            if len(one.expressions) != dimension:
                raise InputError(
                    f"the path integral of {tuple(one.expressions)} has {len(one.expressions)} components; "
                    f"with {dimension} variable(s) it needs {dimension}"
                )
            fields.append(one)
        elif one in STANDARD:
            standard.append(one)
        else:
            hint = suggest(one, STANDARD) if isinstance(one, str) else ""
            raise InputError(
                f"functionals holds {one!r}; it may hold {', '.join(STANDARD)}, fp.TimeIntegral(…) and "
                f"fp.PathIntegral(…){hint}"
            )
    result = Functionals(tuple(standard), tuple(rates), tuple(fields))
    twice = {name for name in result.names if result.names.count(name) > 1}
    if twice:
        raise InputError(f'two functionals are called "{min(twice)}"; give one of them another name=')
    return result
