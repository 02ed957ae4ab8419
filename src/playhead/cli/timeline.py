"""A tape as lines for people: when, where in which span, what.

Knows a dialect's table and how spans nest. Does not know the terminal: `showing` prints the rows.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from playhead.events.canonical import MASKED
from playhead.events.lasting import layers as layers_of
from playhead.events.spans import Dialect, Span, Touch, Verb
from playhead.events.tagged import tag

MAX_VALUE: Final = 200
"""How many characters of one value are ever shown."""

MAX_LANES: Final = 24
"""How many spans are drawn at once. One that opens beside so many is a point, as is its end."""

_OPEN, _CLOSE, _NEXT, _PASS, _POINT = "╭", "╰", "├", "│", "·"
_FRAMES = frozenset({Span.RUN, Span.STEP})


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a tape, before it is set.

    `lanes` draws the spans that are open, one character each. `name` and `text` are those of the span that the event
    belongs to, `fields` what else it says. `took_us` is how long the span lasted that it closes; `feeds` says that it
    does nothing but add a piece.
    """

    at_us: int
    run: str
    index: int
    label: str
    lanes: str
    name: str = ""
    text: str = ""
    fields: str = ""
    took_us: int | None = None
    feeds: bool = False

    @property
    def detail(self) -> str:
        """Return all that the event says, for one line."""
        return " ".join(filter(None, (self.name, _spell(self.text) if self.text else "", self.fields)))


Owner = tuple[str, ...]
"""Whose a span is: an agent's, and within which tools of others."""


@dataclass(slots=True)
class _Open:
    owner: Owner
    kind: Span
    identity: str
    since_us: int


class _Lanes:
    """Keep the open spans of one run, each in a lane of its own; a lane that was left is free again."""

    def __init__(self) -> None:
        self._spans: list[_Open | None] = []

    def draw(self, touches: Iterable[tuple[Owner, Touch]], at_us: int) -> tuple[str, int | None]:
        """Return what an event looks like in the lanes, and how long the tool or the like lasted that it closed."""
        marks: dict[int, str] = {}
        took_us: int | None = None
        for owner, touch in touches:
            if touch.verb is Verb.OPEN:
                lane, mark = self._place(owner, touch)
                if lane == MAX_LANES:
                    continue
                self._put(lane, _Open(owner, touch.span, _identity(touch), at_us))
                marks[lane] = mark
            elif touch.verb is Verb.CLOSE:
                for lane, span in self._closed_by(owner, touch):
                    marks[lane] = _CLOSE
                    if span.kind not in _FRAMES:
                        took_us = at_us - span.since_us
        lanes = enumerate(self._spans)
        drawn = "".join(marks.get(lane, " " if span is None else _PASS) for lane, span in lanes)
        self._free(lane for lane, mark in marks.items() if mark == _CLOSE)
        return (drawn.rstrip() if marks else drawn + _POINT), took_us

    def _place(self, owner: Owner, touch: Touch) -> tuple[int, str]:
        """Return the lane of a span that opens: that of the step that it ends, the first free one, or a new one."""
        for lane, span in enumerate(self._spans):
            if span is not None and touch.span is Span.STEP and (span.owner, span.kind) == (owner, Span.STEP):
                return lane, _NEXT
        free = next((lane for lane, span in enumerate(self._spans) if span is None), len(self._spans))
        return free, _OPEN

    def _put(self, lane: int, span: _Open) -> None:
        if lane == len(self._spans):
            self._spans.append(span)
        self._spans[lane] = span

    def _closed_by(self, owner: Owner, touch: Touch) -> list[tuple[int, _Open]]:
        own = [(lane, span) for lane, span in enumerate(self._spans) if span is not None and span.owner == owner]
        if touch.span is Span.RUN:
            return own
        alike = [(lane, span) for lane, span in own if span.kind is touch.span]
        if touch.span is Span.STEP:
            return alike
        return [(lane, span) for lane, span in alike if span.identity == _identity(touch)][:1]

    def _free(self, lanes: Iterable[int]) -> None:
        for lane in lanes:
            self._spans[lane] = None
        while self._spans and self._spans[-1] is None:
            self._spans.pop()


class Timeline:
    """Turn the events of a tape into moments, run by run."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._lanes: defaultdict[str, _Lanes] = defaultdict(_Lanes)
        self._quiet = {dialect.tag, *(path[0] for path in (dialect.time, dialect.group) if path)}

    def feed(self, event: Mapping[str, Any], *, at_us: int, run: str, index: int) -> Moment:
        """Return what is shown of an event. One that carries another one is shown as that one, in its spans."""
        layers = [
            ((*owner, repr(self._dialect.group_of(inner))), inner, self._dialect.touches(inner))
            for owner, inner in layers_of(event, self._dialect)
        ]
        drawn, took_us = self._lanes[run].draw(
            ((owner, touch) for owner, _, touches in layers for touch in touches), at_us
        )
        label = " › ".join(self._dialect.type_of(layer) or "(no type)" for _, layer, _ in layers)
        _, inner, touches = layers[-1]
        feeds = bool(touches) and all(touch.verb is Verb.FEED for touch in touches)
        name = next((str(touch.name) for touch in touches if touch.name is not None), "")
        text = next((touch.text for touch in touches if isinstance(touch.text, str)), "")
        hidden = {name, text, *(touch.key for touch in touches if isinstance(touch.key, str))}
        fields = " ".join(
            f"{key}={_spell(value)}"
            for key, value in self._telling(inner)
            if not (isinstance(value, str) and value in hidden) and not (feeds and value is False)
        )
        return Moment(at_us, run, index, label, drawn, name[:MAX_VALUE], text, fields, took_us, feeds)

    def _telling(self, event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in self._dialect.steady(event).items():
            if key in self._quiet or (key,) == self._dialect.nested:
                continue
            inner = value.items() if isinstance(value, Mapping) else [(key, value)]
            yield from ((name, item) for name, item in inner if item not in (None, "", MASKED) and item != [])


def _identity(touch: Touch) -> str:
    return repr(touch.key if touch.key is not None else touch.name)


def _spell(value: Any) -> str:
    if isinstance(value, str):
        cut = value[:MAX_VALUE]
        return json.dumps(cut, ensure_ascii=False) + ("…" if cut != value else "")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=tag)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
