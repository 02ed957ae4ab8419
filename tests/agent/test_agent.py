"""The reference agent emits the native taxonomy, in order, and ends whatever happens."""

import math
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.agent import asking
from playhead.agent.agent import Agent
from playhead.clocks import run as run_on
from playhead.clocks.virtual import VirtualClock
from playhead.contracts.check import check
from playhead.errors import ModelFailure, RecordedError, ReplayMismatch, UsageError
from playhead.events.locus import (
    AgentEvent,
    ModelChunkEvent,
    ModelCompleteEvent,
    ThinkEvent,
    ToolCompleteEvent,
    ToolStartEvent,
)
from playhead.models.scripted import FunctionModel, Scripted, ScriptedModel
from playhead.scripts import (
    BadRequest,
    Overloaded,
    RateLimit,
    ServerError,
    Unauthorized,
    call,
    cut,
    fail,
    hang,
    pause,
    raw_call,
    say,
    think,
    turn,
    usage,
)
from tests.agent.agents import OddModel, broken, end_of, kinds, read, run, weather

DONE = ModelChunkEvent(done=True)


@pytest.mark.anyio
async def test_a_run_without_tools() -> None:
    """Pieces, a thought, an end; the answer is the joined text, and the tokens are added up."""
    events = await run([turn(say("Hello", chunks=2), usage(10, 2))])
    assert kinds(events) == ["model_chunk"] * 3 + ["think", "terminate"]
    end = end_of(events)
    assert (end.reason, end.final_message, end.iterations_used) == ("complete", "Hello", 1)
    assert end.usage == {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}


@pytest.mark.anyio
async def test_without_tokens_there_are_no_pieces() -> None:
    """The rest of the stream is the same."""
    turns: list[Scripted] = [turn("Look.", call("weather", city="Paris")), "Rain."]
    with_pieces, without = [
        await read(Agent(ScriptedModel(turns), [weather], name="trip").run("?", stream_tokens=streams))
        for streams in (True, False)
    ]
    assert kinds(without) == ["think", "tool_start", "tool_complete", "think", "terminate"]
    assert kinds(without) == [kind for kind in kinds(with_pieces) if kind != "model_chunk"]
    assert {event.agent_name for event in [*with_pieces, *without]} == {"trip"}


@pytest.mark.anyio
async def test_the_model_is_told_what_was_said() -> None:
    """The system's prompt, the user's, its own answer with its calls, and results: in this order, with the tools."""
    model = ScriptedModel([turn("Look.", call("weather", city="Paris"), call("broken", city="Rome")), "Rain."])
    await read(Agent(model, [weather, broken], system_prompt="You plan trips.").run("Trip?"))
    first, second = model.calls
    assert [dict(message) for message in first.messages] == [
        {"role": "system", "content": "You plan trips."},
        {"role": "user", "content": "Trip?"},
    ]
    assert second.messages[:2] == first.messages
    asked, *results = second.messages[2:]
    assert (asked["role"], asked["content"]) == ("assistant", "Look.")
    assert [each["name"] for each in asked["tool_calls"]] == ["weather", "broken"]
    assert [dict(each) for each in results] == [
        {"role": "tool", "tool_call_id": "call_1", "content": "rain in Paris"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: ValueError: no such city: Rome"},
    ]
    assert [tool["name"] for tool in first.tools] == ["weather", "broken"]
    assert first.tools[0]["description"] == "Say what the weather is like."
    assert first.tools[0]["parameters"]["required"] == ["city"]


FAULTS: list[tuple[Any, str]] = [
    (fail(RateLimit()), "rate_limit"),
    (fail(Overloaded()), "overloaded"),
    (fail(ServerError()), "server_error"),
    (fail(BadRequest()), "bad_request"),
    (fail(Unauthorized()), "unauthorized"),
    (cut(), "cut"),
    (cut(clean=True), "cut"),
    (hang(), "timeout"),
    (pause(1e5), "timeout"),
]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=[f"{reason}-{n}" for n, (_, reason) in enumerate(FAULTS)])
@pytest.mark.parametrize("pieces", [0, 1, 3])
@pytest.mark.parametrize("streams", [True, False])
def test_the_reason_names_the_fault(fault: Any, reason: str, pieces: int, streams: bool, backend: str) -> None:
    """Before the first piece, in the middle and after a tool, in virtual time: one end, and nothing is raised."""
    clock = VirtualClock()
    answer = turn(*([say("Take an umbrella", chunks=pieces)] if pieces else []), fault)
    scripts: list[list[Scripted]] = [[answer], [call("weather", city="Paris"), answer]]
    for script in scripts:
        agent = Agent(ScriptedModel(script, clock=clock), [weather], clock=clock)
        run = partial(read, agent.run("?", stream_tokens=streams))
        events = run_on(run, clock=clock, backend=backend)
        end = end_of(events)
        assert end.reason == reason
        assert end.error


