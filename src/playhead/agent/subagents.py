"""An agent as a tool of another one: its events inside the other's, its questions passed on.

Knows how one run lies in another. Does not know loops.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, Protocol

from playhead.agent.results import AgentResult
from playhead.agent.tools import Running, Tool, interrupt, running_call
from playhead.events.locus import AgentEvent, SubagentEvent


class Runnable(Protocol):
    """What runs and can be resumed, as an agent does."""

    @property
    def name(self) -> str | None:
        """The name under which its events are told."""
        ...

    def run(self, prompt: str, *, thread_id: str | None = None) -> AsyncGenerator[AgentEvent, None]:
        """Answer a prompt."""
        ...

    def resume(self, answer: Any = None, *, thread_id: str | None = None) -> AsyncGenerator[AgentEvent, None]:
        """Go on after a question."""
        ...


PARAMETERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"prompt": {"type": "string", "description": "What the agent is to do."}},
    "required": ["prompt"],
    "additionalProperties": False,
}
"""The schema of the arguments of every agent that is a tool."""


class SubagentFailure(Exception):
    """Say that an agent that is a tool failed: its caller reads it as the tool's error."""


def agent_tool(agent: Runnable, *, name: str, description: str) -> Tool:
    """Return an agent as a tool. Its final answer is the result; a question that it asks pauses the run around it."""

    async def ask(arguments: Mapping[str, Any]) -> str:
        match dict(arguments):
            case {"prompt": str(prompt)}:
                return await _run(agent, prompt, running_call("as_tool"))
        raise SubagentFailure("the arguments do not fit: a prompt is asked for, which is text")

    return Tool(name, description, PARAMETERS, ask)


async def _run(agent: Runnable, prompt: str, running: Running) -> str:
    task_id = f"{running.run_key}/{running.call.id}"
    if running.answers:
        # Those before the last one answered earlier questions: it knows them.
        answer = running.answers.pop()
        running.answers.clear()
        events = agent.resume(answer, thread_id=task_id)
    else:
        events = agent.run(prompt, thread_id=task_id)
    told: list[AgentEvent] = []
    async with aclosing(events) as stream:
        async for event in stream:
            told.append(event)
            running.send(
                SubagentEvent(
                    tool_call_id=running.call.id,
                    tool_name=running.call.name,
                    task_id=task_id,
                    event=event,
                    agent_name=agent.name,
                    timestamp=running.clock.now(),
                )
            )
    result = AgentResult.of(told)
    if result.interrupt is not None:
        interrupt(result.interrupt.question, result.interrupt.options)
    if result.error is not None:
        raise SubagentFailure(f"{result.stop_reason}: {result.error}")
    return result.message or ""
