"""Runs of the real agent become spans of the real SDK, properly nested whatever runs beside whatever."""

import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import anyio
import pytest

pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed")

import anyio.lowlevel
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from playhead.adapters.otel import Name, Own, TelemetryHook
from playhead.adapters.otel.values import MAX_COLUMNS
from playhead.agent.agent import Agent
from playhead.agent.hooks import (
    AfterInvocation,
    AfterModelCall,
    AfterToolCall,
    BeforeModelCall,
    BeforeToolCall,
    HookProvider,
    RunInfo,
)
from playhead.agent.tools import interrupt
from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import AgentEvent, ModelChunkEvent, ThinkEvent
from playhead.ids import SequenceIds
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import RateLimit, call, cut, fail, hang, say, turn, usage
from tests.adapters.otel.watching import BACKENDS, Watch, attributes, seconds, virtually

Tools = Sequence[Callable[..., Any] | Agent]


CONTENT = (Name.ARGUMENTS, Name.RESULT)


class NamedModel(ScriptedModel):
    """A scripted model that says its name."""

    async def stream(self, *asked: Any, **options: Any) -> AsyncIterator[ModelChunkEvent]:
        """Yield the pieces, with the model's name."""
        async with aclosing(super().stream(*asked, **options)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece.model_copy(update={"model": "gpt-9"})


def agent_of(watch: Watch, script: Sequence[Scripted], tools: Tools = (), **options: Any) -> Agent:
    """Return an agent that is watched."""
    hooks = options.pop("hooks", [watch.hook])
    return Agent(ScriptedModel(script, clock=watch.clock), tools, hooks=hooks, clock=watch.clock, **options)


async def read(events: AsyncGenerator[AgentEvent, None]) -> list[AgentEvent]:
    """Return the events of a run."""
    return [event async for event in events]


def same_id(id: str, *durations_s: float) -> Scripted:
    """Return an answer that calls `wait` once for each duration, with one id for all."""
    return turn(*(call("wait", seconds=each).with_id(id) for each in durations_s))


async def wait(seconds: float) -> str:
    """Wait, on whatever time there is."""
    await anyio.sleep(seconds)
    return f"waited {seconds:g} s"


def broken(city: str) -> str:
    """Stand for a tool that raises."""
    raise ValueError(f"no weather in {city}")


@pytest.mark.anyio
async def test_a_run_is_a_tree() -> None:
    """The run, in it what the model was asked and the tools that it called, each with what the conventions want."""
    watch = Watch(service_name="trips", provider_name="openai")
    model = NamedModel([turn(call("wait", seconds=0), usage(7, 3)), turn(say("Take the train."), usage(20, 5))])
    agent = Agent(model, [wait], name="scout", hooks=[watch.hook])
    await read(agent.run("Paris?", thread_id="t1"))
    assert watch.tree() == {
        "invoke_agent scout": {"chat gpt-9": {}, "execute_tool wait": {}, "chat gpt-9 #2": {}},
    }
    root, chat, tool, _ = watch.spans
    assert [span.kind for span in watch.spans] == [
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
    ]
    assert {span.status.status_code for span in watch.spans} == {StatusCode.UNSET}
    scout = {"service.name": "trips", "gen_ai.agent.name": "scout"}
    assert attributes(root) == scout | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": "t1",
        "gen_ai.usage.input_tokens": 27,
        "gen_ai.usage.output_tokens": 8,
        "playhead.reason": "complete",
        "playhead.iterations": 2,
    }
    assert attributes(chat) == scout | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-9",
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "playhead.iteration": 1,
        "playhead.attempt": 1,
    }
    assert attributes(tool) == scout | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "wait",
        "gen_ai.tool.call.id": "call_1",
    }


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("durations_s", [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize("id", ["c1", ""])
def test_parallel_calls_of_one_tool_are_told_apart(backend: str, durations_s: tuple[float, float], id: str) -> None:
    """They have one name and one id; each has its own span, its own time and its own children, in either order."""
    watch = Watch(clock=VirtualClock())

    async def inner(seconds: float) -> None:
        with watch.tracer.start_as_current_span(f"inside {seconds:g}"):
            await anyio.sleep(seconds)

    async def wait(seconds: float) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(inner, seconds)

    async def main() -> None:
        await read(agent_of(watch, [same_id(id, *durations_s), "done"], [wait]).run("go"))

    virtually(main, watch, backend)
    tools = [span for span in watch.spans if span.name == "execute_tool wait"]
    assert sorted(seconds(span) for span in tools) == [(0.0, each) for each in sorted(durations_s)]
    by_id = {span.context.span_id: span for span in tools if span.context}
    inside = [span for span in watch.spans if span.name.startswith("inside")]
    assert {span.parent.span_id for span in inside if span.parent} == set(by_id)
    assert {attributes(span).get("gen_ai.tool.call.id") for span in tools} == {id or None}


@pytest.mark.anyio
@pytest.mark.parametrize("thread", [False, True])
async def test_a_span_of_a_tool_s_code_lies_in_the_tool(thread: bool) -> None:
    """Be it a coroutine or a function in a thread; sequential tools do not lie in one another."""
    watch = Watch()

    async def coroutine() -> None:
        with watch.tracer.start_as_current_span("inside"):
            await anyio.lowlevel.checkpoint()

    def function() -> None:
        watch.tracer.start_span("inside").end()

    tool = function if thread else coroutine
    calls = turn(call(tool.__name__), call(tool.__name__))
    await read(agent_of(watch, [calls, "done"], [tool], tool_execution="sequential").run("go"))
    name = f"execute_tool {tool.__name__}"
    assert watch.tree()["invoke_agent"] == {
        "chat": {},
        name: {"inside": {}},
        f"{name} #2": {"inside": {}},
        "chat #2": {},
    }


@pytest.mark.anyio
async def test_the_span_of_a_call_ends_with_its_iteration() -> None:
    """Later hooks have spoken by then; nobody has to wait for it until the run is over."""
    watch = Watch()
    async with aclosing(agent_of(watch, [call("wait", seconds=0), "done"], [wait]).run("go")) as events:
        async for event in events:
            if isinstance(event, ThinkEvent) and event.iteration == 2:
                break
        assert [span.name for span in watch.spans] == ["chat", "execute_tool wait", "chat"]
        assert watch.ledger.open == ["invoke_agent"]


@pytest.mark.anyio
async def test_a_sub_agent_lies_in_the_tool_that_runs_it() -> None:
    """One hook watches both, even if their ids are the same."""
    watch = Watch()
    inner = agent_of(watch, [call("wait", seconds=0), "sunny"], [wait], name="weather", ids=SequenceIds())
    outer = agent_of(watch, [call("weather", prompt="Paris?"), "go"], [inner], name="scout", ids=SequenceIds())
    await read(outer.run("Shall I?"))
    assert watch.tree() == {
        "invoke_agent scout": {
            "chat": {},
            "execute_tool weather": {"invoke_agent weather": {"chat": {}, "execute_tool wait": {}, "chat #2": {}}},
            "chat #2": {},
        }
    }


@pytest.mark.anyio
async def test_a_run_lies_in_the_span_that_started_it() -> None:
    """And leaves the current span of its consumer alone, between any two events and behind the last."""
    watch = Watch()
    agent = agent_of(watch, [call("wait", seconds=0), "done"], [wait])
    with watch.tracer.start_as_current_span("request") as request:
        async for _ in agent.run("go"):
            assert get_current_span() is request
        assert get_current_span() is request
    assert list(watch.tree()) == ["request"]
    assert list(watch.tree()["request"]) == ["invoke_agent"]


def test_a_blocking_run_lies_in_the_span_that_started_it() -> None:
    """As a run on an event loop does."""
    watch = Watch()
    with watch.tracer.start_as_current_span("request"):
        agent_of(watch, ["done"]).run_sync("go")
        list(agent_of(watch, ["done"]).stream("go"))
    assert watch.tree() == {"request": {"invoke_agent": {"chat": {}}, "invoke_agent #2": {"chat": {}}}}


@pytest.mark.anyio
async def test_a_run_stays_in_its_span_when_its_consumer_moves_on() -> None:
    """Whatever span is current when a later event is asked for."""
    watch = Watch()
    events = agent_of(watch, [call("wait", seconds=0), "done"], [wait]).run("go")
    async with aclosing(events):
        await anext(events)
        with watch.tracer.start_as_current_span("elsewhere"):
            await read(events)
    assert watch.tree() == {"invoke_agent": {"chat": {}, "execute_tool wait": {}, "chat #2": {}}, "elsewhere": {}}


@pytest.mark.anyio
async def test_two_runs_at_once_are_two_trees() -> None:
    """One agent, one hook, two traces."""
    watch = Watch()
    both = ScriptedModel([call("wait", seconds=0), call("wait", seconds=0), "done", "done"])
    agent = Agent(both, [wait], hooks=[watch.hook], ids=SequenceIds())
    first, second = agent.run("one"), agent.run("two")
    async with aclosing(first), aclosing(second):
        await anext(first)
        await anext(second)
        await read(first)
        await read(second)
    tree: dict[str, Any] = {"chat": {}, "execute_tool wait": {}, "chat #2": {}}
    assert watch.tree() == {"invoke_agent": tree, "invoke_agent #2": tree}
    assert len({span.context.trace_id for span in watch.spans if span.context}) == 2


class Retry(HookProvider):
    """Have the model asked, and failed tools called, once more."""

    async def on_after_model_call(self, event: AfterModelCall) -> None:
        """Ask once more."""
        if event.fault is not None and event.attempt == 1:
            event.retry(delay_s=5.0)

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Call once more."""
        if event.error is not None:
            event.retry(delay_s=5.0)


class Guard(HookProvider):
    """Forbid one tool, and let another have other arguments, or another result."""

    async def on_before_tool_call(self, event: BeforeToolCall) -> None:
        """Forbid, or replace."""
        if event.tool_name == "broken":
            event.cancel("not while I watch")
        else:
            event.replace_arguments({"seconds": 2})

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Replace."""
        event.replace_result("as if nothing had been")


def in_both_orders(watch: Watch, other: HookProvider) -> list[list[HookProvider]]:
    """Return the hooks as they may be registered: neither order may make a difference."""
    return [[watch.hook, other], [other, watch.hook]]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (fail(RateLimit(message="slow down, hunter2")), "rate_limit"),
        (turn(say("hunter2"), cut()), "cut"),
        (turn(say("hunter2"), hang()), "timeout"),
    ],
)
@pytest.mark.parametrize("told", [False, True])
async def test_a_fault_of_the_model_is_named(script: Scripted, fault: str, told: bool) -> None:
    """The model call and the run have failed, by the name of the fault; what it said is told on request."""
    watch = Watch(record_results=told)
    await read(agent_of(watch, [script], model_timeout_s=0.01).run("go"))
    assert watch.tree() == {"invoke_agent": {"chat": {}}}
    for span in watch.spans:
        assert (span.status.status_code, attributes(span)["error.type"]) == (StatusCode.ERROR, fault)
        assert bool(span.status.description) is told
    assert attributes(watch.span("invoke_agent"))["playhead.reason"] == fault


