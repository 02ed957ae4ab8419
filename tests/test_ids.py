"""Tests of playhead.ids: ids look alike, do not repeat, and are the same each time where they must be."""

import re

import pytest

from playhead.ids import SYSTEM_IDS, Ids, SequenceIds, SystemIds


@pytest.mark.parametrize("ids", [SystemIds(), SequenceIds(), SYSTEM_IDS])
def test_ids_are_32_hexadecimal_digits_and_differ(ids: Ids) -> None:
    """Every maker keeps the protocol's promise."""
    assert isinstance(ids, Ids)
    made = [ids.new() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", new) for new in made)


def test_a_sequence_is_the_same_every_time() -> None:
    """Two makers that start alike go on alike."""
    assert [SequenceIds().new() for _ in range(2)] == ["0" * 31 + "1"] * 2
    from_ten = SequenceIds(start=10)
    assert [from_ten.new()[-1], from_ten.new()[-1]] == ["a", "b"]


def test_random_ids_are_not_a_sequence() -> None:
    """Two makers of random ids do not agree."""
    assert SystemIds().new() != SystemIds().new()


def test_something_else_is_no_maker_of_ids() -> None:
    """The protocol can tell."""
    assert not isinstance(object(), Ids)
