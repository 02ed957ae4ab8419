"""The minimal union."""

from typing import Any, assert_never, get_args

import pytest
from hypothesis import given

from playhead.events.base import OpaqueEvent, keep_raw
from playhead.events.canonical import canonical
from playhead.events.codec import decode_event, encode_event
from playhead.events.turns import (
    TURNS,
    Complete,
    ErrorEvent,
    RequestStart,
    TextDelta,
    ToolDispatch,
    ToolResult,
    Turn,
)
from tests.events.samples import OBJECTS, VALUES

SAMPLES: list[Turn] = [
    RequestStart(turn_id="t"),
    TextDelta(turn_id="t", text="Hi"),
    ToolDispatch(turn_id="t", tool="add", args={"a": 1}),
    ToolResult(turn_id="t", tool="add", result=2),
    Complete(turn_id="t", final_text="2"),
    ErrorEvent(turn_id="t", error="boom"),
]


def name_of(turn: Turn) -> str:
    """Return an event's type by a `match` that a type checker proves exhaustive."""
    match turn:
        case RequestStart() | TextDelta() | ToolDispatch():
            return turn.type
        case ToolResult() | Complete() | ErrorEvent():
            return turn.type
    assert_never(turn)


@pytest.mark.parametrize("turn", SAMPLES, ids=name_of)
def test_each_class_survives(turn: Turn) -> None:
    """Each class decodes to itself by the class name in `type`."""
    again = decode_event(encode_event(turn), "turns")
    assert type(again) is type(turn)
    assert again == turn
    assert turn.event_type == name_of(turn) == type(turn).__name__


def test_the_table_has_every_class() -> None:
    """Each class has a sample and a row, whose paths are fields of it."""
    fields = {cls.__name__: cls.model_fields for cls in get_args(Turn)}
    assert fields.keys() == TURNS.ops.keys() == {type(turn).__name__ for turn in SAMPLES}
    for name, ops in TURNS.ops.items():
        for op in ops:
            for path in filter(None, (op.key, op.name, op.text)):
                assert path[0] in fields[name]


@given(value=VALUES, args=OBJECTS)
def test_results_and_arguments_are_any_json(value: Any, args: dict[str, Any]) -> None:
    """A result is any JSON value, and arguments any object, whatever is in them."""
    for data in (
        {"type": "ToolResult", "turn_id": "t", "tool": "x", "result": value},
        {"type": "ToolDispatch", "turn_id": "t", "tool": "x", "args": args},
    ):
        event = decode_event(data, "turns")
        assert type(event).__name__ == data["type"]
        assert canonical(encode_event(keep_raw(event, None))) == canonical(data)


def test_a_result_of_bytes_is_typed() -> None:
    """What fits a field for any value is not ill-typed, even if JSON cannot carry it."""
    event = decode_event({"type": "ToolResult", "turn_id": "t", "tool": "x", "result": b"\xff"}, "turns")
    assert type(event) is ToolResult
    assert event.result == b"\xff"


def test_ill_typed_turns_are_opaque() -> None:
    """A text that is no text makes an event opaque."""
    assert type(decode_event({"type": "TextDelta", "turn_id": "t", "text": 5}, "turns")) is OpaqueEvent