ODD: list[tuple[Any, str]] = [
    (OddModel("text", DONE), "garbage"),
    (OddModel(None), "cut"),
    (OddModel(ModelCompleteEvent(content="x")), "garbage"),
    (OddModel(DONE, DONE), "garbage"),
    (OddModel(), "cut"),
    (OddModel(ValueError("dsn=postgres://u:p@h")), "model_error"),
    (OddModel(ConnectionResetError()), "cut"),
    (OddModel(TimeoutError()), "timeout"),
    (OddModel(ModelFailure("no", kind="overloaded", status=529)), "overloaded"),
    (OddModel(RecordedError("it failed then", type_name="APIError")), "model_error"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("model", "reason"), ODD)
async def test_a_model_may_send_rubbish(model: OddModel, reason: str) -> None:
    """Whatever it sends or raises, the run has one end, which says so."""
    assert end_of([event async for event in Agent(model).run("?")]).reason == reason


@pytest.mark.anyio
async def test_an_answer_that_never_stops_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that sends piece after piece, and never the last one, is given up."""
    monkeypatch.setattr(asking, "MAX_PIECES", 50)
    events = await read(Agent(OddModel(*[ModelChunkEvent(content="la ")] * 51)).run("?"))
    assert (end_of(events).reason, kinds(events).count("model_chunk")) == ("garbage", 50)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("model", "reason"),
    [(OddModel("text"), "garbage"), (OddModel(DONE), "garbage"), (OddModel(EOFError()), "cut")],
)
async def test_a_whole_answer_may_be_rubbish(model: OddModel, reason: str) -> None:
    """The same where no pieces are wanted."""
    assert end_of([event async for event in Agent(model).run("?", stream_tokens=False)]).reason == reason


class Refused(Exception):
    """Stand for an SDK's exception with an HTTP status."""

    def __init__(self, status_code: int) -> None:
        super().__init__("no")
        self.status_code = status_code


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, "rate_limit"), (401, "unauthorized"), (404, "bad_request"), (418, "bad_request"), (529, "overloaded"),
     (500, "server_error"), (504, "timeout"), (200, "model_error")],
)  # fmt: skip
async def test_an_sdk_says_why_by_its_status(status: int, reason: str) -> None:
    """The exceptions of the usual SDKs carry the status of the answer."""
    assert end_of(await read(Agent(OddModel(Refused(status))).run("?"))).reason == reason


@pytest.mark.anyio
@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("failing", ["model", "tool"])
async def test_a_failure_of_the_test_is_no_answer(failing: str, streams: bool) -> None:
    """A mismatch with a tape ends the run with the reason `error`, and is raised behind that."""
    mismatch = ReplayMismatch("not as recorded")

    async def drifted() -> None:
        raise mismatch

    model: Any = OddModel(mismatch) if failing == "model" else ScriptedModel([call("drifted"), "Done."])
    events: list[AgentEvent] = []

    async def consume() -> None:
        async for event in Agent(model, [drifted]).run("?", stream_tokens=streams):
            events.append(event)  # noqa: PERF401

    with pytest.raises(ReplayMismatch, match="not as recorded"):
        await consume()
    assert end_of(events).reason == "error"
    assert list(check(events, end="error")) == []


@pytest.mark.anyio
async def test_a_script_that_is_too_short_is_the_authors_mistake() -> None:
    """It is raised, not swallowed."""
    with pytest.raises(ReplayMismatch, match="add a turn"):
        await run([call("weather", city="Paris")])


@pytest.mark.anyio
async def test_a_loop_that_never_ends_is_ended() -> None:
    """The last event says that the iterations ran out."""
    events = await run([call("weather", city="Paris")] * 3, max_iterations=3)
    assert [event.iteration for event in events if isinstance(event, ThinkEvent)] == [1, 2, 3]
    assert (end_of(events).reason, end_of(events).total_tool_calls) == ("max_iterations", 3)


@pytest.mark.anyio
@pytest.mark.parametrize("leave_at", [0, 1, 3, 4, 5, 6])
async def test_closing_stops_everything(leave_at: int) -> None:
    """Tools that run have cleaned up when `aclose` returns, at whichever event one leaves."""
    running: set[str] = set()

    async def slow(name: str) -> None:
        running.add(name)
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await checkpoint()
            running.discard(name)

    script = [turn(say("Look.", chunks=2), call("slow", name="a"), call("slow", name="b"))]
    events = Agent(ScriptedModel(script), [slow]).run("?")
    seen = [await anext(events) for _ in range(leave_at)]
    await events.aclose()
    assert running == set()
    assert list(check(seen, end="closed")) == []
    assert [event async for event in events] == []


