"""Path functionals that trajectories carry along: work, heat, entropy flow, and integrals given as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from fpsolver.ensembles.observables.observable import identifier
from fpsolver.ensembles.space import Space, space_of
from fpsolver.errors import InputError, MethodError, suggest
from fpsolver.landscapes.expression import check_name

if TYPE_CHECKING:
    from fpsolver.kernels.cpu.accounts import Rows

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
    The same as a Stratonovich integral, ∫D⁻¹(a − ∇·D)∘dθ with Itô drift a; for constant noise ∫D⁻¹M(F − ∇L)∘dθ.
"""

RESERVED = ("t", "loss", "initial_log_density", "system_entropy", "entropy_production", "entropy_production_midpoint")
"""Names that quantities of an ensemble have already."""


@dataclass(frozen=True)
class TimeIntegral:
    """The integral ∫g(θ, t) dt along each trajectory, by the trapezoidal rule.

    Parameters
    ----------
    expression : str
        g, in the variables (velocities are called v_x), the landscape's parameters and t.
    name : str, optional
        Name of the result; by default made from the expression.

    Raises
    ------
    InputError
        If the expression is no string, or the name no word.

    Examples
    --------
    >>> TimeIntegral("x**2", name="second_moment").name, TimeIntegral("x**2").name
    ('second_moment', 'time_integral_x_2')
    """

    expression: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _name(self.name, "time_integral", (self.expression,)))


@dataclass(frozen=True)
class PathIntegral:
    """The Stratonovich integral ∫f(θ, t) ∘ dθ along each trajectory, by the midpoint rule.

    Parameters
    ----------
    expressions : str or sequence of str
        The components of f, one per variable.
    name : str, optional
        Name of the result; by default made from the expressions.

    Raises
    ------
    InputError
        If a component is no string, or the name no word.

    Examples
    --------
    >>> PathIntegral(["-y", "x"], name="area").expressions, PathIntegral(["-y", "x"]).name
    (('-y', 'x'), 'path_integral_y_x')
    """

    expressions: Sequence[str]
    name: str = ""

    def __post_init__(self) -> None:
        texts = (self.expressions,) if isinstance(self.expressions, str) else tuple(self.expressions)
        object.__setattr__(self, "expressions", texts)
        object.__setattr__(self, "name", _name(self.name, "path_integral", texts))


def _name(given: str, kind: str, texts: tuple[str, ...]) -> str:
    """Return a name that expressions can use, made from the kind of integral and the integrands where none is given."""
    for text in texts:
        if not isinstance(text, str):
            raise InputError(f"the integrand {text!r} of a {kind.replace('_', ' ')} must be an expression, a string")
    name = given or "_".join((kind, *(identifier(text) for text in texts)))
    if not isinstance(name, str) or not name.isidentifier():
        raise InputError(f"name = {name!r} of a {kind.replace('_', ' ')} must be a word of letters, digits and _")
    return name


Functional: TypeAlias = str | TimeIntegral | PathIntegral


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
        return (*self.standard, *(one.name for one in self.rates), *(one.name for one in self.fields))

    def __bool__(self) -> bool:
        return bool(self.names)

    def rows(self, first: int) -> Rows:
        """Return where the functionals stand in a block, when the first of them has row `first`."""
        from fpsolver.kernels.cpu.accounts import Rows

        standard = (first + self.standard.index(name) if name in self.standard else -1 for name in STANDARD)
        work, heat, shadow, exact, midpoint = standard
        rate = first + len(self.standard)
        return Rows(
            work, heat, shadow, exact, midpoint, rate, len(self.rates), rate + len(self.rates), len(self.fields)
        )

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


def sorted_functionals(given: Functional | Sequence[Functional], dynamics: Any) -> Functionals:
    """Return what the user asked for, sorted by kind.

    Raises
    ------
    InputError
        If a name is unknown, used twice or means something else already, a name of the landscape's is that of a
        quantity, or a path integral has the wrong number of components.
    """
    kinds: dict[type, list[Any]] = {str: [], TimeIntegral: [], PathIntegral: []}
    space = space_of(dynamics)
    for one in given if isinstance(given, Sequence) and not isinstance(given, str) else (given,):
        if isinstance(one, str) and one in space.carried:
            continue  # every trajectory has it
        if type(one) not in kinds or (isinstance(one, str) and one not in STANDARD):
            hint = suggest(one, STANDARD) if isinstance(one, str) else ""
            raise InputError(
                f"functionals holds {one!r}; it may hold {', '.join(STANDARD)}, fp.TimeIntegral(…) and "
                f"fp.PathIntegral(…){hint}"
            )
        kinds[type(one)].append(one)
    result = Functionals(*(tuple(found) for found in kinds.values()))
    _check_components(result, space.dimension)
    _check_names(result, space)
    _check_variables(space)
    return result


def _check_components(functionals: Functionals, dimension: int) -> None:
    for one in functionals.fields:
        if len(one.expressions) != dimension:
            raise InputError(
                f"the path integral of {tuple(one.expressions)} has {len(one.expressions)} components; "
                f"with {dimension} variable(s) it needs {dimension}"
            )


def _check_names(functionals: Functionals, space: Space) -> None:
    names = functionals.names
    for name in names:
        check_name(name, "functional")
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise InputError(f'two functionals are called "{twice[0]}"; give one of them another name=')
    velocities = (f"v_{name}" for name in space.variables)
    taken = {*space.names, *velocities, *space.parameters, *RESERVED}
    clashes = [name for name in names if name in taken]
    if clashes:
        raise InputError(f'a functional is called "{clashes[0]}", which means something else here; give another name=')


def _check_variables(space: Space) -> None:
    """Refuse variables and parameters that would hide quantities of the same name."""
    for kind, names in (("variable", space.variables), ("parameter", space.parameters)):
        for name in names:
            if name in RESERVED or name in space.carried:
                raise InputError(
                    f'a {kind} of the landscape is called "{name}", which is a quantity of every ensemble; rename it, '
                    f'for example "{name}_"'
                )
