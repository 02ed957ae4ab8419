"""What a comparison found, as data and as text for people.

Knows how a difference reads. Does not find any: `playhead.comparing.streams` does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from playhead.comparing.fields import ABSENT, Absent
from playhead.events.spans import Dialect
from playhead.text import clip, safe

__all__ = ["ABSENT", "Absent", "Comparison", "Difference", "Kind"]

MAX_COLUMNS = 110
"""How wide a line of a report may be."""
CONTEXT = 2
"""How many events before the first difference a report shows."""
MAX_LISTED = 10
"""How many more differences a report lists before it only counts."""


class Kind(StrEnum):
    """Name how two streams can differ."""

    MISSING = "missing"
    EXTRA = "extra"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold one difference between two streams.

    `old_index` and `new_index` are the positions of the event, counted from 0; None where the stream has no such event.
    `path` is `$` for a whole event, and else where in it the two differ. `old` and `new` are what stands there, as JSON
    values: the event, or the value at the path. `ABSENT` is no value at all.
    """

    kind: Kind
    old_index: int | None
    new_index: int | None
    path: str
    old: Any
    new: Any

    def mirrored(self) -> "Difference":
        """Return the same difference, seen from the other stream."""
        kind = {Kind.MISSING: Kind.EXTRA, Kind.EXTRA: Kind.MISSING}.get(self.kind, self.kind)
        return Difference(kind, self.new_index, self.old_index, self.path, self.new, self.old)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold all differences between two streams, in the order of the streams. Empty, and falsy, when they are the same.

    `str()` tells a person: the first difference with both sides and a little context, then the others, one a line.
    Nothing in that text can steer a terminal. `old` and `new` are the streams as JSON objects.
    """

    differences: tuple[Difference, ...]
    old: Sequence[Mapping[str, Any]] = field(repr=False)
    new: Sequence[Mapping[str, Any]] = field(repr=False)
    dialect: Dialect

    def __bool__(self) -> bool:
        return bool(self.differences)

    def __len__(self) -> int:
        return len(self.differences)

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.differences)

    def __str__(self) -> str:
        if not self.differences:
            return f"no differences ({_count(len(self.old), 'event')})"
        first, *others = self.differences
        listed = [self._line(difference) for difference in others[:MAX_LISTED]]
        more = [f"  and {len(others) - MAX_LISTED} more"] if len(others) > MAX_LISTED else []
        rest = ["then", *listed, *more] if others else []
        return "\n".join([self._title(), *self._context(first), *self._sides(first), *rest])

    def _title(self) -> str:
        sizes = f"{_count(len(self.old), 'event')} and {_count(len(self.new), 'event')}"
        return f"{_count(len(self.differences), 'difference')} between {sizes} (counted from 0)"

    def _context(self, first: Difference) -> list[str]:
        events, index = (self.new, first.new_index) if first.old_index is None else (self.old, first.old_index)
        start = max(0, (index or 0) - CONTEXT)
        return [_fit(f"    {at}: {self._spell(events[at])}") for at in range(start, index or 0)]

    def _sides(self, first: Difference) -> list[str]:
        lines = [f"  {_headline(first)}"]
        for name, events, index in (("old", self.old, first.old_index), ("new", self.new, first.new_index)):
            if index is not None:
                lines.append(_fit(f"    {name} {index}: {self._spell(events[index])}"))
        if first.kind is Kind.CHANGED:
            lines.append(_fit(f"    {first.path}: {first.old!r} -> {first.new!r}"))
        return lines

    def _line(self, difference: Difference) -> str:
        if difference.kind is Kind.CHANGED:
            return _fit(f"  {_headline(difference)}: {difference.old!r} -> {difference.new!r}")
        event = difference.new if difference.old_index is None else difference.old
        return _fit(f"  {_headline(difference)}: {self._spell(event)}")

    def _spell(self, event: Mapping[str, Any]) -> str:
        """Spell an event like a call: its type, and those fields that say something."""
        steady = self.dialect.steady(event)
        quiet = {self.dialect.tag} | {path[0] for path in self.dialect.volatile if len(path) == 1}
        said = [f"{name}={value!r}" for name, value in steady.items() if name not in quiet and value is not None]
        return f"{self.dialect.type_of(event)}({', '.join(said)})"


def _headline(difference: Difference) -> str:
    match difference:
        case Difference(kind=Kind.MISSING, old_index=index):
            return f"missing: event {index} of the old stream"
        case Difference(kind=Kind.EXTRA, new_index=index):
            return f"extra: event {index} of the new stream"
        case Difference(kind=Kind.MOVED):
            return f"moved: event {difference.old_index} to {difference.new_index}"
    return f"changed: event {difference.old_index} (new: {difference.new_index}) at {difference.path}"


def _fit(line: str) -> str:
    return clip(safe(line, keep=""), MAX_COLUMNS)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
