"""Places as people write them, and what is found there."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.places import Place, list_places, locate
from playhead.cassettes.sqlite import SqliteStore
from playhead.errors import CassetteError, MissingCassette, UsageError
from tests.cassettes.tapes import record


@pytest.mark.parametrize(
    ("text", "store", "name", "where"),
    [
        ("cassettes/paris.jsonl", JsonlStore, "paris.jsonl", "cassettes/paris.jsonl"),
        ("paris.jsonl", JsonlStore, "paris.jsonl", "paris.jsonl"),
        ("a::b/paris.jsonl", JsonlStore, "paris.jsonl", "a::b/paris.jsonl"),
        ("paris.jsonl.torn", JsonlStore, "paris.jsonl.torn", "paris.jsonl.torn"),
        ("paris.jsonl.torn.2", JsonlStore, "paris.jsonl.torn.2", "paris.jsonl.torn.2"),
        ("paris.jsonl.partial", JsonlStore, "paris.jsonl.partial", "paris.jsonl.partial"),
        ("runs.db::paris", SqliteStore, "paris", "runs.db::paris"),
        ("x/runs.sqlite3::tests/t.py::test_x[a.jsonl]", SqliteStore, "tests/t.py::test_x[a.jsonl]", None),
        ("runs.db::x.db::y", SqliteStore, "x.db::y", None),
        ("runs.sqlite", SqliteStore, None, "runs.sqlite"),
        (":memory:", MemoryStore, "tape", ":memory:::tape"),
        (":memory:::paris", MemoryStore, "paris", None),
    ],
)
def test_the_suffix_decides(text: str, store: type, name: str | None, where: str | None) -> None:
    """A path, a store with a name behind `::`, and the word for memory each mean one place."""
    place = locate(text)
    assert isinstance(place.store, store)
    assert place.name == name
    assert place.where == (where or text)


def test_a_path_object_is_a_place(tmp_path: Path) -> None:
    """Paths need not be text."""
    assert locate(tmp_path / "x.jsonl").where == str(tmp_path / "x.jsonl")


def test_the_memory_is_one_for_the_process() -> None:
    """What was recorded to memory is found there."""
    record(locate(":memory:::test_places").store, "test_places")
    with locate(":memory:::test_places").read() as cassette:
        assert cassette.entry_count == 5
    locate(":memory:").store.delete("test_places")


@pytest.mark.parametrize("text", ["paris", "paris.json", "paris.yaml::x", "", ".", "x\0y"])
def test_a_place_that_does_not_say_what_it_is(text: str) -> None:
    """The error lists what would be understood."""
    with pytest.raises(UsageError, match=r"does not say what it is: .*\.jsonl.*\.db"):
        locate(text)


def test_a_file_holds_one_cassette() -> None:
    """A name inside a JSONL file is a mistake, and the error says which part of it."""
    with pytest.raises(UsageError, match="leave out '::paris'"):
        locate("x.jsonl::paris")


def test_a_whole_store_is_no_cassette(tmp_path: Path) -> None:
    """Who opens a store without a name is told how to write one."""
    for call in (locate(tmp_path / "runs.db").open, locate(tmp_path / "runs.db").create):
        with pytest.raises(UsageError, match=r"runs\.db::NAME"):
            call()


def test_the_content_decides_where_the_suffix_does_not(tmp_path: Path) -> None:
    """A database of any name is recognised; a FIFO is not opened to look."""
    record(SqliteStore(tmp_path / "runs.db"), "paris")
    SqliteStore(tmp_path / "runs.db").finish()
    (tmp_path / "runs.db").rename(tmp_path / "corpus")
    assert locate(tmp_path / "corpus").store.names() == ["paris"]
    with locate(f"{tmp_path}/corpus::paris").read() as cassette:
        assert cassette.entry_count == 5
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError):
        locate(tmp_path / "fifo")


def test_everything_in_a_folder_is_listed(tmp_path: Path) -> None:
    """Files and the cassettes of stores, sorted; nothing hidden, linked or unsealed."""
    for name in ("b.jsonl", "deep/a.jsonl", ".git/c.jsonl", "d.jsonl.torn"):
        record(JsonlStore(tmp_path), name)
    for name in ("y", "x"):
        record(SqliteStore(tmp_path / "deep/runs.db"), name)
    record(SqliteStore(tmp_path / ".hidden/runs.db"), "z")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [place.where.removeprefix(f"{tmp_path}/") for place in list_places(tmp_path)] == [
        "b.jsonl",
        "deep/a.jsonl",
        "deep/runs.db::x",
        "deep/runs.db::y",
    ]
    assert [place.name for place in list_places(tmp_path / "deep/runs.db")] == ["x", "y"]
    for place in list_places(tmp_path):
        with place.read() as cassette:
            assert cassette.entry_count == 5


def test_a_single_cassette_lists_itself(tmp_path: Path) -> None:
    """What names one cassette gives that one, there or not: opening it says the rest."""
    record(JsonlStore(tmp_path), "a.jsonl")
    assert [place.where for place in list_places(tmp_path / "a.jsonl")] == [str(tmp_path / "a.jsonl")]
    with pytest.raises(MissingCassette):
        list_places(tmp_path / "none.jsonl")
    with pytest.raises(MissingCassette):
        list_places(tmp_path / "none.db")
    with pytest.raises(MissingCassette):
        list_places(tmp_path / "none")


def test_a_place_may_be_torn(tmp_path: Path) -> None:
    """A place is read as any source is."""
    record(JsonlStore(tmp_path), "a.jsonl")
    path = tmp_path / "a.jsonl"
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CassetteError):
        Place(JsonlStore(tmp_path), "a.jsonl").read()
    with locate(path).read(torn=True) as cassette:
        assert cassette.state == "torn"


def test_other_databases_in_a_folder_are_passed_over_and_damaged_stores_are_not(tmp_path: Path) -> None:
    """An application's own database is nobody's damage; a store that cannot be read is listed, and says why."""
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
    whole = SqliteStore(tmp_path / "whole.db")
    record(whole, "run")
    whole.finish()
    (tmp_path / "torn.db").write_bytes((tmp_path / "whole.db").read_bytes()[:3000])
    places = {place.where: place for place in list_places(tmp_path)}
    assert sorted(places) == [f"{tmp_path}/torn.db::*", f"{tmp_path}/whole.db::run"]
    with pytest.raises(CassetteError, match=r"torn\.db"):
        places[f"{tmp_path}/torn.db::*"].read()
