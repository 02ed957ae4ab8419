"""What a reader takes and says: memory is bounded where a file is hostile, and an error has one plain sentence."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.cassettes import reading
from playhead.cassettes.damage import find_damage
from playhead.cassettes.format import read_data
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.errors import CassetteError
from tests.cassettes.tapes import ENTRIES, entry, record
from tests.cli.running import playhead

MEBIBYTE = 1024 * 1024


def peak_bytes(call: Callable[[], object]) -> int:
    """Return how much memory a call takes at its peak."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_line_that_is_damaged_is_not_parsed() -> None:
    """Its objects would take many times the memory of the text."""
    line = b'{"playhead":[' + b"{}," * MEBIBYTE + b"{}]\n"
    found = []
    assert peak_bytes(lambda: found.append(find_damage("x", iter([line])))) < MEBIBYTE
    assert "the line does not end with its checksum" in str(found[0])


def test_a_cassette_in_the_folder_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a folder is recorded, sealed and read."""
    monkeypatch.chdir(tmp_path)
    record(JsonlStore(), "tape.jsonl")
    with read(JsonlStore().open("tape.jsonl")) as cassette:
        assert tuple(cassette.entries()) == ENTRIES


def test_a_failure_of_the_system_is_told_in_its_words(tmp_path: Path) -> None:
    """The reason stands there without the number of the error, and the path only once."""
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file/tape.jsonl"
    with pytest.raises(CassetteError) as refused:
        JsonlStore(tmp_path).open("file/tape.jsonl")
    assert str(refused.value) == f"{path} cannot be read: Not a directory"


def test_the_last_line_of_a_small_file_takes_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that is the only line: the file is not asked again for what there is no more of."""
    (tmp_path / "tape.jsonl").write_bytes(b"one line\n")
    asked: list[int] = []
    pread = os.pread

    def counted(fd: int, length: int, offset: int) -> bytes:
        asked.append(offset)
        return pread(fd, length, offset)

    with JsonlStore(tmp_path).open("tape.jsonl") as source:
        monkeypatch.setattr(os, "pread", counted)
        assert source.last_line() == b"one line\n"
    assert asked == [0]


def test_lines_like_the_one_before_are_not_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run of events only the first is: what replays are fast by."""
    taken: list[bytes] = []

    def counted(line: bytes) -> tuple[int, tuple[str, str, str], bytes]:
        taken.append(line)
        return read_data(line)

    record(JsonlStore(tmp_path), "tape.jsonl", [entry(number) for number in range(50)])
    monkeypatch.setattr(reading, "read_data", counted)
    with read(JsonlStore(tmp_path).open("tape.jsonl")) as cassette:
        assert len(list(cassette.payloads("event", "event"))) == 50
    assert len(taken) == 1


@pytest.mark.parametrize(("edit", "is_told"), [(b"drink", True), (b'dr"nk', False)])
def test_repair_tells_of_an_edit_by_hand(tmp_path: Path, edit: bytes, is_told: bool) -> None:
    """Where it still is a cassette that can be sealed again, nothing need be lost, and the command is named."""
    record(JsonlStore(tmp_path), "tape.jsonl")
    path = tmp_path / "tape.jsonl"
    path.write_bytes(path.read_bytes().replace(b"think", edit, 1))
    shown = playhead("repair", path)
    assert shown.code == 0
    assert (f"nothing need be lost: playhead reseal {path}\n" in shown.out) is is_told
    (again,) = playhead("repair", path, "--force", "--json").lines()
    assert again["edited"] is is_told
    path.write_bytes(path.read_bytes()[:-10])
    assert "reseal" not in playhead("repair", path, "--force").out