@pytest.mark.anyio
async def test_a_tool_that_fails_has_the_type_of_its_error() -> None:
    """The run goes on, and is no failure. A tool that is not there, and arguments that do not fit, have no type."""
    watch = Watch()
    script = turn(call("broken", city="Paris"), call("missing"), call("broken", town="Paris"))
    await read(agent_of(watch, [script, "done"], [broken]).run("go"))
    tools = [span for span in watch.spans if span.name.startswith("execute_tool")]
    assert {span.status.status_code for span in tools} == {StatusCode.ERROR}
    assert sorted(attributes(span)["error.type"] for span in tools) == ["ValueError", "_OTHER", "_OTHER"]
    assert watch.span("invoke_agent").status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [0, 1])
def test_a_model_that_is_asked_again_has_a_span_for_each_attempt(backend: str, order: int) -> None:
    """The first has failed, the second has not, and the pause lies between them."""
    watch = Watch(clock=VirtualClock())
    hooks = in_both_orders(watch, Retry())[order]

    async def main() -> None:
        await read(agent_of(watch, [fail(RateLimit()), "done"], hooks=hooks).run("go"))

    virtually(main, watch, backend)
    root, first, second = watch.spans
    assert [attributes(span)["playhead.attempt"] for span in (first, second)] == [1, 2]
    assert [span.status.status_code for span in (root, first, second)] == [
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert seconds(second)[0] - seconds(first)[1] == 5.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [0, 1])
def test_a_tool_that_is_called_again_has_one_span_over_all_attempts(backend: str, order: int) -> None:
    """The last attempt decides whether it failed; what the tool's code did in each lies in it."""
    watch = Watch(clock=VirtualClock())
    hooks = in_both_orders(watch, Retry())[order]
    tries = iter([1, 2])

    async def flaky() -> str:
        with watch.tracer.start_as_current_span("try"):
            await anyio.sleep(1)
            if next(tries) == 1:
                raise OSError("not yet")
        return "there"

    async def main() -> None:
        await read(agent_of(watch, [call("flaky"), "done"], [flaky], hooks=hooks).run("go"))

    virtually(main, watch, backend)
    assert watch.tree()["invoke_agent"]["execute_tool flaky"] == {"try": {}, "try #2": {}}
    tool = watch.span("execute_tool flaky")
    assert (seconds(tool), attributes(tool)["playhead.attempts"]) == ((0.0, 7.0), 2)
    assert tool.status.status_code is StatusCode.UNSET


