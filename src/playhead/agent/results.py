"""What came of a run, read from its events: of a live stream, or of one from a tape."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playhead.agent.state import ToolExecution
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent, InterruptEvent, TerminateEvent, ToolCompleteEvent, ToolStartEvent


@dataclass(frozen=True, slots=True)
class Metrics:
    """Count what a run took."""

    iterations: int = 0
    tool_calls: int = 0
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class AgentResult:
    """Hold what came of a run.

    `message` is the model's final answer. `stop_reason` is the reason of `terminate`, or `interrupt` where the run
    waits for an answer to the event `interrupt`. `error` tells more of a run that failed.
    """

    message: str | None
    stop_reason: str
    metrics: Metrics = Metrics()
    tool_executions: tuple[ToolExecution, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    interrupt: InterruptEvent | None = None

    @classmethod
    def of(cls, events: Iterable[AgentEvent]) -> "AgentResult":
        """Return what came of the run that sent these events. Raises `UsageError` where they do not end."""
        starts: dict[str, list[ToolStartEvent]] = {}
        executions: list[ToolExecution] = []
        last: AgentEvent | None = None
        for event in events:
            last = event
            if isinstance(event, ToolStartEvent):
                starts.setdefault(event.tool_call_id, []).append(event)
            elif isinstance(event, ToolCompleteEvent):
                begun = starts.get(event.tool_call_id)
                executions.append(_execution(event, begun.pop(0) if begun else None))
        done = tuple(executions)
        match last:
            case InterruptEvent():
                return cls(None, "interrupt", Metrics(tool_calls=len(done)), done, interrupt=last)
            case TerminateEvent():
                metrics = Metrics(last.iterations_used, last.total_tool_calls, last.final_confidence)
                return cls(last.final_message, last.reason, metrics, done, last.usage or {}, last.error)
        raise UsageError("these events are no whole run: the last one is neither terminate nor interrupt")


def _execution(event: ToolCompleteEvent, start: ToolStartEvent | None) -> ToolExecution:
    return ToolExecution(
        tool_name=event.tool_name,
        tool_call_id=event.tool_call_id,
        arguments=start.arguments if start else {},
        result=event.result,
        error=event.error,
        duration_ms=event.duration_ms or 0.0,
    )
