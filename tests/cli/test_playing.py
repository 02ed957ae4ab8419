"""`playhead play`: a tape on the terminal, in its own time."""

import time
from pathlib import Path

import pytest

from playhead.cassettes.format import Failure
from tests.cli.running import SEARCH, playhead, write_tape

PLAYED = """\

💭 Iteration 1
  Look.
🔧 search
🔧 read
✓ search
  sun
✗ read: gone
It is sunny.

💭 Iteration 2
  It is sunny.

🏁 Terminated: complete
  Iterations: 2, Tool calls: 2, Confidence: 1.00
  It is sunny.

🏁 Execution complete (2 tool calls)
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_tape_is_played_through_the_console() -> None:
    """At once, it looks as it would have looked live."""
    write_tape("trip.jsonl")
    assert playhead("play", "trip.jsonl", "--instant") == (0, PLAYED, "")


def test_pauses_are_those_of_the_tape() -> None:
    """At ten times the speed, a tape of 1.8 seconds takes a tenth of them, and shows the same."""
    write_tape("trip.jsonl")
    start_s = time.monotonic()
    shown = playhead("play", "trip.jsonl", "--speed", "10")
    assert time.monotonic() - start_s > 0.17
    assert shown.out == PLAYED


def test_details_are_shown_on_request() -> None:
    """Times and arguments of tools."""
    write_tape("trip.jsonl", [(0, {**event, "timestamp": "2030-01-01T00:00:00Z"}) for _, event in SEARCH])
    shown = playhead("play", "trip.jsonl", "--instant", "--details").out
    assert "[00:00:00.000] 🔧 search(city='Paris')\n" in shown


def test_a_bad_end_is_shown() -> None:
    """How the run failed comes last; that the recording says so is no failure of the command."""
    write_tape("trip.jsonl", SEARCH[:2], end="error", errors={"r1": Failure(type="ValueError", message="no")})
    shown = playhead("play", "trip.jsonl", "--instant")
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "❌ Error: no")


def test_a_slice_is_played() -> None:
    """Events are counted from 0."""
    write_tape("trip.jsonl")
    shown = playhead("play", "trip.jsonl", "--instant", "--start", "1", "--stop", "2").out
    assert shown.splitlines()[0] == "🔧 search"


def test_json_prints_the_recorded_events() -> None:
    """Each event's own JSON, when it is due."""
    write_tape("trip.jsonl")
    assert playhead("play", "trip.jsonl", "--instant", "--json").out == playhead("show", "trip.jsonl", "--events").out


def test_a_torn_tape_is_played_on_request() -> None:
    """`--torn` plays what is there."""
    path = write_tape("trip.jsonl")
    path.write_bytes(path.read_bytes()[:-9])
    assert playhead("play", "trip.jsonl", "--instant").code == 2
    assert "🔧 search" in playhead("play", "trip.jsonl", "--instant", "--torn").out
