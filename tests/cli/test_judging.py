"""`playhead diff` and `verify`: what differs, and what is damaged."""

from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.format import entry_prefix
from tests.cli.running import SEARCH, playhead, write_rows, write_tape


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def changed(index: int, **fields: Any) -> list[tuple[int, Any]]:
    """Return the usual events with one of them changed."""
    events = [(dt_us, dict(event)) for dt_us, event in SEARCH]
    events[index][1].update(fields)
    return events


def test_what_differs_only_by_chance_is_the_same() -> None:
    """Times, durations, ids, and the order in which parallel tools end do not count."""
    write_tape("a.jsonl", changed(3, duration_ms=4, timestamp="2031-01-01T00:00:00Z"))
    other = changed(3, duration_ms=7, timestamp="2030-01-01T00:00:00Z", tool_call_id="z")
    other[1][1].update(tool_call_id="z")
    other[3], other[4] = other[4], other[3]
    write_tape("b.jsonl", other)
    assert playhead("diff", "a.jsonl", "b.jsonl") == (0, "no differences (9 events)\n", "")
    assert playhead("diff", "a.jsonl", "b.jsonl", "--in-order").code == 1


def test_a_difference_is_told_with_its_path() -> None:
    """Both sides are shown; the exit code is 1."""
    write_tape("a.jsonl")
    write_tape("b.jsonl", changed(1, arguments={"city": "Rome"}))
    assert playhead("diff", "a.jsonl", "b.jsonl") == (
        1,
        "1 difference between 9 events and 9 events (counted from 0)\n"
        "    0: think(iteration=1, reasoning='Look.', tool_calls=[])\n"
        "  changed: event 1 (new: 1) at $.arguments.city\n"
        "    old 1: tool_start(tool_name='search', tool_call_id='a', arguments={'city': 'Paris'})\n"
        "    new 1: tool_start(tool_name='search', tool_call_id='a', arguments={'city': 'Rome'})\n"
        "    $.arguments.city: 'Paris' -> 'Rome'\n",
        "",
    )
    (found,) = playhead("diff", "a.jsonl", "b.jsonl", "--json").lines()
    assert found == {
        "old": {"place": "a.jsonl", "events": 9, "end": "complete"},
        "new": {"place": "b.jsonl", "events": 9, "end": "complete"},
        "same": False,
        "differences": [
            {
                "kind": "changed",
                "old_index": 1,
                "new_index": 1,
                "path": "$.arguments.city",
                "old": "Paris",
                "new": "Rome",
            }
        ],
    }


def test_an_event_that_only_one_has_is_told() -> None:
    """A missing event has no other side; values that JSON lacks are tagged in `--json`."""
    write_tape("a.jsonl", [*SEARCH, (0, {"event_type": "custom", "name": "n", "data": {"n": float("nan")}})])
    write_tape("b.jsonl")
    (found,) = playhead("diff", "a.jsonl", "b.jsonl", "--json").lines()
    (difference,) = found["differences"]
    assert (difference["kind"], difference["old_index"], difference["new_index"]) == ("missing", 9, None)
    assert difference["old"]["data"] == {"n": {"$playhead": "nan"}}


def test_another_end_is_a_difference() -> None:
    """Two runs with the same events that ended differently are not the same."""
    write_tape("a.jsonl")
    write_tape("b.jsonl", end="error")
    assert playhead("diff", "a.jsonl", "b.jsonl") == (1, "ends: complete -> error\nno differences (9 events)\n", "")
    assert playhead("diff", "a.jsonl", "b.jsonl", "--json").lines()[0]["same"] is False


def test_tapes_of_two_dialects_cannot_be_compared() -> None:
    """That is an error, not a difference."""
    write_tape("a.jsonl")
    write_tape("b.jsonl", dialect="shipit")
    shown = playhead("diff", "a.jsonl", "b.jsonl")
    assert (shown.code, shown.out) == (2, "")
    assert "a.jsonl is of dialect 'locus' and b.jsonl of 'shipit'" in shown.err


def test_verify_reads_every_byte() -> None:
    """One that is changed anywhere is named with line and byte, and the exit code is 2."""
    write_tape("a.jsonl")
    write_tape("runs.db::b")
    assert playhead("verify", ".") == (0, "ok       a.jsonl: 9 entries\nok       runs.db::b: 9 entries\n", "")
    path = Path("a.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Look.", b"Lock."))
    shown = playhead("verify", ".")
    assert shown.code == 2
    assert shown.out.splitlines()[0].startswith("damaged  a.jsonl:2: at byte ")
    first, second = playhead("verify", ".", "--json").lines()
    assert (first["ok"], first["entries"], second) == (
        False,
        0,
        {"place": "runs.db::b", "ok": True, "entries": 9, "problem": None},
    )


def test_verify_reads_the_data_too() -> None:
    """Data whose checksum is right but that nobody could read is damage as well."""
    write_tape("a.jsonl", [(0, {"event_type": "custom", "data": {"$playhead_": "nan"}})])
    write_rows("b.jsonl", [(0, entry_prefix("event", "r1", "event"), b'{"x":{"$playhead":["bytes","%"]}}')])
    assert playhead("verify", "a.jsonl").code == 0
    shown = playhead("verify", "b.jsonl")
    assert shown.code == 2
    assert "b.jsonl:2: its data cannot be read: a damaged tag" in shown.out
