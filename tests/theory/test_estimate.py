"""Estimates behave as the numbers they hold, and the package offers what it says."""

from __future__ import annotations

import dataclasses

import pytest

import fpsolver as fp
from fpsolver.theory import Estimate, kramers


def test_an_estimate_is_a_frozen_number_with_its_conditions(well):
    k = kramers.rate(well, temperature=0.05)
    assert isinstance(k, Estimate) and float(k) == k.value and k.error_scale == 0.2 and not k.exact
    assert "T ≪ ΔL" in k.assumptions and "Kramers" in k.reference
    with pytest.raises(dataclasses.FrozenInstanceError):
        k.value = 1.0


def test_every_public_module_can_be_loaded():
    for name in fp.theory.__all__:
        assert getattr(fp.theory, name) is not None
    assert set(fp.theory.__all__) == set(dir(fp.theory))
    with pytest.raises(AttributeError, match="krammers"):
        _ = fp.theory.krammers
