"""What every event has, on the native classes."""

import copy
import math
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from playhead.events.base import Event, OpaqueEvent, keep_raw, raw_json, typed_json
from playhead.events.codec import decode_event, decode_json, encode_event, event_json
from playhead.events.locus import (
    LOCUS,
    CustomEvent,
    InterruptEvent,
    ModelChunkEvent,
    SubagentEvent,
    TerminateEvent,
    ThinkEvent,
    ToolCall,
    ToolCompleteEvent,
    ToolStartEvent,
)
from playhead.events.turns import ToolResult
from tests.events.samples import CLASSES, any_events, events_of

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
BARE = b'{"event_type":"think","iteration":1}'


def custom(data: dict[str, Any]) -> CustomEvent:
    return CustomEvent(name="x", data=data, timestamp=NOON)


def opaque(**fields: object) -> OpaqueEvent:
    return OpaqueEvent(**fields)


def again(event: Event) -> Any:
    """Return the event that is read from what this one is written as."""
    return decode_json(event_json(event), LOCUS)


def containers(value: Any) -> list[Any]:
    """Return every dict and list in a value, and in the models in it."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [value, *(found for item in inner for found in containers(item))]
    if hasattr(type(value), "model_fields"):
        extra = (value.__pydantic_extra__ or {}).values()
        return [found for item in [*vars(value).values(), *extra] for found in containers(item)]
    return []


def try_to_change(value: Any) -> None:
    if isinstance(value, dict):
        value["planted"] = 1
    else:
        value.append("planted")


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=5)
@given(data=st.data())
def test_fields_cannot_be_assigned(cls: type[Event], data: st.DataObject) -> None:
    """Assigning to any field of any class raises pydantic's error."""
    event = data.draw(events_of(cls))
    for name in cls.model_fields:
        with pytest.raises(ValidationError):
            setattr(event, name, None)


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=5)
@given(data=st.data())
def test_containers_cannot_be_changed(cls: type[Event], data: st.DataObject) -> None:
    """Every dict and list in every class is frozen, in events that are made, decoded and copied."""
    event = data.draw(events_of(cls))
    for each in (event, again(event), event.model_copy(deep=True)):
        for container in containers(each):
            with pytest.raises(TypeError, match="frozen"):
                try_to_change(container)


@pytest.mark.parametrize("cls", CLASSES)
def test_default_containers_cannot_be_changed(cls: type[Event]) -> None:
    """A default value is frozen like any other."""
    for field in cls.model_fields.values():
        default = field.get_default(call_default_factory=True, validated_data={})
        for container in containers(default):
            with pytest.raises(TypeError, match="frozen"):
                try_to_change(container)


def test_a_plain_dict_is_not_taken_for_a_frozen_one() -> None:
    """The check for frozen containers finds one that is not."""
    with pytest.raises(pytest.fail.Exception), pytest.raises(TypeError):
        try_to_change({})


def test_what_went_in_may_be_changed() -> None:
    """Freezing copies: the caller's own dict stays an ordinary one."""
    arguments = {"cities": ["Paris"]}
    event = ToolStartEvent(tool_name="search", tool_call_id="c1", arguments=arguments)
    arguments["cities"].append("Rome")
    assert event.arguments == {"cities": ["Paris"]}
    assert isinstance(event.arguments, dict)
    assert isinstance(event.arguments["cities"], list)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"n": math.nan}, {"n": math.nan}, True),
        ({"n": math.nan}, {"n": None}, False),
        ({"n": math.inf}, {"n": math.inf}, True),
        ({"n": math.inf}, {"n": -math.inf}, False),
        ({"n": 1}, {"n": True}, False),
        ({"n": 0}, {"n": False}, False),
        ({"n": 1}, {"n": 1.0}, True),
        ({"n": 0.0}, {"n": -0.0}, True),
        ({"n": 2**53 + 1}, {"n": float(2**53)}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"$playhead": 1, "b": 2}, {"b": 2, "$playhead": 1}, True),
        ({"n": [1, 2]}, {"n": [2, 1]}, False),
        ({"n": "\ud800"}, {"n": "\ud800"}, True),
        ({"n": "\ud800"}, {"n": "\ud801"}, False),
        ({"n": "1"}, {"n": 1}, False),
    ],
)
def test_equality_is_that_of_canonical_json(left: dict[str, Any], right: dict[str, Any], same: bool) -> None:
    """Events are equal when their canonical JSON is, and equal events have equal hashes."""
    assert (custom(left) == custom(right)) is same
    assert not same or hash(custom(left)) == hash(custom(right))
    calls = ToolCall(id="1", name="x", arguments=left), ToolCall(id="1", name="x", arguments=right)
    assert (calls[0] == calls[1]) is same
    assert not same or hash(calls[0]) == hash(calls[1])


