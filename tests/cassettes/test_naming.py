"""File names of cassettes: readable, reversible, and never shared by two ids."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.cassettes.naming import ROOM_BYTES, cassette_path, file_name, id_of
from playhead.errors import UsageError

# Twins in every way that a file system knows, and what separates the parts of a name.
PARTS = (
    "a",
    "A",
    "b",
    "é",
    "e\u0301",
    "É",
    "ß",
    "ss",
    "ſ",
    "\u212a",
    "k",
    "İ",
    "%",
    "%41",
    "%c3",
    "@",
    "@1",
    "@h",
    ".",
)
MORE_PARTS = (
    "/",
    "\\",
    ":",
    "..",
    "::",
    "[",
    "]",
    "-",
    "_",
    " ",
    "\0",
    "\n",
    "con",
    "NUL",
    "\ud800",
    "\udcff",
    "日",
    "x" * 90,
)
IDS = st.lists(st.sampled_from(PARTS + MORE_PARTS), max_size=8).map("".join) | st.text(max_size=40)
ANY_IDS = IDS | st.text(st.characters(), max_size=12)
WINDOWS_FORBIDS = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def folded(name: str) -> str:
    """Return what a case-blind file system that normalises compares."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def assert_safe(component: str, *, max_bytes: int) -> None:
    """Check one component of a path against every file system that people commit to."""
    assert component.isascii()
    assert 0 < len(component) <= max_bytes
    assert not set(component) & WINDOWS_FORBIDS
    assert component[0] not in ".- "
    assert component[-1] not in ". "
    assert component.split(".")[0].lower() not in RESERVED


@pytest.mark.parametrize(
    ("test_id", "name"),
    [
        ("test_paris", "test_paris.jsonl"),
        ("trip/test_paris", "trip%2ftest_paris.jsonl"),
        ("test_paris[a-b,c=1]", "test_paris[a-b,c=1].jsonl"),
        ("TestTrip", "TestTrip@11.jsonl"),
        ("tESTtRIP", "tESTtRIP@ee.jsonl"),
        ("..", "%2e%2e.jsonl"),
        (".hidden", "%2ehidden.jsonl"),
        ("-rf", "%2drf.jsonl"),
        ("end.", "end%2e.jsonl"),
        ("nul", "%6eul.jsonl"),
        ("CON.x", "%63ON.x@7.jsonl"),
        ("console", "console.jsonl"),
        ("a@1", "a%401.jsonl"),
        ("100%", "100%25.jsonl"),
        ("é", "%c3%a9.jsonl"),
        ("\ud800", "%ed%a0%80.jsonl"),
        ("a\0b", "a%00b.jsonl"),
        ("", "%.jsonl"),
    ],
)
def test_names_are_readable(test_id: str, name: str) -> None:
    """Plain ids stay as they are, and the rest is escaped one byte at a time."""
    assert file_name(test_id) == name


@given(first=ANY_IDS, second=ANY_IDS)
@example(first="test[a/b]", second="test[a-b]")
@example(first="test_Paris", second="test_paris")
@example(first="caf\u00e9", second="cafe\u0301")
@example(first="x" * 300, second="X" + "x" * 299)
@example(first="", second="%")
def test_two_ids_never_share_a_name(first: str, second: str) -> None:
    """Different ids have different names, even to a file system that folds case and normalises."""
    assert (folded(file_name(first)) == folded(file_name(second))) == (first == second)


@given(test_id=ANY_IDS)
def test_a_name_is_read_back(test_id: str) -> None:
    """The id comes back out of its name, however the name was folded, unless only its digest fitted."""
    name = file_name(test_id)
    for spelled in (name, name.lower(), name.upper()):
        assert id_of(spelled) == (None if "@h" in name else test_id)


@given(test_id=ANY_IDS, max_bytes=st.integers(80, 300))
def test_names_are_safe_everywhere(test_id: str, max_bytes: int) -> None:
    """No name is reserved, hidden, too long with what is written beside it, or has a character that is forbidden."""
    name = file_name(test_id, max_bytes=max_bytes)
    assert_safe(name, max_bytes=max_bytes - ROOM_BYTES)
    assert name.endswith(".jsonl")


