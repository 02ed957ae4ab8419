"""Which items of two sequences belong together."""

import difflib
import random
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.comparing.aligning import Pairs, align

KEYS = st.lists(st.sampled_from("abc"), max_size=9)


def longest(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the length of a longest common subsequence, the slow way."""

    @cache
    def length(left: int, right: int) -> int:
        if left == len(old) or right == len(new):
            return 0
        if old[left] == new[right]:
            return 1 + length(left + 1, right + 1)
        return max(length(left + 1, right), length(left, right + 1))

    return length(0, 0)


def assert_common(pairs: Pairs, old: Sequence[object], new: Sequence[object]) -> None:
    """Check that pairs are of equal items, and in order on both sides."""
    assert all(old[left] == new[right] for left, right in pairs)
    for (left, right), (next_left, next_right) in pairwise(pairs):
        assert left < next_left
        assert right < next_right


@given(old=KEYS, new=KEYS)
def test_the_longest_is_found(old: list[str], new: list[str]) -> None:
    """Within its means the result is a longest common subsequence."""
    pairs = align(old, new)
    assert_common(pairs, old, new)
    assert len(pairs) == longest(tuple(old), tuple(new))


@given(old=KEYS, new=KEYS)
def test_without_means_it_is_still_common(old: list[str], new: list[str]) -> None:
    """With no steps to spend the result is a common subsequence, and takes what both begin and end with."""
    pairs = align(old, new, max_steps=-1)
    assert_common(pairs, old, new)
    assert pairs or not longest(tuple(old[:1]), tuple(new[:1]))


def test_unique_items_are_anchors() -> None:
    """Where a shortest script is too expensive, items that occur once hold the sequences together."""
    old = ["x", *"aaaa", "anchor", *"bbbb", "y"]
    new = ["z", *"bbbb", "anchor", *"aaaa", "w"]
    assert (5, 5) in align(old, new, max_steps=-1)


def test_few_edits_in_many_items() -> None:
    """A hundred edits in 50,000 items are found exactly."""
    draw = random.Random(7)
    old = [draw.randrange(50) for _ in range(50_000)]
    new = list(old)
    for _ in range(50):
        del new[draw.randrange(len(new))]
        new.insert(draw.randrange(len(new)), 99)
    pairs = align(old, new)
    assert_common(pairs, old, new)
    assert len(pairs) >= 50_000 - 50


@pytest.mark.parametrize("alphabet", [2, 50, 10**9])
def test_different_sequences_take_bounded_work(alphabet: int) -> None:
    """Two sequences that have little in common are aligned all the same, as well as the means allow."""
    draw = random.Random(alphabet)
    old = [draw.randrange(alphabet) for _ in range(20_000)]
    new = [draw.randrange(alphabet) for _ in range(20_000)]
    pairs = align(old, new, max_steps=50_000)
    assert_common(pairs, old, new)
    assert alphabet > 50 or len(pairs) > 2_500


def test_the_standard_library_agrees() -> None:
    """On texts of ordinary kind the result is no worse than that of `difflib`."""
    old, new = ["the", "quick", "brown", "fox", "jumps"], ["the", "brown", "quick", "fox", "leaps", "and", "jumps"]
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    assert len(align(old, new)) >= sum(block.size for block in blocks)
