"""A run without an event loop: the same stream, for plain code, and what came of it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from playhead.agent.agent import Agent
from playhead.agent.results import AgentResult, Metrics
from playhead.agent.tools import interrupt
from playhead.clocks import run as run_on
from playhead.contracts.check import check
from playhead.errors import ReplayMismatch, UsageError
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import call, cut, say, turn, usage
from tests.agent.agents import broken, kinds, read, weather
from tests.agent.test_hooks import Watcher

SCRIPT: list[Scripted] = [
    turn(call("weather", city="Paris"), call("broken", city="Rome"), usage(5, 2)),
    turn(say("Rain.", chunks=2), usage(9, 3)),
]


def test_a_result_has_what_came_of_a_run() -> None:
    """The answer, why it ended, what ran and what it took; hooks were told all the same."""
    watcher = Watcher()
    agent = Agent(ScriptedModel(SCRIPT), [weather, broken], hooks=[watcher], tool_event_order="sequential")
    result = agent.run_sync("?")
    assert (result.message, result.stop_reason, result.error) == ("Rain.", "complete", None)
    assert result.metrics == Metrics(iterations=2, tool_calls=2)
    assert [(each.tool_name, each.arguments, each.result, each.error) for each in result.tool_executions] == [
        ("weather", {"city": "Paris"}, "rain in Paris", None),
        ("broken", {"city": "Rome"}, None, "ValueError: no such city: Rome"),
    ]
    assert result.usage == {"prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19}
    assert watcher.names[0] == "before_invocation"
    assert watcher.names[-1] == "after_invocation"


def test_a_failure_is_a_result() -> None:
    """It is told, not raised; a failure of the test is raised."""
    result = Agent(ScriptedModel([turn("a", cut())])).run_sync("?")
    assert (result.stop_reason, result.error) == ("cut", "ModelFailure: the connection was lost")
    with pytest.raises(ReplayMismatch, match="add a turn"):
        Agent(ScriptedModel([])).run_sync("?")


def test_a_question_is_a_result() -> None:
    """And can be answered."""

    def ask() -> str:
        return str(interrupt("Sure?"))

    agent = Agent(ScriptedModel([call("ask"), "Done."]), [ask])
    result = agent.run_sync("?")
    assert result.interrupt is not None
    assert (result.stop_reason, result.interrupt.question) == ("interrupt", "Sure?")
    assert agent.resume_sync("yes").tool_executions[0].result == "yes"


def test_a_stream_without_a_loop() -> None:
    """The same events in the same order, each as it occurs."""
    started = threading.Event()

    def note() -> None:
        started.set()

    events = []
    for event in Agent(ScriptedModel([call("note"), "Done."]), [note]).stream("?"):
        events.append(event)
        if event.event_type == "think" and not started.is_set():
            assert "tool_start" not in kinds(events)
    assert started.is_set()
    assert list(check(events)) == []
    again: list[Any] = asyncio.run(read(Agent(ScriptedModel([call("note"), "Done."]), [note]).run("?")))
    assert kinds(events) == kinds(again)


@pytest.mark.parametrize("leave_at", [0, 1, 3, 4])
def test_leaving_a_plain_stream_cleans_up(leave_at: int) -> None:
    """A `break` is enough, at each event."""
    running: list[int] = []

    async def slow() -> None:
        running.append(1)
        try:
            await anyio.sleep_forever()
        finally:
            running.pop()

    watcher = Watcher()
    stream = Agent(ScriptedModel([turn("a", call("slow"))]), [slow], hooks=[watcher]).stream("?")
    seen = [next(stream) for _ in range(leave_at)]
    stream.close()
    assert running == []
    assert list(check(seen, end="closed")) == []
    assert watcher.names.count("after_invocation") == (leave_at > 0)


def test_a_plain_stream_can_be_read_from_any_thread() -> None:
    """Each event by another one; the tasks of the run do not notice."""
    stream = Agent(ScriptedModel(SCRIPT), [weather, broken]).stream("?")
    events = []
    while True:
        with ThreadPoolExecutor(1) as pool:
            event = pool.submit(next, stream, None).result(30)
        if event is None:
            break
        events.append(event)
    assert list(check(events)) == []
    assert kinds(events)[-1] == "terminate"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_running_loop_is_not_blocked(backend: str) -> None:
    """The message says what to use instead; in a thread it works."""

    async def main() -> Any:
        agent = Agent(ScriptedModel(["Done."]))
        if backend == "asyncio":
            with pytest.raises(UsageError, match=r"run_sync\(\) waits for the whole run, and an event loop is running"):
                agent.run_sync("?")
            with pytest.raises(UsageError, match=r"stream\(\) waits"):
                next(agent.stream("?"))
        return await anyio.to_thread.run_sync(agent.run_sync, "?")

    assert anyio.run(main, backend=backend).message == "Done."


def test_a_result_is_read_from_events() -> None:
    """From those of a tape, too; a stream that does not end has none."""
    events: Any = run_on(lambda: read(Agent(ScriptedModel(SCRIPT), [weather, broken]).run("?")))
    assert AgentResult.of(events).message == "Rain."
    with pytest.raises(UsageError, match="these events are no whole run"):
        AgentResult.of(events[:-1])
