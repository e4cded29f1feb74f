"""What a closed form returns: a number, what it assumes, how far off it may be, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number that theory predicts; ``float(estimate)`` gives it.

    Parameters
    ----------
    value : float
        The prediction.
    assumptions : tuple of str
        Under which it holds, one condition each.
    error_scale : float
        Size of the parameter that has to be small: the relative error of an asymptotic formula is of this order,
        with a factor that depends on the problem. Zero for exact results (their quadrature is good to 1e-10).
    reference : str
        Paper and equation.

    Examples
    --------
    >>> estimate = Estimate(2.0, ("T ≪ ΔL",), 0.1, "Kramers 1940")
    >>> float(estimate) / 2, estimate.exact
    (1.0, False)
    """

    value: float
    assumptions: tuple[str, ...]
    error_scale: float
    reference: str

    def __float__(self) -> float:
        return float(self.value)

    @property
    def exact(self) -> bool:
        """Whether there is no approximation but that of quadrature."""
        return self.error_scale == 0.0
