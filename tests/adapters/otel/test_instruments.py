"""Runs are measured: how many tokens, how long, how often, and why they ended."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest

pytest.importorskip("opentelemetry.sdk.metrics", reason="opentelemetry-sdk is not installed")

from playhead.adapters.otel import Metric
from playhead.agent.agent import Agent
from playhead.agent.hooks import AfterModelCall, AfterToolCall, BeforeToolCall, HookProvider
from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import AgentEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import RateLimit, call, fail, hang, pause, say, turn, usage
from tests.adapters.otel.watching import BACKENDS, Watch, total, virtually


class RetryOnce(HookProvider):
    """Have whatever failed tried once more."""

    def __init__(self) -> None:
        self.tools_tried = 0

    async def on_after_model_call(self, event: AfterModelCall) -> None:
        """Ask once more."""
        if event.fault is not None and event.attempt == 1:
            event.retry()

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Call once more."""
        self.tools_tried += 1
        if event.error is not None and self.tools_tried == 1:
            event.retry()


async def read(events: AsyncGenerator[AgentEvent, None]) -> None:
    """Run to the end."""
    async for _ in events:
        pass


async def slow(seconds: float) -> None:
    """Take so long, and fail if it was long."""
    await anyio.sleep(seconds)
    if seconds > 1:
        raise TimeoutError("too slow")


def about(point: Any) -> dict[str, Any]:
    """Return what a measurement is about, without what all have in common."""
    common = {"gen_ai.provider.name", "gen_ai.agent.name", "service.name"}
    return {str(key): value for key, value in point.attributes.items() if key not in common}


@pytest.mark.parametrize("backend", BACKENDS)
def test_durations_and_tokens(backend: str) -> None:
    """To the microsecond on virtual time, by tool and by the type of the error."""
    watch = Watch(clock=VirtualClock(), service_name="trips", provider_name="openai")
    asked = turn(pause(2.0), call("slow", seconds=0.5), call("slow", seconds=3.0), usage(7, 3))
    model = ScriptedModel([asked, turn(say("done"), usage(20, 5))], clock=watch.clock)
    agent = Agent(model, [slow], name="scout", hooks=[watch.hook], clock=watch.clock)

    async def main() -> None:
        await read(agent.run("go"))

    virtually(main, watch, backend)
    chat, tool = (
        {"gen_ai.operation.name": "chat"},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "slow"},
    )
    (asking,) = watch.points(Metric.MODEL_DURATION)
    assert (about(asking), asking.count, asking.sum) == (chat, 2, 2.0)
    fine, failed = sorted(watch.points(Metric.TOOL_DURATION), key=lambda point: point.sum)
    assert (about(fine), fine.count, fine.sum) == (tool, 1, 0.5)
    assert (about(failed), failed.count, failed.sum) == (tool | {"error.type": "TimeoutError"}, 1, 3.0)
    (run,) = watch.points(Metric.AGENT_DURATION)
    assert (about(run), run.count, run.sum) == ({"gen_ai.operation.name": "invoke_agent"}, 1, 5.0)
    assert {about(point)["gen_ai.token.type"]: (point.count, point.sum) for point in watch.points(Metric.TOKENS)} == {
        "input": (2, 27),
        "output": (2, 8),
    }
    for metric, points in {metric: watch.points(metric) for metric in Metric}.items():
        for point in points:
            assert point.attributes["service.name"] == "trips", metric
            assert point.attributes["gen_ai.agent.name"] == "scout", metric
            is_tool = point.attributes["gen_ai.operation.name"] == "execute_tool"
            assert ("gen_ai.provider.name" in point.attributes) is not is_tool, metric


@pytest.mark.anyio
async def test_the_buckets_are_those_of_the_conventions() -> None:
    """A reader's own are too coarse for tokens, and too wide for seconds."""
    watch = Watch()
    await read(Agent(ScriptedModel([call("slow", seconds=0), "done"]), [slow], hooks=[watch.hook]).run("go"))
    ends = {
        metric: (point.explicit_bounds[0], point.explicit_bounds[-1], len(point.explicit_bounds))
        for metric in (Metric.TOKENS, Metric.MODEL_DURATION, Metric.TOOL_DURATION, Metric.AGENT_DURATION)
        for point in watch.points(metric)[:1]
    }
    assert ends == {
        Metric.TOKENS: (1, 67_108_864, 14),
        Metric.MODEL_DURATION: (0.01, 81.92, 14),
        Metric.TOOL_DURATION: (0.01, 81.92, 14),
        Metric.AGENT_DURATION: (0.1, 409.6, 13),
    }


@pytest.mark.anyio
@pytest.mark.parametrize("first", [False, True])
async def test_retries_are_counted(first: bool) -> None:
    """One of the model, one of a tool, in whichever order the hooks are."""
    watch, retry = Watch(), RetryOnce()
    hooks = [watch.hook, retry] if first else [retry, watch.hook]
    script: list[Scripted] = [fail(RateLimit()), call("slow", seconds="much"), "done"]
    await read(Agent(ScriptedModel(script), [slow], hooks=hooks).run("go"))
    counted = {point.attributes["gen_ai.operation.name"]: point.value for point in watch.points(Metric.RETRIES)}
    assert counted == {"chat": 1, "execute_tool": 1}
    assert total(watch.points(Metric.TOOL_DURATION)) > 0
    assert sum(point.count for point in watch.points(Metric.TOOL_DURATION)) == 1


@pytest.mark.anyio
async def test_runs_are_counted_by_their_reason() -> None:
    """One that was left is counted, and not measured: how long it would have taken, nobody knows."""
    watch = Watch()
    scripts: list[list[Scripted]] = [["done"], [fail(RateLimit())], ["done"]]
    for script in scripts:
        await read(Agent(ScriptedModel(script), hooks=[watch.hook]).run("go"))
    left = Agent(ScriptedModel([turn(say("wait"), hang())]), hooks=[watch.hook]).run("go")
    await anext(left)
    await left.aclose()
    counted = {point.attributes["playhead.reason"]: point.value for point in watch.points(Metric.RUNS)}
    assert counted == {"complete": 2, "rate_limit": 1, "closed": 1}
    measured = {about(point).get("error.type"): point.count for point in watch.points(Metric.AGENT_DURATION)}
    assert measured == {None: 2, "rate_limit": 1}
    assert sum(point.count for point in watch.points(Metric.MODEL_DURATION)) == 3


@pytest.mark.anyio
async def test_a_call_that_was_left_or_never_made_is_not_measured() -> None:
    """There is nothing to say of how long it takes."""

    class Guard(HookProvider):
        async def on_before_tool_call(self, event: BeforeToolCall) -> None:
            if event.number == 1:
                event.cancel("forbidden")

    watch = Watch()
    script: list[Scripted] = [turn(call("slow", seconds=0), call("slow", seconds=3600))]
    events = Agent(ScriptedModel(script), [slow], hooks=[watch.hook, Guard()]).run("go")
    while (await anext(events)).event_type != "tool_complete":
        pass
    await events.aclose()
    assert [span.name for span in watch.spans].count("execute_tool slow") == 2
    assert watch.points(Metric.TOOL_DURATION) == []
