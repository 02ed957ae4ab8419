"""How events, completion and failure become messages of an event stream.

Knows names, ids and payloads of messages. Does not know who holds, counts or sends them. A message is kept as a `Draft`
until somebody wants it as text or as `SSEMessage`: most are wanted once, and many never.
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

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

Draft = EventLike | tuple[str, bytes]
"""A message before it is written: its event name and data, or the event itself if that is one of ours.

Ours are deeply frozen: their JSON cannot change any more, so it is only made when it is wanted.
"""

Serializer = Callable[[Any], Mapping[str, Any] | str]
"""What turns an event into the value that is sent as JSON, or into the very text that is sent."""

_MAX_HEADS: Final = 1000
_ours: set[type] = set()


@dataclass(frozen=True, slots=True)
class Drafter:
    """Make the messages of one stream. Whoever holds them numbers them, from 1 on; 0 stands for no number.

    Ids are `id_prefix` and the number. An event's data is its own JSON, the recorded bytes where it has them.
    `include_timestamp=False` leaves out its `timestamp`, and those of events inside it. Raises `UsageError` where
    `id_prefix` cannot be sent.
    """

    include_timestamp: bool = True
    include_id: bool = True
    id_prefix: str = ""
    custom_serializer: Serializer | None = None
    _: KW_ONLY
    ids: Ids = SYSTEM_IDS
    debug: bool = False
    # What stands before the number of a message, by its name; empty where the message needs care.
    _heads: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Making a message is what finds text that cannot be sent.
        SSEMessage(id=self.id_prefix)

    @property
    def kept(self) -> Set[type]:
        """Return the classes whose events are drafts as they are, so far as they were met. It grows.

        Looking there first saves nearly every event a call of `draft`.
        """
        return _ours if self._keeps_ours else frozenset()

    def draft(self, event: EventLike) -> Draft:
        """Return an event's message. Raises what its serializer raises, and `UsageError` for text that cannot be sent.

        Line ends and other control characters in the event's type are made visible.
        """
        # Of the class, for pydantic answers for an instance in several calls.
        if self._keeps_ours and issubclass(type(event), Event):
            _ours.add(type(event))
            return event
        return _name(event.event_type), self._data(event)

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
        is_replayed = isinstance(error, RecordedError) and self.ids is SYSTEM_IDS
        correlation_id = derived_id(f"{kind}: {text}") if is_replayed else self.ids.new()
        logger.error("event stream failed, correlation id %s\n%s", correlation_id, safe_traceback(error))
        told = {"error": text, "error_type": kind} if self.debug else {"error": "internal error"}
        return "error", dumps(told | {"correlation_id": correlation_id})

    def text(self, draft: Draft, number: int) -> str:
        """Return the message as it goes on the wire."""
        # The same as the message's own text, in as few calls as possible: streams are mostly this.
        plain: Any = draft
        name, data = plain if type(plain) is tuple else (plain.event_type, event_json(plain))
        text = data.decode()
        head = self._heads.get(name) or self._head(name)
        if head and number and "\n" not in text and "\r" not in text:
            return f"{head}{number}\ndata: {text}\n\n"
        return encode_fields(_name(name), self._id(number), text)

    def texts(self, drafts: Iterable[Draft], first: int) -> str:
        """Return messages as they go on the wire, numbered from `first` on."""
        return "".join(map(self.text, drafts, itertools.count(first)))

    def message(self, draft: Draft, number: int) -> SSEMessage:
        """Return the message as a value."""
        name, data = draft if isinstance(draft, tuple) else (_name(draft.event_type), event_json(draft))
        return SSEMessage(name, data.decode(), self._id(number))

    @property
    def _keeps_ours(self) -> bool:
        return self.include_timestamp and self.custom_serializer is None

    def _head(self, name: str) -> str:
        if len(self._heads) >= _MAX_HEADS:
            self._heads.clear()
        is_plain = self.include_id and name and name.isprintable()
        head = self._heads[name] = f"event: {name}\nid: {self.id_prefix}" if is_plain else ""
        return head

    def _id(self, number: int) -> str | None:
        return self.id_prefix + str(number) if number and self.include_id else None

    def _data(self, event: EventLike) -> bytes:
        if self.custom_serializer is not None:
            value = self.custom_serializer(event)
            return SSEMessage(data=value).data.encode() if isinstance(value, str) else dumps(value)
        return _json(event) if self.include_timestamp else _without_timestamp(_json(event))


def event_text(event: EventLike) -> str:
    """Return any event's JSON text. One of somebody's own class, with no JSON form, is written with its attributes."""
    return _json(event).decode()


def _name(event_type: str) -> str:
    # Printable text holds nothing that ends a line or has no UTF-8 form. An enumeration's text is not its value.
    return str.__str__(event_type) if event_type.isprintable() else safe(event_type, keep="")


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
