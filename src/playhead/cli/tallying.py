"""What is on tapes, in numbers: events, spans, tools, times.

Knows a dialect's table. Holds a number for each span that was closed, so that medians can be told. Does not print.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from playhead.cassettes.reading import Cassette
from playhead.events.paths import at
from playhead.events.spans import Dialect, Span, Touch, Verb
from playhead.replaying.tape import Tape


@dataclass(slots=True)
class Times:
    """How long spans of one kind, or of one name, lasted: each in microseconds of recorded time."""

    took_us: list[int] = field(default_factory=list)
    failed: int = 0
    unfinished: int = 0

    @property
    def count(self) -> int:
        """How many were opened."""
        return len(self.took_us) + self.unfinished

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for programs."""
        took = self.took_us
        times = {"total_us": sum(took), "median_us": median(took), "max_us": max(took)} if took else {}
        return {"count": self.count, "failed": self.failed, "unfinished": self.unfinished, **times}


@dataclass(slots=True)
class _Open:
    since_us: int
    name: str


_Frame = tuple[str, str, Span]
"""A run, an agent in it, and a kind of span."""


class Tally:
    """Add tapes up."""

    def __init__(self) -> None:
        self.cassettes: int = 0
        self.runs: int = 0
        self.entries: int = 0
        self.byte_count: int = 0
        self.recorded_us: int = 0
        self.ends: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.tracks: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        self.spans: defaultdict[Span, Times] = defaultdict(Times)
        self.tools: defaultdict[str, Times] = defaultdict(Times)
        self._open: defaultdict[_Frame, dict[str, deque[_Open]]] = defaultdict(dict)

    def add(self, cassette: Cassette, byte_count: int) -> None:
        """Add a cassette. Raises what reading its entries raises."""
        tape = Tape(cassette)
        self.cassettes += 1
        self.byte_count += byte_count
        self.runs += len(tape.runs)
        self.ends.update(tape.runs.values())
        if tape.seal is not None:
            self.errors.update(failure.type for failure in tape.seal.errors.values())
        at_us = 0
        for entry in cassette.entries():
            at_us += entry.dt_us
            self.entries += 1
            self.tracks[f"{entry.track}.{entry.kind}"] += 1
            value = entry.value() if (entry.track, entry.kind) == ("event", "event") else None
            if isinstance(value, dict):
                self._add_event(value, entry.owner, at_us, tape.dialect)
        self.recorded_us += at_us
        self._give_up()

    def _add_event(self, event: Mapping[str, Any], run: str, at_us: int, dialect: Dialect) -> None:
        self.types[dialect.type_of(event) or "(no type)"] += 1
        for owner, inner in _layers(event, dialect):
            agent = repr((owner, at(inner, dialect.group)))
            for touch in dialect.touches(inner):
                self._touch(touch, (run, agent), at_us)

    def _touch(self, touch: Touch, owner: tuple[str, str], at_us: int) -> None:
        identity = repr(touch.name if touch.key is None else touch.key)
        frame = self._open[*owner, touch.span]
        if touch.verb is Verb.OPEN:
            if touch.span is Span.STEP:
                self._close_all(Span.STEP, frame, at_us)
            frame.setdefault(identity, deque()).append(_Open(at_us, str(touch.name or "?")))
        elif touch.verb is Verb.CLOSE and touch.span in (Span.STEP, Span.RUN):
            self._close_all(touch.span, frame, at_us)
        elif touch.verb is Verb.CLOSE and identity in frame:
            self._close(touch.span, frame[identity].popleft(), at_us, touch.status)
            if not frame[identity]:
                del frame[identity]

    def _close_all(self, span: Span, frame: dict[str, deque[_Open]], at_us: int) -> None:
        for opened in frame.values():
            for each in opened:
                self._close(span, each, at_us, None)
        frame.clear()

    def _close(self, span: Span, opened: _Open, at_us: int, status: Any) -> None:
        for times in self._counted(span, opened):
            times.took_us.append(at_us - opened.since_us)
            times.failed += span is Span.TOOL and bool(status)

    def _give_up(self) -> None:
        for (_, _, span), frame in self._open.items():
            for opened in frame.values():
                for each in opened:
                    for times in self._counted(span, each):
                        times.unfinished += 1
        self._open.clear()

    def _counted(self, span: Span, opened: _Open) -> list[Times]:
        return [self.spans[span], self.tools[opened.name]] if span is Span.TOOL else [self.spans[span]]


def _layers(event: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield an event and those nested in it, each with whose it is."""
    owner: tuple[str, ...] = ()
    inner: Any = event
    while isinstance(inner, Mapping):
        yield owner, inner
        tool = next((touch.key for touch in dialect.touches(inner) if touch.span is Span.TOOL), None)
        owner = (*owner, repr(tool))
        inner = at(inner, dialect.nested)
