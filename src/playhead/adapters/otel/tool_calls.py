"""One call of a tool as one span, over all of its attempts.

Knows how a call can end. It is judged when every hook has spoken: until then one of them may replace the result, or
have the call made once more. Does not know the run that the call is part of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import Span

from playhead.adapters.otel.failures import fail
from playhead.adapters.otel.names import Name, Own
from playhead.adapters.otel.sink import Moment, Sink
from playhead.adapters.otel.values import whole
from playhead.agent.hooks import AfterToolCall, BeforeToolCall
from playhead.agent.logs import error_type, json_text

CANCELLED: Final = "cancelled"
"""The type of the error of a call that a hook forbade."""


@dataclass(slots=True)
class ToolCallSpan:
    """Gather what happens to a call."""

    span: Span
    before: BeforeToolCall
    since: Moment
    until: Moment | None = None
    after: AfterToolCall | None = None
    attempts: int = 0

    def tried(self, after: AfterToolCall, at: Moment) -> None:
        """Take an attempt. It is the last one, unless a hook wants another."""
        self.after, self.until = after, at
        self.attempts += 1

    @property
    def cancelled(self) -> str | None:
        """Return why a hook forbade the call, or None."""
        return self.before.steering.cancelled

    @property
    def is_finished(self) -> bool:
        """Say whether the call came to its end, be it a pause."""
        return self.cancelled is not None or (self.after is not None and not self.after.steering.retried)

    @property
    def failure(self) -> str | None:
        """Return the type of the error that the call ended with, or None."""
        if self.cancelled is not None:
            return CANCELLED
        if self.after is None or self.after.error is None or self._result is not None:
            return None
        return error_type(self.after.error)

    def end(self, at: Moment, sink: Sink) -> float | None:
        """End the span, and return how many seconds the call took: None if it was left, or never made."""
        if not self.is_finished:
            self.until = at
            self.span.set_attribute(Own.UNFINISHED, True)
        until = self.until or self.since
        self._describe(sink)
        self.span.end(until.wall_ns)
        if self.cancelled is not None or not self.is_finished:
            return None
        return until.since_s(self.since)

    def _describe(self, sink: Sink) -> None:
        after = self.after
        if self.attempts > 1:
            self.span.set_attribute(Own.ATTEMPTS, self.attempts)
        if sink.tells_arguments:
            self.span.set_attribute(Name.ARGUMENTS, whole(json_text(self._arguments)))
        if sink.tells_results and self._result is not None:
            self.span.set_attribute(Name.RESULT, whole(self._result))
        if after is not None and after.paused:
            self.span.set_attribute(Own.PAUSED, True)
        if self.failure is not None:
            told = self.cancelled or (after and after.error) or ""
            fail(self.span, self.failure, sink.error(told))

    @property
    def _arguments(self) -> Mapping[str, Any]:
        if self.after is not None:
            return self.after.arguments
        replaced = self.before.steering.arguments
        return self.before.arguments if replaced is None else replaced

    @property
    def _result(self) -> str | None:
        if self.after is None or not self.is_finished:
            return None
        replaced = self.after.steering.result
        return self.after.result if replaced is None else replaced
