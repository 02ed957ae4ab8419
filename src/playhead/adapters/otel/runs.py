"""One run as one span, with those of its model calls and its calls of tools in it, and the measurements of all.

Knows in which order the moments of a run come, and which of them may be missing. Does not know where runs are kept.
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry.context import attach, get_current
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, set_span_in_context

from playhead.adapters.otel.failures import error_name, fail
from playhead.adapters.otel.names import OPERATIONS, Metric, Name, Own
from playhead.adapters.otel.sink import Attributes, Moment, Sink
from playhead.adapters.otel.tool_calls import ToolCallSpan
from playhead.adapters.otel.values import tidy, tokens
from playhead.agent.hooks import (
    AfterInvocation,
    AfterModelCall,
    AfterToolCall,
    BeforeInvocation,
    BeforeModelCall,
    BeforeToolCall,
    RunInfo,
)
from playhead.agent.loop import PAUSED
from playhead.events.spans import Span

_INVOKE_AGENT: Final = OPERATIONS[Span.SUBAGENT]
_CHAT: Final = OPERATIONS[Span.MODEL]
_EXECUTE_TOOL: Final = OPERATIONS[Span.TOOL]
_LEFT: Final = frozenset({"closed", "cancelled"})
_TOKEN_TYPES: Final[Mapping[str, str]] = {Name.INPUT_TOKENS: "input", Name.OUTPUT_TOKENS: "output"}


class RunSpan:
    """Gather what happens in a run."""

    def __init__(self, sink: Sink, event: BeforeInvocation) -> None:
        self.info: RunInfo = event.run
        self._sink = sink
        self._since = sink.now()
        self._asked: tuple[BeforeModelCall, Moment] | None = None
        self._calls: dict[int, ToolCallSpan] = {}
        about = self._about(_INVOKE_AGENT)
        if self.info.thread_id is not None:
            about[Name.CONVERSATION] = tidy(self.info.thread_id)
        if event.is_resumed:
            about[Own.RESUMED] = True
        # Not attached: a run is a generator, and between two events its context is that of its consumer.
        self._span = sink.start(self.info.agent_name, get_current(), self._since, about)

    def ask(self, event: BeforeModelCall) -> None:
        """Take that the model is asked."""
        self._asked = (event, self._sink.now())

    def answer(self, event: AfterModelCall | None) -> None:
        """Write the span of a model call; of one that was left, without an event.

        Nothing lies in it, so it can begin late: when the name of the model is known.
        """
        assert self._asked is not None, "an answer follows a question"
        (before, since), self._asked = self._asked, None
        now, about = self._sink.now(), self._about(_CHAT)
        self._sink.instruments.count(Metric.RETRIES, int(before.attempt > 1), about)
        model = None if event is None else event.model
        if model:
            about[Name.MODEL] = tidy(model)
        told: Attributes = about | {Own.ITERATION: before.iteration, Own.ATTEMPT: before.attempt}
        span = self._sink.start(model, set_span_in_context(self._span), since, told, kind=SpanKind.CLIENT)
        if event is None:
            span.set_attribute(Own.UNFINISHED, True)
        else:
            self._describe_answer(span, event)
            self._measure_answer(event, now.since_s(since), about)
        span.end(now.wall_ns)

    def begin_call(self, event: BeforeToolCall) -> None:
        """Begin the span of a call, and make it the current one of this task."""
        now = self._sink.now()
        about = self._about(_EXECUTE_TOOL) | {Name.TOOL: tidy(event.tool_name)}
        if event.tool_call_id:
            about[Name.TOOL_CALL] = tidy(event.tool_call_id)
        span = self._sink.start(event.tool_name, set_span_in_context(self._span), now, about)
        self._calls[event.number] = ToolCallSpan(span, event, now)
        # Never detached: the task is the call's alone, and another attempt runs in it too.
        attach(set_span_in_context(span))

    def try_call(self, event: AfterToolCall) -> None:
        """Take how an attempt ended."""
        self._calls[event.number].tried(event, self._sink.now())

    def end_calls(self) -> None:
        """End the spans of all calls. Only now all hooks have spoken of them."""
        now = self._sink.now()
        for call in self._calls.values():
            took_s = call.end(now, self._sink)
            about = self._about(_EXECUTE_TOOL)
            self._sink.instruments.count(Metric.RETRIES, max(0, call.attempts - 1), about)
            about[Name.TOOL] = tidy(call.before.tool_name)
            if call.failure is not None:
                about[Name.ERROR] = error_name(call.failure)
            if took_s is not None:
                self._sink.instruments.measure(Metric.TOOL_DURATION, took_s, about)
        self._calls.clear()

    def end(self, event: AfterInvocation) -> None:
        """End the span, and all that was left open in it."""
        self.end_calls()
        if self._asked is not None and _was_asked(self._asked[0]):
            self.answer(None)
        now, about = self._sink.now(), self._about(_INVOKE_AGENT)
        self._describe(event)
        self._sink.instruments.count(Metric.RUNS, 1, about | {Own.REASON: tidy(event.reason)})
        if event.error is not None:
            about[Name.ERROR] = error_name(event.reason)
        if event.error is not None or event.reason not in _LEFT:
            self._sink.instruments.measure(Metric.AGENT_DURATION, now.since_s(self._since), about)
        self._span.end(now.wall_ns)

    def _describe(self, event: AfterInvocation) -> None:
        self._span.set_attributes({Own.REASON: tidy(event.reason), Own.ITERATIONS: event.iterations})
        self._span.set_attributes(tokens(event.usage))
        if event.reason == PAUSED:
            self._span.set_attribute(Own.PAUSED, True)
        if event.error is not None:
            fail(self._span, event.reason, self._sink.error(event.error))

    def _describe_answer(self, span: OtelSpan, event: AfterModelCall) -> None:
        span.set_attributes(tokens(event.usage))
        if event.stop_reason:
            span.set_attribute(Name.REASONS, [tidy(event.stop_reason)])
        if event.fault is not None:
            fail(span, event.fault, self._sink.error(event.error))

    def _measure_answer(self, event: AfterModelCall, took_s: float, about: Attributes) -> None:
        for name, number in tokens(event.usage).items():
            self._sink.instruments.measure(Metric.TOKENS, number, about | {Name.TOKEN_TYPE: _TOKEN_TYPES[name]})
        failed = {} if event.fault is None else {Name.ERROR: error_name(event.fault)}
        self._sink.instruments.measure(Metric.MODEL_DURATION, took_s, about | failed)

    def _about(self, operation: str) -> Attributes:
        about = self._sink.about(operation, self.info)
        return about if operation == _EXECUTE_TOOL else {**about, **self._sink.provider}


def _was_asked(before: BeforeModelCall) -> bool:
    """Say whether the question went out: no hook forbade it, and none failed over it."""
    return before.steering.cancelled is None and before.steering.is_over
