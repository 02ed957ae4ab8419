"""Streams as plain values in which nothing differs from run to run: what golden files hold, and inline snapshots can.

Knows what is a stream of events, and what are the bytes of an event stream. Does not know syrupy, nor how differences
are told.
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from os import PathLike
from typing import Any

from playhead.comparing.reading import read
from playhead.errors import UsageError
from playhead.events.canonical import canonical as canonical_json
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.events.tagged import loads
from playhead.replaying.tape import open_tape
from playhead.snapshot.blocks import blocks, masked_sse
from playhead.snapshot.masking import Masker
from playhead.sse.message import SSEMessage

_Bytes = bytes | bytearray | memoryview


def canonical(events: object, *, dialect: str | Dialect | None = None) -> list[dict[str, Any]]:
    """Return events as JSON objects with volatile fields masked and ids numbered: equal for equal runs.

    `events` is a list or another iterable of events, JSON objects or their text; a tape; or the name of a cassette.
    `dialect` is that of the tape, if it is one, and `locus` else. Raises `UsageError` for what is no stream of events,
    and what opening a cassette raises.

        >>> canonical([{"event_type": "think", "iteration": 1, "timestamp": "2030-01-01T00:00:00Z"}])
        [{'event_type': 'think', 'iteration': 1, 'timestamp': '<volatile>'}]
    """
    return [loads(line.encode()) for line in event_lines(events, dialect=dialect)[0]]


def canonical_sse(data: object, *, dialect: str | Dialect | None = None) -> list[str]:
    r"""Return the bytes of an event stream as the text of each block, in order; put together they are the whole.

    `data` is bytes, text, an iterable of chunks or of messages, or a response that holds its bytes as `.content`. With
    a `dialect`, what it calls volatile is masked in the data of each message, and ids are numbered. Raises `UsageError`
    for anything else.

        >>> canonical_sse(b"id: 1\ndata: hi\n\n: ping\n\n")
        ['id: 1\ndata: hi\n\n', ': ping\n\n']
    """
    return [block.text() for block in blocks(sse_bytes(data, dialect=dialect))]


def event_lines(
    events: object, *, dialect: str | Dialect | None = None, shape: Callable[[int, Any], Any] | None = None
) -> tuple[list[str], Dialect]:
    """Return events as `canonical` does, each as its one JSON text, and their dialect.

    `shape` is given position and JSON object of each event, and returns what is to be kept of it.
    """
    if isinstance(events, str | PathLike):
        with open_tape(events) as tape:
            return event_lines(tape, dialect=dialect, shape=shape)
    table = _dialect_for(events, dialect)
    masker = Masker(table)
    found: Iterable[Any] = (reading.event for reading in read(_events(events), table))
    if shape is not None:
        found = (shape(index, event) for index, event in enumerate(found))
    return [masker.mask(canonical_json(event)) for event in found], table


def _dialect_for(events: object, dialect: str | Dialect | None) -> Dialect:
    """Return the dialect that is asked for, else that of the tape, else `locus`."""
    said = getattr(events, "dialect", None) if dialect is None else get_dialect(dialect)
    return said if isinstance(said, Dialect) else get_dialect("locus")


def _events(events: object) -> Iterable[object]:
    if isinstance(events, _Bytes):
        raise UsageError("bytes are no events: give a list of events, or compare the bytes with sse_snapshot")
    if isinstance(events, Mapping):
        raise UsageError("a mapping is one event, not a stream of them: give a list, [event]")
    if isinstance(events, Iterable):
        return events
    raise _refused(events, "events", "a list of events or JSON objects, a tape, or the name of a cassette")


def sse_bytes(data: object, *, dialect: str | Dialect | None = None) -> bytes:
    """Return the bytes of an event stream, whole, from whatever `canonical_sse` takes."""
    found = _whole(data)
    return found if dialect is None else masked_sse(found, get_dialect(dialect))


def _whole(data: object) -> bytes:
    content = getattr(data, "content", None)
    if isinstance(content, bytes):
        return content
    if (piece := _piece(data)) is not None:
        return piece
    if not isinstance(data, Iterable) or isinstance(data, Mapping):
        raise _refused(data, "the bytes of an event stream", _TAKEN)
    pieces = []
    for index, item in enumerate(data):
        if (piece := _piece(item)) is None:
            raise UsageError(f"chunk {index} of the event stream is {_kind(item)}: chunks are bytes, str or SSEMessage")
        pieces.append(piece)
    return b"".join(pieces)


_TAKEN = "bytes, str, an iterable of chunks or of messages, or a response with bytes as .content"


def _piece(item: object) -> bytes | None:
    if isinstance(item, SSEMessage):
        return item.encode()
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"the text of an event stream has no UTF-8 form: {error}") from error
    return bytes(item) if isinstance(item, _Bytes) else None


def _refused(value: object, what: str, taken: str) -> UsageError:
    collect = "; collect it first: [item async for item in it]" if isinstance(value, AsyncIterable) else ""
    return UsageError(f"{_kind(value)} is not {what}: give {taken}{collect}")


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