@pytest.mark.anyio
@pytest.mark.parametrize("order", [0, 1])
async def test_what_hooks_make_of_a_call_is_told(order: int) -> None:
    """A call that one forbade was never made; arguments and results are those that were used."""
    watch = Watch(record_arguments=True, record_results=True)
    hooks = in_both_orders(watch, Guard())[order]
    script = turn(call("broken", city="Paris"), call("hasty", seconds=1))

    def hasty(seconds: float) -> None:
        raise ValueError(seconds)

    await read(agent_of(watch, [script, "done"], [broken, hasty], hooks=hooks).run("go"))
    forbidden, replaced = watch.span("execute_tool broken"), watch.span("execute_tool hasty")
    assert attributes(forbidden)["error.type"] == "cancelled"
    assert forbidden.status.description == "not while I watch"
    assert forbidden.start_time == forbidden.end_time
    assert "playhead.unfinished" not in attributes(forbidden)
    assert replaced.status.status_code is StatusCode.UNSET
    assert attributes(replaced)["gen_ai.tool.call.arguments"] == '{"seconds":2}'
    assert attributes(replaced)["gen_ai.tool.call.result"] == "as if nothing had been"


@pytest.mark.anyio
async def test_a_run_that_is_left_ends_what_it_had_open() -> None:
    """The tools that ran are unfinished, and nothing has failed."""
    watch = Watch()
    agent = agent_of(watch, [turn(call("wait", seconds=0), call("wait", seconds=3600)), "never"], [wait])
    events = agent.run("go")
    async with aclosing(events):
        while (await anext(events)).event_type != "tool_complete":
            pass
    assert watch.tree() == {"invoke_agent": {"chat": {}, "execute_tool wait": {}, "execute_tool wait #2": {}}}
    tools = [span for span in watch.spans if span.name == "execute_tool wait"]
    done, left = sorted(tools, key=lambda span: "playhead.unfinished" in attributes(span))
    assert "playhead.unfinished" not in attributes(done)
    assert attributes(left)["playhead.unfinished"] is True
    assert max(left.start_time or 0, done.end_time or 0) < (left.end_time or 0)
    assert attributes(watch.span("invoke_agent"))["playhead.reason"] == "closed"
    assert {span.status.status_code for span in watch.spans} == {StatusCode.UNSET}


