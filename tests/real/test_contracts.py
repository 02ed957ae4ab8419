"""The rules are silent on healthy runs of real agents, whatever way they end."""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

from locus.core.messages import Message, ToolCall
from locus.models.base import ModelResponse
from locus.testing import text, tool_call
from shipit_agent.agent import Agent as ShipitAgent
from shipit_agent.llms.base import LLMResponse
from shipit_agent.models import ToolCall as ShipitCall
from shipit_agent.tools.function import FunctionTool

from playhead.contracts.check import check
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.handlers.sse import SSEHandler
from playhead.recording.recorder import Recorder, record
from playhead.replaying.replay import replay
from playhead.replaying.tape import open_tape
from tests.real.locus_agents import agent, asking, broken, model_error, parallel, subagent, tokens, tool_once, weather
from tests.real.shipit_agents import PreparedLLM, add, call, cancelling, chat, failing, say
from tests.real.shipit_agents import agent as shipit
from tests.real.shipit_agents import tool_once as shipit_tool_once

pytestmark = pytest.mark.anyio

Scenario = Callable[[Recorder], Awaitable[None]]
SCENARIOS: dict[str, tuple[Scenario, str, list[str]]] = {}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: the frameworks are written for it."""
    return "asyncio"


def scenario(dialect: str, *ends: str) -> Callable[[Scenario], Scenario]:
    """Enter a scenario, and how each of its runs ends, into the table."""

    def enter(run: Scenario) -> Scenario:
        SCENARIOS[run.__name__] = (run, dialect, list(ends))
        return run

    return enter


async def consume(tape: Recorder, source: AsyncIterator[Any], *, stop_after: int | None = None) -> None:
    """Tape a run, up to a number of events."""
    async with aclosing(tape.events(source)) as events:
        count = 0
        async for _ in events:
            count += 1
            if count == stop_after:
                return


def batch(*calls: tuple[str, str]) -> ModelResponse:
    """Return an answer that calls a tool several times at once: id and city."""
    made = [ToolCall(id=key, name="weather", arguments={"city": city}) for key, city in calls]
    return ModelResponse(message=Message.assistant(content=None, tool_calls=made), stop_reason="tool_calls")


@scenario("locus", "complete")
async def locus_answer(tape: Recorder) -> None:
    """Answer at once."""
    await consume(tape, agent([text("Hello.")]).run("Hi."))


@scenario("locus", "complete")
async def locus_parallel(tape: Recorder) -> None:
    """Call one tool twice at the same time."""
    await consume(tape, parallel())


@scenario("locus", "complete")
async def locus_failing_tool(tape: Recorder) -> None:
    """Call a tool that fails."""
    await consume(tape, agent([tool_call("broken", city="Atlantis"), text("Sorry.")], broken).run("Trip?"))


@scenario("locus", "complete")
async def locus_unknown_tool(tape: Recorder) -> None:
    """Call a tool that there is not."""
    await consume(tape, agent([tool_call("nowhere", city="Paris"), text("Sorry.")]).run("Trip?"))


@scenario("locus", "complete")
async def locus_repeated_ids(tape: Recorder) -> None:
    """Call a tool under the same id in every turn."""
    turns = [tool_call("weather", city=city, call_id="call_weather") for city in ("Paris", "Rome", "Oslo")]
    await consume(tape, agent([*turns, text("Rome.")]).run("Trip?"))


@scenario("locus", "complete")
async def locus_one_id_in_a_batch(tape: Recorder) -> None:
    """Call a tool twice in one turn, under one id."""
    await consume(tape, agent([batch(("c", "Paris"), ("c", "Rome")), text("Rome.")]).run("Trip?"))


@scenario("locus", "complete")
async def locus_empty_ids(tape: Recorder) -> None:
    """Call a tool twice in one turn, without ids."""
    await consume(tape, agent([batch(("", "Paris"), ("", "Rome")), text("Rome.")]).run("Trip?"))


@scenario("locus", "complete")
async def locus_out_of_steps(tape: Recorder) -> None:
    """Go on until the budget of steps is used up."""
    turns = [tool_call("weather", city=city) for city in ("Paris", "Rome", "Oslo", "Bonn")]
    await consume(tape, agent(turns, max_iterations=2).run("Trip?"))


@scenario("locus", "error")
async def locus_failing_model(tape: Recorder) -> None:
    """Find the provider down after a tool."""
    with suppress(RuntimeError):
        await consume(tape, model_error())


@scenario("locus", "closed")
async def locus_closed_in_a_tool(tape: Recorder) -> None:
    """Leave while a tool is open."""
    await consume(tape, tool_once(), stop_after=2)


@scenario("locus", "closed")
async def locus_closed_in_an_answer(tape: Recorder) -> None:
    """Leave in the middle of an answer."""
    await consume(tape, tokens(), stop_after=3)


@scenario("locus", "cancelled")
async def locus_cancelled_task(tape: Recorder) -> None:
    """Cancel the task that reads, while a tool is open."""

    async def hang() -> AsyncIterator[Any]:
        async for event in tool_once():
            yield event
            if type(event).__name__ == "ToolStartEvent":
                task.cancel()
                await asyncio.Event().wait()

    task = asyncio.ensure_future(consume(tape, hang()))
    with suppress(asyncio.CancelledError):
        await task


@scenario("locus", "cancelled")
async def locus_cancelled_agent(tape: Recorder) -> None:
    """Ask the agent to stop, in its first step."""
    running = agent([tool_call("weather", city=city) for city in ("Paris", "Rome", "Oslo")])
    async with aclosing(tape.events(running.run("Trip?"))) as events:
        async for event in events:
            if type(event).__name__ == "ToolCompleteEvent":
                running.cancel()


@scenario("locus", "complete", "complete")
async def locus_two_turns(tape: Recorder) -> None:
    """Ask one agent twice."""
    running = agent([tool_call("weather", city="Paris"), text("Sun."), text("You are welcome.")])
    await consume(tape, running.run("Weather?"))
    await consume(tape, running.run("Thanks."))


@scenario("locus", "complete")
async def locus_two_turns_in_one_stream(tape: Recorder) -> None:
    """Send two turns of one agent as one stream."""
    running = agent([tool_call("weather", city="Paris"), text("Sun."), text("You are welcome.")])

    async def both() -> AsyncIterator[Any]:
        for prompt in ("Weather?", "Thanks."):
            async for event in running.run(prompt, stream_tokens=True):
                yield event

    await consume(tape, both())


@scenario("locus", "complete")
async def locus_merged_agents(tape: Recorder) -> None:
    """Send the events of two agents as one stream, in turn."""

    async def merged() -> AsyncIterator[Any]:
        open_runs = [tool_once(), parallel()]
        while open_runs:
            for running in list(open_runs):
                event = await anext(running, None)
                if event is None:
                    open_runs.remove(running)
                else:
                    yield event

    await consume(tape, merged())


@scenario("locus", "paused")
async def locus_waiting(tape: Recorder) -> None:
    """Ask a person, and wait."""
    await consume(tape, asking().run("Paint it."))


@scenario("locus", "paused", "complete")
async def locus_resumed(tape: Recorder) -> None:
    """Ask a person, and go on with the answer."""
    running = asking()
    await consume(tape, running.run("Paint it."))
    await consume(tape, running.resume("red"))


@scenario("locus", "complete")
async def locus_resumed_in_one_stream(tape: Recorder) -> None:
    """Send both as one stream."""
    running = asking()

    async def both() -> AsyncIterator[Any]:
        async for event in running.run("Paint it."):
            yield event
        async for event in running.resume("red"):
            yield event

    await consume(tape, both())


@scenario("locus", "complete")
async def locus_tokens(tape: Recorder) -> None:
    """Answer piece by piece."""
    await consume(tape, tokens())


@scenario("locus", "complete")
async def locus_sub_agent(tape: Recorder) -> None:
    """Delegate to another agent."""
    await consume(tape, subagent())


@scenario("locus", "complete")
async def locus_failing_and_fine(tape: Recorder) -> None:
    """Call two tools at once, one of which fails."""
    calls = [
        ToolCall(id="good", name="weather", arguments={"city": "Paris"}),
        ToolCall(id="bad", name="broken", arguments={"city": "Atlantis"}),
    ]
    both = ModelResponse(message=Message.assistant(content=None, tool_calls=calls), stop_reason="tool_calls")
    await consume(tape, agent([both, text("Paris.")], weather, broken).run("Trip?"))


def plain(tape: Recorder, source: Any, *, stop_after: int | None = None) -> None:
    """Tape a run of a plain generator, up to a number of events."""
    with closing(tape.events(source)) as events:
        for count, _ in enumerate(events, 1):
            if count == stop_after:
                return


def boom() -> str:
    """Fail."""
    raise ValueError("boom")


def shipit_calls(*names: str) -> LLMResponse:
    """Return an answer that calls tools without arguments, at once."""
    return LLMResponse(tool_calls=[ShipitCall(name=name, arguments={}, id=f"id_{name}") for name in names])


def shipit_with(answers: Sequence[LLMResponse], *tools: Callable[..., Any]) -> Any:
    """Return an agent of shipit's with these tools."""
    made = [FunctionTool.from_callable(each) for each in tools]
    return ShipitAgent(llm=PreparedLLM(*answers), tools=made, session_id="user-42")


