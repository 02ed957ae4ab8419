"""Tools are plain functions: described by annotations, called with what fits, and able to tell how far they are."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from pydantic import BaseModel

from playhead.agent.agent import Agent
from playhead.agent.tools import Tool, emit, interrupt, report_progress, tool_of
from playhead.clocks import run as run_on
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.events.locus import (
    AgentEvent,
    CustomEvent,
    OrchestratorDecisionEvent,
    TerminateEvent,
    ToolCompleteEvent,
    ToolProgressEvent,
)
from playhead.models.scripted import ScriptedModel
from playhead.scripts import call, raw_call, turn
from tests.agent.agents import kinds, read, run


class Place(BaseModel):
    """Stand for an argument with fields."""

    city: str
    days: int = 1


async def plan(place: Place, /) -> str:
    """Cannot be called by name."""
    return place.city


def book(place: Place, rooms: list[int] | None = None, *, late: bool = False) -> dict[str, Any]:
    """Book rooms."""
    return {"city": place.city, "days": place.days, "rooms": rooms, "late": late}


def test_a_function_is_described() -> None:
    """Its name, its documentation, and a schema of its arguments."""
    tool = tool_of(book)
    assert (tool.name, tool.description, tool.is_async) == ("book", "Book rooms.", False)
    assert tool.parameters["required"] == ["place"]
    assert set(tool.parameters["properties"]) == {"place", "rooms", "late"}
    assert tool_of(tool) is tool


def odd(thing: threading.Lock) -> None:
    """Take what has no schema."""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (plan, r"'plan' cannot be a tool: a model gives arguments by name"),
        (odd, r"'odd' cannot be a tool: its arguments have no schema"),
    ],
)
def test_what_cannot_be_a_tool(function: Any, why: str) -> None:
    """It is refused when the agent is made, and the message says which one and why."""
    with pytest.raises(UsageError, match=why):
        Agent(ScriptedModel([]), [function])


class Oracle:
    """Hold a tool that is a method, and one that is an object."""

    async def ask(self, number: int) -> int:
        """Double a number."""
        return 2 * number

    async def __call__(self, number: int) -> int:
        """Double a number, too."""
        return 2 * number


async def told(answer: Any, *tools: Any) -> ToolCompleteEvent:
    """Return how the one call of an answer ended."""
    (found,) = [event for event in await run([answer, "Done."], tools) if isinstance(event, ToolCompleteEvent)]
    return found


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("tool", "answer", "result"),
    [
        (
            book,
            call("book", place={"city": "Paris"}, rooms=["2"]),
            '{"city":"Paris","days":1,"rooms":[2],"late":false}',
        ),
        (Oracle().ask, call("ask", number="4"), "8"),
        (Oracle(), call("Oracle", number=4), "8"),
        (lambda: None, call("<lambda>"), ""),
        (lambda: Place(city="Rome"), call("<lambda>"), '{"city":"Rome","days":1}'),
        (lambda: object, call("<lambda>"), "<class 'object'>"),
        (lambda: "é\udc80", call("<lambda>"), "é\udc80"),
        (lambda **any: any, call("<lambda>", a=1), '{"a":1}'),
    ],
)
async def test_what_a_tool_returns(tool: Any, answer: Any, result: str) -> None:
    """Text as it is, nothing as empty text, the rest as JSON; a mapping is told as one, too."""
    done = await told(answer, tool)
    assert (done.result, done.error) == (result, None)
    assert (done.structured_content is not None) == (result.startswith("{") and "Rome" not in result)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (call("book"), "the arguments do not fit: place: Missing required argument"),
        (call("book", place={"city": 1}, x=2), "the arguments do not fit: place.city: Input should be a valid string; "
         "x: Unexpected keyword argument"),
        (raw_call("book", "{"), "the arguments are no JSON object: {"),
        (raw_call("book", "[1]"), "the arguments are no JSON object: [1]"),
        (call("cook"), "there is no tool 'cook'"),
    ],
)  # fmt: skip
async def test_what_a_model_may_get_wrong(answer: Any, error: str) -> None:
    """It is told in a line, and the run goes on."""
    assert (await told(answer, book)).error == error


NAME: ContextVar[str] = ContextVar("name", default="nobody")


@pytest.mark.anyio
@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_tool_tells_how_far_it_is(in_thread: bool) -> None:
    """What it tells comes while it runs, from the loop and from a thread; the caller's context is there."""
    go = threading.Event()

    def begin() -> None:
        report_progress(1, 3, message="one")
        emit(CustomEvent(name=NAME.get()))

    def blocking() -> str:
        begin()
        assert go.wait(10)
        return threading.current_thread().name

    async def waiting() -> str:
        begin()
        while not go.is_set():
            await checkpoint()
        return threading.current_thread().name

    NAME.set("me")
    tool = blocking if in_thread else waiting
    tool.__name__ = "tool"
    seen: list[AgentEvent] = []
    async for event in Agent(ScriptedModel([call("tool"), "Done."]), [tool]).run("?"):
        seen.append(event)
        if isinstance(event, CustomEvent):
            assert "tool_complete" not in kinds(seen)
            go.set()
    assert kinds(seen)[2:6] == ["tool_start", "tool_progress", "custom", "tool_complete"]
    progress, custom, done = seen[3:6]
    assert isinstance(progress, ToolProgressEvent)
    assert (progress.progress, progress.total, progress.message) == (1, 3, "one")
    assert isinstance(custom, CustomEvent)
    assert custom.name == "me"
    assert isinstance(done, ToolCompleteEvent)
    assert (done.result == threading.current_thread().name) is not in_thread