@pytest.mark.anyio
@pytest.mark.parametrize("order", [0, 1])
async def test_a_call_that_is_left_between_two_attempts_is_unfinished(order: int) -> None:
    """However the first one ended."""
    watch = Watch(record_results=True)
    events = agent_of(watch, [call("broken", city="Paris")], [broken], hooks=in_both_orders(watch, Retry())[order]).run(
        "go"
    )
    async with aclosing(events):
        with anyio.move_on_after(0.05):
            await read(events)
    tool = watch.span("execute_tool broken")
    assert attributes(tool)["playhead.unfinished"] is True
    assert attributes(watch.span("invoke_agent"))["playhead.reason"] == "cancelled"


@pytest.mark.anyio
@pytest.mark.parametrize("order", [0, 1])
async def test_a_question_that_a_hook_forbade_has_no_span(order: int) -> None:
    """The model was never asked; the run says that it was cancelled."""

    class Stop(HookProvider):
        async def on_before_model_call(self, event: BeforeModelCall) -> None:
            event.cancel("enough")

    watch = Watch()
    await read(agent_of(watch, ["never"], hooks=in_both_orders(watch, Stop())[order]).run("go"))
    assert watch.tree() == {"invoke_agent": {}}
    assert attributes(watch.span("invoke_agent"))["error.type"] == "cancelled"


