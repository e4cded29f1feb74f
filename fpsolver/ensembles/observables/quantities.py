"""What can be observed: rows of the state, the loss, and expressions in these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from fpsolver.errors import InputError, suggest
from fpsolver.landscapes.compiled_expressions import CompiledExpressions
from fpsolver.landscapes.expression import TIME, check_syntax, natural_order, unknown_names

LOSS = "loss"


@dataclass(frozen=True)
class Quantities:
    """Names that observables of an ensemble may use.

    Parameters
    ----------
    names : mapping of str to int
        Row of the state for each name: positions first, then velocities, then path functionals.
    dimension : int
        Number of positions.
    parameters : tuple of str
        Parameters that expressions may use.
    trajectories : int
        Number of trajectories.
    derived : tuple of str
        Quantities that are computed from the state, such as "loss".

    Examples
    --------
    >>> quantities = Quantities({"x": 0, "work": 1}, dimension=1, trajectories=1000)
    >>> quantities.positions, quantities.known
    (('x',), ('x', 'work', 'loss'))
    """

    names: Mapping[str, int]
    dimension: int
    trajectories: int
    parameters: tuple[str, ...] = field(default=())
    derived: tuple[str, ...] = (LOSS,)

    @property
    def positions(self) -> tuple[str, ...]:
        """Names of the positions, in order."""
        return tuple(sorted(self.names, key=self.names.__getitem__))[: self.dimension]

    @property
    def known(self) -> tuple[str, ...]:
        """Every quantity that has a name."""
        rows = tuple(sorted(self.names, key=self.names.__getitem__))
        return (*rows, *(name for name in self.derived if name not in self.names))

    def require(self, text: str, observable: str) -> None:
        """Raise unless `text` is a quantity or an expression in quantities, parameters and time.

        Parameters
        ----------
        text : str
            Name or expression.
        observable : str
            Who asks, for the message.

        Raises
        ------
        InputError
            If a name in it is not known; the message lists those that are.
        ExpressionError
            If it is no expression of the language.
        """
        if text in self.known:
            return
        allowed = {*self.known, *self.parameters, TIME}
        for name in unknown_names(check_syntax(text), allowed):
            inside = "" if name == text else f" in {text!r}"
            extra = f"; expressions may also use {', '.join((*self.parameters, TIME))}"
            raise InputError(
                f"{observable}: there is no quantity {name!r}{inside}{_remedy(name) or suggest(name, allowed)}; "
                f"there are {', '.join(self.known)}{extra}"
            )
        self.compiled(text)

    def compiled(self, text: str) -> CompiledExpressions:
        """Return the compiled expression; its variables are the quantities that it uses."""
        used = check_syntax(text).names
        variables = tuple(name for name in self.known if name in used)
        parameters = natural_order([name for name in self.parameters if name in used and name not in variables])
        return _compiled(text, variables, parameters)


def _remedy(name: str) -> str:
    """Return how a quantity that a run has only when asked for is asked for, as the end of a sentence."""
    from fpsolver.ensembles.functionals import STANDARD
    from fpsolver.ensembles.system_entropy import FLOWS

    if name in STANDARD:
        return f'; it needs functionals = ["{name}"]'
    if name in FLOWS:
        return f'; it needs functionals = ["{FLOWS[name]}"], and density'
    return "; it needs density" if name == "system_entropy" else ""


@lru_cache(maxsize=256)
def _compiled(text: str, variables: tuple[str, ...], parameters: tuple[str, ...]) -> CompiledExpressions:
    return CompiledExpressions((text,), variables, parameters)