def test_a_long_id_keeps_its_beginning_and_a_digest() -> None:
    """A name that is too long is cut between two escapes and told apart by 128 bits."""
    name = file_name("test_" + "é" * 200)
    stem, _, digest = name.removesuffix(".jsonl").partition("@h")
    assert len(digest) == 32
    assert stem.startswith("test_%c3%a9")
    assert len(stem.removeprefix("test_")) % 3 == 0
    assert name != file_name("test_" + "é" * 201)


def test_no_room_for_a_digest_is_refused() -> None:
    """A limit below a digest cannot keep names apart, so it is an error and no shorter digest."""
    with pytest.raises(UsageError, match=r"no room for the 34 bytes of a digest"):
        file_name("x" * 100, max_bytes=60)


@pytest.mark.parametrize(
    "name",
    ["a@0.jsonl", "a b.jsonl", "%.x.jsonl", "a%ff.jsonl", "a%ed%a0.jsonl", "é.jsonl", "a@1@2.jsonl", "x%61.jsonl", "x"],
)
def test_other_names_are_not_read(name: str) -> None:
    """A file that somebody called otherwise is not taken for a cassette of some id."""
    with pytest.raises(UsageError, match="is not the name of a cassette"):
        id_of(name)


@pytest.mark.parametrize(
    ("node_id", "path"),
    [
        ("tests/test_trip.py::test_paris", "test_trip/test_paris.jsonl"),
        ("test_trip.py::TestX::test_paris[a/b]", "test_trip/TestX.test_paris[a%2fb]@11.jsonl"),
        ("tests/test_trip.py::test_paris[x::y.z]", "test_trip/test_paris[x%3a%3ay.z].jsonl"),
        ("tests/Test_Trip.py::test_a", "Test_Trip@11/test_a.jsonl"),
        ("tests/test.a.py::test_a", "test.a/test_a.jsonl"),
        ("docs/tour.rst::tour.rst", "tour.rst%/tour%2erst.jsonl"),
        ("tests/nul.py::aux", "%6eul/%61ux.jsonl"),
        ("paris", "paris.jsonl"),
        ("../../etc/passwd", "%2e./../etc/passwd.jsonl".replace("/", "%2f")),
    ],
)
def test_a_node_has_its_path(node_id: str, path: str) -> None:
    """A cassette lies in a folder called like the module, under the names of class and function."""
    assert cassette_path(node_id) == PurePosixPath(path)


NODE_PARTS = st.sampled_from(("a", "A", "a.b", "", "test_x", "x.py", "y", "%", "é"))
NODES = st.builds(
    lambda module, names, parameters: "::".join((module, *names)) + parameters,
    st.sampled_from(("a.py", "A.py", "a", "a.b.py", "a.b", "a.py.txt", "%.py")),
    st.lists(NODE_PARTS, min_size=1, max_size=3),
    st.sampled_from(("", "[]", "[a]", "[A]", "[a::b]", "[a.b]", "[a/b]", "[x.]", "[" + "y" * 300 + "]")),
)


@given(first=NODES, second=NODES)
@example(first="a.py::A::b", second="a.py::A.b")
@example(first="a.py::a::", second="a.py::a.")
@example(first="a.py::a", second="a::a")
def test_two_nodes_never_share_a_path(first: str, second: str) -> None:
    """Different nodes of one folder have different paths, even on a case-blind file system."""
    assert (folded(str(cassette_path(first))) == folded(str(cassette_path(second)))) == (first == second)


@given(node_id=NODES | ANY_IDS)
def test_paths_are_safe_everywhere(node_id: str) -> None:
    """A path never climbs, is never absolute, and each of its components is safe."""
    path = cassette_path(node_id)
    assert len(path.parts) in (1, 2)
    for component in path.parts:
        assert_safe(component, max_bytes=255)
