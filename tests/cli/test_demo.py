"""`playhead demo`: the main job, the same every time."""

import shlex
import subprocess
import time
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from playhead.cassettes.places import locate
from playhead.contracts.check import check
from playhead.contracts.rules import selected
from playhead.replaying.tape import open_tape
from playhead.sse.parser import SSEParser
from playhead.text import columns
from tests.cli.running import playhead, process


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/playhead").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_the_demo_shows_the_main_job(snapshot: SnapshotAssertion) -> None:
    """What a newcomer sees first fits 80 columns."""
    shown = playhead("demo", columns=80)
    assert (shown.code, shown.err) == (0, "")
    assert max(map(columns, shown.out.splitlines())) <= 80
    assert shown.out == snapshot


def test_what_to_try_works_where_the_shell_does_not_know_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the last lines are run as they are printed: `./play` leaves its environment inactive."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    tries = [shlex.split(row) for row in playhead("demo").out.splitlines()[-3:]]
    assert [command[1:4] for command in tries] == [["-m", "playhead", verb] for verb in ("show", "play", "stats")]
    for command in (tries[0], tries[2]):
        assert subprocess.run(command, capture_output=True, check=True).stdout


def test_what_it_wrote_is_whole() -> None:
    """Both cassettes hold the same lines, break no rule, and the SSE file ends with `done`."""
    playhead("demo")
    assert sorted(path.name for path in Path("playhead-out").iterdir()) == ["runs.db", "trip.jsonl", "trip.sse"]
    with locate("playhead-out/trip.jsonl").open() as file, locate("playhead-out/runs.db::trip").open() as store:
        assert list(file.lines()) == list(store.lines())
    with open_tape("playhead-out/trip.jsonl") as tape:
        assert not list(check(tape))
        assert tape.runs == {"r1": "complete"}
    messages = SSEParser().feed(Path("playhead-out/trip.sse").read_bytes())
    assert (len(messages), messages[-1].event) == (24, "done")


def test_it_is_the_same_every_time() -> None:
    """Time is virtual and ids are counted: a second run writes the same bytes, over the first."""
    playhead("demo", "--out", "a")
    before = {name: Path("a", name).read_bytes() for name in ("trip.jsonl", "trip.sse")}
    playhead("demo", "--out", "a")
    assert {name: Path("a", name).read_bytes() for name in before} == before


def test_json_sums_it_up() -> None:
    """One document, and nothing of the replay."""
    (found,) = playhead("demo", "--json").lines()
    assert found == {
        "recorded": {"events": 23, "took_us": 4_060_000},
        "wrote": ["playhead-out/trip.jsonl", "playhead-out/runs.db::trip", "playhead-out/trip.sse"],
        "replayed": {"sse_messages": 24, "same_events": True, "tool_events": 6},
        "checked": {"rules": sorted(selected(["ORD", "TRM"])), "violations": []},
    }


def test_a_folder_that_cannot_be_made_is_an_error() -> None:
    """A file that is in the way is named, without a traceback."""
    Path("playhead-out").touch()
    shown = playhead("demo")
    assert shown.code == 2
    assert "playhead-out" in shown.err


def test_recorded_seconds_take_no_time() -> None:
    """A run of five seconds is recorded and replayed at recorded speed in far less of the processor's time."""
    playhead("demo", "--json")
    start = time.process_time()
    playhead("demo", "--json")
    assert time.process_time() - start < 4


def test_the_module_runs_too() -> None:
    """`python -m playhead` is the same command."""
    done = process("demo", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b'{"recorded":')
