"""Entries of study files: the tables' common base, numbers, coefficients and regions, checked where they are read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from fpsolver.errors import InputError
from fpsolver.studies.conditions import parse_region
from fpsolver.studies.problems import shown

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


def _coefficient(value: Any) -> Any:
    """Check a number, an expression, or a vector or square matrix of them."""
    if isinstance(value, list):
        if not value:
            raise ValueError("[] is empty; give a number, an expression, or a list with an entry for each variable")
        return [_coefficient(entry) for entry in value]
    return _entry(value)


def _entry(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is neither a number nor an expression")
    if not -1e300 < value < 1e300:
        raise ValueError(f"{value} is not a finite number")
    return float(value)


def _numbers(value: Any) -> Any:
    """Check a number or a (nested) list of numbers, without expressions."""
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a number or a list of numbers")
    return [_numbers(entry) for entry in value] if isinstance(value, list) else _entry(value)


def _region(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f'{shown(value)} is not a condition such as "x >= 1"')
    try:
        return parse_region(value)
    except InputError as error:
        raise ValueError(str(error)) from None


Coefficient = Annotated[Any, PlainValidator(_coefficient)]
Numbers = Annotated[Any, PlainValidator(_numbers)]
Region = Annotated[Any, PlainValidator(_region)]
