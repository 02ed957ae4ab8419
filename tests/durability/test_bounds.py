"""What a reader takes and says: memory is bounded where a file is hostile, and an error has one plain sentence."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.cassettes.damage import find_damage
from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.reading import read
from playhead.errors import CassetteError
from tests.cassettes.tapes import ENTRIES, record

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