@pytest.mark.anyio
async def test_cancelling_stops_everything() -> None:
    """A task that is cancelled while it waits for an event leaves no tool running."""
    running: list[int] = []

    async def slow() -> None:
        running.append(1)
        try:
            await anyio.sleep_forever()
        finally:
            running.pop()

    with anyio.move_on_after(0.05):
        async for _ in Agent(ScriptedModel([turn(call("slow"), call("slow"))]), [slow]).run("?"):
            pass
    assert running == []


texts = st.builds(say, st.text(max_size=12), chunks=st.integers(1, 3))
calls = st.one_of(
    st.builds(lambda city: call("weather", city=city), st.text(max_size=3)),
    st.builds(lambda city: call("broken", city=city), st.text(max_size=3)),
    st.just(call("gone")),
    st.just(call("weather")),
    st.builds(lambda text: raw_call("weather", text), st.sampled_from(["{", "[]", "null", '{"city": 1}'])),
    st.builds(lambda id: call("weather", city="x").with_id(id), st.sampled_from(["", "same"])),
)
faults = st.sampled_from([fault for fault, _ in FAULTS])
turns = st.builds(
    lambda said, wanted, fault: turn(*said, *wanted, *fault),
    st.lists(st.one_of(texts, st.builds(think, st.text(max_size=4))), max_size=2),
    st.lists(calls, max_size=3),
    st.one_of(st.just([]), st.just([]), faults.map(lambda fault: [fault])),
)


@given(
    st.lists(turns, max_size=4),
    st.sampled_from(["concurrent", "sequential"]),
    st.sampled_from(["completion", "sequential"]),
    st.booleans(),
    st.sampled_from(["asyncio", "trio"]),
)
@settings(deadline=None)
def test_every_run_ends_once_and_breaks_no_rule(
    script: list[Scripted], execution: Any, order: Any, streams: bool, backend: str
) -> None:
    """Whatever the script, the tools and the options are."""
    clock = VirtualClock()
    model = ScriptedModel([*script, "Done."], clock=clock)
    agent = Agent(model, [weather, broken], tool_execution=execution, tool_event_order=order, clock=clock)
    events = run_on(lambda: read(agent.run("?", stream_tokens=streams)), clock=clock, backend=backend)
    end = end_of(events)
    assert kinds(events)[-1] == "terminate"
    assert kinds(events).count("tool_start") == kinds(events).count("tool_complete") == end.total_tool_calls
    assert (end.error is None) == (end.reason in ("complete", "max_iterations"))


@pytest.mark.anyio
async def test_an_option_that_there_is_not() -> None:
    """The ones that there are, are named."""
    odd: Any = "parallel"
    with pytest.raises(UsageError, match=r"tool_execution='parallel': it is one of 'concurrent', 'sequential'"):
        Agent(ScriptedModel([]), tool_execution=odd)
    with pytest.raises(UsageError, match="two tools are called 'weather'"):
        Agent(ScriptedModel([]), [weather, weather])


@pytest.mark.anyio
async def test_two_runs_at_a_time() -> None:
    """An agent holds no run."""
    agent = Agent(FunctionModel(lambda request: call("weather", city="x")), [weather], max_iterations=2)
    found: list[list[str]] = []

    async def one() -> None:
        found.append(kinds(await read(agent.run("?"))))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert len(found) == 5
    assert all(each == found[0] for each in found)
    assert math.isinf(agent.termination.limit_s())
    assert {type(event) for event in await read(agent.run("?"))} >= {ToolStartEvent, ToolCompleteEvent}


@pytest.mark.anyio
@pytest.mark.parametrize("stream_tokens", [True, False])
async def test_a_timeout_of_the_model_is_told_as_its_own(stream_tokens: bool) -> None:
    """One that it raises itself is not taken for its silence."""

    class Proxied:
        async def stream(self, messages: Any, tools: Any) -> AsyncIterator[Any]:
            if messages:
                raise TimeoutError("the proxy gave up")
            yield messages

        async def complete(self, messages: Any, tools: Any) -> Any:
            raise TimeoutError("the proxy gave up")

    events = [event async for event in Agent(Proxied()).run("?", stream_tokens=stream_tokens)]
    end = end_of(events)
    assert (end.reason, end.error) == ("timeout", "TimeoutError: the proxy gave up")
