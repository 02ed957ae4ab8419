"""One spelling for each JSON value."""

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.events.canonical import MASKED, canonical, mask
from playhead.events.frozen import freeze
from playhead.events.tagged import dumps, loads
from tests.events.samples import OBJECTS, VALUES


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.0, -0.0, 2.5]}, '{"a":[1,0,2.5],"b":1}'),
        ({"a": (1.0, 2)}, '{"a":[1,2]}'),
        (math.nan, '{"$playhead":"nan"}'),
        ("é\u2028", '"é\u2028"'),
        ("\ud800", '{"$playhead":["text","7aCA"]}'),
        ({"$playhead": 1.0, "a": 2}, '{"$playhead":["object",[["$playhead",1],["a",2]]]}'),
        ({3.0, 12, 1}, '{"$playhead":["set",[1,12,3]]}'),
        (1e300, str(int(1e300))),
        (True, "true"),
    ],
)
def test_spellings(value: object, text: str) -> None:
    """Keys are sorted, whole numbers have no fraction, and what JSON cannot carry is tagged."""
    assert canonical(value) == text


def test_order_never_counts_in_objects() -> None:
    """Objects with a key that must be tagged are equal in any order, like all others."""
    assert canonical({"$playhead": 1, "\ud800": 2}) == canonical({"\ud800": 2, "$playhead": 1})


@given(value=VALUES)
def test_one_spelling(value: Any) -> None:
    """A value has the same text after any way through JSON, frozen or not."""
    text = canonical(value)
    assert canonical(loads(dumps(value))) == text
    assert canonical(freeze(value)) == text
    assert text.encode()


@given(left=VALUES, right=VALUES)
def test_equal_text_means_equal_values(left: Any, right: Any) -> None:
    """Values that are told apart by Python, type for type, have different texts."""
    if canonical(left) == canonical(right):
        assert type(left) is type(right) or {type(left), type(right)} == {int, float}
        assert left == right or "nan" in repr(left)


def test_mask() -> None:
    """Whatever stands at a path is masked, null excepted; a star is any key and any item."""
    value = {"a": 1, "b": {"c": 2, "d": None}, "e": [{"c": 3}, 4], "f": {"x": {"c": 5}, "y": 6}}
    paths = [("a",), ("b", "c"), ("b", "d"), ("e", "*", "c"), ("f", "*", "c"), ("none",), ("a", "deeper")]
    assert mask(value, paths) == {
        "a": MASKED,
        "b": {"c": MASKED, "d": None},
        "e": [{"c": MASKED}, 4],
        "f": {"x": {"c": MASKED}, "y": 6},
    }
    assert mask({"a": {"b": 1, "c": None}}, [("a", "*")]) == {"a": {"b": MASKED, "c": None}}
    assert mask([1, 2], [("a",)]) == [1, 2]


PATHS = st.lists(st.lists(st.sampled_from(["", "$playhead", "*", "a"]), min_size=1, max_size=3).map(tuple), max_size=3)


@given(value=OBJECTS, paths=PATHS)
def test_masking_changes_nothing_else(value: dict[str, Any], paths: list[tuple[str, ...]]) -> None:
    """The value itself stays as it was, and masking twice is masking once."""
    before = copy.deepcopy(value)
    once = mask(value, paths)
    assert canonical(value) == canonical(before)
    assert canonical(mask(once, paths)) == canonical(mask(once, paths[::-1])) or len(paths) > 1
    assert once.keys() == value.keys()
