"""What lasts in a run: when each span began and ended, in which other one it lies, and what it was called.

Knows a dialect's table. Checks nothing: what is closed and not open is passed over, and what is open at the end is
unfinished. Holds what is open and nothing else.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playhead.events.paths import at
from playhead.events.spans import Dialect, Span, Touch, Verb


@dataclass(slots=True)
class Lasted:
    """A span of a run, in microseconds of recorded time. `until_us` is None while it is open, or if it never ended.

    `within` is the span that it lies in; None is the run itself. `fed_us` is when its first piece of text came.
    """

    span: Span
    key: Any
    name: str
    since_us: int
    within: "Lasted | None" = None
    until_us: int | None = None
    status: Any = None
    fed_us: int | None = None


Frame = tuple[tuple[Any, ...], Any]
"""Whose spans they are: the tools that a sub-agent runs in, from the outside in, and the agent's name."""


class Lasting:
    """Follow the spans of one run. A step ends with the next one; what nothing opens begins with its first piece."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        self._open: dict[tuple[Frame, Span], dict[Any, deque[Lasted]]] = {}

    def feed(self, event: Mapping[str, Any], at_us: int) -> list[Lasted]:
        """Take an event, and return the spans that it began or ended, in that order of happening."""
        changed: list[Lasted] = []
        for owner, inner in layers(event, self.dialect):
            frame = (owner, repr(self.dialect.group_of(inner)))
            for touch in self.dialect.touches(inner):
                changed += self._touch(frame, touch, at_us)
        return changed

    def close(self) -> list[Lasted]:
        """Return what is open still, inner spans first."""
        left = [each for spans in self._open.values() for queue in spans.values() for each in queue]
        self._open.clear()
        return sorted(left, key=lambda each: -each.since_us)

    def _touch(self, frame: Frame, touch: Touch, at_us: int) -> list[Lasted]:
        spans = self._open.setdefault((frame, touch.span), {})
        key = repr(touch.name if touch.key is None else touch.key)
        if touch.verb is Verb.CLOSE:
            ended = self._all(spans) if touch.span in (Span.STEP, Span.RUN) else self._one(spans, key)
            return [_ended(each, touch.status, at_us) for each in ended]
        if touch.verb is Verb.FEED:
            return self._fed(frame, touch, spans, key, at_us)
        ended = [_ended(each, None, at_us) for each in self._all(spans)] if touch.span is Span.STEP else []
        return [*ended, self._begin(frame, touch, spans, key, at_us)]

    def _fed(self, frame: Frame, touch: Touch, spans: dict[Any, deque[Lasted]], key: Any, at_us: int) -> list[Lasted]:
        begun = []
        if not spans.get(key) and touch.span not in self.dialect.explicit:
            begun.append(self._begin(frame, touch, spans, key, at_us))
        for fed in spans.get(key, ()):
            if touch.text and fed.fed_us is None:
                fed.fed_us = at_us
        return begun

    def _begin(self, frame: Frame, touch: Touch, spans: dict[Any, deque[Lasted]], key: Any, at_us: int) -> Lasted:
        began = Lasted(touch.span, touch.key, str(touch.name or "?"), at_us, self._parent(frame, touch.span))
        spans.setdefault(key, deque()).append(began)
        return began

    def _parent(self, frame: Frame, span: Span) -> Lasted | None:
        """Return the step that is under way, or else the tool that a sub-agent runs in."""
        steps = self._open.get((frame, Span.STEP), {}) if span is not Span.STEP else {}
        step = next((queue[-1] for queue in steps.values() if queue), None)
        return step or self._outer(frame[0])

    def _outer(self, owner: tuple[Any, ...]) -> Lasted | None:
        if not owner:
            return None
        tools = (
            queue
            for (other, span), spans in self._open.items()
            if span is Span.TOOL and other[0] == owner[:-1]
            for key, queue in spans.items()
            if key == owner[-1]
        )
        return next((queue[-1] for queue in tools if queue), None)

    @staticmethod
    def _all(spans: dict[Any, deque[Lasted]]) -> list[Lasted]:
        ended = [each for queue in spans.values() for each in queue]
        spans.clear()
        return ended

    @staticmethod
    def _one(spans: dict[Any, deque[Lasted]], key: Any) -> list[Lasted]:
        queue = spans.get(key)
        if not queue:
            return []
        ended = queue.popleft()
        if not queue:
            del spans[key]
        return [ended]


def _ended(each: Lasted, status: Any, at_us: int) -> Lasted:
    each.until_us, each.status = at_us, status
    return each


def layers(event: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    """Yield an event and those nested in it, each with whose it is: the keys of the tools around it."""
    owner: tuple[Any, ...] = ()
    inner: Any = event
    while isinstance(inner, Mapping):
        yield owner, inner
        tool = next((touch.key for touch in dialect.touches(inner) if touch.span is Span.TOOL), None)
        owner = (*owner, repr(tool))
        inner = at(inner, dialect.nested)
