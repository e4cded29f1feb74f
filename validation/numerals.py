"""Numbers as the outputs show them: to the digits that their error or their tolerance leaves."""

from __future__ import annotations

import math
import re

from fpsolver.report import with_error
from fpsolver.validation.comparison import Comparison

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def quantity(value: float, error: float) -> str:
    """Return a value with its error.

    Examples
    --------
    >>> quantity(0.123456, 2.3e-4), quantity(1.2345e-7, 3e-10), quantity(1.5, 2e-9)
    ('0.12346 ± 0.00023', '(1.2345 ± 0.0030)×10⁻⁷', '1.5 ± 2×10⁻⁹')
    """
    power = math.floor(math.log10(max(abs(value), error)))
    if -4 < power < 5:
        return _typeset(with_error(value, error))
    scale = 10.0**power
    return f"({_typeset(with_error(value / scale, error / scale))})×10{_raised(power)}"


def number(value: float, digits: int = 3) -> str:
    """Return a number in so many significant digits.

    Examples
    --------
    >>> number(0.02567), number(1.5e-7), number(float("nan"))
    ('0.0257', '1.5×10⁻⁷', 'not a number')
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _typeset(f"{value:.{digits}g}")


def predicted(comparison: Comparison) -> str:
    """Return the prediction to the digits that the tolerance can tell apart, with the relation unless it is equality.

    Examples
    --------
    >>> predicted(Comparison("rate", 1 / 3, 0.333, 0.0, "", 1e-4, "", "≤"))
    '≤ 0.3333'
    """
    relation = "" if comparison.relation == "=" else f"{comparison.relation} "
    return relation + number(comparison.predicted, _digits(comparison))


def measured(comparison: Comparison) -> str:
    """Return the measurement with its error; without one, to a digit more than the prediction.

    Examples
    --------
    >>> measured(Comparison("rate", 1 / 3, 0.3333337, 0.0, "", 1e-4, ""))
    '0.333334'
    """
    if math.isfinite(comparison.measured) and math.isfinite(comparison.error) and comparison.error > 0.0:
        return quantity(comparison.measured, comparison.error)
    return number(comparison.measured, _digits(comparison) + 1)


def in_tolerances(comparison: Comparison) -> str:
    """Return the deviation in units of the tolerance, with its sign; of a tolerance of zero only the side.

    Examples
    --------
    >>> in_tolerances(Comparison("rate", 1.0, 0.98, 0.0, "", 0.04, ""))
    '−0.50'
    """
    if not comparison.deviation:
        return "0"
    if not comparison.tolerance:
        return "inside" if comparison.passed else "outside"
    ratio = comparison.deviation / comparison.tolerance
    if not math.isfinite(ratio):
        return number(ratio)
    sign = "−" if ratio < 0 else "+"
    return sign + (f"{abs(ratio):.2f}" if 0.005 <= abs(ratio) < 100 else number(abs(ratio), 2))


def share(value: float) -> str:
    """Return a share of a tolerance.

    Examples
    --------
    >>> share(0.256), share(0.0), share(2e-5), share(1234.0)
    ('0.26', '0', '< 0.01', '1.2×10³')
    """
    if value == 0.0:
        return "0"
    if value < 0.01:
        return "< 0.01"
    return f"{value:.2f}" if value < 100 else number(value, 2)


def _digits(comparison: Comparison) -> int:
    """Return how many digits of the prediction the tolerance can tell apart, four at least."""
    value, tolerance = abs(comparison.predicted), comparison.tolerance
    if comparison.relation != "=" or not (math.isfinite(value) and math.isfinite(tolerance) and value):
        return 4
    return min(max(math.ceil(math.log10(value / tolerance)) + 1, 4), 10) if tolerance else 10


def _typeset(text: str) -> str:
    """Return a number with its power of ten raised and a minus that is one."""
    return re.sub(r"e([+-]\d+)", lambda found: f"×10{_raised(int(found[1]))}", text).replace("-", "−")


def _raised(power: int) -> str:
    return str(power).translate(_RAISED)
