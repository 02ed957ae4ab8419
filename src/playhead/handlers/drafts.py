"""How events, completion and failure become messages of an event stream.

Knows names, ids and payloads of messages. Does not know who holds, counts or sends them. A message is kept as a `Draft`
until somebody wants it as text or as `SSEMessage`: most are wanted once, and many never.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, cast

from pydantic_core import from_json, to_json

from playhead.errors import RecordedError, UsageError
from playhead.events.base import Event
from playhead.events.codec import event_json
from playhead.events.tagged import dumps, has_mark
from playhead.handlers.base import EventLike
from playhead.handlers.failures import describe, safe_traceback
from playhead.ids import SYSTEM_IDS, Ids, derived_id
from playhead.sse.message import SSEMessage, encode_fields
from playhead.text import safe

logger: logging.Logger = logging.getLogger("playhead.handlers.sse")

# As numbers they are looked for much faster than as bytes.
_NEWLINE, _RETURN = b"\n\r"

Draft = Event | tuple[str, bytes]
"""A message before it is written: its event name and data, or the event itself if that is one of ours.

Ours are deeply frozen: their JSON cannot change any more, so it is only made when it is wanted.
"""

Serializer = Callable[[Any], Mapping[str, Any] | str]
"""What turns an event into the value that is sent as JSON, or into the very text that is sent."""


class Drafter:
    """Make the messages of one stream. Whoever holds them numbers them, from 1 on; 0 stands for no number.

    Ids are `id_prefix` and the number. An event's data is its own JSON, the recorded bytes where it has them.
    `include_timestamp=False` leaves out its `timestamp`, and those of events inside it. Raises `UsageError` where
    `id_prefix` cannot be sent.
    """

    __slots__ = ("_custom_serializer", "_debug", "_id_prefix", "_ids", "_plain")

    def __init__(
        self,
        *,
        include_timestamp: bool,
        include_id: bool,
        id_prefix: str,
        custom_serializer: Serializer | None,
        ids: Ids,
        debug: bool,
    ) -> None:
        # Making a message is what finds text that cannot be sent.
        SSEMessage(id=id_prefix)
        self._id_prefix = id_prefix if include_id else None
        self._custom_serializer = custom_serializer
        self._plain = include_timestamp and custom_serializer is None
        self._ids = ids
        self._debug = debug

    def draft(self, event: EventLike) -> Draft:
        """Return an event's message. Raises what its serializer raises, and `UsageError` for text that cannot be sent.

        Line ends and other control characters in the event's type are made visible.
        """
        if self._plain and _is_frozen(type(event)):
            return cast(Event, event)
        return _name(event), self._data(event)

    def done(self, count: int) -> Draft:
        """Return the last message of a stream that is complete, after `count` others."""
        return "done", dumps({"status": "complete", "total_events": count})

    def error(self, error: Exception) -> Draft:
        """Return the last message of a stream that failed.

        It carries a correlation id and not the error's text, which may name hosts, files and queries; the log has both.
        With `debug` it carries the text and the type too. The id of a replayed error is derived from it, unless `ids`
        were given, so that a replay sends the same bytes every time.
        """
        kind, text = describe(error)
        is_replayed = isinstance(error, RecordedError) and self._ids is SYSTEM_IDS
        correlation_id = derived_id(f"{kind}: {text}") if is_replayed else self._ids.new()
        logger.error("event stream failed, correlation id %s\n%s", correlation_id, safe_traceback(error))
        told = {"error": text, "error_type": kind} if self._debug else {"error": "internal error"}
        return "error", dumps(told | {"correlation_id": correlation_id})

    def text(self, draft: Draft, number: int) -> str:
        """Return the message as it goes on the wire."""
        return self.texts((draft,), number)

    def texts(self, drafts: Iterable[Draft], first: int) -> str:
        """Return messages as they go on the wire, numbered from `first` on."""
        prefix = None if self._id_prefix is None else self._id_prefix.encode()
        pieces = []
        for number, draft in enumerate(drafts, first):
            if type(draft) is tuple:
                name, data = draft
            else:
                name, data = _name(draft), event_json(draft)
            if prefix is None or not (number and name) or _NEWLINE in data or _RETURN in data:
                pieces.append(encode_fields(name, self._id(number), data.decode()).encode())
            else:
                pieces.append(b"event: %b\nid: %b%d\ndata: %b\n\n" % (name.encode(), prefix, number, data))
        return b"".join(pieces).decode()

    def message(self, draft: Draft, number: int) -> SSEMessage:
        """Return the message as a value."""
        name, data = draft if type(draft) is tuple else (_name(draft), event_json(draft))
        return SSEMessage(name, data.decode(), self._id(number))

    def _id(self, number: int) -> str | None:
        return self._id_prefix + str(number) if number and self._id_prefix is not None else None

    def _data(self, event: EventLike) -> bytes:
        if self._custom_serializer is not None:
            value = self._custom_serializer(event)
            return SSEMessage(data=value).data.encode() if isinstance(value, str) else dumps(value)
        return _json(event) if self._plain else _without_timestamp(_json(event))


def event_text(event: EventLike) -> str:
    """Return any event's JSON text. One of somebody's own class, with no JSON form, is written with its attributes."""
    return _json(event).decode()


@cache
def _is_frozen(kind: type) -> bool:
    return issubclass(kind, Event)


def _name(event: Any) -> str:
    name: str = event.event_type
    # Printable text holds nothing that ends a line or has no UTF-8 form.
    return name if name.isprintable() else safe(name, keep="")


def _json(event: EventLike) -> bytes:
    try:
        return event_json(event)
    except UsageError:
        # A class of somebody's own, with neither fields nor a `to_dict`: what it holds is what it says.
        return dumps({"event_type": event.event_type, **vars(event)})


def _without_timestamp(raw: bytes) -> bytes:
    value = from_json(raw)
    inner = value
    while isinstance(inner, dict):
        inner.pop("timestamp", None)
        inner = inner.get("event")
    # What is tagged already must not be tagged again.
    return to_json(value) if has_mark(raw) else dumps(value)
