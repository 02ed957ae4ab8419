"""The tape of one test, in every mode, without pytest around it."""

from collections.abc import AsyncIterator, Callable
from inspect import isawaitable
from pathlib import Path

import pytest

from playhead.agent.agent import Agent
from playhead.errors import ContractViolation, CorruptCassette, MissingCassette, ReplayMismatch, UsageError
from playhead.handlers.buffering import BufferingHandler
from playhead.models.scripted import ScriptedModel
from playhead.plugin.modes import MODES
from playhead.plugin.taping import TapeFixture
from playhead.replaying.tape import open_tape
from playhead.scripts import call
from tests.plugin.tapes import TRIP, asked, recorded, search, tape, trip
from tests.recording.samples import made_up_key

pytestmark = pytest.mark.anyio


async def test_what_is_recorded_is_replayed(tmp_path: Path) -> None:
    """The agent runs again on what the model said: its events are the same, and nobody is asked."""
    path = tmp_path / "trip.jsonl"
    assert await recorded(path) == "recorded"
    before = path.read_bytes()
    again = tape(path)
    events = await trip(again)
    again.judge()
    assert (again.end(passed=True), again.recording) == ("replayed", False)
    assert [event.event_type for event in events][-1] == "terminate"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("none", "replayed"),
        ("once", "replayed"),
        ("new_episodes", "replayed"),
        ("all", "unchanged"),
        ("rewrite", "unchanged"),
    ],
)
async def test_a_run_that_is_the_same_leaves_the_cassette_alone(tmp_path: Path, mode: str, outcome: str) -> None:
    """In no mode does a cassette change, by a byte, whose run did not."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    before = path.read_bytes()
    taped = tape(path, mode)
    turns = [] if mode == "new_episodes" else TRIP
    await trip(taped, turns=turns)
    taped.judge()
    assert taped.end(passed=True) == outcome
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "none"])
async def test_a_cassette_that_is_missing_is_recorded(tmp_path: Path, mode: str) -> None:
    """All modes but one record where there is nothing."""
    path = tmp_path / "deep/trip.jsonl"
    assert await recorded(path, mode=mode) == "recorded"
    assert asked(path) == ["Paris?"]


async def replayed(taped: TapeFixture) -> None:
    await taped.replay(BufferingHandler())


USES: dict[str, Callable[[TapeFixture], object]] = {
    "events": lambda taped: taped.events(Agent(ScriptedModel([])).run("Paris?")),
    "model": lambda taped: taped.model(ScriptedModel([])),
    "tools": lambda taped: taped.tools([search]),
    "recorded": lambda taped: taped.recorded,
    "replay": replayed,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_cassette_that_is_missing_fails_where_it_is_needed(
    tmp_path: Path, use: Callable[[TapeFixture], object]
) -> None:
    """Before anything runs, whatever is used first; the error has the command, and comes again at the end."""
    taped = tape(tmp_path / "trip.jsonl")

    async def used() -> None:
        found = use(taped)
        if isawaitable(found):
            await found

    with pytest.raises(MissingCassette, match=r"pytest test_trip\.py::test_paris --playhead-mode=once"):
        await used()
    with pytest.raises(MissingCassette):
        taped.judge()
    assert taped.end(passed=False) == "missing"
    assert list(tmp_path.iterdir()) == []


async def test_a_recording_does_not_help_who_only_replays(tmp_path: Path) -> None:
    """A test that asks nobody is not told to record."""
    taped = tape(tmp_path / "trip.jsonl", "once")
    with pytest.raises(MissingCassette, match=r"only replayed\nGive tape\.events\(\) the events of a live run"):
        taped.events()
    assert taped.end(passed=False) == "missing"


async def test_damage_is_not_taken_for_absence(tmp_path: Path) -> None:
    """A cassette that cannot be read is never recorded over, unless it is rewritten on purpose."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"Paris", b"Turin"))
    for mode in ("none", "once", "new_episodes", "all"):
        taped = tape(path, mode)
        with pytest.raises(CorruptCassette, match=r"trip\.jsonl"):
            await trip(taped)
        taped.end(passed=False)
    assert await recorded(path, mode="rewrite") == "recorded"
    assert asked(path) == ["Paris?"]


async def test_new_episodes_are_put_behind_the_others(tmp_path: Path) -> None:
    """What is there is replayed, what is not is recorded, and the cassette has both, whole and replayable."""
    path = tmp_path / "trip.jsonl"
    await recorded(path, "Paris?")
    taped = tape(path, "new_episodes")
    await trip(taped, "Paris?", turns=[])
    await trip(taped, "Rome?")
    taped.judge()
    assert taped.end(passed=True) == "recorded"
    assert asked(path) == ["Paris?", "Rome?"]
    assert await recorded(path, "Paris?", "Rome?", mode="none") == "replayed"
    with open_tape(path) as opened:
        assert (opened.header.name, list(opened.runs)) == ("test_trip.py::test_paris", ["r1", "r2"])


