"""The native taxonomy: its 24 classes, their JSON, and the table."""

import json
import math
from datetime import datetime
from typing import Any, assert_never

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.events.base import Event, OpaqueEvent, keep_raw, typed_json
from playhead.events.canonical import canonical
from playhead.events.codec import decode_event, decode_json, encode_event, event_json
from playhead.events.locus import (
    LOCUS,
    AfterInvocationEvent,
    AfterToolCallEvent,
    AgentEvent,
    BeforeInvocationEvent,
    BeforeToolCallEvent,
    CausalEdgeEvent,
    CausalNodeEvent,
    CompactionEvent,
    CustomEvent,
    FinalAnswerVerificationEvent,
    GroundingEvent,
    InterruptEvent,
    ModelChunkEvent,
    ModelCompleteEvent,
    ModelRetryEvent,
    OrchestratorDecisionEvent,
    ReflectEvent,
    SpecialistCompleteEvent,
    SpecialistStartEvent,
    SubagentEvent,
    TerminateEvent,
    ThinkEvent,
    ToolCompleteEvent,
    ToolProgressEvent,
    ToolStartEvent,
)
from tests.events.samples import CLASSES, NAMED, events_of, opaque_events

# A `?` marks a field that may be null, brackets one that may be missing: the table of the specification.
FIELDS = {
    "think": "iteration reasoning? [tool_calls]",
    "tool_start": "tool_name tool_call_id [arguments]",
    "tool_progress": "tool_name tool_call_id progress total? message?",
    "tool_complete": "tool_name tool_call_id result? error? duration_ms? structured_content? content_blocks?",
    "subagent": "tool_call_id tool_name task_id? event",
    "reflect": "iteration assessment confidence_delta new_confidence guidance?",
    "grounding": "score claims_evaluated [ungrounded_claims] [requires_replan]",
    "final_answer_verification": "passed attempt [replanning] feedback? error? [replaced] [continuation] reason?",
    "model_retry": "attempt delay_seconds reason status_code? error [from_retry_after]",
    "compaction": "iteration stage tokens_before tokens_after threshold context_window messages_before messages_after"
    " summary? [exhausted] detail?",
    "terminate": "reason iterations_used final_confidence total_tool_calls final_message? usage? cost_usd?"
    " reported_cost_usd? error?",
    "interrupt": "question options? fields? interrupt_id [metadata]",
    "custom": "name [data] run_id? thread_id? tool_call_id?",
    "model_chunk": "content? model? reasoning? tool_calls? [done] usage? stop_reason? cost_usd?",
    "model_complete": "content? [tool_calls] [usage] stop_reason?",
    "specialist_start": "specialist_id specialist_type task",
    "specialist_complete": "specialist_id specialist_type result? confidence duration_ms",
    "orchestrator_decision": "decision [specialists_selected] reasoning?",
    "causal_node": "node_id label node_type [evidence]",
    "causal_edge": "source_id target_id relationship confidence",
    "before_invocation": "prompt agent_id?",
    "after_invocation": "success iterations confidence duration_ms",
    "before_tool_call": "tool_name arguments modified_arguments?",
    "after_tool_call": "tool_name tool_call_id= [arguments] result? error? duration_ms",
}


def described(cls: type[Event]) -> str:
    """Spell the fields of a class as the table above does."""
    names = []
    for name, field in cls.model_fields.items():
        if name in ("event_type", "timestamp", "agent_name"):
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if field.is_required():
            names.append(name)
        elif default is None:
            names.append(f"{name}?")
        else:
            names.append(f"{name}=" if default == "" else f"[{name}]")
    return " ".join(names)


def tag_of(event: AgentEvent) -> str:
    """Return an event's type by a `match` that a type checker proves exhaustive."""
    match event:
        case ThinkEvent() | ToolStartEvent() | ToolProgressEvent() | ToolCompleteEvent() | SubagentEvent():
            return event.event_type
        case ReflectEvent() | GroundingEvent() | FinalAnswerVerificationEvent() | ModelRetryEvent():
            return event.event_type
        case CompactionEvent() | TerminateEvent() | InterruptEvent() | CustomEvent() | ModelChunkEvent():
            return event.event_type
        case ModelCompleteEvent() | SpecialistStartEvent() | SpecialistCompleteEvent():
            return event.event_type
        case OrchestratorDecisionEvent() | CausalNodeEvent() | CausalEdgeEvent():
            return event.event_type
        case BeforeInvocationEvent() | AfterInvocationEvent() | BeforeToolCallEvent() | AfterToolCallEvent():
            return event.event_type
    assert_never(event)


