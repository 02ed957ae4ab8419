"""Events to JSON and back.

The recorded JSON is the truth: an event that was decoded and not changed gives back the bytes that it came from.
Knows our events, pydantic models, mappings, dataclasses and objects with `to_dict()`; imports no framework.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from playhead.errors import UsageError
from playhead.events.base import Event, OpaqueEvent, keep_raw, memory_of, typed_json
from playhead.events.dialects import DIALECTS, get_dialect
from playhead.events.frozen import FrozenList, freeze
from playhead.events.spans import Dialect
from playhead.events.tagged import dumps, has_mark, is_strict, loads, needs_tags

ModelT = TypeVar("ModelT", bound=BaseModel)


def decode_event(data: Mapping[str, Any] | bytes | str, dialect: str | Dialect = "locus") -> Any:
    """Return the typed event that a JSON object, or its text, stands for, as the framework writes it: without tags.

    A type that the dialect does not know, or fields that do not fit it, give an `OpaqueEvent`, which keeps everything.
    Raises `UsageError` for what is no event at all: no JSON, no object, or no field that names its type.
    """
    if not isinstance(data, Mapping):
        return decode_json(strict_json(data), get_dialect(dialect))
    try:
        raw = dumps(data)
    except ValueError as error:
        raise UsageError(f"not JSON: {_first_line(error)}") from error
    return decode_json(raw, get_dialect(dialect))


def encode_event(event: object) -> dict[str, Any]:
    """Return an event as the JSON object that its framework would write, unchanged.

    Raises `UsageError` for an object that has no JSON form.
    """
    try:
        value = loads(event_json(event))
    except ValueError as error:
        raise UsageError(f"{type(event).__qualname__} has no JSON form: {_first_line(error)}") from error
    if not isinstance(value, dict):
        raise UsageError(f"an event is a JSON object, but {type(event).__name__} is written as {type(value).__name__}")
    return value


def strict_json(text: bytes | str) -> bytes:
    """Return JSON text as strict JSON on one line: the same bytes where they are that already, else tagged.

    Raises `UsageError` for text that is not JSON.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        if is_strict(raw) and b"\n" not in raw and b"\r" not in raw:
            return raw.strip()
        return dumps(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}") from error


def decode_json(raw: bytes, dialect: Dialect) -> Any:
    """Return the typed event of strict JSON text as a cassette holds it, tags and all. The event keeps the bytes.

    Raises `UsageError` as `decode_event` does.
    """
    try:
        event = _decode_odd(loads(raw), dialect) if has_mark(raw) else dialect.decode(raw)
    except (ValidationError, ValueError) as error:
        raise UsageError(f"not an event of dialect {dialect.name!r}: {_first_line(error)}") from error
    if type(event) is OpaqueEvent and not dialect.type_of(event.__pydantic_extra__ or {}):
        raise UsageError(_untyped(event, dialect))
    return keep_raw(event, raw)


def decoder(dialect: Dialect) -> Callable[[bytes], Any]:
    """Return `decode_json` for one dialect, made for many events."""
    decode = dialect.decode

    def read(raw: bytes) -> Any:
        if has_mark(raw):
            return decode_json(raw, dialect)
        try:
            event = decode(raw)
        except (ValidationError, ValueError):
            return decode_json(raw, dialect)
        return decode_json(raw, dialect) if type(event) is OpaqueEvent else keep_raw(event, raw)

    return read


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return str(error.errors(include_url=False, include_input=False)[-1]["msg"])
    return str(error).partition("\n")[0]


def _untyped(event: OpaqueEvent, dialect: Dialect) -> str:
    extra = event.__pydantic_extra__ or {}
    others = sorted(name for name, other in DIALECTS.items() if other.type_of(extra) in other.ops)
    hint = f"; as {others[0]!r} it would be one" if others else ""
    return f"not an event of dialect {dialect.name!r}: no text field {dialect.tag!r} names its type{hint}"