async def test_all_keeps_what_was_not_asked_for(tmp_path: Path) -> None:
    """Everything that occurs is recorded anew, in its place; an old exchange that did not occur stays, behind it."""
    path = tmp_path / "trip.jsonl"
    await recorded(path, "Paris?", "Rome?")
    old = path.read_bytes()
    taped = tape(path, "all")
    await trip(taped, "Rome?", turns=[call("search", city="Rome"), "Take a hat."])
    taped.judge()
    assert taped.end(passed=True) == "recorded"
    assert asked(path) == ["Rome?", "Paris?"]
    assert b"Take a hat." in path.read_bytes()
    assert b"Take a hat." not in old
    with open_tape(path) as opened:
        assert list(opened.runs) == ["r1", "r2"]


async def test_rewrite_keeps_nothing(tmp_path: Path) -> None:
    """Only what occurred is on the cassette then."""
    path = tmp_path / "trip.jsonl"
    await recorded(path, "Paris?", "Rome?")
    assert await recorded(path, "Rome?", mode="rewrite") == "recorded"
    assert asked(path) == ["Rome?"]


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all", "rewrite"])
async def test_a_test_that_fails_keeps_the_old_cassette(tmp_path: Path, mode: str) -> None:
    """What it recorded is left beside it, to be looked at, and never in its place."""
    path = tmp_path / "trip.jsonl"
    if mode != "once":
        await recorded(path, "Paris?")
    before = path.read_bytes() if path.exists() else None
    taped = tape(path, mode)
    if mode == "new_episodes":
        await trip(taped, "Paris?", turns=[])
    await trip(taped, "Rome?")
    assert taped.end(passed=False) == "rejected"
    assert (path.read_bytes() if path.exists() else None) == before
    rejected = path.with_name("trip.jsonl.rejected")
    assert b"Rome?" in rejected.read_bytes()
    assert {each.name for each in tmp_path.iterdir()} <= {"trip.jsonl", "trip.jsonl.rejected"}


async def test_a_question_that_was_not_recorded_is_a_mismatch(tmp_path: Path) -> None:
    """It is raised where it is asked, and again at the end for code that caught it."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    taped = tape(path)
    with pytest.raises(ReplayMismatch, match=r'trip.jsonl: the model was asked(.|\n)*"Paris\?" -> "Rome\?"'):
        await trip(taped, "Rome?")
    with pytest.raises(ReplayMismatch, match="the model was asked"):
        taped.judge()
    taped.end(passed=False)


async def test_an_event_that_is_not_as_recorded_is_a_mismatch(tmp_path: Path) -> None:
    """The model is asked the same and the agent does something else with it: the event and its field are named."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    taped = tape(path, tools="live")

    def other(city: str) -> str:
        return f"sun in {city}"

    other.__name__, other.__doc__ = "search", search.__doc__
    agent = Agent(taped.model(ScriptedModel([])), taped.tools([other]), max_iterations=1)
    events = taped.events(agent.run("Paris?"))
    with pytest.raises(ReplayMismatch) as failure:
        [event async for event in events]
    told = str(failure.value)
    assert told.startswith("event 3 of run r1 of trip.jsonl does not match this run (old: recorded, new: live)\n")
    assert "$.result: 'rain in Paris' -> 'sun in Paris'" in told
    with pytest.raises(ReplayMismatch, match="event 3 of run r1"):
        taped.judge()
    taped.end(passed=False)


async def test_calls_and_runs_that_do_not_occur_any_more_are_a_mismatch(tmp_path: Path) -> None:
    """What was recorded must happen, unless `partly` is set; a run too many is one, too."""
    path = tmp_path / "trip.jsonl"
    await recorded(path, "Paris?", "Rome?")
    with pytest.raises(ReplayMismatch, match="3 of 6 calls were not made"):
        await recorded(path, "Paris?", mode="none")
    assert await recorded(path, "Paris?", mode="none", partly=True) == "replayed"
    third = tape(path)
    for name in ("r1", "r2"):
        [event async for event in third.events(third.recorded.events(run=name))]
    with pytest.raises(ReplayMismatch, match=r"this is run r3 of the test, and trip\.jsonl has 2"):
        [event async for event in third.events(third.recorded.events(run="r1"))]
    first = tape(path)
    [event async for event in first.events(first.recorded.events(run="r1"))]
    with pytest.raises(ReplayMismatch, match=r"trip\.jsonl has 2 runs, and r2 did not begin"):
        first.judge()


