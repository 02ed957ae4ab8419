"""Where two JSON values differ."""

import math
from typing import Any

import pytest
from hypothesis import given

from playhead.comparing.fields import ABSENT, changes
from playhead.events.canonical import canonical
from tests.events.samples import VALUES


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": {"city": "Paris"}}, {"a": {"city": "Rome"}}, [("$.a.city", "Paris", "Rome")]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("$.a", 1, True)]),
        ({"a": math.nan}, {"a": math.nan}, []),
        ({"a": None}, {}, [("$.a", None, ABSENT)]),
        ({}, {"a": None}, [("$.a", ABSENT, None)]),
        ({"two words": 1}, {"two words": 2}, [('$["two words"]', 1, 2)]),
        ([1, 2, 3], [1, 9, 2, 3], [("$[1]", ABSENT, 9)]),
        ([1, 2, 3], [1, 3], [("$[1]", 2, ABSENT)]),
        ([{"a": 1}, 2], [{"a": 5}, 2], [("$[0].a", 1, 5)]),
        ({"a": []}, {"a": {}}, [("$.a", [], {})]),
        (1, 2, [("$", 1, 2)]),
    ],
)
def test_changes(old: Any, new: Any, found: list[tuple[str, Any, Any]]) -> None:
    """Each difference is named by its path, as deep down as possible."""
    assert list(changes(old, new)) == found


@given(old=VALUES, new=VALUES)
def test_no_changes_means_equal(old: Any, new: Any) -> None:
    """There are changes just where the canonical texts differ, and as many from either side."""
    forth, back = list(changes(old, new)), list(changes(new, old))
    assert bool(forth) == (canonical(old) != canonical(new))
    assert bool(forth) == bool(back)


def test_absent_says_so() -> None:
    """The side without a value is not None."""
    assert repr(ABSENT) == "(absent)"
    assert ABSENT is not None
