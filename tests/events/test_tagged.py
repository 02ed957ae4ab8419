"""Strict JSON for what JSON cannot carry."""

import json
import math
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.events.locus import ToolCall
from playhead.events.tagged import dumps, is_strict, loads, tag, untag
from tests.events.samples import TEXTS, VALUES

ODD = st.one_of(
    VALUES,
    st.binary(max_size=8),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
    st.sets(st.one_of(st.integers(), TEXTS, st.dates(), st.binary(max_size=3)), max_size=3),
)


def exact(value: Any) -> Any:
    """Return a value that is equal only if types, signs of zero and NaN are equal too."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return (type(value).__name__, repr(value) if isinstance(value, float) else value)


def strict(text: bytes) -> Any:
    """Read JSON as a reader does that knows no NaN."""
    assert b"\n" not in text
    return json.loads(text.decode(), parse_constant=pytest.fail)


@given(value=VALUES)
@example(value="\ud800\udc00")
@example(value={"\ud800": {"$playhead": ["\udfff", math.nan]}})
@example(value=[-0.0, 0.0, 1.0, 1, True])
def test_dumps_then_loads_is_identity(value: Any) -> None:
    """Every JSON value, and what JSON cannot carry, comes back exactly, from strict JSON."""
    text = dumps(value)
    strict(text)
    assert exact(loads(text)) == exact(value)
    assert exact(loads(text.decode())) == exact(value)


@given(value=st.one_of(ODD, st.lists(ODD, max_size=2), st.dictionaries(TEXTS, ODD, max_size=2)))
def test_tag_then_untag_is_identity(value: Any) -> None:
    """What was tagged comes back exactly: bytes, sets and times too."""
    tagged = strict(json.dumps(tag(value), allow_nan=False, ensure_ascii=False).encode())
    assert exact(untag(tagged)) == exact(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, '{"$playhead":"nan"}'),
        (math.inf, '{"$playhead":"inf"}'),
        (-math.inf, '{"$playhead":"-inf"}'),
        ("a\ud800", '{"$playhead":["text","Ye2ggA=="]}'),
        (b"\xff", '{"$playhead":["bytes","/w=="]}'),
        (b"plain", '"plain"'),
        ({"$playhead": 1}, '{"$playhead":["object",[["$playhead",1]]]}'),
        ({"a": date(2030, 1, 1), "b": {1}, "c": math.nan}, '{"a":"2030-01-01","b":[1],"c":{"$playhead":"nan"}}'),
        ({"a": date(2030, 1, 1), "b": {1}, "c": 0.5}, '{"a":"2030-01-01","b":[1],"c":0.5}'),
        ({"a": UUID(int=1), "b": math.inf}, '{"a":"00000000-0000-0000-0000-000000000001","b":{"$playhead":"inf"}}'),
        (MappingProxyType({"a": (1, 2)}), '{"a":[1,2]}'),
        ([ToolCall(id="1", name="x", malformed_arguments="\ud800")],
         '[{"id":"1","name":"x","arguments":{},"malformed_arguments":{"$playhead":["text","7aCA"]}}]'),
        ({"NaN": "Infinity"}, '{"NaN":"Infinity"}'),
    ],
)  # fmt: skip
def test_spellings_of_dumps(value: object, text: str) -> None:
    """What plain JSON can spell is plain, whatever stands beside it; the rest is tagged."""
    assert dumps(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "tagged"),
    [
        ({2, 1}, {"$playhead": ["set", [1, 2]]}),
        (date(2030, 1, 1), {"$playhead": ["date", "2030-01-01"]}),
        (time(1, 2), {"$playhead": ["time", "01:02:00"]}),
        (datetime(2030, 1, 1, tzinfo=UTC), {"$playhead": ["datetime", "2030-01-01T00:00:00+00:00"]}),
        (b"plain", {"$playhead": ["bytes", "cGxhaW4="]}),
        ({2: "a", None: "b", True: "c"}, {"2": "a", "null": "b", "true": "c"}),
        (object, {"$playhead": ["repr", "<class 'object'>"]}),
    ],
)
def test_spellings_of_tag(value: object, tagged: object) -> None:
    """`tag` marks whatever JSON would give back as something else."""
    assert tag(value) == tagged


@pytest.mark.parametrize(
    "damaged",
    [["object", [[["a"], 1]]], ["object", [1]], ["set", [{}]], ["date", "x"], ["bytes", "!"], ["text", "/w=="]],
)
def test_damaged_tags(damaged: object) -> None:
    """A known tag with an impossible value is a `ValueError` that shows it, and nothing else."""
    with pytest.raises(ValueError, match="a damaged tag"):
        loads(json.dumps({"a": {"$playhead": damaged}}))


@pytest.mark.parametrize("unknown", ["new", ["complex", 1, 2], ["repr", "<x>"], None, {"a": 1}])
def test_unknown_tags_are_kept(unknown: object) -> None:
    """A tag of a newer version is kept as it is, and written again as what it is."""
    value = {"$playhead": unknown}
    assert loads(json.dumps(value)) == value
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b'{"a":[1,null]}', True), (b"1e5", True), (b"NaN", False), (b"-Infinity", False), (b'"\\ud800"', False)],
)
def test_is_strict(text: bytes, expected: bool) -> None:
    """Text that a strict reader takes, and that holds no tag, can go on as it is."""
    assert is_strict(text) is expected
    assert not is_strict(b'{"$playhead":"nan"}')
    with pytest.raises(ValueError):
        is_strict(b"{")


def test_values_that_have_no_end() -> None:
    """A value within itself, or nested too deep, is a `ValueError`."""
    endless: list[object] = []
    endless.append(endless)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(ValueError):
            dumps(value)


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"\xff", b"nul"])
def test_loads_refuses_what_is_no_json(text: bytes) -> None:
    """Anything but JSON is a `ValueError`."""
    with pytest.raises(ValueError):
        loads(text)
