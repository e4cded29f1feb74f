from __future__ import annotations

import warnings

import numpy as np
import pytest

import fpsolver as fp
from fpsolver.dynamics import StableProposal
from fpsolver.errors import GridError, GridWarning
from fpsolver.generators.jump_weights import axis_kernel, warn_if_coarse

EPSILON = np.finfo(float).eps
SMOOTH = [fp.GaussianProposal(0.3), fp.StudentProposal(6.0, 0.4), StableProposal(1.5, 0.3)]
KINKED = [fp.UniformProposal(0.5), fp.LaplaceProposal(0.3)]


def kernel(proposal, width, cells=1000):
    return axis_kernel(proposal, fp.Grid(x=(0.0, width * cells, cells)), 0, 0)


def total(law, reach):
    q = law.weights(reach)
    return q[0] + 2 * q[1:].sum() + 2 * float(law.tail(np.array(len(q) - 1)))


@pytest.mark.parametrize("proposal", SMOOTH + KINKED, ids=lambda p: p.kind)
@pytest.mark.parametrize("width", [0.02, 0.1, 0.25])
def test_probabilities_add_up(proposal, width):
    law = kernel(proposal, width)
    # Beyond the reach the tail of a density is no sum of its samples, but next to it: both are below 1e-8 there.
    assert total(law, 4000) == pytest.approx(1.0, abs=1e-8 if proposal.heavy_tailed else 100 * EPSILON)


@pytest.mark.parametrize("ratio", [1.4, 2.0, 10.0])
def test_moments_of_a_sampled_gaussian_are_exact(ratio):
    """Aliasing changes the n-th moment by e^{−2π²s²/h²} times a polynomial of degree n in 2π²s²/h²."""
    law = kernel(fp.GaussianProposal(1.0), 1.0 / ratio)
    q = law.weights(400)
    k = np.arange(len(q)) / ratio
    alias = 2 * np.exp(-2 * np.pi**2 * ratio**2) * (2 * np.pi * ratio) ** 8
    for n, moment in ((2, 1.0), (4, 3.0), (6, 15.0), (8, 105.0)):
        assert 2 * (q * k**n).sum() == pytest.approx(moment, abs=alias, rel=100 * EPSILON)


@pytest.mark.parametrize("proposal", KINKED, ids=lambda p: p.kind)
def test_variances_of_kinked_proposals_are_of_second_order(proposal):
    errors = [kernel(proposal, width, 4000).variance_error for width in (0.1, 0.05, 0.025, 0.0125)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("proposal", SMOOTH + KINKED, ids=lambda p: p.kind)
def test_on_a_circle_all_turns_are_summed(proposal):
    law, cells = kernel(proposal, 0.1), 17
    wrapped = law.wrapped(cells)
    reach = 400 * cells + cells // 2
    q = law.weights(reach)
    q = np.append(q, np.zeros(reach + 1 - len(q)))
    images = np.append(q[:0:-1], q).reshape(-1, cells).sum(axis=0)
    images = np.roll(images, -(cells // 2))
    left_out = 1.0 - images.sum()
    # What lies beyond 400 turns is spread evenly but for a share of the order of 1/400.
    assert wrapped == pytest.approx(images + left_out / cells, abs=left_out / 400 + 100 * EPSILON)
    assert wrapped.sum() == pytest.approx(1.0, abs=100 * EPSILON)
    assert wrapped[1:] == pytest.approx(wrapped[:0:-1], abs=10 * EPSILON)


def test_a_lattice_must_fit_the_cells():
    law = kernel(fp.dynamics.LatticeProposal(0.3), 0.1)
    assert law.weights(10).tolist() == [0, 0, 0, 0.5]
    assert law.wrapped(6).tolist() == [0, 0, 0, 1, 0, 0]
    with pytest.raises(GridError, match=r"0.25 along 'x' is 2.5 cells of width 0.1; give the axis cells of width 0.25"):
        kernel(fp.dynamics.LatticeProposal(0.25), 0.1)


def test_cells_that_are_too_wide_are_refused_or_warned_of():
    with pytest.raises(GridError, match=r"cells of width 1 along 'x' are too wide .* take cells no wider than 0.15"):
        kernel(fp.GaussianProposal(0.15), 1.0)
    with pytest.raises(GridError, match="a share 0 of its updates leaves the cell"):
        kernel(fp.UniformProposal(0.4), 1.0)
    with pytest.warns(GridWarning, match=r"a variance wrong by \+50%"):
        warn_if_coarse(fp.UniformProposal(1.0), fp.Grid(x=(0, 10, 10)), [0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_coarse(fp.GaussianProposal(1.0), fp.Grid(x=(0, 10, 10)), [0])


def test_only_equal_cells_do():
    grid = fp.Grid(x=fp.Axis(-1, 1, 30, spacing="tanh", stretch=2.0))
    with pytest.raises(GridError, match='placed by spacing = "tanh"; give the axis as'):
        axis_kernel(fp.GaussianProposal(0.3), grid, 0, 0)