def test_events_of_different_classes_differ() -> None:
    """The class counts, and nothing else equals an event."""
    assert ThinkEvent(iteration=1, timestamp=NOON) != opaque(event_type="think", iteration=1, timestamp=NOON)
    assert ThinkEvent(iteration=1) != {"event_type": "think"}


@given(event=any_events())
def test_an_event_equals_its_decoded_self(event: Event) -> None:
    """Written and read again an event is of the same class, equal, and has the same hash."""
    decoded = again(event)
    assert type(decoded) is type(event)
    assert decoded == event
    assert hash(decoded) == hash(event)


def test_spelling_does_not_count() -> None:
    """Times are equal as moments, whatever offset and whatever digits they are written with."""
    spellings = ["12:00:00Z", "12:00:00.000+00:00", "14:00:00+02:00", "12:00:00.000000000Z", "12:00Z"]
    texts = [f'{{"event_type":"think","iteration":1,"timestamp":"2030-01-01T{each}"}}' for each in spellings]
    assert {decode_event(text) for text in texts} == {ThinkEvent(iteration=1, timestamp=NOON)}


def test_a_time_that_was_not_recorded_does_not_count() -> None:
    """Two readings of one event without a time are equal, although each got a time of its own."""
    spaced = BARE.replace(b",", b", ")
    first, second = decode_event(BARE), decode_event(spaced)
    assert first == second
    assert hash(first) == hash(second)


def test_a_nested_time_that_was_not_recorded_does_not_count() -> None:
    """The same holds for an event in an event."""
    text = '{"event_type":"subagent","tool_call_id":"c","tool_name":"t","event":{"event_type":"think","iteration":1}}'
    assert hash(decode_event(text)) == hash(decode_event(text.replace(":", ": ")))
    assert decode_event(text) == decode_event(text.replace(":", ": "))


def copies(event: Any) -> list[Any]:
    return [
        copy.copy(event),
        copy.deepcopy(event),
        pickle.loads(pickle.dumps(event)),
        event.model_copy(),
        event.model_copy(deep=True),
    ]


@given(event=any_events())
def test_copies_are_equal_and_keep_the_bytes(event: Event) -> None:
    """Every way of copying gives an equal event with the same bytes, recorded or not."""
    decoded = again(event)
    for original in (event, decoded):
        for copied in copies(original):
            assert copied == original
            assert raw_json(copied) == raw_json(original)
            assert event_json(copied) == event_json(original)


def test_copies_keep_recorded_bytes() -> None:
    """A copy of a decoded event is written as the recording spells it."""
    spelled = b'{ "iteration":1, "event_type":"think", "timestamp":"2030-01-01T14:00:00+02:00" }'
    assert [event_json(copied) for copied in copies(decode_event(spelled))] == [spelled] * 5


def test_a_changed_copy_forgets_the_bytes() -> None:
    """A copy with an update is written with the new value, and with just the fields that the old one had."""
    event = decode_event('{"event_type":"think","iteration":1,"timestamp":"2030-01-01T12:00:00Z","x":1}')
    changed = event.model_copy(update={"iteration": 2})
    assert raw_json(changed) is None
    assert encode_event(changed) == {"event_type": "think", "iteration": 2, "timestamp": "2030-01-01T12:00:00Z", "x": 1}
    assert encode_event(decode_event(BARE).model_copy(update={"iteration": 2})) == {
        "event_type": "think",
        "iteration": 2,
    }


def test_an_update_is_frozen() -> None:
    """What an update brings in is frozen, in events and in tool calls."""
    for changed in (
        custom({}).model_copy(update={"data": {"a": []}}).data,
        ToolCall(id="1", name="x").model_copy(update={"arguments": {"a": []}}).arguments,
    ):
        with pytest.raises(TypeError, match="frozen"):
            changed["a"].append(1)


