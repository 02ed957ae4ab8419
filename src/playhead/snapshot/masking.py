"""What a dialect calls volatile or an id, masked in JSON text, so that every other byte stays as it was sent.

Knows JSON text and the paths of a dialect's table. Does not know where the text came from.
"""

import json
import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

from playhead.events.canonical import MASKED, Path
from playhead.events.spans import Dialect

_FRAME_IDS: tuple[Path, ...] = (("correlation_id",),)
"""The ids in frames around events: a failed stream ends with one."""
_value_at = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


class _Role(Enum):
    VOLATILE = auto()
    ID = auto()
    NESTED = auto()


_Rule = tuple[Path, _Role]


class _Spot(NamedTuple):
    """Where a value stands in JSON text, what it is, and why it is looked at."""

    start: int
    end: int
    value: Any
    role: _Role


class Masker:
    """Mask the JSON texts of one stream, one after the other: ids get numbers in the order in which they are seen.

    A volatile value reads `<volatile>`, and null stays null. An id reads `<id 1>`, the same one everywhere.
    """

    def __init__(self, dialect: Dialect) -> None:
        ids = dialect.ids + (_FRAME_IDS if dialect.framed else ())
        paths = {_Role.VOLATILE: dialect.volatile, _Role.ID: ids, _Role.NESTED: (dialect.nested,)}
        self._rules: list[_Rule] = [(path, role) for role, each in paths.items() for path in each if path]
        self._names: dict[Any, str] = {}

    def mask(self, text: str) -> str:
        """Return JSON text with what means nothing masked. Text that is no JSON object comes back unchanged."""
        start = _skip(text, 0)
        try:
            spots = list(self._spots(text, start)) if text[start : start + 1] == "{" else []
        except (ValueError, RecursionError, IndexError):
            return text
        pieces, kept = [], 0
        for spot in sorted(spots, key=lambda spot: spot.start):
            if spot.start >= kept and (name := self._name(spot)):
                pieces += [text[kept : spot.start], json.dumps(name)]
                kept = spot.end
        return "".join([*pieces, text[kept:]])

    def _name(self, spot: _Spot) -> str | None:
        """Return what stands in the place of a value; None where it stays."""
        if spot.role is _Role.VOLATILE:
            return MASKED if spot.value is not None else None
        if not isinstance(spot.value, str | int) or isinstance(spot.value, bool):
            return None
        return self._names.setdefault(spot.value, f"<id {len(self._names) + 1}>")

    def _spots(self, text: str, start: int) -> Iterator[_Spot]:
        for spot in _found(text, start, self._rules):
            if spot.role is not _Role.NESTED:
                yield spot
            elif isinstance(spot.value, dict):
                yield from self._spots(text, spot.start)


def _found(text: str, start: int, rules: list[_Rule]) -> Iterator[_Spot]:
    """Yield what stands at paths of the object or array that begins at `start`."""
    if not rules or text[start] not in "{[":
        return
    for key, begin, end, value in _members(text, start):
        inner = [(path[1:], role) for path, role in rules if path[0] in (key, "*")]
        yield from (_Spot(begin, end, value, role) for path, role in inner if not path)
        yield from _found(text, begin, [rule for rule in inner if rule[0]])


def _members(text: str, start: int) -> Iterator[tuple[str | None, int, int, Any]]:
    """Yield key, beginning, end and value of each member. The items of an array have no key."""
    is_object = text[start] == "{"
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        key = None
        if is_object:
            key, at = _value_at(text, at)
            # Behind the colon.
            at = _skip(text, _skip(text, at) + 1)
        value, end = _value_at(text, at)
        yield key, at, end, value
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
