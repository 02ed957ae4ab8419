"""A tool may ask a person: the run pauses, and goes on with the answer."""

from typing import Any

import anyio
import pytest

from playhead.agent.agent import Agent
from playhead.agent.state import AgentState
from playhead.agent.tools import interrupt
from playhead.errors import UsageError
from playhead.events.locus import InterruptEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import call, fail, turn
from playhead.scripts.failures import Overloaded
from tests.agent.agents import end_of, kinds, read, weather
from tests.agent.savers import Full, Saver


async def ask(question: str) -> str:
    """Ask a person."""
    return f"they said {interrupt(question, ['red', 'green'])}"


def ask_twice() -> str:
    """Ask a person two things, from a thread."""
    return f"{interrupt('one?')} and {interrupt('two?')}"


async def ask_in_group() -> str:
    """Ask from a task of the tool's own."""
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "in a group?")
    return "never"


def asked(events: list[Any]) -> InterruptEvent:
    """Return the question with which a stream has to end."""
    assert isinstance(events[-1], InterruptEvent)
    assert "terminate" not in kinds(events)
    return events[-1]


@pytest.mark.anyio
@pytest.mark.parametrize("thread", [None, "t"])
async def test_a_question_and_its_answer(thread: str | None) -> None:
    """The call is begun again with the answer, in the same iteration; the model reads what it returns."""
    model = ScriptedModel([turn("Let me ask.", call("ask", question="Colour?")), "Green it is."])
    agent = Agent(model, [ask])
    paused = await read(agent.run("Paint.", thread_id=thread), end="paused")
    question = asked(paused)
    assert (question.question, question.options) == ("Colour?", ["red", "green"])
    assert kinds(paused)[-2:] == ["tool_start", "interrupt"]
    rest = await read(agent.resume("green", thread_id=thread))
    assert kinds(rest)[:2] == ["tool_start", "tool_complete"]
    assert (end_of(rest).reason, end_of(rest).iterations_used, end_of(rest).total_tool_calls) == ("complete", 2, 1)
    assert model.calls[1].messages[-1]["content"] == "they said green"


@pytest.mark.anyio
async def test_a_tool_may_ask_more_than_once() -> None:
    """Each answer is asked for once, and all of them are there when the call is begun again."""
    agent = Agent(ScriptedModel([call("ask_twice"), "Done."]), [ask_twice])
    first = asked(await read(agent.run("?"), end="paused"))
    second = asked(await read(agent.resume(1), end="paused"))
    assert [first.question, second.question] == ["one?", "two?"]
    assert first.interrupt_id != second.interrupt_id
    (done,) = [event for event in await read(agent.resume(2)) if event.event_type == "tool_complete"]
    assert getattr(done, "result", None) == "1 and 2"


@pytest.mark.anyio
@pytest.mark.parametrize("execution", ["concurrent", "sequential"])
async def test_what_runs_beside_a_question(execution: Any) -> None:
    """Other calls are made once, before or after the answer; every question is asked, one at a time."""
    calls = [call("ask", question="one?"), call("weather", city="Paris"), call("ask", question="two?")]
    model = ScriptedModel([turn(*calls), "Done."])
    agent = Agent(model, [ask, weather], tool_execution=execution)
    events = await read(agent.run("?", thread_id="t"), end="paused")
    told = [asked(events).question]
    while isinstance(events[-1], InterruptEvent):
        events = await read(
            agent.resume(f"answer {len(told)}", thread_id="t"), end="paused" if len(told) < 2 else "complete"
        )
        told += [events[-1].question] if isinstance(events[-1], InterruptEvent) else []
    assert told == ["one?", "two?"]
    results = sorted(str(each["content"]) for each in model.calls[1].messages if each["role"] == "tool")
    assert results == ["rain in Paris", "they said answer 1", "they said answer 2"]
    assert end_of(events).total_tool_calls == 3


@pytest.mark.anyio
async def test_a_question_from_a_task_of_the_tools_own() -> None:
    """It comes out of the group in which it was asked."""
    agent = Agent(ScriptedModel([call("ask_in_group"), "Done."]), [ask_in_group])
    assert asked(await read(agent.run("?"), end="paused")).question == "in a group?"


