"""Tapes as an agent, and `playhead serve`: recorded runs as live event streams."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.places import locate
from playhead.clocks.running import run as run_virtually
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.events.locus import InterruptEvent
from playhead.events.turns import TURNS
from playhead.provider.serving import Served
from playhead.recording.recorder import record
from playhead.server.tape_agent import CASSETTE, TapeAgent
from tests.cli.running import playhead
from tests.server.agents import chunk, terminate
from tests.server.clients import get, messages, post, serving, told


def taped(path: Path, *runs: list[Any], prompt: str = "") -> Path:
    """Record runs, and perhaps the question that led to them."""
    with record(path) as tape:
        if prompt:
            tape.call({"messages": [{"role": "user", "content": prompt}]})
        for run in runs:
            list(tape.events(run))
    return path


def texts(response: Any) -> list[str]:
    """Return the texts of the chunks."""
    return [json.loads(each.data)["content"] for each in messages(response) if each.event == "model_chunk"]


def player(*paths: Path, **options: Any) -> Any:
    """Serve cassettes."""
    agent = TapeAgent([locate(path) for path in paths], pace="instant", **options)
    return serving(agent, dialect=agent.dialect, metadata_parameters=[CASSETTE])


@pytest.fixture
def tapes(tmp_path: Path) -> tuple[Path, Path]:
    """Record two cassettes."""
    oslo = taped(tmp_path / "oslo.jsonl", [chunk("Cold."), terminate()], prompt="Oslo?")
    rome = taped(tmp_path / "rome.jsonl", [chunk("Warm."), terminate()], prompt="Rome?")
    return oslo, rome


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("prompt=hi", "Cold."),
        ("prompt=Rome?", "Warm."),
        ("prompt=rome", "Warm."),
        ("prompt=Rome?&cassette=oslo", "Cold."),
    ],
)
def test_which_cassette_is_meant(asked: str, text: str, tapes: tuple[Path, Path]) -> None:
    """The one that is named, or on which the prompt was recorded, or that the prompt names, or the first."""
    with player(*tapes) as served:
        assert texts(get(served, f"/stream?{asked}")) == [text]


def test_a_compressed_cassette(tapes: tuple[Path, Path], tmp_path: Path) -> None:
    """It goes by the same name as one that is not."""
    packed = tmp_path / "trip.jsonl.gz"
    packed.write_bytes(gzip.compress(tapes[1].read_bytes()))
    with player(tapes[0], packed) as served:
        assert texts(get(served, "/stream?prompt=x&cassette=trip")) == ["Warm."]


def test_a_cassette_that_there_is_not(tapes: tuple[Path, Path]) -> None:
    """The answer says which there are."""
    with player(*tapes) as served:
        response = get(served, "/stream?prompt=x&cassette=paris")
        assert (response.status_code, response.json()) == (404, {"error": "no such cassette: there is oslo, rome"})


def test_a_question_and_its_answer(tmp_path: Path) -> None:
    """A run that paused is resumed by the next run of the tape, once; a thread of its own asks for itself."""
    asks = [chunk("Hm."), InterruptEvent(question="Sure?", interrupt_id="i1")]
    with player(taped(tmp_path / "t.jsonl", asks, [chunk("Yes."), terminate()])) as served:
        assert texts(get(served, "/stream?prompt=x&thread_id=a")) == ["Hm."]
        assert post(served, "/resume", {"answer": 1, "thread_id": "b"}).status_code == 409
        assert texts(post(served, "/resume", {"answer": 1, "thread_id": "a"})) == ["Yes."]
        assert post(served, "/resume", {"answer": 1, "thread_id": "a"}).status_code == 409


def test_a_resumption_without_an_answer(tmp_path: Path) -> None:
    """It gets the next run of the tape as an answer does, and is refused where no run has paused."""
    asks = [chunk("Hm."), InterruptEvent(question="Sure?", interrupt_id="i1")]
    with player(taped(tmp_path / "t.jsonl", asks, [chunk("Yes."), terminate()])) as served:
        assert post(served, "/resume", {}).status_code == 409
        assert texts(get(served, "/stream?prompt=x")) == ["Hm."]
        assert texts(post(served, "/resume", {})) == ["Yes."]


def test_a_run_that_failed_fails_again(tmp_path: Path) -> None:
    """The stream ends with the message that a live failure would have."""

    def failing() -> Iterator[Any]:
        yield chunk("Hm.")
        raise RuntimeError("no")

    path = tmp_path / "t.jsonl"
    with pytest.raises(RuntimeError), record(path) as tape:
        list(tape.events(failing()))
    with player(path) as served:
        assert told(get(served, "/stream?prompt=x")) == [("model_chunk", "1"), ("error", "end")]


def test_it_plays_at_a_pace(tmp_path: Path) -> None:
    """Events come when they are due by the clock that it was given."""
    recording, clock = VirtualClock(), VirtualClock()
    path = tmp_path / "t.jsonl"
    with record(path, clock=recording) as tape:
        for _ in tape.events([chunk("a"), terminate()]):
            recording.advance(3600)
    agent = TapeAgent([locate(path)], clock=clock)

    async def play() -> float:
        return [clock.monotonic_ns() / 1e9 async for _ in agent.run("x")][-1]

    assert run_virtually(play, clock=clock) == pytest.approx(3600)


def test_what_cannot_be_served(tmp_path: Path) -> None:
    """A cassette without events, and cassettes of two dialects, are refused before a server begins."""
    empty = taped(tmp_path / "empty.jsonl", prompt="x")
    with pytest.raises(UsageError, match="there are no runs to serve"):
        TapeAgent([locate(empty)])
    one = taped(tmp_path / "one.jsonl", [terminate()])
    with record(tmp_path / "two.jsonl", dialect=TURNS) as tape:
        list(tape.events([{"type": "turn_start"}]))
    with pytest.raises(UsageError, match="the cassettes are of locus, turns"):
        TapeAgent([locate(one), locate(tmp_path / "two.jsonl")])


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command, and give what it prints until it serves."""
    line = [sys.executable, "-m", "playhead", "serve", "--port", "0", *arguments]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        out = ""
        while "http://" not in out and (more := process.stdout.readline()):
            out += more
        try:
            yield process, out
        finally:
            process.kill()


