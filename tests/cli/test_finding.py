"""From what a person wrote to a place, and to a place for a copy."""

from pathlib import Path

import pytest

from playhead.cassettes.places import locate
from playhead.cli.finding import beside, find, find_all, nearest_path, stem, target
from playhead.errors import CassetteError, MissingCassette, UsageError
from tests.cli.running import write_tape


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("trip.jsonl", "trip"),
        ("a/trip.jsonl.partial", "a/trip"),
        ("trip.jsonl.torn.12", "trip"),
        ("trip.partial", "trip"),
        ("trip.jsonl.tornado", "trip.jsonl.tornado"),
        ("trip", "trip"),
        (".jsonl", ".jsonl"),
    ],
)
def test_a_name_has_a_stem(name: str, short: str) -> None:
    """The suffixes of files, and of recordings that were never sealed, are left out."""
    assert stem(name) == short


def test_a_copy_goes_beside_its_source() -> None:
    """In the same folder or store, under a name that says what it is."""
    assert beside(locate("a/trip.jsonl"), "repaired") == "a/trip.repaired.jsonl"
    assert beside(locate("runs.db::tests/t.py::test_x"), "scrubbed") == "runs.db::tests/t.py::test_x.scrubbed"


def test_folders_and_stores_take_the_name_of_the_source() -> None:
    """A target that exists is refused, unless it is to be replaced."""
    Path("tapes").mkdir()
    assert target("tapes", source_name="a/trip.jsonl", force=False).where == "tapes/trip.jsonl"
    assert target("runs.db", source_name="a/trip.jsonl", force=False).where == "runs.db::trip"
    write_tape("runs.db::trip")
    with pytest.raises(CassetteError, match=r"^runs\.db::trip exists already"):
        target("runs.db", source_name="trip.jsonl", force=False)
    assert target("runs.db", source_name="trip.jsonl", force=True).where == "runs.db::trip"
    Path("folder.jsonl").mkdir()
    assert target("folder.jsonl", source_name="x", force=False).where == "folder.jsonl/x.jsonl"


def test_the_nearest_path_is_looked_for_in_the_nearest_folder() -> None:
    """A typing error in a folder's name is found as well as one in a file's."""
    write_tape("tapes/paris.jsonl")
    assert nearest_path("tapes/pari.jsonl") == "tapes/paris.jsonl"
    assert nearest_path("tape/paris.jsonl") == "tapes/paris.jsonl"
    assert nearest_path("tape/zzz.jsonl") == "tapes"
    assert nearest_path("zzz/yyy") is None


def test_what_is_found_is_one() -> None:
    """Of a folder or a store without, or with several, there is no one cassette."""
    Path("tapes").mkdir()
    with pytest.raises(MissingCassette, match="'tapes' is a folder without any cassette"):
        find("tapes")
    write_tape("tapes/a.jsonl")
    assert find("tapes").where == "tapes/a.jsonl"
    write_tape("runs.db::a")
    write_tape("runs.db::b")
    with pytest.raises(UsageError, match=r"is a whole store of 2 cassettes: name one of runs\.db::a and runs\.db::b"):
        find("runs.db")
    assert [place.where for place in find_all(["runs.db", "tapes"])] == ["runs.db::a", "runs.db::b", "tapes/a.jsonl"]


def test_a_file_of_another_kind_is_said_to_be_one() -> None:
    """What is there but is no place of cassettes is not called missing."""
    Path("notes.txt").write_text("x")
    with pytest.raises(UsageError, match="does not say what it is"):
        find("notes.txt")
    with pytest.raises(MissingCassette, match=r"did you mean 'notes\.txt'"):
        find("note.txt")
