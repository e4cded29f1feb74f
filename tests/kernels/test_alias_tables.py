"""Alias tables: the probabilities that they stand for, read back from their words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.kernels.cpu.alias_tables import HEAD, SLOT, SLOT_WITH_FLOWS, alias_table

LOW = np.uint64(0xFFFFFFFF)
HIGH = np.uint64(32)


def probabilities(words, records, state, width):
    """Return what the record of a state says: its number, mean waiting time, and probabilities by target's record."""
    here = int(records[state])
    degree = int(words[here + 1] & LOW)
    found = {}
    for slot in range(degree):
        at = here + HEAD + width * slot
        share = float(words[at : at + 1].view(float)[0])
        for record, part in ((words[at + 1] & LOW, share), (words[at + 1] >> HIGH, 1 - share)):
            found[int(record)] = found.get(int(record), 0.0) + part / degree
    return int(words[here + 1] >> HIGH), float(words[here : here + 1].view(float)[0]), found


@given(st.lists(st.floats(1e-14, 1e14), min_size=1, max_size=12))
def test_a_record_has_the_probabilities_of_the_rates(rates):
    degree = len(rates)
    first = np.array([0] + [degree] * (degree + 1))
    targets = np.arange(1, degree + 1)
    for flows, width in ((np.zeros(0), SLOT), (np.ones(degree), SLOT_WITH_FLOWS)):
        words, records = alias_table(first, targets, np.array(rates), flows)
        number, wait, found = probabilities(words, records, 0, width)
        assert number == 0
        np.testing.assert_allclose(wait, 1 / sum(rates), rtol=1e-13)
        expected = np.array(rates) / sum(rates)
        read = [found.get(int(records[k]), 0.0) for k in targets]
        np.testing.assert_allclose(read, expected, rtol=0, atol=4e-16 * degree)


def test_rare_jumps_keep_their_relative_accuracy():
    rates = np.array([1.0, 1e-13, 3.0, 2e-9, 0.5])
    words, records = alias_table(np.array([0, 5, 5, 5, 5, 5, 5]), np.arange(1, 6), rates, np.zeros(0))
    found = probabilities(words, records, 0, SLOT)[2]
    read = np.array([found[int(records[k])] for k in range(1, 6)])
    np.testing.assert_allclose(read, rates / rates.sum(), rtol=1e-14)


def test_a_state_without_jumps_waits_for_ever():
    words, records = alias_table(np.array([0, 1, 1]), np.array([1]), np.array([2.0]), np.zeros(0))
    assert probabilities(words, records, 1, SLOT)[1] == np.inf
