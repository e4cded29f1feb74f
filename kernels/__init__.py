"""Numbers in, numbers out: the compiled loops below the domain objects.

The folder lies at the top of the repository and is imported as `fpsolver.kernels`, through the package mapping of
an installation or the link ``fpsolver/kernels`` of a checkout.
"""

from __future__ import annotations

if __name__ != "fpsolver.kernels":
    raise ImportError(
        f"this folder was imported as {__name__!r}; import it as 'fpsolver.kernels' (an unrelated package called "
        "'kernels' exists, and two copies of one module would not share compiled code)"
    )
