"""Events to JSON and back: errors, foreign objects, and the recordings of real runs."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from playhead.errors import UsageError
from playhead.events.base import OpaqueEvent, keep_raw, typed_json
from playhead.events.codec import decode_event, decode_json, encode_event, event_json, strict_json
from playhead.events.dialects import DIALECTS
from playhead.events.locus import LOCUS, CustomEvent, SubagentEvent, ThinkEvent

TYPED = {"locus": "Event", "shipit": "ShipitEvent"}


def rows(file: Path) -> list[dict[str, Any]]:
    found = (json.loads(line) for line in file.read_bytes().splitlines())
    return [row["event"] for row in found if "event" in row]


def moments(value: Any) -> Any:
    """Return JSON with the times of `timestamp` fields spelled in one way."""
    if isinstance(value, dict):
        return {
            key: item.replace("+00:00", "Z") if key == "timestamp" and isinstance(item, str) else moments(item)
            for key, item in value.items()
        }
    return [moments(item) for item in value] if isinstance(value, list) else value


def test_real_recordings(shared_data: Path) -> None:
    """Events of real runs are typed where their type is listed, and come back equal, from bytes and from fields."""
    files = sorted((shared_data / "runs").glob("*.jsonl"))
    assert files
    for file in files:
        dialect = DIALECTS["shipit" if file.name.startswith("shipit") else "locus"]
        for row in rows(file):
            event = decode_event(row, dialect)
            if dialect.type_of(row) in dialect.ops:
                assert type(event) is not OpaqueEvent, (file.name, row)
            assert encode_event(event) == row
            assert event_json(decode_json(event_json(event), dialect)) == event_json(event)
            assert moments(json.loads(typed_json(keep_raw(event, None)))) == moments(row)


@pytest.mark.parametrize(
    ("data", "dialect", "message"),
    [
        ("[]", "locus", "not an event of dialect 'locus': Input should be an object"),
        ("5", "locus", "not an event of dialect 'locus': Input should be an object"),
        ("", "locus", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("{", "locus", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff", "locus", "not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ({}, "locus", "not an event of dialect 'locus': no text field 'event_type' names its type"),
        ({"event_type": 5}, "locus", "not an event of dialect 'locus': no text field 'event_type' names its type"),
        (
            {"type": "RequestStart"},
            "locus",
            "not an event of dialect 'locus': no text field 'event_type' names its type; as 'turns' it would be one",
        ),
        (
            {"event_type": "think"},
            "shipit",
            "not an event of dialect 'shipit': no text field 'type' names its type; as 'locus' it would be one",
        ),
    ],
)
def test_errors_of_decoding(data: Any, dialect: str, message: str) -> None:
    """What is no event is a `UsageError` that says why, and which dialect would take it."""
    with pytest.raises(UsageError) as caught:
        decode_event(data, dialect)
    assert str(caught.value) == message


@pytest.mark.parametrize("data", ['{"event_type":"x","a":%s}' % ("9" * 5_000), '{"a":' * 100_000, "[" * 100_000])
def test_limits_are_usage_errors(data: str) -> None:
    """Numbers without end and depth without bottom are errors like any other."""
    with pytest.raises(UsageError, match="not JSON"):
        decode_event(data)


def test_limits_hold_for_objects_too() -> None:
    """The same limits hold for objects that are not text yet."""
    deep: dict[str, Any] = {"event_type": "x"}
    for _ in range(10_000):
        deep = {"event_type": "x", "a": deep}
    with pytest.raises(UsageError, match="number out of range"):
        decode_event({"event_type": "x", "a": 10**5_000})
    with pytest.raises(UsageError, match="not JSON"):
        decode_event(deep)
    with pytest.raises(UsageError, match="dict has no JSON form"):
        event_json(deep)
    parent: Any = ThinkEvent(iteration=1)
    for _ in range(250):
        parent = SubagentEvent(tool_call_id="c", tool_name="t", event=parent)
    with pytest.raises(UsageError, match="SubagentEvent has no JSON form"):
        encode_event(parent)


@given(text=st.one_of(st.text(max_size=20), st.binary(max_size=20)))
def test_rubbish_is_never_another_error(text: str | bytes) -> None:
    """Any text is an event or a `UsageError`."""
    with contextlib.suppress(UsageError):
        decode_event(text)


@pytest.mark.parametrize("text", ['{"event_type":"x","a":"$playhead"}', '{"event_type":"x","\\u0024playhead":"nan"}'])
def test_tags_in_foreign_text_are_text(text: str) -> None:
    """A framework's own text cannot pretend to hold tags."""
    event = decode_event(text)
    assert encode_event(event) == json.loads(text)
    assert encode_event(keep_raw(event, None)) == json.loads(text)
    tagged = '{"event_type":"x","a":{"$playhead":"nan"}}'
    assert encode_event(decode_event(tagged)) == json.loads(tagged)


