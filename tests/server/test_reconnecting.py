"""Who comes back gets what it has not had, once and in order: from the window, from the cassette, after a restart."""

import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from playhead.events.locus import AgentEvent
from playhead.provider.serving import Served
from playhead.replaying.tape import open_tape
from tests.server.agents import FunctionAgent, TalkingAgent, chunk, terminate
from tests.server.clients import get, messages, place, run_of, serving, streaming
from tests.server.program import running

Places = Callable[[Path], str | None]
STORES = [
    pytest.param(lambda folder: None, id="memory"),
    pytest.param(lambda folder: str(folder / "runs"), id="folder"),
    pytest.param(lambda folder: str(folder / "runs.db"), id="sqlite"),
]
KEPT = [each for each in STORES if each.id != "memory"]


def numbered(first: int, count: int) -> list[tuple[str, str]]:
    """Return what is told of a run of `count` chunks from message `first` on."""
    all_of_it = [("model_chunk", str(number)) for number in range(1, count + 1)]
    return [*all_of_it, ("terminate", str(count + 1)), ("done", "end")][first - 1 :]


@pytest.mark.parametrize("store", STORES)
def test_after_the_end(store: Places, tmp_path: Path) -> None:
    """Behind any message of a run that has ended, the rest comes from the cassette, byte for byte as it was sent."""
    with serving(TalkingAgent(), store=store(tmp_path)) as served:
        first = get(served, "/stream?prompt=5")
        run, whole = run_of(first), messages(first)
        for number in range(7):
            again = messages(get(served, "/stream?prompt=5", last_event_id=f"{run}:{number}"))
            assert again == whole[number:]


@pytest.mark.parametrize("store", STORES)
def test_after_the_last_message(store: Places, tmp_path: Path) -> None:
    """There is nothing to go on with: 204 ends the reconnecting of a browser."""
    with serving(TalkingAgent(), store=store(tmp_path)) as served:
        run = run_of(get(served, "/stream?prompt=1"))
        response = get(served, "/stream?prompt=1", last_event_id=f"{run}:end")
        assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("max_buffer", [1, 256])
def test_while_the_run_goes_on(store: Places, max_buffer: int, tmp_path: Path) -> None:
    """What was missed comes from the window or the cassette, and what follows live; the run is run once."""
    agent = GatedAgent(20)
    with serving(agent, store=store(tmp_path), on_leave="finish", max_buffer=max_buffer) as served:
        with streaming(served, "/stream?prompt=x") as stream:
            agent.permit(5)
            run = (next(each for each in stream if place(each) == "3").id or "").partition(":")[0]
        agent.permit(10)
        with streaming(served, f"/stream?last_event_id={run}:3") as stream:
            seen = [place(next(stream)) for _ in range(13)]
            agent.permit(5)
            seen += [place(each) for each in stream]
        assert seen == ["3", *map(str, range(4, 22)), "end"]
        assert agent.runs == 1


@pytest.mark.parametrize("store", KEPT)
def test_after_a_restart(store: Places, tmp_path: Path) -> None:
    """Another server on the same store knows the run."""
    with serving(TalkingAgent(), store=store(tmp_path)) as served:
        first = get(served, "/stream?prompt=5")
    with serving(TalkingAgent(), store=store(tmp_path)) as served:
        again = get(served, "/stream?prompt=5", last_event_id=f"{run_of(first)}:2")
        assert messages(again) == messages(first)[2:]


@pytest.mark.parametrize("store", KEPT)
def test_after_a_server_was_killed_in_the_middle(store: Places, tmp_path: Path) -> None:
    """What is on the tape comes, each once, and then an error that says that the run was cut off; and then no more."""
    place_of_it = store(tmp_path)
    assert place_of_it is not None
    with (
        running(place_of_it, pause_s=0.02) as (process, port),
        streaming(Served(f"http://127.0.0.1:{port}"), "/stream?prompt=500") as stream,
    ):
        last = next(each for each in stream if place(each) == "9")
        process.kill()
    with serving(TalkingAgent(), store=place_of_it) as served:
        again = get(served, "/stream?prompt=500", last_event_id=last.id or "")
        places = [place(each) for each in messages(again)]
        assert places == [*map(str, range(10, 9 + len(places))), "end"]
        error = json.loads(messages(again)[-1].data)
        assert error["error"] == "the run was cut off: the server that ran it went down"
        end = messages(again)[-1].id or ""
        assert get(served, "/stream?prompt=500", last_event_id=end).status_code == 204


