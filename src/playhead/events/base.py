"""What every event has: it is deeply frozen, equal by its JSON, and remembers the bytes that it was read from.

Knows no dialect. A dialect's module declares its fields; `playhead.events.codec` reads and writes JSON.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from playhead.events.canonical import canonical
from playhead.events.frozen import freeze
from playhead.events.tagged import dumps, loads, needs_tags

Json = Annotated[Any, AfterValidator(freeze)]
"""Any JSON value, frozen."""
JsonObject = Annotated[dict[str, Any], AfterValidator(freeze)]
"""A JSON object, frozen. `event.arguments["x"] = 1` raises `TypeError`."""
Number = int | float
"""A JSON number: a whole one stays whole, however many digits it has."""


class FrozenModel(BaseModel):
    """Hold fields that cannot be changed: the base of events and of what they are made of.

    Assigning to a field raises pydantic's `ValidationError`; changing a dict or list inside raises `TypeError`. Unknown
    fields are kept as attributes. Scalars are not coerced: JSON `"5"` is no integer. Two values are equal when they are
    of one class and their canonical JSON is the same, defaults included: NaN equals NaN, 1 equals 1.0 and not True.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="allow", strict=True, ser_json_inf_nan="constants"
    )
    if not TYPE_CHECKING:
        # A type checker would take it for an argument of every event. With a default it would hide pydantic's own slot.
        __pydantic_extra__: dict[str, Json]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return NotImplemented
        return canonical_model(self) == canonical_model(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, canonical_model(self)))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the fields in `update` replaced. They are frozen, and as in pydantic not validated."""
        return super().model_copy(update={key: freeze(value) for key, value in (update or {}).items()}, deep=deep)


class Event(FrozenModel):
    """Hold one event of a stream: the base of every dialect's classes.

    An event that was decoded is written back with just the fields that it had; one made in Python is written whole. The
    spelling of times does not count in comparison, nor does a time that a decoded event did not have.
    """

    tag_field: ClassVar[str] = "event_type"
    made_up: ClassVar[frozenset[str]] = frozenset()
    """The fields that are made up anew for each event that lacks them."""

    def __eq__(self, other: object) -> bool:
        raw = raw_json(self)
        return (raw is not None and type(other) is type(self) and raw == raw_json(other)) or super().__eq__(other)

    # A class that defines equality loses the hash of its base.
    __hash__: ClassVar[Callable[..., int]] = FrozenModel.__hash__

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy. One with an `update` is a new event: it forgets the bytes that the old one was read from."""
        if not update:
            return super().model_copy(deep=deep)
        copied = super().model_copy(update={key: _said(value) for key, value in update.items()}, deep=deep)
        return keep_raw(copied, None) if _is_decoded(self) else copied


class OpaqueEvent(Event):
    """Hold an event that no table knows: every field is kept, none is understood."""

    @property
    def event_type(self) -> str:
        """Return what the event calls its own type: its `event_type`, or else its `type`; empty where it has none."""
        extra = self.__pydantic_extra__ or {}
        found = extra.get("event_type", extra.get("type"))
        return found if isinstance(found, str) else ""


EventT = TypeVar("EventT", bound=Event)

# Where pydantic keeps private attributes: None, unless there are some. Copies and pickles carry it. To declare the
# attribute would cost each event that is made a call.
_private: Any = BaseModel.__dict__["__pydantic_private__"]
memory_of: Callable[[BaseModel], dict[str, bytes | None] | None] = _private.__get__
"""Return what an event remembers: `{"raw": bytes}`, or None if it was made in Python."""
_remember: Callable[[BaseModel, dict[str, bytes | None]], None] = _private.__set__


def raw_json(event: Event) -> bytes | None:
    """Return the JSON bytes that an event was decoded from; None if it was made in Python, or changed."""
    memory = memory_of(event)
    return memory["raw"] if memory else None


def keep_raw(event: EventT, raw: bytes | None) -> EventT:
    """Let `event` remember the JSON bytes that it was decoded from; None forgets them. Returns the event."""
    _remember(event, {"raw": raw})
    return event


def _is_decoded(event: Event) -> bool:
    """Say whether an event was read from JSON: it keeps or kept the bytes, or has what only JSON would say."""
    said = event.__pydantic_fields_set__
    return event.tag_field in said and (event.made_up <= said or bool(memory_of(event)))


def _said(value: Any) -> Any:
    """Return a value that can go into a decoded event: one made in Python is written whole there too."""
    if not isinstance(value, Event) or value.tag_field in value.model_fields_set:
        return value
    return BaseModel.model_copy(value, update={name: _said(item) for name, item in vars(value).items()})


def typed_json(event: Event) -> bytes:
    """Return an event's JSON from its typed fields alone: strict, one line of UTF-8, tagged where it must be.

    A decoded event is written with the fields that it had, one made in Python with its defaults. Sets and times that
    stand where any value may are written as `dumps` writes them.
    """
    said = event.__pydantic_fields_set__
    only_set = event.tag_field in said and _is_decoded(event)
    try:
        text = event.__pydantic_serializer__.to_json(event, exclude_unset=only_set)
    except (PydanticSerializationError, ValueError):
        return dumps(_dumped(event, only_set=only_set))
    return dumps(_dumped(event, only_set=only_set)) if needs_tags(text) else text


def _dumped(value: Any, *, only_set: bool = False, made_up: bool = True) -> Any:
    """Return a model as a dict, with or without the fields that it was not given, and those that are made up."""
    # Pydantic's own way raises on a lone surrogate in a key.
    if isinstance(value, list):
        return [_dumped(item, only_set=only_set, made_up=made_up) for item in value]
    if not isinstance(value, BaseModel):
        return value
    said = value.__pydantic_fields_set__
    left_out = value.made_up - said if isinstance(value, Event) and not made_up else ()
    fields = {name: item for name, item in vars(value).items() if name in said or not (only_set or name in left_out)}
    dumped = {name: _dumped(item, only_set=only_set, made_up=made_up) for name, item in fields.items()}
    return dumped | (value.__pydantic_extra__ or {})


def canonical_model(model: FrozenModel) -> str:
    """Return the canonical JSON of a model's typed view, defaults included but for times that are made up."""
    made_up = not (isinstance(model, Event) and _is_decoded(model))
    return canonical(loads(dumps(_dumped(model, made_up=made_up))))
