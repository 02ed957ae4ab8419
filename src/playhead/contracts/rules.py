"""The rules, each an online monitor over spans.

A monitor is fed one event after the other and says at once what is wrong with it; at the end it says what is missing.
It keeps a constant amount for each open span. It knows spans, not frameworks: a dialect's table reads the events.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from playhead.events.spans import Dialect, Span, Touch, Verb, at


@dataclass(frozen=True, slots=True)
class Violation:
    """Say which rule an event broke.

    `index` counts the events of the run from 0; for an event that is missing it is their number. `where` is the line of
    the cassette, `trip.jsonl:14`, where the stream is one.
    """

    code: str
    index: int
    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where or f'event {self.index}'}: {self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Moment:
    """One event as a monitor sees it: its position, type, agent, and what it does to spans."""

    index: int
    event_type: str
    group: Any
    touches: tuple[Touch, ...]


def moment(index: int, event: Mapping[str, Any], dialect: Dialect) -> Moment:
    """Return what a monitor sees of an event, given as a JSON object."""
    return Moment(index, dialect.type_of(event), at(event, dialect.group), tuple(dialect.touches(event)))


class Monitor(Protocol):
    """Watch one stream for one rule. `code` and `meaning` name the rule."""

    code: ClassVar[str]
    meaning: ClassVar[str]

    def __init__(self, dialect: Dialect) -> None: ...

    def feed(self, moment: Moment) -> Iterator[Violation]:
        """Yield what is wrong with an event."""
        ...

    def close(self, end: str, count: int) -> Iterator[Violation]:
        """Yield what is wrong with a stream that ended so, after `count` events."""
        ...


class ClosedUnopened:
    """ORD001. Pairs openings and closings first in, first out, by agent, key and name."""

    code: ClassVar[str] = "ORD001"
    meaning: ClassVar[str] = "a span is closed that is not open"

    def __init__(self, dialect: Dialect) -> None:
        self._open: Counter[tuple[Any, ...]] = Counter()

    def feed(self, moment: Moment) -> Iterator[Violation]:
        """Count a tool that opens; yield one that closes and is not open."""
        for touch in moment.touches:
            span = (moment.group, touch.span, str(touch.key), str(touch.name))
            if touch.span is not Span.TOOL:
                continue
            if touch.verb is Verb.OPEN:
                self._open[span] += 1
            elif touch.verb is Verb.CLOSE and not self._open[span]:
                yield Violation(
                    self.code, moment.index, f"{moment.event_type} closes {_span(touch)}, which is not open"
                )
            elif touch.verb is Verb.CLOSE:
                self._open[span] -= 1
            if not self._open[span]:
                del self._open[span]

    def close(self, end: str, count: int) -> Iterator[Violation]:
        """Yield nothing: what is left open is not this rule's."""
        yield from ()


class NoTerminal:
    """TRM001. Holds for a stream that was read to its end and completed."""

    code: ClassVar[str] = "TRM001"
    meaning: ClassVar[str] = "a stream that was read to its end has no terminal event"

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._seen = False

    def feed(self, moment: Moment) -> Iterator[Violation]:
        """Note a terminal event."""
        self._seen = self._seen or self._dialect.is_terminal(moment.event_type)
        yield from ()

    def close(self, end: str, count: int) -> Iterator[Violation]:
        """Yield that the terminal event is missing."""
        if end == "complete" and not self._seen:
            yield Violation(self.code, count, f"the stream ended after {count} events without a terminal event")


class AfterTerminal:
    """TRM002. Speaks once a run. A step that does not follow the last one begins another run."""

    code: ClassVar[str] = "TRM002"
    meaning: ClassVar[str] = "an event follows the terminal event of its run"

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._step: dict[Any, Any] = {}
        self._runs: Counter[Any] = Counter()
        self._ended: Counter[Any] = Counter()

    def feed(self, moment: Moment) -> Iterator[Violation]:
        """Yield an event that comes when every run of its agent has ended."""
        group = moment.group
        self._runs[group] = max(1, self._runs[group]) + self._begins(moment)
        if self._ended[group] == self._runs[group] and moment.event_type not in self._dialect.after:
            self._ended[group] += 1
            yield Violation(self.code, moment.index, f"{moment.event_type} follows the terminal event of its run")
        elif self._dialect.is_terminal(moment.event_type):
            self._ended[group] = min(self._ended[group], self._runs[group] - 1) + 1

    def _begins(self, moment: Moment) -> bool:
        for touch in moment.touches:
            if touch.verb is Verb.OPEN and touch.span is Span.RUN:
                return bool(moment.index)
            if touch.verb is Verb.OPEN and touch.span is Span.STEP and isinstance(touch.key, int):
                before = self._step.get(moment.group)
                self._step[moment.group] = touch.key
                return before is not None and touch.key <= before
        return False

    def close(self, end: str, count: int) -> Iterator[Violation]:
        """Yield nothing: what an end lacks is not this rule's."""
        yield from ()


RULES: tuple[type[Monitor], ...] = (ClosedUnopened, NoTerminal, AfterTerminal)
"""Every rule, in the order of the codes."""


def _span(touch: Touch) -> str:
    key = f"{touch.span} span" if touch.key is None else f"{touch.span} span {touch.key!r}"
    return f"{key} ({touch.name})" if touch.name else key
