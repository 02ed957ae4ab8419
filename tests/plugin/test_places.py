"""Where the cassette of a test lies."""

from pathlib import Path

import pytest

from playhead.errors import UsageError
from playhead.plugin.places import cassette_of, module_folder, shown

ROOT = Path("/project")
FILE = ROOT / "tests/test_trip.py"


def where(node: str = "tests/test_trip.py::test_paris", folder: str = "cassettes", name: str | None = None) -> str:
    """Return the place of a cassette, as text."""
    return cassette_of(node, FILE, folder=folder, root=ROOT, name=name).as_posix()


def test_a_cassette_lies_beside_its_test() -> None:
    """In the folder of its module; and in an absolute folder as the test lies in the project."""
    assert where() == "/project/tests/cassettes/test_trip/test_paris.jsonl"
    assert where("tests/test_trip.py::TestA::test_b[c/d]").endswith("/test_trip/TestA.test_b[c%2fd]@11.jsonl")
    assert where(folder="tapes/all") == "/project/tests/tapes/all/test_trip/test_paris.jsonl"
    assert where(folder="/tapes") == "/tapes/tests/test_trip/test_paris.jsonl"


def test_modules_of_one_name_do_not_meet() -> None:
    """Not even where the folder is absolute, and one of them lies outside of the project."""
    files = [ROOT / "a/test_x.py", ROOT / "b/test_x.py", Path("/else/a/test_x.py"), Path("/else/b/test_x.py")]
    found = {cassette_of("test_x.py::test", file, folder="/tapes", root=ROOT) for file in files}
    assert len(found) == 4
    assert all(path.is_relative_to("/tapes") for path in found)


def test_a_name_is_a_place_in_the_folder() -> None:
    """With its suffix or without, and in folders of its own."""
    assert where(name="paris") == where(name="paris.jsonl") == "/project/tests/cassettes/paris.jsonl"
    assert where(name="trips/v1.2") == "/project/tests/cassettes/trips/v1.2.jsonl"


@pytest.mark.parametrize("name", ["", "../x", "a/../../x", "/x", "a\0b"])
def test_a_name_does_not_lead_out(name: str) -> None:
    """It is refused, and the folder is named."""
    with pytest.raises(UsageError, match="give a path within '/project/tests/cassettes'"):
        where(name=name)


def test_the_folder_of_a_module_is_where_its_cassettes_are() -> None:
    """All cassettes of a file, and of no other one, lie in its folder."""
    folder = module_folder(FILE, folder="cassettes", root=ROOT)
    assert folder == Path(where()).parent == Path(where("tests/test_trip.py::TestA::test_b")).parent


def test_paths_are_shown_as_they_are_typed() -> None:
    """Relative to where pytest was started, but for those that lie elsewhere."""
    assert shown(FILE, ROOT) == "tests/test_trip.py"
    assert shown(FILE, ROOT / "tests/inner") == str(FILE)
    assert shown(Path("/projects/x"), ROOT) == "/projects/x"
