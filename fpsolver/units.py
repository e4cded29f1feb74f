"""Names of units, multiplied and inverted as text; nothing is converted."""

from __future__ import annotations


def inverse(unit: str) -> str:
    """Return the unit of a reciprocal.

    Examples
    --------
    >>> inverse("cm"), inverse("1"), inverse("1/s")
    ('1/cm', '1', 's')
    """
    if unit == "1":
        return "1"
    return unit[2:] if unit.startswith("1/") and unit.count("/") == 1 else f"1/({unit})" if "/" in unit else f"1/{unit}"


def product(*units: str) -> str:
    """Return the unit of a product.

    Examples
    --------
    >>> product("1", "cm"), product("1/cm", "1/s"), product("1", "1")
    ('cm', '1/cm 1/s', '1')
    >>> product("nat", "nat")
    'nat²'
    """
    named = [unit for unit in units if unit != "1"]
    if len(named) == 2 and named[0] == named[1] and named[0].isalpha():
        return f"{named[0]}²"
    return " ".join(named) or "1"