@pytest.mark.parametrize("store", KEPT)
def test_each_run_is_a_cassette(store: Places, tmp_path: Path) -> None:
    """It is sealed when `done` is sent, and can be opened like any other."""
    chosen = store(tmp_path)
    assert chosen is not None
    with serving(TalkingAgent(), store=chosen) as served:
        run = run_of(get(served, "/stream?prompt=2"))
    place_of_it = f"{chosen}::{run}" if chosen.endswith(".db") else f"{chosen}/{run}.jsonl"
    with open_tape(place_of_it) as tape:
        assert tape.end() == "complete"
        assert [event.event_type for event in tape] == ["model_chunk", "model_chunk", "terminate"]


def test_a_damaged_cassette_says_nothing_of_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a correlation id; the log says which file, and where it is damaged."""
    with serving(TalkingAgent(), store=tmp_path) as served:
        run = run_of(get(served, "/stream?prompt=3"))
        file = tmp_path / f"{run}.jsonl"
        file.write_bytes(file.read_bytes().replace(b'"2 "', b'"X "'))
        response = get(served, "/stream", last_event_id=f"{run}:1")
        assert response.status_code == 500
        assert response.json()["error"] == "internal error"
        assert response.json()["correlation_id"] in caplog.text
        assert str(tmp_path) in caplog.text
        assert str(tmp_path) not in response.text


def test_a_secret_is_not_on_the_tape() -> None:
    """A client that follows closely sees what the agent says; from the tape it comes without the secret."""
    key = "sk-proj-" + "a1B2c3D4" * 6

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        for piece in ("My key is ", key[:10], key[10:], ", is it?"):
            yield chunk(piece)
        yield terminate()

    with serving(FunctionAgent(run)) as served:
        live = get(served, "/stream?prompt=x")
        taped = get(served, "/stream", last_event_id=f"{run_of(live)}:0")
    assert said(live) == f"My key is {key}, is it?"
    assert key[10:] not in taped.text
    assert [each.id for each in messages(taped)] == [each.id for each in messages(live)]


def test_memory_holds_the_newest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: of runs that have ended, the oldest go."""
    monkeypatch.setattr("playhead.server.agent_server._MAX_KEPT", 2)
    with serving(TalkingAgent()) as served:
        runs = [run_of(get(served, "/stream?prompt=1")) for _ in range(3)]
        statuses = [get(served, "/stream", last_event_id=f"{run}:0").status_code for run in runs]
        assert statuses == [404, 200, 200]


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    """No run begins that would not be taped, and the client is told nothing of the inside."""
    (tmp_path / "runs").write_text("a file where the folder should be")
    agent = TalkingAgent()
    with serving(agent, store=tmp_path / "runs") as served:
        response = get(served, "/stream?prompt=1")
        assert (response.status_code, response.json()["error"]) == (500, "internal error")
        assert str(tmp_path) not in response.text
    assert agent.runs == 0


def said(response: Any) -> str:
    """Return the text of all chunks."""
    return "".join(json.loads(each.data).get("content") or "" for each in messages(response))


class GatedAgent:
    """Say `count` numbers, each when the test permits it, and the end."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.runs = 0
        self._permits = threading.Semaphore(0)

    def permit(self, count: int) -> None:
        """Let the agent say so many more."""
        self._permits.release(count)

    async def run(self, prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        """Yield so many chunks, and the end."""
        self.runs += 1
        for number in range(1, self.count + 1):
            await anyio.to_thread.run_sync(self._permits.acquire, abandon_on_cancel=True)
            yield chunk(str(number))
        yield terminate()
