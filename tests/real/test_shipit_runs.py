"""Runs of real shipit agents, taped into each store and played back."""

import json
from pathlib import Path

import pytest

pytest.importorskip("shipit_agent.models", reason="shipit-agent is not installed")

from playhead.adapters.shipit import MADE, decode, handled
from playhead.contracts.check import check
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.sse import SSEHandler
from playhead.recording.recorder import record
from playhead.replaying.replay import replay
from playhead.replaying.tape import open_tape
from tests.real import shipit_agents as agents
from tests.real.watching import Watched, check_tape

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone: shipit is written for it."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where shipit may leave files."""
    monkeypatch.chdir(tmp_path)


async def test_a_plain_stream_comes_back_as_it_was(place: str) -> None:
    """A run of `stream`, a plain generator, keeps its class, order, JSON, times and end."""
    watched = Watched()
    with record(place, dialect="shipit", made=MADE) as tape:
        watched.consume_plain(tape, agents.tool_once().stream("1+2?"))
    with check_tape(place, watched, decode=decode) as played:
        assert (played.end(), played.runs) == ("complete", {"r1": "complete"})
        assert played.header.made["shipit-agent"] == MADE["shipit-agent"]
        assert not list(check(played))


async def test_an_async_stream_comes_back_as_it_was(place: str) -> None:
    """So does a run of `astream`."""
    watched = Watched()
    with record(place, dialect="shipit") as tape:
        await watched.consume(tape, agents.tool_once().astream("1+2?"))
    with check_tape(place, watched, decode=decode) as played:
        assert played.end() == "complete"
        assert not list(check(played))


async def test_each_turn_of_a_chat_is_a_run(place: str) -> None:
    """The two turns of a chat session are two runs on one tape."""
    watched, chat = Watched(), agents.chat()
    with record(place, dialect="shipit") as tape:
        watched.consume_plain(tape, chat.stream("1+1?"))
        watched.consume_plain(tape, chat.stream("2+2?"))
    with check_tape(place, watched, decode=decode) as played:
        assert played.runs == {"r1": "complete", "r2": "complete"}
        prompts = [event.payload["prompt"] for event in played.events() if event.type == "run_started"]
        assert prompts == ["1+1?", "2+2?"]


async def test_cancel_ends_the_run_cancelled(place: str) -> None:
    """After `cancel()` the stream ends without a word, and the tape knows what that means."""
    watched = Watched()
    with record(place, dialect="shipit") as tape:
        watched.consume_plain(tape, agents.cancelling().stream("Go."))
    with check_tape(place, watched, decode=decode) as played:
        assert played.end() == "cancelled"
        kept = BufferingHandler()
        await replay(played, kept)
        assert [str(error) for error in kept.get_errors()] == ["the recorded run ended 'cancelled'"]


async def test_a_failing_model_ends_the_stream_and_not_the_program(place: str) -> None:
    """shipit says in an event that its model failed, and raises nothing: its stream is complete."""
    watched = Watched()
    with record(place, dialect="shipit") as tape:
        watched.consume_plain(tape, agents.failing().stream("1+2?"))
    with check_tape(place, watched, decode=decode) as played:
        assert watched.yielded[-1].type == "run_failed"
        assert played.end() == "complete"


async def test_a_consumer_that_closes_ends_the_run_closed(place: str) -> None:
    """A consumer that leaves in the middle closes the agent's generator; the tape says so."""
    watched = Watched()
    with record(place, dialect="shipit") as tape:
        watched.consume_plain(tape, agents.tool_once().stream("1+2?"), stop_after="tool_called")
    with check_tape(place, watched, decode=decode) as played:
        assert played.end() == "closed"


async def test_live_events_go_through_handlers(tmp_path: Path) -> None:
    """Live events pass a handler through the adapter, and give the same messages as their replay."""
    live, played = SSEHandler(), SSEHandler()
    with record(tmp_path / "run.jsonl", dialect="shipit") as tape:
        for event in tape.events(agents.tool_once().stream("1+2?")):
            await live.on_event(handled(event))
    await live.on_complete()
    with open_tape(tmp_path / "run.jsonl") as tape_again:
        await replay(tape_again, played)
    assert [(each.event, json.loads(each.data)) for each in live.get_messages()] == [
        (each.event, json.loads(each.data)) for each in played.get_messages()
    ]