@pytest.mark.anyio
async def test_a_run_that_is_cancelled_ends_the_model_call() -> None:
    """The call is unfinished, and the run was cancelled."""
    watch = Watch()
    agent = agent_of(watch, [turn(say("wait"), hang())])
    with anyio.CancelScope() as scope:
        async for _ in agent.run("go"):
            scope.cancel()
    assert watch.tree() == {"invoke_agent": {"chat": {}}}
    assert attributes(watch.span("chat"))["playhead.unfinished"] is True
    assert attributes(watch.span("invoke_agent"))["playhead.reason"] == "cancelled"


@pytest.mark.anyio
async def test_a_paused_run_and_its_rest_are_two_spans_of_one_conversation() -> None:
    """The call that asks has ended with the pause, and is made again when there is an answer."""
    watch = Watch()

    async def ask() -> str:
        return str(interrupt("Train or plane?"))

    agent = agent_of(watch, [call("ask"), "done"], [ask])
    await read(agent.run("go", thread_id="t1"))
    await read(agent.resume("train", thread_id="t1"))
    assert watch.tree() == {
        "invoke_agent": {"chat": {}, "execute_tool ask": {}},
        "invoke_agent #2": {"execute_tool ask": {}, "chat": {}},
    }
    paused, _, asked, resumed, answered, _ = map(attributes, watch.spans)
    assert (paused["playhead.paused"], paused["playhead.reason"]) == (True, "interrupt")
    assert asked["playhead.paused"] is True
    assert "playhead.unfinished" not in asked
    assert resumed["playhead.resumed"] is True
    assert not {"playhead.paused", "playhead.unfinished"} & {*resumed, *answered}
    assert paused["gen_ai.conversation.id"] == resumed["gen_ai.conversation.id"] == "t1"
    assert {span.status.status_code for span in watch.spans} == {StatusCode.UNSET}


