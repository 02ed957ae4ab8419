"""The loop emits the native taxonomy, in order, and always ends."""

from collections.abc import Callable
from typing import Any

import pytest

from playhead.agent.loop import run
from playhead.contracts.check import check
from playhead.events.locus import AgentEvent, TerminateEvent, ThinkEvent, ToolCompleteEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import call, say

Tools = dict[str, Callable[..., Any]]


async def events_of(answers: list[Scripted], tools: Tools | None = None, **known: Any) -> list[AgentEvent]:
    """Return the events of a run with this script."""
    return [event async for event in run(ScriptedModel(answers), "hi", tools=tools, **known)]


async def double(n: int) -> int:
    """Stand for a tool that is a coroutine function."""
    return 2 * n


def fail() -> None:
    """Stand for a tool that raises."""
    raise ValueError("no luck")


@pytest.mark.anyio
async def test_a_run_without_tools() -> None:
    """Chunks, a think, a terminate; the answer is the joined text."""
    events = await events_of([say("Hello", chunks=2)])
    assert [event.event_type for event in events] == ["model_chunk"] * 3 + ["think", "terminate"]
    assert isinstance(events[-1], TerminateEvent)
    assert (events[-1].reason, events[-1].final_message) == ("complete", "Hello")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "result", "error"),
    [
        (call("double", n=4), "8", None),
        (call("plain", n=4), "5", None),
        (call("fail"), None, "ValueError: no luck"),
        (call("gone"), None, "no tool 'gone'"),
        (call("double", m=1), None, "TypeError: double() got an unexpected keyword argument 'm'"),
    ],
)
async def test_a_tool_gives_a_result_or_an_error(answer: Scripted, result: str | None, error: str | None) -> None:
    """Whatever a tool does, the run goes on, and the model is told."""
    tools: Tools = {"double": double, "plain": lambda n: n + 1, "fail": fail}
    events = await events_of([answer, "done"], tools)
    (done,) = [event for event in events if isinstance(event, ToolCompleteEvent)]
    assert (done.result, done.error) == (result, error)
    assert list(check(events)) == []


@pytest.mark.anyio
async def test_a_loop_that_never_ends_is_ended() -> None:
    """The last event says that the iterations ran out."""
    events = await events_of([call("plain", n=1)] * 3, {"plain": lambda n: n}, max_iterations=3)
    assert [event.iteration for event in events if isinstance(event, ThinkEvent)] == [1, 2, 3]
    assert isinstance(events[-1], TerminateEvent)
    assert (events[-1].reason, events[-1].total_tool_calls) == ("max_iterations", 3)
    assert list(check(events)) == []


@pytest.mark.anyio
async def test_the_tool_starts_before_it_runs() -> None:
    """`tool_start` reaches the consumer before the tool is called."""
    called = []
    async for event in run(ScriptedModel([call("note"), "done"]), "hi", tools={"note": lambda: called.append(1)}):
        if event.event_type == "tool_start":
            assert called == []
    assert called == [1]