def test_outside_a_tool_there_is_nobody_to_tell() -> None:
    """The three functions say so."""
    for function, arguments in ((report_progress, (1,)), (interrupt, ("?",)), (emit, (CustomEvent(name="x"),))):
        with pytest.raises(UsageError, match="is for the inside of a tool"):
            function(*arguments)


@pytest.mark.anyio
async def test_a_tool_cannot_send_what_is_the_loops() -> None:
    """It may tell of decisions, and not of ends."""

    async def helpful() -> None:
        emit(OrchestratorDecisionEvent(decision="wait"))

    async def forging() -> None:
        emit(TerminateEvent(reason="complete", iterations_used=1, final_confidence=0, total_tool_calls=0))

    assert "orchestrator_decision" in kinds(await run([call("helpful"), "Done."], [helpful]))
    with pytest.raises(UsageError, match="'terminate' is the loop's own to send"):
        await run([call("forging"), "Done."], [forging])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("execution", "order", "expected"),
    [
        ("concurrent", "completion", ["+a", "+b", "+c", "-c", "-b", "-a"]),
        ("concurrent", "sequential", ["+a", "+b", "+c", "-a", "-b", "-c"]),
        ("sequential", "completion", ["+a", "-a", "+b", "-b", "+c", "-c"]),
        ("sequential", "sequential", ["+a", "-a", "+b", "-b", "+c", "-c"]),
    ],
)
def test_the_order_of_tools(execution: Any, order: Any, expected: list[str], backend: str) -> None:
    """Starts come in the order of the calls, completions as they come or in that order, too."""
    clock = VirtualClock()

    async def wait(name: str, seconds: float) -> str:
        await clock.sleep(seconds)
        return name

    calls = [call("wait", name=name, seconds=3 - number).with_id(name) for number, name in enumerate("abc")]
    agent = Agent(
        ScriptedModel([turn(*calls), "Done."], clock=clock),
        [wait],
        clock=clock,
        tool_execution=execution,
        tool_event_order=order,
    )
    events: Any = run_on(lambda: read(agent.run("?")), clock=clock, backend=backend)
    told = [event for event in events if event.event_type in ("tool_start", "tool_complete")]
    assert ["+-"[event.event_type == "tool_complete"] + event.tool_call_id for event in told] == expected
    took = [event.duration_ms for event in events if event.event_type == "tool_complete"]
    assert sorted(took) == pytest.approx([1000, 2000, 3000], abs=1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_tool_has_a_deadline(backend: str) -> None:
    """One that hangs has failed, and the run goes on."""
    clock = VirtualClock()

    async def hang() -> None:
        await anyio.sleep_forever()

    agent = Agent(ScriptedModel([call("hang"), "Done."], clock=clock), [hang], clock=clock, tool_timeout_s=30)
    events: Any = run_on(lambda: read(agent.run("?")), clock=clock, backend=backend)
    (done,) = [event for event in events if isinstance(event, ToolCompleteEvent)]
    assert done.error == "TimeoutError: the tool was still running after 30 s"
    assert done.duration_ms == pytest.approx(30_000, abs=1)
    assert events[-1].reason == "complete"


def test_a_tool_that_will_not_stop_does_not_hold_the_run_up() -> None:
    """One that ignores its cancellation has five seconds; then closing the stream returns all the same."""
    clock = VirtualClock()

    async def stubborn() -> None:
        while True:
            try:
                await clock.sleep(1)
            except asyncio.CancelledError:
                if clock.monotonic_ns() - start_ns > 60e9:
                    raise

    async def main() -> None:
        events = Agent(ScriptedModel([call("stubborn")]), [stubborn], clock=clock).run("?")
        assert kinds([await anext(events) for _ in range(3)])[-1] == "tool_start"
        await events.aclose()
        assert 5e9 <= clock.monotonic_ns() - start_ns < 6e9

    start_ns = clock.monotonic_ns()
    run_on(main, clock=clock)


@pytest.mark.anyio
async def test_a_tool_of_ones_own_making() -> None:
    """What has no function with annotations is described by hand."""

    async def shout(arguments: Any) -> str:
        return str(arguments["text"]).upper()

    tool = Tool("shout", "Shout.", {"type": "object", "properties": {"text": {"type": "string"}}}, shout)
    assert (await told(call("shout", text="hi"), tool)).result == "HI"
