"""Tests of playhead.sse.parser: what it reads, in whatever pieces, and where it stops."""

import itertools
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.errors import UsageError, WireError
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from tests.sse.reference import Outcome, every_split, parse, reference

# Pieces of lines, so that whole fields, near misses and broken bytes are all likely.
ends = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"])
names = [b"data: ", b"data:", b"data", b"event: ", b"event", b"id: ", b"id:", b"id", b"retry: ", b"retry:", b":"]
values = [
    b" ",
    b"x",
    b"7",
    b"007",
    b"\0",
    "é日😀".encode(),
    b"\xef\xbb\xbf",
    b"\xf0\x9f",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\x85",
    b"\x0b",
]
words = st.sampled_from(names + values)
rough_streams = st.lists(words | ends, max_size=40).map(b"".join)
blocks = st.builds(
    lambda head, id, data, end: end.join([*head, *id, *data, b"", b""]),
    st.sampled_from([[], [b"event: think"], [b"event: "], [b"event:x"], [b": note"], [b"retry: 5"], [b"\xff"]]),
    st.sampled_from([[], [], [b"id: 7"], [b"id: "], [b"id"], [b"id: \0"]]),
    st.lists(
        st.sampled_from([b"data: x", b"data:  y ", b"data: \xc3\xa9", b"data: ", b"data", b"data: \xff"]), max_size=3
    ),
    st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"]),
)
usual_streams = st.lists(blocks, max_size=8).map(b"".join)
streams = usual_streams | rough_streams | st.binary(max_size=60)

