"""Watching one run for every rule.

Knows how an event is read, and whose it is. Does not know where events come from, nor which monitors must hear of
which (`playhead.contracts.plan`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from pydantic import BaseModel

from playhead.contracts.limits import Limits
from playhead.contracts.monitor import NOWHERE, Agent, Findings, Moment, Place, hashable
from playhead.contracts.numbers import Sequence
from playhead.contracts.plan import plan_for
from playhead.contracts.rules import selected
from playhead.contracts.violation import Violation
from playhead.events.base import Event
from playhead.events.codec import decode_event, encode_event
from playhead.events.spans import Dialect, Span, Touch, Verb

_MAX_NESTING: Final = 32
_NO_FIELDS: Final[Mapping[Any, Any]] = {}


class Watch:
    """Watch one run for every rule that was chosen. `dialect` says how its events are read.

    A nested stream, of a sub-agent in its tool, is watched by itself while the tool is open. A watch `is_idle` where no
    rule was chosen that looks at events: it need not be fed.
    """

    def __init__(
        self, dialect: Dialect, *, codes: frozenset[str] | None = None, limits: Limits | None = None, depth: int = 0
    ) -> None:
        self._plan = plan_for(dialect, selected(limits=limits) if codes is None else codes, limits)
        self._monitors = [make() for make in self._plan.makes]
        self.is_idle: bool = not self._monitors
        self._moment = Moment()
        self._agents = self._moment.agents
        self._has_told = False
        self._depth = depth
        # By key. One agent alone needs no book of whose tools are open.
        self._tools: dict[Any, _Tool] = {}

    def feed(self, event: Any, *, at_us: int | None = None, place: Place = NOWHERE) -> list[Violation]:
        """Return what is wrong with an event. `at_us` is when it came, `place` the line that it stands on.

        Raises `UsageError` for what is no event.
        """
        plan, moment, monitors = self._plan, self._moment, self._monitors
        cls = type(event)
        fields = event if cls is dict else event.__dict__ if cls in plan.direct else _NO_FIELDS
        kind = fields.get(plan.tag)
        if type(kind) is not str or not kind:
            fields, kind = self._read(event)
        read, nests, inside, outside = plan.rows[kind]
        touches = read(fields) if read else ()
        inner = fields.get(plan.nested) if touches else None
        try:
            agent = self._agents[fields.get(plan.group)] if inner is None else self._owner(touches)
        except TypeError:
            agent = self._agents[hashable(fields.get(plan.group))]
        moment.agent, moment.touches = agent, touches
        moment.index += 1
        moment.kind, moment.fields, moment.time = kind, fields, fields.get(plan.time)
        moment.at_us, moment.place, moment.late = at_us, place, False
        found: list[Violation] = []
        for number in inside if agent.steps else outside:
            findings = monitors[number].feed(moment)
            if findings:
                found += self._told(findings)
        if nests and not moment.late and (inner is not None or self._tools or agent is not self._agents.first):
            found += self._look_inside(moment, inner)
        return found

    def close(self, end: str | None = None, *, place: Place = NOWHERE) -> list[Violation]:
        """Return what is wrong with a stream that ended so. `place` is the line behind the last one."""
        found: list[Violation] = []
        for monitor in self._monitors:
            findings = monitor.close(end, self._moment)
            if findings and not (self._has_told and isinstance(monitor, Sequence)):
                found += self._told(findings, place)
        return sorted(found, key=attrgetter("index")) if found else found

    def _read(self, event: Any) -> tuple[Mapping[str, Any], str]:
        """Return the fields of an event whose type is not simply one of them, and its type."""
        plan, dialect = self._plan, self._plan.dialect
        fields = fields_of(event, dialect)
        kind = dialect.type_of(fields)
        if plan.deep:
            return {**fields, **{key: get(fields) for key, get in plan.deep.items()}}, kind
        if fields is getattr(event, "__dict__", None):
            plan.direct.add(type(event))
        return fields, kind

    def _told(self, findings: Findings, end: Place = NOWHERE) -> list[Violation]:
        found = [
            Violation(each.code, each.message, self._moment.index + 1, line=end.line, offset=end.offset)
            if each.index is None
            else Violation(
                each.code, each.message, each.index, each.event, line=each.place.line, offset=each.place.offset
            )
            for each in findings
            if each.code in self._plan.codes
        ]
        self._has_told = self._has_told or bool(found)
        return found

    def _owner(self, touches: tuple[Touch, ...]) -> Agent:
        """Return the agent in whose tool a sub-agent runs, for its own name is on the event: mostly the first agent."""
        tools = (self._tools.get(hashable(touch.key)) for touch in touches)
        owner = next((tool.owner for tool in tools if tool and tool.owner), self._agents.first)
        return owner or self._agents[None]

    def _look_inside(self, moment: Moment, inner: Any) -> list[Violation]:
        """Follow which tools are open, and watch the stream inside one by itself."""
        for touch in moment.touches:
            if touch.span is Span.TOOL:
                key = hashable(touch.key)
                if touch.verb is Verb.OPEN:
                    self._tools.setdefault(key, _Tool()).owner = moment.agent
                elif touch.verb is Verb.CLOSE:
                    self._tools.pop(key, None)
                elif inner is not None and self._depth < _MAX_NESTING:
                    return self._feed_inside(self._tools.setdefault(key, _Tool()), moment, inner)
        return []

    def _feed_inside(self, tool: "_Tool", moment: Moment, inner: Any) -> list[Violation]:
        plan = self._plan
        if tool.watch is None:
            tool.watch = Watch(plan.dialect, codes=plan.codes, limits=plan.limits, depth=self._depth + 1)
        return [
            replace(each, index=moment.index, message=f"in a sub-agent: {each.message}")
            for each in tool.watch.feed(inner, at_us=moment.at_us, place=moment.place)
        ]


@dataclass(slots=True)
class _Tool:
    """A tool that is open: the agent that called it, and what watches the stream inside it."""

    owner: Agent | None = None
    watch: Watch | None = None


def fields_of(event: Any, dialect: Dialect) -> Mapping[str, Any]:
    """Return an event's fields by name, without a detour over JSON where the object has them.

    Raises `UsageError` for what is no event.
    """
    if type(event) is dict:
        return event
    fields: Mapping[str, Any] = getattr(event, "__dict__", {})
    # Objects of an SDK hold objects, where a table reads JSON.
    if dialect.type_of(fields) and (dialect.flat or isinstance(event, Event) or not isinstance(event, BaseModel)):
        return fields
    if isinstance(event, Mapping):
        return event
    if dialect.sentinel and event in (dialect.sentinel, dialect.sentinel.encode()):
        return {dialect.tag: dialect.sentinel}
    return encode_event(decode_event(event, dialect) if isinstance(event, bytes | str) else event)