def event_json(event: object) -> bytes:
    """Return an event as strict JSON, one line of UTF-8: the recorded bytes where it has them, else written anew.

    What JSON cannot carry is tagged (`playhead.events.tagged`). Raises `UsageError` for an object with no JSON form.
    """
    return _WRITERS[type(event)](event)


class _Writers(dict[type, Callable[[Any], bytes]]):
    """Know what writes objects of each class as JSON, and learn it where an object is the first of its class."""

    def __missing__(self, kind: type) -> Callable[[Any], bytes]:
        self[kind] = write = _event_writer(kind) if issubclass(kind, Event) else _explained(_writer(kind))
        return write


_WRITERS: Final = _Writers()


def _explained(write: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return what writes as `write` does, and says what has no JSON form."""

    def written(event: Any) -> bytes:
        try:
            return write(event)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{type(event).__qualname__} has no JSON form: {_first_line(error)}") from error

    return written


def _writer(kind: type) -> Callable[[Any], bytes]:
    """Return what writes objects of this class as JSON, where it has a form."""
    if issubclass(kind, BaseModel):
        return _write_model
    if hasattr(kind, "to_dict"):
        return lambda event: dumps(event.to_dict())
    if issubclass(kind, Mapping):
        return dumps
    if is_dataclass(kind):
        return lambda event: dumps(asdict(event))
    raise UsageError(
        f"{kind.__module__}.{kind.__qualname__} has no JSON form: "
        "an event is a pydantic model, a mapping, a dataclass or an object with to_dict()"
    )


def _event_writer(kind: type[Event]) -> Callable[[Event], bytes]:
    """Return what writes events of this class: `typed_json`, but for the recorded bytes, and without a detour."""
    to_json, tag_field, write_any = kind.__pydantic_serializer__.to_json, kind.tag_field, _explained(typed_json)

    def write(event: Event) -> bytes:
        memory = memory_of(event)
        if memory is not None:
            return memory["raw"] or write_any(event)
        if tag_field in event.__pydantic_fields_set__:
            return write_any(event)
        try:
            text = to_json(event)
        except (PydanticSerializationError, ValueError, RecursionError):
            return write_any(event)
        return write_any(event) if needs_tags(text) else text

    return write


def _write_model(event: BaseModel) -> bytes:
    try:
        text = event.__pydantic_serializer__.to_json(event)
    except (PydanticSerializationError, ValueError):
        return dumps(event.model_dump())
    return dumps(json.loads(text)) if needs_tags(text) else text


def _decode_odd(value: Any, dialect: Dialect) -> Any:
    """Return the event of a value that plain JSON cannot carry: its types are checked on a tame copy of it."""
    event = dialect.decode(json.dumps(_tame(value)).encode())
    try:
        return _restored(event, value)
    except _IllTypedError:
        return _restored(OpaqueEvent(), value)


class _IllTypedError(Exception):
    """Say that the true value does not fit a field that the tame one fitted."""


def _tame(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case dict():
            return {_tame(str(key)): _tame(item) for key, item in value.items()}
        case list():
            return [_tame(item) for item in value]
        case None | bool() | int() | float():
            return value
    # Bytes, sets and times fit no field but those for any value. An object fits few others.
    return {}


def _restored(model: ModelT, value: dict[str, Any]) -> ModelT:
    """Put the true values back into a model that was made from tame ones. Raises `_IllTypedError`."""
    fields = model.__dict__
    for name in fields.keys() & value.keys():
        takes_any = type(model).model_fields[name].annotation is Any
        fields[name] = freeze(value[name]) if takes_any else _true(fields[name], value[name])
    extra = {name: freeze(item) for name, item in value.items() if name not in fields}
    object.__setattr__(model, "__pydantic_extra__", extra)
    return model


def _true(typed: Any, value: Any) -> Any:
    match typed:
        case BaseModel():
            return _restored(typed, value)
        case list() if typed and isinstance(typed[0], BaseModel | dict):
            return FrozenList([_true(*pair) for pair in zip(typed, value, strict=True)])
        case dict() if not isinstance(value, dict):
            raise _IllTypedError
        case str() | list() | dict():
            return freeze(value)
    return typed