EXAMPLES: list[tuple[bytes, list[SSEMessage]]] = [
    (b"", []),
    (b"data: a\n\n", [SSEMessage("message", "a", "")]),
    (b"data:a\n\n", [SSEMessage("message", "a", "")]),
    (b"data:  a\n\n", [SSEMessage("message", " a", "")]),
    (b"data\n\n", [SSEMessage("message", "", "")]),
    (b"data\ndata\n\n", [SSEMessage("message", "\n", "")]),
    (b"data: a\ndata: b\n\n", [SSEMessage("message", "a\nb", "")]),
    (b"data: a\rdata: b\r\r", [SSEMessage("message", "a\nb", "")]),
    (b"data: a\r\ndata: b\r\n\r\n", [SSEMessage("message", "a\nb", "")]),
    (b"data: a\r\n\r\ndata: b\n\ndata: c\r\r", [SSEMessage("message", x, "") for x in "abc"]),
    (b"data: a\n", []),
    (b"data: a\n\ndata: b", [SSEMessage("message", "a", "")]),
    (b"event: x\n\n", []),
    (b"event: x\n\ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"event:x\ndata: a\n\n", [SSEMessage("x", "a", "")]),
    (b"event\ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"event: x\nevent: \ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"data: a\nevent: x\n\n", [SSEMessage("x", "a", "")]),
    (b"Event: x\nDATA: b\n data: c\ndata : d\ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b": note\n:\ndata: a\n: note\ndata: b\n\n", [SSEMessage("message", "a\nb", "")]),
    (
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        [SSEMessage("message", x, y) for x, y in ("a1", "b1", ("c", ""))],
    ),
    (b"id: 1\n\ndata: a\n\n", [SSEMessage("message", "a", "1")]),
    (b"id: 1\nid: 2\0\ndata: a\n\n", [SSEMessage("message", "a", "1")]),
    (b"event: x\nid: 1\ndata: a\n\nevent: y\ndata: b\n\n", [SSEMessage("x", "a", "1"), SSEMessage("y", "b", "1")]),
    (b"event: x\nid: 1\0\ndata: a\n\n", [SSEMessage("x", "a", "")]),
    (b"retry: 5\ndata: a\n\ndata: b\n\n", [SSEMessage("message", "a", "", 5), SSEMessage("message", "b", "")]),
    (b"retry: 5\n\ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"retry: 005\ndata: a\n\n", [SSEMessage("message", "a", "", 5)]),
    (
        b"retry: 5\nretry: -1\nretry:\nretry: 5 \nretry:  6\nretry: \xd9\xa3\ndata: a\n\n",
        [SSEMessage("message", "a", "", 5)],
    ),
    (b"retry: " + b"0" * 700 + b"\ndata: a\n\n", [SSEMessage("message", "a", "", 0)]),
    (b"\xef\xbb\xbfdata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [SSEMessage("message", "b", "")]),
    (b"\n\xef\xbb\xbfdata: a\n\n", []),
    (b"\xef\xbb\n\ndata: a\n\n", [SSEMessage("message", "a", "")]),
    (b"data: a\x85b\x0bc\x0cd\x1ce\xe2\x80\xa8f\n\n", [SSEMessage("message", "a\ufffdb\x0bc\x0cd\x1ce\u2028f", "")]),
    (
        b"data: \xf0\x9f\n\ndata: \x98\x80\n\n",
        [SSEMessage("message", "\ufffd", ""), SSEMessage("message", "\ufffd\ufffd", "")],
    ),
    (b"event: \xff\nid: \xff\ndata: a\n\n", [SSEMessage("\ufffd", "a", "\ufffd")]),
    ("data: é日😀\n\n".encode(), [SSEMessage("message", "é日😀", "")]),
    ("event: é\r\nid: 日\r\ndata: 😀\r\ndata: b\r\n\r\n".encode(), [SSEMessage("é", "😀\nb", "日")]),
]


def in_pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """Cut the stream at the given places."""
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[begin:end] for begin, end in itertools.pairwise(places)]


@pytest.mark.parametrize(("stream", "messages"), EXAMPLES, ids=[repr(stream[:40]) for stream, _ in EXAMPLES])
def test_examples_in_every_split(stream: bytes, messages: list[SSEMessage]) -> None:
    """Each example gives its messages, whole, byte by byte and cut in two anywhere, and so does the reference."""
    assert SSEParser().feed(stream) == messages
    expected = reference(stream)
    assert [SSEMessage(m.event, m.data, m.id, m.retry) for m in expected.messages] == messages
    for pieces in every_split(stream):
        assert parse(pieces) == expected


@given(stream=streams, cuts=st.lists(st.integers(0, 1000), max_size=8))
@example(stream=b"data: x\r\n\r\n" * 3, cuts=[9, 10, 21])
@example(stream=b"event: x\nretry: 5\n", cuts=[9])
@example(stream=b"event: x\nid: 1\nretry: 5\n", cuts=[9, 15])
@example(stream=b"data: x\r\n\r\n\r\ndata: y\r\n\r\n", cuts=[])
@example(stream=b"event: x\nid: 1\rdata: y\r\r", cuts=[])
@example(stream=b"event: x\ndata: y\n\n" * 4, cuts=[40, 45, 55])
def test_any_stream_in_any_pieces_reads_as_the_reference_does(stream: bytes, cuts: list[int]) -> None:
    """The parser and the naive reader learn the same from any bytes, positions included."""
    expected = reference(stream)
    assert parse([stream]) == expected
    assert parse(in_pieces(stream, cuts)) == expected
    assert parse([stream[at : at + 1] for at in range(len(stream))]) == expected


@given(stream=streams, cut=st.integers(0, 200))
def test_what_counts_counts_at_once(stream: bytes, cut: int) -> None:
    """After any prefix the parser knows all that the reference knows of this prefix: it holds nothing back."""
    prefix = stream[:cut]
    parser = SSEParser()
    messages = parser.feed(prefix)
    expected = reference(prefix)
    assert len(messages) == len(expected.messages)
    assert parser.last_event_id == expected.last_event_id
    assert parser.reconnection_time_ms == expected.reconnection_time_ms


@given(
    stream=streams | st.binary(max_size=300), limit=st.integers(1, 30), cuts=st.lists(st.integers(0, 1000), max_size=8)
)
@example(stream=b"data: 1\n\ndata: 2\ndata: 34567890123\n\n", limit=16, cuts=[10])
@example(stream=b"event: 1234\ndata: 5678", limit=12, cuts=[12, 20])
def test_any_stream_gives_messages_then_perhaps_one_error(stream: bytes, limit: int, cuts: list[int]) -> None:
    """Under tight limits, too, every split gives the same messages and then the same error, or none."""
    outcomes = []
    for pieces in ([stream], in_pieces(stream, cuts), [stream[at : at + 1] for at in range(len(stream))]):
        parser = SSEParser(max_line_bytes=limit, max_message_bytes=2 * limit)
        messages: list[SSEMessage] = []
        error = ""
        try:
            for piece in pieces:
                messages += parser.feed(piece)
            messages += parser.close()
        except WireError as caught:
            error = str(caught)
        outcomes.append((messages, error))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    lines = re.split(rb"\r\n|\r|\n", stream)
    if max(map(len, lines)) > limit:
        assert outcomes[0][1]
    elif not outcomes[0][1]:
        assert outcomes[0][0] == SSEParser().feed(stream)


def test_positions_are_those_of_the_first_field() -> None:
    """Line and byte offset point at the first field of a message, past comments and the byte order mark's line."""
    stream = "\ufeff: note\n\n: note\ndata: é\n\nevent: x\r\ndata: b\r\n\r\ndata: c\n\n".encode()
    messages = SSEParser().feed(stream)
    places = [(message.line, message.offset) for message in messages]
    assert places == [(4, stream.index(b"data: \xc3")), (6, stream.index(b"event")), (9, stream.index(b"data: c"))]


def test_the_last_event_id_is_kept_over_connections() -> None:
    """A parser for the next response goes on with the id of the last one, and an unfinished block leaves no trace."""
    first = SSEParser()
    first.feed(b"id: 7\ndata: a\n\nid: 8\ndata: b\n")
    assert first.last_event_id == "7"
    second = SSEParser(last_event_id=first.last_event_id)
    [message] = second.feed(b"data: c\n\n")
    assert (message.id, message.block_id, second.last_event_id) == ("7", None, "7")


def test_other_kinds_of_bytes_are_taken() -> None:
    """A bytearray or a memoryview is copied: changing it later changes nothing."""
    parser = SSEParser()
    buffer = bytearray(b"data: a")
    assert parser.feed(buffer) == []
    buffer[:] = b"xxxxxxx"
    assert [message.data for message in parser.feed(memoryview(b"b\n\n"))] == ["ab"]


def test_a_stream_can_be_closed_once_and_again() -> None:
    """Closing drops what is unfinished; a closed parser takes nothing more."""
    parser = SSEParser()
    parser.feed(b"data: a\n")
    assert parser.close() == parser.close() == []
    with pytest.raises(UsageError, match=r"^this SSEParser is closed"):
        parser.feed(b"\n")


@pytest.mark.parametrize("limits", [(0, 1), (-1, 1), (2, 1)])
def test_limits_that_make_no_sense_are_refused(limits: tuple[int, int]) -> None:
    """Limits are positive, and a message may be at least as long as a line."""
    with pytest.raises(UsageError, match=r"0 < max_line_bytes <= max_message_bytes"):
        SSEParser(max_line_bytes=limits[0], max_message_bytes=limits[1])


def test_an_id_that_no_stream_can_set_is_refused() -> None:
    """A last event id with a line end would forge a request header."""
    with pytest.raises(UsageError, match=r"^SSE last_event_id 'a"):
        SSEParser(last_event_id="a\nb")


def test_an_overlong_line_is_an_error_with_its_place() -> None:
    """The error says where the line begins, what the limit is, and how to raise it."""
    parser = SSEParser(max_line_bytes=10)
    assert parser.feed(b"data: 1234\n\n: note") != []
    with pytest.raises(WireError) as caught:
        parser.feed(b" and more")
    assert str(caught.value) == (
        "line 3 of the event stream, at byte offset 12, is longer than 10 bytes. "
        "If the stream is right, raise the limit: SSEParser(max_line_bytes=...)."
    )


def test_an_overlong_message_is_an_error_with_its_place() -> None:
    """The error says which line made the message too long."""
    parser = SSEParser(max_line_bytes=10, max_message_bytes=10)
    with pytest.raises(WireError) as caught:
        parser.feed(b"data: 1234\r\ndata: 1234\r\ndata: \r\n\r\n")
    assert str(caught.value) == (
        "line 3 of the event stream, at byte offset 24, makes its message longer than 10 bytes. "
        "If the stream is right, raise the limit: SSEParser(max_message_bytes=...)."
    )


def test_an_absurd_retry_is_an_error() -> None:
    """A retry that Python may refuse to convert is a wire error, not a ValueError."""
    with pytest.raises(
        WireError, match=r"^line 2 of the event stream, at byte offset 8, sets a retry of more than 640 d"
    ):
        SSEParser().feed(b"data: a\nretry: " + b"9" * 641 + b"\n\n")


def test_messages_before_an_error_are_not_lost() -> None:
    """What ends before the faulty line is returned; the next call raises, and so does every call after it."""
    for fail in (lambda parser: parser.feed(b""), SSEParser.close):
        parser = SSEParser(max_line_bytes=10)
        assert [message.data for message in parser.feed(b"data: a\n\ndata: 12345\n\ndata: b\n\n")] == ["a"]
        with pytest.raises(WireError, match=r"^line 3 "):
            fail(parser)
        with pytest.raises(WireError, match=r"^line 3 "):
            parser.feed(b"data: c\n\n")
        assert parser.close() == []


def test_many_comments_fill_no_memory() -> None:
    """A stream that sends nothing but comments, without any empty line, never reaches a limit."""
    parser = SSEParser(max_line_bytes=10, max_message_bytes=10)
    assert [parser.feed(b": ping\n") for _ in range(1000)] == [[]] * 1000


def damaged(change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], Outcome]:
    """Return a reader that changes each piece before it reads it."""
    return lambda pieces: parse([change(piece) for piece in pieces])


@pytest.mark.parametrize(
    "change",
    [
        lambda piece: piece.decode(errors="replace").encode(),
        lambda piece: piece.replace(b"\r", b"\n"),
        lambda piece: piece.removeprefix(b"\xef\xbb\xbf"),
        lambda piece: b"\n".join(piece.decode(errors="ignore").encode().splitlines(keepends=False)) + b"\n",
    ],
    ids=["decodes each piece", "takes each CR for a line", "drops a mark in each piece", "ends each piece"],
)
def test_the_splits_find_the_usual_mistakes(change: Callable[[bytes], bytes]) -> None:
    """Each classic mistake of a parser shows in some split of some example."""
    read = damaged(change)
    assert any(read(pieces) != reference(stream) for stream, _ in EXAMPLES for pieces in every_split(stream))


def test_random_pieces_of_a_long_stream() -> None:
    """A long mixed stream in seeded cuttings gives the same messages each time."""
    stream = b"".join(stream for stream, _ in EXAMPLES if stream.endswith((b"\n\n", b"\r\r"))) * 50
    assert len(stream) > 64 * 1024
    expected = reference(stream)
    assert parse([stream]) == expected
    for seed in range(20):
        cuts = random.Random(seed).choices(range(len(stream)), k=seed**2)
        assert parse(in_pieces(stream, cuts)) == expected


def test_an_error_deep_in_a_long_chunk_waits_for_its_turn() -> None:
    """The messages of a long chunk come first, and the error after them comes once, from close too."""
    stream = b"data: 1234\n\n" * 10_000 + b"data: 12345\n\n" + b"data: 1234\n\n" * 10_000
    parser = SSEParser(max_line_bytes=10)
    assert len(parser.feed(stream)) == 10_000
    with pytest.raises(WireError, match=r"^line 20001 of the event stream, at byte offset 120000, is longer"):
        parser.close()
    assert parser.close() == []
    with pytest.raises(WireError, match=r"^line 1 of the event stream, at byte offset 0, is longer"):
        SSEParser(max_line_bytes=10).feed(b"x" * 100_000)