async def test_a_run_that_ends_otherwise_is_a_mismatch(tmp_path: Path) -> None:
    """The same events, and a consumer that leaves before the end of the stream is seen."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    taped = tape(path)
    events = taped.events(taped.recorded.events(run="r1"))
    async for event in events:
        if event.event_type == "terminate":
            break
    with pytest.raises(ReplayMismatch, match="ended 'complete', and now it ended 'closed'"):
        taped.judge()


@pytest.mark.parametrize("mode", ["once", "none"])
async def test_a_run_that_breaks_a_contract_fails(tmp_path: Path, mode: str) -> None:
    """Recorded or replayed, live events keep the rules, or the rule and its meaning are told."""
    path = tmp_path / "trip.jsonl"
    whole = tmp_path / "whole.jsonl"
    await recorded(whole)
    with open_tape(whole) as opened:
        broken = [event for event in opened.events() if event.event_type != "tool_start"]
    if mode == "none":
        taped = tape(path, "once", contracts=False)
        assert len(list(taped.events(broken))) == len(broken)
        taped.judge()
        assert taped.end(passed=True) == "recorded"
    taped = tape(path, mode)
    with pytest.raises(ContractViolation, match=r"run r1 breaks ORD001\n  event 2: ORD001 tool_complete(.|\n)*More: "):
        list(taped.events(broken))
    with pytest.raises(ContractViolation):
        taped.judge()
    taped.end(passed=False)
    ignoring = tape(path, mode, ignore_rules=["ORD001"])
    assert len(list(ignoring.events(broken))) == len(broken)
    ignoring.judge()
    ignoring.end(passed=True)


async def test_an_error_of_the_agent_is_not_hidden(tmp_path: Path) -> None:
    """An agent that fails as it failed when it was recorded passes the test that expects it."""
    path = tmp_path / "trip.jsonl"

    async def agent(*said: str) -> AsyncIterator[object]:
        for step, text in enumerate(said):
            yield {"event_type": "think", "iteration": step, "reasoning": text}
        raise ValueError("no train")

    for mode in ("once", "none"):
        taped = tape(path, mode)
        with pytest.raises(ValueError, match="no train"):
            [event async for event in taped.events(agent("Well,"))]
        taped.judge()
        taped.end(passed=True)
    with open_tape(path) as opened:
        assert opened.runs == {"r1": "error"}
    drifted = tape(path)
    with pytest.raises(ValueError, match="no train"):
        [event async for event in drifted.events(agent("Well,", "hm."))]
    with pytest.raises(ReplayMismatch, match="event 1 of this run is not in run r1"):
        drifted.judge()


async def test_secrets_are_taken_out_before_runs_are_compared(tmp_path: Path) -> None:
    """A key in an event is not on the cassette, and the run that has it is still the recorded one."""
    path = tmp_path / "trip.jsonl"
    key = "sk-proj-" + "aB3dE5fG7hJ9kL1m" * 3
    for mode in ("once", "none"):
        taped = tape(path, mode)
        await trip(taped, f"Paris? {key}", turns=[f"Your key is {key}."])
        taped.judge()
        taped.end(passed=True)
    assert key.encode() not in path.read_bytes()


async def test_secrets_in_the_name_of_a_test_are_taken_out(tmp_path: Path) -> None:
    """A parameter may be a key: it is in no header, be it new or of two that were put together."""
    path = tmp_path / "trip.jsonl"
    name = f"test_trip.py::test_paris[{made_up_key()}]"
    for mode, prompt in (("once", "Paris?"), ("new_episodes", "Rome?"), ("all", "Oslo?")):
        assert await recorded(path, prompt, mode=mode, test=name) == "recorded"
        assert b"test_paris[<openai-key-1>]" in path.read_bytes().splitlines()[0]


async def test_recorded_events_are_played(tmp_path: Path) -> None:
    """Without a live source it is the recorded events that come, as a stream and through handlers."""
    path = tmp_path / "trip.jsonl"
    await recorded(path)
    for mode in MODES:
        taped = tape(path, mode)
        handler, other = BufferingHandler(), BufferingHandler()
        assert [event.event_type async for event in taped.events()][-1] == "terminate"
        assert await taped.replay(handler, other) == len(handler.get_events()) == len(other.get_events()) == 8
        taped.judge()
        assert taped.end(passed=True) == "replayed"


async def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    """A run that is named for a live source; a model of which nobody knows whose it is."""
    taped = tape(tmp_path / "trip.jsonl", "once")
    with pytest.raises(UsageError, match="leave out run="):
        taped.events([], run="r1")  # type: ignore[call-overload]
    with pytest.raises(UsageError, match=r"tape.model\(None\) does not say whose model it is"):
        taped.model(None)
    with pytest.raises(UsageError, match="did you mean 'locus'"):
        taped.model(None, framework="lokus")


async def test_a_tape_that_nobody_uses_costs_nothing(tmp_path: Path) -> None:
    """It opens nothing, makes nothing, and misses nothing."""
    for mode in MODES:
        taped = tape(tmp_path / "trip.jsonl", mode)
        taped.judge()
        assert (taped.end(passed=True), taped.mode) == ("unopened", mode)
    assert list(tmp_path.iterdir()) == []
