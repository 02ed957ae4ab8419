"""What lasts in a run: when each span began and ended, in which other one it lies, and what it was called.

Knows a dialect's table. Checks nothing: what is closed and not open is passed over. Holds what is open and nothing
else. Statistics and the export to OpenTelemetry are made of it.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from playhead.events.paths import at
from playhead.events.spans import Dialect, Span, Touch, Verb

_FINE: Final = frozenset({"completed"})
"""What a status says where nothing failed, in the dialects that give one to every tool."""


@dataclass(slots=True, eq=False)
class Lasted:
    """A span of a run, in microseconds of recorded time.

    `until_us` is None while it is open, `finished` says that it ended as it should. `within` is the span that it lies
    in; None is the run itself. `text_us` is when its first piece of text came, and `fed_us` when its last piece.
    """

    span: Span
    key: Any
    name: str
    since_us: int
    within: "Lasted | None" = None
    text_us: int | None = None
    fed_us: int | None = None
    until_us: int | None = None
    finished: bool = False
    status: Any = None

    @property
    def failed(self) -> bool:
        """Say whether it is a tool that ended with an error. Other spans tell by their status how they ended."""
        return self.span is Span.TOOL and bool(self.status) and self.status not in _FINE

    def end(self, at_us: int, status: Any = None, *, finished: bool) -> None:
        """End it."""
        self.until_us, self.status, self.finished = at_us, status, finished


Changes = list[tuple[Verb, Lasted]]
"""Spans that began (`Verb.OPEN`) or ended (`Verb.CLOSE`), in the order in which they did."""

Frame = tuple[tuple[str, ...], str]
"""Whose spans they are: the tools that a sub-agent runs in, from the outside in, and the agent's name."""

_Spans = dict[str, deque[Lasted]]


class Lasting:
    """Follow the spans of one run.

    A span that nothing opens lasts from its first piece on, and if nothing closes it either, until its last piece. A
    step that only the next one ends, and what ends tacitly, ends with the run. What else is open then is unfinished.
    """

    def __init__(self, dialect: Dialect) -> None:
        closed = {op.span for ops in dialect.ops.values() for op in ops if op.verb is Verb.CLOSE}
        self.dialect: Dialect = dialect
        self._fed_only = frozenset(Span) - dialect.explicit - closed
        self._frames = frozenset({Span.RUN, Span.STEP}) - dialect.paired
        self._tacit = dialect.tacit | self._fed_only | (self._frames - {Span.RUN})
        self._open: dict[tuple[Frame, Span], _Spans] = {}
        self._now_us = 0

    def feed(self, event: Mapping[str, Any], at_us: int) -> Changes:
        """Take an event, and return the spans that it began or ended."""
        self._now_us = at_us
        changes: Changes = []
        for owner, inner in layers(event, self.dialect):
            frame = (owner, repr(self.dialect.group_of(inner)))
            for touch in self.dialect.touches(inner):
                changes += self._touched(frame, touch)
        return changes

    def close(self) -> list[Lasted]:
        """End what is open still, and return it, the latest first."""
        left = [each for place in list(self._open) for each in self._take_all(place)]
        for each in left:
            self._give_up(each, finished=each.span in self._fed_only)
        return sorted(left, key=lambda each: -each.since_us)

    def _touched(self, frame: Frame, touch: Touch) -> Changes:
        key = repr(touch.name if touch.key is None else touch.key)
        spans = self._open.get((frame, touch.span), {})
        if touch.verb is Verb.CLOSE:
            return self._closed(frame, touch, key)
        if touch.verb is Verb.OPEN and not (touch.loose and key in spans):
            ended = self._settled(frame, touch.span, finished=False) if touch.span in self._frames else []
            return [*ended, self._begun(frame, touch, key)]
        begun = []
        if touch.verb is Verb.FEED and key not in spans and touch.span not in self.dialect.explicit:
            begun.append(self._begun(frame, touch, key))
        for fed in self._open.get((frame, touch.span), {}).get(key, ()):
            fed.fed_us = self._now_us
            if touch.text and fed.text_us is None:
                fed.text_us = self._now_us
        return begun

    def _closed(self, frame: Frame, touch: Touch, key: str) -> Changes:
        if touch.span in self._frames:
            return self._settled(frame, touch.span, finished=True, status=touch.status)
        place = (frame, touch.span)
        queue = self._open.get(place, {}).get(key)
        if not queue:
            return []
        # Ids may be empty, or come again: then the name tells.
        ended = next((each for each in queue if each.name == touch.name), queue[0])
        queue.remove(ended)
        self._tidy(place, key)
        ended.end(self._now_us, touch.status, finished=True)
        return [(Verb.CLOSE, ended)]

    def _settled(self, frame: Frame, span: Span, *, finished: bool, status: Any = None) -> Changes:
        """End what the beginning or the end of a run or a step ends, inner spans first."""
        ended = []
        for kind in reversed(Span):
            if span is Span.RUN or kind is span or kind in self._fed_only:
                ended += self._take_all((frame, kind))
        for each in ended:
            if each.span is Span.RUN:
                each.end(self._now_us, status, finished=finished)
            else:
                self._give_up(each, finished=each.span in self._tacit)
        return [(Verb.CLOSE, each) for each in ended]

    def _give_up(self, each: Lasted, *, finished: bool) -> None:
        until_us = each.fed_us if each.span in self._fed_only else None
        each.end(self._now_us if until_us is None else until_us, finished=finished)

    def _begun(self, frame: Frame, touch: Touch, key: str) -> tuple[Verb, Lasted]:
        name = "" if touch.name is None else str(touch.name)
        began = Lasted(touch.span, touch.key, name, self._now_us, self._parent(frame, touch.span))
        self._open.setdefault((frame, touch.span), {}).setdefault(key, deque()).append(began)
        return Verb.OPEN, began

    def _parent(self, frame: Frame, span: Span) -> Lasted | None:
        """Return what a span lies in by the table, or the step that is under way, or the tool around a sub-agent."""
        kinds = () if span in (Span.RUN, Span.STEP) else (self.dialect.within.get(span, Span.STEP), Span.STEP)
        inner = (queue[-1] for kind in kinds for queue in self._open.get((frame, kind), {}).values())
        return next(inner, None) or self._around(frame[0])

    def _around(self, owner: tuple[str, ...]) -> Lasted | None:
        tools = (
            spans[owner[-1]][-1]
            for (outer, span), spans in self._open.items()
            if span is Span.TOOL and owner and outer[0] == owner[:-1] and owner[-1] in spans
        )
        return next(tools, None)

    def _take_all(self, place: tuple[Frame, Span]) -> list[Lasted]:
        return [each for queue in self._open.pop(place, {}).values() for each in queue]

    def _tidy(self, place: tuple[Frame, Span], key: str) -> None:
        if not self._open[place][key]:
            del self._open[place][key]
        if not self._open[place]:
            del self._open[place]


def layers(event: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield an event and those nested in it, each with whose it is: the keys of the tools around it."""
    owner: tuple[str, ...] = ()
    inner: Any = event
    while isinstance(inner, Mapping):
        yield owner, inner
        tool = next((touch.key for touch in dialect.touches(inner) if touch.span is Span.TOOL), None)
        owner = (*owner, repr(tool))
        inner = at(inner, dialect.nested) if dialect.nested else None
