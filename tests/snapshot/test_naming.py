"""No two assertions share a file, and people can read which one it belongs to."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.snapshot.naming import owner, shown, stem

INDEXES = st.integers(0, 3) | st.text("aA1~[]@.", min_size=1, max_size=4) | st.text(min_size=1, max_size=200)
TESTS = st.text("aA~.@[]/-1é:", max_size=6) | st.text("xX", min_size=120, max_size=300) | st.text(max_size=20)
ASSERTIONS = st.tuples(TESTS, INDEXES)


@given(one=ASSERTIONS, two=ASSERTIONS)
def test_different_assertions_have_different_files(one: tuple[str, int | str], two: tuple[str, int | str]) -> None:
    """Whatever the names are, folded and normalised too, and no name is too long for a file system."""
    names = [stem(f"t.py::{test}", index, suffix=".ndjson") for test, index in (one, two)]
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names}
    assert (len(folded) == 1) == (one == two)
    assert max(len(name.encode()) for name in names) + len(".ndjson") <= 255
    first = stem(f"t.py::{one[0]}", 0, suffix=".ndjson")
    assert len(one[0]) > 100 or isinstance(one[1], str) or owner(names[0]) == first


@pytest.mark.parametrize(
    ("node", "index", "name", "told"),
    [
        ("t.py::test_a", 0, "test_a", "test_a"),
        ("t.py::test_a", 1, "test_a.~1", "test_a.1"),
        ("t.py::test_a", "1", "test_a.~[1]", "test_a[1]"),
        ("t.py::test_a[1]", 0, "test_a[1]", "test_a[1]"),
        ("t.py::TestA::test_a[B/~]", "End", "TestA.test_a[B%2f%7e].@411.~[End@1]", "TestA.test_a[B/~][End]"),
        ("t.py::test_ä[\x1b]", 0, "test_%c3%a4[%1b]", r"test_ä[\x1b]"),
    ],
)
def test_names_can_be_read(node: str, index: int | str, name: str, told: str) -> None:
    """Plain names stay as they are, and reports show the test's own characters, made safe."""
    assert stem(node, index, suffix=".sse") == name
    assert shown(name) == told