def test_a_made_event_goes_whole_into_a_decoded_one() -> None:
    """An event made in Python keeps its type and time inside one that was decoded."""
    inner = SubagentEvent(tool_call_id="d", tool_name="t", event=ThinkEvent(iteration=1))
    outer = again(SubagentEvent(tool_call_id="c", tool_name="t", event=ThinkEvent(iteration=9)))
    changed = outer.model_copy(update={"event": inner})
    assert encode_event(changed)["event"] == encode_event(inner)
    assert again(changed) == changed


def test_an_event_that_says_its_type_in_python_is_written_whole() -> None:
    """Naming `event_type` in a call does not make an event a decoded one."""
    event = ThinkEvent(event_type="think", iteration=1)
    assert encode_event(event).keys() == encode_event(ThinkEvent(iteration=1)).keys()


def test_forgetting_the_bytes_keeps_the_form() -> None:
    """Without its bytes a decoded event is still written with the fields that it had."""
    assert typed_json(keep_raw(decode_event(BARE), None)) == BARE


def test_forgetting_the_bytes_of_a_made_event_loses_nothing() -> None:
    """An event that was made in Python has no bytes to forget."""
    event = ThinkEvent(iteration=1)
    before = event_json(event)
    assert event_json(keep_raw(event, None)) == before


def test_unknown_fields_are_kept_as_attributes() -> None:
    """A field of a newer version can be read, is frozen, and is written again."""
    event = decode_event('{"event_type":"think","iteration":1,"mood":{"level":[3]}}')
    assert event.mood == {"level": [3]}
    with pytest.raises(TypeError, match="frozen"):
        event.mood["level"].append(4)
    assert encode_event(event)["mood"] == {"level": [3]}


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        (ThinkEvent(iteration=1, reasoning="hm"), "content", "hm"),
        (
            TerminateEvent(
                reason="complete", iterations_used=1, final_confidence=1, total_tool_calls=0, final_message="Paris"
            ),
            "content",
            "Paris",
        ),
        (ToolCompleteEvent(tool_name="t", tool_call_id="c", result="ok"), "success", True),
        (ToolCompleteEvent(tool_name="t", tool_call_id="c", error=""), "success", False),
    ],
)
def test_properties_of_convenience(event: Any, name: str, value: object) -> None:
    """The three properties of the original are there."""
    assert getattr(event, name) == value


def test_made_events_are_strict() -> None:
    """Nothing is coerced in Python either."""
    with pytest.raises(ValidationError):
        ThinkEvent(iteration="1")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        ThinkEvent(iteration=1, timestamp=datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValidationError):
        ModelChunkEvent(done=1)  # type: ignore[arg-type]


def test_times_are_kept_in_utc() -> None:
    """A time with another offset is the same moment in UTC; an event made without one has the time of its making."""
    event = decode_event('{"event_type":"think","iteration":1,"timestamp":"2030-01-01T14:00:00+02:00"}')
    assert event.timestamp == NOON
    assert event.timestamp.tzinfo is UTC
    assert ThinkEvent(iteration=1).timestamp.tzinfo is UTC


def test_raw_json() -> None:
    """An event remembers the bytes that it was read from, and one that was made has none."""
    assert raw_json(ThinkEvent(iteration=1)) is None
    assert raw_json(decode_event(BARE)) == BARE


def test_event_type_of_an_opaque_event() -> None:
    """An opaque event has the type that it says, under either name, or none."""
    assert opaque(event_type="x").event_type == "x"
    assert opaque(type="y").event_type == "y"
    assert opaque(event_type=3).event_type == ""
    assert OpaqueEvent().event_type == ""


def test_any_value_is_frozen_in_turns_too() -> None:
    """A result of any JSON kind is frozen."""
    with pytest.raises(TypeError, match="frozen"):
        ToolResult(turn_id="t", tool="x", result=[[]]).result[0].append(1)


def test_interrupts_with_a_field_called_fields() -> None:
    """The field `fields` of the original does not get in pydantic's way."""
    assert InterruptEvent(question="?", interrupt_id="i", fields=[{"a": 1}]).fields == [{"a": 1}]
