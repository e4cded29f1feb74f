"""Effective temperature of stochastic gradient descent as a function of the batch size, as written and right."""

from __future__ import annotations

from fpsolver.theory.conditions import positive
from fpsolver.theory.estimate import Estimate


def temperature(batch_size: float, *, reference_batch: float, reference_temperature: float) -> Estimate:
    """Return T_eff = T_ref B_ref/B: the noise D = ηΣ₁/2B of a mean over B examples falls with their number.

    Parameters
    ----------
    batch_size : float
        B, drawn with replacement.
    reference_batch, reference_temperature : float
        B_ref (B_crit, for instance) and the temperature there.

    Examples
    --------
    >>> float(temperature(32, reference_batch=8, reference_temperature=1.0))
    0.25
    """
    size, reference = positive("batch_size", batch_size), positive("reference_batch", reference_batch)
    value = positive("reference_temperature", reference_temperature) * reference / size
    return Estimate(value, ("batches with replacement",), 0.0, "S. L. Smith, Q. V. Le, ICLR 2018, eq. (4) for B ≪ N")


def temperature_as_written(batch_size: float, *, reference_batch: float, reference_temperature: float) -> Estimate:
    """Return T_ref B/B_ref, which is upside down: hotter for larger batches.

    Parameters
    ----------
    batch_size, reference_batch, reference_temperature : float
        As for `temperature`.
    """
    size, reference = positive("batch_size", batch_size), positive("reference_batch", reference_batch)
    value = positive("reference_temperature", reference_temperature) * size / reference
    return Estimate(value, (), 0.0, "as it circulates")
