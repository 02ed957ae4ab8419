"""Events that stay the JSON objects that they are, told apart by a dialect's table.

Knows how such a class is decoded. Declares no field of any protocol: providers add some every month.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, ClassVar

from playhead.events.base import Event, OpaqueEvent
from playhead.events.canonical import Path
from playhead.events.paths import kind_reader


class PlainEvent(Event):
    """Hold one event of a protocol: every field is an attribute, under the name that it has on the wire.

    `event_type` is the type that the dialect's table tells it by: `tag_field` and `shapes` are that table's.
    """

    shapes: ClassVar[Mapping[str, Path]] = {}

    @property
    def event_type(self) -> str:
        """Return the event's type, under the name that handlers look for."""
        return _kind_reader(type(self))(self.__pydantic_extra__ or {})


@cache
def _kind_reader(kind: type[PlainEvent]) -> Callable[[Mapping[str, Any]], str]:
    return kind_reader(kind.tag_field, kind.shapes)


def decoder_of(kind: type[PlainEvent], types: Collection[str]) -> Callable[[bytes], Any]:
    """Return what makes an event of JSON bytes: of class `kind` where its type is one of `types`, else opaque."""
    validate, opaque = kind.__pydantic_validator__.validate_json, OpaqueEvent.__pydantic_validator__.validate_json

    def decode(raw: bytes) -> Any:
        event = validate(raw)
        return event if event.event_type in types else opaque(raw)

    return decode
