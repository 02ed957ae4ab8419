"""`playhead show`: the timeline, the recorded events, the stored lines."""

from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.format import Failure, entry_prefix
from playhead.cli.showing import untagged
from playhead.events.tagged import dumps
from tests.cli.running import SEARCH, playhead, write_rows, write_tape

TIMELINE = """\
trip.jsonl
locus · 9 entries · 1 run
    0     0.000  ╭ think  iteration=1 reasoning="Look."
    1     0.001  │╭ tool_start  search city="Paris"
    2     0.003  ││╭ tool_start  read
    3     0.253  │╰│ tool_complete 252 ms  search result="sun"
    4     1.753  │ ╰ tool_complete 1.75 s  read error="gone"
    5     1.773  │· model_chunk ×2  "It is sunny."
    7     1.793  ├ think  iteration=2 reasoning="It is sunny."
    8     1.793  ╰ terminate  reason="complete" iterations_used=2 final_confidence=1.0 total_tool_c…
r1 ended complete
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_timeline_shows_when_where_and_what() -> None:
    """Open spans are lanes, pieces of text are joined, tools say how long they took, lines fit the terminal."""
    write_tape("trip.jsonl")
    assert playhead("show", "trip.jsonl") == (0, TIMELINE, "")


def test_the_timeline_fits_a_narrow_terminal() -> None:
    """At 60 columns no line is longer."""
    write_tape("trip.jsonl")
    shown = playhead("show", "trip.jsonl", columns=60).out.splitlines()
    assert max(map(len, shown)) == 60
    assert shown[3] == '    1     0.001  │╭ tool_start  search city="Paris"'


def test_all_gives_each_piece_a_line() -> None:
    """`--all` joins nothing."""
    write_tape("trip.jsonl")
    shown = playhead("show", "trip.jsonl", "--all").out
    assert '    5     1.773  │· model_chunk  "It is "\n    6     1.793  │· model_chunk  "sunny."\n' in shown


def test_a_slice_is_counted_in_events() -> None:
    """`--start` and `--stop` count from 0, as the numbers in the timeline and in `diff` do."""
    write_tape("trip.jsonl")
    shown = playhead("show", "trip.jsonl", "--start", "7", "--stop", "8").out.splitlines()
    assert shown[2:-1] == ['    7     1.793  ╭ think  iteration=2 reasoning="It is sunny."']
    rows = playhead("show", "trip.jsonl", "--json", "--start", "7", "--stop", "8").lines()
    assert [(row["line"], row["index"], row["at_us"]) for row in rows] == [(9, 7, 1_793_000)]
    assert len(playhead("show", "trip.jsonl", "--events", "--start", "2").lines()) == 7


def test_nested_agents_are_in_the_span_of_their_tool() -> None:
    """What a sub-agent does is drawn inside of the tool that it runs in, to any depth."""
    inner: dict[str, Any] = {"event_type": "tool_start", "tool_name": "look", "tool_call_id": "k", "agent_name": "kid"}
    think = {"event_type": "think", "iteration": 1, "agent_name": "kid"}

    def within(event: dict[str, Any]) -> dict[str, Any]:
        return {"event_type": "subagent", "tool_call_id": "p", "tool_name": "task", "agent_name": "kid", "event": event}

    done = {"event_type": "tool_complete", "tool_name": "look", "tool_call_id": "k", "agent_name": "kid"}
    start = {"event_type": "tool_start", "tool_name": "task", "tool_call_id": "p", "arguments": {}}
    events = [start, within(think), within(inner), within(within(think)), within(done)]
    write_tape("trip.jsonl", [(0, event) for event in events])
    shown = playhead("show", "trip.jsonl").out.splitlines()[2:-1]
    assert [line[17:] for line in shown] == [
        "╭ tool_start  task",
        "│╭ subagent › think  iteration=1",
        "││╭ subagent › tool_start  look",
        "│││╭ subagent › subagent › think  iteration=1",
        "││╰│ subagent › tool_complete 0 s  look",
    ]


def test_every_track_is_shown() -> None:
    """Chunks of bytes, checkpoints and calls of the model have their places; runs are told apart."""
    event, wire = entry_prefix("event", "r1", "event"), entry_prefix("wire", "r2", "bytes")
    write_rows(
        "trip.jsonl",
        [
            (0, event, b'{"event_type":"nobody_knows"}'),
            (5, wire, dumps(b"data: \xff\n")),
            (5, entry_prefix("event", "r1", "checkpoint"), b'{"id":"c1","state":{"n":1}}'),
            (5, entry_prefix("model", "c1", "request"), b'{"messages":[]}'),
            (5, event, b'{"event_type":"custom","name":"late"}'),
        ],
        runs={"r1": "error", "r2": "closed"},
        errors={"r1": Failure(type="ValueError", message="no \x1b[31mred")},
    )
    assert playhead("show", "trip.jsonl").out == (
        "trip.jsonl\n"
        "locus · 5 entries · 2 runs\n"
        "    0     0.000  r1  · nobody_knows  \n"
        r"          0.000  r2  ◦ wire.bytes  8 bytes b'data: \xff\n'" + "\n"
        '          0.000  r1  ◦ event.checkpoint  {"id": "c1", "state": {"n": 1}}\n'
        '          0.000  c1  ◦ model.request  {"messages": []}\n'
        '    1     0.000  r1  · custom  name="late"\n'
        "r1 ended error: ValueError: no \\x1b[31mred\n"
        "r2 ended closed\n"
    )
    assert playhead("show", "trip.jsonl", "--after", "c1", "--events").out == '{"event_type":"custom","name":"late"}\n'
    assert len(playhead("show", "trip.jsonl", "--run", "r2", "--json").lines()) == 1


def test_events_come_out_as_they_went_in() -> None:
    """`--events` prints each event's recorded bytes, spaces and all, and nothing else."""
    data = [b'{ "event_type" : "custom", "name":"x",  "zz":1e2}', b'{"event_type":"custom","name":"\xc3\xa9"}']
    prefix = entry_prefix("event", "r1", "event")
    write_rows("trip.jsonl", [(0, prefix, each) for each in data])
    assert playhead("show", "trip.jsonl", "--events").out.encode() == b"\n".join(data) + b"\n"


