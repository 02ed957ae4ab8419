"""The dialects that Playhead knows, by name."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from playhead.errors import UsageError
from playhead.events.agui import AGUI
from playhead.events.anthropic import ANTHROPIC_MESSAGES
from playhead.events.base import OpaqueEvent
from playhead.events.gemini import GEMINI
from playhead.events.locus import LOCUS
from playhead.events.locus_server import LOCUS_SERVER
from playhead.events.openai import OPENAI_CHAT, OPENAI_RESPONSES
from playhead.events.shipit import SHIPIT
from playhead.events.spans import Dialect
from playhead.events.turns import TURNS
from playhead.text import did_you_mean

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (LOCUS, LOCUS_SERVER, SHIPIT, TURNS, AGUI, OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
}
"""Each dialect by its name."""


def get_dialect(name: str | Dialect) -> Dialect:
    """Return the dialect of that name; a `Dialect` is passed through. Raises `UsageError` for an unknown name."""
    if isinstance(name, Dialect):
        return name
    if name in DIALECTS:
        return DIALECTS[name]
    raise UsageError(f"there is no dialect {name!r}: there are {', '.join(DIALECTS)}{did_you_mean(name, DIALECTS)}")


def foreign_dialect(name: str) -> Dialect:
    """Return a dialect of which nothing is known but its name: every event is an `OpaqueEvent`, and a point."""
    return Dialect(name, "event_type|type", TypeAdapter[Any](OpaqueEvent).validator.validate_json, ops={})


def dialect_of(event: Any) -> Dialect | None:
    """Return the dialect whose table knows the type of an event, a JSON value; None where none does."""
    if not isinstance(event, Mapping):
        return None
    said = isinstance(event.get("type"), str) or isinstance(event.get("event_type"), str)
    # What says its type is not told by its shape.
    tables = [dialect for dialect in DIALECTS.values() if not (said and dialect.shapes)]
    return next((dialect for dialect in tables if dialect.type_of(event) in dialect.ops), None)
