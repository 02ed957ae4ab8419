"""An agent is a tool of another one: its events lie inside the call, its questions pause the run around it."""

from typing import Any

import pytest

from playhead.agent.agent import Agent
from playhead.agent.tools import interrupt
from playhead.errors import ReplayMismatch, UsageError
from playhead.events.locus import InterruptEvent, SubagentEvent, ToolCompleteEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import RateLimit, call, fail, turn
from tests.agent.agents import end_of, kinds, read, weather

DELEGATE: list[Scripted] = [turn("Let me ask.", call("explore", prompt="Weather?")), "Rain."]


def explorer(turns: list[Scripted], tools: Any = (weather,)) -> Agent:
    """Return an agent that explores."""
    return Agent(ScriptedModel(turns), tools, name="explore", system_prompt="Explore.")


@pytest.mark.anyio
async def test_events_of_another_agent_lie_inside_the_call() -> None:
    """Each as it occurs, whole, under the name of who says it; the final answer is the result."""
    inner = explorer([call("weather", city="Oslo"), "Rain in Oslo."])
    outer = ScriptedModel(DELEGATE)
    events = await read(Agent(outer, [inner], name="lead").run("?"))
    first = kinds(events).index("tool_start")
    last = kinds(events).index("tool_complete")
    inside = events[first + 1 : last]
    assert all(isinstance(event, SubagentEvent) for event in inside)
    assert {event.agent_name for event in inside} == {"explore"}
    told = [event.event for event in inside if isinstance(event, SubagentEvent)]
    assert [event.event_type for event in told][-2:] == ["think", "terminate"]
    assert "tool_complete" in [event.event_type for event in told]
    done = events[last]
    assert isinstance(done, ToolCompleteEvent)
    assert done.result == "Rain in Oslo."
    (described,) = outer.calls[0].tools
    assert (described["name"], described["description"]) == ("explore", "Explore.")


@pytest.mark.anyio
async def test_an_agent_that_fails_is_a_tool_that_failed() -> None:
    """The run around it goes on, and its model is told the reason."""
    outer = ScriptedModel([*DELEGATE[:1], "Sorry."])
    events = await read(Agent(outer, [explorer([fail(RateLimit())])]).run("?"))
    (done,) = [event for event in events if isinstance(event, ToolCompleteEvent)]
    assert "rate_limit: ModelFailure" in str(done.error)
    assert end_of(events).final_message == "Sorry."
    wrong = await read(Agent(ScriptedModel([call("explore", text=1), "Done."]), [explorer([])]).run("?"))
    (done,) = [event for event in wrong if isinstance(event, ToolCompleteEvent)]
    assert "a prompt is asked for" in str(done.error)


@pytest.mark.anyio
async def test_a_mismatch_inside_is_no_answer() -> None:
    """A script that is too short is the test's mistake, at any depth."""
    with pytest.raises(ReplayMismatch, match="add a turn"):
        await read(Agent(ScriptedModel(DELEGATE), [explorer([])]).run("?"), end="error")


async def ask(question: str) -> str:
    """Ask a person."""
    return str(interrupt(question, ["yes", "no"]))


@pytest.mark.anyio
@pytest.mark.parametrize("thread", [None, "t"])
async def test_a_question_inside_pauses_the_run_around_it(thread: str | None) -> None:
    """At any depth, more than once; the inner agents go on where they asked, and ask their models nothing twice."""
    inner_model = ScriptedModel([call("ask", question="One?"), call("ask", question="Two?"), "Both."])
    inner = Agent(inner_model, [ask], name="inner")
    middle_model = ScriptedModel([call("inner", prompt="Ask."), "Asked."])
    middle = Agent(middle_model, [inner], name="middle")
    outer = Agent(ScriptedModel([call("middle", prompt="Ask."), "Done."]), [middle], name="outer")
    events = await read(outer.run("?", thread_id=thread), end="paused")
    questions = []
    for answer in ("yes", "no"):
        assert isinstance(events[-1], InterruptEvent)
        questions.append((events[-1].question, list(events[-1].options or [])))
        events = await read(outer.resume(answer, thread_id=thread), end="paused" if answer == "yes" else "complete")
    assert questions == [("One?", ["yes", "no"]), ("Two?", ["yes", "no"])]
    assert end_of(events).reason == "complete"
    assert (inner_model.call_count, middle_model.call_count) == (3, 2)
    assert [str(message["content"]) for message in inner_model.calls[2].messages if message["role"] == "tool"] == [
        "yes", "no",
    ]  # fmt: skip


def test_an_agent_without_a_name_is_no_tool() -> None:
    """The message says how to give it one."""
    with pytest.raises(UsageError, match=r"needs a name: Agent\(name=...\), or as_tool\(name\)"):
        Agent(ScriptedModel([]), [Agent(ScriptedModel([]))])
    tool = Agent(ScriptedModel([])).as_tool("helper", "Helps.")
    assert (tool.name, tool.description) == ("helper", "Helps.")