@scenario("shipit", "complete")
async def shipit_answer(tape: Recorder) -> None:
    """Answer at once."""
    plain(tape, shipit(say("Hello.")).stream("Hi."))


@scenario("shipit", "complete")
async def shipit_tool(tape: Recorder) -> None:
    """Call a tool, as an asynchronous stream."""
    await consume(tape, shipit_tool_once().astream("1+2?"))


@scenario("shipit", "complete")
async def shipit_parallel(tape: Recorder) -> None:
    """Call one tool three times at once."""
    calls = [ShipitCall(name="add", arguments={"a": n, "b": n}, id=f"c{n}") for n in range(3)]
    plain(tape, shipit_with([LLMResponse(tool_calls=calls), say("Done.")], add).stream("Add."))


@scenario("shipit", "complete")
async def shipit_unknown_tool(tape: Recorder) -> None:
    """Call a tool that there is not."""
    plain(tape, shipit_with([shipit_calls("nowhere"), say("Sorry.")], add).stream("Go."))


@scenario("shipit", "complete")
async def shipit_failing_tool(tape: Recorder) -> None:
    """Call a tool that fails."""
    plain(tape, shipit_with([shipit_calls("boom"), say("Sorry.")], boom).stream("Go."))


@scenario("shipit", "complete")
async def shipit_wrong_arguments(tape: Recorder) -> None:
    """Call a tool without the arguments that it needs."""
    plain(tape, shipit_with([shipit_calls("add"), say("Sorry.")], add).stream("Add."))


