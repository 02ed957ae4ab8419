r"""Strict JSON for values that JSON cannot carry.

Knows a second spelling for NaN, the infinities, lone surrogates, raw bytes and the odd Python value: an object with the
single key `$playhead`. `tag` marks all of these, `dumps` only what plain JSON cannot spell: ordinary text never pays.

    nan                  {"$playhead": "nan"}            also "inf" and "-inf"
    "a\ud800"            {"$playhead": ["text", "<UTF-8 with surrogates, base64>"]}
    b"\xff"              {"$playhead": ["bytes", "<base64>"]}
    {1, 2}               {"$playhead": ["set", [1, 2]]}
    date(2030, 1, 1)     {"$playhead": ["date", "2030-01-01"]}    also datetime and time
    {"$playhead": 1}     {"$playhead": ["object", [["$playhead", 1]]]}

Does not know events, cassettes or files.
"""

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

MARK = "$playhead"
MARK_BYTES = b'"$playhead"'
"""Text without these bytes holds no tag: the quick test before `untag` is worth a call."""
# UTF-16 would make one character of two surrogates in a row.
_WITH_SURROGATES = ("utf-8", "surrogatepass")
_N, _I, _DOLLAR, _LOST = b"NI$\xef"


def dumps(value: object) -> bytes:
    """Return `value` as strict JSON, one line of UTF-8.

    It is spelled as pydantic does: times as ISO text, sets as arrays, bytes as text where they are whole UTF-8. Only
    what JSON cannot carry at all is tagged, so `loads` gives back every JSON value, and NaN, infinities, lone
    surrogates and other bytes too. Raises `ValueError` for a value that is nested too deep or within itself.
    """
    try:
        text = to_json(value, inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError, TypeError):
        return _tagged_dumps(value)
    return _tagged_dumps(value) if needs_tags(text) else text


def _tagged_dumps(value: object) -> bytes:
    try:
        return json.dumps(tag(_spelled(value)), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except RecursionError as error:
        raise ValueError("the value is nested too deep, or within itself") from error


def _spelled(value: Any) -> Any:
    """Return `value` with all that pydantic has plain JSON for spelled so, at any depth."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {key: _spelled(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_spelled(item) for item in value]
        case BaseModel():
            return _spelled(value.model_dump())
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, TypeError):
        return value


def loads(text: bytes | str) -> Any:
    """Return the value of JSON text by `dumps` or `tag`. Of a key that comes twice the last value counts.

    Raises `ValueError` for text that is not JSON, or that holds a damaged tag.
    """
    value = from_json(text, allow_inf_nan=True)
    mark: Any = MARK_BYTES if isinstance(text, bytes) else MARK_BYTES.decode()
    return untag(value) if mark in text else value


def needs_tags(text: bytes) -> bool:
    """Say whether JSON text by pydantic must be tagged: it may hold `NaN`, `Infinity`, a tag or a lost character.

    Some that need not are named too.
    """
    # A byte, given as a number, is found ten times faster than a word, and most text has none of these. In the keys of
    # a model's dicts pydantic puts U+FFFD for lone surrogates.
    return (
        (_N in text and b"NaN" in text)
        or (_I in text and b"Infinity" in text)
        or (_LOST in text and b"\xef\xbf\xbd" in text)
        or (_DOLLAR in text and MARK_BYTES in text)
    )


def has_mark(text: bytes) -> bool:
    """Say whether JSON text may hold a tag: the quick test before `loads` undoes them."""
    return _DOLLAR in text and MARK_BYTES in text


def is_strict(text: bytes) -> bool:
    """Say whether JSON text can go on as it is: no NaN, no infinity, no lone surrogate, no tag. Raises `ValueError`."""
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError:
        json.loads(text)
        return False
    return MARK_BYTES not in text


def tag(value: object) -> object:
    """Return `value` as JSON can carry it: the same shape, with what JSON cannot carry marked.

    Knows numbers, text, bytes, dicts, lists, sets, tuples, times, pydantic models; any other value becomes its `repr`,
    marked as such. Dict keys that are not text are written as text, as JSON does.
    """
    for kind, spell in _SPELLERS:
        if isinstance(value, kind):
            return spell(value)
    return {MARK: ["repr", _plain(repr(value))]}


def _tag_text(value: str) -> object:
    return value if _carries(value) else {MARK: ["text", b64encode(value.encode(*_WITH_SURROGATES)).decode()]}


def _tag_float(value: float) -> object:
    if math.isfinite(value):
        return value
    return {MARK: "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}


def _tag_dict(value: Mapping[Any, Any]) -> object:
    items = [(key if isinstance(key, str) else _key(key), item) for key, item in value.items()]
    if MARK in value or not all(_carries(key) for key, _ in items):
        return {MARK: ["object", [[tag(key), tag(item)] for key, item in items]]}
    return {key: tag(item) for key, item in items}


def _tag_set(value: frozenset[Any]) -> object:
    return {MARK: ["set", sorted((tag(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))]}


def _key(key: object) -> str:
    return json.dumps(key) if key is None or isinstance(key, bool | int | float) else _plain(str(key))


def _plain(text: str) -> str:
    return text if _carries(text) else text.encode("utf-8", "backslashreplace").decode()


def _carries(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


_TIMES: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}
_SPELLERS: tuple[tuple[Any, Callable[[Any], object]], ...] = (
    ((bool, int, type(None)), lambda value: value),
    (str, _tag_text),
    (float, _tag_float),
    (Mapping, _tag_dict),
    ((list, tuple), lambda value: [tag(item) for item in value]),
    ((datetime, date, time), lambda value: {MARK: [type(value).__name__, value.isoformat()]}),
    ((bytes, bytearray, memoryview), lambda value: {MARK: ["bytes", b64encode(value).decode()]}),
    ((set, frozenset), _tag_set),
    (BaseModel, lambda value: tag(value.model_dump())),
)


def untag(value: Any) -> Any:
    """Return what `tag` was given; marked `repr`s stay marked. Unknown tags are kept as they are.

    Raises `ValueError` for a known tag with a value that it cannot have.
    """
    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and MARK in value:
        try:
            return _untag_mark(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"a damaged tag {str(value)[:80]!r}: {error}") from error
    return {key: untag(item) for key, item in value.items()}


def _untag_mark(value: dict[str, Any]) -> Any:
    match value[MARK]:
        case "nan" | "inf" | "-inf" as number:
            return float(number)
        case ["text", str(coded)]:
            return b64decode(coded, validate=True).decode(*_WITH_SURROGATES)
        case ["bytes", str(coded)]:
            return b64decode(coded, validate=True)
        case ["set", list(items)]:
            return {_hashable(untag(item)) for item in items}
        case ["datetime" | "date" | "time" as kind, str(text)]:
            return _TIMES[kind].fromisoformat(text)
        case ["object", list(pairs)]:
            return {untag(key): untag(item) for key, item in pairs}
    return value


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