def failing(method: str) -> HookProvider:
    """Return a hook with a bug, at one moment."""

    async def fail(self: HookProvider, event: object) -> None:
        raise RuntimeError("a bug")

    made: HookProvider = type("Buggy", (HookProvider,), {method: fail})()
    return made


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "order", "left"),
    [
        ("on_before_invocation", 0, []),
        ("on_before_iteration", 0, []),
        ("on_before_model_call", 0, []),
        ("on_after_model_call", 0, ["chat"]),
        ("on_before_tool_call", 0, ["chat", "execute_tool wait"]),
        ("on_after_tool_call", 0, ["chat", "execute_tool wait"]),
        ("on_after_iteration", 0, ["chat", "execute_tool wait"]),
        ("on_after_invocation", 0, ["chat", "execute_tool wait", "chat #2"]),
        ("on_before_iteration", 1, []),
        ("on_before_model_call", 1, []),
        ("on_after_model_call", 1, ["chat"]),
        ("on_before_tool_call", 1, ["chat"]),
        ("on_after_tool_call", 1, ["chat", "execute_tool wait"]),
        ("on_after_iteration", 1, ["chat", "execute_tool wait"]),
    ],
)
async def test_a_bug_of_another_hook_leaves_nothing_open(method: str, order: int, left: list[str]) -> None:
    """Every span that began has ended with the run, which says why it failed."""
    watch = Watch()
    hooks = in_both_orders(watch, failing(method))[order]
    await read(agent_of(watch, [call("wait", seconds=0), "done"], [wait], hooks=hooks).run("go"))
    assert (list(watch.tree()["invoke_agent"]), watch.ledger.open) == (left, [])
    if method != "on_after_invocation":
        assert attributes(watch.span("invoke_agent"))["error.type"] == "hook_failed"


@pytest.mark.anyio
async def test_a_run_of_which_it_was_not_told_is_nobody_s() -> None:
    """Where a hook before it failed at the very beginning, there is nothing to end."""
    told: list[AfterInvocation] = []

    class Last(HookProvider):
        async def on_after_invocation(self, event: AfterInvocation) -> None:
            told.append(event)

    watch = Watch()
    hooks = [failing("on_before_invocation"), watch.hook, Last()]
    await read(agent_of(watch, ["done"], hooks=hooks).run("go"))
    assert (watch.spans, watch.ledger.open) == ([], [])
    assert [event.reason for event in told] == ["hook_failed"]


@pytest.mark.anyio
async def test_a_run_that_is_over_is_forgotten() -> None:
    """A hook that has watched for a year holds no more than one that has watched for a minute."""
    watch = Watch()
    await read(agent_of(watch, [call("wait", seconds=0), "done"], [wait], name="forgotten").run("go"))
    # The event loop lets go of a task one turn after its end.
    await anyio.lowlevel.checkpoint()
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, RunInfo)]
    assert "forgotten" not in {each.agent_name for each in left}
    assert watch.span("invoke_agent forgotten").end_time is not None


@pytest.mark.anyio
async def test_what_a_model_makes_up_does_no_harm() -> None:
    """Names and ids are cut and safe for every exporter; arguments that are no JSON are told as Python tells them."""
    watch = Watch(record_arguments=True, record_results=True)
    odd = call("x" * 1000 + "\ud800\x1b[2J").with_id("\ud800" + "9" * 1000)

    def surrogate() -> str:
        return "half \ud800"

    def broken() -> str:
        raise ValueError("half \ud800")

    calls = turn(odd, call("surrogate", **{"\ud800": 1}), call("surrogate"), call("broken"))
    agent = agent_of(watch, [calls, "done"], [surrogate, broken], name="\ud800")
    await read(agent.run("go", thread_id="\ud800"))
    for span in watch.spans:
        names = [span.name, *(str(attributes(span).get(name, "")) for name in (*Name, *Own) if name not in CONTENT)]
        content = [span.status.description or "", *(str(attributes(span).get(name, "")) for name in CONTENT)]
        "".join(names + content).encode()
        assert "\x1b" not in "".join(names)
        assert max(map(len, names)) <= MAX_COLUMNS + len("execute_tool ")


@pytest.mark.anyio
async def test_without_an_sdk_nothing_happens() -> None:
    """The API alone does nothing, at little cost."""
    agent = Agent(ScriptedModel([call("wait", seconds=0), "done"]), [wait], hooks=[TelemetryHook()])
    events = await read(agent.run("go"))
    assert events[-1].event_type == "terminate"
