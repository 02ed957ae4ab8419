"""Bytes are cut into lines whatever the chunks are, and only what says something is told, with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.recording.lines import MAX_LINE_BYTES, LineCutter, Saying, may_say


def said(*chunks: bytes) -> list[Saying]:
    """Return what is said in chunks."""
    cutter = LineCutter()
    return [saying for chunk in chunks for saying in cutter.feed(chunk)] + cutter.close()


@pytest.mark.parametrize(
    ("data", "payloads"),
    [
        (b"data: one\n\ndata:two\r\rdata:  three\r\n\r\n", [b"one", b"two", b" three"]),
        (b'event: x\nid: 1\n: ping\nretry: 5\ndata\ndata:\n{"a":1}\n[1]\n"s"\nword\n', [b'{"a":1}', b"[1]", b'"s"']),
        (b"data: no end", [b"no end"]),
        (b"", []),
    ],
)
def test_what_lines_say(data: bytes, payloads: list[bytes]) -> None:
    """The data of SSE and JSON by itself are told, at their offsets; other fields and comments are not."""
    found = said(data)
    assert [saying.payload for saying in found] == payloads
    assert [data[saying.start :][: len(saying.payload)] for saying in found] == payloads


@given(
    data=st.lists(st.sampled_from([b"data:", b" ", b"x", b"\n", b"\r", b"{", b"}", b"\xff"])).map(b"".join),
    cut=st.data(),
)
def test_any_split_says_the_same(data: bytes, cut: st.DataObject) -> None:
    """Lines do not depend on the chunks, and the line without an end is always known."""
    place = cut.draw(st.integers(0, len(data)))
    assert said(data[:place], data[place:]) == said(data)
    cutter = LineCutter()
    cutter.feed(data[:place])
    cutter.feed(data[place:])
    assert data[cutter.tail_start :] == cutter.tail
    assert cutter.total == len(data)


def test_a_long_line_is_passed_over() -> None:
    """Nothing is kept of a body without lines, and the line behind it is told again."""
    cutter = LineCutter()
    for _ in range(3):
        assert cutter.feed(b"{" + b"x" * MAX_LINE_BYTES) == []
        assert cutter.tail == b""
    assert [saying.payload for saying in cutter.feed(b"}\ndata: next\n")] == [b"next"]


def test_what_may_say_something() -> None:
    """The beginning of a line may say something as long as it can become data, or is JSON."""
    assert all(map(may_say, (b"d", b"data", b"data:", b"data: x", b"{", b'{"a"', b'"')))
    assert not any(map(may_say, (b"", b"e", b"event: x", b":", b"<html>", b"date")))
