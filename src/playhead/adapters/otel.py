"""A tape as spans of OpenTelemetry, with the times that were recorded.

The only module that imports `opentelemetry`: its API; whoever calls brings a tracer of an SDK. Names are those of the
semantic conventions for generative AI, from one table.
"""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from playhead.contracts.limits import seconds
from playhead.events.lasting import Lasted, Lasting
from playhead.events.paths import at
from playhead.events.spans import Span
from playhead.replaying.tape import Tape

CONVENTIONS: Final = "1.37.0"
"""The version of the semantic conventions whose names are used."""

NAMES: Final[Mapping[Span, tuple[str, SpanKind]]] = {
    Span.STEP: ("step", SpanKind.INTERNAL),
    Span.MODEL: ("chat", SpanKind.CLIENT),
    Span.MESSAGE: ("message", SpanKind.INTERNAL),
    Span.PART: ("part", SpanKind.INTERNAL),
    Span.REASONING: ("reasoning", SpanKind.INTERNAL),
    Span.TOOL: ("execute_tool", SpanKind.INTERNAL),
    Span.SUBAGENT: ("invoke_agent", SpanKind.INTERNAL),
}
"""The operation that each kind of span is, `gen_ai.operation.name`, and its kind."""

_ATTRIBUTES: Final[Mapping[Span, tuple[str, str]]] = {
    Span.TOOL: ("gen_ai.tool.name", "gen_ai.tool.call.id"),
    Span.SUBAGENT: ("gen_ai.agent.name", "gen_ai.agent.id"),
    Span.STEP: ("playhead.step.name", "playhead.step"),
}
"""Where the name and the key of a kind of span go."""


def export_spans(tape: Tape, tracer: Tracer, *, start_s: float | None = None) -> int:
    """Write every run of a tape with a tracer, as spans with the times that were recorded. Returns how many spans.

    A run is a span `invoke_agent`, and its steps, model calls, tools and sub-agents lie in it as they did. A run that
    ended badly, and a tool that failed, have the status of an error; what never ended ends with its run, and has
    `playhead.unfinished`. `start_s` is when the tape began, in seconds since 1970, by default by the events' own times.

    Raises what reading the tape raises.
    """
    runs: dict[str, _Run] = {}
    count, at_us = 0, 0
    for entry in tape.entries():
        at_us += entry.dt_us
        value = entry.value() if (entry.track, entry.kind) == ("event", "event") else None
        if isinstance(value, dict):
            if start_s is None:
                told_s = seconds(at(value, tape.dialect.time))
                start_s = told_s - at_us / 1e6 if told_s is not None else None
            if entry.owner not in runs:
                runs[entry.owner] = _Run(tape, tracer, entry.owner, at_us - entry.dt_us, start_s or 0.0)
            count += runs[entry.owner].feed(value, at_us)
    for name, run in runs.items():
        run.end(tape.runs.get(name, "unknown"))
    return count + len(runs)


class _Run:
    """One run on its way into a tracer. Parents begin before their children, and end after them."""

    def __init__(self, tape: Tape, tracer: Tracer, name: str, at_us: int, start_s: float) -> None:
        self._tracer = tracer
        self._lasting = Lasting(tape.dialect)
        self._start_s = start_s
        self._last_us = at_us
        self._failure = tape.seal.errors.get(name) if tape.seal is not None else None
        self._open: dict[int, tuple[OtelSpan, Lasted]] = {}
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": tape.dialect.name,
            "playhead.cassette": tape.where,
            "playhead.run": name,
        }
        start_ns = self._ns(at_us)
        self._root = tracer.start_span(
            f"invoke_agent {tape.dialect.name}", kind=SpanKind.INTERNAL, attributes=attributes, start_time=start_ns
        )

    def feed(self, event: Mapping[str, Any], at_us: int) -> int:
        """Take an event, and return how many spans began."""
        begun = 0
        self._last_us = at_us
        for changed in self._lasting.feed(event, at_us):
            if changed.span is Span.RUN:
                continue
            if changed.until_us is None:
                begun += 1
                self._begin(changed)
            else:
                self._finish(changed)
        return begun

    def end(self, end: str) -> None:
        """End the run, and what it left open."""
        for left in self._lasting.close():
            if id(left) in self._open:
                self._finish(left)
        self._root.set_attribute("playhead.end", end)
        if self._failure is not None:
            self._root.set_attribute("error.type", self._failure.type)
            self._root.set_status(Status(StatusCode.ERROR, self._failure.message))
        self._root.end(self._ns(self._last_us))

    def _begin(self, lasted: Lasted) -> None:
        operation, kind = NAMES[lasted.span]
        parent = self._open.get(id(lasted.within), (self._root, None))[0]
        attributes: dict[str, str | int] = {"gen_ai.operation.name": operation}
        for field, value in zip(_ATTRIBUTES.get(lasted.span, ()), (lasted.name, lasted.key), strict=False):
            if value not in (None, "?"):
                attributes[field] = value if isinstance(value, int) else str(value)
        title = operation if lasted.name == "?" else f"{operation} {lasted.name}"
        span = self._tracer.start_span(
            title,
            context=set_span_in_context(parent),
            kind=kind,
            attributes=attributes,
            start_time=self._ns(lasted.since_us),
        )
        self._open[id(lasted)] = (span, lasted)

    def _finish(self, lasted: Lasted) -> None:
        span, _ = self._open.pop(id(lasted))
        if lasted.until_us is None:
            span.set_attribute("playhead.unfinished", True)
        if lasted.fed_us is not None:
            span.add_event("first text", timestamp=self._ns(lasted.fed_us))
        if lasted.span is Span.MODEL and lasted.status:
            span.set_attribute("gen_ai.response.finish_reasons", [str(lasted.status)])
        if lasted.span is Span.TOOL and lasted.status:
            span.set_attribute("error.type", str(lasted.status).partition(":")[0])
            span.set_status(Status(StatusCode.ERROR, str(lasted.status)))
        span.end(self._ns(self._last_us if lasted.until_us is None else lasted.until_us))

    def _ns(self, at_us: int) -> int:
        return round(self._start_s * 1_000_000) * 1000 + at_us * 1000
