"""What is printed: safe, in its width, and with units for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.cli.screen import number, said, seconds, size, width
from playhead.text import columns, safe


@pytest.mark.parametrize(
    ("microseconds", "shown"),
    [
        (0, "0 s"),
        (7, "0.007 ms"),
        (207, "0.207 ms"),
        (252_000, "252 ms"),
        (999_999, "1.00 s"),
        (1_793_007, "1.79 s"),
        (59_999_000, "1 min 00 s"),
        (185_000_000, "3 min 05 s"),
        (3_599_999_999, "1 h 00 min"),
        (7_500_000_000, "2 h 05 min"),
    ],
)
def test_times_are_short(microseconds: int, shown: str) -> None:
    """Three digits, and the unit that fits."""
    assert seconds(microseconds) == shown


@pytest.mark.parametrize(
    ("byte_count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_500_000, "1.4 MiB"), (5 * 2**40, "5120.0 GiB")],
)
def test_sizes_are_short(byte_count: int, shown: str) -> None:
    """Bytes are whole, and every other unit has one decimal."""
    assert size(byte_count) == shown


def test_numbers_have_nouns() -> None:
    """One is singular."""
    assert [number(count, "run") for count in (0, 1, 2000)] == ["0 runs", "1 run", "2,000 runs"]
    assert number(2, "entry", "entries") == "2 entries"


@given(st.text(st.characters(codec=None)), st.integers(1, 30))
def test_recorded_text_is_safe_and_fits(text: str, limit: int) -> None:
    """Whatever was recorded is one line that steers nothing and is no wider than it may be."""
    shown = said(text, max_columns=limit).plain
    assert safe(shown, keep="") == shown
    assert columns(shown) <= limit


def test_the_width_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """`COLUMNS` counts; nothing is squeezed below 40."""
    monkeypatch.setenv("COLUMNS", "77")
    assert width() == 77
    monkeypatch.setenv("COLUMNS", "5")
    assert width() == 40