@pytest.mark.anyio
async def test_what_cannot_be_resumed() -> None:
    """The message says what there is instead."""
    agent = Agent(ScriptedModel([call("ask", question="?"), "Done.", "Again."]), [ask])
    with pytest.raises(UsageError, match="there is no run that could be resumed"):
        await read(agent.resume("yes"))
    with pytest.raises(UsageError, match="in thread 't' there is no run that could be resumed"):
        await read(agent.resume("yes", thread_id="t"))
    await read(agent.run("?", thread_id="t"), end="paused")
    with pytest.raises(UsageError, match=r"thread 't' is paused and asks '\?': answer it with resume\(\)"):
        await read(agent.run("And?", thread_id="t"))
    await read(agent.resume("yes", thread_id="t"))
    with pytest.raises(UsageError, match="that waits for an answer: the last one ended with 'complete'"):
        await read(agent.resume("yes", thread_id="t"))
    with pytest.raises(UsageError, match="needs a thread_id=, and an agent that has a checkpointer"):
        await read(agent.run("?", thread_id="t", checkpoint_id="c"))


@pytest.mark.anyio
async def test_a_run_that_failed_goes_on_without_an_answer() -> None:
    """From where its conversation was whole."""
    model = ScriptedModel([call("weather", city="Paris"), fail(Overloaded()), "Rain."])
    agent = Agent(model, [weather])
    assert end_of(await read(agent.run("?", thread_id="t"))).reason == "overloaded"
    rest = await read(agent.resume(thread_id="t"))
    assert (end_of(rest).reason, end_of(rest).iterations_used) == ("complete", 2)
    assert model.calls[2].messages == model.calls[1].messages


@pytest.mark.anyio
async def test_a_thread_goes_on() -> None:
    """The next prompt finds the conversation, and counts its own iterations; another thread does not."""
    model = ScriptedModel(["One.", "Two.", "Three."])
    agent = Agent(model)
    for prompt, thread in (("a", "t"), ("b", "t"), ("c", "u")):
        assert end_of(await read(agent.run(prompt, thread_id=thread))).iterations_used == 1
    said = [[message["content"] for message in each.messages] for each in model.calls]
    assert said == [["a"], ["a", "One.", "b"], ["c"]]


@pytest.mark.anyio
async def test_a_checkpointer_sees_every_iteration_and_end() -> None:
    """And a question, before it is asked: whoever reads it can answer at once, in another process."""
    saver = Saver()
    script: list[Scripted] = [turn(call("weather", city="x")), turn(call("ask", question="?")), "Done."]
    await read(Agent(ScriptedModel(script), [weather, ask], checkpointer=saver).run("?", thread_id="t"), end="paused")
    assert [state["iteration"] for _, state in saver.saved] == [1, 2]
    assert saver.saved[-1][1]["pause"]["question"] == "?"
    other = Agent(ScriptedModel(["Done."]), [weather, ask], checkpointer=saver)
    assert end_of(await read(other.resume("yes", thread_id="t"))).iterations_used == 3
    assert [state["reason"] for _, state in saver.saved] == [None, None, None, "complete"]
    for _, state in saver.saved:
        assert AgentState.from_checkpoint(state).to_checkpoint() == state
    # From the first checkpoint, the past can go another way.
    fork = Agent(ScriptedModel(["Otherwise."]), [weather, ask], checkpointer=saver)
    again = await read(fork.resume(thread_id="t", checkpoint_id="1"))
    assert (end_of(again).final_message, end_of(again).iterations_used) == ("Otherwise.", 2)


@pytest.mark.anyio
@pytest.mark.parametrize("script", [["Done."], [call("weather", city="x"), "Done."], [call("ask", question="?")]])
async def test_a_state_that_cannot_be_saved_ends_the_run(script: Any) -> None:
    """A person is not asked what nobody could answer."""
    events = await read(Agent(ScriptedModel(script), [weather, ask], checkpointer=Full()).run("?", thread_id="t"))
    assert (end_of(events).reason, end_of(events).error) == ("checkpoint_failed", "OSError: disk full")