def test_the_union_has_the_classes_of_the_specification() -> None:
    """There are 24 classes, with the fields and defaults that the specification lists."""
    assert {name: described(cls) for name, cls in NAMED.items()} == FIELDS
    assert len(CLASSES) == 24


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=8)
@given(data=st.data())
def test_match_tells_the_classes_apart(cls: type[Any], data: st.DataObject) -> None:
    """`match` works on every class, and only the class itself matches."""
    event = data.draw(events_of(cls))
    assert tag_of(event) == cls.model_fields["event_type"].default
    assert [other for other in CLASSES if isinstance(event, other)] == [cls]


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=8)
@given(data=st.data())
def test_every_class_survives_json(cls: type[Event], data: st.DataObject) -> None:
    """Written, read, and written from its typed fields alone, an event has the same JSON, whatever is in it."""
    event = data.draw(events_of(cls))
    raw = event_json(event)
    assert json.loads(raw, parse_constant=pytest.fail) is not None
    assert b"\n" not in raw
    decoded = decode_json(raw, LOCUS)
    assert type(decoded) is cls
    assert event_json(decoded) == raw
    assert canonical(json.loads(typed_json(keep_raw(decoded, None)))) == canonical(json.loads(raw))
    assert canonical(encode_event(decode_event(encode_event(event)))) == canonical(encode_event(event))


NUMERIC = [
    (name, field)
    for name, cls in NAMED.items()
    for field, info in cls.model_fields.items()
    if info.annotation in (int, int | float, int | float | None, int | None)
]


def sample(name: str) -> dict[str, Any]:
    """Return a small JSON object of a type, with every field that it must have."""
    kinds: dict[Any, Any] = {str: "x", int: 1, bool: True, int | float: 0.5, dict[str, Any]: {}}
    required = {key: field for key, field in NAMED[name].model_fields.items() if field.is_required()}
    given_values = {"event": {"event_type": "custom", "name": "n"}, "stage": "prune"}
    fields = {key: given_values.get(key, kinds.get(field.annotation)) for key, field in required.items()}
    return {"event_type": name, "timestamp": "2030-01-01T12:00:00Z", **fields}


@pytest.mark.parametrize("name", NAMED)
def test_every_class_is_hit(name: str) -> None:
    """The least JSON of a type decodes to its class, and comes back without fields that it did not have."""
    event = decode_event(sample(name))
    assert type(event) is NAMED[name]
    assert json.loads(typed_json(keep_raw(event, None))) == sample(name)


@pytest.mark.parametrize(("name", "field"), NUMERIC)
@pytest.mark.parametrize("number", [12345678901234567890, -98765432109876543210, 0])
def test_numbers_of_20_digits_stay_whole(name: str, field: str, number: int) -> None:
    """A whole number stays whole in every numeric field, floating ones included."""
    event = decode_event({**sample(name), field: number})
    assert type(event) is NAMED[name]
    assert json.loads(typed_json(keep_raw(event, None)))[field] == number
    assert type(getattr(event, field)) is int


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iteration", "1"),
        ("iteration", 1.5),
        ("iteration", 1.0),
        ("iteration", True),
        ("iteration", None),
        ("iteration", b"\xff"),
        ("reasoning", 5),
        ("reasoning", b"\xff"),
        ("agent_name", ["a"]),
        ("tool_calls", None),
        ("tool_calls", [{"id": 1, "name": "x"}]),
        ("tool_calls", [{"id": "1", "name": "x", "arguments": b"\xff"}]),
        ("tool_calls", [{"id": "1", "name": "x", "arguments": [math.nan]}]),
        ("timestamp", 5),
        ("timestamp", "5"),
        ("timestamp", "1700000000"),
        ("timestamp", True),
        ("timestamp", "2030-01-01"),
        ("timestamp", "2030-01-01T12:00:00"),
        ("timestamp", "0001-01-01T00:00:00+02:00"),
        ("timestamp", "9999-12-31T23:59:59-02:00"),
        ("timestamp", "soon"),
    ],
)
def test_ill_typed_events_become_opaque(field: str, value: object) -> None:
    """Nothing is coerced: an event whose fields do not fit its class is opaque, and loses nothing."""
    data = {**sample("think"), field: value}
    event = decode_event(data)
    assert type(event) is OpaqueEvent
    assert event.event_type == "think"
    assert canonical(encode_event(event)) == canonical(data)
    assert canonical(encode_event(keep_raw(event, None))) == canonical(data)