def test_tags_are_undone_in_events() -> None:
    """What was tagged is written as Python writes it; `--strict` keeps the tags."""
    event = {"event_type": "custom", "name": "\ud800", "data": {"n": float("nan"), "$playhead": 1, "b": b"\xff"}}
    write_tape("trip.jsonl", [(0, event)])
    (line,) = playhead("show", "trip.jsonl", "--events").out.splitlines()
    assert line == (
        r'{"event_type":"custom","name":"\ud800","data":{"n":NaN,"$playhead":1,"b":{"$playhead":["bytes","/w=="]}}}'
    )
    (strict,) = playhead("show", "trip.jsonl", "--events", "--strict").out.splitlines()
    assert strict == dumps(event).decode()


def test_raw_is_the_file() -> None:
    """`--raw` prints the stored lines, header and seal included; of a slice, those alone."""
    path = write_tape("trip.jsonl")
    assert playhead("show", "trip.jsonl", "--raw").out.encode() == path.read_bytes()
    lines = path.read_text().splitlines(keepends=True)
    assert playhead("show", "trip.jsonl", "--raw", "--start", "2", "--stop", "4").out == "".join(lines[3:5])


def test_json_has_the_recorded_json_in_it() -> None:
    """`--json` wraps each entry's own bytes."""
    write_tape("trip.jsonl")
    shown = playhead("show", "trip.jsonl", "--json")
    assert [row["data"] for row in shown.lines()] == [event for _, event in SEARCH]
    head = '{"line":2,"index":0,"at_us":0,"track":"event","run":"r1","kind":"event","data":{"event_type":"think",'
    assert shown.out.startswith(head)


def test_two_forms_at_once_are_refused() -> None:
    """`--raw` and `--json` contradict each other; `--events --json` does not."""
    write_tape("trip.jsonl")
    assert "in one form" in playhead("show", "trip.jsonl", "--raw", "--json").err
    assert playhead("show", "trip.jsonl", "--events", "--json").code == 0


def test_a_torn_tape_is_shown_on_request() -> None:
    """`--torn` shows the prefix and says that it breaks off; without it that is an error."""
    path = write_tape("trip.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    refused = playhead("show", "trip.jsonl")
    assert (refused.code, refused.out) == (2, "")
    assert "playhead repair trip.jsonl" in refused.err
    shown = playhead("show", "trip.jsonl", "--torn")
    assert shown.code == 0
    assert shown.out.splitlines()[-1] == "torn: the recording breaks off here"
    assert "locus · 9 entries · 0 runs" in shown.out


def test_the_only_cassette_of_a_store_needs_no_name() -> None:
    """A store or a folder with one cassette stands for it."""
    write_tape("runs.db::one")
    assert playhead("show", "runs.db").out == TIMELINE.replace("trip.jsonl", "runs.db::one  trip")
    assert playhead("show", ".").out == playhead("show", "runs.db").out


def test_untagged_json_without_tags_is_the_same_object() -> None:
    """Nothing is written anew that need not be."""
    data = b'{"event_type": "x"}'
    assert untagged(data) is data
