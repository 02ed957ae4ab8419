"""locus' own event objects, made of JSON.

Knows the classes of events of the installed locus. Does not know what they mean. Importing this module without locus
raises `UsageError`.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent
from playhead.events.codec import decode_json
from playhead.events.dialects import foreign_dialect
from playhead.events.tagged import loads

try:
    from locus.core import events
except ImportError as _error:
    raise UsageError("this needs locus, which is not installed: pip install 'playhead[locus]'") from _error

MADE: Final = {"locus-sdk": version("locus-sdk")}
"""The version of locus that is installed: give it to `record(made=...)`, and the cassette's header keeps it."""

_UNKNOWN = foreign_dialect("locus")


def decode(raw: bytes) -> events.LocusEvent | OpaqueEvent:
    """Return the event of locus that a cassette's JSON stands for: of the very class that was recorded.

    An event is an `OpaqueEvent`, which keeps everything, where the installed locus has no class for its type, or the
    class refuses its fields; so is one that carries such an event. Fields that the class does not know are dropped.
    Raises `UsageError` for JSON that is no event.
    """
    try:
        return event_of(loads(raw))
    except (KeyError, TypeError, ValueError):
        opaque: OpaqueEvent = decode_json(raw, _UNKNOWN)
        return opaque


def event_of(value: dict[str, Any]) -> events.LocusEvent:
    """Return the event of locus that a JSON value stands for.

    Raises `KeyError` for a type that the installed locus does not have, `TypeError` or `ValueError` for no event.
    """
    found = _CLASSES[value["event_type"]]
    # Its field is typed with the base class, which would drop all that makes the inner event what it is.
    nested = {"event": event_of(value["event"])} if found is events.SubagentEvent else {}
    return found.model_validate(value | nested)


def _classes() -> Iterator[tuple[str, type[events.LocusEvent]]]:
    for found in vars(events).values():
        if isinstance(found, type) and issubclass(found, events.LocusEvent):
            event_type = found.model_fields["event_type"].default
            if isinstance(event_type, str):
                yield event_type, found


_CLASSES: Final = dict(_classes())
