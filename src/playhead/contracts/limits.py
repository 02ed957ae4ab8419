"""Limits and clocks: what only holds where somebody says so, and what usually holds.

Knows how long, how many, and when. Each rule but the one about clocks is asked for by its limit.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from playhead.contracts.monitor import NOTHING, Agent, Finding, Findings, Moment
from playhead.events.paths import getter
from playhead.events.spans import Dialect, Span, Verb


@dataclass(frozen=True, slots=True)
class Limits:
    """What the opt-in rules hold a stream to.

    `silence_s` is how long no event may come, in seconds, `heartbeat_s` how long not even a byte on the wire, `steps`
    and `events` how many a run may have: None is no limit. With `counters` the terminal event must have
    counted as the stream shows.
    """

    silence_s: float | None = None
    heartbeat_s: float | None = None
    steps: int | None = None
    events: int | None = None
    counters: bool = False

    @property
    def asked(self) -> frozenset[str]:
        """Return the codes of the opt-in rules that are asked with these limits."""
        wanted = {
            "TRM006": self.silence_s is not None,
            "WIR014": self.heartbeat_s is not None,
            "TRM007": self.steps is not None or self.events is not None,
            "TRM008": self.counters,
        }
        return frozenset(code for code, is_wanted in wanted.items() if is_wanted)


class Clocks:
    """Watch the times that events name: a warning, for clocks are set and events are stamped before they are sent."""

    codes: ClassVar[tuple[str, ...]] = ("ORD008",)

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that all events matter."""
        return True

    def feed(self, moment: Moment) -> Findings:
        """Return that an event is older than the one before it."""
        agent, told = moment.agent, moment.time
        last, agent.time = agent.time, told
        if last is None or told is None:
            return NOTHING
        # Nearly all times grow as they are spelled, and need not be read.
        try:
            if told >= last:
                return NOTHING
        except TypeError:
            pass
        last_s, told_s = seconds(last), seconds(told)
        if last_s is None or told_s is None or not told_s < last_s:
            return NOTHING
        late_s = last_s - told_s
        return (moment.finding("ORD008", f"{moment.kind} is {late_s:.6g} s older than the event before it"),)

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return nothing."""
        return NOTHING


class Extents:
    """Watch silence, steps and events, each against its limit. Each is told once."""

    codes: ClassVar[tuple[str, ...]] = ("TRM006", "TRM007")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last_s: float | None = None
        self._steps = 0
        self._told: set[str] = set()

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that all events matter."""
        return True

    def feed(self, moment: Moment) -> Findings:
        """Return which limit an event exceeds."""
        opened = any(touch.span is Span.STEP and touch.verb is Verb.OPEN for touch in moment.touches)
        self._steps += opened
        limits, found = self._limits, list[Finding]()
        time_s = moment.at_us / 1e6 if moment.at_us is not None else seconds(moment.time)
        if time_s is not None:
            silent_s = time_s - (time_s if self._last_s is None else self._last_s)
            self._last_s = time_s
            if limits.silence_s is not None and silent_s > limits.silence_s:
                found.append(moment.finding("TRM006", f"{silent_s:.3g} s of silence before {moment.kind}"))
        for name, count, limit in (("steps", self._steps, limits.steps), ("events", moment.index + 1, limits.events)):
            if limit is not None and count > limit and name not in self._told:
                self._told.add(name)
                found.append(moment.finding("TRM007", f"{moment.kind} makes it more than {limit} {name}"))
        return found

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return nothing."""
        return NOTHING


class Counters:
    """Compare what the terminal event counted with what the stream shows."""

    codes: ClassVar[tuple[str, ...]] = ("TRM008",)

    def __init__(self, dialect: Dialect) -> None:
        self._counters = {
            kind: [(name, span, getter(where)) for name, span, where in counted]
            for kind, counted in dialect.counters.items()
        }
        self._seen: Counter[tuple[Agent, Span]] = Counter()

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that what opens a span matters, and what says how many there were."""
        return kind in dialect.counters or any(op.verb is Verb.OPEN for op in dialect.ops.get(kind, ()))

    def feed(self, moment: Moment) -> Findings:
        """Count what opens, and return what a terminal event counted otherwise."""
        for touch in moment.touches:
            if touch.verb is Verb.OPEN:
                self._seen[moment.agent, touch.span] += 1
        return [
            moment.finding("TRM008", f"{moment.kind} says {name} {said}, and the stream has {seen}")
            for name, span, get in self._counters.get(moment.kind, ())
            if (said := get(moment.fields)) not in (None, seen := self._seen[moment.agent, span])
        ]

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return nothing."""
        return NOTHING


def seconds(told: Any) -> float | None:
    """Return a time that an event names (a datetime, ISO 8601 text, Unix seconds) in seconds since 1970, or None."""
    if isinstance(told, str):
        try:
            told = datetime.fromisoformat(told)
        except ValueError:
            return None
    if isinstance(told, datetime):
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None
