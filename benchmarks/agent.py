"""What a run of the agent costs, taped and checked, beside the same run of locus' own scripted agent."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from locus.agent import Agent as LocusAgent
from locus.testing import ScriptedModel as LocusModel
from locus.testing import text, tool_call
from locus.tools import tool
from measure import Case

from playhead.agent.agent import Agent
from playhead.contracts.check import check
from playhead.events.locus import AgentEvent, TerminateEvent, ThinkEvent, ToolCall, ToolCompleteEvent, ToolStartEvent
from playhead.models.scripted import ScriptedModel
from playhead.recording.recorder import record
from playhead.scripts import call, say

RUNS = 250
PROMPT = "What is 1 and 2, twice?"
CALLS = 2
ANSWER = "It is 3."
EXPECTED = [*["think", "tool_start", "tool_complete"] * CALLS, "think", "terminate"]

Ask = Callable[[str], AsyncIterator[Any]]
"""Begins a run."""


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def runs(folder: Path) -> Iterator[Case]:
    """A run with two calls of a tool, by agents that are built once: everybody sends the same events, in order."""
    yield Case(
        f"a run with {CALLS} tool calls",
        RUNS,
        "locus",
        {
            "locus": lambda: asyncio.run(plain(locus_agent())),
            "bare loop": lambda: asyncio.run(plain(bare)),
            "bare loop, taped": lambda: asyncio.run(taped(bare, fresh(folder))),
            "playhead": lambda: asyncio.run(plain(agent())),
            "playhead, checked": lambda: asyncio.run(checked(agent())),
            "playhead, taped": lambda: asyncio.run(taped(agent(), fresh(folder))),
            "playhead, a cassette each": lambda: asyncio.run(taped_each(agent(), fresh(folder))),
        },
        goals=(("playhead, taped", ">=", 5.0),),
    )


def locus_agent() -> Ask:
    """Return locus' agent with the model that its own `locus.testing` has for tests."""
    turns = [*[tool_call("add", a=1, b=2)] * CALLS, text(ANSWER)]
    # Without the size of a window it warns at each question.
    return LocusAgent(model=LocusModel(turns * RUNS), tools=[tool(add)], context_window=10_000).run


def agent() -> Ask:
    """Return our agent with our scripted model, without pieces of answers: locus' scripted model sends none."""
    made = Agent(ScriptedModel([*[call("add", a=1, b=2)] * CALLS, say(ANSWER)] * RUNS), [add])
    return lambda prompt: made.run(prompt, stream_tokens=False)


async def bare(prompt: str) -> AsyncIterator[AgentEvent]:
    """Yield the events of such a run, made by hand around a call of the tool: nothing can be left out."""
    for number in range(1, CALLS + 1):
        wanted = ToolCall(id=f"call_{number}", name="add", arguments={"a": 1, "b": 2})
        yield ThinkEvent(iteration=number, tool_calls=[wanted])
        yield ToolStartEvent(tool_name=wanted.name, tool_call_id=wanted.id, arguments=wanted.arguments)
        result = str(await add(**wanted.arguments))
        yield ToolCompleteEvent(tool_name=wanted.name, tool_call_id=wanted.id, result=result)
    yield ThinkEvent(iteration=CALLS + 1, reasoning=ANSWER)
    yield TerminateEvent(
        reason="complete", iterations_used=CALLS + 1, final_confidence=0.0, total_tool_calls=CALLS, final_message=ANSWER
    )


async def plain(ask: Ask) -> float:
    """Run, and return the seconds that it took."""
    start = time.perf_counter()
    for _ in range(RUNS):
        expect([event async for event in ask(PROMPT)])
    return time.perf_counter() - start


async def checked(ask: Ask) -> float:
    """Run, and hold each run to its contracts."""
    start = time.perf_counter()
    for _ in range(RUNS):
        hold([event async for event in ask(PROMPT)])
    return time.perf_counter() - start


async def taped(ask: Ask, folder: Path) -> float:
    """Do the same with a recorder around all of the runs: they are checked too."""
    start = time.perf_counter()
    with record(folder / "runs.jsonl") as tape:
        for _ in range(RUNS):
            hold([event async for event in tape.events(ask(PROMPT))])
    return time.perf_counter() - start


async def taped_each(ask: Ask, folder: Path) -> float:
    """Do the same with a cassette for each run, as tests do: made, written and sealed."""
    start = time.perf_counter()
    for number in range(RUNS):
        with record(folder / f"{number}.jsonl") as tape:
            hold([event async for event in tape.events(ask(PROMPT))])
    return time.perf_counter() - start


def fresh(folder: Path) -> Path:
    """Return a folder without cassettes: one that is recorded again is also compared with the old one."""
    return Path(mkdtemp(dir=folder))


def expect(events: list[Any]) -> None:
    """Raise unless these are the events that everybody sends."""
    if [event.event_type for event in events] != EXPECTED:
        raise AssertionError(f"expected {EXPECTED}, got {[event.event_type for event in events]}")


def hold(events: list[Any]) -> None:
    """Raise unless these are the events that everybody sends, and break no rule."""
    expect(events)
    if found := list(check(events)):
        raise AssertionError(f"the run breaks {found}")
