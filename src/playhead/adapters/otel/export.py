"""A tape as spans of OpenTelemetry, with the times that were recorded.

Knows what spans of a tape become, as its dialect tells them. Does not know where spans go: whoever calls brings a
tracer.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context

from playhead.adapters.otel.failures import fail
from playhead.adapters.otel.names import ATTRIBUTES, OPERATIONS, PROVIDERS, Name, Own
from playhead.agent.logs import OTHER_ERROR
from playhead.contracts.limits import seconds
from playhead.events.lasting import Lasted, Lasting
from playhead.events.paths import at
from playhead.events.spans import Span, Verb
from playhead.replaying.tape import Tape


def export_spans(tape: Tape, tracer: Tracer, *, start_s: float | None = None) -> int:
    """Write every run of a tape with a tracer, as spans with the times that were recorded. Returns how many spans.

    Each run is a trace. Its root is `invoke_agent NAME`, or `chat MODEL` where a provider's stream was taped; steps,
    model calls, tools and sub-agents lie in it as they did. A run or a tool that failed has the status of an error.
    What nothing closed ends with its run and has `playhead.unfinished`. Ids are the tracer's: one that makes the same
    ones each time needs an id generator of that kind.

    `start_s` is when the tape began, in seconds since 1970; by default the first event that names a time tells, and
    where none does, it is 0. Raises what reading the tape raises.
    """
    begin_s = (_began(tape) or 0.0) if start_s is None else start_s
    runs: dict[str, _Run] = {}
    for since_us, at_us, owner, event in _events(tape):
        if owner not in runs:
            runs[owner] = _Run(tape, tracer, owner, _Clock(begin_s), since_us)
        runs[owner].feed(event, at_us)
    return sum(run.end(tape.runs.get(name, "unknown")) for name, run in runs.items())


def _events(tape: Tape) -> Iterator[tuple[int, int, str, Mapping[str, Any]]]:
    """Yield of each event the time of the entry before it, its own time, its run and itself."""
    at_us = 0
    for entry in tape.entries():
        since_us, at_us = at_us, at_us + entry.dt_us
        value = entry.value() if (entry.track, entry.kind) == ("event", "event") else None
        if isinstance(value, dict):
            yield since_us, at_us, entry.owner, value


def _began(tape: Tape) -> float | None:
    """Return when a tape began, by the first event that names a time."""
    if not tape.dialect.time:
        return None
    told = ((seconds(at(event, tape.dialect.time)), at_us) for _, at_us, _, event in _events(tape))
    return next((told_s - at_us / 1e6 for told_s, at_us in told if told_s is not None), None)


class _Clock:
    """Turn the time of a tape into that of the world, in nanoseconds since 1970."""

    def __init__(self, begin_s: float) -> None:
        self._begin_us = round(begin_s * 1e6)

    def ns(self, at_us: int) -> int:
        return (self._begin_us + at_us) * 1000


class _Run:
    """One run on its way into a tracer. Parents begin before their children."""

    def __init__(self, tape: Tape, tracer: Tracer, name: str, clock: _Clock, since_us: int) -> None:
        provider, self._operation = PROVIDERS.get(tape.dialect.name, (tape.dialect.name, "invoke_agent"))
        self._failure = tape.seal.errors.get(name) if tape.seal is not None else None
        self._dialect = tape.dialect
        self._lasting = Lasting(tape.dialect)
        self._tracer = tracer
        self._clock = clock
        self._last_us = since_us
        self._count = 1
        self._begun = False
        self._open: dict[Lasted, OtelSpan] = {}
        self._root = tracer.start_span(
            f"{self._operation} {tape.dialect.name}",
            context=Context(),
            kind=SpanKind.CLIENT if tape.dialect.name in PROVIDERS else SpanKind.INTERNAL,
            attributes={
                Name.OPERATION: self._operation,
                Name.PROVIDER: provider,
                "playhead.cassette": tape.header.name,
                "playhead.run": name,
            },
            start_time=clock.ns(since_us),
        )

    def feed(self, event: Mapping[str, Any], at_us: int) -> None:
        """Take an event."""
        if not self._begun:
            # A later event may be a sub-agent's, in its name.
            self._begun = True
            self._name(Name.AGENT, self._dialect.group_of(event))
        self._last_us = at_us
        for verb, lasted in self._lasting.feed(event, at_us):
            if verb is Verb.CLOSE:
                self._finish(lasted)
            elif lasted.span is not Span.RUN:
                self._begin(lasted)
            elif self._dialect.name in PROVIDERS:
                self._name(Name.MODEL, lasted.name)

    def end(self, end: str) -> int:
        """End the run, and what it left open. Returns how many spans it had."""
        for left in self._lasting.close():
            self._finish(left)
        self._root.set_attribute("playhead.end", end)
        if self._failure is not None:
            fail(self._root, self._failure.type, self._failure.message)
        elif end == "error":
            fail(self._root, OTHER_ERROR, "")
        self._root.end(self._clock.ns(self._last_us))
        return self._count

    def _name(self, field: Name, name: Any) -> None:
        if name:
            self._root.update_name(f"{self._operation} {name}")
            self._root.set_attribute(field, str(name))

    def _begin(self, lasted: Lasted) -> None:
        operation = OPERATIONS.get(lasted.span)
        fields = ATTRIBUTES.get(lasted.span, ("playhead.name", "playhead.key"))
        attributes = {"playhead.span": str(lasted.span)} | ({Name.OPERATION: operation} if operation else {})
        values = zip(fields, (lasted.name, lasted.key), strict=True)
        attributes |= {field: str(value) for field, value in values if value not in (None, "")}
        parent = self._open.get(lasted.within, self._root) if lasted.within else self._root
        self._count += 1
        self._open[lasted] = self._tracer.start_span(
            f"{operation or lasted.span} {lasted.name}".rstrip(),
            context=set_span_in_context(parent),
            kind=SpanKind.CLIENT if lasted.span is Span.MODEL else SpanKind.INTERNAL,
            attributes=attributes,
            start_time=self._clock.ns(lasted.since_us),
        )

    def _finish(self, lasted: Lasted) -> None:
        span = self._open.pop(lasted, None)
        if span is None:
            return
        if not lasted.finished:
            span.set_attribute(Own.UNFINISHED, True)
        if lasted.text_us is not None:
            span.add_event("first text", timestamp=self._clock.ns(lasted.text_us))
        if lasted.span is Span.MODEL and lasted.status:
            span.set_attribute(Name.REASONS, [str(lasted.status)])
        if lasted.failed:
            fail(span, str(lasted.status).partition(":")[0], str(lasted.status))
        span.end(self._clock.ns(self._last_us if lasted.until_us is None else lasted.until_us))