def test_the_command(tapes: tuple[Path, Path]) -> None:
    """It says what it serves and where, and serves it, by the names of classes where that is wanted."""
    with command(str(tapes[0].parent), "--speed", "100", "--event-names", "class") as (_, out):
        assert re.fullmatch(r"oslo: 2 events\nrome: 2 events\nhttp://127\.0\.0\.1:[0-9]+/stream\?prompt=hi\n", out)
        url = out.splitlines()[-1].partition("/stream")[0]
        names = [name for name, _ in told(get(Served(url), "/stream?prompt=hi"))]
        assert names == ["ModelChunkEvent", "TerminateEvent", "done"]


def test_the_command_for_programs(tapes: tuple[Path, Path]) -> None:
    """With `--json` it prints one document."""
    with command(str(tapes[1]), "--json") as (_, out):
        found = json.loads(out)
        assert found["cassettes"] == ["rome"]
        assert found["url"].endswith("/stream")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pace", "slow"], "there is no pace 'slow'"),
        (["--pace", "instant", "--speed", "4"], "--pace and --speed contradict each other"),
        (["--speed", "0"], "a tape cannot be played at speed 0.0"),
        (["--event-names", "camel"], "give 'snake' or 'class'"),
        (["--heartbeat", "0"], "heartbeat_s=0.0) must be"),
    ],
)
def test_options_that_are_wrong(arguments: list[str], said: str, tapes: tuple[Path, Path]) -> None:
    """They are refused before anything is served."""
    code, out, err = playhead("serve", tapes[0], *arguments)
    assert (code, out) == (2, "")
    assert said in err
