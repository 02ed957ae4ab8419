"""What is made small stays broken, and is small."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playhead.fuzzing.shrinking import fewer, simpler


@given(st.sets(st.integers(0, 199), min_size=1, max_size=4))
def test_only_what_matters_is_left(needed: set[int]) -> None:
    """Of two hundred items, just those that break are kept, in order."""
    assert fewer(range(200), lambda some: needed <= set(some)) == sorted(needed)


def test_few_tries_are_enough() -> None:
    """One item of a thousand is found without trying each of them."""
    tries = 0

    def breaks(some: list[int]) -> bool:
        nonlocal tries
        tries += 1
        return 713 in some

    assert fewer(range(1_000), breaks) == [713]
    assert tries < 60


def test_values_become_simple() -> None:
    """Fields go, texts become short, and lists empty, as long as it breaks."""
    rows: list[Any] = [{"type": "tool", "text": "take an umbrella é with you", "more": [1, {"x": "y"}], "n": 3}]

    def breaks(some: list[Any]) -> bool:
        return len(some) == 1 and some[0].get("type") == "tool" and "é" in some[0].get("text", "")

    assert simpler(rows, breaks) == [{"type": "tool", "text": "é"}]


def test_a_length_is_found() -> None:
    """A text that must be long is just long enough, and plain."""
    assert simpler(["日本" * 40], lambda some: len(some[0]) >= 33) == ["a" * 33]
