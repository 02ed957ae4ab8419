"""The smallest loop that is an agent: ask the model, run the tools that it wants, until it wants none.

Knows the native taxonomy. Does not know that it is recorded.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, Protocol

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.events.locus import (
    AgentEvent,
    ModelChunkEvent,
    TerminateEvent,
    ThinkEvent,
    ToolCall,
    ToolCompleteEvent,
    ToolStartEvent,
)

Tool = Callable[..., Awaitable[Any] | Any]
"""What a tool is: a function, or a coroutine function, that takes the model's arguments by name."""


class Model(Protocol):
    """What the loop needs of a model."""

    def stream(
        self, messages: Sequence[Mapping[str, Any]], tools: Mapping[str, Tool]
    ) -> AsyncIterator[ModelChunkEvent]:
        """Yield the pieces of an answer; the last one is `done`. It is closed, and must have `aclose`."""
        ...


async def run(
    model: Model,
    prompt: str,
    *,
    tools: Mapping[str, Tool] | None = None,
    max_iterations: int = 20,
    clock: Clock = SYSTEM_CLOCK,
) -> AsyncIterator[AgentEvent]:
    """Yield the events of one run in the order in which they occur, each as it occurs.

    Tools run one after the other. One that raises, or that is not there, gives a `ToolCompleteEvent` with an error. The
    last event is a `TerminateEvent`: `complete`, or `max_iterations`.
    """
    known = tools or {}
    messages: list[Mapping[str, Any]] = [{"role": "user", "content": prompt}]
    text, calls_made, iteration = "", 0, 0
    reason = "max_iterations"
    while iteration < max_iterations:
        iteration += 1
        text, calls = "", []
        async with aclosing(model.stream(messages, known)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                text += chunk.content or ""
                calls += chunk.tool_calls or []
                yield chunk
        yield ThinkEvent(iteration=iteration, reasoning=text or None, tool_calls=calls, timestamp=clock.now())
        messages.append({"role": "assistant", "content": text, "tool_calls": [call.model_dump() for call in calls]})
        if not calls:
            reason = "complete"
            break
        for call in calls:
            calls_made += 1
            arguments = dict(call.arguments)
            yield ToolStartEvent(tool_name=call.name, tool_call_id=call.id, arguments=arguments, timestamp=clock.now())
            done = await _call(call, known, clock=clock)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": done.error or done.result})
            yield done
    yield TerminateEvent(
        reason=reason,
        iterations_used=iteration,
        final_confidence=1.0 if reason == "complete" else 0.0,
        total_tool_calls=calls_made,
        final_message=text or None,
        timestamp=clock.now(),
    )


async def _call(call: ToolCall, tools: Mapping[str, Tool], *, clock: Clock) -> ToolCompleteEvent:
    """Run a tool and return how it ended. What it raises is the model's to know, not the loop's to die of."""
    start_ns = clock.monotonic_ns()
    result, error = None, None
    try:
        value = tools[call.name](**call.arguments)
        result = str(await value if isawaitable(value) else value)
    except Exception as raised:
        error = f"no tool {call.name!r}" if call.name not in tools else f"{type(raised).__name__}: {raised}"
    return ToolCompleteEvent(
        tool_name=call.name,
        tool_call_id=call.id,
        result=result,
        error=error,
        duration_ms=(clock.monotonic_ns() - start_ns) / 1e6,
        timestamp=clock.now(),
    )
