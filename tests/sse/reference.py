"""A deliberately naive reader of event streams, written from the standard's text: all at once, and slow.

It decodes the whole stream before it looks at any line, as the standard says, where the parser decodes single values.
"""

import re
from dataclasses import dataclass

from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser


@dataclass(frozen=True)
class Seen:
    """Everything that a reader learns from one message, its place included."""

    event: str
    data: str
    id: str
    retry: int | None
    block_id: str | None
    line: int
    offset: int


@dataclass(frozen=True)
class Outcome:
    """Everything that a reader learns from a stream."""

    messages: tuple[Seen, ...]
    last_event_id: str
    reconnection_time_ms: int | None


def seen(message: SSEMessage) -> Seen:
    """Return what a received message tells."""
    assert message.event is not None
    assert message.id is not None
    assert message.line is not None
    assert message.offset is not None
    return Seen(message.event, message.data, message.id, message.retry, message.block_id, message.line, message.offset)


def parse(pieces: list[bytes]) -> Outcome:
    """Feed the pieces to a new parser, close it, and return the outcome."""
    parser = SSEParser()
    messages = [message for piece in pieces for message in parser.feed(piece)]
    messages += parser.close()
    return Outcome(tuple(map(seen, messages)), parser.last_event_id, parser.reconnection_time_ms)


def reference(stream: bytes) -> Outcome:
    """Return the outcome of a whole stream by the algorithm of the standard's section 9.2.6."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff" if stream.startswith(b"\xef\xbb\xbf") else "")
    lines = re.split("\r\n|\r|\n", text)[:-1]
    starts = [0, *(end.end() for end in re.finditer(rb"\r\n|\r|\n", stream))]
    messages: list[Seen] = []
    last_id = id_buffer = event = data = ""
    reconnection_time: int | None = None
    retry: int | None = None
    block_id: str | None = None
    begin: int | None = None
    for number, line in enumerate(lines):
        if line == "":
            if data != "" and begin is not None:
                place = begin + 1, starts[begin]
                messages.append(Seen(event or "message", data.removesuffix("\n"), id_buffer, retry, block_id, *place))
            last_id, event, data, retry, block_id, begin = id_buffer, "", "", None, None, None
            continue
        if line.startswith(":"):
            continue
        begin = number if begin is None else begin
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            id_buffer = block_id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            reconnection_time = retry = int(value)
    return Outcome(tuple(messages), last_id, reconnection_time)


def every_split(stream: bytes) -> list[list[bytes]]:
    """Return the stream whole, byte by byte, and cut in two at every place."""
    halves = [[stream[:at], stream[at:]] for at in range(len(stream) + 1)]
    return [[stream], [stream[at : at + 1] for at in range(len(stream))], *halves]
