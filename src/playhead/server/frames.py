"""One message to a client, as a browser's `EventSource` and as a WebSocket get it, and its id.

Knows names, ids and text. Does not know where events come from, nor who gets them.

An id is `RUN:N`: the run, and which of its events this is, from 1 on. The last message, `done` or `error`, has
`RUN:end`. So an id alone says where to go on, or that there is nothing to go on with.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from playhead.errors import UsageError
from playhead.events.canonical import Path
from playhead.events.codec import event_json
from playhead.events.paths import at, replaced
from playhead.events.spans import Dialect
from playhead.events.tagged import dumps, loads
from playhead.sse.message import encode_fields
from playhead.text import safe

EventNames = Literal["snake", "class"]
"""How messages are named: as their event's type, `model_chunk`, or as its class, `ModelChunkEvent`."""

END: Final = -1
"""The number of the last message."""

_HIDDEN: Final = "internal error"
"""What a client is told where an event has the text of an error."""

_ID = re.compile(r"([0-9a-f]{32}):(end|0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Frame:
    """Hold one message: its name, its data as JSON on one line, and its id, None where it is not counted."""

    name: str
    data: bytes
    id: str | None = None

    def sse(self, *, retry_ms: int | None = None) -> bytes:
        """Return the message as an event stream has it."""
        return encode_fields(self.name, self.id, self.data.decode(), retry=retry_ms).encode()

    def json(self) -> str:
        """Return the message as one JSON object: `event`, `id` and `data`."""
        return f'{{"event":{dumps(self.name).decode()},"id":{dumps(self.id).decode()},"data":{self.data.decode()}}}'


@dataclass(frozen=True, slots=True)
class Framer:
    """Make the messages of one run."""

    run: str
    dialect: Dialect
    names: EventNames = "snake"

    def live(self, event: object, number: int) -> Frame:
        """Return the message of an event as its agent yields it. Raises `UsageError` for one with no JSON form."""
        data = event_json(event)
        kind = getattr(event, "event_type", None)
        return self._frame(kind if isinstance(kind, str) else self._kind(data), data, number)

    def taped(self, data: bytes, number: int) -> Frame:
        """Return the message of an event as a cassette holds it."""
        return self._frame(self._kind(data), data, number)

    def done(self, count: int) -> Frame:
        """Return the last message of a run that is complete, or paused, after `count` events."""
        return Frame("done", dumps({"status": "complete", "total_events": count}), f"{self.run}:end")

    def error(self, text: str, *, correlation_id: str) -> Frame:
        """Return the last message of a run that is not. The text goes to the client: it says nothing of the inside."""
        return Frame("error", dumps({"error": text, "correlation_id": correlation_id}), f"{self.run}:end")

    def beat(self, timestamp: Any, *, number: int | None = None) -> Frame:
        """Return a message that says nothing but that the connection is open. With a number, it has that one's id."""
        id = None if number is None else f"{self.run}:{number}"
        return Frame("heartbeat", dumps({"timestamp": timestamp}), id)

    def _frame(self, kind: str, data: bytes, number: int) -> Frame:
        name = class_name(kind) if self.names == "class" else kind
        if kind in self.dialect.errors or any(word in data for word in _words(self.dialect)):
            data = _discreet(kind, data, self.dialect)
        return Frame(name if name.isprintable() else safe(name, keep=""), data, f"{self.run}:{number}")

    def _kind(self, data: bytes) -> str:
        value = loads(data)
        return self.dialect.type_of(value) if isinstance(value, dict) else ""


@lru_cache(maxsize=100)
def _words(dialect: Dialect) -> tuple[bytes, ...]:
    """Return words of which one is in the JSON of each event that says its type there and has the text of an error."""
    return tuple(dumps(dialect.shapes[kind][0] if kind in dialect.shapes else kind) for kind in dialect.errors)


def _discreet(kind: str, data: bytes, dialect: Dialect) -> bytes:
    """Return an event without the text of its error. Its reason is for clients, the text is for the tape."""
    value = loads(data)
    hidden = _without_errors(value, dialect, kind)
    return data if hidden is value else dumps(hidden)


def _without_errors(event: Any, dialect: Dialect, kind: str = "") -> Any:
    """Return the event itself, or a copy that tells no error: neither its own nor that of an event within it."""
    if not isinstance(event, Mapping):
        return event
    for where in dialect.errors.get(kind) or dialect.errors.get(dialect.type_of(event), ()):
        event = _hidden(event, where)
    inner = at(event, dialect.nested)
    hidden = _without_errors(inner, dialect)
    return event if hidden is inner else replaced(event, dialect.nested, hidden)


def _hidden(event: Mapping[str, Any], where: Path) -> Mapping[str, Any]:
    """Return the event without what is at a path, or where the path leads: a text for an object that it may be."""
    for length in range(1, len(where) + 1):
        found = at(event, where[:length])
        if found and (length == len(where) or not isinstance(found, Mapping)):
            return replaced(event, where[:length], _HIDDEN)
    return event


@lru_cache(maxsize=1000)
def class_name(kind: str) -> str:
    """Return the name of the class of events of this type.

    >>> class_name("model_chunk")
    'ModelChunkEvent'
    """
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", kind)) + "Event"


def read_id(text: str) -> tuple[str, int]:
    """Return the run and the number that an id names; `END` for the last message. Raises `UsageError` for no id."""
    found = _ID.fullmatch(text)
    if found is None:
        raise UsageError("the last event id is none of this server's: it is RUN:N, as `id:` said")
    return found[1], END if found[2] == "end" else int(found[2])
