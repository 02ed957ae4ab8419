"""`playhead ls`: every cassette, sound or damaged."""

from pathlib import Path

import pytest

from tests.cli.running import playhead, write_tape


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_cassettes_of_folders_and_stores_are_listed() -> None:
    """A row for each, with what one wants to know first; what is named can be passed to any other command."""
    write_tape("tapes/paris.jsonl")
    write_tape("tapes/deep/oslo.jsonl", dialect="shipit", end="error")
    write_tape("runs.db::rome")
    assert playhead("ls", "tapes", "runs.db") == (
        0,
        "state   end       dialect  runs  entries     size  cassette\n"
        "sealed  error     shipit      1        9  1.7 KiB  tapes/deep/oslo.jsonl\n"
        "sealed  complete  locus       1        9  1.7 KiB  tapes/paris.jsonl\n"
        "sealed  complete  locus       1        9  1.7 KiB  runs.db::rome\n"
        "3 cassettes\n",
        "",
    )


def test_a_damaged_one_is_listed_with_what_is_wrong() -> None:
    """The exit code is 2, and the others are listed all the same."""
    torn = write_tape("torn.jsonl")
    torn.write_bytes(torn.read_bytes()[:-9])
    corrupt = write_tape("corrupt.jsonl")
    corrupt.write_bytes(corrupt.read_bytes().replace(b"Paris", b"Pbris"))
    Path("newer.jsonl").write_bytes(b'{"playhead":9}\n')
    Path("empty.jsonl").touch()
    write_tape("sound.jsonl")
    shown = playhead("ls")
    assert shown.code == 2
    rows = [line.split() for line in shown.out.splitlines()[1:6]]
    assert [(row[-1], row[0]) for row in rows] == [
        ("corrupt.jsonl", "corrupt"),
        ("empty.jsonl", "torn"),
        ("newer.jsonl", "unreadable"),
        ("sound.jsonl", "sealed"),
        ("torn.jsonl", "torn"),
    ]
    assert "corrupt: corrupt.jsonl:3: at byte " in shown.out
    assert "torn: empty.jsonl is empty: nothing was recorded. Record it again\n" in shown.out
    assert "unreadable: newer.jsonl:1: format version 9 is not known" in shown.out
    assert shown.out.endswith("5 cassettes, 4 unreadable\n")


def test_json_has_a_line_for_each() -> None:
    """All that is known, or why nothing is."""
    write_tape("a.jsonl", end="paused")
    Path("b.jsonl").write_bytes(b"rubbish\n")
    rows = playhead("ls", "--json").lines()
    assert rows[0] == {
        "place": "a.jsonl",
        "state": "sealed",
        "name": "trip",
        "dialects": {"event": "locus"},
        "made": {},
        "entries": 9,
        "runs": {"r1": "paused"},
        "end": "paused",
        "bytes": Path("a.jsonl").stat().st_size,
        "problem": None,
    }
    assert (rows[1]["place"], rows[1]["state"], rows[1]["bytes"], rows[1]["entries"]) == ("b.jsonl", "corrupt", 8, None)
    assert "it does not begin as one" in rows[1]["problem"]


def test_an_empty_folder_has_none() -> None:
    """That is no error, and standard output stays empty."""
    assert playhead("ls") == (0, "", "no cassettes in .\n")


def test_long_names_stay_whole() -> None:
    """A name can be copied from the list, however narrow the terminal: it comes last and is never cut."""
    name = "x" * 70 + ".jsonl"
    write_tape(name)
    write_tape("short.jsonl")
    rows = playhead("ls", columns=60).out.splitlines()
    assert rows[1].endswith("  short.jsonl")
    assert rows[2].endswith("  " + name)
