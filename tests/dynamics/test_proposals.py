"""Proposals are symmetric densities with the moments they state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import fpsolver as fp
from fpsolver.errors import DynamicsError

PROPOSALS = [
    fp.GaussianProposal(0.3),
    fp.UniformProposal(0.3),
    fp.LaplaceProposal(0.3),
    fp.StudentProposal(5.0, 0.3),
    fp.StudentProposal(1.5, 0.3),
    fp.StableProposal(1.5, 0.3),
]


@pytest.mark.parametrize("proposal", PROPOSALS, ids=repr)
def test_the_profile_is_an_even_density_with_that_cumulative_and_variance(proposal) -> None:
    u = np.array([0.2, 0.7, 3.0])
    np.testing.assert_allclose(proposal.profile(u), proposal.profile(-u), rtol=1e-12)
    np.testing.assert_allclose(proposal.cumulative(u) + proposal.cumulative(-u), 1.0, rtol=1e-12)
    for left, right in ((-0.5, 0.1), (0.1, 2.0)):
        share = quad(proposal.profile, left, right, points=[0.0, 1.0])[0]
        assert proposal.cumulative(right) - proposal.cumulative(left) == pytest.approx(share, abs=1e-9)
    if np.isfinite(proposal.profile_variance):
        second = 2.0 * quad(lambda v: v * v * float(proposal.profile(v)), 0.0, np.inf, limit=400)[0]
        assert proposal.profile_variance == pytest.approx(second, rel=1e-6)
        assert proposal.variances[0] == pytest.approx(0.09 * second, rel=1e-6)


@pytest.mark.parametrize("proposal", PROPOSALS[:3], ids=repr)
@pytest.mark.parametrize("a", [1e-6, 0.3, 0.9])
def test_exponential_moments_are_integrals(proposal, a: float) -> None:
    def weight(u: float) -> float:
        return float(proposal.profile(u)) * 2.0 * np.cosh(a * u)

    whole = quad(weight, 0.0, 1.0)[0] + quad(weight, 1.0, 300.0, limit=400)[0]
    assert float(proposal.exponential_moment(a)) == pytest.approx(whole, rel=1e-9)


def test_heavy_tails_have_no_exponential_moments() -> None:
    assert [p.heavy_tailed for p in PROPOSALS] == [False, False, False, True, True, True]
    assert float(fp.LaplaceProposal(1.0).exponential_moment(1.0)) == np.inf


def test_scales_fit_the_landscape() -> None:
    assert fp.GaussianProposal([0.1, 0.2]).for_dimension(2).tolist() == [0.1, 0.2]
    with pytest.raises(DynamicsError, match="has 2 scales, the landscape 3"):
        fp.GaussianProposal([0.1, 0.2]).for_dimension(3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fp.GaussianProposal(0.0), "scale = 0.0 must be a positive"),
        (lambda: fp.UniformProposal([[0.1]]), "one length, or one a variable"),
        (lambda: fp.StableProposal(2.0, 1.0), "below 2"),
        (lambda: fp.StudentProposal(-1, 1.0), "degrees = -1"),
    ],
)
def test_bad_lengths_are_refused(make, words: str) -> None:
    with pytest.raises(DynamicsError, match=words):
        make()
