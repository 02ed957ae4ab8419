"""Watching one run for every rule.

Knows how an event is read, and which monitors must hear of it. Does not know where events come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel

from playhead.contracts.limits import Clocks, Counters, Extents, Limits
from playhead.contracts.monitor import NOWHERE, Findings, Moment, Monitor, Place, hashable
from playhead.contracts.numbers import Arguments, Sequence
from playhead.contracts.ordering import Ordering
from playhead.contracts.rules import selected
from playhead.contracts.termination import Termination
from playhead.contracts.violation import Violation
from playhead.events.base import Event
from playhead.events.codec import decode_event, encode_event
from playhead.events.spans import Dialect, Read, Span, Touch, Verb

_MAX_NESTING: Final = 32


class Watch:
    """Watch one run for every rule that was chosen. `dialect` says how its events are read.

    A nested stream, of a sub-agent in its tool, is watched by itself while the tool is open. A watch `is_idle` where no
    rule was chosen that looks at events: it need not be fed.
    """

    def __init__(
        self, dialect: Dialect, *, codes: frozenset[str] | None = None, limits: Limits | None = None, depth: int = 0
    ) -> None:
        self._dialect = dialect
        self._codes = selected((), (), limits or Limits()) if codes is None else codes
        self._limits = limits or Limits()
        self._depth = depth
        self._monitors = [make(dialect, self._limits) for make in _wanted(dialect, self._codes)]
        self.is_idle: bool = not self._monitors
        # Most events do nothing to a span that anybody watches: then nothing of them is read but type, agent and time.
        self._telling = _telling(dialect)
        self._feeds = [monitor.feed for monitor in self._monitors]
        self._always = [monitor.feed for monitor in self._monitors if monitor.hears_all]
        self._direct = _direct(dialect)
        # The streams of sub-agents, and the agents whose tools they run in, by the key of the tool.
        self._nested: dict[Any, Watch] = {}
        self._owners: dict[Any, Any] = {}
        self._first_group: Any = None
        self._count = 0
        self._has_told = False

    def feed(self, event: Any, *, at_us: int | None = None, place: Place = NOWHERE) -> list[Violation]:
        """Return what is wrong with an event. `at_us` is when it came, `place` the line that it stands on.

        Raises `UsageError` for what is no event.
        """
        dialect = self._dialect
        fields = (
            event if type(event) is dict else event.__dict__ if type(event) in self._direct else self._fields(event)
        )
        kind = dialect.type_of(fields) or dialect.type_of(fields := fields_of(event, dialect))
        read = self._telling.get(kind)
        touches = read(fields) if read else ()
        inner = dialect.nested_of(fields) if touches and dialect.nested else None
        group = dialect.group_of(fields) if inner is None else self._owner(touches)
        moment = Moment(self._count, kind, group, touches, fields, at_us, place)
        self._count += 1
        found: list[Violation] = []
        for feed in self._feeds if read else self._always:
            findings = feed(moment)
            if findings:
                found += self._told(findings)
                self._has_told = self._has_told or bool(found)
        if self._count == 1:
            self._first_group = group
        # One agent alone needs no book of whose tools are open.
        alone = inner is None and not self._nested and not self._owners and group == self._first_group
        if touches and dialect.nested and not (alone or moment.late):
            found += self._look_inside(moment, inner)
        return found

    def _fields(self, event: Any) -> Mapping[str, Any]:
        fields = fields_of(event, self._dialect)
        if fields is getattr(event, "__dict__", None):
            self._direct.add(type(event))
        return fields

    def close(self, end: str | None = None, *, place: Place = NOWHERE) -> list[Violation]:
        """Return what is wrong with a stream that ended so. `place` is the line behind the last one."""
        found: list[Violation] = []
        for monitor in self._monitors:
            if not (isinstance(monitor, Sequence) and (found or self._has_told)):
                found += self._told(monitor.close(end), place)
        return sorted(found, key=lambda each: each.index)

    def _told(self, findings: Findings, end: Place = NOWHERE) -> list[Violation]:
        return [
            Violation(each.code, each.message, self._count, line=end.line, offset=end.offset)
            if each.index is None
            else Violation(
                each.code, each.message, each.index, each.event, line=each.place.line, offset=each.place.offset
            )
            for each in findings
            if each.code in self._codes
        ]

    def _owner(self, touches: tuple[Touch, ...]) -> Any:
        """Return the agent in whose tool a sub-agent runs, for its own name is on the event: mostly the first agent."""
        keys = (hashable(touch.key) for touch in touches)
        return next((self._owners[key] for key in keys if key in self._owners), self._first_group)

    def _look_inside(self, moment: Moment, inner: Any) -> list[Violation]:
        """Follow which tools are open, and watch the stream inside one by itself."""
        for touch in moment.touches:
            if touch.span is Span.TOOL:
                key = hashable(touch.key)
                if touch.verb is Verb.OPEN:
                    self._owners[key] = moment.group
                elif touch.verb is Verb.CLOSE:
                    self._owners.pop(key, None)
                    self._nested.pop(key, None)
                elif inner is not None and self._depth < _MAX_NESTING:
                    return self._feed_inside(key, moment, inner)
        return []

    def _feed_inside(self, key: Any, moment: Moment, inner: Any) -> list[Violation]:
        child = self._nested.get(key)
        if child is None:
            child = Watch(self._dialect, codes=self._codes, limits=self._limits, depth=self._depth + 1)
            self._nested[key] = child
        return [
            replace(each, index=moment.index, message=f"in a sub-agent: {each.message}")
            for each in child.feed(inner, at_us=moment.at_us, place=moment.place)
        ]


_Make = Callable[[Dialect, Limits], Monitor]

# Which dialects a monitor is for, and what makes it. Termination comes first: it says which events are late.
_MONITORS: dict[type[Monitor], tuple[Callable[[Dialect], object], _Make]] = {
    Termination: (bool, lambda dialect, limits: Termination(dialect)),
    Ordering: (bool, lambda dialect, limits: Ordering(dialect)),
    Clocks: (lambda dialect: dialect.time, lambda dialect, limits: Clocks(dialect)),
    Extents: (bool, Extents),
    Counters: (lambda dialect: dialect.counters, lambda dialect, limits: Counters(dialect)),
    Sequence: (lambda dialect: dialect.sequence, lambda dialect, limits: Sequence(dialect)),
    Arguments: (lambda dialect: dialect.arguments, lambda dialect, limits: Arguments(dialect)),
}


# What follows from a table is found once, and not for each run.
@lru_cache(maxsize=64)
def _wanted(dialect: Dialect, codes: frozenset[str]) -> tuple[_Make, ...]:
    """Return what makes the monitors of these rules, where the dialect has what they look at."""
    return tuple(
        make for kind, (is_for, make) in _MONITORS.items() if codes.intersection(kind.codes) and is_for(dialect)
    )


@lru_cache(maxsize=64)
def _direct(dialect: Dialect) -> set[type]:
    """Return the classes, as far as they were met, whose objects have an event's fields as attributes."""
    return set()


@lru_cache(maxsize=64)
def _telling(dialect: Dialect) -> Mapping[str, Read]:
    """Return what reads the events that do something to a span which is opened and closed, or make a run wait."""
    watched = dialect.explicit | {Span.RUN, Span.STEP}
    kinds = dialect.pauses | {kind for kind, ops in dialect.ops.items() if any(op.span in watched for op in ops)}
    return {kind: dialect.readers[kind] for kind in kinds}


def fields_of(event: Any, dialect: Dialect) -> Mapping[str, Any]:
    """Return an event's fields by name, without a detour over JSON where the object has them.

    Raises `UsageError` for what is no event.
    """
    fields: Mapping[str, Any] = getattr(event, "__dict__", {})
    # Objects of an SDK hold objects, where a table reads JSON.
    if dialect.type_of(fields) and (dialect.flat or isinstance(event, Event) or not isinstance(event, BaseModel)):
        return fields
    if isinstance(event, Mapping):
        return event
    if dialect.sentinel and event in (dialect.sentinel, dialect.sentinel.encode()):
        return {dialect.tag: dialect.sentinel}
    return encode_event(decode_event(event, dialect) if isinstance(event, bytes | str) else event)
