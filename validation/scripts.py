"""Powers and indices as they are typed, e^{−ΔL/T} and ω_b, found for those who set them."""

from __future__ import annotations

import re
from collections.abc import Callable

_POWER = r"\^(?:\{(?P<power>[^{}]*)\}|(?P<figures>[−-]?\d+|[*†]))"
# One letter and its index, not mean_time; raised figures behind the index are not part of it.
_INDEX = r"(?P<base>\b\w['′]*)_(?:\{(?P<index>[^{}]*)\}|(?P<letters>[^\W⁰¹²³⁴-⁹]+))"


def with_scripts(text: str, power: Callable[[str], str], index: Callable[[str], str]) -> str:
    """Return text with what is raised and what is lowered as `power` and `index` set it.

    Examples
    --------
    >>> with_scripts("L''_a/T^2, ω_b², e^{−E_b/T}, mean_time", "<{}>".format, "[{}]".format)
    "L''[a]/T<2>, ω[b]², e<−E_b/T>, mean_time"
    """

    def found(match: re.Match[str]) -> str:
        if match["base"]:
            return match["base"] + index(match["index"] or match["letters"])
        return power(match["power"] or match["figures"])

    return re.sub(f"{_POWER}|{_INDEX}", found, text)