def test_strict_json() -> None:
    """Strict JSON on one line stays byte for byte; other JSON is written anew, tagged where it must be."""
    assert strict_json(b' {"a": 1.0} ') == b'{"a": 1.0}'
    assert strict_json(b'{"a":\n1}') == b'{"a":1}'
    assert strict_json('{"a":NaN}') == b'{"a":{"$playhead":"nan"}}'
    assert strict_json('\ufeff{"a":1}') == b'{"a":1}'
    assert strict_json('{"$playhead":1}') == b'{"$playhead":["object",[["$playhead",1]]]}'


class Foreign(BaseModel):
    event_type: str = "foreign"
    text: str = ""


@dataclass
class Plain:
    event_type: str
    value: Any


class WithMethod:
    def to_dict(self) -> dict[str, Any]:
        return {"event_type": "x", "value": {1}}


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Foreign(text="é"), '{"event_type":"foreign","text":"é"}'),
        (Foreign(text="\ud800"), '{"event_type":"foreign","text":{"$playhead":["text","7aCA"]}}'),
        (Plain("x", b"\xff"), '{"event_type":"x","value":{"$playhead":["bytes","/w=="]}}'),
        (WithMethod(), '{"event_type":"x","value":[1]}'),
        ({"event_type": "x"}, '{"event_type":"x"}'),
        (MappingProxyType({"event_type": "x"}), '{"event_type":"x"}'),
    ],
)
def test_foreign_objects(event: object, text: str) -> None:
    """Pydantic models, dataclasses, mappings and objects with `to_dict()` have a JSON form."""
    assert event_json(event) == text.encode()


@pytest.mark.parametrize("event", [None, 5, "text", object(), [1]])
def test_objects_without_a_form(event: object) -> None:
    """Anything else is an error that names its class and says what would do."""
    with pytest.raises(UsageError, match=f"{type(event).__qualname__} has no JSON form: an event is a pydantic model"):
        event_json(event)


def test_an_event_is_an_object() -> None:
    """An object whose JSON is no object is no event."""

    class Odd:
        def to_dict(self) -> list[int]:
            return [1]

    with pytest.raises(UsageError, match="an event is a JSON object, but Odd is written as list"):
        encode_event(Odd())


def test_real_locus_events() -> None:
    """The framework's own events are written as the framework writes them, and become ours."""
    theirs = pytest.importorskip("locus.core.events", reason="locus-sdk is not installed: its events cannot be tried")
    events = [
        theirs.ThinkEvent(iteration=1, reasoning="é\u2028", tool_calls=[]),
        theirs.ToolStartEvent(tool_name="t", tool_call_id="c", arguments={"a": float("nan"), "big": 10**20}),
        theirs.SubagentEvent(
            tool_call_id="c", tool_name="t", event=theirs.CustomEvent(name="n", data={"x": [1.5, None]})
        ),
        theirs.InterruptEvent(question="?", interrupt_id="i"),
    ]
    for event in events:
        assert event_json(event) == event.model_dump_json().encode()
        ours = decode_json(event_json(event), LOCUS)
        assert type(ours).__name__ == type(event).__name__
        assert event_json(ours) == event_json(event)
        assert json.loads(typed_json(keep_raw(ours, None))) == json.loads(event.model_dump_json())
    odd = theirs.ThinkEvent.model_construct(**{**vars(events[0]), "reasoning": "\ud800"})
    assert decode_json(event_json(odd), LOCUS).reasoning == "\ud800"


def test_real_shipit_events() -> None:
    """The same for shipit's."""
    theirs = pytest.importorskip(
        "shipit_agent.models", reason="shipit-agent is not installed: its events cannot be tried"
    )
    event = theirs.AgentEvent(
        type="tool_called", message="Tool called: add", payload={"tool": "add", "n": float("inf")}
    )
    ours = decode_json(event_json(event), DIALECTS["shipit"])
    assert type(ours).__name__ == "ShipitEvent"
    assert encode_event(ours) == event.to_dict()
    assert encode_event(keep_raw(ours, None)) == event.to_dict()
    assert isinstance(ours.payload, Mapping)


def test_a_lone_surrogate_in_a_key_is_not_lost() -> None:
    """Pydantic writes U+FFFD for it in a model's dict, and would make two keys one."""
    data = {chr(0xD800): 1, chr(0xD801): 2}
    event = CustomEvent(name="x", data=data)
    assert decode_json(event_json(event), LOCUS) == event
    assert encode_event(event)["data"] == data
