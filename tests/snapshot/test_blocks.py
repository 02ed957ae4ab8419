"""Blocks hold every byte of an event stream, and say what a reader is told."""

from hypothesis import given
from hypothesis import strategies as st

from playhead.events.dialects import get_dialect
from playhead.snapshot.blocks import blocks, masked_sse
from playhead.sse.parser import SSEParser

LOCUS = get_dialect("locus")
PIECES = [
    "data: x",
    "data:",
    "data",
    "event: a",
    "id: 1",
    ": c",
    "retry: 5",
    '{"timestamp":1}',
    'data: {"timestamp":1}',
]
STREAMS = st.lists(st.sampled_from([*PIECES, "\n", "\n", "\r", "\r\n", "\n\n", "\ufeff", "é"]), max_size=12).map(
    lambda pieces: "".join(pieces).encode()
)


@given(data=STREAMS | st.binary(max_size=40))
def test_no_byte_and_no_message_is_lost(data: bytes) -> None:
    """Put together, blocks are the stream, and their messages are those of the parser."""
    found = blocks(data)
    assert b"".join(block.raw for block in found) == data
    assert [block.message for block in found if block.message] == SSEParser().feed(data)
    assert "".join(line for block in found for line in block.lines()) == data.decode(errors="backslashreplace")


def test_blocks_have_names_and_lines() -> None:
    """Messages are counted from 0; what is no message is named by what it is, and by the message before it."""
    found = blocks(b": hi\n\nevent: a\nid: 7\ndata: 1\n\n\nid: 5\r\n\r\n:x\n:y\n\ndata\n\ndata: un")
    assert [(block.name, block.line) for block in found] == [
        ("comment at the start", 1),
        ("message 0 (event: a)", 3),
        ("block without data behind message 0", 7),
        ("block without data behind message 0", 8),
        ("comment behind message 0", 10),
        ("message 1 (event: message)", 13),
        ("unfinished block behind message 1", 15),
    ]
    assert [found[1].line_of(field) for field in ("event", "id", "data", "retry")] == [3, 4, 5, 3]


@given(data=STREAMS)
def test_masking_changes_the_data_and_nothing_else(data: bytes) -> None:
    """Without the volatile field every byte stays; with it the messages are the same but for its value."""
    assert masked_sse(data.replace(b"timestamp", b"time"), LOCUS) == data.replace(b"timestamp", b"time")
    masked = masked_sse(data, LOCUS)
    before, after = SSEParser().feed(data), SSEParser().feed(masked)
    assert [(each.event, each.id, each.retry) for each in after] == [
        (each.event, each.id, each.retry) for each in before
    ]
    assert [each.data.replace('"<volatile>"', "1") for each in after] == [each.data for each in before]


def test_json_over_several_lines_stays_so() -> None:
    """Data lines, their spelling and their ends are kept; a value that spans lines shrinks to one."""
    data = b'id: 1\r\ndata:{"timestamp":\r\ndata:1,\r\ndata:"run_id": [\r\ndata:2]}\r\nretry: 1\r\n\r\n'
    masked = b'id: 1\r\ndata:{"timestamp":\r\ndata:"<volatile>",\r\ndata:"run_id": "<volatile>"}\r\nretry: 1\r\n\r\n'
    assert masked_sse(data, LOCUS) == masked
    assert masked_sse(b'data: {"timestamp":1,"\xff":1}\n\n', LOCUS) == b'data: {"timestamp":1,"\xff":1}\n\n'
