"""What the tests of the agent share: scripts, tools, and streams read to their ends."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from playhead.agent.agent import Agent
from playhead.contracts.check import check
from playhead.events.locus import AgentEvent, ModelChunkEvent, ModelCompleteEvent, TerminateEvent
from playhead.models.scripted import Scripted, ScriptedModel


async def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"rain in {city}"


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"no such city: {city}")


async def read(events: AsyncIterator[AgentEvent], *, end: str = "complete") -> list[AgentEvent]:
    """Read a stream to its end, and check that it breaks no rule."""
    found = [event async for event in events]
    assert list(check(found, end=end)) == []
    return found


async def run(turns: Sequence[Scripted], tools: Sequence[Any] = (weather,), **options: Any) -> list[AgentEvent]:
    """Return the events of a run with this script."""
    return await read(Agent(ScriptedModel(turns), tools, **options).run("Trip?"))


def kinds(events: Sequence[AgentEvent]) -> list[str]:
    """Return the types of events, in order."""
    return [event.event_type for event in events]


def end_of(events: Sequence[AgentEvent]) -> TerminateEvent:
    """Return the terminal event, which has to be the last one."""
    last = events[-1]
    assert isinstance(last, TerminateEvent)
    assert kinds(events).count("terminate") == 1
    return last


class OddModel:
    """Answer with whatever it is given, or fail with it: as a model does that keeps no promise."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = pieces

    async def stream(self, messages: Any, tools: Any) -> AsyncIterator[ModelChunkEvent]:
        """Yield the pieces; raise those that are exceptions."""
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def complete(self, messages: Any, tools: Any) -> ModelCompleteEvent:
        """Return the first piece, or raise it."""
        if isinstance(self.pieces[0], BaseException):
            raise self.pieces[0]
        found: ModelCompleteEvent = self.pieces[0]
        return found
