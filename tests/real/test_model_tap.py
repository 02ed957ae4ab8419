"""Real agents run again without their models and tools: what was chance in the recording is the same in the replay."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("locus.core.events", reason="locus-sdk is not installed")
pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

from locus.tools.decorator import tool as locus_tool

from playhead.adapters import locus, shipit
from playhead.errors import ReplayMismatch
from playhead.models.scripted import FunctionModel
from playhead.models.tap import Tap
from playhead.recording.recorder import record
from playhead.recording.taps import RecordingTap
from playhead.replaying.taps import rerun
from playhead.scripts import call, say
from tests.real import random_locus, random_shipit
from tests.real.tapped import check_same, heard, steady

pytestmark = pytest.mark.anyio

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: locus and shipit are written for it."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where shipit may leave files."""
    monkeypatch.chdir(tmp_path)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run yielded, and how often its model and its tools were really called."""

    events: list[dict[str, Any]]
    counts: tuple[int, int]


async def locus_run(
    tap: Tap, random: Random, *, is_live: bool, prompt: str = "Play.", is_streamed: bool = False, **settings: Any
) -> Ran:
    """Run an agent of locus through a tap."""
    model = random_locus.RandomModel(random)
    functions = random_locus.RandomTools(random)
    tools = locus.tools(random_locus.functions(functions), tap)
    agent = random_locus.agent(locus.model(model if is_live else None, tap), tools, **settings)
    events = await heard(agent.run(prompt, stream_tokens=is_streamed))
    return Ran(events, (model.call_count, functions.call_count))


async def shipit_run(
    tap: Tap,
    random: Random,
    *,
    is_live: bool,
    prompt: str = "Play.",
    way: str = "stream",
    kind: type[random_shipit.RandomTool] = random_shipit.RandomTool,
    **settings: Any,
) -> Ran:
    """Run an agent of shipit through a tap."""
    llm = random_shipit.RandomLLM(random)
    lots = [kind(name, random) for name in random_shipit.NAMES]
    agent = random_shipit.agent(shipit.llm(llm if is_live else None, tap), shipit.tools(lots, tap), **settings)
    events = await heard(getattr(agent, way)(prompt))
    return Ran(events, (llm.call_count, sum(tool.call_count for tool in lots)))


Run = Callable[..., Awaitable[Ran]]
RUNS = {"locus": locus_run, "shipit": shipit_run}


async def recorded(run: Run, place: str, seed: int, **settings: Any) -> Ran:
    """Tape a run."""
    with record(place) as tape:
        return await run(RecordingTap(tape), Random(seed), is_live=True, **settings)


async def replayed(run: Run, place: str, **settings: Any) -> Ran:
    """Run it again from the tape. The lots that it would draw are others."""
    with rerun(place) as tap:
        return await run(tap, Random(99), is_live=False, **settings)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("tool_execution", "tool_event_order"),
    [("sequential", "sequential"), ("concurrent", "sequential"), ("concurrent", "completion")],
)
async def test_a_locus_run_of_chance_runs_again(
    place: str, seed: int, is_streamed: bool, tool_execution: str, tool_event_order: str
) -> None:
    """The same events come in the same order, and neither model nor tool is asked."""
    settings = {
        "is_streamed": is_streamed,
        "tool_execution": tool_execution,
        "tool_event_order": tool_event_order,
    }
    old = await recorded(locus_run, place, seed, **settings)
    new = await replayed(locus_run, place, **settings)
    check_same(old.events, new.events, "locus")
    assert old.counts[0] == random_locus.TURNS + 1
    assert old.counts[1] >= 2 * random_locus.TURNS
    assert new.counts == (0, 0)


async def test_locus_tools_end_in_recorded_order(tmp_path: Path) -> None:
    """Of tools that ran at once, some ended in another order than they began, and so they do in the replay."""
    settings = {"tool_execution": "concurrent", "tool_event_order": "completion"}
    has_overtaken = False
    for seed in range(8):
        place = str(tmp_path / f"{seed}.jsonl")
        old = await recorded(locus_run, place, seed, **settings)
        new = await replayed(locus_run, place, **settings)
        check_same(old.events, new.events, "locus")
        has_overtaken |= _call_ids(old, "tool_start") != _call_ids(old, "tool_complete")
    assert has_overtaken


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("kind", [random_shipit.RandomTool, random_shipit.AsyncRandomTool])
async def test_a_shipit_run_of_chance_runs_again(
    place: str, seed: int, way: str, kind: type[random_shipit.RandomTool]
) -> None:
    """The same events come in the same order, and neither LLM nor tool is asked."""
    old = await recorded(shipit_run, place, seed, way=way, kind=kind)
    new = await replayed(shipit_run, place, way=way, kind=kind)
    check_same(old.events, new.events, "shipit")
    assert old.counts[0] == random_shipit.TURNS + 1
    assert old.counts[1] >= 2 * random_shipit.TURNS
    assert new.counts == (0, 0)


@pytest.mark.parametrize("seed", SEEDS)
async def test_shipit_tools_at_once_in_one_loop(place: str, seed: int) -> None:
    """Tools of one event loop that ran at once end in recorded order, so the same events come in the same order."""
    settings = {"way": "astream", "kind": random_shipit.AsyncRandomTool, "parallel_tool_execution": True}
    old = await recorded(shipit_run, place, seed, **settings)
    new = await replayed(shipit_run, place, **settings)
    check_same(old.events, new.events, "shipit")
    assert new.counts == (0, 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_shipit_tools_at_once_in_threads(place: str, seed: int, way: str) -> None:
    """Tools in threads have the same results, and the LLM is asked the same; when a thread is heard is up to it."""
    old = await recorded(shipit_run, place, seed, way=way, parallel_tool_execution=True)
    new = await replayed(shipit_run, place, way=way, parallel_tool_execution=True)
    assert _in_any_order(old) == _in_any_order(new)
    assert new.counts == (0, 0)


@pytest.mark.parametrize("framework", RUNS)
async def test_a_changed_prompt_is_told_at_the_end(place: str, framework: str) -> None:
    """Code that catches everything gets no further than the end of the block; what moved is said."""
    run = RUNS[framework]
    await recorded(run, place, 1)

    async def catching(tap: Tap, random: Random, **settings: Any) -> Ran:
        with suppress(Exception):
            return await run(tap, random, prompt="Play chess.", **settings)
        return Ran([], (0, 0))

    with pytest.raises(ReplayMismatch, match=r'"Play\..*"Play chess\.'):
        await replayed(catching, place)


async def test_a_mismatch_that_the_framework_takes_for_a_tool_error(place: str) -> None:
    """Frameworks make an answer of whatever a tool raises, and go on. The mismatch is raised all the same."""
    heard_of = []

    async def untaped(tap: Tap, random: Random, *, is_live: bool) -> Ran:
        model = FunctionModel(lambda request: say("Done.") if len(request.messages) > 2 else call("draw", key="k1"))
        tools = [random_locus.RandomTools(random).draw]
        agent = random_locus.agent(
            locus.model(locus.scripted(model), tap) if is_live else locus.scripted(model),
            [locus_tool(tools[0])] if is_live else locus.tools(tools, tap),
        )
        heard_of.append(await heard(agent.run("Play.")))
        return Ran(heard_of[-1], (0, 0))

    await recorded(untaped, place, 1)
    with pytest.raises(ReplayMismatch, match="it has no call of a tool at all"):
        await replayed(untaped, place)
    (failed,) = [event for event in heard_of[-1] if event["event_type"] == "tool_complete"]
    assert failed["error"].startswith("ReplayMismatch: ")
    assert heard_of[-1][-1]["event_type"] == "terminate"


def _call_ids(ran: Ran, event_type: str) -> list[Any]:
    return [event["tool_call_id"] for event in ran.events if event["event_type"] == event_type]


def _in_any_order(ran: Ran) -> list[str]:
    return sorted(json.dumps(event, sort_keys=True) for event in steady(ran.events, "shipit"))
