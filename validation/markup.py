"""HTML in small pieces: elements of escaped text."""

from __future__ import annotations

import html

from fpsolver.validation.scripts import with_scripts

EMPTY = ("img", "meta")
"""Elements without an end."""


class Markup(str):
    """Text that is HTML already."""


def element(tag: str, /, *content: str, **attributes: str) -> Markup:
    """Return an element of HTML.

    Parameters
    ----------
    tag : str
        Its name.
    *content : str
        What stands in it; escaped unless it is `Markup`.
    **attributes : str
        ``class_`` for ``class``, ``data_label`` for ``data-label``; empty ones are left out.

    Examples
    --------
    >>> element("p", "a < b, ", element("b", "c & d"), class_="note")
    '<p class="note">a &lt; b, <b>c &amp; d</b></p>'
    """
    given = ((key.rstrip("_").replace("_", "-"), html.escape(value)) for key, value in attributes.items() if value)
    opening = " ".join([tag, *(f'{name}="{value}"' for name, value in given)])
    return Markup(f"<{opening}>" if tag in EMPTY else f"<{opening}>{''.join(map(_escaped, content))}</{tag}>")


def joined(*parts: str) -> Markup:
    """Return pieces one after the other."""
    return Markup("".join(map(_escaped, parts)))


def formula(text: str) -> Markup:
    """Return text with its indices and powers set as such: ω_b, L''_a, e^{…}, x^2.

    Examples
    --------
    >>> formula("L''_b < e^{−ΔL/T}, as mean_time")
    "L''<sub>b</sub> &lt; e<sup>−ΔL/T</sup>, as mean_time"
    """
    lowered = "<sub>{}</sub>".format
    safe = html.escape(text, quote=False)
    return Markup(with_scripts(safe, lambda inner: f"<sup>{with_scripts(inner, str, lowered)}</sup>", lowered))


def _escaped(text: str) -> str:
    return text if isinstance(text, Markup) else html.escape(text)