@pytest.mark.parametrize("spelled", ["Z", "+00:00", "-00:00", "+02:00", "-11:30", ".5Z", ".123456789Z", "z"])
def test_spellings_of_times(spelled: str) -> None:
    """A time may be spelled in every way of RFC 3339. What is beyond a microsecond is only in the recorded bytes."""
    data = {**sample("think"), "timestamp": f"2030-01-01T12:00:00{spelled}"}
    event = decode_event(data)
    assert type(event) is ThinkEvent
    assert encode_event(event) == data
    again = json.loads(typed_json(keep_raw(event, None)))
    written = datetime.fromisoformat(again["timestamp"])
    assert written == event.timestamp == datetime.fromisoformat(data["timestamp"].upper())


@given(event=opaque_events(), depth=st.integers(0, 5))
@example(event=decode_event({"event_type": "of_tomorrow"}), depth=185)
def test_nested_events_keep_their_type(event: OpaqueEvent, depth: int) -> None:
    """An event in an event in an event keeps its class, known or not, down to the deepest JSON that is allowed."""
    nested: Any = event
    for _ in range(depth):
        nested = SubagentEvent(tool_call_id="c", tool_name="t", event=nested)
    decoded = decode_event(encode_event(nested))
    assert canonical(encode_event(decoded)) == canonical(encode_event(nested))
    for _ in range(depth):
        assert type(decoded) is SubagentEvent
        decoded = decoded.event
    assert type(decoded) is OpaqueEvent


def test_an_ill_typed_event_inside_is_opaque_alone() -> None:
    """One nested event that does not fit its class leaves the events around it typed."""
    data = {**sample("subagent"), "event": {**sample("subagent"), "event": {**sample("think"), "iteration": "1"}}}
    event = decode_event(data)
    assert type(event.event) is SubagentEvent
    assert type(event.event.event) is OpaqueEvent
    assert encode_event(keep_raw(event, None)) == data


def test_large_payloads() -> None:
    """A megabyte of text, plain or odd, goes through unchanged."""
    for text in ("x" * 1_000_000, "日" * 350_000, "\ud800" + "x" * 1_000_000):
        data = {**sample("tool_complete"), "result": text}
        assert decode_event(data).result == text
        assert encode_event(keep_raw(decode_event(data), None)) == data


def test_numbers_beyond_floats() -> None:
    """A number that no float can hold reads as infinity, and its bytes stay as they were."""
    raw = json.dumps(sample("grounding")).replace("0.5", "1e400").encode()
    event = decode_event(raw)
    assert event.score == math.inf
    assert event_json(event) == raw


def test_keys_that_come_twice() -> None:
    """Of two equal keys plain JSON says the last one, and the bytes keep both."""
    raw = b'{"event_type":"think","iteration":1,"iteration":2,"x":1,"x":2}'
    event = decode_event(raw)
    # Pydantic 2.10 takes the first value for a field, later versions the last.
    assert event.iteration in (1, 2)
    assert event.x == 2
    assert encode_event(event) == {"event_type": "think", "iteration": 2, "x": 2}
    assert event_json(event) == raw


def test_the_table_has_every_class() -> None:
    """Each class has a row, and each path of a row exists in that class."""
    assert LOCUS.ops.keys() == NAMED.keys()
    for name, ops in LOCUS.ops.items():
        for op in ops:
            for path in filter(None, (op.key, op.name, op.status, op.text, op.when)):
                assert path[0] in NAMED[name].model_fields, (name, path)


def test_the_other_columns_name_fields_that_exist() -> None:
    """Volatile fields, ids, the time, the group and the nested event are fields of some class."""
    fields = {field for cls in CLASSES for field in cls.model_fields}
    for path in (LOCUS.time, LOCUS.group, LOCUS.nested, *LOCUS.volatile, *LOCUS.ids):
        assert path[0] in fields, path
