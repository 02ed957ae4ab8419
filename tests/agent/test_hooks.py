"""Hooks are told of eight moments, and steer with methods and nothing else."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import anyio
import pytest

from playhead.agent.agent import Agent
from playhead.agent.hooks import MAX_ATTEMPTS, MOMENTS, AfterToolCall, HookEvent, HookProvider
from playhead.agent.termination import TimeLimit
from playhead.clocks import run as run_on
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent, CustomEvent, ModelRetryEvent, ToolCompleteEvent, ToolStartEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import call, fail, turn
from playhead.scripts.failures import RateLimit
from tests.agent.agents import broken, end_of, kinds, read, weather
from tests.agent.savers import Full, Stuck


class Watcher(HookProvider):
    """Note every moment, and steer at one of them with a function."""

    def __init__(self, moment: str = "", steer: Callable[[Any], Any] = lambda event: None) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.moment = moment
        self.steer = steer

    async def note(self, name: str, event: Any) -> None:
        """Take a moment."""
        self.seen.append((name, event))
        if name == self.moment:
            self.steer(event)

    @property
    def names(self) -> list[str]:
        """Return the moments, in order."""
        return [name for name, _ in self.seen]


def _method(name: str) -> Any:
    async def told(self: Watcher, event: Any) -> None:
        await self.note(name.removeprefix("on_"), event)

    return told


for method in MOMENTS.values():
    setattr(Watcher, method, _method(method))

SCRIPT: list[Scripted] = [turn("Look.", call("weather", city="Paris")), "Rain."]


async def watched(watcher: HookProvider, script: Any = SCRIPT, **options: Any) -> list[AgentEvent]:
    """Return the events of a run with a hook."""
    return await read(Agent(ScriptedModel(script), [weather, broken], hooks=[watcher], **options).run("Trip?"))


@pytest.mark.anyio
async def test_the_moments_of_a_run() -> None:
    """In order, each before stands before its after, and all know the run."""
    watcher = Watcher()
    await watched(watcher, name="trip")
    iteration = ["before_iteration", "before_model_call", "after_model_call", "after_iteration"]
    tools = ["before_tool_call", "after_tool_call"]
    assert watcher.names == [
        "before_invocation",
        *iteration[:3],
        *tools,
        *iteration[3:],
        *iteration,
        "after_invocation",
    ]
    assert all(event.run is watcher.seen[0][1].run for _, event in watcher.seen)
    assert watcher.seen[0][1].run.agent_name == "trip"
    told = dict(watcher.seen)
    assert told["before_invocation"].prompt == "Trip?"
    assert (told["after_model_call"].answer, told["after_model_call"].fault) == ("Rain.", None)
    assert (told["after_tool_call"].result, told["after_tool_call"].arguments) == ("rain in Paris", {"city": "Paris"})
    assert (told["after_invocation"].reason, told["after_invocation"].message) == ("complete", "Rain.")


@pytest.mark.anyio
async def test_events_are_frozen() -> None:
    """A hook that assigns to one fails the run."""
    watcher = Watcher("before_tool_call", lambda event: setattr(event, "tool_name", "other"))
    assert "FrozenInstanceError" in str(end_of(await watched(watcher)).error)
    with pytest.raises(FrozenInstanceError):
        watcher.seen[0][1].run = None


STEERED: list[tuple[str, Callable[[Any], Any], str, list[str]]] = [
    ("before_invocation", lambda event: event.cancel("no"), "cancelled", ["terminate"]),
    ("before_iteration", lambda event: event.cancel("no"), "cancelled", ["terminate"]),
    ("before_model_call", lambda event: event.cancel("no"), "cancelled", ["terminate"]),
    ("after_model_call", lambda event: event.cancel("no"), "cancelled", ["model_chunk", "model_chunk", "terminate"]),
    ("after_iteration", lambda event: event.cancel("no"), "cancelled",
     ["model_chunk", "model_chunk", "think", "tool_start", "tool_complete", "terminate"]),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(("moment", "steer", "reason", "expected"), STEERED, ids=[each[0] for each in STEERED])
async def test_a_hook_can_cancel_the_run(
    moment: str, steer: Callable[[Any], Any], reason: str, expected: list[str]
) -> None:
    """With its reason in the last event, and what it emitted before."""

    def both(event: HookEvent) -> None:
        event.emit(CustomEvent(name="bye"))
        steer(event)

    watcher = Watcher(moment, both)
    model = ScriptedModel(SCRIPT)
    found = [event async for event in Agent(model, [weather], hooks=[watcher]).run("?")]
    assert [kind for kind in kinds(found) if kind != "custom"] == expected
    assert kinds(found)[-2:] == ["custom", "terminate"]
    assert (end_of(found).reason, end_of(found).error) == (reason, "no")
    assert watcher.names[-1] == "after_invocation"


@pytest.mark.anyio
async def test_a_hook_steers_a_tool() -> None:
    """The stream shows the arguments and the result that were really used."""

    def both(event: Any) -> None:
        if isinstance(event, AfterToolCall):
            event.replace_result(f"[{event.result}]")
        else:
            event.replace_arguments({"city": "Rome"})

    for moment, arguments, result in (
        ("before_tool_call", {"city": "Rome"}, "rain in Rome"),
        ("after_tool_call", {"city": "Paris"}, "[rain in Paris]"),
    ):
        events = await watched(Watcher(moment, both))
        (start,) = [event for event in events if isinstance(event, ToolStartEvent)]
        (done,) = [event for event in events if isinstance(event, ToolCompleteEvent)]
        assert (start.arguments, done.result) == (arguments, result)


@pytest.mark.anyio
async def test_a_hook_refuses_a_tool() -> None:
    """It is told as started and failed, it did not run, and the model is told why."""
    model = ScriptedModel(SCRIPT)
    watcher = Watcher("before_tool_call", lambda event: event.cancel("not while I am watching"))
    events = await read(Agent(model, [weather], hooks=[watcher]).run("?"))
    (done,) = [event for event in events if isinstance(event, ToolCompleteEvent)]
    assert (done.result, done.error) == (None, "not while I am watching")
    assert "after_tool_call" not in watcher.names
    assert model.calls[1].messages[-1]["content"] == "Error: not while I am watching"


@pytest.mark.anyio
async def test_a_hook_repairs_a_tool() -> None:
    """A failed call is made again, or gets a result all the same."""
    tries: list[str] = []

    async def shaky(city: str) -> str:
        tries.append(city)
        if len(tries) < 3:
            raise OSError("no answer")
        return "rain"

    retry = Watcher("after_tool_call", lambda event: event.retry() if event.error else None)
    script: list[Scripted] = [call("shaky", city="x"), "Done."]
    events = await read(Agent(ScriptedModel(script), [shaky], hooks=[retry]).run("?"))
    assert (len(tries), kinds(events).count("tool_start"), kinds(events).count("tool_complete")) == (3, 1, 1)
    heal = Watcher("after_tool_call", lambda event: event.replace_result("healed"))
    healed = await watched(heal, [call("broken", city="x"), "Done."])
    assert [event.result for event in healed if isinstance(event, ToolCompleteEvent)] == ["healed"]


@pytest.mark.anyio
async def test_a_hook_has_the_model_asked_again() -> None:
    """The stream tells of it, and of the delay; what nobody heals ends the run."""
    watcher = Watcher("after_model_call", lambda event: event.retry(delay_s=0.01) if event.fault else None)
    events = await watched(watcher, [fail(RateLimit(retry_after_s=0.01)), fail(RateLimit()), "Done."])
    first, second = [event for event in events if isinstance(event, ModelRetryEvent)]
    assert (first.attempt, first.reason, first.status_code, first.from_retry_after) == (1, "rate_limit", 429, True)
    assert (second.attempt, second.from_retry_after, end_of(events).reason) == (2, False, "complete")
    assert [event.attempt for name, event in watcher.seen if name == "before_model_call"] == [1, 2, 3]
    better = Watcher("after_model_call", lambda event: event.retry() if event.answer == "Bad." else None)
    events = await watched(better, ["Bad.", "Good."])
    assert (end_of(events).final_message, end_of(events).iterations_used) == ("Good.", 1)


@pytest.mark.anyio
async def test_a_hook_that_never_gives_up_is_stopped() -> None:
    """After a hundred answers the last one counts."""
    watcher = Watcher("after_model_call", lambda event: event.retry())
    events = await watched(watcher, [fail(RateLimit())] * MAX_ATTEMPTS)
    assert end_of(events).reason == "rate_limit"
    assert kinds(events).count("model_retry") == MAX_ATTEMPTS - 1


@pytest.mark.anyio
async def test_a_tool_is_called_no_more_than_that_either() -> None:
    """After a hundred attempts the last result counts."""
    called: list[str] = []

    async def look() -> str:
        called.append("look")
        return str(len(called))

    agent = Agent(
        ScriptedModel([call("look"), "Done."]), [look], hooks=[Watcher("after_tool_call", lambda event: event.retry())]
    )
    events = [event async for event in agent.run("?")]
    assert len(called) == MAX_ATTEMPTS
    assert next(event.result for event in events if event.event_type == "tool_complete") == str(MAX_ATTEMPTS)


def test_a_tool_is_not_called_again_without_time() -> None:
    """A hook that waits before each attempt does not outlast the limit of the run by more than one."""
    clock = VirtualClock()

    async def look() -> str:
        return "nothing"

    async def main() -> list[Any]:
        hooks = [Watcher("after_tool_call", lambda event: event.retry(delay_s=1))]
        agent = Agent(ScriptedModel([call("look")]), [look], hooks=hooks, termination=TimeLimit(3), clock=clock)
        return [event async for event in agent.run("?")]

    start_ns = clock.monotonic_ns()
    assert end_of(run_on(main, clock=clock)).reason == "time_budget"
    assert clock.monotonic_ns() - start_ns <= 4e9


@pytest.mark.anyio
async def test_whoever_leaves_is_told_of_though_a_save_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpointer that does not answer has its time, and the hooks have theirs."""
    monkeypatch.setattr("playhead.agent.loop.GRACE_S", 0.05)
    reasons: list[str] = []

    hook = Watcher("after_invocation", lambda event: reasons.append(event.reason))
    agent = Agent(ScriptedModel(["Hello."]), hooks=[hook], checkpointer=Stuck())
    events = agent.run("?", thread_id="t")
    await anext(events)
    await events.aclose()
    assert reasons == ["closed"]


