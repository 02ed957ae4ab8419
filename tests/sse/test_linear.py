"""Tests that the parser's work grows with the stream and not with its square, counted and not timed."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest

from playhead.sse.parser import SSEParser

SIZE = 1 << 19
PIECE = 1024
ALLOWED = 16
"""How often a byte may be copied or looked at. A square shows as hundreds of times here."""


def cut(stream: bytes) -> list[bytes]:
    """Return the stream in pieces of 1 KiB."""
    return [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]


def copied(feed: Callable[[bytes], object], pieces: list[bytes]) -> int:
    """Return how many bytes all calls of `feed` allocated together, the freed ones included."""
    total = 0
    tracemalloc.start()
    try:
        for piece in pieces:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            feed(piece)
            total += tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return total


def searched(feed: Callable[[bytes], object], pieces: list[bytes]) -> int:
    """Return how many bytes and characters all methods of bytes and str were called on together."""
    total = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal total
        owner = getattr(argument, "__self__", None)
        if event == "c_call" and isinstance(owner, bytes | bytearray | str):
            total += len(owner)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for piece in pieces:
            feed(piece)
    finally:
        sys.setprofile(before)
    return total


STREAMS = {
    "one line": b"data: " + b"x" * SIZE + b"\n\n",
    "one line without end": b"x" * SIZE,
    "one event line": b"event: " + b"x" * SIZE + b"\ndata: y\n\n",
    "one line after its event": b"event: x\ndata: " + b"y" * SIZE + b"\n\n",
    "one line after its event and id": b"event: x\nid: 7\ndata: " + b"y" * SIZE + b"\n\n",
    "lines of one message": b"data: y\n" * (SIZE // 8) + b"\n",
    "long lines of one message": (b"data: " + b"y" * 2000 + b"\n") * (SIZE // 2007) + b"\n",
    "CRLF line": b"data: " + b"x" * SIZE + b"\r\n\r\n",
    "comments": b": ping\n" * (SIZE // 7),
    "small messages": b"event: x\ndata: y\n\n" * (SIZE // 18),
    "broken bytes": b"data: \xff\n\n" * (SIZE // 9),
    "empty lines": b"\n" * (SIZE // 4),
}


@pytest.mark.parametrize("name", STREAMS)
def test_work_is_linear(name: str) -> None:
    """Every byte is copied and looked at a bounded number of times, however long the line or the message."""
    pieces = cut(STREAMS[name])
    # Objects of its own for each of the small lines: what they cost does not depend on the stream's length.
    objects = 400 * (STREAMS[name].count(b"\n") + len(pieces))
    assert copied(SSEParser().feed, pieces) < ALLOWED * SIZE + objects
    assert searched(SSEParser().feed, pieces) < ALLOWED * SIZE


def test_a_quadratic_reader_is_found() -> None:
    """Both counts see a reader that joins and searches its whole buffer for every piece."""
    pieces = cut(STREAMS["one line"])
    buffer = b""

    def feed(piece: bytes) -> None:
        nonlocal buffer
        buffer = buffer + piece
        buffer.find(b"\n\n")

    assert copied(feed, pieces) > 10 * ALLOWED * SIZE
    buffer = b""
    assert searched(feed, pieces) > 10 * ALLOWED * SIZE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("head", ["", "event: x{end}", "event: x{end}id: {n}{end}"])
def test_messages_take_the_short_way_however_the_stream_is_cut(head: str, end: str) -> None:
    """A piece that ends inside a message sends that one the long way, and none of those behind it."""
    count = 1_000
    block = f"{head}data: {{n}} {'y' * 90}{end}{end}".replace("{end}", end)
    blocks = (block.replace("{n}", str(n)) for n in range(count))
    calls = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    parser = SSEParser()
    stream = "".join(blocks).encode()
    # Between the two ends of the first message; and then wherever it comes.
    first = stream.index(end.encode() * 2) + len(end)
    pieces = [stream[:first], *cut(stream[first:])]
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        found = [message for piece in pieces for message in parser.feed(piece)]
    finally:
        sys.setprofile(before)
    assert len(found) == count
    assert calls < 4 * count