@scenario("shipit", "complete")
async def shipit_failing_model(tape: Recorder) -> None:
    """Find the provider down: shipit says so in an event, and raises nothing."""
    plain(tape, failing().stream("1+2?"))


@scenario("shipit", "cancelled")
async def shipit_cancelled(tape: Recorder) -> None:
    """Cancel the agent from a tool: its stream just ends."""
    plain(tape, cancelling().stream("Go."))


@scenario("shipit", "closed")
async def shipit_closed(tape: Recorder) -> None:
    """Leave in the middle."""
    plain(tape, shipit_tool_once().stream("1+2?"), stop_after=4)


@scenario("shipit", "complete", "complete")
async def shipit_chat(tape: Recorder) -> None:
    """Take two turns of a chat."""
    session = chat()
    plain(tape, session.stream("1+1?"))
    plain(tape, session.stream("2+2?"))


@scenario("shipit", "complete")
async def shipit_many_steps(tape: Recorder) -> None:
    """Call a tool in four steps."""
    plain(tape, shipit_with([*(call(n, n) for n in range(4)), say("Done.")], add).stream("Add."))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_healthy_run_breaks_no_rule(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As events and as the bytes that our handler makes of them; and the tape knows how each run ended."""
    monkeypatch.chdir(tmp_path)
    run, dialect, ends = SCENARIOS[name]
    with record("run.jsonl", dialect=dialect) as tape:
        await run(tape)
    with open_tape("run.jsonl") as played:
        assert list(played.runs.values()) == ends
        assert errors(check(played)) == []
        for key, end in played.runs.items():
            handler = SSEHandler()
            await replay(played, handler, run=key)
            wire = handler.format_all().encode()
            assert errors(check(wire, dialect=dialect, end=None if end == "complete" else end)) == []


def errors(found: Any) -> list[str]:
    """Return the findings that are errors, as text."""
    return [str(each) for each in found if RULES[each.code].severity is not Severity.WARNING]


def test_there_are_enough_of_them() -> None:
    """Both frameworks, and every way to end."""
    assert len(SCENARIOS) >= 30
    ended = {end for _, _, ends in SCENARIOS.values() for end in ends}
    assert ended == {"complete", "error", "closed", "cancelled", "paused"}