MISUSED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("before_invocation", lambda event: event.retry(), r"BeforeInvocation.retry\(\) means nothing: at this moment"),
    ("before_model_call", lambda event: event.replace_arguments({}), "there are cancel, emit"),
    ("after_tool_call", lambda event: event.cancel("no"), "there are emit, replace_result, retry"),
    ("after_invocation", lambda event: event.cancel("no"), "there are emit"),
    ("after_iteration", lambda event: event.emit(end_of), "a hook emits a CustomEvent, and this is function"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("moment", "steer", "why"), MISUSED, ids=[each[0] for each in MISUSED])
async def test_anything_else_raises(moment: str, steer: Callable[[Any], Any], why: str) -> None:
    """A hook that steers where there is nothing to steer fails the run, which says so."""
    failed: list[BaseException] = []

    def caught(event: Any) -> None:
        try:
            steer(event)
        except UsageError as error:
            failed.append(error)
            raise

    events = await watched(Watcher(moment, caught))
    assert end_of(events).reason == "hook_failed"
    with pytest.raises(UsageError, match=why):
        raise failed[0]


@pytest.mark.anyio
async def test_steering_comes_too_late_once_the_hook_has_returned() -> None:
    """The run went on."""
    watcher = Watcher()
    await watched(watcher)
    with pytest.raises(UsageError, match=r"BeforeInvocation.cancel\(\) comes too late"):
        watcher.seen[0][1].cancel("no")


