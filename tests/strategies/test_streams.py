"""Strategies for bytes: what is well formed comes back, what is hostile is survived, and cuts lose nothing."""

from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import WireError
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from playhead.strategies import messages, splits, sse_bytes
from tests.strategies.drawing import found


@given(messages)
def test_messages_come_back(message: SSEMessage) -> None:
    """A message that is drawn can be sent, and is read as it was, but for the spelling of its line ends."""
    (back,) = SSEParser().feed(message.encode())
    data = message.data.replace("\r\n", "\n").replace("\r", "\n")
    assert (back.event, back.data, back.retry) == (message.event or "message", data, message.retry)


@given(st.data(), sse_bytes())
def test_any_cut_of_any_bytes_is_read_alike(data: st.DataObject, stream: bytes) -> None:
    """Hostile bytes too give the same messages, however they are cut."""
    pieces = data.draw(splits(stream))
    assert b"".join(pieces) == stream
    assert read([stream]) == read(pieces)


def read(pieces: list[bytes]) -> list[SSEMessage]:
    """Return the messages in some bytes, up to an error."""
    parser, messages = SSEParser(), list[SSEMessage]()
    try:
        for piece in pieces:
            messages += parser.feed(piece)
    except WireError:
        pass
    return messages


@given(sse_bytes(hostile=False))
def test_well_formed_bytes_are_utf_8(stream: bytes) -> None:
    """What is not hostile is text, and every block in it has an end."""
    assert not stream or stream.decode().endswith("\n\n")


def test_hostile_bytes_come_up() -> None:
    """There are bytes that are no text, and line ends of every kind."""
    for wanted in (b"\xff", b"\x00", b"\r\n", b"data: a\r"):
        assert wanted in found(sse_bytes(), lambda stream, wanted=wanted: wanted in stream)  # type: ignore[misc]


def test_a_cut_inside_a_code_point_comes_up() -> None:
    """Bytes are cut anywhere."""
    pieces = found(splits("data: \u00e9\n\n".encode()), lambda cut: any(each.endswith(b"\xc3") for each in cut))
    assert b"".join(pieces) == "data: \u00e9\n\n".encode()
