"""`playhead stats`: tapes in numbers, for people and for programs."""

from pathlib import Path

import pytest

from playhead.cassettes.format import Failure
from tests.cli.running import playhead, write_tape


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_stats_are_tables() -> None:
    """Events by type, spans by kind, tools by name."""
    write_tape("a.jsonl")
    shown = [line.rstrip() for line in playhead("stats", "a.jsonl").out.splitlines()]
    assert shown == [
        "1 cassette · 1 run · 9 entries · 1.7 KiB · 1.79 s",
        "runs ended  1 complete",
        "",
        "event          count",
        "model_chunk        2  ████████████████████",
        "think              2  ████████████████████",
        "tool_complete      2  ████████████████████",
        "tool_start         2  ████████████████████",
        "terminate          1  ██████████",
        "",
        "wait             count  failed  unfinished     min  median     max   total",
        "first event          1       -           -     0 s     0 s     0 s     0 s",
        "first text           1       -           -  1.77 s  1.77 s  1.77 s  1.77 s",
        "longest silence      1       -           -  1.50 s  1.50 s  1.50 s  1.50 s",
        "",
        "span   count  failed  unfinished       min  median     max   total",
        "step       2       -           -  0.007 ms  897 ms  1.79 s  1.79 s",
        "tool       2       1           -    252 ms  1.00 s  1.75 s  2.00 s",
        "model      1       -           1         -       -       -       -",
        "",
        "tool    count  failed  unfinished     min  median     max   total",
        "read        1       1           -  1.75 s  1.75 s  1.75 s  1.75 s",
        "search      1       -           -  252 ms  252 ms  252 ms  252 ms",
    ]


def test_json_is_one_document() -> None:
    """All cassettes are added up; errors are counted by class."""
    write_tape("a.jsonl")
    write_tape("b.jsonl", end="error", errors={"r1": Failure(type="ValueError", message="no")})
    (found,) = playhead("stats", ".", "--json").lines()
    assert (found["cassettes"], found["runs"], found["entries"]) == (2, 2, 18)
    assert (found["ends"], found["errors"]) == ({"complete": 1, "error": 1}, {"ValueError": 1})
    assert found["tools"]["read"] == {
        "count": 2,
        "failed": 2,
        "unfinished": 0,
        "total_us": 3_500_000,
        "min_us": 1_750_000,
        "median_us": 1_750_000,
        "max_us": 1_750_000,
    }
    assert found["waits"]["first text"]["median_us"] == 1_773_000
    assert "errors      1 × ValueError" in playhead("stats", ".").out


def test_a_damaged_one_does_not_count() -> None:
    """It is told on standard error, and the exit code is 2."""
    write_tape("a.jsonl")
    Path("b.jsonl").write_bytes(b"rubbish")
    shown = playhead("stats", ".", "--json")
    assert shown.code == 2
    assert shown.lines()[0]["cassettes"] == 1
    assert "b.jsonl:1: " in shown.err


def test_long_tables_are_cut() -> None:
    """The rarest rows are only counted."""
    write_tape("a.jsonl", [(0, {"event_type": f"type_{number:02}"}) for number in range(25)])
    shown = playhead("stats", "a.jsonl").out
    assert "type_19" in shown
    assert "type_20" not in shown
    assert "and 5 more" in shown