@pytest.mark.anyio
@pytest.mark.parametrize("moment", [method.removeprefix("on_") for method in MOMENTS.values()])
async def test_a_hook_that_raises_fails_the_run(moment: str) -> None:
    """With one terminal event, which names the hook; what was open is closed."""

    def fail_now(event: Any) -> None:
        raise ValueError("hook broke")

    events = await watched(Watcher(moment, fail_now))
    assert end_of(events).reason == "hook_failed"
    assert str(end_of(events).error).startswith("ValueError in ")
    assert str(end_of(events).error).endswith(": hook broke")


@pytest.mark.anyio
async def test_every_hook_is_told_that_the_run_is_over() -> None:
    """Also behind one that raises, and where the state could not be saved."""

    def fail_now(event: Any) -> None:
        raise ValueError("hook broke")

    for saver, reason in ((None, "hook_failed"), (Full(), "checkpoint_failed")):
        first, second = Watcher("after_invocation", fail_now), Watcher()
        agent = Agent(ScriptedModel(["Done."]), hooks=[first, second], checkpointer=saver)
        assert end_of(await read(agent.run("?", thread_id="t"))).reason == reason
        assert second.names[-1] == "after_invocation"


@pytest.mark.anyio
@pytest.mark.parametrize("leave", ["close", "cancel"])
async def test_hooks_are_told_of_a_run_that_was_left(leave: str) -> None:
    """Whoever leaves waits for them."""
    watcher = Watcher()
    agent = Agent(ScriptedModel(SCRIPT), [weather], hooks=[watcher])
    with anyio.CancelScope() as scope:
        events = agent.run("?")
        async for _ in events:
            if leave == "close":
                break
            scope.cancel()
    await events.aclose()
    assert watcher.names[-1] == "after_invocation"
    assert watcher.names.count("after_invocation") == 1
    assert watcher.seen[-1][1].reason == {"close": "closed", "cancel": "cancelled"}[leave]


@pytest.mark.anyio
async def test_calls_of_one_id_are_told_apart() -> None:
    """Ids may repeat or be empty; numbers do not."""
    watcher = Watcher()
    same = [call("weather", city=city).with_id("") for city in "abc"]
    await watched(watcher, [turn(*same), "Done."])
    numbers = [(name, event.number) for name, event in watcher.seen if "tool" in name]
    assert sorted(numbers) == sorted((f"{when}_tool_call", n) for when in ("before", "after") for n in (1, 2, 3))


@pytest.mark.anyio
async def test_hooks_may_be_anything_with_the_methods() -> None:
    """No base class is needed, and they are told in the order in which they were given."""
    told: list[str] = []

    class One:
        async def on_before_invocation(self, event: Any) -> None:
            told.append("one")

    class Two(HookProvider):
        async def on_before_invocation(self, event: Any) -> None:
            told.append("two")

    one: Any = One()
    await read(Agent(ScriptedModel(["Done."]), hooks=[one, Two()]).run("?"))
    assert told == ["one", "two"]
